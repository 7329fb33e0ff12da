//! The operations that have an obvious form beside the fused one, and the choice between the two.

use super::attention::Ends;
use super::{attention, fused, loss, plain, recurrence};
use crate::native::switch::{Operation, plain};

/// A function of the same arguments, of the module that the switch says.
macro_rules! face {
    ($operation:ident: $(#[$meta:meta])* $vis:vis fn $fused:ident::$name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)?) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            if plain(Operation::$operation) { plain::$name($($arg),*) } else { $fused::$name($($arg),*) }
        }
    };
}

face! { Norm:
    /// Layer normalisation of rows: y = (x − mean)/√(variance + 1e-5)·gain + bias. Keeps (x − mean)/√… in
    /// `normal` and 1/√… in `scale` for the gradient.
    pub fn fused::normalise(
        x: &[f32], gain: &[f32], bias: &[f32], y: &mut [f32], normal: &mut [f32], scale: &mut [f32],
    )
}

face! { Norm:
    /// Gradient of [`normalise`]: adds to dx, and to the gradients of gain and bias.
    pub fn fused::normalise_backward(
        dy: &[f32], normal: &[f32], scale: &[f32], gain: &[f32], dx: &mut [f32], dgain: &mut [f32], dbias: &mut [f32],
    )
}

face! { Activation:
    /// x ← x + bias, y ← gelu(x) by the tanh form (Hendrycks & Gimpel 2016), slope ← its derivative.
    pub fn fused::gelu(x: &mut [f32], bias: &[f32], y: &mut [f32], slope: &mut [f32])
}

face! { Loss:
    /// Loss (nats) and gradient of softmax cross-entropy of one row: `row` holds logits and becomes softmax − one-hot.
    pub fn loss::cross_entropy(row: &mut [f32], target: usize) -> f32
}

face! { Attention:
    /// Rows of attention scores to rows of weights, in place.
    pub(crate) fn attention::attend(
        scores: &mut [f32], relative: &[f32], scale: f32, live: usize, stride: usize, ends: &mut [Ends],
    )
}

face! { Attention:
    /// Gradient of [`attend`] with regard to the scaled scores, in place.
    pub(crate) fn attention::attend_backward(weights: &[f32], gradient: &mut [f32], stride: usize)
}

face! { Attention:
    /// Causal attention.
    pub(crate) fn attention::attend_past(
        scores: &mut [f32], relative: &[f32], scale: f32, stride: usize, first: usize, seen: usize, ends: &mut [Ends],
    )
}

face! { Attention:
    /// Gradient of [`attend_past`] with regard to the scaled scores, in place; added to that of the bias too.
    pub(crate) fn attention::attend_past_backward(
        weights: &[f32], gradient: &mut [f32], relative: &mut [f32], stride: usize, first: usize, seen: usize,
    )
}

face! { Recurrence:
    /// Rows of an LSTM's pre-activations to gates, in place.
    pub(crate) fn recurrence::gates(rows: &mut [f32], width: usize)
}

face! { Recurrence:
    /// Rows of gates and of earlier cells to cells.
    pub(crate) fn recurrence::cells(gates: &[f32], before: &[f32], cells: &mut [f32], width: usize)
}

face! { Recurrence:
    /// Rows of gates and cells to hidden states.
    pub(crate) fn recurrence::hidden(
        gates: &[f32], cells: &[f32], bent: &mut [f32], hidden: &mut [f32], width: usize,
    )
}

face! { Recurrence:
    /// Gradient of [`gates`], [`cells`] and [`hidden`] at one position.
    pub(crate) fn recurrence::recur_backward(
        gates: &mut [f32], before: &[f32], bent: &[f32], dhidden: &[f32], dcells: &mut [f32], width: usize,
    )
}
