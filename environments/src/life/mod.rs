//! The world `life`.
