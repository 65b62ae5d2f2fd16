//! Which plain decimals are within these bounds? Numbers digit by digit, in exact decimal arithmetic.
//!
//! A state remembers how the digits so far compare with the digits of both bounds and of the values left out, and the
//! remainder by each divisor, wanted or not: never the number itself, so that bounds of any size cost as many states as
//! they have digits. Lists of values, and spellings with exponents of bounded numbers, are the work of [`super::exact`].
//! Whether a state is live is searched for, or, where there are divisors, calculated ([`super::reach`]).

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::packing::Packing;
use super::reach::Reach;
use super::values::lcm;
use super::{EXPONENT, MINUS, N_CLASSES, PLUS, POINT, too_large};
use crate::automata::decimal::Decimal;
use crate::automata::lazy_dfa::Machine;
use crate::automata::spec::{Bound, NumberSpec, Numbers};
use crate::error::GrammarError;
use crate::limits::Limits;

/// Most remainders by all divisors together where liveness is searched for: each costs a state for every number of digits.
const MAX_REMAINDERS: u64 = 10_000;

/// Most values that may be left out: each state compares itself with all.
const MAX_EXCLUDED: usize = u64::BITS as usize;

/// Most digits of a bound, written out without exponent.
pub(super) const MAX_BOUND_DIGITS: i64 = 2_000;

/// Stands for the remainder of a number with digits behind the divisor's last place.
pub(super) const TOO_FINE: u64 = u64::MAX;

/// Automaton of one [`NumberSpec`].
#[derive(Debug)]
pub(crate) struct DigitMachine {
    spec: NumberSpec,
    integer: bool,
    exponent: bool,
    max_digits: Option<u32>,
    /// Ranges of the distance from zero, for numbers without and with a minus; `None` where no number has that sign.
    ranges: [Option<Range>; 2],
    /// First those of which the number must be a multiple.
    divisors: Vec<Divisor>,
    pub(super) n_wanted: usize,
    /// Knows whether states are live, where there are divisors.
    reach: Option<Reach>,
}

/// Distances from zero that are allowed.
#[derive(Clone, Debug, Default)]
pub(super) struct Range {
    pub(super) least: Option<Digits>,
    pub(super) greatest: Option<Digits>,
    pub(super) excluded: Vec<Digits>,
}

/// A distance from zero, written out.
#[derive(Clone, Debug)]
pub(super) struct Digits {
    pub(super) whole: Vec<u8>,
    pub(super) fraction: Vec<u8>,
    pub(super) exclusive: bool,
}

/// The number times `10^scale` must be a multiple of `modulus`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divisor {
    pub(super) modulus: u64,
    pub(super) scale: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    Start,
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign { negative: bool },
    ExponentDigits { negative: bool },
}

/// What was read so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DigitState {
    pub(super) phase: Phase,
    pub(super) negative: bool,
    /// Digits of the present part: whole, fraction or exponent; saturates where more make no difference.
    pub(super) n_digits: u32,
    pub(super) least: Ordering,
    pub(super) greatest: Ordering,
    /// A bit for each value to leave out that the digits agree with so far.
    pub(super) agrees: u64,
    pub(super) remainders: SmallVec<[u64; 1]>,
}

impl DigitState {
    /// Digits of the part that is being read.
    pub(super) fn n_digits(&self) -> u32 {
        self.n_digits
    }

    pub(super) fn is_in_exponent(&self) -> bool {
        matches!(self.phase, Phase::Exponent | Phase::ExponentSign { .. } | Phase::ExponentDigits { .. })
    }
}

impl DigitMachine {
    /// Whether it can tell the numbers of `spec`, with a bearable number of states.
    pub(super) fn serves(spec: &NumberSpec) -> bool {
        let bounds = [&spec.minimum, &spec.maximum];
        let takes_nothing_out = spec.not_multiples.is_empty() && spec.excluded.is_empty();
        let any_spelling = || {
            let sides = bounds.iter().all(|bound| bound.as_ref().is_none_or(|bound| bound.value.is_zero()));
            spec.spelling == Numbers::Plain
                || (sides && !spec.integer && spec.multiples.is_empty() && takes_nothing_out)
        };
        // Without divisors the exact numbers are few too, and whether one is live is known without a search.
        let few_excluded = || {
            let divides = |divisor: &Decimal| divisor.digits() != [1];
            spec.excluded.is_empty()
                || (spec.excluded.len() <= MAX_EXCLUDED
                    && spec.multiples.iter().chain(&spec.not_multiples).any(divides)
                    && spec.excluded.iter().all(|value| Digits::new(value, false).is_ok()))
        };
        spec.values.is_none()
            && spec.form_is_plain()
            && any_spelling()
            && few_excluded()
            && bounds.into_iter().flatten().all(|bound| Digits::of_bound(bound).is_ok())
            && (n_remainders(spec).is_some_and(|n_remainders| n_remainders <= MAX_REMAINDERS) || is_calculable(spec))
    }

