//! Which lengths can a string still get? Exact length bounds on top of a content automaton.
//!
//! A bound is a counter beside the automaton's state, never part of it. Whether a state is live under a bound
//! depends on the lengths of the texts that it can still accept: for each state they are a few intervals, found by
//! walking back from the accepting states length by length until nothing changes any more.

use std::sync::Arc;

use fixedbitset::FixedBitSet;
use smallvec::SmallVec;

use super::lazy_dfa::{LazyDfa, Machine, StateId};
use super::nfa::{Nfa, Sources};

/// Most states of a content automaton under a length bound.
const MAX_STATES: usize = 4_000;
/// Most lengths that are looked at before the walk must have come to rest.
const MAX_LENGTH: u32 = 20_000;
/// Most state visits of the walk.
const MAX_WORK: usize = 5_000_000;

/// Characters within which a text gets out of opaque states.
const MAX_OPAQUE: u32 = 64;

/// Intervals in rising order, both ends inside; `u32::MAX` is without end.
pub(crate) type Intervals = SmallVec<[(u32, u32); 1]>;

/// Lengths of the texts that each state accepts.
#[derive(Clone, Debug)]
pub(crate) enum Lengths {
    /// Every state accepts texts of every length.
    All,
    /// By state.
    ByState {
        intervals: Arc<[Intervals]>,
        /// From this length on nothing changes.
        settled: u32,
        /// Whether every state accepts all lengths from `settled` on.
        open_ended: bool,
    },
    /// The machine knows them: a state's lengths are those of the NFA's states that it consists of.
    InParts {
        /// As above.
        settled: u32,
        /// As above.
        open_ended: bool,
    },
    /// Every state accepts all lengths from one on that its machine tells. States are without end, and there is none from
    /// which on nothing changes: a few characters more ask for a few more to complete them.
    FromDistance,
}

/// How many characters must have room so that a token is not refused for its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// For what is there already.
    pub(super) base: u32,
    /// For each character of the token.
    pub(super) per_char: u32,
    /// For what is escaped in the token, if anything is.
    pub(super) odd: u32,
}

impl Room {
    /// Where so many characters may come, no token of at most `n_chars` is refused.
    pub(crate) fn of_any(self, n_chars: u32) -> u32 {
        self.base + self.per_char * n_chars + self.odd
    }

    /// How long tokens without escapes may be that are not refused for `max`; `None` where any might be.
    pub(crate) fn safe_chars(self, max: u32) -> Option<u32> {
        Some(max.checked_sub(self.base)? / self.per_char)
    }

    /// Whether tokens with escapes may need more than others.
    pub(crate) fn tells_odd_apart(self) -> bool {
        self.odd > 0
    }
}

/// With [`Lengths::FromDistance`]: the room that a token may need beside what plain ones of its length need. What is escaped
/// may refer to groups, by number or by name, that must come.
pub(super) const ODD_ROOM: u32 = 256;

/// Lengths of the texts that the states of an NFA accept.
#[derive(Clone, Debug)]
pub(crate) struct NfaLengths {
    intervals: Vec<Intervals>,
    settled: u32,
    open_ended: bool,
}

/// What a walk back from the accepting states finds.
struct Walk {
    intervals: Vec<Intervals>,
    /// States that accept every length from `settled` on.
    open: FixedBitSet,
    settled: u32,
}

impl Lengths {
    /// Works out the lengths for all states of `dfa`; `None` when that is beyond the bounds above.
    pub(crate) fn new<M: Machine>(dfa: &LazyDfa<M>) -> Option<Lengths> {
        let states = dfa.transparent(0, MAX_STATES)?;
        let n_states = states.iter().max().map_or(0, |last| *last as usize + 1);
        let mut listed = FixedBitSet::with_capacity(n_states);
        states.iter().for_each(|state| listed.insert(*state as usize));
        let mut edges = Vec::new();
        let mut opaque_reach = 0;
        for state in &states {
            for target in (0..dfa.machine().n_classes()).filter_map(|class| dfa.next(*state, class)) {
                match listed.contains(target as usize) {
                    true => edges.push((target, *state)),
                    false => opaque_reach = MAX_OPAQUE,
                }
            }
        }
        let accepting = states.iter().map(|state| *state as usize).filter(|state| dfa.is_accepting(*state as StateId));
        let (reads, empties) = (Sources::new(n_states, edges), Sources::new(n_states, Vec::new()));
        let Walk { intervals, open, settled } = walk_back(&reads, &empties, accepting.collect(), n_states)?;
        let open_ended = listed.is_subset(&open);
        let all = open_ended && states.iter().all(|state| *intervals[*state as usize] == [(0, u32::MAX)]);
        Some(match all {
            true => Lengths::All,
            false => Lengths::ByState { intervals: intervals.into(), settled: settled + opaque_reach, open_ended },
        })
    }

