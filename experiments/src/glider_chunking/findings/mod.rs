//! From measurements to findings and to what the report shows.

mod abstraction;
mod checks;
mod chunking;
mod desk;
mod fate;
mod layers;
mod models_table;
mod skill;
mod used;
mod used_report;

use serde_json::json;

use super::measure::Measurements;
use super::pictures;
use super::settings::Settings;
use super::zoo::{Group, Zoo};
use crate::config::Config;
use crate::context::RunContext;
use crate::experiment::{Outcome, Section};
use crate::figures::{Figure, Plot};
use desk::Desk;

/// Findings of all registered claims, sections of the report, and every measurement.
///
/// # Errors
/// If the pictures cannot be drawn or the training records not be read.
pub fn outcome(
    zoo: &Zoo,
    settings: &Settings,
    measured: &Measurements,
    config: &Config,
    context: &mut RunContext<'_>,
) -> anyhow::Result<Outcome> {
    let desk = Desk { zoo, settings, measured, seed: config.seed };
    let (models, losses) = models_table::section(&desk, context)?;
    let used = used::find(&desk);
    let parts = [
        skill::find(&desk),
        chunking::find(&desk, &used),
        abstraction::find(&desk, &used),
        fate::find(&desk, &used),
        used.part,
    ];
    let mut probes = json!({ "boards": measured.leaks, "models": losses });
    let (mut findings, mut sections) = (Vec::new(), vec![models]);
    for part in parts {
        probes[part.finding.claim.as_str()] = part.probes;
        if config.claims.iter().any(|claim| claim.name == part.finding.claim) {
            findings.push(part.finding);
        }
        sections.extend(part.sections);
    }
    if let Some(first) = zoo.group(Group::Jump).next() {
        let drawn = context.stage("pictures", |_| {
            pictures::draw(zoo, first, &measured.pairs, settings.longest(), measured.middle.as_deref())
        })?;
        sections.push(gallery(drawn, settings.longest()));
    }
    // A section names its claim only where that is registered; else it stands alone.
    for section in &mut sections {
        section.claim = section.claim.take().filter(|name| config.claims.iter().any(|claim| claim.name == *name));
    }
    Ok(Outcome { probes, findings, sections })
}

fn gallery(drawn: pictures::Pictures, horizon: u32) -> Section {
    let figure = |name: &str, title: &str, caption: String, rows| Figure {
        name: name.into(),
        title: title.into(),
        caption,
        plot: Plot::Boards { rows },
    };
    let mut figures = Vec::new();
    if !drawn.predictions.is_empty() {
        figures.push(figure(
            "boards",
            "Boards, predicted",
            format!(
                "The first uncrowded test boards with a glider (outlined), {horizon} steps ahead, by the first trained \
                 model. Shades are probabilities of being alive; errors are orange where too much was predicted and \
                 blue where too little."
            ),
            drawn.predictions,
        ));
    }
    if !drawn.transplants.is_empty() {
        figures.push(figure(
            "transplants",
            "A glider transplanted",
            format!(
                "A glider's activations from another board, put into the outlined tokens of a board without one, and \
                 what the first trained model then predicts {horizon} steps ahead. Putting them in at `embed` is an edit \
                 of the input: a reference."
            ),
            drawn.transplants,
        ));
    }
    Section { title: "Boards".into(), figures, ..Section::default() }
}
