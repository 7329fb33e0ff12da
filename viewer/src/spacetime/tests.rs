#![allow(clippy::unwrap_used)]
use environments::automata::Pattern;
use environments::{Edit, Split};

use super::*;
use crate::palette::Theme;
use crate::subject::Subject;
use crate::view::Overlays;

#[test]
fn panels_show_what_the_libraries_find() {
    let subject = LineSubject::random("W54".parse().unwrap());
    let observed = subject.observe(Split::Train, 2, &[]).unwrap();
    let Scene::Board { frames, width, .. } = observed.scene.scene() else { panic!("no board") };
    let rows: Vec<Vec<u8>> = frames[0].chunks(*width as usize).map(<[u8]>::to_vec).collect();
    let rule: LineRule = "W54".parse().unwrap();
    assert!(rows.windows(2).all(|pair| rule.step(&pair[0]) == pair[1]));
    let palette = Palette::of(Theme::Dark);
    let step = observed.scene.last_step();
    let seen = Seen::of_nothing(step, &palette, Overlays::default());
    let found = Particles::find(rule, &rows).unwrap();
    let diagram = Diagram::of_rule(rule, rows[0].clone(), rows.len()).unwrap();
    let dynamics = Dynamics::new(&diagram, HISTORY, along(1)).unwrap();
    let local = dynamics.local(Filter::Transfer((1, 0)));
    let drawn = |name: &str| {
        let panel = PANELS.iter().find(|panel| panel.name == name).unwrap();
        observed.scene.draw(panel, &seen)
    };
    let (particles, east) = (drawn("particles").raster.unwrap(), drawn("transfer-east").raster.unwrap());
    let mut moving = 0;
    for row in 0..rows.len() {
        for column in 0..rows[0].len() {
            let (shade, at) = (particles.get(column as u32, row as u32).unwrap(), found.track_at(row, column));
            match at.and_then(|track| track.motion) {
                Some(motion) if motion.displacement > 0 => assert_eq!(shade, palette.warm),
                Some(motion) if motion.displacement < 0 => assert_eq!(shade, palette.cold),
                Some(_) => assert_eq!(shade, palette.object),
                None => assert!(shade != palette.warm && shade != palette.cold),
            }
            moving += usize::from(at.is_some_and(|track| track.motion.is_some()));
            let shade = east.get(column as u32, row as u32).unwrap();
            match row.checked_sub(HISTORY) {
                None => assert_eq!(shade, palette.panel),
                Some(row) if local[row * rows[0].len() + column].abs() < 1e-9 => assert_eq!(shade, palette.dead),
                Some(_) => {}
            }
        }
    }
    assert!(moving > 100);
}

#[test]
fn rules_and_first_rows_are_changed() {
    let pattern = Pattern::from_live([(0, 0)]);
    let subject = LineSubject::from_pattern("W90".parse().unwrap(), &pattern).unwrap();
    let plain = subject.observe(Split::Train, 0, &[]).unwrap();
    let edits = [Edit::Paint { cells: vec![(3, 0)], state: 1 }, subject.place(&plain, "W150", (0, 0)).unwrap()];
    let other = subject.observe(Split::Train, 0, &edits).unwrap();
    let Scene::Board { frames, width, .. } = other.scene.scene() else { panic!("no board") };
    let rule: LineRule = "W150".parse().unwrap();
    let mut first = vec![0; *width as usize];
    (first[3], first[*width as usize / 2 - 1]) = (1, 1);
    assert_eq!(frames[0], rule.history(first, SIZE.1).concat());
    assert!(subject.place(&plain, "W90", (0, 0)).unwrap_err().contains("as it is"));
    assert!(subject.paints((1, 2)).is_err());
}
