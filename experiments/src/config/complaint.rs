//! What is wrong with a config, in one sentence: file, line, key and the nearest valid choice.

use std::collections::BTreeMap;

use anyhow::anyhow;
use serde::de::DeserializeOwned;
use toml::Table;
use toml::de::{DeTable, DeValue};

/// The candidate most like a word.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let distance = |candidate: &str| {
        // Jaro–Winkler ranks a shared beginning and swapped letters as people do; ties go to the first candidate.
        (strsim::jaro_winkler(candidate, word) * 1e6) as i64
    };
    let mut best: Option<(&str, i64)> = None;
    for candidate in candidates {
        let score = distance(candidate);
        if best.is_none_or(|(_, other)| score > other) {
            best = Some((candidate, score));
        }
    }
    best.map_or_else(String::new, |(candidate, _)| candidate.into())
}

/// Where the keys of a config stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    name: String,
    lines: BTreeMap<String, usize>,
    changes: BTreeMap<String, String>,
    scale: String,
}

impl Source {
    /// Notes the line of every key.
    pub(super) fn new(name: &str, text: &str) -> anyhow::Result<Self> {
        let mut source = Self { name: name.into(), ..Self::default() };
        let table = DeTable::parse(text).map_err(|error| source.located(text, &error))?;
        source.note("", table.get_ref(), text);
        Ok(source)
    }

