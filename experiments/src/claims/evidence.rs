//! The twelve items of the evidence standard, and how they are completed for a claim.

use serde::{Deserialize, Serialize};

use super::{Claim, ENOUGH_SEEDS, Measured};

/// What the twelve items ask for, most important first; item n is at n − 1.
pub const EVIDENCE_TITLES: [&str; 12] = [
    "Causal, against the simulator: the edit inside the network predicts the simulated edited world; null, random and \
     wrong-concept edits, a dose curve and the damage beside it; scored outside what was patched",
    "Baselines with the same probe and budget: random initialisation, raw input windows, embeddings, position alone",
    "Trivial cases masked: only live, changed or undetermined cells; balanced accuracy or Matthews correlation; \
     majority and persistence beside it",
    "No leaks: splits by system, trajectory and seed; boards deduplicated under the world's symmetries; held-out \
     systems or sizes",
    "Seeds and intervals: at least five model seeds; bootstrap over seeds and trajectories, never over cells",
    "Selectivity: accuracy minus that on a control task with random labels; probe capacity swept from linear upwards",
    "Necessity: erasing the concept hurts where it matters, more than a random subspace of the same rank",
    "More than the output: decodable beyond the model's own next-token distribution and local features",
    "Description length: prequential code length of the labels given activations; curve over training-set size",
    "Abstraction: one probe works at unseen positions, phases and headings; look-alikes do not fire it",
    "When: the concept's rise over log-spaced checkpoints beside the loss, in a continuous measure",
    "Multiplicity: selected on validation, corrected, reported on test; tools tested on planted features",
];

/// What is known of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Checked, and passed.
    Met,
    /// Not checked, or not passed.
    Unmet,
    /// Does not apply to this claim, for a reason that was registered before the run.
    NotApplicable,
}

impl Status {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Status::Met => "met",
            Status::Unmet => "unmet",
            Status::NotApplicable => "not applicable",
        }
    }
}

/// One item with its figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The item's number, 1 to 12.
    pub item: u8,
    /// Its status.
    pub status: Status,
    /// The figure or fact behind the status, in words.
    pub figure: String,
}

impl Evidence {
    /// An item as met if `passed`, with the figure that says so.
    pub fn new(item: u8, passed: bool, figure: impl Into<String>) -> Self {
        Self { item, status: if passed { Status::Met } else { Status::Unmet }, figure: figure.into() }
    }
}

/// All twelve items in order. What was not reported, or has no figure, is unmet; what the config waives is not
/// applicable (and nothing else is); item 5 follows from the measurement alone.
pub(super) fn complete(claim: &Claim, measured: Option<&Measured>, given: &[Evidence]) -> Vec<Evidence> {
    let items = 1..=EVIDENCE_TITLES.len() as u8;
    items
        .map(|item| {
            if item == 5 {
                return seeds(measured);
            }
            if let Some(reason) = claim.not_applicable.get(&item.to_string()) {
                return Evidence { item, status: Status::NotApplicable, figure: reason.clone() };
            }
            // Where an item was reported twice, the worse report counts.
            let reported: Vec<&Evidence> = given.iter().filter(|evidence| evidence.item == item).collect();
            let worst = reported.iter().find(|evidence| evidence.status != Status::Met).or(reported.first());
            match worst {
                None => Evidence::new(item, false, "not checked"),
                Some(evidence) if evidence.figure.trim().is_empty() => {
                    Evidence::new(item, false, "reported without a figure")
                }
                Some(evidence) if evidence.status == Status::NotApplicable => Evidence::new(
                    item,
                    false,
                    format!("said not to apply, but the config does not register that: {}", evidence.figure),
                ),
                Some(evidence) => (*evidence).clone(),
            }
        })
        .collect()
}

fn seeds(measured: Option<&Measured>) -> Evidence {
    let Some(measured) = measured else { return Evidence::new(5, false, "nothing was measured") };
    let seeds = measured.per_seed.len();
    let finite = measured.per_seed.iter().all(|effect| effect.is_finite());
    let sound = finite && !measured.method.trim().is_empty() && (0.9..1.0).contains(&measured.confidence);
    let method = if sound { measured.method.as_str() } else { "no sound interval" };
    Evidence::new(5, sound && seeds >= ENOUGH_SEEDS, format!("{seeds} of {ENOUGH_SEEDS} model seeds; {method}"))
}
