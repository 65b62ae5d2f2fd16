//! How does a lexeme end soonest? The bytes from a state to the end of a short lexeme.
//!
//! A search for the shortest path to an accepting state after Hart, Nilsson and Raphael (A Formal Basis for the Heuristic
//! Determination of Minimum Cost Paths, 1968). Where the automaton knows how far away the end is (free strings, patterns
//! whose lengths were worked out) each step is one that comes nearer, and no other is looked at: a string of 1,000 characters
//! takes 1,000 steps. Elsewhere the search spreads, so it has a bound; behind that it goes for what is near the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::automaton::Automaton;
use super::json_string::{StringAutomaton, StringState};
use super::lazy_dfa::Machine;
use super::literals::Range;
use super::number::{NumberMachine, NumberState, number_class};
use crate::hash::HashSet;

/// Most steps of the search for a shortest path.
const MAX_STEPS: usize = 200_000;

/// Most steps of a search for any path, which comes after it.
const MAX_HASTY_STEPS: usize = 200_000;

/// Most states of the search for the end of a number.
const MAX_NUMBER_STATES: usize = 20_000;

/// A state of the search, and how it was come to.
#[derive(Clone, Copy)]
struct Node {
    state: u64,
    n_chars: u32,
    /// Bytes read.
    n_read: u32,
    /// The node before and the byte behind it; the start has itself.
    before: u32,
    byte: u8,
    /// Letters that were tried.
    n_tried: u16,
}

impl Automaton {
    /// Bytes that end a lexeme soonest from `state`, `n_chars` characters being there. Of bytes that lead equally far, the one
    /// that comes first in `letters` is taken; bytes that are not in it are never taken, but in literals. `None` where no end
    /// was found within the bounds above.
    pub(crate) fn ending(&self, state: u64, n_chars: u32, letters: &[u8]) -> Option<Vec<u8>> {
        match self {
            Automaton::Literal(bytes) => bytes.get(state as usize..).map(<[u8]>::to_vec),
            Automaton::OneOf(_) => {
                let endings = self.endings_of_literals(state)?;
                endings.min_by_key(|ending| ending.len()).map(<[u8]>::to_vec)
            }
            Automaton::Special(_) => None,
            _ if self.is_accepting(state) => Some(Vec::new()),
            Automaton::Number(number) => number_ending(number.machine(), &number.state(state), letters),
            _ => self.search(state, n_chars, letters, 1, MAX_STEPS).or_else(|| {
                // Far from all ends a shortest way is not to be found: any will do.
                self.search(state, n_chars, letters, 64, MAX_HASTY_STEPS)
            }),
        }
    }

    /// All ends of a lexeme from `state`, where it is one of some strings.
    pub(crate) fn endings_of_literals(&self, state: u64) -> Option<impl Iterator<Item = &[u8]>> {
        let Automaton::OneOf(strings) = self else { return None };
        let range = Range::from_bits(state);
        let begun = strings.get(range.lo as usize..range.hi as usize)?;
        Some(begun.iter().filter_map(move |string| string.get(range.depth as usize..)))
    }

    /// The search; with a `weight` above 1, what is near the end comes before what is short.
    fn search(&self, state: u64, n_chars: u32, letters: &[u8], weight: u32, max_steps: usize) -> Option<Vec<u8>> {
        let mut nodes = vec![Node { state, n_chars, n_read: 0, before: 0, byte: 0, n_tried: 0 }];
        let mut met = HashSet::from_iter([(state, n_chars)]);
        let priority = |node: &Node| node.n_read + weight * self.bytes_to_end(node.state, node.n_chars);
        let mut pending = BinaryHeap::from([(Reverse(priority(&nodes[0])), 0u32)]);
        let mut n_steps = 0;
        while let Some((Reverse(expected), index)) = pending.pop() {
            let node = nodes[index as usize];
            for (n_tried, byte) in (1..).zip(letters).skip(node.n_tried.into()) {
                n_steps += 1;
                let mut n_chars = node.n_chars;
                let Some(state) = self.step(node.state, *byte, &mut n_chars) else { continue };
                if !met.insert((state, n_chars)) {
                    continue;
                }
                let n_read = node.n_read + 1;
                nodes.push(Node { state, n_chars, n_read, before: index, byte: *byte, n_tried: 0 });
                if self.is_accepting(state) {
                    return Some(path(&nodes));
                }
                let child = nodes.len() as u32 - 1;
                let priority = priority(&nodes[child as usize]);
                pending.push((Reverse(priority), child));
                if priority <= expected {
                    // It comes nearer: the other letters wait.
                    nodes[index as usize].n_tried = n_tried;
                    pending.push((Reverse(expected), index));
                    break;
                }
            }
            if n_steps > max_steps {
                return None;
            }
        }
        None
    }

