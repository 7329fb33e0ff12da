//! What stands around a board: its heading, its legend, the reason why it is empty.

use bevy_egui::egui::text::{LayoutJob, TextWrapping};
use bevy_egui::egui::{Align2, Color32, FontId, Painter, Pos2, Rect, Stroke, StrokeKind, Vec2, pos2, vec2};

use super::boards::FOOTER;
use super::style::colour;
use crate::palette::{Palette, Ramp, mix};
use crate::scene::{Drawing, Legend};

/// The number that is its key, the heading, and the note at the other end.
pub fn header(painter: &Painter, place: Rect, seen: Rect, number: usize, drawing: &Drawing, palette: &Palette) {
    let base = seen.min.y - 6.0;
    let faint = colour(palette.faint);
    let used = painter.text(pos2(seen.min.x, base), Align2::LEFT_BOTTOM, number, FontId::monospace(11.0), faint);
    let at = pos2(used.max.x + 7.0, base + 1.0);
    let font = FontId::proportional(14.0);
    let title = painter.text(at, Align2::LEFT_BOTTOM, &drawing.title, font, colour(palette.text));
    if let Some((text, warning)) = &drawing.note {
        let shade = colour(if *warning { palette.doom } else { palette.faint });
        let galley = painter.layout_no_wrap(text.clone(), FontId::proportional(12.0), shade);
        // Beside the board where it is narrow, and cut short where there is no room at all.
        let left = (seen.max.x - galley.size().x).max(title.max.x + 10.0);
        let room = place.max.x - left;
        if galley.size().x <= room {
            painter.galley(pos2(left, base - galley.size().y), galley, shade);
        } else {
            fitting(painter, pos2(left, base - galley.size().y / 2.0), room, text, FontId::proportional(12.0), shade);
        }
    }
}

/// Why there is no picture, in the middle of its place.
pub fn reason(painter: &Painter, seen: Rect, reason: &str, palette: &Palette) {
    let font = FontId::proportional(13.0);
    let galley = painter.layout(reason.into(), font, colour(palette.text), (seen.width() - 24.0).max(60.0));
    let at = seen.center() - galley.size() / 2.0;
    painter.rect_filled(Rect::from_min_size(at, galley.size()).expand(8.0), 5.0, colour(palette.panel));
    painter.galley(at, galley, colour(palette.text));
}

/// How colours are to be read.
pub fn footer(painter: &Painter, seen: Rect, legend: &Legend, palette: &Palette) {
    let middle = seen.max.y + FOOTER / 2.0 + 2.0;
    let font = FontId::proportional(11.5);
    let faint = colour(palette.faint);
    match legend {
        Legend::Words(text) => {
            fitting(painter, pos2(seen.min.x, middle), painter.clip_rect().max.x - seen.min.x, text, font, faint);
        }
        Legend::Keys(keys) => {
            let mut x = seen.min.x;
            for (shade, meaning) in keys {
                let key = Rect::from_center_size(pos2(x + 5.0, middle), Vec2::splat(10.0));
                painter.rect_filled(key, 2.0, colour(*shade));
                painter.rect_stroke(key, 2.0, edge(palette), StrokeKind::Outside);
                let at = pos2(x + 14.0, middle);
                x = painter.text(at, Align2::LEFT_CENTER, meaning, font.clone(), faint).max.x + 12.0;
            }
        }
        Legend::Scale(ramp, [low, high]) => scale(painter, seen, middle, *ramp, [low, high], palette),
    }
}

fn edge(palette: &Palette) -> Stroke {
    Stroke::new(1.0, colour(mix(palette.ground, palette.faint, 0.5)))
}

/// A scale with its ends.
fn scale(painter: &Painter, seen: Rect, middle: f32, ramp: Ramp, [low, high]: [&str; 2], palette: &Palette) {
    const LENGTH: f32 = 64.0;
    let font = FontId::proportional(11.5);
    let faint = colour(palette.faint);
    let used = painter.text(pos2(seen.min.x, middle), Align2::LEFT_CENTER, low, font.clone(), faint);
    let bar = Rect::from_min_size(pos2(used.max.x + 5.0, middle - 5.0), vec2(LENGTH, 10.0));
    for step in 0..LENGTH as u32 {
        let share = (step as f32 + 0.5) / LENGTH;
        let slice = Rect::from_min_size(bar.min + vec2(step as f32, 0.0), vec2(1.0, bar.height()));
        painter.rect_filled(slice, 0.0, colour(palette.ramp(ramp, share)));
    }
    painter.rect_stroke(bar, 0.0, edge(palette), StrokeKind::Outside);
    let at = pos2(bar.max.x + 5.0, middle);
    fitting(painter, at, painter.clip_rect().max.x - at.x, high, font, faint);
}

/// A line from a point at its left, cut short with `…` where it is longer than there is room.
fn fitting(painter: &Painter, at: Pos2, room: f32, text: &str, font: FontId, shade: Color32) {
    let mut job = LayoutJob::simple_singleline(text.into(), font, shade);
    job.wrap = TextWrapping::truncate_at_width(room.max(0.0));
    let galley = painter.layout_job(job);
    if room > 24.0 {
        painter.galley(pos2(at.x, at.y - galley.size().y / 2.0), galley, shade);
    }
}
