//! Scales, `--set`, and how values are written.

use anyhow::anyhow;
use toml::{Table, Value};

use super::complaint::{Source, nearest};
use super::{DEFAULT_SCALE, SECTIONS};

/// Applies a scale's overrides, takes the scales out, and says which was applied.
pub(super) fn apply_scale(table: &mut Table, wanted: Option<&str>, source: &Source) -> anyhow::Result<String> {
    let scales = match table.remove("scale") {
        // A resolved config names its scale and has no tables.
        Some(Value::String(scale)) => {
            return match wanted {
                Some(wanted) if wanted != scale => Err(source.complain(
                    "scale",
                    &format!("= {scale:?}: the config is resolved already and cannot be run at the scale `{wanted}`"),
                )),
                _ => Ok(scale),
            };
        }
        Some(Value::Table(scales)) => scales,
        Some(_) => return Err(source.complain("scale", "is not a table; write [scale.smoke.training]")),
        None => Table::new(),
    };
    let scale = wanted.unwrap_or(DEFAULT_SCALE);
    for (name, overrides) in &scales {
        let Value::Table(overrides) = overrides else {
            return Err(source.complain(&format!("scale.{name}"), "is not a table of overrides"));
        };
        if let Some(key) = overrides.keys().find(|key| !SECTIONS.contains(&key.as_str())) {
            let nearest = nearest(key, SECTIONS);
            let path = format!("scale.{name}.{key}");
            return Err(
                source.complain(&path, &format!("cannot be set by a scale; the nearest that can is `{nearest}`"))
            );
        }
    }
    match scales.get(scale) {
        Some(Value::Table(overrides)) => {
            // An override of what no base value or default has is caught when the section is parsed.
            deep_merge(table, overrides);
            Ok(scale.into())
        }
        _ if wanted.is_none() => Ok(scale.into()),
        _ => {
            let names = scales.keys().map(String::as_str).chain([DEFAULT_SCALE]);
            if scale == DEFAULT_SCALE {
                return Ok(scale.into());
            }
            let nearest = nearest(scale, names);
            Err(anyhow!("{}: the config has no scale `{scale}`; the nearest is `{nearest}`", source.name()))
        }
    }
}

fn deep_merge(base: &mut Table, overrides: &Table) {
    for (key, value) in overrides {
        match (base.get_mut(key), value) {
            (Some(Value::Table(base)), Value::Table(overrides)) => deep_merge(base, overrides),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Applies one `path.to.key=value`. A value that is not TOML is taken as a string.
pub(super) fn set(table: &mut Table, change: &str, source: &mut Source) -> anyhow::Result<()> {
    let Some((path, text)) = change.split_once('=') else {
        return Err(anyhow!("--set {change}: write it as key.path=value"));
    };
    let (path, text) = (path.trim(), text.trim());
    let value = match format!("value = {text}").parse::<Table>() {
        Ok(mut parsed) if parsed.len() == 1 => parsed.remove("value"),
        _ => None,
    };
    let value = value.unwrap_or_else(|| Value::String(text.into()));
    let parts: Vec<&str> = path.split('.').collect();
    let (Some((last, parents)), false) = (parts.split_last(), parts.iter().any(|part| part.is_empty())) else {
        return Err(anyhow!("--set {change}: `{path}` is not a path such as training.steps"));
    };
    let root = parts[0];
    if root == "claim" {
        return Err(anyhow!("--set {change}: claims are registered in the config file and not changed for a run"));
    }
    let top = ["seed", "device"];
    let valid = if parents.is_empty() { top.contains(&root) } else { SECTIONS.contains(&root) };
    if !valid {
        let nearest = nearest(path, top.into_iter().chain(SECTIONS));
        let hint = if SECTIONS.contains(&root) { " (a section; name a key in it)" } else { "" };
        return Err(anyhow!("--set {change}: there is no key `{path}`; the nearest is `{nearest}`{hint}"));
    }
    let mut place = table;
    for (depth, parent) in parents.iter().enumerate() {
        let slot = place.entry((*parent).to_string()).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = slot else {
            return Err(anyhow!("--set {change}: `{}` is a value and has no keys", parts[..=depth].join(".")));
        };
        place = inner;
    }
    place.insert((*last).to_string(), value);
    source.set_by_command_line(path, change);
    Ok(())
}

/// The value at a dotted path.
pub(super) fn get<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((key, rest)) => table.get(key)?.as_table().and_then(|inner| get(inner, rest)),
    }
}

/// Writes a float that came from an `f32` (0.0020000000949949026) as shortly as that `f32` is written (0.002).
pub(super) fn shorten_floats(table: &mut Table) {
    for (_, value) in table.iter_mut() {
        shorten(value);
    }
}

fn shorten(value: &mut Value) {
    match value {
        Value::Float(float) if f64::from(*float as f32) == *float => {
            if let Ok(short) = (*float as f32).to_string().parse() {
                *float = short;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Table(inner) => shorten_floats(inner),
        _ => {}
    }
}
