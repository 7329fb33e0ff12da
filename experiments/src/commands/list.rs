//! `stance list`

use clap::Args;
use models::Device;
use serde_json::{Value, json};

use super::output::Output;
use crate::evidence;
use crate::experiment::{EXPERIMENTS, Listed};

/// Worlds, in the order in which they are listed.
pub const ENVIRONMENTS: &[Listed] = &[
    Listed {
        name: "life",
        about: "two-dimensional cellular automata on a torus: soups, ash and planted scenes, with objects and their fates",
    },
    Listed {
        name: "turing",
        about: "runs of n-state m-symbol Turing machines on blank or random tapes, seen from the head; states stay hidden",
    },
    Listed {
        name: "halting",
        about: "the tables of Turing machines, and whether they halt: proved verdicts, nothing trivial",
    },
    Listed {
        name: "elementary",
        about: "histories of one-dimensional rules of radius 1 or 2, a fresh rule in each, from random rows",
    },
    Listed {
        name: "sources",
        about: "controls: memoryless, Markov and variable-order sources, and the tasks of the Chomsky-hierarchy benchmark",
    },
    Listed {
        name: "hidden",
        about: "hidden Markov processes (Mess3; random-random-xor), with the exact belief of an ideal observer",
    },
    Listed {
        name: "othello",
        about: "random legal games of Othello on a small board, moves alone: whose disc lies where, and what may be played next",
    },
    Listed {
        name: "universal",
        about: "random programs of a small universal machine, run in dovetail, their outputs interleaved into one stream",
    },
];

/// Models, in the order in which they are listed.
pub const MODELS: &[Listed] = &[
    Listed {
        name: "transformer",
        about: "pre-norm, learnt bias for each relative position; causal on a line, full on a torus; with `loops`, shared weights",
    },
    Listed { name: "lstm", about: "layers of long short-term memory, on a line" },
    Listed { name: "mlp", about: "perceptron on a fixed window: a baseline" },
    Listed { name: "cnn", about: "convolutional network of bounded light cone: a baseline" },
];

/// Arguments of `stance list`.
#[derive(Args)]
pub struct ListArgs {}

/// Runs the command.
///
/// # Errors
/// In one sentence, for a person.
pub fn run(_args: ListArgs, output: &Output) -> anyhow::Result<()> {
    let experiments: Vec<Listed> =
        EXPERIMENTS.iter().map(|experiment| Listed { name: experiment.name(), about: experiment.about() }).collect();
    let devices: Vec<(&str, &str, Option<String>)> = Device::NAMES
        .iter()
        .map(|&name| {
            let about = match name {
                "auto" => "cuda where its driver loads and finds a GPU, else cpu",
                "cpu" => "fused engine of this program: the same bits on any machine and at any thread count",
                "flex" => "burn on its flex CPU backend",
                "ndarray" => "burn on its ndarray CPU backend",
                "cuda" => "burn on CUDA; the driver is loaded at run time",
                _ => "",
            };
            (name, about, Device::resolve(name).err().map(|error| error.to_string()))
        })
        .collect();
    // A probe, an intervention or a baseline is a file and a line of its registry.
    let (probes, baselines, interventions) =
        (evidence::probes(), evidence::baselines(), evidence::listed_interventions());
    let groups = [
        ("environments", ENVIRONMENTS),
        ("models", MODELS),
        ("probes", probes.as_slice()),
        ("baselines", baselines.as_slice()),
        ("interventions", interventions.as_slice()),
        ("experiments", experiments.as_slice()),
    ];
    let listed = |entries: &[Listed]| -> Value {
        entries.iter().map(|entry| json!({ "name": entry.name, "about": entry.about })).collect()
    };
    let mut value: serde_json::Map<String, Value> =
        groups.iter().map(|(group, entries)| ((*group).to_string(), listed(entries))).collect();
    let described = devices.iter().map(|(name, about, refusal)| {
        json!({ "name": name, "about": about, "available": refusal.is_none(), "reason": refusal })
    });
    value.insert("devices".into(), described.collect());
    output.print(&Value::Object(value), || {
        let mut text = String::new();
        for (group, entries) in groups {
            text += &format!("{group}\n");
            let width = entries.iter().map(|entry| entry.name.len()).max().unwrap_or(0).max(18);
            for entry in entries {
                text += &format!("  {:<width$} {}\n", entry.name, entry.about);
            }
        }
        text += "devices\n";
        for (name, about, refusal) in &devices {
            let state = if refusal.is_some() { " (not available here)" } else { "" };
            text += &format!("  {name:<18} {about}{state}\n");
        }
        text
    })
}
