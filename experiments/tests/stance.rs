//! The binary `stance`, as a person or a script meets it.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a command left.
struct Left {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Left {
    fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {:?}", self.out))
    }

    /// One line on standard error that holds a text, nothing on standard output, and a non-zero status.
    fn fails_with(&self, text: &str) {
        assert_ne!(self.code, Some(0), "it passed: {}", self.out);
        assert!(self.err.contains(text), "{:?} does not say {text:?}", self.err);
        assert_eq!(self.err.trim_end().lines().count(), 1, "more than one line: {}", self.err);
        assert_eq!(self.out, "");
    }
}

/// The program, in a folder. Backtraces are asked for, since errors must be one line all the same.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stance"));
    command.current_dir(folder).args(arguments).env("RUST_BACKTRACE", "1").stdin(Stdio::null());
    command
}

fn stance(folder: &Path, arguments: &[&str]) -> Left {
    let output = command(folder, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Left { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn config() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/glider-chunking.toml");
    path.to_str().unwrap().to_string()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn list_names_everything_with_a_line() {
    let folder = folder();
    let value = stance(folder.path(), &["list", "--json"]).json();
    for group in ["environments", "models", "probes", "experiments", "devices"] {
        let entries = value[group].as_array().unwrap();
        assert!(!entries.is_empty(), "there are no {group}");
        assert!(entries.iter().all(|entry| !entry["about"].as_str().unwrap().is_empty()));
    }
    let text = stance(folder.path(), &["list"]).out;
    assert!(text.contains("life") && text.contains("glider-chunking") && text.contains("cuda"));
}

#[test]
fn mistakes_are_one_line_on_standard_error() {
    let folder = folder();
    let config = config();
    std::fs::write(folder.path().join("binary.toml"), [0xff, 0xfe]).unwrap();
    std::fs::write(folder.path().join("empty.toml"), "").unwrap();
    for json in [&[][..], &["--json"]] {
        let check = |arguments: &[&str], expected: &str| {
            stance(folder.path(), &[arguments, json].concat()).fails_with(expected);
        };
        check(&["rnu", "x"], "the nearest is 'run'");
        check(&["run"], "required");
        check(&["run", "nothing.toml"], "nothing.toml cannot be read: No such file");
        check(&["run", "binary.toml"], "not UTF-8");
        check(&["run", "empty.toml"], "`experiment` is missing");
        check(&["run", "."], "cannot be read");
        check(&["run", &config, "--seed", "one"], "--seed");
        check(&["run", &config, "--scale", "smok"], "the nearest is `smoke`");
        check(&["run", &config, "--device", "cdua"], "the nearest is `cuda`");
        check(&["run", &config, "--set", "training.stpes=5"], "the nearest is `training.steps`");
        check(&["run", &config, "--set", "world.width=huge"], "wrong type");
        check(&["run", &config, "--set", "world.width=15"], "width");
        check(&["run", &config, "--set", "world.width=0"], "width = 0");
        check(&["run", &config, "--set", "model.heads=7"], "heads");
        check(&["run", &config, "--resume", "x"], "cannot be used with");
        check(&["run", "--resume", "x"], "there is no run x");
        check(&["show", "nothing"], "there is no run nothing");
        check(&["report", "nothing"], "there is no run nothing");
        check(&["show", "empty.toml"], "is a file");
        check(&["show", "."], "has no config.toml");
        check(&["sample", &config, "--split", "tset"], "the nearest is `test`");
    }
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.contains(&"runs".to_string()), "a refused run left {left:?}");
}

#[test]
fn a_sample_is_drawn_and_the_same_every_time() {
    let folder = folder();
    let config = config();
    let arguments = ["sample", &config, "--split", "test", "--index", "3"];
    let text = stance(folder.path(), &arguments);
    assert_eq!(text.code, Some(0), "{}", text.err);
    for part in ["tokens", "targets", "labels", "│"] {
        assert!(text.out.contains(part), "{part} is not in\n{}", text.out);
    }
    let json = [&arguments[..], &["--json"]].concat();
    let value = stance(folder.path(), &json).json();
    assert_eq!(value["episode"]["address"]["index"], 3);
    assert_eq!(value, stance(folder.path(), &json).json());
    let tokens = value["episode"]["sample"]["tokens"].as_array().unwrap().len();
    assert_eq!(value["episode"]["sample"]["targets"].as_array().unwrap().len(), tokens);
}

/// Starts a small run and gives it until `ready` to get somewhere.
fn start(folder: &Path, arguments: &[&str], ready: impl Fn() -> bool) -> std::process::Child {
    let mut child = command(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < Duration::from_secs(120), "the run got nowhere");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be stopped");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// The configuration of the smallest run that goes through everything.
fn small(out: &str) -> Vec<String> {
    let config = config();
    let mut arguments: Vec<String> = ["run", &config, "--scale", "smoke", "--device", "cpu", "--out", out]
        .iter()
        .map(|&argument| argument.to_string())
        .collect();
    for change in SMALL {
        arguments.extend(["--set".to_string(), (*change).to_string()]);
    }
    arguments
}

/// Changes that make the smoke scale smaller still: about a second of one core.
const SMALL: &[&str] = &[
    "model.width=16",
    "model.heads=2",
    "training.steps=6",
    "training.batch=8",
    "training.save_every=2",
    "training.next_step_steps=2",
    "training.control_steps=2",
    "measure.gliders=[32, 16, 24]",
    "measure.skill_boards=16",
    "measure.resamples=100",
    "measure.transplants=[8, 8]",
    "measure.erasure_boards=16",
    "measure.window_rows=64",
    "measure.cone_epochs=1",
    "measure.cone_channels=4",
];

fn run_small(folder: &Path, out: &str, more: &[&str], threads: &str) -> Left {
    let arguments = small(out);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let output = command(folder, &arguments).env("RAYON_NUM_THREADS", threads).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Left { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Everything below a folder.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_goes_from_the_config_to_the_report_and_depends_on_nothing_but_config_and_seed() {
    let folder = folder();
    let whole = run_small(folder.path(), "whole", &["--json"], "2").json();
    assert_eq!(whole["finished_before"], false);
    let claims = whole["claims"].as_array().unwrap();
    assert!(!claims.is_empty());
    // A run of one or two seeds and a handful of steps can support and refute nothing.
    assert!(claims.iter().all(|claim| claim["verdict"] == "inconclusive"), "{claims:?}");
    let report = read(folder.path(), "whole/report.html");
    assert!(report.contains("<svg") && report.contains("inconclusive") && !report.contains("src=\"http"));
    let provenance: Value = serde_json::from_str(&read(folder.path(), "whole/provenance.json")).unwrap();
    assert_eq!(provenance["device"], "cpu");
    for path in tree(&folder.path().join("whole")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(!name.ends_with(".part"), "{} is left over", path.display());
        if let Ok(text) = std::fs::read_to_string(&path) {
            assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "{} names a path of this machine", path.display());
        }
    }

    // Again, on one thread: the same bytes.
    assert_eq!(run_small(folder.path(), "again", &[], "1").code, Some(0));
    for file in ["config.toml", "probes.json", "claims.json", "metrics.jsonl"] {
        assert_eq!(
            read(folder.path(), &format!("again/{file}")),
            read(folder.path(), &format!("whole/{file}")),
            "{file}"
        );
    }
    // Another seed: other numbers.
    assert_eq!(run_small(folder.path(), "other", &["--seed", "99"], "2").code, Some(0));
    assert_ne!(read(folder.path(), "other/probes.json"), read(folder.path(), "whole/probes.json"));
    // Into the folder of another run: refused, and nothing there is touched.
    run_small(folder.path(), "whole", &["--seed", "99", "--json"], "2").fails_with("another config or seed");

    // A finished run is not computed again.
    let before = std::fs::metadata(folder.path().join("whole/probes.json")).unwrap().modified().unwrap();
    let again = run_small(folder.path(), "whole", &["--json"], "2").json();
    assert_eq!(again["finished_before"], true);
    assert_eq!(again["claims"], whole["claims"]);
    assert_eq!(std::fs::metadata(folder.path().join("whole/probes.json")).unwrap().modified().unwrap(), before);
    // Its resolved config names the same run.
    let resolved = stance(folder.path(), &["run", "whole/config.toml", "--out", "whole", "--json"]).json();
    assert_eq!(resolved["finished_before"], true);

    // show and report work from what is saved.
    let shown = stance(folder.path(), &["show", "whole", "--json"]).json();
    assert_eq!(shown["finished"], true);
    assert_eq!(shown["claims"][0]["evidence"].as_array().unwrap().len(), 12);
    std::fs::remove_file(folder.path().join("whole/report.html")).unwrap();
    assert_eq!(stance(folder.path(), &["report", "whole"]).code, Some(0));
    assert_eq!(read(folder.path(), "whole/report.html"), report);
    // A full disk at the very end: told, nothing half-written, and gone on with once there is room.
    let whole_folder = folder.path().join("whole");
    let claims = read(folder.path(), "whole/claims.json");
    std::fs::remove_file(whole_folder.join("claims.json")).unwrap();
    std::os::unix::fs::symlink("/dev/full", whole_folder.join("claims.json.part")).unwrap();
    run_small(folder.path(), "whole", &["--json"], "2")
        .fails_with("whole/claims.json cannot be written: No space left on device");
    assert!(!whole_folder.join("claims.json").exists() && !whole_folder.join("claims.json.part").exists());
    assert_eq!(run_small(folder.path(), "whole", &["--json"], "2").json()["finished_before"], false);
    assert_eq!(read(folder.path(), "whole/claims.json"), claims);
    // A damaged file is named.
    std::fs::write(folder.path().join("whole/claims.json"), "{").unwrap();
    stance(folder.path(), &["show", "whole"]).fails_with("claims.json is ill-formed");
    stance(folder.path(), &["report", "whole", "--json"]).fails_with("claims.json is ill-formed");

    // Killed in the middle, then run again: the same bytes as if nothing had happened.
    let arguments = small("killed");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let metrics = folder.path().join("killed/metrics.jsonl");
    let mut child = start(folder.path(), &arguments, || metrics.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let unfinished = stance(folder.path(), &["show", "killed"]);
    assert!(unfinished.out.contains("not finished"), "{}{}", unfinished.out, unfinished.err);
    stance(folder.path(), &["report", "killed"]).fails_with("is not finished");
    assert_eq!(stance(folder.path(), &["run", "--resume", "killed", "--json"]).json()["finished_before"], false);
    for file in ["probes.json", "claims.json", "metrics.jsonl"] {
        assert_eq!(
            read(folder.path(), &format!("killed/{file}")),
            read(folder.path(), &format!("again/{file}")),
            "{file}"
        );
    }

    // Asked to stop: it saves, says how to go on, and does.
    let arguments = small("stopped");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let metrics = folder.path().join("stopped/metrics.jsonl");
    let child = start(folder.path(), &arguments, || metrics.exists());
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{error}");
    assert!(error.contains("stance run --resume stopped"), "{error}");
    assert_eq!(stance(folder.path(), &["run", "--resume", "stopped"]).code, Some(0));
    assert_eq!(read(folder.path(), "stopped/probes.json"), read(folder.path(), "again/probes.json"));
}

#[test]
fn a_full_disk_is_said_in_one_line_and_leaves_nothing_half_written() {
    let folder = folder();
    let mount = folder.path().join("small");
    std::fs::create_dir(&mount).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs", mount.to_str().unwrap()])
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        let why = "only root can mount a small file system; /dev/full stands in for it in other tests";
        let _ = writeln!(
            std::io::stderr(),
            "skipped a_full_disk_is_said_in_one_line_and_leaves_nothing_half_written: {why}"
        );
        return;
    }
    let left = run_small(folder.path(), "small/run", &["--json"], "2");
    let written: Vec<PathBuf> = tree(&mount);
    assert!(Command::new("umount").arg(&mount).status().unwrap().success());
    left.fails_with("No space left on device");
    assert!(written.iter().all(|path| path.extension().is_none_or(|ending| ending != "part")), "{written:?}");
}

/// Every shipped config but the largest experiment's, whose own test is above.
fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml") && !path.ends_with("glider-chunking.toml"));
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn every_shipped_config_runs_at_smoke_scale_and_gives_the_same_bytes_again() {
    let folder = folder();
    for path in shipped() {
        let path = path.to_str().unwrap();
        let run = |out: &str, more: &[&str]| -> [String; 2] {
            let arguments = ["run", path, "--scale", "smoke", "--device", "cpu", "--out", out, "--json"];
            let left = stance(folder.path(), &[&arguments[..], more].concat());
            assert_eq!(left.code, Some(0), "{path}: {}", left.err);
            ["probes.json", "claims.json"]
                .map(|file| std::fs::read_to_string(folder.path().join(out).join(file)).unwrap())
        };
        let name = Path::new(path).file_stem().unwrap().to_str().unwrap();
        let first = run(&format!("{name}-1"), &[]);
        assert_eq!(first, run(&format!("{name}-2"), &[]), "{path}: two runs with one seed differ");
        assert_ne!(first, run(&format!("{name}-3"), &["--seed", "7"]), "{path}: another seed gives the same");
        assert!(folder.path().join(format!("{name}-1")).join("report.html").exists());
        // Scales other than the one that runs are checked too.
        let refused = stance(folder.path(), &["run", path, "--scale", "gpu", "--set", "training.seeds=0"]);
        refused.fails_with("training.seeds");
    }
}

#[test]
fn machines_are_benched_and_sampled_in_the_documented_form() {
    let folder = folder();
    let bench = ["bench", "train", "--layers", "1", "--width", "16", "--heads", "2", "--context", "8", "--batch", "2"];
    let value = stance(folder.path(), &[&bench[..], &["--steps", "2", "--device", "cpu", "--json"]].concat()).json();
    for key in ["tokens_per_second", "milliseconds_per_step", "peak_memory_bytes"] {
        assert!(value[key].as_f64().unwrap() > 0.0, "{key} of {value}");
    }
    assert_eq!(value["device"], "cpu");
    stance(folder.path(), &["bench", "trian"]).fails_with("the nearest is `train`");
    stance(folder.path(), &["bench", "train", "--heads", "5"]).fails_with("heads");
    let config = shipped().into_iter().find(|path| path.ends_with("single-machine.toml")).unwrap();
    let config = config.to_str().unwrap();
    let value = stance(folder.path(), &["sample", config, "--split", "test", "--index", "4", "--json"]).json();
    assert_eq!(value["episode"]["scene"]["kind"], "tape");
    let text = stance(folder.path(), &["sample", config, "--split", "train"]).out;
    assert!(text.contains("1RB0LA_1LC1RA_0RA0LB"), "{text}");
    stance(folder.path(), &["run", config, "--set", "world.states=9"]).fails_with("states = 9");
    stance(folder.path(), &["run", config, "--set", "world.only=[\"1RB\"]"]).fails_with("1RB");
}

#[test]
fn a_recorded_result_is_recomputed_and_one_that_is_off_is_named() {
    let folder = folder();
    let config = shipped().into_iter().find(|path| path.ends_with("single-machine.toml")).unwrap();
    let config = config.to_str().unwrap();
    stance(folder.path(), &["run", config, "--scale", "smoke", "--device", "cpu", "--out", "first", "--json"]).json();
    let records = ["--results", "records", "--json"];
    stance(folder.path(), &[&["reproduce", "--record", "first"][..], &records].concat()).json();
    // The run is made anew, under runs/, and agrees to the last digit.
    let value = stance(folder.path(), &[&["reproduce", "all"][..], &records].concat()).json();
    assert_eq!(value["agrees"], true);
    assert_eq!(value["claims"].as_array().unwrap().len(), 2);
    assert_eq!(value["claims"][0]["recorded"], value["claims"][0]["now"]);
    let path = folder.path().join("records/single-machine/claims.json");
    let mut claims: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    claims["claims"][0]["measured"]["effect"] = (-3.25).into();
    std::fs::write(&path, claims.to_string()).unwrap();
    let off = stance(folder.path(), &[&["reproduce", "single-machine"][..], &records].concat());
    assert_ne!(off.code, Some(0));
    assert!(off.err.contains("`learnt` has effect") && off.err.contains("recorded -3.250"), "{}", off.err);
    stance(folder.path(), &["reproduce", "singel-machine", "--results", "records"]).fails_with("`single-machine`");
    stance(folder.path(), &["reproduce", "all", "--results", "nowhere"]).fails_with("nowhere");
}
