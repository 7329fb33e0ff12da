//! Boards side by side, and the pointer over them.

use bevy_egui::egui::{
    self, Align2, Color32, FontId, Key, Painter, PointerButton, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, pos2,
    vec2,
};

use super::style::colour;
use super::textures::Textures;
use super::{frames, marks, tables};
use crate::lens::Placement;
use crate::palette::Palette;
use crate::scene::{Extent, Ground};
use crate::session::{Board, Session};
use crate::view::Tool;

pub(super) const HEADER: f32 = 24.0;
pub(super) const FOOTER: f32 = 20.0;
const GAP: f32 = 12.0;

/// Room for the names of rows, where there are any.
const MARGIN: f32 = 28.0;

/// Lines between cells are drawn where cells have at least so many points.
const GRID_FROM: f32 = 7.0;

/// Lays the boards out in what is left of the window: those of the scene side by side, tables at their right.
pub fn show(root: &mut Ui, session: &mut Session, textures: &Textures) {
    let palette = session.palette();
    let frame = egui::Frame::new().fill(colour(palette.ground)).inner_margin(GAP);
    egui::CentralPanel::default().frame(frame).show(root, |ui| {
        let area = ui.available_rect_before_wrap();
        let (tables, scenes): (Vec<&Board>, Vec<&Board>) =
            textures.boards.iter().partition(|board| board.panel.ground == Ground::Table);
        let (left, right) = match (scenes.len(), tables.len()) {
            (_, 0) => (area, Rect::NOTHING),
            (0, _) => (Rect::NOTHING, area),
            _ => area.split_left_right_at_fraction(if scenes.len() == 1 { 0.42 } else { 0.56 }),
        };
        let window = session.observed().scene.window(session.timeline().step());
        let (columns, rows) = arrange(scenes.len(), left.size(), (window.width, window.height));
        let size =
            (left.size() - GAP * vec2(columns as f32 - 1.0, rows as f32 - 1.0)) / vec2(columns as f32, rows as f32);
        let mut pointed = None;
        for (place, board) in scenes.iter().enumerate() {
            let corner = vec2((place % columns) as f32, (place / columns) as f32) * (size + Vec2::splat(GAP));
            let place = Rect::from_min_size(left.min + corner, size);
            pointed = one(ui, place, board, window, session, textures).or(pointed);
        }
        session.point_at(pointed);
        let mut room = right.shrink2(vec2(if scenes.is_empty() { 0.0 } else { GAP / 2.0 }, 0.0));
        for (place, board) in tables.iter().enumerate() {
            let share = room.height() / (tables.len() - place) as f32;
            let used = tables::show(ui, Rect::from_min_size(room.min, vec2(room.width(), share)), board, session);
            room.min.y += used + 2.0 * GAP;
        }
    });
}

/// Columns and rows of boards that leave each board the most room.
fn arrange(count: usize, area: Vec2, (width, height): (u32, u32)) -> (usize, usize) {
    let count = count.max(1);
    let side = |columns: usize| {
        let rows = count.div_ceil(columns);
        let room = vec2(area.x / columns as f32 - GAP, area.y / rows as f32 - GAP - HEADER - FOOTER);
        (room.x / width.max(1) as f32).min(room.y / height.max(1) as f32)
    };
    // The last of equals is taken, and so the squarest arrangement.
    let columns = (1..=count).rev().max_by(|&a, &b| side(a).total_cmp(&side(b))).unwrap_or(1);
    (columns, count.div_ceil(columns))
}