    pub(super) fn new(spec: &NumberSpec, limits: &Limits) -> Result<DigitMachine, GrammarError> {
        let divisors = spec.multiples.iter().chain(&spec.not_multiples);
        let divisors = divisors.map(|divisor| Divisor::new(divisor).ok_or_else(|| too_large(limits)));
        let divisors = divisors.collect::<Result<Vec<_>, _>>()?;
        let bound = |bound: &Option<Bound>| bound.as_ref().map(Digits::of_bound).transpose();
        let (minimum, maximum) = (bound(&spec.minimum)?, bound(&spec.maximum)?);
        let excluded = |negative: bool| {
            let of_sign = spec.excluded.iter().filter(|value| value.is_zero() || value.is_negative() == negative);
            of_sign.map(|value| Digits::new(value, false)).collect::<Result<Vec<_>, _>>()
        };
        let negative = |bound: &Option<Bound>| bound.as_ref().is_some_and(|bound| bound.value.is_negative());
        let positive = |bound: &Option<Bound>| {
            bound.as_ref().is_some_and(|bound| !bound.value.is_negative() && !bound.value.is_zero())
        };
        let is_zero = |bound: &Option<Bound>| bound.as_ref().is_none_or(|bound| bound.value.is_zero());
        let upwards = Range {
            least: minimum.clone().filter(|_| !negative(&spec.minimum)),
            greatest: maximum.clone(),
            excluded: excluded(false)?,
        };
        let downwards =
            Range { least: maximum.filter(|_| !positive(&spec.maximum)), greatest: minimum, excluded: excluded(true)? };
        let any_power = spec.multiples.is_empty() && spec.not_multiples.is_empty() && spec.excluded.is_empty();
        Ok(DigitMachine {
            spec: spec.clone(),
            integer: spec.integer,
            // A power of ten leaves a number on its side of zero: only then the digits before it can be judged alone.
            exponent: !spec.integer && any_power && is_zero(&spec.minimum) && is_zero(&spec.maximum),
            max_digits: spec.max_digits,
            ranges: [
                Some(upwards).filter(|_| !negative(&spec.maximum)),
                Some(downwards).filter(|_| !positive(&spec.minimum)),
            ],
            reach: reach(spec, &divisors),
            divisors,
            n_wanted: spec.multiples.len(),
        })
    }

    /// How its states are written in one word, where they would be many: only those of which it can be calculated whether
    /// they are live.
    pub(super) fn packing(&self, max_listed: u64) -> Option<Packing> {
        self.reach.as_ref()?;
        let packing = packing(&self.spec, &self.divisors)?;
        (packing.n_remainders().saturating_mul(u64::from(self.max_digits?)) > max_listed).then_some(packing)
    }

    #[cfg(test)]
    pub(super) fn without_reach(self) -> DigitMachine {
        DigitMachine { reach: None, ..self }
    }

    /// Whether an allowed number can still be read, where that can be calculated.
    pub(super) fn liveness(&self, state: &DigitState) -> Option<bool> {
        self.reach.as_ref().map(|reach| reach.is_live(self, state))
    }

    /// No number ends within fewer bytes behind a live state, as far as that can be calculated.
    pub(super) fn bytes_to_end(&self, state: &DigitState) -> u32 {
        self.reach.as_ref().map_or(0, |reach| reach.bytes_to_end(self, state))
    }

    /// Most digits of a whole part.
    pub(super) fn longest_whole(&self, negative: bool) -> usize {
        let max_digits = self.max_digits.map_or(usize::MAX, |max| max as usize);
        let greatest = self.range(negative).and_then(|range| range.greatest.as_ref());
        greatest.map_or(max_digits, |greatest| greatest.whole.len().min(max_digits))
    }

    pub(super) fn spec(&self) -> &NumberSpec {
        &self.spec
    }

    pub(super) fn range(&self, negative: bool) -> Option<&Range> {
        self.ranges[usize::from(negative)].as_ref()
    }

