//! What looks inside, on models whose inside is known: head scores, path patching, interventions as data, examples and
//! principal components from a store.

use std::collections::BTreeMap;

use environments::{Geometry, Symbol, stream};
use experiments::evidence::examples::{PrincipalComponents, along, neuron, top_examples};
use experiments::evidence::heads::{attention_to, induction, previous_token, same_neighbour};
use experiments::evidence::interventions::{INTERVENTIONS, Source, Stated, controls, head_columns, intervene};
use experiments::evidence::linear::dot;
use experiments::evidence::numeric::{exponential, log_softmax};
use experiments::evidence::paths::{Inputs, Way, patch_path};
use experiments::evidence::statistics::mean;
use experiments::evidence::store::{Store, Wanted};
use experiments::evidence::{Dictionary, DictionaryConfig, Whitening};
use models::{Device, ModelSpec, Parameters, Plan, Predictor, TransformerConfig, predictor};

use crate::planted::{Facts, PARTS, Planted, TAP, WIDTH, plant, run, tokens};

/// A model of zeros with some weights written.
fn written(spec: ModelSpec, weights: &[(&str, &dyn Fn(usize) -> f32)]) -> Box<dyn Predictor> {
    let layout = spec.layout();
    let mut parameters = Parameters { values: vec![0.0; layout.len], spec };
    for (name, value) in weights {
        let entry = layout.entries.iter().find(|entry| entry.name == *name).unwrap();
        parameters.values[entry.range()].iter_mut().enumerate().for_each(|(place, slot)| *slot = value(place));
    }
    predictor(&parameters, Device::Cpu).unwrap()
}

fn spec(geometry: Geometry, vocabulary: usize, (depth, width, heads): (usize, usize, usize)) -> ModelSpec {
    let model = TransformerConfig { depth, width, heads, expansion: 1, loops: 1 };
    ModelSpec { vocabulary, targets: 2, geometry, model: model.into() }
}

#[test]
fn heads_that_look_at_one_neighbour_are_told_from_those_that_look_everywhere() {
    let sequences: Vec<Vec<Symbol>> =
        (0..40).map(|s| (0..6).map(|p| ((s * 5 + p * p) % 4) as Symbol).collect()).collect();
    // Head 0 looks one back, head 1 everywhere.
    let line = spec(Geometry::Line { length: 6 }, 4, (1, 8, 2));
    let model = written(line, &[("blocks.0.attn.relative", &|place| if place == 1 { 30.0 } else { 0.0 })]);
    let scores = attention_to(model.as_ref(), &sequences, &|tokens, query| previous_token(tokens, query)).unwrap();
    let even = (2..=6).map(|keys| 1.0 / f64::from(keys)).sum::<f64>() / 5.0;
    assert!((scores[0].score - 1.0).abs() < 1e-6 && (scores[1].score - even).abs() < 1e-6, "{scores:?}");
    let neighbours = same_neighbour(model.as_ref(), &sequences).unwrap();
    assert_eq!((neighbours[0].1, neighbours[1].1), (1, 0), "everywhere, the own position is the commonest");
    // On a torus of 2×3: one to the south and two to the east is offset 5, and the prefix has none.
    let torus = spec(Geometry::Torus { prefix: 1, rows: 2, columns: 3 }, 4, (1, 8, 2));
    let model = written(torus, &[("blocks.0.attn.relative", &|place| if place == 5 { 30.0 } else { 0.0 })]);
    let sequences: Vec<Vec<Symbol>> = sequences.into_iter().map(|tokens| [&tokens[..], &[0]].concat()).collect();
    let neighbours = same_neighbour(model.as_ref(), &sequences).unwrap();
    assert!(neighbours[0].1 == 5 && neighbours[0].0.score > 0.999, "{neighbours:?}");
    assert!(neighbours[1].0.score < 0.2, "{neighbours:?}");
}

