//! From readings and interventions to findings and report.

use serde_json::{Value as Json, json};

use super::moments::{Frame, Stratum, entries};
use super::readings::{Belief, Read, Reading, Sets, scored_on};
use super::steering::{Change, Write};
use super::{Closer, Measure, NAME};
use crate::claims::{Evidence, Finding, Measured, figure};
use crate::config::Config;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, Totals, over_seeds};
use crate::experiment::{Outcome, Section, Table};
use crate::figures::{Axis, Bars, Figure, Line, Plot, Value};

use super::super::words::{self, Desk, above, estimated, explained, number};

/// Everything that was measured.
pub struct Found {
    /// Of each trained model, by source: taps, then the output.
    pub readings: Vec<Vec<Reading>>,
    /// Of one with random weights.
    pub untrained: Vec<Reading>,
    /// Of the context, without a model.
    pub context: Vec<Reading>,
    /// At the chosen taps, by model.
    pub closer: Vec<Closer>,
    /// Compression of entries' labels by the untrained model's activations and by the context.
    pub codes: (Vec<Option<f64>>, Vec<Option<f64>>),
    /// The moments.
    pub sets: Sets,
    /// Names of the taps.
    pub taps: Vec<String>,
    /// Taps chosen on validation machines.
    pub chosen: Chosen,
}

/// Taps at which concepts are read, by number, and the frames in which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Between the first block and the last, so that what is edited there can be read by later positions.
    pub table: (usize, Frame),
    /// After any block.
    pub state: (usize, Frame),
    /// After any block.
    pub belief: (usize, Frame),
}

impl Chosen {
    /// Tap and frame in which the models' mean score on the moments for choosing is furthest ahead of what the context
    /// gives without a model: what is easy to read in one frame may be so for anyone.
    pub fn new(readings: &[Vec<Reading>], context: &[Reading], depth: usize) -> Self {
        let best = |last: usize, score: &dyn Fn(&Reading, Frame) -> f64| {
            let ahead = |&(tap, frame): &(usize, Frame)| {
                let own =
                    readings.iter().map(|reading| score(&reading[tap], frame)).sum::<f64>() / readings.len() as f64;
                own - context.iter().map(|reading| score(reading, frame)).fold(0.0, f64::max)
            };
            let all = (1..=last).flat_map(|tap| Frame::ALL.map(|frame| (tap, frame)));
            all.reduce(|best, next| if ahead(&next) > ahead(&best) { next } else { best })
                .unwrap_or((1, Frame::Absolute))
        };
        Self {
            table: best(depth - 1, &Reading::entries),
            state: best(depth, &|reading, frame| reading.concepts[frame.state()].choose.unwrap_or(0.0)),
            belief: best(depth, &|reading, frame| reading.beliefs[frame as usize].choose),
        }
    }
}

/// A baseline: readings of some seeds from one source.
struct Baseline<'a> {
    name: String,
    readings: Vec<&'a Reading>,
}

impl Found {
    fn of_tap(&self, tap: usize) -> Vec<&Reading> {
        self.readings.iter().map(|readings| &readings[tap]).collect()
    }

