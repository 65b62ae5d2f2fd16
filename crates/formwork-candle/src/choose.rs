//! Which tokens are in the draw, when the logits are on a device? Found there, so that little comes back.

use candle_core::{DType, Result, Tensor};
use formwork::TokenId;
use formwork_decode::TopLogits;

/// Logits that are sorted or summed together: devices sort rows of this length in one go.
const BLOCK: usize = 1024;
/// More candidates are not asked for: rounds of sorting would not make the list shorter.
const MAX_TOP: usize = BLOCK / 4;

/// The `n` greatest logits and the weight of all; `None` when something is not a number, or too many are asked for.
pub(crate) fn top(logits: &Tensor, n: usize, temperature: f64) -> Result<Option<TopLogits>> {
    if n > MAX_TOP {
        return Ok(None);
    }
    let logits = logits.to_dtype(DType::F32)?;
    let total = weights(&logits, temperature)?.sum_all()?.to_scalar::<f32>()?;
    // Before any sorting: a sort has no place for NaN.
    if !total.is_finite() {
        return Ok(None);
    }
    let (logits, ids) = greatest(logits, n)?;
    let mut found: Vec<(TokenId, f32)> = ids.into_iter().map(TokenId::new).zip(logits).collect();
    found.retain(|(_, logit)| *logit > f32::NEG_INFINITY);
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found.truncate(n);
    Ok(Some(TopLogits { logits: found, total: total.into() }))
}

/// The first token, by rising id, up to which the weights are more than `unit` of their sum. The sums of the blocks come to
/// the host, and then the weights of one block. `None` when something is not a number.
pub(crate) fn draw(logits: &Tensor, temperature: f64, unit: f64) -> Result<Option<TokenId>> {
    let weights = weights(&logits.to_dtype(DType::F32)?, temperature)?;
    let n_blocks = weights.elem_count().div_ceil(BLOCK);
    let blocks = weights.pad_with_zeros(0, 0, n_blocks * BLOCK - weights.elem_count())?.reshape((n_blocks, BLOCK))?;
    let sums: Vec<f32> = blocks.sum(1)?.to_vec1()?;
    let total: f64 = sums.iter().map(|sum| f64::from(*sum)).sum();
    if !total.is_finite() {
        return Ok(None);
    }
    let Some((block, before)) = first_beyond(&sums, unit * total) else { return Ok(None) };
    let in_block: Vec<f32> = blocks.get(block)?.to_vec1()?;
    let found = first_beyond(&in_block, unit * total - before);
    Ok(found.and_then(|(index, _)| u32::try_from(block * BLOCK + index).ok()).map(TokenId::new))
}

/// `exp((logit − greatest) / temperature)` of each.
fn weights(logits: &Tensor, temperature: f64) -> Result<Tensor> {
    (logits.broadcast_sub(&logits.max(0)?)? * (1.0 / temperature))?.exp()
}

/// The first weight up to which they add up to more than `target`, or the last that is not zero, and the sum before it.
fn first_beyond(weights: &[f32], target: f64) -> Option<(usize, f64)> {
    let mut reached = 0.0;
    let mut last = None;
    for (index, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        last = Some((index, reached));
        reached += f64::from(weight);
        if reached > target {
            break;
        }
    }
    last
}

