//! Turing machines.
