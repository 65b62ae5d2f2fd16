//! What does each position take from those before it? Attention over the cached keys and values of its own row.
//!
//! The tokens of all rows go through the projections together, without padding; then each row attends by itself. Query
//! heads that share a key-value head are rows of one matrix, so that keys and values are never repeated.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops;

use crate::decoder::cache::KvCache;
use crate::decoder::linear::Linear;
use crate::decoder::norm::Norm;
use crate::decoder::rope::{Rope, rotate};

/// Rope and window, in which layers differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AttentionKind {
    pub(crate) rope: Rope,
    /// How many positions a token sees, itself included; `None` for all.
    pub(crate) window: Option<usize>,
}

/// The next tokens of one row in a pass.
pub(crate) struct Segment<'a> {
    pub(crate) cache: &'a mut KvCache,
    /// Positions before the segment.
    pub(crate) start: usize,
    pub(crate) n_tokens: usize,
}

/// What the layers of one kind share in a pass.
pub(crate) struct AttentionContext {
    cosines: Tensor,
    sines: Tensor,
    window: Option<usize>,
    /// For each segment, what is added to its scores; `None` where all that is read is seen.
    masks: Vec<Option<Tensor>>,
}

impl AttentionContext {
    pub(crate) fn new(
        kind: &AttentionKind,
        segments: &[Segment<'_>],
        dtype: DType,
        device: &Device,
    ) -> Result<AttentionContext> {
        let positions: Vec<usize> =
            segments.iter().flat_map(|segment| segment.start..segment.start + segment.n_tokens).collect();
        let (cosines, sines) = kind.rope.tables(&positions, dtype, device)?;
        let masks = segments.iter().map(|segment| mask(segment, kind.window, device));
        Ok(AttentionContext { cosines, sines, window: kind.window, masks: masks.collect::<Result<_>>()? })
    }
}

/// The first position that any token of the segment sees.
fn first_seen(segment: &Segment<'_>, window: Option<usize>) -> usize {
    window.map_or(0, |window| (segment.start + 1).saturating_sub(window))
}

/// 0 where a token sees a position and −∞ where not, of shape `[tokens, positions]` from the first seen one on. A single
/// token sees them all.
fn mask(segment: &Segment<'_>, window: Option<usize>, device: &Device) -> Result<Option<Tensor>> {
    if segment.n_tokens == 1 {
        return Ok(None);
    }
    let (first, end) = (first_seen(segment, window), segment.start + segment.n_tokens);
    let sees =
        |token: usize, position: usize| position <= token && window.is_none_or(|window| token - position < window);
    let row = |token| (first..end).map(move |position| if sees(token, position) { 0.0 } else { f32::NEG_INFINITY });
    let values: Vec<f32> = (segment.start..end).flat_map(row).collect();
    Tensor::from_vec(values, (segment.n_tokens, end - first), device).map(Some)
}

/// The attention of one layer.
#[derive(Debug)]
pub(crate) struct Attention {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    pub(crate) query_norm: Option<Norm>,
    pub(crate) key_norm: Option<Norm>,
    pub(crate) n_heads: usize,
    pub(crate) n_key_value_heads: usize,
    pub(crate) head_dim: usize,
    /// What scores are multiplied by.
    pub(crate) scale: f64,
    /// Scores are kept within plus and minus this.
    pub(crate) cap: Option<f64>,
}

impl Attention {
    /// `x` and the result have shape `[n, hidden_size]`, the tokens of all segments in their order.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        layer_idx: usize,
        context: &AttentionContext,
        segments: &mut [Segment<'_>],
    ) -> Result<Tensor> {
        let n = x.dim(0)?;
        let heads = |projection: &Linear, n_heads| projection.forward(x)?.reshape((n, n_heads, self.head_dim));
        let turned = |heads: Tensor, norm: &Option<Norm>| {
            let heads = norm.as_ref().map_or(Ok(heads.clone()), |norm| norm.forward(&heads))?;
            rotate(&heads, &context.cosines, &context.sines)
        };
        let queries = (turned(heads(&self.query, self.n_heads)?, &self.query_norm)? * self.scale)?;
        let keys = turned(heads(&self.key, self.n_key_value_heads)?, &self.key_norm)?;
        let values = heads(&self.value, self.n_key_value_heads)?;
        let mut outputs = Vec::with_capacity(segments.len());
        let mut first = 0;
        for (segment, mask) in segments.iter_mut().zip(&context.masks) {
            let own = |x: &Tensor| x.narrow(0, first, segment.n_tokens)?.transpose(0, 1)?.contiguous();
            let (queries, keys, values) = (own(&queries)?, own(&keys)?, own(&values)?);
            let (first_seen, end) = (first_seen(segment, context.window), segment.start + segment.n_tokens);
            let (keys, values) = segment.cache.write(layer_idx, segment.start, &keys, &values)?;
            let seen = |x: &Tensor| x.narrow(1, first_seen, end - first_seen);
            outputs.push(self.attend(&queries, &seen(keys)?, &seen(values)?, mask.as_ref())?);
            first += segment.n_tokens;
        }
        self.output.forward(&Tensor::cat(&outputs, 0)?)
    }

    /// For queries of shape `[heads, n, head_dim]`, keys and values of `[key-value heads, positions, head_dim]` and a
    /// mask of `[n, positions]`, the result of shape `[n, heads * head_dim]`.
    fn attend(&self, queries: &Tensor, keys: &Tensor, values: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (n, n_positions, dtype) = (queries.dim(1)?, keys.dim(1)?, queries.dtype());
        let grouped = queries.reshape((self.n_key_value_heads, (), self.head_dim))?;
        let mut scores = grouped.matmul(&keys.t()?)?.to_dtype(DType::F32)?;
        if let Some(cap) = self.cap {
            scores = ((scores / cap)?.tanh()? * cap)?;
        }
        if let Some(mask) = mask {
            scores = scores.reshape((self.n_heads, n, n_positions))?.broadcast_add(mask)?;
        }
        let shares = ops::softmax_last_dim(&scores)?.to_dtype(dtype)?;
        let shares = shares.reshape((self.n_key_value_heads, (), n_positions))?;
        let mixed = shares.matmul(values)?.reshape((self.n_heads, n, self.head_dim))?;
        mixed.transpose(0, 1)?.reshape((n, self.n_heads * self.head_dim))
    }
}
