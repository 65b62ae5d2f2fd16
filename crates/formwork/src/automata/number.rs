//! Which spellings are numbers within these bounds? JSON numbers digit by digit, in exact decimal arithmetic.
//!
//! A state remembers how the digits so far compare with the digits of both bounds, and the remainder by each divisor:
//! never the number itself, so that bounds of any size cost as many states as they have digits.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::decimal::Decimal;
use super::lazy_dfa::Machine;
use super::spec::{Bound, NumberSpec};
use crate::error::{GrammarError, LimitError};
use crate::limits::Limits;

/// Input classes: the ten digits, then these.
const MINUS: usize = 10;
const POINT: usize = 11;
const EXPONENT: usize = 12;
const PLUS: usize = 13;
const N_CLASSES: usize = 14;

/// Most digits of a bound, written out without exponent.
const MAX_BOUND_DIGITS: i64 = 2_000;

/// The class of a byte; `None` for bytes that no number has.
pub(crate) fn number_class(byte: u8) -> Option<usize> {
    Some(match byte {
        b'0'..=b'9' => usize::from(byte - b'0'),
        b'-' => MINUS,
        b'.' => POINT,
        b'e' | b'E' => EXPONENT,
        b'+' => PLUS,
        _ => return None,
    })
}

/// Automaton of one [`NumberSpec`].
#[derive(Debug)]
pub(crate) struct NumberMachine {
    integer: bool,
    exponent: bool,
    max_digits: Option<u32>,
    /// Ranges of the distance from zero, for numbers without and with a minus; `None` where no number has that sign.
    ranges: [Option<Range>; 2],
    divisors: Vec<Divisor>,
}

/// Distances from zero that are allowed.
#[derive(Clone, Debug, Default)]
struct Range {
    least: Option<Digits>,
    greatest: Option<Digits>,
}

/// A distance from zero, written out.
#[derive(Clone, Debug)]
struct Digits {
    whole: Vec<u8>,
    fraction: Vec<u8>,
    exclusive: bool,
}

/// The number times `10^scale` must be a multiple of `modulus`.
#[derive(Clone, Copy, Debug)]
struct Divisor {
    modulus: u64,
    scale: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
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
pub(crate) struct NumberState {
    phase: Phase,
    negative: bool,
    /// Digits of the present part: whole, fraction or exponent; saturates where more make no difference.
    n_digits: u32,
    least: Ordering,
    greatest: Ordering,
    remainders: SmallVec<[u64; 1]>,
}

impl NumberMachine {
    pub(crate) fn new(spec: &NumberSpec, limits: &Limits) -> Result<NumberMachine, GrammarError> {
        let divisors = spec.multiples.iter().map(|divisor| Divisor::new(divisor, limits)).collect::<Result<_, _>>()?;
        let bound = |bound: &Option<Bound>| bound.as_ref().map(Digits::new).transpose();
        let (minimum, maximum) = (bound(&spec.minimum)?, bound(&spec.maximum)?);
        let negative = |bound: &Option<Bound>| bound.as_ref().is_some_and(|bound| bound.value.is_negative());
        let positive = |bound: &Option<Bound>| {
            bound.as_ref().is_some_and(|bound| !bound.value.is_negative() && !bound.value.is_zero())
        };
        let is_zero = |bound: &Option<Bound>| bound.as_ref().is_none_or(|bound| bound.value.is_zero());
        let upwards = (!negative(&spec.maximum))
            .then(|| Range { least: minimum.clone().filter(|_| !negative(&spec.minimum)), greatest: maximum.clone() });
        let downwards = (!positive(&spec.minimum))
            .then(|| Range { least: maximum.filter(|_| !positive(&spec.maximum)), greatest: minimum });
        Ok(NumberMachine {
            integer: spec.integer,
            // A power of ten leaves a number on its side of zero: only then the digits before it can be judged alone.
            exponent: !spec.integer && spec.multiples.is_empty() && is_zero(&spec.minimum) && is_zero(&spec.maximum),
            max_digits: spec.max_digits,
            ranges: [upwards, downwards],
            divisors,
        })
    }

    fn range(&self, negative: bool) -> Option<&Range> {
        self.ranges[usize::from(negative)].as_ref()
    }

