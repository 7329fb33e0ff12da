//! The world `life`: Life-like rules on a torus, with objects that are recognised exactly.
//!
//! The task is the *jump*: from the board at t and a horizon k, tell the board at t + k. [`LifeWorld`] is the world,
//! [`LifeConfig`] what a person writes to make one, [`LifeEpisode`] an episode with its boards and objects.
//!
//! # Where boards come from
//!
//! *Scenes* are planted: gliders of any phase, heading and position, still lifes, some of them in a glider's way, and
//! blinkers if asked for; no two share a cell of their neighbourhoods at the start. *Ash* is a soup run until about
//! when it enters its final cycle (found exactly, see [`Ash`]); as on small boards gliders soon run into something,
//! a board is as likely taken up to 32 steps before as after, and then about one in sixty 16×16
//! boards holds a glider. *Soups*
//! are independent cells. See [`Source`].
//!
//! # Splits
//!
//! A board's [`invariant_hash`], which no translation, rotation or reflection of the torus changes, decides to which
//! split it belongs, and an address draws from its own stream until a board of its split comes. So no start board is
//! in two splits in any position or orientation. Two things this does not do. Boards are not unique *within* a split:
//! simple ones (a lone block) come again, all in the one split they belong to, so that the others have none of them.
//! And trajectories are not told apart: each address draws its own soup or scene, but the board that a training
//! episode jumps to, or comes by on the way, could be where a test episode starts.
//!
//! # Tokens
//!
//! A board is cut into patches of `patch` × `patch` cells. A patch's symbol has bit `row * patch + column` set where
//! that cell of it is live, so bit 0 is its north-west cell. Position 0 of the tokens is the horizon's,
//! 2^(patch²) + k - 1, and not scored; then the patches of the board at t follow row-major, and in the targets those
//! of the board at t + k.
//!
//! # The phases of a glider
//!
//! Phase 0 to 3 of a glider that heads south-east; from phase 3 it goes to phase 0 one cell to the south-east of where
//! it began. (From one picture to the next, the box around its cells also moves: by one row from 0 to 1, and by one
//! column from 2 to 3.)
//!
//! ```text
//! 0  .O.    1  O.O    2  ..O    3  O..
//!    ..O       .OO       O.O       .OO
//!    OOO       .O.       .OO       OO.
//! ```
//!
//! Headings SW, NW and NE are these pictures turned clockwise once, twice and three times (never mirrored: mirroring
//! gives the picture two phases on).
//!
//! # Labels
//!
//! | concept | scope | value |
//! |---|---|---|
//! | `object_class` | token | `empty`, a kind of [`Kind::all`], or `glider-NE-0` … `glider-SW-3` ([`object_classes`]) |
//! | `object` | token | number of the object |
//! | `doom` | token | steps until the object is destroyed, 1 to 32; none if it is not ([`doom`]) |
//! | `doomed` | token | `survives`, `doomed`: whether that is within the episode's horizon |
//! | `collision` | token | what it is destroyed by: `still-life`, `oscillator`, `spaceship`, `reaction`, `several` ([`Collision`]) |
//! | `changed` | token | `same`, `changed`: whether the patch at t + k differs from that at t |
//! | `glider` | token | `no`, `glider` |
//! | `glider_heading` | token | `NE`, `NW`, `SE`, `SW` |
//! | `glider_phase` | token | 0 to 3 |
//! | `apgcode` | token | that of a kind with a name |
//! | `period` | token | steps until the object, alone, is itself again |
//! | `speed` | token | `0`, `c/4`, `c/2`, `other`: cells a step |
//! | `direction` | token | `N`, `NE`, … `NW`: where an object that moves goes |
//! | `object_apgcode`, `object_period`, `object_speed`, `object_direction`, `object_collision` | object | the same of each object |
//! | `kind`, `object_glider_heading`, `object_glider_phase`, `object_doom`, `object_doomed` | object | the same of each object |
//! | `horizon` | episode | class k - 1, named k |
//! | `source` | episode | `scene`, `ash`, `soup` |
//!
//! A patch belongs to the object with most live cells in it, of equals to the one with the lowest number. Where a
//! concept does not apply (the heading of a block, anything at position 0) there is no value. Objects of the kind
//! `other` return to nothing, so destruction is not told of them.
//!
//! # Cells through time
//!
//! Labels are of the start. What holds of every cell at every step (the object, by a number that it keeps through phases
//! and motion, its apgcode, phase, heading and speed, when it was born and out of what, when it ends and by what, and what
//! is background) is in [`LifeWorld::timeline`].

mod board;
pub mod catalogue;
mod config;
pub mod control;
mod diagram;
pub mod doom;
mod edit;
pub mod features;
mod generate;
mod hash;
mod labels;
mod recognise;
mod sparse;
mod step;
mod timeline;
mod world;

pub use board::{Board, LARGEST, SMALLEST, Symmetry};
pub use catalogue::{Class, Heading};
pub use config::{Ash, LARGEST_SIDE, LONGEST_HORIZON, LifeConfig, Mix, Scenes, Soups};
pub use doom::Collision;
pub use edit::pattern_cells;
pub use generate::Source;
pub use hash::invariant_hash;
pub use labels::{object_class, object_classes, patch_objects};
pub use recognise::{Bounds, Kind, LONGEST_PERIOD, Object, recognise};
pub use step::Stepper;
pub use timeline::{CellTruth, Ending, Timeline, Track};
pub use world::{LifeEpisode, LifeStart, LifeWorld, split_of};
