//! What is chosen: the bar along the upper edge and the column at the right.

use bevy_egui::egui::{self, Align, Button, ComboBox, DragValue, Layout, RichText, ScrollArea, Ui};
use environments::Split;

use super::style::colour;
use crate::command::Command;
use crate::scene::{Panel, Reads};
use crate::session::Session;
use crate::view::{Method, Tool};

/// The bar along the upper edge: what is open, which episode, which model.
pub fn top(root: &mut Ui, session: &mut Session) {
    let palette = session.palette();
    let frame = egui::Frame::new().fill(colour(palette.panel)).inner_margin(egui::Margin::symmetric(12, 7));
    egui::Panel::top("bar").frame(frame).resizable(false).show(root, |ui| {
        ui.horizontal(|ui| {
            ui.set_height(24.0);
            ui.label(RichText::new(&session.source().name).strong().size(15.0));
            ui.colored_label(colour(palette.faint), session.subject().about());
            if session.subject().has_episodes() {
                ui.separator();
                episode(ui, session);
            }
            if !session.source().checkpoints.is_empty() {
                ui.separator();
                model(ui, session);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button("?").on_hover_text("all keys").clicked() {
                    session.apply(Command::Help);
                }
                if let Some(work) = session.busy_with() {
                    ui.spinner();
                    ui.colored_label(colour(palette.faint), work);
                }
            });
        });
    });
}

fn episode(ui: &mut Ui, session: &mut Session) {
    let (mut split, mut index) = (session.view().split, session.view().index);
    ComboBox::from_id_salt("split").width(84.0).selected_text(split.name()).show_ui(ui, |ui| {
        for one in Split::ALL {
            ui.selectable_value(&mut split, one, one.name());
        }
    });
    ui.add(DragValue::new(&mut index).speed(0.1).prefix("episode ")).on_hover_text("PgUp, PgDn; click to type");
    session.choose_episode(split, index);
}

fn model(ui: &mut Ui, session: &mut Session) {
    let Some((name, step)) = session.checkpoint().map(|(name, step)| (name.to_string(), step)) else { return };
    let models: Vec<String> = session.source().models().into_iter().map(Into::into).collect();
    let mut chosen = name.clone();
    ComboBox::from_id_salt("model").width(120.0).selected_text(&name).show_ui(ui, |ui| {
        for one in models {
            ui.selectable_value(&mut chosen, one.clone(), one);
        }
    });
    if chosen != name {
        session.choose_model(&chosen, None);
        return;
    }
    let mut at = step;
    let steps = session.source().steps(&name);
    ComboBox::from_id_salt("checkpoint").width(110.0).selected_text(format!("after {step} steps")).show_ui(ui, |ui| {
        for one in steps {
            ui.selectable_value(&mut at, one, format!("after {one} steps"));
        }
    });
    if at != step {
        session.choose_model(&name, Some(at));
    }
}

/// The column at the right.
pub fn side(root: &mut Ui, session: &mut Session) {
    let frame = egui::Frame::new().fill(colour(session.palette().panel)).inner_margin(egui::Margin::symmetric(12, 8));
    egui::Panel::right("side").frame(frame).resizable(false).exact_size(264.0).show(root, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let tight = ui.available_width() - 4.0;
            ui.set_max_width(tight);
            heading(ui, session, "Boards");
            boards(ui, session);
            heading(ui, session, "Over the boards");
            overlays(ui, session);
            if !session.taps().is_empty() {
                heading(ui, session, "Inside the model");
                inside(ui, session);
                super::units::show(ui, session);
            }
            heading(ui, session, "Reach in");
            tools(ui, session);
            if let Some([column, row]) = session.view().cell {
                heading(ui, session, "The chosen cell");
                super::boards::facts(ui, (column, row), session);
            }
            if session.course().is_some() {
                heading(ui, session, "Training");
                super::training::show(ui, session);
                pinned(ui, session);
            }
        });
    });
}

fn heading(ui: &mut Ui, session: &Session, text: &str) {
    ui.add_space(5.0);
    ui.label(RichText::new(text).strong().color(colour(session.palette().object)));
}

