//! Which texts does an expression describe, and what is left after a byte? Interned expressions and their derivatives.

use std::collections::HashMap;
use std::rc::Rc;

use super::entries::{Entries, EntriesLeft};

/// An expression of a [`Language`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExprId(usize);

/// A rule of a [`Language`]: an expression with a name, for recursion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleId(usize);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Node {
    Never,
    Empty,
    /// One byte of a range.
    Range(u8, u8),
    Sequence(ExprId, ExprId),
    Choice(Vec<ExprId>),
    Repeat(ExprId, u32, Option<u32>),
    Rule(RuleId),
    /// A special token.
    Special(u32),
    /// Text without any of these, behind the last part of what was read: whole characters, and perhaps one that is begun.
    Free(Vec<Vec<u8>>, Vec<u8>),
    /// The entries of an object and its closing brace.
    Entries(EntriesLeft),
    /// Another key's spelling: what is left of it, what was read, and its class; then a colon, its value and the entries
    /// behind it.
    OtherKey(ExprId, Vec<u8>, usize, EntriesLeft),
}

/// What a derivative is taken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Symbol {
    Byte(u8),
    Special(u32),
}

/// Expressions over bytes, each held once, with rules that may be recursive but not left recursive.
#[derive(Clone, Debug, Default)]
pub struct Language {
    nodes: Vec<Node>,
    ids: HashMap<Node, ExprId>,
    rules: Vec<Option<ExprId>>,
    entries: Vec<Rc<Entries>>,
    /// Whether each rule derives any text; filled by `finish`.
    productive_rules: Vec<bool>,
    productive: HashMap<ExprId, bool>,
    nullable: HashMap<ExprId, bool>,
    derivatives: HashMap<(ExprId, Symbol), ExprId>,
}

impl Language {
    fn intern(&mut self, node: Node) -> ExprId {
        if let Some(&id) = self.ids.get(&node) {
            return id;
        }
        let id = ExprId(self.nodes.len());
        self.nodes.push(node.clone());
        self.ids.insert(node, id);
        id
    }

    fn node(&self, id: ExprId) -> &Node {
        &self.nodes[id.0]
    }

    /// No text.
    pub fn never(&mut self) -> ExprId {
        self.intern(Node::Never)
    }

    /// The empty text.
    pub fn empty(&mut self) -> ExprId {
        self.intern(Node::Empty)
    }

    /// One byte from `first` to `last`.
    pub fn range(&mut self, first: u8, last: u8) -> ExprId {
        self.intern(Node::Range(first, last))
    }

    /// Special token number `token`.
    pub fn special(&mut self, token: u32) -> ExprId {
        self.intern(Node::Special(token))
    }

    /// Text that holds none of these, which are not empty.
    pub fn free(&mut self, without: &[&str]) -> ExprId {
        let without = without.iter().map(|it| it.as_bytes().to_vec()).collect();
        self.intern(Node::Free(without, Vec::new()))
    }

    /// These bytes.
    pub fn literal(&mut self, bytes: impl AsRef<[u8]>) -> ExprId {
        let parts: Vec<ExprId> = bytes.as_ref().iter().map(|&byte| self.range(byte, byte)).collect();
        self.sequence(parts)
    }

    /// One after the other.
    pub fn sequence(&mut self, parts: impl IntoIterator<Item = ExprId, IntoIter: DoubleEndedIterator>) -> ExprId {
        let empty = self.empty();
        parts.into_iter().rev().fold(empty, |tail, head| self.pair(head, tail))
    }

    fn pair(&mut self, head: ExprId, tail: ExprId) -> ExprId {
        match (self.node(head).clone(), self.node(tail)) {
            (Node::Never, _) | (_, Node::Never) => self.never(),
            (Node::Empty, _) => tail,
            (_, Node::Empty) => head,
            (Node::Sequence(first, second), _) => {
                let tail = self.pair(second, tail);
                self.pair(first, tail)
            }
            _ => self.intern(Node::Sequence(head, tail)),
        }
    }

