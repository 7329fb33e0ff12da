//! What a Life world is made of, as a person writes it.

use super::catalogue;
use super::recognise::Kind;
use crate::EnvironmentError;
use crate::automata::{Rule, Topology};
use serde::{Deserialize, Serialize};

/// The longest horizon, in steps.
pub const LONGEST_HORIZON: u32 = 32;

/// The longest side of a world's board. Boards themselves may be larger; episodes of such would take minutes.
pub const LARGEST_SIDE: u32 = 1024;

/// A Life world. Every key has a default; a config lists only what it overrides, and an unknown key is an error.
///
/// Boards depend on everything but `patch` and `horizons`: worlds that differ in nothing else have the same boards
/// at the same (split, index).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LifeConfig {
    /// Rulestring of a two-state rule under which nothing comes from nothing. Default `B3/S23`.
    pub rule: String,
    /// Rulestring under which objects are recognised and their dooms told, if not `rule`: a control world in which
    /// gliders do not fly still has glider shapes, and this says which they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recognise_as: Option<String>,
    /// Columns of cells, a multiple of `patch`, at most [`LARGEST_SIDE`]. Default 16.
    pub width: u32,
    /// Rows of cells, likewise. Default 16.
    pub height: u32,
    /// Side of the square patch of cells that is a token, 1 to 3. Default 2.
    pub patch: u32,
    /// Numbers of steps to jump, each 1 to 32, all equally likely. Default 1, 2, 4, 8, 16.
    pub horizons: Vec<u32>,
    /// Chooses another set of boards of the same kind. Default 0.
    pub seed: u64,
    /// How often each source of boards is drawn from.
    pub mix: Mix,
    /// Planted scenes.
    pub scenes: Scenes,
    /// Soups that have settled.
    pub ash: Ash,
    /// Random boards.
    pub soups: Soups,
}

/// Relative weights of the three sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mix {
    /// Planted scenes. Default 0.7.
    pub scenes: f64,
    /// Soups that have settled. Default 0.2.
    pub ash: f64,
    /// Random boards. Default 0.1.
    pub soups: f64,
}

/// Objects put on an empty board, so that none influences another at the start. Numbers are [least, most], all
/// equally likely; a board without any object is drawn again, and an object that finds no place is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenes {
    /// Gliders, of any phase, heading and position. Default [0, 2].
    pub gliders: [u32; 2],
    /// Still lifes. Default [0, 3].
    pub still_lifes: [u32; 2],
    /// Blinkers. Default [0, 0].
    pub blinkers: [u32; 2],
    /// Probability that a still life is put into the way of one of the gliders; otherwise it is put anywhere, which
    /// on a small board is often enough in the way too. Default 0.2: on 16×16
    /// cells 60% of all gliders then meet their doom within 16 steps; on 32×32 cells 0.5 makes it 45%.
    pub in_the_way: f64,
    /// A still life in the way is met within about this many steps. Default 16.
    pub reach: u32,
    /// Names of the still lifes, all equally likely. Default: the eight commonest of ash.
    pub kinds: Vec<String>,
}

/// Soups run until they settle. The board is taken at a time drawn evenly from `before` steps before the soup
/// settles (enters its final cycle) to `after` steps later, so that what is on its way out is met too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ash {
    /// Share of live cells at the start: each board's is drawn evenly between the two. Default [0.2, 0.5].
    pub density: [f64; 2],
    /// Steps before settling. Default 32.
    pub before: u32,
    /// Steps after settling. Default 32.
    pub after: u32,
    /// A soup that has not settled by this step counts as settled there. Default 1024.
    pub longest: u32,
}

/// Boards of independent cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Soups {
    /// Share of live cells: each board's is drawn evenly between the two. Default [0.2, 0.5].
    pub density: [f64; 2],
}

impl Default for LifeConfig {
    fn default() -> Self {
        LifeConfig {
            rule: "B3/S23".to_string(),
            recognise_as: None,
            width: 16,
            height: 16,
            patch: 2,
            horizons: vec![1, 2, 4, 8, 16],
            seed: 0,
            mix: Mix::default(),
            scenes: Scenes::default(),
            ash: Ash::default(),
            soups: Soups::default(),
        }
    }
}

