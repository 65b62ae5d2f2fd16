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
    /// long to divide by (more than 18 significant digits).
    pub fn is_multiple_of(&self, divisor: &Decimal) -> Option<bool> {
        let modulus = divisor.coefficient()?;
        if self.is_zero() {
            return Some(true);
        }
        // The last digit is not zero: what is finer than the divisor's last place is no multiple.
        let Ok(shift) = u64::try_from(self.exponent - divisor.exponent) else { return Some(false) };
        let remainder = remainder_of(&self.digits, modulus);
        Some(u128::from(remainder) * u128::from(power_of_ten(shift, modulus)) % u128::from(modulus) == 0)
    }

    /// The significant digits as a number; `None` for zero and for more than 18 of them.
    pub(crate) fn coefficient(&self) -> Option<u64> {
        if self.is_zero() || self.digits.len() > 18 {
            return None;
        }
        Some(self.digits.iter().fold(0, |value, digit| value * 10 + u64::from(*digit)))
    }

    /// The place above the first digit: the number's distance from zero is below ten to this power, and not below a
    /// tenth of that.
    pub(crate) fn top(&self) -> i64 {
        self.exponent + self.digits.len() as i64
    }

    /// The distance from zero.
    pub(crate) fn magnitude(&self) -> Decimal {
        Decimal { negative: false, ..self.clone() }
    }

    /// Ten to the power `exponent`.
    pub(crate) fn power(exponent: i64) -> Decimal {
        Decimal { negative: false, digits: Box::new([1]), exponent }
    }

    /// The sum of two distances from zero. Both must be near each other: as many digits are written as lie between the
    /// first of one and the last of the other.
    pub(crate) fn plus(&self, other: &Decimal) -> Decimal {
        let scale = self.exponent.min(other.exponent);
        let (mut sum, addend) = (self.digits_at(scale), other.digits_at(scale));
        if sum.len() < addend.len() {
            sum.splice(0..0, std::iter::repeat_n(0, addend.len() - sum.len()));
        }
        let mut carry = 0;
        for place in 0..sum.len() {
            let at = sum.len() - 1 - place;
            let own = sum[at] + addend.len().checked_sub(place + 1).map_or(0, |at| addend[at]) + carry;
            (sum[at], carry) = (own % 10, own / 10);
        }
        if carry > 0 {
            sum.insert(0, carry);
        }
        Decimal::from_digits(false, sum, scale)
    }

    /// The digits of the whole part of `|self| / 10^scale`.
    pub(crate) fn digits_at(&self, scale: i64) -> Vec<u8> {
        let length = usize::try_from(self.top() - scale).unwrap_or(0);
        if self.is_zero() {
            return Vec::new();
        }
        let mut digits = self.digits.to_vec();
        digits.resize(length, 0);
        digits
    }

    /// A whole number without exponent.
    pub(crate) fn whole_text(&self) -> String {
        let digits = self.digits_at(0);
        let digits = if digits.is_empty() { vec![0] } else { digits };
        let sign = if self.negative { "-" } else { "" };
        sign.chars().chain(digits.into_iter().map(|digit| char::from(b'0' + digit))).collect()
    }

    fn magnitude_cmp(&self, other: &Decimal) -> Ordering {
        if self.is_zero() || other.is_zero() {
            return other.is_zero().cmp(&self.is_zero());
        }
        let top = |number: &Decimal| number.exponent + number.digits.len() as i64;
        top(self).cmp(&top(other)).then_with(|| self.digits.cmp(&other.digits))
    }
}

/// Digits, as one number, modulo `modulus`.
pub(crate) fn remainder_of(digits: &[u8], modulus: u64) -> u64 {
    let next = |remainder: u64, digit: &u8| (u128::from(remainder) * 10 + u128::from(*digit)) % u128::from(modulus);
    digits.iter().fold(0, |remainder, digit| next(remainder, digit) as u64)
}

/// Ten to the power `power`, modulo `modulus`.
fn power_of_ten(mut power: u64, modulus: u64) -> u64 {
    let modulus = u128::from(modulus);
    let (mut result, mut factor) = (1 % modulus, 10 % modulus);
    while power > 0 {
        if power & 1 == 1 {
            result = result * factor % modulus;
        }
        factor = factor * factor % modulus;
        power >>= 1;
    }
    result as u64
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
