//! A predictor that sees a window of cells round each patch and the horizon: what can be said without looking far.

use environments::life::{Board, LifeWorld};
use environments::{Draw, Split, Stream, Symbol, stream};
use models::TrainingConfig;
use models::native::{Mlp, MlpConfig};
use rayon::prelude::*;

use super::settings::Settings;
use super::skill::{Futures, Tallies, tally};

/// A trained window predictor.
pub struct Window {
    reach: u32,
    patch: u32,
    horizons: Vec<u32>,
    targets: usize,
    net: Mlp,
}

/// The cells of a window whose north-west corner lies `reach` cells beyond a patch's, as 0 and 1.
pub fn cells(board: &Board, (column, row): (u32, u32), side: u32, reach: u32) -> Vec<f32> {
    let span = side + 2 * reach;
    let place = |offset: u32, from: u32, length: u32| (from + length - reach % length + offset) % length;
    (0..span * span)
        .map(|cell| {
            let column = place(cell % span, column, board.width());
            let row = place(cell / span, row, board.height());
            f32::from(u8::from(board.get(column, row)))
        })
        .collect()
}

impl Window {
    /// Trains on the boards and horizons that the first model of the question is trained on, in the same order.
    pub fn train(
        settings: &Settings,
        world: &LifeWorld,
        reach: u32,
        seed: u64,
        tick: &dyn Fn() -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let horizons = settings.horizons();
        let patch = world.config().patch;
        let targets = 1 << (patch * patch);
        let config = MlpConfig {
            inputs: (patch + 2 * reach).pow(2) as usize + horizons.len(),
            hidden: settings.measure.window_hidden.clone(),
            outputs: targets,
        };
        let training: TrainingConfig = settings.training.config(settings.training.steps);
        let address = ["glider-chunking", &seed.to_string(), "window", &reach.to_string()];
        let mut chance = stream(&address);
        let net = Mlp::initialise(&config, training.optimizer, &mut chance);
        let mut window = Self { reach, patch, horizons, targets, net };
        for step in 0..training.steps {
            let first = step * training.batch as u64;
            let boards: Vec<(Board, u32, Board)> = (first..first + training.batch as u64)
                .into_par_iter()
                .map(|index| {
                    let start = world.start(Split::Train, index);
                    let end = world.stepper().run(&start.board, start.horizon);
                    (start.board, start.horizon, end)
                })
                .collect();
            let (features, labels) = window.rows(world, &boards, settings.measure.window_rows, &mut chance);
            if !labels.is_empty() {
                window.net.train_step(&features, &labels, training.rate(step));
            }
            tick()?;
        }
        Ok(window)
    }

    fn features(&self, board: &Board, corner: (u32, u32), horizon: u32) -> Vec<f32> {
        let mut features = cells(board, corner, self.patch, self.reach);
        features.extend(self.horizons.iter().map(|known| f32::from(u8::from(*known == horizon))));
        features
    }

    /// Random windows of boards with something in them, before or after: nothing is to be learnt of the others.
    fn rows(
        &self,
        world: &LifeWorld,
        boards: &[(Board, u32, Board)],
        most: usize,
        chance: &mut Stream,
    ) -> (Vec<f32>, Vec<Symbol>) {
        let mut rows: Vec<(Vec<f32>, Symbol)> = boards
            .par_iter()
            .flat_map_iter(|(start, horizon, end)| {
                let targets = world.patches(end);
                let keep = targets.into_iter().enumerate().filter_map(|(place, target)| {
                    let features = self.features(start, world.patch_corner(place), *horizon);
                    let seen = features[..features.len() - self.horizons.len()].contains(&1.0);
                    (seen || target != 0).then_some((features, target))
                });
                keep.collect::<Vec<_>>()
            })
            .collect();
        for place in 0..most.min(rows.len()) {
            let other = place + chance.below((rows.len() - place) as u64) as usize;
            rows.swap(place, other);
        }
        rows.truncate(most);
        let labels = rows.iter().map(|(_, label)| *label).collect();
        (rows.into_iter().flat_map(|(features, _)| features).collect(), labels)
    }

    /// Tallies on boards.
    pub fn tallies(&self, world: &LifeWorld, futures: &Futures) -> Tallies {
        let horizon = |(horizon, ends): (&u32, &Vec<Board>)| {
            let boards = futures.starts.par_iter().zip(ends);
            boards.map(|(start, end)| self.board(world, start, end, *horizon)).collect()
        };
        futures.horizons.iter().zip(&futures.ends).map(horizon).collect()
    }

    fn board(&self, world: &LifeWorld, start: &Board, end: &Board, horizon: u32) -> Vec<f64> {
        let patches = start.area() / (self.patch * self.patch) as usize;
        let features: Vec<f32> =
            (0..patches).flat_map(|place| self.features(start, world.patch_corner(place), horizon)).collect();
        let probabilities = self.net.probabilities(&features);
        let mut alive = vec![0.0; start.area()];
        for (place, row) in probabilities.chunks_exact(self.targets).enumerate() {
            let (column, line) = world.patch_corner(place);
            for bit in 0..self.patch * self.patch {
                let cell = (line + bit / self.patch) * start.width() + column + bit % self.patch;
                alive[cell as usize] = (0..self.targets).filter(|symbol| symbol >> bit & 1 == 1).map(|s| row[s]).sum();
            }
        }
        tally(start, end, &alive, |place| alive[place] > 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_wraps_and_is_read_row_by_row() {
        let board = Board::from_live(8, 8, &[(7, 7), (0, 0), (2, 1)]);
        let window = cells(&board, (0, 0), 2, 1);
        assert_eq!(window.len(), 16);
        let live: Vec<usize> = (0..16).filter(|&cell| window[cell] == 1.0).collect();
        // Corner (7, 7); (0, 0) is one in, one down; (2, 1) is three in, two down.
        assert_eq!(live, [0, 5, 11]);
        assert_eq!(cells(&board, (0, 0), 2, 0), [1.0, 0.0, 0.0, 0.0]);
    }
}
