//! Ground truth of an episode under named concepts.

use super::catalogue::{self, Heading};
use super::config::LONGEST_HORIZON;
use super::doom::Collision;
use super::generate::Source;
use super::recognise::{Kind, Object};
use super::world::{LifeEpisode, LifeWorld};
use crate::automata::{Pattern, Rule, apgcode};
use crate::{Column, Environment, Labels, Scope};
use std::sync::LazyLock;

/// Names of the classes of `object_class`: `empty`, then the kinds in their order, `glider` being replaced by
/// `glider-NE-0`, `glider-NE-1`, … `glider-SW-3`.
pub fn object_classes() -> &'static [String] {
    &CLASSES
}

static CLASSES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let kinds = Kind::all().flat_map(|kind| {
        if !kind.is_glider() {
            return vec![kind.name().to_string()];
        }
        let headings = Heading::ALL.iter();
        headings.flat_map(|heading| (0..4).map(move |phase| format!("glider-{}-{phase}", heading.name()))).collect()
    });
    std::iter::once("empty".to_string()).chain(kinds).collect()
});

/// The apgcodes of the catalogue's patterns, in their order.
fn apgcodes() -> &'static [String] {
    static CODES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let code = |pattern: &catalogue::Pattern| {
            let cells = Pattern::from_live(pattern.cells.iter().map(|&(x, y)| (x as i32, y as i32)));
            apgcode::encode(&cells, &Rule::life(), u64::from(pattern.period)).unwrap_or_default()
        };
        catalogue::patterns().iter().map(code).collect()
    });
    &CODES
}

/// Names of the eight ways to go, and their signs of columns and rows.
const DIRECTIONS: [(&str, (i32, i32)); 8] = [
    ("N", (0, -1)),
    ("NE", (1, -1)),
    ("E", (1, 0)),
    ("SE", (1, 1)),
    ("S", (0, 1)),
    ("SW", (-1, 1)),
    ("W", (-1, 0)),
    ("NW", (-1, -1)),
];

/// The number of an object's class in [`object_classes`].
pub fn object_class(object: &Object) -> u32 {
    static GLIDER: LazyLock<usize> =
        LazyLock::new(|| Kind::all().find(|kind| kind.is_glider()).map_or(usize::MAX, Kind::index));
    let index = object.kind.index();
    let class = match (object.heading, object.phase) {
        (Some(heading), Some(phase)) => *GLIDER + heading as usize * 4 + phase as usize,
        // A glider takes 16 places of the kinds' one.
        _ if index > *GLIDER => index + 15,
        _ => index,
    };
    class as u32 + 1
}

/// The object that each patch belongs to, row-major: the one with most live cells in it, of equals the one with the
/// lowest number.
pub fn patch_objects(world: &LifeWorld, objects: &[Object]) -> Vec<Option<u32>> {
    let mut best: Vec<Option<(u32, u32)>> = vec![None; world.geometry().len() - 1];
    for object in objects {
        let mut patches: Vec<usize> = object.cells.iter().map(|&(column, row)| world.patch_of(column, row)).collect();
        patches.sort_unstable();
        for run in patches.chunk_by(|a, b| a == b) {
            let cells = run.len() as u32;
            let slot = &mut best[run[0]];
            if slot.is_none_or(|(most, _)| cells > most) {
                *slot = Some((cells, object.id));
            }
        }
    }
    best.into_iter().map(|slot| slot.map(|(_, id)| id)).collect()
}

