//! Zoom and pan: which part of a board is seen, the same for all boards.

use serde::{Deserialize, Serialize};

/// The closest that one can look, as a multiple of the size that fits.
pub const CLOSEST: f32 = 64.0;

/// What is seen of boards.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lens {
    /// Size as a multiple of the size at which the whole board fits; at least 1.
    pub zoom: f32,
    /// The place in the middle, as shares of width and height.
    pub centre: [f32; 2],
}

impl Default for Lens {
    fn default() -> Self {
        Self { zoom: 1.0, centre: [0.5, 0.5] }
    }
}

/// Where a board lies in an area of the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Left and top of the board, in points; outside the area where a part is hidden.
    pub origin: [f32; 2],
    /// Side of a cell in points.
    pub cell: f32,
    /// Columns and rows.
    pub cells: (u32, u32),
}

impl Lens {
    /// Places a board of some cells in an area, given as left, top, width and height in points.
    pub fn place(&self, [left, top, width, height]: [f32; 4], cells: (u32, u32)) -> Placement {
        let (columns, rows) = (cells.0.max(1) as f32, cells.1.max(1) as f32);
        let cell = (width / columns).min(height / rows).max(0.01) * self.zoom;
        let start = |middle: f32, near: f32, length: f32, board: f32| {
            if board <= length { near + (length - board) / 2.0 } else { near + length / 2.0 - middle * board }
        };
        let origin =
            [start(self.centre[0], left, width, columns * cell), start(self.centre[1], top, height, rows * cell)];
        Placement { origin, cell, cells }
    }

    /// Looks closer by a factor (or from further away, below 1), so that a place of the board, given as shares of
    /// width and height, stays where it is.
    pub fn zoom_at(&mut self, factor: f32, place: [f32; 2]) {
        let zoom = (self.zoom * factor).clamp(1.0, CLOSEST);
        let change = self.zoom / zoom;
        for (centre, place) in self.centre.iter_mut().zip(place) {
            *centre = place + (*centre - place) * change;
        }
        self.zoom = zoom;
        self.limit();
    }

    /// Moves by shares of the board's width and height.
    pub fn pan(&mut self, shares: [f32; 2]) {
        for (centre, share) in self.centre.iter_mut().zip(shares) {
            *centre += share;
        }
        self.limit();
    }

    /// Brings values that a person may have typed into what can be shown.
    pub fn limit(&mut self) {
        self.zoom = if self.zoom.is_finite() { self.zoom.clamp(1.0, CLOSEST) } else { 1.0 };
        // At most the edge of the board lies at the edge of a square area.
        let reach = 0.5 / self.zoom;
        for centre in &mut self.centre {
            *centre = if centre.is_finite() { centre.clamp(reach, 1.0 - reach) } else { 0.5 };
        }
    }
}

impl Placement {
    /// The cell at a point of the screen.
    pub fn cell_at(&self, [x, y]: [f32; 2]) -> Option<(u32, u32)> {
        let [column, row] = [(x - self.origin[0]) / self.cell, (y - self.origin[1]) / self.cell];
        let inside = |place: f32, count: u32| place >= 0.0 && place < count as f32;
        (inside(column, self.cells.0) && inside(row, self.cells.1)).then_some((column as u32, row as u32))
    }

    /// A point of the screen as shares of the board's width and height.
    pub fn share_at(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let [width, height] = self.size();
        [(x - self.origin[0]) / width, (y - self.origin[1]) / height]
    }

    /// Left and top of a place in cells, which may be fractional.
    pub fn point(&self, column: f32, row: f32) -> [f32; 2] {
        [self.origin[0] + column * self.cell, self.origin[1] + row * self.cell]
    }

    /// Width and height of the whole board in points.
    pub fn size(&self) -> [f32; 2] {
        [self.cells.0 as f32 * self.cell, self.cells.1 as f32 * self.cell]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const AREA: [f32; 4] = [100.0, 50.0, 320.0, 200.0];

    #[test]
    fn a_board_fits_and_is_centred() {
        let placed = Lens::default().place(AREA, (16, 16));
        assert_eq!(placed.cell, 12.5);
        assert_eq!(placed.origin, [160.0, 50.0]);
        assert_eq!(placed.cell_at([160.0, 50.0]), Some((0, 0)));
        assert_eq!(placed.cell_at([359.9, 249.9]), Some((15, 15)));
        assert_eq!(placed.cell_at([159.9, 60.0]), None);
        assert_eq!(placed.cell_at([360.1, 60.0]), None);
    }

    #[test]
    fn zooming_keeps_the_place_under_the_pointer() {
        let area = [0.0, 0.0, 200.0, 200.0];
        let mut lens = Lens::default();
        lens.zoom_at(2.0, [0.5, 0.5]);
        for pointer in [[50.0, 80.0], [100.0, 100.0], [150.0, 120.0]] {
            let mut closer = lens;
            let before = lens.place(area, (20, 20)).share_at(pointer);
            closer.zoom_at(1.5, before);
            let after = closer.place(area, (20, 20)).share_at(pointer);
            assert!((before[0] - after[0]).abs() < 1e-5 && (before[1] - after[1]).abs() < 1e-5);
        }
    }

    #[test]
    fn one_cannot_get_lost() {
        let mut lens = Lens::default();
        lens.zoom_at(0.1, [0.0, 0.0]);
        assert_eq!(lens, Lens::default());
        lens.zoom_at(1e9, [0.2, 0.2]);
        assert_eq!(lens.zoom, CLOSEST);
        lens.pan([-5.0, 5.0]);
        let seen = lens.place([0.0, 0.0, 100.0, 100.0], (10, 10));
        assert!(seen.cell_at([50.0, 50.0]).is_some());
        let mut typed = Lens { zoom: f32::NAN, centre: [f32::INFINITY, -3.0] };
        typed.limit();
        assert_eq!(typed, Lens { zoom: 1.0, centre: [0.5, 0.5] });
    }
}