#[test]
fn an_induction_head_written_by_hand_is_found() {
    const SYMBOLS: usize = 6;
    const WIDTH: usize = 2 * SYMBOLS;
    let shape = spec(Geometry::Line { length: 8 }, SYMBOLS, (2, WIDTH, 1));
    // The first block writes the token before into the second half of the stream; the second looks for keys whose token
    // before is its own.
    let at = |place: usize| (place / (3 * WIDTH), place % (3 * WIDTH));
    let model = written(
        shape,
        &[
            ("embed.weight", &|place| if place % WIDTH == place / WIDTH { 5.0 } else { 0.0 }),
            ("blocks.0.attn.norm.gain", &|_| 1.0),
            ("blocks.0.attn.relative", &|place| if place == 1 { 30.0 } else { 0.0 }),
            ("blocks.0.attn.qkv.weight", &|place| {
                let (row, column) = at(place);
                if row < SYMBOLS && column == 2 * WIDTH + SYMBOLS + row { 1.0 } else { 0.0 }
            }),
            ("blocks.0.attn.out.weight", &|place| if place / WIDTH == place % WIDTH { 1.0 } else { 0.0 }),
            ("blocks.1.attn.norm.gain", &|_| 1.0),
            ("blocks.1.attn.qkv.weight", &|place| {
                let (row, column) = at(place);
                let query = row < SYMBOLS && column == row;
                let key = row >= SYMBOLS && column == WIDTH + row - SYMBOLS;
                if query || key { 4.0 } else { 0.0 }
            }),
        ],
    );
    let sequences: Vec<Vec<Symbol>> = (0..SYMBOLS)
        .map(|first| [0, 1, 2, 3, 0, 1, 2, 3].map(|place| ((first + place) % SYMBOLS) as Symbol).to_vec())
        .collect();
    let scores = attention_to(model.as_ref(), &sequences, &|tokens, query| induction(tokens, query)).unwrap();
    // The first position has no token before it and holds its own, which costs one query in four half of its attention.
    assert!(scores[1].score > 0.8 && scores[0].score < 0.1, "{scores:?}");
}

/// Mean probability of the answer with the partner's concept, the other fact being the same.
fn taken_over(logits: &[f32], pairs: &[(usize, usize)]) -> f64 {
    let said = logits.chunks_exact(4).zip(pairs).map(|(row, &(own, other))| {
        let mut row: Vec<f64> = row.iter().map(|&logit| f64::from(logit)).collect();
        log_softmax(&mut row);
        let answer = Facts { concept: Facts::of(other).concept, ..Facts::of(own) }.answer();
        exponential(row[answer])
    });
    mean(&said.collect::<Vec<_>>())
}

/// Tokens for reporting, each with one whose concept is the other way round and whose other fact is the same.
fn pairs() -> Vec<(usize, usize)> {
    let fits = |own: usize, other: &usize| {
        let (own, other) = (Facts::of(own), Facts::of(*other));
        own.concept != other.concept && own.other == other.other
    };
    (0..200)
        .map(|place| PARTS[2].start + place)
        .map(|own| (own, PARTS[2].clone().find(|other| fits(own, other)).unwrap()))
        .collect()
}

#[test]
fn path_patching_tells_the_way_that_a_planted_concept_takes() {
    let pairs = pairs();
    let own: Vec<Symbol> = pairs.iter().map(|pair| pair.0 as Symbol).collect();
    let other: Vec<Symbol> = pairs.iter().map(|pair| pair.1 as Symbol).collect();
    let inputs = Inputs { own: &own, other: &other, rows: &[0] };
    let through = |planted: Planted, sender: &str, receiver: &str| {
        let way = Way { sender: sender.into(), receiver: receiver.into() };
        taken_over(&patch_path(run(&plant(planted, 0)).as_ref(), &way, inputs).unwrap().logits, &pairs)
    };
    // Past the block, or through it.
    let ways =
        |planted| [through(planted, "embed", "blocks.0.resid_post"), through(planted, "embed", "blocks.0.mlp.hidden")];
    for (planted, direct) in [(Planted::Used, true), (Planted::NonLinear, false), (Planted::OtherFrame, false)] {
        let [past, block] = ways(planted);
        let (used, unused) = if direct { (past, block) } else { (block, past) };
        assert!(used > 0.9 && unused < 0.1, "{planted:?}: past the block {past}, through it {block}");
    }
    let [past, block] = ways(Planted::Ignored);
    assert!(past < 0.6 && block < 0.6, "what nothing reads takes no way: {past} {block}");
    let way = Way { sender: "final.norm".into(), receiver: "embed".into() };
    let error = patch_path(run(&plant(Planted::Used, 0)).as_ref(), &way, inputs).unwrap_err().to_string();
    assert!(error.contains("`embed` does not come after `final.norm`"), "{error}");
}