/// Whether a board can show anything here.
fn offered(session: &Session, panel: &Panel) -> bool {
    match panel.reads {
        Reads::Nothing | Reads::Request => true,
        Reads::Pinned(place) => place < session.pinned().len(),
        _ => !session.source().checkpoints.is_empty(),
    }
}

fn boards(ui: &mut Ui, session: &mut Session) {
    ui.horizontal_wrapped(|ui| {
        let shown = session.shown();
        let panels: Vec<&Panel> = session.panels().iter().filter(|panel| offered(session, panel)).collect();
        for panel in panels {
            if ui.selectable_label(shown.contains(&panel), panel.name).clicked() {
                session.toggle_board(panel);
            }
        }
    });
}

fn overlays(ui: &mut Ui, session: &mut Session) {
    let mut shown = session.view().overlays;
    let fitting = session.observed().scene.words().overlays;
    ui.horizontal_wrapped(|ui| {
        for (value, name) in [
            (&mut shown.objects, "objects"),
            (&mut shown.names, "names"),
            (&mut shown.headings, "headings"),
            (&mut shown.dooms, "† doom"),
            (&mut shown.grid, "grid"),
            (&mut shown.changed, "edited"),
        ] {
            if fitting.contains(&name) {
                ui.toggle_value(value, name);
            }
        }
    });
    session.set_overlays(shown);
}

fn inside(ui: &mut Ui, session: &mut Session) {
    let Some(tap) = session.tap().cloned() else { return };
    let names: Vec<String> = session.taps().iter().map(|tap| tap.name.clone()).collect();
    let mut chosen = tap.name.clone();
    ComboBox::from_id_salt("tap").width(ui.available_width() - 8.0).selected_text(&tap.name).show_ui(ui, |ui| {
        for name in names {
            ui.selectable_value(&mut chosen, name.clone(), name);
        }
    });
    if chosen != tap.name {
        session.choose_tap(&chosen);
    }
    ui.horizontal(|ui| {
        let neuron = session.view().neuron;
        if ui
            .selectable_label(
                neuron.is_none() && session.concept().is_none() && session.codebook().is_none(),
                "L2 norm",
            )
            .clicked()
        {
            session.choose_neuron(None);
        }
        if ui.selectable_label(neuron.is_some(), "neuron").clicked() {
            session.choose_neuron(Some(neuron.unwrap_or(0)));
        }
        let mut number = neuron.unwrap_or(0);
        let field = DragValue::new(&mut number).range(0..=tap.width.saturating_sub(1)).speed(0.2);
        if ui.add(field).changed() {
            session.choose_neuron(Some(number));
        }
        ui.colored_label(colour(session.palette().faint), format!("of {}", tap.width));
    });
    if session.shows(Reads::Attention) && session.heads() > 0 {
        ui.horizontal(|ui| {
            let head = session.view().head;
            if ui.selectable_label(head.is_none(), "mean of heads").clicked() {
                session.choose_head(None);
            }
            let mut number = head.unwrap_or(0);
            let last = session.heads() - 1;
            if ui.add(DragValue::new(&mut number).range(0..=last).speed(0.1).prefix("head ")).changed() {
                session.choose_head(Some(number));
            }
            ui.colored_label(colour(session.palette().faint), format!("of {}", last + 1));
        });
    }
}

/// The models that stand beside the chosen one.
fn pinned(ui: &mut Ui, session: &mut Session) {
    let faint = colour(session.palette().faint);
    let names: Vec<String> = session.pinned().into_iter().map(|(name, _)| name.to_string()).collect();
    ui.horizontal_wrapped(|ui| {
        if ui.button("pin this").on_hover_text("Shift V").clicked() {
            session.apply(Command::Pin);
        }
        if names.is_empty() {
            ui.colored_label(faint, "beside others");
        }
    });
    for (place, name) in names.into_iter().enumerate() {
        ui.horizontal(|ui| {
            if ui.small_button("×").on_hover_text("take this pin out").clicked() {
                session.unpin(place);
            }
            ui.add(egui::Label::new(RichText::new(name).color(faint)).truncate());
        });
    }
}

