#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use super::*;
use crate::automata::elementary::random_row;
use proptest::prelude::*;

const ETHER: &str = "11111000100110";

fn cells(text: &str) -> Vec<u8> {
    text.chars().map(|cell| cell.to_digit(2).unwrap() as u8).collect()
}

fn found(rule: u8, first: Vec<u8>, rows: usize) -> (Particles, Vec<Vec<u8>>) {
    let rows = LineRule::from(rule).history(first, rows);
    (Particles::find(rule.into(), &rows).unwrap(), rows)
}

/// Phrases of Martínez, McIntosh, Seck Tuoh Mora and Chapa Vergara (arXiv:0706.3348), periods and displacements of Cook
/// (2004).
#[test]
fn gliders_of_rule_110_have_their_published_motions_and_names() {
    for (name, phrase, period, displacement) in [
        ("A", "111110", 3, 2),
        ("B", "11111010", 4, -2),
        ("C1", "111110000", 7, 0),
        ("C2", "11111000000100110", 7, 0),
        ("C3", "11111011010", 7, 0),
        ("D1", "11111000010", 10, 2),
        ("D2", "1111101011000100110", 10, 2),
        ("E", "1111100000000100110", 15, -4),
        ("F", "111110001011000", 36, -4),
        ("G", "111110100111110011100110", 42, -14),
    ] {
        let first = cells(&(ETHER.repeat(9) + phrase + &ETHER.repeat(9)));
        for (rule, sign) in [(110, 1), (124, -1)] {
            let mut first = first.clone();
            if rule == 124 {
                first.reverse();
            }
            // B's phrase needs some generations to settle.
            let rows = LineRule::from(rule).history(first, 210);
            let particles = Particles::find(rule.into(), &rows[60..]).unwrap();
            let [track] = &particles.tracks[..] else { panic!("{name}: {} tracks", particles.tracks.len()) };
            assert_eq!(track.motion, Some(Motion { period, displacement: sign * displacement }), "{name}");
            assert_eq!(track.name, Some(name));
            assert!(particles.collisions.is_empty() && track.spans.len() == 150);
        }
    }
}

#[test]
fn domains_are_left_as_they_are() {
    for (rule, text, phases) in [
        (110u8, ETHER, 14),
        (137, "00000111011001", 14),
        (54, "0001", 8),
        (147, "1110", 8),
        (184, "01", 2),
        (18, "00", 2),
    ] {
        let (particles, _) = found(rule, cells(&text.repeat(10)), 40);
        assert!(particles.tracks.is_empty(), "rule {rule}");
        assert_eq!(particles.domain.phases(), phases);
        // A phase stays for ever.
        assert!(particles.phases.iter().all(|phase| phase.is_some() && *phase == particles.phases[0]), "rule {rule}");
    }
    let known = Particles::find(30.into(), &[vec![0, 1]]).unwrap_err().to_string();
    assert!(known.contains("W30") && known.contains("54"), "{known}");
    assert!(Particles::find(54.into(), &[]).is_err() && Particles::find(54.into(), &[vec![0], vec![0, 1]]).is_err());
}

/// How many generations the particles of each name live, of all that live at all.
fn lifetimes(particles: &Particles) -> BTreeMap<&'static str, usize> {
    let mut lives = BTreeMap::new();
    for track in &particles.tracks {
        *lives.entry(track.name.unwrap_or("?")).or_insert(0) += track.spans.len();
    }
    lives
}