/// The `n` greatest, and perhaps more, by sorting block by block: the greatest of all are among the greatest of each block.
fn greatest(mut logits: Tensor, n: usize) -> Result<(Vec<f32>, Vec<u32>)> {
    let device = logits.device().clone();
    let mut ids = Tensor::arange(0, logits.elem_count() as u32, &device)?;
    while logits.elem_count() > BLOCK {
        let n_blocks = logits.elem_count().div_ceil(BLOCK);
        let n_missing = n_blocks * BLOCK - logits.elem_count();
        if n_missing > 0 {
            logits = Tensor::cat(&[&logits, &Tensor::full(f32::NEG_INFINITY, n_missing, &device)?], 0)?;
            ids = ids.pad_with_zeros(0, 0, n_missing)?;
        }
        logits = logits.reshape((n_blocks, BLOCK))?;
        let order = logits.arg_sort_last_dim(false)?.narrow(1, 0, n)?.contiguous()?;
        logits = logits.gather(&order, 1)?.flatten_all()?;
        ids = ids.reshape((n_blocks, BLOCK))?.gather(&order, 1)?.flatten_all()?;
    }
    Ok((logits.to_vec1()?, ids.to_vec1()?))
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use formwork::TokenMask;
    use formwork_decode::{BackendError, HostLogits, Logits, Sampler, Sampling};

    use super::*;

    fn row(width: usize, seed: usize) -> Vec<f32> {
        let value = |id: usize| ((id * 7919 + seed * 104_729) % 10_007) as f32 / 700.0;
        // Some are forbidden.
        (0..width).map(|id| if id % 3 == seed % 3 { f32::NEG_INFINITY } else { value(id) }).collect()
    }

    fn tensor(row: &[f32]) -> Tensor {
        Tensor::new(row, &Device::Cpu).unwrap()
    }

    #[test]
    fn the_greatest_are_found_and_all_are_weighed() {
        for (width, n) in [(1, 1), (5, 9), (1024, 10), (1025, 256), (5000, 40), (40_000, 256)] {
            let row = row(width, 1);
            let found = top(&tensor(&row), n, 0.7).unwrap().unwrap();
            let mut expected: Vec<(TokenId, f32)> = (0..).map(TokenId::new).zip(row).collect();
            expected.retain(|(_, logit)| logit.is_finite());
            expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            let total: f64 = expected.iter().map(|(_, logit)| (f64::from(logit - expected[0].1) / 0.7).exp()).sum();
            expected.truncate(n);
            let logits = |top: &[(TokenId, f32)]| top.iter().map(|(_, logit)| *logit).collect::<Vec<_>>();
            assert_eq!(logits(&found.logits), logits(&expected), "{width}");
            let is_last = |logit: f32| logit == expected[expected.len() - 1].1;
            for (found, expected) in found.logits.iter().zip(&expected) {
                assert!(found == expected || is_last(found.1), "{found:?}, {expected:?}");
            }
            assert!((found.total / total - 1.0).abs() < 1e-4, "{} {total}", found.total);
        }
    }

    /// Logits of which only the chosen and the drawn are seen.
    struct Remote(Tensor);

    impl Logits for Remote {
        fn width(&self) -> usize {
            self.0.elem_count()
        }

        fn apply_mask(&mut self, _mask: &TokenMask) -> std::result::Result<usize, BackendError> {
            Ok(0)
        }

        fn argmax(&mut self) -> std::result::Result<Option<TokenId>, BackendError> {
            Err(BackendError::runtime("not greedy"))
        }

        fn copy_to(&mut self, _out: &mut Vec<f32>) -> std::result::Result<(), BackendError> {
            Err(BackendError::runtime("too far away"))
        }

        fn top(&mut self, n: usize, temperature: f64) -> std::result::Result<Option<TopLogits>, BackendError> {
            top(&self.0, n, temperature).map_err(BackendError::runtime)
        }

        fn draw(&mut self, temperature: f64, unit: f64) -> std::result::Result<Option<TokenId>, BackendError> {
            draw(&self.0, temperature, unit).map_err(BackendError::runtime)
        }
    }

    #[test]
    fn tokens_are_drawn_as_on_the_host() {
        let with = |seed| Sampling::with_temperature(0.9, seed);
        for width in [2, 7, 1024, 3000] {
            for seed in 0..40 {
                let row = row(width, seed as usize);
                for sampling in [
                    with(seed),
                    Sampling { top_k: Some(5), ..with(seed) },
                    Sampling { top_p: Some(0.2), ..with(seed) },
                    Sampling { top_k: Some(100), top_p: Some(0.5), min_p: Some(0.01), ..with(seed) },
                ] {
                    let mut sampler = Sampler::new(sampling.clone()).unwrap();
                    let expected = sampler.clone().sample(&mut HostLogits(row.clone())).unwrap();
                    let drawn = sampler.sample(&mut Remote(tensor(&row))).unwrap();
                    assert_eq!(drawn, expected, "{width} logits, {sampling:?}");
                }
            }
        }
        let row = [f32::NEG_INFINITY, 1.0, 1.0, f32::NEG_INFINITY];
        for (unit, token) in [(0.0, 1), (0.49, 1), (0.51, 2), (1.0, 2)] {
            assert_eq!(draw(&tensor(&row), 1.0, unit).unwrap(), Some(TokenId::new(token)));
        }
    }

    #[test]
    fn what_is_not_a_number_is_left_to_the_host() {
        for row in [&[f32::NAN, 1.0][..], &[f32::NEG_INFINITY; 3], &[1.0, f32::INFINITY]] {
            assert_eq!(top(&tensor(row), 2, 1.0).unwrap(), None, "{row:?}");
            assert_eq!(draw(&tensor(row), 1.0, 0.5).unwrap(), None, "{row:?}");
        }
        assert_eq!(top(&tensor(&[1.0; 2000]), MAX_TOP + 1, 1.0).unwrap(), None);
    }
}
