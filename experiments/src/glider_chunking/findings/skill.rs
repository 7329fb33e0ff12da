//! The claim `skill`: trained models beat everything that has no concepts, at horizons beyond their depth.

use environments::life::Source;
use serde_json::{Value as Json, json};

use super::super::measure::{Of, Rival, kept, total};
use super::super::skill::{COUNTS, Tallies, balanced, nats, overlap};
use super::super::zoo::Group;
use super::desk::{Desk, Part, mean, number, value};
use crate::claims::{Evidence, Finding, figure};
use crate::evidence::{Arm, Totals, over_seeds};
use crate::experiment::{Section, Table};
use crate::figures::{Axis, Figure, Line, Plot, Value};

/// Overlaps of a PyTorch model of 340 000 parameters on 16×16 scenes, by horizon, for comparison.
const REFERENCE: [(u32, f64); 5] = [(1, 0.998), (2, 0.991), (4, 0.970), (8, 0.888), (16, 0.751)];

type Score = fn(&[f64]) -> Option<f64>;

/// Boards that are scored together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Those of a source.
    Of(Source),
    /// Scenes in which no glider is destroyed by the horizon.
    FlyingOn,
    /// Scenes in which one is.
    Doomed,
}

impl Kind {
    const ALL: [Kind; 5] =
        [Kind::Of(Source::Scene), Kind::FlyingOn, Kind::Doomed, Kind::Of(Source::Ash), Kind::Of(Source::Soup)];

    fn name(self) -> &'static str {
        match self {
            Kind::Of(source) => source.name(),
            Kind::FlyingOn => "scene, every glider flies on",
            Kind::Doomed => "scene, a glider meets its doom",
        }
    }

    fn holds(self, source: Source, doom: Option<u32>, horizon: u32) -> bool {
        let doomed = doom.is_some_and(|doom| doom <= horizon);
        match self {
            Kind::Of(own) => own == source,
            Kind::FlyingOn => source == Source::Scene && !doomed,
            Kind::Doomed => source == Source::Scene && doomed,
        }
    }
}

/// An arm of the tallies of several models at one horizon.
fn arm(tallies: &[&Tallies], horizon: usize) -> Option<Arm> {
    let of: Option<Vec<Vec<Vec<f64>>>> = tallies.iter().map(|tallies| tallies.get(horizon).cloned()).collect();
    of.filter(|of| !of.is_empty()).map(|of| Arm::new(&of))
}

/// The rival that does best at a horizon on the boards for choosing; of equals the first.
fn strongest(rivals: &[Rival], horizon: usize) -> Option<&Rival> {
    let score = |rival: &Rival| overlap(&total(&rival.validation[horizon])).unwrap_or(0.0);
    rivals.iter().fold(None, |best, next| match best {
        Some(best) if score(best) >= score(next) => Some(best),
        _ => Some(next),
    })
}

