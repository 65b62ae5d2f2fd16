//! How is a grammar made in code? Expressions over terminals and nonterminals, and the builder that takes them.

use std::sync::Arc;

use super::include::Part;
use super::lower::lower;
use super::productions::Productions;
use super::rules::{check_list, check_record};
use crate::automata::{Automaton, Terminal};
use crate::error::{GrammarError, LimitError};
use crate::hash::{HashMap, Seeded};
use crate::ids::{NonterminalId, TerminalId};
use crate::limits::Limits;

/// The body of a nonterminal.
///
/// Bodies may be ambiguous and recursive, but not left recursive: a nonterminal must not be reachable from its own
/// first position.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// The empty text.
    Empty,
    /// No text at all.
    Never,
    /// One lexeme of a terminal.
    Terminal(TerminalId),
    /// Whatever another nonterminal derives.
    Nonterminal(NonterminalId),
    /// One after the other.
    Sequence(Vec<Expr>),
    /// Any one of them.
    Choice(Vec<Expr>),
    /// The expression `min` to `max` times, with the separator between two of them.
    Repeat {
        /// What is repeated; must not derive the empty text.
        item: Box<Expr>,
        /// What stands between two items.
        separator: Option<TerminalId>,
        /// Least number of items.
        min: u32,
        /// Greatest number of items.
        max: Option<u32>,
    },
    /// A bracketed list whose first elements have bodies of their own.
    List(List),
    /// Keyed values in a fixed order, optional ones left out at will.
    Record(Record),
}

/// One way to read a value: its body, and what it adds to the list or record around it.
///
/// Cases of one place are alternatives, and a text may fit several of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    /// The value's body.
    pub value: NonterminalId,
    /// Which goals of the record it meets, or which counters of the list it adds one to: a bit set by index.
    pub meets: u32,
}

impl Case {
    /// A value that adds nothing.
    pub fn plain(value: NonterminalId) -> Case {
        Case { value, meets: 0 }
    }
}

/// How many elements of a [`List`] must and may be read by a case that has the counter's bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Counter {
    /// Least number of them.
    pub min: u32,
    /// Greatest number of them.
    pub max: Option<u32>,
}

/// A bracketed list: `open (element (separator element)*)? close`.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// The opening bracket.
    pub open: TerminalId,
    /// The closing bracket.
    pub close: TerminalId,
    /// Between two elements.
    pub separator: TerminalId,
    /// Cases of the first elements, by position. A position without any is never reached.
    pub prefix: Vec<Vec<Case>>,
    /// Cases of every further element; none allows no further element.
    pub rest: Vec<Case>,
    /// What is counted, at most [`List::MAX_COUNTERS`]; a case's bit is the index.
    pub counters: Vec<Counter>,
    /// Least number of elements.
    pub min: u32,
    /// Greatest number of elements.
    pub max: Option<u32>,
    /// Whether no two elements may be equal. Elements are JSON then, and equal as JSON values are: `1` and `1.0`, objects
    /// whatever the order of their keys, strings however they are escaped.
    pub unique: bool,
}

impl List {
    /// Most counters of one list.
    pub const MAX_COUNTERS: usize = 8;
}

/// Keyed values: `open (key assign value (separator key assign value)*)? close`.
///
/// Each property comes at most once, in the order that [`GrammarBuilder::set_key_order`] sets but for the unordered ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The opening bracket.
    pub open: TerminalId,
    /// The closing bracket.
    pub close: TerminalId,
    /// Between two entries.
    pub separator: TerminalId,
    /// Between key and value.
    pub assign: TerminalId,
    /// The keys that have a name, in the order in which they are written.
    pub properties: Vec<Property>,
    /// How many of the properties, the last ones, come in any order whatever the order of keys: behind all that come before
    /// them, among the other keys.
    pub n_unordered: u32,
    /// Keys known by a language only. No lexeme of these terminals may be one of the named keys.
    pub others: Vec<OtherKeys>,
    /// How many goals there are, at most [`Record::MAX_GOALS`]: each must be met by the case of some entry.
    pub n_goals: u32,
    /// All of these must hold when the record is closed.
    pub presence: Vec<PresenceClause>,
    /// Least number of entries.
    pub min: u32,
    /// Greatest number of entries.
    pub max: Option<u32>,
}

impl Record {
    /// Most goals of one record.
    pub const MAX_GOALS: u32 = 16;
}

/// Keys of which one must be there, or one must not: any of these suffices.
///
/// Each is the index of a property and whether its key must be there (`true`) or must not (`false`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceClause(pub Vec<(u32, bool)>);

/// One named key of a [`Record`].
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The key as it is written, quotes included. All keys of a record differ.
    pub key: Vec<u8>,
    /// The ways to read its value. A key without any never comes.
    pub cases: Vec<Case>,
    /// Whether it must be there.
    pub required: bool,
}

/// A class of keys of a [`Record`] that have no fixed name.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherKeys {
    /// The key as it is written, quotes included.
    pub key: TerminalId,
    /// The ways to read its value. A class without any never comes.
    pub cases: Vec<Case>,
    /// How many keys the class has, where they are few enough that all of them may be written; `None` for more, and for a
    /// class without end. No key comes twice in a record. Cases of a class with few keys meet no goals: its keys can be
    /// properties.
    pub n_words: Option<u32>,
}

/// Whitespace that may stand between two lexemes: space, tab, line feed and carriage return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whitespace {
    /// Greatest number of whitespace bytes in a row; `None` is unbounded.
    pub max: Option<u32>,
    /// Whether it may also stand before the first lexeme and after the last.
    pub surrounding: bool,
}

impl Whitespace {
    /// Whether a byte is whitespace to JSON.
    pub(crate) const fn contains(byte: u8) -> bool {
        crate::vocabulary::is_whitespace(byte)
    }
}

