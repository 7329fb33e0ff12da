//! How boards are drawn: the state at t, the truth at t + k, and what a model makes of it.

use std::sync::OnceLock;

use environments::{Outline, Scene};

use crate::palette::{Palette, Ramp, mix};
use crate::scene::{Drawing, Drawn, Ground, Legend, Panel, Raster, Reads, Score, Seen, Words, place_of};
use crate::subject::Fact;

/// The panels of boards.
pub const PANELS: &[Panel] = &[
    Panel::new("start", Ground::Start, Reads::Nothing),
    Panel::new("truth", Ground::Scene, Reads::Nothing),
    Panel::new("prediction", Ground::Scene, Reads::Answer),
    Panel::new("activation", Ground::Scene, Reads::Answer),
    Panel::new("error", Ground::Scene, Reads::Answer),
    Panel::new("change", Ground::Scene, Reads::Answer),
    Panel::new("attention", Ground::Scene, Reads::Attention),
    Panel::new("lens", Ground::Scene, Reads::Lens),
    Panel::new("patched", Ground::Scene, Reads::Patched),
    Panel::new("counterfactual", Ground::Scene, Reads::Patched),
    Panel::new("pinned", Ground::Scene, Reads::Pinned(0)),
    Panel::new("pinned-2", Ground::Scene, Reads::Pinned(1)),
    Panel::new("pinned-3", Ground::Scene, Reads::Pinned(2)),
    Panel::new("pinned-4", Ground::Scene, Reads::Pinned(3)),
];

/// What a world says of its boards, where it says anything.
pub trait Meaning: Send + Sync {
    /// The objects of a state.
    fn objects(&self, cells: &[u8]) -> Vec<Outline>;

    /// The model's position that stands for a cell.
    fn position_of(&self, cell: (u32, u32)) -> usize;

    /// Side in cells of the square that a position stands for.
    fn patch(&self) -> u32;
}

/// A board through time.
pub struct BoardScene {
    scene: Scene,
    width: u32,
    height: u32,
    states: u8,
    frames: Vec<Vec<u8>>,
    /// The frames without the edits, where there are some.
    original: Option<Vec<Vec<u8>>>,
    origin: String,
    meaning: Box<dyn Meaning>,
    /// Recognised when first asked for.
    objects: Vec<OnceLock<Vec<Outline>>>,
}

/// Wrong cells of a prediction, and of the prediction that nothing changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Dead cells held for live (at least even odds).
    pub false_positives: u32,
    /// Live cells held for dead.
    pub false_negatives: u32,
    /// Cells that are not as they were at t.
    pub persistence: u32,
}

impl Count {
    /// Counts. All three are one value a cell; states other than 0 are live.
    pub fn of(start: &[u8], truth: &[u8], chances: &[f32]) -> Self {
        let mut count = Self::default();
        for ((&start, &truth), &chance) in start.iter().zip(truth).zip(chances) {
            match (truth != 0, chance >= 0.5) {
                (false, true) => count.false_positives += 1,
                (true, false) => count.false_negatives += 1,
                _ => {}
            }
            count.persistence += u32::from((start != 0) != (truth != 0));
        }
        count
    }

    /// Wrong cells of the prediction beside those of persistence.
    pub fn score(&self) -> Score {
        let wrong = self.false_positives + self.false_negatives;
        Score { model: wrong as f32, reference: self.persistence as f32 }
    }
}

impl BoardScene {
    /// A scene with what its world says of it, where it comes from, and the scene without edits. Of a scene that is no
    /// board, an empty board.
    pub fn new(scene: Scene, original: Option<Scene>, origin: &str, meaning: Box<dyn Meaning>) -> Self {
        let (width, height, states, frames, known) = match &scene {
            Scene::Board { width, height, states, frames, objects } => {
                (*width, *height, *states, frames.clone(), objects.clone())
            }
            Scene::Tape { .. } => (0, 0, 2, Vec::new(), Vec::new()),
        };
        let original = match original {
            Some(Scene::Board { frames, .. }) => Some(frames),
            _ => None,
        };
        let objects: Vec<OnceLock<Vec<Outline>>> = (0..frames.len().max(1)).map(|_| OnceLock::new()).collect();
        // A scene that names none may just not have looked.
        if !known.is_empty() {
            let _ = objects[0].set(known);
        }
        Self { scene, width, height, states, frames, original, origin: origin.into(), meaning, objects }
    }

