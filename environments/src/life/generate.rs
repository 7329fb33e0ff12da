//! Where boards come from: planted scenes, ash and soups.

use super::board::Board;
use super::catalogue::{self, Heading, Variant};
use super::config::LifeConfig;
use super::step::{Run, Stepper};
use crate::stream::{Draw, Stream};
use rand_chacha::rand_core::Rng as _;
use serde::{Deserialize, Serialize};

/// Where a board comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Objects put on an empty board.
    Scene,
    /// A soup run until about when it settles.
    Ash,
    /// Independent cells.
    Soup,
}

impl Source {
    /// All three, in the order of class numbers.
    pub const ALL: [Source; 3] = [Source::Scene, Source::Ash, Source::Soup];

    /// `scene`, `ash` or `soup`.
    pub fn name(self) -> &'static str {
        ["scene", "ash", "soup"][self as usize]
    }
}

/// A config made ready for drawing.
#[derive(Clone, Debug)]
pub(super) struct Generator {
    config: LifeConfig,
    stepper: Stepper,
    /// Every orientation of the still lifes of each listed kind.
    still_lifes: Vec<Vec<&'static Variant>>,
    blinkers: Vec<&'static Variant>,
}

impl Generator {
    pub(super) fn new(config: &LifeConfig, stepper: &Stepper) -> Generator {
        Generator {
            config: config.clone(),
            stepper: stepper.clone(),
            still_lifes: config.scenes.kinds.iter().map(|name| variants_of(name)).collect(),
            blinkers: variants_of("blinker"),
        }
    }

    /// The next board of a stream, which may be empty.
    pub(super) fn draw(&self, stream: &mut Stream) -> (Source, Board) {
        let mix = &self.config.mix;
        let place = stream.unit() * (mix.scenes + mix.ash + mix.soups);
        if place < mix.scenes {
            (Source::Scene, self.scene(stream))
        } else if place < mix.scenes + mix.ash {
            (Source::Ash, self.ash(stream))
        } else {
            (Source::Soup, self.soup(self.config.soups.density, stream))
        }
    }

    /// A random board.
    pub(super) fn soup(&self, [low, high]: [f64; 2], stream: &mut Stream) -> Board {
        let density = low + (high - low) * stream.unit();
        // Sixteen bits a cell: the density is exact to 1/65536.
        let threshold = (density * 65536.0) as u64;
        let mut board = Board::new(self.config.width, self.config.height);
        let (width, stride) = (self.config.width, board.stride());
        for row in board.words_mut().chunks_exact_mut(stride) {
            let mut draw = 0;
            for column in 0..width {
                if column % 4 == 0 {
                    draw = stream.next_u64();
                }
                row[(column / 64) as usize] |= u64::from(draw & 0xffff < threshold) << (column % 64);
                draw >>= 16;
            }
        }
        board
    }

    fn ash(&self, stream: &mut Stream) -> Board {
        let ash = &self.config.ash;
        let soup = self.soup(ash.density, stream);
        let mut run = Run::new(&self.stepper, &soup);
        let mut kept = Vec::new();
        let settled = settling_time(&mut run, ash.longest, &mut kept);
        let time =
            stream.between(u64::from(settled.saturating_sub(ash.before)), u64::from(settled + ash.after)) as usize;
        let nearest = (time / KEPT_EVERY).min(kept.len() - 1);
        run.resume(&kept[nearest]);
        for _ in nearest * KEPT_EVERY..time {
            run.step();
        }
        run.board()
    }

    fn scene(&self, stream: &mut Stream) -> Board {
        let scenes = &self.config.scenes;
        let number = |range: [u32; 2], stream: &mut Stream| stream.between(range[0].into(), range[1].into());
        let gliders = number(scenes.gliders, stream);
        let still_lifes = number(scenes.still_lifes, stream);
        let blinkers = number(scenes.blinkers, stream);
        let mut stage = Stage::new(self.config.width, self.config.height);
        let mut flying = Vec::new();
        for _ in 0..gliders {
            let heading = Heading::ALL[stream.below(4) as usize];
            let glider = catalogue::glider(heading, stream.below(4) as u32);
            if let Some(place) = stage.put_anywhere(glider, stream) {
                flying.push((heading, place));
            }
        }
        for _ in 0..still_lifes {
            let kind = &self.still_lifes[stream.below(self.still_lifes.len() as u64) as usize];
            let still_life = kind[stream.below(kind.len() as u64) as usize];
            if !flying.is_empty() && stream.chance(scenes.in_the_way) {
                let (heading, from) = flying[stream.below(flying.len() as u64) as usize];
                if stage.put_in_the_way(still_life, heading, from, scenes.reach, stream) {
                    continue;
                }
            }
            stage.put_anywhere(still_life, stream);
        }
        for _ in 0..blinkers {
            let blinker = self.blinkers[stream.below(self.blinkers.len() as u64) as usize];
            stage.put_anywhere(blinker, stream);
        }
        stage.board
    }
}

