//! `stance intervene RUN --intervention FILE`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use environments::life::LifeWorld;
use environments::turing::{TuringConfig, TuringWorld};
use environments::{Address, Edit, Environment, Symbol, UNSCORED};
use models::{Device, Plan, load_parameters, predictor};
use serde::Deserialize;
use serde_json::{Value, json};
use toml::Table;

use super::output::Output;
use super::sample::half_blocks;
use crate::config::nearest;
use crate::intervention::{
    Intervention, Patch, alive, board_effect, chances, life_variants, line_effect, nats, patched, pool_of, touched,
    wrong_cells,
};
use crate::machines::diversity_world;
use crate::run_directory::RunDirectory;

/// Arguments of `stance intervene`.
#[derive(Args)]
pub struct InterveneArgs {
    /// The run, by its path or its name under runs/.
    run: String,
    /// An intervention that the viewer has saved (Ctrl E).
    #[arg(long, value_name = "FILE.toml")]
    intervention: PathBuf,
    /// Where the model runs: auto, cpu, flex, ndarray or cuda.
    #[arg(long, default_value = "cpu")]
    device: String,
}

/// What is read of a view's file.
#[derive(Deserialize)]
struct File {
    model: Option<String>,
    checkpoint: Option<u64>,
    step: Option<u32>,
    #[serde(default)]
    patches: Vec<Patch>,
    intervention: Option<Intervention>,
}

/// A world with what a model is asked about it.
enum World {
    /// A board after some steps.
    Board(Box<LifeWorld>),
    /// A line of tokens.
    Line(Box<dyn Environment>),
}

/// An episode at a step.
struct Asked {
    tokens: Vec<Symbol>,
    /// What the simulator says: the cells of a board at the step, the targets of a line.
    truth: Vec<u8>,
    targets: Vec<Symbol>,
}

impl World {
    /// The worlds of a run's models: that of the config, and that which a model was trained in.
    fn all(run: &RunDirectory, model: &str) -> anyhow::Result<Vec<World>> {
        let config = run.config()?;
        let own = config.experiment()?.environment(&config)?;
        let table: Table = config.to_toml().parse()?;
        let section = table.get("world").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        if own.name() == "life" {
            let variants = life_variants(&section, &table);
            let fits = |(own, _): &(&str, Table)| model.starts_with(own);
            let sections = variants.into_iter().filter(fits).map(|(_, section)| section).chain([section]);
            let build = |section: Table| {
                let world = LifeWorld::new(section.try_into()?)?;
                Ok(World::Board(Box::new(world)))
            };
            return sections.map(build).collect();
        }
        let mut all = Vec::new();
        if let (true, Some((diversity, number))) = (config.experiment == "machine-diversity", pool_of(model)) {
            let world: TuringConfig = config.section("world")?;
            all.push(World::Line(Box::new(TuringWorld::new(diversity_world(&world, diversity, number))?)));
        }
        all.push(World::Line(own));
        Ok(all)
    }

    fn environment(&self) -> &dyn Environment {
        match self {
            World::Board(world) => world.as_ref(),
            World::Line(world) => world.as_ref(),
        }
    }

    fn ask(&self, address: &Address, edits: &[Edit], step: u32) -> anyhow::Result<Asked> {
        match self {
            World::Board(world) => {
                let mut episode = world.observe_with(address.split, address.index, step.max(1));
                if !edits.is_empty() {
                    episode = world.edit(&episode, edits)?;
                }
                let truth = world.stepper().run(&episode.start, step).cells();
                Ok(Asked { tokens: world.encode(&episode.start, step.max(1)), truth, targets: Vec::new() })
            }
            World::Line(world) => {
                let sample = world.counterfactual(address, edits)?.sample;
                if step as usize >= sample.tokens.len() {
                    return Err(anyhow!("step = {step} is beyond the last, {}", sample.tokens.len() - 1));
                }
                Ok(Asked { tokens: sample.tokens, truth: Vec::new(), targets: sample.targets })
            }
        }
    }

    /// Probabilities: of each cell to be live, or of each target at each position.
    fn answer(&self, logits: &[f32]) -> Vec<f32> {
        match self {
            World::Board(world) => alive(world, logits),
            World::Line(world) => chances(logits, world.targets()),
        }
    }

