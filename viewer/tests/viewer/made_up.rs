//! A run directory made up for tests, with models too small to know anything.

use std::path::PathBuf;

use environments::life::{LifeConfig, LifeWorld};
use environments::{Environment, stream};
use models::{ModelSpec, Parameters, TransformerConfig, save_parameters};
use tempfile::TempDir;
use viewer::session::Session;
use viewer::source::Source;
use viewer::view::View;

/// The section `[world]` of the run.
pub const WORLD: &str = "width = 16\nheight = 16\nhorizons = [1, 2, 4]\n";

pub struct Run {
    folder: TempDir,
}

pub fn world() -> LifeWorld {
    LifeWorld::new(LifeConfig { horizons: vec![1, 2, 4], ..LifeConfig::default() }).unwrap()
}

pub fn model(seed: &str, depth: usize) -> Parameters {
    let world = world();
    let spec = ModelSpec {
        vocabulary: world.vocabulary(),
        targets: world.targets(),
        geometry: world.geometry(),
        model: TransformerConfig { depth, width: 8, heads: 2, expansion: 2, loops: 1 }.into(),
    };
    Parameters::initialise(&spec, &mut stream(&["viewer tests", seed]))
}

impl Run {
    /// Two models, `jump-1` with checkpoints at 0 and 10, `jump-2` with one at 10.
    pub fn new() -> Self {
        let run = Self { folder: tempfile::tempdir().unwrap() };
        let config = format!("experiment = \"glider-chunking\"\nseed = 1\n[world]\n{WORLD}");
        std::fs::write(run.path().join("config.toml"), config).unwrap();
        for (name, step, depth) in [("jump-1", 0, 2), ("jump-1", 10, 2), ("jump-2", 10, 1)] {
            let file = run.checkpoint(name, step);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            save_parameters(&file, &model(&format!("{name} {step}"), depth)).unwrap();
        }
        run
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    pub fn checkpoint(&self, model: &str, step: u64) -> PathBuf {
        self.path().join(format!("checkpoints/{model}/step-{step:08}.safetensors"))
    }

    pub fn open(&self, view: View) -> anyhow::Result<Session> {
        Session::open(Source::open(&self.path(), None)?, view, "cpu")
    }
}
