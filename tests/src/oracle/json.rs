//! How may a JSON value be spelled? Strings with all their escapes, and integers, as expressions.

use super::expression::{ExprId, Language};

/// One character of a string's content that is not in `excluded`, in every spelling.
///
/// `excluded` holds characters of the Basic Multilingual Plane only.
pub fn any_char_except(language: &mut Language, excluded: &[char]) -> ExprId {
    let mut spellings = raw_chars(language, excluded);
    spellings.extend(short_escapes(language, excluded));
    let codes: Vec<u32> = excluded.iter().map(|&character| u32::from(character)).collect();
    let unit = hex_except(language, 0, 0, &codes);
    let high = hex_range(language, [(0xd, 0xd), (0x8, 0xb), (0, 0xf), (0, 0xf)]);
    let low = hex_range(language, [(0xd, 0xd), (0xc, 0xf), (0, 0xf), (0, 0xf)]);
    let escape = language.literal("\\u");
    spellings.push(language.sequence([escape, unit]));
    spellings.push(language.sequence([escape, high, escape, low]));
    language.choice(spellings)
}

/// One given character in every spelling.
pub fn char_spellings(language: &mut Language, character: char) -> ExprId {
    let mut spellings = Vec::new();
    if character >= ' ' && character != '"' && character != '\\' {
        spellings.push(language.literal(character.to_string()));
    }
    if let Some(&(letter, _)) = SHORT_ESCAPES.iter().find(|(_, stands_for)| *stands_for == character) {
        spellings.push(language.literal([b'\\', letter]));
    }
    let mut units = [0; 2];
    let escaped: Vec<ExprId> = character
        .encode_utf16(&mut units)
        .iter()
        .flat_map(|&unit| {
            let digit = |shift: u16| (unit >> shift) & 0xf;
            let digits = [12, 8, 4, 0].map(|shift| (digit(shift), digit(shift)));
            [language.literal("\\u"), hex_range(language, digits)]
        })
        .collect();
    spellings.push(language.sequence(escaped));
    language.choice(spellings)
}

/// A string with one content, quotes included, in every spelling.
pub fn string_spellings(language: &mut Language, content: &str) -> ExprId {
    let parts: Vec<ExprId> = content.chars().map(|character| char_spellings(language, character)).collect();
    let content = language.sequence(parts);
    quoted(language, content)
}

/// A string whose content differs from all `names`, in every spelling.
pub fn string_except(language: &mut Language, names: &[&str]) -> ExprId {
    let content = content_except(language, names);
    quoted(language, content)
}

/// Follows the trie of the names: a content differs where it leaves the trie, or ends inside it.
fn content_except(language: &mut Language, names: &[&str]) -> ExprId {
    let any = any_char_except(language, &[]);
    let anything = language.repeat(any, 0, None);
    let mut heads: Vec<char> = names.iter().filter_map(|name| name.chars().next()).collect();
    heads.sort_unstable();
    heads.dedup();
    let leaving = any_char_except(language, &heads);
    let mut choices = vec![language.sequence([leaving, anything])];
    for head in heads {
        let tails: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(head)).collect();
        let first = char_spellings(language, head);
        let rest = content_except(language, &tails);
        choices.push(language.sequence([first, rest]));
    }
    if !names.contains(&"") {
        choices.push(language.empty());
    }
    language.choice(choices)
}

/// The content between quotes.
pub fn quoted(language: &mut Language, content: ExprId) -> ExprId {
    let quote = language.literal("\"");
    language.sequence([quote, content, quote])
}

/// The integers from `minimum` to `maximum`; zero has no minus.
pub fn integers(language: &mut Language, minimum: i64, maximum: i64) -> ExprId {
    let spellings: Vec<ExprId> = (minimum..=maximum).map(|number| language.literal(number.to_string())).collect();
    language.choice(spellings)
}

const SHORT_ESCAPES: [(u8, char); 8] = [
    (b'"', '"'),
    (b'\\', '\\'),
    (b'/', '/'),
    (b'b', '\u{8}'),
    (b'f', '\u{c}'),
    (b'n', '\n'),
    (b'r', '\r'),
    (b't', '\t'),
];

fn short_escapes(language: &mut Language, excluded: &[char]) -> Vec<ExprId> {
    let allowed = SHORT_ESCAPES.iter().filter(|(_, character)| !excluded.contains(character));
    allowed.map(|&(letter, _)| language.literal([b'\\', letter])).collect()
}

