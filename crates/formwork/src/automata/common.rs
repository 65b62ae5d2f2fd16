//! Can two patterns still be met by one and the same rest? Pairs of states of their NFAs, searched forward.
//!
//! The rests that a set of NFA states accepts are those of its members. So two sets have a rest in common exactly if two of
//! their members have, and there are no more pairs of members than the product of the NFAs' sizes, however many sets of them
//! are reached. Each pair is decided once. (The product of automata is that of M. O. Rabin and D. Scott, "Finite Automata
//! and Their Decision Problems", IBM Journal of Research and Development 3(2), 1959, theorem 8, here of automata that are not
//! deterministic.)
//!
//! Of more than two patterns it is necessary that any two of them have a rest in common; nearly always that tells.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::nfa::{Closure, Edge, Nfa};
use super::overflow;
use crate::hash::HashMap;

/// More pairs than this are not looked at for one answer.
const MAX_PAIRS: usize = 50_000;

/// One of the patterns, and its number.
#[derive(Clone, Copy)]
pub(super) struct Pattern<'a> {
    pub(super) nfa: &'a Nfa,
    /// Whether a match anywhere decides, whatever comes after it.
    pub(super) search: bool,
    pub(super) number: usize,
}

/// NFA states of a pattern, and whether the text may end there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) states: &'a [u32],
    pub(super) accepting: bool,
}

/// Numbers of two patterns, and a state of each.
type Pair = (u32, u32, u32, u32);

/// Steps that stand for the work on one pair.
const STEPS_PER_PAIR: usize = 20;

/// What is known of all pairs of some patterns.
#[derive(Debug, Default)]
pub(super) struct CommonRests {
    /// Whether there is a rest. While a search goes on, `false` also says that a pair was met: where it ends without a rest,
    /// there is none.
    known: HashMap<Pair, bool>,
    /// By pattern and state.
    edges: HashMap<(u32, u32), Arc<[Edge]>>,
}

/// A search for a rest.
struct Search<'a> {
    left: Pattern<'a>,
    right: Pattern<'a>,
    /// Pairs of states, each with the one that it was found from.
    found: Vec<(u32, u32, usize)>,
    /// The nearest to an end first; among equals the last.
    pending: BinaryHeap<(Reverse<u32>, usize)>,
}

impl CommonRests {
    /// Whether some rest is accepted from both places; `None` where that takes too long to tell.
    pub(super) fn exist(&mut self, left: (Pattern<'_>, Place<'_>), right: (Pattern<'_>, Place<'_>)) -> Option<bool> {
        let ((left, at_left), (right, at_right)) = (left, right);
        if at_left.accepting && at_right.accepting {
            return Some(true);
        }
        let mut search = Search { left, right, found: Vec::new(), pending: BinaryHeap::new() };
        let answer = self.meet(&mut search, at_left.states, at_right.states, usize::MAX) || self.search(&mut search)?;
        if answer {
            // Nothing is known of those from which no rest was found yet.
            for (a, b, _) in &search.found {
                if self.known.get(&search.key(*a, *b)) == Some(&false) {
                    self.known.remove(&search.key(*a, *b));
                }
            }
        }
        Some(answer)
    }

    fn search(&mut self, search: &mut Search<'_>) -> Option<bool> {
        while let Some((_, index)) = search.pending.pop() {
            let (at_left, at_right, _) = search.found[index];
            let of_left = self.edges(search.left, at_left);
            let of_right = self.edges(search.right, at_right);
            for (a, b) in of_left.iter().flat_map(|a| of_right.iter().map(move |b| (a, b))) {
                if a.lo.max(b.lo) > a.hi.min(b.hi) {
                    continue;
                }
                let (a, b) = (&a.behind, &b.behind);
                // States are kept only where they are live.
                let goes_on = |closure: &Closure| closure.accepting || !closure.kept.is_empty();
                let is_met = a.accepting && b.accepting
                    || search.left.search && a.matched && goes_on(b)
                    || search.right.search && b.matched && goes_on(a);
                if is_met || self.meet(search, &a.kept, &b.kept, index) {
                    let mut at = index;
                    while let Some((a, b, before)) = search.found.get(at).copied() {
                        self.known.insert(search.key(a, b), true);
                        at = before;
                    }
                    return Some(true);
                }
            }
            if search.found.len() > MAX_PAIRS || !overflow::spend(STEPS_PER_PAIR) {
                for (a, b, _) in &search.found {
                    self.known.remove(&search.key(*a, *b));
                }
                return None;
            }
        }
        Some(false)
    }

