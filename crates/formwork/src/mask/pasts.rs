//! What must not be written again, for each entry of a configuration? One number for all of them.

use crate::hash::Numbered;
use crate::parser::{Entry, PastId, Written};

/// The pasts of a configuration's entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pasts(u32);

impl Pasts {
    /// Whatever they are.
    pub(super) const ANY: Pasts = Pasts(u32::MAX);

    /// Whether all entries have one and the same.
    pub(super) fn is_one(self) -> bool {
        self.0 & 1 == 0
    }
}

/// Lists of pasts, numbered; nearly always all entries have the same.
#[derive(Debug, Default)]
pub(super) struct PastLists {
    lists: Numbered<Box<[PastId]>>,
    pub(super) n_bytes: usize,
}

impl PastLists {
    /// Takes the pasts out of the entries.
    pub(super) fn take(&mut self, entries: &mut [Entry]) -> Pasts {
        let first = entries.first().map_or(Written::NOTHING, |entry| entry.past);
        let pasts = if entries.iter().all(|entry| entry.past == first) {
            Pasts(first << 1)
        } else {
            let list: Box<[PastId]> = entries.iter().map(|entry| entry.past).collect();
            let n_bytes = size_of_val(&*list) + 48;
            let (id, is_new) = self.lists.insert_full(list);
            self.n_bytes += if is_new { n_bytes } else { 0 };
            Pasts((id as u32) << 1 | 1)
        };
        entries.iter_mut().for_each(|entry| entry.past = Written::FRESH);
        pasts
    }

    /// Whether something holds of any of them.
    pub(super) fn any(&self, pasts: Pasts, holds: impl Fn(PastId) -> bool) -> bool {
        match self.lists.get_index(pasts.0 as usize >> 1).filter(|_| !pasts.is_one()) {
            Some(list) => list.iter().any(|past| holds(*past)),
            None => holds(pasts.0 >> 1),
        }
    }

    /// Puts them back.
    pub(super) fn put(&self, pasts: Pasts, entries: &mut [Entry]) {
        if pasts.0 & 1 == 0 {
            entries.iter_mut().for_each(|entry| entry.past = pasts.0 >> 1);
            return;
        }
        if let Some(list) = self.lists.get_index(pasts.0 as usize >> 1) {
            entries.iter_mut().zip(list).for_each(|(entry, past)| entry.past = *past);
        }
    }
}
