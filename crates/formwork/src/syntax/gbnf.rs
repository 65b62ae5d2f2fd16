//! What does a grammar in llama.cpp's notation say? GBNF, which XGrammar reads as well: rules over characters.
//!
//! A rule ends where the next one begins: a name and `::=`.

use super::regular::code;
use super::rules::{Node, Rule, RuleTable, Rules};
use super::scan::Scanner;
use crate::error::GrammarError;
use crate::limits::Limits;

/// Reads a grammar; its first rule is `root`.
pub(super) fn parse(text: &str, limits: &Limits) -> Result<Rules, GrammarError> {
    let mut reader = Reader { scanner: Scanner::new(text, &["#"], limits), rules: RuleTable::default() };
    loop {
        reader.scanner.skip_blank();
        if reader.scanner.is_at_end() {
            return reader.rules.finish(text, "root", None);
        }
        reader.rule()?;
    }
}

struct Reader<'t> {
    scanner: Scanner<'t>,
    rules: RuleTable,
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '-' || char == '_'
}

impl Reader<'_> {
    fn rule(&mut self) -> Result<(), GrammarError> {
        let at = self.scanner.at();
        let name = self.scanner.name(is_name_char)?;
        self.scanner.skip_spaces();
        self.scanner.expect("::=")?;
        let body = self.alternatives()?;
        let rule = Rule { name: name.to_owned(), body, is_terminal: false };
        self.rules.define(self.scanner.text(), at, rule)
    }

    fn alternatives(&mut self) -> Result<Node, GrammarError> {
        let mut alternatives = Vec::new();
        loop {
            alternatives.push(self.sequence()?);
            if !self.scanner.eat("|") {
                return Ok(Node::choice(alternatives));
            }
        }
    }

    fn sequence(&mut self) -> Result<Node, GrammarError> {
        let mut items = Vec::new();
        loop {
            self.scanner.skip_blank();
            if self.scanner.is_at_end() || matches!(self.scanner.peek(), Some('|' | ')')) || self.is_rule() {
                return Ok(Node::sequence(items));
            }
            let atom = self.atom()?;
            items.push(self.scanner.repetitions(atom)?);
        }
    }

    /// Whether a rule begins here.
    fn is_rule(&self) -> bool {
        let mut ahead = self.scanner.clone();
        if ahead.take_while(is_name_char).is_empty() {
            return false;
        }
        ahead.skip_spaces();
        ahead.eat("::=")
    }

    fn atom(&mut self) -> Result<Node, GrammarError> {
        match self.scanner.peek() {
            Some('"') => Ok(Node::literal(self.scanner.quoted()?)),
            Some('[') => self.class(),
            Some('.') => {
                self.scanner.skip(1);
                Ok(Node::Regex("(?s:.)".into()))
            }
            Some('<') => self.scanner.special(),
            Some('(') => {
                self.scanner.skip(1);
                self.scanner.enter()?;
                let inside = self.alternatives()?;
                self.scanner.leave();
                self.scanner.expect(")")?;
                Ok(inside)
            }
            Some(char) if is_name_char(char) => {
                let at = self.scanner.at();
                let name = self.scanner.name(is_name_char)?;
                Ok(Node::Rule(self.rules.id(name, at)))
            }
            _ => Err(self.scanner.missing("a text, a class of characters, a name or a bracket")),
        }
    }

    /// `[a-z]`, or `[^a-z]`.
    fn class(&mut self) -> Result<Node, GrammarError> {
        let at = self.scanner.at();
        self.scanner.expect("[")?;
        let negated = self.scanner.eat("^");
        let mut class = String::new();
        while !self.scanner.eat("]") {
            let first = self.class_char(at)?;
            let is_range = self.scanner.rest().starts_with('-') && !self.scanner.rest().starts_with("-]");
            if !is_range {
                class += &code(first);
                continue;
            }
            self.scanner.skip(1);
            let last = self.class_char(at)?;
            if last < first {
                return Err(self.scanner.fault_at(at, "a range goes from one character to a later one"));
            }
            class += &format!("{}-{}", code(first), code(last));
        }
        Ok(match (class.is_empty(), negated) {
            (true, false) => Node::Never,
            (true, true) => Node::Regex("(?s:.)".into()),
            (false, _) => Node::Regex(format!("[{}{class}]", if negated { "^" } else { "" }).into()),
        })
    }

    fn class_char(&mut self, at: usize) -> Result<char, GrammarError> {
        match self.scanner.next() {
            Some('\\') => self.scanner.escape(),
            Some(char) => Ok(char),
            None => Err(self.scanner.fault_at(at, "a class of characters has no end")),
        }
    }
}
