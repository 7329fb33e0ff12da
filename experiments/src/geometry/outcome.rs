//! From readings and edits to findings.

use serde_json::{Value as Json, json};

use super::edits::Edit;
use super::readings::{Reading, Squares};
use super::{Closer, Found, Measure};
use crate::claims::{Evidence, Finding, Measured, figure};
use crate::config::Config;
use crate::evidence::metrics::ratio;
use crate::evidence::statistics::mean;
use crate::evidence::{Arm, Design, Estimate, Totals, over_seeds};
use crate::experiment::Outcome;
use crate::machines::words::{Desk, above, emerged, estimated, explained, mean_curve};

/// A baseline: what it is, its readings by seed.
pub type Baseline<'a> = (String, Vec<&'a Reading>);

/// Readings as sums for estimates.
pub struct Sums<'a> {
    pub found: &'a Found,
    pub desk: Desk<'a>,
}

fn apart(t: &Totals) -> Option<f64> {
    Some(over_seeds(&t[0], explained)? - over_seeds(&t[1], explained)?)
}

impl<'a> Sums<'a> {
    pub fn of_source(&self, source: usize) -> Vec<&'a Reading> {
        self.found.readings.iter().map(|readings| &readings[source]).collect()
    }

    pub fn arm(readings: &[&Reading]) -> Arm {
        Arm::new(&readings.iter().map(|reading| reading.squares.tallies()).collect::<Vec<_>>())
    }

    fn closer(&self, pick: impl Fn(&Closer) -> &Squares) -> Arm {
        Arm::new(&self.found.closer.iter().map(|closer| pick(closer).tallies()).collect::<Vec<_>>())
    }

    pub fn alone(&self, arm: &Arm, what: &str) -> Option<Estimate> {
        self.desk.estimate(what, Design::Crossed, &[arm], &|t| over_seeds(&t[0], explained))
    }

    fn beyond(&self, arm: &Arm, rival: &Arm, what: &str) -> Option<Estimate> {
        self.desk.estimate(what, Design::Crossed, &[arm, rival], &apart)
    }

    /// What the belief is read from without a trained model: of random weights the source that does best on the sequences
    /// for choosing.
    pub fn baselines(&self) -> Vec<Baseline<'a>> {
        let untrained = &self.found.untrained;
        let last = untrained.len() - 1;
        let best =
            untrained[1..last].iter().fold(&untrained[1], |best, r| if r.choose > best.choose { r } else { best });
        let mut all = vec![
            (format!("random weights, {}", best.source), vec![best]),
            ("embedding".to_string(), self.of_source(0)),
        ];
        all.extend(self.found.context.iter().map(|reading| (reading.source.clone(), vec![reading])));
        all
    }

    /// The baseline that does best on the sequences for choosing.
    pub fn strongest(baselines: &'a [Baseline<'a>]) -> &'a Baseline<'a> {
        let score = |(_, readings): &Baseline| mean(&readings.iter().map(|r| r.choose).collect::<Vec<_>>());
        baselines.iter().fold(&baselines[0], |best, next| if score(next) > score(best) { next } else { best })
    }

    /// Share of the divergence from what the process does that an edit takes away.
    pub fn moved(&self, edit: Edit) -> Arm {
        let one = |closer: &Closer| -> Vec<Vec<f64>> {
            closer.edited.divergence[edit as usize].iter().map(|&(after, before)| vec![after, before]).collect()
        };
        Arm::new(&self.found.closer.iter().map(one).collect::<Vec<_>>())
    }
}

/// Findings, figures and report.
pub fn outcome(name: &'static str, found: &Found, config: &Config, measure: &Measure) -> Outcome {
    let sums = Sums {
        found,
        desk: Desk { experiment: name, seed: config.seed, resamples: measure.resamples, clusters: "runs" },
    };
    let baselines = sums.baselines();
    let (skill, skill_probes) = skill(&sums);
    let own = Sums::arm(&sums.of_source(found.chosen.0));
    let rival = Sums::arm(&Sums::strongest(&baselines).1);
    let image = sums
        .desk
        .measured("image", "share of variance explained", Design::Crossed, &[&own], &|t| over_seeds(&t[0], explained));
    let geometry =
        sums.desk.measured("geometry", "share of variance explained", Design::Crossed, &[&own, &rival], &apart);
    let (evidence, probes) = evidence(&sums, &own, &baselines);
    let finding =
        |claim: &str, measured: Option<Measured>| Finding { claim: claim.into(), measured, evidence: evidence.clone() };
    Outcome {
        probes: json!({ "skill": skill_probes, "belief": probes }),
        findings: vec![skill, finding("image", image), finding("geometry", geometry)],
        sections: super::report::sections(&sums, &baselines),
    }
}

