//! The list of keys.

use bevy_egui::egui::{self, Align2, RichText};

use super::style::colour;
use crate::command::COMMANDS;
use crate::session::Session;

/// Shows it over everything else.
pub fn show(context: &egui::Context, session: &Session) {
    let palette = session.palette();
    let mut groups: Vec<&str> = COMMANDS.iter().map(|binding| binding.group).collect();
    groups.dedup();
    egui::Window::new("Keys").anchor(Align2::CENTER_CENTER, [0.0, 0.0]).collapsible(false).resizable(false).show(
        context,
        |ui| {
            ui.horizontal_top(|ui| {
                for column in groups.chunks(groups.len().div_ceil(2)) {
                    ui.vertical(|ui| {
                        ui.set_width(400.0);
                        for group in column {
                            ui.add_space(4.0);
                            ui.label(RichText::new(*group).strong().color(colour(palette.object)));
                            egui::Grid::new(group).num_columns(2).min_col_width(96.0).spacing([14.0, 3.0]).show(ui, |ui| {
                                for binding in COMMANDS.iter().filter(|binding| binding.group == *group) {
                                    ui.label(RichText::new(binding.shown).monospace());
                                    ui.label(binding.about);
                                    ui.end_row();
                                }
                            });
                        }
                    });
                }
            });
            ui.add_space(6.0);
            ui.colored_label(
                colour(palette.faint),
                "Pointer: click chooses a cell or uses the tool on the board at t · wheel zooms · right or middle button \
                 pans · double click fits",
            );
        },
    );
}
