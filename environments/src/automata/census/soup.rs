//! Random soups as apgsearch makes them for symmetry C1.

use sha2::{Digest, Sha256};

use crate::automata::pattern::Pattern;

/// The soup of a seed: 16×16 cells; row y is the big-endian 16-bit word at byte 2 y of SHA-256(seed), whose least
/// significant bit is column 0.
pub fn soup(seed: &str) -> Pattern {
    let digest = Sha256::digest(seed.as_bytes());
    let bit = |x: usize, y: usize| u16::from_be_bytes([digest[2 * y], digest[2 * y + 1]]) >> x & 1 == 1;
    let places = (0..16).flat_map(|y| (0..16).map(move |x| (x, y)));
    Pattern::from_live(places.filter(|&(x, y)| bit(x, y)).map(|(x, y)| (x as i32, y as i32)))
}
