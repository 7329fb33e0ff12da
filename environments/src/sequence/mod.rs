//! Statistical sequence models: the reference code lengths that learned models stand beside.
