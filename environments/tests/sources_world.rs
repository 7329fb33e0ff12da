//! Control sources: Bayes is what it is said to be, and tasks have the answers that their definitions give.
#![allow(clippy::unwrap_used, missing_docs)]

use environments::sequence::code_lengths;
use environments::sources::{Kind, SourcesConfig, SourcesWorld, Task};
use environments::{Environment, Split, UNSCORED, stream};

fn world(config: SourcesConfig) -> SourcesWorld {
    SourcesWorld::new(config).unwrap()
}

/// Mean bits a symbol of the Bayes answer of one kind on episodes of another, and of the source itself.
fn bits(by: &SourcesWorld, of: &SourcesWorld, episodes: u64) -> (f64, f64) {
    let (mut bayes, mut source) = (0.0, 0.0);
    for index in 0..episodes {
        let observed = of.observe(Split::Test, index);
        let numbers: Vec<usize> = observed.symbols.iter().map(|&symbol| usize::from(symbol)).collect();
        bayes += code_lengths(by.bayes().unwrap().as_mut(), &numbers).iter().sum::<f64>();
        source -= observed.probabilities.iter().map(|probability| probability.log2()).sum::<f64>();
    }
    let symbols = episodes as f64 * of.config().length as f64;
    (bayes / symbols, source / symbols)
}

#[test]
fn the_bayes_answer_of_a_kind_is_the_cheapest_for_it() {
    let of = |kind: Kind| world(SourcesConfig { kind, order: 2, length: 60, ..SourcesConfig::default() });
    let kinds = [Kind::Memoryless, Kind::Markov, Kind::Tree];
    for kind in kinds {
        let source = of(kind);
        let (own, entropy) = bits(&source, &source, 1500);
        // Bayes need not know the contexts; where there is nothing to know of them, it pays no more.
        let margin = if kind == Kind::Tree { 1e-3 } else { -1e-9 };
        assert!(own - entropy > margin && (kind == Kind::Tree || own - entropy < 1e-9), "{kind:?}: {own}, {entropy}");
        for other in kinds.into_iter().filter(|&other| other != kind) {
            let (others, _) = bits(&of(other), &source, 1500);
            assert!(own < others, "{kind:?}: {own} with its own, {others} with {other:?}'s");
        }
    }
}

#[test]
fn the_kt_estimator_is_calibrated_on_its_own_prior() {
    // Under Bayes's own prior, the share of a symbol where it was given probability p is p.
    let world = world(SourcesConfig { kind: Kind::Memoryless, symbols: 3, length: 20, ..SourcesConfig::default() });
    let (mut said, mut came) = (0.0, 0.0);
    for index in 0..3000 {
        let observed = world.observe(Split::Train, index);
        let mut bayes = world.bayes().unwrap();
        for &symbol in &observed.symbols {
            let probabilities = bayes.probabilities();
            if probabilities[0] > 0.7 {
                said += probabilities[0];
                came += f64::from(u8::from(symbol == 0));
            }
            bayes.observe(usize::from(symbol));
        }
    }
    assert!(said > 3000.0 && (came / said - 1.0).abs() < 0.02, "{came} of {said}");
}

