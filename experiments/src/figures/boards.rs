//! Boards as crisp SVG: one square a cell, runs of equal cells in a row as one rectangle.

use anyhow::anyhow;

use super::palette::{SERIES, escape, hex};
use super::{Panel, Shading};

/// Widest row of panels, in SVG units.
const WIDTH: f64 = 720.0;
const GAP: f64 = 14.0;
const TITLE: f64 = 24.0;
/// Largest side of a cell.
const CELL: f64 = 14.0;

/// Draws rows of panels.
pub(super) fn boards(rows: &[Vec<Panel>]) -> anyhow::Result<String> {
    let panels = || rows.iter().flatten();
    if panels().next().is_none() {
        return Err(anyhow!("there is no board to draw"));
    }
    for panel in panels() {
        check(panel)?;
    }
    // One cell size for all, so that boards can be compared.
    let cell = rows
        .iter()
        .filter(|row| !row.is_empty())
        .map(|row| {
            let cells: usize = row.iter().map(|panel| panel.width).sum();
            (WIDTH - GAP * (row.len() - 1) as f64) / cells as f64
        })
        .fold(CELL, f64::min);
    let (mut svg, mut top, mut widest) = (String::new(), 0.0, 0.0_f64);
    for row in rows {
        let (mut left, mut tallest) = (0.0, 0.0_f64);
        for panel in row {
            svg += &draw(panel, left, top, cell);
            left += panel.width as f64 * cell + GAP;
            tallest = tallest.max((panel.cells.len() / panel.width) as f64 * cell);
        }
        widest = widest.max(left - GAP);
        top += TITLE + tallest + GAP;
    }
    if panels().any(|panel| panel.shading == Shading::Difference) {
        let (low, high) = (hex(SERIES[0]), hex(SERIES[1]));
        svg += &format!(
            "<g font-family=\"sans-serif\" font-size=\"12\"><rect x=\"0\" y=\"{0:.1}\" width=\"11\" height=\"11\" \
             fill=\"{low}\"/><text x=\"17\" y=\"{1:.1}\" fill=\"currentColor\">too little</text><rect x=\"84\" \
             y=\"{0:.1}\" width=\"11\" height=\"11\" fill=\"{high}\"/><text x=\"101\" y=\"{1:.1}\" \
             fill=\"currentColor\">too much</text></g>",
            top - 4.0,
            top + 6.0
        );
        top += 24.0;
    }
    let (width, height) = (widest.max(170.0), top - GAP + 2.0);
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-1 0 {} {height:.1}\" style=\"max-width:{width:.0}px\">{svg}</svg>",
        format_args!("{:.1}", width + 2.0)
    ))
}

fn check(panel: &Panel) -> anyhow::Result<()> {
    let title = &panel.title;
    if panel.width == 0 || panel.cells.is_empty() || !panel.cells.len().is_multiple_of(panel.width) {
        return Err(anyhow!("the board `{title}` has {} cells in rows of {}", panel.cells.len(), panel.width));
    }
    let range = match panel.shading {
        Shading::Probability => 0.0..=1.0,
        Shading::Difference => -1.0..=1.0,
    };
    if let Some(value) = panel.cells.iter().find(|value| !range.contains(*value)) {
        return Err(anyhow!("the board `{title}` has a cell of {value}, outside {} to {}", range.start(), range.end()));
    }
    let height = panel.cells.len() / panel.width;
    match panel.outlines.iter().flatten().find(|(column, row)| *column >= panel.width || *row >= height) {
        Some((column, row)) => Err(anyhow!("the board `{title}` outlines the cell ({column}, {row}), which is off it")),
        None => Ok(()),
    }
}

fn draw(panel: &Panel, left: f64, top: f64, cell: f64) -> String {
    let height = panel.cells.len() / panel.width;
    let (wide, high) = (panel.width as f64 * cell, height as f64 * cell);
    // Titles shrink where the board is narrower than their text.
    let size = (wide / (panel.title.chars().count().max(1) as f64 * 0.56)).clamp(8.0, 14.0);
    let mut svg = format!(
        "<text x=\"{left:.1}\" y=\"{:.1}\" font-family=\"sans-serif\" font-size=\"{size:.1}\" \
         fill=\"currentColor\">{}</text>",
        top + 16.0,
        escape(&panel.title)
    );
    let top = top + TITLE;
    svg += &format!("<g transform=\"translate({left:.2} {top:.2}) scale({cell:.4})\" shape-rendering=\"crispEdges\">");
    for row in 0..height {
        let cells = &panel.cells[row * panel.width..(row + 1) * panel.width];
        let mut start = 0;
        while start < cells.len() {
            let shade = shade(cells[start]);
            let length = cells[start..].iter().take_while(|&&value| self::shade(value) == shade).count();
            if shade != 0 {
                let fill = match panel.shading {
                    Shading::Probability => "currentColor".to_string(),
                    Shading::Difference if shade > 0 => hex(SERIES[1]),
                    Shading::Difference => hex(SERIES[0]),
                };
                let opacity = f64::from(shade.abs()) / f64::from(SHADES);
                svg += &format!(
                    "<rect x=\"{start}\" y=\"{row}\" width=\"{length}\" height=\"1\" fill=\"{fill}\" \
                     fill-opacity=\"{opacity:.2}\"/>"
                );
            }
            start += length;
        }
    }
    svg += "</g>";
    for (number, cells) in panel.outlines.iter().enumerate() {
        let colour = hex(SERIES[(number + 1) % SERIES.len()]);
        svg += &outline(cells, left, top, cell, &colour);
    }
    svg += &format!(
        "<rect x=\"{left:.2}\" y=\"{top:.2}\" width=\"{wide:.2}\" height=\"{high:.2}\" fill=\"none\" \
         stroke=\"currentColor\" stroke-opacity=\"0.45\"/>"
    );
    svg
}

/// Levels of shade between nothing and full.
const SHADES: i32 = 25;

fn shade(value: f32) -> i32 {
    (value * SHADES as f32).round() as i32
}

/// The edges between a group's cells and all others.
fn outline(cells: &[(usize, usize)], left: f64, top: f64, cell: f64, colour: &str) -> String {
    let inside = |column: i64, row: i64| cells.iter().any(|&(c, r)| (c as i64, r as i64) == (column, row));
    let mut path = String::new();
    for &(column, row) in cells {
        let (c, r) = (column as i64, row as i64);
        let (x, y) = (left + column as f64 * cell, top + row as f64 * cell);
        let mut edge = |open: bool, x: f64, y: f64, along: char| {
            if open {
                path += &format!("M{x:.2} {y:.2}{along}{cell:.2}");
            }
        };
        edge(!inside(c, r - 1), x, y, 'h');
        edge(!inside(c, r + 1), x, y + cell, 'h');
        edge(!inside(c - 1, r), x, y, 'v');
        edge(!inside(c + 1, r), x + cell, y, 'v');
    }
    format!("<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linecap=\"square\"/>")
}