/// Nats at novel contexts.
fn late(nats: &[Vec<f64>], from: usize) -> Vec<f64> {
    nats.iter().map(|nats| nats[from..].iter().sum()).collect()
}

fn skill(sums: &Sums<'_>) -> (Finding, Json) {
    let found = sums.found;
    let observers = found.observers.each_ref().map(|nats| late(nats, found.late));
    let symbols = (found.observers[0][0].len() - found.late) as f64;
    let tallies: Vec<Vec<Vec<f64>>> = found
        .nats
        .iter()
        .map(|nats| {
            let rows = late(nats, found.late).into_iter().zip(observers[0].iter().zip(&observers[3]));
            rows.map(|(own, (one, all))| vec![own, *one, *all, symbols]).collect()
        })
        .collect();
    let arm = Arm::new(&tallies);
    let way = |t: &[f64]| ratio(t[1] - t[0], t[1] - t[2]);
    let measured =
        sums.desk.measured("skill", "share of the way to Bayes", Design::Crossed, &[&arm], &|t| over_seeds(&t[0], way));
    let rate = |nats: &[f64]| mean(nats) / symbols;
    let own = mean(&found.nats.iter().map(|nats| rate(&late(nats, found.late))).collect::<Vec<_>>());
    let told: Vec<String> = ["1", "2", "3", "all"]
        .iter()
        .zip(&observers)
        .map(|(seen, nats)| format!("{seen}: {}", figure(rate(nats))))
        .collect();
    let text = format!(
        "nats a symbol at novel contexts: models {}; ideal observers of the last symbols, {}",
        figure(own),
        told.join(", ")
    );
    let evidence = vec![
        Evidence::new(2, true, text),
        Evidence::new(3, true, "what nobody can predict costs the observers and the models the same, and cancels"),
        leaks(found),
        Evidence::new(12, true, "nothing is chosen"),
    ];
    let probes = json!({ "trained": own, "observers": observers.each_ref().map(|nats| rate(nats)) });
    (Finding { claim: "skill".into(), measured, evidence }, probes)
}

fn leaks(found: &Found) -> Evidence {
    Evidence::new(
        4,
        true,
        format!(
            "scored from position {} on, where no context occurs in training, in the rows for fitting or in those for choosing",
            found.late + 1
        ),
    )
}

