//! What can come next at a place in a grammar? The lowered, immutable grammar.
//!
//! Bodies are automata: a [`Place`] is a node and a register, and [`Productions::successors`] tells which symbols can come
//! there and which place each leads to. Records and lists are nodes of their own kind whose register counts, so that a
//! record of 5,000 properties or a bound of a million elements costs a handful of nodes.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::builder::KeyOrder;
use super::seen::{SeenId, SeenSets};
use super::spacing::Spacing;
use super::view::Alike;
use crate::automata::{KeyFilter, Keys};
use crate::ids::{NonterminalId, TerminalId};

/// Index of a node.
pub(crate) type NodeId = u32;

/// What a place remembers of its loop or record: the position in written order and the number of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Register {
    /// In a record, the first property that may still come; with keys in any order, the one that was read last.
    pub(crate) position: u32,
    /// In a record with keys in any order, those that were read.
    pub(crate) seen: SeenId,
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
    /// A named key of a record that the filter admits; leads to [`Node::RecordAssign`] with the key's index as position
    /// and the same count.
    Key {
        record: u32,
        count: u32,
        seen: SeenId,
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
    pub(crate) prefix: Box<[NonterminalId]>,
    pub(crate) rest: Option<NonterminalId>,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
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
    pub(crate) order: KeyOrder,
    /// The required properties.
    pub(crate) required: FixedBitSet,
    pub(crate) values: Box<[NonterminalId]>,
    /// By position: the first required property at or behind it, or the number of properties.
    pub(crate) next_required: Box<[u32]>,
    /// By position: how many required properties are at or behind it.
    pub(crate) n_required: Box<[u32]>,
    pub(crate) others: Box<[(TerminalId, NonterminalId)]>,
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
    /// Whether keys without a name may be written twice, if nobody looks.
    pub(crate) remembers_keys: bool,
    pub(crate) alike: Alike,
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
                record.keys.n_bytes() + size_of_val(&*record.values) + 8 * record.values.len() + size_of::<RecordBody>()
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

    /// Calls `visit` for each way on from `place`.
    pub(crate) fn successors(&self, place: Place, seen: &SeenSets, visit: &mut impl FnMut(Next)) {
        let register = place.register;
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
                        None => self.successors(at(body.item_node, register), seen, visit),
                    }
                }
                if register.count >= body.min {
                    self.successors(at(body.exit, Register::default()), seen, visit);
                }
            }
            Node::ListFirst(id) => {
                let body = &self.lists[*id as usize];
                if body.min == 0 {
                    visit(Next::Symbol(Symbol::Terminal(body.close), at(body.exit, Register::default())));
                }
                if body.element(0).is_some() {
                    self.successors(at(body.item, register), seen, visit);
                }
            }
            Node::ListItem(id) => {
                let body = &self.lists[*id as usize];
                if let Some(element) = body.element(register.count) {
                    let register = Register { count: body.saturate(register.count + 1), ..register };
                    visit(Next::Symbol(Symbol::Nonterminal(element), at(body.after, register)));
                }
            }
            Node::ListAfter(id) => {
                let body = &self.lists[*id as usize];
                if register.count >= body.min {
                    visit(Next::Symbol(Symbol::Terminal(body.close), at(body.exit, Register::default())));
                }
                if body.element(register.count).is_some() {
                    visit(Next::Symbol(Symbol::Terminal(body.separator), at(body.item, register)));
                }
            }
            Node::RecordFirst(id) => {
                let body = &self.records[*id as usize];
                if body.can_close(register, seen) {
                    visit(Next::Symbol(Symbol::Terminal(body.close), at(body.exit, Register::default())));
                }
                self.visit_keys(*id, register, seen, visit);
            }
            Node::RecordKey(id) => self.visit_keys(*id, register, seen, visit),
            Node::RecordAssign(id) => {
                let body = &self.records[*id as usize];
                visit(Next::Symbol(Symbol::Terminal(body.assign), at(body.value_node, register)));
            }
            Node::RecordValue(id) => {
                let body = &self.records[*id as usize];
                let value = body.values[register.position as usize];
                let position = if body.order == KeyOrder::Any { 0 } else { register.position + 1 };
                let register = Register { position, count: body.saturate(register.count + 1), ..register };
                visit(Next::Symbol(Symbol::Nonterminal(value), at(body.after, register)));
            }
            Node::OtherAssign(id, class) => {
                let body = &self.records[*id as usize];
                visit(Next::Symbol(Symbol::Terminal(body.assign), at(body.first_other + 2 * class + 1, register)));
            }
            Node::OtherValue(id, class) => {
                let body = &self.records[*id as usize];
                let value = body.others[*class as usize].1;
                let position = if body.order == KeyOrder::Any { 0 } else { body.n_properties() };
                let register = Register { position, count: body.saturate(register.count + 1), ..register };
                visit(Next::Symbol(Symbol::Nonterminal(value), at(body.after, register)));
            }
            Node::RecordAfter(id) => {
                let body = &self.records[*id as usize];
                if body.can_close(register, seen) {
                    visit(Next::Symbol(Symbol::Terminal(body.close), at(body.exit, Register::default())));
                }
                if body.filter(register, seen).is_some() || body.can_have_others(register, seen) {
                    visit(Next::Symbol(Symbol::Terminal(body.separator), at(body.key_node, register)));
                }
            }
        }
    }

    fn visit_keys(&self, record: u32, register: Register, seen: &SeenSets, visit: &mut impl FnMut(Next)) {
        let body = &self.records[record as usize];
        if let Some(filter) = body.filter(register, seen) {
            visit(Next::Key { record, count: register.count, seen: register.seen, filter });
        }
        if body.can_have_others(register, seen) {
            for (class, (key, _)) in body.others.iter().enumerate() {
                let node = body.first_other + 2 * class as u32;
                visit(Next::Symbol(Symbol::Terminal(*key), Place { node, register }));
            }
        }
    }
}