    /// Those that the machine of an automaton knows.
    pub(crate) fn in_parts(lengths: &NfaLengths) -> Lengths {
        Lengths::InParts { settled: lengths.settled, open_ended: lengths.open_ended }
    }

    /// The lengths of the texts that `state` of `dfa` accepts.
    pub(crate) fn of<'a, M: Machine>(&'a self, dfa: &'a LazyDfa<M>, state: StateId) -> &'a [(u32, u32)] {
        match self {
            Lengths::All => &[(0, u32::MAX)],
            Lengths::ByState { intervals, .. } => &intervals[state as usize],
            Lengths::InParts { .. } | Lengths::FromDistance => dfa.lengths(state),
        }
    }

    /// Nothing is known of any state.
    pub(crate) fn unknown() -> Lengths {
        Lengths::ByState { intervals: Arc::new([]), settled: MAX_LENGTH, open_ended: false }
    }

    /// Whether nothing is known of `state`, as it is opaque.
    pub(crate) fn is_unknown(&self, state: StateId) -> bool {
        match self {
            Lengths::All | Lengths::InParts { .. } | Lengths::FromDistance => false,
            Lengths::ByState { intervals, .. } => intervals.get(state as usize).is_none_or(|them| them.is_empty()),
        }
    }

    /// From this length on every state accepts either all lengths or none, where there is such a length.
    pub(super) fn settled(&self) -> u32 {
        match self {
            Lengths::All | Lengths::FromDistance => 0,
            Lengths::ByState { settled, .. } | Lengths::InParts { settled, .. } => *settled,
        }
    }

    /// Whether every state accepts all lengths from [`Lengths::settled`] on.
    pub(crate) fn is_open_ended(&self) -> bool {
        match self {
            Lengths::All | Lengths::FromDistance => true,
            Lengths::ByState { open_ended, .. } | Lengths::InParts { open_ended, .. } => *open_ended,
        }
    }
}

impl NfaLengths {
    /// Works out the lengths for all states; `None` when that is beyond the bounds above. With `search`, anything may follow
    /// a match.
    pub(super) fn new(nfa: &Nfa, search: bool) -> Option<NfaLengths> {
        let n_states = nfa.n_states();
        let mut going_on: FixedBitSet = nfa.readers().collect();
        going_on.grow(n_states);
        let readers = going_on.clone();
        if search {
            going_on.union_with(&nfa.matches());
        }
        let (reads, empties) = (nfa.reading_edges(search), nfa.empty_edges());
        close(&empties, &mut going_on);
        let Walk { intervals, open, settled } = walk_back(&reads, &empties, nfa.accepting(), n_states)?;
        // Behind no letter the text must end: else a set of open states may be followed by one that is not.
        let mut last = (0..n_states).filter(|state| nfa.is_live(*state) && !going_on.contains(*state));
        let ends_somewhere = last.any(|state| !reads.of(state).is_empty());
        let start = nfa.start(search);
        let goes_on = !start.kept.is_empty() || start.matched && search;
        let open_ended = goes_on && readers.is_subset(&open) && !ends_somewhere;
        Some(NfaLengths { intervals, settled, open_ended })
    }

    /// Whether every state, and every set of states that is reached, accepts all lengths from some length on.
    pub(super) fn is_open_ended(&self) -> bool {
        self.open_ended
    }

    /// The shortest and the longest text that is accepted from one of these states on.
    pub(super) fn extent(&self, states: &[u32], accepting: bool) -> Option<(u32, u32)> {
        let of_all = self.of(states, accepting);
        Some((of_all.first()?.0, of_all.last()?.1))
    }

