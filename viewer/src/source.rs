//! What is opened: a run, a config or a pattern file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use environments::Environment;
use environments::automata::formats::PatternFile;
use environments::automata::{LineRule, Rule};
use environments::sequence::{ContextTreeWeighting, KrichevskyTrofimov, SequenceModel};
use environments::sources::{SourcesConfig, SourcesWorld};
use environments::turing::universal::{UniversalConfig, UniversalWorld};
use environments::turing::{HaltingConfig, HaltingWorld, TuringConfig};
use experiments::config::{Config, Overrides, nearest};
use experiments::intervention::{life_variants, pool_of};
use experiments::machines::diversity_world;
use experiments::run_directory::{Checkpoint, Metric, RunDirectory};
use toml::{Table, Value};

use crate::automaton::AutomatonSubject;
use crate::elementary::ElementarySubject;
use crate::life::LifeSubject;
use crate::sequences::SequenceSubject;
use crate::spacetime::LineSubject;
use crate::subject::Subject;
use crate::tape::{letter, token_name};
use crate::turing::{Machines, TuringSubject};
use crate::view::one_line;

/// A world with the model that lives in it, or the beginning of the names of such, up to a `-`; the first is the world of
/// all others.
pub type Worlds = Vec<(String, Arc<dyn Subject>)>;

/// Builds the worlds of a config from its section `[world]`, the whole, and the names of its models.
type Build = fn(&Table, &Table, &[&str]) -> Result<Worlds, String>;

/// The worlds that have more to show than tokens: by the experiments that live in them, or by the `kind` of a section
/// `[world]` where there is no experiment.
const WORLDS: &[(&str, &[&str], Build)] = &[
    ("life", &["glider-chunking"], life),
    ("turing", &["single-machine", "machine-diversity", "evil-twin", "rule-table"], turing),
    ("elementary", &["rule-inference"], elementary),
    ("halting", &["halting", "halting-prefix"], halting),
    ("universal", &["dovetail"], universal),
    ("sources", &["sources"], sources),
];

/// Reads a section `[world]` of a config.
fn section<T: serde::de::DeserializeOwned>(world: &Table, kind: &str) -> Result<T, String> {
    let mut world = world.clone();
    // Sources have a `kind` of their own.
    if world.get("kind").and_then(Value::as_str) == Some(kind) {
        world.remove("kind");
    }
    world.try_into().map_err(|error: toml::de::Error| format!("[world]: {}", error.message().trim()))
}

fn alone(subject: impl Subject + 'static) -> Worlds {
    vec![(String::new(), Arc::new(subject))]
}

fn elementary(world: &Table, _config: &Table, _models: &[&str]) -> Result<Worlds, String> {
    ElementarySubject::from_section(world).map(alone)
}

/// The table as text and the steps shown are spelt as machines are; the answer in words.
fn halting(world: &Table, _config: &Table, _models: &[&str]) -> Result<Worlds, String> {
    let config: HaltingConfig = section(world, "halting")?;
    let world = HaltingWorld::new(config).map_err(|error| format!("[world]: {error}"))?;
    let (states, symbols, begins) = (world.config().states, world.config().symbols, world.vocabulary() - 1);
    let input = move |token: usize| match token {
        _ if token == begins => "begin".into(),
        _ if token < symbols => token.to_string(),
        _ if token < symbols + 2 => ["L", "R"][token - symbols].into(),
        _ if token < symbols + 2 + states => letter((token - symbols - 2) as u8),
        _ if token == symbols + 2 + states => "Z".into(),
        _ => token_name(token - symbols - 3 - states, symbols),
    };
    let output = |target: usize| ["never", "halts"][target.min(1)].into();
    Ok(alone(SequenceSubject::new(Box::new(world)).spelt(input, output)))
}

/// Outputs of programs have no exact answer that can be reckoned; context-tree weighting stands beside models.
fn universal(world: &Table, _config: &Table, _models: &[&str]) -> Result<Worlds, String> {
    let config: UniversalConfig = section(world, "universal")?;
    let world = UniversalWorld::new(config).map_err(|error| format!("[world]: {error}"))?;
    let (alphabet, end, targets) = (world.config().alphabet, usize::from(world.end()), world.targets());
    let name = move |symbol: usize| match symbol {
        _ if symbol < alphabet => symbol.to_string(),
        _ if symbol == end => "end".into(),
        _ if symbol < end => format!("P{}", symbol - alphabet),
        _ => "begin".into(),
    };
    let tree = move || Box::new(ContextTreeWeighting::new(targets, 6, &[])) as Box<dyn SequenceModel>;
    Ok(alone(SequenceSubject::new(Box::new(world)).spelt(name, name).beside("CTW, depth 6", tree)))
}

