//! Checkpoints as safetensors, written aside and renamed.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::TrainingState;
use crate::{ModelError, ModelSpec, Parameters};

fn failure(path: &Path, reason: impl std::fmt::Display) -> ModelError {
    ModelError::Checkpoint { path: path.display().to_string(), reason: reason.to_string() }
}

/// Writes weights by name, with the model's spec in the header.
///
/// # Errors
/// If the file cannot be written; nothing half-written is left under its name.
pub fn save_parameters(path: &Path, parameters: &Parameters) -> Result<(), ModelError> {
    write(path, &parameters.spec, &[("", &parameters.values)], BTreeMap::new())
}

/// Writes weights, both moments and the step.
///
/// # Errors
/// If the file cannot be written; nothing half-written is left under its name.
pub fn save_state(path: &Path, state: &TrainingState) -> Result<(), ModelError> {
    let buffers = [("", &state.parameters.values), ("first.", &state.first), ("second.", &state.second)];
    write(path, &state.parameters.spec, &buffers, BTreeMap::from([("step".into(), state.step.to_string())]))
}

/// Reads weights.
///
/// # Errors
/// If the file cannot be read or is no checkpoint of this program.
pub fn load_parameters(path: &Path) -> Result<Parameters, ModelError> {
    let bytes = std::fs::read(path).map_err(|error| failure(path, error))?;
    let (spec, _) = header(path, &bytes)?;
    let values = buffer(path, &bytes, &spec, "")?;
    Ok(Parameters { spec, values })
}

/// Reads a training state.
///
/// # Errors
/// If the file cannot be read or is no training state of this program.
pub fn load_state(path: &Path) -> Result<TrainingState, ModelError> {
    let bytes = std::fs::read(path).map_err(|error| failure(path, error))?;
    let (spec, metadata) = header(path, &bytes)?;
    let step = metadata
        .get("step")
        .and_then(|step| step.parse().ok())
        .ok_or_else(|| failure(path, "it holds weights but no training state"))?;
    let first = buffer(path, &bytes, &spec, "first.")?;
    let second = buffer(path, &bytes, &spec, "second.")?;
    let values = buffer(path, &bytes, &spec, "")?;
    Ok(TrainingState { parameters: Parameters { spec, values }, first, second, step })
}

fn write(
    path: &Path,
    spec: &ModelSpec,
    buffers: &[(&str, &Vec<f32>)],
    mut metadata: BTreeMap<String, String>,
) -> Result<(), ModelError> {
    metadata.insert("spec".into(), serde_json::to_string(spec).map_err(|error| failure(path, error))?);
    let layout = spec.layout();
    let mut blobs = Vec::new();
    for (prefix, values) in buffers {
        for entry in &layout.entries {
            let bytes: Vec<u8> = values[entry.range()].iter().flat_map(|value| value.to_le_bytes()).collect();
            blobs.push((format!("{prefix}{}", entry.name), entry.shape.clone(), bytes));
        }
    }
    let mut views = Vec::with_capacity(blobs.len());
    for (name, shape, bytes) in &blobs {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(|error| failure(path, error))?;
        views.push((name.as_str(), view));
    }
    // safetensors takes the metadata as a hash map; two keys at most would be written in any order, so one key
    // holds them all and the file's bytes depend on nothing else.
    let joined = serde_json::to_string(&metadata).map_err(|error| failure(path, error))?;
    let header = std::collections::HashMap::from([("stance".to_string(), joined)]);
    let bytes = safetensors::serialize(views, Some(header)).map_err(|error| failure(path, error))?;
    let aside = path.with_extension("partial");
    std::fs::write(&aside, bytes).and_then(|()| std::fs::rename(&aside, path)).map_err(|error| {
        let _ = std::fs::remove_file(&aside);
        failure(path, error)
    })
}

fn header(path: &Path, bytes: &[u8]) -> Result<(ModelSpec, BTreeMap<String, String>), ModelError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| failure(path, error))?;
    let joined = metadata
        .metadata()
        .as_ref()
        .and_then(|map| map.get("stance"))
        .ok_or_else(|| failure(path, "it is no checkpoint of this program"))?;
    let map: BTreeMap<String, String> = serde_json::from_str(joined).map_err(|error| failure(path, error))?;
    let spec = map.get("spec").ok_or_else(|| failure(path, "it names no model"))?;
    let spec: ModelSpec = serde_json::from_str(spec).map_err(|error| failure(path, error))?;
    spec.validate().map_err(|error| failure(path, error))?;
    Ok((spec, map))
}

fn buffer(path: &Path, bytes: &[u8], spec: &ModelSpec, prefix: &str) -> Result<Vec<f32>, ModelError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| failure(path, error))?;
    let layout = spec.layout();
    let mut values = vec![0.0; layout.len];
    for entry in &layout.entries {
        let name = format!("{prefix}{}", entry.name);
        let tensor = tensors.tensor(&name).map_err(|error| failure(path, error))?;
        if tensor.shape() != entry.shape || tensor.dtype() != Dtype::F32 {
            return Err(failure(path, format!("`{name}` has another shape or type than the model")));
        }
        for (value, bytes) in values[entry.range()].iter_mut().zip(tensor.data().chunks_exact(4)) {
            *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
    }
    Ok(values)
}