impl Default for Mix {
    fn default() -> Self {
        Mix { scenes: 0.7, ash: 0.2, soups: 0.1 }
    }
}

impl Default for Scenes {
    fn default() -> Self {
        let kinds = ["block", "beehive", "loaf", "boat", "tub", "pond", "ship", "barge"];
        Scenes {
            gliders: [0, 2],
            still_lifes: [0, 3],
            blinkers: [0, 0],
            in_the_way: 0.2,
            reach: 16,
            kinds: kinds.map(String::from).to_vec(),
        }
    }
}

impl Default for Ash {
    fn default() -> Self {
        Ash { density: [0.2, 0.5], before: 32, after: 32, longest: 1024 }
    }
}

impl Default for Soups {
    fn default() -> Self {
        Soups { density: [0.2, 0.5] }
    }
}

impl LifeConfig {
    /// Checks every value, one at a time. Whether all splits can be filled is found out by
    /// [`LifeWorld::new`](super::LifeWorld::new).
    ///
    /// # Errors
    /// One sentence that names the first key at fault, its value and the nearest valid choice.
    pub fn validate(&self) -> Result<(), EnvironmentError> {
        check_rule("rule", &self.rule)?;
        if let Some(rule) = &self.recognise_as {
            check_rule("recognise_as", rule)?;
        }
        within("patch", self.patch, 1, 3)?;
        for (key, side) in [("width", self.width), ("height", self.height)] {
            within(key, side, 2 * self.patch.max(2), LARGEST_SIDE)?;
            if !side.is_multiple_of(self.patch) {
                let patch = self.patch;
                let nearest = if side % patch * 2 > patch { side.next_multiple_of(patch) } else { side - side % patch };
                return fail(format!(
                    "{key} = {side} is not a multiple of patch = {patch}; the nearest multiple is {nearest}"
                ));
            }
        }
        if self.horizons.is_empty() {
            return fail("horizons = [] lists no horizon; give at least one, such as [1, 2, 4, 8, 16]");
        }
        for &horizon in &self.horizons {
            within("a horizon in horizons", horizon, 1, LONGEST_HORIZON)?;
        }
        if let Some(twice) = (1..self.horizons.len()).find(|&last| self.horizons[..last].contains(&self.horizons[last]))
        {
            return fail(format!("horizons lists {} twice; list each horizon once", self.horizons[twice]));
        }
        self.check_mix()?;
        check_density("soups.density", self.soups.density)?;
        check_density("ash.density", self.ash.density)?;
        within("ash.longest", self.ash.longest, 1, 1_000_000)?;
        within("ash.before", self.ash.before, 0, 1_000_000)?;
        within("ash.after", self.ash.after, 0, 1_000_000)?;
        if self.mix.scenes > 0.0 { self.check_scenes() } else { Ok(()) }
    }

    fn check_mix(&self) -> Result<(), EnvironmentError> {
        let Mix { scenes, ash, soups } = self.mix;
        for (key, weight) in [("scenes", scenes), ("ash", ash), ("soups", soups)] {
            if !(weight.is_finite() && weight >= 0.0) {
                return fail(format!("mix.{key} = {weight} is not a weight; the nearest valid choice is 0"));
            }
        }
        let sum = scenes + ash + soups;
        if !(sum > 0.0 && sum.is_finite()) {
            return fail("mix gives no source a weight above 0; set one of mix.scenes, mix.ash and mix.soups to 1");
        }
        Ok(())
    }