    /// Those of a set of states, and of the empty text if it is accepted.
    pub(super) fn of(&self, states: &[u32], accepting: bool) -> Intervals {
        let mut all: Vec<(u32, u32)> =
            states.iter().flat_map(|state| &self.intervals[*state as usize]).copied().collect();
        all.extend(accepting.then_some((0, 0)));
        all.sort_unstable();
        let mut merged = Intervals::new();
        for (lo, hi) in all {
            match merged.last_mut() {
                Some((_, end)) if lo <= end.saturating_add(1) => *end = hi.max(*end),
                _ => merged.push((lo, hi)),
            }
        }
        merged
    }
}

/// Adds all states from which some of `states` is reached without a letter.
fn close(empties: &Sources, states: &mut FixedBitSet) -> usize {
    let mut pending: Vec<usize> = states.ones().collect();
    let mut n_steps = 0;
    while let Some(state) = pending.pop() {
        n_steps += 1;
        for source in empties.of(state) {
            if !states.put(*source as usize) {
                pending.push(*source as usize);
            }
        }
    }
    n_steps
}

/// Length by length, which states accept texts of it, until nothing changes any more.
fn walk_back(reads: &Sources, empties: &Sources, mut current: FixedBitSet, n_states: usize) -> Option<Walk> {
    let mut intervals: Vec<Intervals> = vec![Intervals::new(); n_states];
    current.grow(n_states);
    let mut work = close(empties, &mut current);
    let mut length = 0;
    loop {
        for state in current.ones() {
            match intervals[state].last_mut() {
                Some(last) if last.1 + 1 == length => last.1 = length,
                _ => intervals[state].push((length, length)),
            }
        }
        let mut next = FixedBitSet::with_capacity(n_states);
        for state in current.ones() {
            work += 1 + reads.of(state).len();
            reads.of(state).iter().for_each(|source| next.insert(*source as usize));
        }
        work += close(empties, &mut next);
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
    Some(Walk { intervals, open: current, settled: length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::content::ContentMachine;
    use crate::automata::{ContentConstraint, ContentLanguage};
    use crate::limits::Limits;

    fn automaton(language: ContentLanguage) -> LazyDfa<ContentMachine> {
        let limits = Limits::default();
        let constraint = ContentConstraint { language, negated: false };
        let machine = ContentMachine::new(&[constraint], None, &limits).unwrap();
        LazyDfa::new(machine, 10_000)
    }

    #[test]
    fn parts_know_what_the_whole_accepts() {
        let patterns = [
            "",
            "a",
            "a*",
            "a+b?",
            "(?:ab)*",
            "(?:ab|cde){2,5}",
            "^a{3,9}$",
            "^$",
            "a$|^b",
            "^(?:x|yz)*$",
            "[a-z]{1,70}z",
            "^[a-z]+@[a-z]{2,4}$",
            "(?:a|b$)c*",
            "^(?:a*|b{7})$",
            "^(?:...|.....)+$",
            "a|$",
            "(?:^a|b)+$",
            "a^b|c",
        ];
        for pattern in patterns {
            for language in [ContentLanguage::Search(pattern.into()), ContentLanguage::Match(pattern.into())] {
                let listed = automaton(language.clone());
                let parts = automaton(language.clone());
                let of_states = Lengths::new(&listed);
                let of_parts = parts.machine().measure().of_states.as_ref().map(Lengths::in_parts);
                assert_eq!(of_states.is_some(), of_parts.is_some(), "{language:?}");
                let Some((of_states, of_parts)) = of_states.zip(of_parts) else { continue };
                let of_start = of_parts.of(&parts, 0);
                let extent = of_start.first().zip(of_start.last()).map(|(first, last)| (first.0, last.1));
                assert!(extent.is_none_or(|extent| extent == parts.machine().measure().extent), "{language:?}");
                // Both number their states by the order in which they are reached, which is the same here.
                for state in listed.reachable(0, 1000, usize::MAX).unwrap() {
                    assert_eq!(
                        parts.reachable(0, 1000, usize::MAX).unwrap().len(),
                        listed.reachable(0, 1000, usize::MAX).unwrap().len()
                    );
                    let (left, right) = (of_states.of(&listed, state), of_parts.of(&parts, state));
                    assert_eq!(left, right, "{language:?} {state}");
                    let open = right.last().is_some_and(|last| last.0 <= of_parts.settled() && last.1 == u32::MAX);
                    assert!(open || !of_parts.is_open_ended(), "{language:?} {state}");
                }
            }
        }
    }
}
