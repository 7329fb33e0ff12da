//! Views of a run, what machines are drawn from, and the exact Bayes answer, against every machine on every tape.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use environments::sequence::{SequenceModel, code_lengths};
use environments::turing::{
    Around, Condition, HeadToken, InitialTape, Machine, Move, Posterior, Prior, Sampling, Sight, Tape, Transition,
    TuringConfig, TuringEpisode, TuringWorld, View,
};
use environments::{Environment, Split};

fn world(config: TuringConfig) -> TuringWorld {
    TuringWorld::new(config).unwrap()
}

/// All tables of a size.
fn class(states: usize, symbols: usize, halting: bool) -> Vec<Machine> {
    let choices = 2 * states * symbols + usize::from(halting);
    let entry = |number: usize| {
        if number == 2 * states * symbols {
            return Transition { write: 1, shift: Move::Right, next: None };
        }
        let shift = if number / symbols % 2 == 1 { Move::Right } else { Move::Left };
        Transition { write: (number % symbols) as u8, shift, next: Some((number / symbols / 2) as u8) }
    };
    let entries = (states * symbols) as u32;
    let table = |number: usize| (0..entries).map(|place| Some(entry(number / choices.pow(place) % choices))).collect();
    (0..choices.pow(entries)).map(|number| Machine::new(states, symbols, table(number)).unwrap()).collect()
}

/// What is seen of a machine on a tape of cells from −reach to reach, told plainly.
fn seen(machine: &Machine, tape: &[u8], config: &TuringConfig) -> Vec<usize> {
    let mut tape = tape.to_vec();
    let middle = tape.len() / 2;
    let (mut head, mut state) = (middle, 0);
    let (m, w) = (config.symbols, config.window);
    let window = |tape: &[u8], head: usize| {
        let centre = if config.around == Around::Head { head } else { middle };
        let cells = &tape[centre - w / 2..=centre + w / 2];
        let number = cells.iter().fold(0, |number, &cell| number * m + usize::from(cell));
        let place = (head + w / 2).checked_sub(middle).filter(|&place| place < w).unwrap_or(w);
        if config.around == Around::Head { number } else { number * (w + 1) + place }
    };
    let mut all = if config.view == View::Tape { vec![window(&tape, head)] } else { Vec::new() };
    let mut visited = (head, head);
    for _ in 0..config.run_length() {
        let read = tape[head];
        visited = (visited.0.min(head), visited.1.max(head));
        let entry = machine.entry(state, read).unwrap();
        tape[head] = entry.write;
        let Some(next) = entry.next else {
            match config.view {
                View::Head => all.push(2 * m * m + usize::from(read)),
                View::Tape => all.push(m.pow(w as u32) * if config.around == Around::Head { 1 } else { w + 1 }),
                View::Output => {}
            }
            break;
        };
        state = next;
        head = if entry.shift == Move::Right { head + 1 } else { head - 1 };
        match config.view {
            View::Head => all.push(HeadToken { read, write: entry.write, shift: entry.shift }.index(m)),
            View::Tape => all.push(window(&tape, head)),
            View::Output => {}
        }
    }
    if config.view == View::Output {
        all.extend(tape[visited.0..=visited.1].iter().map(|&cell| usize::from(cell)).chain([m]));
    }
    all
}

/// The probability of everything that can be seen, and of how it begins, over machines by weight and all tapes.
fn probabilities(machines: &[(Machine, f64)], config: &TuringConfig) -> BTreeMap<Vec<usize>, f64> {
    let cells = 2 * (config.run_length() + config.window) + 1;
    // No more cells than the run and its window can reach matter.
    let reach = config.run_length() + config.window / 2;
    let mut all: BTreeMap<Vec<usize>, f64> = BTreeMap::new();
    for (machine, weight) in machines {
        let m = machine.symbols();
        let free = if config.initial == Tape::Random { (2 * reach + 1) as u32 } else { 0 };
        for number in 0..m.pow(free) {
            let mut tape = vec![0u8; cells];
            for place in 0..free {
                tape[cells / 2 - reach + place as usize] = (number / m.pow(place) % m) as u8;
            }
            let seen = seen(machine, &tape, config);
            for length in 1..=seen.len() {
                *all.entry(seen[..length].to_vec()).or_default() += weight / (m as f64).powi(free as i32);
            }
        }
    }
    all
}

