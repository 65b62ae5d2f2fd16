//! Which keys of a record may come, and which one was written? The names of a record, with a filter.
//!
//! One automaton serves all positions of a record: the names in sorted order, and a filter that is a range of indices in
//! the order in which properties are written, or a set of them where they may come in any order.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::decoder::{DecodeState, Escapes, is_plain};
use super::literals::Range;

/// Which of a record's keys may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyFilter {
    /// Those with an index from the first to the second, both inside.
    Range(u32, u32),
    /// Those in the set.
    Among(Arc<FixedBitSet>),
}

impl KeyFilter {
    pub(crate) fn admits(&self, index: u32) -> bool {
        match self {
            KeyFilter::Range(first, last) => (*first..=*last).contains(&index),
            KeyFilter::Among(set) => set.contains(index as usize),
        }
    }
}

/// Where a JSON string is behind `bytes`; `None` when they are none, or go on behind its end.
fn decode(bytes: &[u8], escapes: Escapes) -> Option<DecodeState> {
    bytes.iter().try_fold(DecodeState::BEFORE, |state, byte| Some(state.step(*byte, escapes)?.state))
}

/// Whether a JSON string that holds an escape ends within `bytes`.
fn closes_escaped(bytes: &[u8]) -> bool {
    let mut state = DecodeState::BEFORE;
    for (at, byte) in bytes.iter().enumerate() {
        match state.step(*byte, Escapes::Any) {
            Some(decoded) if decoded.state == DecodeState::CLOSED => return bytes[..at].contains(&b'\\'),
            Some(decoded) => state = decoded.state,
            None => return false,
        }
    }
    false
}

fn is_json_string(bytes: &[u8], escapes: Escapes) -> bool {
    if let [b'"', content @ .., b'"'] = bytes
        && is_plain(content)
    {
        return true;
    }
    decode(bytes, escapes) == Some(DecodeState::CLOSED)
}

/// The named keys of one record.
#[derive(Debug)]
pub(crate) struct Keys {
    sorted: Vec<Box<[u8]>>,
    /// Written order of each sorted name.
    order: Vec<u32>,
    /// Whether all names are JSON strings.
    quoted: bool,
    /// A spelling that all names keep to.
    escapes: Escapes,
}

impl Keys {
    /// Takes the keys in written order; all differ.
    pub(crate) fn new(keys: Vec<Vec<u8>>) -> Keys {
        let mut order: Vec<u32> = (0..keys.len() as u32).collect();
        order.sort_unstable_by(|a, b| keys[*a as usize].cmp(&keys[*b as usize]));
        let mut keys: Vec<Option<Box<[u8]>>> = keys.into_iter().map(|key| Some(key.into_boxed_slice())).collect();
        let sorted = order.iter().filter_map(|index| keys[*index as usize].take()).collect();
        let sorted: Vec<Box<[u8]>> = sorted;
        let all_are = |escapes| sorted.iter().all(|name| is_json_string(name, escapes));
        let escapes = if all_are(Escapes::Canonical) { Escapes::Canonical } else { Escapes::Any };
        Keys { quoted: escapes == Escapes::Canonical || all_are(Escapes::Any), escapes, sorted, order }
    }

    /// The content of a key by its index in written order; of one that is no JSON string, its bytes.
    pub(crate) fn content(&self, index: u32) -> Vec<u8> {
        let Some(at) = self.order.iter().position(|other| *other == index) else { return Vec::new() };
        let name = &self.sorted[at];
        match serde_json::from_slice::<String>(name) {
            Ok(content) => content.into_bytes(),
            // As letters, as they are read where a key has no name.
            Err(_) => name.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes(),
        }
    }

    /// All keys as they are spelled, sorted, with their indices in written order.
    pub(crate) fn spellings(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.order.iter().copied().zip(self.sorted.iter().map(|name| &**name))
    }

