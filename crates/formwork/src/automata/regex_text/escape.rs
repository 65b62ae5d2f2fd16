//! Which character, or which set of them, does an escape stand for?

use super::super::property_names::rest_of_property;

/// So far into an escape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Escape {
    /// Behind `\`.
    Start,
    /// Behind `\c`.
    Control,
    /// Before so many hexadecimal digits of `\x` or `\u`, behind those that make this number.
    Hex { value: u32, n_left: u8, is_unit: bool },
    /// Behind `\u`.
    Unicode,
    /// Behind `\u{`: the number, once it has begun.
    Braced(Option<u32>),
    /// Behind `\p` or `\P`: in the braces, once they are open.
    Property(Option<Box<str>>),
}

/// What an escape became with one more character.
#[derive(Debug)]
pub(super) enum Escaped {
    /// It goes on.
    Within(Escape),
    /// It is a character. One of four hexadecimal digits may be half of one.
    Char { value: u32, is_unit: bool, no_digit: bool },
    /// It is a set of characters.
    Set,
}

const LAST: u32 = char::MAX as u32;

impl Escape {
    /// One character further, for what is the same within a class and outside; `None` where there is no such escape.
    pub(super) fn step(&self, ascii: u8) -> Option<Escaped> {
        let char = |value: u32| Some(Escaped::Char { value, is_unit: false, no_digit: false });
        let digit = || char::from(ascii).to_digit(16);
        match self {
            Escape::Start => match ascii {
                b't' => char(0x09),
                b'n' => char(0x0A),
                b'v' => char(0x0B),
                b'f' => char(0x0C),
                b'r' => char(0x0D),
                b'0' => Some(Escaped::Char { value: 0, is_unit: false, no_digit: true }),
                b'c' => Some(Escaped::Within(Escape::Control)),
                b'x' => Some(Escaped::Within(Escape::Hex { value: 0, n_left: 2, is_unit: false })),
                b'u' => Some(Escaped::Within(Escape::Unicode)),
                b'p' | b'P' => Some(Escaped::Within(Escape::Property(None))),
                b'd' | b'D' | b's' | b'S' | b'w' | b'W' => Some(Escaped::Set),
                _ if b"^$\\.*+?()[]{}|/".contains(&ascii) => char(ascii.into()),
                _ => None,
            },
            Escape::Control => ascii.is_ascii_alphabetic().then(|| char(u32::from(ascii & 0x1F)))?,
            Escape::Unicode if ascii == b'{' => Some(Escaped::Within(Escape::Braced(None))),
            Escape::Unicode => Escape::Hex { value: 0, n_left: 4, is_unit: true }.step(ascii),
            Escape::Hex { value, n_left, is_unit } => {
                let value = value << 4 | digit()?;
                Some(match n_left {
                    1 => Escaped::Char { value, is_unit: *is_unit, no_digit: false },
                    _ => Escaped::Within(Escape::Hex { value, n_left: n_left - 1, is_unit: *is_unit }),
                })
            }
            Escape::Braced(Some(value)) if ascii == b'}' => char(*value),
            Escape::Braced(value) => {
                let value = value.unwrap_or(0) << 4 | digit()?;
                (value <= LAST).then_some(Escaped::Within(Escape::Braced(Some(value))))
            }
            Escape::Property(None) => (ascii == b'{').then(|| Escaped::Within(Escape::Property(Some("".into())))),
            Escape::Property(Some(name)) if ascii == b'}' => {
                (rest_of_property(name) == Some("")).then_some(Escaped::Set)
            }
            Escape::Property(Some(_)) if !ascii.is_ascii_alphanumeric() && !b"_=".contains(&ascii) => None,
            Escape::Property(Some(name)) => {
                let longer: Box<str> = [&**name, char::from(ascii).encode_utf8(&mut [0; 4])].concat().into();
                rest_of_property(&longer).map(|_| Escaped::Within(Escape::Property(Some(longer))))
            }
        }
    }

    /// The least and the greatest number that the escape can come to, where it is a character.
    pub(super) fn reach(&self) -> (u32, u32) {
        match self {
            Escape::Start | Escape::Unicode | Escape::Braced(None | Some(0)) => (0, LAST),
            Escape::Control => (1, 26),
            Escape::Hex { value, n_left, .. } => (value << (4 * n_left), ((value + 1) << (4 * n_left)) - 1),
            Escape::Braced(Some(value)) => {
                let n_more = (0..6).take_while(|n_digits| value << (4 * n_digits) <= LAST).last().unwrap_or(0);
                (*value, LAST.min(((value + 1) << (4 * n_more)) - 1))
            }
            Escape::Property(_) => (1, 0),
        }
    }

    /// Characters to the end of an escape for `least`, or for a character above, where the escape can become one.
    pub(super) fn chars_to(&self, least: u32) -> usize {
        let greatest = |value: u32, n_digits: usize| ((u64::from(value) + 1) << (4 * n_digits)) - 1;
        match self {
            // `\}` is the greatest of those that stand for themselves; then `\xFF`, `\uFFFF`, `\u{FFFFF}`.
            Escape::Start => match least {
                0..=0x7D => 1,
                0x7E..=0xFF => 3,
                0x100..=0xFFFF => 5,
                0x1_0000..=0xF_FFFF => 8,
                _ => 9,
            },
            Escape::Unicode => match least {
                0..=0xF => 3,
                0x10..=0xFFFF => 4,
                0x1_0000..=0xF_FFFF => 7,
                _ => 8,
            },
            Escape::Hex { value, n_left, .. } => {
                let n_left = usize::from(*n_left);
                // Otherwise it is the first half of a pair.
                let of_other_half = if greatest(*value, n_left) >= u64::from(least) { 0 } else { "\\uDFFF".len() };
                n_left + of_other_half
            }
            Escape::Braced(value) => {
                let fewest = usize::from(value.is_none());
                let is_enough = |n_digits: &usize| greatest(value.unwrap_or(0), *n_digits) >= u64::from(least);
                1 + (fewest..=6).find(is_enough).unwrap_or(0)
            }
            Escape::Control | Escape::Property(_) => self.distance(),
        }
    }

    /// In the name of a property of characters: what is missing of the nearest, and the place behind it.
    pub(super) fn behind_name(&self) -> Option<(&'static str, Escape)> {
        let Escape::Property(Some(name)) = self else { return None };
        let rest = rest_of_property(name)?;
        Some((rest, Escape::Property(Some([name, rest].concat().into()))))
    }

    /// Characters to the nearest end of an escape.
    pub(super) fn distance(&self) -> usize {
        match self {
            Escape::Start | Escape::Control | Escape::Braced(Some(_)) => 1,
            Escape::Hex { n_left, .. } => usize::from(*n_left),
            Escape::Unicode => 3,
            Escape::Braced(None) => 2,
            Escape::Property(None) => 3,
            Escape::Property(Some(name)) => 1 + rest_of_property(name).map_or(0, str::len),
        }
    }
}
