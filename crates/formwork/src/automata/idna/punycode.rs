//! Which code points does an ASCII label stand for? RFC 3492 both ways.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const FIRST_BIAS: u32 = 72;
const FIRST_CODE_POINT: u32 = 128;

/// What was read of an encoded text, deltas one by one.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    pub(super) decoded: Vec<u32>,
    /// Least code point that may still come.
    pub(super) code_point: u32,
    /// Where it would be inserted.
    place: u32,
    bias: u32,
    /// Of the delta that is being read: its digits' value so far, the weight and the number of the next.
    value: u32,
    weight: u32,
    n_digits: u32,
}

impl Decoder {
    /// Behind the basic code points.
    pub(super) fn new(basic: &[u8]) -> Decoder {
        Decoder {
            decoded: basic.iter().map(|byte| u32::from(*byte)).collect(),
            code_point: FIRST_CODE_POINT,
            place: 0,
            bias: FIRST_BIAS,
            value: 0,
            weight: 1,
            n_digits: 0,
        }
    }

    /// Whether no delta has been begun and not ended.
    pub(super) fn is_between(&self) -> bool {
        self.n_digits == 0
    }

    /// One digit further; `None` where no Unicode text is encoded so.
    pub(super) fn push(&mut self, digit: u8) -> Option<()> {
        let digit = match digit {
            b'a'..=b'z' => u32::from(digit - b'a'),
            b'0'..=b'9' => u32::from(digit - b'0') + 26,
            _ => return None,
        };
        self.value = self.value.checked_add(digit.checked_mul(self.weight)?)?;
        self.n_digits += 1;
        let threshold = threshold(self.n_digits * BASE, self.bias);
        let n_next = self.decoded.len() as u32 + 1;
        let at = self.place.checked_add(self.value)?;
        if self.code_point.checked_add(at / n_next)? > 0x10FFFF {
            return None;
        }
        if digit >= threshold {
            self.weight = self.weight.checked_mul(BASE - threshold)?;
            return Some(());
        }
        self.bias = adapt(self.value, n_next, self.place == 0 && self.decoded.iter().all(|char| *char < 128));
        self.code_point += at / n_next;
        self.decoded.insert((at % n_next) as usize, self.code_point);
        self.place = at % n_next + 1;
        (self.value, self.weight, self.n_digits) = (0, 1, 0);
        Some(())
    }
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(T_MIN, T_MAX)
}

fn adapt(delta: u32, n_code_points: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / n_code_points;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

/// The code points that `encoded` stands for, in lower case.
pub(super) fn decode(encoded: &[u8]) -> Option<Vec<u32>> {
    // A hyphen at the very beginning ends no basic code points: it is a digit, and none.
    let end = encoded.iter().rposition(|byte| *byte == b'-').filter(|end| *end > 0);
    let (basic, digits) = end.map_or((&encoded[..0], encoded), |end| (&encoded[..end], &encoded[end + 1..]));
    let mut decoder = Decoder::new(basic);
    digits.iter().try_for_each(|digit| decoder.push(*digit))?;
    decoder.is_between().then_some(decoder.decoded)
}

/// Writes `text` in ASCII.
pub(super) fn encode(text: &[u32]) -> Option<Vec<u8>> {
    let mut output: Vec<u8> = Vec::with_capacity(4 * text.len());
    output.extend(text.iter().filter(|char| **char < 128).map(|char| *char as u8));
    let n_basic = output.len() as u32;
    if n_basic > 0 {
        output.push(b'-');
    }
    let (mut code_point, mut delta, mut bias, mut n_done) = (FIRST_CODE_POINT, 0u32, FIRST_BIAS, n_basic);
    while (n_done as usize) < text.len() {
        let next = *text.iter().filter(|char| **char >= code_point).min()?;
        delta = delta.checked_add((next - code_point).checked_mul(n_done + 1)?)?;
        code_point = next;
        for char in text {
            if *char < code_point {
                delta = delta.checked_add(1)?;
            }
            if *char == code_point {
                push_number(delta, bias, &mut output);
                bias = adapt(delta, n_done + 1, n_done == n_basic);
                (delta, n_done) = (0, n_done + 1);
            }
        }
        delta = delta.checked_add(1)?;
        code_point += 1;
    }
    Some(output)
}

fn push_number(mut number: u32, bias: u32, output: &mut Vec<u8>) {
    let mut push = |digit: u32| output.push(if digit < 26 { b'a' + digit as u8 } else { b'0' + (digit - 26) as u8 });
    let mut k = BASE;
    loop {
        let threshold = threshold(k, bias);
        if number < threshold {
            return push(number);
        }
        push(threshold + (number - threshold) % (BASE - threshold));
        number = (number - threshold) / (BASE - threshold);
        k += BASE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for (text, encoded) in [("bücher", "bcher-kva"), ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye")] {
            let text: Vec<u32> = text.chars().map(|char| char as u32).collect();
            assert_eq!(encode(&text).as_deref(), Some(encoded.as_bytes()));
            assert_eq!(decode(encoded.as_bytes()), Some(text));
        }
        assert_eq!(decode(b"99999999"), None);
    }
}