fn sources(world: &Table, _config: &Table, _models: &[&str]) -> Result<Worlds, String> {
    let config: SourcesConfig = section(world, "sources")?;
    let world = SourcesWorld::new(config).map_err(|error| format!("[world]: {error}"))?;
    let symbols = world.symbols();
    let name = move |symbol: usize| match symbol.checked_sub(symbols) {
        None => symbol.to_string(),
        Some(beyond) => ["end", "begin", "asks"][beyond.min(2)].into(),
    };
    let subject = SequenceSubject::new(Box::new(world.clone())).spelt(name, name);
    if world.bayes().is_none() {
        return Ok(alone(subject));
    }
    let bayes = move || world.bayes().unwrap_or_else(|| Box::new(KrichevskyTrofimov::new(symbols)));
    Ok(alone(subject.beside("Bayes", bayes)))
}

/// Beside the world itself those of models that live in another.
fn life(world: &Table, config: &Table, _models: &[&str]) -> Result<Worlds, String> {
    let mut worlds = alone(LifeSubject::from_section(world)?);
    if config.get("experiment").and_then(Value::as_str) == Some("glider-chunking") {
        for (models, world) in life_variants(world, config) {
            worlds.push((models.into(), Arc::new(LifeSubject::from_section(&world)?)));
        }
    }
    Ok(worlds)
}

/// Beside the world itself, that of each model of `machine-diversity`: its pool of training machines is told by the end of
/// its name, such as `machines-16-2`.
fn turing(world: &Table, config: &Table, models: &[&str]) -> Result<Worlds, String> {
    let experiment = config.get("experiment").and_then(Value::as_str).unwrap_or_default();
    let seed = config.get("seed").and_then(Value::as_integer).unwrap_or(1) as u64;
    let machines = if experiment == "evil-twin" { Machines::Twins(seed) } else { Machines::World };
    let subject = |training: &dyn Fn(&TuringConfig) -> Option<TuringConfig>| {
        TuringSubject::from_section(world, machines, training)
    };
    let mut worlds: Worlds = vec![(String::new(), Arc::new(subject(&|_| None)?))];
    if experiment != "machine-diversity" {
        return Ok(worlds);
    }
    for model in models {
        let Some((diversity, number)) = pool_of(model) else { continue };
        worlds.push((model.to_string(), Arc::new(subject(&|world| Some(diversity_world(world, diversity, number)))?)));
    }
    Ok(worlds)
}

/// Something that was opened.
#[derive(Clone)]
pub struct Source {
    /// What it is called.
    pub name: String,
    /// The worlds.
    pub worlds: Worlds,
    /// The models' weights, by model and step; empty without a run.
    pub checkpoints: Vec<Checkpoint>,
    /// The training records of a run, in order.
    pub metrics: Vec<Metric>,
    /// Where the view is kept, for a run.
    pub view_file: Option<PathBuf>,
    /// Why there is no prediction, where there is none.
    pub mindless: &'static str,
    /// The model and step that were opened, where it was a checkpoint.
    pub chosen: Option<(String, u64)>,
}

