//! Which character does this byte of a JSON string finish? The decoder automaton of string bodies.
//!
//! Raw UTF-8, the short escapes, `\uXXXX` and surrogate pairs, byte by byte. A lone surrogate is no character and is
//! refused. The state is a small integer, so that it can sit beside a content automaton's state in one word.

/// Which spellings of a string's characters are allowed.
///
/// The quote, the backslash and control characters are always escaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Escapes {
    /// Everything that JSON allows.
    #[default]
    Any,
    /// What writers of JSON write: short escapes, and `\uXXXX` where there is none, which is control characters and what
    /// is beyond ASCII. Characters beyond ASCII may also stand for themselves.
    Canonical,
    /// The same, but only ASCII: what is beyond it must be `\uXXXX`.
    AsciiOnly,
    /// What `serde_json` writes: short escapes, `\u00xx` in lower case for other control characters, and all else as it is.
    Minimal,
}

impl Escapes {
    /// How many there are.
    pub(crate) const N: usize = 4;

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The code points that may be written as `\uXXXX`, as ranges; `None` where all may.
    fn spelled_out(self) -> Option<&'static [(u32, u32)]> {
        match self {
            Escapes::Any => None,
            Escapes::Canonical | Escapes::AsciiOnly => Some(&[(0, 7), (0x0B, 0x0B), (0x0E, 0x1F), (0x7F, 0x10FFFF)]),
            Escapes::Minimal => Some(&[(0, 7), (0x0B, 0x0B), (0x0E, 0x1F)]),
        }
    }
}

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

    /// The next state; `None` where no JSON string has this byte, or not in this spelling.
    pub(crate) fn step(self, byte: u8, escapes: Escapes) -> Option<Decoded> {
        let phase = self.phase();
        match phase {
            BODY if byte >= 0x80 && escapes == Escapes::AsciiOnly => None,
            BODY => step_body(byte),
            BEFORE => (byte == b'"').then_some(quiet(DecodeState::BODY)),
            ESCAPE if byte == b'/' && escapes == Escapes::Minimal => None,
            ESCAPE => step_escape(byte),
            HEX..PAIR_BACKSLASH if byte.is_ascii_uppercase() && escapes == Escapes::Minimal => None,
            HEX..PAIR_BACKSLASH => self.step_hex(byte, escapes),
            PAIR_BACKSLASH => (byte == b'\\').then_some(quiet(DecodeState::new(PAIR_U, self.value()))),
            PAIR_U => (byte == b'u').then_some(quiet(DecodeState::new(PAIR_HEX, self.value() << 16))),
            PAIR_HEX..UTF8_LAST => self.step_pair_hex(byte),
            UTF8_LAST | UTF8_MORE => self.step_utf8(byte),
            _ => None,
        }
    }

    /// Characters to the end of an escape that was begun; 0 between two characters. Every spelling is allowed.
    pub(crate) fn chars_left(self) -> usize {
        let other_half = "\\uDC00".len();
        match self.phase() {
            ESCAPE => 1,
            phase @ HEX..PAIR_BACKSLASH => {
                let n_left = (HEX + 4 - phase) as usize;
                let lo = self.value() << (4 * n_left);
                let is_half = lo >= 0xD800 && lo + (1 << (4 * n_left)) <= 0xDC00;
                n_left + if is_half { other_half } else { 0 }
            }
            PAIR_BACKSLASH => other_half,
            PAIR_U => other_half - 1,
            phase @ PAIR_HEX..UTF8_LAST => (PAIR_HEX + 4 - phase) as usize,
            _ => 0,
        }
    }

    fn step_hex(self, byte: u8, escapes: Escapes) -> Option<Decoded> {
        let value = self.value() << 4 | (byte as char).to_digit(16)?;
        let n_left = HEX + 3 - self.phase();
        // The ranges of a whole number are the number itself, or what a high surrogate stands for.
        let next = DecodeState::new(if n_left == 0 { PAIR_BACKSLASH } else { self.phase() + 1 }, value);
        let (lo, hi) = (value << (4 * n_left), ((value + 1) << (4 * n_left)) - 1);
        if lo >= 0xDC00 && hi < 0xE000 {
            // It could only become a lone low surrogate.
            return None;
        }
        if let Some(allowed) = escapes.spelled_out() {
            let mut ranges = unit_ranges(lo, hi).into_iter();
            let meets = |(lo, hi): (u32, u32)| allowed.iter().any(|(from, to)| lo.max(*from) <= hi.min(*to));
            if !ranges.any(meets) {
                return None;
            }
        }
        match value {
            _ if n_left > 0 => Some(quiet(next)),
            0xD800..0xDC00 => Some(quiet(DecodeState::new(PAIR_BACKSLASH, value - 0xD800))),
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
        let (lo, hi) = self.utf8_range();
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

    /// The code points that a raw character begun here can still become.
    fn utf8_range(self) -> (u32, u32) {
        let (value, left) = self.utf8_parts();
        let (lo, hi) = prefix(value, 6 * left);
        // Shortest form only, no surrogates, nothing beyond Unicode. A value of zero bits can only have come from E0 (two
        // bytes left) or F0 (three).
        match (value, left) {
            (0, 2) => (0x800, hi),
            (0xD, 2) => (lo, 0xD7FF),
            (0, 3) => (0x10000, hi),
            (4, 3) => (lo, 0x10FFFF),
            _ => (lo, hi),
        }
    }

    /// The code points that the character begun here can still become, as ranges with both ends inside, some of them
    /// empty. `None` between two characters.
    pub(crate) fn code_points(self, escapes: Escapes) -> Option<[(u32, u32); MAX_RANGES]> {
        let phase = self.phase();
        let one = |range| {
            let mut ranges = [NONE; MAX_RANGES];
            ranges[0] = range;
            ranges
        };
        Some(match phase {
            ESCAPE => match escapes {
                Escapes::Any => one((0, 0x10FFFF)),
                Escapes::Canonical | Escapes::AsciiOnly => {
                    [(0, 0x1F), (0x22, 0x22), (0x2F, 0x2F), (0x5C, 0x5C), (0x7F, 0x10FFFF)]
                }
                Escapes::Minimal => [(0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), NONE, NONE],
            },
            HEX..PAIR_BACKSLASH => {
                let (lo, hi) = prefix(self.value(), 4 * (4 - (phase - HEX)));
                let [first, second] = unit_ranges(lo, hi);
                let mut ranges = one(first);
                ranges[MAX_RANGES - 1] = second;
                if let Some(allowed) = escapes.spelled_out() {
                    ranges[0] = NONE;
                    // At most four of them: what is beyond the units is in the last range, and allowed as a whole.
                    for (slot, (from, to)) in ranges.iter_mut().zip(allowed) {
                        *slot = (first.0.max(*from), first.1.min(*to));
                    }
                    if escapes == Escapes::Minimal {
                        ranges[MAX_RANGES - 1] = NONE;
                    }
                }
                ranges
            }
            PAIR_BACKSLASH | PAIR_U => one((0x10000 + (self.value() << 10), 0x103FF + (self.value() << 10))),
            PAIR_HEX..UTF8_LAST => {
                let base = 0x10000 + ((self.value() >> 16) << 10);
                let (lo, hi) = prefix(self.value() & 0xFFFF, 4 * (4 - (phase - PAIR_HEX)));
                one((base + (lo.max(0xDC00) & 0x3FF), base + (hi.min(0xDFFF) & 0x3FF)))
            }
            UTF8_LAST | UTF8_MORE => one(self.utf8_range()),
            _ => return None,
        })
    }
}

/// Ranges of code points that a state can lead to, at most.
const MAX_RANGES: usize = 5;
/// An empty range.
const NONE: (u32, u32) = (1, 0);

/// The numbers of so many more bits that begin with `value`.
const fn prefix(value: u32, bits: u32) -> (u32, u32) {
    (value << bits, ((value + 1) << bits) - 1)
}

/// Whether all of a string's content is ASCII that stands for itself, however characters may be spelled.
pub(crate) fn is_plain(content: &[u8]) -> bool {
    content.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

/// The code points that `\uXXXX` between two numbers begins: themselves, and those beyond that high surrogates begin.
fn unit_ranges(lo: u32, hi: u32) -> [(u32, u32); 2] {
    match (lo, hi) {
        // Every plane, or the planes of the high surrogates with this prefix.
        (..0xD800, 0xD800..) => [(lo, if hi < 0xE000 { 0xD7FF } else { hi }), (0x10000, 0x10FFFF)],
        (0xD800..0xDC00, _) => {
            let last = hi.min(0xDBFF);
            [NONE, (prefix(lo - 0xD800, 10).0 + 0x10000, prefix(last - 0xD800, 10).1 + 0x10000)]
        }
        (0xDC00..0xE000, ..0xE000) => [NONE, NONE],
        _ => [(lo, hi), NONE],
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
    use crate::random::Random;

    fn decode(text: &[u8]) -> Option<Vec<char>> {
        decode_as(text, Escapes::Any)
    }

    /// The decoded content of a string text, `None` where it is refused.
    fn decode_as(text: &[u8], escapes: Escapes) -> Option<Vec<char>> {
        let mut state = DecodeState::BEFORE;
        let mut chars = Vec::new();
        let mut n_started = 0;
        for byte in text {
            let decoded = state.step(*byte, escapes)?;
            n_started += usize::from(decoded.started);
            chars.extend(decoded.char.map(|char| char::from_u32(char).expect("a scalar value")));
            if let Some(ranges) = decoded.state.code_points(escapes) {
                assert!(ranges.iter().any(|(lo, hi)| lo <= hi));
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
        let mut random = Random(12345);
        for _ in 0..200_000 {
            let mut text = vec![b'"'];
            for _ in 0..6 {
                text.push(alphabet[random.below(alphabet.len())]);
            }
            text.push(b'"');
            let expected = serde_json::from_slice::<String>(&text).ok().map(|string| string.chars().collect());
            assert_eq!(decode(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn spellings_are_told_apart() {
        use Escapes::{Any, AsciiOnly, Canonical, Minimal};
        for (text, allowed) in [
            ("\"a\\n\"", &[Any, Canonical, AsciiOnly, Minimal][..]),
            ("\"\\u0041\"", &[Any]),
            ("\"\\u000a\"", &[Any]),
            ("\"\\u0022\"", &[Any]),
            ("\"\\/\"", &[Any, Canonical, AsciiOnly]),
            ("\"\\u001f\"", &[Any, Canonical, AsciiOnly, Minimal]),
            ("\"\\u001F\"", &[Any, Canonical, AsciiOnly]),
            ("\"\\u007f\"", &[Any, Canonical, AsciiOnly]),
            ("\"é\"", &[Any, Canonical, Minimal]),
            ("\"\\u00e9\"", &[Any, Canonical, AsciiOnly]),
            ("\"\\uD83D\\uDE00\"", &[Any, Canonical, AsciiOnly]),
            ("\"\\uFFFF\"", &[Any, Canonical, AsciiOnly]),
            ("\"\\uDE00\"", &[]),
        ] {
            for escapes in [Any, Canonical, AsciiOnly, Minimal] {
                let decoded = decode_as(text.as_bytes(), escapes);
                assert_eq!(decoded.is_some(), allowed.contains(&escapes), "{text} {escapes:?}");
            }
        }
    }

    /// Whether some bytes complete the character that `state` is in the middle of, to which code points: by search.
    fn reached(state: DecodeState, escapes: Escapes, found: &mut std::collections::BTreeSet<u32>) {
        for byte in b"\\/\"bfnrtu0123456789abcdef".iter().copied().chain(0x80..=0xBF) {
            let Some(decoded) = state.step(byte, escapes) else { continue };
            match decoded.char {
                Some(char) => drop(found.insert(char)),
                None if decoded.state.code_points(escapes).is_some() => reached(decoded.state, escapes, found),
                None => {}
            }
        }
    }

    #[test]
    fn what_a_character_can_become_is_exact() {
        for escapes in [Escapes::Any, Escapes::Canonical, Escapes::AsciiOnly, Escapes::Minimal] {
            let escaped =
                ["\\u0", "\\u00", "\\u000", "\\u001", "\\u007", "\\ud", "\\udb", "\\ud83d\\ud", "\\uf", "\\u"];
            let raw: [&[u8]; 9] =
                [b"\xC2", b"\xE0", b"\xE2", b"\xE2\x80", b"\xED", b"\xED\x9F", b"\xF0\x90", b"\xF4", b"\xF4\x8F"];
            for start in escaped.map(str::as_bytes).into_iter().chain(raw) {
                let mut bytes = start.iter();
                let state = bytes.try_fold(DecodeState::BODY, |state, byte| Some(state.step(*byte, escapes)?.state));
                let Some(state) = state else { continue };
                let start = start.escape_ascii();
                let mut found = std::collections::BTreeSet::new();
                reached(state, escapes, &mut found);
                let ranges = state.code_points(escapes).unwrap();
                assert!(!found.is_empty(), "{start} {escapes:?}");
                let said = |char: &u32| ranges.iter().any(|(lo, hi)| (lo..=hi).contains(&char));
                assert!(found.iter().all(said), "{start} {escapes:?}");
                // Surrogates may lie within a range, and are nobody's.
                let ends = ranges.iter().filter(|(lo, hi)| lo <= hi).flat_map(|(lo, hi)| [*lo, *hi]);
                assert!(ends.clone().all(|end| char::from_u32(end).is_some()), "{start} {escapes:?}");
                let n_said = (0..0x110000).filter(|char| char::from_u32(*char).is_some() && said(char)).count();
                assert_eq!(n_said, found.len(), "{start} {escapes:?}");
            }
        }
    }
}
