//! Where does this state go, and can it still accept? Deterministic automata whose states are made when reached.
//!
//! A [`Machine`] says how its (arbitrarily rich) states step; [`LazyDfa`] numbers the states, remembers the steps
//! in one row of a table per state, and offers only steps to *live* states, from which some accepting state can be
//! reached. Reading a known step takes no lock; finding a new one takes the automaton's mutex.

use std::cmp::Reverse;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::lengths::Intervals;
use super::overflow::{self, OverflowWatch};
use crate::hash::{HashMap, HashSet, Numbered};

/// An automaton described by its states' contents.
pub(crate) trait Machine {
    /// Everything that the future depends on.
    type State: Clone + Eq + Hash;
    /// Number of input classes.
    fn n_classes(&self) -> usize;
    /// The first state.
    fn start(&self) -> Self::State;
    /// The next state; `None` when nothing can match any more. May return states that are not live.
    fn step(&self, state: &Self::State, class: usize) -> Option<Self::State>;
    /// Whether the input may end here.
    fn is_accepting(&self, state: &Self::State) -> bool;
    /// Whether some accepting state can be reached, where the machine knows better than a search: it must, where its
    /// states are without end.
    fn liveness(&self, _state: &Self::State) -> Option<bool> {
        None
    }
    /// Whether it is clear without a search, though not cheap to tell, that no accepting state can be reached.
    fn is_surely_dead(&self, _state: &Self::State) -> bool {
        false
    }
    /// For each class the first one that the state treats like it, as far as that is cheap to tell.
    fn alike(&self, _state: &Self::State, alike: &mut Vec<u8>) {
        alike.clear();
    }
    /// A state that goes where `state` does on every class but one, and that class: what is known of its steps is known of
    /// both. None of such a state's own is asked for.
    fn model(&self, _state: &Self::State) -> Option<(Self::State, usize)> {
        None
    }
    /// A state by which it may be tried what comes next, with fewer states on the way: what goes on from one goes on from the
    /// other, but for texts that hold what tokens do not, which whoever asks for it must know.
    fn trial(&self, _state: &Self::State) -> Option<Self::State> {
        None
    }
    /// How far an accepting state seems to be: a search goes where it is small.
    fn guess(&self, _state: &Self::State) -> u32 {
        0
    }
    /// Whether the state is larger than states may be, which counts as an overflow.
    fn is_too_large(&self, _state: &Self::State) -> bool {
        false
    }
    /// Whether the state is one of very many, which are not to be listed.
    fn is_opaque(&self, _state: &Self::State) -> bool {
        false
    }
    /// The lengths of the texts that are accepted from the state on, where the machine knows them.
    fn lengths(&self, _state: &Self::State) -> Intervals {
        Intervals::new()
    }
    /// Steps of a mask that a step from the state counts as.
    fn cost(&self, state: &Self::State) -> usize {
        20 + self.n_bytes(state) / 2
    }
    /// Bytes that the machine came to hold beside its states.
    fn n_own_bytes(&self) -> usize {
        0
    }
    /// Whether the machine has little room left for what it holds beside its states.
    fn is_nearly_full(&self) -> bool {
        false
    }
    /// Bytes that a state holds beside itself.
    fn n_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// States that go where one of them does, each but on one class, see [`Machine::model`].
#[derive(Debug)]
pub(crate) struct Kin {
    pub(crate) model: StateId,
    /// The model, and those of the states that it leads to; sorted.
    pub(crate) states: Vec<StateId>,
    /// The classes on which they differ; sorted.
    pub(crate) classes: Vec<usize>,
}

/// Number of a state, dense from 0, the start state.
pub(crate) type StateId = u32;

/// Steps as they are kept. One to a live state is its number plus one, times two, and one more where the text may end there:
/// whoever asks for both looks once.
const UNKNOWN: u32 = 0;
const DEAD: u32 = 1;

/// Steps of a mask that taking over another state's steps counts as.
const MODEL_COST: usize = 16;

/// Rows live in chunks of doubling size, so that they never move: chunk `k` holds `FIRST_CHUNK << k` of them.
const FIRST_CHUNK: usize = 8;
const N_CHUNKS: usize = 22;

/// States that are looked at depth first before a search for an accepting state goes on breadth first.
const MAX_DEPTH_FIRST: usize = 64;

/// Some states, in few allocations: an automaton of thousands is made and freed in no time.
#[derive(Debug)]
struct Chunk {
    rows: Box<[Row]>,
    /// The steps of one state after those of the other.
    next: Box<[AtomicU32]>,
}

#[derive(Debug, Default)]
struct Row {
    /// Written before the state's number is given to anybody.
    accepting: AtomicBool,
    /// Whether any step is live, where that was asked.
    goes_on: OnceLock<bool>,
    /// What the machine says of lengths, where that was asked.
    lengths: OnceLock<Intervals>,
}

/// A lazily built automaton; see the [module documentation](self).
#[derive(Debug)]
pub(crate) struct LazyDfa<M: Machine> {
    machine: M,
    chunks: [OnceLock<Chunk>; N_CHUNKS],
    work: Mutex<Work<M::State>>,
    max_states: usize,
    n_states: AtomicUsize,
    n_bytes: AtomicUsize,
    /// Whether the start state is live.
    start_is_live: bool,
}

#[derive(Debug)]
struct Work<S> {
    /// By their numbers.
    states: Numbered<S>,
    live: Vec<Liveness>,
    /// What [`Machine::alike`] said last, and of which state.
    alike: (Option<StateId>, Vec<u8>),
    /// Whether no step from anywhere behind the state is dead, where that was asked.
    never_dies: HashMap<StateId, bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Liveness {
    Unknown,
    Live,
    Dead,
}

impl<M: Machine> LazyDfa<M> {
    /// States with ids below this are known to be few; a new automaton holds only its start state.
    pub(crate) fn new(machine: M, max_states: usize) -> LazyDfa<M> {
        let start = machine.start();
        let mut dfa = LazyDfa {
            machine,
            chunks: std::array::from_fn(|_| OnceLock::new()),
            work: Mutex::new(Work {
                states: Numbered::default(),
                live: Vec::new(),
                alike: (None, Vec::new()),
                never_dies: HashMap::default(),
            }),
            // There is always a start state.
            max_states: max_states.max(1),
            n_states: AtomicUsize::new(0),
            n_bytes: AtomicUsize::new(0),
            start_is_live: false,
        };
        let mut work = dfa.lock();
        dfa.intern(&mut work, start);
        let live = dfa.is_live(&mut work, 0);
        drop(work);
        dfa.start_is_live = live;
        dfa
    }

