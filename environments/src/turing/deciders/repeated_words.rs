//! Repeated word lists (mxdys's decider, a case of the closed tape languages of J. Marxen and others).
//!
//! The tape is cut into words of one length; equal neighbours are counted, but counts of `told_apart` and more are not
//! told apart. If the set of such tapes that can be reached is finite and none halts, the machine never does.

use std::collections::HashSet;

use crate::turing::block::{Blocks, Crossing, Entrance, leftwards};
use crate::turing::machine::Machine;
use crate::turing::run::Outcome;

/// Words next to the head last; counts up to `told_apart`, which stands for itself and more. Beyond lies blank.
type Stack = Vec<(u16, u32)>;

/// Most different words.
const MOST_WORDS: usize = 1 << 12;

/// Whether a closed set of at most `most` tapes proves that the machine never halts.
pub(super) fn repeats(machine: &Machine, cells: usize, told_apart: u32, most: usize) -> bool {
    let blocks = Blocks::new(machine, cells, MOST_WORDS);
    if blocks.length < cells {
        return false;
    }
    let mut crossings: Vec<Option<Option<Crossing>>> = vec![None; blocks.entrances() * blocks.count];
    let start: (Entrance, [Stack; 2]) = (0, [Vec::new(), Vec::new()]);
    let mut known = HashSet::from([start.clone()]);
    let mut queue = vec![start];
    while let Some((entrance, sides)) = queue.pop() {
        let ahead = usize::from(!leftwards(entrance));
        let word = sides[ahead].last().map_or(0, |&(word, _)| word);
        let index = usize::from(entrance) * blocks.count + usize::from(word);
        let crossing = *crossings[index].get_or_insert_with(|| blocks.cross(entrance, word));
        let Some(crossing) = crossing else {
            // A word that is never left is as good as none.
            if blocks.finish(entrance, word, u128::MAX).0 == Outcome::Halted {
                return false;
            }
            continue;
        };
        // What may be left ahead once one word is taken.
        let mut rests = vec![sides.clone()];
        if let Some((word, count)) = rests[0][ahead].pop() {
            if count > 1 {
                rests[0][ahead].push((word, count - 1));
            }
            if count == told_apart {
                rests.push(sides);
            }
        }
        let behind = usize::from(leftwards(crossing.exit));
        for mut rest in rests {
            push(&mut rest[behind], crossing.block, told_apart);
            let next = (crossing.exit, rest);
            if !known.contains(&next) {
                if known.len() == most {
                    return false;
                }
                known.insert(next.clone());
                queue.push(next);
            }
        }
    }
    true
}

fn push(stack: &mut Stack, word: u16, told_apart: u32) {
    match stack.last_mut() {
        // Blank on blank without end.
        None if word == 0 => {}
        Some((last, count)) if *last == word => *count = told_apart.min(*count + 1),
        _ => stack.push((word, 1)),
    }
}
