//! Is a regex read as `regex-automata` reads it? Byte by byte: what may come next, and where the text may end.
//!
//! Its dense automaton is built from the same pattern, and every state asked whether some end is reached from it. Matching
//! all alternatives, not the leftmost first, makes the automaton that of the language.

use std::collections::HashMap;

use formwork::{Compiler, Grammar, Matcher, TokenId};
use regex_automata::dfa::{Automaton, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

use super::Counters;
use super::engine::{allowed, compile, compiler, small_limits};
use crate::universe::Dice;
use crate::vocabulary::SmallVocabulary;

/// States of an automaton that is compared with.
const MAX_STATES: usize = 3_000;
const MAX_AUTOMATON_BYTES: usize = 4 << 20;
const N_TEXTS: usize = 3;
const N_BYTES: usize = 24;

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    // Up to the first line feed it is the pattern; what follows chooses the texts.
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (pattern, choices) = (String::from_utf8_lossy(&input[..end]), &input[(end + 1).min(input.len())..]);
    let compiler: Compiler = compiler(&SmallVocabulary::bytes(), small_limits());
    let grammar = Grammar::regex(pattern.as_ref());
    let compiled = compile(&compiler, &grammar, counters);
    let Some(language) = Language::of(&pattern) else { return counters.count("without a language to compare", 1) };
    let Some(compiled) = compiled else {
        let is_empty = compiler.compile(&grammar).is_err_and(|error| error.is_unsatisfiable());
        return assert!(!(is_empty && language.is_live(language.start)), "{pattern:?} is not empty");
    };
    assert!(language.is_live(language.start), "{pattern:?} is empty and was compiled");
    let mut dice = Dice::from_bytes(choices);
    for _ in 0..N_TEXTS {
        compare(&language, compiled.matcher(), &mut dice, counters);
    }
}

/// # Panics
/// Where the two differ.
fn compare(language: &Language, mut matcher: Matcher, dice: &mut Dice, counters: &mut Counters) {
    let mut text = Vec::new();
    let mut state = language.start;
    for _ in 0..N_BYTES {
        let Some(mask) = allowed(&mut matcher) else { return counters.count("masks over a limit", 1) };
        let live: Vec<u8> = (0..=u8::MAX).filter(|byte| language.is_live(language.after(state, *byte))).collect();
        let expected: Vec<TokenId> = live.iter().map(|byte| TokenId::new(u32::from(*byte))).collect();
        let (stops, others): (Vec<TokenId>, Vec<TokenId>) = mask.into_iter().partition(|id| id.get() > 255);
        let place = String::from_utf8_lossy(&text);
        assert_eq!(others, expected, "bytes after {place:?}");
        assert_eq!(!stops.is_empty(), language.is_end(state), "end after {place:?}");
        assert_eq!(matcher.is_accepting(), language.is_end(state), "acceptance of {place:?}");
        counters.count("bytes compared", 256);
        let other = dice.below(256) as u8;
        if !live.contains(&other) {
            assert!(matcher.accept_bytes(&[other]).is_err(), "{other} is accepted after {place:?}");
        }
        let Some(byte) = live.get(dice.below(live.len())) else { return };
        matcher.accept_bytes(&[*byte]).expect("the byte is in the mask");
        text.push(*byte);
        state = language.after(state, *byte);
    }
}

/// The language of a pattern, state by state.
struct Language {
    start: usize,
    /// By state and byte.
    next: Vec<[usize; 256]>,
    is_end: Vec<bool>,
    /// Whether some end is reached.
    is_live: Vec<bool>,
}

impl Language {
    /// `None` where the automaton would be too large.
    fn of(pattern: &str) -> Option<Language> {
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(regex_automata::dfa::StartKind::Anchored)
            .dfa_size_limit(Some(MAX_AUTOMATON_BYTES))
            .determinize_size_limit(Some(MAX_AUTOMATON_BYTES));
        let nfa = thompson::Config::new().nfa_size_limit(Some(MAX_AUTOMATON_BYTES));
        let dfa = dense::Builder::new().configure(config).thompson(nfa).build(pattern).ok()?;
        let first = dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
        let mut numbers: HashMap<StateID, usize> = HashMap::from([(first, 0)]);
        let mut states = vec![first];
        let (mut next, mut is_end) = (Vec::new(), Vec::new());
        while let Some(state) = states.get(next.len()).copied() {
            let mut row = [0; 256];
            for (byte, target) in (0..=u8::MAX).zip(&mut row) {
                let after = dfa.next_state(state, byte);
                *target = *numbers.entry(after).or_insert_with(|| {
                    states.push(after);
                    states.len() - 1
                });
            }
            next.push(row);
            is_end.push(dfa.is_match_state(dfa.next_eoi_state(state)));
            if states.len() > MAX_STATES {
                return None;
            }
        }
        let is_live = live(&next, &is_end);
        Some(Language { start: 0, next, is_end, is_live })
    }

    fn after(&self, state: usize, byte: u8) -> usize {
        self.next[state][usize::from(byte)]
    }

    fn is_end(&self, state: usize) -> bool {
        self.is_end[state]
    }

    fn is_live(&self, state: usize) -> bool {
        self.is_live[state]
    }
}

/// Backwards from the ends.
fn live(next: &[[usize; 256]], is_end: &[bool]) -> Vec<bool> {
    let mut sources: Vec<Vec<usize>> = vec![Vec::new(); next.len()];
    for (state, row) in next.iter().enumerate() {
        let mut targets = row.to_vec();
        targets.sort_unstable();
        targets.dedup();
        targets.into_iter().for_each(|target| sources[target].push(state));
    }
    let mut is_live = is_end.to_vec();
    let mut pending: Vec<usize> = (0..next.len()).filter(|state| is_end[*state]).collect();
    while let Some(state) = pending.pop() {
        for source in &sources[state] {
            if !is_live[*source] {
                is_live[*source] = true;
                pending.push(*source);
            }
        }
    }
    is_live
}
