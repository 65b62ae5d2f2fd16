//! What do threads share, and what do they do to it? Compilers with room for few grammars, and matchers that go from hand to
//! hand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use formwork::{CompiledGrammar, Compiler, Grammar, Limits, MatchError, Matcher, TokenId, fill_masks};

use super::grammars::{grammars, vocabulary};
use super::{Observation, Seen, Step};
use crate::counters::Counters;
use crate::universe::Dice;

/// Matchers that are shared: fewer than threads, so that they meet.
const N_SLOTS: usize = 10;
/// Longer texts are begun anew.
const MAX_STEPS: usize = 40;
/// Grammars that a compiler keeps.
const N_CACHED: usize = 3;
/// Bytes of caches: some masks, and they are full.
const MAX_CACHE_BYTES: [usize; 3] = [1, 20_000, 60_000];

/// What all threads of a round share.
pub(super) struct Pool {
    grammars: Vec<Grammar>,
    compilers: Vec<Compiler>,
    slots: Vec<Mutex<Slot>>,
    /// All that was compiled, to be counted in the end.
    compiled: Mutex<Vec<Arc<CompiledGrammar>>>,
}

/// A matcher, and how it came where it is.
#[derive(Clone)]
struct Slot {
    grammar: usize,
    matcher: Matcher,
    steps: Vec<Step>,
}

impl Pool {
    /// # Panics
    /// When a grammar is refused, which none of them is.
    pub(super) fn new() -> Pool {
        let (grammars, vocabulary) = (grammars(), Arc::new(vocabulary()));
        let compiler = |max_cache_bytes: usize| {
            let limits = Limits { max_cache_bytes, ..Limits::default() };
            Compiler::builder(Arc::clone(&vocabulary)).limits(limits).cached_grammars(N_CACHED).build()
        };
        let compilers: Vec<Compiler> = MAX_CACHE_BYTES.into_iter().map(compiler).collect();
        let slot = |index: usize| {
            let grammar = index % grammars.len();
            let compiled = compilers[index % compilers.len()].compile(&grammars[grammar]);
            let matcher = compiled.expect("the grammar is sound").matcher();
            Mutex::new(Slot { grammar, matcher, steps: Vec::new() })
        };
        let slots = (0..N_SLOTS).map(slot).collect();
        Pool { grammars, compilers, slots, compiled: Mutex::default() }
    }

    pub(super) fn worker(&self) -> Worker<'_> {
        Worker { pool: self, observations: Vec::new(), counters: Counters::new() }
    }

    /// How often the caches of a grammar were started anew that a worker compiled.
    pub(super) fn n_resets(&self) -> usize {
        let mut compiled = lock(&self.compiled);
        compiled.sort_by_key(Arc::as_ptr);
        compiled.dedup_by(|one, other| Arc::ptr_eq(one, other));
        compiled.iter().map(|grammar| grammar.stats().resets as usize).sum()
    }
}

/// A thread that failed says so itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One of the threads.
pub(super) struct Worker<'a> {
    pool: &'a Pool,
    observations: Vec<Observation>,
    counters: Counters,
}

