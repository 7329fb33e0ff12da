//! Line charts with interval bands, and grouped bars, through plotters.

use anyhow::anyhow;
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::palette::{TEXT, escape, hex, styles, with_text_colour};
use super::{Axis, Bars, Line, Value};

const WIDTH: u32 = 720;
const PLOT_HEIGHT: u32 = 340;
const LEGEND_LINE: u32 = 22;
const FONT: &str = "sans-serif";
const FONT_SIZE: u32 = 14;
/// plotters writes 1/1.24 of the size it is given, the ratio of a font's em to its height.
const PLOT_FONT_SIZE: u32 = 17;

/// Dash and gap of baselines, in turn.
const DASHES: [(u32, u32); 4] = [(6, 4), (2, 3), (11, 4), (4, 7)];

/// An entry of the legend.
struct Key<'a> {
    name: &'a str,
    colour: RGBColor,
    /// The number of its marker; bars have none.
    marker: Option<usize>,
    dashed: bool,
}

/// Draws lines.
pub(super) fn lines(x: &Axis, y: &Axis, series: &[Line]) -> anyhow::Result<String> {
    let points = || series.iter().flat_map(|line| &line.points);
    check(points().map(|(_, value)| value))?;
    if points().any(|(x, _)| !x.is_finite()) {
        return Err(anyhow!("a horizontal value is not a number"));
    }
    let (low, high) = extent(x, points().map(|&(x, _)| x), 0.02)?;
    let styles = styles(series.iter().map(|line| line.baseline));
    let keys: Vec<Key<'_>> = series
        .iter()
        .zip(&styles)
        .map(|(line, &(colour, marker))| Key { name: &line.name, colour, marker: Some(marker), dashed: line.baseline })
        .collect();
    if x.logarithmic {
        let lowest = points().map(|&(x, _)| x).fold(f64::INFINITY, f64::min);
        if lowest <= 0.0 {
            return Err(anyhow!("a horizontal value is not positive and the axis is logarithmic"));
        }
        let highest = points().map(|&(x, _)| x).fold(lowest, f64::max);
        let range = (lowest / 1.06..(highest * 1.06).max(lowest * 1.2)).log_scale().base(2.0);
        return line_chart(x, y, series, &keys, range);
    }
    line_chart(x, y, series, &keys, low..high)
}