    /// Digits of the whole part beyond which their number makes no difference.
    fn whole_cap(&self, range: &Range) -> u32 {
        let longest = [&range.least, &range.greatest].into_iter().flatten().map(|digits| digits.whole.len()).max();
        self.max_digits.unwrap_or(longest.unwrap_or(0) as u32 + 1)
    }

    fn fraction_cap(&self, range: &Range) -> u32 {
        let longest = [&range.least, &range.greatest].into_iter().flatten().map(|digits| digits.fraction.len()).max();
        let scale = self.divisors.iter().map(|divisor| divisor.scale).max();
        self.max_digits.unwrap_or(longest.unwrap_or(0).max(scale.unwrap_or(0) as usize) as u32 + 1)
    }

    fn may_read_more(&self, n_digits: u32) -> bool {
        self.max_digits.is_none_or(|max| n_digits < max)
    }

    fn step_whole(&self, state: &NumberState, digit: u8) -> Option<NumberState> {
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
        if next.phase == Phase::Zero {
            // Zero has no significant digit: it is compared as a number of no digits.
            (next.least, next.greatest) = (Ordering::Equal, Ordering::Equal);
        } else {
            next.n_digits = (state.n_digits + 1).min(self.whole_cap(range));
        }
        self.divide(&mut next, digit, 0);
        Some(next)
    }

    /// Settles the comparison of the whole parts by their lengths.
    fn whole_order(&self, state: &NumberState) -> (Ordering, Ordering) {
        let Some(range) = self.range(state.negative) else { return (Ordering::Equal, Ordering::Equal) };
        let settle = |so_far: Ordering, bound: &Option<Digits>| match bound {
            Some(bound) => (state.n_digits as usize).cmp(&bound.whole.len()).then(so_far),
            None => Ordering::Equal,
        };
        (settle(state.least, &range.least), settle(state.greatest, &range.greatest))
    }

    fn step_point(&self, state: &NumberState) -> Option<NumberState> {
        if self.integer {
            return None;
        }
        let (least, greatest) = self.whole_order(state);
        Some(NumberState { phase: Phase::Point, n_digits: 0, least, greatest, ..state.clone() })
    }

    fn step_fraction(&self, state: &NumberState, digit: u8) -> Option<NumberState> {
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
        next.n_digits = (state.n_digits + 1).min(self.fraction_cap(range));
        self.divide(&mut next, digit, state.n_digits + 1);
        Some(next)
    }

    /// Takes a digit into the remainders; `place` counts from 1 behind the point, 0 is before it.
    fn divide(&self, state: &mut NumberState, digit: u8, place: u32) {
        for (divisor, remainder) in self.divisors.iter().zip(&mut state.remainders) {
            if place <= divisor.scale {
                let next = u128::from(*remainder) * 10 + u128::from(digit);
                *remainder = (next % u128::from(divisor.modulus)) as u64;
            } else if digit != 0 {
                // Too fine for any multiple; no later digit mends that.
                *remainder = u64::MAX;
            }
        }
    }