#[test]
fn particles_of_random_rows() {
    let rows = LineRule::from(54).history(random_row("particles", 400), 600);
    let particles = Particles::find(54.into(), &rows[200..]).unwrap();
    let lives = lifetimes(&particles);
    assert!(["α", "γ+", "γ-"].iter().all(|name| lives[name] > 500), "{lives:?}");
    // Two γ that meet make a β (Hordijk, Shalizi and Crutchfield, Physica D 154, 240–258, 2001).
    let name = |number: u32| particles.tracks[number as usize].name;
    let mut makes = BTreeMap::new();
    for track in &particles.tracks {
        let slow = |motion: Motion| motion.displacement.unsigned_abs() as usize <= motion.period;
        assert!(track.motion.is_none_or(slow), "faster than light");
    }
    for collision in &particles.collisions {
        let before: Vec<_> = collision.before.iter().map(|&number| name(number).unwrap_or("?")).collect();
        if before == ["γ+", "γ-"] {
            *makes
                .entry(collision.after.iter().map(|&number| name(number).unwrap_or("?")).collect::<Vec<_>>())
                .or_insert(0) += 1;
        }
    }
    assert!(makes.contains_key(&vec!["β"]), "{makes:?}");
    let rows = LineRule::from(110).history(random_row("particles", 700), 900);
    let lives = lifetimes(&Particles::find(110.into(), &rows[400..]).unwrap());
    assert!(["A", "B", "C2"].iter().all(|name| lives.contains_key(name)), "{lives:?}");
}

/// Walls of rule 18 meet in pairs and annihilate, so that their number never grows and stays even on an even ring.
#[test]
fn walls_of_rule_18_annihilate_in_pairs() {
    for seed in 0..5 {
        let (particles, _) = found(18, random_row(&format!("walls {seed}"), 300), 400);
        let number = |t: usize| {
            let lives = |track: &&Track| (track.birth..track.birth + track.spans.len()).contains(&t);
            particles.tracks.iter().filter(lives).count()
        };
        let numbers: Vec<usize> = (1..400).map(number).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] <= pair[0]), "{numbers:?}");
        assert!(numbers.iter().all(|number| number % 2 == 0) && numbers[398] < numbers[0] / 3, "{numbers:?}");
        assert!(particles.tracks.iter().all(|track| track.motion.is_none()));
    }
}

/// Jams and gaps of rule 184 meet and annihilate one by one; what is left is what there was more of.
#[test]
fn traffic_annihilates_ballistically() {
    let (particles, rows) = found(184, random_row("traffic", 200), 300);
    let live = rows[0].iter().filter(|&&cell| cell == 1).count() as i64;
    let last: Vec<&Track> = particles.tracks.iter().filter(|track| track.birth + track.spans.len() == 300).collect();
    let left: usize = last.iter().map(|track| track.spans.last().unwrap().1).sum();
    assert!(left as i64 >= (2 * live - 200).abs(), "{left}");
    assert!(last.iter().all(|track| track.name == Some(if 2 * live > 200 { "jam" } else { "gap" })), "{last:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Every cell is in a domain, and then as its phase says, or covered by a track, which is where its spans say; tracks
    /// are connected through collisions.
    #[test]
    fn every_cell_is_accounted_for(rule in 0usize..5, seed in any::<u64>(), width in 20usize..120, form in 0usize..4) {
        let rule = LineRule::from([18u8, 146, 54, 110, 184][rule]);
        let rule = [rule, rule.mirrored(), rule.complemented(), rule.mirrored().complemented()][form];
        let rows = rule.history(random_row(&seed.to_string(), width), 60);
        let found = Particles::find(rule, &rows).unwrap();
        for (t, row) in rows.iter().enumerate() {
            for (x, &cell) in row.iter().enumerate() {
                let place = t * width + x;
                match (found.phases[place], found.covers[place]) {
                    (Some(phase), None) => prop_assert!(found.domain.cell(phase, t, x).is_none_or(|says| says == cell)),
                    (None, Some(number)) => {
                        let track = &found.tracks[number as usize];
                        let (start, length) = track.spans[t - track.birth];
                        prop_assert!((x as i64 - start).rem_euclid(width as i64) < length as i64);
                    }
                    other => prop_assert!(false, "{:?} at {}, {}", other, t, x),
                }
            }
        }
        for (number, track) in found.tracks.iter().enumerate() {
            let number = number as u32;
            let end = track.birth + track.spans.len();
            let born = found.collisions.iter().filter(|c| c.after.contains(&number)).map(|c| c.row).collect::<Vec<_>>();
            let ended = found.collisions.iter().filter(|c| c.before.contains(&number)).map(|c| c.row).collect::<Vec<_>>();
            prop_assert_eq!(born, if track.birth == 0 { vec![] } else { vec![track.birth] });
            prop_assert_eq!(ended, if end == rows.len() { vec![] } else { vec![end] });
        }
    }
}
