//! How often each code comes up.

/// Codes below this are counted in a table.
const LARGEST_TABLE: u64 = 1 << 23;

/// Numbers of codes: a table where few are possible, else a sorted list of those that there are.
pub(super) enum Counts {
    Table(Vec<u32>),
    Sorted(Vec<(u64, u32)>),
}

impl Counts {
    /// Counts codes, all of them smaller than `below` where that is known.
    pub(super) fn new(codes: impl Iterator<Item = u64>, below: Option<u64>) -> Self {
        if let Some(below) = below.filter(|&below| below <= LARGEST_TABLE) {
            let mut table = vec![0; below as usize];
            codes.for_each(|code| table[code as usize] += 1);
            return Self::Table(table);
        }
        let mut codes: Vec<u64> = codes.collect();
        codes.sort_unstable();
        Self::Sorted(codes.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)).collect())
    }

    /// How often a code came up.
    pub(super) fn of(&self, code: u64) -> u32 {
        match self {
            Self::Table(table) => table[code as usize],
            Self::Sorted(list) => list.binary_search_by_key(&code, |&(code, _)| code).map_or(0, |at| list[at].1),
        }
    }

    /// Shannon's entropy of the frequencies, in bits.
    pub(super) fn entropy(&self) -> f64 {
        let numbers: Vec<f64> = match self {
            Self::Table(table) => table.iter().filter(|&&number| number > 0).map(|&number| f64::from(number)).collect(),
            Self::Sorted(list) => list.iter().map(|&(_, number)| f64::from(number)).collect(),
        };
        let all: f64 = numbers.iter().sum();
        numbers.iter().map(|number| number / all * (all / number).log2()).sum()
    }
}
