//! How is an ECMA-262 regular expression written in the syntax of the Rust `regex` crate?
//!
//! What both write alike but mean differently is spelled out (`\d`, `\s`, `.`), what only Rust takes for syntax is
//! escaped, and what has no counterpart is refused. Whether a match is greedy does not matter for a language.

use std::fmt::Write as _;

use super::PatternFault;
use super::class::{CodePoint, Escape, read_class, read_escape};

/// A pattern in Rust's syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Translated {
    pub(super) regex: String,
    pub(super) outline: Outline,
}

/// What can be said about a pattern at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outline {
    /// It is found in every string.
    Everything,
    /// `^[class]{min,max}$`; an empty class text is every character.
    Counted { class: String, min: u32, max: Option<u32> },
    /// Nothing in particular.
    Other,
}

/// The first pieces of a pattern, outside groups.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Start,
    End,
    /// Exactly one character.
    One {
        class: String,
        everything: bool,
    },
    Repeat(u32, Option<u32>),
    Other,
}

/// Sizes of an open group, in states: what is complete, and the last atom, which may yet be repeated.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    complete: u64,
    last: Option<u64>,
    /// The alternatives before this one.
    before: u64,
}

struct Translator<'p> {
    rest: std::str::Chars<'p>,
    regex: String,
    levels: Vec<Level>,
    pieces: Vec<Piece>,
    max_size: u64,
}

/// Groups inside one another.
const MAX_DEPTH: usize = 100;

pub(super) const DOT: &str = r"[^\n\r\x{2028}\x{2029}]";

pub(super) fn translate(source: &str, max_size: u64) -> Result<Translated, PatternFault> {
    let mut translator = Translator {
        rest: source.chars(),
        regex: String::with_capacity(source.len() + 16),
        levels: vec![Level::default()],
        pieces: Vec::new(),
        max_size,
    };
    if let Some(rest) = source.strip_prefix("(?i)") {
        // Not ECMA-262, but written by many, and meant as every other dialect means it.
        translator.rest = rest.chars();
        translator.regex.push_str("(?i)");
        translator.piece(Piece::Other);
    }
    while let Some(character) = translator.rest.next() {
        translator.next(character)?;
    }
    if translator.levels.len() > 1 {
        return Err(PatternFault::Malformed("a group is not closed"));
    }
    if translator.regex.contains(r"\p{") || translator.regex.contains(r"\P{") {
        regex_syntax::parse(&translator.regex).map_err(|_| PatternFault::Unsupported("a property name is unknown"))?;
    }
    let outline = outline(&translator.pieces);
    Ok(Translated { regex: translator.regex, outline })
}

fn outline(pieces: &[Piece]) -> Outline {
    match pieces {
        [] | [Piece::One { .. }, Piece::Repeat(0, _)] | [Piece::Start, Piece::One { .. }, Piece::Repeat(0, _)] => {
            Outline::Everything
        }
        [Piece::Start, Piece::One { class, everything }, Piece::Repeat(min, max), Piece::End] => {
            if *everything && *min == 0 && max.is_none() {
                return Outline::Everything;
            }
            let class = if *everything { String::new() } else { class.clone() };
            Outline::Counted { class, min: *min, max: *max }
        }
        _ => Outline::Other,
    }
}

