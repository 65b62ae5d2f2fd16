//! How does a mask get to the logits' device, and what does it do there?
//!
//! A mask is a row of bits that many masks share, and what it adds and removes. The row stays on the device; a step sends
//! the two short lists. On the CPU and with CUDA a custom operation then writes −∞ in place; other devices select between
//! two tensors.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CudaStorage, Device, InplaceOp3, Layout, Result, Tensor, bail};
use formwork::TokenMask;
use formwork_decode::{ResidentRows, mask_by_parts};
use half::{bf16, f16};

/// Rows kept on the device: with 150,000 tokens, 19 kB each, or 600 kB where they are not packed.
const MAX_ROWS: usize = 64;

/// The masks of one model, with the rows that its device has already. Clones share them.
///
/// A program that runs a candle model of its own may mask its logits with this, or wrap them in
/// [`CandleLogits`](crate::CandleLogits).
#[derive(Clone, Debug)]
pub struct DeviceMasks {
    rows: Arc<Mutex<ResidentRows<Tensor>>>,
    /// The row of masks that have none of their own.
    nothing: Arc<[u32]>,
}

impl Default for DeviceMasks {
    fn default() -> DeviceMasks {
        DeviceMasks { rows: Arc::new(Mutex::new(ResidentRows::new(MAX_ROWS))), nothing: Arc::from([0]) }
    }
}

impl DeviceMasks {
    /// Nothing is on the device yet.
    pub fn new() -> DeviceMasks {
        DeviceMasks::default()
    }

    /// Writes −∞ to the logits of one position that `mask` does not allow, and to those beyond its end; the number of bytes
    /// that went to the device, 0 on the CPU. `logits` has one dimension and is `f32`, `f16` or `bf16`.
    ///
    /// On the CPU and with CUDA this happens in place, so that tensors which share the storage see it.
    ///
    /// # Errors
    /// Logits of another type, or not contiguous; what candle reports.
    pub fn apply(&self, logits: &mut Tensor, mask: &TokenMask) -> Result<usize> {
        let device = logits.device().clone();
        if device.is_cpu() || device.is_cuda() {
            let (row, n_sent) = self.resident(mask, |words| Tensor::new(words, &device))?;
            let ids = [mask.added(), mask.removed(), &[u32::MAX]].concat();
            let op = MaskOp { n_added: mask.added().len(), n_removed: mask.removed().len() };
            logits.inplace_op3(&row, &Tensor::new(&ids[..], &device)?, &op)?;
            let n_bytes = n_sent + size_of_val(&ids[..]);
            return Ok(if device.is_cpu() { 0 } else { n_bytes });
        }
        let width = logits.elem_count();
        let (row, n_sent) = self.resident(mask, |words| flags(words, width, &device))?;
        *logits = select(logits, &row, mask)?;
        Ok(n_sent + 8 * (mask.added().len() + mask.removed().len()))
    }

    fn resident(&self, mask: &TokenMask, send: impl FnOnce(&[u32]) -> Result<Tensor>) -> Result<(Tensor, usize)> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let (row, n_bytes) = rows.get(mask.base().unwrap_or(&self.nothing), send)?;
        Ok((row.clone(), n_bytes))
    }
}

/// Masks in place: logits, packed row, and the ids that are added, removed, and one more, so that none is no special case.
struct MaskOp {
    n_added: usize,
    n_removed: usize,
}

impl InplaceOp3 for MaskOp {
    fn name(&self) -> &'static str {
        "formwork-mask"
    }

    fn cpu_fwd(
        &self,
        logits: &mut CpuStorage,
        logits_layout: &Layout,
        words: &CpuStorage,
        words_layout: &Layout,
        ids: &CpuStorage,
        ids_layout: &Layout,
    ) -> Result<()> {
        let (start, end) = range(logits_layout)?;
        let words = part(words, words_layout)?;
        let (added, rest) = part(ids, ids_layout)?.split_at(self.n_added);
        let removed = &rest[..self.n_removed];
        match logits {
            CpuStorage::F32(all) => mask_by_parts(&mut all[start..end], words, added, removed, f32::NEG_INFINITY),
            CpuStorage::F16(all) => mask_by_parts(&mut all[start..end], words, added, removed, f16::NEG_INFINITY),
            CpuStorage::BF16(all) => mask_by_parts(&mut all[start..end], words, added, removed, bf16::NEG_INFINITY),
            other => bail!("logits of type {:?} cannot be masked", candle_core::backend::BackendStorage::dtype(other)),
        }
        Ok(())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        logits: &mut CudaStorage,
        logits_layout: &Layout,
        words: &CudaStorage,
        words_layout: &Layout,
        ids: &CudaStorage,
        ids_layout: &Layout,
    ) -> Result<()> {
        let lists = crate::cuda::Lists { n_added: self.n_added, n_removed: self.n_removed };
        let (logits_range, words_range, ids_range) = (range(logits_layout)?, range(words_layout)?, range(ids_layout)?);
        crate::cuda::mask(logits, logits_range, (words, words_range), (ids, ids_range), &lists)
    }

    #[cfg(not(feature = "cuda"))]
    fn cuda_fwd(
        &self,
        _: &mut CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<()> {
        bail!("built without the feature cuda")
    }
}

