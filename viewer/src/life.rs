//! The world `life` as a subject.

use std::collections::BTreeMap;
use std::sync::Arc;

use environments::automata::formats::PatternFile;
use environments::life::{
    self, Board, Heading, LONGEST_HORIZON, LifeConfig, LifeEpisode, LifeWorld, Source, pattern_cells,
};
use environments::{Address, Edit, Environment, Labels, Outline, Scene, Scope, Split, Symbol};
use experiments::intervention::{Deed, Patch, alive, board_effect};
use models::ModelSpec;

use crate::automaton::rle_body;
use crate::board::{BoardScene, Meaning};
use crate::subject::{Asks, Fact, Observed, Subject, example, fits};
use crate::view::Tool;

/// Objects are recognised on boards of at most so many cells; recognition follows every object alone.
const RECOGNISED: usize = 128 * 128;

/// The world `life`.
pub struct LifeSubject {
    world: Arc<LifeWorld>,
}

impl LifeSubject {
    /// The world of a config's section `[world]`. Keys that are not the world's own were for the experiment.
    ///
    /// # Errors
    /// In one sentence that names the key at fault.
    pub fn from_section(section: &toml::Table) -> Result<Self, String> {
        let known = toml::Table::try_from(LifeConfig::default()).map_err(|error| error.to_string())?;
        let own = |key: &str| known.contains_key(key) || key == "recognise_as";
        let section: toml::Table =
            section.iter().filter(|(key, _)| own(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        let config: LifeConfig =
            section.try_into().map_err(|error: toml::de::Error| format!("[world]: {}", error.message().trim()))?;
        let world = LifeWorld::new(config).map_err(|error| format!("[world]: {error}"))?;
        Ok(Self { world: Arc::new(world) })
    }

    fn episode(&self, split: Split, index: u64, horizon: u32, edits: &[Edit]) -> Result<LifeEpisode, String> {
        let horizon = horizon.clamp(1, LONGEST_HORIZON);
        let episode = self.world.observe_with(split, index, horizon);
        if edits.is_empty() {
            return Ok(episode);
        }
        self.world.edit(&episode, edits).map_err(|error| error.to_string())
    }

    /// What a patch that adds the concept of an object's class stands for: the object, its middle at the middle of the
    /// patched tokens. Other concepts stand for no board in particular.
    fn conceived(&self, patch: &Patch) -> Option<Edit> {
        let Deed::Concept { what, dose, .. } = &patch.deed else { return None };
        let pattern = what.strip_prefix("object_class=").filter(|_| *dose > 0.0)?;
        let cells = pattern_cells(pattern).ok()?;
        let (west, north) = self.world.patch_corner(patch.to.get(patch.to.len() / 2)?.checked_sub(1)?);
        let middle = self.world.config().patch / 2;
        let half = |length: Option<u32>| (length.unwrap_or(0) as i32 + 1) / 2;
        let (across, down) = (cells.iter().map(|cell| cell.0).max(), cells.iter().map(|cell| cell.1).max());
        let (column, row) = ((west + middle) as i32 - half(across), (north + middle) as i32 - half(down));
        Some(Edit::Place { pattern: pattern.into(), column, row })
    }

    fn drawn(&self, episode: &LifeEpisode) -> Scene {
        let (width, height) = (episode.start.width(), episode.start.height());
        let frames = self.world.stepper().trajectory(&episode.start, LONGEST_HORIZON);
        Scene::Board {
            width,
            height,
            states: 2,
            frames: frames.iter().map(Board::cells).collect(),
            objects: episode.objects.iter().map(outline).collect(),
        }
    }
}

fn recognised(world: &LifeWorld, board: &Board) -> Vec<life::Object> {
    if board.area() > RECOGNISED { Vec::new() } else { world.objects(board) }
}

/// The objects of a board of any size, as a world calls them.
pub fn outlines(world: &LifeWorld, (width, height): (u32, u32), cells: &[u8]) -> Vec<Outline> {
    recognised(world, &Board::from_cells(width, height, cells)).iter().map(outline).collect()
}

/// The names of what can be put down: gliders of every heading, then the catalogue.
pub fn named_patterns() -> Vec<String> {
    let gliders = Heading::ALL.map(|heading| format!("glider-{}-0", heading.name()));
    let named = life::catalogue::patterns().iter().filter(|pattern| pattern.name != "glider");
    gliders.into_iter().chain(named.map(|pattern| pattern.name.to_string())).collect()
}

/// The name under which a pattern file or RLE text is put down: RLE text without a header.
///
/// # Errors
/// If it cannot be read, or has more than two states.
pub fn pasted(text: &str) -> Result<String, String> {
    let file = PatternFile::read(text).map_err(|error| error.to_string())?;
    if file.pattern.highest_state() > 1 {
        return Err(format!("the pattern has {} states; two can be put down", file.pattern.highest_state() + 1));
    }
    let body = rle_body(file);
    pattern_cells(&body).map_err(|error| error.to_string())?;
    Ok(body)
}

/// What the world says of its boards.
struct Spoken {
    world: Arc<LifeWorld>,
    size: (u32, u32),
}

impl Meaning for Spoken {
    fn objects(&self, cells: &[u8]) -> Vec<Outline> {
        outlines(&self.world, self.size, cells)
    }

    fn position_of(&self, (column, row): (u32, u32)) -> usize {
        // The first position holds the horizon.
        1 + self.world.patch_of(column, row)
    }

    fn patch(&self) -> u32 {
        self.world.config().patch
    }
}

fn outline(object: &life::Object) -> Outline {
    Outline {
        name: object.kind.name().to_string(),
        cells: object.cells.clone(),
        heading: (object.displacement != (0, 0)).then_some(object.displacement),
        doom: object.doom,
    }
}

impl Subject for LifeSubject {
    fn about(&self) -> String {
        let config = self.world.config();
        format!("life {}, torus of {}×{} cells", config.rule, config.width, config.height)
    }

    fn has_episodes(&self) -> bool {
        true
    }

    fn accepts(&self, spec: &ModelSpec) -> Result<(), String> {
        fits(spec, self.world.vocabulary(), self.world.targets(), self.world.geometry())
    }

    fn horizons(&self) -> &[u32] {
        &self.world.config().horizons
    }

    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String> {
        let episode = self.episode(split, index, 1, edits)?;
        let origin = match episode.source {
            Source::Scene => "scene",
            Source::Ash => "ash",
            Source::Soup => "soup",
        };
        let original = match edits {
            [] => None,
            _ => Some(self.drawn(&self.episode(split, index, 1, &[])?)),
        };
        let asks = (1..=LONGEST_HORIZON).map(|step| (step, self.world.encode(&episode.start, step))).collect();
        let size = (episode.start.width(), episode.start.height());
        let spoken = Spoken { world: self.world.clone(), size };
        let scene = BoardScene::new(self.drawn(&episode), original, origin, Box::new(spoken));
        let horizons = self.horizons();
        Ok(Observed {
            split,
            index,
            edits: edits.to_vec(),
            scene: Box::new(scene),
            asks: Asks::Each(asks),
            begin: horizons.get(horizons.len() / 2).copied().unwrap_or(0),
        })
    }

    fn answer(&self, logits: &[f32]) -> Vec<f32> {
        alive(&self.world, logits)
    }

    fn facts(&self, observed: &Observed, horizon: u32, (column, row): (u32, u32)) -> Vec<Fact> {
        let Ok(episode) = self.episode(observed.split, observed.index, horizon, &observed.edits) else {
            return Vec::new();
        };
        let labels = self.world.labels_of(&episode);
        let position = observed.scene.position_of((column, row));
        let tokens = labels.columns.iter().filter(|column| column.scope == Scope::Token);
        tokens
            .filter_map(|labels| {
                let value = (*labels.values.get(position)?)?;
                let name = labels.classes.get(value as usize).cloned();
                Some((labels.concept.replace('_', " "), name.unwrap_or_else(|| value.to_string())))
            })
            .collect()
    }

    fn example(&self, split: Split, index: u64) -> Option<(Vec<Symbol>, Labels)> {
        example(self.world.as_ref(), split, index)
    }

    fn tools(&self) -> &'static [(Tool, &'static str)] {
        &[
            (Tool::Look, "look"),
            (Tool::Draw, "draw"),
            (Tool::Erase, "erase"),
            (Tool::Drop, "drop"),
            (Tool::Move, "move"),
            (Tool::Patch, "patch"),
        ]
    }