    pub(crate) fn machine(&self) -> &M {
        &self.machine
    }

    /// Whether the automaton accepts nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        !self.start_is_live
    }

    /// Bytes held by states and rows, and by the machine for them.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes.load(Ordering::Relaxed) + self.machine.n_own_bytes()
    }

    /// The live state that `state` goes to.
    pub(crate) fn next(&self, state: StateId, class: usize) -> Option<StateId> {
        match self.step_of(state, class).load(Ordering::Acquire) {
            UNKNOWN => self.find(state, class),
            DEAD => None,
            known => Some((known >> 1) - 1),
        }
    }

    /// Like [`next`](LazyDfa::next), and whether the input may end there.
    pub(crate) fn next_and_accepting(&self, state: StateId, class: usize) -> Option<(StateId, bool)> {
        match self.step_of(state, class).load(Ordering::Acquire) {
            UNKNOWN => self.find(state, class).map(|next| (next, self.is_accepting(next))),
            DEAD => None,
            known => Some(((known >> 1) - 1, known & 1 != 0)),
        }
    }

    /// Whether the input may end in `state`.
    pub(crate) fn is_accepting(&self, state: StateId) -> bool {
        self.row(state).accepting.load(Ordering::Relaxed)
    }

    /// Whether any step from `state`, which is live or the first, is live.
    pub(crate) fn can_go_on(&self, state: StateId) -> bool {
        if !self.is_accepting(state) {
            return state != 0 || self.start_is_live;
        }
        let goes_on = &self.row(state).goes_on;
        goes_on.get().copied().unwrap_or_else(|| {
            let watch = OverflowWatch::start();
            let any = (0..self.machine.n_classes()).any(|class| self.next(state, class).is_some());
            if any || watch.is_clear() { *goes_on.get_or_init(|| any) } else { any }
        })
    }

