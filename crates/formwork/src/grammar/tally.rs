//! What has been met so far? The counters of a list, or the goals of a record, in one number beside a place.

use smallvec::SmallVec;

use super::builder::Counter;

/// In a list, how often each counter was added to; in a record, the goals that were met.
///
/// Two halves, so that a place needs no padding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tally([u32; 2]);

impl Tally {
    /// These goals are met.
    pub(super) fn of_goals(goals: u32) -> Tally {
        Tally([goals, 0])
    }

    /// The goals that are met.
    pub(super) fn goals(self) -> u32 {
        self.0[0]
    }

    fn of_number(number: u64) -> Tally {
        Tally([number as u32, (number >> 32) as u32])
    }

    pub(crate) fn number(self) -> u64 {
        u64::from(self.0[0]) | u64::from(self.0[1]) << 32
    }
}

/// The counters of a list: a tally holds them as the digits of a number with mixed bases.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Counters {
    bounds: SmallVec<[Counter; 2]>,
    /// By counter: what one more adds to the number.
    weights: SmallVec<[u64; 2]>,
}

impl Counters {
    /// The counters of a list of at most `max_elements`; `None` when they are too large together for one number.
    pub(super) fn new(counters: &[Counter], max_elements: Option<u32>) -> Option<Counters> {
        // A maximum that the list cannot exceed is none.
        let real = |max: &u32| max_elements.is_none_or(|most| *max < most);
        let bounds: SmallVec<[Counter; 2]> =
            counters.iter().map(|counter| Counter { max: counter.max.filter(real), ..*counter }).collect();
        let mut weights = SmallVec::new();
        let mut weight = Some(1u64);
        for bound in &bounds {
            weights.push(weight?);
            weight = weight?.checked_mul(u64::from(greatest(bound)) + 1);
        }
        weight.map(|_| Counters { bounds, weights })
    }

    /// The counters, in order.
    pub(super) fn bounds(&self) -> &[Counter] {
        &self.bounds
    }

    /// How often each counter was added to; saturates where more make no difference.
    pub(super) fn values(&self, tally: Tally) -> impl Iterator<Item = u32> {
        let number = tally.number();
        let digits = self.bounds.iter().zip(&self.weights);
        digits.map(move |(bound, weight)| (number / weight % (u64::from(greatest(bound)) + 1)) as u32)
    }

    /// The tally with these values.
    pub(super) fn tally(&self, values: impl Iterator<Item = u32>) -> Tally {
        Tally::of_number(values.zip(&self.weights).map(|(value, weight)| u64::from(value) * weight).sum())
    }

    /// Adds one to each counter whose bit is set; `None` when that exceeds one of them.
    pub(super) fn add(&self, tally: Tally, meets: u32) -> Option<Tally> {
        let mut number = tally.number();
        for (index, value) in self.values(tally).enumerate() {
            let bound = &self.bounds[index];
            if meets >> index & 1 == 0 {
            } else if value < greatest(bound) {
                number += self.weights[index];
            } else if bound.max.is_some() {
                return None;
            }
        }
        Some(Tally::of_number(number))
    }

    /// The counters that need more, by bit.
    pub(super) fn unmet(&self, tally: Tally) -> u32 {
        let short = self.values(tally).zip(&self.bounds).map(|(value, bound)| value < bound.min);
        (0..).zip(short).fold(0, |unmet, (index, short)| unmet | u32::from(short) << index)
    }

    /// Whether no counter needs more.
    pub(super) fn are_met(&self, tally: Tally) -> bool {
        self.values(tally).zip(&self.bounds).all(|(value, bound)| value >= bound.min)
    }
}

/// The greatest value of a counter that is told apart from others.
fn greatest(bound: &Counter) -> u32 {
    bound.max.unwrap_or(bound.min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_saturate_or_refuse() {
        let counters = [Counter { min: 2, max: None }, Counter { min: 0, max: Some(1) }, Counter { min: 0, max: None }];
        let counters = Counters::new(&counters, None).unwrap();
        let values = |tally| counters.values(tally).collect::<Vec<_>>();
        let one = counters.add(Tally::default(), 0b111).unwrap();
        assert_eq!(values(one), [1, 1, 0]);
        assert_eq!(counters.tally(values(one).into_iter()), one);
        assert!(counters.add(one, 0b10).is_none() && !counters.are_met(one));
        let three = counters.add(counters.add(one, 0b1).unwrap(), 0b101).unwrap();
        assert_eq!(values(three), [2, 1, 0]);
        assert!(counters.are_met(three));
    }

    #[test]
    fn counters_that_fit_no_number_are_refused() {
        let large = Counter { min: 0, max: Some(u32::MAX) };
        assert!(Counters::new(&[large; 2], None).is_none_or(|it| it.bounds.len() == 2));
        assert!(Counters::new(&[large; 3], None).is_none());
        let bounded = Counters::new(&[large; 8], Some(5)).unwrap();
        assert_eq!(bounded.bounds()[0].max, None, "the list cannot exceed it");
    }
}
