//! From scores of twins to findings and report.

use serde_json::{Value as Json, json};

use super::beyond::Beyond;
use super::entries::Readings;
use super::measure::{Change, Fork, Measured, Patch};
use super::{Measure, NAME, Of, Sets};
use crate::claims::{self, Evidence, Finding, figure};
use crate::config::Config;
use crate::evidence::metrics::ratio;
use crate::evidence::numeric::logarithm;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, over_seeds};
use crate::experiment::{Outcome, Section, Table};
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};

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

/// The controls of the swap.
const CONTROLS: [Patch; 3] = [Patch::Random, Patch::OtherEntry, Patch::Null];

/// Whether the odds pass at a use; and the number of firings seen until they do, of those that there are and one more.
fn told(fork: &Fork, bound: f64) -> (f64, f64) {
    let place = fork.log_odds.iter().position(|odds| *odds > bound);
    let until = place.unwrap_or(fork.log_odds.len()) + 1;
    (f64::from(u8::from(fork.log_odds[0] > bound)), until as f64)
}

fn of_patch(changes: &[Vec<Vec<Change>>], tap: usize, patch: Patch) -> &[Change] {
    &changes[tap][patch as usize]
}

fn gain(changes: &[Change]) -> f64 {
    changes.iter().map(|change| change.gain).sum::<f64>() / changes.len().max(1) as f64
}

impl Found {
    /// The tap between the embedding and the last block at which the twin's patch gains most on the pairs for choosing.
    fn tap(&self) -> Option<usize> {
        let score = |tap: usize| -> f64 {
            self.models.iter().map(|of| gain(of_patch(&of.choosing.changes, tap, Patch::Twin))).sum()
        };
        (1..self.taps.len().saturating_sub(1)).reduce(|best, next| if score(next) > score(best) { next } else { best })
    }

    /// The control that gains most there on the same pairs.
    fn control(&self, tap: usize) -> Patch {
        let score = |patch: Patch| -> f64 {
            self.models.iter().map(|of| gain(of_patch(&of.choosing.changes, tap, patch))).sum()
        };
        CONTROLS.into_iter().fold(CONTROLS[0], |best, next| if score(next) > score(best) { next } else { best })
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

    /// Seeds × pairs × (gain of the twin's patch, gain of a control, damage of the twin's patch, 1).
    fn swaps(&self, tap: usize, patch: Patch, control: Patch) -> Arm {
        let one = |of: &Of| -> Vec<Vec<f64>> {
            let twin = of_patch(&of.reported.changes, tap, patch);
            let other = of_patch(&of.reported.changes, tap, control);
            twin.iter().zip(other).map(|(a, b)| vec![a.gain, b.gain, a.damage, 1.0]).collect()
        };
        Arm::new(&self.models.iter().map(one).collect::<Vec<_>>())
    }

    fn mean_gain(&self, tap: usize, patch: Patch, of: fn(&Change) -> f64) -> f64 {
        let one = |model: &Of| mean(&of_patch(&model.reported.changes, tap, patch).iter().map(of).collect::<Vec<_>>());
        mean(&self.models.iter().map(one).collect::<Vec<_>>())
    }
}

/// Findings, figures and report.
pub fn outcome(found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples };
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

