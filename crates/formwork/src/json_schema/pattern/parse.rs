//! How is an ECMA-262 regular expression read? The syntax, as a tree of [`Node`]s.
//!
//! Whether a repetition is greedy and whether a group captures do not matter for a language, so the tree says neither.

use regex_syntax::hir::ClassUnicode;

use super::PatternFault;
use super::class::{CodePoint, Escape, read_class, read_escape, set_of};
use crate::automata::ExpressionNode as Node;

/// Groups inside one another.
const MAX_DEPTH: usize = 100;

/// Parts of a group that is being read.
#[derive(Default)]
struct Level {
    /// What the group is for, once it is closed.
    kind: GroupKind,
    alternatives: Vec<Node>,
    parts: Vec<Node>,
    /// Whether the last part may be repeated.
    repeatable: bool,
}

#[derive(Clone, Copy, Default)]
enum GroupKind {
    #[default]
    Plain,
    Look {
        ahead: bool,
        negated: bool,
    },
}

struct Parser<'p> {
    rest: std::str::Chars<'p>,
    levels: Vec<Level>,
    /// Whether upper and lower case are one.
    fold: bool,
}

/// Reads `source`.
pub(super) fn parse(source: &str) -> Result<Node, PatternFault> {
    let mut parser = Parser { rest: source.chars(), levels: vec![Level::default()], fold: false };
    if let Some(rest) = source.strip_prefix("(?i)") {
        // Not ECMA-262, but written by many, and meant as every other dialect means it.
        parser.rest = rest.chars();
        parser.fold = true;
    }
    while let Some(character) = parser.rest.next() {
        parser.next(character)?;
    }
    match parser.levels.pop() {
        Some(level) if parser.levels.is_empty() => Ok(level.finish()),
        _ => Err(PatternFault::Malformed("a group is not closed")),
    }
}

/// The ranges of a set, both ends inside.
pub(super) fn ranges_of(set: &ClassUnicode) -> Box<[(u32, u32)]> {
    set.iter().map(|range| (range.start() as u32, range.end() as u32)).collect()
}

impl Level {
    fn finish(mut self) -> Node {
        self.end_alternative();
        let node = match self.alternatives.len() {
            1 => self.alternatives.pop().unwrap_or(Node::Empty),
            _ => Node::Alternation(self.alternatives),
        };
        match self.kind {
            GroupKind::Plain => node,
            GroupKind::Look { ahead, negated } => Node::Look { ahead, negated, sub: Box::new(node) },
        }
    }

    fn end_alternative(&mut self) {
        let mut parts = std::mem::take(&mut self.parts);
        self.repeatable = false;
        self.alternatives.push(match parts.len() {
            0 => Node::Empty,
            1 => parts.pop().unwrap_or(Node::Empty),
            _ => Node::Concat(parts),
        });
    }
}

impl Parser<'_> {
    fn next(&mut self, character: char) -> Result<(), PatternFault> {
        match character {
            '^' => self.push(Node::Start, false),
            '$' => self.push(Node::End, false),
            '.' => {
                let mut set = set_of(&[('\n', '\n'), ('\r', '\r'), ('\u{2028}', '\u{2029}')]);
                set.negate();
                self.push(Node::Class(ranges_of(&set)), true);
            }
            '(' => self.open()?,
            ')' => self.close()?,
            '|' => self.level().end_alternative(),
            '*' => self.repeat(0, None)?,
            '+' => self.repeat(1, None)?,
            '?' => self.repeat(0, Some(1))?,
            '{' => match self.bounds() {
                Some((min, max)) => self.repeat(min, max)?,
                None => self.literal('{'),
            },
            '[' => {
                let set = read_class(&mut self.rest)?;
                self.class(set);
            }
            '\\' => self.escape()?,
            other => self.literal(other),
        }
        Ok(())
    }

    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn push(&mut self, node: Node, repeatable: bool) {
        let level = self.level();
        level.parts.push(node);
        level.repeatable = repeatable;
    }

    fn class(&mut self, mut set: ClassUnicode) {
        if self.fold {
            // An error says that the tables are left out of the build; then there is nothing to fold with.
            let _ = set.try_case_fold_simple();
        }
        self.push(Node::Class(ranges_of(&set)), true);
    }

    fn literal(&mut self, character: char) {
        match self.fold {
            true => self.class(set_of(&[(character, character)])),
            false => self.push(Node::char(character), true),
        }
    }

    fn open(&mut self) -> Result<(), PatternFault> {
        let rest = self.rest.as_str();
        let mut kind = GroupKind::Plain;
        let mut skipped = 0;
        if let Some(flags) = rest.strip_prefix('?') {
            let looks = [("=", true, false), ("!", true, true), ("<=", false, false), ("<!", false, true)];
            if let Some((sign, ahead, negated)) = looks.into_iter().find(|(sign, ..)| flags.starts_with(sign)) {
                kind = GroupKind::Look { ahead, negated };
                skipped = 1 + sign.len();
            } else if flags.starts_with(':') {
                skipped = 2;
            } else if let Some(name) = flags.strip_prefix('<') {
                skipped = name_length(name)? + 3;
            } else if is_modifier(flags) {
                return Err(PatternFault::Unsupported("groups with modifiers are not enforced"));
            } else {
                return Err(PatternFault::Malformed("a group begins with an unknown flag"));
            }
        }
        self.rest = rest.get(skipped..).unwrap_or("").chars();
        if self.levels.len() >= MAX_DEPTH {
            return Err(PatternFault::TooLarge);
        }
        self.levels.push(Level { kind, ..Level::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), PatternFault> {
        if self.levels.len() == 1 {
            return Err(PatternFault::Malformed("a parenthesis is not opened"));
        }
        let level = self.levels.pop().unwrap_or_default();
        // Annex B lets what looks ahead be repeated, but never what looks behind.
        let repeatable = !matches!(level.kind, GroupKind::Look { ahead: false, .. });
        let node = level.finish();
        self.push(node, repeatable);
        Ok(())
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
        let level = self.level();
        if !std::mem::take(&mut level.repeatable) {
            return Err(PatternFault::Malformed("there is nothing to repeat"));
        }
        let sub = Box::new(level.parts.pop().unwrap_or(Node::Empty));
        level.parts.push(Node::Repeat { sub, min, max });
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
            Escape::Class(set) => self.class(set),
            Escape::Boundary { negated } => self.push(Node::WordBoundary { negated }, false),
            Escape::Character(CodePoint::Scalar(character)) => self.literal(character),
            Escape::Character(CodePoint::Surrogate) => {
                return Err(PatternFault::Unsupported("half a surrogate pair cannot be matched in UTF-8"));
            }
        }
        Ok(())
    }
}

/// Bytes of the group name that `text` begins with, up to its `>`.
fn name_length(text: &str) -> Result<usize, PatternFault> {
    let end = text.find('>').ok_or(PatternFault::Malformed("a group's name is not closed"))?;
    let is_start = |char: char| char.is_alphabetic() || matches!(char, '$' | '_' | '\\');
    let mut chars = text[..end].chars();
    let valid = chars.next().is_some_and(is_start)
        && chars.all(|char| is_start(char) || char.is_numeric() || matches!(char, '{' | '}' | '\u{200C}' | '\u{200D}'));
    if valid { Ok(end) } else { Err(PatternFault::Malformed("a group's name is no identifier")) }
}

/// Whether a group begins with modifiers, such as `i:` or `s-i:`.
fn is_modifier(flags: &str) -> bool {
    flags.split_once(':').is_some_and(|(flags, _)| flags.bytes().all(|byte| matches!(byte, b'i' | b'm' | b's' | b'-')))
}
