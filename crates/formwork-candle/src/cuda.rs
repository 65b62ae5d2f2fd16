//! What does a mask do to logits on an NVIDIA GPU? It runs `kernels/mask.cu`, which is here as PTX.
#![allow(unsafe_code, reason = "a kernel is launched with raw arguments")]

use candle_core::cuda_backend::cudarc::driver::{DeviceRepr, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::{CudaDType, WrapErr};
use candle_core::{CudaStorage, DType, Result, bail};
use half::{bf16, f16};

/// Made by `kernels/build.sh`.
const PTX: &str = include_str!("../kernels/mask.ptx");

/// How many of the ids are added to the row and removed from it, in this order.
pub(crate) struct Lists {
    pub(crate) n_added: usize,
    pub(crate) n_removed: usize,
}

type Range = (usize, usize);

/// Writes −∞ in place to the logits in `logits_range` that the mask does not allow.
pub(crate) fn mask(
    logits: &mut CudaStorage,
    logits_range: Range,
    words: (&CudaStorage, Range),
    ids: (&CudaStorage, Range),
    lists: &Lists,
) -> Result<()> {
    match candle_core::backend::BackendStorage::dtype(logits) {
        DType::F32 => launch::<f32>("mask_32", logits, logits_range, words, ids, lists, f32::NEG_INFINITY.to_bits()),
        DType::F16 => {
            launch::<f16>("mask_16", logits, logits_range, words, ids, lists, f16::NEG_INFINITY.to_bits().into())
        }
        DType::BF16 => {
            launch::<bf16>("mask_16", logits, logits_range, words, ids, lists, bf16::NEG_INFINITY.to_bits().into())
        }
        other => bail!("logits of type {other:?} cannot be masked"),
    }
}

fn launch<T: CudaDType + DeviceRepr>(
    kernel: &str,
    logits: &mut CudaStorage,
    logits_range: Range,
    (words, words_range): (&CudaStorage, Range),
    (ids, ids_range): (&CudaStorage, Range),
    lists: &Lists,
    forbidden: u32,
) -> Result<()> {
    let (n_added, n_removed) = (size(lists.n_added)?, size(lists.n_removed)?);
    if lists.n_added + lists.n_removed > ids_range.1 - ids_range.0 {
        bail!("a mask has {n_added} + {n_removed} ids, fewer were sent");
    }
    let (width, n_words) = (size(logits_range.1 - logits_range.0)?, size(words_range.1 - words_range.0)?);
    let function =
        candle_core::backend::BackendStorage::device(logits).get_or_load_custom_func(kernel, "formwork_mask", PTX)?;
    let words = words.as_cuda_slice::<u32>()?.slice(words_range.0..words_range.1);
    let ids = ids.as_cuda_slice::<u32>()?.slice(ids_range.0..ids_range.1);
    let mut logits = logits.as_cuda_slice_mut::<T>()?.slice_mut(logits_range.0..logits_range.1);
    let mut arguments = function.builder();
    arguments.arg(&mut logits).arg(&width).arg(&words).arg(&n_words).arg(&ids);
    arguments.arg(&n_added).arg(&n_removed).arg(&forbidden);
    // SAFETY: the arguments are those that the kernel declares, in order and type. It writes `logits` below `width` alone,
    // and reads `words` below `n_words` and `ids` below `n_added + n_removed`, which were checked to be there.
    unsafe { arguments.launch(LaunchConfig::for_num_elems(width)) }.w()?;
    Ok(())
}

fn size(n: usize) -> Result<u32> {
    u32::try_from(n).map_err(candle_core::Error::wrap)
}
