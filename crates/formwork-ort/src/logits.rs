//! How are a model's logits masked and compared? Where the model left them: in host memory, or on its device.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formwork::{TokenId, TokenMask};
use formwork_decode::{BackendError, HostLogits, Logits, TopLogits};
use half::f16;
use ort::value::{DynTensor, TensorElementType};

use crate::error::runtime;
use crate::head::{Head, MaskedRow};
use crate::head_graph::mask_words;
use crate::mask::DeviceMask;

/// The head that all logits of a model share.
pub(crate) type SharedHead = Arc<Mutex<Head>>;

/// The logits of one position of a pass.
///
/// On a device they stay there: [`Logits::apply_mask`] sends what of the mask is not there yet, and what is asked for is
/// found by a second session. In host memory they are masked and compared as they are, without one.
#[derive(Debug)]
pub struct OrtLogits {
    head: SharedHead,
    /// The logits of all positions of the pass: shape (lanes, positions, width).
    pass: Arc<DynTensor>,
    /// Counted over all lanes.
    position: usize,
    width: usize,
    row: Row,
}

#[derive(Debug)]
enum Row {
    /// In host memory, not copied from the pass yet.
    InPass,
    /// Copied from the pass.
    Host(HostLogits),
    /// On a device, with the mask that it has.
    Device(Option<(TokenMask, DeviceMask)>),
}

impl OrtLogits {
    pub(crate) fn new(head: SharedHead, pass: Arc<DynTensor>, position: usize) -> OrtLogits {
        let row = if pass.memory_info().is_cpu_accessible() { Row::InPass } else { Row::Device(None) };
        OrtLogits { row, ..OrtLogits::on_device(head, pass, position) }
    }

    /// By way of the head, wherever the logits are.
    pub(crate) fn on_device(head: SharedHead, pass: Arc<DynTensor>, position: usize) -> OrtLogits {
        let width = lock(&head).width();
        OrtLogits { head, pass, position, width, row: Row::Device(None) }
    }

    /// The row in host memory; `None` on a device.
    fn on_host(&mut self) -> Result<Option<&mut HostLogits>, BackendError> {
        if matches!(self.row, Row::InPass) {
            self.row = Row::Host(HostLogits(self.copied().map_err(runtime)?));
        }
        match &mut self.row {
            Row::Host(logits) => Ok(Some(logits)),
            _ => Ok(None),
        }
    }

    fn copied(&self) -> ort::Result<Vec<f32>> {
        let row = self.position * self.width..(self.position + 1) * self.width;
        Ok(match self.pass.data_type() {
            TensorElementType::Float16 => {
                let (_, values) = self.pass.try_extract_tensor::<f16>()?;
                values[row].iter().map(|value| value.to_f32()).collect()
            }
            _ => self.pass.try_extract_tensor::<f32>()?.1[row].to_vec(),
        })
    }

    /// Asks the head about the masked row.
    fn ask<T>(&self, question: impl FnOnce(&mut Head, MaskedRow<'_>) -> ort::Result<T>) -> Result<T, BackendError> {
        let mut head = lock(&self.head);
        let mask = match &self.row {
            Row::Device(Some((_, mask))) => mask.clone(),
            _ => head.prepare(None).map_err(runtime)?.0,
        };
        let row = MaskedRow { pass: &self.pass, position: self.position, mask: &mask };
        question(&mut head, row).map_err(runtime)
    }

    /// `mask` and the one before it as one.
    fn combined(&self, mask: &TokenMask) -> TokenMask {
        let Row::Device(Some((before, _))) = &self.row else { return mask.clone() };
        let words = |mask: &TokenMask| {
            let mut words = vec![0; mask.n_words().max(mask_words(self.width))];
            mask.write_to(&mut words);
            words
        };
        let both: Vec<u32> = words(before).iter().zip(words(mask)).map(|(a, b)| a & b).collect();
        TokenMask::from_words(&both)
    }
}

/// A panic elsewhere leaves the sessions as they were between two runs.
fn lock(head: &Mutex<Head>) -> MutexGuard<'_, Head> {
    head.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Logits for OrtLogits {
    fn width(&self) -> usize {
        self.width
    }

    fn apply_mask(&mut self, mask: &TokenMask) -> Result<usize, BackendError> {
        if let Some(logits) = self.on_host()? {
            return logits.apply_mask(mask);
        }
        let mask = self.combined(mask);
        let (on_device, n_bytes) = lock(&self.head).prepare(Some(&mask)).map_err(runtime)?;
        self.row = Row::Device(Some((mask, on_device)));
        Ok(n_bytes)
    }

    fn argmax(&mut self) -> Result<Option<TokenId>, BackendError> {
        match self.on_host()? {
            Some(logits) => logits.argmax(),
            None => self.ask(|head, row| head.greatest(row)),
        }
    }

    fn copy_to(&mut self, out: &mut Vec<f32>) -> Result<(), BackendError> {
        match self.on_host()? {
            Some(logits) => logits.copy_to(out),
            None => self.ask(|head, row| head.masked(row, out)),
        }
    }

    fn top(&mut self, n: usize, temperature: f64) -> Result<Option<TopLogits>, BackendError> {
        // An id and a logit are three times the size of a logit alone.
        let is_worth_it = n.saturating_mul(3) <= self.width;
        match self.on_host()? {
            Some(logits) => logits.top(n, temperature),
            None if !is_worth_it => Ok(None),
            None => self.ask(|head, row| head.top(row, n, temperature)),
        }
    }

    fn draw(&mut self, temperature: f64, unit: f64) -> Result<Option<TokenId>, BackendError> {
        match self.on_host()? {
            Some(logits) => logits.draw(temperature, unit),
            None => self.ask(|head, row| head.draw(row, temperature, unit)),
        }
    }
}
