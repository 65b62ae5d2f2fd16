//! What is a number's exact value? Decimals as strings of digits, compared and divided as in school.

use std::cmp::Ordering;

use serde_json::Number;

/// `digits` times ten to the power of `exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    is_negative: bool,
    /// Without zeros in front or behind; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
}

impl Exact {
    pub(super) fn of(number: &Number) -> Exact {
        let text = number.to_string();
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
        let mut exponent = exponent.trim_start_matches('+').parse().unwrap_or(0) - fraction.len() as i64;
        while digits.last() == Some(&0) {
            digits.pop();
            exponent += 1;
        }
        let n_zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..n_zeros);
        match digits.is_empty() {
            true => Exact { is_negative: false, digits, exponent: 0 },
            false => Exact { is_negative, digits, exponent },
        }
    }

    pub(super) fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    pub(super) fn compare(&self, other: &Exact) -> Ordering {
        let sign = |number: &Exact| match (number.digits.is_empty(), number.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        let by_size = || {
            let top = |number: &Exact| number.digits.len() as i64 + number.exponent;
            // Digits after the same point: the first that differs decides, and a longer one is larger.
            top(self).cmp(&top(other)).then_with(|| self.digits.cmp(&other.digits))
        };
        by_sign.then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => by_size(),
            _ => by_size().reverse(),
        })
    }

    /// Whether a whole number of `divisor` makes it. `None` where the numbers are too long for this.
    pub(super) fn is_multiple_of(&self, divisor: &Exact) -> Option<bool> {
        let least = self.exponent.min(divisor.exponent);
        let scale = |number: &Exact| u32::try_from(number.exponent - least).ok().filter(|n_zeros| *n_zeros <= 400);
        let step =
            divisor.digits.iter().try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add((*digit).into()));
        let step = u128::from(step?).checked_mul(10_u128.checked_pow(scale(divisor)?)?)?;
        if step == 0 {
            return None;
        }
        let zeros = std::iter::repeat_n(&0_u8, scale(self)? as usize);
        let mut rest = 0_u128;
        for digit in self.digits.iter().chain(zeros) {
            rest = rest.checked_mul(10)?.checked_add(u128::from(*digit))? % step;
        }
        Some(rest == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::of(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(exact("100"), exact("1e2"));
        assert_eq!(exact("1.0"), exact("1"));
        assert_eq!(exact("-0"), exact("0.0"));
        assert!(exact("1.0").is_integer() && !exact("0.5").is_integer());
    }

    #[test]
    fn order_is_by_value() {
        for (less, more) in [("-2", "-1"), ("-1", "0"), ("0", "0.5"), ("0.5", "1"), ("2", "10"), ("1.5", "1.51")] {
            assert_eq!(exact(less).compare(&exact(more)), Ordering::Less, "{less} {more}");
            assert_eq!(exact(more).compare(&exact(less)), Ordering::Greater, "{less} {more}");
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (number, divisor, expected) in [("0.3", "0.1", true), ("1e3", "7", false), ("-4.5", "1.5", true)] {
            assert_eq!(exact(number).is_multiple_of(&exact(divisor)), Some(expected), "{number} {divisor}");
        }
    }
}