/// The answer gives every beginning the probability that counting gives it.
fn agrees(world: &TuringWorld, machines: &[(Machine, f64)], split: Option<Split>) {
    let config = world.config();
    let total: f64 = machines.iter().map(|(_, weight)| weight).sum();
    let machines: Vec<_> = machines.iter().map(|(machine, weight)| (machine.clone(), weight / total)).collect();
    let truth = probabilities(&machines, config);
    let bayes = world.bayes(split).unwrap();
    let given = usize::from(config.view == View::Tape);
    let mut checked = 0;
    for (seen, &probability) in truth.iter().filter(|(seen, _)| seen.len() > given) {
        // Every seventh of many.
        if truth.len() > 4000 && seen.iter().sum::<usize>() % 7 != 0 {
            continue;
        }
        let (first, before) = if given == 1 { (seen[0], truth[&seen[..1]]) } else { (0, 1.0) };
        let mut model = bayes.before(first as u16);
        let bits: f64 = code_lengths(&mut model, &seen[given..seen.len() - 1]).iter().sum();
        let next = model.probabilities();
        assert!((next.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{config:?} {seen:?}");
        let said = (-bits).exp2() * next[seen[seen.len() - 1]];
        assert!((said - probability / before).abs() < 1e-9, "{config:?} {seen:?}: {said} {}", probability / before);
        checked += 1;
    }
    assert!(checked >= 12, "{config:?}: {checked}");
}

fn alike(machines: Vec<Machine>) -> Vec<(Machine, f64)> {
    machines.into_iter().map(|machine| (machine, 1.0)).collect()
}

fn tiny() -> TuringConfig {
    TuringConfig { length: 3, window: 3, ..TuringConfig::default() }
}

#[test]
fn bayes_is_exact_in_every_view() {
    let tapes = [(Around::Head, 1), (Around::Head, 3), (Around::Origin, 1), (Around::Origin, 3)];
    for halting in [false, true] {
        let all = alike(class(2, 2, halting));
        for (around, window) in tapes {
            for (initial, length) in [(Tape::Random, 2), (Tape::Blank, 9)] {
                let config = TuringConfig { view: View::Tape, around, window, initial, length, halting, ..tiny() };
                agrees(&world(config), &all, None);
            }
        }
        agrees(&world(TuringConfig { halting, window: 1, ..tiny() }), &all, None);
        let blank = TuringConfig { initial: Tape::Blank, halting, ..tiny() };
        agrees(&world(TuringConfig { length: 12, ..blank.clone() }), &all, None);
        agrees(&world(TuringConfig { view: View::Output, steps: 15, length: 20, ..blank }), &all, None);
    }
    // One state and longer runs; three symbols.
    let one = TuringConfig { states: 1, length: 5, shares: [1, 1, 1], view: View::Tape, window: 3, ..tiny() };
    agrees(&world(one.clone()), &alike(class(1, 2, false)), None);
    let three = TuringConfig { symbols: 3, length: 2, window: 3, halting: true, ..one };
    agrees(&world(three), &alike(class(1, 3, true)), None);
}

#[test]
fn bayes_is_exact_over_mixed_sizes() {
    let sizes = vec![[1, 3], [2, 2]];
    let mixed = |halting: bool| {
        let (one, two) = (class(1, 3, halting), class(2, 2, halting));
        let weigh = |class: Vec<Machine>| {
            let share = 1.0 / class.len() as f64;
            class.into_iter().map(move |machine| (machine, share))
        };
        weigh(one).chain(weigh(two)).collect::<Vec<_>>()
    };
    let config = TuringConfig { symbols: 3, sizes, shares: [1, 1, 1], length: 2, ..tiny() };
    for halting in [false, true] {
        agrees(&world(TuringConfig { halting, window: 1, ..config.clone() }), &mixed(halting), None);
        agrees(&world(TuringConfig { halting, view: View::Tape, window: 1, ..config.clone() }), &mixed(halting), None);
        let blank = TuringConfig { initial: Tape::Blank, length: 9, halting, ..config.clone() };
        agrees(&world(TuringConfig { view: View::Tape, window: 3, ..blank.clone() }), &mixed(halting), None);
        agrees(&world(TuringConfig { view: View::Output, steps: 12, ..blank }), &mixed(halting), None);
    }
    // Both sizes are drawn, about equally often.
    let world = world(config);
    let threes = (0..400).filter(|&index| world.machine(Split::Train, index).symbols() == 3).count();
    assert!((150..250).contains(&threes), "{threes}");
}

#[test]
fn bayes_is_exact_over_what_is_drawn() {
    let blank = TuringConfig { initial: Tape::Blank, length: 8, ..tiny() };
    let conditions = [
        (true, Condition::HaltsWithin(6)),
        (true, Condition::RunsFor(6)),
        (true, Condition::NeverHalts),
        (false, Condition::VisitsAllStates(5)),
        (false, Condition::NonTrivial(24)),
    ];
    for (halting, condition) in conditions {
        let world = world(TuringConfig { halting, condition: Some(condition), ..blank.clone() });
        let all: Vec<Machine> = class(2, 2, halting).into_iter().filter(|machine| condition.holds(machine)).collect();
        agrees(&world, &alike(all.clone()), None);
        let tests: Vec<Machine> = all.into_iter().filter(|machine| world.split_of(machine) == Split::Test).collect();
        assert!((0..50).all(|index| tests.contains(&world.machine(Split::Test, index))));
        agrees(&world, &alike(tests), Some(Split::Test));
        let drawn = (0..50).map(|index| world.machine(Split::Train, index));
        assert!(drawn.into_iter().all(|machine| condition.holds(&machine)));
    }
    // A behaviour first, then a machine that has it.
    let stratified = TuringConfig { sampling: Sampling::Stratified, ..blank };
    let all = class(2, 2, false);
    let trace = |machine: &Machine| {
        let steps = environments::turing::head_run(machine, None, 32);
        steps.iter().map(|step| step.token.write).collect::<Vec<u8>>()
    };
    let mut sizes: BTreeMap<Vec<u8>, f64> = BTreeMap::new();
    all.iter().for_each(|machine| *sizes.entry(trace(machine)).or_default() += 1.0);
    let weighed: Vec<_> = all.iter().map(|machine| (machine.clone(), 1.0 / sizes[&trace(machine)])).collect();
    agrees(&world(stratified.clone()), &weighed, None);
    let world = world(stratified);
    let part =
        weighed.into_iter().filter(|(machine, _)| world.split_of(machine) == Split::Validation).collect::<Vec<_>>();
    agrees(&world, &part, Some(Split::Validation));
}

#[test]
fn tree_normal_form_draws_every_way_to_run_alike() {
    for halting in [false, true] {
        let config = TuringConfig { sampling: Sampling::Tnf, halting, initial: Tape::Blank, ..tiny() };
        // Two states have but one name each. A way to run is the first 64 steps; first moves go to the right.
        let runs = |machine: &Machine| {
            let (steps, halt) = environments::turing::head_run_to_halt(machine, |_| 0, 64);
            let entries: std::collections::BTreeSet<_> = steps
                .iter()
                .map(|step| (step.state, step.token.read))
                .chain(halt.map(|halt| (halt.state, halt.read)))
                .map(|(state, read)| (state, read, machine.entry(state, read).map(|entry| entry.to_string())))
                .collect();
            entries
        };
        let right: Vec<Machine> = class(2, 2, halting)
            .into_iter()
            .filter(|machine| machine.entry(0, 0).is_some_and(|entry| entry.shift == Move::Right))
            .collect();
        let mut ways: BTreeMap<_, f64> = BTreeMap::new();
        right.iter().for_each(|machine| *ways.entry(runs(machine)).or_default() += 1.0);
        let weighed: Vec<_> = right.iter().map(|machine| (machine.clone(), 1.0 / ways[&runs(machine)])).collect();
        agrees(&world(TuringConfig { length: 10, ..config.clone() }), &weighed, None);
        let listed = world(TuringConfig { length: 10, condition: Some(Condition::RunsFor(1)), ..config });
        let part: Vec<_> = weighed.into_iter().filter(|(machine, _)| Condition::RunsFor(1).holds(machine)).collect();
        agrees(&listed, &part, None);
        assert!((0..60).all(|index| {
            let machine = listed.machine(Split::Train, index);
            part.iter().any(|(known, _)| *known == machine)
        }));
    }
}

#[test]
fn a_list_of_three_states_is_the_class() {
    // The states of the list are named in no order, those of the class as they appear.
    let config = TuringConfig { states: 3, length: 14, view: View::Tape, window: 3, ..TuringConfig::default() };
    let world = world(config.clone());
    let list = Prior::weighted(3, 2, false, |_| 1.0).unwrap();
    let (class, list) = (world.bayes(None).unwrap(), world.bayes_over(&list).unwrap());
    for index in 0..6 {
        let observed = world.observe(Split::Test, index);
        let (mut one, mut other) = (class.before(observed.first), list.before(observed.first));
        for &number in &observed.seen {
            let pairs = one.probabilities().into_iter().zip(other.probabilities());
            assert!(pairs.into_iter().all(|(one, other)| (one - other).abs() < 1e-9));
            assert!((one.observe(number) - other.observe(number)).abs() < 1e-6);
        }
    }
    // In the view of the head it is the fast answer, and the posterior of the state is the same.
    let head = self::world(TuringConfig { view: View::Head, ..config });
    let prior = Prior::class(3, 2, false);
    for index in 0..20 {
        let observed = head.observe(Split::Test, index);
        let mut fast = environments::turing::ClassBayes::new(3, 2, InitialTape::Random).unwrap();
        let mut slow = Posterior::new(&prior, Sight::head(2), InitialTape::Random, None);
        for &number in &observed.seen {
            assert!(fast.probabilities().iter().zip(slow.probabilities()).all(|(a, b)| (a - b).abs() < 1e-9));
            assert!(fast.state_posterior().iter().zip(slow.state_posterior()).all(|(a, b)| (a - b).abs() < 1e-9));
            let determined = fast.determined();
            let known = slow.determined();
            for (place, entry) in determined.iter().enumerate() {
                assert_eq!(known.get(&((place / 2) as u8, (place % 2) as u8)), entry.as_ref());
            }
            fast.observe(number);
            slow.observe(number);
        }
    }
}

#[test]
fn a_view_is_what_a_plain_run_shows() {
    let base = TuringConfig { length: 20, halting: true, states: 3, ..TuringConfig::default() };
    let blank = TuringConfig { initial: Tape::Blank, ..base.clone() };
    for config in [
        base.clone(),
        TuringConfig { view: View::Tape, ..base.clone() },
        TuringConfig { view: View::Tape, around: Around::Origin, window: 7, ..base.clone() },
        blank.clone(),
        TuringConfig { view: View::Output, steps: 30, ..blank },
    ] {
        let world = world(config.clone());
        let mut halts = 0;
        for index in 0..60 {
            let observed: TuringEpisode = world.observe(Split::Validation, index);
            let sample = world.sample(Split::Validation, index);
            let reach = config.run_length() + config.window;
            let mut tape = vec![0; 2 * reach + 1];
            // What a random tape holds is told by the windows and the symbols read.
            for step in observed.steps.iter().rev() {
                tape[(step.position + reach as i64) as usize] = step.token.read;
            }
            if let Some(halt) = observed.halt
                && observed.steps.iter().all(|step| step.position != halt.position)
            {
                tape[(halt.position + reach as i64) as usize] = halt.read;
            }
            let mut plain = seen(&observed.machine, &tape, &config);
            if config.view == View::Tape {
                // Cells that are seen and never visited are not known here: the middle is.
                assert_eq!(plain.len(), observed.seen.len() + 1);
                continue;
            }
            plain.truncate(20);
            assert_eq!(plain, observed.seen, "{config:?}");
            halts += usize::from(observed.halt.is_some());
            let targets: Vec<usize> = sample.targets.iter().map(|&target| usize::from(target)).collect();
            assert_eq!(targets[..plain.len()], plain[..]);
            assert!(targets[plain.len()..].iter().all(|&target| target == usize::from(environments::UNSCORED)));
            assert!(sample.tokens.iter().all(|&token| usize::from(token) < world.vocabulary()));
        }
        assert!(config.view == View::Tape || halts > 10, "{halts}");
    }
}

#[test]
fn how_a_run_ends_is_proved() {
    let config = TuringConfig { initial: Tape::Blank, halting: true, length: 12, ..TuringConfig::default() };
    let world = world(config);
    let (mut halting, mut looping) = (0, 0);
    for index in 0..200 {
        let observed = world.observe(Split::Train, index);
        let episode = world.episode_of(&observed);
        let column = |name: &str| &episode.labels.get(name).unwrap().values;
        let run = environments::turing::run_reference(&observed.machine, 1000);
        let halts = column("halts")[0].expect("the ladder settles this class");
        assert_eq!(halts == 1, run.halted(), "{}", observed.machine);
        if run.halted() {
            halting += 1;
            for (position, &left) in column("steps-to-halt").iter().enumerate() {
                let expected = (run.steps as usize).checked_sub(position).filter(|&left| left > 0);
                assert_eq!(left.map(|left| left as usize), expected, "{}", observed.machine);
            }
        } else if let Some(period) = column("period")[0] {
            looping += 1;
            let shift = i64::from(column("translation")[0].unwrap());
            let steps = environments::turing::head_run(&observed.machine, None, 600);
            let later = steps[500 - period as usize..].iter().zip(&steps[500..]);
            assert!(later.into_iter().all(|(one, other)| {
                (one.token, one.state) == (other.token, other.state) && (other.position - one.position).abs() == shift
            }));
        }
    }
    assert!(halting > 30 && looping > 40, "{halting} {looping}");
    // On a random tape only cycles are proved.
    let random = self::world(TuringConfig { length: 40, ..TuringConfig::default() });
    let mut cycles = 0;
    for index in 0..200 {
        let episode = random.episode(Split::Train, index);
        let column = |name: &str| episode.labels.get(name).unwrap().values[0];
        assert!(column("translation").is_none_or(|shift| shift == 0));
        assert_eq!(column("halts"), column("period").map(|_| 0));
        cycles += usize::from(column("period").is_some());
    }
    assert!(cycles > 10, "{cycles}");
}

#[test]
fn views_of_one_world_are_of_the_same_runs() {
    let head = world(TuringConfig::default());
    let tape = world(TuringConfig { view: View::Tape, ..TuringConfig::default() });
    for index in 0..20 {
        let (one, other) = (head.observe(Split::Test, index), tape.observe(Split::Test, index));
        assert_eq!((&one.machine, &one.steps), (&other.machine, &other.steps));
        // The middle of a window is what is read next.
        for (step, &window) in one.steps[1..].iter().zip(&other.seen) {
            assert_eq!(window >> 2 & 1, usize::from(step.token.read));
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused_in_a_sentence() {
    let refused = |config: TuringConfig| TuringWorld::new(config).unwrap_err().to_string();
    let base = TuringConfig::default;
    assert!(refused(TuringConfig { window: 4, view: View::Tape, ..base() }).contains("window = 4"));
    let wide = refused(TuringConfig { window: 13, symbols: 3, view: View::Tape, ..base() });
    assert!(wide.contains("window = 13") && wide.contains("the nearest that fits is 7"), "{wide}");
    assert!(refused(TuringConfig { view: View::Output, ..base() }).contains("initial = 'random'"));
    assert!(refused(TuringConfig { sizes: vec![[3, 2]], ..base() }).contains("states = 2"));
    assert!(refused(TuringConfig { condition: Some(Condition::HaltsWithin(9)), ..base() }).contains("halting = true"));
    assert!(refused(TuringConfig { sampling: Sampling::Stratified, halting: true, ..base() }).contains("'tnf'"));
    let rare = TuringConfig { states: 1, halting: true, condition: Some(Condition::HaltsWithin(1)), ..base() };
    assert!(refused(TuringConfig { shares: [1, 1, 1 << 20], ..rare }).contains("condition"));
    let large = world(TuringConfig { states: 5, condition: Some(Condition::NonTrivial(20)), ..base() });
    assert!(large.bayes(None).unwrap_err().to_string().contains("5,000,000"));
}
