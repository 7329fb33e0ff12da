//! The boards that stand side by side, each a picture of what is known.

use serde::{Deserialize, Serialize};

use crate::palette::{Palette, Rgb, mix};
use crate::scene::{Drawn, Raster};

/// A board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Panel {
    /// The world at t; what the model is shown.
    Start,
    /// The world at t + k, simulated.
    Truth,
    /// The probability that the model gives each cell of being live at t + k.
    Prediction,
    /// Where and how much that is wrong.
    Error,
    /// What the model expects to change: its probability less the state at t.
    Change,
    /// An activation of the model, over the world at t.
    Activation,
}

/// An entry of a legend.
pub type Key = (Rgb, &'static str);

/// What boards are painted from.
pub struct Seen<'a> {
    /// The world.
    pub scene: &'a dyn Drawn,
    /// Steps after t.
    pub step: u32,
    /// The model's probability that each cell is live then, row-major; or why there is none.
    pub prediction: Result<&'a [f32], &'a str>,
    /// The activation at each cell and the end of its scale; or why there is none.
    pub activation: Result<(&'a [f32], f32), &'a str>,
    /// Whether activations have signs.
    pub signed: bool,
    /// The colours.
    pub palette: &'a Palette,
}

impl Panel {
    /// All of them, in order.
    pub const ALL: [Panel; 6] =
        [Panel::Start, Panel::Truth, Panel::Prediction, Panel::Activation, Panel::Error, Panel::Change];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Panel::Start => "start",
            Panel::Truth => "truth",
            Panel::Prediction => "prediction",
            Panel::Error => "error",
            Panel::Change => "change",
            Panel::Activation => "activation",
        }
    }

    /// Its heading at a step.
    pub fn title(self, step: u32) -> String {
        let then = if step == 0 { "t".into() } else { format!("t + {step}") };
        match self {
            Panel::Start => "Board at t".into(),
            Panel::Truth => format!("Truth at {then}"),
            Panel::Prediction => format!("Prediction for {then}"),
            Panel::Error => "Error".into(),
            Panel::Change => "Difference from persistence".into(),
            Panel::Activation => "Activation".into(),
        }
    }

    /// What its colours mean, apart from scales.
    pub fn legend(self, palette: &Palette) -> Vec<Key> {
        match self {
            Panel::Error => vec![
                (palette.warm, "false positive"),
                (palette.cold, "false negative"),
                (palette.quiet, "live, correct"),
            ],
            Panel::Change => vec![(palette.warm, "born"), (palette.cold, "dies"), (palette.quiet, "stays")],
            Panel::Start | Panel::Truth | Panel::Prediction | Panel::Activation => Vec::new(),
        }
    }

    /// Whether it shows the world at t and not at t + k.
    pub fn is_at_start(self) -> bool {
        matches!(self, Panel::Start | Panel::Activation)
    }

    /// Its picture.
    ///
    /// # Errors
    /// Why there is none, in a short sentence.
    pub fn paint(self, seen: &Seen<'_>) -> Result<Raster, String> {
        let palette = seen.palette;
        let (width, height) = seen.scene.size();
        let (start, truth) = (seen.scene.cells(0), seen.scene.cells(seen.step));
        let live = |cells: &[u8], cell: usize| cells.get(cell).is_some_and(|&state| state != 0);
        let prediction = || seen.prediction.map_err(str::to_string);
        let at = |values: &[f32], cell: usize| values.get(cell).copied().unwrap_or(0.0);
        match self {
            Panel::Start => Ok(seen.scene.paint(0, palette)),
            Panel::Truth => Ok(seen.scene.paint(seen.step, palette)),
            Panel::Prediction => {
                let chances = prediction()?;
                Ok(Raster::paint(width, height, |cell| palette.probability(at(chances, cell))))
            }
            Panel::Error => {
                let chances = prediction()?;
                Ok(Raster::paint(width, height, |cell| palette.error(live(truth, cell), at(chances, cell))))
            }
            Panel::Change => {
                let chances = prediction()?;
                Ok(Raster::paint(width, height, |cell| {
                    let was = live(start, cell);
                    palette.change(was, at(chances, cell) - f32::from(u8::from(was)))
                }))
            }
            Panel::Activation => {
                let (values, end) = seen.activation.map_err(str::to_string)?;
                Ok(Raster::paint(width, height, |cell| {
                    let share = at(values, cell) / end;
                    let colour = if seen.signed { palette.signed(share) } else { Palette::magnitude(share) };
                    // Live cells shine through, so that one sees what lies under an activation.
                    if live(start, cell) { mix(colour, palette.live, 0.55) } else { colour }
                }))
            }
        }
    }
}

