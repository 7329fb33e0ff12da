//! Everything that a person can do with a key, in one table.

use crate::view::Tool;

/// Something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Play or pause.
    Play,
    /// Steps on, or back where negative.
    Step(i32),
    /// The next (or previous) horizon that models are trained on.
    Horizon(bool),
    /// The first step.
    First,
    /// The last step.
    Last,
    /// A film begins (or else ends) with the shown step.
    Range(bool),
    /// Play faster (or slower).
    Speed(bool),
    /// The next (or previous) episode.
    Episode(bool),
    /// The next split.
    Split,
    /// The next (or previous) model.
    Model(bool),
    /// Pin the shown checkpoint beside others, or take the pin out.
    Pin,
    /// The later (or earlier) checkpoint.
    Checkpoint(bool),
    /// The next (or previous) tap.
    Tap(bool),
    /// The next (or previous) neuron.
    Neuron(bool),
    /// The next (or previous) attention head, or the mean over all.
    Head(bool),
    /// The next (or previous) concept, as a probe reads it.
    Concept(bool),
    /// The next (or previous) unit of a dictionary of the tap.
    Unit(bool),
    /// Look for the episodes in which the unit is most active.
    Top,
    /// Show the next (or previous) of them.
    Hit(bool),
    /// The norm over all neurons.
    Norm,
    /// A wider (or narrower) scale of activations.
    Scale(bool),
    /// Show or hide a board, by its place.
    Board(usize),
    /// Show all boards.
    AllBoards,
    /// Outlines of objects.
    Objects,
    /// Names of objects.
    Names,
    /// Arrows for headings.
    Headings,
    /// Countdowns to an object's end.
    Dooms,
    /// Lines between cells.
    Grid,
    /// Marks on cells whose future the edits have changed.
    Changed,
    /// Look closer (or from further away).
    Zoom(bool),
    /// Fit boards into their place.
    Fit,
    /// Move what is seen, by columns and rows of an eighth of it.
    Pan(i8, i8),
    /// Move the chosen cell, by columns and rows.
    Cursor(i8, i8),
    /// Choose no cell; close the list of keys.
    Escape,
    /// Take a tool.
    Tool(Tool),
    /// Use the tool at the chosen cell.
    Use,
    /// The next (or previous) object to put down.
    Pattern(bool),
    /// Write the name, code or text of what is put down.
    Name,
    /// Take the object at the chosen cell off the board.
    Delete,
    /// The next way in which the tool `patch` changes activations.
    Method,
    /// Add more (or less) of a neuron or direction.
    Dose(bool),
    /// Take the last patch back, or all.
    Unpatch(bool),
    /// Take an edit back.
    Undo,
    /// Make it again.
    Redo,
    /// Take all edits back.
    Reset,
    /// Dark or light.
    Theme,
    /// Save the view with the run.
    Save,
    /// Save the edits and what they did.
    Intervention,
    /// Save a picture of the window.
    Picture,
    /// Save a film of all steps.
    Film,
    /// Show or hide the list of keys.
    Help,
    /// Close the window.
    Quit,
}

/// A key with the modifiers that must be held. Keys are named as egui names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// The key.
    pub key: &'static str,
    /// Shift; keys that are signs leave it open, since layouts differ in where signs are.
    pub shift: Option<bool>,
    /// Control.
    pub control: bool,
}

const fn plain(key: &'static str) -> Stroke {
    Stroke { key, shift: Some(false), control: false }
}

const fn shift(key: &'static str) -> Stroke {
    Stroke { key, shift: Some(true), control: false }
}

const fn control(key: &'static str) -> Stroke {
    Stroke { key, shift: Some(false), control: true }
}

const fn sign(key: &'static str) -> Stroke {
    Stroke { key, shift: None, control: false }
}

/// A line of the list of keys.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The heading that it stands under.
    pub group: &'static str,
    /// The keys, each with what it does.
    pub strokes: &'static [(Stroke, Command)],
    /// The keys as a person reads them.
    pub shown: &'static str,
    /// What they do.
    pub about: &'static str,
}

