//! What is shown and how, as a file: `view.toml`.

use std::path::Path;

use anyhow::anyhow;
use environments::{Edit, Split};
use experiments::intervention::{Intervention, Patch};
use serde::{Deserialize, Serialize};

use crate::lens::Lens;
use crate::palette::Theme;

/// What the pointer does to the board at t.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// Chooses a cell.
    #[default]
    Look,
    /// Makes cells live.
    Draw,
    /// Makes cells dead.
    Erase,
    /// Makes the chosen change: puts an object down, rewrites an entry.
    Drop,
    /// Takes an object up, and puts it down elsewhere.
    Move,
    /// Changes activations, and not the world.
    Patch,
}

impl Tool {
    /// All of them, in order.
    pub const ALL: [Tool; 6] = [Tool::Look, Tool::Draw, Tool::Erase, Tool::Drop, Tool::Move, Tool::Patch];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Look => "look",
            Tool::Draw => "draw",
            Tool::Erase => "erase",
            Tool::Drop => "drop",
            Tool::Move => "move",
            Tool::Patch => "patch",
        }
    }
}

/// What is drawn over boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overlays {
    /// Outlines of objects.
    pub objects: bool,
    /// Their names.
    pub names: bool,
    /// Arrows for where they head.
    pub headings: bool,
    /// Countdowns to their end.
    pub dooms: bool,
    /// Lines between cells, where these are large enough.
    pub grid: bool,
    /// Cells whose future the edits have changed.
    pub changed: bool,
}

impl Default for Overlays {
    fn default() -> Self {
        Self { objects: true, names: true, headings: true, dooms: true, grid: true, changed: true }
    }
}

/// A model whose prediction stands beside that of the chosen one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pin {
    /// Another run, by its path or its name under `runs/`; the run that is open where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The model's name; the first where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The checkpoint's optimiser step; the last where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
}

/// How the tool `patch` changes activations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Puts those of one selection at another place.
    #[default]
    Copy,
    /// Puts those there that the selection has without the edits.
    Restore,
    /// Puts zeros there.
    Zero,
    /// Puts the mean over all positions there.
    Mean,
    /// Raises the chosen neuron by the dose.
    Neuron,
    /// Adds, at another place, what the selection has beyond the mean, times the dose.
    Direction,
    /// Adds the chosen concept's direction, times the dose.
    Concept,
    /// Takes the chosen concept away everywhere.
    Erase,
}

impl Method {
    /// All of them, in order, with their names.
    pub const ALL: [(Method, &'static str); 8] = [
        (Method::Copy, "copy"),
        (Method::Restore, "restore"),
        (Method::Zero, "zero"),
        (Method::Mean, "mean"),
        (Method::Neuron, "neuron"),
        (Method::Direction, "direction"),
        (Method::Concept, "concept"),
        (Method::Erase, "erase"),
    ];

    /// Whether there is a place to take something from and one to put it.
    pub fn has_two_places(self) -> bool {
        matches!(self, Method::Copy | Method::Direction)
    }
}

/// Everything that a person has chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct View {
    /// The split of the episode.
    pub split: Split,
    /// Its index, from 0.
    pub index: u64,
    /// Steps after t; the source's own choice where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// First and last step of a film; all steps where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[u32; 2]>,
    /// Speed of play, in steps a second.
    pub speed: f32,
    /// The model's name; the first where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The checkpoint's optimiser step; the last where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// Names of the boards that are shown; all that there is something to show on where empty.
    pub boards: Vec<String>,
    /// The tap whose activation is shown; the residual stream after the last block where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tap: Option<String>,
    /// The neuron; the norm over all of them where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neuron: Option<usize>,
    /// A concept whose probe is shown in place of neurons, such as `glider=glider`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
    /// A unit of a sparse dictionary of the tap, the one that is active most often first, in place of neurons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dictionary: Option<usize>,
    /// The attention head; the mean over all of them where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<usize>,
    /// The end of the scale of activations; chosen once for each tap and neuron where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f32>,
    /// The chosen cell as column and row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<[u32; 2]>,
    /// What the pointer does.
    pub tool: Tool,
    /// The change that is made in one go: an object that is put down, an entry that is rewritten. The first of the
    /// world's own where empty.
    pub pattern: String,
    /// How the tool `patch` changes activations.
    pub method: Method,
    /// How much of a neuron or a direction is added.
    pub dose: f32,
    /// Dark or light.
    pub theme: Theme,
    /// Whether the list of keys is shown.
    pub help: bool,
    /// What is drawn over boards.
    pub overlays: Overlays,
    /// Zoom and pan.
    pub lens: Lens,
    /// The model that stands beside the chosen one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    /// What the edits did, in a file of an intervention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intervention: Option<Intervention>,
    /// Changes to the board at t.
    pub edits: Vec<Edit>,
    /// Changes to the model's activations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            split: Split::Validation,
            index: 0,
            step: None,
            range: None,
            speed: 4.0,
            model: None,
            checkpoint: None,
            boards: Vec::new(),
            tap: None,
            neuron: None,
            probe: None,
            dictionary: None,
            head: None,
            scale: None,
            cell: None,
            tool: Tool::Look,
            pattern: String::new(),
            method: Method::Copy,
            dose: 1.0,
            theme: Theme::Dark,
            help: false,
            overlays: Overlays::default(),
            lens: Lens::default(),
            pins: Vec::new(),
            intervention: None,
            edits: Vec::new(),
            patches: Vec::new(),
        }
    }
}