impl ListBody {
    /// The body of the element at `index`; `None` where the list must end.
    fn element(&self, index: u32) -> Option<NonterminalId> {
        if self.max.is_some_and(|max| index >= max) {
            return None;
        }
        self.prefix.get(index as usize).copied().or(self.rest)
    }

    fn saturate(&self, count: u32) -> u32 {
        count.min(self.max.unwrap_or((self.prefix.len() as u32).max(self.min).max(1)))
    }
}

impl RecordBody {
    pub(crate) fn n_properties(&self) -> u32 {
        self.values.len() as u32
    }

    /// Whether the number of entries matters.
    pub(crate) fn counts(&self) -> bool {
        self.min > 0 || self.max.is_some()
    }

    fn saturate(&self, count: u32) -> u32 {
        if self.counts() { count.min(self.max.unwrap_or(self.min)) } else { 0 }
    }

    /// Required properties that must still come.
    fn n_missing(&self, register: Register, seen: &SeenSets) -> u32 {
        match self.order {
            KeyOrder::Listed => self.n_required[register.position as usize],
            KeyOrder::Any => self.required.difference(seen.get(register.seen)).count() as u32,
        }
    }

    pub(super) fn can_close(&self, register: Register, seen: &SeenSets) -> bool {
        register.count >= self.min && self.n_missing(register, seen) == 0
    }

    /// Entries that may still come.
    fn room(&self, register: Register) -> u32 {
        self.max.map_or(u32::MAX, |max| max - register.count)
    }

    pub(super) fn can_have_others(&self, register: Register, seen: &SeenSets) -> bool {
        let n_missing = self.n_missing(register, seen);
        let in_order = self.order == KeyOrder::Any || n_missing == 0;
        // In written order nothing but other keys comes behind the first of them.
        let enough = self.order == KeyOrder::Any
            || self.n_words.is_none_or(|n_words| self.min.saturating_sub(register.count) <= n_words);
        !self.others.is_empty() && in_order && self.room(register) > n_missing && enough
    }

    /// The named keys that may come next; `None` when there are none.
    pub(super) fn filter(&self, register: Register, seen: &SeenSets) -> Option<KeyFilter> {
        if self.order == KeyOrder::Listed {
            return self.last_key(register).map(|last| KeyFilter::Range(self.first_key(register), last));
        }
        let room = self.room(register);
        let unseen = |keys: &FixedBitSet| {
            let mut unseen = keys.clone();
            unseen.difference_with(seen.get(register.seen));
            unseen
        };
        // With room for the required ones only, all others are out.
        let admitted = match self.n_missing(register, seen) {
            _ if room == 0 => return None,
            n_missing if n_missing >= room => unseen(&self.required),
            _ => {
                let mut all = FixedBitSet::with_capacity(self.values.len());
                all.insert_range(..);
                unseen(&all)
            }
        };
        (!admitted.is_clear()).then(|| KeyFilter::Among(Arc::new(admitted)))
    }

    /// The last property that may come next: the next required one, or an earlier one where skipping further would leave too
    /// few for the least number of entries, or where there is room for the required ones only.
    fn last_key(&self, register: Register) -> Option<u32> {
        let n_properties = self.n_properties();
        let mut last = self.next_required[register.position as usize];
        if self.room(register) == 0 {
            return None;
        }
        if last == n_properties {
            last = last.checked_sub(1)?;
        }
        if let Some(n_words) = self.n_words {
            // Behind key `k` at most `n - k - 1` more with a name can come, and those without.
            let missing = self.min.saturating_sub(register.count);
            last = last.min(n_properties.saturating_add(n_words).checked_sub(missing.max(1))?);
        }
        (last >= register.position).then_some(last)
    }

    /// The first property that may come next: all optional ones are out when there is room for the required ones only.
    fn first_key(&self, register: Register) -> u32 {
        let n_required = self.n_required[register.position as usize];
        if n_required > 0 && n_required >= self.room(register) {
            self.next_required[register.position as usize]
        } else {
            register.position
        }
    }
}
