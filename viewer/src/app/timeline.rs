//! The time line: steps after t, with the model's wrong cells at each horizon.

use bevy_egui::egui::{self, Align, Align2, FontId, Layout, Painter, Rect, Sense, Stroke, Ui, pos2, vec2};

use super::marks;
use super::style::colour;
use crate::command::Command;
use crate::palette::mix;
use crate::session::Session;
use crate::timeline::SPEEDS;

const HEIGHT: f32 = 62.0;

/// Lays it out along the lower edge.
pub fn show(root: &mut Ui, session: &mut Session) {
    let frame = egui::Frame::new().fill(colour(session.palette().panel)).inner_margin(egui::Margin::symmetric(12, 8));
    egui::Panel::bottom("timeline").frame(frame).resizable(false).show(root, |ui| {
        ui.horizontal(|ui| controls(ui, session));
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click_and_drag());
        let axis = Axis { rect: rect.shrink2(vec2(14.0, 0.0)), last: session.timeline().last().max(1) };
        if let Some(point) = response.interact_pointer_pos() {
            session.go_to_step(axis.step_at(point.x));
        }
        draw(ui.painter(), &axis, session);
    });
}

fn controls(ui: &mut Ui, session: &mut Session) {
    let playing = session.timeline().playing();
    let buttons = [
        ("⏮", "first step (Home)", Command::First),
        ("◀", "one step back (←)", Command::Step(-1)),
        (if playing { "⏸" } else { "▶" }, "play or pause (Space)", Command::Play),
        ("▶|", "one step on (→)", Command::Step(1)),
        ("⏭", "last step (End)", Command::Last),
    ];
    for (sign, about, command) in buttons {
        if ui.add_sized([30.0, 22.0], egui::Button::new(sign)).on_hover_text(about).clicked() {
            session.apply(command);
        }
    }
    ui.add_space(8.0);
    let (mut step, last) = (session.timeline().step(), session.timeline().last());
    let words = session.observed().scene.words();
    ui.label(words.step);
    if ui.add(egui::DragValue::new(&mut step).range(0..=last).speed(0.1)).changed() {
        session.go_to_step(step);
    }
    let palette = session.palette();
    if session.subject().horizons().is_empty() {
    } else if session.is_trained(step) {
        ui.colored_label(colour(palette.object), "a trained horizon");
    } else if !session.source().checkpoints.is_empty() && step > 0 {
        ui.colored_label(colour(palette.doom), "models are not trained on this horizon");
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let mut speed = session.timeline().speed();
        let field = egui::DragValue::new(&mut speed).range(SPEEDS.0..=SPEEDS.1).speed(0.1).suffix(" steps/s");
        if ui.add(field).on_hover_text("speed of play (, .)").changed() {
            session.set_speed(speed);
        }
        if !session.scores().is_empty() {
            ui.add_space(10.0);
            key(ui, session, words.reference, palette.quiet);
            key(ui, session, words.model, palette.warm);
        }
        // What a person should know stands where it is always seen.
        if let Some(message) = session.message() {
            ui.add_space(12.0);
            let text = egui::RichText::new(message).color(colour(palette.doom));
            ui.add(egui::Label::new(text).truncate()).on_hover_text(message);
        }
    });
}

fn key(ui: &mut Ui, session: &Session, text: &str, shade: [u8; 3]) {
    ui.colored_label(colour(session.palette().faint), text);
    let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
    ui.painter().rect_filled(rect, 2.0, colour(shade));
}

/// Where steps lie.
struct Axis {
    rect: Rect,
    last: u32,
}

impl Axis {
    fn x(&self, step: u32) -> f32 {
        self.rect.min.x + self.rect.width() * step as f32 / self.last as f32
    }

    fn step_at(&self, x: f32) -> u32 {
        let share = ((x - self.rect.min.x) / self.rect.width()).clamp(0.0, 1.0);
        (share * self.last as f32).round() as u32
    }
}