    fn palette(&self, _observed: &Observed) -> Vec<String> {
        named_patterns()
    }

    fn footprint(&self, name: &str) -> Result<Vec<(u32, u32)>, String> {
        pattern_cells(name).map_err(|error| error.to_string())
    }

    fn place(&self, _observed: &Observed, name: &str, (column, row): (i32, i32)) -> Result<Edit, String> {
        self.footprint(name)?;
        Ok(Edit::Place { pattern: name.into(), column, row })
    }

    fn shift(&self, observed: &Observed, cell: (u32, u32), (columns, rows): (i32, i32)) -> Result<Vec<Edit>, String> {
        let (width, height) = observed.scene.size();
        let object = observed.scene.outlines(0).iter().find(|object| object.cells.contains(&cell));
        let object = object.ok_or_else(|| format!("no object covers the cell ({}, {}) at t", cell.0, cell.1))?;
        let wrap = |place: u32, by: i32, length: u32| (place as i32 + by).rem_euclid(length as i32) as u32;
        let moved = |(x, y): (u32, u32)| (wrap(x, columns, width), wrap(y, rows, height));
        // Objects of the episode have numbers, as long as no edit has touched them.
        let unedited = self.episode(observed.split, observed.index, 1, &[])?.objects;
        let same = |other: &life::Object| sorted(&other.cells) == sorted(&object.cells);
        let touched = |edit: &Edit, number: usize| matches!(edit, Edit::Move { object, .. } | Edit::Delete { object } if *object as usize == number);
        match unedited.iter().position(same) {
            Some(number) if !observed.edits.iter().any(|edit| touched(edit, number)) => {
                Ok(vec![Edit::Move { object: number as u32, columns, rows }])
            }
            _ => Ok(vec![
                Edit::Paint { cells: object.cells.clone(), state: 0 },
                Edit::Paint { cells: object.cells.iter().copied().map(moved).collect(), state: 1 },
            ]),
        }
    }

