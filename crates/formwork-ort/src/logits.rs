//! How are a model's logits masked and compared? They stay where the model left them; the mask goes there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formwork::{TokenId, TokenMask};
use formwork_decode::{BackendError, Logits, mask_by_row};
use half::f16;
use ort::value::DynTensor;
use ort::value::TensorElementType;

use crate::error::runtime;
use crate::head::{Head, mask_words};

/// The head that all logits of a model share.
pub(crate) type SharedHead = Arc<Mutex<Head>>;

/// The logits of one position of a pass, on the model's device.
///
/// A mask is kept until the logits are asked for. Then [`Logits::argmax`] sends it to the device, where a second session
/// picks the token, and [`Logits::copy_to`] gives the masked row.
#[derive(Debug)]
pub struct OrtLogits {
    head: SharedHead,
    /// The logits of all positions of the pass: shape (lanes, positions, width).
    pass: Arc<DynTensor>,
    /// Counted over all lanes.
    position: usize,
    width: usize,
    /// As wide as the head wants it. `None`: all are allowed.
    mask: Option<Vec<u32>>,
}

impl OrtLogits {
    pub(crate) fn new(head: SharedHead, pass: Arc<DynTensor>, position: usize) -> OrtLogits {
        let width = lock(&head).width();
        OrtLogits { head, pass, position, width, mask: None }
    }

    /// Copies the row from memory that the host can read; false where it cannot.
    fn copy_from_host(&self, out: &mut Vec<f32>) -> ort::Result<bool> {
        if !self.pass.memory_info().is_cpu_accessible() {
            return Ok(false);
        }
        let row = self.position * self.width..(self.position + 1) * self.width;
        out.clear();
        match self.pass.data_type() {
            TensorElementType::Float16 => {
                let (_, values) = self.pass.try_extract_tensor::<f16>()?;
                out.extend(values[row].iter().map(|value| value.to_f32()));
            }
            _ => out.extend_from_slice(&self.pass.try_extract_tensor::<f32>()?.1[row]),
        }
        if let Some(mask) = &self.mask {
            mask_by_row(out, mask, f32::NEG_INFINITY);
        }
        Ok(true)
    }

    fn full_mask(&self) -> Vec<u32> {
        self.mask.clone().unwrap_or_else(|| vec![u32::MAX; mask_words(self.width)])
    }
}

/// A panic elsewhere leaves the session as it was between two runs.
fn lock(head: &Mutex<Head>) -> MutexGuard<'_, Head> {
    head.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Logits for OrtLogits {
    fn width(&self) -> usize {
        self.width
    }

    fn apply_mask(&mut self, mask: &TokenMask) -> Result<usize, BackendError> {
        let mut words = vec![0; mask.n_words().max(mask_words(self.width))];
        mask.write_to(&mut words);
        words.truncate(mask_words(self.width));
        if let Some(before) = &self.mask {
            words.iter_mut().zip(before).for_each(|(word, before)| *word &= before);
        }
        let n_bytes = 4 * words.len();
        self.mask = Some(words);
        Ok(n_bytes)
    }

    fn argmax(&mut self) -> Result<Option<TokenId>, BackendError> {
        let mask = self.full_mask();
        lock(&self.head).greatest(&self.pass, self.position, &mask).map_err(runtime)
    }

    fn copy_to(&mut self, out: &mut Vec<f32>) -> Result<(), BackendError> {
        if self.copy_from_host(out).map_err(runtime)? {
            return Ok(());
        }
        let mask = self.full_mask();
        lock(&self.head).masked(&self.pass, self.position, &mask, out).map_err(runtime)
    }
}
