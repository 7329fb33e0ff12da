#![allow(clippy::unwrap_used)]
use super::*;

fn world(text: &str) -> LifeSubject {
    LifeSubject::from_section(&text.parse().unwrap()).unwrap()
}

#[test]
fn the_scene_is_the_worlds_own() {
    let subject = world("width = 16\nheight = 12\nhorizons = [2, 4]\nkind = \"life\"");
    let observed = subject.observe(Split::Train, 5, &[]).unwrap();
    let episode = subject.world.episode(Split::Train, 5);
    assert_eq!(*observed.scene.scene(), episode.scene);
    assert_eq!(subject.horizons(), [2, 4]);
    assert_eq!(
        observed.scene.outlines(4),
        &recognised(&subject.world, &subject.world.stepper().run(&subject.world.observe(Split::Train, 5).start, 4))
            .iter()
            .map(outline)
            .collect::<Vec<_>>()[..]
    );
    let observed_then = subject.world.observe_with(Split::Train, 5, 4);
    assert_eq!(observed.asks.about(4), Some((4, &subject.world.sample_of(&observed_then).tokens[..])));
    assert_eq!(observed.asks.about(0), None);
}

#[test]
fn edits_are_the_worlds_counterfactuals() {
    let subject = world("");
    let edits = [Edit::Place { pattern: "glider-NW-0".into(), column: 9, row: 9 }];
    let observed = subject.observe(Split::Test, 3, &edits).unwrap();
    let exact = subject.world.counterfactual(&subject.world.address(Split::Test, 3), &edits).unwrap();
    assert_eq!(*observed.scene.scene(), exact.scene);
    let wrong = [Edit::Place { pattern: "glyder".into(), column: 0, row: 0 }];
    assert!(subject.observe(Split::Test, 3, &wrong).err().unwrap().contains("glider"));
}

#[test]
fn answers_put_probabilities_on_their_cells() {
    let subject = world("width = 6\nheight = 4\nmix = { scenes = 0.0, ash = 0.0, soups = 1.0 }");
    // Sure of the symbol p of each patch p, which has six of them.
    let mut logits = vec![0.0; 7 * 16];
    for patch in 0..6 {
        logits[(patch + 1) * 16 + patch] = 60.0;
    }
    let live = subject.answer(&logits);
    let expected = subject.world.decode_symbols(&[0, 1, 2, 3, 4, 5]).unwrap().cells();
    for (live, expected) in live.iter().zip(expected) {
        assert!((live - f32::from(expected)).abs() < 1e-6);
    }
    // Unsure of everything: every bit is set in half of the symbols.
    assert!(subject.answer(&[0.0; 7 * 16]).iter().all(|live| (live - 0.5).abs() < 1e-6));
    let observed = subject.observe(Split::Train, 0, &[]).unwrap();
    assert_eq!(observed.scene.position_of((5, 3)), 6);
}

#[test]
fn facts_are_the_labels_of_the_cell() {
    let subject = world("");
    let observed = (0..50)
        .map(|index| subject.observe(Split::Train, index, &[]).unwrap())
        .find(|observed| observed.scene.outlines(0).iter().any(|object| object.name == "glider"))
        .unwrap();
    let glider = observed.scene.outlines(0).iter().find(|object| object.name == "glider").unwrap();
    let facts = subject.facts(&observed, 4, glider.cells[0]);
    assert!(facts.iter().any(|(name, value)| name == "object class" && value.starts_with("glider-")), "{facts:?}");
}

#[test]
fn everything_on_the_palette_can_be_put_down() {
    let subject = world("");
    let observed = subject.observe(Split::Train, 0, &[]).unwrap();
    for name in subject.palette(&observed) {
        assert!(!subject.footprint(&name).unwrap().is_empty(), "{name}");
    }
    assert!(subject.footprint("blok").unwrap_err().contains("'block'"));
}
