//! Which positions has the model seen? A session as a backend, which owns the cache between its runs.
//!
//! The cache is what the last run gave, and goes into the next one as it lies on the device. A run that fails gives
//! nothing, so the cache is what it was.

use std::sync::{Arc, Mutex};

use formwork::TokenId;
use formwork_decode::{Backend, BackendError, Logits};
use half::f16;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, Session};
use ort::value::{DynTensor, Tensor};
use ort::value::{PrimitiveTensorElementType, TensorElementType};

use crate::error::runtime;
use crate::head::{Head, take};
use crate::logits::OrtLogits;
use crate::provider::{Device, ProviderReport};
use crate::signature::{ATTENTION_MASK, CacheSlot, INPUT_IDS, LOGITS, POSITION_IDS, Signature};

/// A decoder run by ONNX Runtime, with its cache.
#[derive(Debug)]
pub struct OrtModel {
    session: Session,
    binding: IoBinding,
    /// Where results stay.
    memory: MemoryInfo<'static>,
    head: Arc<Mutex<Head>>,
    signature: Signature,
    provider: ProviderReport,
    context_length: usize,
    /// One tensor for each slot of the signature, with as many positions as there are `cached` tokens.
    cache: Vec<DynTensor>,
    cached: Vec<TokenId>,
}

/// What one run gave.
struct Pass {
    logits: DynTensor,
    n_positions: usize,
    cache: Vec<DynTensor>,
}

impl OrtModel {
    pub(crate) fn new(
        session: Session,
        head: Head,
        signature: Signature,
        provider: ProviderReport,
        context_length: usize,
    ) -> ort::Result<OrtModel> {
        let (device, id) = match provider.used {
            Device::Cpu => (AllocationDevice::CPU, 0),
            Device::Cuda(id) => (AllocationDevice::CUDA, id),
        };
        let memory = MemoryInfo::new(device, id, AllocatorType::Device, MemoryType::Default)?;
        let cache = empty_cache(&session, &signature)?;
        let binding = session.create_binding()?;
        let head = Arc::new(Mutex::new(head));
        Ok(OrtModel { session, binding, memory, head, signature, provider, context_length, cache, cached: Vec::new() })
    }

    /// What it was to run on, what it runs on, and why.
    pub fn provider(&self) -> &ProviderReport {
        &self.provider
    }

    /// Runs `tokens` after the cached ones. Nothing is kept of it yet.
    fn pass(&mut self, tokens: &[TokenId]) -> Result<Pass, BackendError> {
        self.check_pass(tokens)?;
        let result = self.bind(tokens).and_then(|()| self.run());
        // What was bound would otherwise be held until the next pass, and stale outputs be used again.
        self.binding.clear();
        let (logits, cache) = result.map_err(runtime)?;
        let n_positions = self.check_shapes(tokens.len(), &logits, &cache)?;
        Ok(Pass { logits, n_positions, cache })
    }

    fn bind(&mut self, tokens: &[TokenId]) -> ort::Result<()> {
        let n_past = self.cached.len();
        let n_total = n_past + tokens.len();
        let row = |values: Vec<i64>| Tensor::from_array(([1, values.len()], values));
        let binding = &mut self.binding;
        binding.clear();
        binding.bind_input(INPUT_IDS, &row(tokens.iter().map(|token| i64::from(token.get())).collect())?)?;
        if self.signature.has_attention_mask {
            binding.bind_input(ATTENTION_MASK, &row(vec![1; n_total])?)?;
        }
        if self.signature.has_position_ids {
            binding.bind_input(POSITION_IDS, &row((n_past as i64..n_total as i64).collect())?)?;
        }
        binding.bind_output_to_device(LOGITS, &self.memory)?;
        for (slot, past) in self.signature.cache.iter().zip(&self.cache) {
            binding.bind_input(&slot.past, past)?;
            binding.bind_output_to_device(&slot.present, &self.memory)?;
        }
        Ok(())
    }

    fn run(&mut self) -> ort::Result<(DynTensor, Vec<DynTensor>)> {
        let mut outputs = self.session.run_binding(&self.binding)?;
        let logits = take(&mut outputs, LOGITS)?;
        let slots = self.signature.cache.iter();
        let cache: ort::Result<Vec<DynTensor>> = slots.map(|slot| take(&mut outputs, &slot.present)).collect();
        Ok((logits, cache?))
    }

