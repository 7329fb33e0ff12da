//! How a scene is drawn: the seam through which every world's pictures go.

use environments::{Outline, Scene};

use crate::palette::{Palette, Rgb};

/// A picture of one pixel a cell, row-major, four bytes (red, green, blue, opacity) a pixel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raster {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 4` bytes in sRGB.
    pub bytes: Vec<u8>,
}

impl Raster {
    /// A picture whose pixel of each cell, counted row-major, is what `colour` says.
    pub fn paint(width: u32, height: u32, colour: impl Fn(usize) -> Rgb) -> Self {
        let cells = width as usize * height as usize;
        let mut bytes = Vec::with_capacity(cells * 4);
        for cell in 0..cells {
            let [red, green, blue] = colour(cell);
            bytes.extend([red, green, blue, 255]);
        }
        Self { width, height, bytes }
    }

    /// The colour of a cell.
    pub fn get(&self, column: u32, row: u32) -> Option<Rgb> {
        let start = (row as usize * self.width as usize + column as usize) * 4;
        let inside = column < self.width && row < self.height;
        inside.then(|| self.bytes.get(start..start + 3)).flatten().map(|pixel| [pixel[0], pixel[1], pixel[2]])
    }
}

/// Something that unfolds in steps on a grid of cells and can be drawn.
///
/// A board shows one state a step. A tape would show its history, one row a step, and is the same to everything
/// beyond this trait.
pub trait Drawn {
    /// Columns and rows of the picture, in cells.
    fn size(&self) -> (u32, u32);

    /// The last step that was simulated; the first is 0.
    fn last_step(&self) -> u32;

    /// The states of all cells after some steps, row-major; of the last step where `step` is beyond it. Of a tape the
    /// one row of that step.
    fn cells(&self, step: u32) -> &[u8];

    /// The picture after some steps.
    fn paint(&self, step: u32, palette: &Palette) -> Raster;

    /// Objects that are known without further thought at a step.
    fn outlines(&self, step: u32) -> &[Outline];
}

impl Drawn for Scene {
    fn size(&self) -> (u32, u32) {
        match self {
            Scene::Board { width, height, .. } => (*width, *height),
            Scene::Tape { rows, .. } => (rows.first().map_or(0, |row| row.cells.len() as u32), rows.len() as u32),
        }
    }

    fn last_step(&self) -> u32 {
        match self {
            Scene::Board { frames, .. } => frames.len().saturating_sub(1) as u32,
            Scene::Tape { rows, .. } => rows.len().saturating_sub(1) as u32,
        }
    }

    fn cells(&self, step: u32) -> &[u8] {
        match self {
            Scene::Board { frames, .. } => frames.get(step as usize).or(frames.last()).map_or(&[], Vec::as_slice),
            Scene::Tape { rows, .. } => rows.get(step as usize).or(rows.last()).map_or(&[], |row| &row.cells),
        }
    }

    fn paint(&self, step: u32, palette: &Palette) -> Raster {
        let (width, height) = self.size();
        match self {
            Scene::Board { states, .. } => {
                let cells = self.cells(step);
                Raster::paint(width, height, |cell| palette.state(cells.get(cell).copied().unwrap_or(0), *states))
            }
            // The history so far, the oldest row first; where the head stands, warm for a symbol and cold for a blank.
            Scene::Tape { rows, symbols, .. } => Raster::paint(width, height, |cell| {
                let (time, column) = (cell / width as usize, cell % width as usize);
                let Some(row) = rows.get(time).filter(|_| time <= step as usize) else { return palette.dead };
                match row.cells.get(column).copied().unwrap_or(0) {
                    0 if row.head as usize == column => palette.cold,
                    _ if row.head as usize == column => palette.warm,
                    state => palette.state(state, *symbols),
                }
            }),
        }
    }

    fn outlines(&self, step: u32) -> &[Outline] {
        match self {
            Scene::Board { objects, .. } if step == 0 => objects,
            Scene::Board { .. } | Scene::Tape { .. } => &[],
        }
    }
}

/// A box on a torus: it may reach beyond the last column or row and goes on at the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Westernmost column.
    pub column: u32,
    /// Northernmost row.
    pub row: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The smallest box around cells on a torus of a size; nothing for no cells.
