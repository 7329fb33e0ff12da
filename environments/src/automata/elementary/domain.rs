//! Regular domains: the patterns that a rule leaves as they are, and what in a row is not of them (Hanson and Crutchfield,
//! "The attractor-basin portrait of a cellular automaton", J. Stat. Phys. 66, 1415–1462, 1992).

use super::LineRule;

/// A domain: a pattern that repeats in space and time, with cells that may be either 0 or 1 (`None`). Its translations
/// in space and time are its phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// `rows[t mod period][column mod width]`.
    rows: Vec<Vec<Option<u8>>>,
    /// The distinct translations, as (generations, columns): phase p has `rows[t + generations][column + columns]`.
    phases: Vec<(usize, usize)>,
    /// The fewest cells in a row that are taken for a domain.
    least: usize,
    kinds: Vec<Kind>,
}

/// A published particle of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name in the literature.
    pub name: &'static str,
    /// Generations after which it looks the same.
    pub period: usize,
    /// Columns that it has then moved to the east.
    pub displacement: i64,
    /// By how many columns the domain behind it is put out of step, where one kind of a motion is to be told from others.
    pub shift: Option<usize>,
}

/// Cells that no domain explains, between two that are: those that break the domain on one side or on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The first column.
    pub start: usize,
    /// Columns, to the east and around the ring.
    pub length: usize,
    /// The phase of the domain to the west; none if there is no domain in the row.
    pub left: Option<u8>,
    /// The phase of the domain to the east.
    pub right: Option<u8>,
}

/// A row taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Each cell's domain phase; `None` within a defect.
    pub phases: Vec<Option<u8>>,
    /// The defects, from west to east, the first of them behind the longest domain.
    pub defects: Vec<Defect>,
}

/// A stretch of a row that is of one phase: it starts within the ring and may go around it, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    start: usize,
    end: usize,
    phase: u8,
}

/// What is published of a rule: the first row of its domain (`*` is either), the fewest cells, its particles.
struct Known {
    rule: u8,
    row: &'static str,
    least: usize,
    kinds: &'static [(&'static str, usize, i64, Option<usize>)],
}

const KNOWN: [Known; 5] = [
    // (0Σ)*, whose walls wander and annihilate (Grassberger 1983; Crutchfield and Hanson, Physica D 69, 279–301, 1993).
    Known { rule: 18, row: "0*", least: 1, kinds: &[] },
    Known { rule: 146, row: "0*", least: 1, kinds: &[] },
    // Hanson and Crutchfield, "Computational mechanics of cellular automata: an example", Physica D 103, 169–189, 1997;
    // α and β are g_e and g_o in Boccara, Nasser and Roger, Phys. Rev. A 44, 866 (1991).
    Known {
        rule: 54,
        row: "0001",
        least: 6,
        kinds: &[("γ+", 2, 2, None), ("γ-", 2, -2, None), ("α", 4, 0, Some(3)), ("β", 4, 0, Some(2))],
    },
    // Cook, "Universality in elementary cellular automata", Complex Systems 15, 1–40, 2004, figure 3; the shifts are the
    // lengths of the phrases in Martínez, McIntosh, Seck Tuoh Mora and Chapa Vergara, arXiv:0706.3348.
    Known {
        rule: 110,
        row: "11111000100110",
        least: 14,
        kinds: &[
            ("A", 3, 2, None),
            ("B", 4, -2, None),
            ("C1", 7, 0, Some(9)),
            ("C2", 7, 0, Some(3)),
            ("C3", 7, 0, Some(11)),
            ("D1", 10, 2, Some(11)),
            ("D2", 10, 2, Some(5)),
            ("E", 15, -4, None),
            ("Ē", 30, -8, None),
            ("F", 36, -4, None),
            ("G", 42, -14, None),
            ("H", 92, -18, None),
        ],
    },
    // Traffic: pairs of free places move with it, jams against it and annihilate (Krug and Spohn, Phys. Rev. A 38, 4271, 1988).
    Known { rule: 184, row: "01", least: 4, kinds: &[("gap", 1, 1, None), ("jam", 1, -1, None)] },
];

