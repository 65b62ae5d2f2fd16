//! Which spellings are numbers of this set? The number so far is the state, in its shortest form.
//!
//! Of the digits before an exponent only the number they make is kept, and where its last place is; of an exponent,
//! which ones are allowed ([`Exponents`]) and how far it is written. Digits that no bound and no divisor can tell apart
//! become the same digits ([`ExactMachine::shorten`]), so that most sets have few states even so.

use smallvec::SmallVec;

use super::exponent::Exponents;
use super::values::{ValueSet, lcm};
use super::{EXPONENT, MINUS, PLUS, POINT};
use crate::automata::decimal::{Decimal, remainder_of};
use crate::automata::spec::{NumberForm, NumberSpec, Numbers};
use crate::error::GrammarError;

/// Most digits of a number; a longer one is an overflow. Bounds may be longer.
const MAX_DIGITS: usize = 500;

/// Most places that a number's digits and zeros take; a longer one is an overflow.
const MAX_PLACES: i64 = 4_000;

/// Most digits that are looked for at the end of a number without bounds.
const MAX_SOUGHT: u32 = 40;

/// Automaton of one [`NumberSpec`].
#[derive(Debug)]
pub(crate) struct ExactMachine {
    set: ValueSet,
    form: NumberForm,
    has_point: bool,
    has_exponent: bool,
    has_minus_zero: bool,
    max_digits: Option<u32>,
    /// Digits that numbers are compared with, in rising order.
    compared: Vec<Box<[u8]>>,
    /// Numbers that differ by a multiple of this are the same to all divisors, and end in the same digit; `None` where it is
    /// too large, and each digit matters.
    period: Option<u64>,
    most_digits: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Start,
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
}

/// What was read so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ExactState {
    Mantissa(Mantissa),
    Power(Power),
}

/// The number before the exponent: `±digits * 10^last`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mantissa {
    part: Part,
    negative: bool,
    /// Neither the first nor the last is zero.
    digits: SmallVec<[u8; 16]>,
    /// Place of the last digit; in a fraction it is below zero.
    last: i64,
    /// Digits of the present part, where they are counted.
    n_digits: u32,
}

/// An exponent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Power {
    allowed: Exponents,
    /// Its sign, once that is known.
    negative: Option<bool>,
    /// Its size so far; saturates where more makes no difference.
    size: Option<i64>,
}

impl ExactState {
    pub(super) fn n_heap_bytes(&self) -> usize {
        match self {
            ExactState::Mantissa(mantissa) if mantissa.digits.spilled() => mantissa.digits.len(),
            ExactState::Power(Power { allowed: Exponents::Among(among), .. }) if among.spilled() => 8 * among.len(),
            _ => 0,
        }
    }
}

impl ExactMachine {
    pub(super) fn new(spec: &NumberSpec) -> Result<ExactMachine, GrammarError> {
        let plain_integer = spec.integer && spec.spelling == Numbers::Plain && spec.form == NumberForm::Free;
        let digits_alone = spec.form == NumberForm::Digits || plain_integer;
        let mut set_spec = spec.clone();
        let max_digits = spec.max_digits.map(|max| max.max(1));
        let max_fraction = max_digits.filter(|_| !digits_alone);
        if let Some(max) = max_fraction {
            // Nothing finer can be written.
            set_spec.multiples.push(Decimal::power(-i64::from(max)));
        }
        let set = ValueSet::new(&set_spec)?;
        let targets = targets(&set);
        let longest = targets.iter().map(|digits| digits.len()).max().unwrap_or(0);
        Ok(ExactMachine {
            form: spec.form,
            has_point: !digits_alone,
            has_exponent: !digits_alone && spec.spelling == Numbers::Any,
            has_minus_zero: !digits_alone || spec.spelling == Numbers::Any,
            max_digits,
            compared: targets,
            period: period(spec),
            most_digits: MAX_DIGITS.max(2 * longest),
            set,
        })
    }

    pub(super) fn spec(&self) -> &NumberSpec {
        self.set.spec()
    }

    pub(super) fn start(&self) -> ExactState {
        ExactState::Mantissa(Mantissa {
            part: Part::Start,
            negative: false,
            digits: SmallVec::new(),
            last: 0,
            n_digits: 0,
        })
    }

    pub(super) fn is_too_large(&self, state: &ExactState) -> bool {
        matches!(state, ExactState::Mantissa(mantissa)
            if mantissa.digits.len() > self.most_digits || mantissa.last.abs().max(i64::from(mantissa.n_digits)) > MAX_PLACES)
    }

