//! Which characters are in an ECMA-262 class or escape?

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::PatternFault;
use super::property::property;

/// What stands for one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodePoint {
    Scalar(char),
    /// Half of a surrogate pair, which no UTF-8 text holds.
    Surrogate,
}

/// What a backslash and its followers mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    Class(ClassUnicode),
    Character(CodePoint),
    Boundary { negated: bool },
}

const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[(char, char)] = &[
    ('\t', '\r'),
    (' ', ' '),
    ('\u{A0}', '\u{A0}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{2000}', '\u{200A}'),
    ('\u{2028}', '\u{2029}'),
    ('\u{202F}', '\u{202F}'),
    ('\u{205F}', '\u{205F}'),
    ('\u{3000}', '\u{3000}'),
    ('\u{FEFF}', '\u{FEFF}'),
];

/// The set of these ranges, both ends inside.
pub(super) fn set_of(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(lo, hi)| ClassUnicodeRange::new(*lo, *hi)))
}

fn set(ranges: &[(char, char)], negated: bool) -> Result<Escape, PatternFault> {
    let mut set = set_of(ranges);
    if negated {
        set.negate();
    }
    Ok(Escape::Class(set))
}

/// Reads what follows a backslash.
pub(super) fn read_escape(rest: &mut std::str::Chars<'_>, in_class: bool) -> Result<Escape, PatternFault> {
    let Some(character) = rest.next() else { return Err(PatternFault::Malformed("it ends in a backslash")) };
    let scalar = |character: char| Ok(Escape::Character(CodePoint::Scalar(character)));
    match character {
        'd' | 'D' => set(DIGIT, character == 'D'),
        'w' | 'W' => set(WORD, character == 'W'),
        's' | 'S' => set(SPACE, character == 'S'),
        'p' | 'P' => {
            let mut set = property(rest)?;
            if character == 'P' {
                set.negate();
            }
            Ok(Escape::Class(set))
        }
        't' => scalar('\t'),
        'n' => scalar('\n'),
        'v' => scalar('\u{b}'),
        'f' => scalar('\u{c}'),
        'r' => scalar('\r'),
        'b' if in_class => scalar('\u{8}'),
        'b' | 'B' if !in_class => Ok(Escape::Boundary { negated: character == 'B' }),
        '0' if !rest.as_str().starts_with(|next: char| next.is_ascii_digit()) => scalar('\0'),
        '0'..='9' | 'k' => Err(PatternFault::Unsupported("back references cannot be enforced")),
        'c' => match rest.next() {
            Some(letter) if letter.is_ascii_alphabetic() => scalar(char::from(letter as u8 & 0x1f)),
            _ => Err(PatternFault::Malformed("a control escape has no letter")),
        },
        'x' => Ok(Escape::Character(hex(rest, 2)?)),
        'u' => Ok(Escape::Character(unicode(rest)?)),
        'a'..='z' | 'A'..='Z' => Err(PatternFault::Unsupported("an escaped letter has no meaning in ECMA-262")),
        other => scalar(other),
    }
}

fn hex(rest: &mut std::str::Chars<'_>, n_digits: usize) -> Result<CodePoint, PatternFault> {
    let malformed = PatternFault::Malformed("a character escape has too few digits");
    let text = rest.as_str();
    let Some(digits) = text.get(..n_digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())) else {
        return Err(malformed);
    };
    let Ok(code) = u32::from_str_radix(digits, 16) else { return Err(malformed) };
    *rest = text[n_digits..].chars();
    Ok(char::from_u32(code).map_or(CodePoint::Surrogate, CodePoint::Scalar))
}

/// `\uXXXX`, a pair of them, or `\u{...}`.
fn unicode(rest: &mut std::str::Chars<'_>) -> Result<CodePoint, PatternFault> {
    let text = rest.as_str();
    if let Some(inside) = text.strip_prefix('{') {
        let malformed = PatternFault::Malformed("a code point escape is malformed");
        let Some(end) = inside.find('}') else { return Err(malformed) };
        let digits = &inside[..end];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(malformed);
        }
        let Ok(code) = u32::from_str_radix(digits, 16) else { return Err(malformed) };
        if code > 0x10ffff {
            return Err(malformed);
        }
        *rest = inside[end + 1..].chars();
        return Ok(char::from_u32(code).map_or(CodePoint::Surrogate, CodePoint::Scalar));
    }
    let first = hex(rest, 4)?;
    if first != CodePoint::Surrogate {
        return Ok(first);
    }
    let unit = |digits: Option<&str>| digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let high = unit(text.get(..4));
    let low = rest.as_str().strip_prefix("\\u").and_then(|low| unit(low.get(..4)));
    if let (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) = (high, low) {
        *rest = rest.as_str()[6..].chars();
        let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        return Ok(char::from_u32(code).map_or(CodePoint::Surrogate, CodePoint::Scalar));
    }
    Ok(CodePoint::Surrogate)
}

/// Reads what follows `[`.
pub(super) fn read_class(rest: &mut std::str::Chars<'_>) -> Result<ClassUnicode, PatternFault> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut members = ClassUnicode::empty();
    while let Some(item) = next_item(rest)? {
        match item {
            Escape::Class(set) => members.union(&set),
            Escape::Character(first) => {
                let last = range_end(rest, first)?;
                members.push(range(first, last)?);
            }
            Escape::Boundary { .. } => return Err(PatternFault::Malformed("a class holds a boundary")),
        }
    }
    if negated {
        members.negate();
    }
    Ok(members)
}

/// The next item of a class; `None` at its end.
fn next_item(rest: &mut std::str::Chars<'_>) -> Result<Option<Escape>, PatternFault> {
    match rest.next() {
        None => Err(PatternFault::Malformed("a class is not closed")),
        Some(']') => Ok(None),
        Some('\\') if rest.as_str().starts_with('-') => {
            rest.next();
            Ok(Some(Escape::Character(CodePoint::Scalar('-'))))
        }
        Some('\\') => read_escape(rest, true).map(Some),
        Some(other) => Ok(Some(Escape::Character(CodePoint::Scalar(other)))),
    }
}

/// The end of the range that `first` begins, or `first` itself.
fn range_end(rest: &mut std::str::Chars<'_>, first: CodePoint) -> Result<CodePoint, PatternFault> {
    let mut ahead = rest.clone();
    if ahead.next() != Some('-') || ahead.as_str().starts_with(']') {
        return Ok(first);
    }
    match next_item(&mut ahead)? {
        Some(Escape::Character(last)) => {
            *rest = ahead;
            Ok(last)
        }
        // A set cannot end a range: the minus stands for itself.
        _ => Ok(first),
    }
}

fn range(first: CodePoint, last: CodePoint) -> Result<ClassUnicodeRange, PatternFault> {
    let (CodePoint::Scalar(first), CodePoint::Scalar(last)) = (first, last) else {
        return Err(PatternFault::Unsupported("half a surrogate pair cannot be matched in UTF-8"));
    };
    if first > last {
        return Err(PatternFault::Malformed("a range is out of order"));
    }
    Ok(ClassUnicodeRange::new(first, last))
}
