//! What is looked at inside the model beside neurons: concepts as probes read them, and where the unit is most active.

use bevy_egui::egui::{self, ComboBox, Rect, RichText, Sense, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};

use super::style::colour;
use crate::command::Command;
use crate::palette::Theme;
use crate::session::Session;
use crate::study::{Concept, Hit};

/// Side of a small picture, and how many stand in a row.
const SIDE: f32 = 54.0;
const IN_A_ROW: usize = 4;

/// Lays it out.
pub fn show(ui: &mut Ui, session: &mut Session) {
    if !session.concepts().is_empty() {
        concepts(ui, session);
    }
    if session.subject().example(environments::Split::Train, 0).is_some() {
        dictionary(ui, session);
    }
    top(ui, session);
}

fn dictionary(ui: &mut Ui, session: &mut Session) {
    let shown = session.view().dictionary;
    ui.horizontal(|ui| {
        let chosen = ui.selectable_label(shown.is_some(), "dictionary").on_hover_text("Ctrl N, Ctrl P").clicked();
        if chosen {
            session.choose_dictionary(if shown.is_some() { None } else { Some(0) });
        }
        let found = session.codebook().map(|(codebook, unit)| match codebook {
            Ok(codebook) => (Some((codebook.order.len(), unit)), format!("explains {:.2}", codebook.explained)),
            Err(reason) => (None, reason.to_string()),
        });
        let Some((units, text)) = found else { return };
        if let Some((count, unit)) = units {
            let mut number = unit;
            let field = egui::DragValue::new(&mut number).range(0..=count.saturating_sub(1)).speed(0.2).prefix("unit ");
            if ui.add(field).changed() {
                session.choose_dictionary(Some(number));
            }
        }
        let text = RichText::new(text).color(colour(session.palette().faint));
        ui.add(egui::Label::new(text).truncate()).on_hover_text(
            "a sparse dictionary (TopK), fitted to training episodes; variance explained on validation ones",
        );
    });
}

fn concepts(ui: &mut Ui, session: &mut Session) {
    let (chosen, faint) = (session.concept(), colour(session.palette().faint));
    let named = |concept: &Concept| format!("{}: {}", concept.name.replace('_', " "), concept.class);
    let text = chosen.as_ref().map_or("read a concept by a probe".to_string(), named);
    let mut wanted = None;
    ComboBox::from_id_salt("concept").width(ui.available_width() - 8.0).height(320.0).selected_text(text).show_ui(
        ui,
        |ui| {
            for concept in session.concepts() {
                if ui.selectable_label(chosen.as_ref() == Some(concept), named(concept)).clicked() {
                    wanted = Some(concept.clone());
                }
            }
        },
    );
    if let Some(concept) = wanted {
        session.choose_probe(Some(&concept));
    }
    match session.reader() {
        Some(Ok(reader)) => {
            let score = reader.accuracy.map_or("not scored".into(), |score| format!("balanced accuracy {score:.3}"));
            ui.colored_label(faint, format!("{score} ({} rows)", reader.rows)).on_hover_text(
                "a linear probe of the chosen tap, fitted to training episodes, scored on validation ones",
            );
        }
        Some(Err(reason)) => {
            ui.colored_label(faint, reason);
        }
        None => {}
    }
}

fn top(ui: &mut Ui, session: &mut Session) {
    ui.horizontal(|ui| {
        if ui.button("most active episodes").on_hover_text("Shift O; Ctrl PgUp and PgDn walk through them").clicked() {
            session.apply(Command::Top);
        }
        let faint = colour(session.palette().faint);
        match session.hits() {
            Some(Err(reason)) => {
                let text = RichText::new(reason).color(faint);
                ui.add(egui::Label::new(text).truncate());
            }
            Some(Ok(hits)) if hits.is_empty() => {
                ui.colored_label(faint, "none");
            }
            _ => {}
        }
    });
    let hits = match session.hits() {
        Some(Ok(hits)) => hits.clone(),
        _ => return,
    };
    let mut chosen = None;
    for (row, some) in hits.chunks(IN_A_ROW).enumerate() {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            for (place, hit) in some.iter().enumerate() {
                if picture(ui, session, hit) {
                    chosen = Some(row * IN_A_ROW + place);
                }
            }
        });
    }
    if let Some(place) = chosen {
        session.choose_hit(place);
    }
}

/// A piece of the episode with its value under it; whether it was clicked.
fn picture(ui: &mut Ui, session: &Session, hit: &Hit) -> bool {
    let palette = session.palette();
    let raster = &hit.pictures[usize::from(session.view().theme == Theme::Light)];
    let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE + 14.0), Sense::click());
    let side = SIDE / raster.width.max(raster.height).max(1) as f32;
    let board = Rect::from_min_size(rect.min, vec2(raster.width as f32, raster.height as f32) * side);
    let painter = ui.painter();
    painter.rect_filled(board, 0.0, colour(palette.dead));
    let cell = |column: u32, row: u32| {
        Rect::from_min_size(board.min + vec2(column as f32, row as f32) * side, Vec2::splat(side))
    };
    for row in 0..raster.height {
        for column in 0..raster.width {
            if let Some(shade) = raster.get(column, row).filter(|shade| *shade != palette.dead) {
                painter.rect_filled(cell(column, row), 0.0, colour(shade));
            }
        }
    }
    let mark = hit.marked.iter().map(|&(column, row)| cell(column, row)).reduce(|all, one| all.union(one));
    if let Some(mark) = mark {
        painter.rect_stroke(mark.expand(1.0), 1.0, Stroke::new(1.5, colour(palette.cursor)), StrokeKind::Outside);
    }
    let shown = hit.index == session.view().index && hit.split == session.view().split;
    let edge = if shown { palette.object } else { palette.patch };
    painter.rect_stroke(board, 0.0, Stroke::new(1.0, colour(edge)), StrokeKind::Outside);
    let font = egui::FontId::proportional(10.5);
    let text = format!("{:.2}", hit.value);
    painter.text(pos2(rect.min.x, rect.max.y), egui::Align2::LEFT_BOTTOM, text, font, colour(palette.faint));
    response.on_hover_text(format!("{} episode {}, position {}", hit.split.name(), hit.index, hit.position)).clicked()
}