    /// Any of them.
    pub fn choice(&mut self, parts: impl IntoIterator<Item = ExprId>) -> ExprId {
        let mut flat = Vec::new();
        for part in parts {
            match self.node(part) {
                Node::Never => {}
                Node::Choice(inner) => flat.extend_from_slice(inner),
                _ => flat.push(part),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        match flat.as_slice() {
            [] => self.never(),
            [one] => *one,
            _ => self.intern(Node::Choice(flat)),
        }
    }

    /// The expression or nothing.
    pub fn optional(&mut self, item: ExprId) -> ExprId {
        let empty = self.empty();
        self.choice([empty, item])
    }

    /// The expression `min` to `max` times.
    pub fn repeat(&mut self, item: ExprId, min: u32, max: Option<u32>) -> ExprId {
        match (min, max) {
            (_, Some(max)) if max < min => self.never(),
            (_, Some(0)) => self.empty(),
            (1, Some(1)) => item,
            _ => self.intern(Node::Repeat(item, min, max)),
        }
    }

    /// The entries of an object and its closing brace.
    pub fn entries(&mut self, entries: Entries) -> ExprId {
        let start = entries.start(self.entries.len());
        self.entries.push(Rc::new(entries));
        self.entries_left(start)
    }

    pub(super) fn entries_of(&self, entries: usize) -> Rc<Entries> {
        Rc::clone(&self.entries[entries])
    }

    pub(super) fn entries_left(&mut self, left: EntriesLeft) -> ExprId {
        self.intern(Node::Entries(left))
    }

    pub(super) fn other_key(&mut self, key: ExprId, read: Vec<u8>, class: usize, after: EntriesLeft) -> ExprId {
        self.intern(Node::OtherKey(key, read, class, after))
    }

    /// A new rule, to be defined before `finish`.
    pub fn declare(&mut self) -> RuleId {
        self.rules.push(None);
        RuleId(self.rules.len() - 1)
    }

    /// Gives a rule its expression.
    pub fn define(&mut self, rule: RuleId, body: ExprId) {
        self.rules[rule.0] = Some(body);
    }

    /// What a rule derives.
    pub fn rule(&mut self, rule: RuleId) -> ExprId {
        self.intern(Node::Rule(rule))
    }

    fn body(&self, rule: RuleId) -> ExprId {
        self.rules[rule.0].expect("rules are defined before `finish`")
    }

    /// To be called when all rules are defined: finds out which of them derive any text.
    pub fn finish(&mut self) {
        self.productive_rules = vec![false; self.rules.len()];
        loop {
            self.productive.clear();
            let before = self.productive_rules.clone();
            for (index, was_productive) in before.iter().enumerate() {
                self.productive_rules[index] = *was_productive || self.is_productive(self.body(RuleId(index)));
            }
            if self.productive_rules == before {
                return;
            }
        }
    }

    /// Whether any text matches.
    pub fn is_productive(&mut self, id: ExprId) -> bool {
        if let Some(&known) = self.productive.get(&id) {
            return known;
        }
        let productive = match self.node(id).clone() {
            Node::Never => false,
            Node::Empty | Node::Range(..) | Node::Special(_) => true,
            Node::Sequence(head, tail) => self.is_productive(head) && self.is_productive(tail),
            Node::Choice(parts) => parts.into_iter().any(|part| self.is_productive(part)),
            Node::Repeat(item, min, _) => min == 0 || self.is_productive(item),
            Node::Rule(rule) => self.productive_rules[rule.0],
            Node::Entries(left) => self.entries_are_productive(&left),
            Node::OtherKey(key, _, class, after) => self.is_productive(key) && self.value_is_productive(class, &after),
            // A character that is begun has to be completed.
            Node::Free(_, read) => {
                std::str::from_utf8(&read).is_ok()
                    || (0..=u8::MAX).any(|byte| {
                        let rest = self.derivative(id, Symbol::Byte(byte));
                        self.is_productive(rest)
                    })
            }
        };
        self.productive.insert(id, productive);
        productive
    }

    /// Whether the empty text matches.
    pub fn is_nullable(&mut self, id: ExprId) -> bool {
        if let Some(&known) = self.nullable.get(&id) {
            return known;
        }
        let nullable = match self.node(id).clone() {
            Node::Never | Node::Range(..) | Node::Special(_) | Node::Entries(_) | Node::OtherKey(..) => false,
            Node::Empty => true,
            Node::Sequence(head, tail) => self.is_nullable(head) && self.is_nullable(tail),
            Node::Choice(parts) => parts.into_iter().any(|part| self.is_nullable(part)),
            Node::Repeat(item, min, _) => min == 0 || self.is_nullable(item),
            Node::Rule(rule) => self.is_nullable(self.body(rule)),
            Node::Free(_, read) => std::str::from_utf8(&read).is_ok(),
        };
        self.nullable.insert(id, nullable);
        nullable
    }

    /// What is left after `bytes`; `None` where no text can be completed.
    pub fn advance(&mut self, id: ExprId, bytes: &[u8]) -> Option<ExprId> {
        bytes.iter().try_fold(id, |rest, &byte| self.advance_symbol(rest, Symbol::Byte(byte)))
    }

    /// What is left after a special token; `None` where no text can be completed.
    pub fn advance_special(&mut self, id: ExprId, token: u32) -> Option<ExprId> {
        self.advance_symbol(id, Symbol::Special(token))
    }

    fn advance_symbol(&mut self, id: ExprId, symbol: Symbol) -> Option<ExprId> {
        let rest = self.derivative(id, symbol);
        self.is_productive(rest).then_some(rest)
    }

    fn derivative(&mut self, id: ExprId, symbol: Symbol) -> ExprId {
        if let Some(&known) = self.derivatives.get(&(id, symbol)) {
            return known;
        }
        let derivative = match self.node(id).clone() {
            Node::Never | Node::Empty => self.never(),
            Node::Range(first, last) => match symbol {
                Symbol::Byte(byte) if (first..=last).contains(&byte) => self.empty(),
                _ => self.never(),
            },
            Node::Special(token) if symbol == Symbol::Special(token) => self.empty(),
            Node::Special(_) => self.never(),
            Node::Free(without, read) => match symbol {
                Symbol::Byte(byte) => self.derivative_of_free(without, read, byte),
                Symbol::Special(_) => self.never(),
            },
            Node::Entries(left) => {
                let unfolded = self.unfold(&left);
                self.derivative(unfolded, symbol)
            }
            Node::OtherKey(key, mut read, class, after) => match symbol {
                Symbol::Byte(byte) => {
                    read.push(byte);
                    let key = self.derivative(key, symbol);
                    self.after_byte_of_key(key, read, class, after)
                }
                Symbol::Special(_) => self.never(),
            },
            Node::Sequence(head, tail) => self.derivative_of_pair(head, tail, symbol),
            Node::Choice(parts) => {
                let parts: Vec<ExprId> = parts.into_iter().map(|part| self.derivative(part, symbol)).collect();
                self.choice(parts)
            }
            Node::Repeat(item, min, max) => {
                let head = self.derivative(item, symbol);
                let tail = self.repeat(item, min.saturating_sub(1), max.map(|max| max - 1));
                self.pair(head, tail)
            }
            Node::Rule(rule) => self.derivative(self.body(rule), symbol),
        };
        self.derivatives.insert((id, symbol), derivative);
        derivative
    }

    fn derivative_of_free(&mut self, without: Vec<Vec<u8>>, mut read: Vec<u8>, byte: u8) -> ExprId {
        read.push(byte);
        let is_text = std::str::from_utf8(&read).map_or_else(|error| error.error_len().is_none(), |_| true);
        if !is_text || without.iter().any(|it| read.ends_with(it)) {
            return self.never();
        }
        // What is further back than the longest of them makes no difference. The first byte begins a character.
        let longest = without.iter().map(Vec::len).max().unwrap_or(0);
        while let Some(first) = read.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
            if read.len() < longest + first.len_utf8() {
                break;
            }
            read.drain(..first.len_utf8());
        }
        self.intern(Node::Free(without, read))
    }

    fn derivative_of_pair(&mut self, head: ExprId, tail: ExprId, symbol: Symbol) -> ExprId {
        let inside = self.derivative(head, symbol);
        let inside = self.pair(inside, tail);
        if !self.is_nullable(head) {
            return inside;
        }
        let after = self.derivative(tail, symbol);
        self.choice([inside, after])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_counts() {
        let mut language = Language::default();
        let letter = language.range(b'a', b'c');
        let word = language.repeat(letter, 2, Some(3));
        language.finish();
        for (text, accepted) in [("a", false), ("ab", true), ("cab", true)] {
            let rest = language.advance(word, text.as_bytes()).unwrap();
            assert_eq!(language.is_nullable(rest), accepted, "{text}");
        }
        assert!(language.advance(word, b"abca").is_none());
        assert!(language.advance(word, b"d").is_none());
    }

    #[test]
    fn free_text_ends_where_what_it_is_without_would() {
        let mut language = Language::default();
        let free = language.free(&["ab", "\u{e9}"]);
        let (close, special) = (language.literal("ab"), language.special(1));
        let whole = language.sequence([free, close, special]);
        language.finish();
        for text in ["aab", "b\u{e8}aab", "\u{e8}"] {
            assert!(language.advance(whole, text.as_bytes()).is_some(), "{text}");
        }
        for text in [b"abx".as_slice(), "\u{e9}".as_bytes(), b"\xC3\xC3", b"\xff"] {
            assert!(language.advance(whole, text).is_none(), "{text:x?}");
        }
        let behind = language.advance(whole, b"aab").unwrap();
        assert!(language.advance_special(behind, 2).is_none() && language.advance_special(whole, 1).is_none());
        let end = language.advance_special(behind, 1).unwrap();
        assert!(language.is_nullable(end));
    }

    #[test]
    fn rules_nest_and_empty_branches_are_dead_ends() {
        let mut language = Language::default();
        let list = language.declare();
        let endless = language.declare();
        let (inner, again) = (language.rule(list), language.rule(endless));
        let (open, close, x) = (language.literal("["), language.literal("]"), language.literal("x"));
        let items = language.repeat(inner, 0, None);
        let body = language.sequence([open, items, close]);
        let dead = language.sequence([x, again]);
        language.define(endless, dead);
        let body = language.choice([body, again]);
        language.define(list, body);
        language.finish();
        assert!(language.advance(inner, b"[[][").is_some());
        assert!(language.advance(inner, b"x").is_none(), "an endless rule has no text");
        assert!(language.advance(inner, b"[]]").is_none());
    }
}