    /// Baselines of a measure: of random weights the tap that scores best on the moments for choosing.
    fn baselines(&self, score: &dyn Fn(&Reading) -> f64) -> Vec<Baseline<'_>> {
        let last = self.taps.len();
        let best = (1..last)
            .fold(1, |best, tap| if score(&self.untrained[tap]) > score(&self.untrained[best]) { tap } else { best });
        let mut all = vec![
            Baseline { name: format!("random weights, {}", self.taps[best]), readings: vec![&self.untrained[best]] },
            Baseline { name: "embedding and position".into(), readings: self.of_tap(0) },
            Baseline { name: "the model's own next-step distribution".into(), readings: self.of_tap(last) },
        ];
        all.extend(self.context.iter().map(|r| Baseline { name: r.source.clone(), readings: vec![r] }));
        all
    }

    /// The baseline with the best score on the moments for choosing.
    fn strongest<'a>(baselines: &'a [Baseline<'a>], score: &dyn Fn(&Reading) -> f64) -> &'a Baseline<'a> {
        let total = |baseline: &Baseline| mean(&baseline.readings.iter().map(|r| score(r)).collect::<Vec<_>>());
        baselines.iter().fold(&baselines[0], |best, next| if total(next) > total(best) { next } else { best })
    }

    fn concepts(&self, frame: Frame) -> Vec<usize> {
        entries(self.sets.concepts.len(), frame).collect()
    }

    /// Hits and moments of concepts where they stand in a way.
    fn arm(&self, seeds: &[Vec<(usize, &Read)>], stratum: Stratum, control: bool) -> Arm {
        Arm::new(&seeds.iter().map(|reads| self.sets.tally(reads, stratum, control)).collect::<Vec<_>>())
    }

    fn arm_of(&self, concepts: &[usize], readings: &[&Reading], stratum: Stratum) -> Arm {
        let mut seeds: Vec<Vec<(usize, &Read)>> = Vec::new();
        for reading in readings {
            seeds.push(concepts.iter().map(|&concept| (concept, &reading.concepts[concept])).collect());
        }
        self.arm(&seeds, stratum, false)
    }

    /// Of what was read at the chosen taps: some of the entries (and last the state).
    fn arm_closer(&self, concepts: &[usize], first: usize, pick: fn(&Closer) -> &Vec<Read>, control: bool) -> Arm {
        let of = |closer: &'_ Closer| -> Vec<(usize, Read)> {
            concepts.iter().zip(&pick(closer)[first..]).map(|(&concept, read)| (concept, read.clone())).collect()
        };
        let kept: Vec<Vec<(usize, Read)>> = self.closer.iter().map(of).collect();
        let seeds: Vec<Vec<(usize, &Read)>> =
            kept.iter().map(|reads| reads.iter().map(|(concept, read)| (*concept, read)).collect()).collect();
        self.arm(&seeds, scored_on(concepts[0]), control)
    }

    fn squares(&self, beliefs: &[&Belief]) -> Arm {
        Arm::new(&beliefs.iter().map(|belief| self.sets.squares(belief)).collect::<Vec<_>>())
    }

    /// Seeds × pairs × (gain, loss, damage, 1) of an intervention.
    fn writes(&self, write: Write) -> Arm {
        let one = |closer: &Closer| -> Vec<Vec<f64>> {
            closer.changes[write as usize].iter().map(|c| vec![c.gain, c.loss, c.damage, 1.0]).collect()
        };
        Arm::new(&self.closer.iter().map(one).collect::<Vec<_>>())
    }

    fn mean_change(&self, write: Write, of: fn(&Change) -> f64) -> f64 {
        let one = |closer: &Closer| mean(&closer.changes[write as usize].iter().map(of).collect::<Vec<_>>());
        mean(&self.closer.iter().map(one).collect::<Vec<_>>())
    }
}

/// A difference of one statistic between two arms.
fn apart(statistic: Statistic<'_>) -> impl Fn(&Totals) -> Option<f64> + Sync + '_ {
    move |t| Some(over_seeds(&t[0], statistic)? - over_seeds(&t[1], statistic)?)
}

/// A statistic of sums over runs.
type Statistic<'a> = &'a (dyn Fn(&[f64]) -> Option<f64> + Sync);

/// The trained models beside every baseline in one measure.
struct Beside<'a> {
    desk: &'a Desk<'a>,
    statistic: Statistic<'a>,
    own: Arm,
    /// Baselines by name: what they reach, and what the models reach beyond them.
    told: Vec<(String, Option<Estimate>, Option<Estimate>)>,
    /// The best of them on the moments for choosing.
    strongest: &'a Baseline<'a>,
    /// The models beyond that one.
    measured: Option<Measured>,
}

