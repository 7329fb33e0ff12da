//! Relative positions on a torus that is too large to list all pairs of positions.

/// As in [`environments::Geometry::Torus`]; relative positions are numbered as in [`crate::relative_positions`].
#[derive(Clone, Copy, Debug)]
pub struct Torus {
    pub prefix: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Torus {
    /// Number of different relative positions.
    pub fn relatives(self) -> usize {
        self.rows * self.columns + 3
    }

    /// Calls with every key that a query sees as a run: its first key, the first relative position of the run, and how
    /// many keys it is long, each one relative position on, or 0 if all share one.
    fn runs(self, query: usize, mut each: impl FnMut(usize, usize, usize, usize)) {
        let Self { prefix, rows, columns } = self;
        let grid = rows * columns;
        let Some(query) = query.checked_sub(prefix) else {
            each(0, grid, prefix, 0);
            return each(prefix, grid + 1, grid, 0);
        };
        each(0, grid + 2, prefix, 0);
        let (down, right) = (query / columns, query % columns);
        for row in 0..rows {
            let first = (row + rows - down) % rows * columns;
            let key = prefix + row * columns;
            each(key, first + columns - right, right, 1);
            each(key + right, first, columns - right, 1);
        }
    }

    /// The biases of one query by key, from those by relative position; −∞ beyond the keys.
    pub fn lay_out(self, query: usize, table: &[f32], row: &mut [f32]) {
        row[self.prefix + self.rows * self.columns..].fill(f32::NEG_INFINITY);
        self.runs(query, |key, relative, count, step| {
            let row = &mut row[key..][..count];
            if step == 0 { row.fill(table[relative]) } else { row.copy_from_slice(&table[relative..][..count]) }
        });
    }

    /// Adds one query's gradients by key to those by relative position.
    pub fn add_up(self, query: usize, row: &[f32], table: &mut [f32]) {
        self.runs(query, |key, relative, count, step| {
            let row = &row[key..][..count];
            if step == 0 {
                row.iter().for_each(|value| table[relative] += value);
            } else {
                table[relative..][..count].iter_mut().zip(row).for_each(|(table, value)| *table += value);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use environments::Geometry;
    use proptest::prelude::*;

    use super::*;
    use crate::relative_positions;

    proptest! {
        #[test]
        fn runs_are_the_list_of_pairs(prefix in 0usize..4, rows in 1usize..6, columns in 1usize..7) {
            let torus = Torus { prefix, rows, columns };
            let listed = relative_positions(Geometry::Torus { prefix, rows, columns });
            prop_assert_eq!(torus.relatives(), listed.count);
            let length = prefix + rows * columns;
            let table: Vec<f32> = (0..listed.count).map(|at| at as f32 + 0.5).collect();
            for query in 0..length {
                let mut row = vec![0.0; length + 3];
                torus.lay_out(query, &table, &mut row);
                let index = &listed.index[query * length..][..length];
                for (value, &index) in row.iter().zip(index) {
                    prop_assert_eq!(*value, table[usize::from(index)]);
                }
                prop_assert!(row[length..].iter().all(|value| *value == f32::NEG_INFINITY));
                let gradient: Vec<f32> = (0..length).map(|key| (key + 1) as f32).collect();
                let (mut summed, mut expected) = (vec![0.0; listed.count], vec![0.0; listed.count]);
                torus.add_up(query, &gradient, &mut summed);
                index.iter().zip(&gradient).for_each(|(&at, value)| expected[usize::from(at)] += value);
                prop_assert_eq!(summed, expected);
            }
        }
    }
}
