//! Where are the keys and values of past positions? In buffers that grow by doubling and are written in place.
//!
//! A buffer does not know how many of its positions count: whoever owns the cache does, and gives it with each pass.
//! So a cut costs nothing, and a pass that fails changes nothing that counts.

use candle_core::{Result, Tensor};

/// Positions that a buffer has room for at first.
const MIN_CAPACITY: usize = 64;

/// The keys and values of one sequence, for all layers.
#[derive(Debug)]
pub(crate) struct KvCache {
    /// Of each layer, keys and values of shape `[key-value heads, capacity, head_dim]`; none before the first pass.
    layers: Vec<Option<(Tensor, Tensor)>>,
    max_positions: usize,
}

impl KvCache {
    /// An empty cache that never holds more than `max_positions`.
    pub(crate) fn new(n_layers: usize, max_positions: usize) -> KvCache {
        KvCache { layers: vec![None; n_layers], max_positions }
    }

    /// Writes keys and values of shape `[key-value heads, n, head_dim]` to the positions from `start` on, and gives the
    /// whole buffers. Amortised O(n).
    pub(crate) fn write(
        &mut self,
        layer_idx: usize,
        start: usize,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<(&Tensor, &Tensor)> {
        let n_needed = start + keys.dim(1)?;
        if n_needed > self.max_positions {
            candle_core::bail!("{n_needed} positions do not fit in a cache of {}", self.max_positions);
        }
        let layer = &mut self.layers[layer_idx];
        // The old buffers stay until both new ones are there.
        let buffers = match &*layer {
            Some((old_keys, old_values)) => {
                let capacity = capacity(n_needed, old_keys.dim(1)?, self.max_positions);
                (grown(old_keys, capacity)?, grown(old_values, capacity)?)
            }
            None => {
                let (n_heads, _, head_dim) = keys.dims3()?;
                let shape = (n_heads, capacity(n_needed, 0, self.max_positions), head_dim);
                let new = || Tensor::zeros(shape, keys.dtype(), keys.device());
                (new()?, new()?)
            }
        };
        let (own_keys, own_values) = layer.insert(buffers);
        own_keys.slice_set(keys, 1, start)?;
        own_values.slice_set(values, 1, start)?;
        Ok((own_keys, own_values))
    }
}

/// The room for `n_needed` positions after `before`: the same, or twice as much at least.
fn capacity(n_needed: usize, before: usize, max_positions: usize) -> usize {
    match n_needed <= before {
        true => before,
        false => n_needed.max(2 * before).max(MIN_CAPACITY).min(max_positions),
    }
}

fn grown(buffer: &Tensor, capacity: usize) -> Result<Tensor> {
    match capacity - buffer.dim(1)? {
        0 => Ok(buffer.clone()),
        n_more => buffer.pad_with_zeros(1, 0, n_more),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn numbers(first: f32, n: usize) -> Tensor {
        let values: Vec<f32> = (0..2 * n * 3).map(|i| first + i as f32).collect();
        Tensor::from_vec(values, (2, n, 3), &Device::Cpu).unwrap()
    }

    fn read(cache: &KvCache, n: usize) -> Vec<Vec<Vec<f32>>> {
        let (keys, _) = cache.layers[0].as_ref().unwrap();
        keys.narrow(1, 0, n).unwrap().to_vec3().unwrap()
    }

    #[test]
    fn positions_stay_where_they_were_written() {
        let mut cache = KvCache::new(1, 300);
        let whole = numbers(0.0, 290);
        let mut capacities = Vec::new();
        for start in (0..290).step_by(10) {
            let part = whole.narrow(1, start, 10).unwrap().contiguous().unwrap();
            let (keys, values) = cache.write(0, start, &part, &part).unwrap();
            assert_eq!(keys.dims(), values.dims());
            capacities.push(keys.dim(1).unwrap());
        }
        assert_eq!(read(&cache, 290), whole.to_vec3::<f32>().unwrap());
        capacities.dedup();
        assert_eq!(capacities, [64, 128, 256, 300]);
        // A position behind a cut is written anew, those before it stay.
        cache.write(0, 5, &numbers(-100.0, 1), &numbers(-100.0, 1)).unwrap();
        assert_eq!(read(&cache, 5), whole.narrow(1, 0, 5).unwrap().to_vec3::<f32>().unwrap());
        assert_eq!(read(&cache, 6)[0][5], [-100.0, -99.0, -98.0]);
    }

    #[test]
    fn no_more_than_the_context_is_held() {
        let mut cache = KvCache::new(1, 8);
        let (keys, _) = cache.write(0, 0, &numbers(0.0, 2), &numbers(0.0, 2)).unwrap();
        assert_eq!(keys.dims(), [2, 8, 3]);
        assert!(cache.write(0, 7, &numbers(0.0, 2), &numbers(0.0, 2)).is_err());
        assert_eq!(read(&cache, 2), numbers(0.0, 2).to_vec3::<f32>().unwrap());
    }
}
