//! What worlds share: fingerprints, splits by a hash, checks of what a person typed.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Address, EnvironmentError, Split};

/// The short hash of a world's configuration. `kind` is the world's name with the version of its generator.
pub fn fingerprint(kind: &str, config: &impl Serialize) -> String {
    // Serialising plain numbers, strings and lists cannot fail.
    let text = serde_json::to_string(config).unwrap_or_default();
    let digest = Sha256::digest(format!("{kind} {text}"));
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The split of a system by the digest of what it is: the place of the digest on a line that is cut by the shares of
/// training, validation and test, in any unit.
///
/// # Panics
/// If all shares are 0.
pub fn split_by(digest: &[u8], shares: [u32; 3]) -> Split {
    let number = digest.iter().take(8).fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let [train, validation, test] = shares.map(u128::from);
    let total = train + validation + test;
    assert!(total > 0, "a partition needs a share that is not 0");
    let place = (u128::from(number) * total) >> 64;
    if place < train {
        Split::Train
    } else if place < train + validation {
        Split::Validation
    } else {
        Split::Test
    }
}

/// Refuses the first number of a config that is out of its range: (key, value, least, most).
///
/// # Errors
/// One sentence that names the key and the nearest number.
pub fn within(numbers: &[(&str, u64, u64, u64)]) -> Result<(), EnvironmentError> {
    match numbers.iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
        None => Ok(()),
        Some(&(key, value, least, most)) => {
            let nearest = value.clamp(least, most);
            Err(EnvironmentError(format!("{key} = {value} is outside {least} to {most}; the nearest is {nearest}")))
        }
    }
}

/// Refuses shares of splits that leave one empty or are out of range.
///
/// # Errors
/// One sentence that names the key.
pub fn check_shares(shares: [u32; 3]) -> Result<(), EnvironmentError> {
    match shares.iter().all(|share| (1..=1 << 20).contains(share)) {
        true => Ok(()),
        false => Err(EnvironmentError(format!("shares = {shares:?}: each must be from 1 to {}", 1 << 20))),
    }
}

impl Address {
    /// Refuses an address of another world than the one with this fingerprint.
    ///
    /// # Errors
    /// One sentence that names both.
    pub(crate) fn must_be_of(&self, fingerprint: &str) -> Result<(), EnvironmentError> {
        match self.environment == fingerprint {
            true => Ok(()),
            false => Err(EnvironmentError(format!(
                "the address is of environment {}, and this one is {fingerprint}",
                self.environment
            ))),
        }
    }
}
