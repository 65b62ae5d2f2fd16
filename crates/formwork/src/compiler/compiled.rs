//! What do all sequences of one grammar share? The immutable grammar and its growing memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::lexicon::Lexicon;
use super::source::Grammar;
use crate::automata::Automaton;
use crate::grammar::Productions;
use crate::json_schema::Report;
use crate::mask::{Generation, Profiles, Shared};
use crate::matcher::Matcher;
use crate::vocabulary::Vocabulary;

/// A generation that several matchers use.
pub(crate) type SharedGeneration = Arc<RwLock<Generation>>;

/// A grammar ready for use with one vocabulary: immutable to its users, `Send + Sync`, shared by all sequences.
#[derive(Debug)]
pub struct CompiledGrammar {
    shared: Arc<Shared>,
    generation: RwLock<SharedGeneration>,
    source: Grammar,
    report: OnceLock<Report>,
    pub(crate) mask_hits: AtomicU64,
    pub(crate) mask_misses: AtomicU64,
    resets: AtomicU64,
}

impl CompiledGrammar {
    pub(super) fn new(
        productions: Productions,
        automata: Arc<[Arc<Automaton>]>,
        profiles: Arc<[Arc<Profiles>]>,
        lexicon: &Lexicon,
        source: Grammar,
    ) -> CompiledGrammar {
        let shared = Arc::new(Shared {
            productions: Arc::new(productions),
            automata,
            profiles,
            vocabulary: Arc::clone(&lexicon.vocabulary),
            reach: Arc::clone(&lexicon.reach),
            unions: Arc::clone(&lexicon.unions),
            lists: Arc::clone(&lexicon.lists),
            limits: lexicon.limits.clone(),
            cheap_texts: OnceLock::new(),
        });
        let generation = Arc::new(RwLock::new(Generation::new(Arc::clone(&shared))));
        CompiledGrammar {
            shared,
            generation: RwLock::new(generation),
            source,
            report: OnceLock::new(),
            mask_hits: AtomicU64::new(0),
            mask_misses: AtomicU64::new(0),
            resets: AtomicU64::new(0),
        }
    }

    /// A matcher at the start of the text.
    pub fn matcher(self: &Arc<Self>) -> Matcher {
        Matcher::new(Arc::clone(self))
    }

    /// What is enforced, keyword by keyword; empty for grammars that are no JSON Schema. Made when first asked for.
    pub fn report(&self) -> &Report {
        self.report.get_or_init(|| self.source.report_within(&self.shared.limits))
    }

    /// The vocabulary.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.shared.vocabulary
    }

    /// Work done and sizes so far, over all matchers.
    pub fn stats(&self) -> GrammarStats {
        let generation = self.generation();
        let generation = generation.read().unwrap_or_else(PoisonError::into_inner);
        let automata: usize = self.shared.automata.iter().map(|automaton| automaton.n_bytes()).sum();
        GrammarStats {
            mask_hits: self.mask_hits.load(Ordering::Relaxed),
            mask_misses: self.mask_misses.load(Ordering::Relaxed),
            masks: generation.n_masks(),
            configurations: generation.n_configurations(),
            item_sets: generation.n_item_sets(),
            steps: generation.n_steps(),
            bytes: generation.n_bytes() + automata + self.shared.productions.n_bytes(),
            resets: self.resets.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn limits(&self) -> &crate::limits::Limits {
        &self.shared.limits
    }

    /// The present generation.
    pub(crate) fn generation(&self) -> SharedGeneration {
        Arc::clone(&self.generation.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether an automaton met its limit on states.
    pub(super) fn has_full_automata(&self) -> bool {
        self.shared.automata.iter().any(|automaton| automaton.is_full())
    }

    /// The generation to go on with when `full` has met its limit.
    pub(crate) fn generation_after(&self, full: &SharedGeneration) -> SharedGeneration {
        let mut present = self.generation.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&present, full) {
            *present = Arc::new(RwLock::new(Generation::new(Arc::clone(&self.shared))));
            self.resets.fetch_add(1, Ordering::Relaxed);
        }
        Arc::clone(&present)
    }
}

/// Counters of one compiled grammar, over all its matchers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrammarStats {
    /// Masks handed out from the cache.
    pub mask_hits: u64,
    /// Masks that had to be computed.
    pub mask_misses: u64,
    /// Distinct masks held.
    pub masks: usize,
    /// Configurations held.
    pub configurations: usize,
    /// Item sets held.
    pub item_sets: usize,
    /// Automaton and parser steps done.
    pub steps: u64,
    /// Bytes held by the grammar and its caches; automata that other grammars use too are counted in full.
    pub bytes: usize,
    /// Times the caches were started anew.
    pub resets: u64,
}
