//! The universal machine: its fast interpreter against the plain one, and programs worked by hand.
#![allow(clippy::unwrap_used, missing_docs)]

use environments::stream;
use environments::turing::universal::{INSTRUCTIONS, Limits, Program, ProgramOutcome, Survey};
use proptest::prelude::*;

const LIMITS: Limits = Limits { steps: 1000, cells: 16, output: 32, alphabet: 17 };

#[test]
fn programs_worked_by_hand() {
    let run = |text: &str| text.parse::<Program>().unwrap().run(LIMITS);
    // Counts up to 16, each symbol three steps, and halts as the cell comes round to 0.
    let counter = run("+[.+]");
    assert_eq!((counter.outcome, counter.steps), (ProgramOutcome::Halted, 2 + 3 * 16));
    assert_eq!(counter.output, (1..=16).collect::<Vec<u8>>());
    assert_eq!(run("+[.]").outcome, ProgramOutcome::Full);
    assert_eq!((run("").outcome, run("").steps), (ProgramOutcome::Halted, 0));
    assert_eq!((run("+[]").outcome, run("+[]").steps), (ProgramOutcome::Limit, 1000));
    // A bracket without a partner does nothing.
    assert_eq!((run("]+.[").output, run("]+.[").steps), (vec![1], 4));
    assert_eq!(run("-.>-<.").output, [16, 16]);
    // 3 · 2 by a loop.
    assert_eq!(run("+++[>++<-]>.").output, [6]);
    let error = "+a".parse::<Program>().unwrap_err().to_string();
    assert_eq!(error, "program, character 2: `a` is none of the instructions < > + - [ ] .");
}

#[test]
fn a_survey_counts_every_program() {
    let survey = Survey::take(&mut stream(&["survey"]), 5000, 20, 200, LIMITS);
    assert_eq!(survey, Survey::take(&mut stream(&["survey"]), 5000, 20, 200, LIMITS));
    assert_eq!(survey.lengths.values().sum::<u64>(), 5000);
    assert_eq!(survey.outputs.values().sum::<u64>(), 5000);
    assert_eq!(survey.outputs[&0], survey.silent);
    assert!(survey.halted > 2000 && survey.limited > 100, "{survey:?}");
    let mean = survey.lengths.iter().map(|(&length, &count)| length as f64 * count as f64).sum::<f64>() / 5000.0;
    assert!((mean - 20.0).abs() < 2.0, "{mean}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn fast_is_the_reference(
        numbers in proptest::collection::vec(0usize..7, 0..60),
        steps in 0u64..600,
        cells in 1usize..6,
        output in 0usize..20,
        alphabet in 2usize..20,
    ) {
        let text: String = numbers.into_iter().map(|number| char::from(INSTRUCTIONS[number])).collect();
        let program: Program = text.parse().unwrap();
        prop_assert_eq!(&text, &program.to_string());
        let limits = Limits { steps, cells, output, alphabet };
        prop_assert_eq!(program.run(limits), program.run_reference(limits));
        // A cell can hold 256 values.
        let limits = Limits { alphabet: 256, ..limits };
        prop_assert_eq!(program.run(limits), program.run_reference(limits));
    }
}
