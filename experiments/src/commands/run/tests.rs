#![allow(clippy::unwrap_used)]
use std::fs;

use super::*;
use crate::config::tests::TOY;

fn config(seed: u64) -> Config {
    Config::parse(TOY, "toy.toml", &Overrides { seed: Some(seed), ..Overrides::default() }).unwrap()
}

fn execute_in(path: &Path, seed: u64) -> RunDirectory {
    let config = config(seed);
    let (run, _lock) = RunDirectory::begin(path, &config).unwrap();
    execute(&config, &run, Device::Cpu, Progress::Silent).unwrap();
    run
}

fn text(run: &RunDirectory, file: &str) -> String {
    run.read_if_there(file).unwrap().unwrap_or_else(|| panic!("{file} is not there"))
}

#[test]
fn a_run_leaves_everything_and_one_seed_gives_one_set_of_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, other] =
        [("a", 1), ("b", 1), ("c", 2)].map(|(name, seed)| execute_in(&folder.path().join(name), seed));
    for file in ["config.toml", "provenance.json", "metrics.jsonl", "report.json", "report.html", "figures/weights.svg"]
    {
        assert!(!text(&first, file).is_empty());
    }
    assert!(first.is_finished());
    for file in ["probes.json", "claims.json", "metrics.jsonl", "report.json"] {
        assert_eq!(text(&first, file), text(&second, file), "{file} differs between two runs with one seed");
    }
    assert_ne!(text(&first, "probes.json"), text(&other, "probes.json"));
    // Steps 0, 6 and one between, of two models.
    let models: Vec<String> = first.checkpoints().into_iter().map(|found| found.model).collect();
    assert!(models.contains(&"first".to_string()) && models.contains(&"second".to_string()));
}

#[test]
fn a_killed_run_goes_on_after_its_last_finished_stage_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let whole = execute_in(&folder.path().join("whole"), 1);
    let killed = execute_in(&folder.path().join("killed"), 1);
    for file in ["claims.json", "probes.json", "report.html", "stages/mean-second.json"] {
        fs::remove_file(killed.file(file)).unwrap();
    }
    fs::remove_dir_all(killed.file("checkpoints/second")).unwrap();
    // What the second model had recorded before it was killed, with half a line at the end.
    let metrics = text(&killed, "metrics.jsonl");
    let kept = metrics.lines().position(|line| line.contains("second")).unwrap() + 1;
    let mut left: String = metrics.lines().take(kept).map(|line| format!("{line}\n")).collect();
    left += "{\"model\":\"sec";
    fs::write(killed.file("metrics.jsonl"), left).unwrap();
    // A stage that is there is not computed again: what it says is taken.
    fs::write(killed.file("stages/mean-first.json"), "0.25").unwrap();
    let resumed = execute_in(killed.path(), 1);
    assert_eq!(resumed.probes().unwrap()["weights"][0], 0.25);
    assert_eq!(resumed.probes().unwrap()["weights"][1], whole.probes().unwrap()["weights"][1]);
    assert_eq!(text(&resumed, "metrics.jsonl"), metrics);
}

#[test]
fn a_training_state_on_disk_is_gone_on_with_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let whole = execute_in(&folder.path().join("whole"), 1);
    let path = folder.path().join("stopped");
    let (run, _lock) = RunDirectory::begin(&path, &config(1)).unwrap();
    // As a process leaves it that was killed after it had saved step 4 and reported step 5.
    let world = config(1).experiment().unwrap().environment(&config(1)).unwrap();
    let sample = |index: u64| world.sample(environments::Split::Train, index);
    let training: models::TrainingConfig = config(1).section("training").unwrap();
    let checkpoints = run.make_folder("checkpoints/first").unwrap();
    let initial = || models::load_parameters(&whole.checkpoints()[0].path).unwrap();
    let mut stop = |progress: models::Progress| match progress.step {
        4 => models::Verdict::Stop,
        _ => models::Verdict::Continue,
    };
    models::train(initial, &training, Device::Cpu, Some(&checkpoints), &sample, 1, &mut stop).unwrap_err();
    for metric in whole.metrics().unwrap().iter().filter(|metric| metric.model == "first" && metric.step <= 5) {
        run.append_metric(metric).unwrap();
    }
    execute(&config(1), &run, Device::Cpu, Progress::Silent).unwrap();
    for file in ["probes.json", "claims.json", "metrics.jsonl"] {
        assert_eq!(text(&run, file), text(&whole, file), "{file}");
    }
}

#[test]
fn a_stage_that_was_damaged_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = execute_in(folder.path(), 1);
    fs::remove_file(run.file("claims.json")).unwrap();
    fs::write(run.file("stages/mean-first.json"), "0.2x").unwrap();
    let error = execute(&config(1), &run, Device::Cpu, Progress::Silent).unwrap_err().to_string();
    assert!(error.contains("stages/mean-first.json") && error.contains("remove it"), "{error}");
    assert!(!run.is_finished());
}

#[test]
fn a_stage_with_a_value_that_json_cannot_hold_fails_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _lock) = RunDirectory::begin(folder.path(), &config(1)).unwrap();
    let mut context = RunContext::new(&run, Device::Cpu, Progress::Silent);
    let error = context.stage("wrong", |_| Ok(f64::NAN)).unwrap_err().to_string();
    assert!(error.contains("JSON cannot hold"), "{error}");
    assert!(!run.file("stages/wrong.json").exists());
    assert!(context.stage("../escape", |_| Ok(1)).is_err());
}
