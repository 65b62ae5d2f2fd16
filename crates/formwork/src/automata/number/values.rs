//! Does any allowed number lie in this range, or begin with these digits? Answers by arithmetic, never by search.
//!
//! Without a unit the allowed numbers lie dense between the bounds: what is left out are single points. With one they
//! are counted off, multiple by multiple, from the lower end of the range. Of `2^n` multiples in a row at least one is
//! a multiple of none of `n` further divisors (Kanold's bound for Jacobsthal's function), so that counting soon ends.

use std::cmp::Ordering;

use super::digits::MAX_BOUND_DIGITS;
use super::number_matches;
use crate::automata::decimal::{Decimal, remainder_of};
use crate::automata::spec::{Bound, NumberForm, NumberSpec};
use crate::error::GrammarError;

/// Most divisors that a number must not have.
const MAX_NOT_MULTIPLES: usize = 8;

/// The numbers that a description allows, by their value.
#[derive(Debug)]
pub(super) struct ValueSet {
    spec: NumberSpec,
    /// Distances from zero that are allowed, zero apart, without and with a minus; `None` where there are none.
    spans: [Option<Span>; 2],
    /// Every allowed number is a multiple of this.
    pub(super) unit: Option<Decimal>,
    /// Whether any multiple of the unit, however great, is a multiple of nothing forbidden.
    feasible: bool,
}

/// A range of distances from zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Span {
    pub(super) least: Option<Bound>,
    pub(super) greatest: Option<Bound>,
}

impl ValueSet {
    pub(super) fn new(spec: &NumberSpec) -> Result<ValueSet, GrammarError> {
        let mut spec = spec.clone();
        if spec.not_multiples.len() > MAX_NOT_MULTIPLES {
            let reason = format!("a number must be no multiple of more than {MAX_NOT_MULTIPLES} divisors");
            return Err(GrammarError::Invalid(reason));
        }
        let mut unit = (spec.integer || spec.form == NumberForm::Digits).then(|| Decimal::power(0));
        for divisor in spec.multiples.iter().chain(&spec.not_multiples) {
            if divisor.is_negative() || divisor.coefficient().is_none() {
                return Err(GrammarError::Invalid("a divisor must be above zero and of at most 18 digits".into()));
            }
        }
        for divisor in &spec.multiples {
            unit = match unit {
                None => Some(divisor.clone()),
                Some(unit) => Some(common_multiple(&unit, divisor).ok_or_else(|| {
                    GrammarError::Invalid("the least common multiple of all divisors has more than 18 digits".into())
                })?),
            };
        }
        let feasible = match &unit {
            Some(unit) => spec.not_multiples.iter().all(|divisor| unit.is_multiple_of(divisor) == Some(false)),
            None => true,
        };
        if let Some(mut values) = spec.values.take() {
            values.retain(|value| number_matches(&spec, value));
            spec.values = Some(values);
        }
        let spans = spans(&spec);
        for end in spans.iter().flatten().filter_map(|span| span.greatest.as_ref()) {
            if unit.as_ref().is_some_and(|unit| end.value.top() - unit.exponent() > 2 * MAX_BOUND_DIGITS) {
                let reason = format!("a bound has more than {} digits of the divisor's size", 2 * MAX_BOUND_DIGITS);
                return Err(GrammarError::Invalid(reason));
            }
        }
        Ok(ValueSet { spec, spans, unit, feasible })
    }

    pub(super) fn spec(&self) -> &NumberSpec {
        &self.spec
    }

    pub(super) fn span(&self, negative: bool) -> Option<&Span> {
        self.spans[usize::from(negative)].as_ref()
    }

    pub(super) fn values(&self) -> Option<&[Decimal]> {
        self.spec.values.as_deref()
    }

    pub(super) fn contains(&self, value: &Decimal) -> bool {
        number_matches(&self.spec, value)
    }

    pub(super) fn has_zero(&self) -> bool {
        self.contains(&Decimal::zero())
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.has_zero() && ![false, true].into_iter().any(|negative| self.any_within(negative, &Decimal::zero(), None))
    }