macro_rules! bindings {
    ($($group:literal: { $($shown:literal $about:literal [$($stroke:expr => $command:expr),+ $(,)?])+ })+) => {
        &[$($(Binding { group: $group, strokes: &[$(($stroke, $command)),+], shown: $shown, about: $about }),+),+]
    };
}

/// All keys.
pub const COMMANDS: &[Binding] = {
    use crate::view::Tool as Hand;
    use Command::*;
    bindings! {
        "Time": {
            "Space" "play or pause" [plain("Space") => Play]
            "← →" "one step" [plain("Left") => Step(-1), plain("Right") => Step(1)]
            "Shift ← →" "previous or next trained horizon" [shift("Left") => Horizon(false), shift("Right") => Horizon(true)]
            "Home End" "first or last step" [plain("Home") => First, plain("End") => Last]
            "Ctrl Home End" "a film begins or ends here; all steps where it does so twice" [control("Home") => Range(true), control("End") => Range(false)]
            ", ." "slower or faster" [plain("Comma") => Speed(false), plain("Period") => Speed(true)]
        }
        "Episode and model": {
            "PgUp PgDn" "previous or next episode" [plain("PageUp") => Episode(false), plain("PageDown") => Episode(true)]
            "S" "next split" [plain("S") => Split]
            "M, Shift M" "next or previous model" [plain("M") => Model(true), shift("M") => Model(false)]
            "[ ]" "earlier or later checkpoint" [sign("OpenBracket") => Checkpoint(false), sign("CloseBracket") => Checkpoint(true)]
            "Shift V" "pin this checkpoint beside others, or take its pin out" [shift("V") => Pin]
        }
        "Inside the model": {
            "T, Shift T" "next or previous tap" [plain("T") => Tap(true), shift("T") => Tap(false)]
            "N, Shift N" "next or previous neuron" [plain("N") => Neuron(true), shift("N") => Neuron(false)]
            "Y, Shift Y" "next or previous attention head" [plain("Y") => Head(true), shift("Y") => Head(false)]
            "L" "L2 norm of all neurons" [plain("L") => Norm]
            "Shift L, Ctrl L" "next or previous concept, read by a probe" [shift("L") => Concept(true), control("L") => Concept(false)]
            "Ctrl N, Ctrl P" "next or previous unit of a sparse dictionary" [control("N") => Unit(true), control("P") => Unit(false)]
            "Shift O" "find the episodes in which the unit is most active" [shift("O") => Top]
            "Ctrl PgUp PgDn" "show the previous or next of them" [control("PageUp") => Hit(false), control("PageDown") => Hit(true)]
            "U, Shift U" "wider or narrower scale" [plain("U") => Scale(true), shift("U") => Scale(false)]
        }
        "Boards": {
            "1 – 9" "show or hide a board (attention and logit lens among them)" [
                plain("1") => Board(0), plain("2") => Board(1), plain("3") => Board(2),
                plain("4") => Board(3), plain("5") => Board(4), plain("6") => Board(5),
                plain("7") => Board(6), plain("8") => Board(7), plain("9") => Board(8),
            ]
            "Ctrl 1 – 7" "show or hide the tenth board, and so on" [
                control("1") => Board(9), control("2") => Board(10), control("3") => Board(11), control("4") => Board(12),
                control("5") => Board(13), control("6") => Board(14), control("7") => Board(15),
            ]
            "0" "show all boards" [plain("0") => AllBoards]
            "O" "objects" [plain("O") => Objects]
            "A" "names" [plain("A") => Names]
            "H" "headings" [plain("H") => Headings]
            "D" "countdowns to doom" [plain("D") => Dooms]
            "G" "grid lines" [plain("G") => Grid]
            "C" "cells changed by edits" [plain("C") => Changed]
        }
        "Look": {
            "+ −" "zoom" [sign("Plus") => Zoom(true), sign("Equals") => Zoom(true), sign("Minus") => Zoom(false)]
            "F" "fit" [plain("F") => Fit]
            "Ctrl arrows" "pan" [
                control("Left") => Pan(-1, 0), control("Right") => Pan(1, 0),
                control("Up") => Pan(0, -1), control("Down") => Pan(0, 1),
            ]
            "B" "dark or light" [plain("B") => Theme]
        }
        "Reach in": {
            "I J K ;" "move the chosen cell up, left, down, right" [
                plain("I") => Cursor(0, -1), plain("J") => Cursor(-1, 0),
                plain("K") => Cursor(0, 1), sign("Semicolon") => Cursor(1, 0),
            ]
            "V R E P Q" "tool: look, draw, erase, drop or rewrite, move" [
                plain("V") => Tool(Hand::Look), plain("R") => Tool(Hand::Draw), plain("E") => Tool(Hand::Erase), plain("P") => Tool(Hand::Drop),
                plain("Q") => Tool(Hand::Move),
            ]
            "Enter" "use the tool at the chosen cell" [plain("Enter") => Use]
            "Shift P" "tool: patch activations at the chosen tap" [shift("P") => Tool(Hand::Patch)]
            "Shift C" "next way to patch: copy, restore, zero, …" [shift("C") => Method]
            "Shift J, Shift K" "half or twice the dose" [shift("J") => Dose(false), shift("K") => Dose(true)]
            "Shift X" "take the last patch back" [shift("X") => Unpatch(false)]
            "Shift Backspace" "take all patches back" [shift("Backspace") => Unpatch(true)]
            "W, Shift W" "next or previous object to drop, or entry to rewrite" [plain("W") => Pattern(true), shift("W") => Pattern(false)]
            "/" "type a name, apgcode, RLE text or file to drop" [plain("Slash") => Name]
            "X, Delete" "remove the object at the chosen cell" [plain("X") => Delete, plain("Delete") => Delete]
            "Z, Shift Z" "undo, redo" [plain("Z") => Undo, shift("Z") => Redo, control("Z") => Undo, control("Y") => Redo]
            "Backspace" "undo all edits" [plain("Backspace") => Reset]
        }
        "Window": {
            "Ctrl S" "save the view with the run" [control("S") => Save]
            "Ctrl E" "save the edits and what they did" [control("E") => Intervention]
            "F12" "save a picture" [plain("F12") => Picture]
            "F11" "save a film (GIF) of the steps in range" [plain("F11") => Film]
            "?, F1" "this list" [sign("Questionmark") => Help, plain("F1") => Help, shift("Slash") => Help]
            "Esc" "choose no cell, close this list" [plain("Escape") => Escape]
            "Ctrl Q" "close" [control("Q") => Quit]
        }
    }
};