fn range(layout: &Layout) -> Result<(usize, usize)> {
    match layout.contiguous_offsets() {
        Some(range) => Ok(range),
        None => bail!("what a mask is applied to is not contiguous"),
    }
}

fn part<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [u32]> {
    let (start, end) = range(layout)?;
    Ok(&storage.as_slice::<u32>()?[start..end])
}

/// A packed row as one number for each logit, 1 where it is allowed.
fn flags(words: &[u32], width: usize, device: &Device) -> Result<Tensor> {
    let is_set = |id: usize| words.get(id / 32).is_some_and(|word| word >> (id % 32) & 1 == 1);
    let flags: Vec<f32> = (0..width).map(|id| f32::from(u8::from(is_set(id)))).collect();
    Tensor::from_vec(flags, width, device)
}

/// The masked logits, by operations that every device has.
fn select(logits: &Tensor, flags: &Tensor, mask: &TokenMask) -> Result<Tensor> {
    let (width, device) = (logits.elem_count(), logits.device());
    let inside = |ids: &[u32]| ids[..ids.partition_point(|id| (*id as usize) < width)].to_vec();
    let (added, removed) = (inside(mask.added()), inside(mask.removed()));
    let changes = [vec![1f32; added.len()], vec![-1f32; removed.len()]].concat();
    let ids = [added, removed].concat();
    let flags = match ids.len() {
        0 => flags.clone(),
        n => flags.index_add(&Tensor::from_vec(ids, n, device)?, &Tensor::from_vec(changes, n, device)?, 0)?,
    };
    let forbidden = Tensor::new(f32::NEG_INFINITY, device)?.to_dtype(logits.dtype())?;
    flags.gt(0.5f32)?.where_cond(logits, &forbidden.broadcast_as(logits.shape())?)
}

#[cfg(test)]
mod tests {
    use candle_core::DType;
    use formwork::{Compiler, Grammar, TokenId, Vocabulary};
    use formwork_decode::mask_logits;

    use super::*;

    const WIDTH: usize = 1000;

    /// Masks of a string in the making: some differ from a shared row by little, some by much, some have none.
    fn masks() -> Vec<TokenMask> {
        let token = |id: usize| match id % 40 {
            3 => format!("\"{id}"),
            4 => format!("a long one {id}"),
            _ => format!("a{id}"),
        };
        let tokens: Vec<String> = (0..WIDTH - 7).map(token).collect();
        let vocabulary = Arc::new(Vocabulary::from_tokens(&tokens, &[TokenId::new(0)]).unwrap());
        let compiler = Compiler::new(vocabulary);
        let mut masks: Vec<TokenMask> =
            [&[][..], &[u32::MAX; 40], &[0x8000_0001, 0xFFFF_0000]].map(TokenMask::from_words).into();
        for max_length in [4, 12, 50] {
            let schema = format!(r#"{{"type": "string", "maxLength": {max_length}}}"#);
            let mut matcher = compiler.compile(&Grammar::json_schema_text(schema)).unwrap().matcher();
            masks.push(matcher.mask().unwrap());
            matcher.accept_token(TokenId::new(3)).unwrap();
            masks.push(matcher.mask().unwrap());
        }
        assert!(masks.iter().any(|mask| !mask.removed().is_empty()) && masks.iter().any(|mask| mask.base().is_none()));
        masks
    }

    fn logits(dtype: DType) -> Tensor {
        let values: Vec<f32> = (0..WIDTH).map(|id| (id * 37 % 70) as f32 - 9.0).collect();
        // A row in the middle of others, as a pass over several positions gives it.
        let all = Tensor::from_vec(values, WIDTH, &Device::Cpu).unwrap();
        let all = Tensor::stack(&[&all, &all, &all], 0).unwrap().to_dtype(dtype).unwrap();
        all.get(1).unwrap()
    }

    fn values(logits: &Tensor) -> Vec<f32> {
        logits.to_dtype(DType::F32).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn every_way_to_mask_does_what_the_host_does() {
        let resident = DeviceMasks::new();
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            for mask in masks() {
                let mut expected = values(&logits(dtype));
                mask_logits(&mut expected, &mask, f32::NEG_INFINITY);
                let mut in_place = logits(dtype);
                resident.apply(&mut in_place, &mask).unwrap();
                assert_eq!(values(&in_place), expected, "{dtype:?}, {mask:?}");
                let row = flags(mask.base().unwrap_or(&resident.nothing), WIDTH, &Device::Cpu).unwrap();
                let selected = select(&logits(dtype), &row, &mask).unwrap();
                assert_eq!((values(&selected), selected.dtype()), (expected, dtype), "{mask:?}");
            }
        }
        let n_rows = resident.rows.lock().unwrap().len();
        assert!((2..8).contains(&n_rows), "{n_rows} rows");
    }

    #[test]
    fn other_rows_stay() {
        let all = Tensor::ones((3, 40), DType::F32, &Device::Cpu).unwrap();
        DeviceMasks::new().apply(&mut all.get(1).unwrap(), &TokenMask::from_words(&[])).unwrap();
        let sums: Vec<f32> = all.sum(1).unwrap().to_vec1().unwrap();
        assert_eq!(sums, [40.0, f32::NEG_INFINITY, 40.0]);
    }
}