/// Raw characters: UTF-8 by its table of well-formed sequences, without control characters, quote and backslash.
fn raw_chars(language: &mut Language, excluded: &[char]) -> Vec<ExprId> {
    const MULTIBYTE: [&[(u8, u8)]; 8] = [
        &[(0xc2, 0xdf), (0x80, 0xbf)],
        &[(0xe0, 0xe0), (0xa0, 0xbf), (0x80, 0xbf)],
        &[(0xe1, 0xec), (0x80, 0xbf), (0x80, 0xbf)],
        &[(0xed, 0xed), (0x80, 0x9f), (0x80, 0xbf)],
        &[(0xee, 0xef), (0x80, 0xbf), (0x80, 0xbf)],
        &[(0xf0, 0xf0), (0x90, 0xbf), (0x80, 0xbf), (0x80, 0xbf)],
        &[(0xf1, 0xf3), (0x80, 0xbf), (0x80, 0xbf), (0x80, 0xbf)],
        &[(0xf4, 0xf4), (0x80, 0x8f), (0x80, 0xbf), (0x80, 0xbf)],
    ];
    let is_allowed = |byte: u8| byte != b'"' && byte != b'\\' && !excluded.contains(&char::from(byte));
    let mut spellings: Vec<ExprId> =
        (0x20..=0x7f).filter(|&byte| is_allowed(byte)).map(|byte| language.range(byte, byte)).collect();
    let texts: Vec<Vec<u8>> =
        excluded.iter().filter(|it| !it.is_ascii()).map(|it| it.to_string().into_bytes()).collect();
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    spellings.extend(MULTIBYTE.map(|ranges| sequence_except(language, ranges, &texts)));
    spellings
}

/// A sequence of byte ranges, without some byte strings.
fn sequence_except(language: &mut Language, ranges: &[(u8, u8)], excluded: &[&[u8]]) -> ExprId {
    let Some((&(first, last), tail)) = ranges.split_first() else {
        return if excluded.contains(&&[][..]) { language.never() } else { language.empty() };
    };
    if excluded.is_empty() {
        let parts: Vec<ExprId> = ranges.iter().map(|&(first, last)| language.range(first, last)).collect();
        return language.sequence(parts);
    }
    let mut choices = Vec::new();
    for byte in first..=last {
        let tails: Vec<&[u8]> = excluded.iter().filter_map(|text| text.strip_prefix(&[byte])).collect();
        let head = language.range(byte, byte);
        let rest = sequence_except(language, tail, &tails);
        choices.push(language.sequence([head, rest]));
    }
    language.choice(choices)
}

/// One hex digit from `first` to `last`, in both cases.
fn hex_digit(language: &mut Language, first: u16, last: u16) -> ExprId {
    let spellings: Vec<ExprId> = (first..=last)
        .flat_map(|digit| [format!("{digit:x}"), format!("{digit:X}")])
        .map(|digit| language.literal(digit))
        .collect();
    language.choice(spellings)
}

fn hex_range(language: &mut Language, digits: [(u16, u16); 4]) -> ExprId {
    let parts = digits.map(|(first, last)| hex_digit(language, first, last));
    language.sequence(parts)
}

/// The rest of four hex digits, `depth` of which are read and make `value`, without surrogates and the excluded codes.
fn hex_except(language: &mut Language, depth: u32, value: u32, excluded: &[u32]) -> ExprId {
    if depth == 4 {
        return if excluded.contains(&value) { language.never() } else { language.empty() };
    }
    let shift = 4 * (3 - depth);
    let mut choices = Vec::new();
    for digit in 0..16 {
        let next = value << 4 | digit;
        if depth == 1 && (0xd8..=0xdf).contains(&next) {
            continue;
        }
        let is_near = excluded.iter().any(|code| code >> shift == next);
        let rest = if is_near || depth == 0 && digit == 0xd {
            hex_except(language, depth + 1, next, excluded)
        } else {
            let any = hex_digit(language, 0, 0xf);
            language.repeat(any, 3 - depth, Some(3 - depth))
        };
        let head = hex_digit(language, digit as u16, digit as u16);
        choices.push(language.sequence([head, rest]));
    }
    language.choice(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(language: &mut Language, expr: ExprId, text: &str) -> bool {
        language.advance(expr, text.as_bytes()).is_some_and(|rest| language.is_nullable(rest))
    }

    #[test]
    fn strings_have_all_spellings_and_no_lone_surrogate() {
        let mut language = Language::default();
        let aé = string_spellings(&mut language, "aé");
        let any = string_except(&mut language, &[]);
        language.finish();
        for text in [r#""aé""#, r#""\u0061é""#, r#""a\u00E9""#, r#""a\u00e9""#] {
            assert!(matches(&mut language, aé, text), "{text}");
            assert!(matches(&mut language, any, text), "{text}");
        }
        for text in [r#""\ud83d\ude00""#, r#""\/\b""#, "\"😀\u{7f}\""] {
            assert!(matches(&mut language, any, text), "{text}");
        }
        for text in [r#""\ud83d""#, r#""\ude00""#, r#""\x""#, "\"\n\"", r#""\u00""#] {
            assert!(!matches(&mut language, any, text), "{text}");
        }
    }

    #[test]
    fn excluded_names_are_excluded_in_every_spelling() {
        let mut language = Language::default();
        let key = string_except(&mut language, &["a", "ab", "é"]);
        language.finish();
        for text in [r#""a""#, r#""\u0061""#, r#""a\u0062""#, r#""é""#, r#""\u00E9""#] {
            assert!(!matches(&mut language, key, text), "{text}");
        }
        for text in [r#""""#, r#""abc""#, r#""b""#, r#""\u0062""#, r#""è""#, r#""éa""#, r#""ac""#] {
            assert!(matches(&mut language, key, text), "{text}");
        }
    }
}
