//! How does one pass go through a model's session? Inputs are bound, the session runs, and what it gives is checked.

use formwork_decode::BackendError;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, Session, SessionOutputs};
use ort::value::{DynTensor, DynTensorValueType, DynValue, Tensor};

use crate::error::runtime;
use crate::provider::Device;
use crate::signature::{ATTENTION_MASK, INPUT_IDS, LOGITS, POSITION_IDS, Signature};

/// A model's session and what it takes to run it.
#[derive(Debug)]
pub(crate) struct Runner {
    session: Session,
    binding: IoBinding,
    /// Where results stay.
    memory: MemoryInfo<'static>,
    signature: Signature,
}

/// The inputs of one pass but for the cache, row after row.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) n_lanes: usize,
    /// Positions of the cache that goes in.
    pub(crate) n_past: usize,
    /// Tokens of each lane, padding included.
    pub(crate) n_new: usize,
    /// `n_new` of each lane.
    pub(crate) ids: Vec<i64>,
    /// `n_new` of each lane.
    pub(crate) positions: Vec<i64>,
    /// `n_past + n_new` of each lane: 1 where there is text, 0 where there is padding.
    pub(crate) attention: Vec<i64>,
}

/// What one pass gave.
#[derive(Debug)]
pub(crate) struct Pass {
    /// Shape (lanes, `n_positions`, width).
    pub(crate) logits: DynTensor,
    /// The positions that there are logits for: all of the pass, or its last one.
    pub(crate) n_positions: usize,
    /// One tensor for each slot of the signature, with the new positions at the end.
    pub(crate) cache: Vec<DynTensor>,
}

impl Runner {
    pub(crate) fn new(session: Session, signature: Signature, device: Device) -> ort::Result<Runner> {
        let memory = device_memory(device)?;
        let binding = session.create_binding()?;
        Ok(Runner { session, binding, memory, signature })
    }

    pub(crate) fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Runs a pass. The cache that went in is as it was, whatever happens.
    pub(crate) fn run(&mut self, feed: &Feed, past: &[DynTensor]) -> Result<Pass, BackendError> {
        let result = self.bind(feed, past).and_then(|()| self.run_bound());
        // What was bound would otherwise be held until the next pass, and stale outputs be used again.
        self.binding.clear();
        let (logits, cache) = result.map_err(runtime)?;
        let n_positions = self.check_shapes(feed, &logits, &cache)?;
        Ok(Pass { logits, n_positions, cache })
    }

    fn bind(&mut self, feed: &Feed, past: &[DynTensor]) -> ort::Result<()> {
        let rows = |values: &[i64]| Tensor::from_array(([feed.n_lanes, values.len() / feed.n_lanes], values.to_vec()));
        let binding = &mut self.binding;
        binding.clear();
        binding.bind_input(INPUT_IDS, &rows(&feed.ids)?)?;
        if self.signature.has_attention_mask {
            binding.bind_input(ATTENTION_MASK, &rows(&feed.attention)?)?;
        }
        if self.signature.has_position_ids {
            binding.bind_input(POSITION_IDS, &rows(&feed.positions)?)?;
        }
        binding.bind_output_to_device(LOGITS, &self.memory)?;
        for (slot, past) in self.signature.cache.iter().zip(past) {
            binding.bind_input(&slot.past, past)?;
            binding.bind_output_to_device(&slot.present, &self.memory)?;
        }
        Ok(())
    }

    fn run_bound(&mut self) -> ort::Result<(DynTensor, Vec<DynTensor>)> {
        let mut outputs = self.session.run_binding(&self.binding)?;
        let logits = take(&mut outputs, LOGITS)?;
        let slots = self.signature.cache.iter();
        let cache: ort::Result<Vec<DynTensor>> = slots.map(|slot| take(&mut outputs, &slot.present)).collect();
        Ok((logits, cache?))
    }

    fn check_shapes(&self, feed: &Feed, logits: &DynTensor, cache: &[DynTensor]) -> Result<usize, BackendError> {
        let n_total = feed.n_past + feed.n_new;
        for (slot, tensor) in self.signature.cache.iter().zip(cache) {
            let expected = slot.shape(feed.n_lanes, n_total);
            if tensor.shape()[..] != expected {
                let (name, actual) = (&slot.present, tensor.shape());
                let message = format!("{name} has shape {actual}, {expected:?} was expected");
                return Err(BackendError::runtime(message));
            }
        }
        let width = self.signature.width;
        let shape: Vec<usize> = logits.shape().iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect();
        match shape[..] {
            [n_lanes, n, actual] if (n_lanes, actual) == (feed.n_lanes, width) && (n == feed.n_new || n == 1) => Ok(n),
            _ => Err(BackendError::LogitsShape { actual: shape, expected: width }),
        }
    }
}

/// The memory that a device works in.
pub(crate) fn device_memory(device: Device) -> ort::Result<MemoryInfo<'static>> {
    let (device, id) = match device {
        Device::Cpu => (AllocationDevice::CPU, 0),
        Device::Cuda(id) => (AllocationDevice::CUDA, id),
    };
    MemoryInfo::new(device, id, AllocatorType::Device, MemoryType::Default)
}

/// An output, which then belongs to the caller.
pub(crate) fn take(outputs: &mut SessionOutputs<'_>, name: &str) -> ort::Result<DynTensor> {
    let value: Option<DynValue> = outputs.remove(name);
    value.ok_or_else(|| ort::Error::new(format!("the session gave no {name}")))?.downcast::<DynTensorValueType>()
}