    /// The tokens of the object at the cell, or that of the cell.
    fn selected(&self, observed: &Observed, cell: (u32, u32)) -> Vec<usize> {
        let object = observed.scene.outlines(0).iter().find(|object| object.cells.contains(&cell));
        let cells = object.map_or(vec![cell], |object| object.cells.clone());
        let mut tokens: Vec<usize> = cells.into_iter().map(|cell| observed.scene.position_of(cell)).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    fn moved(&self, observed: &Observed, from: (u32, u32), to: (u32, u32)) -> Vec<usize> {
        let LifeConfig { width, height, patch, .. } = *self.world.config();
        // By whole tokens, round the torus.
        let by = |from: u32, to: u32, side: u32| (to / patch * patch + side - from / patch * patch) % side;
        let by = (by(from.0, to.0, width), by(from.1, to.1, height));
        let shifted = |position: usize| {
            let (column, row) = self.world.patch_corner(position.saturating_sub(1));
            observed.scene.position_of(((column + by.0) % width, (row + by.1) % height))
        };
        self.selected(observed, from).into_iter().map(shifted).collect()
    }

    /// What a patch stands for on the board: copied tokens bring their cells along, a direction its live ones; zeros and
    /// means empty their tokens.
    fn counterpart(&self, observed: &Observed, patches: &[Patch]) -> Vec<Edit> {
        if patches.iter().any(|patch| patch.deed == Deed::Restore) {
            return Vec::new();
        }
        let cells = self.episode(observed.split, observed.index, 1, &observed.edits).map(|episode| episode.start);
        let Ok(start) = cells else { return observed.edits.clone() };
        let mut painted: BTreeMap<(u32, u32), bool> = BTreeMap::new();
        for patch in patches {
            for (place, &to) in patch.to.iter().enumerate() {
                let corner = |position: usize| self.world.patch_corner(position.saturating_sub(1));
                let side = self.world.config().patch;
                let ((west, north), within) = (corner(to), (0..side * side).map(|cell| (cell % side, cell / side)));
                for (column, row) in within {
                    let live = |from: &[usize]| {
                        let (west, north) = corner(from[place]);
                        start.get(west + column, north + row)
                    };
                    let state = match &patch.deed {
                        Deed::Copy { from } => Some(live(from)),
                        Deed::Direction { from, .. } => Some(true).filter(|_| live(from)),
                        Deed::Zero | Deed::Mean => Some(false),
                        Deed::Neuron { .. } | Deed::Restore | Deed::Concept { .. } | Deed::Erase { .. } => None,
                    };
                    painted.extend(state.map(|state| ((west + column, north + row), state)));
                }
            }
        }
        let of = |wanted: bool| -> Vec<(u32, u32)> {
            painted.iter().filter(|(_, state)| **state == wanted).map(|(cell, _)| *cell).collect()
        };
        let paints = [(0, of(false)), (1, of(true))].into_iter().filter(|(_, cells)| !cells.is_empty());
        let paints = paints.map(|(state, cells)| Edit::Paint { cells, state });
        let placed = patches.iter().filter_map(|patch| self.conceived(patch));
        observed.edits.iter().cloned().chain(paints).chain(placed).collect()
    }

    fn effect(
        &self,
        observed: &Observed,
        against: &Observed,
        step: u32,
        answers: (&[f32], &[f32]),
        to: &[usize],
    ) -> BTreeMap<String, f64> {
        let end = |observed: &Observed| match observed.scene.scene() {
            Scene::Board { frames, .. } => frames.get(step as usize).cloned().unwrap_or_default(),
            Scene::Tape { .. } => Vec::new(),
        };
        board_effect(&self.world, answers, (&end(observed), &end(against)), to)
    }

    fn written(&self) -> &'static str {
        "name, apgcode, RLE or file"
    }

    fn paste(&self, text: &str) -> Result<String, String> {
        pasted(text)
    }

    fn address(&self, observed: &Observed) -> Option<(Address, Vec<Edit>)> {
        let address = self.world.address(observed.split, observed.index);
        Some((address, observed.edits.clone()))
    }
}

fn sorted(cells: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut cells = cells.to_vec();
    cells.sort_unstable();
    cells
}

#[cfg(test)]
mod tests;
