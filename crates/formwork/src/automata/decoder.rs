//! Which character does this byte of a JSON string finish? The decoder automaton of string bodies.
//!
//! Raw UTF-8, the short escapes, `\uXXXX` and surrogate pairs, byte by byte. A lone surrogate is no character and is
//! refused. The state is a small integer, so that it can sit beside a content automaton's state in one word.

/// Where in a string the decoder is: a phase in the low four bits, what was read of a character above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DecodeState(u32);

const BEFORE: u32 = 0;
const BODY: u32 = 1;
const ESCAPE: u32 = 2;
/// Four phases: hex digits read of `\uXXXX`.
const HEX: u32 = 3;
/// After a high surrogate: a backslash must follow, then `u`, then four phases of hex digits.
const PAIR_BACKSLASH: u32 = 7;
const PAIR_U: u32 = 8;
const PAIR_HEX: u32 = 9;
/// Two phases, and `UTF8_LAST` for one continuation byte left.
const UTF8_LAST: u32 = 13;
const CLOSED: u32 = 15;
/// More than one continuation byte left: the count is kept above the value.
const UTF8_MORE: u32 = 14;

/// What one byte did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) state: DecodeState,
    /// The byte is the first of a character.
    pub(crate) started: bool,
    /// The character that the byte finished.
    pub(crate) char: Option<u32>,
}

impl DecodeState {
    /// Before the opening quote.
    pub(crate) const BEFORE: DecodeState = DecodeState(BEFORE);
    /// Inside, between two characters.
    pub(crate) const BODY: DecodeState = DecodeState(BODY);
    /// Behind the closing quote.
    pub(crate) const CLOSED: DecodeState = DecodeState(CLOSED);

    pub(crate) const fn to_bits(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u32) -> DecodeState {
        DecodeState(bits)
    }

    const fn phase(self) -> u32 {
        self.0 & 15
    }

    const fn value(self) -> u32 {
        self.0 >> 4
    }

    const fn new(phase: u32, value: u32) -> DecodeState {
        DecodeState(phase | value << 4)
    }

    /// The next state; `None` where no JSON string has this byte.
    pub(crate) fn step(self, byte: u8) -> Option<Decoded> {
        let phase = self.phase();
        match phase {
            BODY => step_body(byte),
            BEFORE => (byte == b'"').then_some(quiet(DecodeState::BODY)),
            ESCAPE => step_escape(byte),
            HEX..PAIR_BACKSLASH => self.step_hex(byte),
            PAIR_BACKSLASH => (byte == b'\\').then_some(quiet(DecodeState::new(PAIR_U, self.value()))),
            PAIR_U => (byte == b'u').then_some(quiet(DecodeState::new(PAIR_HEX, self.value() << 16))),
            PAIR_HEX..UTF8_LAST => self.step_pair_hex(byte),
            UTF8_LAST | UTF8_MORE => self.step_utf8(byte),
            _ => None,
        }
    }

    fn step_hex(self, byte: u8) -> Option<Decoded> {
        let value = self.value() << 4 | (byte as char).to_digit(16)?;
        if self.phase() < HEX + 3 {
            // `\uDC` to `\uDF` could only become a lone low surrogate.
            let low_surrogate =
                self.phase() > HEX && (0xDC..0xE0).contains(&(value << 4 >> (4 * (self.phase() - HEX))));
            return (!low_surrogate).then(|| quiet(DecodeState::new(self.phase() + 1, value)));
        }
        match value {
            0xD800..0xDC00 => Some(quiet(DecodeState::new(PAIR_BACKSLASH, value - 0xD800))),
            0xDC00..0xE000 => None,
            _ => Some(finished(value)),
        }
    }

    /// The value is the high surrogate's ten bits above sixteen bits of the low one.
    fn step_pair_hex(self, byte: u8) -> Option<Decoded> {
        let digit = (byte as char).to_digit(16)?;
        let value = (self.value() & !0xFFFF) | (self.value() << 4 & 0xFFFF) | digit;
        let n_digits = self.phase() - PAIR_HEX + 1;
        let low = (value & 0xFFFF) << (4 * (4 - n_digits));
        let low_end = low + (1 << (4 * (4 - n_digits)));
        if low >= 0xE000 || low_end <= 0xDC00 {
            return None;
        }
        if n_digits < 4 {
            return Some(quiet(DecodeState::new(self.phase() + 1, value)));
        }
        Some(finished(0x10000 + ((value >> 16) << 10) + (value & 0x3FF)))
    }

    fn step_utf8(self, byte: u8) -> Option<Decoded> {
        let [(lo, hi), _] = self.code_points()?;
        if byte & 0xC0 != 0x80 {
            return None;
        }
        let (value, left) = self.utf8_parts();
        let next = (value << 6 | u32::from(byte & 0x3F), left - 1);
        let (next_lo, next_hi) = (next.0 << (6 * next.1), ((next.0 + 1) << (6 * next.1)) - 1);
        if next_hi < lo || next_lo > hi || (next_lo >= 0xD800 && next_hi < 0xE000) {
            return None;
        }
        Some(match next {
            (value, 0) => finished(value),
            (value, left) => quiet(utf8_state(value, left)),
        })
    }

    fn utf8_parts(self) -> (u32, u32) {
        match self.phase() {
            UTF8_LAST => (self.value(), 1),
            _ => (self.value() & 0xFFFF, self.value() >> 16),
        }
    }