fn tools(ui: &mut Ui, session: &mut Session) {
    ui.horizontal_wrapped(|ui| {
        for (tool, name) in session.subject().tools() {
            if ui.selectable_label(session.view().tool == *tool, *name).clicked() {
                session.choose_tool(*tool);
            }
        }
    });
    let mut name = session.view().pattern.clone();
    ComboBox::from_id_salt("pattern").width(ui.available_width() - 8.0).height(320.0).selected_text(&name).show_ui(
        ui,
        |ui| {
            for one in session.subject().palette(session.observed()) {
                ui.selectable_value(&mut name, one.clone(), one);
            }
        },
    );
    if name != session.view().pattern {
        session.choose_pattern(&name);
    }
    written(ui, session);
    if session.view().tool == Tool::Patch || !session.patches().is_empty() {
        patches(ui, session);
    }
    ui.horizontal(|ui| {
        let (some, redo) = (!session.history().is_empty(), session.history().can_redo());
        for (text, active, command) in
            [("undo", some, Command::Undo), ("redo", redo, Command::Redo), ("reset", some, Command::Reset)]
        {
            if ui.add_enabled(active, Button::new(text)).clicked() {
                session.apply(command);
            }
        }
        let count = session.history().len();
        if count > 0 {
            let edits = if count == 1 { "edit" } else { "edits" };
            ui.colored_label(colour(session.palette().cursor), format!("{count} {edits}"));
        }
    });
}

/// A field in which one writes what is put down.
fn written(ui: &mut Ui, session: &mut Session) {
    if !session.subject().tools().iter().any(|(tool, _)| *tool == Tool::Drop) {
        return;
    }
    let id = ui.id().with("written");
    let mut text: String = ui.data_mut(|data| data.get_temp(id).unwrap_or_default());
    let field =
        egui::TextEdit::singleline(&mut text).hint_text(session.subject().written()).desired_width(f32::INFINITY);
    let response = ui.add(field).on_hover_text("/");
    if response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)) && !text.trim().is_empty() {
        session.choose_written(text.trim());
        text.clear();
    }
    ui.data_mut(|data| data.insert_temp(id, text));
    // Only after the field was laid out, so that the key that asks for it writes nothing.
    if session.takes_name() {
        response.request_focus();
    }
}

/// How activations are changed, which are, and what that did.
fn patches(ui: &mut Ui, session: &mut Session) {
    let (faint, cursor) = (colour(session.palette().faint), colour(session.palette().cursor));
    ui.horizontal(|ui| {
        let (mut method, mut dose) = (session.view().method, session.view().dose);
        let name = |method| Method::ALL.iter().find(|(own, _)| *own == method).map_or("", |(_, name)| name);
        ComboBox::from_id_salt("method").width(96.0).selected_text(name(method)).show_ui(ui, |ui| {
            for (one, name) in Method::ALL {
                ui.selectable_value(&mut method, one, name);
            }
        });
        if method != session.view().method {
            session.choose_method(method);
        }
        if matches!(method, Method::Neuron | Method::Direction | Method::Concept)
            && ui.add(DragValue::new(&mut dose).speed(0.05).prefix("dose ")).changed()
        {
            session.set_dose(dose);
        }
        if !session.patches().is_empty() && ui.button("unpatch").on_hover_text("Shift X").clicked() {
            session.apply(Command::Unpatch(false));
        }
    });
    for patch in session.patches() {
        ui.colored_label(cursor, patch.describe());
    }
    let effect = session.effect();
    egui::Grid::new("effect").num_columns(2).max_col_width(176.0).spacing([12.0, 3.0]).show(ui, |ui| {
        for (name, value) in effect {
            ui.add(egui::Label::new(RichText::new(name).color(faint)).wrap());
            ui.label(format!("{value:.3}").trim_end_matches('0').trim_end_matches('.'));
            ui.end_row();
        }
    });
}
