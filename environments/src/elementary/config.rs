//! What a world of one-dimensional rules is made of, as a person writes it.

use serde::{Deserialize, Serialize};

use crate::EnvironmentError;
use crate::automata::LineRule;
use crate::ground::{check_shares, within};

/// The longest episode, in tokens.
pub const LONGEST: usize = 8192;

/// The widest radius of this world.
pub const WIDEST: usize = 2;

/// The most cells of a token.
pub const LARGEST_BLOCK: usize = 8;

/// A world of one-dimensional rules: histories of rings of cells, one unknown rule each. Every key has a default; an
/// unknown key is an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ElementaryConfig {
    /// Cells to either side that a cell depends on: 1 (256 rules) or 2 (2³² rules). Default 1.
    pub radius: usize,
    /// Cells of the ring. Default 16.
    pub width: usize,
    /// Rows of an episode, the first, random one included. Default 16.
    pub rows: usize,
    /// Cells of a token, side by side; the width is a multiple of it. Default 1.
    pub block: usize,
    /// Parts of the class that go to training, validation and test. Default 6, 1, 1.
    pub shares: [u32; 3],
    /// Rules that training episodes are of: a pool, in which that of fewer rules is contained; without it, every rule
    /// of the class that is not held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<usize>,
    /// Training rules by their text (`W110`, `R2,W1A2B3C4D`), in place of a drawn pool. They and what is equivalent to
    /// them are in no other split.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Chooses another pool, other rules and other rows. The splits stay. Default 0.
    pub seed: u64,
}

impl Default for ElementaryConfig {
    fn default() -> Self {
        ElementaryConfig {
            radius: 1,
            width: 16,
            rows: 16,
            block: 1,
            shares: [6, 1, 1],
            rules: None,
            only: Vec::new(),
            seed: 0,
        }
    }
}

impl ElementaryConfig {
    /// Number of rules of the class.
    pub fn class_size(&self) -> u64 {
        1 << (1 << (2 * self.radius + 1))
    }

    /// Entries of a rule's table.
    pub fn entries(&self) -> usize {
        1 << (2 * self.radius + 1)
    }

    /// Tokens of an episode.
    pub fn length(&self) -> usize {
        self.rows * self.width / self.block
    }

    /// Checks the values.
    ///
    /// # Errors
    /// In one sentence that names the key.
    pub fn validate(&self) -> Result<(), EnvironmentError> {
        let fail = |text: String| Err(EnvironmentError(text));
        within(&[
            ("radius", self.radius as u64, 1, WIDEST as u64),
            ("width", self.width as u64, (2 * self.radius + 1) as u64, LONGEST as u64),
            ("rows", self.rows as u64, 2, LONGEST as u64),
            ("block", self.block as u64, 1, LARGEST_BLOCK as u64),
        ])?;
        if !self.width.is_multiple_of(self.block) {
            let nearest = self.width.next_multiple_of(self.block);
            return fail(format!(
                "width = {} is not a multiple of block = {}; the nearest wider is {nearest}",
                self.width, self.block
            ));
        }
        if self.length() > LONGEST {
            let nearest = LONGEST * self.block / self.width;
            return fail(format!(
                "rows = {} make an episode of {} tokens, and {LONGEST} are possible; the nearest is {nearest}",
                self.rows,
                self.length()
            ));
        }
        check_shares(self.shares)?;
        if self.rules == Some(0) || self.rules.is_some_and(|rules| rules > 1 << 16) {
            return fail(format!("rules = {} is outside 1 to {}", self.rules.unwrap_or(0), 1 << 16));
        }
        if !self.only.is_empty() && self.rules.is_some() {
            return fail("rules: the training rules are already listed in `only`".into());
        }
        self.listed_rules().map(drop)
    }

    /// The rules of `only`.
    pub(super) fn listed_rules(&self) -> Result<Vec<LineRule>, EnvironmentError> {
        let read = |text: &String| {
            let rule: LineRule = text.parse().map_err(|error| EnvironmentError(format!("only: {error}")))?;
            if rule.radius() == self.radius {
                return Ok(rule);
            }
            Err(EnvironmentError(format!(
                "only: rule {rule} has radius {}, and this world {}",
                rule.radius(),
                self.radius
            )))
        };
        self.only.iter().map(read).collect()
    }
}
