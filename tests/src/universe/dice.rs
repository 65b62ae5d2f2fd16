//! Which random choice comes next? A sequence of numbers that a seed decides, or first the bytes of a fuzzer.

use formwork_bench::data::split_mix;

/// A sequence of random numbers.
#[derive(Clone, Debug)]
pub struct Dice {
    /// Read from the front, before the seed's numbers: whoever changes one of these bytes changes one choice.
    bytes: Vec<u8>,
    n_read: usize,
    seed: u64,
    n_thrown: u64,
}

impl Dice {
    /// At the beginning of a seed's sequence.
    pub fn new(seed: u64) -> Dice {
        Dice { bytes: Vec::new(), n_read: 0, seed, n_thrown: 0 }
    }

    /// Choices spelled by `bytes`; behind them always the same sequence, so that what is drawn has an end.
    pub fn from_bytes(bytes: &[u8]) -> Dice {
        Dice { bytes: bytes.to_vec(), ..Dice::new(0) }
    }

    /// A number below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if self.n_read < self.bytes.len() {
            return self.read(n);
        }
        self.n_thrown += 1;
        (split_mix(self.seed, self.n_thrown) % n.max(1) as u64) as usize
    }

    /// A number below `n` from as few bytes as tell such numbers apart.
    fn read(&mut self, n: usize) -> usize {
        let (mut value, mut reach) = (0, 1);
        while reach < n && self.n_read < self.bytes.len() {
            value = value << 8 | usize::from(self.bytes[self.n_read]);
            self.n_read += 1;
            reach = reach.saturating_mul(256);
        }
        value % n.max(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_first_and_the_sequence_goes_on_behind_them() {
        let mut dice = Dice::from_bytes(&[7, 1, 2]);
        assert_eq!((dice.below(5), dice.below(1), dice.below(1_000)), (2, 0, 258));
        let (mut other, mut seeded) = (Dice::from_bytes(&[]), Dice::new(0));
        for n in 2..50 {
            let expected = seeded.below(n);
            assert_eq!((dice.below(n), other.below(n)), (expected, expected));
        }
    }
}