    fn check_scenes(&self) -> Result<(), EnvironmentError> {
        let scenes = &self.scenes;
        for (key, [least, most]) in
            [("gliders", scenes.gliders), ("still_lifes", scenes.still_lifes), ("blinkers", scenes.blinkers)]
        {
            if least > most {
                return fail(format!("scenes.{key} = [{least}, {most}] has its ends the wrong way round"));
            }
        }
        let most = u64::from(scenes.gliders[1]) + u64::from(scenes.still_lifes[1]) + u64::from(scenes.blinkers[1]);
        if most == 0 {
            return fail("scenes allows no object at all; raise scenes.gliders, or set mix.scenes = 0");
        }
        if !(0.0..=1.0).contains(&scenes.in_the_way) {
            let nearest = if scenes.in_the_way > 1.0 { 1 } else { 0 };
            return fail(format!(
                "scenes.in_the_way = {} is not a probability; the nearest valid choice is {nearest}",
                scenes.in_the_way
            ));
        }
        within("scenes.reach", scenes.reach, 8, 64)?;
        if scenes.kinds.is_empty() && scenes.still_lifes[1] > 0 {
            return fail("scenes.kinds = [] names no still life; list some, such as [\"block\"]");
        }
        for name in &scenes.kinds {
            if !catalogue::patterns().iter().any(|p| p.name == name && p.class == catalogue::Class::StillLife) {
                let nearest = nearest_name(name, |kind| kind.class() == catalogue::Class::StillLife);
                return fail(format!(
                    "scenes.kinds names '{name}', which is not a still life of the catalogue; the nearest is '{nearest}'"
                ));
            }
        }
        // An object of the usual sort, with a border that keeps it from others, takes about 6 × 6 cells.
        let (width, height, side) = (self.width, self.height, 8);
        if width.min(height) < side {
            return fail(format!(
                "width = {width}, height = {height} is too small for scenes; sides of at least {side} are needed, or \
                 mix.scenes = 0"
            ));
        }
        if most * 36 > u64::from(width) * u64::from(height) {
            return fail(format!(
                "{most} objects (scenes.gliders, scenes.still_lifes and scenes.blinkers) do not fit width = {width}, \
                 height = {height}; at most {} do",
                u64::from(width) * u64::from(height) / 36
            ));
        }
        Ok(())
    }
}

fn fail<T>(message: impl Into<String>) -> Result<T, EnvironmentError> {
    Err(EnvironmentError(message.into()))
}

fn within(key: &str, value: u32, least: u32, most: u32) -> Result<(), EnvironmentError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let nearest = value.clamp(least, most);
    fail(format!("{key} = {value} is not from {least} to {most}; the nearest valid choice is {nearest}"))
}

fn check_density(key: &str, [low, high]: [f64; 2]) -> Result<(), EnvironmentError> {
    if 0.0 < low && low <= high && high < 1.0 {
        return Ok(());
    }
    fail(format!("{key} = [{low}, {high}] must be two shares between 0 and 1, the lower first, such as [0.2, 0.5]"))
}

fn check_rule(key: &str, text: &str) -> Result<(), EnvironmentError> {
    rule(key, text).map(|_| ())
}

/// The rule of a config key.
pub(super) fn rule(key: &str, text: &str) -> Result<Rule, EnvironmentError> {
    let rule = Rule::parse(text).map_err(|error| EnvironmentError(format!("{key} = '{text}': {error}")))?;
    if rule.states() != 2 {
        return fail(format!("{key} = '{text}' has {} states; this world takes rules of 2 states", rule.states()));
    }
    if rule.topology() != Topology::Unbounded {
        return fail(format!(
            "{key} = '{text}' names a topology; leave it out, since this world is a torus of width × height cells"
        ));
    }
    if rule.births_from_nothing() {
        return fail(format!(
            "{key} = '{text}' brings cells to life with no live neighbour; this world needs an empty board to stay \
             empty, so leave out B0"
        ));
    }
    Ok(rule)
}

/// The kind whose name is most like a given one.
pub(super) fn nearest_name(name: &str, allowed: impl Fn(Kind) -> bool) -> &'static str {
    let named = Kind::all().filter(|kind| kind.index() < catalogue::patterns().len() && allowed(*kind));
    let mut best = ("block", -1.0);
    for kind in named {
        let likeness = strsim::jaro_winkler(name, kind.name());
        if likeness > best.1 {
            best = (kind.name(), likeness);
        }
    }
    best.0
}
