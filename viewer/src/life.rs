//! The world `life`, and single pattern files, as subjects.

use std::collections::BTreeMap;
use std::sync::Arc;

use environments::automata::formats::{Format, PatternFile};
use environments::life::{
    self, Board, Heading, LONGEST_HORIZON, LifeConfig, LifeEpisode, LifeWorld, Mix, Source, pattern_cells,
};
use environments::{Address, Edit, Environment, Outline, Scene, Scope, Split};
use experiments::intervention::{Deed, Patch, alive, board_effect};
use models::ModelSpec;

use crate::board::{BoardScene, Meaning};
use crate::subject::{Asks, Fact, Observed, Subject, fits};
use crate::view::Tool;

/// The longest side of a pattern that is opened, in cells.
const LARGEST_PATTERN: u32 = 1024;

/// Objects are recognised on boards of at most so many cells; recognition follows every object alone.
const RECOGNISED: usize = 128 * 128;

/// The world `life`.
pub struct LifeSubject {
    world: Arc<LifeWorld>,
    /// The one board that is shown, for a pattern file.
    pattern: Option<Board>,
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
        Ok(Self { world: Arc::new(world), pattern: None })
    }

    /// One pattern, in the middle of a torus that leaves it some room.
    ///
    /// # Errors
    /// If its rule is none of this world's, or it is too large; in one sentence.
    pub fn from_pattern(file: &PatternFile) -> Result<Self, String> {
        let Some(bounds) = file.pattern.bounding_box() else { return Err("the pattern has no live cell".into()) };
        if file.pattern.highest_state() > 1 {
            return Err(format!("the pattern has {} states; two are drawn here", file.pattern.highest_state() + 1));
        }
        let side = |length: u32| (length + (length / 2).clamp(12, 64)).max(24).next_multiple_of(2);
        let (width, height) = (side(bounds.width), side(bounds.height));
        if width.max(height) > LARGEST_PATTERN {
            return Err(format!(
                "the pattern covers {}×{} cells; at most {LARGEST_PATTERN}×{LARGEST_PATTERN} with room around it are \
                 drawn here",
                bounds.width, bounds.height
            ));
        }
        let defaults = LifeConfig::default();
        let rule = file.rule.clone().unwrap_or_else(|| defaults.rule.clone());
        // A bound such as `:T64,64` says where the pattern lives; here that is the torus drawn.
        let rule = rule.split(':').next().unwrap_or_default().to_string();
        let mix = Mix { scenes: 0.0, ash: 0.0, soups: 1.0 };
        // The world lends its rule, its objects and its edits; its own boards are never drawn, so a small one will do
        // to check that it can be built.
        let small = LifeConfig { rule, width: 16, height: 16, mix, ..defaults };
        LifeWorld::new(small.clone()).map_err(|error| error.to_string())?;
        let world = LifeWorld::new(LifeConfig { width, height, ..small }).map_err(|error| error.to_string())?;
        let mut board = Board::new(width, height);
        let (west, north) = ((width - bounds.width) / 2, (height - bounds.height) / 2);
        for cell in file.pattern.cells() {
            board.set((cell.x - bounds.x) as u32 + west, (cell.y - bounds.y) as u32 + north, true);
        }
        Ok(Self { world: Arc::new(world), pattern: Some(board) })
    }

    fn episode(&self, split: Split, index: u64, horizon: u32, edits: &[Edit]) -> Result<LifeEpisode, String> {
        let horizon = horizon.clamp(1, LONGEST_HORIZON);
        let episode = match &self.pattern {
            None => self.world.observe_with(split, index, horizon),
            Some(board) => LifeEpisode {
                address: self.world.address(split, index),
                edits: Vec::new(),
                source: Source::Soup,
                start: board.clone(),
                horizon,
                end: self.world.stepper().run(board, horizon),
                objects: self.recognised(board),
            },
        };
        if edits.is_empty() {
            return Ok(episode);
        }
        self.world.edit(&episode, edits).map_err(|error| error.to_string())
    }

    fn recognised(&self, board: &Board) -> Vec<life::Object> {
        recognised(&self.world, board)
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

/// What the world says of its boards, which may be larger than its own for a pattern.
struct Spoken {
    world: Arc<LifeWorld>,
    size: (u32, u32),
}

impl Meaning for Spoken {
    fn objects(&self, cells: &[u8]) -> Vec<Outline> {
        let board = Board::from_cells(self.size.0, self.size.1, cells);
        recognised(&self.world, &board).iter().map(outline).collect()
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
        self.pattern.is_none()
    }

    fn accepts(&self, spec: &ModelSpec) -> Result<(), String> {
        fits(spec, self.world.vocabulary(), self.world.targets(), self.world.geometry())
    }

    fn horizons(&self) -> &[u32] {
        if self.pattern.is_some() { &[] } else { &self.world.config().horizons }
    }

    fn observe(&self, split: Split, index: u64, edits: &[Edit]) -> Result<Observed, String> {
        let episode = self.episode(split, index, 1, edits)?;
        let origin = match (&self.pattern, episode.source) {
            (Some(_), _) => "pattern file",
            (None, Source::Scene) => "scene",
            (None, Source::Ash) => "ash",
            (None, Source::Soup) => "soup",
        };
        let original = match edits {
            [] => None,
            _ => Some(self.drawn(&self.episode(split, index, 1, &[])?)),
        };
        let asks = match &self.pattern {
            Some(_) => Vec::new(),
            None => (1..=LONGEST_HORIZON).map(|step| (step, self.world.encode(&episode.start, step))).collect(),
        };
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
        if self.pattern.is_some() {
            return Vec::new();
        }
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
        let gliders = Heading::ALL.map(|heading| format!("glider-{}-0", heading.name()));
        let named = life::catalogue::patterns().iter().filter(|pattern| pattern.name != "glider");
        gliders.into_iter().chain(named.map(|pattern| pattern.name.to_string())).collect()
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
                        Deed::Neuron { .. } | Deed::Restore => None,
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
        observed.edits.iter().cloned().chain(paints).collect()
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

    fn paste(&self, text: &str) -> Result<String, String> {
        let file = PatternFile::read(text).map_err(|error| error.to_string())?;
        if file.pattern.highest_state() > 1 {
            return Err(format!("the pattern has {} states; two are drawn here", file.pattern.highest_state() + 1));
        }
        let written = PatternFile { pattern: file.pattern.normalized(), ..file }.write(Format::Rle);
        let body: String = written.lines().filter(|line| !line.starts_with(['#', 'x'])).collect();
        self.footprint(&body).map(|_| body)
    }

    fn address(&self, observed: &Observed) -> Option<(Address, Vec<Edit>)> {
        let address = self.world.address(observed.split, observed.index);
        self.pattern.is_none().then(|| (address, observed.edits.clone()))
    }
}

fn sorted(cells: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut cells = cells.to_vec();
    cells.sort_unstable();
    cells
}

#[cfg(test)]
mod tests;