/// The distinct orientations (and, for a blinker, phases) of a catalogue pattern.
fn variants_of(name: &str) -> Vec<&'static Variant> {
    catalogue::variants().iter().filter(|variant| catalogue::patterns()[variant.pattern].name == name).collect()
}

/// A state is kept every so many steps, so that going back to a step costs no more than that.
const KEPT_EVERY: usize = 16;

/// The first step of the final cycle, or `longest` if there is none by then. Exact but for collisions of a 64-bit
/// hash; a function of the board alone. The states at steps 0, [`KEPT_EVERY`], … are put into `kept`.
fn settling_time(run: &mut Run<'_>, longest: u32, kept: &mut Vec<Vec<u64>>) -> u32 {
    let mut hashes: Vec<u64> = Vec::with_capacity(256);
    hashes.push(hash(run.words()));
    kept.push(run.words().to_vec());
    // Brent (1980), An improved Monte Carlo factorization algorithm: compare with the state at the last power of two.
    let mut anchor = 0;
    loop {
        let step = hashes.len();
        if step > longest as usize {
            return longest;
        }
        run.step();
        let now = hash(run.words());
        hashes.push(now);
        if step.is_multiple_of(KEPT_EVERY) {
            kept.push(run.words().to_vec());
        }
        if now == hashes[anchor] {
            let period = step - anchor;
            let mut first = anchor;
            while first > 0 && hashes[first - 1] == hashes[first - 1 + period] {
                first -= 1;
            }
            return first as u32;
        }
        if step.is_power_of_two() {
            anchor = step;
        }
    }
}

fn hash(words: &[u64]) -> u64 {
    words.iter().fold(0x9e37_79b9_7f4a_7c15, |hash: u64, &word| {
        let mixed = (hash ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ mixed >> 32
    })
}

/// A board with room kept around what stands on it.
struct Stage {
    board: Board,
    /// Cells that are live or have a live neighbour.
    taken: Board,
}

impl Stage {
    /// How often a random place is tried before an object is left out.
    const TRIES: u32 = 64;

    fn new(width: u32, height: u32) -> Stage {
        Stage { board: Board::new(width, height), taken: Board::new(width, height) }
    }

    /// Puts a pattern at a random place where it shares no neighbourhood cell with what is there.
    fn put_anywhere(&mut self, variant: &Variant, stream: &mut Stream) -> Option<(i64, i64)> {
        (0..Self::TRIES).find_map(|_| {
            let column = stream.below(self.board.width().into()) as i64;
            let row = stream.below(self.board.height().into()) as i64;
            self.put(variant, (column, row)).then_some((column, row))
        })
    }

    /// Puts a pattern so that one of its cells lies in a box that a glider will cover within `reach` steps.
    fn put_in_the_way(
        &mut self,
        variant: &Variant,
        heading: Heading,
        (column, row): (i64, i64),
        reach: u32,
        stream: &mut Stream,
    ) -> bool {
        (0..Self::TRIES).any(|_| {
            // A glider moves a cell along its diagonal in four steps.
            let moved = stream.between(1, u64::from(reach / 4)) as i64;
            let (east, south) = heading.vector();
            let column = column + moved * i64::from(east) + stream.below(3) as i64;
            let row = row + moved * i64::from(south) + stream.below(3) as i64;
            let cell = variant.cells[stream.below(variant.cells.len() as u64) as usize];
            self.put(variant, (column - i64::from(cell.0), row - i64::from(cell.1)))
        })
    }

    /// Puts a pattern with its bounding box's north-west corner at a place, if it shares no neighbourhood cell with
    /// what is there.
    fn put(&mut self, variant: &Variant, (column, row): (i64, i64)) -> bool {
        let around = |reach: i64| {
            variant.cells.iter().flat_map(move |&(east, south)| {
                let (column, row) = (column + i64::from(east), row + i64::from(south));
                (-reach..=reach).flat_map(move |down| (-reach..=reach).map(move |right| (column + right, row + down)))
            })
        };
        let free = around(1).all(|(column, row)| {
            let (column, row) = self.taken.wrap(column, row);
            !self.taken.get(column, row)
        });
        if free {
            self.board.paste(&variant.cells, column, row);
            for (column, row) in around(1) {
                let (column, row) = self.taken.wrap(column, row);
                self.taken.set(column, row, true);
            }
        }
        free
    }
}
