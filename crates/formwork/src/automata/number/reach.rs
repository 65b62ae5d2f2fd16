//! Can these digits still become an allowed number? Arithmetic on what [`DigitState`] knows, where there are divisors.
//!
//! Of the digits so far only their remainders and their place among the bounds are known. For each length that the whole
//! part can get, the digits to come are a range of whole numbers, counted in units of the last place that matters; within it
//! the multiples of the wanted divisor are gone through. That soon ends: of `2^n` multiples in a row at least one is a
//! multiple of none of `n` unwanted divisors, and each value that is left out takes one more away.

use std::cmp::Ordering;

use super::digits::{DigitMachine, DigitState, Digits, Divisor, Phase, TOO_FINE};
use super::values::gcd;
use crate::automata::lazy_dfa::Machine;

/// Ranges at least this long are as good as without end.
const VERY_FAR: i128 = 1 << 100;

/// Most unwanted divisors.
const MAX_UNWANTED: usize = 12;

/// Divisors and places, prepared.
#[derive(Debug)]
pub(super) struct Reach {
    /// Places behind the point that matter: all others are zeros, or tell a number from all multiples.
    places: usize,
    /// Whether digits behind these places may be other than zero.
    goes_finer: bool,
    /// In units of the last place, the number must be a multiple of this.
    unit: u64,
    unwanted: Vec<Unwanted>,
    /// Whether any multiple of the unit is a multiple of nothing unwanted.
    is_feasible: bool,
    /// Multiples in a row of which one is allowed, if any is.
    n_tried: i128,
}

/// A divisor that the number must not have.
#[derive(Debug)]
struct Unwanted {
    own: Divisor,
    /// What the number is not to be a multiple of, in units of the last place.
    modulus: u64,
}

/// Digits to come: a bound's, where those so far are the same as the bound's.
enum End<'a> {
    /// Any of them.
    All,
    None,
    UpTo(&'a Digits),
}

impl Reach {
    /// `None` where numbers are too large. `n_places` are those behind the point of all that numbers are compared with.
    pub(super) fn new(
        (wanted, unwanted): (Option<Divisor>, &[Divisor]),
        integer: bool,
        max_digits: u32,
        n_places: u32,
        n_excluded: usize,
    ) -> Option<Reach> {
        let goes_finer = wanted.is_none() && !integer;
        let places = match wanted {
            _ if integer => 0,
            Some(wanted) => wanted.scale,
            // With two more, all that differs from bounds and multiples has a number beside it.
            None => (unwanted.iter().map(|divisor| divisor.scale).max()?.max(n_places) + 2).min(max_digits),
        };
        let in_units = |divisor: &Divisor| match places.checked_sub(divisor.scale) {
            Some(more) => divisor.modulus.checked_mul(10u64.checked_pow(more)?),
            None => Some((places..divisor.scale).fold(divisor.modulus, |modulus, _| modulus / gcd(modulus, 10))),
        };
        let unit = wanted.as_ref().map_or(Some(1), in_units)?;
        let unwanted = unwanted.iter().map(|own| Some(Unwanted { own: *own, modulus: in_units(own)? }));
        let unwanted = unwanted.collect::<Option<Vec<Unwanted>>>()?;
        if unwanted.len() > MAX_UNWANTED || max_digits == 0 {
            return None;
        }
        let is_feasible = unwanted.iter().all(|divisor| unit % divisor.modulus != 0);
        let n_tried = (1i128 << unwanted.len()) * (n_excluded as i128 + 1);
        let places = places as usize;
        Some(Reach { places, goes_finer, unit, unwanted, is_feasible, n_tried })
    }

    /// Whether the digits so far begin an allowed number.
    pub(super) fn is_live(&self, machine: &DigitMachine, state: &DigitState) -> bool {
        let n_digits = state.n_digits as usize;
        match state.phase {
            Phase::Start | Phase::Minus => {
                let mut next = (0..super::N_CLASSES).filter_map(|class| machine.step(state, class));
                next.any(|next| self.is_live(machine, &next))
            }
            _ if !self.is_feasible => false,
            Phase::Zero => self.any(machine, state, 0, self.places),
            Phase::Whole => {
                let most = machine.longest_whole(state.negative);
                (n_digits..=most).rev().any(|length| self.any(machine, state, length, length - n_digits + self.places))
            }
            Phase::Point => self.any(machine, state, 0, self.places),
            Phase::Fraction if n_digits < self.places => self.any(machine, state, 0, self.places - n_digits),
            Phase::Fraction => {
                let finer = || machine.step(state, 1).is_some_and(|next| machine.is_accepting(&next));
                machine.is_accepting(state) || (self.goes_finer && finer())
            }
            Phase::Exponent | Phase::ExponentSign { .. } | Phase::ExponentDigits { .. } => true,
        }
    }

    /// Digits that a whole part needs.
    pub(super) fn bytes_to_end(&self, machine: &DigitMachine, state: &DigitState) -> u32 {
        if state.phase != Phase::Whole {
            return 0;
        }
        let n_digits = state.n_digits as usize;
        let is_enough = |n_more: &usize| self.any(machine, state, n_digits + n_more, n_more + self.places);
        (0..=machine.longest_whole(state.negative).saturating_sub(n_digits)).find(is_enough).unwrap_or(0) as u32
    }

