//! How the shown model's training went: a small chart with its checkpoints.

use bevy_egui::egui::{Align2, FontId, Pos2, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::style::colour;
use crate::palette::mix;
use crate::session::Session;

const HEIGHT: f32 = 74.0;

/// Lays the chart out; a click chooses the nearest checkpoint.
pub fn show(ui: &mut Ui, session: &mut Session) {
    let Some(course) = session.course() else { return };
    let palette = session.palette();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 6.0, HEIGHT), Sense::click());
    let plot = rect.shrink2(vec2(6.0, 0.0)).with_max_y(rect.max.y - 14.0);
    let painter = ui.painter();
    let faint = colour(palette.faint);
    let ((low, high), small) = (course.range(), FontId::proportional(10.0));
    let x = |step: u64| plot.min.x + plot.width() * course.share(step);
    let y = |loss: f32| plot.max.y - (plot.height() - 4.0) * ((loss - low) / (high - low)).clamp(0.0, 1.0);
    painter.rect_filled(rect.with_max_y(plot.max.y), 3.0, colour(palette.ground));
    let line: Vec<Pos2> = course.losses.iter().map(|&(step, loss)| pos2(x(step), y(loss))).collect();
    if let [one] = line.as_slice() {
        painter.circle_filled(*one, 2.0, colour(palette.warm));
    }
    painter.add(Shape::line(line, Stroke::new(1.6, colour(palette.warm))));
    for &step in &course.checkpoints {
        let shade = if step == course.shown { palette.cursor } else { mix(palette.ground, palette.faint, 0.7) };
        let from = if step == course.shown { plot.min.y } else { plot.max.y - 6.0 };
        let stroke = Stroke::new(if step == course.shown { 2.0 } else { 1.0 }, colour(shade));
        painter.vline(x(step), from..=plot.max.y, stroke);
    }
    painter.text(pos2(plot.min.x, plot.max.y + 2.0), Align2::LEFT_TOP, "0", small.clone(), faint);
    let end = format!("{} steps", course.end());
    painter.text(pos2(plot.max.x, plot.max.y + 2.0), Align2::RIGHT_TOP, end, small.clone(), faint);
    if !course.losses.is_empty() {
        let range = format!("loss {high:.3} to {low:.3} nats");
        painter.text(pos2(plot.max.x, plot.min.y + 2.0), Align2::RIGHT_TOP, range, small, faint);
    }
    ui.colored_label(faint, &course.words).on_hover_text("earlier and later checkpoints: [ ]");
    let clicked = response.interact_pointer_pos().filter(|_| response.clicked());
    let step = clicked.and_then(|at| course.nearest((at.x - plot.min.x) / plot.width()));
    let model = session.checkpoint().map(|(model, _)| model.to_string());
    if let (Some(step), Some(model)) = (step.filter(|&step| step != course.shown), model) {
        session.choose_model(&model, Some(step));
    }
}
