#![allow(clippy::unwrap_used)]
use super::*;

/// A config of the test experiment, with lines to be named in messages.
pub const TOY: &str = r#"experiment = "toy"
seed = 7
device = "cpu"

[world]
width = 16
height = 16

[model]
depth = 1
width = 8
heads = 2

[training]
steps = 6
batch = 2
save_every = 2
checkpoints = 2
learning_rate = 0.002

[training.optimizer]
beta1 = 0.9

[measure]
boards = 3

[scale.smoke.training]
steps = 3
[scale.smoke.training.optimizer]
beta2 = 0.9
[scale.gpu.world]
width = 32

[[claim]]
name = "weight"
statement = "Weights are positive."
measure = "the sum of weights"
comparison = "nothing"
effect = 0.5
refuter = "they are not"
"#;

fn parse(text: &str, overrides: &Overrides) -> anyhow::Result<Config> {
    Config::parse(text, "toy.toml", overrides)
}

fn set(changes: &[&str]) -> Overrides {
    Overrides { set: changes.iter().map(|&change| change.into()).collect(), ..Overrides::default() }
}

fn error(text: &str, overrides: &Overrides) -> String {
    let error = parse(text, overrides).unwrap_err();
    let text = error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert!(!text.contains('\n'), "more than one line: {text}");
    text
}

fn replaced(from: &str, to: &str) -> String {
    assert!(TOY.contains(from));
    TOY.replacen(from, to, 1)
}

fn steps(config: &Config) -> u64 {
    config.section::<models::TrainingConfig>("training").unwrap().steps
}

#[test]
fn a_scale_overrides_the_base_deeply_and_laptop_is_the_base() {
    let base = parse(TOY, &Overrides::default()).unwrap();
    assert_eq!((base.scale.as_str(), steps(&base)), ("laptop", 6));
    let smoke = parse(TOY, &Overrides { scale: Some("smoke".into()), ..Overrides::default() }).unwrap();
    let training: models::TrainingConfig = smoke.section("training").unwrap();
    // The scale's own, the base's beside it, at two depths.
    assert_eq!((training.steps, training.batch), (3, 2));
    assert_eq!((training.optimizer.beta1, training.optimizer.beta2), (0.9, 0.9));
}

#[test]
fn the_resolved_config_holds_everything_and_resolves_to_itself() {
    let mut overrides = set(&["training.optimizer.clip = 0.5", "measure.note=bare words"]);
    overrides.scale = Some("smoke".into());
    overrides.seed = Some(11);
    let config = parse(TOY, &overrides).unwrap();
    let text = config.to_toml();
    let again = parse(&text, &Overrides::default()).unwrap();
    assert_eq!(again.to_toml(), text);
    assert_eq!(again.run_name(), config.run_name());
    // Defaults are written out, scales are gone, floats are as short as they were.
    for part in ["seed = 11", "scale = \"smoke\"", "warmup = 100", "learning_rate = 0.002", "clip = 0.5", "bare words"]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("[scale"));
    let same = Overrides { scale: Some("smoke".into()), ..Overrides::default() };
    assert_eq!(parse(&text, &same).unwrap().to_toml(), text);
    let other = Overrides { scale: Some("gpu".into()), ..Overrides::default() };
    assert!(error(&text, &other).contains("resolved already"));
}

#[test]
fn names_of_runs_differ_with_config_and_seed() {
    let name = |overrides: &Overrides| parse(TOY, overrides).unwrap().run_name();
    let base = name(&Overrides::default());
    assert!(base.starts_with("toy-") && base.len() == "toy-".len() + 8);
    assert_eq!(base, name(&set(&["training.steps=6"])));
    assert_ne!(base, name(&set(&["training.steps=7"])));
    assert_ne!(base, name(&Overrides { seed: Some(8), ..Overrides::default() }));
}