impl Source {
    /// Opens a run directory (by path, or by its name under `runs/`), a checkpoint in one, a config or a pattern file.
    ///
    /// # Errors
    /// In one sentence that names the file at fault.
    pub fn open(path: &Path, scale: Option<&str>) -> anyhow::Result<Self> {
        if !path.exists()
            && let Some(opened) = Self::open_rule(&path.to_string_lossy())
        {
            return opened;
        }
        if !path.is_file() {
            return Self::open_run(&RunDirectory::find(&path.to_string_lossy())?);
        }
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            return Self::open_checkpoint(path);
        }
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => {
                anyhow!("{} is not text; a run is a folder, a config ends in .toml", path.display())
            }
            _ => anyhow!("{} cannot be read: {error}", path.display()),
        })?;
        if path.extension().is_some_and(|extension| extension == "toml") {
            Self::open_config(path, &text, scale)
        } else {
            Self::open_pattern(path, &text)
        }
    }

    fn open_run(run: &RunDirectory) -> anyhow::Result<Self> {
        let path = run.path().display();
        let text = run.read_if_there("config.toml")?.unwrap_or_default();
        // A resolved config holds every value, so that the section is read as it is, whichever version ran it.
        let checkpoints = run.checkpoints();
        let worlds = worlds(&text, &run.file("config.toml"), &model_names(&checkpoints))?;
        if checkpoints.is_empty() {
            return Err(anyhow!(
                "{path} has no checkpoint, so that there is no model to watch yet; finish it with `stance run --resume \
                 {path}`, or open {path}/config.toml to watch its world alone"
            ));
        }
        Ok(Self {
            name: run.name(),
            worlds,
            checkpoints,
            metrics: run.metrics()?,
            view_file: Some(run.file("view.toml")),
            mindless: "no checkpoint is chosen",
            chosen: None,
        })
    }

    /// A checkpoint says what the model is, and the run that it lies in says of which world: RUN/checkpoints/MODEL/FILE.
    fn open_checkpoint(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let whole = path.canonicalize().map_err(|error| anyhow!("{shown} cannot be read: {error}"))?;
        let run = whole.ancestors().nth(3).filter(|folder| folder.join("config.toml").is_file()).ok_or_else(|| {
            anyhow!(
                "{shown} lies in no run, so that its world is not known; open it where it was made, under \
                     RUN/checkpoints/MODEL"
            )
        })?;
        let mut source = Self::open_run(&RunDirectory::open(run)?)?;
        let same = |checkpoint: &&Checkpoint| checkpoint.path.canonicalize().is_ok_and(|other| other == whole);
        let found = source.checkpoints.iter().find(same);
        let chosen = found.map(|checkpoint| (checkpoint.model.clone(), checkpoint.step));
        source.chosen = Some(chosen.ok_or_else(|| {
            anyhow!("{shown} is not named as checkpoints of a run are, such as step-00000010.safetensors")
        })?);
        Ok(source)
    }

    fn open_config(path: &Path, text: &str, scale: Option<&str>) -> anyhow::Result<Self> {
        let experiment =
            text.parse::<Table>().ok().and_then(|table| Some(table.get("experiment")?.as_str()?.to_string()));
        let known = experiment.is_some_and(|name| experiments::experiment::find(&name).is_ok());
        let worlds = if known {
            let overrides = Overrides { scale: scale.map(Into::into), ..Overrides::default() };
            let config = Config::load(path, &overrides)?;
            worlds(&config.to_toml(), path, &[])?
        } else {
            worlds(text, path, &[])?
        };
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Self {
            name,
            worlds,
            checkpoints: Vec::new(),
            metrics: Vec::new(),
            view_file: None,
            mindless: "a config has no trained model; open a run to see predictions",
            chosen: None,
        })
    }

    /// A rule that is named in place of a file: soups of boards, or random rows of a one-dimensional rule.
    fn open_rule(text: &str) -> Option<anyhow::Result<Self>> {
        let worlds = match (text.parse::<LineRule>(), Rule::parse(text)) {
            (Ok(rule), _) if text.starts_with(['W', 'w', 'R', 'r']) => Ok(alone(LineSubject::random(rule))),
            (_, Ok(rule)) => AutomatonSubject::soups(rule).map(alone),
            _ => return None,
        };
        Some(worlds.map_err(|reason| anyhow!(reason)).map(|worlds| Self {
            name: text.into(),
            worlds,
            checkpoints: Vec::new(),
            metrics: Vec::new(),
            view_file: None,
            mindless: "a rule has no trained model; open a run to see predictions",
            chosen: None,
        }))
    }

    fn open_pattern(path: &Path, text: &str) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = PatternFile::read(text).map_err(|error| {
            anyhow!("{shown} is neither a run, nor a config (.toml), nor a pattern that can be read: {error}")
        })?;
        let subject = of_pattern(&file).map_err(|reason| anyhow!("{shown}: {reason}"))?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Self {
            name,
            worlds: subject,
            checkpoints: Vec::new(),
            metrics: Vec::new(),
            view_file: None,
            mindless: "a pattern has no trained model; open a run to see predictions",
            chosen: None,
        })
    }

    /// The world that a model lives in.
    pub fn subject(&self, model: Option<&str>) -> &Arc<dyn Subject> {
        &self.worlds[self.world_of(model.or(self.first_model()).unwrap_or_default())].1
    }

    fn world_of(&self, model: &str) -> usize {
        let fits = |own: &str| model.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        let own = self.worlds.iter().skip(1).position(|(own, _)| fits(own));
        own.map_or(0, |place| place + 1)
    }

    /// The model that is shown unless another is chosen: the first of the world itself.
    fn first_model(&self) -> Option<&str> {
        let models = self.models();
        models.iter().find(|model| self.world_of(model) == 0).or(models.first()).copied()
    }

    /// The names of the models, in order.
    pub fn models(&self) -> Vec<&str> {
        model_names(&self.checkpoints)
    }

    /// The checkpoints of a model, by step.
    pub fn steps(&self, model: &str) -> Vec<u64> {
        let own = self.checkpoints.iter().filter(|checkpoint| checkpoint.model == model);
        own.map(|checkpoint| checkpoint.step).collect()
    }

    /// A model's checkpoint: of a step, or the last.
    ///
    /// # Errors
    /// If there is none; the nearest is named.
    pub fn checkpoint(&self, model: Option<&str>, step: Option<u64>) -> Result<&Checkpoint, String> {
        let models = self.models();
        let Some(first) = self.first_model() else { return Err(self.mindless.into()) };
        let model = model.unwrap_or(first);
        let mut own = self.checkpoints.iter().filter(|checkpoint| checkpoint.model == model);
        match step {
            _ if !models.contains(&model) => {
                Err(format!("{} has no model `{model}`; the nearest is `{}`", self.name, nearest(model, models)))
            }
            None => own.next_back().ok_or_else(|| self.mindless.into()),
            Some(step) => own.find(|checkpoint| checkpoint.step == step).ok_or_else(|| {
                let nearest = self.steps(model).into_iter().min_by_key(|other| other.abs_diff(step)).unwrap_or(0);
                format!("the model `{model}` has no checkpoint at step {step}; the nearest is {nearest}")
            }),
        }
    }
}

