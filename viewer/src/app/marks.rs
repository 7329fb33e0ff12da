//! What is drawn over boards: objects, headings, dooms, the chosen cell, what a tool would do.

use bevy_egui::egui::{Align2, FontId, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2, vec2};
use environments::Outline;

use super::style::{colour, veil};
use crate::lens::Placement;
use crate::palette::Palette;
use crate::scene::{Extent, Raster, extent};
use crate::view::{Overlays, Tool};

/// Names are written where cells have at least so many points.
const NAMES_FROM: f32 = 5.0;

/// Cells are marked as changed where they have at least so many points.
const DOTS_FROM: f32 = 2.0;

/// Words in cells are written where these have at least so many points.
const WORDS_FROM: f32 = 7.0;

/// Outlines of objects, with their names, headings and dooms.
pub fn objects(painter: &Painter, placed: &Placement, objects: &[Outline], shown: Overlays, palette: &Palette) {
    for object in objects {
        let Some(extent) = extent(&object.cells, placed.cells) else { continue };
        // What is doomed has the colour of that, so that one finds it without reading.
        let shade = if object.doom.is_some() && shown.dooms { palette.doom } else { palette.object };
        let boxes = boxes(placed, extent);
        for rect in &boxes {
            painter.rect_stroke(*rect, 3.0, Stroke::new(1.5, colour(shade)), StrokeKind::Middle);
        }
        // Words and arrows stand once, where most of the object is to be seen.
        let Some(rect) = largest(&boxes, painter.clip_rect()) else { continue };
        if let (true, Some(heading)) = (shown.headings, object.heading) {
            arrow(painter, placed, rect, heading, palette);
        }
        let mut words = Vec::new();
        if shown.names {
            words.push(object.name.clone());
        }
        if let (true, Some(doom)) = (shown.dooms, object.doom) {
            words.push(format!("† {doom}"));
        }
        if !words.is_empty() && placed.cell >= NAMES_FROM {
            label(painter, rect, &words.join("  "), shade, palette);
        }
    }
}

/// The box of which most lies in an area.
fn largest(boxes: &[Rect], area: Rect) -> Option<Rect> {
    let seen = |rect: &Rect| rect.intersect(area).size().max(Vec2::ZERO);
    let share = |rect: &Rect| seen(rect).x * seen(rect).y;
    boxes.iter().copied().filter(|rect| share(rect) > 0.0).max_by(|a, b| share(a).total_cmp(&share(b)))
}

/// The boxes of an extent that wraps: one for each edge that it crosses.
fn boxes(placed: &Placement, extent: Extent) -> Vec<Rect> {
    let (columns, rows) = placed.cells;
    let wraps = |start: u32, length: u32, of: u32| {
        let second = (start + length > of).then_some(-(of as f32));
        std::iter::once(0.0).chain(second)
    };
    let mut boxes = Vec::new();
    for across in wraps(extent.column, extent.width, columns) {
        for down in wraps(extent.row, extent.height, rows) {
            let [left, top] = placed.point(extent.column as f32 + across, extent.row as f32 + down);
            let size = vec2(extent.width as f32, extent.height as f32) * placed.cell;
            boxes.push(Rect::from_min_size(pos2(left, top), size).expand(1.0));
        }
    }
    boxes
}

/// An arrow from an object's middle to where it heads.
fn arrow(painter: &Painter, placed: &Placement, rect: Rect, (columns, rows): (i32, i32), palette: &Palette) {
    let way = vec2(columns as f32, rows as f32);
    if way.length() == 0.0 {
        return;
    }
    let way = way.normalized();
    let from = rect.center() + way * rect.width().min(rect.height()) * 0.5;
    let to = from + way * (placed.cell * 2.2).clamp(10.0, 36.0);
    let stroke = Stroke::new(2.0, colour(palette.object));
    painter.line_segment([from, to], stroke);
    let side = way.rot90();
    let barb = (placed.cell * 0.55).clamp(4.0, 9.0);
    let head = vec![to + way * barb * 0.6, to - way * barb + side * barb * 0.7, to - way * barb - side * barb * 0.7];
    painter.add(Shape::convex_polygon(head, stroke.color, Stroke::NONE));
}

/// A name over a box, or under it where there is no room above.
fn label(painter: &Painter, rect: Rect, text: &str, shade: [u8; 3], palette: &Palette) {
    let galley = painter.layout_no_wrap(text.into(), FontId::proportional(11.0), colour(shade));
    let (size, clip) = (galley.size(), painter.clip_rect());
    let y = if rect.min.y - size.y - 2.0 >= clip.min.y { rect.min.y - size.y - 2.0 } else { rect.max.y + 2.0 };
    let x = rect.min.x.min(clip.max.x - size.x - 3.0).max(clip.min.x + 3.0);
    let at = pos2(x, y);
    painter.rect_filled(Rect::from_min_size(at, size).expand2(vec2(3.0, 0.5)), 3.0, colour(palette.dead));
    painter.galley(at, galley, colour(shade));
}

