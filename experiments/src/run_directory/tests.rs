#![allow(clippy::unwrap_used)]
use super::*;
use crate::config::tests::TOY;

fn config(seed: u64) -> Config {
    Config::parse(TOY, "toy.toml", &Overrides { seed: Some(seed), ..Overrides::default() }).unwrap()
}

fn metric(model: &str, step: u64) -> Metric {
    Metric { model: model.into(), step, loss: 0.1, learning_rate: 0.002, tokens: step * 10 }
}

#[test]
fn a_run_is_taken_up_again_and_another_config_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs/toy-1");
    let (run, lock) = RunDirectory::begin(&path, &config(1)).unwrap();
    let busy = RunDirectory::begin(&path, &config(1)).unwrap_err().to_string();
    assert!(busy.contains("another process"), "{busy}");
    drop(lock);
    // What a dead process leaves locked is free: the lock is the system's, not the file's.
    assert!(run.file(".lock").exists());
    let (again, _lock) = RunDirectory::begin(&path, &config(1)).unwrap();
    assert_eq!(again.config().unwrap().to_toml(), config(1).to_toml());
    let other = RunDirectory::begin(&path, &config(2)).unwrap_err().to_string();
    assert!(other.contains("another config or seed"), "{other}");
}

#[test]
fn a_folder_with_other_things_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    let error = RunDirectory::begin(folder.path(), &config(1)).unwrap_err().to_string();
    assert!(error.contains("is not a run"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let file = folder.path().join("thesis.tex");
    assert!(RunDirectory::begin(&file, &config(1)).unwrap_err().to_string().contains("is a file"));
}

#[test]
fn a_process_killed_before_its_first_file_leaves_a_folder_that_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".lock"), "").unwrap();
    fs::write(folder.path().join("config.toml.part"), "experi").unwrap();
    RunDirectory::begin(folder.path(), &config(1)).unwrap();
}

#[test]
fn a_failed_write_leaves_neither_half_a_file_nor_the_old_one_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _lock) = RunDirectory::begin(folder.path(), &config(1)).unwrap();
    run.write("probes.json", b"old").unwrap();
    // The file aside leads to a device that is always full.
    std::os::unix::fs::symlink("/dev/full", run.file("probes.json.part")).unwrap();
    let error = run.write("probes.json", &[0; 100_000]).unwrap_err().to_string();
    assert!(error.contains("probes.json cannot be written: No space left on device"), "{error}");
    assert_eq!(run.read_if_there("probes.json").unwrap().unwrap(), "old");
    assert!(!run.file("probes.json.part").exists());
}

#[test]
fn metrics_lose_what_will_be_recorded_again_and_half_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _lock) = RunDirectory::begin(folder.path(), &config(1)).unwrap();
    for (model, step) in [("a", 2), ("a", 4), ("b", 2), ("b", 4), ("b", 6)] {
        run.append_metric(&metric(model, step)).unwrap();
    }
    let mut file = OpenOptions::new().append(true).open(run.file("metrics.jsonl")).unwrap();
    file.write_all(b"{\"model\":\"b\",\"st").unwrap();
    assert_eq!(run.metrics().unwrap().len(), 5);
    run.drop_metrics("b", 2).unwrap();
    assert_eq!(run.metrics().unwrap(), [metric("a", 2), metric("a", 4), metric("b", 2)]);
    assert!(run.read_if_there("metrics.jsonl").unwrap().unwrap().ends_with("}\n"));
}

#[test]
fn json_has_sorted_keys_and_exact_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _lock) = RunDirectory::begin(folder.path(), &config(1)).unwrap();
    let value = serde_json::json!({ "b": 0.1 + 0.2, "a": 1e-300 });
    run.write_json("probes.json", &value).unwrap();
    let text = run.read_if_there("probes.json").unwrap().unwrap();
    assert!(text.find("\"a\"").unwrap() < text.find("\"b\"").unwrap());
    assert_eq!(run.probes().unwrap(), value);
}

#[test]
fn what_is_no_run_and_what_is_not_finished_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let text = |error: anyhow::Error| error.to_string();
    let path = folder.path().display().to_string();
    assert!(text(RunDirectory::find(&path).unwrap_err()).contains("has no config.toml"));
    let (run, _lock) = RunDirectory::begin(folder.path(), &config(1)).unwrap();
    assert!(!run.is_finished());
    assert!(text(run.claims().unwrap_err()).contains("is not finished"));
    fs::write(run.file("claims.json"), "{\"claims\":").unwrap();
    assert!(text(run.claims().unwrap_err()).contains("claims.json is ill-formed"));
    assert!(text(run.probes().unwrap_err()).contains("probes.json is missing"));
}

#[test]
fn checkpoints_are_found_by_model_and_step() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _lock) = RunDirectory::begin(folder.path(), &config(1)).unwrap();
    for name in [
        "b/step-00000010.safetensors",
        "b/step-00000002.safetensors",
        "a/step-00000001.safetensors",
        "a/state.safetensors",
    ] {
        run.write(&format!("checkpoints/{name}"), b"").unwrap();
    }
    let found: Vec<(String, u64)> = run.checkpoints().into_iter().map(|found| (found.model, found.step)).collect();
    assert_eq!(found, [("a".to_string(), 1), ("b".to_string(), 2), ("b".to_string(), 10)]);
}
