//! From scores of twins to findings and report.

use serde_json::json;

use super::beyond::Beyond;
use super::entries::Readings;
use super::measure::{Fork, Measured, PATCHES};
use super::{Measure, NAME, Of, Sets};
use crate::claims::{Evidence, Finding, figure};
use crate::config::Config;
use crate::evidence::metrics::ratio;
use crate::evidence::numeric::logarithm;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, over_seeds};
use crate::experiment::{Outcome, Section};
use crate::figures::{Axis, Figure, Line, Plot, Value};
use crate::swaps::Swaps;

use super::super::words::{Desk, estimated, halfway, number};

/// Everything that was measured.
pub struct Found {
    /// Trained models.
    pub models: Vec<Of>,
    /// One with random weights.
    pub untrained: Measured,
    /// Its entries.
    pub untrained_entries: Readings,
    /// Pairs for choosing.
    pub choosing: Sets,
    /// Pairs for reporting.
    pub reported: Sets,
    /// Bayes's log odds between twins whose entry never fires.
    pub silent_bayes: Vec<f64>,
    /// The taps that were patched.
    pub taps: Vec<String>,
}

/// Whether the odds pass at a use; and the number of firings seen until they do, of those that there are and one more.
fn told(fork: &Fork, bound: f64) -> (f64, f64) {
    let place = fork.log_odds.iter().position(|odds| *odds > bound);
    let until = place.unwrap_or(fork.log_odds.len()) + 1;
    (f64::from(u8::from(fork.log_odds[0] > bound)), until as f64)
}

impl Found {
    fn swaps(&self) -> Swaps<'_> {
        Swaps {
            patches: &PATCHES,
            taps: &self.taps,
            choosing: self.models.iter().map(|of| &of.choosing.changes).collect(),
            reported: self.models.iter().map(|of| &of.reported.changes).collect(),
            untrained: &self.untrained.changes,
            clusters: (0..self.reported.pairs.len()).collect(),
        }
    }

    /// The statistical predictor that tells most twins apart on the pairs for choosing.
    fn rival(&self, bound: f64) -> usize {
        let score = |forks: &[Fork]| forks.iter().map(|fork| told(fork, bound).0).sum::<f64>();
        let all: Vec<f64> = self.choosing.statistical.iter().map(|(_, forks)| score(forks)).collect();
        (0..all.len()).fold(0, |best, next| if all[next] > all[best] { next } else { best })
    }

    /// Seeds × pairs × (told apart by the model, by Bayes, by the rival; firings until then of the model and of Bayes;
    /// own step favoured before; 1).
    fn forks(&self, bound: f64) -> Arm {
        let rival = &self.reported.statistical[self.rival(bound)].1;
        let one = |of: &Of| -> Vec<Vec<f64>> {
            let pairs = of.reported.forks.iter().zip(&self.reported.bayes).zip(rival);
            pairs
                .map(|((own, bayes), rival)| {
                    let (own_told, own_until) = told(own, bound);
                    let (bayes_told, bayes_until) = told(bayes, bound);
                    let before = f64::from(u8::from(own.favoured_before));
                    vec![own_told, bayes_told, told(rival, bound).0, own_until, bayes_until, before, 1.0]
                })
                .collect()
        };
        Arm::new(&self.models.iter().map(one).collect::<Vec<_>>())
    }
}