    /// The states of all cells after some steps, row-major; of the last step where `step` is beyond it.
    pub fn cells(&self, step: u32) -> &[u8] {
        self.frames.get(step as usize).or(self.frames.last()).map_or(&[], Vec::as_slice)
    }

    fn paint(&self, step: u32, palette: &Palette) -> Raster {
        let colours: Vec<_> = (0..=u8::MAX).map(|state| palette.cell(state, self.states)).collect();
        Raster::of_states(self.width, self.height, self.cells(step), &colours)
    }

    fn places(&self, cells: impl Iterator<Item = usize>) -> Vec<(u32, u32)> {
        cells.map(|cell| (cell as u32 % self.width, cell as u32 / self.width)).collect()
    }

    /// The sum over positions that cover no cell.
    fn elsewhere(&self, weights: &[f32]) -> f32 {
        let mut rest = weights.to_vec();
        for row in 0..self.height {
            for column in 0..self.width {
                if let Some(weight) = rest.get_mut(self.position_of((column, row))) {
                    *weight = 0.0;
                }
            }
        }
        rest.iter().sum()
    }

    fn population(&self, step: u32) -> usize {
        self.cells(step).iter().filter(|&&state| state != 0).count()
    }
}

/// How a step after t is called.
fn then(step: u32) -> String {
    if step == 0 { "t".into() } else { format!("t + {step}") }
}

impl Drawn for BoardScene {
    fn scene(&self) -> &Scene {
        &self.scene
    }

