//! Named patterns of Conway's Life, in every orientation and phase.
//!
//! Sources: the names and pictures are the common ones of the Life Lexicon (S. Silver) and LifeWiki; that each is
//! what its class says is checked by simulation in the tests.

use super::board::{Board, Symmetry};
use super::step::Stepper;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What an object does when left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Stays as it is.
    StillLife,
    /// Returns to itself in place after two steps or more.
    Oscillator,
    /// Returns to itself in another place.
    Spaceship,
    /// None of these within [`LONGEST_PERIOD`](super::recognise::LONGEST_PERIOD) steps.
    Other,
}

/// A pattern with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Its name, lower case with hyphens.
    pub name: &'static str,
    /// What it does.
    pub class: Class,
    /// Steps until it returns to itself.
    pub period: u32,
    /// (columns, rows) it has moved after a period, in the orientation of `cells`.
    pub displacement: (i32, i32),
    /// Live cells as (column, row), from the north-west corner of the bounding box, in row-major order.
    pub cells: Vec<(u32, u32)>,
    /// (columns, rows) of the bounding box.
    pub size: (u32, u32),
}

/// Name, class, period, displacement, and rows from north to south between slashes: `O` live, `.` dead, trailing dead
/// cells left out.
type Picture = (&'static str, Class, u32, (i32, i32), &'static str);

const PICTURES: &[Picture] = {
    use Class::{Oscillator, Spaceship, StillLife};
    &[
        ("block", StillLife, 1, (0, 0), "OO/OO"),
        ("beehive", StillLife, 1, (0, 0), ".OO/O..O/.OO"),
        ("loaf", StillLife, 1, (0, 0), ".OO/O..O/.O.O/..O"),
        ("boat", StillLife, 1, (0, 0), "OO/O.O/.O"),
        ("tub", StillLife, 1, (0, 0), ".O/O.O/.O"),
        ("pond", StillLife, 1, (0, 0), ".OO/O..O/O..O/.OO"),
        ("ship", StillLife, 1, (0, 0), "OO/O.O/.OO"),
        ("barge", StillLife, 1, (0, 0), ".O/O.O/.O.O/..O"),
        ("long-boat", StillLife, 1, (0, 0), "OO/O.O/.O.O/..O"),
        ("mango", StillLife, 1, (0, 0), ".OO/O..O/.O..O/..OO"),
        ("eater", StillLife, 1, (0, 0), "OO/O.O/..O/..OO"),
        ("snake", StillLife, 1, (0, 0), "OO.O/O.OO"),
        ("aircraft-carrier", StillLife, 1, (0, 0), "OO/O..O/..OO"),
        ("long-barge", StillLife, 1, (0, 0), ".O/O.O/.O.O/..O.O/...O"),
        ("long-ship", StillLife, 1, (0, 0), "OO/O.O/.O.O/..OO"),
        ("integral", StillLife, 1, (0, 0), "...OO/..O.O/..O/O.O/OO"),
        ("hat", StillLife, 1, (0, 0), "..O/.O.O/.O.O/OO.OO"),
        ("tub-with-tail", StillLife, 1, (0, 0), ".O/O.O/.O.O/...O/...OO"),
        ("canoe", StillLife, 1, (0, 0), "...OO/....O/...O/O.O/OO"),
        ("paperclip", StillLife, 1, (0, 0), "..OO/.O..O/.O.OO/OO.O/O..O/.OO"),
        ("dead-spark-coil", StillLife, 1, (0, 0), "OO...OO/O.O.O.O/..O.O/O.O.O.O/OO...OO"),
        ("table-on-table", StillLife, 1, (0, 0), "O..O/OOOO//OOOO/O..O"),
        ("block-on-table", StillLife, 1, (0, 0), "..OO/..OO//OOOO/O..O"),
        ("honeycomb", StillLife, 1, (0, 0), "..OO/.O..O/O.OO.O/.O..O/..OO"),
        ("elevener", StillLife, 1, (0, 0), "OO/O.O/..O/..OOO/.....O/....OO"),
        ("blinker", Oscillator, 2, (0, 0), "OOO"),
        ("toad", Oscillator, 2, (0, 0), ".OOO/OOO"),
        ("beacon", Oscillator, 2, (0, 0), "OO/O/...O/..OO"),
        ("clock", Oscillator, 2, (0, 0), "..O/O.O/.O.O/.O"),
        ("spark-coil", Oscillator, 2, (0, 0), "OO....OO/O.O..O.O/..O..O/O.O..O.O/OO....OO"),
        (
            "pulsar",
            Oscillator,
            3,
            (0, 0),
            "..OOO...OOO//O....O.O....O/O....O.O....O/O....O.O....O/..OOO...OOO/\
             /..OOO...OOO/O....O.O....O/O....O.O....O/O....O.O....O//..OOO...OOO",
        ),
        ("octagon", Oscillator, 5, (0, 0), "...OO/..O..O/.O....O/O......O/O......O/.O....O/..O..O/...OO"),
        ("figure-eight", Oscillator, 8, (0, 0), "OOO/OOO/OOO/...OOO/...OOO/...OOO"),
        ("pentadecathlon", Oscillator, 15, (0, 0), "..O....O/OO.OOOO.OO/..O....O"),
        ("glider", Spaceship, 4, (1, 1), ".O/..O/OOO"),
        ("lwss", Spaceship, 4, (-2, 0), ".O..O/O/O...O/OOOO"),
        ("mwss", Spaceship, 4, (-2, 0), "...O/.O...O/O/O....O/OOOOO"),
        ("hwss", Spaceship, 4, (-2, 0), "...OO/.O....O/O/O.....O/OOOOOO"),
    ]
};

