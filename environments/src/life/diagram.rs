//! A rule table as a reduced ordered decision diagram, so that 64 cells are evaluated at once.
//!
//! Bryant (1986), Graph-based algorithms for Boolean function manipulation. A 512-entry table becomes at most some
//! 140 multiplexers; an isotropic one a few dozen.

/// `nodes[i]` chooses between two earlier values by one of the nine cells of the neighbourhood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Diagram {
    nodes: Vec<Node>,
    root: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    variable: u8,
    low: u16,
    high: u16,
}

/// Values 0 and 1 are the constants false and true; value `i + 2` is node `i`.
const CONSTANTS: u16 = 2;

impl Diagram {
    /// `table[neighbourhood]`: bit 0 of the neighbourhood is NW, bit 4 the centre, bit 8 SE.
    pub(super) fn new(table: &[bool; 512]) -> Diagram {
        let mut nodes: Vec<Node> = Vec::new();
        let mut layer: Vec<u16> = table.iter().map(|&live| u16::from(live)).collect();
        for variable in 0..9u8 {
            layer = layer
                .chunks_exact(2)
                .map(|pair| {
                    let node = Node { variable, low: pair[0], high: pair[1] };
                    if node.low == node.high {
                        return node.low;
                    }
                    let known = nodes.iter().position(|other| *other == node);
                    let index = known.unwrap_or_else(|| {
                        nodes.push(node);
                        nodes.len() - 1
                    });
                    index as u16 + CONSTANTS
                })
                .collect();
        }
        Diagram { nodes, root: layer[0] }
    }

    /// 64 cells' next states from their neighbourhoods; `scratch` is reused between calls.
    pub(super) fn evaluate(&self, cells: &[u64; 9], scratch: &mut Vec<u64>) -> u64 {
        scratch.clear();
        scratch.extend([0, !0]);
        for node in &self.nodes {
            let choose = cells[node.variable as usize];
            let (low, high) = (scratch[node.low as usize], scratch[node.high as usize]);
            scratch.push(low ^ (choose & (low ^ high)));
        }
        scratch[self.root as usize]
    }
}