    /// The positions that there are logits for: all of the pass, or its last one.
    fn check_shapes(&self, n_tokens: usize, logits: &DynTensor, cache: &[DynTensor]) -> Result<usize, BackendError> {
        let n_total = self.cached.len() + n_tokens;
        for (slot, tensor) in self.signature.cache.iter().zip(cache) {
            if tensor.shape()[..] != slot.shape(n_total) {
                let (name, actual) = (&slot.present, tensor.shape());
                let message = format!("{name} has shape {actual}, {n_total} positions were expected");
                return Err(BackendError::runtime(message));
            }
        }
        let width = self.signature.width;
        let shape: Vec<usize> = logits.shape().iter().map(|&dim| usize::try_from(dim).unwrap_or(0)).collect();
        match shape[..] {
            [1, n, actual] if actual == width && (n == n_tokens || n == 1) => Ok(n),
            _ => Err(BackendError::LogitsShape { actual: shape, expected: width }),
        }
    }

    fn keep(&mut self, tokens: &[TokenId], cache: Vec<DynTensor>) {
        self.cache = cache;
        self.cached.extend_from_slice(tokens);
    }

    fn logits(&self, pass: &Arc<DynTensor>, position: usize) -> Box<dyn Logits> {
        Box::new(OrtLogits::new(Arc::clone(&self.head), Arc::clone(pass), position))
    }
}

impl Backend for OrtModel {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        let Pass { logits, n_positions, cache } = self.pass(tokens)?;
        self.keep(tokens, cache);
        Ok(self.logits(&Arc::new(logits), n_positions - 1))
    }

    fn forward_each(&mut self, tokens: &[TokenId]) -> Result<Vec<Box<dyn Logits>>, BackendError> {
        let Pass { logits, n_positions, cache } = self.pass(tokens)?;
        if n_positions < tokens.len() {
            // The model gives the last position only, so each needs a pass of its own.
            return tokens.iter().map(|token| self.forward(std::slice::from_ref(token))).collect();
        }
        self.keep(tokens, cache);
        let pass = Arc::new(logits);
        Ok((0..n_positions).map(|position| self.logits(&pass, position)).collect())
    }

    fn cached(&self) -> &[TokenId] {
        &self.cached
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        let n_cached = self.cached.len();
        if n_positions > n_cached {
            return Err(BackendError::Truncate { asked: n_positions, cached: n_cached });
        }
        if n_positions == n_cached {
            return Ok(());
        }
        self.cache = if n_positions == 0 {
            empty_cache(&self.session, &self.signature).map_err(runtime)?
        } else {
            let slots = self.signature.cache.iter().zip(&self.cache);
            let cut: ort::Result<Vec<DynTensor>> = slots.map(|(slot, tensor)| cut(slot, tensor, n_positions)).collect();
            cut.map_err(runtime)?
        };
        self.cached.truncate(n_positions);
        Ok(())
    }

    fn logits_width(&self) -> usize {
        self.signature.width
    }

    fn context_length(&self) -> usize {
        self.context_length
    }
}

fn empty_cache(session: &Session, signature: &Signature) -> ort::Result<Vec<DynTensor>> {
    signature.cache.iter().map(|slot| DynTensor::new(session.allocator(), slot.ty, slot.shape(0))).collect()
}

/// The first positions of a cache tensor, in host memory: the next run takes them to the device.
fn cut(slot: &CacheSlot, tensor: &DynTensor, n_positions: usize) -> ort::Result<DynTensor> {
    if !tensor.memory_info().is_cpu_accessible() {
        return cut(slot, &tensor.to(AllocationDevice::CPU, 0)?, n_positions);
    }
    match slot.ty {
        TensorElementType::Float16 => cut_elements::<f16>(slot, tensor, n_positions),
        _ => cut_elements::<f32>(slot, tensor, n_positions),
    }
}

fn cut_elements<T>(slot: &CacheSlot, tensor: &DynTensor, n_positions: usize) -> ort::Result<DynTensor>
where
    T: PrimitiveTensorElementType + Copy + std::fmt::Debug + 'static,
{
    let (shape, values) = tensor.try_extract_tensor::<T>()?;
    let n_before = usize::try_from(shape[2]).unwrap_or(0);
    let kept = n_positions * slot.head_dim;
    let heads = values.chunks_exact((n_before * slot.head_dim).max(1));
    let values: Vec<T> = heads.flat_map(|head| &head[..kept]).copied().collect();
    Ok(Tensor::from_array((slot.shape(n_positions), values))?.upcast())
}