pub fn extent(cells: &[(u32, u32)], (width, height): (u32, u32)) -> Option<Extent> {
    let (column, columns) = span(cells.iter().map(|cell| cell.0), width)?;
    let (row, rows) = span(cells.iter().map(|cell| cell.1), height)?;
    Some(Extent { column, row, width: columns, height: rows })
}

/// The shortest arc of a circle of `length` places that holds all of some places: its first place and its length.
fn span(places: impl Iterator<Item = u32>, length: u32) -> Option<(u32, u32)> {
    let mut places: Vec<u32> = places.map(|place| place % length.max(1)).collect();
    places.sort_unstable();
    places.dedup();
    let (&first, &last) = (places.first()?, places.last()?);
    // The arc begins after the widest gap; the gap across the border first, so that ties leave the arc unbroken.
    let mut best = (first + length - last, first);
    for pair in places.windows(2) {
        if pair[1] - pair[0] > best.0 {
            best = (pair[1] - pair[0], pair[1]);
        }
    }
    Some((best.1, length - best.0 + 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::palette::Theme;

    fn board() -> Scene {
        let objects = vec![Outline { name: "dot".into(), cells: vec![(1, 0)], heading: None, doom: Some(1) }];
        Scene::Board { width: 3, height: 2, states: 2, frames: vec![vec![0, 1, 0, 0, 0, 0], vec![0; 6]], objects }
    }

    #[test]
    fn a_board_is_one_pixel_a_cell() {
        let palette = Palette::of(Theme::Dark);
        let scene = board();
        assert_eq!((scene.size(), scene.last_step()), ((3, 2), 1));
        let raster = scene.paint(0, &palette);
        assert_eq!(raster.bytes.len(), 24);
        for row in 0..2 {
            for column in 0..3 {
                let expected = if (column, row) == (1, 0) { palette.live } else { palette.dead };
                assert_eq!(raster.get(column, row), Some(expected));
            }
        }
        assert_eq!(raster.get(3, 0), None);
        assert_eq!(scene.paint(9, &palette), scene.paint(1, &palette), "beyond the last step is the last step");
        assert_eq!((scene.outlines(0).len(), scene.outlines(1).len()), (1, 0));
    }

    #[test]
    fn a_tape_is_its_history_down_to_the_step() {
        let palette = Palette::of(Theme::Dark);
        let row = |cells: Vec<u8>, head, state| environments::TapeRow { cells, head, state };
        let rows = vec![row(vec![0, 1], 0, 0), row(vec![1, 1], 1, 1)];
        let scene = Scene::Tape { origin: 0, symbols: 2, machine: "1RB1LA_---0LA".into(), rows };
        assert_eq!((scene.size(), scene.last_step()), ((2, 2), 1));
        let (first, both) = (scene.paint(0, &palette), scene.paint(1, &palette));
        assert_eq!([first.get(0, 0), first.get(1, 0)], [Some(palette.cold), Some(palette.live)]);
        assert_eq!([first.get(0, 1), first.get(1, 1)], [Some(palette.dead); 2]);
        assert_eq!([both.get(0, 1), both.get(1, 1)], [Some(palette.live), Some(palette.warm)]);
        assert_eq!(scene.cells(1), [1, 1]);
        assert!(scene.outlines(0).is_empty());
    }

    #[test]
    fn the_box_around_cells_wraps() {
        let around = |cells: &[(u32, u32)]| extent(cells, (8, 6)).unwrap();
        assert_eq!(around(&[(2, 3), (4, 5)]), Extent { column: 2, row: 3, width: 3, height: 3 });
        assert_eq!(around(&[(7, 0), (0, 5), (1, 0)]), Extent { column: 7, row: 5, width: 3, height: 2 });
        assert_eq!(around(&[(5, 5)]), Extent { column: 5, row: 5, width: 1, height: 1 });
        assert_eq!(extent(&[], (8, 6)), None);
        let whole: Vec<(u32, u32)> = (0..8).map(|column| (column, 0)).collect();
        assert_eq!(around(&whole), Extent { column: 0, row: 0, width: 8, height: 1 });
    }
}
