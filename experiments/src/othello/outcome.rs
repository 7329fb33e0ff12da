//! From readings and edits to findings.

use serde_json::{Value as Json, json};

use super::closer::{Closer, pooled};
use super::edits::{Change, Effect};
use super::games::Frame;
use super::readings::{Read, Reading, balanced, total};
use super::{Bench, Found, NAME};
use crate::claims::{Evidence, Finding, figure};
use crate::config::Config;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, Totals, over_seeds};
use crate::experiment::Outcome;
use crate::machines::words::{Desk, above, emerged, estimated, mean_curve, number};

/// A baseline: what it is, its readings by seed.
pub type Baseline<'a> = (String, Vec<&'a Reading>);

/// Readings as sums for estimates.
pub struct Sums<'a> {
    pub found: &'a Found,
    pub desk: Desk<'a>,
}

fn apart(t: &Totals) -> Option<f64> {
    Some(over_seeds(&t[0], balanced)? - over_seeds(&t[1], balanced)?)
}

fn taken(t: &[f64]) -> Option<f64> {
    ratio(t[0], t[1]).map(|left| 1.0 - left)
}

impl<'a> Sums<'a> {
    /// The models' readings of a source.
    pub fn of_source(&self, source: usize) -> Vec<&'a Reading> {
        self.found.readings.iter().map(|readings| &readings[source]).collect()
    }

    /// Tallies of turned discs.
    pub fn arm(readings: &[&Reading], frame: Frame) -> Arm {
        Self::reads(&readings.iter().map(|reading| &reading.frames[frame as usize]).collect::<Vec<_>>())
    }

    fn reads(reads: &[&Read]) -> Arm {
        Self::tallies(&reads.iter().map(|read| &read.turned).collect::<Vec<_>>())
    }

    fn tallies(all: &[&Vec<[f64; 4]>]) -> Arm {
        Arm::new(
            &all.iter().map(|tallies| tallies.iter().map(|t| t.to_vec()).collect()).collect::<Vec<Vec<Vec<f64>>>>(),
        )
    }

    fn closer(&self, pick: impl Fn(&'a Closer) -> &'a Vec<[f64; 4]>) -> Arm {
        Self::tallies(&self.found.closer.iter().map(pick).collect::<Vec<_>>())
    }

    /// Balanced accuracy on turned discs.
    pub fn alone(&self, arm: &Arm, what: &str) -> Option<Estimate> {
        self.desk.estimate(what, Design::Crossed, &[arm], &|t| over_seeds(&t[0], balanced))
    }

    fn beyond(&self, arm: &Arm, rival: &Arm, what: &str) -> Option<Estimate> {
        self.desk.estimate(what, Design::Crossed, &[arm, rival], &apart)
    }

    /// What a frame is read from without a trained model beyond its embedding; of random weights the tap that does best on
    /// the games for choosing.
    pub fn baselines(&self, frame: Frame) -> Vec<Baseline<'a>> {
        let score = |reading: &Reading| reading.frames[frame as usize].choose;
        let untrained = &self.found.untrained;
        let best =
            untrained.iter().fold(&untrained[0], |best, next| if score(next) > score(best) { next } else { best });
        let mut all = vec![
            (format!("random weights, {}", best.source), vec![best]),
            ("embedding".to_string(), self.of_source(0)),
        ];
        all.extend(self.found.context.iter().map(|reading| (reading.source.clone(), vec![reading])));
        all
    }

    /// The baseline that does best on the games for choosing.
    pub fn strongest<'b>(baselines: &'b [Baseline<'a>], frame: Frame) -> &'b Baseline<'a> {
        let score = |(_, readings): &Baseline| {
            mean(&readings.iter().map(|reading| reading.frames[frame as usize].choose).collect::<Vec<_>>())
        };
        baselines.iter().fold(&baselines[0], |best, next| if score(next) > score(best) { next } else { best })
    }

    /// Tallies of a change.
    pub fn changed(&self, change: Change) -> Arm {
        let of = |closer: &Closer| closer.effects[change as usize].iter().map(Effect::tally).collect();
        Arm::new(&self.found.closer.iter().map(of).collect::<Vec<Vec<Vec<f64>>>>())
    }

    /// Share of the divergence that a change takes away.
    pub fn taken(&self, change: Change) -> Option<Estimate> {
        let what = format!("taken {}", change.name());
        self.desk.estimate(&what, Design::Crossed, &[&self.changed(change)], &|t| over_seeds(&t[0], taken))
    }

    fn taken_beyond(&self, control: Change) -> Option<Estimate> {
        let what = format!("taken beyond {}", control.name());
        self.desk.estimate(&what, Design::Crossed, &[&self.changed(Change::Turn), &self.changed(control)], &|t| {
            Some(over_seeds(&t[0], taken)? - over_seeds(&t[1], taken)?)
        })
    }

    /// Mean of a figure of a change over models and cases.
    pub fn of_change(&self, change: Change, of: fn(&Effect) -> f64) -> f64 {
        let all = self.found.closer.iter().flat_map(|closer| &closer.effects[change as usize]);
        mean(&all.map(of).collect::<Vec<_>>())
    }

    /// The control that a turned disc has to beat: of all, the one that takes most away.
    fn best_control(&self) -> Change {
        let score = |change: Change| {
            let (after, before) = (self.of_change(change, |e| e.after), self.of_change(change, |e| e.before));
            1.0 - after / before.max(1e-12)
        };
        [Change::OtherFrame, Change::Random]
            .into_iter()
            .fold(Change::OtherSquare, |best, next| if score(next) > score(best) { next } else { best })
    }
}

