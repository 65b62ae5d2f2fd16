//! Which code points does an ASCII label stand for? RFC 3492 both ways.

use smallvec::SmallVec;

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

/// A character and its place, in the order of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Placed(u32);

impl Placed {
    const PLACES: u32 = 64;

    fn new(char: u32, place: u8) -> Placed {
        Placed(char * Placed::PLACES + u32::from(place))
    }

    fn char(self) -> u32 {
        self.0 / Placed::PLACES
    }

    fn place(self) -> u32 {
        self.0 % Placed::PLACES
    }
}

/// Characters of a text, as the encoding takes them: those beyond ASCII by rising code point, each with its place.
#[derive(Clone, Debug, Default)]
pub(in crate::automata) struct Sorted {
    wide: SmallVec<[Placed; 32]>,
    /// Places of ASCII characters, as bits.
    basic: u64,
    n_chars: u8,
}

impl Sorted {
    /// `None` for texts that are longer than any label.
    pub(in crate::automata) fn of(text: &[u32]) -> Option<Sorted> {
        let mut sorted = Sorted::default();
        sorted.extend(text)?;
        Some(sorted)
    }

    /// Adds characters at the end; `None` where the text becomes longer than any label.
    pub(in crate::automata) fn extend(&mut self, more: &[u32]) -> Option<()> {
        for char in more {
            let place = self.n_chars;
            (u32::from(place) < Placed::PLACES).then_some(())?;
            if *char < FIRST_CODE_POINT {
                self.basic |= 1 << place;
            } else {
                let placed = Placed::new(*char, place);
                let at = self.wide.partition_point(|other| *other < placed);
                self.wide.insert(at, placed);
            }
            self.n_chars += 1;
        }
        Some(())
    }

    /// Hands out the deltas of the encoding, each with the bias that it is written by. `None` where one is too large.
    ///
    /// A delta is the gap to the code point before, once for each place in what is done, and how many places there are from
    /// the last one to the new one.
    fn deltas(&self, mut visit: impl FnMut(u32, u32)) -> Option<()> {
        let (mut done, mut bias, mut code_point, mut last_place) = (self.basic, FIRST_BIAS, FIRST_CODE_POINT, 0);
        for (number, placed) in self.wide.iter().enumerate() {
            let (char, place) = (placed.char(), placed.place());
            let n_done = done.count_ones();
            let at = (done & ((1 << place) - 1)).count_ones();
            let delta = (char - code_point).checked_mul(n_done + 1)?.checked_add(at)?.checked_sub(last_place)?;
            visit(delta, bias);
            bias = adapt(delta, n_done + 1, number == 0);
            done |= 1 << place;
            (code_point, last_place) = (char, at + 1);
        }
        Some(())
    }

    /// Whether it is ASCII already.
    pub(super) fn is_ascii(&self) -> bool {
        self.wide.is_empty()
    }

    /// Characters of the text in ASCII.
    pub(super) fn n_encoded(&self) -> Option<usize> {
        let n_basic = self.basic.count_ones() as usize;
        let mut n_encoded = n_basic + usize::from(n_basic > 0);
        self.deltas(|delta, bias| n_encoded += n_digits(delta, bias))?;
        Some(n_encoded)
    }
}

/// Writes `text` in ASCII. `None` for texts that are longer than any label.
pub(super) fn encode(text: &[u32]) -> Option<Vec<u8>> {
    let mut output: Vec<u8> = text.iter().filter(|char| **char < FIRST_CODE_POINT).map(|char| *char as u8).collect();
    if !output.is_empty() {
        output.push(b'-');
    }
    Sorted::of(text)?.deltas(|delta, bias| push_number(delta, bias, &mut output))?;
    Some(output)
}

fn n_digits(mut number: u32, bias: u32) -> usize {
    let mut k = BASE;
    loop {
        let threshold = threshold(k, bias);
        if number < threshold {
            return (k / BASE) as usize;
        }
        number = (number - threshold) / (BASE - threshold);
        k += BASE;
    }
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
    use crate::random::Random;

    #[test]
    fn texts_come_back() {
        for (text, encoded) in [("bücher", "bcher-kva"), ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye")] {
            let text: Vec<u32> = text.chars().map(|char| char as u32).collect();
            assert_eq!(encode(&text).as_deref(), Some(encoded.as_bytes()));
            assert_eq!(decode(encoded.as_bytes()), Some(text));
        }
        assert_eq!(decode(b"99999999"), None);
    }

    /// What is written is read again, and as long as was said: of characters near and far from each other, some of them twice.
    #[test]
    fn any_text_comes_back_and_has_the_length_that_was_told() {
        let mut random = Random(7);
        for round in 0..4_000 {
            let n_chars = 1 + random.below(20);
            let kinds = [(0x61, 26), (0xE0, 30), (0x915, 5), (0x4E00, 20_000), (0x1_F000, 0x2_0000)];
            let text: Vec<u32> = (0..n_chars)
                .map(|_| {
                    let (first, n) = kinds[random.below(1 + round % 5)];
                    first + random.below(n) as u32
                })
                .collect();
            let encoded = encode(&text).unwrap();
            assert_eq!(Sorted::of(&text).and_then(|sorted| sorted.n_encoded()), Some(encoded.len()), "{text:X?}");
            if text.iter().any(|char| *char >= 128) {
                assert_eq!(decode(&encoded), Some(text));
            }
        }
        assert_eq!(encode(&[0xE9; 65]), None);
    }
}
