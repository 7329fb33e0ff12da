//! The surfaces that cells live on, as Golly's suffixes name them.

use std::fmt;

/// A surface. Widths and heights are in cells; 0 means without end in that direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Topology {
    /// The plane without end.
    #[default]
    Unbounded,
    /// `:Pw,h`: a rectangle; whatever lies beyond its edges is dead.
    Plane {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// `:Tw,h`: opposite edges are joined, with an optional shift of one pair.
    Torus {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// `:Tw+s,h`: how much farther to the right the neighbours of a cell of the bottom row lie in the top row.
        shift_x: i32,
        /// `:Tw,h+s`: how much farther down the neighbours of a cell of the last column lie in the first.
        shift_y: i32,
    },
    /// `:Kw*,h` or `:Kw,h*`: opposite edges are joined, those with the asterisk twisted.
    Klein {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Whether the top and bottom edges (rather than left and right) are the twisted ones.
        twisted_horizontal: bool,
        /// A shift of 0 or 1 along the twisted edges.
        shift: i32,
    },
    /// `:Cw,h`: the cross-surface; both pairs of edges are joined twisted.
    CrossSurface {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// `:Sn`: a sphere; the top edge is joined to the left one, the bottom to the right.
    Sphere {
        /// Columns and rows.
        size: u32,
    },
}

/// The largest width or height that is accepted.
pub const LARGEST: u32 = 2_000_000_000;

impl Topology {
    /// Columns and rows, 0 where there is no end.
    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Unbounded => (0, 0),
            Self::Plane { width, height }
            | Self::Torus { width, height, .. }
            | Self::Klein { width, height, .. }
            | Self::CrossSurface { width, height } => (width, height),
            Self::Sphere { size } => (size, size),
        }
    }

    /// Whether there are finitely many cells.
    pub fn is_finite(self) -> bool {
        let (width, height) = self.size();
        width > 0 && height > 0
    }

    /// The cell that the position at most one step outside `0..width, 0..height` stands for; `None` where nothing
    /// lives there. Positions inside stand for themselves.
    pub fn resolve(self, x: i64, y: i64) -> Option<(i64, i64)> {
        let (width, height) = self.size();
        let (w, h) = (i64::from(width), i64::from(height));
        let inside_x = w == 0 || (0..w).contains(&x);
        let inside_y = h == 0 || (0..h).contains(&y);
        if inside_x && inside_y {
            return Some((x, y));
        }
        match self {
            Self::Unbounded => Some((x, y)),
            Self::Plane { .. } => None,
            Self::Torus { shift_x, shift_y, .. } => {
                let (mut x, mut y) = (x, y);
                if !inside_y {
                    x += i64::from(shift_x) * y.div_euclid(h).signum();
                    y = y.rem_euclid(h);
                }
                if w > 0 && !(0..w).contains(&x) {
                    // A shift of one pair leaves the other pair plain, so the order does not matter.
                    if !inside_x {
                        y += i64::from(shift_y) * x.div_euclid(w).signum();
                    }
                    x = x.rem_euclid(w);
                }
                Some((x, if h > 0 { y.rem_euclid(h) } else { y }))
            }
            Self::Klein { twisted_horizontal, shift, .. } => {
                let (mut x, mut y) = (x, y);
                if !inside_x {
                    if !twisted_horizontal {
                        y = h - 1 - y + i64::from(shift);
                    }
                    x = x.rem_euclid(w);
                }
                if !inside_y {
                    if twisted_horizontal {
                        x = w - 1 - x + i64::from(shift);
                    }
                    y = y.rem_euclid(h);
                }
                Some((x.rem_euclid(w), y.rem_euclid(h)))
            }
            Self::CrossSurface { .. } => {
                let (mut x, mut y) = (x, y);
                if !inside_x {
                    y = h - 1 - y;
                    x = x.rem_euclid(w);
                }
                if !inside_y {
                    x = w - 1 - x;
                    y = y.rem_euclid(h);
                }
                Some((x, y.rem_euclid(h)))
            }
            Self::Sphere { .. } => match (inside_x, inside_y) {
                // Off the top comes in at the left, off the bottom at the right, and back.
                (true, false) => Some(if y < 0 { (0, x) } else { (w - 1, x) }),
                (false, true) => Some(if x < 0 { (y, 0) } else { (y, w - 1) }),
                // Around a corner lies what the corner cell itself touches.
                _ => Some((x.clamp(0, w - 1), y.clamp(0, w - 1))),
            },
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shift = |shift: i32| if shift == 0 { String::new() } else { format!("{shift:+}") };
        match *self {
            Self::Unbounded => Ok(()),
            Self::Plane { width, height } => write!(f, ":P{width},{height}"),
            Self::Torus { width, height, shift_x, shift_y } => {
                write!(f, ":T{width}{},{height}{}", shift(shift_x), shift(shift_y))
            }
            Self::Klein { width, height, twisted_horizontal: true, shift: by } => {
                write!(f, ":K{width}*{},{height}", shift(by))
            }
            Self::Klein { width, height, twisted_horizontal: false, shift: by } => {
                write!(f, ":K{width},{height}*{}", shift(by))
            }
            Self::CrossSurface { width, height } => write!(f, ":C{width},{height}"),
            Self::Sphere { size } => write!(f, ":S{size}"),
        }
    }
}
