//! What the viewer asks of a world: what is there, what a model is asked about it, what its answer means.

use std::collections::BTreeMap;

use environments::{Address, Edit, Environment, Geometry, Labels, Split, Symbol};
use experiments::intervention::{Deed, Patch, line_effect};
use models::ModelSpec;

use crate::scene::Drawn;
use crate::view::Tool;

/// What a model is asked about an episode.
#[derive(Clone, Debug, PartialEq)]
pub enum Asks {
    /// A question of its own for every step that can be asked about.
    Each(Vec<(u32, Vec<Symbol>)>),
    /// One question that is about every step.
    Once(Vec<Symbol>),
}

impl Asks {
    /// The question about a step: its number and its symbols.
    pub fn about(&self, step: u32) -> Option<(u32, &[Symbol])> {
        match self {
            Asks::Each(all) => all.iter().find(|(own, _)| *own == step).map(|(own, tokens)| (*own, tokens.as_slice())),
            Asks::Once(tokens) => Some((0, tokens)),
        }
    }
}

/// An episode as it is shown.
pub struct Observed {
    /// The split.
    pub split: Split,
    /// Index in the split.
    pub index: u64,
    /// Changes to its start, in order.
    pub edits: Vec<Edit>,
    /// What happens, simulated from the (changed) start.
    pub scene: Box<dyn Drawn>,
    /// What a model is asked about it.
    pub asks: Asks,
    /// The step that is shown first.
    pub begin: u32,
}

/// Something true of a cell: a name and a value.
pub type Fact = (String, String);

/// A world whose episodes can be looked at and whose models can be asked.
pub trait Subject: Send + Sync {
    /// One line about it, such as `life B3/S23, torus of 16×16 cells`.
    fn about(&self) -> String;

    /// Whether there are episodes to choose from, or only one.
    fn has_episodes(&self) -> bool;

    /// Checks that a model reads this world's symbols.
    ///
    /// # Errors
    /// What does not fit, in one sentence.
    fn accepts(&self, spec: &ModelSpec) -> Result<(), String>;

    /// The steps ahead that models of this world are trained to predict, ascending; empty where steps are not asked
    /// about one by one.
    fn horizons(&self) -> &[u32];

    /// The episode, with changes to its start.
    ///
    /// # Errors
    /// If a change does not fit; in one sentence.
    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String>;

    /// A model's answer (positions × targets logits, row-major) as the scene's pictures take it: a probability for each
    /// cell, or for each position and target.
    fn answer(&self, logits: &[f32]) -> Vec<f32>;

    /// What is true of a cell when asked about a step, by the world's own labels.
    fn facts(&self, observed: &Observed, step: u32, cell: (u32, u32)) -> Vec<Fact>;

    /// What a model is asked about an episode, with the episode's labels; nothing where there are no episodes.
    fn example(&self, _split: Split, _index: u64) -> Option<(Vec<Symbol>, Labels)> {
        None
    }

    /// The tools that fit, by their names here.
    fn tools(&self) -> &'static [(Tool, &'static str)];

    /// Names of changes that can be made in one go: things that can be put down, entries that can be rewritten.
    fn palette(&self, observed: &Observed) -> Vec<String>;

    /// What a person may write to choose such a change.
    fn written(&self) -> &'static str {
        "an entry or a rule"
    }

    /// The cells of a thing that can be put down, as (column, row) from its north-west corner; none for a change that
    /// has no place.
    ///
    /// # Errors
    /// If there is none of that name; the nearest is named.
    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String>;

    /// The edit that a name of [`Subject::palette`] stands for, with its north-west corner at a place.
    ///
    /// # Errors
    /// If it does not fit the episode.
    fn place(&self, observed: &Observed, name: &str, corner: (i32, i32)) -> Result<Edit, String>;

    /// Whether a cell of the start can be drawn on.
    ///
    /// # Errors
    /// Why not, in one sentence.
    fn paints(&self, _cell: (u32, u32)) -> Result<(), String> {
        Ok(())
    }

    /// The edits that move the object at a cell by columns and rows.
    ///
    /// # Errors
    /// If there is none, or nothing can be moved here.
    fn shift(&self, _observed: &Observed, _cell: (u32, u32), _by: (i32, i32)) -> Result<Vec<Edit>, String> {
        Err("there is nothing here that can be moved".into())
    }

    /// The model's positions that a selection at a cell stands for.
    fn selected(&self, observed: &Observed, cell: (u32, u32)) -> Vec<usize> {
        vec![observed.scene.position_of(cell)]
    }

    /// The positions that a selection at one cell would have at another.
    fn moved(&self, observed: &Observed, _from: (u32, u32), to: (u32, u32)) -> Vec<usize> {
        vec![observed.scene.position_of(to)]
    }

    /// All edits of the world that patches are held against: its future is what the patched model should predict.
    fn counterpart(&self, observed: &Observed, patches: &[Patch]) -> Vec<Edit> {
        // What restores activations undoes the edits; other patches leave a line of tokens as it is.
        let restores = patches.iter().any(|patch| patch.deed == Deed::Restore);
        if restores { Vec::new() } else { observed.edits.clone() }
    }

    /// What patches of some positions did to the answer about a step, by name; `against` is the world that they are held
    /// against, the answers are those before and after.
    fn effect(
        &self,
        observed: &Observed,
        against: &Observed,
        step: u32,
        (clean, patched): (&[f32], &[f32]),
        to: &[usize],
    ) -> BTreeMap<String, f64> {
        let tokens = (observed.scene.token(step), against.scene.token(step));
        line_effect((clean, patched), observed.scene.targets(), step as usize, tokens, to)
    }

    /// The name under which a pattern file or RLE text is put down.
    ///
    /// # Errors
    /// If this world takes none, or it cannot be read.
    fn paste(&self, _text: &str) -> Result<String, String> {
        Err("patterns can be put down on boards alone".into())
    }

    /// The address and all edits that give an episode by `Environment::counterfactual`; nothing for one that has no
    /// address.
    fn address(&self, observed: &Observed) -> Option<(Address, Vec<Edit>)>;

    /// The name of [`Subject::palette`] that a cell of a table stands for, if it does.
    fn chosen_in(&self, _observed: &Observed, _panel: &str, _cell: (u32, u32)) -> Option<String> {
        None
    }
}

/// [`Subject::example`] of a world.
pub fn example(environment: &dyn Environment, split: Split, index: u64) -> Option<(Vec<Symbol>, Labels)> {
    let episode = environment.episode(split, index);
    Some((episode.sample.tokens, episode.labels))
}

/// Checks that a model's symbols and positions are those of a world.
///
/// # Errors
/// What does not fit, in one sentence.
pub fn fits(spec: &ModelSpec, vocabulary: usize, targets: usize, geometry: Geometry) -> Result<(), String> {
    for (what, has, needed) in [
        ("input symbols", spec.vocabulary, vocabulary),
        ("output symbols", spec.targets, targets),
        ("positions", spec.geometry.len(), geometry.len()),
    ] {
        if has != needed {
            return Err(format!("it has {has} {what}, and this world has {needed}"));
        }
    }
    if spec.geometry != geometry {
        return Err("its positions lie otherwise than those of this world".into());
    }
    Ok(())
}
