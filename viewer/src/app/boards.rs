//! Boards side by side, and the pointer over them.

use bevy_egui::egui::{
    self, Align2, Color32, FontId, Key, Painter, PointerButton, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, pos2,
    vec2,
};

use super::marks;
use super::style::colour;
use super::textures::Textures;
use crate::lens::Placement;
use crate::palette::{Palette, mix};
use crate::panel::{Panel, Score};
use crate::session::{Board, Session};
use crate::view::Tool;

const HEADER: f32 = 24.0;
const FOOTER: f32 = 20.0;
const GAP: f32 = 12.0;

/// Lines between cells are drawn where cells have at least so many points.
const GRID_FROM: f32 = 7.0;

/// Lays the boards out in what is left of the window.
pub fn show(root: &mut Ui, session: &mut Session, textures: &Textures) {
    let palette = session.palette();
    let frame = egui::Frame::new().fill(colour(palette.ground)).inner_margin(GAP);
    egui::CentralPanel::default().frame(frame).show(root, |ui| {
        let area = ui.available_rect_before_wrap();
        let (columns, rows) = arrange(textures.boards.len(), area.size(), session.size());
        let size =
            (area.size() - GAP * vec2(columns as f32 - 1.0, rows as f32 - 1.0)) / vec2(columns as f32, rows as f32);
        let mut pointed = None;
        for (place, board) in textures.boards.iter().enumerate() {
            let corner = vec2((place % columns) as f32, (place / columns) as f32) * (size + Vec2::splat(GAP));
            let place = Rect::from_min_size(area.min + corner, size);
            pointed = one(ui, place, board, session, textures).or(pointed);
        }
        session.point_at(pointed);
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

/// One board; returns the cell under the pointer.
fn one(ui: &mut Ui, place: Rect, board: &Board, session: &mut Session, textures: &Textures) -> Option<(u32, u32)> {
    let palette = session.palette();
    let area = Rect::from_min_max(place.min + vec2(0.0, HEADER), place.max - vec2(0.0, FOOTER));
    let id = ui.id().with(board.panel.name());
    let response = ui.interact(area, id, Sense::click_and_drag());
    let size = session.size();
    let placed = session.view().lens.place([area.min.x, area.min.y, area.width(), area.height()], size);
    let rect = whole(&placed);
    let seen = rect.intersect(area);
    let painter = ui.painter().with_clip_rect(seen.expand(1.0));

    let around = ui.painter().with_clip_rect(place);
    header(&around, place, seen, board, session, &palette);
    match textures.get(board.panel) {
        Some(texture) if board.picture.is_ok() || board.busy => {
            let tint = if board.busy { Color32::from_gray(110) } else { Color32::WHITE };
            painter.image(texture, rect, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), tint);
        }
        _ => {
            painter.rect_filled(rect, 0.0, colour(palette.dead));
        }
    }
    if board.picture.is_ok() && session.view().overlays.grid {
        grid(&painter, &placed, seen, session.subject().patch(), &palette);
    }
    marks::changed(&painter, &placed, &board.changed, &palette);
    if board.picture.is_ok() || board.busy {
        marks::objects(&painter, &placed, &board.outlines, session.view().overlays, &palette);
    }
    if board.panel == Panel::Start {
        marks::ghost(&painter, &placed, &session.ghost(), session.view().tool, &palette);
    }
    if let Some(cell) = session.cell() {
        marks::cursor(&painter, &placed, cell, &palette);
    }
    painter.rect_stroke(seen, 0.0, Stroke::new(1.0, colour(palette.patch)), StrokeKind::Inside);
    if let Err(reason) = &board.picture {
        let font = FontId::proportional(13.0);
        let galley = painter.layout(reason.clone(), font, colour(palette.text), (seen.width() - 24.0).max(60.0));
        let at = seen.center() - galley.size() / 2.0;
        painter.rect_filled(Rect::from_min_size(at, galley.size()).expand(8.0), 5.0, colour(palette.panel));
        painter.galley(at, galley, colour(palette.text));
    }
    footer(&around, seen, board, session, &palette);
    reach(ui, &response, &placed, board.panel, session)
}

/// Looks where the pointer is and does what it does.
fn reach(
    ui: &Ui,
    response: &egui::Response,
    placed: &Placement,
    panel: Panel,
    session: &mut Session,
) -> Option<(u32, u32)> {
    let at = |point: Pos2| placed.cell_at([point.x, point.y]);
    let pointed = response.hover_pos().and_then(at);
    let pressed = response.interact_pointer_pos().and_then(at);
    // The middle or right button, or the left one with the space bar held, moves the board under the pointer.
    let pans = response.dragged_by(PointerButton::Middle)
        || response.dragged_by(PointerButton::Secondary)
        || (response.dragged_by(PointerButton::Primary) && ui.input(|input| input.key_down(Key::Space)));
    if pans {
        let (by, size) = (response.drag_delta(), placed.size());
        session.pan([-by.x / size[0], -by.y / size[1]]);
    } else if panel == Panel::Start && session.view().tool != Tool::Look {
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

fn header(painter: &Painter, place: Rect, seen: Rect, board: &Board, session: &Session, palette: &Palette) {
    let base = seen.min.y - 6.0;
    let number = Panel::ALL.iter().position(|&panel| panel == board.panel).unwrap_or(0) + 1;
    let faint = colour(palette.faint);
    let used = painter.text(pos2(seen.min.x, base), Align2::LEFT_BOTTOM, number, FontId::monospace(11.0), faint);
    let at = pos2(used.max.x + 7.0, base + 1.0);
    let font = FontId::proportional(14.0);
    let title = painter.text(at, Align2::LEFT_BOTTOM, &board.title, font, colour(palette.text));
    let step = session.timeline().step();
    let note = match board.panel {
        Panel::Prediction if board.picture.is_ok() && !session.is_trained(step) => {
            Some((format!("not trained on k = {step}"), palette.doom))
        }
        Panel::Error => session.scores().get(&step).map(|score| (wrong(score), palette.faint)),
        _ => None,
    };
    if let Some((text, shade)) = note {
        let galley = painter.layout_no_wrap(text, FontId::proportional(12.0), colour(shade));
        // Beside the board where it is narrow, and left out where there is no room at all.
        let left = (seen.max.x - galley.size().x).max(title.max.x + 10.0);
        if left + galley.size().x <= place.max.x {
            painter.galley(pos2(left, base - galley.size().y), galley, colour(shade));
        }
    }
}

fn wrong(score: &Score) -> String {
    format!("{} wrong · persistence {}", score.wrong(), score.persistence)
}

fn footer(painter: &Painter, seen: Rect, board: &Board, session: &Session, palette: &Palette) {
    let middle = seen.max.y + FOOTER / 2.0 + 2.0;
    let font = FontId::proportional(11.5);
    let faint = colour(palette.faint);
    let note = |text: String| {
        painter.text(pos2(seen.min.x, middle), Align2::LEFT_CENTER, text, font.clone(), faint);
    };
    let scene = &session.observed().scene;
    let population = |step| {
        let cells = crate::scene::Drawn::cells(scene, step);
        cells.iter().filter(|&&state| state != 0).count()
    };
    match board.panel {
        Panel::Start => note(format!("{} live cells · {}", population(0), session.observed().origin)),
        Panel::Truth => {
            let step = session.timeline().step();
            let changed = match board.changed.len() {
                0 => String::new(),
                count => format!(" · {count} changed by edits"),
            };
            note(format!("{} live cells{changed}", population(step)));
        }
        Panel::Prediction => {
            scale(painter, seen, middle, ["0", "1 probability live"], palette, |share| palette.probability(share));
        }
        Panel::Activation => match (session.scale(), session.tap()) {
            (Some(end), Some(tap)) => {
                let (low, unit) = match session.view().neuron {
                    Some(neuron) => (-end, format!("neuron {neuron}")),
                    None => (0.0, "L2 norm".into()),
                };
                let ends = [format!("{low}"), format!("{end}  {} · {unit}", tap.name)];
                let signed = session.view().neuron.is_some();
                scale(painter, seen, middle, [&ends[0], &ends[1]], palette, |share| {
                    if signed { palette.signed(2.0 * share - 1.0) } else { Palette::magnitude(share) }
                });
            }
            _ => note("a tap of the model, over the board at t".into()),
        },
        Panel::Error | Panel::Change => {
            let mut x = seen.min.x;
            for (shade, meaning) in board.panel.legend(palette) {
                let key = Rect::from_center_size(pos2(x + 5.0, middle), Vec2::splat(10.0));
                painter.rect_filled(key, 2.0, colour(shade));
                let at = pos2(x + 14.0, middle);
                x = painter.text(at, Align2::LEFT_CENTER, meaning, font.clone(), faint).max.x + 12.0;
            }
        }
    }
}

/// A scale with its ends.
fn scale(
    painter: &Painter,
    seen: Rect,
    middle: f32,
    [low, high]: [&str; 2],
    palette: &Palette,
    shade: impl Fn(f32) -> crate::palette::Rgb,
) {
    const LENGTH: f32 = 84.0;
    let font = FontId::proportional(11.5);
    let faint = colour(palette.faint);
    let used = painter.text(pos2(seen.min.x, middle), Align2::LEFT_CENTER, low, font.clone(), faint);
    let bar = Rect::from_min_size(pos2(used.max.x + 5.0, middle - 5.0), vec2(LENGTH, 10.0));
    for step in 0..LENGTH as u32 {
        let share = (step as f32 + 0.5) / LENGTH;
        let slice = Rect::from_min_size(bar.min + vec2(step as f32, 0.0), vec2(1.0, bar.height()));
        painter.rect_filled(slice, 0.0, colour(shade(share)));
    }
    let edge = Stroke::new(1.0, colour(mix(palette.ground, palette.faint, 0.5)));
    painter.rect_stroke(bar, 0.0, edge, StrokeKind::Outside);
    painter.text(pos2(bar.max.x + 5.0, middle), Align2::LEFT_CENTER, high, font, faint);
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
