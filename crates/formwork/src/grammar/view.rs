//! Which places can one token not tell apart? Registers cut down to what a token reaches.
//!
//! A token is a few bytes. Of a counter it can only tell whether the bound is near, and of the keys that are still to come
//! whether there are any, for it ends before the name begins; the few tokens that do not are known ([`Reached`]). Places
//! that look alike have the same mask, however many elements or keys were written before, and in whichever record.

use std::hash::Hash;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use smallvec::SmallVec;

use super::list_rules::ListView;
use super::productions::{Node, NodeId, Place, Productions, Register};
use super::seen::{SeenId, SeenSets};
use super::tally::Tally;
use crate::automata::Automaton;
use crate::hash::HashMap;
use crate::ids::{NonterminalId, TerminalId};

/// The keys of a record that a token can begin to tell apart behind a separator.
#[derive(Clone, Debug)]
pub(crate) enum Reached {
    /// A token may hold a whole key: everything matters.
    All,
    /// These; nearly always none.
    Keys(FixedBitSet),
}

/// What one token can tell of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PlaceView {
    /// All of it.
    Exact(Place),
    /// In a loop: items that must and that may still come, as far as a token reaches.
    InLoop { node: NodeId, missing: u32, room: u32 },
    /// In a list behind its prefix, likewise.
    InList {
        alike: u32,
        before_item: bool,
        /// Whether a counter may soon have all that it may get.
        is_near: bool,
        missing: u32,
        room: u32,
        /// Its counters, as far as a token reaches.
        tally: Tally,
    },
    /// Before the key of an entry of a record, in it, or behind it.
    InRecord {
        alike: u32,
        step: Step,
        /// What may come next, or behind the entry: the end, a named key, another key.
        behind: [bool; 3],
        /// The keys among those reached that may come behind the entry.
        reached: SeenId,
    },
}

/// What comes next in an entry of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    Key,
    /// What assigns the value, which has this body.
    Assign(NonterminalId),
    Value(NonterminalId),
    /// The next entry, or the end.
    After,
}

/// Lists and records that look alike to one token, but for what their registers say: equal numbers.
#[derive(Debug, Default)]
pub(crate) struct Alike {
    /// By list.
    lists: Box<[u32]>,
    /// By record; only of use while no token holds the beginning of a name.
    records: Box<[u32]>,
}

impl Alike {
    pub(super) fn new(productions: &Productions, automata: &[Arc<Automaton>]) -> Alike {
        // Behind the closing bracket there is nearly always nothing more.
        let exit = |node: NodeId| match &productions.nodes[node as usize] {
            Node::Plain { edges, end: true } if edges.is_empty() => None,
            _ => Some(node),
        };
        // A few names that must not come make no difference as long as no token holds the beginning of one.
        let key = |key: TerminalId| match &*automata[key.index()] {
            Automaton::String(string) if string.is_nearly_free() => None,
            _ => Some(key),
        };
        let lists = productions.lists.iter();
        let records = productions.records.iter();
        Alike {
            lists: number(lists.map(|body| {
                let spacing = productions.spacing.of(body.after);
                let counters = body.rules.as_ref().map(|rules| &rules.counters);
                (spacing, body.close, body.separator, &body.rest, counters, body.unique, exit(body.exit))
            })),
            records: number(records.map(|body| {
                let others: SmallVec<[_; 1]> = body.others.iter().map(|(name, value)| (key(*name), value)).collect();
                let spacing = productions.spacing.of(body.after);
                (spacing, body.close, body.separator, body.assign, others, body.n_words.is_some(), exit(body.exit))
            })),
        }
    }
}

/// So few things are compared with each other, and not hashed.
const FEW: usize = 12;

/// Equal numbers for what is equal.
fn number<T: Hash + Eq>(things: impl ExactSizeIterator<Item = T>) -> Box<[u32]> {
    if things.len() <= FEW {
        let things: SmallVec<[T; FEW]> = things.collect();
        let first = |thing: &T| things.iter().position(|other| other == thing).unwrap_or(0) as u32;
        return things.iter().map(first).collect();
    }
    let mut numbers: HashMap<T, u32> = HashMap::default();
    things
        .map(|thing| {
            let next = numbers.len() as u32;
            *numbers.entry(thing).or_insert(next)
        })
        .collect()
}