/// Findings, figures and report.
pub fn outcome(found: &Found, bench: &Bench<'_>, config: &Config) -> Outcome {
    let desk = Desk { experiment: NAME, seed: config.seed, resamples: bench.measure.resamples, clusters: "runs" };
    let sums = Sums { found, desk };
    let (skill, skill_probes) = skill(&sums);
    let [relative, absolute] = Frame::ALL.map(|frame| Sums::arm(&sums.of_source(found.chosen[frame as usize]), frame));
    let baselines = Frame::ALL.map(|frame| sums.baselines(frame));
    let rival = Sums::strongest(&baselines[0], Frame::Relative);
    let unit = "balanced accuracy";
    let measured = sums.desk.measured(
        "relative",
        unit,
        Design::Crossed,
        &[&relative, &Sums::arm(&rival.1, Frame::Relative)],
        &apart,
    );
    let frame = sums.desk.measured("frame", unit, Design::Crossed, &[&relative, &absolute], &apart);
    let control = sums.best_control();
    let used = sums.desk.measured(
        "used",
        "share of the divergence",
        Design::Crossed,
        &[&sums.changed(Change::Turn), &sums.changed(control)],
        &|t| Some(over_seeds(&t[0], taken)? - over_seeds(&t[1], taken)?),
    );
    let (evidence, probes) = evidence(&sums, bench, (&relative, &absolute), &baselines);
    let finding = |claim: &str, measured| Finding { claim: claim.into(), measured, evidence: evidence.clone() };
    let findings = vec![skill, finding("relative", measured), finding("frame", frame), finding("used", used)];
    Outcome {
        probes: json!({ "skill": skill_probes, "board": probes }),
        findings,
        sections: super::report::sections(&sums, &baselines, control),
    }
}