impl<'a> Beside<'a> {
    /// `claim` with its unit; sums of the readings of some seeds; the baselines with their scores for choosing.
    fn new(
        desk: &'a Desk<'a>,
        (claim, unit): (&str, &str),
        trained: &[&Reading],
        arm: &dyn Fn(&[&Reading]) -> Arm,
        (baselines, score): (&'a [Baseline<'a>], &dyn Fn(&Reading) -> f64),
        statistic: Statistic<'a>,
    ) -> Self {
        let own = arm(trained);
        let strongest = Found::strongest(baselines, score);
        let rival = arm(&strongest.readings);
        let difference = apart(statistic);
        let measured = desk.measured(claim, unit, Design::Crossed, &[&own, &rival], &difference);
        let mut beside = Self { desk, statistic, own, told: Vec::new(), strongest, measured };
        let told = |Baseline { name, readings }: &Baseline<'_>| {
            let arm = arm(readings);
            let alone = beside.alone(&arm, &format!("{claim} {name}"));
            (name.clone(), alone, beside.beyond(&arm, &format!("{claim} beyond {name}")))
        };
        beside.told = baselines.iter().map(told).collect();
        beside
    }

    /// What an arm reaches.
    fn alone(&self, arm: &Arm, what: &str) -> Option<Estimate> {
        self.desk.estimate(what, Design::Crossed, &[arm], &|t| over_seeds(&t[0], self.statistic))
    }

    /// What the trained models reach beyond it.
    fn beyond(&self, arm: &Arm, what: &str) -> Option<Estimate> {
        self.desk.estimate(what, Design::Crossed, &[&self.own, arm], &apart(self.statistic))
    }

    /// Item 2: the baselines.
    fn baselines(&self) -> Evidence {
        let told: Vec<String> =
            self.told.iter().map(|(name, alone, _)| format!("{name} {}", estimated(alone))).collect();
        Evidence::new(2, self.told.iter().all(|(_, _, beyond)| above(beyond)), told.join("; "))
    }

    /// Item 8: more than the output, and than the context gives without a model.
    fn more_than_output(&self) -> Evidence {
        let counts: Vec<String> = self.told[3..].iter().map(|(_, _, beyond)| estimated(beyond)).collect();
        Evidence::new(
            8,
            self.told[2..].iter().all(|(_, _, beyond)| above(beyond)),
            format!(
                "beyond the model's own next-step distribution {}; beyond the context's counts: {}",
                estimated(&self.told[2].2),
                counts.join(", ")
            ),
        )
    }

    fn json(&self) -> Json {
        self.told.iter().map(|(name, own, _)| (name.clone(), json!(own))).collect::<serde_json::Map<_, _>>().into()
    }
}

/// Findings, figures and report.
pub fn outcome(found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: measure.resamples };
    let (table, table_probes) = table(found, &desk);
    let (state, state_probes) = state(found, &desk);
    let (belief, belief_probes) = belief(found, &desk);
    let probes = json!({
        "chosen": { "table": named(found, found.chosen.table), "state": named(found, found.chosen.state), "belief": named(found, found.chosen.belief) },
        "table": table_probes,
        "state": state_probes,
        "belief": belief_probes,
        "interventions": Write::ALL.iter().map(|&write| {
            let of = |pick: fn(&Change) -> f64| found.mean_change(write, pick);
            (write.name().to_string(), json!({ "gain": of(|c| c.gain), "loss": of(|c| c.loss), "damage": of(|c| c.damage) }))
        }).collect::<serde_json::Map<String, Json>>(),
        "curves": found.closer.iter().map(|closer| &closer.curve).collect::<Vec<_>>(),
    });
    Outcome {
        probes,
        findings: vec![table, state, belief],
        sections: vec![table_section(found, &desk), steering_section(found), belief_section(found, &desk)],
    }
}

/// A chosen tap with its frame, in words.
fn named(found: &Found, (tap, frame): (usize, Frame)) -> String {
    format!("{}, {} frame", found.taps[tap], frame.name())
}

fn leaks(found: &Found) -> Evidence {
    let runs = |part: usize| found.sets.parts[part].runs.len();
    Evidence::new(
        4,
        true,
        format!(
            "probes are fitted on {} runs of training machines on tapes that no training met, chosen on {} runs of \
             validation machines and scored on {} different runs of test machines; splits are of canonical machines",
            runs(0),
            runs(1),
            runs(2)
        ),
    )
}

fn when(found: &Found, of: fn(&super::Stand) -> f64) -> Evidence {
    words::when(&curve(found, of), "by step, on the moments for choosing")
}

fn curve(found: &Found, of: fn(&super::Stand) -> f64) -> Vec<(u64, f64)> {
    let curves: Vec<_> = found.closer.iter().map(|closer| &closer.curve).collect();
    words::mean_curve(&curves, |stand| stand.step, of)
}

