//! The binary: what it says where something is wrong.

use std::process::{Command, Output};

use crate::made_up::Run;

fn viewer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stance-viewer"));
    command.args(arguments);
    command
}

fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it succeeded: {text}");
    assert_eq!(text.trim_end().lines().count(), 1, "more than a sentence: {text}");
    assert!(text.starts_with("stance-viewer: ") && output.stdout.is_empty(), "{text}");
    text
}

#[test]
fn a_half_written_run_is_explained_in_a_sentence() {
    let run = Run::new();
    let path = run.path().display().to_string();
    let picture = run.path().join("picture.png").display().to_string();
    let drawn = || viewer(&[&path, "--headless", "--screenshot", &picture, "--device", "cpu"]).output().unwrap();
    let whole = std::fs::read(run.checkpoint("jump-1", 10)).unwrap();
    std::fs::write(run.checkpoint("jump-1", 10), &whole[..whole.len() / 2]).unwrap();
    assert!(complaint(&drawn()).contains("jump-1/step-00000010.safetensors"));
    std::fs::write(run.path().join("view.toml"), "indx = 3").unwrap();
    assert!(complaint(&drawn()).contains("view.toml"));
    std::fs::remove_dir_all(run.path().join("checkpoints")).unwrap();
    assert!(complaint(&drawn()).contains("no checkpoint"));
    std::fs::write(run.path().join("config.toml"), "experiment = \"glid").unwrap();
    assert!(complaint(&drawn()).contains("config.toml"));
    std::fs::remove_file(run.path().join("config.toml")).unwrap();
    assert!(complaint(&drawn()).contains("no config.toml"));
    let missing = viewer(&["runs/there-is-none"]).output().unwrap();
    assert!(complaint(&missing).contains("there is no run"));
    let device = viewer(&[&path, "--device", "gpu"]).output().unwrap();
    assert!(complaint(&device).contains("--device gpu"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_machine_that_cannot_draw_is_told_so_in_a_sentence() {
    let run = Run::new();
    let path = run.path().display().to_string();
    let picture = run.path().join("picture.png").display().to_string();
    let mut command = viewer(&[&path, "--headless", "--screenshot", &picture, "--device", "cpu"]);
    for hidden in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        command.env(hidden, "/nonexistent.json");
    }
    let output = command.env("WGPU_BACKEND", "vulkan").output().unwrap();
    assert!(complaint(&output).contains(viewer::app::NO_ADAPTER));
    assert!(!run.path().join("picture.png").exists());
    let output = viewer(&[&path]).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").output().unwrap();
    assert!(complaint(&output).contains("no display"));
}