    /// See [`Machine::lengths`].
    pub(crate) fn lengths(&self, state: StateId) -> &Intervals {
        self.row(state).lengths.get_or_init(|| self.ask(state, M::lengths))
    }

    /// Asks something of what a state holds.
    pub(crate) fn holds(&self, state: StateId, ask: impl FnOnce(&M::State) -> bool) -> bool {
        ask(&self.lock().states[state as usize])
    }

    /// Whether no step is dead, neither from `state` nor from any state behind it. `false` when more than `cap` states
    /// are behind it.
    pub(crate) fn never_dies(&self, state: StateId, cap: usize) -> bool {
        if let Some(known) = self.lock().never_dies.get(&state) {
            return *known;
        }
        let answer = self.none_dies(state, cap);
        self.lock().never_dies.insert(state, answer);
        answer
    }

    fn none_dies(&self, state: StateId, cap: usize) -> bool {
        let mut states = vec![state];
        let mut seen = HashSet::from_iter([state]);
        while let Some(state) = states.pop() {
            for class in 0..self.machine.n_classes() {
                match self.next(state, class) {
                    Some(next) if seen.insert(next) => states.push(next),
                    Some(_) => {}
                    None => return false,
                }
            }
            if seen.len() > cap {
                return false;
            }
        }
        true
    }

    /// Asks the machine something about a state.
    pub(crate) fn ask<T>(&self, state: StateId, question: impl FnOnce(&M, &M::State) -> T) -> T {
        question(&self.machine, &self.lock().states[state as usize])
    }

    /// The states like `state` that are met together with it.
    pub(crate) fn kin(&self, state: StateId) -> Kin {
        let Some((model, _)) = self.model_of(state) else {
            return Kin { model: state, states: vec![state], classes: Vec::new() };
        };
        let (mut states, mut classes) = (vec![model], Vec::new());
        for target in (0..self.machine.n_classes()).filter_map(|class| self.next(model, class)) {
            if let Some((of_target, class)) = self.model_of(target)
                && of_target == model
            {
                states.push(target);
                classes.push(class);
            }
        }
        states.sort_unstable();
        states.dedup();
        classes.sort_unstable();
        classes.dedup();
        Kin { model, states, classes }
    }

    fn model_of(&self, state: StateId) -> Option<(StateId, usize)> {
        let mut work = self.lock();
        let (model, other_class) = self.machine.model(&work.states[state as usize])?;
        Some((self.intern(&mut work, model)?, other_class))
    }

    /// See [`Machine::trial`]: the state itself where there is no other.
    pub(crate) fn trial_of(&self, state: StateId) -> StateId {
        let mut work = self.lock();
        let trial = self.machine.trial(&work.states[state as usize]);
        trial.and_then(|trial| self.intern(&mut work, trial)).unwrap_or(state)
    }

    /// All live states that `state` leads to, itself first; `None` when there are more than `cap`, or finding them out takes
    /// more than about so many steps.
    pub(crate) fn reachable(&self, state: StateId, cap: usize, max_steps: usize) -> Option<Vec<StateId>> {
        self.list(state, cap, max_steps, |_| true)
    }

    fn list(
        &self,
        state: StateId,
        cap: usize,
        max_steps: usize,
        is_wanted: impl Fn(StateId) -> bool,
    ) -> Option<Vec<StateId>> {
        let mut states = vec![state];
        let mut seen = HashSet::from_iter([state]);
        let mut index = 0;
        let enough = overflow::left().saturating_sub(max_steps);
        while index < states.len() {
            for class in 0..self.machine.n_classes() {
                if let Some(next) = self.next(states[index], class)
                    && seen.insert(next)
                    && is_wanted(next)
                {
                    states.push(next);
                }
            }
            if states.len() > cap || overflow::left() < enough {
                return None;
            }
            index += 1;
        }
        Some(states)
    }

