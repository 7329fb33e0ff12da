//! Hensel's letters for the arrangements of neighbours that rotations and reflections keep apart
//! (Alan Hensel, 1994, extended to 4 neighbours; as in Golly and on LifeWiki, "Isotropic non-totalistic rule").

use super::{CENTRE, Neighbourhood, Rule};

const LETTERS: [&str; 5] = ["", "ce", "ceaikn", "ceaiknjqry", "ceaiknjqrytwz"];

/// One arrangement for each letter above, as a table index (bits 0 to 8: NW, N, NE, W, C, E, SW, S, SE).
const ARRANGEMENTS: [&[usize]; 5] = [
    &[],
    &[0b000_000_001, 0b000_000_010],
    &[0b000_000_101, 0b000_001_010, 0b000_000_011, 0b000_101_000, 0b000_100_001, 0b001_000_100],
    &[
        0b001_000_101,
        0b000_101_010,
        0b000_001_011,
        0b000_000_111,
        0b001_100_010,
        0b000_001_101,
        0b000_001_110,
        0b001_000_110,
        0b000_101_001,
        0b001_100_001,
    ],
    &[
        0b101_000_101,
        0b010_101_010,
        0b000_001_111,
        0b000_101_101,
        0b001_100_011,
        0b001_000_111,
        0b001_101_010,
        0b001_100_110,
        0b000_101_011,
        0b001_100_101,
        0b001_101_001,
        0b001_001_110,
        0b001_101_100,
    ],
];

/// The letters that may follow a count of neighbours.
pub(super) fn letters(count: usize) -> std::str::Chars<'static> {
    LETTERS[count.min(8 - count)].chars()
}

/// The arrangement behind the n-th letter of a count. Beyond four neighbours a letter means the complement of the
/// same letter's arrangement of the missing ones.
fn arrangement(count: usize, letter: usize) -> usize {
    let found = ARRANGEMENTS[count.min(8 - count)][letter];
    if count > 4 { !found & 0b111_101_111 } else { found }
}

/// The eight images of a table index under rotation and reflection.
pub(super) fn images(index: usize) -> [usize; 8] {
    let permute = |index: usize, from: fn(usize, usize) -> (usize, usize)| {
        (0..9).fold(0, |image, bit| {
            let (x, y) = from(bit % 3, bit / 3);
            image | (index >> (y * 3 + x) & 1) << bit
        })
    };
    let mut all = [index; 8];
    for turn in 1..4 {
        all[turn] = permute(all[turn - 1], |x, y| (2 - y, x));
    }
    for turn in 0..4 {
        all[turn + 4] = permute(all[turn], |x, y| (2 - x, y));
    }
    all
}

/// Sets the table entries (birth or survival) for one count and letter.
pub(super) fn set(table: &mut [bool; 512], survival: bool, count: usize, letter: usize) {
    for image in images(arrangement(count, letter)) {
        table[image | if survival { CENTRE } else { 0 }] = true;
    }
}

/// Sets the table entries for one count of neighbours within a neighbourhood.
pub(super) fn set_count(table: &mut [bool; 512], survival: bool, count: usize, mask: usize) {
    for (index, next) in table.iter_mut().enumerate() {
        if (index & CENTRE != 0) == survival && (index & mask).count_ones() as usize == count {
            *next = true;
        }
    }
}

/// The birth and the survival part of a rulestring with the fewest letters, if counts and letters can say it.
pub(super) fn counts_text(rule: &Rule) -> Option<[String; 2]> {
    let mask = rule.neighbourhood().mask();
    let moore = rule.neighbourhood() == Neighbourhood::Moore;
    let mut rebuilt = [false; 512];
    let mut parts = [String::new(), String::new()];
    for (survival, part) in [false, true].into_iter().zip(&mut parts) {
        for count in 0..=mask.count_ones() as usize {
            let on = |index: usize| rule.table()[index | if survival { CENTRE } else { 0 }];
            let representative = (0..512).find(|i| i & !mask == 0 && i.count_ones() as usize == count)?;
            if !moore || letters(count).next().is_none() {
                if on(representative) {
                    part.push_str(&count.to_string());
                    set_count(&mut rebuilt, survival, count, mask);
                }
                continue;
            }
            let (mut yes, mut no) = (String::new(), String::new());
            for (place, letter) in letters(count).enumerate() {
                if on(arrangement(count, place)) {
                    yes.push(letter);
                    set(&mut rebuilt, survival, count, place);
                } else {
                    no.push(letter);
                }
            }
            if yes.is_empty() {
                continue;
            }
            part.push_str(&count.to_string());
            if no.is_empty() {
                continue;
            }
            let (sign, mut chosen) = if yes.len() > no.len() + 1 { ("-", no) } else { ("", yes) };
            // Alphabetical, as Golly writes them.
            let mut sorted: Vec<char> = chosen.drain(..).collect();
            sorted.sort_unstable();
            part.push_str(sign);
            part.extend(sorted);
        }
    }
    (rebuilt == *rule.table()).then_some(parts)
}