    /// No lexeme ends within fewer bytes.
    fn bytes_to_end(&self, state: u64, n_chars: u32) -> u32 {
        match self {
            Automaton::String(string) => string.bytes_to_end(StringState::from_bits(state), n_chars),
            _ => 0,
        }
    }
}

impl StringAutomaton {
    /// As [`Automaton::bytes_to_end`]: each character and the closing quote take one byte at least.
    fn bytes_to_end(&self, state: StringState, n_chars: u32) -> u32 {
        use super::decoder::DecodeState;
        match state.decode() {
            DecodeState::CLOSED => 0,
            DecodeState::BEFORE => 2 + self.chars_to_end(state.content(), n_chars),
            DecodeState::BODY => 1 + self.chars_to_end(state.content(), n_chars),
            // A character is begun and counted, but the content's state is that before it: it takes one more byte at least.
            _ => 1 + self.chars_to_end(state.content(), n_chars.saturating_sub(1)).max(1),
        }
    }
}

/// The bytes that end a number soonest. The states of numbers may be without end, and those of a search are of no use to anyone
/// else, so they are not kept with the automaton, which would soon be full.
fn number_ending(machine: &NumberMachine, start: &NumberState, letters: &[u8]) -> Option<Vec<u8>> {
    // Where a shortest way is not to be found, any will do.
    search_number(machine, start, letters, 1).or_else(|| search_number(machine, start, letters, 1_000))
}

/// With a `weight` above 1, what is near the end comes before what is short.
fn search_number(machine: &NumberMachine, start: &NumberState, letters: &[u8], weight: u32) -> Option<Vec<u8>> {
    // Each state with the index of the one before, the byte behind that, and the number of bytes.
    let mut found = vec![(start.clone(), 0, 0, 0u32)];
    let mut met = HashSet::from_iter([start.clone()]);
    let mut pending = BinaryHeap::from([(Reverse(0), 0, Reverse(0usize))]);
    while let Some((_, _, Reverse(index))) = pending.pop() {
        let (state, _, _, n_read) = found[index].clone();
        for byte in letters {
            let Some(next) = number_class(*byte).and_then(|class| machine.step(&state, class)) else { continue };
            if machine.liveness(&next) == Some(false) || !met.insert(next.clone()) {
                continue;
            }
            let is_end = machine.is_accepting(&next);
            let expected = n_read + weight.saturating_mul(machine.bytes_to_end(&next));
            pending.push((Reverse(expected), n_read, Reverse(found.len())));
            found.push((next, index, *byte, n_read + 1));
            if is_end {
                let mut at = found.len() - 1;
                let mut bytes = Vec::new();
                while at != 0 {
                    bytes.push(found[at].2);
                    at = found[at].1;
                }
                bytes.reverse();
                return Some(bytes);
            }
        }
        if found.len() > MAX_NUMBER_STATES {
            return None;
        }
    }
    None
}

