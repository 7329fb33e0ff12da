//! The world of programs in dovetail: its stream against a step-by-step interpreter, splits, counterfactuals, accounts.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;

use environments::turing::universal::{
    Boundaries, Execution, Limits, Program, ProgramOutcome, Silent, UniversalConfig, UniversalWorld,
};
use environments::{Edit, Environment, Split, Symbol, UNSCORED};
use proptest::prelude::*;

fn world(config: UniversalConfig) -> UniversalWorld {
    UniversalWorld::new(config).unwrap()
}

fn several() -> UniversalConfig {
    UniversalConfig { programs: 4, slice: 7, length: 96, ..UniversalConfig::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn slices_of_any_size_make_one_run(
        numbers in proptest::collection::vec(0usize..7, 0..40),
        steps in 0u64..400,
        slice in 1u64..30,
        alphabet in 2usize..20,
    ) {
        let text: String =
            numbers.into_iter().map(|number| char::from(environments::turing::universal::INSTRUCTIONS[number])).collect();
        let program: Program = text.parse().unwrap();
        let limits = Limits { steps, cells: 3, output: 12, alphabet };
        let whole = program.run_reference(limits);
        let mut execution = Execution::new(&program, limits);
        let mut output = Vec::new();
        let mut given = 0;
        let outcome = loop {
            given += slice;
            // A symbol comes in the slice in which its step falls, never before.
            let outcome = execution.advance(slice, |symbol| output.push(symbol));
            let by_now = program.run_reference(Limits { steps: given.min(steps), ..limits });
            prop_assert_eq!(&output, &by_now.output);
            if let Some(outcome) = outcome {
                break outcome;
            }
        };
        prop_assert_eq!((outcome, execution.steps(), output), (whole.outcome, whole.steps, whole.output));
    }
}

#[test]
fn the_stream_is_the_dovetail_of_the_outputs() {
    let world = world(several());
    let mut ended = 0;
    for index in 0..60 {
        let observed = world.observe(Split::Train, index);
        let sample = world.sample(Split::Train, index);
        assert_eq!(sample, world.episode(Split::Train, index).sample);
        assert_eq!(sample.tokens[0], world.targets() as Symbol);
        assert_eq!(sample.tokens[1..], observed_symbols(&world, &observed.stream)[..95]);
        let mut place = None;
        for (slot, drawn) in observed.programs.iter().enumerate() {
            let written: Vec<u8> =
                observed.stream.iter().filter(|(of, s)| *of == slot && *s < 4).map(|&(_, s)| s as u8).collect();
            let alone = drawn.as_ref().unwrap().program.run(world.config().limits()).output;
            assert_eq!(alone[..written.len()], written[..], "what a program writes is its output");
        }
        for &(slot, symbol) in &observed.stream {
            if place != Some(slot) {
                assert_eq!(symbol, 4 + slot as Symbol, "another program is announced");
                place = Some(slot);
            } else {
                assert!(symbol < 4);
            }
        }
        let scored = sample.targets.iter().filter(|target| **target != UNSCORED).count();
        if observed.stream.len() < 96 {
            assert_eq!(scored, observed.stream.len() + 1);
            assert_eq!(sample.targets[observed.stream.len()], world.end());
            assert!(observed.outcomes.iter().all(Option::is_some));
            ended += 1;
        } else {
            assert_eq!(scored, 96);
        }
    }
    assert!((1..60).contains(&ended), "{ended}");
}

fn observed_symbols(world: &UniversalWorld, stream: &[(usize, Symbol)]) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = stream.iter().map(|&(_, symbol)| symbol).collect();
    symbols.resize(world.config().length, world.end());
    symbols
}

#[test]
fn splits_share_no_output_and_silence_is_accounted_for() {
    let world = world(UniversalConfig::default());
    let output = |program: &Program| program.run(world.config().limits()).output;
    let drawn = |split: Split, index: u64| world.observe(split, index).programs[0].clone().unwrap();
    let outputs = |split: Split| -> BTreeSet<Vec<u8>> {
        let novel = (0..400).map(|index| drawn(split, index)).filter(|drawn| drawn.novel);
        novel.map(|drawn| output(&drawn.program)).collect()
    };
    let [train, validation, test] = Split::ALL.map(outputs);
    assert!(train.is_disjoint(&validation) && train.is_disjoint(&test) && validation.is_disjoint(&test));
    assert!(train.iter().all(|output| !output.is_empty()) && train.len() > 60, "{}", train.len());
    // What a short program writes is nobody's own.
    assert_eq!(world.split_of(&output(&".".parse().unwrap())), None);
    assert_eq!(world.split_of(&output(&"+[.]".parse().unwrap())), None);
    assert!(world.split_of(&output(&"+.-.+.+.".parse().unwrap())).is_some());
    let common = Split::ALL.map(|split| (0..400).filter(|&index| !drawn(split, index).novel).count());
    assert!(common.iter().all(|common| (200..300).contains(common)), "{common:?}: alike in all splits");
    let silent: u64 =
        (0..300).map(|index| world.observe(Split::Train, index).programs[0].as_ref().unwrap().silent).sum();
    assert!(silent > 100, "{silent}: most short programs write nothing");
    let kept = self::world(UniversalConfig { silent: Silent::Kept, ..UniversalConfig::default() });
    let quiet = (0..300).filter(|&index| kept.observe(Split::Test, index).stream.is_empty()).count();
    assert!(quiet > 50, "{quiet}");
}

#[test]
fn a_program_taken_away_leaves_the_others_as_they_were() {
    let world = world(UniversalConfig { boundaries: Boundaries::Hidden, ..several() });
    assert_eq!(world.targets(), 5);
    for index in 0..30 {
        let observed = world.observe(Split::Test, index);
        let whole = world.counterfactual(&observed.address, &[]).unwrap();
        assert_eq!(whole, world.episode(Split::Test, index));
        let edited = world.counterfactual(&observed.address, &[Edit::Delete { object: 1 }]).unwrap();
        let writers = &edited.labels.get("program").unwrap().values;
        assert!(writers.iter().flatten().all(|&writer| writer != 1));
        // In the same rounds the others write the same, as far as the stream goes.
        let expected: Vec<Symbol> = observed.stream.iter().filter(|(slot, _)| *slot != 1).map(|&(_, s)| s).collect();
        assert_eq!(edited.sample.targets[..expected.len()], expected[..]);
    }
    let address = world.observe(Split::Test, 0).address;
    let error = world.counterfactual(&address, &[Edit::Delete { object: 9 }]).unwrap_err().to_string();
    assert_eq!(error, "object = 9: there is no such program; they are numbered 0 to 3");
    let error = UniversalWorld::new(UniversalConfig { alphabet: 1, ..several() }).unwrap_err().to_string();
    assert_eq!(error, "alphabet = 1 is outside 2 to 256; the nearest is 2");
    let narrow = UniversalConfig { alphabet: 2, length: 1, ..UniversalConfig::default() };
    assert!(UniversalWorld::new(narrow).unwrap_err().to_string().starts_with("shares = [6, 1, 1] leave no program"));
}

#[test]
fn an_address_names_its_stream_for_ever() {
    let observed = world(UniversalConfig::default()).observe(Split::Train, 3);
    let program = observed.programs[0].as_ref().unwrap();
    assert_eq!(observed.address.environment.len(), 16);
    assert_eq!((program.program.to_string().as_str(), observed.outcomes[0]), GOLDEN);
}

const GOLDEN: (&str, Option<ProgramOutcome>) = (".++", Some(ProgramOutcome::Halted));
