//! Memory that is used again.

use std::sync::{Mutex, PoisonError};

/// Workspaces, no more than were ever in use at once: to get memory from the system anew costs as much as to run a
/// small model, and one that was used just now is still in a core's cache. Which one is used changes no result.
pub struct Pool<T>(Mutex<Vec<T>>);

impl<T> Pool<T> {
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Works with a workspace that is kept or, if all are in use, made.
    pub fn with<R>(&self, make: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let space = kept().pop();
        let mut space = space.unwrap_or_else(make);
        let result = work(&mut space);
        kept().push(space);
        result
    }
}
