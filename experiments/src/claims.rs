//! Registered claims and the one place where a verdict is made.
//!
//! A claim is written into a config before anything is run: its words, its measure, what it is compared with, the
//! effect that would count and what would refute it. An experiment hands back what it [`Measured`] and the
//! [`Evidence`] it has; [`judge`] alone turns these into verdicts.
//!
//! **Effects point upwards.** An effect is measured so that more of it speaks for the claim ("trained minus random
//! initialisation"), and is compared with two numbers: the *null*, at which there is nothing, and the *registered
//! effect*, from which on it would count.
//!
//! **Supported** needs all of: the interval lies above the null; the effect reaches the registered one; the refuter
//! does not hold; at least [`ENOUGH_SEEDS`] model seeds; items 1 to 6 each met, or not applicable for a reason that
//! the config registered beforehand. An item that turns out inconvenient cannot be waived after the run.
//!
//! **Refuted** needs a measurement good enough to carry a negative: enough seeds, and items 3 (trivial cases masked)
//! and 4 (no leaks), which say that the right thing was measured. Then either the interval lies wholly below the
//! registered effect, or the registered refuter holds. Items 1, 2 and 6 are not asked for here: they are places
//! where a claim can fail, and failing there must not shield it.
//!
//! **Preconditions.** A claim may `require` others: "the concept is not represented" says nothing when the model
//! never learnt its task. Where a required claim is not supported, the verdict is `inconclusive` either way.
//!
//! **Inconclusive** is everything else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod evidence;
#[cfg(test)]
mod tests;

pub use evidence::{EVIDENCE_TITLES, Evidence, Status};

/// Fewest model seeds that can carry a verdict other than `inconclusive`.
pub const ENOUGH_SEEDS: usize = 5;

/// A claim as registered in a config, before the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Short name, unique in the config.
    pub name: String,
    /// The claim in words.
    pub statement: String,
    /// What is measured.
    pub measure: String,
    /// What it is compared with.
    pub comparison: String,
    /// The effect that would count, in units of the measure.
    pub effect: f64,
    /// The effect at which there is nothing.
    #[serde(default)]
    pub null: f64,
    /// What would refute it, in words.
    pub refuter: String,
    /// Names of claims that must be supported for this one to be judged at all; they stand earlier in the config.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Evidence items (by number, as text) that do not apply to this claim, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_applicable: BTreeMap<String, String>,
}

impl Claim {
    /// Checks the numbers of a claim, given the names of those before it.
    ///
    /// # Errors
    /// The key at fault (within the claim) and a sentence.
    pub fn validate(&self, earlier: &[&str]) -> Result<(), (&'static str, String)> {
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
            return Err(("name", format!("{:?} is not a name of letters, digits, `-` and `_`", self.name)));
        }
        if earlier.contains(&self.name.as_str()) {
            return Err(("name", format!("`{}` is the name of an earlier claim too", self.name)));
        }
        for (key, text) in [
            ("statement", &self.statement),
            ("measure", &self.measure),
            ("comparison", &self.comparison),
            ("refuter", &self.refuter),
        ] {
            if text.trim().is_empty() {
                return Err((key, "the text is empty; a claim is registered in words".into()));
            }
        }
        if !self.effect.is_finite() || !self.null.is_finite() || self.effect <= self.null {
            return Err(("effect", format!("{} is not a number above the null, {}", self.effect, self.null)));
        }
        if let Some(missing) = self.requires.iter().find(|name| !earlier.contains(&name.as_str())) {
            return Err(("requires", format!("`{missing}` is not the name of an earlier claim")));
        }
        for (item, reason) in &self.not_applicable {
            match item.parse::<usize>() {
                Ok(5) => return Err(("not_applicable", "item 5 (seeds and intervals) applies to every claim".into())),
                Ok(number) if (1..=EVIDENCE_TITLES.len()).contains(&number) && number.to_string() == *item => {}
                _ => return Err(("not_applicable", format!("`{item}` is not an evidence item (1 to 12)"))),
            }
            if reason.trim().is_empty() {
                return Err(("not_applicable", format!("item {item} is waived without a reason")));
            }
        }
        Ok(())
    }
}

/// What an experiment found of one claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The effect, pointing upwards.
    pub effect: f64,
    /// Low and high end of the interval.
    pub interval: (f64, f64),
    /// The interval's confidence level, such as 0.95.
    pub confidence: f64,
    /// The effect for each model seed alone.
    pub per_seed: Vec<f64>,
    /// How the interval was made, such as "bootstrap over 5 seeds and 400 boards, 2000 resamples".
    pub method: String,
    /// What the figures are in, such as "intersection over union".
    pub unit: String,
    /// A p-value where a test was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Whether the registered refuter holds, where it says more than "the interval lies below the effect".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuter: Option<Refuter>,
}

impl Measured {
    /// Whether every figure is a number.
    fn is_finite(&self) -> bool {
        let figures = [self.effect, self.interval.0, self.interval.1, self.confidence, self.p.unwrap_or(0.0)];
        figures.iter().chain(&self.per_seed).all(|figure| figure.is_finite())
    }
}

/// Whether what would refute a claim was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refuter {
    /// It was.
    pub holds: bool,
    /// The figure behind that.
    pub figure: String,
}

