//! A fingerprint of a board that no translation, rotation or reflection changes.
//!
//! Colour refinement (Weisfeiler and Leman 1968) on the torus: a cell's colour is renewed from its own, the sum of
//! its four orthogonal and the sum of its four diagonal neighbours' colours, and at last all colours are summed.
//! Sums do not know directions or places, so equal boards up to symmetry have equal fingerprints by construction.
//! That different boards have different ones is not proved but measured against an exact canonical form in the
//! tests; were two to meet, they would only land in the same split.

use super::board::Board;

/// The symmetry-invariant fingerprint of a board.
pub fn invariant_hash(board: &Board) -> u64 {
    let (width, height) = (board.width() as usize, board.height() as usize);
    // A cell midway between two objects must see both of them.
    let rounds = (width.max(height).div_ceil(4) + 2).clamp(4, 16);
    let mut colours = vec![DEAD; width * height];
    for (column, row) in board.live() {
        colours[row as usize * width + column as usize] = LIVE;
    }
    // Sums of vertical neighbours, so that each cell reads three columns of two numbers.
    let mut pair = vec![0u64; width + 2];
    let mut own = vec![0u64; width + 2];
    let mut first = vec![0u64; width];
    let mut above = vec![0u64; width];
    for _ in 0..rounds {
        first.copy_from_slice(&colours[..width]);
        above.copy_from_slice(&colours[(height - 1) * width..]);
        for row in 0..height {
            let (past, rest) = colours.split_at_mut((row + 1) * width);
            let now = &mut past[row * width..];
            let below: &[u64] = if row + 1 < height { &rest[..width] } else { &first };
            for column in 0..width {
                pair[column + 1] = above[column].wrapping_add(below[column]);
                own[column + 1] = now[column];
            }
            (pair[0], pair[width + 1]) = (pair[width], pair[1]);
            (own[0], own[width + 1]) = (own[width], own[1]);
            above.copy_from_slice(now);
            for column in 0..width {
                let orthogonal = pair[column + 1].wrapping_add(own[column]).wrapping_add(own[column + 2]);
                let diagonal = pair[column].wrapping_add(pair[column + 2]);
                let sum = own[column + 1]
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .wrapping_add(orthogonal.rotate_left(21))
                    .wrapping_add(diagonal.rotate_left(43));
                // Half of SplitMix's finaliser: the next round does the rest, and time is spent here.
                let mixed = (sum ^ sum >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                now[column] = mixed ^ mixed >> 32;
            }
        }
    }
    mix(colours.iter().fold(0u64, |sum, &colour| sum.wrapping_add(mix(colour ^ SUMMED))))
}

const DEAD: u64 = 0x243f_6a88_85a3_08d3;
const LIVE: u64 = 0x1319_8a2e_0370_7344;
const SUMMED: u64 = 0xa409_3822_299f_31d0;

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(mut value: u64) -> u64 {
    value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
