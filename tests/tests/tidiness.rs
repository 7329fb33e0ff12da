//! What DESIGN, README and ARCHITECTURE say of the workspace is true of it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use experiments::config::{Config, Overrides};
use tests::{files, root};

const CRATES: [&str; 5] = ["environments", "models", "experiments", "viewer", "tests"];

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of a crate's dependencies, those of its tests among them.
fn dependencies(package: &str) -> Vec<String> {
    let manifest: toml::Table = read(&format!("{package}/Cargo.toml")).parse().unwrap();
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn dependencies_point_one_way() {
    // What each crate may know of the others, and the outside crates that only one may name.
    for (package, own, foreign) in [
        ("environments", &[][..], &["burn", "bevy", "wgpu", "indicatif"][..]),
        ("models", &["environments"], &["bevy", "wgpu", "clap"]),
        ("experiments", &["environments", "models"], &["burn", "bevy", "wgpu"]),
        ("viewer", &["environments", "models", "experiments"], &["burn"]),
        ("tests", &["environments", "models", "experiments"], &["burn", "bevy"]),
    ] {
        for dependency in dependencies(package) {
            let known = !CRATES.contains(&dependency.as_str()) || own.contains(&dependency.as_str());
            assert!(known, "{package} depends on {dependency}, against the direction of dependencies");
            let outside = foreign.iter().find(|name| {
                dependency == **name
                    || dependency.starts_with(&format!("{name}_"))
                    || dependency.starts_with(&format!("{name}-"))
            });
            assert!(outside.is_none(), "{package} depends on {dependency}");
        }
    }
    assert!(dependencies("models").contains(&"burn".to_string()), "the check looks in the wrong place");
}

/// Every package that a build is made of, with the features it is built with: what runs on this machine at run time.
fn features(of: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["tree", "--offline", "--edges", "normal,dev,no-proc-macro", "--prefix", "none"]);
    let output = cargo.args(["--format", "{p} {f}"]).args(of).output().unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace(" (*)", "")).collect()
}

#[test]
fn dependencies_are_built_once_for_the_program_and_for_the_tests() {
    let (program, everything) = (features(&["--package", "experiments"]), features(&["--workspace"]));
    assert!(program.iter().any(|line| line.starts_with("burn v")), "the check looks in the wrong place");
    let twice: Vec<&String> = program.difference(&everything).collect();
    assert!(
        twice.is_empty(),
        "built with other features for `cargo run`: add to models/Cargo.toml what {twice:?} lack"
    );
}

#[test]
fn only_models_names_burn_and_only_the_viewer_names_bevy() {
    for package in CRATES {
        for (path, text) in files(&format!("{package}/src"), "rs") {
            for (name, home) in [("burn", "models"), ("bevy", "viewer")] {
                let path_in_code = text.contains(&format!("{name}::")) || text.contains(&format!("use {name}"));
                assert!(package == home || !path_in_code, "{} names {name}", path.display());
            }
        }
    }
}

#[test]
fn environments_have_no_clock_no_global_chance_and_no_thread_count() {
    for (path, text) in files("environments/src", "rs") {
        for word in ["SystemTime", "Instant::now", "thread_rng", "rand::rng()", "rand::random", "current_num_threads"] {
            assert!(!text.contains(word), "{} uses {word}", path.display());
        }
    }
}

#[test]
fn every_crate_opens_with_its_duty_its_invariants_and_what_it_must_never_know() {
    for package in ["environments", "models", "experiments"] {
        let text = read(&format!("{package}/src/lib.rs"));
        for heading in ["**Duty.**", "**Invariants.**", "**Must never know.**"] {
            assert!(text.contains(heading), "{package}/src/lib.rs has no {heading}");
        }
    }
}

#[test]
fn packages_have_their_folders_names_and_the_workspace_lints() {
    for package in CRATES {
        let manifest: toml::Table = read(&format!("{package}/Cargo.toml")).parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(package));
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{package} has no workspace lints");
    }
}

#[test]
fn every_config_parses_at_every_scale() {
    let configs = files("experiments/configs", "toml");
    for (path, text) in &configs {
        let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let scales = table.get("scale").and_then(|scales| scales.as_table()).cloned().unwrap_or_default();
        let name = path.display().to_string();
        for scale in scales.keys().map(String::as_str).chain(["laptop"]) {
            let overrides = Overrides { scale: Some(scale.into()), ..Overrides::default() };
            let config = Config::parse(text, &name, &overrides).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(path.file_stem().unwrap(), config.experiment.as_str(), "a config is named after its experiment");
            assert!(!config.claims.is_empty(), "{name} registers no claim");
        }
    }
}

/// The command lines of the README's code blocks that begin with `stance` or `cargo run … --`.
fn commands_of_the_readme() -> Vec<String> {
    let text = read("README.md");
    let blocks = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    let commands = blocks.filter_map(|line| {
        let line = line.trim().trim_start_matches("$ ");
        let arguments = match line.strip_prefix("stance ") {
            Some(arguments) => arguments,
            None if line.starts_with("cargo run --release -- ") => line.trim_start_matches("cargo run --release -- "),
            None => return None,
        };
        Some(arguments.to_string())
    });
    commands.collect()
}

#[test]
fn the_readmes_commands_exist() {
    let commands = commands_of_the_readme();
    assert!(!commands.is_empty(), "the README shows no command");
    for command in commands {
        let name = command.split_whitespace().next().unwrap_or_default();
        assert!(experiments::commands::names().iter().any(|known| known == name), "the README shows `stance {name}`");
        for word in command.split_whitespace().filter(|word| word.starts_with("experiments/configs/")) {
            assert!(root().join(word).exists(), "the README names {word}, which is not there");
        }
    }
}

#[test]
fn files_that_the_readme_shows_exist() {
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = read(document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                assert!(Path::new(&root().join(target)).exists(), "{document} links to {target}, which is not there");
            }
        }
    }
}