fn skill(sums: &Sums<'_>) -> (Finding, Json) {
    let found = sums.found;
    let [oracle, frontier] = &found.references;
    let sum = |nats: &[f64]| nats.iter().sum::<f64>();
    let tallies: Vec<Vec<Vec<f64>>> = found
        .nats
        .iter()
        .map(|nats| {
            let games = nats.iter().zip(oracle.iter().zip(frontier));
            games.map(|(own, (a, b))| vec![sum(own), sum(b), sum(a), own.len() as f64]).collect()
        })
        .collect();
    let arm = Arm::new(&tallies);
    let way = |t: &[f64]| ratio(t[1] - t[0], t[1] - t[2]);
    let measured =
        sums.desk.measured("skill", "share of the way to who knows the board", Design::Crossed, &[&arm], &|t| {
            over_seeds(&t[0], way)
        });
    let rate = crate::machines::nats::rate;
    let own = mean(&found.nats.iter().map(rate).collect::<Vec<_>>());
    let text = format!(
        "nats a move from the opening on: models {}, one who knows which squares are taken {}, one who knows the board {}",
        figure(own),
        figure(rate(frontier)),
        figure(rate(oracle))
    );
    let evidence = vec![
        Evidence::new(2, true, text),
        Evidence::new(3, true, "which of the legal moves is made nobody can know; it costs all alike and cancels"),
        leaks(),
        Evidence::new(12, true, "nothing is chosen"),
    ];
    let probes = json!({ "trained": own, "taken_squares": rate(frontier), "board": rate(oracle) });
    (Finding { claim: "skill".into(), measured, evidence }, probes)
}

fn leaks() -> Evidence {
    Evidence::new(
        4,
        true,
        "the board after the opening decides the split, up to the symmetries of the game; only later positions are read and \
         scored, on games of openings that neither models nor probes met",
    )
}

type Told = (String, Option<Estimate>, Option<Estimate>);

