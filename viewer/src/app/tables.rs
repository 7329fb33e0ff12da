//! Tables: small grids with headings and words, in which a click makes the change that a cell stands for.

use bevy_egui::egui::{Align2, FontId, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};

use super::boards::{FOOTER, HEADER};
use super::frames;
use super::style::colour;
use crate::palette::Palette;
use crate::session::{Board, Session};

/// Room for the names of rows and of columns.
const MARGIN: Vec2 = vec2(92.0, 18.0);

/// The tallest row and the widest column, in points.
const CELL: Vec2 = vec2(64.0, 34.0);

/// Draws a table into a place; returns the height that it took.
pub fn show(ui: &mut Ui, place: Rect, board: &Board, session: &mut Session) -> f32 {
    let (palette, drawing) = (session.palette(), &board.drawing);
    let painter = ui.painter().with_clip_rect(place);
    let number = session.panels().iter().position(|panel| panel == board.panel).unwrap_or(0) + 1;
    let (columns, rows) = match &drawing.raster {
        Ok(raster) => (raster.width.max(1), raster.height.max(1)),
        Err(reason) => {
            let seen = Rect::from_min_size(place.min + vec2(0.0, HEADER), vec2(place.width(), 80.0));
            frames::header(&painter, place, seen, number, drawing, &palette);
            frames::reason(&painter, seen, reason, &palette);
            return HEADER + 80.0;
        }
    };
    let room = place.size() - MARGIN - vec2(0.0, HEADER + FOOTER);
    let side = (room / vec2(columns as f32, rows as f32)).min(CELL).max(Vec2::splat(2.0));
    let corner = place.min + MARGIN + vec2(0.0, HEADER);
    let grid = Rect::from_min_size(corner, side * vec2(columns as f32, rows as f32));
    let heading = Rect::from_min_max(pos2(place.min.x, place.min.y + HEADER), grid.max);
    frames::header(&painter, place, heading, number, drawing, &palette);
    let cell = |(column, row): (u32, u32)| Rect::from_min_size(grid.min + side * vec2(column as f32, row as f32), side);
    let shade = |at: (u32, u32)| drawing.raster.as_ref().ok().and_then(|raster| raster.get(at.0, at.1));
    for row in 0..rows {
        for column in 0..columns {
            let fill = shade((column, row)).unwrap_or(palette.dead);
            painter.rect_filled(cell((column, row)).shrink(0.5), 2.0, colour(fill));
        }
    }
    let font = FontId::proportional(side.y.min(side.x * 0.5).clamp(7.0, 13.0));
    if side.x >= 15.0 && side.y >= 9.0 {
        for (at, text) in &drawing.words {
            let ink = colour(Palette::ink(shade(*at).unwrap_or(palette.dead)));
            painter.text(cell(*at).center(), Align2::CENTER_CENTER, text, font.clone(), ink);
        }
    }
    for &at in &drawing.framed {
        painter.rect_stroke(cell(at), 2.0, Stroke::new(2.0, colour(palette.object)), StrokeKind::Middle);
    }
    for &at in &drawing.changed {
        let at = cell(at).right_top() + vec2(-5.0, 5.0);
        painter.circle_filled(at, 3.0, colour(palette.cursor));
    }
    let (faint, small) = (colour(palette.faint), FontId::monospace(font.size.min(11.0)));
    for (row, name) in drawing.rows.iter().enumerate() {
        let at = pos2(grid.min.x - 6.0, cell((0, row as u32)).center().y);
        painter.text(at, Align2::RIGHT_CENTER, name, small.clone(), faint);
    }
    // A letter of this font is about six tenths as wide as it is tall.
    let letters = drawing.columns.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    if side.x >= letters as f32 * small.size * 0.62 {
        for (column, name) in drawing.columns.iter().enumerate() {
            let at = pos2(cell((column as u32, 0)).center().x, grid.min.y - 3.0);
            painter.text(at, Align2::CENTER_BOTTOM, name, small.clone(), faint);
        }
    }
    frames::footer(&painter, heading, &drawing.legend, &palette);
    let response = ui.interact(grid, ui.id().with(board.panel.name), Sense::click());
    if let Some(point) = response.interact_pointer_pos().filter(|_| response.clicked()) {
        let at = (point - grid.min) / side;
        session.touch_table(board.panel, ((at.x as u32).min(columns - 1), (at.y as u32).min(rows - 1)));
    }
    grid.max.y + FOOTER - place.min.y
}