/// One board of the scene; returns the cell under the pointer.
fn one(
    ui: &mut Ui,
    place: Rect,
    board: &Board,
    window: Extent,
    session: &mut Session,
    textures: &Textures,
) -> Option<(u32, u32)> {
    let (palette, drawing) = (session.palette(), &board.drawing);
    let margin = if drawing.rows.is_empty() { 0.0 } else { MARGIN };
    let area = Rect::from_min_max(place.min + vec2(margin, HEADER), place.max - vec2(0.0, FOOTER));
    let id = ui.id().with(board.panel.name);
    let response = ui.interact(area, id, Sense::click_and_drag());
    let cells = (window.width, window.height);
    let placed = session.view().lens.place([area.min.x, area.min.y, area.width(), area.height()], cells);
    let rect = whole(&placed);
    let seen = rect.intersect(area);
    let painter = ui.painter().with_clip_rect(seen.expand(1.0));
    // Marks are told cells of the whole scene; the window shows some of them.
    let within = |cell: (u32, u32)| {
        let inside = (window.column..window.column + window.width).contains(&cell.0)
            && (window.row..window.row + window.height).contains(&cell.1);
        inside.then(|| (cell.0 - window.column, cell.1 - window.row))
    };

    let around = ui.painter().with_clip_rect(place);
    let number = session.panels().iter().position(|panel| panel == board.panel).unwrap_or(0) + 1;
    frames::header(&around, place, seen, number, drawing, &palette);
    let drawn = drawing.raster.is_ok();
    match textures.get(board.panel) {
        Some(texture) if drawn || board.busy => {
            let tint = if board.busy { Color32::from_gray(110) } else { Color32::WHITE };
            painter.image(texture, rect, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), tint);
        }
        _ => {
            painter.rect_filled(rect, 0.0, colour(palette.dead));
        }
    }
    if drawn && session.view().overlays.grid {
        grid(&painter, &placed, seen, session.observed().scene.patch(), &palette);
    }
    let changed: Vec<(u32, u32)> = drawing.changed.iter().copied().filter_map(within).collect();
    marks::changed(&painter, &placed, &changed, &palette);
    let words = drawing.words.iter().filter_map(|(cell, text)| Some((within(*cell)?, text.as_str())));
    marks::words(&painter, &placed, words, drawing.raster.as_ref().ok());
    let framed = drawing.framed.iter().copied().filter_map(within);
    framed.for_each(|cell| marks::frame(&painter, &placed, cell, &palette));
    if drawn || board.busy {
        marks::objects(&painter, &placed, &drawing.outlines, session.view().overlays, &palette);
    }
    let patching = session.view().tool == Tool::Patch && board.panel.ground != Ground::Table;
    if board.panel.ground == Ground::Start || patching {
        marks::ghost(&painter, &placed, &session.ghost(), session.view().tool, &palette);
    }
    if let Some(cell) = session.cell().and_then(within) {
        marks::cursor(&painter, &placed, cell, &palette);
    }
    if let Some((row, meaning)) = &drawing.rule
        && drawn
        && let Some((_, row)) = within((window.column, *row))
    {
        marks::rule(&painter, &placed, row, meaning, &palette);
    }
    painter.rect_stroke(seen, 0.0, Stroke::new(1.0, colour(palette.patch)), StrokeKind::Inside);
    rows(&around, &placed, seen, &drawing.rows, &palette);
    if let Err(reason) = &drawing.raster {
        frames::reason(&painter, seen, reason, &palette);
    }
    frames::footer(&around, seen, &drawing.legend, &palette);
    let pointed = reach(ui, &response, &placed, window, board.panel.ground, session);
    let pointed = pointed.map(|(column, row)| (column + window.column, row + window.row));
    if let Some(cell) = pointed.filter(|_| matches!(session.view().tool, Tool::Look | Tool::Patch)) {
        response.on_hover_ui_at_pointer(|ui| facts(ui, cell, session));
    }
    pointed
}

/// What is known of a cell: what the scene says of it, and the world's labels.
pub(super) fn facts(ui: &mut Ui, cell: (u32, u32), session: &Session) {
    let faint = colour(session.palette().faint);
    let list = |ui: &mut Ui, id: &str, facts: Vec<crate::subject::Fact>| {
        egui::Grid::new(id).num_columns(2).spacing([12.0, 3.0]).show(ui, |ui| {
            for (name, value) in facts {
                ui.colored_label(faint, name);
                ui.label(value);
                ui.end_row();
            }
        });
    };
    list(ui, "described", session.describe(cell));
    let labels = session.facts(cell);
    if !labels.is_empty() {
        ui.colored_label(faint, "the world's labels");
        list(ui, "labels", labels);
    }
}

