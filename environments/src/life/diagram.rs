//! A rule table as a reduced ordered decision diagram, so that 64 cells are evaluated at once.
//!
//! Bryant (1986), Graph-based algorithms for Boolean function manipulation. A 512-entry table becomes at most some
//! 140 multiplexers; an isotropic one a few dozen.

/// Words evaluated together, so that the compiler can use vector instructions.
pub(super) const WIDE: usize = 4;
/// That many words of 64 cells.
pub(super) type Words = [u64; WIDE];

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

    /// The next states of 64 cells in each of a few words from their neighbourhoods; `scratch` is reused between calls.
    pub(super) fn evaluate(&self, cells: &[Words; 9], scratch: &mut Vec<Words>) -> Words {
        scratch.resize(self.nodes.len() + CONSTANTS as usize, [0; WIDE]);
        scratch[0] = [0; WIDE];
        scratch[1] = [!0; WIDE];
        for (index, node) in self.nodes.iter().enumerate() {
            let choose = cells[node.variable as usize];
            let (low, high) = (scratch[node.low as usize], scratch[node.high as usize]);
            scratch[index + CONSTANTS as usize] =
                std::array::from_fn(|word| low[word] ^ (choose[word] & (low[word] ^ high[word])));
        }
        scratch[self.root as usize]
    }
}