impl Domain {
    /// Numbers of the rules whose domains are known; those equivalent to them are known too.
    pub fn known() -> impl Iterator<Item = u8> {
        KNOWN.iter().map(|known| known.rule)
    }

    /// The domain of a rule, if it is known.
    pub fn of(rule: LineRule) -> Option<Self> {
        KNOWN.iter().find_map(|known| {
            let base = LineRule::from(known.rule);
            let images = [
                (base, false, false),
                (base.mirrored(), true, false),
                (base.complemented(), false, true),
                (base.mirrored().complemented(), true, true),
            ];
            let (_, mirrored, complemented) = images.into_iter().find(|image| image.0 == rule)?;
            Some(Self::new(known, mirrored, complemented))
        })
    }

    fn new(known: &Known, mirrored: bool, complemented: bool) -> Self {
        let mut rows = history(known);
        for row in &mut rows {
            if mirrored {
                row.reverse();
            }
            if complemented {
                row.iter_mut().flatten().for_each(|cell| *cell ^= 1);
            }
        }
        let (period, width) = (rows.len(), rows[0].len());
        let moved = |(generations, columns): (usize, usize)| -> Vec<Option<u8>> {
            let at = |t: usize, x: usize| rows[(t + generations) % period][(x + columns) % width];
            (0..period).flat_map(|t| (0..width).map(move |x| (t, x))).map(|(t, x)| at(t, x)).collect()
        };
        let mut phases: Vec<(usize, usize)> = Vec::new();
        for place in (0..period).flat_map(|t| (0..width).map(move |x| (t, x))) {
            if !phases.iter().any(|&other| moved(other) == moved(place)) {
                phases.push(place);
            }
        }
        let kinds = known.kinds.iter().map(|&(name, period, displacement, shift)| {
            let displacement = if mirrored { -displacement } else { displacement };
            Kind { name, period, displacement, shift }
        });
        Self { kinds: kinds.collect(), rows, phases, least: known.least }
    }

    /// Number of phases.
    pub fn phases(&self) -> usize {
        self.phases.len()
    }

    /// Columns and generations after which the domain repeats.
    pub fn size(&self) -> (usize, usize) {
        (self.rows[0].len(), self.rows.len())
    }

    /// The published particles.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// What a phase says of a cell in a generation: 0, 1 or either.
    pub fn cell(&self, phase: u8, generation: usize, column: usize) -> Option<u8> {
        let (generations, columns) = self.phases[usize::from(phase)];
        let row = &self.rows[(generation + generations) % self.rows.len()];
        row[(column + columns) % row.len()]
    }

    /// By how many columns the phase in the east comes late, if the two differ in nothing else.
    pub fn shift(&self, left: u8, right: u8) -> Option<usize> {
        let (left, right) = (self.phases[usize::from(left)], self.phases[usize::from(right)]);
        let width = self.rows[0].len();
        (left.0 == right.0).then(|| (left.1 + width - right.1) % width)
    }

    /// The phase that says of each column what this one says of the column `columns` farther east.
    fn translated(&self, phase: u8, columns: i64) -> u8 {
        let width = self.rows[0].len();
        let columns = columns.rem_euclid(width as i64) as usize;
        let says = |other: u8| {
            let mut cells = (0..self.rows.len()).flat_map(|t| (0..width).map(move |x| (t, x)));
            cells.all(|(t, x)| self.cell(other, t, x) == self.cell(phase, t, x + columns))
        };
        if columns == 0 { phase } else { (0..self.phases.len() as u8).find(|&other| says(other)).unwrap_or(phase) }
    }

