//! How are logits masked and compared where they are? On the CPU in place, on other devices by tensor operations.

use candle_core::{CpuStorage, DType, Device, InplaceOp1, Layout, Result, Storage, Tensor};
use formwork::{TokenId, TokenMask};
use formwork_decode::{BackendError, Logits, greatest, mask_logits};

use crate::error::runtime;

/// One row of logits, `f32`, on the model's device.
#[derive(Debug)]
pub struct CandleLogits {
    row: Tensor,
}

impl CandleLogits {
    /// The row in a model's output, checked and as `f32`.
    pub(crate) fn new(output: &Tensor, width: usize) -> std::result::Result<CandleLogits, BackendError> {
        if output.elem_count() != width {
            return Err(BackendError::LogitsShape { actual: output.dims().to_vec(), expected: width });
        }
        let row = output.flatten_all().and_then(|row| row.to_dtype(DType::F32)).and_then(|row| row.contiguous());
        Ok(CandleLogits { row: row.map_err(runtime)? })
    }

    /// The logits as a tensor of one dimension.
    pub fn tensor(&self) -> &Tensor {
        &self.row
    }

    /// Runs `read` on the row in host memory; `None` when it is not there.
    fn on_host<T>(&self, read: impl FnOnce(&[f32]) -> T) -> Option<T> {
        let (storage, layout) = self.row.storage_and_layout();
        match (&*storage, layout.contiguous_offsets()) {
            (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) => Some(read(&values[start..end])),
            _ => None,
        }
    }

    /// One number comes back, and one more to tell whether it may be chosen.
    fn argmax_on_device(&self) -> Result<Option<u32>> {
        let id = self.row.argmax(0)?.to_scalar::<u32>()?;
        let logit = self.row.get(id as usize)?.to_scalar::<f32>()?;
        // When NaN won, the others are compared on the host.
        if logit.is_nan() {
            return Ok(greatest(&self.row.to_vec1()?).map(TokenId::get));
        }
        Ok((logit > f32::NEG_INFINITY).then_some(id))
    }
}

impl Logits for CandleLogits {
    fn width(&self) -> usize {
        self.row.elem_count()
    }

    fn apply_mask(&mut self, mask: &TokenMask) -> std::result::Result<usize, BackendError> {
        match self.row.device() {
            Device::Cpu => self.row.inplace_op1(&MaskOp { mask }).map(|()| 0).map_err(runtime),
            _ => {
                self.row = masked_by_select(&self.row, mask).map_err(runtime)?;
                Ok(self.row.elem_count())
            }
        }
    }

    fn argmax(&mut self) -> std::result::Result<Option<TokenId>, BackendError> {
        match self.on_host(greatest) {
            Some(id) => Ok(id),
            None => self.argmax_on_device().map(|id| id.map(TokenId::new)).map_err(runtime),
        }
    }

    fn copy_to(&mut self, out: &mut Vec<f32>) -> std::result::Result<(), BackendError> {
        out.clear();
        if self.on_host(|values| out.extend_from_slice(values)).is_none() {
            out.extend(self.row.to_vec1::<f32>().map_err(runtime)?);
        }
        Ok(())
    }
}

/// Writes −∞ in place where the packed mask has a 0.
struct MaskOp<'a> {
    mask: &'a TokenMask,
}

impl InplaceOp1 for MaskOp<'_> {
    fn name(&self) -> &'static str {
        "formwork-mask"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let Some((start, end)) = layout.contiguous_offsets() else {
            candle_core::bail!("logits to mask are not contiguous");
        };
        match storage {
            CpuStorage::F32(values) => mask_logits(&mut values[start..end], self.mask, f32::NEG_INFINITY),
            _ => candle_core::bail!("logits to mask are not f32"),
        }
        Ok(())
    }
}

/// The same by a selection, for every device: one byte per logit goes there, the logits stay.
fn masked_by_select(row: &Tensor, mask: &TokenMask) -> Result<Tensor> {
    let mut allowed = vec![1u8; row.elem_count()];
    mask_logits(&mut allowed, mask, 0);
    let allowed = Tensor::from_vec(allowed, row.shape(), row.device())?;
    let forbidden = Tensor::new(f32::NEG_INFINITY, row.device())?.broadcast_as(row.shape())?;
    allowed.where_cond(row, &forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logits(values: &[f32]) -> CandleLogits {
        let output = Tensor::new(values, &Device::Cpu).unwrap().reshape((1, 1, values.len())).unwrap();
        CandleLogits::new(&output, values.len()).unwrap()
    }

    #[test]
    fn both_ways_to_mask_agree() {
        let values: Vec<f32> = (0..70).map(|i| (i * 37 % 70) as f32).collect();
        let mask = TokenMask::from_words(&[0x8000_0001, 0xFFFF_0000]);
        let mut in_place = logits(&values);
        in_place.apply_mask(&mask).unwrap();
        let selected = masked_by_select(logits(&values).tensor(), &mask).unwrap();
        assert_eq!(in_place.row.to_vec1::<f32>().unwrap(), selected.to_vec1::<f32>().unwrap());
        assert_eq!(in_place.argmax().unwrap(), CandleLogits { row: selected }.argmax().unwrap());
    }

    #[test]
    fn arg_max_on_a_device_agrees_with_the_host() {
        for values in [&[1.0, 3.0, 2.0][..], &[f32::NEG_INFINITY; 3], &[f32::NAN, 1.0, 2.0], &[f32::NAN; 2]] {
            let mut logits = logits(values);
            let on_device = logits.argmax_on_device().unwrap().map(TokenId::new);
            assert_eq!(logits.argmax().unwrap(), on_device, "{values:?}");
        }
    }

    #[test]
    fn another_number_of_logits_is_an_error() {
        let output = Tensor::zeros((1, 2, 3), DType::F32, &Device::Cpu).unwrap();
        let error = CandleLogits::new(&output, 3).unwrap_err();
        assert_eq!(error.to_string(), "the model gave logits of shape [1, 2, 3], 3 were expected");
    }
}
