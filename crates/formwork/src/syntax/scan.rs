//! What comes next in a grammar's text? A cursor that knows its line, and what both notations have in common.

use super::rules::{self, Node};
use crate::error::{GrammarError, LimitError};
use crate::limits::Limits;

/// Most times that a repetition may ask for.
const MAX_COUNT: u32 = 1_000_000_000;

/// Most repetitions of repetitions.
const MAX_IN_A_ROW: usize = 8;

/// A place in a text.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// What begins a comment, which goes on to the end of its line.
    comments: &'static [&'static str],
    depth: usize,
    max_depth: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str, comments: &'static [&'static str], limits: &Limits) -> Scanner<'t> {
        Scanner { text, at: 0, comments, depth: 0, max_depth: limits.max_schema_depth }
    }

    /// All of the text.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    /// Goes on by so many bytes.
    pub(super) fn skip(&mut self, n_bytes: usize) {
        self.at += n_bytes;
    }

    /// Takes `expected` if it comes next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let is_next = self.rest().starts_with(expected);
        if is_next {
            self.at += expected.len();
        }
        is_next
    }

    pub(super) fn expect(&mut self, expected: &str) -> Result<(), GrammarError> {
        if self.eat(expected) { Ok(()) } else { Err(self.missing(&format!("{expected:?}"))) }
    }

    /// The longest text of characters that are `good`.
    pub(super) fn take_while(&mut self, good: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|char| !good(char)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// The byte that comes next.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The error of what stands at a byte.
    pub(super) fn fault_at(&self, at: usize, reason: impl Into<String>) -> GrammarError {
        rules::fault(self.text, at, reason)
    }

    pub(super) fn fault(&self, reason: impl Into<String>) -> GrammarError {
        self.fault_at(self.at, reason)
    }

    /// The error for what is missing here.
    pub(super) fn missing(&self, wanted: &str) -> GrammarError {
        match self.peek() {
            Some(char) => self.fault(format!("{wanted} is missing before {char:?}")),
            None => self.fault(format!("{wanted} is missing at the end")),
        }
    }

    /// Skips whitespace, line ends and comments.
    pub(super) fn skip_blank(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if !self.comments.iter().any(|comment| self.rest().starts_with(comment)) {
                return;
            }
            self.take_while(|char| char != '\n');
        }
    }

    /// Skips whitespace within a line.
    pub(super) fn skip_spaces(&mut self) {
        self.take_while(|char| char == ' ' || char == '\t');
    }

    /// One level of brackets further in.
    pub(super) fn enter(&mut self) -> Result<(), GrammarError> {
        if self.depth == self.max_depth {
            return Err(LimitError { setting: "max_schema_depth", limit: self.max_depth }.into());
        }
        self.depth += 1;
        Ok(())
    }

    /// And out again.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The longest text of characters that a name may have.
    pub(super) fn name(&mut self, is_name_char: impl Fn(char) -> bool) -> Result<&'t str, GrammarError> {
        match self.take_while(is_name_char) {
            "" => Err(self.missing("a name")),
            name => Ok(name),
        }
    }

    /// A text in double quotes, on one line.
    pub(super) fn quoted(&mut self) -> Result<String, GrammarError> {
        let at = self.at;
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                None | Some('\n') => return Err(self.fault_at(at, "a text has no end")),
                Some(char) => text.push(char),
            }
        }
    }

    pub(super) fn number(&mut self) -> Result<u32, GrammarError> {
        let at = self.at;
        let digits = self.take_while(|char| char.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| *number <= MAX_COUNT);
        number.ok_or_else(|| self.fault_at(at, format!("a number of at most {MAX_COUNT} must stand here")))
    }

    /// `item` with the repetitions that stand behind it: `?`, `*`, `+`, `{2}`, `{2,}`, `{,3}` and `{2,3}`.
    pub(super) fn repetitions(&mut self, item: Node) -> Result<Node, GrammarError> {
        let mut item = item;
        for _ in 0..MAX_IN_A_ROW {
            let at = self.at;
            let (min, max) = match self.peek() {
                Some('?') => (0, Some(1)),
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('{') => {
                    self.skip(1);
                    self.skip_spaces();
                    let min = if self.peek() == Some(',') { 0 } else { self.number()? };
                    self.skip_spaces();
                    let mut max = Some(min);
                    if self.eat(",") {
                        self.skip_spaces();
                        max = if self.peek() == Some('}') { None } else { Some(self.number()?) };
                        self.skip_spaces();
                    }
                    if self.peek() != Some('}') {
                        return Err(self.missing("\"}\""));
                    }
                    (min, max)
                }
                _ => return Ok(item),
            };
            self.skip(1);
            if max.is_some_and(|max| max < min) {
                return Err(self.fault_at(at, "the greatest number of repetitions is below the least"));
            }
            item = Node::repeat(item, min, max);
        }
        Err(self.fault("too many repetitions of the same"))
    }

    /// The character that an escape stands for, behind its backslash.
    pub(super) fn escape(&mut self) -> Result<char, GrammarError> {
        let at = self.at;
        let n_digits = match self.next() {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some('f') => return Ok('\u{C}'),
            Some('v') => return Ok('\u{B}'),
            Some('b') => return Ok('\u{8}'),
            Some('0') => return Ok('\0'),
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some(char) if !char.is_alphanumeric() => return Ok(char),
            _ => return Err(self.fault_at(at, "no escape")),
        };
        let digits = self.rest().get(..n_digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let char = digits.and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
        self.skip(digits.map_or(0, str::len));
        char.ok_or_else(|| self.fault_at(at, format!("the {n_digits} digits of a character must stand here")))
    }

    /// The name of a control token: `<name>`, brackets included.
    pub(super) fn special(&mut self) -> Result<Node, GrammarError> {
        let at = self.at;
        let end = self.rest().find(['>', '\n']).filter(|end| self.rest()[*end..].starts_with('>'));
        let end = end.ok_or_else(|| self.fault_at(at, "a control token's name has no end"))?;
        let name = &self.rest()[..=end];
        self.skip(end + 1);
        Ok(Node::Special(name.into()))
    }
}