impl Translator<'_> {
    fn next(&mut self, character: char) -> Result<(), PatternFault> {
        match character {
            '^' => self.assertion("^", Piece::Start),
            '$' => self.assertion("$", Piece::End),
            '.' => self.one(DOT, 6, false)?,
            '(' => self.open()?,
            ')' => self.close()?,
            '|' => self.alternative(),
            '*' => self.repeat(0, None)?,
            '+' => self.repeat(1, None)?,
            '?' => self.repeat(0, Some(1))?,
            '{' => match self.bounds() {
                Some((min, max)) => self.repeat(min, max)?,
                None => self.one(r"\{", 1, false)?,
            },
            '[' => {
                let class = read_class(&mut self.rest)?;
                self.one(&class.regex, class.size, class.everything)?;
            }
            '\\' => self.escape()?,
            other => self.literal(other)?,
        }
        Ok(())
    }

    fn piece(&mut self, piece: Piece) {
        // Five pieces are enough to see that nothing is to be seen.
        if self.levels.len() == 1 && self.pieces.len() < 5 {
            self.pieces.push(piece);
        }
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn assertion(&mut self, regex: &str, piece: Piece) {
        self.regex.push_str(regex);
        self.piece(piece);
        let level = self.level();
        level.complete += level.last.take().unwrap_or(0) + 1;
    }

    fn one(&mut self, class: &str, size: u64, everything: bool) -> Result<(), PatternFault> {
        self.regex.push_str(class);
        self.piece(Piece::One { class: class.to_owned(), everything });
        self.atom(size)
    }

    fn literal(&mut self, character: char) -> Result<(), PatternFault> {
        let mut class = String::new();
        push_literal(&mut class, character);
        self.one(&class, 1, false)
    }

    fn atom(&mut self, size: u64) -> Result<(), PatternFault> {
        let max_size = self.max_size;
        let level = self.level();
        level.complete = level.complete.saturating_add(level.last.unwrap_or(0));
        level.last = Some(size);
        if level.complete.saturating_add(size) > max_size { Err(PatternFault::TooLarge) } else { Ok(()) }
    }

    fn open(&mut self) -> Result<(), PatternFault> {
        let rest = self.rest.as_str();
        let skipped = if let Some(flags) = rest.strip_prefix('?') {
            if flags.starts_with(':') {
                2
            } else if flags.starts_with(['=', '!']) || flags.starts_with("<=") || flags.starts_with("<!") {
                return Err(PatternFault::Unsupported("look-around cannot be enforced here yet"));
            } else if let Some(name) = flags.strip_prefix('<') {
                let end = name.find('>').ok_or(PatternFault::Malformed("a group's name is not closed"))?;
                end + 3
            } else {
                return Err(PatternFault::Malformed("a group begins with an unknown flag"));
            }
        } else {
            0
        };
        self.rest = rest.get(skipped..).unwrap_or("").chars();
        if self.levels.len() >= MAX_DEPTH {
            return Err(PatternFault::TooLarge);
        }
        self.regex.push_str("(?:");
        self.piece(Piece::Other);
        self.levels.push(Level::default());
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternFault> {
        if self.levels.len() == 1 {
            return Err(PatternFault::Malformed("a parenthesis is not opened"));
        }
        let inside = self.levels.pop().unwrap_or_default();
        self.regex.push(')');
        let size = inside.before.saturating_add(inside.complete).saturating_add(inside.last.unwrap_or(0));
        self.atom(size + 1)
    }

    fn alternative(&mut self) {
        self.regex.push('|');
        self.piece(Piece::Other);
        let level = self.level();
        let size = level.complete.saturating_add(level.last.unwrap_or(0));
        *level = Level { before: level.before.saturating_add(size) + 1, ..Level::default() };
    }

    fn repeat(&mut self, min: u32, max: Option<u32>) -> Result<(), PatternFault> {
        if max.is_some_and(|max| min > max) {
            return Err(PatternFault::Malformed("a repetition's bounds are out of order"));
        }
        // Lazy or not, the language is the same.
        let mut ahead = self.rest.clone();
        if ahead.next() == Some('?') {
            self.rest = ahead;
        }
        let max_size = self.max_size;
        let level = self.level();
        let Some(size) = level.last.take() else {
            return Err(PatternFault::Malformed("there is nothing to repeat"));
        };
        let repeated = size.saturating_mul(u64::from(max.unwrap_or(min.saturating_add(1)).max(1)));
        level.complete = level.complete.saturating_add(repeated);
        self.piece(Piece::Repeat(min, max));
        // A counted class of its own becomes a length, whatever the size; the outline tells at the end.
        let counted = self.levels.len() == 1 && self.pieces.len() == 3 && self.rest.as_str() == "$";
        if repeated > max_size && !counted {
            return Err(PatternFault::TooLarge);
        }
        match (min, max) {
            (0, None) => self.regex.push('*'),
            (1, None) => self.regex.push('+'),
            (0, Some(1)) => self.regex.push('?'),
            (min, Some(max)) if min == max => write_infallible(&mut self.regex, format_args!("{{{min}}}")),
            (min, Some(max)) => write_infallible(&mut self.regex, format_args!("{{{min},{max}}}")),
            (min, None) => write_infallible(&mut self.regex, format_args!("{{{min},}}")),
        }
        Ok(())
    }

    /// Reads what follows `{`, if it is a repetition; else nothing is consumed and the brace stands for itself.
    fn bounds(&mut self) -> Option<(u32, Option<u32>)> {
        let rest = self.rest.as_str();
        let end = rest.find('}')?;
        let inside = &rest[..end];
        let number = |text: &str| -> Option<u32> {
            let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            all_digits.then(|| text.parse().unwrap_or(u32::MAX))
        };
        let bounds = match inside.split_once(',') {
            None => (number(inside)?, Some(number(inside)?)),
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
        };
        self.rest = rest[end + 1..].chars();
        Some(bounds)
    }

    fn escape(&mut self) -> Result<(), PatternFault> {
        match read_escape(&mut self.rest, false)? {
            Escape::Class(class) => self.one(&class.regex, class.size, false),
            Escape::Character(CodePoint::Scalar(character)) => self.literal(character),
            Escape::Character(CodePoint::Surrogate) => {
                Err(PatternFault::Unsupported("half a surrogate pair cannot be matched in UTF-8"))
            }
        }
    }
}

pub(super) fn push_literal(regex: &mut String, character: char) {
    if regex_syntax::is_meta_character(character) {
        regex.push('\\');
        regex.push(character);
    } else if character.is_control() || character.is_whitespace() {
        write_infallible(regex, format_args!("\\x{{{:X}}}", u32::from(character)));
    } else {
        regex.push(character);
    }
}

/// Writing to a `String` cannot fail.
pub(super) fn write_infallible(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::decide::string_matches;
    use crate::automata::{ContentConstraint, ContentLanguage, StringSpec};
    use crate::limits::Limits;

    fn regex(source: &str) -> String {
        translate(source, 100_000).unwrap().regex
    }

    /// Whether the translated pattern is found in `text`.
    fn finds(source: &str, text: &str) -> bool {
        let language = ContentLanguage::Search(regex(source).into());
        let content = vec![ContentConstraint { language, negated: false }];
        string_matches(&StringSpec { content, ..StringSpec::default() }, text, &Limits::default()).unwrap()
    }

    #[test]
    fn ecma_meaning_is_kept() {
        for (source, text, found) in [
            (r"^\d$", "٣", false),
            (r"^\w$", "é", false),
            (r"^\s$", "\u{feff}", true),
            (r"^\s$", "\u{85}", false),
            (r"^.$", "\r", false),
            (r"^a$", "a\n", false),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[a~~b]+$", "a~b", true),
            (r"^[[a]$", "[", true),
            (r"^[^]$", "x", true),
            (r"^[\w-.]+$", "a-.", true),
            (r"^\/\-\#$", "/-#", true),
            (r"^a{,2}$", "a{,2}", true),
            (r"^a{2}$", "aa", true),
            (r"^{$", "{", true),
            (r"^\cJ$", "\n", true),
            (r"^\u0041\x42$", "AB", true),
            (r"^\uD83D\uDE00$", "😀", true),
            (r"^\u{1F600}$", "😀", true),
            (r"^(?<year>\d{4})$", "2024", true),
            (r"^[\S]+$", "ab", true),
            (r"^[^\S]$", " ", true),
            (r"^\p{L}$", "é", true),
            (r"a+?", "caa", true),
            (r"^[\b]$", "\u{8}", true),
            (r"^\0$", "\0", true),
            (r"^a b#c$", "a b#c", true),
            (r"(?i)^ABC$", "abc", true),
            (r"^[+--]$", ",", true),
        ] {
            assert_eq!(finds(source, text), found, "{source} {text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_from_what_is_not_supported() {
        for source in ["(", ")", "[a", "*", "a**", "[b-a]", "a{3,2}", "\\", "(?<a", "a{1}{2}"] {
            assert!(matches!(translate(source, 1000), Err(PatternFault::Malformed(_))), "{source}");
        }
        for source in [r"\bfoo\b", "a(?=b)", r"(a)\1", r"\ud800", r"\Afoo\z"] {
            assert!(matches!(translate(source, 1000), Err(PatternFault::Unsupported(_))), "{source}");
        }
        assert_eq!(translate("(a{1000}){1000}", 100_000), Err(PatternFault::TooLarge));
        assert!(translate("^[a-z]{1,1000000}$", 100_000).is_ok());
    }
}
