//! Maps from places on the plane.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from places, over which nothing iterates, so that its order never shows.
pub(in crate::automata) type Places<K, V> = HashMap<K, V, BuildHasherDefault<PlaceHasher>>;

/// A quick hash of places.
#[derive(Default)]
pub(in crate::automata) struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_i32(i32::from(*byte));
        }
    }

    fn write_usize(&mut self, value: usize) {
        self.write_i32(value as i32);
    }

    fn write_i32(&mut self, value: i32) {
        self.0 = (self.0 ^ u64::from(value as u32)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}