    /// Whether a number other than zero is allowed whose distance from zero is at least `low`, and below `high`.
    pub(super) fn any_within(&self, negative: bool, low: &Decimal, high: Option<&Decimal>) -> bool {
        if let Some(values) = self.values() {
            return values.iter().any(|value| {
                let size = value.magnitude();
                let inside = size >= *low && high.is_none_or(|high| size < *high);
                inside && !value.is_zero() && value.is_negative() == negative
            });
        }
        let Some(span) = self.span(negative) else { return false };
        if !self.feasible {
            return false;
        }
        let (mut start, mut start_is_open) = (low.clone(), low.is_zero());
        if let Some(least) = &span.least
            && least.value >= start
        {
            start_is_open = least.exclusive;
            start = least.value.clone();
        }
        let greatest = span.greatest.as_ref().map(|greatest| (&greatest.value, greatest.exclusive));
        let end = match (greatest, high) {
            (Some((greatest, _)), Some(high)) if *high <= *greatest => Some((high, true)),
            (None, Some(high)) => Some((high, true)),
            (greatest, _) => greatest,
        };
        let signed = |size: &Decimal| if negative { size.negated() } else { size.clone() };
        let Some((end, end_is_open)) = end else { return true };
        match start.cmp(end) {
            Ordering::Greater => return false,
            Ordering::Equal => return !start_is_open && !end_is_open && self.contains(&signed(&start)),
            Ordering::Less => {}
        }
        let Some(unit) = &self.unit else { return true };
        let mut candidate = next_multiple(&start, start_is_open, unit);
        while candidate < *end || (candidate == *end && !end_is_open) {
            if self.contains(&signed(&candidate)) {
                return true;
            }
            candidate = candidate.plus(unit);
        }
        false
    }

    /// Whether a number is allowed whose distance from zero is spelled with `digits` first, the next place being ten to
    /// the power `t - 1` for a `t` between these. `digits` do not begin with zero.
    pub(super) fn any_with_prefix(
        &self,
        negative: bool,
        digits: &[u8],
        (t_min, t_max): (Option<i64>, Option<i64>),
    ) -> bool {
        let length = digits.len() as i64;
        let is_possible = |t: i64| t_min.is_none_or(|min| min <= t) && t_max.is_none_or(|max| t <= max);
        if let Some(values) = self.values() {
            return values.iter().any(|value| {
                let begins = || (0..digits.len()).all(|at| digits[at] == value.digits().get(at).copied().unwrap_or(0));
                !value.is_zero() && value.is_negative() == negative && is_possible(value.top() - length) && begins()
            });
        }
        let Some(span) = self.span(negative) else { return false };
        let greatest = span.greatest.as_ref().map(|bound| bound.value.top() - length);
        let last = match (greatest, t_max) {
            (Some(greatest), Some(max)) => greatest.min(max),
            (Some(last), None) | (None, Some(last)) => last,
            // Far enough up, there are numbers of every kind that there is.
            (None, None) => return self.feasible,
        };
        let floor = [span.least.as_ref().map(|bound| &bound.value), self.unit.as_ref()].into_iter().flatten().max();
        let first = match (floor.map(|floor| floor.top() - length - 1), t_min) {
            (Some(floor), Some(min)) => floor.max(min),
            (Some(first), None) | (None, Some(first)) => first,
            // Far enough down, all is below the upper bound.
            (None, None) => return true,
        };
        // With many digits more there is nearly always one.
        (first..=last).rev().any(|t| {
            let low = Decimal::from_digits(false, digits.to_vec(), t);
            let high = low.plus(&Decimal::power(t));
            self.any_within(negative, &low, Some(&high))
        })
    }
}

