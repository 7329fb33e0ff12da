//! Path patching (Wang et al. 2023, arXiv:2211.00593; Goldowsky-Dill et al. 2023, arXiv:2304.05969): what one component says
//! to another, and to no other. The sender's activation is another input's; every component between that is not the receiver
//! keeps what it said on the own input; what the receiver then takes in is put into an otherwise clean run.

use environments::Symbol;
use models::{Action, Intervention, ModelError, Plan, Predictor, Run};

/// The way from a tap to a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What is replaced by that of another input.
    pub sender: String,
    /// What is let through.
    pub receiver: String,
}

/// Sequences of tokens of one length, one after the other, their number, and positions of each that are patched.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Tokens of all sequences.
    pub own: &'a [Symbol],
    /// As many, of the inputs from which the sender's activation is taken.
    pub other: &'a [Symbol],
    /// Positions at which the sender is replaced; of the same numbers in both.
    pub rows: &'a [usize],
}

/// The components that write to the residual stream after a tap and before another, by the order of a forward pass.
fn between(model: &dyn Predictor, way: &Way) -> Result<Vec<String>, ModelError> {
    let spec = &model.parameters().spec;
    let taps = spec.taps();
    let (from, to) = (spec.tap(&way.sender)?, spec.tap(&way.receiver)?);
    if from >= to {
        return Err(ModelError::Shape(format!("`{}` does not come after `{}`", way.receiver, way.sender)));
    }
    let writes = |name: &str| name.ends_with("attn_out") || name.ends_with("mlp_out");
    Ok(taps[from + 1..to].iter().map(|tap| tap.name.clone()).filter(|name| writes(name)).collect())
}

/// Puts all rows of all sequences of captured taps in place.
fn hold(run: &Run, taps: &[String]) -> Result<Vec<Intervention>, ModelError> {
    let mut all = Vec::new();
    for tap in taps {
        let captured = run.tap(tap)?;
        let each = captured.rows * captured.width;
        all.extend(captured.values.chunks_exact(each.max(1)).enumerate().map(|(sequence, values)| Intervention {
            tap: tap.clone(),
            sequence: Some(sequence),
            rows: (0..captured.rows).collect(),
            action: Action::Replace { values: values.to_vec() },
        }));
    }
    Ok(all)
}

/// The model's run with one path patched: what the sender says on the other inputs reaches the receiver alone.
///
/// # Errors
/// Those of the model; where the receiver does not come after the sender.
pub fn patch_path(model: &dyn Predictor, way: &Way, inputs: Inputs<'_>) -> Result<Run, ModelError> {
    let frozen = between(model, way)?;
    let clean = model.run(inputs.own, &Plan { capture: frozen.clone(), interventions: Vec::new() })?;
    let other = model.run(inputs.other, &Plan::reading(&[way.sender.as_str()]))?;
    let said = other.tap(&way.sender)?;
    let sequences = said.values.len() / (said.rows * said.width).max(1);
    let mut interventions = hold(&clean, &frozen)?;
    interventions.extend((0..sequences).map(|sequence| Intervention {
        tap: way.sender.clone(),
        sequence: Some(sequence),
        rows: inputs.rows.to_vec(),
        action: Action::Replace {
            values: inputs.rows.iter().flat_map(|&row| said.row(sequence, row)).copied().collect(),
        },
    }));
    let told = model.run(inputs.own, &Plan { capture: vec![way.receiver.clone()], interventions })?;
    let interventions = hold(&told, std::slice::from_ref(&way.receiver))?;
    model.run(inputs.own, &Plan { capture: Vec::new(), interventions })
}