/// The names of rows, as many as there is room for.
fn rows(painter: &Painter, placed: &Placement, seen: Rect, names: &[String], palette: &Palette) {
    let every = (11.0 / placed.cell).ceil().max(1.0) as usize;
    let font = FontId::monospace(10.0);
    for (row, name) in names.iter().enumerate().filter(|(row, _)| row % every == 0) {
        let [_, y] = placed.point(0.0, row as f32 + 0.5);
        if seen.y_range().contains(y) {
            painter.text(pos2(seen.min.x - 5.0, y), Align2::RIGHT_CENTER, name, font.clone(), colour(palette.faint));
        }
    }
}

/// Looks where the pointer is and does what it does.
fn reach(
    ui: &Ui,
    response: &egui::Response,
    placed: &Placement,
    window: Extent,
    ground: Ground,
    session: &mut Session,
) -> Option<(u32, u32)> {
    let at = |point: Pos2| placed.cell_at([point.x, point.y]);
    let pointed = response.hover_pos().and_then(at);
    let pressed = response.interact_pointer_pos().and_then(at);
    let pressed = pressed.map(|(column, row)| (column + window.column, row + window.row));
    // The middle or right button, or the left one with the space bar held, moves the board under the pointer.
    let pans = response.dragged_by(PointerButton::Middle)
        || response.dragged_by(PointerButton::Secondary)
        || (response.dragged_by(PointerButton::Primary) && ui.input(|input| input.key_down(Key::Space)));
    if pans {
        let (by, size) = (response.drag_delta(), placed.size());
        session.pan([-by.x / size[0], -by.y / size[1]]);
    } else if session.view().tool == Tool::Patch || (ground == Ground::Start && session.view().tool != Tool::Look) {
        let strokes = matches!(session.view().tool, Tool::Draw | Tool::Erase);
        let touches = if strokes {
            response.dragged_by(PointerButton::Primary) || response.clicked()
        } else {
            response.clicked()
        };
        if let Some(cell) = pressed.filter(|_| touches) {
            session.touch(cell);
        }
        if response.drag_stopped() || response.clicked() {
            session.lift();
        }
    } else if response.clicked() {
        let again = pressed.is_some() && pressed.map(|(column, row)| [column, row]) == session.view().cell;
        session.choose_cell(pressed.filter(|_| !again));
    }
    if response.double_clicked() && session.view().tool == Tool::Look {
        session.apply(crate::command::Command::Fit);
    }
    if let Some(point) = response.hover_pos() {
        let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let factor = pinch * (scroll / 240.0).exp();
        if (factor - 1.0).abs() > 1e-4 {
            session.zoom(factor, placed.share_at([point.x, point.y]));
        }
    }
    pointed
}

fn whole(placed: &Placement) -> Rect {
    let [width, height] = placed.size();
    Rect::from_min_size(pos2(placed.origin[0], placed.origin[1]), vec2(width, height))
}

fn grid(painter: &Painter, placed: &Placement, seen: Rect, patch: u32, palette: &Palette) {
    if placed.cell < GRID_FROM {
        return;
    }
    let strokes = |line: u32| {
        Stroke::new(1.0, colour(if patch > 1 && line.is_multiple_of(patch) { palette.patch } else { palette.grid }))
    };
    for column in 1..placed.cells.0 {
        let [x, _] = placed.point(column as f32, 0.0);
        if seen.x_range().contains(x) {
            painter.vline(x, seen.y_range(), strokes(column));
        }
    }
    for row in 1..placed.cells.1 {
        let [_, y] = placed.point(0.0, row as f32);
        if seen.y_range().contains(y) {
            painter.hline(seen.x_range(), y, strokes(row));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_get_the_most_room() {
        assert_eq!(arrange(6, vec2(960.0, 640.0), (16, 16)), (3, 2));
        assert_eq!(arrange(6, vec2(400.0, 1000.0), (16, 16)), (2, 3));
        assert_eq!(arrange(6, vec2(640.0, 390.0), (16, 16)), (3, 2));
        assert_eq!(arrange(2, vec2(960.0, 640.0), (16, 16)), (2, 1));
        assert_eq!(arrange(1, vec2(960.0, 640.0), (16, 16)), (1, 1));
        assert_eq!(arrange(3, vec2(960.0, 640.0), (64, 8)), (1, 3));
        assert_eq!(arrange(0, vec2(960.0, 640.0), (16, 16)), (1, 1));
    }
}
