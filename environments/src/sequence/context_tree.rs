//! The tree of contexts met so far.

/// Nodes are contexts, most recent symbol first; node 0 is the empty one. Each has counts of the symbols that came
/// after it.
#[derive(Clone, Debug)]
pub(super) struct ContextTree {
    alphabet: usize,
    /// `children[node * alphabet + symbol]`, 0 if there is none.
    children: Vec<u32>,
    /// `counts[node * alphabet + symbol]`.
    counts: Vec<u32>,
}

impl ContextTree {
    pub fn new(alphabet: usize) -> ContextTree {
        ContextTree { alphabet, children: vec![0; alphabet], counts: vec![0; alphabet] }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.counts.len() / self.alphabet
    }

    /// What came after a context, and how often.
    pub fn counts(&self, node: usize) -> &[u32] {
        &self.counts[node * self.alphabet..(node + 1) * self.alphabet]
    }

    /// A symbol came after a context.
    pub fn count(&mut self, node: usize, symbol: usize) {
        self.counts[node * self.alphabet + symbol] += 1;
    }

    fn child(&self, node: usize, symbol: usize) -> Option<usize> {
        Some(self.children[node * self.alphabet + symbol] as usize).filter(|&child| child > 0)
    }

    /// The nodes from the empty context down, as far as they are known.
    pub fn known(&self, recent: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut path = vec![0];
        let mut node = 0;
        for symbol in recent {
            let Some(child) = self.child(node, symbol) else { break };
            node = child;
            path.push(node);
        }
        path
    }

    /// The nodes from the empty context down, made where they are not known.
    pub fn grown(&mut self, recent: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut path = vec![0];
        let mut node = 0;
        for symbol in recent {
            node = self.child(node, symbol).unwrap_or_else(|| {
                let child = self.len();
                self.children[node * self.alphabet + symbol] = child as u32;
                self.children.resize(self.children.len() + self.alphabet, 0);
                self.counts.resize(self.counts.len() + self.alphabet, 0);
                child
            });
            path.push(node);
        }
        path
    }
}

/// The symbols so far, the most recent `depth` of them on call. What was before the past is symbol 0.
#[derive(Clone, Debug)]
pub(super) struct History {
    symbols: Vec<usize>,
    depth: usize,
}

impl History {
    pub fn new(depth: usize, past: &[usize]) -> History {
        History { symbols: past.to_vec(), depth }
    }

    pub fn push(&mut self, symbol: usize) {
        self.symbols.push(symbol);
    }

    /// The context of full depth, most recent symbol first.
    pub fn padded(&self) -> impl Iterator<Item = usize> {
        self.symbols.iter().rev().copied().chain(std::iter::repeat(0)).take(self.depth)
    }

    /// The context without padding, most recent symbol first.
    pub fn actual(&self) -> impl Iterator<Item = usize> {
        self.symbols.iter().rev().copied().take(self.depth)
    }
}
