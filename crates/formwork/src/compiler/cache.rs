//! Was this grammar compiled before? The least recently used grammars make room for new ones.

use std::sync::{Arc, Mutex, PoisonError};

use super::CompiledGrammar;
use crate::hash::HashMap;

/// Compiled grammars by the text of what they were compiled from.
#[derive(Debug)]
pub(super) struct GrammarCache {
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    grammars: HashMap<String, (Arc<CompiledGrammar>, u64)>,
    /// Rises with every use.
    clock: u64,
}

impl GrammarCache {
    pub(super) fn new(capacity: usize) -> GrammarCache {
        GrammarCache { capacity, entries: Mutex::default() }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.capacity > 0
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<CompiledGrammar>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let now = entries.clock;
        let (grammar, last_used) = entries.grammars.get_mut(key)?;
        *last_used = now;
        Some(Arc::clone(grammar))
    }

    /// O(capacity) when it is full.
    pub(super) fn insert(&self, key: String, grammar: &Arc<CompiledGrammar>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let now = entries.clock;
        if entries.grammars.len() >= self.capacity {
            let oldest = entries.grammars.iter().min_by_key(|(_, (_, last_used))| *last_used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                entries.grammars.remove(&oldest);
            }
        }
        entries.grammars.insert(key, (Arc::clone(grammar), now));
    }
}