/// The verdict on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The effect is there and the checks carry it.
    Supported,
    /// The effect is smaller than registered, or the refuter holds, and the measurement carries that.
    Refuted,
    /// Neither.
    Inconclusive,
}

impl Verdict {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Supported => "supported",
            Verdict::Refuted => "refuted",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// What an experiment hands to the judge for one registered claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The claim's name.
    pub claim: String,
    /// The measurement; absent if it could not be made.
    pub measured: Option<Measured>,
    /// What was checked. Items left out count as unmet, "not checked". Item 5 is filled in by the judge.
    pub evidence: Vec<Evidence>,
}

/// A judged claim, as in `claims.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimResult {
    /// As registered.
    pub claim: Claim,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub because: String,
    /// The measurement.
    pub measured: Option<Measured>,
    /// All twelve items in order.
    pub evidence: Vec<Evidence>,
}

/// `claims.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimsFile {
    /// The experiment's name.
    pub experiment: String,
    /// The seed.
    pub seed: u64,
    /// The judged claims, in the order of the config.
    pub claims: Vec<ClaimResult>,
}

/// Judges every registered claim, in order. A claim without a finding is `inconclusive`.
pub fn judge(claims: &[Claim], findings: &[Finding]) -> Vec<ClaimResult> {
    let mut judged: Vec<ClaimResult> = Vec::with_capacity(claims.len());
    for claim in claims {
        let finding = findings.iter().find(|finding| finding.claim == claim.name);
        let measured = finding.and_then(|finding| finding.measured.clone());
        let given = finding.map_or(&[][..], |finding| &finding.evidence);
        let evidence = evidence::complete(claim, measured.as_ref(), given);
        let lacking = claim
            .requires
            .iter()
            .find(|name| !judged.iter().any(|other| other.claim.name == **name && other.verdict == Verdict::Supported));
        let (verdict, because) = verdict(claim, measured.as_ref(), &evidence, lacking.map(String::as_str));
        // JSON has no NaN: a measurement that is none is told in `because` and left out.
        let measured = measured.filter(Measured::is_finite);
        judged.push(ClaimResult { claim: claim.clone(), verdict, because, measured, evidence });
    }
    judged
}

/// The verdict and its reason. `evidence` is complete and in order; `lacking` names a required claim that is not
/// supported.
fn verdict(
    claim: &Claim,
    measured: Option<&Measured>,
    evidence: &[Evidence],
    lacking: Option<&str>,
) -> (Verdict, String) {
    let inconclusive = |because: String| (Verdict::Inconclusive, because);
    let Some(measured) = measured else {
        return inconclusive("the effect was not measured".into());
    };
    let (low, high) = measured.interval;
    if !(low <= measured.effect && measured.effect <= high && low.is_finite() && high.is_finite()) {
        return inconclusive(format!(
            "the measurement is not sound: effect {}, interval {} to {}",
            figure(measured.effect),
            figure(low),
            figure(high)
        ));
    }
    if let Some(name) = lacking {
        return inconclusive(format!("the claim `{name}`, which this one requires, is not supported"));
    }
    let unmet = |items: &[u8]| -> Vec<String> {
        let items = evidence.iter().filter(|evidence| items.contains(&evidence.item));
        items.filter(|evidence| evidence.status == Status::Unmet).map(|evidence| evidence.item.to_string()).collect()
    };
    let effect = format!("the effect is {} ({} to {})", figure(measured.effect), figure(low), figure(high));
    let refuter = measured.refuter.as_ref().filter(|refuter| refuter.holds);
    let below = high < claim.effect;
    if refuter.is_some() || below {
        let reason = match refuter {
            Some(refuter) => format!("the registered refuter holds: {}", refuter.figure),
            None => format!("{effect}, wholly below the registered {}", figure(claim.effect)),
        };
        return match unmet(&[3, 4, 5]).as_slice() {
            [] => (Verdict::Refuted, reason),
            items => inconclusive(format!("{reason}; but {} unmet, so it refutes nothing", name_items(items))),
        };
    }
    if low <= claim.null {
        return inconclusive(format!("{effect}, which does not exclude the null, {}", figure(claim.null)));
    }
    if measured.effect < claim.effect {
        let registered = figure(claim.effect);
        return inconclusive(format!(
            "{effect}: above the null, but short of the registered {registered}, which the interval does not exclude"
        ));
    }
    let reason = format!("{effect}, above the null and not below the registered {}", figure(claim.effect));
    match unmet(&[1, 2, 3, 4, 5, 6]).as_slice() {
        [] => (Verdict::Supported, reason),
        items => inconclusive(format!("{reason}; but {} unmet", name_items(items))),
    }
}

/// "evidence item 5 is" or "evidence items 1, 2 and 5 are".
fn name_items(items: &[String]) -> String {
    match items {
        [one] => format!("evidence item {one} is"),
        [first @ .., last] => format!("evidence items {} and {last} are", first.join(", ")),
        [] => String::new(),
    }
}

/// A number with three decimals, or in scientific notation where that would show nothing.
pub fn figure(value: f64) -> String {
    if value != 0.0 && (value.abs() < 0.001 || value.abs() >= 1e6) && value.is_finite() {
        format!("{value:.2e}")
    } else {
        // So that −0.0001 rounded is not shown as −0.000.
        let text = format!("{value:.3}");
        if text == "-0.000" { "0.000".into() } else { text }
    }
}