    /// The code points that the character begun here can still become, as two ranges with both ends inside (the
    /// second often empty). `None` between two characters.
    pub(crate) fn code_points(self) -> Option<[(u32, u32); 2]> {
        const NONE: (u32, u32) = (1, 0);
        const ASTRAL: (u32, u32) = (0x10000, 0x10FFFF);
        let phase = self.phase();
        let prefix = |value: u32, bits: u32| (value << bits, ((value + 1) << bits) - 1);
        Some(match phase {
            ESCAPE => [(0, 0x10FFFF), NONE],
            HEX..PAIR_BACKSLASH => {
                let (lo, hi) = prefix(self.value(), 4 * (4 - (phase - HEX)));
                match (lo, hi) {
                    // Every plane, or the planes of the high surrogates with this prefix.
                    (..0xD800, 0xD800..) => [(lo, if hi < 0xE000 { 0xD7FF } else { hi }), ASTRAL],
                    (0xD800..0xE000, _) => {
                        [(prefix(lo - 0xD800, 10).0 + 0x10000, prefix(hi - 0xD800, 10).1 + 0x10000), NONE]
                    }
                    _ => [(lo, hi), NONE],
                }
            }
            PAIR_BACKSLASH | PAIR_U => [(0x10000 + (self.value() << 10), 0x103FF + (self.value() << 10)), NONE],
            PAIR_HEX..UTF8_LAST => {
                let base = 0x10000 + ((self.value() >> 16) << 10);
                let (lo, hi) = prefix(self.value() & 0xFFFF, 4 * (4 - (phase - PAIR_HEX)));
                [(base + (lo.max(0xDC00) & 0x3FF), base + (hi.min(0xDFFF) & 0x3FF)), NONE]
            }
            UTF8_LAST | UTF8_MORE => {
                let (value, left) = self.utf8_parts();
                let (lo, hi) = prefix(value, 6 * left);
                // Shortest form only, nothing beyond Unicode. A value of zero bits can only have come from E0 (two
                // bytes left) or F0 (three).
                match (value, left) {
                    (0, 2) => [(0x800, hi), NONE],
                    (0, 3) => [(0x10000, hi), NONE],
                    (4, 3) => [(lo, 0x10FFFF), NONE],
                    _ => [(lo, hi), NONE],
                }
            }
            _ => return None,
        })
    }
}

const fn utf8_state(value: u32, left: u32) -> DecodeState {
    if left == 1 { DecodeState::new(UTF8_LAST, value) } else { DecodeState::new(UTF8_MORE, left << 16 | value) }
}

const fn quiet(state: DecodeState) -> Decoded {
    Decoded { state, started: false, char: None }
}

const fn finished(char: u32) -> Decoded {
    Decoded { state: DecodeState::BODY, started: false, char: Some(char) }
}

fn step_body(byte: u8) -> Option<Decoded> {
    let started = |state| Some(Decoded { state, started: true, char: None });
    match byte {
        b'"' => Some(quiet(DecodeState::CLOSED)),
        b'\\' => started(DecodeState::new(ESCAPE, 0)),
        0x20..0x80 => Some(Decoded { state: DecodeState::BODY, started: true, char: Some(u32::from(byte)) }),
        0xC2..0xE0 => started(utf8_state(u32::from(byte & 0x1F), 1)),
        0xE0..0xF0 => started(utf8_state(u32::from(byte & 0x0F), 2)),
        0xF0..0xF5 => started(utf8_state(u32::from(byte & 0x07), 3)),
        _ => None,
    }
}

fn step_escape(byte: u8) -> Option<Decoded> {
    Some(match byte {
        b'"' | b'\\' | b'/' => finished(u32::from(byte)),
        b'b' => finished(0x08),
        b'f' => finished(0x0C),
        b'n' => finished(0x0A),
        b'r' => finished(0x0D),
        b't' => finished(0x09),
        b'u' => quiet(DecodeState::new(HEX, 0)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The decoded content of a string text, `None` where it is refused.
    fn decode(text: &[u8]) -> Option<Vec<char>> {
        let mut state = DecodeState::BEFORE;
        let mut chars = Vec::new();
        let mut n_started = 0;
        for byte in text {
            let decoded = state.step(*byte)?;
            n_started += usize::from(decoded.started);
            chars.extend(decoded.char.map(|char| char::from_u32(char).expect("a scalar value")));
            if let Some([(lo, hi), _]) = decoded.state.code_points() {
                assert!(lo <= hi);
            }
            state = decoded.state;
        }
        (state == DecodeState::CLOSED).then(|| {
            assert_eq!(n_started, chars.len());
            chars
        })
    }

    #[test]
    fn agrees_with_serde_json_on_every_character_and_spelling() {
        for char in ('\0'..=char::MAX).step_by(7).chain(['\u{7FF}', '\u{800}', '\u{FFFF}', '\u{10000}', '\u{10FFFF}']) {
            let text = serde_json::to_string(&char).unwrap();
            assert_eq!(decode(text.as_bytes()), Some(vec![char]), "{char:?}");
            let mut units = [0; 2];
            let escaped: String = char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}")).collect();
            assert_eq!(decode(format!("\"{escaped}\"").as_bytes()), Some(vec![char]), "{char:?}");
        }
    }

    #[test]
    fn agrees_with_serde_json_on_short_byte_strings() {
        let alphabet = b"\"\\u/nD8Cc0 \x1f\x80\xbf\xc2\xe0\xa0\xed\x9f\xf0\x90\xf4\x8f\xffa";
        let mut state = 12345u64;
        for _ in 0..200_000 {
            let mut text = vec![b'"'];
            for _ in 0..6 {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                text.push(alphabet[(state >> 33) as usize % alphabet.len()]);
            }
            text.push(b'"');
            let expected = serde_json::from_slice::<String>(&text).ok().map(|string| string.chars().collect());
            assert_eq!(decode(&text), expected, "{text:?}");
        }
    }
}
