//! Which texts does an expression describe, and what is left after a byte? Interned expressions and their derivatives.

use std::collections::HashMap;

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
}

/// Expressions over bytes, each held once, with rules that may be recursive but not left recursive.
#[derive(Clone, Debug, Default)]
pub struct Language {
    nodes: Vec<Node>,
    ids: HashMap<Node, ExprId>,
    rules: Vec<Option<ExprId>>,
    /// Whether each rule derives any text; filled by `finish`.
    productive_rules: Vec<bool>,
    productive: HashMap<ExprId, bool>,
    nullable: HashMap<ExprId, bool>,
    derivatives: HashMap<(ExprId, u8), ExprId>,
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
            Node::Empty | Node::Range(..) => true,
            Node::Sequence(head, tail) => self.is_productive(head) && self.is_productive(tail),
            Node::Choice(parts) => parts.into_iter().any(|part| self.is_productive(part)),
            Node::Repeat(item, min, _) => min == 0 || self.is_productive(item),
            Node::Rule(rule) => self.productive_rules[rule.0],
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
            Node::Never | Node::Range(..) => false,
            Node::Empty => true,
            Node::Sequence(head, tail) => self.is_nullable(head) && self.is_nullable(tail),
            Node::Choice(parts) => parts.into_iter().any(|part| self.is_nullable(part)),
            Node::Repeat(item, min, _) => min == 0 || self.is_nullable(item),
            Node::Rule(rule) => self.is_nullable(self.body(rule)),
        };
        self.nullable.insert(id, nullable);
        nullable
    }

    /// What is left after `bytes`; `None` where no text can be completed.
    pub fn advance(&mut self, id: ExprId, bytes: &[u8]) -> Option<ExprId> {
        let mut rest = id;
        for &byte in bytes {
            rest = self.derivative(rest, byte);
            if !self.is_productive(rest) {
                return None;
            }
        }
        Some(rest)
    }

    fn derivative(&mut self, id: ExprId, byte: u8) -> ExprId {
        if let Some(&known) = self.derivatives.get(&(id, byte)) {
            return known;
        }
        let derivative = match self.node(id).clone() {
            Node::Never | Node::Empty => self.never(),
            Node::Range(first, last) if (first..=last).contains(&byte) => self.empty(),
            Node::Range(..) => self.never(),
            Node::Sequence(head, tail) => self.derivative_of_pair(head, tail, byte),
            Node::Choice(parts) => {
                let parts: Vec<ExprId> = parts.into_iter().map(|part| self.derivative(part, byte)).collect();
                self.choice(parts)
            }
            Node::Repeat(item, min, max) => {
                let head = self.derivative(item, byte);
                let tail = self.repeat(item, min.saturating_sub(1), max.map(|max| max - 1));
                self.pair(head, tail)
            }
            Node::Rule(rule) => self.derivative(self.body(rule), byte),
        };
        self.derivatives.insert((id, byte), derivative);
        derivative
    }

    fn derivative_of_pair(&mut self, head: ExprId, tail: ExprId, byte: u8) -> ExprId {
        let inside = self.derivative(head, byte);
        let inside = self.pair(inside, tail);
        if !self.is_nullable(head) {
            return inside;
        }
        let after = self.derivative(tail, byte);
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
