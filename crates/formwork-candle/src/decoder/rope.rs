//! How does attention know positions? Rotary embeddings: pairs of numbers in queries and keys are turned by an angle that
//! grows with the position, at a frequency for each pair.
//!
//! Su et al., "RoFormer". Number `i` is paired with number `i + half`, as checkpoints in the Hugging Face layout have
//! it. Angles are computed as they were in training: in `f32`.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::rotary_emb::rope_thd;

use crate::decoder::scaling::RopeScaling;

/// The frequencies of one kind of layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rope {
    /// Angle per position, for each pair.
    frequencies: Vec<f32>,
    /// What cosine and sine are multiplied by.
    magnitude: f32,
}

impl Rope {
    /// `rotary_dim` numbers of a head are turned, an even number from 2 on; the first pair by 1 per position, the others
    /// by ever less, down to almost `1 / theta`.
    pub(crate) fn new(theta: f64, rotary_dim: usize, scaling: RopeScaling) -> Rope {
        let mut frequencies: Vec<f64> =
            (0..rotary_dim).step_by(2).map(|i| theta.powf(i as f64 / rotary_dim as f64).recip()).collect();
        scaling.apply(&mut frequencies, theta);
        let frequencies = frequencies.into_iter().map(|frequency| frequency as f32).collect();
        Rope { frequencies, magnitude: scaling.magnitude() as f32 }
    }

    /// Cosine and sine for each position, of shape `[positions, rotary_dim / 2]`.
    pub(crate) fn tables(&self, positions: &[usize], dtype: DType, device: &Device) -> Result<(Tensor, Tensor)> {
        let angles = positions
            .iter()
            .flat_map(|&position| self.frequencies.iter().map(move |frequency| position as f32 * frequency));
        let (sines, cosines): (Vec<f32>, Vec<f32>) =
            angles.map(f32::sin_cos).map(|(sine, cosine)| (sine * self.magnitude, cosine * self.magnitude)).unzip();
        let shape = (positions.len(), self.frequencies.len());
        let table = |values| Tensor::from_vec(values, shape, device)?.to_dtype(dtype);
        Ok((table(cosines)?, table(sines)?))
    }
}

/// Turns the first numbers of each head; `x` has shape `[n, heads, head_dim]`, the tables one row for each of n.
pub(crate) fn rotate(x: &Tensor, cosines: &Tensor, sines: &Tensor) -> Result<Tensor> {
    let (head_dim, rotary_dim) = (x.dim(2)?, 2 * cosines.dim(1)?);
    if rotary_dim == head_dim {
        return rope_thd(&x.unsqueeze(0)?, cosines, sines)?.squeeze(0);
    }
    let turned = x.narrow(2, 0, rotary_dim)?.contiguous()?;
    let turned = rope_thd(&turned.unsqueeze(0)?, cosines, sines)?.squeeze(0)?;
    Tensor::cat(&[&turned, &x.narrow(2, rotary_dim, head_dim - rotary_dim)?.contiguous()?], 2)
}