    pub(super) fn step(&self, state: &ExactState, class: usize) -> Option<ExactState> {
        let mantissa = match state {
            ExactState::Mantissa(mantissa) => mantissa,
            ExactState::Power(power) => return power.step(class).map(ExactState::Power),
        };
        let next = match (mantissa.part, class) {
            (Part::Start, MINUS) => Mantissa { part: Part::Minus, negative: true, ..mantissa.clone() },
            (Part::Start | Part::Minus, 0) => {
                let is_fine = self.has_minus_zero || !mantissa.negative;
                is_fine.then(|| Mantissa { part: Part::Zero, ..mantissa.clone() })?
            }
            (Part::Start | Part::Minus | Part::Whole, 0..=9) => self.step_whole(mantissa, class as u8)?,
            (Part::Zero | Part::Whole, POINT) if self.has_point => {
                Mantissa { part: Part::Point, n_digits: 0, ..mantissa.clone() }
            }
            (Part::Point | Part::Fraction, 0..=9) => self.step_fraction(mantissa, class as u8)?,
            (Part::Zero | Part::Whole | Part::Fraction, EXPONENT) if self.has_exponent => {
                let allowed = Exponents::new(&self.set, mantissa.negative, &mantissa.digits, mantissa.last)?;
                return Some(ExactState::Power(Power { allowed, negative: None, size: None }));
            }
            _ => return None,
        };
        Some(ExactState::Mantissa(self.shorten(next)))
    }

    fn step_whole(&self, mantissa: &Mantissa, digit: u8) -> Option<Mantissa> {
        if self.max_digits.is_some_and(|max| mantissa.n_digits >= max) {
            return None;
        }
        let mut next = mantissa.clone();
        next.part = Part::Whole;
        next.n_digits = self.max_digits.map_or(0, |_| mantissa.n_digits + 1);
        if digit == 0 {
            next.last += 1;
        } else {
            next.append(digit, 0, mantissa.last);
        }
        Some(next)
    }

    fn step_fraction(&self, mantissa: &Mantissa, digit: u8) -> Option<Mantissa> {
        if self.max_digits.is_some_and(|max| mantissa.n_digits >= max) {
            return None;
        }
        let mut next = mantissa.clone();
        next.part = Part::Fraction;
        next.n_digits = mantissa.n_digits.saturating_add(1);
        if digit != 0 {
            let place = -i64::from(next.n_digits);
            next.append(digit, place, mantissa.last - place - 1);
        }
        Some(next)
    }

    /// Makes digits the same that nothing tells apart: where the number differs already from all that it is compared
    /// with, only its length matters, and what it leaves when divided.
    fn shorten(&self, mut mantissa: Mantissa) -> Mantissa {
        let Some(period) = self.period.filter(|_| !mantissa.digits.is_empty()) else { return mantissa };
        let digits = &mut mantissa.digits;
        let agrees = |target: &[u8], at: usize| digits[at] == target.get(at).copied().unwrap_or(0);
        let agreeing = |target: &[u8]| (0..digits.len()).take_while(|at| agrees(target, *at)).count();
        // They are sorted: no other agrees with more digits than the two between which the number would stand.
        let at = self.compared.partition_point(|target| **target < **digits);
        let neighbours = self.compared[at.saturating_sub(1)..].iter().take(2);
        let n_kept = neighbours.map(|target| agreeing(target) + 1).max().unwrap_or(0);
        let Some((kept, rest)) = digits.split_at_mut_checked(n_kept) else { return mantissa };
        let n_digits = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        if rest.is_empty() || 10u64.checked_pow(n_digits).is_some_and(|end| end < period) {
            return mantissa;
        }
        // The least digits that leave the same, behind those that are kept; the last one is not zero.
        let mut left = if period == 1 { 1 } else { remainder_of(rest, period) };
        if kept.is_empty() {
            // Not even the length matters.
            *digits = SmallVec::from_slice(Decimal::from(left).digits());
        } else {
            for digit in rest.iter_mut().rev() {
                (*digit, left) = ((left % 10) as u8, left / 10);
            }
        }
        mantissa
    }

    pub(super) fn is_accepting(&self, state: &ExactState) -> bool {
        match state {
            ExactState::Mantissa(mantissa) => {
                let may_end = match mantissa.part {
                    Part::Zero | Part::Whole => self.form != NumberForm::NotDigits,
                    Part::Fraction => true,
                    Part::Start | Part::Minus | Part::Point => false,
                };
                may_end && self.set.contains(&mantissa.value())
            }
            ExactState::Power(power) => {
                power.signed().is_some_and(|exponent| power.allowed.any_between(exponent, exponent))
            }
        }
    }

    /// Digits that a whole part needs, where there are no exponents.
    pub(super) fn bytes_to_end(&self, state: &ExactState) -> u32 {
        let ExactState::Mantissa(mantissa) = state else { return 0 };
        if self.has_exponent || mantissa.part != Part::Whole {
            return 0;
        }
        let prefix = mantissa.written();
        let any = |n_more: &u32| {
            let n_more = Some(i64::from(*n_more));
            self.set.any_with_prefix(mantissa.negative, &prefix, (n_more, n_more))
        };
        let room = self.max_digits.map_or(MAX_SOUGHT, |max| max.saturating_sub(mantissa.n_digits));
        (0..=room).find(any).unwrap_or(0)
    }