/// Findings, figures and report.
pub fn outcome(found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples, clusters: "runs" };
    let bound = logarithm(measure.odds);
    let forks = found.forks(bound);
    let way = |t: &[f64]| ratio(t[0] - t[2], t[1] - t[2]);
    let forked =
        desk.measured("forks", "share of the way to Bayes", Design::Crossed, &[&forks], &|t| over_seeds(&t[0], way));
    let share = |name: &str, place: usize| {
        desk.estimate(name, Design::Crossed, &[&forks], &|t| over_seeds(&t[0], |t| ratio(t[place], t[6])))
    };
    let before = share("before", 5);
    let slower = desk.estimate("firings", Design::Crossed, &[&forks], &|t| over_seeds(&t[0], |t| ratio(t[3], t[4])));
    let rival = &found.reported.statistical[found.rival(bound)].0;
    let (told_own, told_bayes, told_rival) = (share("own", 0), share("bayes", 1), share("rival", 2));

    let swaps = found.swaps();
    let tap = swaps.tap();
    let swapped = tap.and_then(|tap| swaps.measured(&desk, tap));
    let leaks = Evidence::new(
        4,
        true,
        format!(
            "{} pairs for choosing and {} for reporting; both machines of a pair are of the split by their canonical form, \
             and no model was trained on either",
            found.choosing.pairs.len(),
            found.reported.pairs.len()
        ),
    );
    let curve = mean_curve(found);
    let stands: Vec<String> = curve
        .iter()
        .map(|(step, odds, told, gains)| {
            format!(
                "{step}: odds {}, told apart {}, gain {}",
                figure(*odds),
                figure(*told),
                number(tap.map(|tap| gains[tap]))
            )
        })
        .collect();
    let rises = matches!((curve.first(), curve.last()), (Some(a), Some(b)) if b.1 > a.1) && curve.len() >= 4;
    let odds: Vec<Vec<(u64, f64)>> =
        found.models.iter().map(|of| of.curve.iter().map(|stand| (stand.step, stand.log_odds)).collect()).collect();
    let when = Evidence::new(
        11,
        rises,
        format!(
            "over training steps, log odds at the next use: {}; odds {}",
            stands.join("; "),
            halfway(&odds, &["evil-twin"])
        ),
    );
    let list: Vec<String> = found
        .reported
        .statistical
        .iter()
        .map(|(name, forks)| {
            format!("{name} {}", figure(mean(&forks.iter().map(|f| told(f, bound).0).collect::<Vec<_>>())))
        })
        .collect();
    let untrained = mean(&found.untrained.forks.iter().map(|fork| told(fork, bound).0).collect::<Vec<_>>());
    let coin = before.as_ref().is_some_and(|before| before.interval.0 <= 0.5 && before.interval.1 >= 0.5);
    let fork_evidence = vec![
        Evidence::new(
            2,
            true,
            format!(
                "twins told apart at odds of {} at the next use: trained {}, Bayes {}, random weights {}; {}",
                figure(measure.odds),
                estimated(&told_own),
                estimated(&told_bayes),
                figure(untrained),
                list.join(", ")
            ),
        ),
        Evidence::new(
            3,
            coin,
            format!(
                "before the entry fires nothing can tell the twins apart, and the own step is favoured in {} of the pairs (a \
                 coin: .5); odds are of write and move given the symbol read, so that random cells bear on none",
                estimated(&before)
            ),
        ),
        leaks.clone(),
        when.clone(),
        Evidence::new(12, true, format!("the best statistical predictor, {rival}, is chosen on validation pairs")),
    ];
    let mut swap_evidence = vec![
        Evidence::new(
            3,
            true,
            "scored at the next use of the entry only, after the patched position, given the symbol read",
        ),
        leaks,
        when,
    ];
    if let Some(tap) = tap {
        let entry = |pair: usize| found.reported.pairs[pair].entry;
        let name = |&(state, symbol): &(u8, u8)| format!("{}{symbol}", char::from(b'A' + state));
        swap_evidence.extend(swaps.evidence(&desk, tap, &swaps.by(tap, entry, name)));
    }
    let aside = Beyond::take(found, &desk);
    let probes = json!({
        "pairs": { "choosing": found.choosing.pairs.len(), "reported": found.reported.pairs.len() },
        "told_apart": { "trained": told_own, "bayes": told_bayes, "rival": told_rival, "rival_name": rival, "untrained": untrained },
        "firings_over_bayes": slower,
        "favoured_before": before,
        "tap": tap.map(|tap| &found.taps[tap]),
        "strongest_control": tap.map(|tap| PATCHES.names[swaps.control(tap)]),
        "patches": swaps.json(),
        "damage": tap.and_then(|tap| swaps.damage(&desk, tap)),
        "necessity": tap.and_then(|tap| swaps.necessity(&desk, tap)),
        "beyond": aside.json(),
        "curves": found.models.iter().map(|of| &of.curve).collect::<Vec<_>>(),
    });
    let text = vec![format!(
        "At the first use of the entry after it fired, odds of {} between the twins are passed in {} of the pairs (Bayes: {}; \
         {rival}: {}). Until they pass, the models need {} times as many firings as Bayes.",
        figure(measure.odds),
        estimated(&told_own),
        estimated(&told_bayes),
        estimated(&told_rival),
        estimated(&slower)
    )];
    let fork_section = Section {
        title: "The fork".into(),
        claim: Some("forks".into()),
        text,
        figures: vec![fork_figure(found, bound)],
        tables: Vec::new(),
    };
    Outcome {
        probes,
        findings: vec![
            Finding { claim: "forks".into(), measured: forked, evidence: fork_evidence },
            Finding { claim: "swap".into(), measured: swapped, evidence: swap_evidence },
        ],
        sections: vec![fork_section, swaps.section(&desk, "swap"), aside.section()],
    }
}

