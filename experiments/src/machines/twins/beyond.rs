//! What the report tells beyond the claims: twins that nothing can tell apart, and the probe for the entry in which twins
//! differ.

use serde_json::{Value as Json, json};

use super::super::words::{Desk, estimated};
use super::entries::{Frame, Readings, When};
use super::outcome::Found;
use crate::evidence::metrics::ratio;
use crate::evidence::numeric::exponential;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, over_seeds};
use crate::experiment::{Section, Table};

/// Seeds × twins × (the own machine is preferred, twins); twins without a preference count half.
fn preferred(seeds: &[&Vec<f64>]) -> Arm {
    let one = |odds: &&Vec<f64>| -> Vec<Vec<f64>> {
        let share = |odds: &f64| if *odds == 0.0 { 0.5 } else { f64::from(u8::from(*odds > 0.0)) };
        odds.iter().map(|odds| vec![share(odds), 1.0]).collect()
    };
    Arm::new(&seeds.iter().map(one).collect::<Vec<_>>())
}

/// The share of twins of which the own machine is preferred.
fn share(desk: &Desk<'_>, what: &str, seeds: &[&Vec<f64>]) -> Option<Estimate> {
    // Where nothing is read there is nothing to prefer.
    if seeds.iter().any(|odds| odds.is_empty()) {
        return None;
    }
    desk.estimate(what, Design::Crossed, &[&preferred(seeds)], &|t| over_seeds(&t[0], |t| ratio(t[0], t[1])))
}

/// How strongly one of two machines is preferred, right or wrong: odds as the exponential of the mean distance of log odds
/// from 0.
fn strength(seeds: &[&Vec<f64>]) -> f64 {
    exponential(mean(&seeds.iter().flat_map(|odds| odds.iter().map(|odds| odds.abs())).collect::<Vec<_>>()))
}

/// What was found, told.
pub struct Beyond {
    /// The models' predictions of twins whose entry never fires: share preferring the own machine.
    silent: Option<Estimate>,
    /// Odds with which they prefer one, the models and Bayes.
    strengths: [f64; 2],
    /// The same odds at the next use of an entry that has fired.
    fired: [f64; 2],
    count: usize,
    /// By source (a tap of the trained models, or of random weights), frame and time: share preferring the own machine; last
    /// of twins whose entry never fires.
    probes: Vec<(String, Frame, Vec<Option<Estimate>>)>,
}

impl Beyond {
    /// Measures it.
    pub fn take(found: &Found, desk: &Desk<'_>) -> Self {
        let of: Vec<&Vec<f64>> = found.models.iter().map(|of| &of.silent).collect();
        let next = |forks: &[super::measure::Fork]| -> Vec<f64> { forks.iter().map(|fork| fork.log_odds[0]).collect() };
        let fired: Vec<Vec<f64>> = found.models.iter().map(|of| next(&of.reported.forks)).collect();
        let trained: Vec<&Readings> = found.models.iter().map(|of| &of.entries).collect();
        let mut probes = Vec::new();
        for (who, readings) in [("trained", trained), ("random weights", vec![&found.untrained_entries])] {
            for (tap, name) in found.taps.iter().enumerate().skip(1) {
                for frame in Frame::ALL {
                    let what = |when: &str| format!("probe {who} {name} {} {when}", frame.name());
                    let at = |when: When| {
                        let seeds: Vec<&Vec<f64>> =
                            readings.iter().map(|of| &of.pairs[tap][frame as usize][when as usize]).collect();
                        share(desk, &what(&format!("{when:?}")), &seeds)
                    };
                    let seeds: Vec<&Vec<f64>> = readings.iter().map(|of| &of.silent[tap][frame as usize]).collect();
                    let mut all: Vec<Option<Estimate>> = When::ALL.map(at).to_vec();
                    all.push(share(desk, &what("silent"), &seeds));
                    probes.push((format!("{who}, {name}"), frame, all));
                }
            }
        }
        Self {
            silent: share(desk, "silent twins", &of),
            strengths: [strength(&of), strength(&[&found.silent_bayes])],
            fired: [strength(&fired.iter().collect::<Vec<_>>()), strength(&[&next(&found.reported.bayes)])],
            count: found.silent_bayes.len(),
            probes,
        }
    }

    /// As data.
    pub fn json(&self) -> Json {
        let probe = |(source, frame, all): &(String, Frame, Vec<Option<Estimate>>)| {
            json!({
                "source": source, "frame": frame.name(),
                "before": all[0], "fired": all[1], "next": all[2], "silent": all[3],
            })
        };
        json!({
            "silent": { "twins": self.count, "own_preferred": self.silent, "odds": self.strengths, "odds_fired": self.fired },
            "probes": self.probes.iter().map(probe).collect::<Vec<_>>(),
        })
    }

    /// What the report shows.
    pub fn section(&self) -> Section {
        let row = |(source, frame, all): &(String, Frame, Vec<Option<Estimate>>)| {
            let start = [source.clone(), frame.name().to_string()];
            start.into_iter().chain(all.iter().map(|estimate| estimated(estimate.as_ref()))).collect()
        };
        let odds = |odds: f64| if odds < 100.0 { format!("{odds:.1}") } else { format!("{odds:.0}") };
        let header = ["read at", "the entry", "before it fires", "at its firing", "before its next use", "never fires"];
        Section {
            title: "Where nothing tells twins apart, and the probe for the entry".into(),
            claim: None,
            text: vec![
                format!(
                    "{} runs in which the entry that twins differ in never fires, though it could have: where it last could, the \
                     models prefer the machine that is called the own one in {} of them (a coin: .5), by odds of {} on average \
                     (Bayes: {}). At the next use of an entry that has fired these are {} ({}).",
                    self.count,
                    estimated(self.silent.as_ref()),
                    odds(self.strengths[0]),
                    odds(self.strengths[1]),
                    odds(self.fired[0]),
                    odds(self.fired[1])
                ),
                "Linear probes for what an entry does (symbol written and move), fitted on runs of training machines where the \
                 entry has fired and is not the step in the token: the share of twins for which they prefer the own machine to \
                 its twin. A coin gives .5, and must where the entry has not fired."
                    .into(),
            ],
            figures: Vec::new(),
            tables: vec![Table {
                caption: "Twins for which the probe prefers the own machine, with 95% intervals.".into(),
                header: header.map(String::from).to_vec(),
                rows: self.probes.iter().map(row).collect(),
            }],
        }
    }
}