fn table(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let (tap, frame) = found.chosen.table;
    let concepts = found.concepts(frame);
    let accuracy = |t: &[f64]| found.sets.accuracy(&concepts, t);
    let trained = found.of_tap(tap);
    let score: &dyn Fn(&Reading) -> f64 = &|reading| reading.entries(frame);
    let baselines = found.baselines(score);
    let arm = |readings: &[&Reading]| found.arm_of(&concepts, readings, Stratum::Idle);
    let beside = Beside::new(desk, ("table", "balanced accuracy"), &trained, &arm, (&baselines, score), &accuracy);
    let strata: Vec<(&str, Option<Estimate>, Option<f64>)> =
        [("idle", Stratum::Idle), ("current", Stratum::Current), ("open", Stratum::Open)]
            .map(|(name, stratum)| {
                let arm = found.arm_of(&concepts, &trained, stratum);
                (name, beside.alone(&arm, &format!("table {name}")), guess(found, &concepts, stratum))
            })
            .to_vec();
    let control = found.arm_closer(&concepts, 0, |c| &c.control, true);
    let perceptron = found.arm_closer(&concepts, 0, |c| &c.perceptron, false);
    let perceptron_control = found.arm_closer(&concepts, 0, |c| &c.perceptron_control, true);
    let selective = beside.beyond(&control, "selectivity");
    let wide = desk.estimate(
        "selectivity of the perceptron",
        Design::Crossed,
        &[&perceptron, &perceptron_control],
        &apart(&accuracy),
    );
    let wide_alone = beside.alone(&perceptron, "perceptron");
    let gain = |t: &[f64]| ratio(t[0], t[3]);
    let loss = |t: &[f64]| ratio(t[1], t[3]);
    let beats = |control: Write| {
        desk.estimate(
            &format!("carried beyond {}", control.name()),
            Design::Crossed,
            &[&found.writes(Write::Carried), &found.writes(control)],
            &apart(&gain),
        )
    };
    let (random, other) = (beats(Write::Random), beats(Write::OtherEntry));
    let null = found.mean_change(Write::Null, |c| c.gain);
    let necessity = desk.estimate(
        "erasure beyond random",
        Design::Crossed,
        &[&found.writes(Write::Erase), &found.writes(Write::EraseRandom)],
        &apart(&loss),
    );
    let gains: Vec<String> = Write::ALL[..7]
        .iter()
        .map(|&write| format!("{} {}", write.name(), figure(found.mean_change(write, |c| c.gain))))
        .collect();
    let by_entry: Vec<(String, Option<f64>)> = concepts
        .iter()
        .map(|&concept| {
            let alone = [concept];
            let of = |readings: &[&Reading]| {
                let arm = found.arm_of(&alone, readings, Stratum::Idle);
                over_seeds(&arm.totals(), |t| found.sets.accuracy(&alone, t))
            };
            let difference = of(&trained).zip(of(&beside.strongest.readings)).map(|(own, rival)| own - rival);
            (found.sets.concepts[concept].0.clone(), difference)
        })
        .collect();
    let compression = |all: &[Option<f64>]| mean(&all.iter().flatten().copied().collect::<Vec<_>>());
    let own_codes = mean(&found.closer.iter().map(|closer| compression(&closer.codes)).collect::<Vec<_>>());
    let (untrained_codes, context_codes) = (compression(&found.codes.0), compression(&found.codes.1));
    let evidence = vec![
        Evidence::new(
            1,
            above(&random) && above(&other) && null == 0.0,
            format!(
                "the twin's entry written over the own one at {}, at positions that do not hold its step; rise of the \
                 probability of what the twin does, by the simulator, at the entry's next use: {}; beyond the random vector {}, \
                 beyond the wrong entry {}; fall at other entries {}",
                found.taps[tap],
                gains.join(", "),
                estimated(&random),
                estimated(&other),
                figure(found.mean_change(Write::Carried, |c| c.damage))
            ),
        ),
        beside.baselines(),
        Evidence::new(
            3,
            true,
            "scored as balanced accuracy over transitions, where the evidence determines the entry, the token does not hold its \
             step and the step to come does not need it",
        ),
        leaks(found),
        Evidence::new(
            6,
            above(&selective) && above(&wide),
            format!(
                "beyond a control task of labels at random by the last two steps: linear {}, perceptron {} (which reads {})",
                estimated(&selective),
                estimated(&wide),
                estimated(&wide_alone)
            ),
        ),
        Evidence::new(
            7,
            above(&necessity),
            format!(
                "fall of the own step's probability at the entry's next use by LEACE of the entry, beyond a random subspace of its \
                 rank: {}",
                estimated(&necessity)
            ),
        ),
        beside.more_than_output(),
        Evidence::new(
            9,
            own_codes > untrained_codes && own_codes > context_codes,
            format!(
                "online code of the labels, times shorter than uniform: {} from activations, {} with random weights, {} from the \
                 context",
                figure(own_codes),
                figure(untrained_codes),
                figure(context_codes)
            ),
        ),
        Evidence::new(
            10,
            by_entry.iter().flat_map(|(_, difference)| difference).all(|difference| *difference > 0.0),
            format!(
                "one probe for all positions and unseen machines; beyond the best baseline, by entry: {}",
                by_entry.iter().map(|(name, d)| format!("{name} {}", number(*d))).collect::<Vec<_>>().join(", ")
            ),
        ),
        when(found, |stand| stand.table),
        Evidence::new(
            12,
            true,
            format!(
                "tap and frame ({}; of {} taps, two frames) and strongest baseline ({}) are chosen on validation machines",
                named(found, found.chosen.table),
                found.taps.len().saturating_sub(2),
                beside.strongest.name
            ),
        ),
    ];
    let probes = json!({
        "strata": strata.iter().map(|(name, own, bayes)| (name.to_string(), json!({ "trained": own, "bayes": bayes }))).collect::<serde_json::Map<_, _>>(),
        "baselines": beside.json(),
        "strongest_baseline": beside.strongest.name,
        "selectivity": selective,
        "perceptron": wide_alone,
        "by_entry": by_entry,
        "codes": { "trained": own_codes, "untrained": untrained_codes, "context": context_codes },
    });
    (Finding { claim: "table".into(), measured: beside.measured, evidence }, probes)
}