impl View {
    /// Reads a view.
    ///
    /// # Errors
    /// In one sentence that names the file and what is wrong.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).map_err(|error| anyhow!("the view {shown} cannot be read: {error}"))?;
        Self::parse(&text).map_err(|reason| anyhow!("the view {shown} is ill-formed: {reason}"))
    }

    /// Reads a view's text.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut view: View = toml::from_str(text).map_err(|error| one_line(error.message(), error.span(), text))?;
        view.lens.limit();
        if !view.speed.is_finite() || view.speed <= 0.0 {
            return Err(format!("`speed` = {} is not a positive number of steps a second", view.speed));
        }
        if !view.dose.is_finite() {
            return Err("`dose` is not a number".into());
        }
        if view.scale.is_some_and(|scale| !scale.is_finite() || scale <= 0.0) {
            return Err("`scale` is not a positive number".into());
        }
        Ok(view)
    }

    /// The view as text that [`View::parse`] reads.
    pub fn to_toml(&self) -> String {
        // Numbers, strings and lists; an index beyond i64 is the only thing that TOML cannot hold.
        toml::to_string(self).unwrap_or_default()
    }
}

/// A message of the TOML reader with its line.
pub(crate) fn one_line(message: &str, span: Option<std::ops::Range<usize>>, text: &str) -> String {
    let message = message.trim().replace('\n', " ");
    match span.and_then(|span| text.get(..span.start)) {
        Some(before) => format!("line {}: {message}", before.matches('\n').count() + 1),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use experiments::intervention::Deed;

    #[test]
    fn a_view_survives_its_file() {
        let view = View {
            split: Split::Test,
            index: 7,
            step: Some(8),
            neuron: Some(3),
            cell: Some([4, 5]),
            boards: vec!["truth".into(), "error".into()],
            theme: Theme::Light,
            patches: vec![
                Patch { tap: "embed".into(), to: vec![3], deed: Deed::Direction { from: vec![4], dose: 0.1 } },
                Patch { tap: "embed".into(), to: vec![3, 5], deed: Deed::Zero },
            ],
            edits: vec![
                Edit::Paint { cells: vec![(1, 2)], state: 1 },
                Edit::Place { pattern: "glider-NW-2".into(), column: -1, row: 3 },
            ],
            ..View::default()
        };
        assert_eq!(View::parse(&view.to_toml()).unwrap(), view);
        assert_eq!(View::parse("").unwrap(), View::default());
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (text, part) in [
            ("stepp = 3", "line 1: unknown field `stepp`"),
            ("index = 1\ntool = \"lies\"", "line 2: unknown variant `lies`"),
            ("speed = -1.0", "`speed` = -1"),
            ("scale = nan", "`scale`"),
            ("[lens\nzoom = 1", "line 1"),
        ] {
            let message = View::parse(text).unwrap_err();
            assert!(message.contains(part) && !message.contains('\n'), "{text}: {message}");
        }
    }
}
