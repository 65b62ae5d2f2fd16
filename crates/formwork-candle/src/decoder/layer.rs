//! What does one layer do to the hidden states? Attention and a feed-forward network, each added to its input.

use candle_core::{Module, Result, Tensor};
use candle_nn::Activation;

use crate::decoder::attention::{Attention, AttentionContext, Segment};
use crate::decoder::linear::Linear;
use crate::decoder::norm::Norm;

/// One layer. Families differ in which norms there are.
#[derive(Debug)]
pub(crate) struct Layer {
    /// Which of the decoder's kinds of attention this layer has.
    pub(crate) kind_idx: usize,
    pub(crate) input_norm: Norm,
    pub(crate) attention: Attention,
    /// On what attention gives, before it is added.
    pub(crate) attention_output_norm: Option<Norm>,
    /// On the input of the feed-forward network; without one, the network works beside attention on the same input.
    pub(crate) feed_forward_norm: Option<Norm>,
    pub(crate) feed_forward: FeedForward,
    /// On what the feed-forward network gives, before it is added.
    pub(crate) feed_forward_output_norm: Option<Norm>,
}

impl Layer {
    /// `x` and the result have shape `[n, hidden_size]`.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        layer_idx: usize,
        context: &AttentionContext,
        segments: &mut [Segment<'_>],
    ) -> Result<Tensor> {
        let normed = self.input_norm.forward(x)?;
        let attended = self.attention.forward(&normed, layer_idx, context, segments)?;
        let x = (x + apply(&self.attention_output_norm, attended)?)?;
        let inner = match &self.feed_forward_norm {
            Some(norm) => self.feed_forward.forward(&norm.forward(&x)?)?,
            None => self.feed_forward.forward(&normed)?,
        };
        x + apply(&self.feed_forward_output_norm, inner)?
    }
}

fn apply(norm: &Option<Norm>, x: Tensor) -> Result<Tensor> {
    match norm {
        Some(norm) => norm.forward(&x),
        None => Ok(x),
    }
}

/// The network that works on each position alone.
#[derive(Debug)]
pub(crate) struct FeedForward {
    /// Multiplied with what `up` gives, after the activation; without it, the activation is on `up`.
    pub(crate) gate: Option<Linear>,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
    pub(crate) activation: Activation,
}

impl FeedForward {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let up = self.up.forward(x)?;
        let inner = match &self.gate {
            Some(gate) => (self.activation.forward(&gate.forward(x)?)? * up)?,
            None => self.activation.forward(&up)?,
        };
        self.down.forward(&inner)
    }
}