fn square(placed: &Placement, (column, row): (u32, u32)) -> Rect {
    let [left, top] = placed.point(column as f32, row as f32);
    Rect::from_min_size(pos2(left, top), Vec2::splat(placed.cell))
}

/// Dots on cells that the edits have changed.
pub fn changed(painter: &Painter, placed: &Placement, cells: &[(u32, u32)], palette: &Palette) {
    // Where cells are smaller than their marks, one would see nothing else.
    if placed.cell < DOTS_FROM {
        return;
    }
    for &cell in cells {
        let rect = square(placed, cell);
        if rect.intersects(painter.clip_rect()) {
            painter.circle_filled(rect.center(), (placed.cell * 0.16).max(1.0), colour(palette.cursor));
        }
    }
}

/// Words in cells that are large enough, in black or white as the picture asks for.
pub fn words<'a>(
    painter: &Painter,
    placed: &Placement,
    words: impl Iterator<Item = ((u32, u32), &'a str)>,
    raster: Option<&Raster>,
) {
    if placed.cell < WORDS_FROM {
        return;
    }
    for ((column, row), text) in words {
        // A letter of this font is about six tenths as wide as it is tall.
        let fitting = placed.cell * 1.5 / text.chars().count().max(1) as f32;
        let font = FontId::monospace((placed.cell * 0.8).min(fitting).min(14.0));
        let ground = raster.and_then(|raster| raster.get(column, row)).unwrap_or_default();
        let at = square(placed, (column, row)).center();
        painter.text(at, Align2::CENTER_CENTER, text, font.clone(), colour(Palette::ink(ground)));
    }
}

/// A line above a row, with what it means.
pub fn rule(painter: &Painter, placed: &Placement, row: u32, meaning: &str, palette: &Palette) {
    let [_, y] = placed.point(0.0, row as f32);
    let clip = painter.clip_rect();
    painter.hline(clip.x_range(), y, Stroke::new(2.0, colour(palette.doom)));
    let galley = painter.layout_no_wrap(meaning.into(), FontId::proportional(11.0), colour(palette.doom));
    let at = pos2(clip.max.x - galley.size().x - 5.0, y + 2.0);
    painter.rect_filled(Rect::from_min_size(at, galley.size()).expand2(vec2(3.0, 0.5)), 3.0, colour(palette.dead));
    painter.galley(at, galley, colour(palette.doom));
}

/// What the tool would do.
pub fn ghost(painter: &Painter, placed: &Placement, cells: &[(u32, u32)], tool: Tool, palette: &Palette) {
    for &cell in cells {
        let rect = square(placed, cell).shrink(1.0);
        let fill = if tool == Tool::Erase { palette.dead } else { palette.cursor };
        painter.rect_filled(rect, 1.0, veil(fill, 130));
        painter.rect_stroke(rect, 1.0, Stroke::new(1.0, colour(palette.cursor)), StrokeKind::Inside);
    }
}

/// A cell that the picture points out.
pub fn frame(painter: &Painter, placed: &Placement, cell: (u32, u32), palette: &Palette) {
    painter.rect_stroke(square(placed, cell), 1.0, Stroke::new(2.0, colour(palette.object)), StrokeKind::Middle);
}

/// The chosen cell, and where it lies on the edges.
pub fn cursor(painter: &Painter, placed: &Placement, cell: (u32, u32), palette: &Palette) {
    let rect = square(placed, cell);
    let stroke = Stroke::new(2.0, colour(palette.cursor));
    painter.rect_stroke(rect.expand(1.0), 1.0, stroke, StrokeKind::Middle);
    if placed.cell < 6.0 {
        painter.circle_stroke(rect.center(), 8.0, stroke);
    }
}

/// A small text with its middle at a point.
pub fn tag(painter: &Painter, at: Pos2, text: &str, palette: &Palette) {
    painter.text(at, Align2::CENTER_CENTER, text, FontId::proportional(11.0), colour(palette.faint));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_across_the_edge_is_drawn_on_both_sides() {
        let placed = Placement { origin: [0.0, 0.0], cell: 10.0, cells: (8, 8) };
        let inside = Extent { column: 2, row: 3, width: 2, height: 2 };
        assert_eq!(boxes(&placed, inside).len(), 1);
        let corner = boxes(&placed, Extent { column: 7, row: 7, width: 2, height: 2 });
        assert_eq!(corner.len(), 4);
        assert!(corner.iter().any(|rect| rect.contains(pos2(75.0, 75.0))));
        assert!(corner.iter().any(|rect| rect.contains(pos2(5.0, 5.0))));
        let board = Rect::from_min_size(Pos2::ZERO, Vec2::splat(80.0));
        let across = boxes(&placed, Extent { column: 5, row: 1, width: 4, height: 2 });
        assert_eq!(largest(&across, board), Some(across[0]), "three of its four columns lie in the east");
        assert_eq!(largest(&across, board.translate(vec2(500.0, 0.0))), None);
    }
}
