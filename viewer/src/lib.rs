//! The binary `stance-viewer` as a library: watch worlds and predictions of a run, and reach in.
//!
//! **Duty.** Show what a run's model sees, believes and gets wrong beside what is true, and let a person change the
//! world and watch the exact counterfactual and the prediction follow.
//!
//! **Invariants.** The viewer never changes a run's results: it reads a run directory and writes nothing there but
//! `view.toml`. Everything a person can do is a [`Command`](command::Command) or a method of
//! [`Session`](session::Session), which draws into plain buffers and is tested without a GPU. Models run on a thread
//! of their own; a frame never waits for them.
//!
//! **Must never know.** How a verdict is made, burn. Types of bevy and egui stay in [`app`].
//!
//! | to add | implement |
//! |---|---|
//! | a scene that is drawn otherwise | [`scene::Drawn`] |
//! | a world whose models can be asked | [`subject::Subject`] |
//! | a board that compares | a [`scene::Panel`] of its scene |
//! | something to do | a line of [`command::COMMANDS`] |

pub mod app;
pub mod arguments;
pub mod automaton;
pub mod board;
pub mod command;
pub mod edits;
pub mod elementary;
pub mod film;
pub mod lens;
pub mod life;
pub mod line;
pub mod mind;
pub mod palette;
pub mod rows;
pub mod scene;
pub mod sequences;
pub mod session;
pub mod source;
pub mod spacetime;
pub mod study;
pub mod subject;
pub mod tape;
pub mod timeline;
pub mod tokens;
pub mod training;
pub mod turing;
pub mod view;