fn draw(painter: &Painter, axis: &Axis, session: &Session) {
    let palette = session.palette();
    let base = axis.rect.max.y - 18.0;
    let faint = colour(mix(palette.panel, palette.faint, 0.6));
    painter.hline(axis.rect.x_range(), base, Stroke::new(1.0, faint));
    let scores = session.scores();
    let most = scores.values().map(|score| score.model.max(score.reference)).fold(0.0f32, f32::max).max(1.0);
    let room = base - axis.rect.min.y - 4.0;
    let width = (axis.rect.width() / axis.last as f32 * 0.34).clamp(1.0, 11.0);
    for (&step, score) in &scores {
        let bar = |from: f32, count: f32, shade: [u8; 3]| {
            let height = room * count / most;
            let left = axis.x(step) + from;
            let rect = Rect::from_min_max(pos2(left, base - height), pos2(left + width, base));
            // What models are not trained on is shown, but fainter.
            let share = if session.is_trained(step) { 1.0 } else { 0.3 };
            painter.rect_filled(rect, 1.0, colour(mix(palette.panel, shade, share)));
        };
        bar(-width, score.model, palette.warm);
        bar(0.0, score.reference, palette.quiet);
    }
    let each = !session.subject().horizons().is_empty();
    let every = (axis.last / 8).max(1);
    if let Some([from, to]) = session.view().range {
        let part = Rect::from_min_max(pos2(axis.x(from), base + 1.0), pos2(axis.x(to.min(axis.last)), base + 4.0));
        painter.rect_filled(part, 1.0, colour(palette.object));
    }
    // As many marks as can be told apart.
    let spacing = (axis.last as f32 * 4.0 / axis.rect.width().max(1.0)).ceil().max(1.0) as usize;
    for step in (0..=axis.last).step_by(spacing) {
        let trained = session.subject().horizons().contains(&step);
        let length = if trained { 7.0 } else { 3.0 };
        let shade = if trained { colour(palette.object) } else { faint };
        painter.vline(axis.x(step), base..=base + length, Stroke::new(if trained { 2.0 } else { 1.0 }, shade));
        if step % every < spacing as u32 || trained {
            let name = if step == 0 && each { "t".into() } else { format!("{step}") };
            marks::tag(painter, pos2(axis.x(step), base + 13.0), &name, &palette);
        }
    }
    if let Some(step) = session.observed().scene.moment() {
        let x = axis.x(step);
        painter.vline(x, axis.rect.min.y..=base, Stroke::new(2.0, colour(palette.doom)));
        painter.text(
            pos2(x + 5.0, axis.rect.min.y),
            Align2::LEFT_TOP,
            "fork",
            FontId::proportional(11.0),
            colour(palette.doom),
        );
    }
    let x = axis.x(session.timeline().step());
    let stroke = Stroke::new(2.0, colour(palette.cursor));
    painter.vline(x, axis.rect.min.y..=base + 8.0, stroke);
    painter.circle_filled(pos2(x, base), 5.0, stroke.color);
    if scores.is_empty() {
        let at = pos2(axis.rect.center().x, axis.rect.min.y + 14.0);
        let text = if session.is_busy() { "the model is at work…" } else { "drag to scrub" };
        painter.text(at, Align2::CENTER_CENTER, text, FontId::proportional(12.0), colour(palette.faint));
    } else {
        let at = pos2(axis.rect.min.x - 12.0, axis.rect.min.y);
        painter.text(
            at,
            Align2::LEFT_TOP,
            format!("{most:.3}").trim_end_matches('0').trim_end_matches('.').to_string(),
            FontId::proportional(10.5),
            colour(palette.faint),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_steps_agree() {
        let axis = Axis { rect: Rect::from_min_max(pos2(20.0, 0.0), pos2(340.0, 10.0)), last: 32 };
        for step in 0..=32 {
            assert_eq!(axis.step_at(axis.x(step)), step);
        }
        assert_eq!((axis.step_at(-100.0), axis.step_at(1e6)), (0, 32));
    }
}