    /// Digits of the whole part beyond which their number makes no difference.
    fn whole_cap(&self, range: &Range) -> u32 {
        let longest = range.compared().map(|digits| digits.whole.len()).max();
        self.max_digits.unwrap_or(longest.unwrap_or(0) as u32 + 1)
    }

    fn fraction_cap(&self, range: &Range) -> u32 {
        let longest = range.compared().map(|digits| digits.fraction.len()).max();
        let scale = self.divisors.iter().map(|divisor| divisor.scale).max();
        self.max_digits.unwrap_or(longest.unwrap_or(0).max(scale.unwrap_or(0) as usize) as u32 + 1)
    }

    fn may_read_more(&self, n_digits: u32) -> bool {
        self.max_digits.is_none_or(|max| n_digits < max)
    }

    fn step_whole(&self, state: &DigitState, digit: u8) -> Option<DigitState> {
        let range = self.range(state.negative)?;
        if !self.may_read_more(state.n_digits) {
            return None;
        }
        // Readers differ on whether `-0` is a whole number; `0` says the same.
        if self.integer && state.phase == Phase::Minus && digit == 0 {
            return None;
        }
        let mut next = state.clone();
        next.phase = if state.n_digits == 0 && digit == 0 { Phase::Zero } else { Phase::Whole };
        let at = state.n_digits as usize;
        let compare = |so_far: Ordering, bound: &Option<Digits>| match bound.as_ref().map(|bound| bound.whole.get(at)) {
            None => Ordering::Equal,
            Some(None) if next.phase == Phase::Zero => Ordering::Equal,
            Some(None) => Ordering::Greater,
            Some(Some(other)) => so_far.then(digit.cmp(other)),
        };
        next.least = compare(state.least, &range.least);
        next.greatest = compare(state.greatest, &range.greatest);
        next.agrees &= range.excluded(|value| value.whole.get(at) == Some(&digit));
        if next.phase == Phase::Zero {
            // Zero has no significant digit: it is compared as a number of no digits.
            (next.least, next.greatest) = (Ordering::Equal, Ordering::Equal);
            next.agrees = range.excluded(|value| value.whole.is_empty());
        } else {
            next.n_digits = (state.n_digits + 1).min(self.whole_cap(range));
        }
        self.divide(&mut next, digit, 0);
        Some(next)
    }

    /// Settles the comparison of the whole parts by their lengths.
    fn whole_order(&self, state: &DigitState) -> (Ordering, Ordering) {
        let Some(range) = self.range(state.negative) else { return (Ordering::Equal, Ordering::Equal) };
        let settle = |so_far: Ordering, bound: &Option<Digits>| match bound {
            Some(bound) => (state.n_digits as usize).cmp(&bound.whole.len()).then(so_far),
            None => Ordering::Equal,
        };
        (settle(state.least, &range.least), settle(state.greatest, &range.greatest))
    }

    fn step_point(&self, state: &DigitState) -> Option<DigitState> {
        if self.integer {
            return None;
        }
        let (least, greatest) = self.whole_order(state);
        let agrees =
            state.agrees & self.range(state.negative)?.excluded(|value| value.whole.len() == state.n_digits as usize);
        Some(DigitState { phase: Phase::Point, n_digits: 0, least, greatest, agrees, ..state.clone() })
    }

    fn step_fraction(&self, state: &DigitState, digit: u8) -> Option<DigitState> {
        let range = self.range(state.negative)?;
        if !self.may_read_more(state.n_digits) {
            return None;
        }
        let at = state.n_digits as usize;
        let compare = |so_far: Ordering, bound: &Option<Digits>| match bound {
            Some(bound) => so_far.then(digit.cmp(bound.fraction.get(at).unwrap_or(&0))),
            None => Ordering::Equal,
        };
        let mut next = state.clone();
        next.phase = Phase::Fraction;
        next.least = compare(state.least, &range.least);
        next.greatest = compare(state.greatest, &range.greatest);
        next.agrees &= range.excluded(|value| value.fraction.get(at).unwrap_or(&0) == &digit);
        next.n_digits = (state.n_digits + 1).min(self.fraction_cap(range));
        self.divide(&mut next, digit, state.n_digits + 1);
        Some(next)
    }