/// The finding and what the report shows.
pub fn find(desk: &Desk<'_>) -> Part {
    let measured = desk.measured;
    let horizons = desk.settings.horizons();
    let beyond = desk.settings.beyond_depth();
    let of = |group: Group| -> Vec<&Tallies> {
        measured.skill.iter().filter(|of| of.group == group).map(|of| &of.value).collect()
    };
    let (jump, untrained) = (of(Group::Jump), of(Group::Untrained));
    let places: Vec<usize> = (0..horizons.len()).filter(|&place| beyond.contains(&horizons[place])).collect();
    let chosen: Vec<&Rival> = places.iter().filter_map(|&place| strongest(&measured.rivals, place)).collect();

    let effect = (!places.is_empty()).then(|| {
        let arms: Option<Vec<Arm>> = places.iter().map(|&place| arm(&jump, place)).collect();
        let others: Option<Vec<Arm>> =
            places.iter().zip(&chosen).map(|(&place, rival)| arm(&[&rival.test], place)).collect();
        let (arms, others) = (arms?, others?);
        let (ours, theirs) =
            (Arm::joined(&arms.iter().collect::<Vec<_>>()), Arm::joined(&others.iter().collect::<Vec<_>>()));
        let statistic = |totals: &Totals| {
            let of = |totals: &[Vec<f64>]| {
                let at = |place: usize| over_seeds(totals, |t| overlap(&t[place * COUNTS..(place + 1) * COUNTS]));
                (0..places.len()).map(at).sum::<Option<f64>>()
            };
            Some((of(&totals[0])? - of(&totals[1])?) / places.len() as f64)
        };
        desk.difference("skill", "test boards", &[&ours, &theirs], &statistic)
    });
    let effect = effect.flatten();

    let score = |tallies: &[&Tallies], place: usize, score: Score| {
        mean(tallies.iter().filter_map(|tallies| score(&total(tallies.get(place)?))))
    };
    let beyond_mean =
        |tallies: &[&Tallies], of: Score| mean(places.iter().filter_map(|&place| score(tallies, place, of)));
    let rival_mean = |name: &str, of: Score| {
        let rival = measured.rivals.iter().find(|rival| rival.name == name)?;
        beyond_mean(&[&rival.test], of)
    };
    let names: Vec<String> =
        chosen.iter().zip(&places).map(|(r, &p)| format!("{} at {}", r.name, horizons[p])).collect();
    let rivals: Vec<String> = measured
        .rivals
        .iter()
        .map(|rival| format!("{} {}", rival.name, number(beyond_mean(&[&rival.test], overlap))))
        .collect();
    let stands: Vec<(u64, Option<f64>)> = training_curve(desk);
    let rises = matches!((stands.first(), stands.last()), (Some((_, Some(a))), Some((_, Some(b)))) if b > a);
    let curve: Vec<String> = stands.iter().map(|(step, overlap)| format!("{step}: {}", number(*overlap))).collect();
    let evidence = vec![
        Evidence::new(
            2,
            effect.as_ref().is_some_and(|effect| effect.above_zero()) && !untrained.is_empty(),
            format!(
                "overlap beyond depth: trained {}; {}; random weights {}",
                number(beyond_mean(&jump, overlap)),
                rivals.join(", "),
                number(beyond_mean(&untrained, overlap)),
            ),
        ),
        Evidence::new(
            3,
            true,
            format!(
                "on live-or-changed cells beyond depth: balanced accuracy trained {}, persistence {}, majority {}; \
                 nats a cell {}, {} and {}. Overlap leaves cells out that are dead and predicted so",
                number(beyond_mean(&jump, balanced)),
                number(rival_mean("persistence", balanced)),
                number(rival_mean("majority", balanced)),
                number(beyond_mean(&jump, nats)),
                number(rival_mean("persistence", nats)),
                number(rival_mean("majority", nats)),
            ),
        ),
        Evidence::new(4, measured.leaks.none(), measured.leaks.figure()),
        Evidence::new(
            11,
            stands.len() >= 4 && rises,
            format!("overlap at the longest horizon over training steps: {}", curve.join(", ")),
        ),
        Evidence::new(
            12,
            !names.is_empty(),
            format!(
                "the best rival is chosen on validation boards ({}), the figure is of test boards",
                names.join(", ")
            ),
        ),
    ];
    let unit = "intersection over union";
    let finding =
        Finding { claim: "skill".into(), measured: effect.as_ref().map(|effect| effect.measured(unit)), evidence };
    let control = of(Group::Control);
    let next = of(Group::NextStep);
    let section = Section {
        title: "Skill by horizon".into(),
        claim: Some("skill".into()),
        text: vec![text(desk, &jump)],
        figures: vec![
            curves(desk, "skill", "Overlap with the true board", "intersection over union", overlap, &jump, &untrained),
            curves(
                desk,
                "cross-entropy",
                "Cross-entropy on live-or-changed cells",
                "nats a cell",
                nats,
                &jump,
                &untrained,
            ),
        ],
        tables: vec![by_source(desk, &jump)],
    };
    let everything = |score_of: Score| -> Json {
        let list = |tallies: &[&Tallies]| -> Vec<Vec<Option<f64>>> {
            tallies.iter().map(|t| t.iter().map(|boards| score_of(&total(boards))).collect()).collect()
        };
        let rivals: serde_json::Map<String, Json> =
            measured.rivals.iter().map(|rival| (rival.name.clone(), json!(list(&[&rival.test])[0]))).collect();
        json!({
            "trained": list(&jump),
            "untrained": list(&untrained),
            "next_step": list(&next),
            "control_world_in_its_own_world": list(&control),
            "rivals": rivals,
        })
    };
    let probes = json!({
        "horizons": horizons,
        "beyond_depth": beyond,
        "overlap": everything(overlap),
        "nats": everything(nats),
        "balanced_accuracy": everything(balanced),
        "by_source": sources_json(desk, &jump),
        "chosen_rivals": names,
        "effect": effect.map(|effect| json!({ "estimate": effect.estimate, "per_seed": effect.per_seed })),
    });
    Part { finding, sections: vec![section], probes }
}

fn text(desk: &Desk<'_>, jump: &[&Tallies]) -> String {
    let horizons = desk.settings.horizons();
    let scenes: Vec<String> = REFERENCE
        .iter()
        .filter_map(|(horizon, reference)| {
            let place = horizons.iter().position(|known| known == horizon)?;
            let ours = scene_overlap(desk, jump, place);
            Some(format!("k = {horizon}: {} ({})", number(ours), figure(*reference)))
        })
        .collect();
    format!(
        "Overlap on scenes alone, in brackets that of a PyTorch model of 340 000 parameters trained for five minutes on \
         two cores on scenes of 16×16 cells, which need not be as crowded as these: {}.",
        scenes.join("; ")
    )
}

fn scene_overlap(desk: &Desk<'_>, tallies: &[&Tallies], place: usize) -> Option<f64> {
    score_of_kind(desk, tallies, place, Kind::Of(Source::Scene), overlap)
}