    /// Takes a row of a ring apart.
    pub fn parse(&self, row: &[u8], generation: usize) -> Parsed {
        let width = row.len();
        let runs = self.runs(row, generation);
        if let Some(whole) = runs.iter().find(|run| run.end - run.start > width) {
            return Parsed { phases: vec![Some(whole.phase); width], defects: Vec::new() };
        }
        // The longest run, the westmost of several, begins the chain.
        let Some(&first) = runs.iter().max_by_key(|run| (run.end - run.start, std::cmp::Reverse(run.start))) else {
            let defects = vec![Defect { start: 0, length: width, left: None, right: None }];
            return Parsed { phases: vec![None; width], defects };
        };
        let chain = chain(&runs, first, width);
        // A run's phase counts columns from the turn around the ring in which it starts.
        let turn = |place: usize| ((first.start + place) / width) as i64;
        let seen = |run: &Run, place: usize| self.translated(run.phase, (turn(place) - turn(run.start)) * width as i64);
        let mut defects = Vec::new();
        let mut ends = Vec::new();
        for pair in chain.windows(2) {
            // Where runs overlap, from the cell that breaks the second to the one that breaks the first; else the gap.
            let (low, high) = (pair[0].end.min(pair[1].start - 1), pair[0].end.max(pair[1].start - 1));
            defects.push(Defect {
                start: (first.start + low) % width,
                length: (high - low + 1).min(width),
                left: Some(seen(&pair[0], low)),
                right: Some(seen(&pair[1], low)),
            });
            ends.push((low, high));
        }
        let mut phases = vec![None; width];
        let mut from = ends.last().map_or(0, |last| last.1 + 1 - width);
        for (run, (low, high)) in chain.iter().zip(ends) {
            for place in from..low {
                phases[(first.start + place) % width] = Some(seen(run, place));
            }
            from = high + 1;
        }
        Parsed { phases, defects }
    }

    /// The longest stretches of each phase that are long enough, no longer than the ring; of a phase that fits for ever,
    /// one that is longer.
    fn runs(&self, row: &[u8], generation: usize) -> Vec<Run> {
        let width = row.len();
        // Column 0 with room to the west of it, which neither the ring nor the domain notices.
        let origin = self.rows[0].len() * width;
        let mut runs = Vec::new();
        for phase in 0..self.phases.len() as u8 {
            let fits = |x: usize| self.cell(phase, generation, origin + x).is_none_or(|cell| cell == row[x % width]);
            let before = self.cell(phase, generation, origin - 1).is_none_or(|cell| cell == row[width - 1]);
            if (0..2 * width).all(fits) {
                runs.push(Run { start: 0, end: width + 1, phase });
                continue;
            }
            for start in 0..width {
                if fits(start) && !(if start == 0 { before } else { fits(start - 1) }) {
                    let length = (1..width).take_while(|&more| fits(start + more)).count() + 1;
                    if length >= self.least {
                        runs.push(Run { start, end: start + length, phase });
                    }
                }
            }
        }
        runs.sort_unstable();
        runs
    }
}

/// The runs that cover a ring from the first on, each reaching as far as possible, and the first again at the end;
/// columns count from the first's start.
fn chain(runs: &[Run], first: Run, width: usize) -> Vec<Run> {
    let moved = |run: &Run| {
        let start = (run.start + width - first.start) % width;
        Run { start, end: start + run.end - run.start, phase: run.phase }
    };
    let again = Run { start: width, end: width + first.end - first.start, phase: first.phase };
    let runs: Vec<Run> = runs.iter().map(moved).chain([again]).collect();
    let mut chain = vec![moved(&first)];
    while let Some(&last) = chain.last().filter(|last| last.start < width) {
        let farther = |run: &&Run| run.start > last.start && run.end > last.end;
        let touching = runs.iter().filter(farther).filter(|run| run.start <= last.end);
        let next = touching.max_by_key(|run| (run.end, std::cmp::Reverse(run.start)));
        let beyond = || runs.iter().filter(farther).min_by_key(|run| (run.start, std::cmp::Reverse(run.end)));
        chain.push(*next.or_else(beyond).unwrap_or(&again));
    }
    chain
}

/// A known domain through its period.
fn history(known: &Known) -> Vec<Vec<Option<u8>>> {
    let first: Vec<Option<u8>> = known.row.chars().map(|cell| cell.to_digit(2).map(|digit| digit as u8)).collect();
    if first.contains(&None) {
        // What is either stays so, and moves one column a generation.
        let mut second = first.clone();
        second.rotate_left(1);
        return vec![first, second];
    }
    let start: Vec<u8> = first.into_iter().flatten().collect();
    let rule = LineRule::from(known.rule);
    let mut rows = vec![start];
    while let Some(next) = rows.last().map(|row| rule.step(row)).filter(|next| *next != rows[0]) {
        rows.push(next);
    }
    rows.into_iter().map(|row| row.into_iter().map(Some).collect()).collect()
}