    /// Like [`reachable`](LazyDfa::reachable), without opaque states and what only they lead to.
    pub(crate) fn transparent(&self, state: StateId, cap: usize) -> Option<Vec<StateId>> {
        self.list(state, cap, usize::MAX, |next| !self.ask(next, M::is_opaque))
    }

    fn lock(&self) -> MutexGuard<'_, Work<M::State>> {
        // The work is consistent after every single change, so a panic elsewhere leaves it usable.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn row(&self, state: StateId) -> &Row {
        let (chunk, index) = place(state as usize);
        &self.chunk(chunk).rows[index]
    }

    fn step_of(&self, state: StateId, class: usize) -> &AtomicU32 {
        let (chunk, index) = place(state as usize);
        &self.chunk(chunk).next[index * self.machine.n_classes() + class]
    }

    fn chunk(&self, chunk: usize) -> &Chunk {
        self.chunks[chunk].get().expect("a state's row is made when the state is numbered")
    }

    #[cold]
    fn find(&self, state: StateId, class: usize) -> Option<StateId> {
        self.find_within(&mut self.lock(), state, class)
    }

    fn find_within(&self, work: &mut Work<M::State>, state: StateId, class: usize) -> Option<StateId> {
        if let Some((model, other_class)) = self.machine.model(&work.states[state as usize])
            && class != other_class
        {
            overflow::spend(MODEL_COST).then_some(())?;
            let model = self.intern(work, model)?;
            if self.step_of(model, class).load(Ordering::Acquire) == UNKNOWN {
                self.find_within(work, model, class);
            }
            for class in (0..self.machine.n_classes()).filter(|class| *class != other_class) {
                self.step_of(state, class).store(self.step_of(model, class).load(Ordering::Acquire), Ordering::Release);
            }
            return (self.step_of(state, class).load(Ordering::Acquire) >> 1).checked_sub(1);
        }
        let watch = OverflowWatch::start();
        let next = self.step(work, state, class)?;
        let target = next.and_then(|next| self.intern(work, next)).filter(|id| self.is_live(work, *id));
        if target.is_none() && !watch.is_clear() {
            // Not known to be dead: whoever asks next must be told as well that there is no answer.
            return None;
        }
        let entry = target.map_or(DEAD, |id| (id + 1) << 1 | u32::from(self.is_accepting(id)));
        self.step_of(state, class).store(entry, Ordering::Release);
        let alike = self.alike(work, state);
        if let Some(first) = alike.get(class) {
            let others = (0..alike.len()).filter(|other| alike[*other] == *first);
            others.for_each(|other| self.step_of(state, other).store(entry, Ordering::Release));
        }
        target
    }

    /// What the machine makes of a state; the outer `None`, and an overflow, where no steps are left for it.
    fn step(&self, work: &Work<M::State>, state: StateId, class: usize) -> Option<Option<M::State>> {
        let state = &work.states[state as usize];
        overflow::spend(self.machine.cost(state)).then(|| self.machine.step(state, class))
    }

    fn alike<'w>(&self, work: &'w mut Work<M::State>, state: StateId) -> &'w [u8] {
        let Work { states, alike: (of, alike), .. } = work;
        if *of != Some(state) {
            self.machine.alike(&states[state as usize], alike);
            *of = Some(state);
        }
        alike
    }

    /// Whether there is no room for another state, so that more and more questions will have no answer.
    fn is_full(&self) -> bool {
        self.fills(self.max_states)
    }

    /// Whether so many states are there, or as much memory as they may have.
    fn fills(&self, n_states: usize) -> bool {
        self.n_states.load(Ordering::Relaxed) >= n_states || self.n_bytes() > MAX_BYTES_PER_STATE * n_states
    }

    /// Whether little room is left: whoever begins now should have a new one.
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.fills(overflow::nearly(self.max_states)) || self.machine.is_nearly_full()
    }

    /// Numbers a state; `None`, and an overflow, when there are too many.
    fn intern(&self, work: &mut Work<M::State>, state: M::State) -> Option<StateId> {
        if let Some(id) = work.states.get_index_of(&state) {
            return Some(id as StateId);
        }
        if self.is_full() || self.machine.is_too_large(&state) {
            overflow::note();
            return None;
        }
        let id = work.states.len() as StateId;
        let (chunk, index) = place(id as usize);
        let n_classes = self.machine.n_classes();
        let Chunk { rows, .. } = self.chunks[chunk].get_or_init(|| {
            let n_rows = FIRST_CHUNK << chunk;
            self.n_bytes.fetch_add(n_rows * (size_of::<Row>() + 4 * n_classes), Ordering::Relaxed);
            Chunk {
                rows: std::iter::repeat_with(Row::default).take(n_rows).collect(),
                next: std::iter::repeat_with(|| AtomicU32::new(UNKNOWN)).take(n_rows * n_classes).collect(),
            }
        });
        rows[index].accepting.store(self.machine.is_accepting(&state), Ordering::Relaxed);
        self.n_bytes.fetch_add(2 * size_of::<M::State>() + 32 + self.machine.n_bytes(&state), Ordering::Relaxed);
        work.states.insert(state);
        work.live.push(Liveness::Unknown);
        self.n_states.store(work.states.len(), Ordering::Relaxed);
        Some(id)
    }

    /// Searches for an accepting state, forward from `state`. What is found is remembered for all states on the way.
    fn is_live(&self, work: &mut Work<M::State>, state: StateId) -> bool {
        match work.live[state as usize] {
            Liveness::Live => return true,
            Liveness::Dead => return false,
            Liveness::Unknown => {}
        }
        if let Some(live) = self.machine.liveness(&work.states[state as usize]) {
            work.live[state as usize] = if live { Liveness::Live } else { Liveness::Dead };
            return live;
        }
        // Depth first finds the end of what is long and narrow, such as a date; breadth first what is near.
        let found = self.search(work, state, true).or_else(|| {
            if self.machine.is_surely_dead(&work.states[state as usize]) {
                work.live[state as usize] = Liveness::Dead;
                return Some(false);
            }
            self.search(work, state, false)
        });
        found.unwrap_or(false)
    }

    /// Searches where the machine guesses that the distance is least; among equals depth first up to so many states, or,
    /// where it does not know, breadth first. `None` when that does not tell.
    fn search(&self, work: &mut Work<M::State>, state: StateId, depth_first: bool) -> Option<bool> {
        // Each state with the one that it was found from.
        let mut found = vec![(state, usize::MAX)];
        if self.is_accepting(state) {
            work.live[state as usize] = Liveness::Live;
            return Some(true);
        }
        let mut pending = std::collections::BinaryHeap::from([(Reverse(0), 0, 0usize)]);
        let mut seen = HashSet::from_iter([state]);
        let mut n_expanded = 0;
        let watch = OverflowWatch::start();
        let mut alike = Vec::new();
        while let Some((_, _, index)) = pending.pop() {
            let current = found[index].0;
            n_expanded += 1;
            if depth_first && n_expanded > MAX_DEPTH_FIRST {
                return None;
            }
            self.machine.alike(&work.states[current as usize], &mut alike);
            for class in 0..self.machine.n_classes() {
                if alike.get(class).is_some_and(|first| usize::from(*first) < class) {
                    continue;
                }
                let Some(next) = self.step(work, current, class)? else { continue };
                let next = self.intern(work, next)?;
                if work.live[next as usize] == Liveness::Dead || !seen.insert(next) {
                    continue;
                }
                if !depth_first && self.machine.is_surely_dead(&work.states[next as usize]) {
                    work.live[next as usize] = Liveness::Dead;
                    continue;
                }
                found.push((next, index));
                if work.live[next as usize] == Liveness::Live || self.is_accepting(next) {
                    let mut at = found.len() - 1;
                    while at != usize::MAX {
                        work.live[found[at].0 as usize] = Liveness::Live;
                        at = found[at].1;
                    }
                    return Some(true);
                }
                let guess = self.machine.guess(&work.states[next as usize]);
                // Where nothing is known, what is near may be all there is; else many ways seem equally good, and one will do.
                let turn = if depth_first || guess > 0 { found.len() as i64 } else { -(found.len() as i64) };
                pending.push((Reverse(guess), turn, found.len() - 1));
            }
        }
        if !watch.is_clear() {
            return None;
        }
        for (state, _) in found {
            work.live[state as usize] = Liveness::Dead;
        }
        Some(false)
    }
}