    /// Whether the number so far can be completed.
    pub(super) fn is_live(&self, state: &ExactState) -> bool {
        let mantissa = match state {
            ExactState::Mantissa(mantissa) => mantissa,
            ExactState::Power(power) => return power.is_live(),
        };
        let negative = mantissa.negative;
        let zero = self.set.has_zero();
        let whole_end = self.max_digits.map(|max| Decimal::power(i64::from(max)));
        let any = |negative: bool| {
            let zero = zero && (self.has_minus_zero || !negative);
            zero || self.set.any_within(negative, &Decimal::zero(), whole_end.as_ref())
        };
        match mantissa.part {
            Part::Start => any(false) || any(true),
            Part::Minus => any(true),
            _ if mantissa.digits.is_empty() => {
                let end = (!self.has_exponent).then(|| Decimal::power(-i64::from(mantissa.n_fraction())));
                zero || (self.has_point && self.set.any_within(negative, &Decimal::zero(), end.as_ref()))
            }
            part => {
                let n_fraction = i64::from(mantissa.n_fraction());
                let prefix = mantissa.written();
                let room = self.max_digits.map(|max| i64::from(max.saturating_sub(mantissa.n_digits)));
                let places = match part {
                    _ if self.has_exponent => (None, None),
                    Part::Whole => (Some(0), room),
                    _ => (Some(-n_fraction), Some(-n_fraction)),
                };
                self.set.any_with_prefix(negative, &prefix, places)
            }
        }
    }
}

impl Mantissa {
    /// Adds a digit at `place`, behind as many zeros.
    fn append(&mut self, digit: u8, place: i64, n_zeros: i64) {
        if !self.digits.is_empty() {
            self.digits.resize(self.digits.len() + usize::try_from(n_zeros).unwrap_or(0), 0);
        }
        self.digits.push(digit);
        self.last = place;
    }

    /// The digits from the first that is not zero to the last that was written.
    fn written(&self) -> Vec<u8> {
        let mut written = self.digits.to_vec();
        written.resize(written.len() + usize::try_from(self.last + i64::from(self.n_fraction())).unwrap_or(0), 0);
        written
    }

    fn n_fraction(&self) -> u32 {
        if self.part == Part::Fraction { self.n_digits } else { 0 }
    }

    fn value(&self) -> Decimal {
        Decimal::from_digits(self.negative, self.digits.to_vec(), self.last)
    }
}

impl Power {
    fn step(&self, class: usize) -> Option<Power> {
        let mut next = self.clone();
        match (class, self.size) {
            (MINUS | PLUS, None) if self.negative.is_none() => next.negative = Some(class == MINUS),
            (0..=9, size) => {
                next.negative = self.negative.or(Some(false));
                next.size = Some((size.unwrap_or(0) * 10 + class as i64).min(self.allowed.cap()));
            }
            _ => return None,
        }
        Some(next)
    }

    fn signed(&self) -> Option<i64> {
        let size = self.size?;
        Some(if self.negative == Some(true) { -size } else { size })
    }

    fn is_live(&self) -> bool {
        let cap = self.allowed.cap();
        let (Some(negative), Some(size)) = (self.negative, self.size) else {
            let least = if self.negative == Some(false) { 0 } else { -cap };
            let greatest = if self.negative == Some(true) { 0 } else { cap };
            return self.allowed.any_between(least, greatest);
        };
        let (mut first, mut n) = (size, 1);
        loop {
            let (low, high) = (first.min(cap), (first + n - 1).min(cap));
            let (low, high) = if negative { (-high, -low) } else { (low, high) };
            if self.allowed.any_between(low, high) {
                return true;
            }
            if first >= cap || n > cap {
                return false;
            }
            (first, n) = (first * 10, n * 10);
        }
    }
}

/// The least common multiple of all divisors' digits, and of ten; 1 where divisors are powers of ten.
fn period(spec: &NumberSpec) -> Option<u64> {
    let divisors = spec.multiples.iter().chain(&spec.not_multiples);
    let period = divisors.map(Decimal::coefficient).try_fold(1, |period, digits| lcm(period, digits?))?;
    if period == 1 { Some(1) } else { lcm(period, 10) }
}

/// The digits of all that numbers are compared with.
fn targets(set: &ValueSet) -> Vec<Box<[u8]>> {
    let spans = [false, true].into_iter().filter_map(|negative| set.span(negative));
    let bounds = spans.flat_map(|span| [&span.least, &span.greatest]).flatten().map(|bound| &bound.value);
    let values = bounds.chain(&set.spec().excluded).chain(set.values().unwrap_or_default());
    let mut targets: Vec<Box<[u8]>> =
        values.filter(|value| !value.is_zero()).map(|value| value.digits().into()).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}