    /// Whether some number is allowed whose whole part gets `length` digits, where it is still being read; `n_more` digits
    /// are to come.
    fn any(&self, machine: &DigitMachine, state: &DigitState, length: usize, n_more: usize) -> bool {
        let Some(range) = machine.range(state.negative) else { return false };
        let low = match &range.least {
            None => End::All,
            Some(bound) => match order(state, length, state.least, bound) {
                Ordering::Less => End::None,
                Ordering::Equal => End::UpTo(bound),
                Ordering::Greater => End::All,
            },
        };
        let high = match &range.greatest {
            None => End::All,
            Some(bound) => match order(state, length, state.greatest, bound) {
                Ordering::Less => End::All,
                Ordering::Equal => End::UpTo(bound),
                Ordering::Greater => End::None,
            },
        };
        let rest = |digits: &Digits| self.rest(state, digits, n_more);
        let (low, up) = match low {
            End::None => return false,
            End::All => (vec![0; n_more], 0),
            End::UpTo(bound) => (rest(bound), i128::from(bound.exclusive || self.is_finer(bound))),
        };
        let (high, down) = match high {
            End::None => return false,
            End::All => (vec![9; n_more], 0),
            End::UpTo(bound) => (rest(bound), i128::from(bound.exclusive && !self.is_finer(bound))),
        };
        let span = difference(&high, &low) - down;
        let is_whole = matches!(state.phase, Phase::Whole | Phase::Zero);
        let left_out = |(at, value): (usize, &Digits)| {
            let is_so =
                state.agrees >> at & 1 == 1 && !self.is_finer(value) && (!is_whole || value.whole.len() == length);
            is_so.then(|| difference(&self.rest(state, value, n_more), &low))
        };
        let left_out: Vec<i128> = range.excluded.iter().enumerate().filter_map(left_out).collect();
        let unit = i128::from(self.unit);
        let of_unit = if self.unit == 1 { 0 } else { self.remainder(state.remainders[0], n_more, &low, self.unit) };
        let unwanted = || self.unwanted.iter().zip(state.remainders.iter().skip(machine.n_wanted));
        let others: Vec<Option<u64>> =
            unwanted().map(|(it, so_far)| self.of_unwanted(it, *so_far, state, n_more, &low)).collect();
        let first = up + (unit - (i128::from(of_unit) + up) % unit) % unit;
        let candidates = (0..self.n_tried).map(|n| first + n * unit).take_while(|offset| *offset <= span);
        candidates.into_iter().any(|offset| {
            let divides = |(it, base): (&Unwanted, &Option<u64>)| {
                base.is_some_and(|base| (i128::from(base) + offset) % i128::from(it.modulus) == 0)
            };
            !left_out.contains(&offset) && !self.unwanted.iter().zip(&others).any(divides)
        })
    }

    /// The remainder by an unwanted divisor of the digits so far with `low` behind them; `None` where digits so far are too
    /// fine for it.
    fn of_unwanted(&self, it: &Unwanted, so_far: u64, state: &DigitState, n_more: usize, low: &[u8]) -> Option<u64> {
        if so_far == TOO_FINE {
            return None;
        }
        let n_fraction = if state.phase == Phase::Fraction { state.n_digits as usize } else { 0 };
        // Zeros behind the divisor's last place were not counted.
        let n_counted = n_more + n_fraction.saturating_sub(it.own.scale as usize);
        Some(self.remainder(so_far, n_counted, low, it.modulus))
    }

    /// The remainder of digits with remainder `so_far` and so many places more, with `low` at their end.
    fn remainder(&self, so_far: u64, n_more: usize, low: &[u8], modulus: u64) -> u64 {
        let modulus = u128::from(modulus);
        let zeros = (0..n_more).fold(u128::from(so_far) % modulus, |so_far, _| so_far * 10 % modulus);
        let low = low.iter().fold(0, |so_far, digit| (so_far * 10 + u128::from(*digit)) % modulus);
        ((zeros + low) % modulus) as u64
    }

    /// Digits of a bound behind those that were read, up to the last place.
    fn rest(&self, state: &DigitState, digits: &Digits, n_more: usize) -> Vec<u8> {
        let fraction = digits.fraction.iter().copied().chain(std::iter::repeat(0)).take(self.places);
        let n_digits = state.n_digits as usize;
        match state.phase {
            Phase::Fraction => fraction.skip(n_digits).collect(),
            Phase::Point => fraction.collect(),
            _ => digits.whole.iter().skip(n_digits).copied().chain(fraction).take(n_more).collect(),
        }
    }

    fn is_finer(&self, digits: &Digits) -> bool {
        digits.fraction.len() > self.places
    }
}

/// How the digits so far compare with those of a bound, if the whole part gets `length` digits.
fn order(state: &DigitState, length: usize, so_far: Ordering, bound: &Digits) -> Ordering {
    match state.phase {
        Phase::Whole | Phase::Zero => length.cmp(&bound.whole.len()).then(so_far),
        _ => so_far,
    }
}

/// The difference of two numbers of equally many digits; beyond [`VERY_FAR`] only its sign counts.
fn difference(left: &[u8], right: &[u8]) -> i128 {
    let digits = left.iter().zip(right).map(|(left, right)| i128::from(*left) - i128::from(*right));
    digits.fold(0, |so_far: i128, digit| (so_far * 10 + digit).clamp(-VERY_FAR, VERY_FAR))
}