/// Share of moments at which Bayes's likeliest class is the true one.
fn guess(found: &Found, concepts: &[usize], stratum: Stratum) -> Option<f64> {
    let truths = || {
        let moments = found.sets.parts[2].all.iter();
        moments.flat_map(|moment| concepts.iter().map(move |&concept| &moment.truths[concept]))
    };
    let there = || truths().filter(|truth| truth.stratum == stratum && truth.class.is_some());
    ratio(there().map(|truth| truth.bayes).sum(), there().count() as f64)
}

fn state(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let (tap, frame) = found.chosen.state;
    let concepts = [frame.state()];
    let accuracy = |t: &[f64]| found.sets.accuracy(&concepts, t);
    let score: &dyn Fn(&Reading) -> f64 = &|reading| reading.concepts[frame.state()].choose.unwrap_or(0.0);
    let baselines = found.baselines(score);
    let stratum = scored_on(concepts[0]);
    let trained = found.of_tap(tap);
    let arm = |readings: &[&Reading]| found.arm_of(&concepts, readings, stratum);
    let beside = Beside::new(desk, ("state", "balanced accuracy"), &trained, &arm, (&baselines, score), &accuracy);
    let control = found.arm_closer(&concepts, entries(found.sets.concepts.len(), frame).len(), |c| &c.control, true);
    let selective = beside.beyond(&control, "state control");
    let alone = beside.alone(&beside.own, "state alone");
    let evidence = vec![
        Evidence::new(
            1,
            false,
            "the state bears on the very position at which it is read, so an edit there could be scored only where it is made",
        ),
        beside.baselines(),
        Evidence::new(
            3,
            true,
            "balanced accuracy, where the evidence determines the state (relative frame: whether the last step changed it)",
        ),
        leaks(found),
        Evidence::new(
            6,
            above(&selective),
            format!("beyond a control task of labels at random by the last two steps: {}", estimated(&selective)),
        ),
        beside.more_than_output(),
        Evidence::new(
            12,
            true,
            format!(
                "tap and frame ({}) and strongest baseline ({}) are chosen on validation machines",
                named(found, found.chosen.state),
                beside.strongest.name
            ),
        ),
    ];
    let probes = json!({
        "trained": alone,
        "baselines": beside.json(),
        "strongest_baseline": beside.strongest.name,
        "open": beside.alone(&found.arm_of(&concepts, &trained, Stratum::Open), "state open"),
        "open_bayes": guess(found, &concepts, Stratum::Open),
    });
    (Finding { claim: "state".into(), measured: beside.measured, evidence }, probes)
}