    /// The spelling of the key at a place in the sorted order.
    pub(crate) fn spelling(&self, at: u32) -> &[u8] {
        &self.sorted[at as usize]
    }

    pub(crate) fn start(&self) -> u64 {
        Range::all(self.sorted.len()).to_bits()
    }

    /// One byte further, towards a key that the filter admits.
    pub(crate) fn step(&self, state: u64, byte: u8, filter: &KeyFilter) -> Option<u64> {
        let range = Range::from_bits(state).step(&self.sorted, byte)?;
        self.admits(range, filter).then(|| range.to_bits())
    }

    /// The index of the key that ends here, if the filter admits it.
    pub(crate) fn complete(&self, state: u64, filter: &KeyFilter) -> Option<u32> {
        let index = self.order[Range::from_bits(state).complete(&self.sorted)?];
        filter.admits(index).then_some(index)
    }

    /// Whether a longer key is admitted.
    pub(crate) fn can_go_on(&self, state: u64, filter: &KeyFilter) -> bool {
        let range = Range::from_bits(state);
        if !range.can_go_on(&self.sorted) {
            return false;
        }
        let lo = range.lo + u32::from(range.complete(&self.sorted).is_some());
        self.admits(Range { lo, ..range }, filter)
    }

    /// How many names go on from a state, admitted or not.
    pub(crate) fn n_in(&self, state: u64) -> usize {
        let range = Range::from_bits(state);
        (range.hi - range.lo) as usize
    }

    /// The admitted keys that may still be meant.
    pub(crate) fn admitted(&self, state: u64, filter: &KeyFilter) -> impl Iterator<Item = u32> {
        let range = Range::from_bits(state);
        let keys = self.order[range.lo as usize..range.hi as usize].iter().copied();
        keys.filter(|index| filter.admits(*index))
    }

    /// A spelling of strings that all names keep to.
    pub(crate) fn escapes(&self) -> Escapes {
        self.escapes
    }

    /// Whether all names are JSON strings, quotes included.
    pub(crate) fn are_quoted(&self) -> bool {
        self.quoted
    }

    /// Whether all names are JSON strings and the state is not in the middle of a character or an escape.
    pub(crate) fn is_plain(&self, state: u64) -> bool {
        let range = Range::from_bits(state);
        let read = &self.sorted[range.lo as usize][..range.depth as usize];
        self.quoted && (read.is_empty() || decode(read, Escapes::Any) == Some(DecodeState::BODY))
    }

    /// Bytes read to come to a state.
    pub(crate) fn depth(&self, state: u64) -> u32 {
        Range::from_bits(state).depth
    }

    /// Calls `visit` with the keys that share two bytes or more with `text`; whether one is, or may be by way of an escape,
    /// wholly in it.
    pub(crate) fn begun_by(&self, text: &[u8], visit: &mut dyn FnMut(u32)) -> bool {
        if closes_escaped(text) {
            return true;
        }
        let mut range = Range::all(self.sorted.len());
        for (n_before, byte) in text.iter().enumerate() {
            let Some(next) = range.step(&self.sorted, *byte) else { return false };
            range = next;
            if n_before == 1 {
                self.order[range.lo as usize..range.hi as usize].iter().for_each(|index| visit(*index));
            }
            if range.complete(&self.sorted).is_some() {
                return true;
            }
        }
        false
    }

    /// Calls `visit` with every byte that may come next, whatever the filter.
    pub(crate) fn next_bytes(&self, state: u64, visit: &mut dyn FnMut(u8)) {
        super::literals::next_bytes(&self.sorted, state, visit);
    }

    /// O(names in the range) at worst; a name that the filter admits is nearly always among the first.
    fn admits(&self, range: Range, filter: &KeyFilter) -> bool {
        self.order[range.lo as usize..range.hi as usize].iter().any(|index| filter.admits(*index))
    }

    pub(crate) fn n_bytes(&self) -> usize {
        self.sorted.iter().map(|key| key.len() + 24).sum()
    }
}