    fn score(&self, asked: &Asked, step: u32, answer: &[f32]) -> f32 {
        match self {
            World::Board(_) => wrong_cells(&asked.truth, answer) as f32,
            World::Line(world) => {
                let target =
                    target(asked, step).and_then(|target| answer.get(step as usize * world.targets() + target));
                target.map_or(0.0, |&chance| nats(f64::from(chance)))
            }
        }
    }

    /// What of an answer is about the step.
    fn about<'a>(&self, answer: &'a [f32], step: u32) -> &'a [f32] {
        match self {
            World::Board(_) => answer,
            World::Line(world) => answer.chunks_exact(world.targets()).nth(step as usize).unwrap_or(&[]),
        }
    }
}

fn target(asked: &Asked, step: u32) -> Option<usize> {
    asked.targets.get(step as usize).filter(|target| **target != UNSCORED).map(|&target| usize::from(target))
}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(args: InterveneArgs, output: &Output) -> anyhow::Result<()> {
    let (value, text) = again(&args.run, &args.intervention, &args.device)?;
    output.print(&value, || text)
}

/// Makes a saved intervention again: what is found as JSON, and as text for a person.
///
/// # Errors
/// In one sentence, for a person.
pub fn again(run: &str, file: &Path, device: &str) -> anyhow::Result<(Value, String)> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| anyhow!("{shown} cannot be read: {error}"))?;
    let file: File =
        toml::from_str(&text).map_err(|error| anyhow!("{shown} is no intervention: {}", error.message().trim()))?;
    let saved =
        file.intervention.ok_or_else(|| anyhow!("{shown} holds no [intervention]; Ctrl E in the viewer saves one"))?;
    let missing = |key: &str| anyhow!("{shown} holds no `{key}`, so that it is not known what was asked");
    let address = saved.address.clone().ok_or_else(|| missing("address"))?;
    let step = file.step.ok_or_else(|| missing("step"))?;
    let model = file.model.ok_or_else(|| missing("model"))?;
    let checkpoint = file.checkpoint.ok_or_else(|| missing("checkpoint"))?;

    let run = RunDirectory::find(run)?;
    let world =
        World::all(&run, &model)?.into_iter().find(|world| world.environment().fingerprint() == address.environment);
    let world = world.ok_or_else(|| {
        anyhow!("{shown}: the environment {} of its address is none of the run {}", address.environment, run.name())
    })?;
    let all = run.checkpoints();
    let found = all.iter().find(|one| one.model == model && one.step == checkpoint).ok_or_else(|| {
        let of = |one: &crate::run_directory::Checkpoint| format!("{} after {}", one.model, one.step);
        let known: Vec<String> = all.iter().map(of).collect();
        let nearest = nearest(&format!("{model} after {checkpoint}"), known.iter().map(String::as_str));
        anyhow!(
            "{shown}: the run {} has no checkpoint of {model} after {checkpoint} steps; the nearest is {nearest}",
            run.name()
        )
    })?;
    let parameters = load_parameters(&found.path)?;
    let (spec, environment) = (&parameters.spec, world.environment());
    let (has, needs) = (
        (spec.vocabulary, spec.targets, spec.geometry),
        (environment.vocabulary(), environment.targets(), environment.geometry()),
    );
    if has != needs {
        return Err(anyhow!("{shown}: the model {model} reads another world than that of the address"));
    }
    for patch in &file.patches {
        patch.check(spec).map_err(|reason| anyhow!("{shown}: {reason}"))?;
    }
    let mind = predictor(&parameters, Device::resolve(device)?)?;
    let ask = |edits: &[Edit]| world.ask(&address, edits, step).map_err(|error| anyhow!("{shown}: {error}"));
    let say = |asked: &Asked| -> anyhow::Result<Vec<f32>> {
        Ok(world.answer(&mind.run(&asked.tokens, &Plan::default())?.logits))
    };
    let (unedited, edited) = (ask(&saved.unedited)?, ask(&saved.edits)?);
    let (first, clean) = (say(&unedited)?, say(&edited)?);
    let scores = [world.score(&unedited, step, &first), world.score(&edited, step, &clean)];

    let against = if file.patches.is_empty() { None } else { Some(ask(&saved.against)?) };
    let (mut after, mut effect) = (None, BTreeMap::new());
    if let Some(other) = &against {
        let logits = patched(mind.as_ref(), &edited.tokens, Some(&unedited.tokens), &file.patches)
            .map_err(anyhow::Error::msg)?;
        let answer = world.answer(&logits);
        let to = touched(&file.patches);
        effect = match &world {
            World::Board(life) => board_effect(life, (&clean, &answer), (&edited.truth, &other.truth), &to),
            World::Line(line) => {
                let tokens = (target(&edited, step), target(other, step));
                line_effect((&clean, &answer), line.targets(), step as usize, tokens, &to)
            }
        };
        after = Some(answer);
    }
    let same = |saved: Option<[f32; 2]>, now: f32| saved.is_none_or(|[model, _]| model == now);
    let before = if saved.edits == saved.unedited { None } else { Some(scores[0]) };
    let agrees = same(saved.before, scores[0])
        && same(saved.after, scores[1])
        && (saved.effect.is_empty() || saved.effect == effect);
    let truth = |asked: &Asked| match &world {
        World::Board(_) => json!(asked.truth),
        World::Line(_) => json!(target(asked, step)),
    };
    let value = json!({
        "run": run.name(),
        "model": model,
        "checkpoint": checkpoint,
        "address": address,
        "step": step,
        "edits": saved.edits,
        "patches": file.patches,
        "against": saved.against,
        "score": { "measure": saved.measures[0], "without_edits": before, "with_edits": scores[1] },
        "truth": truth(&edited),
        "counterfactual": against.as_ref().map(truth),
        "prediction": {
            "without_edits": world.about(&first, step),
            "before": world.about(&clean, step),
            "after": after.as_ref().map(|after| world.about(after, step)),
        },
        "effect": effect,
        "as_saved": agrees,
    });
    let mut text = format!(
        "{} · {} {} · step {step} · {model} after {checkpoint} steps\n",
        environment.name(),
        address.split.name(),
        address.index
    );
    for edit in &saved.edits {
        text += &format!("  edit   {}\n", serde_json::to_string(edit).unwrap_or_default());
    }
    for patch in &file.patches {
        text += &format!("  patch  {}\n", patch.describe());
    }
    text += &format!(
        "\n{}: {}\n",
        saved.measures[0],
        match before {
            Some(before) => format!("{before} without the edits, {} with them", scores[1]),
            None => scores[1].to_string(),
        }
    );
    for (name, value) in &effect {
        text += &format!("{name}: {value}\n");
    }
    text += &pictures(&world, step, &edited, against.as_ref(), &clean, after.as_deref());
    text += if agrees { "\nAs saved, to the last digit.\n" } else { "\nThe file holds other figures.\n" };
    Ok((value, text))
}