    /// Adds all pairs of states to a search; whether one of them is known to have a rest.
    fn meet(&mut self, search: &mut Search<'_>, left: &[u32], right: &[u32], before: usize) -> bool {
        for (a, b) in left.iter().flat_map(|a| right.iter().map(move |b| (*a, *b))) {
            match self.known.entry(search.key(a, b)) {
                Entry::Occupied(known) if *known.get() => return true,
                Entry::Occupied(_) => {}
                Entry::Vacant(vacant) => {
                    vacant.insert(false);
                    let distance = search.left.nfa.distance(&[a]).max(search.right.nfa.distance(&[b]));
                    search.pending.push((Reverse(distance), search.found.len()));
                    search.found.push((a, b, before));
                }
            }
        }
        false
    }

    fn edges(&mut self, pattern: Pattern<'_>, state: u32) -> Arc<[Edge]> {
        let key = (pattern.number as u32, state);
        Arc::clone(self.edges.entry(key).or_insert_with(|| pattern.nfa.edges_from(state).into()))
    }
}

impl Search<'_> {
    fn key(&self, left: u32, right: u32) -> Pair {
        (self.left.number as u32, self.right.number as u32, left, right)
    }
}

#[cfg(test)]
mod tests {
    use crate::automata::content::{ContentMachine, ContentState};
    use crate::automata::lazy_dfa::Machine;
    use crate::automata::{ContentConstraint, ContentLanguage};
    use crate::hash::{HashSet, Numbered};
    use crate::limits::Limits;

    fn machine(languages: &[ContentLanguage]) -> ContentMachine {
        let constraint = |language: &ContentLanguage| ContentConstraint { language: language.clone(), negated: false };
        let constraints: Vec<ContentConstraint> = languages.iter().map(constraint).collect();
        ContentMachine::new(&constraints, None, &Limits::default()).unwrap()
    }

    /// All states that are reached, each with whether a text ends behind it: found backwards from those where one ends.
    fn states(machine: &ContentMachine) -> Vec<(ContentState, bool)> {
        let mut states: Numbered<ContentState> = Numbered::from_iter([machine.start()]);
        let mut edges = Vec::new();
        let mut index = 0;
        while index < states.len() {
            let state = states[index].clone();
            for next in (0..machine.n_classes()).filter_map(|class| machine.step(&state, class)) {
                edges.push((index, states.insert_full(next).0));
            }
            index += 1;
            assert!(states.len() < 20_000);
        }
        let mut live: HashSet<usize> =
            (0..states.len()).filter(|index| machine.is_accepting(&states[*index])).collect();
        loop {
            let n_live = live.len();
            let sources: Vec<usize> =
                edges.iter().filter(|(_, target)| live.contains(target)).map(|(source, _)| *source).collect();
            live.extend(sources);
            if live.len() == n_live {
                break;
            }
        }
        states.into_iter().enumerate().map(|(index, state)| (state, live.contains(&index))).collect()
    }

    #[test]
    fn two_patterns_have_a_rest_in_common_or_not() {
        let patterns = [
            "^a(?:b|c)*$",
            "bc",
            "b$",
            "^[ab]{2,4}c?$",
            "^(?:aa|b)+$",
            "^(?:aaa|bb)*$",
            "ab|$",
            "^a*(?:b{3}|c)$",
            "^.{3}$",
            "c..$",
            "^$",
        ];
        let mut n_dead = 0;
        for left in patterns {
            for right in patterns {
                for (left, right) in [
                    (ContentLanguage::Search(left.into()), ContentLanguage::Search(right.into())),
                    (ContentLanguage::Match(left.into()), ContentLanguage::Search(right.into())),
                ] {
                    let machine = machine(&[left.clone(), right.clone()]);
                    let states = states(&machine);
                    // In both directions, as what was found out for one state is used for others.
                    for (state, is_live) in states.iter().chain(states.iter().rev()) {
                        // Patterns that matched already are left out: they have every rest.
                        let is_pair = !machine.any_is_done(state);
                        let is_dead = machine.is_surely_dead(state);
                        assert!(!is_dead || !is_live, "{left:?} {right:?} {state:?}");
                        assert!(is_dead != *is_live || !is_pair, "{left:?} {right:?} {state:?}");
                        n_dead += usize::from(is_dead);
                    }
                }
            }
        }
        assert!(n_dead > 100, "{n_dead}");
    }

    #[test]
    fn no_more_is_said_of_three_patterns_than_two_of_them_tell() {
        let pattern = |pattern: &str| ContentLanguage::Search(pattern.into());
        for patterns in [["^[ab]$", "^[bc]$", "^[ac]$"], ["^a+$", "^(?:aa)+$", "a"], ["a", "b", "^[ac]*$"]] {
            let machine = machine(&patterns.map(pattern));
            for (state, is_live) in states(&machine) {
                assert!(!is_live || !machine.is_surely_dead(&state), "{patterns:?} {state:?}");
            }
        }
    }
}
