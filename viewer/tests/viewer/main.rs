//! The viewer from outside: sessions on made-up runs, pictures, the binary.
#![allow(missing_docs, clippy::unwrap_used)]

mod binary;
mod lines;
mod machines;
mod made_up;
mod patches;
mod pictures;
mod probes;
mod rules;
mod session;
mod window;
