//! A rule to compare Life with: about as dense and as disordered, but without gliders.

/// The control rule: Life, and two transitions turned over: a dead cell with five live neighbours in the arrangement
/// `n` is born, and a live cell with four in the arrangement `w` survives.
///
/// Found by `examples/control_rule.rs` among all rules that differ from Life in one isotropic transition, and those
/// that differ in one more from the three nearest without gliders. On 400 soups (density 0.2 to 0.5) of 64×64 cells,
/// at step 200:
///
/// | rule | live cells | entropy of 2×2 blocks | cells that change in a step | spaceships, 4000 soups |
/// |---|---|---|---|---|
/// | `B3/S23` | 7.61% | 1.350 bits | 5.45% | 4060 |
/// | `B35n/S234w` | 7.40% | 1.312 bits | 5.61% | 0 |
///
/// Spaceships of any shape with a period up to 32 were looked for at steps 50, 200 and 400, so the last column is of
/// 12 000 boards; that none was met does not prove that the rule has none. Life's glider and its three other common
/// spaceships do not fly under it; the still lifes that scenes are made of, and the blinker, are what they are in
/// Life.
///
/// For a control world in which glider *shapes* are planted and labelled all the same, set `rule` to this and
/// `recognise_as` to `B3/S23`: planted scenes and soups are then those of Life's world at the same addresses (ash is
/// the rule's own).
pub const CONTROL_RULE: &str = "B35n/S234w";