fn evidence(
    sums: &Sums<'_>,
    bench: &Bench<'_>,
    (own, absolute): (&Arm, &Arm),
    baselines: &[Vec<Baseline<'_>>; 2],
) -> (Vec<Evidence>, Json) {
    let (found, closer) = (sums.found, &sums.found.closer);
    let (tap, choice) = found.edited;
    let edited_at = &bench.taps[tap];
    // Interventions.
    let changes: Vec<(Change, Option<Estimate>)> =
        Change::ALL.into_iter().map(|change| (change, sums.taken(change))).collect();
    let rivals = [Change::OtherSquare, Change::OtherFrame, Change::Random];
    let beaten: Vec<(Change, Option<Estimate>)> =
        rivals.into_iter().map(|control| (control, sums.taken_beyond(control))).collect();
    let null = closer
        .iter()
        .flat_map(|closer| &closer.effects[Change::Null as usize])
        .fold(0f64, |most, effect| most.max((effect.after - effect.before).abs()));
    let told = |all: &[(Change, Option<Estimate>)]| {
        all.iter().map(|(change, e)| format!("{} {}", change.name(), estimated(e))).collect::<Vec<_>>().join(", ")
    };
    let causal = Evidence::new(
        1,
        beaten.iter().all(|(_, beyond)| above(beyond)) && null < 1e-5,
        format!(
            "at {edited_at}, at the last move seen, a disc turned over along {} at dose {}; share of the divergence from the moves \
             that the rules then allow (all equally likely) that this takes away: {}; beyond the controls: {}; wrong and missing \
             among as many likeliest moves as are legal: {} before, {} after; mean change of moves that stay as legal as they \
             were: {} (random {}); blocks lie between edit and output, and the square itself is no move",
            choice.way.name(),
            choice.dose,
            told(&changes),
            told(&beaten),
            figure(sums.of_change(Change::Turn, |e| e.errors_before)),
            figure(sums.of_change(Change::Turn, |e| e.errors)),
            figure(sums.of_change(Change::Turn, |e| e.drift)),
            figure(sums.of_change(Change::Random, |e| e.drift)),
        ),
    );
    // Baselines.
    let beside: Vec<Told> = baselines[0]
        .iter()
        .map(|(name, readings)| {
            let arm = Sums::arm(readings, Frame::Relative);
            let alone = sums.alone(&arm, &format!("alone {name}"));
            (name.clone(), alone, sums.beyond(own, &arm, &format!("beyond {name}")))
        })
        .collect();
    let output = Sums::arm(&sums.of_source(found.sources.len() - 1), Frame::Relative);
    let (output_alone, beyond_output) = (sums.alone(&output, "output"), sums.beyond(own, &output, "beyond output"));
    // Selectivity, over capacities.
    let control = sums.closer(|closer| &closer.control.turned);
    let selective = sums.beyond(own, &control, "selectivity");
    let capacity: Vec<(usize, f64, f64)> = (0..closer.iter().map(|c| c.components.len()).min().unwrap_or(0))
        .map(|place| {
            let of = |pick: fn(&(usize, Read, Read)) -> &Read| {
                mean(
                    &closer
                        .iter()
                        .map(|closer| pick(&closer.components[place]).turned.as_slice())
                        .map(pooled)
                        .collect::<Vec<_>>(),
                )
            };
            (closer[0].components[place].0, of(|c| &c.1), of(|c| &c.2))
        })
        .collect();
    let swept: Vec<String> = capacity
        .iter()
        .map(|(count, own, control)| format!("{count} components {} ({})", figure(*own), figure(*control)))
        .collect();
    let probes: Vec<String> = bench.probes().into_iter().map(|(name, _)| name).collect();
    let single = Frame::ALL.map(|frame| {
        let one = |(place, name): (usize, &String)| {
            let arm = sums.closer(|closer| &closer.single[frame as usize][place]);
            let estimate = sums.alone(&arm, &format!("single {} {name}", frame.name()));
            (name.clone(), estimate)
        };
        probes.iter().enumerate().map(one).collect::<Vec<_>>()
    });
    let told_single = |frame: Frame| {
        let all = single[frame as usize].iter().map(|(name, estimate)| format!("{name} {}", estimated(estimate)));
        format!("{}: {}", frame.name(), all.collect::<Vec<_>>().join(", "))
    };
    // Necessity.
    let nats =
        Arm::new(&closer.iter().map(|c| c.nats.iter().map(|t| t.to_vec()).collect()).collect::<Vec<Vec<Vec<f64>>>>());
    let rise =
        |of: usize, than: usize| move |t: &Totals| over_seeds(&t[0], |sums| ratio(sums[of] - sums[than], sums[3]));
    let (erased, necessary) = (
        sums.desk.estimate("erased", Design::Crossed, &[&nats], &rise(1, 0)),
        sums.desk.estimate("erased beyond random", Design::Crossed, &[&nats], &rise(1, 2)),
    );
    // Description length.
    let compression = |codes: &[Option<f64>]| {
        let known: Vec<f64> = codes.iter().flatten().copied().collect();
        (!known.is_empty()).then(|| mean(&known))
    };
    let trained: Vec<Option<f64>> = closer.iter().flat_map(|closer| closer.codes.clone()).collect();
    let codes = [compression(&trained), compression(&found.codes[0]), compression(&found.codes[1])];
    let shorter = codes[0].zip(codes[1]).zip(codes[2]).is_some_and(|((own, random), laid)| own > random && own > laid);
    let unseen = sums.alone(&sums.closer(|closer| &closer.unseen.turned), "unseen moves");
    let curves: Vec<_> = closer.iter().map(|closer| &closer.curve).collect();
    let curve = [0, 1].map(|frame| mean_curve(&curves, |c| c.0, |c| c.1[frame]));
    let relative_curves: Vec<Vec<(u64, f64)>> =
        curves.iter().map(|curve| curve.iter().map(|(step, scores)| (*step, scores[0])).collect()).collect();
    let strongest = &Sums::strongest(&baselines[0], Frame::Relative).0;
    let source = |frame: Frame| &found.sources[found.chosen[frame as usize]];
    let evidence = vec![
        causal,
        Evidence::new(
            2,
            beside.iter().all(|(_, _, beyond)| above(beyond)),
            format!(
                "mine or theirs at {} {}; {}",
                source(Frame::Relative),
                estimated(&sums.alone(own, "own")),
                beside
                    .iter()
                    .map(|(name, alone, _)| format!("{name} {}", estimated(alone)))
                    .collect::<Vec<_>>()
                    .join("; ")
            ),
        ),
        Evidence::new(
            3,
            true,
            "scored on discs that were turned over since they were laid, the two players weighing equally; empty squares, of \
             which the list of moves tells, count nowhere; who laid the disc (persistence) is among the baselines, the \
             commoner player has .5",
        ),
        leaks(),
        Evidence::new(
            6,
            above(&selective),
            format!(
                "beyond players given at random to squares by the last two moves: {}; by capacity, with the control in brackets: \
                 {}; four squares one by one, {}; {}",
                estimated(&selective),
                swept.join(", "),
                told_single(Frame::Relative),
                told_single(Frame::Absolute),
            ),
        ),
        Evidence::new(
            7,
            above(&necessary),
            format!(
                "rise of the loss by erasing mine or theirs of all squares ({} dimensions) at {edited_at}: {} nats a move; beyond \
                 a random subspace of its rank {}",
                closer[0].rank,
                estimated(&erased),
                estimated(&necessary)
            ),
        ),
        Evidence::new(
            8,
            above(&beyond_output),
            format!("own move distribution {}; beyond it {}", estimated(&output_alone), estimated(&beyond_output)),
        ),
        Evidence::new(
            9,
            shorter,
            format!(
                "labels of four squares by the online code, times shorter than the uniform code: {}; random weights {}, who laid \
                 which discs {}",
                number(codes[0]),
                number(codes[1]),
                number(codes[2])
            ),
        ),
        Evidence::new(
            10,
            unseen.as_ref().is_some_and(|unseen| unseen.interval.0 > 0.5),
            format!(
                "a probe fitted on the first half of the moves reads the second at {}; the wrong frame, {}, at {} {}",
                estimated(&unseen),
                Frame::Absolute.name(),
                source(Frame::Absolute),
                estimated(&sums.alone(absolute, "absolute"))
            ),
        ),
        emerged(&relative_curves, "mine or theirs by step, on the games for choosing", &[NAME]),
        Evidence::new(
            12,
            true,
            format!(
                "taps, the way to edit and its dose, and the strongest baseline ({strongest}) are chosen on other games"
            ),
        ),
    ];
    let accuracy = |reading: &Reading| {
        let of = |frame: Frame| {
            let read = &reading.frames[frame as usize];
            let all = total(&read.squares);
            json!({
                "turned": pooled(&read.turned), "all_discs": pooled(&read.standing), "all_squares": ratio(all[0], all[1]),
            })
        };
        json!({ "relative": of(Frame::Relative), "absolute": of(Frame::Absolute) })
    };
    let by_name = |readings: &[&Reading]| {
        readings.iter().map(|reading| (reading.source.clone(), accuracy(reading))).collect::<serde_json::Map<_, _>>()
    };
    let estimates = |all: &[(Change, Option<Estimate>)]| {
        all.iter().map(|(change, e)| (change.name().to_string(), json!(e))).collect::<serde_json::Map<_, _>>()
    };
    let json = json!({
        "read_at": found.chosen.map(|source| found.sources[source].clone()),
        "edited_at": edited_at, "way": choice.way.name(), "dose": choice.dose,
        "models": found.readings.iter().map(|all| by_name(&all.iter().collect::<Vec<_>>())).collect::<Vec<_>>(),
        "untrained": by_name(&found.untrained.iter().collect::<Vec<_>>()),
        "input": by_name(&found.context.iter().collect::<Vec<_>>()),
        "changes": estimates(&changes), "beyond_controls": estimates(&beaten),
        "errors": { "before": sums.of_change(Change::Turn, |e| e.errors_before), "after": sums.of_change(Change::Turn, |e| e.errors) },
        "erasure": { "erased": erased, "beyond_random": necessary },
        "capacity": capacity, "selectivity": selective, "single_squares": single,
        "compression": codes, "unseen_moves": unseen, "curve": curve,
    });
    (evidence, json)
}
