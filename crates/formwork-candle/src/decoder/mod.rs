//! How are logits computed from tokens? One decoder-only transformer, with switches for what families differ in.
//!
//! The decoder holds weights alone and is shared by all sequences; what belongs to a sequence is its [`KvCache`]. A pass
//! takes the next tokens of any number of sequences, one after another in one matrix.

mod attention;
mod cache;
mod config;
mod layer;
mod linear;
mod load;
mod norm;
mod rope;
mod scaling;

use candle_core::{DType, Device, Result, Tensor};

pub(crate) use attention::Segment;
pub(crate) use cache::KvCache;

use attention::{AttentionContext, AttentionKind};
use layer::Layer;
use linear::Linear;
use norm::Norm;

/// The weights of a model on one device.
#[derive(Debug)]
pub(crate) struct Decoder {
    embedding: Tensor,
    embedding_scale: Option<f64>,
    kinds: Vec<AttentionKind>,
    layers: Vec<Layer>,
    norm: Norm,
    output: Linear,
    /// Logits are kept within plus and minus this.
    logit_cap: Option<f64>,
    n_heads: usize,
    dtype: DType,
    device: Device,
}

impl Decoder {
    /// The device that it runs on.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// How many query heads each layer has.
    pub(crate) fn n_heads(&self) -> usize {
        self.n_heads
    }

    /// An empty cache for `max_positions` at most.
    pub(crate) fn new_cache(&self, max_positions: usize) -> KvCache {
        KvCache::new(self.layers.len(), max_positions)
    }

    /// Hidden states of shape `[n, hidden_size]` behind the last layer, for the n tokens of all segments in their order.
    /// Writes to the caches behind the starts of the segments, nowhere else.
    pub(crate) fn hidden(&self, tokens: &[u32], segments: &mut [Segment<'_>]) -> Result<Tensor> {
        let mut x = self.embedding.embedding(&Tensor::new(tokens, &self.device)?)?;
        if let Some(scale) = self.embedding_scale {
            x = (x * scale)?;
        }
        let new = |kind| AttentionContext::new(kind, segments, self.dtype, &self.device);
        let contexts = self.kinds.iter().map(new).collect::<Result<Vec<_>>>()?;
        for (layer_idx, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x, layer_idx, &contexts[layer.kind_idx], segments)?;
        }
        Ok(x)
    }

    /// Logits of shape `[n, vocab_size]` for hidden states of shape `[n, hidden_size]`.
    pub(crate) fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        let logits = self.output.forward(&self.norm.forward(hidden)?)?;
        match self.logit_cap {
            Some(cap) => (logits.to_dtype(DType::F32)? / cap)?.tanh()? * cap,
            None => Ok(logits),
        }
    }
}