#[test]
fn interventions_as_data_do_what_they_say_on_the_planted_models() {
    let pairs = pairs();
    let count = pairs.len();
    let batch: Vec<Symbol> =
        pairs.iter().map(|pair| pair.0 as Symbol).chain(pairs.iter().map(|pair| pair.1 as Symbol)).collect();
    let model = run(&plant(Planted::Used, 0));
    let rows = model.run(&tokens(0), &Plan::reading(&[TAP])).unwrap().captured.remove(0).values;
    let labels: Vec<usize> = PARTS[0].clone().map(|token| usize::from(Facts::of(token).concept)).collect();
    let basis = Whitening::fit(&rows, WIDTH).erase(&rows, &labels, 2).basis();
    let each = |of: &dyn Fn(usize) -> Stated| -> Vec<Stated> { (0..count).map(of).collect() };
    let stated = |kind: &str, place: usize| Stated {
        kind: kind.into(),
        tap: TAP.into(),
        sequence: Some(place),
        rows: vec![0],
        ..Stated::default()
    };
    let from = |place: usize| Some(Source::Row { sequence: count + place, row: 0 });
    let said = |all: Vec<Stated>| {
        // As a file would hold them.
        let text = serde_json::to_string(&all).unwrap();
        let again: Vec<Stated> = serde_json::from_str(&text).unwrap();
        assert_eq!(again, all);
        taken_over(&intervene(model.as_ref(), &batch, &again).unwrap().logits, &pairs)
    };
    let whole = said(each(&|place| Stated { source: from(place), ..stated("replace", place) }));
    let within =
        said(each(&|place| Stated { source: from(place), basis: basis.clone(), ..stated("replace-within", place) }));
    let erased = said(each(&|place| Stated { basis: basis.clone(), ..stated("project-out", place) }));
    let direction = |place: usize| {
        let sign = if Facts::of(pairs[place].0).concept { -1.0 } else { 1.0 };
        let along = mean(
            &(0..200)
                .map(|row| {
                    let concept = if labels[row] == 1 { 1.0 } else { -1.0 };
                    concept
                        * dot(
                            &basis,
                            &rows[row * WIDTH..(row + 1) * WIDTH].iter().map(|v| f64::from(*v)).collect::<Vec<_>>(),
                        )
                })
                .collect::<Vec<_>>(),
        );
        basis.iter().map(|value| sign * along * value).collect::<Vec<f64>>()
    };
    let added = |dose: f64| {
        said(each(&|place| Stated { direction: direction(place), dose: Some(dose), ..stated("add", place) }))
    };
    let (one, two) = (added(1.0), added(2.0));
    assert!(whole > 0.95 && within > 0.95, "{whole} {within}");
    // Half of the way between the two values nothing is known of the concept; twice that is the other value.
    assert!((erased - 0.5).abs() < 0.1 && (one - 0.5).abs() < 0.1 && two > 0.95, "{erased} {one} {two}");
    let dead = intervene(model.as_ref(), &batch, &[Stated { sequence: None, ..stated("zero", 0) }]).unwrap();
    assert!(dead.logits.chunks(4).all(|row| row == &dead.logits[..4]), "of zeros all say the same");
    // The controls: nothing, to the bit; and a random vector as long, which does nothing much.
    let clean = model.run(&batch, &Plan::default()).unwrap();
    let mut chance = stream(&["interventions", "controls"]);
    let mut random = Vec::new();
    for place in 0..count {
        let moved = 2.0 * dot(&direction(place), &direction(place)).sqrt();
        let [(_, null), (_, other)] = controls(&stated("add", place), WIDTH, moved, &mut chance);
        assert_eq!(intervene(model.as_ref(), &batch, &[null]).unwrap().logits, clean.logits);
        random.push(other);
    }
    assert!(said(random) < 0.2);
    // Of some columns alone: those of one head.
    assert_eq!(head_columns(1, 24, 3), (8, 16));
    let half = Stated { columns: Some((0, 12)), sequence: None, ..stated("zero", 0) };
    assert_ne!(intervene(model.as_ref(), &batch, &[half]).unwrap().logits, dead.logits);
    let error = |one: Stated| intervene(model.as_ref(), &batch, &[one]).unwrap_err().to_string();
    assert!(error(stated("replac", 0)).ends_with("the nearest is `replace`"));
    assert!(error(Stated { tap: "blocks.9.resid_pre".into(), ..stated("zero", 0) }).contains("blocks.9.resid_pre"));
    assert!(error(Stated { rows: vec![4], ..stated("zero", 0) }).contains("row 4 of sequence 0"));
    assert!(error(Stated { direction: vec![1.0], ..stated("add", 0) }).contains("do not fit the width, 24"));
    assert_eq!(INTERVENTIONS.len(), 6);
}

