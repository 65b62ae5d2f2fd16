//! Which lengths can a string still get? Exact length bounds on top of a content automaton.
//!
//! A bound is a counter beside the automaton's state, never part of it. Whether a state is live under a bound
//! depends on the lengths of the texts that it can still accept: for each state they are a few intervals, found by
//! walking back from the accepting states length by length until nothing changes any more.

use fixedbitset::FixedBitSet;

use super::lazy_dfa::{LazyDfa, Machine, StateId};

/// Most states of a content automaton under a length bound.
const MAX_STATES: usize = 4_000;
/// Most lengths that are looked at before the walk must have come to rest.
const MAX_LENGTH: u32 = 20_000;
/// Most state visits of the walk.
const MAX_WORK: usize = 20_000_000;

/// Characters within which a text gets out of opaque states.
const MAX_OPAQUE: u32 = 64;

/// Lengths of the texts that each state accepts.
#[derive(Clone, Debug)]
pub(crate) enum Lengths {
    /// Every state accepts texts of every length.
    All,
    /// By state: intervals in rising order, both ends inside; `u32::MAX` is without end.
    ByState {
        intervals: Vec<Vec<(u32, u32)>>,
        /// From this length on nothing changes.
        settled: u32,
        /// Whether every state accepts all lengths from `settled` on.
        open_ended: bool,
    },
}

impl Lengths {
    /// Works out the lengths for all states of `dfa`; `None` when that is beyond the bounds above.
    pub(crate) fn new<M: Machine>(dfa: &LazyDfa<M>) -> Option<Lengths> {
        let states = dfa.transparent(0, MAX_STATES)?;
        let n_states = states.iter().max().map_or(0, |last| *last as usize + 1);
        let mut listed = FixedBitSet::with_capacity(n_states);
        states.iter().for_each(|state| listed.insert(*state as usize));
        let mut sources: Vec<Vec<StateId>> = vec![Vec::new(); n_states];
        let mut opaque_reach = 0;
        for state in &states {
            let mut targets: Vec<StateId> =
                (0..dfa.machine().n_classes()).filter_map(|class| dfa.next(*state, class)).collect();
            targets.sort_unstable();
            targets.dedup();
            for target in targets {
                match listed.contains(target as usize) {
                    true => sources[target as usize].push(*state),
                    false => opaque_reach = MAX_OPAQUE,
                }
            }
        }
        let mut accepting = FixedBitSet::with_capacity(n_states);
        states.iter().filter(|state| dfa.is_accepting(**state)).for_each(|state| accepting.insert(*state as usize));
        let mut lengths = Lengths::walk_back(&states, &sources, accepting)?;
        if let Lengths::ByState { settled, .. } = &mut lengths {
            *settled += opaque_reach;
        }
        Some(lengths)
    }

    fn walk_back(states: &[StateId], sources: &[Vec<StateId>], accepting: FixedBitSet) -> Option<Lengths> {
        let mut intervals: Vec<Vec<(u32, u32)>> = vec![Vec::new(); sources.len()];
        let mut current = accepting;
        let mut length = 0;
        let mut work = 0;
        loop {
            for state in current.ones() {
                match intervals[state].last_mut() {
                    Some(last) if last.1 + 1 == length => last.1 = length,
                    _ => intervals[state].push((length, length)),
                }
            }
            let mut next = FixedBitSet::with_capacity(sources.len());
            for state in current.ones() {
                work += 1 + sources[state].len();
                sources[state].iter().for_each(|source| next.insert(*source as usize));
            }
            if next == current {
                break;
            }
            current = next;
            length += 1;
            if length > MAX_LENGTH || work > MAX_WORK {
                return None;
            }
        }
        for state in current.ones() {
            if let Some(last) = intervals[state].last_mut() {
                last.1 = u32::MAX;
            }
        }
        let open_ended = states.iter().all(|state| current.contains(*state as usize));
        let all = open_ended && states.iter().all(|state| intervals[*state as usize] == [(0, u32::MAX)]);
        Some(if all { Lengths::All } else { Lengths::ByState { intervals, settled: length, open_ended } })
    }

    /// Whether `state` accepts a text of at least `min` and at most `max` characters.
    pub(crate) fn admits(&self, state: StateId, min: u32, max: u32) -> bool {
        match self {
            Lengths::All => min <= max,
            Lengths::ByState { intervals, .. } => {
                intervals[state as usize].iter().any(|(lo, hi)| (*lo).max(min) <= (*hi).min(max))
            }
        }
    }

    /// Nothing is known of any state.
    pub(crate) fn unknown() -> Lengths {
        Lengths::ByState { intervals: Vec::new(), settled: MAX_LENGTH, open_ended: false }
    }

    /// Whether nothing is known of `state`, as it is opaque.
    pub(crate) fn is_unknown(&self, state: StateId) -> bool {
        match self {
            Lengths::All => false,
            Lengths::ByState { intervals, .. } => intervals.get(state as usize).is_none_or(Vec::is_empty),
        }
    }

    /// From this length on every state accepts either all lengths or none.
    pub(crate) fn settled(&self) -> u32 {
        match self {
            Lengths::All => 0,
            Lengths::ByState { settled, .. } => *settled,
        }
    }

    /// Whether every state accepts all lengths from [`Lengths::settled`] on.
    pub(crate) fn is_open_ended(&self) -> bool {
        match self {
            Lengths::All => true,
            Lengths::ByState { open_ended, .. } => *open_ended,
        }
    }
}
