//! Which powers of ten may follow these digits? The exponents that are allowed, and whether one goes on as written.

use smallvec::SmallVec;

use super::values::ValueSet;
use crate::automata::decimal::{Decimal, remainder_of};
use crate::automata::spec::Bound;

/// A set of exponents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Exponents {
    /// All from the first to the second, but for some.
    Range { least: Option<i64>, greatest: Option<i64>, holes: SmallVec<[i64; 2]> },
    /// These; sorted.
    Among(SmallVec<[i64; 4]>),
}

impl Exponents {
    /// The exponents `e` for which `±digits * 10^(last + e)` is in the set; `digits` neither begin nor end with zero.
    pub(super) fn new(set: &ValueSet, negative: bool, digits: &[u8], last: i64) -> Option<Exponents> {
        let (mut least, mut greatest) = (None, None);
        if digits.is_empty() {
            return set.has_zero().then(|| Exponents::Range { least, greatest, holes: SmallVec::new() });
        }
        let same = |value: &&Decimal| value.is_negative() == negative && *value.digits() == *digits;
        if let Some(values) = set.values() {
            let mut among: SmallVec<[i64; 4]> =
                values.iter().filter(same).map(|value| value.exponent() - last).collect();
            among.sort_unstable();
            return Some(Exponents::Among(among));
        }
        let span = set.span(negative)?;
        let top = digits.len() as i64 + last;
        if let Some(Bound { value, exclusive }) = &span.least {
            let at = value.top() - top;
            let is_inside = if *exclusive { digits > value.digits() } else { digits >= value.digits() };
            least = Some(if is_inside { at } else { at + 1 });
        }
        if let Some(Bound { value, exclusive }) = &span.greatest {
            let at = value.top() - top;
            let is_inside = if *exclusive { digits < value.digits() } else { digits <= value.digits() };
            greatest = Some(if is_inside { at } else { at - 1 });
        }
        for divisor in set.unit.iter() {
            let first = first_multiple(digits, last, divisor)?;
            least = Some(least.map_or(first, |least: i64| least.max(first)));
        }
        for divisor in &set.spec().not_multiples {
            if let Some(first) = first_multiple(digits, last, divisor) {
                greatest = Some(greatest.map_or(first - 1, |greatest: i64| greatest.min(first - 1)));
            }
        }
        let holes = set.spec().excluded.iter().filter(same).map(|value| value.exponent() - last).collect();
        Some(Exponents::Range { least, greatest, holes })
    }

    /// An exponent's size beyond which all of the same sign are judged alike.
    pub(super) fn cap(&self) -> i64 {
        let sizes = |exponents: &[i64]| exponents.iter().map(|exponent| exponent.abs()).max().unwrap_or(0);
        1 + match self {
            Exponents::Range { least, greatest, holes } => {
                let ends = [least.unwrap_or(0), greatest.unwrap_or(0)];
                sizes(&ends).max(sizes(holes))
            }
            Exponents::Among(among) => sizes(among),
        }
    }

    /// Whether any exponent between the two is in the set.
    pub(super) fn any_between(&self, first: i64, last: i64) -> bool {
        match self {
            Exponents::Range { least, greatest, holes } => {
                let first = least.map_or(first, |least| least.max(first));
                let last = greatest.map_or(last, |greatest| greatest.min(last));
                let n_holes = holes.iter().filter(|hole| (first..=last).contains(hole)).count();
                last - first + 1 > n_holes as i64
            }
            Exponents::Among(among) => among.iter().any(|exponent| (first..=last).contains(exponent)),
        }
    }
}

/// The least `e` for which `digits * 10^(last + e)` is a multiple of `divisor`: all above it are, too.
fn first_multiple(digits: &[u8], last: i64, divisor: &Decimal) -> Option<i64> {
    let modulus = divisor.coefficient()?;
    let mut remainder = u128::from(remainder_of(digits, modulus));
    // A modulus below 2^64 holds no factor more than 63 times.
    for more in 0..64 {
        if remainder == 0 {
            return Some(divisor.exponent() - last + more);
        }
        remainder = remainder * 10 % u128::from(modulus);
    }
    None
}
