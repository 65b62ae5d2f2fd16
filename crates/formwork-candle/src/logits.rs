//! How are logits masked and compared where they are? On the CPU in place, on other devices without copying the row.

use candle_core::{CpuStorage, DType, Result, Storage, Tensor};
use formwork::{TokenId, TokenMask};
use formwork_decode::{BackendError, Logits, TopLogits, greatest};

use crate::choose;
use crate::error::runtime;
use crate::mask::DeviceMasks;

/// One row of logits on the model's device, of the type that the model computes in.
#[derive(Debug)]
pub struct CandleLogits {
    row: Tensor,
    masks: DeviceMasks,
}

impl CandleLogits {
    /// The row in a model's output, of any shape that holds `width` logits. `masks` are those of the model.
    ///
    /// # Errors
    /// [`BackendError::LogitsShape`] for another number of logits, or what candle reports.
    pub fn new(output: &Tensor, width: usize, masks: &DeviceMasks) -> std::result::Result<CandleLogits, BackendError> {
        if output.elem_count() != width {
            return Err(BackendError::LogitsShape { actual: output.dims().to_vec(), expected: width });
        }
        let row = output.flatten_all().and_then(|row| row.contiguous()).map_err(runtime)?;
        Ok(CandleLogits { row, masks: masks.clone() })
    }

    /// The logits as a tensor of one dimension.
    pub fn tensor(&self) -> &Tensor {
        &self.row
    }

    /// Runs `read` on the row in host memory; `None` when it is not there, or not `f32`.
    fn on_host<T>(&self, read: impl FnOnce(&[f32]) -> T) -> Option<T> {
        let (storage, layout) = self.row.storage_and_layout();
        match (&*storage, layout.contiguous_offsets()) {
            (Storage::Cpu(CpuStorage::F32(values)), Some((start, end))) => Some(read(&values[start..end])),
            _ => None,
        }
    }

    fn copied(&self) -> Result<Vec<f32>> {
        self.row.to_dtype(DType::F32)?.to_vec1()
    }

    /// One number comes back, and one more to tell whether it may be chosen.
    fn argmax_on_device(&self) -> Result<Option<u32>> {
        let id = self.row.argmax(0)?.to_scalar::<u32>()?;
        let logit = self.row.get(id as usize)?.to_dtype(DType::F32)?.to_scalar::<f32>()?;
        // When NaN won, the others are compared on the host.
        if logit.is_nan() {
            return Ok(greatest(&self.copied()?).map(TokenId::get));
        }
        Ok((logit > f32::NEG_INFINITY).then_some(id))
    }
}

impl Logits for CandleLogits {
    fn width(&self) -> usize {
        self.row.elem_count()
    }

    fn apply_mask(&mut self, mask: &TokenMask) -> std::result::Result<usize, BackendError> {
        self.masks.apply(&mut self.row, mask).map_err(runtime)
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
            out.extend(self.copied().map_err(runtime)?);
        }
        Ok(())
    }

    fn top(&mut self, n: usize, temperature: f64) -> std::result::Result<Option<TopLogits>, BackendError> {
        match self.row.device().is_cpu() {
            true => Ok(None),
            false => choose::top(&self.row, n, temperature).map_err(runtime),
        }
    }

    fn draw(&mut self, temperature: f64, unit: f64) -> std::result::Result<Option<TokenId>, BackendError> {
        match self.row.device().is_cpu() {
            true => Ok(None),
            false => choose::draw(&self.row, temperature, unit).map_err(runtime),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn logits(values: &[f32]) -> CandleLogits {
        let output = Tensor::new(values, &Device::Cpu).unwrap().reshape((1, 1, values.len())).unwrap();
        CandleLogits::new(&output, values.len(), &DeviceMasks::new()).unwrap()
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
        let error = CandleLogits::new(&output, 3, &DeviceMasks::new()).unwrap_err();
        assert_eq!(error.to_string(), "the model gave logits of shape [1, 2, 3], 3 were expected");
    }
}
