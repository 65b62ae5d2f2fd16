//! Which automata are kept for the next grammar? A bounded cache of two generations that never frees much at once.
//!
//! What is asked for moves to the young generation; when that is full, it becomes the old one, and what was in the old
//! one and not asked for since is let go, a little with each terminal that is added: freeing it all would take as long as
//! hundreds of compilations.

use std::sync::Arc;

use indexmap::{IndexMap, map};

use crate::automata::{Automaton, Terminal};
use crate::hash::Seeded;
use crate::mask::Profiles;

/// Terminals of one generation.
const MAX_TERMINALS: usize = 5_000;
/// Bytes of the automata and profiles of one generation.
const MAX_BYTES: usize = 128 << 20;
/// Entries that are measured anew, as they grow by being used, with each one that is added.
const MEASURED: usize = 2;
/// Entries that are freed with each one that is added.
const FREED: usize = 2;

/// An automaton and what is known of its states.
pub(super) type Shared = (Arc<Automaton>, Arc<Profiles>);

#[derive(Debug, Default)]
pub(super) struct TerminalCache {
    young: Generation,
    old: Generation,
    dying: map::IntoIter<Terminal, (Shared, usize)>,
}

#[derive(Debug, Default)]
struct Generation {
    /// Each with its bytes when it was last measured.
    entries: IndexMap<Terminal, (Shared, usize), Seeded>,
    n_bytes: usize,
    /// The next to be measured.
    cursor: usize,
}

impl TerminalCache {
    /// One that is near its limit is given no more.
    pub(super) fn get(&mut self, terminal: &Terminal) -> Option<Shared> {
        let young = self.young.get(terminal).cloned();
        let is_young = young.is_some();
        let shared = young.or_else(|| self.old.get(terminal).cloned())?;
        if shared.0.is_nearly_full() {
            self.young.remove(terminal);
            self.old.remove(terminal);
            return None;
        }
        match is_young {
            true => Some(shared),
            false => Some(self.insert(terminal.clone(), shared)),
        }
    }

    /// Adds an automaton, unless there is one for the terminal by now, which is given instead.
    pub(super) fn insert(&mut self, terminal: Terminal, shared: Shared) -> Shared {
        self.dying.by_ref().take(FREED).for_each(drop);
        if self.young.is_full() {
            let old = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.dying = old.entries.into_iter();
        }
        self.young.insert(terminal, shared)
    }
}

impl Generation {
    fn is_full(&self) -> bool {
        self.entries.len() >= MAX_TERMINALS || self.n_bytes >= MAX_BYTES
    }

    fn get(&self, terminal: &Terminal) -> Option<&Shared> {
        self.entries.get(terminal).map(|(shared, _)| shared)
    }

    fn remove(&mut self, terminal: &Terminal) {
        if let Some((_, n_bytes)) = self.entries.swap_remove(terminal) {
            self.n_bytes -= n_bytes;
        }
    }

    fn insert(&mut self, terminal: Terminal, shared: Shared) -> Shared {
        match self.entries.entry(terminal) {
            map::Entry::Occupied(known) => return known.get().0.clone(),
            map::Entry::Vacant(entry) => entry.insert((shared.clone(), 0)),
        };
        self.measure(self.entries.len() - 1);
        for _ in 0..MEASURED {
            self.cursor = (self.cursor + 1) % self.entries.len();
            self.measure(self.cursor);
        }
        shared
    }

    fn measure(&mut self, index: usize) {
        let Some((_, ((automaton, profiles), before))) = self.entries.get_index_mut(index) else { return };
        let now = automaton.n_bytes() + profiles.n_bytes();
        self.n_bytes = self.n_bytes - *before + now;
        *before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn shared(text: &str) -> (Terminal, Shared) {
        let terminal = Terminal::Regex(text.into());
        let automaton = Automaton::new(&terminal, &Limits::default()).unwrap();
        (terminal, (Arc::new(automaton), Arc::default()))
    }

    #[test]
    fn what_is_used_stays_and_the_rest_is_freed() {
        let mut cache = TerminalCache::default();
        let (used, automaton) = shared("used");
        cache.insert(used.clone(), automaton.clone());
        let (unused, other) = shared("unused");
        cache.insert(unused.clone(), other.clone());
        for index in 0..4 * MAX_TERMINALS {
            cache.insert(Terminal::Regex(format!("x{index}").into()), other.clone());
            if index % 1_000 == 0 {
                assert!(cache.get(&used).is_some(), "{index}");
            }
        }
        assert!(Arc::ptr_eq(&cache.get(&used).unwrap().0, &automaton.0));
        assert!(cache.get(&unused).is_none());
        let n_kept = cache.young.entries.len() + cache.old.entries.len() + cache.dying.len();
        assert!(n_kept <= 3 * MAX_TERMINALS);
    }
}
