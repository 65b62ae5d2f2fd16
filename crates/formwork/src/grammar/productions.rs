//! What can come next at a place in a grammar? The lowered, immutable grammar.
//!
//! Bodies are automata: a [`Place`] is a node and a register, and [`Productions::successors`] tells which symbols can come
//! there and which place each leads to. Records and lists are nodes of their own kind whose register counts, so that a
//! record of 5,000 properties or a bound of a million elements costs a handful of nodes.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use smallvec::SmallVec;

use super::builder::Case;
use super::list_rules::ListRules;
use super::record_rules::RecordRules;
use super::seen::{SeenId, SeenSets};
use super::spacing::Spacing;
use super::steps::Steps;
use super::tally::Tally;
use super::view::Alike;
use crate::automata::{KeyFilter, Keys};
use crate::error::LimitError;
use crate::ids::{NonterminalId, TerminalId};

/// Index of a node.
pub(crate) type NodeId = u32;

/// The ways to read a value; nearly always one.
pub(crate) type Cases = SmallVec<[Case; 1]>;

/// What a place remembers of its loop, list or record: the position in written order, the number of entries, and more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Register {
    /// In a record, the first property that may still come; with keys in any order, the one that was read last.
    pub(crate) position: u32,
    /// In a record, keys that were read: all of them where they come in any order, else those that a clause speaks of.
    pub(crate) seen: SeenId,
    /// In a list its counters, in a record the goals that were met.
    pub(crate) tally: Tally,
    /// Entries so far; saturates where more make no difference.
    pub(crate) count: u32,
}

/// A place inside a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) node: NodeId,
    pub(crate) register: Register,
}

/// A grammar symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Symbol {
    Terminal(TerminalId),
    Nonterminal(NonterminalId),
}

/// One way on from a plain node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Edge {
    pub(crate) symbol: Symbol,
    pub(crate) target: Place,
}

/// A node of a body.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Edges that do not depend on the register; whether the body may end here.
    Plain { edges: Box<[Edge]>, end: bool },
    /// A repeated item is to come.
    LoopItem(u32),
    /// An item of a loop has been read.
    LoopAfter(u32),
    /// Behind a list's opening bracket.
    ListFirst(u32),
    /// Behind a list's separator.
    ListItem(u32),
    /// Behind an element of a list.
    ListAfter(u32),
    /// Behind a record's opening bracket.
    RecordFirst(u32),
    /// Behind a record's separator: a key must come.
    RecordKey(u32),
    /// Behind the key at the register's position.
    RecordAssign(u32),
    /// Before the value of the key at the register's position.
    RecordValue(u32),
    /// Behind a key of the given class of other keys.
    OtherAssign(u32, u32),
    /// Before the value of such a key.
    OtherValue(u32, u32),
    /// Behind a value of a record.
    RecordAfter(u32),
}

/// A way on from a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Symbol(Symbol, Place),
    /// A named key of a record that the filter admits; leads to [`Node::RecordAssign`] with the key's index as position.
    Key {
        record: u32,
        register: Register,
        filter: KeyFilter,
    },
}

/// A lowered loop.
#[derive(Clone, Debug)]
pub(crate) struct LoopBody {
    pub(crate) item: NonterminalId,
    pub(crate) separator: Option<TerminalId>,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    pub(crate) item_node: NodeId,
    pub(crate) after: NodeId,
    /// Where the body goes on; the loop may be left when there are enough items.
    pub(crate) exit: NodeId,
}

/// A lowered list.
#[derive(Clone, Debug)]
pub(crate) struct ListBody {
    pub(crate) close: TerminalId,
    pub(crate) separator: TerminalId,
    pub(crate) prefix: Box<[Cases]>,
    /// None where the prefix is all there can be.
    pub(crate) rest: Cases,
    /// Where it has counters.
    pub(super) rules: Option<Box<ListRules>>,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    /// Whether its elements must differ.
    pub(crate) unique: bool,
    pub(crate) item: NodeId,
    pub(crate) after: NodeId,
    pub(crate) exit: NodeId,
}

