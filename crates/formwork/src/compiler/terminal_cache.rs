//! Which automata are kept for the next grammar? A bounded cache of two generations that never frees much at once.
//!
//! What is asked for moves to the young generation; when that is half full, it becomes the old one, and what was in the old
//! one and not asked for since is let go, a little with each terminal that is added: freeing it all would take as long as
//! hundreds of compilations.

use std::collections::hash_map;
use std::sync::Arc;

use crate::automata::{Automaton, Terminal};
use crate::hash::HashMap;
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
    dying: Dying,
}

#[derive(Debug, Default)]
struct Generation {
    known: HashMap<Terminal, Shared>,
    /// The same, each with its bytes when it was last measured.
    measured: Vec<(Shared, usize)>,
    n_bytes: usize,
    /// The next to be measured.
    cursor: usize,
}

#[derive(Debug, Default)]
struct Dying {
    known: hash_map::IntoIter<Terminal, Shared>,
    measured: Vec<(Shared, usize)>,
}

impl TerminalCache {
    /// One that met its limit is given no more.
    pub(super) fn get(&mut self, terminal: &Terminal) -> Option<Shared> {
        let known = self.young.known.get(terminal).or_else(|| self.old.known.get(terminal));
        if known?.0.is_full() {
            self.young.known.remove(terminal);
            self.old.known.remove(terminal);
            return None;
        }
        if let Some(shared) = self.young.known.get(terminal) {
            return Some(shared.clone());
        }
        let shared = self.old.known.get(terminal)?.clone();
        self.insert(terminal.clone(), shared.clone());
        Some(shared)
    }

    /// Adds an automaton, unless there is one for the terminal by now, which is given instead.
    pub(super) fn insert(&mut self, terminal: Terminal, shared: Shared) -> Shared {
        for _ in 0..FREED {
            drop((self.dying.known.next(), self.dying.measured.pop()));
        }
        if self.young.is_full() {
            let old = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.dying = Dying { known: old.known.into_iter(), measured: old.measured };
        }
        self.young.insert(terminal, shared)
    }
}

impl Generation {
    fn is_full(&self) -> bool {
        self.known.len() >= MAX_TERMINALS || self.n_bytes >= MAX_BYTES
    }

    fn insert(&mut self, terminal: Terminal, shared: Shared) -> Shared {
        let entry = match self.known.entry(terminal) {
            hash_map::Entry::Occupied(known) => return known.get().clone(),
            hash_map::Entry::Vacant(entry) => entry,
        };
        entry.insert(shared.clone());
        self.measured.push((shared.clone(), 0));
        self.measure(self.measured.len() - 1);
        for _ in 0..MEASURED {
            self.measure(self.cursor);
            self.cursor = (self.cursor + 1) % self.measured.len();
        }
        shared
    }

    fn measure(&mut self, index: usize) {
        let ((automaton, profiles), before) = &mut self.measured[index];
        let now = automaton.n_bytes() + profiles.n_bytes();
        self.n_bytes = self.n_bytes - *before + now;
        *before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::Overflows;
    use crate::limits::Limits;

    fn shared(text: &str) -> (Terminal, Shared) {
        let terminal = Terminal::Regex(text.into());
        let automaton = Automaton::new(&terminal, &Limits::default(), &Overflows::default()).unwrap();
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
        let n_kept = cache.young.known.len() + cache.old.known.len() + cache.dying.known.len();
        assert!(n_kept <= 3 * MAX_TERMINALS);
    }
}
