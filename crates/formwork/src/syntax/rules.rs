//! What does a grammar's text say? Rules whose bodies are expressions over texts, regular expressions and other rules.

use std::sync::Arc;

use serde_json::Value;

use crate::error::GrammarError;
use crate::hash::HashMap;

/// Number of a rule.
pub(super) type RuleId = usize;

/// A body, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// No text at all.
    Never,
    /// This text.
    Literal(Arc<str>),
    /// What a regular expression (Rust `regex` syntax, without anchors) matches as a whole.
    Regex(Arc<str>),
    /// The control token of this name.
    Special(Arc<str>),
    /// An instance of a JSON Schema.
    Schema(Arc<Value>),
    Rule(RuleId),
    /// All, one after the other.
    Sequence(Vec<Node>),
    /// One of these.
    Choice(Vec<Node>),
    Repeat {
        item: Box<Node>,
        min: u32,
        max: Option<u32>,
    },
}

impl Node {
    pub(super) fn empty() -> Node {
        Node::Sequence(Vec::new())
    }

    /// A text, which may be empty.
    pub(super) fn literal(text: String) -> Node {
        if text.is_empty() { Node::empty() } else { Node::Literal(text.into()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Node::Sequence(parts) if parts.is_empty())
    }

    pub(super) fn repeat(item: Node, min: u32, max: Option<u32>) -> Node {
        Node::Repeat { item: Box::new(item), min, max }
    }

    pub(super) fn optional(item: Node) -> Node {
        Node::repeat(item, 0, Some(1))
    }

    /// One after the other, without needless nesting.
    pub(super) fn sequence(parts: impl IntoIterator<Item = Node>) -> Node {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Node::Never => return Node::Never,
                Node::Sequence(parts) => all.extend(parts),
                part => all.push(part),
            }
        }
        if all.len() == 1 { all.remove(0) } else { Node::Sequence(all) }
    }

    /// One of several, without needless nesting.
    pub(super) fn choice(parts: impl IntoIterator<Item = Node>) -> Node {
        let mut all = Vec::new();
        for part in parts {
            match part {
                Node::Never => {}
                Node::Choice(parts) => all.extend(parts),
                part => all.push(part),
            }
        }
        match all.len() {
            0 => Node::Never,
            1 => all.remove(0),
            _ => Node::Choice(all),
        }
    }

    /// Calls `visit` for every rule that the node names.
    pub(super) fn visit_rules(&self, visit: &mut impl FnMut(RuleId)) {
        match self {
            Node::Rule(rule) => visit(*rule),
            Node::Sequence(parts) | Node::Choice(parts) => parts.iter().for_each(|part| part.visit_rules(visit)),
            Node::Repeat { item, .. } => item.visit_rules(visit),
            _ => {}
        }
    }
}

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) body: Node,
    /// Whether it is one lexeme, with nothing to be ignored inside.
    pub(super) is_terminal: bool,
}

/// A grammar as it was read.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) start: RuleId,
    /// What may stand before, between and behind lexemes, any number of times.
    pub(super) ignored: Option<Node>,
}

/// The error of what stands `at` a byte of a text.
pub(super) fn fault(text: &str, at: usize, reason: impl Into<String>) -> GrammarError {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
    GrammarError::Syntax { line, column, reason: reason.into() }
}

/// The rules read so far, by name; a name may be used before its rule comes.
#[derive(Debug, Default)]
pub(super) struct RuleTable {
    ids: HashMap<String, RuleId>,
    /// Each with its name, the byte where it is used first, and its rule once that has come.
    entries: Vec<(String, usize, Option<Rule>)>,
}

impl RuleTable {
    pub(super) fn id(&mut self, name: &str, at: usize) -> RuleId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = self.entries.len();
        self.entries.push((name.to_owned(), at, None));
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// Adds a rule that stands `at` a byte of a text; an error where it is not the first of its name.
    pub(super) fn define(&mut self, text: &str, at: usize, rule: Rule) -> Result<(), GrammarError> {
        let id = self.id(&rule.name, at);
        let slot = &mut self.entries[id].2;
        if slot.is_some() {
            return Err(fault(text, at, format!("rule {} is defined twice", rule.name)));
        }
        *slot = Some(rule);
        Ok(())
    }

    /// The grammar that begins with the rule `start`.
    pub(super) fn finish(self, text: &str, start: &str, ignored: Option<Node>) -> Result<Rules, GrammarError> {
        let start = self.ids.get(start).copied().ok_or_else(|| GrammarError::Undefined(start.to_owned()))?;
        let defined = |(name, at, rule): (String, usize, Option<Rule>)| {
            rule.ok_or_else(|| fault(text, at, format!("rule {name} is never defined")))
        };
        let rules = self.entries.into_iter().map(defined).collect::<Result<_, _>>()?;
        Ok(Rules { rules, start, ignored })
    }
}
