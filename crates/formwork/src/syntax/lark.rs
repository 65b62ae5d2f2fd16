//! What does a grammar in Lark's notation say? The dialect that llguidance reads and OpenAI's custom tools are given.
//!
//! A statement ends where the next one begins: a name and a colon, or a directive, at the start of a line.

use std::sync::Arc;

use super::common::common;
use super::regular::{check_regex, code, ignoring_case};
use super::rules::{Node, Rule, RuleTable, Rules};
use super::scan::Scanner;
use crate::error::GrammarError;
use crate::limits::Limits;

/// Reads a grammar; its first rule is `start`.
pub(super) fn parse(text: &str, limits: &Limits) -> Result<Rules, GrammarError> {
    let mut reader =
        Reader { scanner: Scanner::new(text, &["//", "#"], limits), rules: RuleTable::default(), ignored: Vec::new() };
    loop {
        reader.scanner.skip_blank();
        if reader.scanner.is_at_end() {
            break;
        }
        reader.statement()?;
    }
    let Reader { rules, ignored, .. } = reader;
    let ignored = (!ignored.is_empty()).then(|| Node::choice(ignored));
    rules.finish(text, "start", ignored)
}

struct Reader<'t> {
    scanner: Scanner<'t>,
    rules: RuleTable,
    ignored: Vec<Node>,
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

/// Names of terminals are in capitals.
fn is_terminal(name: &str) -> bool {
    name.trim_start_matches('_').starts_with(|char: char| char.is_ascii_uppercase())
}