/// The command of the key that `is` names, with the modifiers that are held.
pub fn find(is: impl Fn(&str) -> bool, shift: bool, control: bool) -> Option<Command> {
    let strokes = COMMANDS.iter().flat_map(|binding| binding.strokes);
    strokes
        .filter(|(stroke, _)| stroke.control == control && stroke.shift.is_none_or(|wanted| wanted == shift))
        .find(|(stroke, _)| is(stroke.key))
        .map(|(_, command)| *command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_one_thing() {
        let strokes: Vec<Stroke> =
            COMMANDS.iter().flat_map(|binding| binding.strokes).map(|(stroke, _)| *stroke).collect();
        for (order, one) in strokes.iter().enumerate() {
            for other in &strokes[..order] {
                let shifts_meet = one.shift.is_none() || other.shift.is_none() || one.shift == other.shift;
                let meet = one.key == other.key && one.control == other.control && shifts_meet;
                assert!(!meet, "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn keys_are_found_with_their_modifiers() {
        let of = |key: &str, shift, control| find(|name| name == key, shift, control);
        assert_eq!(of("Right", false, false), Some(Command::Step(1)));
        assert_eq!(of("Right", true, false), Some(Command::Horizon(true)));
        assert_eq!(of("Right", false, true), Some(Command::Pan(1, 0)));
        assert_eq!(of("Plus", true, false), of("Equals", false, false));
        assert_eq!(of("Right", true, true), None);
    }
}
