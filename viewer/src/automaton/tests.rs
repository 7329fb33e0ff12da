#![allow(clippy::unwrap_used)]
use environments::automata::reference;

use super::*;

fn opened(text: &str) -> Result<AutomatonSubject, String> {
    AutomatonSubject::from_pattern(&PatternFile::read(text).unwrap())
}

fn boards(observed: &Observed) -> (u32, u32, Vec<Vec<u8>>) {
    let Scene::Board { width, height, frames, .. } = observed.scene.scene() else { panic!("no board") };
    (*width, *height, frames.clone())
}

#[test]
fn boards_of_every_sort_follow_the_reference() {
    let rules =
        ["B3/S23", "B36/S125:T40,32", "B2/S345/C4", "B2/S34H:T30,30", "B13/S012V", "B3/S23:K30*,20", "B2n3/S23-q:S24"];
    for rule in rules {
        let subject = AutomatonSubject::soups(Rule::parse(rule).unwrap()).unwrap();
        let observed = subject.observe(Split::Train, 3, &[]).unwrap();
        let (width, _, frames) = boards(&observed);
        let mut expected = pattern(&frames[0], width);
        assert!(expected.population() > 100, "{rule}");
        for (step, frame) in frames.iter().enumerate().take(12) {
            assert_eq!(pattern(frame, width), expected, "{rule}, step {step}");
            expected = reference::step(&expected, &subject.rule);
        }
    }
}

#[test]
fn what_flies_under_another_rule_is_named_and_has_a_heading() {
    // Life's glider under B3/S23 on a Klein bottle, where Life's own names are not lent; and Brian's Brain's ship.
    let glider = opened("x = 3, y = 3, rule = B3/S23:K40*,40\nbob$2bo$3o!\n").unwrap();
    let observed = glider.observe(Split::Train, 0, &[]).unwrap();
    let [one] = observed.scene.outlines(5) else { panic!("{:?}", observed.scene.outlines(5)) };
    assert_eq!((one.name.as_str(), one.heading, one.cells.len()), ("xq4_153", Some((1, 1)), 5));
    let brain = opened("x = 3, y = 4, rule = B2/S/C3\n.2A$.2B!\n").unwrap();
    let observed = brain.observe(Split::Train, 0, &[]).unwrap();
    let [one] = observed.scene.outlines(0) else { panic!("{:?}", observed.scene.outlines(0)) };
    assert!(one.name.starts_with("ship p") && one.heading.is_some(), "{one:?}");
}

#[test]
fn boards_are_edited_and_their_rule_is_swapped() {
    let subject = opened("x = 3, y = 3, rule = B3/S23\nbob$2bo$3o!\n").unwrap();
    let plain = subject.observe(Split::Train, 0, &[]).unwrap();
    let cell = plain.scene.outlines(0)[0].cells[0];
    assert_eq!(plain.scene.outlines(0)[0].name, "glider");
    let edits = subject.shift(&plain, cell, (3, -2)).unwrap();
    let moved = subject.observe(Split::Train, 0, &edits).unwrap();
    let (width, height, before) = boards(&plain);
    let (_, _, after) = boards(&moved);
    for step in [0, 7] {
        for place in 0..before[step].len() as u32 {
            let (column, row) = ((place % width + 3) % width, (place / width + height - 2) % height);
            assert_eq!(before[step][place as usize], after[step][(row * width + column) as usize]);
        }
    }
    let code = subject.place(&plain, "xq4_153", (1, 1)).unwrap();
    assert_eq!(code, Edit::Place { pattern: "xq4_153".into(), column: 1, row: 1 });
    assert_eq!(
        boards(&subject.observe(Split::Train, 0, &[code]).unwrap()).2[0].iter().filter(|&&s| s != 0).count(),
        10
    );
    let swap = subject.place(&plain, "B36/S23", (0, 0)).unwrap();
    assert_eq!(swap, Edit::Rule { rule: "B36/S23".into() });
    assert!(subject.observe(Split::Train, 0, &[swap]).is_ok());
    assert!(subject.footprint("glyder").unwrap_err().contains("glider"));
    assert!(opened("x = 2, y = 1, rule = B3/S23\n2B!\n").err().unwrap().contains("states"));
}
