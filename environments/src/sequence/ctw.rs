//! Context-tree weighting.

use super::SequenceModel;
use super::context_tree::{ContextTree, History};
use super::kt::kt;

/// Context-tree weighting (Willems, Shtarkov and Tjalkens, "The context-tree weighting method: basic properties", IEEE
/// Transactions on Information Theory 41, 1995): the Bayes mixture over all tree sources of at most a depth, with KT
/// estimators in the leaves and a weight of one half for "splits here" at every node above that depth.
///
/// For alphabets of more than two symbols the tree is A-ary, the estimator is the Dirichlet(½) one, and the weights
/// stay one half.
#[derive(Clone, Debug)]
pub struct ContextTreeWeighting {
    alphabet: usize,
    depth: usize,
    tree: ContextTree,
    history: History,
    /// For each node log2 of: the estimator's probability, the weighted one, and the product of the children's.
    logs: Vec<Logs>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Logs {
    estimated: f64,
    weighted: f64,
    split: f64,
}

/// log2(½ 2^a + ½ 2^b).
fn mean(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    high - 1.0 + (low - high).exp2().ln_1p() * std::f64::consts::LOG2_E
}

impl ContextTreeWeighting {
    /// The mixture to a depth, with the symbols before the first; those that are missing are symbol 0.
    pub fn new(alphabet: usize, depth: usize, past: &[usize]) -> ContextTreeWeighting {
        let (tree, history) = (ContextTree::new(alphabet), History::new(depth, past));
        ContextTreeWeighting { alphabet, depth, tree, history, logs: vec![Logs::default()] }
    }

    /// log2 of the probability of all symbols so far.
    pub fn log_probability(&self) -> f64 {
        self.logs[0].weighted
    }

    /// What the nodes of a path become if a symbol comes next, deepest first. Nodes that are not known yet have seen
    /// nothing.
    fn updated(&self, path: &[usize], symbol: usize) -> Vec<Logs> {
        let none = vec![0; self.alphabet];
        let mut change = 0.0;
        let update = |level: usize| {
            let (before, counts) = match path.get(level) {
                Some(&node) if node < self.logs.len() => (self.logs[node], self.tree.counts(node)),
                _ => (Logs::default(), none.as_slice()),
            };
            let estimated = before.estimated + kt(counts, symbol).log2();
            let split = before.split + change;
            let weighted = if level == self.depth { estimated } else { mean(estimated, split) };
            change = weighted - before.weighted;
            Logs { estimated, weighted, split }
        };
        (0..=self.depth).rev().map(update).collect()
    }
}

impl SequenceModel for ContextTreeWeighting {
    fn alphabet(&self) -> usize {
        self.alphabet
    }

    fn probabilities(&self) -> Vec<f64> {
        let path = self.tree.known(self.history.padded());
        let root = |symbol| self.updated(&path, symbol)[self.depth].weighted;
        (0..self.alphabet).map(|symbol| (root(symbol) - self.log_probability()).exp2()).collect()
    }

    fn observe(&mut self, symbol: usize) -> f64 {
        let before = self.log_probability();
        let path = self.tree.grown(self.history.padded());
        let updated = self.updated(&path, symbol);
        self.logs.resize(self.tree.len(), Logs::default());
        for (&node, logs) in path.iter().rev().zip(updated) {
            self.logs[node] = logs;
            self.tree.count(node, symbol);
        }
        self.history.push(symbol);
        before - self.log_probability()
    }
}

/// The same probability by its definition: the sum over every complete tree of at most the depth, of its prior times
/// the product of its leaves' KT probabilities. The prior halves for every inner node, and for every leaf above the
/// depth. For short sequences and small depths.
pub fn tree_source_mixture_reference(alphabet: usize, depth: usize, past: &[usize], sequence: &[usize]) -> f64 {
    let trees = complete_trees(alphabet, depth);
    let symbols: Vec<usize> = std::iter::repeat_n(0, depth).chain(past.iter().chain(sequence).copied()).collect();
    let start = symbols.len() - sequence.len();
    let probability = |tree: &Vec<Vec<usize>>| {
        let inner = (tree.len() - 1) / (alphabet - 1);
        let shallow = tree.iter().filter(|leaf| leaf.len() < depth).count();
        let mut probability = 0.5f64.powi((inner + shallow) as i32);
        let mut counts = vec![vec![0; alphabet]; tree.len()];
        for at in start..symbols.len() {
            let fits =
                |leaf: &Vec<usize>| leaf.iter().enumerate().all(|(back, &symbol)| symbols[at - 1 - back] == symbol);
            let leaf = tree.iter().position(fits).unwrap_or(0);
            probability *= kt(&counts[leaf], symbols[at]);
            counts[leaf][symbols[at]] += 1;
        }
        probability
    };
    trees.iter().map(probability).sum()
}

/// The leaves, as contexts with the most recent symbol first, of every complete tree of at most a depth.
fn complete_trees(alphabet: usize, depth: usize) -> Vec<Vec<Vec<usize>>> {
    let mut trees = vec![vec![vec![]]];
    if depth == 0 {
        return trees;
    }
    let below = complete_trees(alphabet, depth - 1);
    let mut split: Vec<Vec<Vec<usize>>> = vec![vec![]];
    for symbol in 0..alphabet {
        let under = |tree: &Vec<Vec<usize>>| {
            tree.iter().map(|leaf| std::iter::once(symbol).chain(leaf.iter().copied()).collect()).collect::<Vec<_>>()
        };
        let grown = split.iter().flat_map(|left| below.iter().map(|tree| [left.clone(), under(tree)].concat()));
        split = grown.collect();
    }
    trees.extend(split);
    trees
}