/// A lowered record.
#[derive(Debug)]
pub(crate) struct RecordBody {
    pub(crate) close: TerminalId,
    pub(crate) separator: TerminalId,
    pub(crate) assign: TerminalId,
    pub(crate) keys: Keys,
    /// How many properties come in the order in which they are listed; the others come behind them, in any order.
    pub(crate) n_listed: u32,
    /// The required properties.
    pub(crate) required: FixedBitSet,
    pub(crate) values: Box<[Cases]>,
    /// Where it has goals or clauses.
    pub(super) rules: Option<Box<RecordRules>>,
    /// Whether each value has one case.
    pub(super) single: bool,
    /// By position: the first required listed property at or behind it, or the number of properties.
    pub(crate) next_required: Box<[u32]>,
    /// By position: how many required listed properties are at or behind it.
    pub(crate) n_required: Box<[u32]>,
    pub(crate) others: Box<[(TerminalId, Cases)]>,
    /// How many keys without a name there are, where they are few.
    pub(crate) n_words: Option<u32>,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    pub(crate) key_node: NodeId,
    pub(crate) assign_node: NodeId,
    pub(crate) value_node: NodeId,
    pub(crate) after: NodeId,
    /// First of the nodes for other keys, two for each class.
    pub(crate) first_other: NodeId,
    pub(crate) exit: NodeId,
}

/// A lowered grammar.
#[derive(Debug)]
pub(crate) struct Productions {
    pub(crate) nodes: Vec<Node>,
    pub(crate) loops: Vec<LoopBody>,
    pub(crate) lists: Vec<ListBody>,
    pub(crate) records: Vec<Arc<RecordBody>>,
    /// By nonterminal: the first node of its body.
    pub(crate) starts: Vec<NodeId>,
    /// By nonterminal: larger than that of every nonterminal that can begin with it.
    pub(crate) ranks: Vec<u32>,
    pub(crate) start: NonterminalId,
    /// Whether the empty text is in the language.
    pub(crate) accepts_empty: bool,
    pub(crate) spacing: Spacing,
    /// Whether keys or elements may be written twice, if nobody looks.
    pub(crate) remembers: bool,
    pub(crate) alike: Alike,
    /// See [`Limits::max_completion_steps`](crate::Limits::max_completion_steps).
    pub(super) max_steps: usize,
}

impl Productions {
    /// Bytes held, about.
    pub(crate) fn n_bytes(&self) -> usize {
        let edges: usize = self
            .nodes
            .iter()
            .map(|node| match node {
                Node::Plain { edges, .. } => size_of_val(&**edges),
                _ => 0,
            })
            .sum();
        let records: usize = self
            .records
            .iter()
            .map(|record| {
                let rules = record.rules.as_ref().map_or(0, |rules| rules.n_bytes());
                let values = size_of_val(&*record.values) + 8 * record.values.len();
                record.keys.n_bytes() + values + rules + size_of::<RecordBody>()
            })
            .sum();
        let lists = self.lists.len() * size_of::<ListBody>() + self.loops.len() * size_of::<LoopBody>();
        size_of_val(&*self.nodes) + edges + records + lists + 8 * self.starts.len()
    }

    /// The place at the start of a nonterminal's body.
    pub(crate) fn start_of(&self, nonterminal: NonterminalId) -> Place {
        Place { node: self.starts[nonterminal.index()], register: Register::default() }
    }

    /// Whether the body may end at `place`.
    pub(crate) fn is_end(&self, place: Place) -> bool {
        let mut node = place.node;
        loop {
            match &self.nodes[node as usize] {
                Node::Plain { end, .. } => return *end,
                // A loop that may be left goes on as the node behind it.
                Node::LoopAfter(id) if place.register.count >= self.loops[*id as usize].min => {
                    node = self.loops[*id as usize].exit;
                }
                _ => return false,
            }
        }
    }

    /// Whether there is any way on from `place`: only a body's last node may have none, for no place is a dead end.
    pub(crate) fn has_way_on(&self, place: Place) -> bool {
        let mut node = place.node;
        loop {
            match &self.nodes[node as usize] {
                Node::Plain { edges, .. } => return !edges.is_empty(),
                Node::LoopAfter(id) => {
                    let body = &self.loops[*id as usize];
                    if body.max.is_none_or(|max| place.register.count < max) {
                        return true;
                    }
                    node = body.exit;
                }
                _ => return true,
            }
        }
    }