impl Worker<'_> {
    /// Does something to one of the matchers, or looks at it.
    ///
    /// # Panics
    /// When a call fails that cannot.
    pub(super) fn act(&mut self, dice: &mut Dice) {
        let index = dice.below(N_SLOTS);
        let mut slot = lock(&self.pool.slots[index]);
        if slot.steps.len() >= MAX_STEPS || slot.matcher.is_stopped() && dice.one_in(2) {
            slot.matcher.reset();
            slot.steps.clear();
        }
        match dice.below(16) {
            0 => self.compile(&mut slot, dice),
            1..=6 => self.accept_allowed(&mut slot, dice),
            7 => self.accept_any(&mut slot, dice),
            8 => self.take_forced(&mut slot),
            9 => self.complete(&mut slot),
            10 => self.roll_back(&mut slot, dice),
            11 => {
                let fork = slot.clone();
                // Two slots are never locked at once.
                drop(slot);
                self.counters.count("forks", 1);
                *lock(&self.pool.slots[dice.below(N_SLOTS)]) = fork;
            }
            12 => {
                drop(slot);
                self.fill_batch(dice);
            }
            13 => {
                // What they say depends on the others; they are asked in the middle of it all.
                let grammar = slot.matcher.grammar();
                assert!(grammar.stats().bytes > 0 && grammar.report().violations.is_empty());
            }
            14 => {
                let state =
                    Seen::State(slot.matcher.is_accepting(), slot.matcher.is_finished(), slot.matcher.is_stopped());
                self.note(&slot, state);
            }
            _ => drop(self.mask(&mut slot)),
        }
    }

    /// All that was seen.
    pub(super) fn finish(self) -> (Vec<Observation>, Counters) {
        (self.observations, self.counters)
    }

    fn note(&mut self, slot: &Slot, seen: Seen) {
        self.observations.push(Observation { grammar: slot.grammar, steps: slot.steps.clone(), seen });
    }

    /// Another grammar, which the compiler knows or has forgotten.
    fn compile(&mut self, slot: &mut Slot, dice: &mut Dice) {
        let grammar = dice.below(self.pool.grammars.len());
        let compiled = dice.pick(&self.pool.compilers).compile(&self.pool.grammars[grammar]);
        let compiled = compiled.expect("the grammar is sound");
        let matcher = compiled.matcher();
        lock(&self.pool.compiled).push(compiled);
        *slot = Slot { grammar, matcher, steps: Vec::new() };
        self.counters.count("compilations", 1);
    }

    fn mask(&mut self, slot: &mut Slot) -> Vec<TokenId> {
        if slot.matcher.is_stopped() {
            assert!(matches!(slot.matcher.mask(), Err(MatchError::Stopped)));
            self.note(slot, Seen::Mask(None));
            return Vec::new();
        }
        let mut words = vec![u32::MAX; slot.matcher.grammar().vocabulary().mask_words()];
        slot.matcher.fill_mask(&mut words).expect("no limit is met");
        self.counters.count("masks", 1);
        let ids = (0..).map(TokenId::new).take(words.len() * 32);
        let allowed = ids.filter(|id| words[id.index() / 32] >> (id.index() % 32) & 1 == 1).collect();
        self.note(slot, Seen::Mask(Some(words)));
        allowed
    }

    fn accept_allowed(&mut self, slot: &mut Slot, dice: &mut Dice) {
        let allowed = self.mask(slot);
        if allowed.is_empty() {
            return;
        }
        let token = *dice.pick(&allowed);
        slot.matcher.accept_token(token).expect("the token is in the mask");
        slot.steps.push(Step::Token(token));
        self.counters.count("tokens", 1);
    }

    fn accept_any(&mut self, slot: &mut Slot, dice: &mut Dice) {
        if slot.matcher.is_stopped() {
            return;
        }
        let n_ids = slot.matcher.grammar().vocabulary().len();
        let token = TokenId::new(u32::try_from(dice.below(n_ids)).expect("a small vocabulary"));
        let result = slot.matcher.accept_token(token);
        assert!(matches!(result, Ok(()) | Err(MatchError::TokenNotAllowed { .. })), "{result:?}");
        self.note(slot, Seen::Accepts(token, result.is_ok()));
        if result.is_ok() {
            slot.steps.push(Step::Token(token));
        }
    }

    fn take_forced(&mut self, slot: &mut Slot) {
        let forced = slot.matcher.fast_forward_bytes().expect("no limit is met");
        self.note(slot, Seen::Forced(forced.clone()));
        if !forced.is_empty() {
            slot.matcher.accept_bytes(&forced).expect("it is the only way on");
            slot.steps.push(Step::Bytes(forced));
        }
    }

    fn complete(&mut self, slot: &mut Slot) {
        let completion = slot.matcher.completion().expect("no limit is met");
        self.counters.count("completions", 1);
        self.note(slot, Seen::Completion(completion.to_vec()));
    }

    fn roll_back(&mut self, slot: &mut Slot, dice: &mut Dice) {
        let n_steps = dice.below(slot.steps.len() + 1);
        slot.matcher.rollback(n_steps).expect("there are so many steps");
        slot.steps.truncate(slot.steps.len() - n_steps);
        self.counters.count("rollbacks", 1);
    }

    /// Forks of a few matchers, whose masks are made on several threads.
    fn fill_batch(&mut self, dice: &mut Dice) {
        let indices: Vec<usize> = (0..1 + dice.below(6)).map(|_| dice.below(N_SLOTS)).collect();
        let slots = indices.iter().map(|index| lock(&self.pool.slots[*index]).clone());
        let slots: Vec<Slot> = slots.filter(|slot| !slot.matcher.is_stopped()).collect();
        let mut matchers: Vec<Matcher> = slots.iter().map(|slot| slot.matcher.fork()).collect();
        let Some(n_words) = matchers.first().map(|matcher| matcher.grammar().vocabulary().mask_words()) else { return };
        let mut rows = vec![u32::MAX; n_words * matchers.len()];
        fill_masks(&mut matchers, &mut rows, 1 + dice.below(3)).expect("no limit is met");
        for (slot, row) in slots.iter().zip(rows.chunks(n_words)) {
            self.note(slot, Seen::Mask(Some(row.to_vec())));
        }
        self.counters.count("masks in batches", slots.len());
    }
}