impl Reader<'_> {
    fn statement(&mut self) -> Result<(), GrammarError> {
        if self.scanner.eat("%") {
            return self.directive();
        }
        // How a tree is shaped is no matter of the text.
        self.scanner.take_while(|char| char == '?' || char == '!');
        let at = self.scanner.at();
        let name = self.scanner.name(is_name_char)?;
        match self.scanner.peek() {
            Some('.') => {
                return Err(self.scanner.fault("priorities are not supported: any way to read a text will do"));
            }
            Some('{') => return Err(self.scanner.fault("templates are not supported")),
            Some('[') => return Err(self.scanner.fault("attributes of rules are not supported")),
            _ => {}
        }
        self.scanner.skip_spaces();
        self.scanner.expect(":")?;
        let body = self.alternatives()?;
        let rule = Rule { name: name.to_owned(), body, is_terminal: is_terminal(name) };
        self.rules.define(self.scanner.text(), at, rule)
    }

    fn directive(&mut self) -> Result<(), GrammarError> {
        let at = self.scanner.at();
        match self.scanner.take_while(is_name_char) {
            "ignore" => {
                let ignored = self.alternatives()?;
                self.ignored.push(ignored);
                Ok(())
            }
            "import" => self.import(),
            "llguidance" => self.settings(),
            name => Err(self.scanner.fault_at(at, format!("%{name} is not supported"))),
        }
    }

    /// `%import common.NAME`, perhaps with another name behind an arrow, or `%import common (NAME, NAME)`.
    fn import(&mut self) -> Result<(), GrammarError> {
        self.scanner.skip_spaces();
        let at = self.scanner.at();
        if !self.scanner.eat("common") {
            return Err(self.scanner.fault_at(at, "only the library common can be imported from"));
        }
        if self.scanner.eat(".") {
            return self.import_one();
        }
        self.scanner.skip_spaces();
        self.scanner.expect("(")?;
        loop {
            self.scanner.skip_blank();
            self.import_one()?;
            self.scanner.skip_blank();
            if !self.scanner.eat(",") {
                return self.scanner.expect(")");
            }
        }
    }

    fn import_one(&mut self) -> Result<(), GrammarError> {
        let at = self.scanner.at();
        let name = self.scanner.name(is_name_char)?;
        let regex = common(name).ok_or_else(|| self.scanner.fault_at(at, format!("common has no {name}")))?;
        self.scanner.skip_spaces();
        let mut alias = name;
        if self.scanner.eat("->") {
            self.scanner.skip_spaces();
            alias = self.scanner.name(is_name_char)?;
        }
        let rule = Rule { name: alias.to_owned(), body: Node::Regex(regex.into()), is_terminal: true };
        self.rules.define(self.scanner.text(), at, rule)
    }

    /// Settings of llguidance that say nothing of the language.
    fn settings(&mut self) -> Result<(), GrammarError> {
        self.scanner.skip_blank();
        let at = self.scanner.at();
        let settings = self.json()?;
        let unknown = settings.as_object().and_then(|map| map.keys().find(|key| *key != "no_forcing"));
        match unknown {
            None if settings.is_object() => Ok(()),
            None => Err(self.scanner.fault_at(at, "settings must be an object")),
            Some(key) => Err(self.scanner.fault_at(at, format!("the setting {key} is not supported"))),
        }
    }

    fn json(&mut self) -> Result<serde_json::Value, GrammarError> {
        let rest = self.scanner.rest();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(self.scanner.fault(format!("not JSON: {error}"))),
            None => return Err(self.scanner.missing("a JSON value")),
        };
        self.scanner.skip(values.byte_offset());
        Ok(value)
    }

    fn alternatives(&mut self) -> Result<Node, GrammarError> {
        let mut alternatives = Vec::new();
        self.scanner.skip_blank();
        // The first one may have a bar before it, too.
        self.scanner.eat("|");
        loop {
            alternatives.push(self.sequence()?);
            if !self.scanner.eat("|") {
                return Ok(Node::choice(alternatives));
            }
        }
    }

    /// Items up to a bar, a closing bracket or the next statement.
    fn sequence(&mut self) -> Result<Node, GrammarError> {
        let mut items = Vec::new();
        loop {
            self.scanner.skip_blank();
            if self.scanner.eat("->") {
                self.scanner.skip_spaces();
                self.scanner.name(is_name_char)?;
                self.scanner.skip_blank();
            }
            if self.scanner.is_at_end() || matches!(self.scanner.peek(), Some('|' | ')' | ']')) || self.is_statement() {
                return Ok(Node::sequence(items));
            }
            items.push(self.item()?);
        }
    }

    /// Whether a statement begins here.
    fn is_statement(&self) -> bool {
        let mut ahead = self.scanner.clone();
        if ahead.eat("%") {
            return ahead.take_while(is_name_char) != "json";
        }
        ahead.take_while(|char| char == '?' || char == '!');
        if ahead.take_while(is_name_char).is_empty() {
            return false;
        }
        ahead.skip_spaces();
        let has_priority =
            ahead.peek() == Some('.') && ahead.rest()[1..].starts_with(|char: char| char.is_ascii_digit());
        ahead.peek() == Some(':') || has_priority
    }

    fn item(&mut self) -> Result<Node, GrammarError> {
        let atom = self.atom()?;
        let mut item = self.scanner.repetitions(atom)?;
        let mut ahead = self.scanner.clone();
        ahead.skip_spaces();
        if ahead.eat("~") {
            ahead.skip_spaces();
            self.scanner = ahead;
            let at = self.scanner.at();
            let min = self.scanner.number()?;
            let max = if self.scanner.eat("..") { self.scanner.number()? } else { min };
            if max < min {
                return Err(self.scanner.fault_at(at, "the greatest number of repetitions is below the least"));
            }
            item = Node::repeat(item, min, Some(max));
        }
        Ok(item)
    }

    fn atom(&mut self) -> Result<Node, GrammarError> {
        match self.scanner.peek() {
            Some('(') => self.bracketed("(", ")"),
            Some('[') => Ok(Node::optional(self.bracketed("[", "]")?)),
            Some('"') => self.string_or_range(),
            Some('/') => self.regex(),
            Some('<') => self.scanner.special(),
            Some('%') => {
                self.scanner.expect("%json")?;
                self.scanner.skip_blank();
                Ok(Node::Schema(Arc::new(self.json()?)))
            }
            Some('@') => Err(self.scanner.fault("grammars within grammars are not supported")),
            Some('&' | '~') => Err(self.scanner.fault("only alternatives can be made of terminals, no intersections")),
            _ => {
                let at = self.scanner.at();
                let name = self.scanner.name(is_name_char)?;
                if self.scanner.rest().starts_with('{')
                    && !self.scanner.rest()[1..].starts_with([' ', ',', '}'])
                    && !self.scanner.rest()[1..].starts_with(|char: char| char.is_ascii_digit())
                {
                    return Err(self.scanner.fault("templates are not supported"));
                }
                Ok(Node::Rule(self.rules.id(name, at)))
            }
        }
    }

    fn bracketed(&mut self, open: &str, close: &str) -> Result<Node, GrammarError> {
        self.scanner.expect(open)?;
        self.scanner.enter()?;
        let inside = self.alternatives()?;
        self.scanner.leave();
        self.scanner.expect(close)?;
        Ok(inside)
    }

    /// `"text"`, `"text"i`, or `"a".."z"`.
    fn string_or_range(&mut self) -> Result<Node, GrammarError> {
        let at = self.scanner.at();
        let text = self.scanner.quoted()?;
        if self.scanner.rest().starts_with("..") {
            self.scanner.skip(2);
            let last = self.scanner.quoted()?;
            return match (single(&text), single(&last)) {
                (Some(first), Some(last)) if first <= last => {
                    Ok(Node::Regex(format!("[{}-{}]", code(first), code(last)).into()))
                }
                _ => Err(self.scanner.fault_at(at, "a range goes from one character to a later one")),
            };
        }
        if self.scanner.rest().starts_with('i') && !self.scanner.rest()[1..].starts_with(is_name_char) {
            self.scanner.skip(1);
            return Ok(Node::Regex(ignoring_case(&text).into()));
        }
        Ok(Node::literal(text))
    }

    /// `/regex/flags`.
    fn regex(&mut self) -> Result<Node, GrammarError> {
        let at = self.scanner.at();
        self.scanner.expect("/")?;
        let mut pattern = String::new();
        loop {
            match self.scanner.next() {
                Some('/') => break,
                Some('\\') => match self.scanner.next() {
                    Some('/') => pattern.push('/'),
                    Some(char) => pattern.extend(['\\', char]),
                    None => return Err(self.scanner.fault_at(at, "a regular expression has no end")),
                },
                None | Some('\n') => return Err(self.scanner.fault_at(at, "a regular expression has no end")),
                Some(char) => pattern.push(char),
            }
        }
        let flags = self.scanner.take_while(|char| char.is_ascii_alphabetic());
        if let Some(flag) = flags.chars().find(|flag| !"imsux".contains(*flag)) {
            return Err(self.scanner.fault_at(at, format!("regular expressions have no flag {flag}")));
        }
        // All are of Unicode.
        let flags = flags.replace('u', "");
        let pattern = if flags.is_empty() {
            pattern
        } else {
            format!("(?{flags}:{pattern}{})", if flags.contains('x') { "\n" } else { "" })
        };
        check_regex(&pattern).map_err(|reason| self.scanner.fault_at(at, reason))?;
        Ok(Node::Regex(pattern.into()))
    }
}

fn single(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.next().is_none())
}
