//! The activation store: chosen taps at chosen places of many sequences, written in one pass of a model in bounded memory, to
//! be read by any number of probes. On disk a safetensors file: one tensor (rows × width) a tap, the sequence and the position
//! of every row, and in its header where it comes from.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use environments::Symbol;
use models::{Plan, Predictor};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::sources::Features;

/// Sequences that go through the model together.
const CHUNK: usize = 64;
/// The greatest header that is read, in bytes.
const GREATEST_HEADER: u64 = 1 << 24;
/// Bytes of a value.
const VALUE: usize = 4;

/// A sequence with the positions in it at which taps are kept, ascending.
pub type Wanted = (Vec<Symbol>, Vec<usize>);

/// A file of activations.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    rows: usize,
    provenance: BTreeMap<String, String>,
    /// By tensor: width of a row, and where its first byte lies in the file.
    tensors: BTreeMap<String, (usize, u64)>,
}

/// What identifies a model's weights: the SHA-256 of their bytes.
pub fn fingerprint(weights: &[f32]) -> String {
    let mut hash = Sha256::new();
    weights.iter().for_each(|value| hash.update(value.to_le_bytes()));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// Runs a model over sequences and writes its taps. `rows` is how many places there are in all. `origin` says where the
    /// sequences come from (the world's fingerprint, the split, …); the model's specification and the fingerprint of its
    /// weights are added. `stop` is asked between batches.
    ///
    /// # Errors
    /// For a tap that does not exist or has not one row a position, for another number of places, for a file that cannot be
    /// written (nothing half-written is left under its name), and what `stop` says.
    pub fn record(
        path: &Path,
        model: &dyn Predictor,
        taps: &[String],
        (sequences, rows): (impl IntoIterator<Item = Wanted>, usize),
        origin: &BTreeMap<String, String>,
        stop: impl Fn() -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let parameters = model.parameters();
        let shapes = parameters.spec.taps();
        let length = parameters.spec.geometry.len();
        let mut widths = Vec::new();
        for tap in taps {
            let shape = &shapes[parameters.spec.tap(tap)?];
            if shape.rows != length {
                bail!("the tap `{tap}` has {} rows and not one a position, so that it cannot be stored", shape.rows);
            }
            widths.push(shape.width);
        }
        let mut provenance = origin.clone();
        provenance.insert("spec".into(), serde_json::to_string(&parameters.spec)?);
        provenance.insert("weights".into(), fingerprint(&parameters.values));
        let aside = path.with_extension("part");
        let mut store = Self { path: aside.clone(), rows, provenance, tensors: BTreeMap::new() };
        let write = || -> anyhow::Result<Self> {
            let mut file = File::create(&aside)?;
            store.begin(&mut file, taps, &widths)?;
            store.fill(&mut file, model, taps, sequences, stop)?;
            file.sync_all()?;
            std::fs::rename(&aside, path)?;
            Ok(Self { path: path.into(), ..store })
        };
        let written = write().with_context(|| format!("activations cannot be written to {}", path.display()));
        if written.is_err() {
            // Whether or not there is anything to take away.
            let _ = std::fs::remove_file(&aside);
        }
        written
    }

    /// Writes the header and makes room for the tensors.
    fn begin(&mut self, file: &mut File, taps: &[String], widths: &[usize]) -> anyhow::Result<()> {
        let mut header = Map::new();
        header.insert("__metadata__".into(), json!(self.provenance));
        let mut end = 0;
        let places = ["sequence", "position"].map(|name| (name, "U32", 0));
        let all = places.into_iter().chain(taps.iter().zip(widths).map(|(tap, &width)| (tap.as_str(), "F32", width)));
        for (name, kind, width) in all {
            let bytes = self.rows * width.max(1) * VALUE;
            let shape = if width == 0 { vec![self.rows] } else { vec![self.rows, width] };
            header.insert(name.into(), json!({ "dtype": kind, "shape": shape, "data_offsets": [end, end + bytes] }));
            self.tensors.insert(name.into(), (width.max(1), end as u64));
            end += bytes;
        }
        let mut text = serde_json::to_string(&header)?;
        // So that tensors are aligned.
        text.push_str(&" ".repeat(text.len().next_multiple_of(8) - text.len()));
        let first = 8 + text.len() as u64;
        file.write_all(&(text.len() as u64).to_le_bytes())?;
        file.write_all(text.as_bytes())?;
        file.set_len(first + end as u64)?;
        self.tensors.values_mut().for_each(|(_, place)| *place += first);
        Ok(())
    }

    fn fill(
        &self,
        file: &mut File,
        model: &dyn Predictor,
        taps: &[String],
        sequences: impl IntoIterator<Item = Wanted>,
        stop: impl Fn() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let plan = Plan { capture: taps.to_vec(), interventions: Vec::new() };
        let mut sequences = sequences.into_iter();
        let (mut row, mut number) = (0, 0);
        loop {
            stop()?;
            let chunk: Vec<Wanted> = sequences.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            let places: Vec<(usize, usize)> = chunk
                .iter()
                .enumerate()
                .flat_map(|(place, (_, positions))| positions.iter().map(move |&position| (place, position)))
                .collect();
            if row + places.len() > self.rows {
                bail!("there are more places than the {} that were announced", self.rows);
            }
            let tokens: Vec<Symbol> = chunk.iter().flat_map(|(tokens, _)| tokens.iter().copied()).collect();
            let run = model.run(&tokens, &plan)?;
            let mut put = |name: &str, values: Vec<u8>| -> anyhow::Result<()> {
                let (width, first) = self.tensors[name];
                file.seek(SeekFrom::Start(first + (row * width * VALUE) as u64))?;
                Ok(file.write_all(&values)?)
            };
            let whole = |values: &mut dyn Iterator<Item = usize>| -> Vec<u8> {
                values.flat_map(|value| (value as u32).to_le_bytes()).collect()
            };
            put("sequence", whole(&mut places.iter().map(|&(place, _)| number + place)))?;
            put("position", whole(&mut places.iter().map(|&(_, position)| position)))?;
            for (tap, captured) in taps.iter().zip(&run.captured) {
                let mut values = Vec::with_capacity(places.len() * captured.width * VALUE);
                for &(place, position) in &places {
                    if position >= captured.rows {
                        bail!("position {position} is beyond the last, {}", captured.rows - 1);
                    }
                    values.extend(captured.row(place, position).iter().flat_map(|value| value.to_le_bytes()));
                }
                put(tap, values)?;
            }
            row += places.len();
            number += chunk.len();
        }
        if row == self.rows { Ok(()) } else { Err(anyhow!("there are {row} places, and {} were announced", self.rows)) }
    }

    /// Opens a file of activations.
    ///
    /// # Errors
    /// If it cannot be read or is none; the file is named.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::read_header(path).with_context(|| format!("{} is no file of activations", path.display()))
    }

    fn read_header(path: &Path) -> anyhow::Result<Self> {
        let mut file = File::open(path)?;
        let mut size = [0; 8];
        file.read_exact(&mut size)?;
        let size = u64::from_le_bytes(size);
        if size > GREATEST_HEADER {
            bail!("its header claims {size} bytes");
        }
        let mut text = vec![0; size as usize];
        file.read_exact(&mut text)?;
        let header: Map<String, Value> = serde_json::from_slice(&text)?;
        let length = file.metadata()?.len();
        let (mut rows, mut tensors, mut provenance) = (None, BTreeMap::new(), BTreeMap::new());
        for (name, entry) in header {
            if name == "__metadata__" {
                provenance = serde_json::from_value(entry)?;
                continue;
            }
            let shape: Vec<usize> = serde_json::from_value(entry["shape"].clone())?;
            let [begin, end]: [u64; 2] = serde_json::from_value(entry["data_offsets"].clone())?;
            let (&count, width) =
                (shape.first().ok_or_else(|| anyhow!("`{name}` has no rows"))?, shape.get(1).unwrap_or(&1));
            let bytes = count.checked_mul(*width).and_then(|values| values.checked_mul(VALUE));
            let fits = end.checked_add(8 + size).is_some_and(|end| end <= length)
                && end.checked_sub(begin) == bytes.map(|b| b as u64);
            if !fits || rows.is_some_and(|rows| rows != count) {
                bail!("`{name}` is not where its header says");
            }
            rows = Some(count);
            tensors.insert(name, (*width, begin + 8 + size));
        }
        for name in ["sequence", "position"] {
            if !tensors.contains_key(name) {
                bail!("it does not say the {name} of its rows");
            }
        }
        Ok(Self { path: path.into(), rows: rows.unwrap_or(0), provenance, tensors })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &BTreeMap<String, String> {
        &self.provenance
    }

    /// The taps, by name.
    pub fn taps(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str).filter(|name| !["sequence", "position"].contains(name))
    }

    fn bytes(&self, name: &str, rows: &Range<usize>) -> anyhow::Result<(usize, Vec<u8>)> {
        let Some(&(width, first)) = self.tensors.get(name) else {
            let nearest = crate::config::nearest(name, self.taps());
            bail!("{} does not hold the tap `{name}`; the nearest is `{nearest}`", self.path.display());
        };
        if rows.end > self.rows || rows.start > rows.end {
            bail!("rows {} to {} are not among the {} of {}", rows.start, rows.end, self.rows, self.path.display());
        }
        let mut bytes = vec![0; rows.len() * width * VALUE];
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(first + (rows.start * width * VALUE) as u64))?;
        file.read_exact(&mut bytes)?;
        Ok((width, bytes))
    }

    /// Some rows of a tap.
    ///
    /// # Errors
    /// For a tap or rows that are not there, or a file that cannot be read.
    pub fn read(&self, tap: &str, rows: Range<usize>) -> anyhow::Result<Features> {
        let (width, bytes) = self.bytes(tap, &rows)?;
        Ok(Features { width, values: words(&bytes).map(f32::from_le_bytes).collect() })
    }

    /// A tap in blocks of at most `block` rows: bounded memory, whatever the file holds. Each is given with the number of its
    /// first row.
    ///
    /// # Errors
    /// Those of [`Store::read`], and those of `each`.
    pub fn each(
        &self,
        tap: &str,
        block: usize,
        mut each: impl FnMut(usize, &Features) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for first in (0..self.rows).step_by(block.max(1)) {
            each(first, &self.read(tap, first..(first + block.max(1)).min(self.rows))?)?;
        }
        Ok(())
    }

    /// The (sequence, position) of some rows.
    ///
    /// # Errors
    /// For rows that are not there, or a file that cannot be read.
    pub fn places(&self, rows: Range<usize>) -> anyhow::Result<Vec<(usize, usize)>> {
        let [sequence, position] = ["sequence", "position"].map(|name| self.bytes(name, &rows));
        let numbers = |bytes: &[u8]| words(bytes).map(|word| u32::from_le_bytes(word) as usize).collect::<Vec<_>>();
        Ok(numbers(&sequence?.1).into_iter().zip(numbers(&position?.1)).collect())
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; VALUE]> {
    bytes.chunks_exact(VALUE).map(|word| [word[0], word[1], word[2], word[3]])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::evidence::sources::Places;
    use environments::{Geometry, stream};
    use models::{Device, ModelError, ModelSpec, Parameters, TransformerConfig, predictor};

    fn model() -> Box<dyn Predictor> {
        let config = TransformerConfig { depth: 1, width: 8, heads: 2, expansion: 2, loops: 1 };
        let spec =
            ModelSpec { vocabulary: 5, targets: 3, geometry: Geometry::Line { length: 4 }, model: config.into() };
        predictor(&Parameters::initialise(&spec, &mut stream(&["store"])), Device::Cpu).unwrap()
    }

    fn wanted(count: usize) -> Vec<Wanted> {
        let one = |sequence: usize| {
            let tokens = (0..4).map(|place| ((sequence * 3 + place * place) % 5) as Symbol).collect();
            (tokens, (0..4).filter(|position| !(sequence + position).is_multiple_of(3)).collect())
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn what_is_read_is_what_the_model_did_and_other_programs_can_read_the_file() {
        let (model, all, folder) = (model(), wanted(150), tempfile::tempdir().unwrap());
        let rows = all.iter().map(|(_, positions)| positions.len()).sum();
        let taps = ["embed".to_string(), "blocks.0.mlp.hidden".into()];
        let origin = BTreeMap::from([("world".to_string(), "abc".to_string())]);
        let path = folder.path().join("taps.safetensors");
        let store = Store::record(&path, model.as_ref(), &taps, (all.clone(), rows), &origin, || Ok(())).unwrap();
        let at = all.iter().enumerate().flat_map(|(s, (_, positions))| positions.iter().map(move |&p| (s, p)));
        let places = Places { tokens: all.iter().map(|(tokens, _)| tokens.clone()).collect(), at: at.collect() };
        let direct = places.of_model(model.as_ref(), &taps, || Ok::<(), ModelError>(())).unwrap();
        let again = Store::open(&path).unwrap();
        assert_eq!(again.places(0..rows).unwrap(), places.at);
        for (tap, features) in taps.iter().zip(&direct) {
            assert_eq!(again.read(tap, 0..rows).unwrap(), *features);
            let mut blocks: Vec<f32> = Vec::new();
            store
                .each(tap, 37, |first, block| {
                    assert_eq!(first * block.width, blocks.len());
                    blocks.extend(&block.values);
                    Ok(())
                })
                .unwrap();
            assert_eq!(blocks, features.values);
        }
        assert_eq!(again.taps().collect::<Vec<_>>(), ["blocks.0.mlp.hidden", "embed"]);
        assert_eq!(again.provenance()["world"], "abc");
        assert_eq!(again.provenance()["weights"], fingerprint(&model.parameters().values));
        let bytes = std::fs::read(&path).unwrap();
        let others = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(others.tensor("embed").unwrap().shape(), [rows, 8]);
        let values: Vec<f32> = words(others.tensor("embed").unwrap().data()).map(f32::from_le_bytes).collect();
        assert_eq!(values, direct[0].values);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_leaves_no_file() {
        let (model, folder) = (model(), tempfile::tempdir().unwrap());
        let path = folder.path().join("taps.safetensors");
        let all = wanted(10);
        let rows: usize = all.iter().map(|(_, positions)| positions.len()).sum();
        let record = |tap: &str, rows: usize, stop: bool| {
            let stop = || if stop { Err(anyhow!("stopped")) } else { Ok(()) };
            let taps = [tap.to_string()];
            let error = Store::record(&path, model.as_ref(), &taps, (all.clone(), rows), &BTreeMap::new(), stop);
            format!("{:#}", error.unwrap_err())
        };
        assert!(record("embedd", rows, false).contains("embedd"));
        assert!(record("blocks.0.attn.pattern", rows, false).contains("not one a position"));
        assert!(record("embed", rows + 1, false).contains("were announced"));
        assert!(record("embed", rows - 1, false).contains("more places than"));
        assert!(record("embed", rows, true).contains("stopped"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(&path, [255; 40]).unwrap();
        assert!(Store::open(&path).unwrap_err().to_string().contains("is no file of activations"));
        let store =
            Store::record(&path, model.as_ref(), &["embed".into()], (all.clone(), rows), &BTreeMap::new(), || Ok(()));
        let store = store.unwrap();
        assert!(store.read("embd", 0..1).unwrap_err().to_string().ends_with("the nearest is `embed`"));
        assert!(store.read("embed", 0..rows + 1).unwrap_err().to_string().contains("are not among"));
    }
}