/// In which order the properties of records come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyOrder {
    /// As the record lists them, other keys behind them.
    #[default]
    Listed,
    /// Any order, other keys anywhere.
    Any,
}

/// Collects terminals and nonterminals; see [`crate::Grammar::from_builder`].
#[derive(Clone, Debug, Default)]
pub struct GrammarBuilder {
    pub(super) terminals: Vec<Terminal>,
    terminal_ids: HashMap<Terminal, TerminalId>,
    pub(super) bodies: Vec<Option<Expr>>,
    pub(super) names: Vec<String>,
    pub(super) whitespace: Option<Whitespace>,
    pub(super) key_order: KeyOrder,
    /// Grammars taken in, see [`GrammarBuilder::include`].
    pub(super) parts: Vec<Part>,
    /// By nonterminal: 0 for its own, else the number of the part it came with.
    pub(super) part_of: Vec<usize>,
}

impl GrammarBuilder {
    /// An empty grammar without whitespace between lexemes.
    pub fn new() -> GrammarBuilder {
        GrammarBuilder {
            terminals: Vec::with_capacity(16),
            terminal_ids: HashMap::with_capacity_and_hasher(14, Seeded),
            bodies: Vec::with_capacity(8),
            names: Vec::with_capacity(8),
            part_of: Vec::with_capacity(8),
            ..GrammarBuilder::default()
        }
    }

    /// Allows whitespace between lexemes.
    pub fn set_whitespace(&mut self, whitespace: Option<Whitespace>) -> &mut GrammarBuilder {
        self.whitespace = whitespace;
        self
    }

    /// Sets the order in which the properties of all records come.
    pub fn set_key_order(&mut self, order: KeyOrder) -> &mut GrammarBuilder {
        self.key_order = order;
        self
    }

    /// The id of `terminal`; equal terminals have equal ids.
    pub fn terminal(&mut self, terminal: Terminal) -> TerminalId {
        if let Some(id) = self.terminal_ids.get(&terminal) {
            return *id;
        }
        let id = TerminalId::from_index(self.terminals.len()).expect("fewer than 2^32 terminals fit in memory");
        self.terminals.push(terminal.clone());
        self.terminal_ids.insert(terminal, id);
        id
    }

    /// A new nonterminal, to be defined later; the name is for messages only and need not be unique.
    pub fn declare(&mut self, name: impl Into<String>) -> NonterminalId {
        let id = NonterminalId::from_index(self.bodies.len()).expect("fewer than 2^32 nonterminals fit in memory");
        self.bodies.push(None);
        self.part_of.push(0);
        self.names.push(name.into());
        id
    }

    /// Gives `nonterminal` its body.
    ///
    /// # Errors
    /// When it has one already.
    pub fn define(&mut self, nonterminal: NonterminalId, body: Expr) -> Result<(), GrammarError> {
        let slot = &mut self.bodies[nonterminal.index()];
        if slot.is_some() {
            return Err(GrammarError::Redefined(self.names[nonterminal.index()].clone()));
        }
        *slot = Some(body);
        Ok(())
    }

    /// Declares and defines in one go.
    pub fn nonterminal(&mut self, name: impl Into<String>, body: Expr) -> NonterminalId {
        let id = self.declare(name);
        self.bodies[id.index()] = Some(body);
        id
    }

    /// The body of a nonterminal.
    #[cfg(test)]
    pub(crate) fn body(&self, nonterminal: NonterminalId) -> Option<&Expr> {
        self.bodies[nonterminal.index()].as_ref()
    }

    /// How many nonterminals there are; what a caller's own limits count.
    pub fn n_nonterminals(&self) -> usize {
        self.bodies.len()
    }

    /// The terminals, by id.
    pub(crate) fn terminals(&self) -> &[Terminal] {
        &self.terminals
    }

    /// Checks, prunes and lowers the grammar; `automata` are those of the terminals, by id.
    pub(crate) fn build(
        self,
        start: NonterminalId,
        automata: &[Arc<Automaton>],
        limits: &Limits,
    ) -> Result<Productions, GrammarError> {
        let mut nodes = 0usize;
        for (body, name) in self.bodies.iter().zip(&self.names) {
            let body = body.as_ref().ok_or_else(|| GrammarError::Undefined(name.clone()))?;
            check(body)?;
            nodes += size(body);
            if nodes > limits.max_grammar_nodes {
                return Err(LimitError { setting: "max_grammar_nodes", limit: limits.max_grammar_nodes }.into());
            }
        }
        lower(&self, start, automata, limits)
    }
}

/// Expression nodes, nested ones included.
fn size(expr: &Expr) -> usize {
    match expr {
        Expr::Sequence(parts) | Expr::Choice(parts) => 1 + parts.iter().map(size).sum::<usize>(),
        Expr::Repeat { item, .. } => 1 + size(item),
        Expr::List(list) => 1 + list.prefix.iter().map(Vec::len).sum::<usize>() + list.rest.len(),
        Expr::Record(record) => {
            let named = record.properties.iter().map(|property| property.cases.len());
            let others = record.others.iter().map(|other| other.cases.len());
            let clauses = record.presence.iter().map(|clause| clause.0.len());
            1 + named.chain(others).chain(clauses).sum::<usize>()
        }
        _ => 1,
    }
}

/// Refuses lists and records that no rules can be made of.
fn check(expr: &Expr) -> Result<(), GrammarError> {
    match expr {
        Expr::Sequence(parts) | Expr::Choice(parts) => parts.iter().try_for_each(check),
        Expr::Repeat { item, .. } => check(item),
        Expr::List(list) => check_list(list),
        Expr::Record(record) => check_record(record),
        _ => Ok(()),
    }
}
