//! How are activations brought to one scale? RMSNorm and LayerNorm over the last dimension.

use candle_core::{DType, Result, Tensor};
use candle_nn::ops;

/// Which norm a family has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NormKind {
    Rms,
    /// RMSNorm that multiplies by 1 + weight.
    RmsPlusOne,
    /// LayerNorm with a bias.
    Layer,
}

/// A norm with its weights.
#[derive(Clone, Debug)]
pub(crate) struct Norm {
    weight: Tensor,
    bias: Option<Tensor>,
    epsilon: f32,
}

impl Norm {
    pub(crate) fn rms(weight: Tensor, epsilon: f64) -> Norm {
        Norm { weight, bias: None, epsilon: epsilon as f32 }
    }

    /// The weight is kept in `f32`, in which `x` is then normed too: 1 + weight would lose most of the weight in half
    /// precision.
    pub(crate) fn rms_plus_one(weight: &Tensor, epsilon: f64) -> Result<Norm> {
        Ok(Norm::rms((weight.to_dtype(DType::F32)? + 1.0)?, epsilon))
    }

    pub(crate) fn layer(weight: Tensor, bias: Tensor, epsilon: f64) -> Norm {
        Norm { weight, bias: Some(bias), epsilon: epsilon as f32 }
    }

    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let dtype = x.dtype();
        let x = x.to_dtype(self.weight.dtype())?;
        let normed = match &self.bias {
            None => ops::rms_norm(&x, &self.weight, self.epsilon),
            Some(bias) => ops::layer_norm(&x, &self.weight, bias, self.epsilon),
        };
        normed?.to_dtype(dtype)
    }
}
