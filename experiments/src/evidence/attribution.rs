//! Looking from the residual stream at the output: the logit lens, and direct logit attribution by component.

use environments::Symbol;
use models::{Action, Intervention, ModelError, Plan, Predictor, Run};

use super::linear::{add_scaled, dot};

/// What the model would say if what it holds at a tap of the residual stream were its last word: logits, sequences ×
/// positions × targets (nostalgebraist 2020, "interpreting GPT: the logit lens").
///
/// # Errors
/// Those of the model; for a tap that is not of the residual stream's width, or a model without one.
pub fn logit_lens(model: &dyn Predictor, tokens: &[Symbol], tap: &str) -> Result<Vec<f32>, ModelError> {
    let last = last(model);
    let read = model.run(tokens, &Plan::reading(&[tap]))?.captured.remove(0);
    let rows: Vec<usize> = (0..read.rows).collect();
    let put = |(sequence, values): (usize, &[f32])| Intervention {
        tap: last.clone(),
        sequence: Some(sequence),
        rows: rows.clone(),
        action: Action::Replace { values: values.to_vec() },
    };
    let interventions = read.values.chunks(read.rows * read.width).enumerate().map(put).collect();
    Ok(model.run(tokens, &Plan { capture: Vec::new(), interventions })?.logits)
}

/// The tap before the last normalisation.
fn last(model: &dyn Predictor) -> String {
    format!("blocks.{}.resid_post", model.parameters().spec.model.depth() - 1)
}

/// Every logit as a sum over the components that write to the residual stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// `embed`, every block's `attn_out` and `mlp_out`, and last `bias`: that of the last normalisation and the output.
    pub components: Vec<String>,
    /// Number of logits of a position.
    pub targets: usize,
    /// (Sequence, position) × components × targets.
    pub values: Vec<f64>,
}

impl Attribution {
    /// What a component adds to the logits at a position (counted through all sequences).
    pub fn of(&self, position: usize, component: usize) -> &[f64] {
        let start = (position * self.components.len() + component) * self.targets;
        &self.values[start..start + self.targets]
    }
}

/// Direct logit attribution (Elhage et al. 2021, "A mathematical framework for transformer circuits"): what reaches the
/// output through later blocks counts for these. The scale of the last normalisation is taken as it came out, which makes
/// logits a linear function of the components; their sum is the logit.
///
/// # Errors
/// Those of the model; for one that is not a transformer.
pub fn attribute_logits(model: &dyn Predictor, tokens: &[Symbol]) -> Result<Attribution, ModelError> {
    // As in the models' own normalisation.
    const EPSILON: f64 = 1e-5;
    let parameters = model.parameters();
    let mut taps = vec!["embed".to_string()];
    for block in 0..parameters.spec.model.depth() {
        taps.extend(["attn_out", "mlp_out"].map(|part| format!("blocks.{block}.{part}")));
    }
    let mut components = taps.clone();
    components.push("bias".into());
    taps.push(last(model));
    let run: Run = model.run(tokens, &Plan { capture: taps, interventions: Vec::new() })?;
    let named = |name: &str| -> Result<Vec<f64>, ModelError> {
        let found = parameters.get(name).ok_or_else(|| ModelError::Config(format!("the model has no `{name}`")))?;
        Ok(found.iter().map(|value| f64::from(*value)).collect())
    };
    let (gain, shift) = (named("final.norm.gain")?, named("final.norm.bias")?);
    let (unembed, bias) = (named("unembed.weight")?, named("unembed.bias")?);
    let (width, targets) = (gain.len(), bias.len());
    let to_logits = |row: &[f64]| {
        let mut logits = vec![0.0; targets];
        row.iter().zip(unembed.chunks_exact(targets)).for_each(|(&value, to)| add_scaled(&mut logits, value, to));
        logits
    };
    let constant: Vec<f64> = to_logits(&shift).iter().zip(&bias).map(|(a, b)| a + b).collect();
    let centred = |row: &[f32]| -> Vec<f64> {
        let mean = row.iter().map(|value| f64::from(*value)).sum::<f64>() / width as f64;
        row.iter().map(|value| f64::from(*value) - mean).collect()
    };
    let (stream, parts) = run.captured.split_last().ok_or_else(|| ModelError::UnfiredTap("embed".into()))?;
    let mut values = Vec::new();
    for (position, whole) in stream.values.chunks_exact(width).enumerate() {
        let whole = centred(whole);
        let scale = 1.0 / (dot(&whole, &whole) / width as f64 + EPSILON).sqrt();
        for part in parts {
            let part = centred(&part.values[position * width..(position + 1) * width]);
            let normal: Vec<f64> = part.iter().zip(&gain).map(|(value, gain)| value * scale * gain).collect();
            values.extend(to_logits(&normal));
        }
        values.extend(&constant);
    }
    Ok(Attribution { components, targets, values })
}
