//! What do all sequences of one grammar share? The immutable grammar and its growing memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::lexicon::Lexicon;
use super::source::{Grammar, Scope};
use crate::automata::OverflowWatch;
use crate::error::{CompileError, GrammarError};
use crate::json_schema::Report;
use crate::mask::{Generation, Shared};
use crate::matcher::Matcher;
use crate::vocabulary::Vocabulary;

/// A generation that several matchers use.
pub(crate) type SharedGeneration = Arc<RwLock<Generation>>;

/// A grammar ready for use with one vocabulary: immutable to its users, `Send + Sync`, shared by all sequences.
#[derive(Debug)]
pub struct CompiledGrammar {
    lexicon: Arc<Lexicon>,
    source: Grammar,
    present: RwLock<Present>,
    report: OnceLock<Report>,
    pub(crate) mask_hits: AtomicU64,
    pub(crate) mask_misses: AtomicU64,
    resets: AtomicU64,
}

/// What sequences that begin now begin with.
#[derive(Clone, Debug)]
struct Present {
    shared: Arc<Shared>,
    generation: SharedGeneration,
}

impl Present {
    fn new(shared: Arc<Shared>) -> Present {
        let generation = Arc::new(RwLock::new(Generation::new(Arc::clone(&shared))));
        Present { shared, generation }
    }
}

impl CompiledGrammar {
    pub(super) fn new(lexicon: Arc<Lexicon>, source: Grammar) -> Result<CompiledGrammar, CompileError> {
        let present = Present::new(compile(&lexicon, &source)?);
        Ok(CompiledGrammar {
            lexicon,
            source,
            present: RwLock::new(present),
            report: OnceLock::new(),
            mask_hits: AtomicU64::new(0),
            mask_misses: AtomicU64::new(0),
            resets: AtomicU64::new(0),
        })
    }

    /// A matcher at the start of the text.
    ///
    /// Where an automaton has come near [`max_automaton_states`](crate::Limits::max_automaton_states), the grammar is
    /// compiled anew first, so that no sequence pays for those before it.
    pub fn matcher(self: &Arc<Self>) -> Matcher {
        Matcher::new(Arc::clone(self))
    }

    /// What is enforced, keyword by keyword; empty for grammars that are no JSON Schema. Made when first asked for.
    pub fn report(&self) -> &Report {
        self.report.get_or_init(|| self.source.report_within(&self.lexicon.limits))
    }

    /// The vocabulary.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.lexicon.vocabulary
    }

    /// Work done and sizes so far, over all matchers.
    pub fn stats(&self) -> GrammarStats {
        let Present { shared, generation } = self.present();
        let generation = generation.read().unwrap_or_else(PoisonError::into_inner);
        let automata: usize = shared.automata.iter().map(|automaton| automaton.n_bytes()).sum();
        GrammarStats {
            mask_hits: self.mask_hits.load(Ordering::Relaxed),
            mask_misses: self.mask_misses.load(Ordering::Relaxed),
            masks: generation.n_masks(),
            configurations: generation.n_configurations(),
            item_sets: generation.n_item_sets(),
            steps: generation.n_steps(),
            bytes: generation.n_bytes() + automata + shared.productions.n_bytes(),
            resets: self.resets.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn limits(&self) -> &crate::limits::Limits {
        &self.lexicon.limits
    }

    fn present(&self) -> Present {
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The generation for a sequence that begins: of automata with room for it.
    pub(crate) fn generation_to_begin_with(&self) -> SharedGeneration {
        let before = self.present();
        if !before.shared.is_nearly_full() {
            return before.generation;
        }
        // Others begin meanwhile with what there is. What was compiled once will be again, unless its automata hardly fit.
        let Ok(shared) = compile(&self.lexicon, &self.source) else { return before.generation };
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&present.shared, &before.shared) {
            *present = Present::new(shared);
            self.resets.fetch_add(1, Ordering::Relaxed);
        }
        Arc::clone(&present.generation)
    }

    /// The generation to go on with when `full` has met its limit. A sequence that began before the grammar was compiled
    /// anew goes on by itself, as its states mean something to the automata that it began with alone.
    pub(crate) fn generation_after(&self, full: &SharedGeneration) -> SharedGeneration {
        let shared = Arc::clone(full.read().unwrap_or_else(PoisonError::into_inner).shared());
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&present.shared, &shared) {
            return Present::new(shared).generation;
        }
        if Arc::ptr_eq(&present.generation, full) {
            *present = Present::new(shared);
            self.resets.fetch_add(1, Ordering::Relaxed);
        }
        Arc::clone(&present.generation)
    }
}

fn compile(lexicon: &Lexicon, source: &Grammar) -> Result<Arc<Shared>, CompileError> {
    let lowered = source.lower(Scope::new(&lexicon.vocabulary, &lexicon.limits))?;
    let overflows = OverflowWatch::start();
    let (automata, profiles) = lexicon.terminals(lowered.builder.terminals())?;
    let productions = lowered.builder.build(lowered.start, &automata, &lexicon.limits);
    // A terminal that met its limit looks as if it took nothing.
    overflows.check(&lexicon.limits).map_err(GrammarError::Limit)?;
    let productions = productions.map_err(|error| source.build_error(error))?;
    Ok(Arc::new(Shared {
        productions: Arc::new(productions),
        growing: automata.iter().filter(|automaton| automaton.grows()).cloned().collect(),
        automata,
        profiles,
        vocabulary: Arc::clone(&lexicon.vocabulary),
        reach: Arc::clone(&lexicon.reach),
        unions: Arc::clone(&lexicon.unions),
        lists: Arc::clone(&lexicon.lists),
        limits: lexicon.limits.clone(),
        cheap_texts: OnceLock::new(),
    }))
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
    /// Times that the caches were started anew, for their size or that of an automaton.
    pub resets: u64,
}