/// The bytes that lead to the last node.
fn path(nodes: &[Node]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut node = nodes.last();
    while let Some(Node { n_read: 1.., before, byte, .. }) = node {
        bytes.push(*byte);
        node = nodes.get(*before as usize);
    }
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::automata::{Bound, ContentConstraint, ContentLanguage, Decimal, NumberSpec, StringSpec, Terminal};
    use crate::limits::Limits;

    fn ending(terminal: &Terminal, begun: &str) -> String {
        ending_in(terminal, begun, b"\"ab")
    }

    fn ending_in(terminal: &Terminal, begun: &str, first_letters: &[u8]) -> String {
        let automaton = Automaton::new(terminal, &Limits::default()).unwrap();
        let letters: Vec<u8> = first_letters.iter().copied().chain(0..=u8::MAX).collect();
        let mut n_chars = 0;
        let step = |state, byte| automaton.step(state, byte, &mut n_chars);
        let state = begun.bytes().try_fold(automaton.start(), step).unwrap();
        let bytes = automaton.ending(state, n_chars, &letters).unwrap();
        let end = bytes.iter().try_fold(state, |state, byte| automaton.step(state, *byte, &mut n_chars));
        assert!(end.is_some_and(|end| automaton.is_accepting(end)), "{begun}");
        String::from_utf8(bytes).unwrap()
    }

    fn string(patterns: &[&str], min_chars: u32, max_chars: Option<u32>) -> Terminal {
        let constraint = |pattern: &&str| {
            let language = ContentLanguage::Search((*pattern).into());
            ContentConstraint { language, negated: false }
        };
        let content = patterns.iter().map(constraint).collect();
        Terminal::String(StringSpec { content, min_chars, max_chars, ..StringSpec::default() }.into())
    }

    #[test]
    fn endings_are_the_shortest() {
        assert_eq!(ending(&Terminal::Literal(Arc::from(*b"abc")), "a"), "bc");
        let strings: Arc<[Box<[u8]>]> = ["ab", "abcd", "b"].map(|it| it.as_bytes().into()).into();
        assert_eq!(ending(&Terminal::OneOf(Arc::clone(&strings)), "abc"), "d");
        assert_eq!(ending(&Terminal::OneOf(strings), ""), "b");
        assert_eq!(ending(&string(&[], 0, None), ""), "\"\"");
        assert_eq!(ending(&string(&[], 3, Some(4)), "\"x\\"), "\"a\"");
        assert_eq!(ending(&string(&[], 1000, None), "\"x").len(), 1000);
        assert_eq!(ending(&string(&["^(a|bcd)+x$"], 0, None), "\"b"), "cdx\"");
        assert_eq!(ending(&string(&["^(a|bcd)+x$"], 9, Some(20)), "\"b"), "cdaaaaax\"");
        assert_eq!(ending(&string(&["^[ab]*$", "a.{5}$"], 0, None), "\"b").len(), 7);
        assert_eq!(ending(&string(&["^[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}$"], 0, None), "").len(), 38);
        assert_eq!(ending(&Terminal::Regex(Arc::from("x{3,9}(yz)?")), "xx"), "x");
    }

    #[test]
    fn what_is_looked_for_anywhere_ends_soonest_whatever_letter_is_tried_first() {
        let date_time = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}.\d{6}";
        for (begun, n_left) in [("", 28), ("\"", 27), ("\"2020-01", 20), ("\"2020-xx", 27), ("\"20201-1", 21)] {
            for first_letters in ["\"ab", "\"-=*_", "9-", "\\u\"-"] {
                let end = ending_in(&string(&[date_time], 0, None), begun, first_letters.as_bytes());
                assert_eq!(end.len(), n_left, "{begun}{end}");
            }
        }
    }

    #[test]
    fn numbers_end_within_their_bounds() {
        let number = |minimum: &str, multiple: Option<&str>| {
            let minimum = Some(Bound { value: Decimal::parse(minimum).unwrap(), exclusive: false });
            let multiples = multiple.map(|it| Decimal::parse(it).unwrap()).into_iter().collect();
            Terminal::Number(NumberSpec { integer: true, minimum, multiples, ..NumberSpec::default() }.into())
        };
        assert_eq!(ending(&number("0", None), "").len(), 1);
        assert_eq!(ending(&number("1000000000000", None), "").len(), 13);
        assert_eq!(ending(&number("99", Some("7919")), "").len(), 4);
        assert_eq!(ending(&number("1000000", Some("7919")), "10000").len(), 4);
        // So many remainders are never searched.
        assert_eq!(ending(&number("1", Some("999999999989")), "12").len(), 12);
        assert_eq!(ending(&number("1", Some("999999999999999989")), "").len(), 18);
    }
}
