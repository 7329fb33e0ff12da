//! The palette as egui has it.

use bevy_egui::egui::{self, Color32, CornerRadius, FontId, Stroke, TextStyle, Visuals};

use crate::palette::{Rgb, Theme, mix};
use crate::session::Session;

/// A colour.
pub fn colour([red, green, blue]: Rgb) -> Color32 {
    Color32::from_rgb(red, green, blue)
}

/// A colour that lets through what lies under it.
pub fn veil([red, green, blue]: Rgb, opacity: u8) -> Color32 {
    Color32::from_rgba_unmultiplied(red, green, blue, opacity)
}

/// Gives a context the session's theme.
pub fn apply(context: &egui::Context, session: &Session) {
    let palette = session.palette();
    let dark = session.view().theme == Theme::Dark;
    let mut visuals = if dark { Visuals::dark() } else { Visuals::light() };
    visuals.panel_fill = colour(palette.panel);
    visuals.window_fill = colour(palette.panel);
    visuals.extreme_bg_color = colour(palette.ground);
    visuals.override_text_color = Some(colour(palette.text));
    visuals.selection.bg_fill = colour(mix(palette.panel, palette.cold, 0.55));
    visuals.selection.stroke = Stroke::new(1.0, colour(palette.text));
    visuals.window_corner_radius = CornerRadius::same(6);
    let widgets = &mut visuals.widgets;
    for (state, share) in [
        (&mut widgets.noninteractive, 0.12),
        (&mut widgets.inactive, 0.10),
        (&mut widgets.hovered, 0.18),
        (&mut widgets.active, 0.26),
        (&mut widgets.open, 0.16),
    ] {
        let fill = colour(mix(palette.panel, palette.text, share));
        (state.bg_fill, state.weak_bg_fill) = (fill, fill);
        state.corner_radius = CornerRadius::same(4);
    }
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, colour(mix(palette.panel, palette.text, 0.14)));
    context.all_styles_mut(|style| {
        style.visuals = visuals.clone();
        style.text_styles.insert(TextStyle::Body, FontId::proportional(13.0));
        style.text_styles.insert(TextStyle::Button, FontId::proportional(13.0));
        style.text_styles.insert(TextStyle::Small, FontId::proportional(11.0));
        style.text_styles.insert(TextStyle::Heading, FontId::proportional(15.0));
        style.spacing.item_spacing = egui::vec2(6.0, 5.0);
        style.spacing.button_padding = egui::vec2(7.0, 3.0);
        style.animation_time = 0.0;
    });
}