/// The predictions before and after, beside what the simulator says.
fn pictures(
    world: &World,
    step: u32,
    edited: &Asked,
    against: Option<&Asked>,
    clean: &[f32],
    after: Option<&[f32]>,
) -> String {
    match world {
        World::Board(life) => {
            let width = life.config().width as usize;
            let states =
                |chances: &[f32]| -> Vec<u8> { chances.iter().map(|&chance| u8::from(chance >= 0.5)).collect() };
            let mut boards = vec![("truth", edited.truth.clone()), ("before", states(clean))];
            boards.extend(after.map(|after| ("after", states(after))));
            boards.extend(against.map(|against| ("counterfactual", against.truth.clone())));
            let titles = boards.iter().map(|(title, _)| format!("{title:<0$}", width + 2));
            let mut text = format!("\n{}\n", titles.collect::<Vec<_>>().join("   ").trim_end());
            for row in (0..life.config().height as usize).step_by(2) {
                let lines = boards.iter().map(|(_, cells)| format!("│{}│", half_blocks(cells, width, row)));
                text += &format!("{}\n", lines.collect::<Vec<_>>().join("   "));
            }
            text
        }
        World::Line(_) => {
            let row = |name: &str, answer: &[f32]| {
                let all: Vec<String> = world.about(answer, step).iter().map(|chance| format!("{chance:.3}")).collect();
                format!("{name:<8} {}\n", all.join(" "))
            };
            let mut text = format!("\nprobability of each target at position {step}\n{}", row("before", clean));
            text += &after.map_or_else(String::new, |after| row("after", after));
            let comes = |asked: &Asked| target(asked, step).map_or("nothing".into(), |target| target.to_string());
            text += &format!("comes: {}", comes(edited));
            text += &against.map_or_else(String::new, |other| format!("; in the counterfactual: {}", comes(other)));
            text + "\n"
        }
    }
}