/// All columns; see [the table](crate::life#labels).
pub(super) fn labels(world: &LifeWorld, episode: &LifeEpisode) -> Labels {
    let objects = &episode.objects;
    let owners = patch_objects(world, objects);
    let owner = |patch: &Option<u32>| patch.map(|id| &objects[id as usize]);
    // Position 0 is the horizon's, to which no concept of a place applies.
    let tokens = |value: &dyn Fn(Option<&Object>) -> Option<u32>| -> Vec<Option<u32>> {
        std::iter::once(None).chain(owners.iter().map(|patch| value(owner(patch)))).collect()
    };
    let per_object =
        |value: &dyn Fn(&Object) -> Option<u32>| -> Vec<Option<u32>> { objects.iter().map(value).collect() };
    let heading = |object: &Object| object.heading.map(|heading| heading as u32);
    let doomed =
        |object: &Object| object.period.map(|_| u32::from(object.doom.is_some_and(|doom| doom <= episode.horizon)));
    let (start, end) = (world.patches(&episode.start), world.patches(&episode.end));
    let changed = std::iter::once(None).chain(start.iter().zip(&end).map(|(start, end)| Some(u32::from(start != end))));

    let headings = || Heading::ALL.iter().map(|heading| heading.name().to_string()).collect();
    let phases = || (0..4).map(|phase| phase.to_string()).collect();
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    let kinds = || Kind::all().map(|kind| kind.name().to_string()).collect();
    let fates = || names(&["survives", "doomed"]);
    let none = Vec::new;

    use Scope::{Episode, Object as PerObject, Token};
    let column = |concept: &str, scope, classes: Vec<String>, values| Column {
        concept: concept.to_string(),
        scope,
        classes,
        values,
    };
    let direction = |object: &Object| {
        let (x, y) = (object.displacement.0.signum(), object.displacement.1.signum());
        DIRECTIONS.iter().position(|(_, way)| *way == (x, y)).map(|place| place as u32)
    };
    let speed = |object: &Object| {
        let cells = object.displacement.0.unsigned_abs().max(object.displacement.1.unsigned_abs());
        let period = object.period?;
        Some(match cells {
            0 => 0,
            _ if 4 * cells == period => 1,
            _ if 2 * cells == period => 2,
            _ => 3,
        })
    };
    let named = |object: &Object| (object.kind.index() < apgcodes().len()).then(|| object.kind.index() as u32);
    let collision = |object: &Object| object.collision.map(|collision| collision as u32);
    let directions = || names(&DIRECTIONS.map(|(name, _)| name));
    let speeds = || names(&["0", "c/4", "c/2", "other"]);
    let collisions = || names(&Collision::ALL.map(Collision::name));
    let codes = || apgcodes().to_vec();

    let mut columns = vec![
        column(
            "object_class",
            Token,
            object_classes().to_vec(),
            tokens(&|object| Some(object.map_or(0, object_class))),
        ),
        column("object", Token, none(), tokens(&|object| object.map(|object| object.id))),
        column("doom", Token, none(), tokens(&|object| object?.doom)),
        column("doomed", Token, fates(), tokens(&|object| doomed(object?))),
        column("changed", Token, names(&["same", "changed"]), changed.collect()),
        column(
            "glider",
            Token,
            names(&["no", "glider"]),
            tokens(&|object| Some(u32::from(object.is_some_and(Object::is_glider)))),
        ),
        column("glider_heading", Token, headings(), tokens(&|object| heading(object?))),
        column("glider_phase", Token, phases(), tokens(&|object| object?.phase)),
        column("kind", PerObject, kinds(), per_object(&|object| Some(object.kind.index() as u32))),
        column("object_glider_heading", PerObject, headings(), per_object(&heading)),
        column("object_glider_phase", PerObject, phases(), per_object(&|object| object.phase)),
        column("object_doom", PerObject, none(), per_object(&|object| object.doom)),
        column("object_doomed", PerObject, fates(), per_object(&doomed)),
        column(
            "horizon",
            Episode,
            (1..=LONGEST_HORIZON).map(|horizon| horizon.to_string()).collect(),
            vec![Some(episode.horizon - 1)],
        ),
        column(
            "source",
            Episode,
            Source::ALL.iter().map(|source| source.name().to_string()).collect(),
            vec![Some(episode.source as u32)],
        ),
    ];
    type Concept<'a> = (&'a str, Vec<String>, &'a dyn Fn(&Object) -> Option<u32>);
    let more: [Concept<'_>; 5] = [
        ("apgcode", codes(), &named),
        ("period", none(), &|object| object.period),
        ("speed", speeds(), &speed),
        ("direction", directions(), &direction),
        ("collision", collisions(), &collision),
    ];
    for (name, classes, value) in more {
        columns.push(column(name, Token, classes.clone(), tokens(&|object| value(object?))));
        columns.push(column(&format!("object_{name}"), PerObject, classes, per_object(value)));
    }
    Labels { columns }
}
