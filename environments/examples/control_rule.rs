//! Looks for a rule to compare Life with: as dense and as disordered, but without gliders or other spaceships.
//!
//! Candidates are Life's neighbours: Conway's rule with one of the 101 isotropic transitions (an arrangement of live
//! neighbours around a dead or live centre, up to rotation and reflection; not birth from nothing) turned over, and
//! the three nearest of these that have no glider with a second one turned over. Prints the nearest candidates in which
//! none of Life's four common spaceships flies, and counts the spaceships met in soups. Takes about a minute of one core.
//!
//! `cargo run --release -p environments --example control_rule` searches; rules given as arguments are not searched
//! for but measured on more soups (seconds each).
#![allow(clippy::print_stdout)]

use environments::automata::Rule;
use environments::life::{Board, Class, Stepper, Symmetry, catalogue, recognise};
use environments::{Draw, stream};

const SIDE: u32 = 64;
const SHORT_LIST: usize = 12;

fn main() {
    let rules: Vec<String> = std::env::args().skip(1).collect();
    if rules.is_empty() {
        search();
        return;
    }
    for rule in rules {
        match Rule::parse(&rule) {
            Ok(known) => print_row(&rule, &measure(&Stepper::new(&known), 400), Some((census(&rule, 4000), 4000))),
            Err(error) => println!("{error}"),
        }
    }
}

fn search() {
    let soups = 24;
    let life = measure(&Stepper::life(), soups);
    print_row("B3/S23 (Life)", &life, None);
    let mut candidates: Vec<(f64, String, Measures)> = Vec::new();
    let mut bases = vec![Rule::life()];
    for stage in 0..2 {
        for rule in bases.iter().flat_map(neighbours) {
            let stepper = Stepper::new(&rule);
            if flies(&stepper, &["glider"]) {
                continue;
            }
            let measures = measure(&stepper, soups);
            let distance = relative(measures.density, life.density)
                + relative(measures.entropy, life.entropy)
                + relative(measures.changed, life.changed);
            candidates.push((distance, rule.to_string(), measures));
        }
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        candidates.dedup_by(|a, b| a.1 == b.1);
        if stage == 1 {
            let others = ["lwss", "mwss", "hwss"];
            candidates.retain(|(_, rule, _)| Rule::parse(rule).is_ok_and(|rule| !flies(&Stepper::new(&rule), &others)));
        }
        println!("{} of Life's transitions turned over:", stage + 1);
        for (_, rule, measures) in candidates.iter().take(SHORT_LIST) {
            print_row(rule, measures, (stage == 1).then(|| (census(rule, 300), 300)));
        }
        bases = candidates.iter().take(3).filter_map(|(_, rule, _)| Rule::parse(rule).ok()).collect();
    }
}

fn relative(value: f64, of: f64) -> f64 {
    (value / of - 1.0).abs()
}

/// Averages over soups at step 200.
struct Measures {
    /// Share of live cells.
    density: f64,
    /// Entropy of aligned 2×2 blocks, in bits of at most 4.
    entropy: f64,
    /// Share of cells that change in the next step.
    changed: f64,
}

fn soup(index: u64) -> Board {
    let mut stream = stream(&["control rule", &index.to_string()]);
    let density = 0.2 + 0.3 * stream.unit();
    let mut board = Board::new(SIDE, SIDE);
    for row in 0..SIDE {
        for column in 0..SIDE {
            board.set(column, row, stream.chance(density));
        }
    }
    board
}

fn measure(stepper: &Stepper, soups: u64) -> Measures {
    let mut blocks = [0u64; 16];
    let (mut live, mut changed) = (0u64, 0u64);
    for index in 0..soups {
        let board = stepper.run(&soup(index), 200);
        let next = stepper.step(&board);
        live += u64::from(board.population());
        changed += board.words().iter().zip(next.words()).map(|(a, b)| u64::from((a ^ b).count_ones())).sum::<u64>();
        for row in (0..SIDE).step_by(2) {
            for column in (0..SIDE).step_by(2) {
                let cells = [(0, 0), (1, 0), (0, 1), (1, 1)];
                let block = cells.iter().map(|(right, down)| usize::from(board.get(column + right, row + down)));
                blocks[block.fold(0, |block, cell| block << 1 | cell)] += 1;
            }
        }
    }
    let cells = (soups * u64::from(SIDE) * u64::from(SIDE)) as f64;
    let total = blocks.iter().sum::<u64>() as f64;
    let shares = blocks.iter().filter(|&&count| count > 0).map(|&count| count as f64 / total);
    Measures {
        density: live as f64 / cells,
        entropy: shares.map(|share| -share * share.log2()).sum(),
        changed: changed as f64 / cells,
    }
}

/// The rules that differ from one in a single isotropic transition.
fn neighbours(rule: &Rule) -> Vec<Rule> {
    let image = |index: usize, symmetry: Symmetry| {
        (0..9u32).filter(|bit| index >> bit & 1 == 1).fold(0, |image, bit| {
            let (column, row) = symmetry.cell((bit % 3, bit / 3), 3, 3);
            image | 1usize << (row * 3 + column)
        })
    };
    let orbit = |index: usize| Symmetry::ALL.map(|symmetry| image(index, symmetry));
    (1..512)
        .filter(|&index| orbit(index).into_iter().all(|other| other >= index))
        .map(|turned| {
            let orbit = orbit(turned);
            Rule::from_table(|index| rule.table()[index] != orbit.contains(&index))
        })
        .collect()
}

/// Whether one of some named spaceships of Life is a spaceship under a rule too.
fn flies(stepper: &Stepper, names: &[&str]) -> bool {
    names.iter().filter_map(|name| catalogue::pattern(name)).any(|pattern| {
        let mut board = Board::new(32, 32);
        board.paste(&pattern.cells, 14, 14);
        recognise(&board, stepper).iter().any(|object| object.kind.class() == Class::Spaceship)
    })
}

/// Spaceships of any kind on the boards of so many soups at steps 50, 200 and 400.
fn census(rule: &str, soups: u64) -> usize {
    let Ok(rule) = Rule::parse(rule) else { return 0 };
    let stepper = Stepper::new(&rule);
    let mut spaceships = 0;
    for index in 0..soups {
        let mut board = soup(1000 + index);
        for steps in [50, 150, 200] {
            board = stepper.run(&board, steps);
            let objects = recognise(&board, &stepper);
            spaceships += objects.iter().filter(|object| object.kind.class() == Class::Spaceship).count();
        }
    }
    spaceships
}

fn print_row(rule: &str, measures: &Measures, spaceships: Option<(usize, u64)>) {
    let spaceships = spaceships.map_or(String::new(), |(count, soups)| format!("spaceships {count} in {soups} soups"));
    println!(
        "{rule:24} density {:.4} entropy {:.3} changed {:.4} {spaceships}",
        measures.density, measures.entropy, measures.changed
    );
}