impl Productions {
    /// The record that a place belongs to, if it is in or behind an entry of one.
    pub(crate) fn record_of(&self, place: Place) -> Option<u32> {
        match self.nodes[place.node as usize] {
            Node::RecordKey(id) | Node::RecordAssign(id) | Node::RecordValue(id) | Node::RecordAfter(id) => Some(id),
            Node::OtherAssign(id, _) | Node::OtherValue(id, _) => Some(id),
            _ => None,
        }
    }

    /// Whether a key must come at a place, and the place tells which: a token that begins there can tell more of it than
    /// [`Productions::view`] says, which is for tokens that hold the separator before it.
    pub(crate) fn is_key(&self, place: Place) -> bool {
        matches!(self.nodes[place.node as usize], Node::RecordKey(_))
    }

    /// What a token of at most `max_bytes` can tell of a place. `reached` is for its record, if it has one.
    pub(crate) fn view(&self, place: Place, max_bytes: u32, reached: &Reached, seen: &mut SeenSets) -> PlaceView {
        let count = place.register.count;
        // An item and what stands between two are a byte at least.
        let reach = max_bytes.saturating_add(1);
        let left = |min: u32, max: Option<u32>| {
            (min.saturating_sub(count).min(reach), max.map_or(reach, |max| max.saturating_sub(count).min(reach)))
        };
        match &self.nodes[place.node as usize] {
            Node::LoopItem(id) | Node::LoopAfter(id) => {
                let body = &self.loops[*id as usize];
                let (missing, room) = left(body.min, body.max);
                PlaceView::InLoop { node: place.node, missing, room }
            }
            node @ (Node::ListItem(id) | Node::ListAfter(id)) => {
                let body = &self.lists[*id as usize];
                if (count as usize) < body.prefix.len() {
                    return PlaceView::Exact(place);
                }
                let before_item = matches!(node, Node::ListItem(_));
                let alike = self.alike.lists[*id as usize];
                if let Some(rules) = &body.rules {
                    let ListView { is_near, missing, room, tally } = rules.view(count, place.register.tally, reach);
                    return PlaceView::InList { alike, before_item, is_near, missing, room, tally };
                }
                let (missing, room) = left(body.min, body.max);
                let (is_near, tally) = (false, Tally::default());
                PlaceView::InList { alike, before_item, is_near, missing, room, tally }
            }
            _ => match (self.record_of(place), reached) {
                (Some(id), Reached::Keys(reached)) if self.records[id as usize].is_simple() => {
                    self.view_in_record(id, place, reached, seen)
                }
                _ => PlaceView::Exact(place),
            },
        }
    }

    fn view_in_record(&self, id: u32, place: Place, reached: &FixedBitSet, seen: &mut SeenSets) -> PlaceView {
        let body = &self.records[id as usize];
        let position = place.register.position;
        // Records with cases are not simple.
        let value = |position: u32| body.values[position as usize][0].value;
        let other = |class: u32| body.others[class as usize].1[0].value;
        let (step, position) = match self.nodes[place.node as usize] {
            Node::RecordAssign(_) => (Step::Assign(value(position)), position + 1),
            Node::RecordValue(_) => (Step::Value(value(position)), position + 1),
            Node::OtherAssign(_, class) => (Step::Assign(other(class)), body.n_properties()),
            Node::OtherValue(_, class) => (Step::Value(other(class)), body.n_properties()),
            Node::RecordKey(_) => (Step::Key, position),
            _ => (Step::After, position),
        };
        let register = Register { position, ..place.register };
        let filter = body.filter(register, seen);
        let may_end = step != Step::Key && body.can_close(register, seen);
        let behind = [may_end, filter.is_some(), body.can_have_others(register, seen)];
        // Records with names that a token can begin to tell apart are like no other.
        let n_records = self.records.len() as u32;
        let alike = if reached.is_clear() { self.alike.records[id as usize] } else { n_records + id };
        let reached = match filter {
            Some(filter) => seen.of(reached.ones().map(|key| key as u32).filter(|key| filter.admits(*key))),
            None => SeenSets::EMPTY,
        };
        PlaceView::InRecord { alike, step, behind, reached }
    }
}