#[test]
fn answers_are_those_of_the_definitions() {
    let answer = |task: Task, input: &[u16]| task.answer(input);
    // The paper's own examples: aabba has one ab and one ba; aaabba has two b.
    assert_eq!(answer(Task::EvenPairs, &[0, 0, 1, 1, 0]), [1]);
    assert_eq!(answer(Task::EvenPairs, &[0, 0, 1, 1]), [0]);
    assert_eq!(answer(Task::ParityCheck, &[0, 0, 0, 1, 1, 0]), [1]);
    // 1 + 2 − 4 = 4 modulo 5; products first: 1 + 2 · 3 = 2.
    assert_eq!(answer(Task::ModularArithmetic, &[1, 5, 2, 6, 4]), [4]);
    assert_eq!(answer(Task::ModularArithmetic, &[1, 5, 2, 7, 3]), [2]);
    assert_eq!(answer(Task::CycleNavigation, &[0, 1, 0, 2, 1]), [1]);
    // abbaa, pop, push a, pop: abba from the top.
    assert_eq!(answer(Task::StackManipulation, &[0, 1, 1, 0, 0, 2, 3, 2]), [0, 1, 1, 0]);
    assert_eq!(answer(Task::ReverseString, &[0, 0, 1, 1, 0]), [0, 1, 1, 0, 0]);
    // −(1 − 2) · (4 − 3 · (−2)) = 0 modulo 5.
    let text = [6, 8, 1, 6, 2, 9, 7, 8, 4, 6, 3, 7, 8, 6, 2, 9, 9];
    assert_eq!(answer(Task::ModularArithmeticBrackets, &text), [0]);
    // z + 1 = 3.
    assert_eq!(answer(Task::SolveEquation, &[10, 5, 1, 11, 3]), [2]);
    assert_eq!(answer(Task::SolveEquation, &[10, 7, 0, 11, 0]), Vec::<u16>::new(), "any z");
    assert_eq!(answer(Task::DuplicateString, &[0, 1, 1]), [0, 1, 1, 0, 1, 1]);
    assert_eq!(answer(Task::MissingDuplicate, &[0, 1, 1, 0, 2, 1]), [1]);
    assert_eq!(answer(Task::OddsFirst, &[0, 0, 0, 1, 1, 0]), [0, 0, 1, 0, 1, 0]);
    // 10010 + 101 with the lowest digit first is 9 + 5 = 14 = 0111.
    assert_eq!(answer(Task::BinaryAddition, &[1, 0, 0, 1, 0, 2, 1, 0, 1]), [0, 1, 1, 1]);
    assert_eq!(answer(Task::BinaryMultiplication, &[1, 0, 0, 1, 0, 2, 1, 0, 1]), [1, 0, 1, 1, 0, 1]);
    assert_eq!(answer(Task::BucketSort, &[4, 2, 1, 0, 0, 2]), [0, 0, 1, 2, 2, 4]);
}

#[test]
fn arithmetic_agrees_with_integers() {
    let mut chance = stream(&["tasks"]);
    let low_first = |digits: &[u16]| digits.iter().rev().fold(0u64, |sum, &digit| 2 * sum + u64::from(digit));
    let high_first = |digits: &[u16]| digits.iter().fold(0u64, |sum, &digit| 2 * sum + u64::from(digit));
    for length in 3..32 {
        for _ in 0..20 {
            for (task, combine) in [
                (Task::BinaryAddition, (|a, b| a + b) as fn(u64, u64) -> u64),
                (Task::BinaryMultiplication, |a, b| a * b),
            ] {
                let (input, answer) = task.draw(length, &mut chance);
                let middle = input.iter().position(|&symbol| symbol == 2).unwrap();
                let expected = combine(low_first(&input[..middle]), low_first(&input[middle + 1..]));
                assert_eq!(low_first(&answer), expected);
                assert!(answer.len() == 1 || answer.last() == Some(&1));
            }
            let (input, answer) = Task::ComputeSqrt.draw(length, &mut chance);
            assert_eq!(high_first(&answer), high_first(&input).isqrt());
        }
    }
}

#[test]
fn every_task_fits_its_sequence_and_scores_its_answer_alone() {
    for task in Task::ALL {
        let world = world(SourcesConfig { kind: Kind::Task, task, length: 14, ..SourcesConfig::default() });
        let mut lengths = std::collections::BTreeSet::new();
        for index in 0..200 {
            let observed = world.observe(Split::Train, index);
            let sample = world.sample(Split::Train, index);
            assert_eq!(sample.tokens.len(), world.geometry().len());
            assert_eq!(sample.targets.len(), world.geometry().len());
            let scored: Vec<u16> = sample.targets.iter().copied().filter(|&target| target != UNSCORED).collect();
            assert_eq!(scored[..scored.len() - 1], observed.answer[..], "{task:?}");
            assert_eq!(usize::from(scored[scored.len() - 1]), world.symbols());
            assert!(observed.symbols.iter().chain(&observed.answer).all(|&s| usize::from(s) < task.symbols()));
            assert_eq!(task.answer(&observed.symbols), observed.answer);
            assert!(observed.answer.len() <= task.longest_answer(observed.symbols.len()), "{task:?}");
            lengths.insert(observed.symbols.len());
        }
        assert!(lengths.len() > 4, "{task:?}: {lengths:?}");
    }
    let config = SourcesConfig { kind: Kind::Markov, symbols: 64, order: 12, ..SourcesConfig::default() };
    assert!(SourcesWorld::new(config).unwrap_err().to_string().starts_with("order = 12 with 64 symbols"));
}