#[test]
fn what_is_wrong_is_said_with_file_line_key_and_nearest_choice() {
    let none = Overrides::default();
    for (from, to, expected) in [
        (
            "width = 16\nheight",
            "widht = 16\nheight",
            "toy.toml, line 6: `world.widht` is not a key; the nearest is `world.width`",
        ),
        (
            "steps = 6",
            "steps = \"six\"",
            "toy.toml, line 15: `training.steps` has the wrong type: string \"six\" where a whole number from 0 is expected",
        ),
        ("steps = 6", "steps = -6", "toy.toml, line 15: `training.steps` has an impossible value: integer `-6`"),
        (
            "beta1 = 0.9",
            "beta_1 = 0.9",
            "toy.toml, line 22: `training.optimizer.beta_1` is not a key; the nearest is `training.optimizer.beta1`",
        ),
        (
            "beta2 = 0.9",
            "beta2 = true",
            "toy.toml, line 30: `training.optimizer.beta2` has the wrong type: boolean `true` where a number",
        ),
        ("width = 16", "width = 7", "toy.toml, line 6: `world.width` = 7: must be even"),
        ("width = 16", "width = 2", "toy.toml: width = 2 is not from 4 to 1024"),
        (
            "boards = 3",
            "probe.kind = \"linaer\"",
            "toy.toml, line 25: `measure.probe.kind` = \"linaer\" is not a choice; the nearest is `linear`",
        ),
        (
            "\"toy\"",
            "\"toi\"",
            "toy.toml, line 1: `experiment` = \"toi\": there is no such experiment; the nearest is `toy`",
        ),
        ("experiment = \"toy\"", "", "toy.toml: `experiment` is missing"),
        ("seed = 7", "seed = -1", "toy.toml, line 2: `seed` = -1 is not a whole number from 0"),
        ("seed = 7", "sede = 7", "toy.toml, line 2: `sede` is not a key of a config; the nearest is `seed`"),
        (
            "\"cpu\"",
            "\"cdua\"",
            "toy.toml, line 3: `device` = \"cdua\": there is no such device; the nearest is `cuda`",
        ),
        ("[measure]", "[mesure]", "`mesure` is not a key of a config; the nearest is `measure`"),
        (
            "[scale.gpu.world]",
            "[scale.gpu.wolrd]",
            "line 31: `scale.gpu.wolrd` cannot be set by a scale; the nearest that can is `world`",
        ),
        ("effect = 0.5", "effect = 0.0", "line 39: `claim[1].effect` is wrong: 0 is not a number above the null"),
        ("effect = 0.5", "efect = 0.5", "line 39: `claim[1].efect` is not a key; the nearest is `claim[1].effect`"),
        ("effect = 0.5\n", "", "line 34: `claim[1].effect` is missing"),
        ("seed = 7", "seed = ", "toy.toml, line 2: not valid TOML: "),
    ] {
        let found = error(&replaced(from, to), &none);
        assert!(found.contains(expected), "\nfound    {found}\nexpected {expected}");
    }
}

#[test]
fn changes_on_the_command_line_are_checked_as_the_file_is() {
    for (change, expected) in [
        ("training.stpes=5", "--set training.stpes=5: `training.stpes` is not a key; the nearest is `training.steps`"),
        ("training.steps=lots", "--set training.steps=lots: `training.steps` has the wrong type: string \"lots\""),
        ("training", "write it as key.path=value"),
        ("trainign.steps=5", "there is no key `trainign.steps`; the nearest is `training`"),
        ("world=5", "a section; name a key in it"),
        ("world.width.x=5", "`world.width` is a value and has no keys"),
        ("world..width=5", "is not a path"),
        ("claim.effect=0", "claims are registered"),
        ("scale.smoke=1", "there is no key `scale.smoke`"),
        ("world.width=9", "--set world.width=9: `world.width` = 9: must be even"),
    ] {
        let found = error(TOY, &set(&[change]));
        assert!(found.contains(expected), "\nfound    {found}\nexpected {expected}");
    }
    let config = parse(TOY, &set(&["training.steps=9", "seed=3", "device=flex", "world.horizons=[1, 2]"])).unwrap();
    assert_eq!((steps(&config), config.seed, config.device.as_str()), (9, 3, "flex"));
}

#[test]
fn an_unknown_scale_names_the_nearest() {
    let overrides = |scale: &str| Overrides { scale: Some(scale.into()), ..Overrides::default() };
    assert!(error(TOY, &overrides("smok")).contains("no scale `smok`; the nearest is `smoke`"));
    assert_eq!(parse(TOY, &overrides("laptop")).unwrap().scale, "laptop");
}

#[test]
fn a_seed_that_toml_cannot_hold_is_refused() {
    let overrides = Overrides { seed: Some(u64::MAX), ..Overrides::default() };
    assert!(error(TOY, &overrides).contains("too large"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::load(Path::new("there/is/none.toml"), &Overrides::default()).unwrap_err().to_string();
    assert!(error.contains("there/is/none.toml cannot be read"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("binary.toml");
    std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(Config::load(&path, &Overrides::default()).unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn no_mangled_config_panics() {
    // Every line left out, and every line cut in half.
    let lines: Vec<&str> = TOY.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let mut without = lines.clone();
        without.remove(number);
        let _ = parse(&without.join("\n"), &Overrides::default());
        let mut cut = lines.clone();
        cut[number] = &line[..line.len() / 2];
        if let Err(error) = parse(&cut.join("\n"), &Overrides::default()) {
            assert!(!format!("{error:#}").contains('\n'));
        }
    }
}