/// Splits the bounds at zero.
fn spans(spec: &NumberSpec) -> [Option<Span>; 2] {
    let size = |bound: &Bound| Bound { value: bound.value.magnitude(), exclusive: bound.exclusive };
    let below_zero = |bound: &&Bound| bound.value.is_negative();
    let above_zero = |bound: &&Bound| !bound.value.is_negative() && !bound.value.is_zero();
    let (minimum, maximum) = (spec.minimum.as_ref(), spec.maximum.as_ref());
    let positive = maximum
        .is_none_or(|bound| above_zero(&bound))
        .then(|| Span { least: minimum.filter(above_zero).map(size), greatest: maximum.map(size) });
    let negative = minimum
        .is_none_or(|bound| below_zero(&bound))
        .then(|| Span { least: maximum.filter(below_zero).map(size), greatest: minimum.map(size) });
    [positive, negative]
}

/// One divisor in the place of several; `None` where it has more than 18 digits, or where one is none.
pub(super) fn joined(divisors: &[Decimal]) -> Option<Vec<Decimal>> {
    let Some((first, rest)) = divisors.split_first() else { return Some(Vec::new()) };
    if divisors.iter().any(|divisor| divisor.is_negative() || divisor.coefficient().is_none()) {
        return None;
    }
    let joined = rest.iter().try_fold(first.clone(), |joined, divisor| common_multiple(&joined, divisor))?;
    Some(vec![joined])
}

/// The least common multiple; `None` where it has more than 18 digits.
fn common_multiple(left: &Decimal, right: &Decimal) -> Option<Decimal> {
    let (left, right) = (Factors::new(left)?, Factors::new(right)?);
    let factors = Factors {
        twos: left.twos.max(right.twos),
        fives: left.fives.max(right.fives),
        rest: lcm(left.rest, right.rest)?,
    };
    factors.product()
}

/// A number above zero as `2^twos * 5^fives * rest`.
struct Factors {
    twos: i64,
    fives: i64,
    rest: u64,
}

impl Factors {
    fn new(number: &Decimal) -> Option<Factors> {
        let mut factors = Factors { twos: number.exponent(), fives: number.exponent(), rest: number.coefficient()? };
        while factors.rest.is_multiple_of(2) {
            (factors.rest, factors.twos) = (factors.rest / 2, factors.twos + 1);
        }
        while factors.rest.is_multiple_of(5) {
            (factors.rest, factors.fives) = (factors.rest / 5, factors.fives + 1);
        }
        Some(factors)
    }

    fn product(self) -> Option<Decimal> {
        let exponent = self.twos.min(self.fives);
        let power = |base: u64, power: i64| base.checked_pow(u32::try_from(power).ok()?);
        let product = power(2, self.twos - exponent)?.checked_mul(power(5, self.fives - exponent)?)?;
        let digits = Decimal::from(product.checked_mul(self.rest)?);
        let product = Decimal::from_digits(false, digits.digits().to_vec(), digits.exponent() + exponent);
        product.coefficient().is_some().then_some(product)
    }
}

pub(super) fn gcd(left: u64, right: u64) -> u64 {
    if right == 0 { left } else { gcd(right, left % right) }
}

/// The least common multiple of two numbers above zero; `None` where it is too large.
pub(super) fn lcm(left: u64, right: u64) -> Option<u64> {
    (left / gcd(left, right)).checked_mul(right)
}

/// The least multiple of `unit` that is not below `start`; above it, where `start` itself is left out.
fn next_multiple(start: &Decimal, start_is_open: bool, unit: &Decimal) -> Decimal {
    if start.is_multiple_of(unit) == Some(true) {
        return if start_is_open { start.plus(unit) } else { start.clone() };
    }
    let Some(modulus) = unit.coefficient() else { return start.clone() };
    // `start` is no multiple, so that the one below its last whole place leads to the one above it.
    let whole = start.digits_at(unit.exponent());
    let more = modulus - remainder_of(&whole, modulus);
    let more = Decimal::from(more);
    let more = Decimal::from_digits(false, more.digits().to_vec(), more.exponent() + unit.exponent());
    Decimal::from_digits(false, whole, unit.exponent()).plus(&more)
}