#[test]
fn a_store_gives_the_examples_and_the_components_that_were_planted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("planted.safetensors");
    let model = run(&plant(Planted::Used, 0));
    let wanted = || PARTS[0].clone().map(|token| -> Wanted { (vec![token as Symbol], vec![0]) });
    let taps = [TAP.to_string()];
    let store =
        Store::record(&path, model.as_ref(), &taps, (wanted(), PARTS[0].len()), &BTreeMap::new(), || Ok(())).unwrap();
    let features = store.read(TAP, 0..store.rows()).unwrap();
    let labels: Vec<usize> = PARTS[0].clone().map(|token| usize::from(Facts::of(token).concept)).collect();
    let direction = Whitening::fit(&features.values, WIDTH).erase(&features.values, &labels, 2).basis();
    let top = top_examples(&store, TAP, 30, along(&direction)).unwrap();
    let concept = Facts::of(top[0].sequence).concept;
    assert!(top.len() == 30 && top.iter().all(|example| Facts::of(example.sequence).concept == concept));
    assert!(top.windows(2).all(|pair| pair[0].activation >= pair[1].activation));
    let opposite: Vec<f64> = direction.iter().map(|value| -value).collect();
    let bottom = top_examples(&store, TAP, 30, along(&opposite)).unwrap();
    assert!(bottom.iter().all(|example| Facts::of(example.sequence).concept != concept));
    // By the definition, for a neuron.
    let first = top_examples(&store, TAP, 1, neuron(3)).unwrap();
    let greatest = features.values.chunks(WIDTH).map(|row| f64::from(row[3])).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(first[0].activation, greatest);
    // Two bits of half distance 2 against noise of deviation .4 in every dimension: (4 + .16) of (8 + 24 · .16) each.
    let components = PrincipalComponents::fit(&store, TAP, 3).unwrap();
    let expected = 4.16 / (8.0 + 24.0 * 0.16);
    assert!((components.shares[0] - expected).abs() < 0.03 && (components.shares[1] - expected).abs() < 0.03);
    assert!(components.shares[2] < 0.03, "{:?}", components.shares);
    let inside: f64 = components.components[..2].iter().map(|row| dot(row, &direction).powi(2)).sum();
    assert!(inside > 0.95, "the concept lies in the plane of the two strongest: {inside}");
    let scores = components.scores(&features);
    let mean_square = scores.chunks(3).map(|row| row[0] * row[0]).sum::<f64>() / store.rows() as f64;
    assert!((mean_square - 4.16).abs() < 0.6, "{mean_square}");
    // A unit of a dictionary has examples too.
    let mut chance = stream(&["looking", "dictionary"]);
    let config = DictionaryConfig { units: 48, active: 6, epochs: 60, ..DictionaryConfig::default() };
    let dictionary = Dictionary::fit(config, &features.values, WIDTH, &mut chance).unwrap();
    let concepts: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
    let (unit, _) = dictionary.coverage((&features.values, &concepts), (&features.values, &concepts)).unwrap();
    let activation = |row: &[f32]| {
        let active = dictionary.encode(row).remove(0);
        active.into_iter().find(|(own, _)| *own == unit).map_or(0.0, |(_, value)| value)
    };
    let of_unit = top_examples(&store, TAP, 20, activation).unwrap();
    assert!(of_unit.iter().all(|example| Facts::of(example.sequence).concept), "unit {unit}");
}