/// Where a glider goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heading {
    /// North-east.
    NE,
    /// North-west.
    NW,
    /// South-east.
    SE,
    /// South-west.
    SW,
}

impl Heading {
    /// All four, in the order used for class numbers.
    pub const ALL: [Heading; 4] = [Heading::NE, Heading::NW, Heading::SE, Heading::SW];

    /// `NE`, `NW`, `SE` or `SW`.
    pub fn name(self) -> &'static str {
        ["NE", "NW", "SE", "SW"][self as usize]
    }

    /// (columns, rows) a glider moves in its four steps: each is 1 or -1.
    pub fn vector(self) -> (i32, i32) {
        [(1, -1), (-1, -1), (1, 1), (-1, 1)][self as usize]
    }

    /// The heading of a displacement along a diagonal.
    pub fn of(displacement: (i32, i32)) -> Option<Heading> {
        Heading::ALL.into_iter().find(|heading| heading.vector() == displacement)
    }
}

/// A connected or scattered set of live cells counted from the north-west corner of its bounding box, row-major.
pub(super) type Shape = Vec<(u32, u32)>;

/// One orientation and phase of a catalogue pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Index into [`patterns`].
    pub pattern: usize,
    /// Steps from the picture of [`Pattern::cells`] in this orientation. Only for gliders is this unambiguous.
    pub phase: u32,
    /// The displacement a period in this orientation.
    pub displacement: (i32, i32),
    /// Live cells from the north-west corner of the bounding box, row-major.
    pub cells: Vec<(u32, u32)>,
    /// (columns, rows) of the bounding box.
    pub size: (u32, u32),
}

struct Catalogue {
    patterns: Vec<Pattern>,
    variants: Vec<Variant>,
    by_shape: BTreeMap<Shape, usize>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let patterns: Vec<Pattern> = PICTURES
        .iter()
        .map(|&(name, class, period, displacement, picture)| {
            let cells = picture_cells(picture);
            let size = bounds(&cells);
            Pattern { name, class, period, displacement, cells, size }
        })
        .collect();
    let life = Stepper::life();
    let mut variants: Vec<Variant> = Vec::new();
    let mut by_shape = BTreeMap::new();
    for (index, pattern) in patterns.iter().enumerate() {
        for symmetry in Symmetry::ALL {
            let turned: Vec<_> =
                pattern.cells.iter().map(|&cell| symmetry.cell(cell, pattern.size.0, pattern.size.1)).collect();
            let mut board = Board::new(64, 64);
            board.paste(&turned, 24, 24);
            for phase in 0..pattern.period {
                let (cells, size) = shape(&board.live().collect::<Vec<_>>());
                // The first orientation wins, and rotations come first: every glider is one of the pictures turned.
                if !by_shape.contains_key(&cells) {
                    by_shape.insert(cells.clone(), variants.len());
                    let displacement = symmetry.vector(pattern.displacement);
                    variants.push(Variant { pattern: index, phase, displacement, cells, size });
                }
                board = life.step(&board);
            }
        }
    }
    Catalogue { patterns, variants, by_shape }
});

fn picture_cells(picture: &str) -> Shape {
    let rows = picture.split('/').enumerate();
    rows.flat_map(|(row, line)| {
        line.bytes().enumerate().filter(|&(_, byte)| byte == b'O').map(move |(column, _)| (column as u32, row as u32))
    })
    .collect()
}

fn bounds(cells: &[(u32, u32)]) -> (u32, u32) {
    cells.iter().fold((0, 0), |size, cell| (size.0.max(cell.0 + 1), size.1.max(cell.1 + 1)))
}

/// Cells moved to the north-west corner and put in row-major order, with the bounding box's (columns, rows).
pub(super) fn shape(cells: &[(u32, u32)]) -> (Shape, (u32, u32)) {
    let west = cells.iter().map(|cell| cell.0).min().unwrap_or(0);
    let north = cells.iter().map(|cell| cell.1).min().unwrap_or(0);
    let mut shape: Shape = cells.iter().map(|cell| (cell.0 - west, cell.1 - north)).collect();
    shape.sort_unstable_by_key(|&(column, row)| (row, column));
    let size = bounds(&shape);
    (shape, size)
}

/// All named patterns, in the order of kind numbers.
pub fn patterns() -> &'static [Pattern] {
    &CATALOGUE.patterns
}

/// All distinct orientations and phases of the named patterns.
pub fn variants() -> &'static [Variant] {
    &CATALOGUE.variants
}

/// The variant with exactly these cells (from the north-west corner of the bounding box, row-major).
pub fn variant_of(shape: &[(u32, u32)]) -> Option<&'static Variant> {
    CATALOGUE.by_shape.get(shape).map(|&index| &CATALOGUE.variants[index])
}

/// The pattern of a name.
pub fn pattern(name: &str) -> Option<&'static Pattern> {
    patterns().iter().find(|pattern| pattern.name == name)
}

/// The glider of a heading and phase (0..4).
pub fn glider(heading: Heading, phase: u32) -> &'static Variant {
    static GLIDERS: LazyLock<Vec<&'static Variant>> = LazyLock::new(|| {
        let gliders = variants().iter().filter(|variant| patterns()[variant.pattern].name == "glider");
        let mut gliders: Vec<_> = gliders.collect();
        gliders.sort_by_key(|glider| (Heading::of(glider.displacement), glider.phase));
        gliders
    });
    GLIDERS[heading as usize * 4 + phase as usize % 4]
}
