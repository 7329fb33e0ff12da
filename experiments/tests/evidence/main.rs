//! The evidence toolkit against models whose truth is planted.
#![allow(clippy::unwrap_used)]

mod dictionaries;
mod interchange;
mod looking;
mod planted;
mod shuffled;
mod verdicts;