fn line_chart<R>(x: &Axis, y: &Axis, series: &[Line], keys: &[Key<'_>], range: R) -> anyhow::Result<String>
where
    R: AsRangedCoord<Value = f64>,
    R::CoordDescType: ValueFormatter<f64>,
{
    let values = || series.iter().flat_map(|line| line.points.iter().map(|(_, value)| value));
    let (low, high) = extent(y, values().flat_map(ends), 0.05)?;
    with_legend(keys, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(48)
            .y_label_area_size(66)
            .build_cartesian_2d(range, low..high)?;
        chart
            .configure_mesh()
            .axis_style(TEXT.mix(0.6))
            .bold_line_style(TEXT.mix(0.14))
            .light_line_style(TRANSPARENT)
            .label_style((FONT, PLOT_FONT_SIZE).into_font().color(&TEXT))
            .axis_desc_style((FONT, PLOT_FONT_SIZE).into_font().color(&TEXT))
            .x_desc(x.label.as_str())
            .y_desc(y.label.as_str())
            .x_label_formatter(&|value| tick(*value))
            .y_label_formatter(&|value| tick(*value))
            .draw()?;
        for (line, key) in series.iter().zip(keys) {
            let banded: Vec<(f64, (f64, f64))> =
                line.points.iter().filter_map(|(x, value)| Some((*x, value.interval?))).collect();
            if banded.len() > 1 {
                let mut outline: Vec<(f64, f64)> = banded.iter().map(|(x, (low, _))| (*x, *low)).collect();
                outline.extend(banded.iter().rev().map(|(x, (_, high))| (*x, *high)));
                chart.draw_series([Polygon::new(outline, key.colour.mix(0.18).filled())])?;
            }
        }
        for (line, key) in series.iter().zip(keys) {
            let points: Vec<(f64, f64)> = line.points.iter().map(|(x, value)| (*x, value.value)).collect();
            let stroke = key.colour.stroke_width(2);
            let marker = key.marker.unwrap_or(0);
            if key.dashed {
                let (dash, gap) = DASHES[marker % DASHES.len()];
                chart.draw_series(DashedLineSeries::new(points.iter().copied(), dash, gap, stroke))?;
            } else {
                chart.draw_series(LineSeries::new(points.iter().copied(), stroke))?;
            }
            // Markers show where the measurements are; beyond some dozens they would be the line.
            if points.len() <= 40 {
                let (style, size) = (key.colour.filled(), 4);
                let mark = |&point: &(f64, f64)| match marker % 3 {
                    0 => Circle::new(point, size, style).into_dyn(),
                    1 => TriangleMarker::new(point, size + 1, style).into_dyn(),
                    _ => Cross::new(point, size, key.colour.stroke_width(2)).into_dyn(),
                };
                chart.draw_series(points.iter().map(mark))?;
            }
        }
        Ok(())
    })
}

/// Draws grouped bars.
pub(super) fn bars(y: &Axis, groups: &[String], series: &[Bars]) -> anyhow::Result<String> {
    if let Some(wrong) = series.iter().find(|bars| bars.values.len() != groups.len()) {
        return Err(anyhow!("`{}` has {} values for {} groups", wrong.name, wrong.values.len(), groups.len()));
    }
    if groups.is_empty() || series.is_empty() {
        return Err(anyhow!("there is nothing to draw"));
    }
    let values = || series.iter().flat_map(|bars| bars.values.iter().flatten());
    check(values())?;
    // Bars start at 0, so that their lengths can be compared.
    let (low, high) = extent(y, values().flat_map(ends).chain([0.0]), 0.05)?;
    let low = if low > -1e-9 || values().flat_map(ends).all(|value| value >= 0.0) { low.max(0.0) } else { low };
    let styles = styles(series.iter().map(|bars| bars.baseline));
    let keys: Vec<Key<'_>> = series
        .iter()
        .zip(&styles)
        .map(|(bars, &(colour, _))| Key { name: &bars.name, colour, marker: None, dashed: false })
        .collect();
    with_legend(&keys, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(20)
            .x_label_area_size(34)
            .y_label_area_size(66)
            .build_cartesian_2d(0.0..groups.len() as f64, low..high)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(0)
            .axis_style(TEXT.mix(0.6))
            .bold_line_style(TEXT.mix(0.14))
            .light_line_style(TRANSPARENT)
            .label_style((FONT, PLOT_FONT_SIZE).into_font().color(&TEXT))
            .axis_desc_style((FONT, PLOT_FONT_SIZE).into_font().color(&TEXT))
            .y_desc(y.label.as_str())
            .y_label_formatter(&|value| tick(*value))
            .draw()?;
        let step = 0.8 / series.len() as f64;
        for (number, (bars, key)) in series.iter().zip(&keys).enumerate() {
            for (group, value) in bars.values.iter().enumerate() {
                let Some(value) = value else { continue };
                let left = group as f64 + 0.1 + number as f64 * step;
                let right = left + step * 0.92;
                chart.draw_series([Rectangle::new([(left, 0.0), (right, value.value)], key.colour.filled())])?;
                if let Some((low, high)) = value.interval {
                    let centre = f64::midpoint(left, right);
                    chart.draw_series([PathElement::new(
                        [(centre, low), (centre, high)],
                        TEXT.mix(0.8).stroke_width(2),
                    )])?;
                }
            }
        }
        if low < 0.0 {
            chart.draw_series([PathElement::new([(0.0, 0.0), (groups.len() as f64, 0.0)], TEXT.mix(0.6))])?;
        }
        let below = Pos::new(HPos::Center, VPos::Top);
        // Long names in many groups shrink rather than overlap; 0.55 is a character's width in em.
        let longest = groups.iter().map(|name| name.chars().count()).max().unwrap_or(1).max(1);
        let room = f64::from(WIDTH - 100) / groups.len() as f64 / (longest as f64 * 0.55);
        let size = (room * 1.24).clamp(10.0, f64::from(PLOT_FONT_SIZE));
        let style = (FONT, size).into_font().color(&TEXT).pos(below);
        let labels = groups.iter().enumerate().map(|(group, name)| {
            EmptyElement::at((group as f64 + 0.5, low)) + Text::new(name.clone(), (0, 8), style.clone())
        });
        // On the whole area, since labels lie below the plotting area's edge.
        for label in labels {
            chart.draw_series([label])?;
        }
        Ok(())
    })
}