fn belief(found: &Found, desk: &Desk<'_>) -> (Finding, Json) {
    let (tap, frame) = found.chosen.belief;
    let score: &dyn Fn(&Reading) -> f64 = &|reading| reading.beliefs[frame as usize].choose;
    let baselines = found.baselines(score);
    let arm =
        |readings: &[&Reading]| found.squares(&readings.iter().map(|r| &r.beliefs[frame as usize]).collect::<Vec<_>>());
    let claim = ("belief", "share of variance explained");
    let beside = Beside::new(desk, claim, &found.of_tap(tap), &arm, (&baselines, score), &explained);
    let control = found.squares(&found.closer.iter().map(|closer| &closer.belief_control).collect::<Vec<_>>());
    let selective = beside.beyond(&control, "belief control");
    let alone = beside.alone(&beside.own, "belief alone");
    let evidence = vec![
        Evidence::new(1, false, "no edit of the belief was made; that of single entries stands under `table`"),
        beside.baselines(),
        Evidence::new(
            3,
            true,
            "variance about the mean belief of the moments for fitting; the belief at the first 6 steps is left out",
        ),
        leaks(found),
        Evidence::new(
            6,
            above(&selective),
            format!("beyond beliefs given to input types at random: {}", estimated(&selective)),
        ),
        beside.more_than_output(),
        when(found, |stand| stand.belief),
        Evidence::new(
            12,
            true,
            format!(
                "tap and frame ({}) and strongest baseline ({}) are chosen on validation machines",
                named(found, found.chosen.belief),
                beside.strongest.name
            ),
        ),
    ];
    let probes = json!({
        "trained": alone,
        "baselines": beside.json(),
        "strongest_baseline": beside.strongest.name,
    });
    (Finding { claim: "belief".into(), measured: beside.measured, evidence }, probes)
}

/// Accuracies of the trained models' tap and of the baselines, by stratum.
fn table_section(found: &Found, desk: &Desk<'_>) -> Section {
    let (tap, frame) = found.chosen.table;
    let concepts = found.concepts(frame);
    let accuracy = |t: &[f64]| found.sets.accuracy(&concepts, t);
    let strata = [("idle", Stratum::Idle), ("current", Stratum::Current), ("open", Stratum::Open)];
    let bars = |name: &str, baseline: bool, readings: &[&Reading]| {
        let value = |(stratum_name, stratum): (&str, Stratum)| {
            let arm = found.arm_of(&concepts, readings, stratum);
            let what = format!("bar {name} {stratum_name}");
            let estimate = desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], accuracy))?;
            Some(Value { value: estimate.value, interval: Some(estimate.interval) })
        };
        Bars { name: name.into(), baseline, values: strata.map(value).to_vec() }
    };
    let mut series = vec![bars(&format!("trained, {}", found.taps[tap]), false, &found.of_tap(tap))];
    for baseline in found.baselines(&|reading| reading.entries(frame)) {
        series.push(bars(&baseline.name, true, &baseline.readings));
    }
    let row = |name: String, readings: &[&Reading]| {
        let of = |concepts: &[usize], stratum: Stratum| {
            let arm = found.arm_of(concepts, readings, stratum);
            number(over_seeds(&arm.totals(), |t| found.sets.accuracy(concepts, t)))
        };
        let mut row = vec![name];
        for frame in Frame::ALL {
            let concepts = found.concepts(frame);
            row.extend(strata.map(|(_, stratum)| of(&concepts, stratum)));
            row.push(of(&[frame.state()], Stratum::Current));
            let beliefs: Vec<&Belief> = readings.iter().map(|r| &r.beliefs[frame as usize]).collect();
            row.push(number(over_seeds(&found.squares(&beliefs).totals(), explained)));
        }
        row
    };
    let mut rows: Vec<Vec<String>> =
        found.taps.iter().enumerate().map(|(tap, name)| row(name.clone(), &found.of_tap(tap))).collect();
    rows.push(row("own next-step distribution".into(), &found.of_tap(found.taps.len())));
    for (tap, name) in found.taps.iter().enumerate().skip(1) {
        rows.push(row(format!("random weights, {name}"), &[&found.untrained[tap]]));
    }
    for reading in &found.context {
        rows.push(row(reading.source.clone(), &[reading]));
    }
    let bayes = |stratum| number(guess(found, &concepts, stratum));
    let curve_line = |name: &str, of: fn(&super::Stand) -> f64| Line {
        name: name.into(),
        baseline: false,
        points: curve(found, of)
            .into_iter()
            .filter(|(step, _)| *step > 0)
            .map(|(step, value)| (step as f64, Value { value, interval: None }))
            .collect(),
    };
    Section {
        title: "The table in the residual stream".into(),
        claim: Some("table".into()),
        text: vec![format!(
            "Idle: the evidence determines the entry and the step to come does not need it. Current: it may be needed now. Open: \
             the evidence leaves it open; Bayes's likeliest transition is the true one at {} of these moments.",
            bayes(Stratum::Open)
        )],
        figures: vec![
            Figure {
                name: "table".into(),
                title: "Reading an entry of the table".into(),
                caption: "Balanced accuracy of linear probes, mean over the entries; 95% bootstrap intervals over seeds and runs."
                    .into(),
                plot: Plot::Bars {
                    y: Axis::new("balanced accuracy").spanning(0.0, 1.0),
                    groups: strata.map(|(name, _)| name.to_string()).to_vec(),
                    series,
                },
            },
            Figure {
                name: "table-training".into(),
                title: "When the table and the belief appear".into(),
                caption: "On the moments for choosing, mean over models.".into(),
                plot: Plot::Lines {
                    x: Axis::new("optimiser steps").logarithmic(),
                    y: Axis::new("accuracy; variance explained").spanning(0.0, 1.0),
                    series: vec![
                        curve_line("idle entries, balanced accuracy", |stand| stand.table),
                        curve_line("belief, variance explained", |stand| stand.belief),
                    ],
                },
            },
        ],
        tables: vec![Table {
            caption: "Means over models, in the absolute frame (a) and the relative one (r): balanced accuracy of entries by how they \
                      stand, of the determined state (r: whether the last step changed it), and the share of the belief's \
                      variance that a linear map explains."
                .into(),
            header: [
                "features", "a idle", "a current", "a open", "a state", "a belief", "r idle", "r current", "r open",
                "r changed", "r belief",
            ]
            .map(String::from)
            .to_vec(),
            rows,
        }],
    }
}

