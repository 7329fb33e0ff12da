//! Keys, in the order in which they were pressed.
//!
//! egui gives every key of a frame the modifiers that are held at its end; where frames are slow, as with software
//! rendering, a quick Shift with a key would be lost. So keys are read from bevy, one by one.

use bevy::input::ButtonState;
use bevy::input::keyboard::{Key, KeyCode, KeyboardFocusLost, KeyboardInput};
use bevy::prelude::*;
use bevy_egui::egui;

use crate::command::{self, Command};

/// Which modifiers are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    shift: bool,
    control: bool,
}

impl Held {
    /// The commands of some keys, and what is held after them.
    pub fn commands<'a>(
        &mut self,
        keys: impl IntoIterator<Item = &'a KeyboardInput>,
        lost: &mut MessageReader<KeyboardFocusLost>,
    ) -> Vec<Command> {
        let commands = keys.into_iter().filter_map(|input| self.hear(input)).collect();
        if lost.read().count() > 0 {
            *self = Self::default();
        }
        commands
    }

    fn hear(&mut self, input: &KeyboardInput) -> Option<Command> {
        let pressed = input.state == ButtonState::Pressed;
        match input.key_code {
            KeyCode::ShiftLeft | KeyCode::ShiftRight => self.shift = pressed,
            KeyCode::ControlLeft | KeyCode::ControlRight | KeyCode::SuperLeft | KeyCode::SuperRight => {
                self.control = pressed;
            }
            _ => {}
        }
        let key = key(&input.logical_key)?;
        pressed.then(|| command::find(|name| egui::Key::from_name(name) == Some(key), self.shift, self.control))?
    }
}

fn key(logical: &Key) -> Option<egui::Key> {
    match logical {
        Key::Character(text) => egui::Key::from_name(text),
        Key::Space => Some(egui::Key::Space),
        // Names of keys that write nothing are the same in both.
        named => egui::Key::from_name(&format!("{named:?}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::command::COMMANDS;

    fn input(logical_key: Key, key_code: KeyCode, state: ButtonState) -> KeyboardInput {
        KeyboardInput { key_code, logical_key, state, text: None, repeat: false, window: Entity::PLACEHOLDER }
    }

    #[test]
    fn modifiers_count_when_a_key_is_pressed() {
        let mut held = Held::default();
        let (down, up) = (ButtonState::Pressed, ButtonState::Released);
        let heard: Vec<Option<Command>> = [
            input(Key::Shift, KeyCode::ShiftLeft, down),
            input(Key::ArrowRight, KeyCode::ArrowRight, down),
            input(Key::ArrowRight, KeyCode::ArrowRight, up),
            input(Key::Shift, KeyCode::ShiftLeft, up),
            input(Key::ArrowRight, KeyCode::ArrowRight, down),
            input(Key::Control, KeyCode::ControlLeft, down),
            input(Key::Character("s".into()), KeyCode::KeyS, down),
            input(Key::Control, KeyCode::ControlLeft, up),
            input(Key::Character("?".into()), KeyCode::Slash, down),
            input(Key::Space, KeyCode::Space, down),
        ]
        .iter()
        .map(|input| held.hear(input))
        .collect();
        let commands: Vec<Command> = heard.into_iter().flatten().collect();
        let expected = [Command::Horizon(true), Command::Step(1), Command::Save, Command::Help, Command::Play];
        assert_eq!(commands, expected);
    }

    #[test]
    fn every_key_has_a_name_that_egui_knows() {
        for (stroke, command) in COMMANDS.iter().flat_map(|binding| binding.strokes) {
            let key = egui::Key::from_name(stroke.key);
            assert!(key.is_some(), "{}", stroke.key);
            let is = |name: &str| egui::Key::from_name(name) == key;
            let found = command::find(is, stroke.shift.unwrap_or(false), stroke.control);
            assert_eq!(found, Some(*command), "{stroke:?}");
        }
    }
}
