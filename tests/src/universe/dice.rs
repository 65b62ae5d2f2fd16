//! Which random choice comes next? A sequence of numbers that a seed decides.

use formwork_bench::data::split_mix;

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: u64,
    n_thrown: u64,
}

impl Dice {
    /// At the beginning of a seed's sequence.
    pub fn new(seed: u64) -> Dice {
        Dice { seed, n_thrown: 0 }
    }

    /// A number below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        self.n_thrown += 1;
        (split_mix(self.seed, self.n_thrown) % n.max(1) as u64) as usize
    }

    /// True in about one of `n` throws.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of the items.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A few of the items, in their order; each with a chance of one in two.
    pub fn some<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        items.iter().filter(|_| self.one_in(2)).cloned().collect()
    }
}
