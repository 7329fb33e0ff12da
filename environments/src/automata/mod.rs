//! Cellular automata: rules, patterns, file formats, names and census.