/// Wrong cells of a prediction, and of the prediction that nothing changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Dead cells held for live (at least even odds).
    pub false_positives: u32,
    /// Live cells held for dead.
    pub false_negatives: u32,
    /// Cells that are not as they were at t.
    pub persistence: u32,
}

impl Score {
    /// Counts. All three are one value a cell; states other than 0 are live.
    pub fn count(start: &[u8], truth: &[u8], chances: &[f32]) -> Self {
        let mut score = Self::default();
        for ((&start, &truth), &chance) in start.iter().zip(truth).zip(chances) {
            match (truth != 0, chance >= 0.5) {
                (false, true) => score.false_positives += 1,
                (true, false) => score.false_negatives += 1,
                _ => {}
            }
            score.persistence += u32::from((start != 0) != (truth != 0));
        }
        score
    }

    /// Wrong cells of the prediction.
    pub fn wrong(&self) -> u32 {
        self.false_positives + self.false_negatives
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::palette::{CIVIDIS, Theme};
    use environments::Scene;

    fn painted(panel: Panel, prediction: Result<&[f32], &str>) -> Result<Raster, String> {
        // At t: live, live, dead, dead. At t + 1: live, dead, live, dead.
        let frames = vec![vec![1, 1, 0, 0], vec![1, 0, 1, 0]];
        let scene = Scene::Board { width: 4, height: 1, states: 2, frames, objects: Vec::new() };
        let palette = Palette::of(Theme::Dark);
        let activation = [0.0, 1.0, 2.0, 9.0];
        let activation = Ok((&activation[..], 2.0));
        panel.paint(&Seen { scene: &scene, step: 1, prediction, activation, signed: false, palette: &palette })
    }

    fn colours(raster: &Raster) -> Vec<Rgb> {
        (0..raster.width).map(|column| raster.get(column, 0).unwrap()).collect()
    }

    #[test]
    fn boards_show_what_they_say() {
        let palette = Palette::of(Theme::Dark);
        let Palette { live, dead, quiet, warm, cold, .. } = palette;
        let chances = [1.0, 1.0, 0.0, 0.0];
        let of = |panel| colours(&painted(panel, Ok(&chances)).unwrap());
        assert_eq!(of(Panel::Start), [live, live, dead, dead]);
        assert_eq!(of(Panel::Truth), [live, dead, live, dead]);
        assert_eq!(of(Panel::Prediction), [live, live, dead, dead]);
        assert_eq!(of(Panel::Error), [quiet, warm, cold, dead], "a false positive, then a false negative");
        assert_eq!(of(Panel::Change), [quiet, quiet, dead, dead], "this prediction is persistence");
        let chances = [0.0, 1.0, 1.0, 0.25];
        let change = colours(&painted(Panel::Change, Ok(&chances)).unwrap());
        assert_eq!(change[..3], [cold, quiet, warm]);
        assert_eq!(change[3], mix(dead, warm, 0.25));
        let heat = of(Panel::Activation);
        assert_eq!(heat[2..], [CIVIDIS[9], CIVIDIS[9]], "what is beyond the scale has the colour of its end");
    }

    #[test]
    fn an_empty_board_says_why() {
        assert_eq!(painted(Panel::Error, Err("no model")).unwrap_err(), "no model");
        assert!(painted(Panel::Truth, Err("no model")).is_ok());
    }

    #[test]
    fn wrong_cells_are_counted() {
        let score = Score::count(&[1, 1, 0, 0], &[1, 0, 1, 0], &[0.9, 0.8, 0.1, 0.5]);
        assert_eq!(score, Score { false_positives: 2, false_negatives: 1, persistence: 2 });
        assert_eq!(score.wrong(), 3);
    }
}