fn score_of_kind(desk: &Desk<'_>, tallies: &[&Tallies], place: usize, kind: Kind, score: Score) -> Option<f64> {
    let measured = desk.measured;
    let horizon = desk.settings.horizons()[place];
    let boards = measured.sources.iter().zip(&measured.dooms);
    let keep: Vec<bool> = boards.map(|(source, doom)| kind.holds(*source, *doom, horizon)).collect();
    if !keep.contains(&true) {
        return None;
    }
    mean(tallies.iter().filter_map(|tallies| score(&total(&kept(tallies.get(place)?, &keep)))))
}

/// Names and tallies of what stands in tables and figures, the trained models first.
fn everyone<'a>(desk: &'a Desk<'_>, jump: &[&'a Tallies]) -> Vec<(String, Vec<&'a Tallies>)> {
    let mut all = vec![(Group::Jump.title().to_string(), jump.to_vec())];
    all.extend(desk.measured.rivals.iter().map(|rival| (rival.name.clone(), vec![&rival.test])));
    all
}

fn by_source(desk: &Desk<'_>, jump: &[&Tallies]) -> Table {
    let horizons = desk.settings.horizons();
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for (name, tallies) in everyone(desk, jump) {
            let mut row = vec![kind.name().to_string(), name];
            row.extend((0..horizons.len()).map(|place| number(score_of_kind(desk, &tallies, place, kind, overlap))));
            rows.push(row);
        }
    }
    let mut header = vec!["boards".to_string(), "predictor".to_string()];
    header.extend(horizons.iter().map(|horizon| format!("k = {horizon}")));
    Table {
        caption:
            "Intersection over union by horizon and source of boards; scenes also by what becomes of their gliders \
                  within the horizon."
                .into(),
        header,
        rows,
    }
}

fn sources_json(desk: &Desk<'_>, jump: &[&Tallies]) -> Json {
    let horizons = desk.settings.horizons();
    let mut all = serde_json::Map::new();
    for kind in Kind::ALL {
        let mut of = serde_json::Map::new();
        for (name, tallies) in everyone(desk, jump) {
            let scores: Vec<[Option<f64>; 2]> = (0..horizons.len())
                .map(|place| [overlap, nats].map(|score| score_of_kind(desk, &tallies, place, kind, score)))
                .collect();
            of.insert(name, json!(scores));
        }
        all.insert(kind.name().into(), Json::Object(of));
    }
    Json::Object(all)
}

fn curves(
    desk: &Desk<'_>,
    name: &str,
    title: &str,
    unit: &str,
    score: Score,
    jump: &[&Tallies],
    untrained: &[&Tallies],
) -> Figure {
    let horizons = desk.settings.horizons();
    let line = |label: String, tallies: &[&Tallies], baseline: bool| {
        let point = |place: usize| {
            let arm = arm(tallies, place)?;
            let what = format!("{name} {label} {place}");
            let estimate = desk.band(&what, "boards", &[&arm], &|totals| over_seeds(&totals[0], score))?;
            Some((f64::from(horizons[place]), value(&estimate)))
        };
        Line { points: (0..horizons.len()).filter_map(point).collect(), name: label, baseline }
    };
    let mut series = vec![line(Group::Jump.title().into(), jump, false)];
    series.extend(desk.measured.rivals.iter().map(|rival| line(rival.name.clone(), &[&rival.test], true)));
    series.push(line(Group::Untrained.title().into(), untrained, true));
    if name == "skill" {
        let alone = |place: usize| {
            let value = scene_overlap(desk, jump, place)?;
            Some((f64::from(horizons[place]), Value { value, interval: None }))
        };
        let points = (0..horizons.len()).filter_map(alone).collect();
        series.insert(1, Line { name: format!("{}, scenes alone", Group::Jump.title()), baseline: false, points });
        let known = REFERENCE.iter().filter(|(horizon, _)| horizons.contains(horizon));
        let points = known.map(|(k, value)| (f64::from(*k), Value { value: *value, interval: None })).collect();
        series.push(Line { name: "PyTorch model, scenes alone".into(), baseline: true, points });
    }
    series.retain(|line| !line.points.is_empty());
    Figure {
        name: name.into(),
        title: title.into(),
        caption: "Test boards of all sources, among which the live cells of soups and ash count most, where not said \
                  otherwise. Bands: 95% bootstrap intervals over model seeds and boards."
            .into(),
        plot: Plot::Lines {
            x: Axis::new("horizon (steps)").logarithmic(),
            y: Axis::new(unit).spanning(0.0, 1.0),
            series,
        },
    }
}

/// Mean overlap at the longest horizon over the checkpoints of the models that are followed.
fn training_curve(desk: &Desk<'_>) -> Vec<(u64, Option<f64>)> {
    let curves: Vec<&Of<Vec<super::super::curves::Stand>>> = desk.measured.over_training.iter().collect();
    let Some(first) = curves.first() else { return Vec::new() };
    let at = |place: usize| mean(curves.iter().filter_map(|of| of.value.get(place)?.overlap));
    first.value.iter().enumerate().map(|(place, stand)| (stand.step, at(place))).collect()
}