/// A board of any rule, or the history of a one-dimensional one from the pattern's first row.
fn of_pattern(file: &PatternFile) -> Result<Worlds, String> {
    let line = file.rule.as_deref().filter(|rule| rule.starts_with(['W', 'w'])).map(str::parse::<LineRule>);
    match line {
        Some(Ok(rule)) => LineSubject::from_pattern(rule, &file.pattern).map(alone),
        _ => AutomatonSubject::from_pattern(file).map(alone),
    }
}

fn model_names(checkpoints: &[Checkpoint]) -> Vec<&str> {
    let mut names: Vec<&str> = checkpoints.iter().map(|checkpoint| checkpoint.model.as_str()).collect();
    names.dedup();
    names
}

fn worlds(text: &str, path: &Path, models: &[&str]) -> anyhow::Result<Worlds> {
    let shown = path.display();
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        anyhow!("the config {shown} is ill-formed: {}", one_line(error.message(), error.span(), text))
    })?;
    let name = |key: &str| table.get(key).and_then(Value::as_str);
    let world = match table.get("world") {
        Some(Value::Table(world)) => world.clone(),
        Some(_) => return Err(anyhow!("the config {shown} is ill-formed: `world` is not a table")),
        None if name("experiment").is_some() => Table::new(),
        None => return Err(anyhow!("the config {shown} names no experiment and describes no world")),
    };
    let (kind, experiment) = (world.get("kind").and_then(Value::as_str), name("experiment"));
    let build = WORLDS.iter().find(|(own, users, _)| match experiment {
        Some(experiment) => users.contains(&experiment),
        None => kind == Some(*own),
    });
    let Some((_, _, build)) = build else {
        // What any world has can be shown of a world that nothing is known of here.
        if experiment.is_some_and(|experiment| experiments::experiment::find(experiment).is_ok()) {
            let config = Config::parse(text, &shown.to_string(), &Overrides::default())?;
            let environment = config.experiment()?.environment(&config)?;
            return Ok(alone(SequenceSubject::new(environment)));
        }
        let worlds: Vec<&str> = WORLDS.iter().map(|(kind, _, _)| *kind).collect();
        let wanted = experiment.or(kind).unwrap_or("?");
        return Err(anyhow!(
            "{shown}: the world of `{wanted}` cannot be drawn; those that can are: {}",
            worlds.join(", ")
        ));
    };
    build(&world, &table, models).map_err(|reason| anyhow!("{shown}: {reason}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn open(files: &[(&str, &str)], what: &str) -> anyhow::Result<Source> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Source::open(&folder.path().join(what), None)
    }

    const CONFIG: &str = "experiment = \"glider-chunking\"\nseed = 1\n[world]\nwidth = 16\nheight = 16\n";

    #[test]
    fn a_run_a_config_and_a_pattern_are_told_apart() {
        let run = [
            ("run/config.toml", CONFIG),
            ("run/checkpoints/a/step-00000010.safetensors", ""),
            ("run/checkpoints/a/step-00000002.safetensors", ""),
            ("run/checkpoints/b/step-00000000.safetensors", ""),
        ];
        let source = open(&run, "run").unwrap();
        assert_eq!((source.name.as_str(), source.models()), ("run", vec!["a", "b"]));
        assert_eq!(source.steps("a"), [2, 10]);
        assert_eq!(source.checkpoint(None, None).unwrap().step, 10);
        assert_eq!(source.checkpoint(Some("b"), None).unwrap().step, 0);
        assert!(source.checkpoint(Some("a"), Some(9)).unwrap_err().contains("nearest is 10"));
        assert!(source.checkpoint(Some("aa"), None).unwrap_err().contains("nearest is `a`"));
        let source = open(&[("own.toml", "[world]\nkind = \"life\"\n")], "own.toml").unwrap();
        assert!(source.checkpoints.is_empty() && source.checkpoint(None, None).is_err());
        let file = "run/checkpoints/a/step-00000002.safetensors";
        assert_eq!(open(&run, file).unwrap().chosen, Some(("a".into(), 2)));
        for (name, text) in [
            ("glider.cells", "!Name: Glider\n.O.\n..O\nOOO\n"),
            ("glider.lif", "#Life 1.06\n0 -1\n1 0\n-1 1\n0 1\n1 1\n"),
            ("glider.mc", "[M2] (golly 4.0)\n#R B3/S23\n.*$..*$***$$$$$$\n"),
        ] {
            let source = open(&[(name, text)], name).unwrap_or_else(|error| panic!("{name}: {error}"));
            let observed = source.subject(None).observe(environments::Split::Train, 0, &[]).unwrap();
            assert_eq!(observed.scene.outlines(0)[0].name, "glider", "{name}");
        }
        let source = open(&[("glider.rle", "x = 3, y = 3\nbob$2bo$3o!\n")], "glider.rle").unwrap();
        assert!(!source.subject(None).has_episodes());
    }

    #[test]
    fn models_live_in_the_world_they_were_trained_in() {
        let text = format!("{CONFIG}[measure]\ncontrol_rule = \"B3678/S34678\"\n");
        let checkpoint = |model| format!("run/checkpoints/{model}/step-00000010.safetensors");
        let models = ["control-world-1", "jump-1", "next-step-1"].map(checkpoint);
        let mut files = vec![("run/config.toml", text.as_str())];
        files.extend(models.iter().map(|name| (name.as_str(), "")));
        let source = open(&files, "run").unwrap();
        assert_eq!(source.checkpoint(None, None).unwrap().model, "jump-1", "the question's own model comes first");
        assert!(source.subject(None).about().contains("B3/S23"));
        assert!(source.subject(Some("jump-1")).about().contains("B3/S23"));
        assert!(source.subject(Some("control-world-1")).about().contains("B3678/S34678"));
        assert_eq!(source.subject(Some("next-step-1")).horizons(), [1]);
        assert_eq!(source.subject(Some("jump-1")).horizons(), [1, 2, 4, 8, 16]);
    }

    #[test]
    fn what_cannot_be_opened_is_explained_in_one_line() {
        // Files with their text, what is opened, what the sentence says.
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
        let cases: &[Case] = &[
            (&[("run/notes.txt", "")], "run", "no config.toml"),
            (&[("run/config.toml", CONFIG)], "run", "no checkpoint"),
            (&[("run/config.toml", "experiment = \"gli")], "run", "line 1"),
            (&[("run/config.toml", "")], "run", "describes no world"),
            (&[("run/config.toml", "experiment = \"pluto\"")], "run", "`pluto` cannot be drawn"),
            (&[("run/config.toml", "experiment = \"glider-chunking\"\n[world]\nwidth = 3.5\n")], "run", "[world]"),
            (&[("run/config.toml", "experiment = \"glider-chunking\"\n[world]\nwidth = 17\n")], "run", "width"),
            (&[("a.safetensors", "")], "a.safetensors", "lies in no run"),
            (
                &[
                    ("run/config.toml", CONFIG),
                    ("run/checkpoints/a/last.safetensors", ""),
                    ("run/checkpoints/a/step-00000002.safetensors", ""),
                ],
                "run/checkpoints/a/last.safetensors",
                "not named as",
            ),
            (&[("a.rle", "this is no pattern {}")], "a.rle", "a.rle"),
            (&[], "nothing", "there is no run"),
        ];
        for (files, what, part) in cases {
            let message = open(files, what).err().unwrap().to_string();
            assert!(message.contains(part) && !message.contains('\n'), "{files:?}: {message}");
        }
    }
}
