//! Figures as data, drawn as SVG. Kept as data in a run directory, so that a report can be drawn again.

use serde::{Deserialize, Serialize};

mod boards;
mod chart;
mod palette;
#[cfg(test)]
mod tests;

pub use palette::SERIES;
pub(crate) use palette::escape;

/// A figure: what it shows and where its data is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// File name without its ending: letters, digits and `-`; unique in a report.
    pub name: String,
    /// A short title.
    pub title: String,
    /// What to see in it, how it was made, what the bands are.
    pub caption: String,
    /// The data.
    pub plot: Plot,
}

/// The data of a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "plot", rename_all = "kebab-case")]
pub enum Plot {
    /// Lines with interval bands.
    Lines {
        /// The horizontal axis.
        x: Axis,
        /// The vertical axis.
        y: Axis,
        /// The lines, in the order of the legend.
        series: Vec<Line>,
    },
    /// Grouped bars with intervals.
    Bars {
        /// The vertical axis.
        y: Axis,
        /// Names of the groups along the horizontal axis.
        groups: Vec<String>,
        /// One bar of each series stands in every group.
        series: Vec<Bars>,
    },
    /// Boards side by side.
    Boards {
        /// Rows of panels.
        rows: Vec<Vec<Panel>>,
    },
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The label, with the unit.
    pub label: String,
    /// Whether the axis is logarithmic (to base 2). Horizontal axes of lines only; all values must be positive.
    #[serde(default)]
    pub logarithmic: bool,
    /// The range to show at least; it grows where the data goes further.
    #[serde(default)]
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// A linear axis that fits its data.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// The axis with a range that is shown at least.
    pub fn spanning(self, low: f64, high: f64) -> Self {
        Self { range: Some((low, high)), ..self }
    }

    /// The axis on a logarithmic scale.
    pub fn logarithmic(self) -> Self {
        Self { logarithmic: true, ..self }
    }
}

/// A value with its interval, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// The value.
    pub value: f64,
    /// Low and high end of its interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Whether it is drawn dashed and grey, as a baseline.
    #[serde(default)]
    pub baseline: bool,
    /// x and value, by rising x.
    pub points: Vec<(f64, Value)>,
}

/// One series of bars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bars {
    /// Its name in the legend.
    pub name: String,
    /// Whether it is drawn grey, as a baseline.
    #[serde(default)]
    pub baseline: bool,
    /// One value a group; nothing is drawn where there is none.
    pub values: Vec<Option<Value>>,
}

/// What the shades of a panel stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shading {
    /// 0 is dead, 1 is alive; in between, a probability of being alive.
    Probability,
    /// −1 to 1: predicted too little (blue) to too much (orange); 0 is no error.
    Difference,
}

/// One board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// Columns.
    pub width: usize,
    /// One value a cell, row-major.
    pub cells: Vec<f32>,
    /// What the values stand for.
    pub shading: Shading,
    /// Cells outlined, as (column, row), each group with a colour of its own.
    #[serde(default)]
    pub outlines: Vec<Vec<(usize, usize)>>,
}

impl Figure {
    /// The figure as an SVG element. Text and axes take the colour of the surrounding text (`currentColor`).
    ///
    /// # Errors
    /// If a value is not a number or the data does not fit together; in one sentence.
    pub fn to_svg(&self) -> anyhow::Result<String> {
        use anyhow::Context;
        let drawn = match &self.plot {
            Plot::Lines { x, y, series } => chart::lines(x, y, series),
            Plot::Bars { y, groups, series } => chart::bars(y, groups, series),
            Plot::Boards { rows } => boards::boards(rows),
        };
        drawn.with_context(|| format!("the figure `{}` cannot be drawn", self.name))
    }

    /// The figure as a file of its own: with a background, in light and dark.
    ///
    /// # Errors
    /// As [`Figure::to_svg`].
    pub fn to_svg_file(&self) -> anyhow::Result<String> {
        const STYLE: &str = "<style>:root{color:#1c1e21;background:#fff}\
                             @media(prefers-color-scheme:dark){:root{color:#e4e6e9;background:#17191c}}</style>";
        let svg = self.to_svg()?;
        Ok(match svg.find('>') {
            Some(end) => format!("{}{STYLE}{}", &svg[..=end], &svg[end + 1..]),
            None => svg,
        })
    }
}