/// A drawing area below a legend, as SVG.
fn with_legend(
    keys: &[Key<'_>],
    draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<(), Box<dyn std::error::Error>>,
) -> anyhow::Result<String> {
    let (legend, lines) = legend(keys);
    let top = lines * LEGEND_LINE + 4;
    let (width, height) = (WIDTH, PLOT_HEIGHT + top);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        let (_, below) = area.split_vertically(top);
        draw(&below).map_err(|error| anyhow!("{error}"))?;
        area.present().map_err(|error| anyhow!("{error}"))?;
    }
    // A view box without a fixed size lets a page scale the chart.
    let svg = svg.replacen(&format!("width=\"{width}\" height=\"{height}\" "), "", 1);
    let svg = svg.trim_end().strip_suffix("</svg>").map(|open| format!("{open}{legend}</svg>")).unwrap_or(svg);
    Ok(with_text_colour(&svg))
}

/// The legend's SVG and its number of lines.
fn legend(keys: &[Key<'_>]) -> (String, u32) {
    let (mut svg, mut left, mut line) = (String::new(), 66, 0);
    for key in keys {
        // 7.2 units a character is what sans-serif at 14 takes on average, with room to spare.
        let needed = 34 + (key.name.chars().count() as f64 * 7.2) as u32 + 16;
        if left + needed > WIDTH && left > 66 {
            (left, line) = (66, line + 1);
        }
        let (colour, middle) = (hex(key.colour), line * LEGEND_LINE + 14);
        svg += &match key.marker {
            None => {
                let (x, y) = (left + 10, middle - 7);
                format!("<rect x=\"{x}\" y=\"{y}\" width=\"14\" height=\"14\" fill=\"{colour}\"/>")
            }
            Some(marker) => {
                let (on, off) = DASHES[marker % DASHES.len()];
                let dash = if key.dashed { format!(" stroke-dasharray=\"{on} {off}\"") } else { String::new() };
                let right = left + 28;
                format!(
                    "<line x1=\"{left}\" y1=\"{middle}\" x2=\"{right}\" y2=\"{middle}\" stroke=\"{colour}\" \
                     stroke-width=\"2\"{dash}/>{}",
                    marker_sign(marker, left + 14, middle, &colour)
                )
            }
        };
        svg += &format!(
            "<text x=\"{}\" y=\"{}\" font-family=\"{FONT}\" font-size=\"{FONT_SIZE}\" fill=\"currentColor\">{}</text>",
            left + 34,
            middle + 5,
            escape(key.name)
        );
        left += needed;
    }
    (svg, if keys.is_empty() { 0 } else { line + 1 })
}

/// A marker in the legend, as the chart draws it.
fn marker_sign(marker: usize, x: u32, y: u32, colour: &str) -> String {
    match marker % 3 {
        0 => format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"{colour}\"/>"),
        1 => {
            let (left, right, low, high) = (x - 5, x + 5, y + 4, y - 5);
            format!("<polygon points=\"{left},{low} {right},{low} {x},{high}\" fill=\"{colour}\"/>")
        }
        _ => format!("<path d=\"M{} {}l8 8m0 -8l-8 8\" stroke=\"{colour}\" stroke-width=\"2\"/>", x - 4, y - 4),
    }
}

fn ends(value: &Value) -> [f64; 3] {
    let (low, high) = value.interval.unwrap_or((value.value, value.value));
    [value.value, low, high]
}

fn check<'a>(mut values: impl Iterator<Item = &'a Value>) -> anyhow::Result<()> {
    match values.find(|value| ends(value).iter().any(|end| !end.is_finite())) {
        Some(_) => Err(anyhow!("a value is not a number")),
        None => Ok(()),
    }
}

/// The range to show: what the axis asks for, widened to the data; with a margin where the data sets the end.
fn extent(axis: &Axis, values: impl Iterator<Item = f64>, margin: f64) -> anyhow::Result<(f64, f64)> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return Err(anyhow!("there is nothing to draw"));
    }
    let pad = ((high - low) * margin).max(high.abs().max(low.abs()) * 1e-6).max(1e-9);
    let (wanted_low, wanted_high) = axis.range.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
    let ends = (
        if wanted_low <= low { wanted_low } else { low - pad },
        if wanted_high >= high { wanted_high } else { high + pad },
    );
    if ends.0.is_finite() && ends.1.is_finite() { Ok(ends) } else { Err(anyhow!("the range of an axis is not finite")) }
}

/// A tick's label: as few decimals as tell it apart.
fn tick(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}