fn evidence(sums: &Sums<'_>, own: &Arm, baselines: &[Baseline<'_>]) -> (Vec<Evidence>, Json) {
    let found = sums.found;
    let (desk, closer) = (&sums.desk, &found.closer);
    let (source, tap) = (&found.sources[found.chosen.0], &found.sources[found.chosen.1]);
    // Interventions.
    let share = |t: &[f64]| ratio(t[0], t[1]).map(|left| 1.0 - left);
    let edits: Vec<(Edit, Option<Estimate>)> = Edit::ALL
        .into_iter()
        .map(|edit| {
            let what = format!("edit {}", edit.name());
            (edit, desk.estimate(&what, Design::Crossed, &[&sums.moved(edit)], &|t| over_seeds(&t[0], share)))
        })
        .collect();
    let beats = |control: Edit| {
        let what = format!("edit beyond {}", control.name());
        desk.estimate(&what, Design::Crossed, &[&sums.moved(Edit::Belief), &sums.moved(control)], &|t| {
            Some(over_seeds(&t[0], share)? - over_seeds(&t[1], share)?)
        })
    };
    let (random, wrong) = (beats(Edit::Random), beats(Edit::Wrong));
    let null = closer
        .iter()
        .flat_map(|closer| &closer.edited.divergence[Edit::Null as usize])
        .fold(0f64, |most, (after, before)| most.max((after - before).abs()));
    let told: Vec<String> =
        edits.iter().map(|(edit, estimate)| format!("{} {}", edit.name(), estimated(estimate))).collect();
    // Baselines.
    let beside: Vec<(String, Option<Estimate>, Option<Estimate>)> = baselines
        .iter()
        .map(|(name, readings)| {
            let arm = Sums::arm(readings);
            (
                name.clone(),
                sums.alone(&arm, &format!("alone {name}")),
                sums.beyond(own, &arm, &format!("beyond {name}")),
            )
        })
        .collect();
    let output = Sums::arm(&sums.of_source(found.sources.len() - 1));
    let (output_alone, beyond_output) = (sums.alone(&output, "output"), sums.beyond(own, &output, "beyond output"));
    // Selectivity, over capacities.
    let control = sums.closer(|closer| &closer.control);
    let selective = sums.beyond(own, &control, "selectivity");
    let sweep: Vec<(usize, f64, f64)> = (0..closer[0].components.len())
        .map(|place| {
            let of = |pick: fn(&(usize, Squares, Squares)) -> &Squares| {
                mean(&closer.iter().map(|closer| pick(&closer.components[place]).explained()).collect::<Vec<_>>())
            };
            (closer[0].components[place].0, of(|c| &c.1), of(|c| &c.2))
        })
        .collect();
    let swept: Vec<String> = sweep
        .iter()
        .map(|(count, own, control)| format!("{count} components {} ({})", figure(*own), figure(*control)))
        .collect();
    // Necessity.
    let nats = Arm::new(
        &closer
            .iter()
            .map(|closer| closer.edited.nats.iter().map(|[a, b, c]| vec![*a, *b, *c, 1.0]).collect())
            .collect::<Vec<_>>(),
    );
    let rise =
        |of: usize, than: usize| move |t: &Totals| over_seeds(&t[0], |sums| ratio(sums[of] - sums[than], sums[3]));
    let (erased, necessary) = (
        desk.estimate("erased", Design::Crossed, &[&nats], &rise(1, 0)),
        desk.estimate("erased beyond random", Design::Crossed, &[&nats], &rise(1, 2)),
    );
    let unseen = sums.alone(&sums.closer(|closer| &closer.unseen), "unseen positions");
    let curves: Vec<_> = closer.iter().map(|closer| closer.curve.clone()).collect();
    let curve = mean_curve(&curves.iter().collect::<Vec<_>>(), |c| c.0, |c| c.1);
    let strongest = Sums::strongest(baselines).0.clone();
    let evidence = vec![
        Evidence::new(
            1,
            above(&random) && above(&wrong) && null < 1e-5,
            format!(
                "within the {} dimensions of {tap} in which the belief moves it, at the last position, another sequence's part put \
                 in place of the own one; share of the prediction's divergence from what the process does from that other belief \
                 that this takes away: {}; beyond the random vector {}, beyond the third belief {}; blocks lie between edit and \
                 output, earlier positions cannot be touched",
                closer[0].edited.rank,
                told.join(", "),
                estimated(&random),
                estimated(&wrong)
            ),
        ),
        Evidence::new(
            2,
            beside.iter().all(|(_, _, beyond)| above(beyond)),
            beside.iter().map(|(name, alone, _)| format!("{name} {}", estimated(alone))).collect::<Vec<_>>().join("; "),
        ),
        Evidence::new(3, true, "variance about the mean belief of the rows for fitting, at novel contexts alone"),
        leaks(found),
        Evidence::new(
            6,
            above(&selective),
            format!(
                "beyond beliefs given at random to the last three symbols: {}; by capacity, with the control in brackets: {}",
                estimated(&selective),
                swept.join(", ")
            ),
        ),
        Evidence::new(
            7,
            above(&necessary),
            format!(
                "rise of the loss by erasing the belief at {tap}: {} nats a symbol; beyond a random subspace of its rank {}",
                estimated(&erased),
                estimated(&necessary)
            ),
        ),
        Evidence::new(
            8,
            above(&beyond_output),
            format!(
                "own next-symbol distribution {}; beyond it {}",
                estimated(&output_alone),
                estimated(&beyond_output)
            ),
        ),
        Evidence::new(
            10,
            unseen.as_ref().is_some_and(|unseen| unseen.interval.0 > 0.5),
            format!("a probe fitted on earlier positions alone explains {} at these", estimated(&unseen)),
        ),
        emerged(&curves, "variance explained by step", &[desk.experiment]),
        Evidence::new(
            12,
            true,
            format!(
                "what is read ({source}), the tap that is edited and the strongest baseline ({strongest}) are chosen on other contexts"
            ),
        ),
    ];
    let json = json!({
        "read_at": source, "edited_at": tap,
        "sources": found.sources.iter().enumerate().map(|(place, name)| {
            let all = sums.of_source(place);
            let seeds = |of: fn(&Reading) -> f64| mean(&all.iter().map(|r| of(r)).collect::<Vec<_>>());
            (name.clone(), json!({
                "explained": seeds(|r| r.squares.explained()),
                "distances": seeds(|r| r.distances),
                "explained_everywhere": found.everywhere[place],
                "explained_untrained": found.untrained[place].squares.explained(),
            }))
        }).collect::<serde_json::Map<_, _>>(),
        "baselines": beside.iter().map(|(name, alone, _)| (name.clone(), json!(alone))).collect::<serde_json::Map<_, _>>(),
        "edits": edits.iter().map(|(edit, estimate)| (edit.name().to_string(), json!(estimate))).collect::<serde_json::Map<_, _>>(),
        "erasure": { "belief": erased, "beyond_random": necessary },
        "capacity": sweep, "selectivity": selective, "unseen_positions": unseen, "curve": curve,
    });
    (evidence, json)
}