    fn step_exponent(&self, state: &NumberState, class: usize) -> Option<NumberState> {
        let next = |phase, n_digits| Some(NumberState { phase, n_digits, ..state.clone() });
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

    fn is_in_range(&self, state: &NumberState, (least, greatest): (Ordering, Ordering)) -> bool {
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

    fn is_multiple(&self, state: &NumberState) -> bool {
        let n_fraction = match state.phase {
            Phase::Fraction => state.n_digits,
            _ => 0,
        };
        self.divisors.iter().zip(&state.remainders).all(|(divisor, remainder)| {
            let mut rest = *remainder;
            if rest == u64::MAX {
                return false;
            }
            for _ in n_fraction..divisor.scale {
                rest = (u128::from(rest) * 10 % u128::from(divisor.modulus)) as u64;
            }
            rest == 0
        })
    }
}

impl Machine for NumberMachine {
    type State = NumberState;

    fn n_classes(&self) -> usize {
        N_CLASSES
    }

    fn start(&self) -> NumberState {
        NumberState {
            phase: Phase::Start,
            negative: false,
            n_digits: 0,
            least: Ordering::Equal,
            greatest: Ordering::Equal,
            remainders: self.divisors.iter().map(|_| 0).collect(),
        }
    }

    fn step(&self, state: &NumberState, class: usize) -> Option<NumberState> {
        match (state.phase, class) {
            (Phase::Start, MINUS) => {
                self.range(true)?;
                Some(NumberState { phase: Phase::Minus, negative: true, ..state.clone() })
            }
            (Phase::Start | Phase::Minus | Phase::Whole, 0..=9) => self.step_whole(state, class as u8),
            (Phase::Zero | Phase::Whole, POINT) => self.step_point(state),
            (Phase::Point | Phase::Fraction, 0..=9) => {
                let next = self.step_fraction(state, class as u8)?;
                next.remainders.iter().all(|remainder| *remainder != u64::MAX).then_some(next)
            }
            (Phase::Zero | Phase::Whole | Phase::Fraction, EXPONENT) if self.exponent && self.is_accepting(state) => {
                Some(NumberState { phase: Phase::Exponent, n_digits: 0, ..state.clone() })
            }
            _ => self.step_exponent(state, class),
        }
    }

    fn is_accepting(&self, state: &NumberState) -> bool {
        let order = match state.phase {
            Phase::Zero | Phase::Whole => self.whole_order(state),
            Phase::Fraction => (state.least, state.greatest),
            Phase::ExponentDigits { .. } => return true,
            _ => return false,
        };
        self.is_in_range(state, order) && self.is_multiple(state)
    }
}

impl Digits {
    fn new(bound: &Bound) -> Result<Digits, GrammarError> {
        let (digits, exponent) = (bound.value.digits(), bound.value.exponent());
        let point = digits.len() as i64 + exponent;
        if point.abs() > MAX_BOUND_DIGITS || exponent.abs() > MAX_BOUND_DIGITS {
            return Err(GrammarError::Invalid(format!(
                "number bound {} has more than {MAX_BOUND_DIGITS} digits",
                bound.value
            )));
        }
        let at = |place: i64| usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or(0);
        let whole = (0..point).map(at).collect();
        let fraction = (point..digits.len() as i64).map(at).collect();
        Ok(Digits { whole, fraction, exclusive: bound.exclusive })
    }
}

impl Divisor {
    fn new(divisor: &Decimal, limits: &Limits) -> Result<Divisor, GrammarError> {
        let too_large =
            || GrammarError::Limit(LimitError { setting: "max_automaton_states", limit: limits.max_automaton_states });
        if divisor.is_zero() || divisor.is_negative() {
            return Err(GrammarError::Invalid("a divisor must be above zero".into()));
        }
        let mut modulus: u64 = 0;
        for digit in divisor.digits() {
            modulus = modulus.checked_mul(10).and_then(|m| m.checked_add(u64::from(*digit))).ok_or_else(too_large)?;
        }
        for _ in 0..divisor.exponent().clamp(0, 20) {
            modulus = modulus.checked_mul(10).ok_or_else(too_large)?;
        }
        let scale = u32::try_from((-divisor.exponent()).max(0)).map_err(|_| too_large())?;
        if modulus > limits.max_automaton_states as u64 || scale > 400 {
            return Err(too_large());
        }
        Ok(Divisor { modulus, scale })
    }
}

/// Whether `value` satisfies `spec`, whatever its spelling.
pub(crate) fn number_matches(spec: &NumberSpec, value: &Decimal) -> bool {
    let above = spec.minimum.as_ref().is_none_or(|bound| match value.cmp(&bound.value) {
        Ordering::Less => false,
        Ordering::Equal => !bound.exclusive,
        Ordering::Greater => true,
    });
    let below = spec.maximum.as_ref().is_none_or(|bound| match value.cmp(&bound.value) {
        Ordering::Less => true,
        Ordering::Equal => !bound.exclusive,
        Ordering::Greater => false,
    });
    let multiple = spec.multiples.iter().all(|divisor| value.is_multiple_of(divisor) == Some(true));
    above && below && multiple && (!spec.integer || value.is_integer())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::lazy_dfa::{LazyDfa, Overflows};

    fn bound(text: &str, exclusive: bool) -> Option<Bound> {
        Some(Bound { value: Decimal::parse(text).unwrap(), exclusive })
    }

    fn automaton(spec: &NumberSpec) -> LazyDfa<NumberMachine> {
        LazyDfa::new(NumberMachine::new(spec, &Limits::default()).unwrap(), 100_000, Overflows::default())
    }

    /// Whether the automaton accepts `text`, every step of it being live.
    fn accepts(dfa: &LazyDfa<NumberMachine>, text: &str) -> bool {
        let mut state = Some(0);
        for byte in text.bytes() {
            state = state.and_then(|state| dfa.next(state, number_class(byte)?));
        }
        state.is_some_and(|state| dfa.is_accepting(state))
    }

    #[test]
    fn bounds_agree_with_exact_comparison_on_all_short_spellings() {
        let ends = ["-12.5", "-10", "-3", "-0.05", "0", "0.5", "0.07", "3", "9.99", "10", "123"];
        let mut texts: Vec<String> = Vec::new();
        for whole in ["0", "1", "2", "3", "9", "10", "11", "12", "13", "99", "100", "122", "123", "124", "200"] {
            for fraction in ["", ".0", ".05", ".5", ".06", ".07", ".070", ".071", ".99", ".991", ".49"] {
                texts.push(format!("{whole}{fraction}"));
                texts.push(format!("-{whole}{fraction}"));
            }
        }
        for (lo, low) in ends.iter().enumerate() {
            for high in &ends[lo..] {
                for (open_low, open_high) in [(false, false), (true, false), (false, true), (true, true)] {
                    for integer in [false, true] {
                        let spec = NumberSpec {
                            integer,
                            minimum: bound(low, open_low),
                            maximum: bound(high, open_high),
                            ..NumberSpec::default()
                        };
                        let dfa = automaton(&spec);
                        for text in &texts {
                            let expected = number_matches(&spec, &Decimal::parse(text).unwrap())
                                && !(integer && (text.contains('.') || text == "-0"));
                            assert_eq!(accepts(&dfa, text), expected, "{text} in {spec:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn bounds_at_zero_leave_exponents_alone() {
        for (minimum, maximum, yes, no) in [
            (bound("0", false), None, &["1e-06", "0e5", "-0.0E3", "2.5E+9"][..], &["-1e-06", "-0.5e1"][..]),
            (bound("0", true), None, &["1e-06", "0.05e1"], &["0e5", "0.0E2", "-1e1"]),
            (None, bound("0", true), &["-1e9", "-0.5E-1"], &["1e1", "0e0", "-0e0"]),
            (bound("1", false), None, &["1", "10.5"], &["1e1", "10e0"]),
        ] {
            let dfa = automaton(&NumberSpec { minimum, maximum, ..NumberSpec::default() });
            yes.iter().for_each(|text| assert!(accepts(&dfa, text), "{text}"));
            no.iter().for_each(|text| assert!(!accepts(&dfa, text), "{text}"));
        }
    }

    #[test]
    fn multiples_are_exact_and_never_dead_ends() {
        for (divisor, yes, no) in [
            ("0.01", ["1.25", "3", "0.10"], ["1.255", "0.001", "2.999"]),
            ("7", ["14", "-21", "0"], ["1", "15", "-20"]),
            ("2.5", ["2.5", "10", "7.50"], ["1", "2.55", "8"]),
        ] {
            let divisor = Decimal::parse(divisor).unwrap();
            let dfa = automaton(&NumberSpec { multiples: vec![divisor], max_digits: Some(3), ..NumberSpec::default() });
            yes.iter().for_each(|text| assert!(accepts(&dfa, text), "{text}"));
            no.iter().for_each(|text| assert!(!accepts(&dfa, text), "{text}"));
        }
    }

    #[test]
    fn an_empty_range_is_empty() {
        for (low, high, multiple, empty) in
            [("1", "2", None, false), ("2", "1", None, true), ("1", "2", Some("3"), true), ("0.1", "0.2", None, true)]
        {
            let spec = NumberSpec {
                integer: true,
                minimum: bound(low, false),
                maximum: bound(high, false),
                multiples: multiple.iter().map(|text| Decimal::parse(text).unwrap()).collect(),
                max_digits: None,
            };
            assert_eq!(automaton(&spec).is_empty(), empty, "{spec:?}");
        }
    }

    #[test]
    fn digits_and_exponents_are_bounded() {
        let dfa = automaton(&NumberSpec { max_digits: Some(5), ..NumberSpec::default() });
        for text in ["12345", "12345.12345", "1e99", "1E-308", "-0", "0.1e+5"] {
            assert!(accepts(&dfa, text), "{text}");
        }
        for text in ["123456", "1.123456", "1e100", "01", "1.", ".5", "+1", "1e", "--1"] {
            assert!(!accepts(&dfa, text), "{text}");
        }
    }
}