fn steering_section(found: &Found) -> Section {
    let rows = Write::ALL
        .iter()
        .map(|&write| {
            let of = |pick: fn(&Change) -> f64| figure(found.mean_change(write, pick));
            vec![write.name().into(), of(|c| c.gain), of(|c| c.loss), of(|c| c.damage)]
        })
        .collect();
    Section {
        title: "Writing an entry".into(),
        claim: Some("table".into()),
        text: vec![
            "Between the firing of an entry and its next use, the way from the own transition's mean activation to the twin's is \
             added; the prediction at the next use is scored, which is not edited."
                .into(),
        ],
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Means over models and pairs, in probability.".into(),
            header: ["edit", "gain of the twin's step", "loss of the own step", "loss at other entries"]
                .map(String::from)
                .to_vec(),
            rows,
        }],
    }
}

fn belief_section(found: &Found, desk: &Desk<'_>) -> Section {
    let (tap, frame) = found.chosen.belief;
    let mut rows = Vec::new();
    let mut add = |name: String, readings: &[&Reading]| {
        let beliefs: Vec<&Belief> = readings.iter().map(|r| &r.beliefs[frame as usize]).collect();
        let arm = found.squares(&beliefs);
        let what = format!("belief table {name}");
        let estimate = desk.estimate(&what, Design::Crossed, &[&arm], &|t| over_seeds(&t[0], explained));
        rows.push(vec![name, estimated(&estimate)]);
    };
    add(format!("trained, {}", named(found, found.chosen.belief)), &found.of_tap(tap));
    for baseline in found.baselines(&|reading| reading.beliefs[frame as usize].choose) {
        add(baseline.name.clone(), &baseline.readings);
    }
    Section {
        title: "Bayes's belief as a linear image".into(),
        claim: Some("belief".into()),
        text: vec![
            "The belief: Bayes's probability of every transition in every entry of the table, over the whole class; in the absolute \
             frame of every state as well, in the relative one with states counted from the one that the machine is in."
                .into(),
        ],
        figures: Vec::new(),
        tables: vec![Table {
            caption: "Share of the belief's variance explained by a ridge regression, out of sample.".into(),
            header: ["features", "explained"].map(String::from).to_vec(),
            rows,
        }],
    }
}
