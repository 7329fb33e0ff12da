//! A long sequence trains in the memory that is stated, which no matrix of all pairs of its positions would fit.
#![allow(clippy::unwrap_used)]

use environments::{Geometry, stream};
use models::native::memory_bound;
use models::{AdamW, Batch, Device, ModelSpec, Parameters, TrainingState, TransformerConfig, learner};

/// Peak resident memory of this process, where the system tells. The only test of this program, so that nothing else
/// counts.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[test]
fn memory_does_not_grow_with_the_square_of_the_length() {
    let (length, heads, depth) = (2048, 4, 4);
    for geometry in [Geometry::Line { length }, Geometry::Torus { prefix: 0, rows: 32, columns: 64 }] {
        let model = TransformerConfig { depth, width: 16, heads, expansion: 4, loops: 1 }.into();
        let spec = ModelSpec { vocabulary: 4, targets: 4, geometry, model };
        let tokens: Vec<u16> = (0..2 * length).map(|at| (at * at % 7 % 4) as u16).collect();
        let batch = Batch { sequences: 2, targets: tokens.clone(), tokens };
        let Some(before) = peak() else { return };
        let state = TrainingState::new(Parameters::initialise(&spec, &mut stream(&["memory"])));
        let mut model = learner(state, AdamW::default(), Device::Cpu).unwrap();
        model.step(&batch, 1e-3).unwrap();
        let used = peak().unwrap() - before;
        let bound = memory_bound(&spec, rayon::current_num_threads());
        // Besides: threads and their stacks, and what the allocator keeps.
        let slack = 8 << 20;
        assert!(used < bound + slack, "{geometry:?}: {used} bytes were used, {bound} were stated");
        let all_pairs = (4 * heads * depth * length * length) as u64;
        assert!(bound + slack < all_pairs / 2, "{bound}: that a bound holds must show something, beside {all_pairs}");
    }
}