    /// Takes a digit into the remainders; `place` counts from 1 behind the point, 0 is before it.
    fn divide(&self, state: &mut DigitState, digit: u8, place: u32) {
        for (divisor, remainder) in self.divisors.iter().zip(&mut state.remainders) {
            if place <= divisor.scale {
                let next = u128::from(*remainder) * 10 + u128::from(digit);
                *remainder = (next % u128::from(divisor.modulus)) as u64;
            } else if digit != 0 {
                // Too fine for any multiple; no later digit mends that.
                *remainder = TOO_FINE;
            }
        }
    }

    fn step_exponent(&self, state: &DigitState, class: usize) -> Option<DigitState> {
        let next = |phase, n_digits| Some(DigitState { phase, n_digits, ..state.clone() });
        match (state.phase, class) {
            (Phase::Exponent, MINUS) => next(Phase::ExponentSign { negative: true }, 0),
            (Phase::Exponent, PLUS) => next(Phase::ExponentSign { negative: false }, 0),
            (Phase::Exponent, 0..=9) => next(Phase::ExponentDigits { negative: false }, 1),
            (Phase::ExponentSign { negative } | Phase::ExponentDigits { negative }, 0..=9) => {
                // With bounded numbers, none is so great that readers of 64-bit floats refuse it.
                let most = if negative { 3 } else { 2 };
                match self.max_digits {
                    Some(_) if state.n_digits >= most => None,
                    Some(_) => next(Phase::ExponentDigits { negative }, state.n_digits + 1),
                    None => next(Phase::ExponentDigits { negative }, 1),
                }
            }
            _ => None,
        }
    }

    fn is_in_range(&self, state: &DigitState, (least, greatest): (Ordering, Ordering)) -> bool {
        let Some(range) = self.range(state.negative) else { return false };
        let n_fraction = match state.phase {
            Phase::Fraction => state.n_digits as usize,
            _ => 0,
        };
        // Digits of a bound that were not reached count as compared with zeros.
        let settle = |order: Ordering, bound: &Digits| match order {
            Ordering::Equal if n_fraction < bound.fraction.len() => Ordering::Less,
            order => order,
        };
        let above = range.least.as_ref().is_none_or(|bound| match settle(least, bound) {
            Ordering::Less => false,
            Ordering::Equal => !bound.exclusive,
            Ordering::Greater => true,
        });
        let below = range.greatest.as_ref().is_none_or(|bound| match settle(greatest, bound) {
            Ordering::Less => true,
            Ordering::Equal => !bound.exclusive,
            Ordering::Greater => false,
        });
        above && below
    }

    /// Whether it is a multiple of all divisors that are wanted, and of no other.
    fn divides_well(&self, state: &DigitState) -> bool {
        let n_fraction = match state.phase {
            Phase::Fraction => state.n_digits,
            _ => 0,
        };
        self.divisors.iter().zip(&state.remainders).enumerate().all(|(at, (divisor, remainder))| {
            let mut rest = *remainder;
            if rest != TOO_FINE {
                for _ in n_fraction..divisor.scale {
                    rest = (u128::from(rest) * 10 % u128::from(divisor.modulus)) as u64;
                }
            }
            (rest == 0) == (at < self.n_wanted)
        })
    }

    fn is_excluded(&self, state: &DigitState) -> bool {
        let Some(range) = self.range(state.negative) else { return false };
        let n_digits = state.n_digits as usize;
        let is_whole = |value: &Digits| match state.phase {
            Phase::Fraction => value.fraction.len() <= n_digits,
            _ => value.whole.len() == n_digits && value.fraction.is_empty(),
        };
        state.agrees & range.excluded(is_whole) != 0
    }
}

impl Machine for DigitMachine {
    type State = DigitState;

    fn n_classes(&self) -> usize {
        N_CLASSES
    }

    fn start(&self) -> DigitState {
        DigitState {
            phase: Phase::Start,
            negative: false,
            n_digits: 0,
            least: Ordering::Equal,
            greatest: Ordering::Equal,
            agrees: u64::MAX,
            remainders: self.divisors.iter().map(|_| 0).collect(),
        }
    }

    fn step(&self, state: &DigitState, class: usize) -> Option<DigitState> {
        match (state.phase, class) {
            (Phase::Start, MINUS) => {
                self.range(true)?;
                Some(DigitState { phase: Phase::Minus, negative: true, ..state.clone() })
            }
            (Phase::Start | Phase::Minus | Phase::Whole, 0..=9) => self.step_whole(state, class as u8),
            (Phase::Zero | Phase::Whole, POINT) => self.step_point(state),
            (Phase::Point | Phase::Fraction, 0..=9) => {
                let next = self.step_fraction(state, class as u8)?;
                next.remainders.iter().take(self.n_wanted).all(|remainder| *remainder != TOO_FINE).then_some(next)
            }
            (Phase::Zero | Phase::Whole | Phase::Fraction, EXPONENT) if self.exponent && self.is_accepting(state) => {
                Some(DigitState { phase: Phase::Exponent, n_digits: 0, ..state.clone() })
            }
            _ => self.step_exponent(state, class),
        }
    }

