//! What is a JSON number, exactly? Decimal numbers of any size, compared and divided without rounding.

use std::cmp::Ordering;
use std::fmt;

/// An exact decimal number: `±digits × 10^exponent`, kept in its one canonical form.
///
/// Canonical means no leading and no trailing zero digit; zero is no digits, exponent 0 and no sign.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Most significant first, each 0 to 9.
    digits: Box<[u8]>,
    exponent: i64,
}

impl Decimal {
    /// Zero.
    pub fn zero() -> Decimal {
        Decimal { negative: false, digits: Box::default(), exponent: 0 }
    }

    /// Reads a number in JSON's spelling; `None` when it is not one, or its exponent is beyond ±10^9.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || exponent.abs() > 1_000_000_000 {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        Some(Decimal::from_digits(negative, digits, exponent - fraction.len() as i64))
    }

    /// Builds the canonical form of `±digits × 10^exponent`.
    pub fn from_digits(negative: bool, mut digits: Vec<u8>, mut exponent: i64) -> Decimal {
        while digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        if digits.is_empty() {
            return Decimal::zero();
        }
        Decimal { negative, digits: digits.into_boxed_slice(), exponent }
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether it is a whole number.
    pub fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The significant digits, most significant first, without leading or trailing zeros.
    pub fn digits(&self) -> &[u8] {
        &self.digits
    }

    /// The power of ten that the digits are multiplied with.
    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    /// The same distance from zero on the other side.
    pub fn negated(&self) -> Decimal {
        let mut negated = self.clone();
        negated.negative = !self.negative && !self.is_zero();
        negated
    }

    /// The value as a `u64` where it is a whole number that fits.
    pub fn to_u64(&self) -> Option<u64> {
        if self.negative || self.exponent < 0 {
            return None;
        }
        let mut value: u64 = 0;
        for digit in &self.digits {
            value = value.checked_mul(10)?.checked_add(u64::from(*digit))?;
        }
        for _ in 0..self.exponent.min(64) {
            value = value.checked_mul(10)?;
        }
        Some(value)
    }

    /// Whether `self` is a whole multiple of `divisor`; `None` for a divisor of zero or one that is too
    /// long to divide by (more than 18 digits at the common scale).
    pub fn is_multiple_of(&self, divisor: &Decimal) -> Option<bool> {
        if divisor.is_zero() {
            return None;
        }
        let scale = self.exponent.min(divisor.exponent);
        let shift = divisor.exponent - scale;
        if divisor.digits.len() as i64 + shift > 18 {
            // A shift of that size: `self` has digits below the divisor's scale, so far down that only
            // a division of long numbers could tell; zero needs none.
            return if self.is_zero() { Some(true) } else { None };
        }
        let mut modulus: u128 = 0;
        for digit in &divisor.digits {
            modulus = modulus * 10 + u128::from(*digit);
        }
        modulus *= 10u128.pow(shift as u32);
        let mut remainder: u128 = 0;
        for digit in &self.digits {
            remainder = (remainder * 10 + u128::from(*digit)) % modulus;
        }
        let mut factor = 10u128 % modulus;
        let mut power = (self.exponent - scale) as u64;
        while power > 0 {
            if power & 1 == 1 {
                remainder = remainder * factor % modulus;
            }
            factor = factor * factor % modulus;
            power >>= 1;
        }
        Some(remainder == 0)
    }

    fn magnitude_cmp(&self, other: &Decimal) -> Ordering {
        if self.is_zero() || other.is_zero() {
            return other.is_zero().cmp(&self.is_zero());
        }
        let top = |number: &Decimal| number.exponent + number.digits.len() as i64;
        top(self).cmp(&top(other)).then_with(|| self.digits.cmp(&other.digits))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude_cmp(other),
            (true, true) => other.magnitude_cmp(self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<u64> for Decimal {
    fn from(value: u64) -> Decimal {
        Decimal::from_digits(false, value.to_string().bytes().map(|byte| byte - b'0').collect(), 0)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        if self.is_zero() {
            return f.write_str("0");
        }
        for digit in &self.digits {
            write!(f, "{digit}")?;
        }
        match self.exponent {
            0 => Ok(()),
            exponent => write!(f, "e{exponent}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn spellings_of_one_value_are_equal() {
        for text in ["100", "1e2", "1E+2", "100.0", "1000e-1"] {
            assert_eq!(decimal(text), decimal("100"), "{text}");
        }
        assert_eq!(decimal("-0"), decimal("0.000"));
    }

    #[test]
    fn order_is_numeric() {
        let sorted = ["-1e9", "-2.5", "-2.49", "-0.1", "0", "1e-9", "0.9", "1", "1.01", "9", "10", "1e9"];
        for pair in sorted.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn multiples_are_exact() {
        assert_eq!(decimal("0.3").is_multiple_of(&decimal("0.1")), Some(true));
        assert_eq!(decimal("0.35").is_multiple_of(&decimal("0.1")), Some(false));
        assert_eq!(decimal("1e308").is_multiple_of(&decimal("0.5")), Some(true));
        assert_eq!(decimal("19.99").is_multiple_of(&decimal("0.01")), Some(true));
        assert_eq!(decimal("7").is_multiple_of(&decimal("0")), None);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", "1.2.3", "0x1", "1e", "1e99999999999", "+1", "."] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
