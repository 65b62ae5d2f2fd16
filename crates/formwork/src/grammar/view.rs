//! Which places can one token not tell apart? Registers cut down to what a token reaches.
//!
//! A token is a few bytes. Of a counter it can only tell whether the bound is near, and of the keys that are still to come
//! whether there are any, for it ends before the name begins; the few tokens that do not are known ([`Reached`]). Places
//! that look alike have the same mask, however many elements or keys were written before.

use fixedbitset::FixedBitSet;

use super::productions::{Node, NodeId, Place, Productions, RecordBody, Register};
use super::seen::{SeenId, SeenSets};

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
    /// In a loop or list: items that must and that may still come, as far as a token reaches.
    Counted { node: NodeId, missing: u32, room: u32 },
    /// Before the key of an entry of a record, in it, or behind it.
    Entry {
        node: NodeId,
        /// Number of the body of the value that comes next.
        value: u32,
        /// What may come next, or behind the entry: the end, a named key, another key.
        behind: [bool; 3],
        /// The keys among those reached that may come behind the entry.
        reached: SeenId,
    },
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
        let counted = |min: u32, max: Option<u32>| PlaceView::Counted {
            node: place.node,
            missing: min.saturating_sub(count).min(reach),
            room: max.map_or(reach, |max| max.saturating_sub(count).min(reach)),
        };
        match &self.nodes[place.node as usize] {
            Node::LoopItem(id) | Node::LoopAfter(id) => {
                let body = &self.loops[*id as usize];
                counted(body.min, body.max)
            }
            Node::ListItem(id) | Node::ListAfter(id) => {
                let body = &self.lists[*id as usize];
                if (count as usize) < body.prefix.len() {
                    return PlaceView::Exact(place);
                }
                counted(body.min, body.max)
            }
            _ => match (self.record_of(place), reached) {
                (Some(id), Reached::Keys(reached)) => {
                    let body = &self.records[id as usize];
                    if body.counts() { PlaceView::Exact(place) } else { self.entry_view(body, place, reached, seen) }
                }
                _ => PlaceView::Exact(place),
            },
        }
    }

    fn entry_view(&self, body: &RecordBody, place: Place, reached: &FixedBitSet, seen: &mut SeenSets) -> PlaceView {
        let (value, position) = match self.nodes[place.node as usize] {
            Node::RecordAssign(_) | Node::RecordValue(_) => {
                let key = place.register.position;
                (body.values[key as usize].index() as u32, key + 1)
            }
            Node::OtherAssign(..) | Node::OtherValue(..) => (0, body.n_properties()),
            _ => (0, place.register.position),
        };
        let register = Register { position, ..place.register };
        let filter = body.filter(register, seen);
        let may_end = !self.is_key(place) && body.can_close(register, seen);
        let behind = [may_end, filter.is_some(), body.can_have_others(register, seen)];
        let reached = match filter {
            Some(filter) => seen.of(reached.ones().map(|key| key as u32).filter(|key| filter.admits(*key))),
            None => SeenSets::EMPTY,
        };
        PlaceView::Entry { node: place.node, value, behind, reached }
    }
}