    fn is_accepting(&self, state: &DigitState) -> bool {
        let order = match state.phase {
            Phase::Zero | Phase::Whole => self.whole_order(state),
            Phase::Fraction => (state.least, state.greatest),
            Phase::ExponentDigits { .. } => return true,
            _ => return false,
        };
        self.is_in_range(state, order) && self.divides_well(state) && !self.is_excluded(state)
    }
}

impl Range {
    /// All that numbers are compared with.
    fn compared(&self) -> impl Iterator<Item = &Digits> {
        [&self.least, &self.greatest].into_iter().flatten().chain(&self.excluded)
    }

    /// The bits of the excluded values that are so.
    fn excluded(&self, is_so: impl Fn(&Digits) -> bool) -> u64 {
        self.excluded.iter().rev().fold(0, |bits, value| bits << 1 | u64::from(is_so(value)))
    }
}

impl Digits {
    fn of_bound(bound: &Bound) -> Result<Digits, GrammarError> {
        Digits::new(&bound.value, bound.exclusive)
    }

    fn new(value: &Decimal, exclusive: bool) -> Result<Digits, GrammarError> {
        let (digits, exponent) = (value.digits(), value.exponent());
        let point = digits.len() as i64 + exponent;
        if point.abs() > MAX_BOUND_DIGITS || exponent.abs() > MAX_BOUND_DIGITS {
            return Err(GrammarError::Invalid(format!("number {value} has more than {MAX_BOUND_DIGITS} digits")));
        }
        let at = |place: i64| usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or(0);
        let whole = (0..point).map(at).collect();
        let fraction = (point..digits.len() as i64).map(at).collect();
        Ok(Digits { whole, fraction, exclusive })
    }
}

impl Divisor {
    /// `None` for one that is not above zero, or too large.
    fn new(divisor: &Decimal) -> Option<Divisor> {
        let mut modulus = divisor.coefficient().filter(|_| !divisor.is_negative())?;
        for _ in 0..divisor.exponent().clamp(0, 20) {
            modulus = modulus.checked_mul(10)?;
        }
        let scale = u32::try_from((-divisor.exponent()).max(0)).ok().filter(|scale| *scale <= 400)?;
        Some(Divisor { modulus, scale })
    }
}

fn divisors(spec: &NumberSpec) -> Option<Vec<Divisor>> {
    spec.multiples.iter().chain(&spec.not_multiples).map(Divisor::new).collect()
}

/// Whether each state fits into a word, and it can be calculated whether it is live.
fn is_calculable(spec: &NumberSpec) -> bool {
    let is_so = |divisors: Vec<Divisor>| reach(spec, &divisors).is_some() && packing(spec, &divisors).is_some();
    divisors(spec).is_some_and(is_so)
}

fn packing(spec: &NumberSpec, divisors: &[Divisor]) -> Option<Packing> {
    Packing::new(spec.max_digits?, spec.excluded.len(), divisors.iter().map(|divisor| divisor.modulus))
}

fn reach(spec: &NumberSpec, divisors: &[Divisor]) -> Option<Reach> {
    let (wanted, unwanted) = divisors.split_at(spec.multiples.len());
    let wanted = match wanted {
        [] => None,
        [wanted] => Some(*wanted),
        _ => return None,
    };
    let bounds = [&spec.minimum, &spec.maximum].into_iter().flatten().map(|bound| &bound.value);
    let n_places = bounds.chain(&spec.excluded).map(|value| (-value.exponent()).max(0)).max().unwrap_or(0);
    let n_places = u32::try_from(n_places).ok()?;
    if divisors.is_empty() {
        return None;
    }
    Reach::new((wanted, unwanted), spec.integer, spec.max_digits?, n_places, spec.excluded.len())
}

/// How many remainders all divisors have together; `None` for very many.
fn n_remainders(spec: &NumberSpec) -> Option<u64> {
    divisors(spec)?.iter().try_fold(1, |common, divisor| lcm(common, divisor.modulus))
}
