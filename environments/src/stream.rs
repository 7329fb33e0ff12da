//! The only source of chance: a ChaCha stream with an address.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
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