    let tap = found.tap();
    let control = tap.map(|tap| found.control(tap));
    let swaps = tap.zip(control).map(|(tap, control)| found.swaps(tap, Patch::Twin, control));
    let beyond = |t: &[f64]| ratio(t[0] - t[1], t[3]);
    let swapped = swaps
        .as_ref()
        .and_then(|arm| desk.measured("swap", "probability", Design::Crossed, &[arm], &|t| over_seeds(&t[0], beyond)));
    let damage = swaps.as_ref().and_then(|arm| {
        desk.estimate("damage", Design::Crossed, &[arm], &|t| over_seeds(&t[0], |t| ratio(t[2], t[3])))
    });
    let necessity = tap.and_then(|tap| {
        let one = |of: &Of| -> Vec<Vec<f64>> {
            let pairs = of_patch(&of.reported.changes, tap, Patch::Mean).iter();
            let random = of_patch(&of.reported.changes, tap, Patch::Random);
            pairs.zip(random).map(|(mean, random)| vec![mean.loss - random.loss, 1.0]).collect()
        };
        let arm = Arm::new(&found.models.iter().map(one).collect::<Vec<_>>());
        desk.estimate("necessity", Design::Crossed, &[&arm], &|t| over_seeds(&t[0], |t| ratio(t[0], t[1])))
    });
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
    let swap_evidence = swap_evidence(found, &desk, tap, control, damage.as_ref(), necessity.as_ref(), leaks, when);
    let aside = Beyond::take(found, &desk);
    let probes = json!({
        "pairs": { "choosing": found.choosing.pairs.len(), "reported": found.reported.pairs.len() },
        "told_apart": { "trained": told_own, "bayes": told_bayes, "rival": told_rival, "rival_name": rival, "untrained": untrained },
        "firings_over_bayes": slower,
        "favoured_before": before,
        "tap": tap.map(|tap| &found.taps[tap]),
        "strongest_control": control.map(Patch::name),
        "patches": patches_json(found),
        "damage": damage,
        "necessity": necessity,
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
        sections: vec![fork_section, swap_section(found, &desk), aside.section()],
    }
}

#[allow(clippy::too_many_arguments)]
fn swap_evidence(
    found: &Found,
    desk: &Desk<'_>,
    tap: Option<usize>,
    control: Option<Patch>,
    damage: Option<&Estimate>,
    necessity: Option<&Estimate>,
    leaks: Evidence,
    when: Evidence,
) -> Vec<Evidence> {
    let Some((tap, control)) = tap.zip(control) else { return vec![leaks, when] };
    let gain_of = |patch: Patch| found.mean_gain(tap, patch, |change| change.gain);
    let all: Vec<String> =
        Patch::ALL.iter().map(|&patch| format!("{} {}", patch.name(), figure(gain_of(patch)))).collect();
    let beats = CONTROLS.iter().all(|&control| {
        let arm = found.swaps(tap, Patch::Twin, control);
        let beyond = |t: &[f64]| ratio(t[0] - t[1], t[3]);
        let estimate = desk
            .estimate(&format!("swap {}", control.name()), Design::Crossed, &[&arm], &|t| over_seeds(&t[0], beyond));
        estimate.is_some_and(|estimate| estimate.interval.0 > 0.0)
    });
    let null = gain_of(Patch::Null);
    let random_damage = found.mean_gain(tap, Patch::Random, |change| change.damage);
    let by_entry = by_entry(found, tap);
    let told: Vec<String> = by_entry.iter().map(|(name, gain)| format!("{name} {}", figure(*gain))).collect();
    let untrained = gain(of_patch(&found.untrained.changes, tap, Patch::Twin));
    vec![
        Evidence::new(
            1,
            beats && null == 0.0,
            format!(
                "rise of the probability of what the twin does, by the simulator, at {}: {}; the null patch changes nothing at \
                 all; at uses of other entries the true step loses {} (random patch {})",
                found.taps[tap],
                all.join(", "),
                estimated(damage),
                figure(random_damage)
            ),
        ),
        Evidence::new(
            2,
            true,
            format!(
                "the same patch with random weights: {}; at the embedding (a reference, an edit of the history): {}",
                figure(untrained),
                figure(found.mean_gain(0, Patch::Twin, |change| change.gain))
            ),
        ),
        Evidence::new(
            3,
            true,
            "scored at the next use of the entry only, after the patched position, given the symbol read",
        ),
        leaks,
        Evidence::new(
            7,
            necessity.is_some_and(|necessity| necessity.interval.0 > 0.0),
            format!(
                "the mean over pairs in place of the position's own activation takes from the own step, beyond a random patch: {}",
                estimated(necessity)
            ),
        ),
        Evidence::new(10, by_entry.iter().all(|(_, gain)| *gain > 0.0), format!("gain by entry: {}", told.join(", "))),
        when,
        Evidence::new(
            12,
            true,
            format!(
                "of {} taps between the ends, {} is chosen on validation pairs, and so is the strongest control ({})",
                found.taps.len().saturating_sub(2),
                found.taps[tap],
                control.name()
            ),
        ),
    ]
}

/// Mean gain by the entry in which twins differ, such as `B1`.
fn by_entry(found: &Found, tap: usize) -> Vec<(String, f64)> {
    let mut all: std::collections::BTreeMap<(u8, u8), Vec<f64>> = std::collections::BTreeMap::new();
    for of in &found.models {
        let changes = of_patch(&of.reported.changes, tap, Patch::Twin);
        for (pair, change) in found.reported.pairs.iter().zip(changes) {
            all.entry(pair.entry).or_default().push(change.gain);
        }
    }
    all.into_iter()
        .map(|((state, symbol), gains)| (format!("{}{symbol}", char::from(b'A' + state)), mean(&gains)))
        .collect()
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

fn patches_json(found: &Found) -> Json {
    let tap = |(tap, name): (usize, &String)| {
        let patches: serde_json::Map<String, Json> = Patch::ALL
            .iter()
            .map(|&patch| {
                let of = |pick: fn(&Change) -> f64| found.mean_gain(tap, patch, pick);
                let value = json!({ "gain": of(|c| c.gain), "loss": of(|c| c.loss), "damage": of(|c| c.damage) });
                (patch.name().to_string(), value)
            })
            .collect();
        (name.clone(), Json::Object(patches))
    };
    Json::Object(found.taps.iter().enumerate().map(tap).collect())
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

fn swap_section(found: &Found, desk: &Desk<'_>) -> Section {
    let shown = [Patch::Twin, Patch::Random, Patch::OtherEntry, Patch::Mean];
    let bars = |patch: Patch| Bars {
        name: patch.name().into(),
        baseline: patch != Patch::Twin,
        values: (0..found.taps.len())
            .map(|tap| {
                let arm = found.swaps(tap, patch, Patch::Null);
                let what = format!("bar {} {tap}", patch.name());
                let estimate =
                    desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], |t| ratio(t[0], t[3])))?;
                Some(Value { value: estimate.value, interval: Some(estimate.interval) })
            })
            .collect(),
    };
    let rows = found
        .taps
        .iter()
        .enumerate()
        .flat_map(|(tap, name)| {
            Patch::ALL.iter().map(move |&patch| {
                let of = |pick: fn(&Change) -> f64| claims::figure(found.mean_gain(tap, patch, pick));
                vec![name.clone(), patch.name().into(), of(|c| c.gain), of(|c| c.loss), of(|c| c.damage)]
            })
        })
        .collect();
    let header = ["tap", "patch", "gain of the twin's step", "loss of the own step", "loss at other entries"];
    Section {
        title: "The swap".into(),
        claim: Some("swap".into()),
        text: vec![
            "The activation at the position that holds the entry's first firing is replaced; the prediction is scored at the \
             entry's next use. At the embedding the patch is an edit of the history, at the last block nothing can come of it: \
             both ends are references and no evidence."
                .into(),
        ],
        figures: vec![Figure {
            name: "swap".into(),
            title: "What a patch from the twin's run does".into(),
            caption: "Rise of the probability of what the twin does at the entry's next use, by tap. 95% bootstrap intervals."
                .into(),
            plot: Plot::Bars {
                y: Axis::new("rise of probability").spanning(0.0, 1.0),
                groups: found.taps.clone(),
                series: shown.into_iter().map(bars).collect(),
            },
        }],
        tables: vec![Table {
            caption: "Means over models and pairs, in probability.".into(),
            header: header.map(String::from).to_vec(),
            rows,
        }],
    }
}