/// Means over models at checkpoints: step, log odds, share told apart, gain by tap.
fn mean_curve(found: &Found) -> Vec<(u64, f64, f64, Vec<f64>)> {
    let Some(first) = found.models.first() else { return Vec::new() };
    let at = |place: usize| {
        let stands: Vec<_> = found.models.iter().filter_map(|of| of.curve.get(place)).collect();
        let of =
            |pick: &dyn Fn(&super::Stand) -> f64| mean(&stands.iter().map(|stand| pick(stand)).collect::<Vec<_>>());
        let gains = (0..found.taps.len()).map(|tap| of(&|stand| stand.gain[tap])).collect();
        (first.curve[place].step, of(&|stand| stand.log_odds), of(&|stand| stand.told_apart), gains)
    };
    (0..first.curve.len()).map(at).collect()
}

/// Share told apart by the number of firings seen.
fn fork_figure(found: &Found, bound: f64) -> Figure {
    let most = 6;
    let line = |name: &str, baseline: bool, all: Vec<&Vec<Fork>>| {
        let point = |firings: usize| {
            let of = |forks: &&Vec<Fork>| {
                let with: Vec<&Fork> = forks.iter().filter(|fork| fork.log_odds.len() >= firings).collect();
                let passed = with.iter().filter(|fork| fork.log_odds[firings - 1] > bound).count();
                ratio(passed as f64, with.len() as f64)
            };
            let shares: Vec<f64> = all.iter().filter_map(of).collect();
            (!shares.is_empty()).then(|| (firings as f64, Value { value: mean(&shares), interval: None }))
        };
        Line { name: name.into(), baseline, points: (1..=most).filter_map(point).collect() }
    };
    let mut series = vec![line("trained", false, found.models.iter().map(|of| &of.reported.forks).collect())];
    series.push(line("Bayes over the class", true, vec![&found.reported.bayes]));
    series.push(line("random weights", true, vec![&found.untrained.forks]));
    let (name, forks) = &found.reported.statistical[found.rival(bound)];
    series.push(line(name, true, vec![forks]));
    Figure {
        name: "fork".into(),
        title: "Telling a machine from its twin".into(),
        caption:
            "Share of pairs whose odds pass, by the number of times that the entry has fired; pairs in which it fires \
                  that often."
                .into(),
        plot: Plot::Lines {
            x: Axis::new("firings of the entry seen"),
            y: Axis::new("share told apart").spanning(0.0, 1.0),
            series,
        },
    }
}