/// Bytes that the states of an automaton may hold, for each that there may be.
const MAX_BYTES_PER_STATE: usize = 400;

/// Chunk and index of the `id`-th row.
fn place(id: usize) -> (usize, usize) {
    let scaled = id / FIRST_CHUNK + 1;
    let chunk = scaled.ilog2() as usize;
    (chunk, id - FIRST_CHUNK * ((1 << chunk) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts to 1000 and accepts there; the other class leads to a trap.
    #[derive(Debug)]
    struct Counter;

    impl Machine for Counter {
        type State = u32;
        fn n_classes(&self) -> usize {
            2
        }
        fn start(&self) -> u32 {
            0
        }
        fn step(&self, state: &u32, class: usize) -> Option<u32> {
            match (class, *state) {
                (0, 1000..) => None,
                (0, state) => Some(state + 1),
                (_, _) => Some(5000),
            }
        }
        fn is_accepting(&self, state: &u32) -> bool {
            *state == 1000
        }
    }

    #[test]
    fn rows_are_placed_without_gaps() {
        let places: Vec<_> = (0..100).map(place).collect();
        assert_eq!(places[0], (0, 0));
        assert_eq!(places[7], (0, 7));
        assert_eq!(places[8], (1, 0));
        assert_eq!(places[23], (1, 15));
        assert_eq!(places[24], (2, 0));
    }

    #[test]
    fn only_live_steps_are_offered() {
        let dfa = LazyDfa::new(Counter, 100_000);
        let mut state = 0;
        for _ in 0..1000 {
            assert_eq!(dfa.next(state, 1), None, "the trap never accepts");
            state = dfa.next(state, 0).unwrap();
        }
        assert!(dfa.is_accepting(state) && !dfa.can_go_on(state));
    }

    /// Every state accepts and is followed by another one.
    #[derive(Debug)]
    struct Endless;

    impl Machine for Endless {
        type State = u32;
        fn n_classes(&self) -> usize {
            1
        }
        fn start(&self) -> u32 {
            0
        }
        fn step(&self, state: &u32, _class: usize) -> Option<u32> {
            Some(state + 1)
        }
        fn is_accepting(&self, _state: &u32) -> bool {
            true
        }
    }

    #[test]
    fn what_has_no_answer_is_said_to_have_none_each_time() {
        let dfa = LazyDfa::new(Endless, 3);
        let last = (0..2).fold(0, |state, _| dfa.next(state, 0).unwrap());
        assert!(dfa.is_full() && dfa.is_nearly_full());
        for _ in 0..3 {
            let watch = OverflowWatch::start();
            assert_eq!(dfa.next(last, 0), None);
            assert!(!watch.is_clear());
        }
        for _ in 0..2 {
            let watch = OverflowWatch::start();
            assert!(!dfa.can_go_on(last) && !watch.is_clear(), "nor is it remembered that nothing follows");
        }
    }

    #[test]
    fn a_limit_is_counted() {
        let watch = OverflowWatch::start();
        let dfa = LazyDfa::new(Counter, 10);
        assert!(dfa.is_empty() && !watch.is_clear());
    }
}
