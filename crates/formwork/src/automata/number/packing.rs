//! How is a [`DigitState`] written in one word? Each of its parts as a digit of a number of mixed radix.
//!
//! With great divisors there are more states than could ever be listed, and hardly one is met twice: they are calculated
//! whenever they are asked for, and none is kept.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::digits::{DigitState, Phase, TOO_FINE};

const PHASES: [Phase; 6] = [Phase::Start, Phase::Minus, Phase::Zero, Phase::Whole, Phase::Point, Phase::Fraction];
const ORDERS: [Ordering; 3] = [Ordering::Equal, Ordering::Less, Ordering::Greater];

/// The ranges of a state's parts.
#[derive(Clone, Debug)]
pub(crate) struct Packing {
    max_digits: u32,
    n_excluded: u32,
    moduli: SmallVec<[u64; 4]>,
}

impl Packing {
    /// `None` where states are longer than a word.
    pub(super) fn new(max_digits: u32, n_excluded: usize, moduli: impl Iterator<Item = u64>) -> Option<Packing> {
        let packing = Packing { max_digits, n_excluded: u32::try_from(n_excluded).ok()?, moduli: moduli.collect() };
        let radixes = packing.radixes();
        // One bit stays free.
        radixes
            .iter()
            .try_fold(1u64, |product, radix| product.checked_mul(*radix))
            .filter(|product| *product < 1 << 63)?;
        Some(packing)
    }

    /// How many combinations of remainders there are.
    pub(super) fn n_remainders(&self) -> u64 {
        self.moduli.iter().product()
    }

    fn radixes(&self) -> SmallVec<[u64; 10]> {
        let agrees = 1u64.checked_shl(self.n_excluded).unwrap_or(u64::MAX);
        let orders = ORDERS.len() as u64;
        let own = [PHASES.len() as u64, 2, u64::from(self.max_digits) + 1, orders, orders, agrees];
        own.into_iter().chain(self.moduli.iter().map(|modulus| modulus.saturating_add(1))).collect()
    }

    /// The start state is 0.
    pub(super) fn pack(&self, state: &DigitState) -> u64 {
        let index = |order| ORDERS.iter().position(|it| *it == order).unwrap_or(0) as u64;
        let phase = PHASES.iter().position(|it| *it == state.phase).unwrap_or(0) as u64;
        let disagrees = !state.agrees & self.all_excluded();
        let own =
            [phase, state.negative.into(), state.n_digits.into(), index(state.least), index(state.greatest), disagrees];
        let remainders = state.remainders.iter().zip(&self.moduli);
        let parts = own.into_iter().chain(remainders.map(|(remainder, modulus)| *remainder.min(modulus)));
        let parts: SmallVec<[u64; 10]> = parts.collect();
        parts.iter().zip(self.radixes()).rev().fold(0, |word, (part, radix)| word * radix + part)
    }

    pub(super) fn unpack(&self, mut word: u64) -> DigitState {
        let parts: SmallVec<[u64; 10]> = (self.radixes().iter())
            .map(|radix| {
                let part = word % radix;
                word /= radix;
                part
            })
            .collect();
        let remainders = parts[6..].iter().zip(&self.moduli);
        DigitState {
            phase: PHASES[parts[0] as usize],
            negative: parts[1] == 1,
            n_digits: parts[2] as u32,
            least: ORDERS[parts[3] as usize],
            greatest: ORDERS[parts[4] as usize],
            agrees: !parts[5] & self.all_excluded(),
            remainders: remainders.map(|(part, modulus)| if part == modulus { TOO_FINE } else { *part }).collect(),
        }
    }

    fn all_excluded(&self) -> u64 {
        1u64.checked_shl(self.n_excluded).map_or(u64::MAX, |bit| bit - 1)
    }
}