    fn panels(&self) -> &'static [Panel] {
        PANELS
    }

    fn words(&self) -> Words {
        Words {
            step: "step t +",
            model: "model: wrong cells",
            reference: "persistence",
            no_question: "choose a horizon: press →",
            overlays: &["objects", "names", "headings", "† doom", "grid", "edited"],
        }
    }

    fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    fn last_step(&self) -> u32 {
        self.frames.len().saturating_sub(1) as u32
    }

    fn position_of(&self, cell: (u32, u32)) -> usize {
        self.meaning.position_of(cell)
    }

    fn patch(&self) -> u32 {
        self.meaning.patch()
    }

    fn draw(&self, panel: &Panel, seen: &Seen<'_>) -> Drawing {
        let (palette, step) = (seen.palette, seen.step);
        let (start, truth) = (self.cells(0), self.cells(step));
        let live = |cells: &[u8], cell: usize| cells.get(cell).is_some_and(|&state| state != 0);
        let at = |values: &[f32], cell: usize| values.get(cell).copied().unwrap_or(0.0);
        let believed = |shade: &dyn Fn(usize, f32) -> crate::palette::Rgb| -> Result<Raster, String> {
            let chances = seen.belief?;
            Ok(Raster::paint(self.width, self.height, |cell| shade(cell, at(chances, cell))))
        };
        let keys = |keys: &[(crate::palette::Rgb, &str)]| {
            Legend::Keys(keys.iter().map(|(shade, text)| (*shade, text.to_string())).collect())
        };
        let mut drawing = match panel.name {
            "start" => Drawing {
                changed: self.changed(0),
                legend: Legend::Words(format!("{} live cells · {}", self.population(0), self.origin)),
                ..Drawing::new("Board at t", Ok(self.paint(0, palette)))
            },
            "truth" => {
                let changed = self.changed(step);
                let count = match changed.len() {
                    0 => String::new(),
                    count => format!(" · {count} changed by edits"),
                };
                Drawing {
                    changed,
                    legend: Legend::Words(format!("{} live cells{count}", self.population(step))),
                    ..Drawing::new(format!("Truth at {}", then(step)), Ok(self.paint(step, palette)))
                }
            }
            "prediction" => Drawing {
                note: (seen.belief.is_ok() && !seen.trained).then(|| (format!("not trained on k = {step}"), true)),
                legend: Legend::Scale(Ramp::Probability, ["0".into(), "1 probability live".into()]),
                ..Drawing::new(
                    format!("Prediction for {}", then(step)),
                    believed(&|_, chance| palette.probability(chance)),
                )
            },
            "error" => {
                let count = seen.belief.ok().map(|chances| self.score(step, chances));
                Drawing {
                    note: count
                        .map(|score| (format!("{} wrong · persistence {}", score.model, score.reference), false)),
                    legend: keys(&[
                        (palette.warm, "false positive"),
                        (palette.cold, "false negative"),
                        (palette.quiet, "live, correct"),
                    ]),
                    ..Drawing::new("Error", believed(&|cell, chance| palette.error(live(truth, cell), chance)))
                }
            }
            "change" => Drawing {
                legend: keys(&[(palette.warm, "born"), (palette.cold, "dies"), (palette.quiet, "stays")]),
                ..Drawing::new(
                    "Difference from persistence",
                    believed(&|cell, chance| {
                        let was = live(start, cell);
                        palette.change(was, chance - f32::from(u8::from(was)))
                    }),
                )
            },
            "attention" => {
                let raster = seen.attention.map_err(str::to_string).map(|(weights, end, _)| {
                    Raster::paint(self.width, self.height, |cell| {
                        let place = (cell as u32 % self.width, cell as u32 / self.width);
                        let colour = Palette::magnitude(at(weights, self.position_of(place)) / end);
                        if live(start, cell) { mix(colour, palette.live, 0.55) } else { colour }
                    })
                });
                // What goes to positions that cover no cell, such as the one that holds the horizon.
                let elsewhere = seen.attention.ok().map(|(weights, _, _)| self.elsewhere(weights));
                Drawing {
                    note: elsewhere.map(|share| (format!("{share:.2} goes to the horizon's token"), false)),
                    legend: attention_legend(seen),
                    ..Drawing::new("Attention from the chosen cell", raster)
                }
            }
            "lens" => {
                let raster = seen.lens.map_err(str::to_string).map(|(chances, _)| {
                    Raster::paint(self.width, self.height, |cell| palette.probability(at(chances, cell)))
                });
                let wrong = seen.lens.ok().map(|(chances, _)| self.score(step, chances).model);
                let of = |(_, chances): &(String, &[f32])| self.score(step, chances).model.to_string();
                let layers: Vec<String> = seen.layers.iter().map(of).collect();
                Drawing {
                    note: wrong.map(|wrong| (format!("{wrong} wrong · by layer {}", layers.join(" ")), false)),
                    legend: Legend::Scale(
                        Ramp::Probability,
                        ["0".into(), format!("1 live, read at {}", seen.lens.map_or("a tap", |(_, tap)| tap))],
                    ),
                    ..Drawing::new("Logit lens", raster)
                }
            }
            "pinned" | "pinned-2" | "pinned-3" | "pinned-4" => {
                let place = place_of(panel);
                let raster = seen.pin(place).map_err(str::to_string).map(|(chances, _)| {
                    Raster::paint(self.width, self.height, |cell| palette.probability(at(chances, cell)))
                });
                let wrong = seen.pin(place).ok().map(|(chances, _)| self.score(step, chances).model);
                Drawing {
                    note: wrong.map(|wrong| (format!("{wrong} wrong"), false)),
                    legend: Legend::Scale(Ramp::Probability, ["0".into(), "1 probability live".into()]),
                    ..Drawing::new(seen.pin_title(place), raster)
                }
            }
            "patched" => {
                let raster = seen.patched.map_err(str::to_string).map(|chances| {
                    Raster::paint(self.width, self.height, |cell| palette.probability(at(chances, cell)))
                });
                let score = seen.effect.get("overlap").map(|overlap| format!("overlap {overlap:.2}"));
                let flipped = |cell: &usize| {
                    let said = |answer: Result<&[f32], &str>| answer.is_ok_and(|chances| at(chances, *cell) >= 0.5);
                    seen.patched.is_ok() && said(seen.belief) != said(seen.patched)
                };
                Drawing {
                    note: score.map(|score| (score, false)),
                    changed: self.places((0..start.len()).filter(flipped)),
                    legend: Legend::Scale(Ramp::Probability, ["0".into(), "1 live · dot: the patch changed it".into()]),
                    ..Drawing::new(format!("Patched prediction for {}", then(step)), raster)
                }
            }
            "counterfactual" => {
                let frames = match seen.against.map(Drawn::scene) {
                    Some(Scene::Board { frames, .. }) => frames.as_slice(),
                    _ => &[],
                };
                let other = frames.get(step as usize).or(frames.last());
                let raster = other
                    .ok_or("patch activations: Shift P, then click or Enter".to_string())
                    .map(|cells| Raster::paint(self.width, self.height, |cell| palette.cell(cells[cell], self.states)));
                let differs = |cell: &usize| other.is_some_and(|other| live(other, *cell) != live(truth, *cell));
                Drawing {
                    changed: self.places((0..start.len()).filter(differs)),
                    legend: Legend::Words("the simulator's, with the patch in the world · dot: it differs".into()),
                    ..Drawing::new(format!("Counterfactual at {}", then(step)), raster)
                }
            }
            _ => {
                let raster = seen.activation.map_err(str::to_string).map(|(values, end)| {
                    Raster::paint(self.width, self.height, |cell| {
                        let place = (cell as u32 % self.width, cell as u32 / self.width);
                        let share = at(values, self.position_of(place)) / end;
                        let colour = if seen.signed { palette.signed(share) } else { Palette::magnitude(share) };
                        // Live cells shine through, so that one sees what lies under an activation.
                        if live(start, cell) { mix(colour, palette.live, 0.55) } else { colour }
                    })
                });
                Drawing {
                    legend: activation_legend(seen),
                    ..Drawing::new(activation_title(seen, "Activation"), raster)
                }
            }
        };
        if seen.overlays.objects {
            let at_start = matches!(panel.name, "start" | "activation" | "attention");
            drawing.outlines = self.outlines(if at_start { 0 } else { step }).to_vec();
        }
        if !seen.overlays.changed {
            drawing.changed.clear();
        }
        drawing
    }

    fn describe(&self, (column, row): (u32, u32), seen: &Seen<'_>) -> Vec<Fact> {
        let cell = row as usize * self.width as usize + column as usize;
        let state =
            |step: u32| if self.cells(step).get(cell).is_some_and(|&state| state != 0) { "live" } else { "dead" };
        let mut facts = vec![
            ("column, row".to_string(), format!("{column}, {row}")),
            ("at t".to_string(), state(0).to_string()),
            (format!("at t + {}", seen.step), state(seen.step).to_string()),
        ];
        if let Some(chance) = seen.belief.ok().and_then(|chances| chances.get(cell)) {
            facts.push(("probability live".into(), format!("{chance:.3}")));
        }
        for (name, step) in [("object at t".to_string(), 0), (format!("object at t + {}", seen.step), seen.step)] {
            let object = self.outlines(step).iter().find(|object| object.cells.contains(&(column, row)));
            if let Some(object) = object {
                let doom = object.doom.map_or_else(String::new, |doom| format!(", † in {doom}"));
                facts.push((name, format!("{}{doom}", object.name)));
            }
        }
        facts
    }

    fn score(&self, step: u32, belief: &[f32]) -> Score {
        Count::of(self.cells(0), self.cells(step), belief).score()
    }

    fn outlines(&self, step: u32) -> &[Outline] {
        let place = (step as usize).min(self.objects.len() - 1);
        self.objects[place].get_or_init(|| self.meaning.objects(self.cells(step)))
    }

    fn changed(&self, step: u32) -> Vec<(u32, u32)> {
        let Some(original) = &self.original else { return Vec::new() };
        let before = original.get(step as usize).or(original.last()).map_or(&[][..], Vec::as_slice);
        let differ = before.iter().zip(self.cells(step)).enumerate().filter(|(_, (before, after))| before != after);
        differ.map(|(cell, _)| (cell as u32 % self.width, cell as u32 / self.width)).collect()
    }
}

/// The scale of attention, the same in all scenes.
pub fn attention_legend(seen: &Seen<'_>) -> Legend {
    match seen.attention {
        Ok((_, end, tap)) => Legend::Scale(Ramp::Magnitude, ["0".into(), format!("{end}  {tap}")]),
        Err(_) => Legend::Words("an attention pattern of the model".into()),
    }
}

/// The heading of a panel of activations: the concept where a probe reads one.
pub fn activation_title(seen: &Seen<'_>, plain: &str) -> String {
    match seen.reading.split_once(" · probe ") {
        Some((_, concept)) => format!("Probe: {concept}"),
        None => plain.into(),
    }
}

/// The scale of activations, the same in all scenes.
pub fn activation_legend(seen: &Seen<'_>) -> Legend {
    match seen.activation {
        Ok((_, end)) => {
            let (ramp, low) = if seen.signed { (Ramp::Signed, -end) } else { (Ramp::Magnitude, 0.0) };
            Legend::Scale(ramp, [format!("{low}"), format!("{end}  {}", seen.reading)])
        }
        Err(_) => Legend::Words("a tap of the model".into()),
    }
}

#[cfg(test)]
mod tests;