    /// Calls `visit` for each way on from `place`.
    ///
    /// # Errors
    /// When it takes too long to find out how a list or record can be completed.
    pub(crate) fn successors(
        &self,
        place: Place,
        seen: &SeenSets,
        visit: &mut impl FnMut(Next),
    ) -> Result<(), LimitError> {
        let register = place.register;
        let mut steps = Steps::new(self.max_steps);
        let steps = &mut steps;
        let at = |node, register| Place { node, register };
        match &self.nodes[place.node as usize] {
            Node::Plain { edges, .. } => {
                for edge in edges {
                    visit(Next::Symbol(edge.symbol, edge.target));
                }
            }
            Node::LoopItem(id) => {
                let body = &self.loops[*id as usize];
                let count = (register.count + 1).min(body.max.unwrap_or(body.min.max(1)));
                let register = Register { count, ..register };
                visit(Next::Symbol(Symbol::Nonterminal(body.item), at(body.after, register)));
            }
            Node::LoopAfter(id) => {
                let body = &self.loops[*id as usize];
                if body.max.is_none_or(|max| register.count < max) {
                    match body.separator {
                        Some(separator) => {
                            visit(Next::Symbol(Symbol::Terminal(separator), at(body.item_node, register)));
                        }
                        None => self.successors(at(body.item_node, register), seen, visit)?,
                    }
                }
                if register.count >= body.min {
                    self.successors(at(body.exit, Register::default()), seen, visit)?;
                }
            }
            Node::ListFirst(id) => {
                let body = &self.lists[*id as usize];
                if body.can_close(register) {
                    visit(Next::Symbol(Symbol::Terminal(body.close), at(body.exit, Register::default())));
                }
                self.visit_elements(body, register, steps, visit)?;
            }
            Node::ListItem(id) => self.visit_elements(&self.lists[*id as usize], register, steps, visit)?,
            Node::ListAfter(id) => {
                let body = &self.lists[*id as usize];
                let can_close = body.can_close(register);
                if can_close {
                    visit(Next::Symbol(Symbol::Terminal(body.close), at(body.exit, Register::default())));
                }
                // No place is a dead end.
                if !can_close || body.can_have_more(register, steps)? {
                    visit(Next::Symbol(Symbol::Terminal(body.separator), at(body.item, register)));
                }
            }
            Node::RecordFirst(id) => {
                let body = &self.records[*id as usize];
                if body.can_close(register, seen) {
                    visit(Next::Symbol(Symbol::Terminal(body.close), at(body.exit, Register::default())));
                }
                self.visit_keys(*id, register, seen, steps, visit)?;
            }
            Node::RecordKey(id) => self.visit_keys(*id, register, seen, steps, visit)?,
            Node::RecordAssign(id) => {
                let body = &self.records[*id as usize];
                visit(Next::Symbol(Symbol::Terminal(body.assign), at(body.value_node, register)));
            }
            Node::RecordValue(id) => {
                let body = &self.records[*id as usize];
                let position = body.n_listed.min(register.position + 1);
                for case in &body.values[register.position as usize] {
                    if let Some(register) = body.after_entry(Register { position, ..register }, *case, seen, steps)? {
                        visit(Next::Symbol(Symbol::Nonterminal(case.value), at(body.after, register)));
                    }
                }
            }
            Node::OtherAssign(id, class) => {
                let body = &self.records[*id as usize];
                visit(Next::Symbol(Symbol::Terminal(body.assign), at(body.first_other + 2 * class + 1, register)));
            }
            Node::OtherValue(id, class) => {
                let body = &self.records[*id as usize];
                let position = body.n_listed;
                for case in &body.others[*class as usize].1 {
                    if let Some(register) = body.after_entry(Register { position, ..register }, *case, seen, steps)? {
                        visit(Next::Symbol(Symbol::Nonterminal(case.value), at(body.after, register)));
                    }
                }
            }
            Node::RecordAfter(id) => {
                let body = &self.records[*id as usize];
                let can_close = body.can_close(register, seen);
                if can_close {
                    visit(Next::Symbol(Symbol::Terminal(body.close), at(body.exit, Register::default())));
                }
                // No place is a dead end.
                if !can_close || body.can_have_more(register, seen, steps)? {
                    visit(Next::Symbol(Symbol::Terminal(body.separator), at(body.key_node, register)));
                }
            }
        }
        Ok(())
    }

    fn visit_elements(
        &self,
        body: &ListBody,
        register: Register,
        steps: &mut Steps,
        visit: &mut impl FnMut(Next),
    ) -> Result<(), LimitError> {
        for case in body.cases(register.count) {
            if let Some(register) = body.after_element(register, *case, steps)? {
                visit(Next::Symbol(Symbol::Nonterminal(case.value), Place { node: body.after, register }));
            }
        }
        Ok(())
    }

    fn visit_keys(
        &self,
        record: u32,
        register: Register,
        seen: &SeenSets,
        steps: &mut Steps,
        visit: &mut impl FnMut(Next),
    ) -> Result<(), LimitError> {
        let body = &self.records[record as usize];
        if let Some(filter) = body.keys_to_come(register, seen, steps)? {
            visit(Next::Key { record, register, filter });
        }
        for (class, (key, _)) in body.others.iter().enumerate() {
            if body.class_can_come(class, register, seen, steps)? {
                let node = body.first_other + 2 * class as u32;
                visit(Next::Symbol(Symbol::Terminal(*key), Place { node, register }));
            }
        }
        Ok(())
    }
}
