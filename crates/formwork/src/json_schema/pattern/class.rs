//! How are ECMA-262 character classes and escapes written in Rust's syntax?

use super::PatternFault;
use super::translate::write_infallible;

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) regex: String,
    /// A guess at its states.
    pub(super) size: u64,
    /// Whether it is plainly every character.
    pub(super) everything: bool,
}

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
    Class(Class),
    Character(CodePoint),
}

const WORD: &str = "0-9A-Za-z_";
const SPACE: &str = r"\t\n\x0B\x0C\r \x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}";

/// Reads what follows a backslash.
pub(super) fn read_escape(rest: &mut std::str::Chars<'_>, in_class: bool) -> Result<Escape, PatternFault> {
    let Some(character) = rest.next() else { return Err(PatternFault::Malformed("it ends in a backslash")) };
    let class = |regex: String, size: u64| Ok(Escape::Class(Class { regex, size, everything: false }));
    let scalar = |character: char| Ok(Escape::Character(CodePoint::Scalar(character)));
    match character {
        'd' => class("[0-9]".to_owned(), 1),
        'D' => class("[^0-9]".to_owned(), 6),
        'w' => class(format!("[{WORD}]"), 1),
        'W' => class(format!("[^{WORD}]"), 6),
        's' => class(format!("[{SPACE}]"), 12),
        'S' => class(format!("[^{SPACE}]"), 16),
        'p' | 'P' => class(property(rest, character)?, 300),
        't' => scalar('\t'),
        'n' => scalar('\n'),
        'v' => scalar('\u{b}'),
        'f' => scalar('\u{c}'),
        'r' => scalar('\r'),
        'b' if in_class => scalar('\u{8}'),
        'b' | 'B' => Err(PatternFault::Unsupported("word boundaries are not enforced yet")),
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

/// `\p{...}`; whether the name is known is checked later.
fn property(rest: &mut std::str::Chars<'_>, letter: char) -> Result<String, PatternFault> {
    let malformed = PatternFault::Malformed("a property escape has no name in braces");
    let Some(inside) = rest.as_str().strip_prefix('{') else { return Err(malformed) };
    let Some(end) = inside.find('}') else { return Err(malformed) };
    let name = &inside[..end];
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_=".contains(&byte)) {
        return Err(malformed);
    }
    *rest = inside[end + 1..].chars();
    Ok(format!("\\{letter}{{{name}}}"))
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
        let Ok(code) = u32::from_str_radix(&inside[..end], 16) else { return Err(malformed) };
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
pub(super) fn read_class(rest: &mut std::str::Chars<'_>) -> Result<Class, PatternFault> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut regex = String::from(if negated { "[^" } else { "[" });
    let (mut size, mut n_items) = (1, 0usize);
    let mut sets: Vec<String> = Vec::new();
    while let Some(item) = next_item(rest)? {
        n_items += 1;
        match item {
            Escape::Class(set) => {
                size += set.size;
                regex.push_str(&set.regex);
                sets.push(set.regex);
            }
            Escape::Character(first) => {
                let last = range_end(rest, first)?;
                size += push_range(&mut regex, first, last)?;
            }
        }
    }
    regex.push(']');
    let complementary =
        |set: &String| set.strip_prefix("[^").is_some_and(|inside| sets.iter().any(|other| other[1..] == *inside));
    let everything = if n_items == 0 { negated } else { !negated && sets.iter().any(complementary) };
    if n_items == 0 {
        // `[]` is no character at all and `[^]` is any.
        regex = if negated { r"[\x{0}-\x{10FFFF}]".to_owned() } else { r"[^\x{0}-\x{10FFFF}]".to_owned() };
    }
    if negated {
        size += 6;
    }
    Ok(Class { regex, size, everything })
}

/// The next item of a class; `None` at its end.
fn next_item(rest: &mut std::str::Chars<'_>) -> Result<Option<Escape>, PatternFault> {
    match rest.next() {
        None => Err(PatternFault::Malformed("a class is not closed")),
        Some(']') => Ok(None),
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

fn push_range(regex: &mut String, first: CodePoint, last: CodePoint) -> Result<u64, PatternFault> {
    let (CodePoint::Scalar(first), CodePoint::Scalar(last)) = (first, last) else {
        return Err(PatternFault::Unsupported("half a surrogate pair cannot be matched in UTF-8"));
    };
    if first > last {
        return Err(PatternFault::Malformed("a range is out of order"));
    }
    push_member(regex, first);
    if first != last {
        regex.push('-');
        push_member(regex, last);
    }
    Ok(if last.is_ascii() { 0 } else { 3 })
}

fn push_member(regex: &mut String, character: char) {
    if character.is_ascii_alphanumeric() {
        regex.push(character);
    } else {
        write_infallible(regex, format_args!("\\x{{{:X}}}", u32::from(character)));
    }
}
