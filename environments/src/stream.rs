//! The only source of chance: a ChaCha stream with an address.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A named ChaCha8 stream. The key is the SHA-256 of its address, so streams with different addresses are
/// independent and a stream is the same on every machine.
pub type Stream = ChaCha8Rng;

/// The stream at an address such as `["life", fingerprint, "train", "17"]`. Parts are length-prefixed, so no two
/// different addresses collide.
pub fn stream(address: &[&str]) -> Stream {
    let mut hash = Sha256::new();
    for part in address {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// Draws whose values are fixed here, so that a new version of a library cannot change an episode.
pub trait Draw: Rng {
    /// A number below `bound`, all equally likely (Lemire's multiplication with rejection, arXiv:1805.10941).
    ///
    /// # Panics
    /// If `bound` is 0.
    fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a number below 0 was asked for");
        let reject = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= reject {
                return (product >> 64) as u64;
            }
        }
    }

    /// A number from `low` to `high`, both included, all equally likely.
    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A number in [0, 1), a multiple of 2⁻⁵³.
    fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// True with a probability.
    fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

impl<R: Rng + ?Sized> Draw for R {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_with_different_addresses_differ_and_with_equal_ones_do_not() {
        let first = |address: &[&str]| stream(address).next_u64();
        assert_eq!(first(&["a", "bc"]), first(&["a", "bc"]));
        assert_ne!(first(&["a", "bc"]), first(&["ab", "c"]));
        assert_ne!(first(&["a", ""]), first(&["a"]));
    }

    #[test]
    fn draws_are_the_ones_they_were() {
        let mut stream = stream(&["test"]);
        let drawn: Vec<u64> = (0..6).map(|_| stream.below(1000)).collect();
        assert_eq!(drawn, [759, 155, 21, 359, 137, 77]);
    }

    #[test]
    fn draws_are_even_and_within_bounds() {
        let mut stream = stream(&["test", "even"]);
        let mut counts = [0i32; 7];
        (0..70_000).for_each(|_| counts[stream.below(7) as usize] += 1);
        // Binomial, standard deviation 93: five of them.
        assert!(counts.iter().all(|count| (count - 10_000).abs() < 465), "{counts:?}");
        assert!((0..1000).all(|_| (3..=5).contains(&stream.between(3, 5))));
        assert!((0..1000).all(|_| (0.0..1.0).contains(&stream.unit())));
        let hits = (0..10_000).filter(|_| stream.chance(0.3)).count() as i32;
        assert!((hits - 3000).abs() < 230, "{hits}");
        assert!(!stream.chance(0.0) && stream.chance(1.0));
        assert_eq!(stream.below(1), 0);
    }
}