    fn note(&mut self, prefix: &str, table: &DeTable<'_>, text: &str) {
        for (key, value) in table.iter() {
            let path =
                if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
            self.lines.insert(path.clone(), line_of(text, key.span().start));
            match value.get_ref() {
                DeValue::Table(inner) => self.note(&path, inner, text),
                DeValue::Array(items) => {
                    for (number, item) in items.iter().enumerate() {
                        if let DeValue::Table(inner) = item.get_ref() {
                            let path = format!("{path}.{number}");
                            self.lines.insert(path.clone(), line_of(text, item.span().start));
                            self.note(&path, inner, text);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The file's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The scales that the file defines.
    pub(super) fn scales(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().filter_map(|path| path.strip_prefix("scale.")).filter(|rest| !rest.contains('.'))
    }

    /// An error with the file's name, if it does not say already where the fault is.
    pub(super) fn named(&self, error: anyhow::Error) -> anyhow::Error {
        let text = error.to_string();
        if text.starts_with(&self.name) || text.starts_with("--set") {
            error
        } else {
            anyhow!("{}: {error:#}", self.name)
        }
    }

    /// Notes the scale that was applied.
    pub(super) fn set_scale(&mut self, scale: &str) {
        self.scale = scale.into();
    }

    /// Notes that a value comes from the command line.
    pub(super) fn set_by_command_line(&mut self, path: &str, change: &str) {
        self.changes.insert(path.into(), change.into());
    }

    /// A syntax error.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> anyhow::Error {
        anyhow!("{}: not valid TOML: {}", self.name, one_line(error.message()))
    }

    fn located(&self, text: &str, error: &toml::de::Error) -> anyhow::Error {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        anyhow!("{}, line {line}: not valid TOML: {}", self.name, one_line(error.message()))
    }

    /// "file, line 12: `world.width` …", or the change on the command line that put it there.
    pub(super) fn complain(&self, path: &str, what: &str) -> anyhow::Error {
        let space = if what.starts_with(':') { "" } else { " " };
        let shown = self.shown(path);
        if let Some(change) = self.changes.get(path) {
            return anyhow!("--set {change}: `{shown}`{space}{what}");
        }
        // What the scale overrides stands in the scale's table; what stands nowhere is placed at the innermost table
        // around it that does.
        let line = self.lines.get(&format!("scale.{}.{path}", self.scale)).or_else(|| self.lines.get(path));
        let line = line.or_else(|| {
            let parents = path.match_indices('.').map(|(at, _)| &path[..at]);
            parents.filter_map(|parent| self.lines.get(parent)).next_back()
        });
        match line {
            Some(line) => anyhow!("{}, line {line}: `{shown}`{space}{what}", self.name),
            None => anyhow!("{}: `{shown}`{space}{what}", self.name),
        }
    }

    /// `claim.0.effect` as `claim[1].effect`: the first claim of the file is number 1 to a person.
    fn shown(&self, path: &str) -> String {
        let mut parts = path.splitn(3, '.');
        match (parts.next(), parts.next().and_then(|number| number.parse::<usize>().ok()), parts.next()) {
            (Some("claim"), Some(number), Some(rest)) => format!("claim[{}].{rest}", number + 1),
            (Some("claim"), Some(number), None) => format!("claim[{}]", number + 1),
            _ => path.into(),
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count() + 1
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Parses a table as a type; what is wrong is told with its full path. The table is written out and parsed with
/// spans, since only those say at which key the type did not fit.
pub(super) fn describe<T: DeserializeOwned>(source: &Source, path: &str, content: &Table) -> anyhow::Result<T> {
    let text = content.to_string();
    toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let inner = DeTable::parse(&text).map(|table| path_at(table.get_ref(), at)).unwrap_or_default();
        let message = one_line(error.message());
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let full = |key: &str| if key.is_empty() { path.to_string() } else { format!("{path}.{key}") };
        let parent = inner.rsplit_once('.').map_or("", |(parent, _)| parent);
        if message.starts_with("unknown field") && !quoted.is_empty() {
            let unknown = quoted[0];
            // The span is the unknown key's own, or (through flattening) that of its table.
            let parent = if inner.rsplit('.').next() == Some(unknown) { parent } else { &inner };
            let join = |key: &str| if parent.is_empty() { full(key) } else { full(&format!("{parent}.{key}")) };
            return match quoted.get(1..).filter(|valid| !valid.is_empty()) {
                Some(valid) => {
                    let nearest = source.shown(&join(&nearest(unknown, valid.iter().copied())));
                    source.complain(&join(unknown), &format!("is not a key; the nearest is `{nearest}`"))
                }
                None => source.complain(&join(unknown), "is not a key"),
            };
        }
        if message.starts_with("unknown variant") && quoted.len() > 1 {
            let nearest = nearest(quoted[0], quoted[1..].iter().copied());
            let what = format!("= {:?} is not a choice; the nearest is `{nearest}`", quoted[0]);
            return source.complain(&full(&inner), &what);
        }
        if message.starts_with("missing field") && !quoted.is_empty() {
            // The span is that of the table in which it is missing; the root's begins at its first key.
            let is_table = super::merge::get(content, &inner).is_some_and(toml::Value::is_table);
            let root = error.span().is_none_or(|span| span.start == 0 && span.end + 1 >= text.len());
            let inner = if is_table && !root { inner.as_str() } else { "" };
            let key = if inner.is_empty() { quoted[0].to_string() } else { format!("{inner}.{}", quoted[0]) };
            return source.complain(&full(&key), "is missing");
        }
        source.complain(&full(&inner), &plain(&message))
    })
}

/// serde's words for a wrong type or value in a person's.
fn plain(message: &str) -> String {
    for (opening, verb) in
        [("invalid type: ", "has the wrong type: "), ("invalid value: ", "has an impossible value: ")]
    {
        if let Some((found, expected)) = message.strip_prefix(opening).and_then(|rest| rest.split_once(", expected ")) {
            let expected = match expected {
                "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
                "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
                "f32" | "f64" => "a number",
                other => other,
            };
            return format!("{verb}{found} where {expected} is expected");
        }
    }
    format!("is wrong: {message}")
}

/// The path of the innermost key whose key or value covers a byte.
fn path_at(table: &DeTable<'_>, at: usize) -> String {
    // A table's header does not span its content, so each is searched first.
    for (key, value) in table.iter() {
        let here = key.get_ref();
        if let DeValue::Table(inner) = value.get_ref() {
            let found = path_at(inner, at);
            if !found.is_empty() {
                return format!("{here}.{found}");
            }
        }
        if let DeValue::Array(items) = value.get_ref() {
            for item in items.iter() {
                if let DeValue::Table(inner) = item.get_ref() {
                    let found = path_at(inner, at);
                    if !found.is_empty() {
                        return format!("{here}.{found}");
                    }
                }
            }
        }
        if key.span().contains(&at) || value.span().contains(&at) {
            return here.to_string();
        }
    }
    String::new()
}
