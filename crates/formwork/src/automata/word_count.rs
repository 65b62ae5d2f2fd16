//! How many words can still be read from a state? Counted until they are plenty.
//!
//! Of a string the words are its contents, however they are spelled; of other automata they are the lexemes.

use super::automaton::Automaton;
use super::content::ContentMachine;
use super::decoder::DecodeState;
use super::json_string::{StringAutomaton, StringState};
use crate::hash::HashMap;

/// How many words can still be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordCount {
    /// So many.
    Few(u32),
    /// [`WordCount::PLENTY`] or more.
    Plenty,
}

impl WordCount {
    /// Nobody writes so many words into one record or list.
    pub(crate) const PLENTY: u32 = 1 << 16;

    fn new(n_words: u64) -> WordCount {
        match u32::try_from(n_words) {
            Ok(n_words) if n_words < WordCount::PLENTY => WordCount::Few(n_words),
            _ => WordCount::Plenty,
        }
    }
}

/// Most steps of one count.
const MAX_STEPS: usize = 4_000_000;
/// States among which a loop is looked for: first a few, as it is mostly near; more where beginnings of [`LOOP_LETTERS`] are
/// not plenty already.
const NEAR_STATES: usize = 32;
const MAX_STATES: usize = 4_000;
const LOOP_LETTERS: u32 = 16;
/// Steps by one and the same letter, which finds the loops of most patterns at once.
const MAX_REPEATED: usize = 16;

/// A machine whose words are counted.
trait Stepper {
    /// Calls `visit` with each state that follows, and by how many letters.
    fn steps(&self, state: u64, visit: &mut dyn FnMut(u64, u64));
    fn is_end(&self, state: u64, n_letters: u32) -> bool;
    /// Whether every beginning that is read can be completed to a word.
    fn completes(&self) -> bool;
    /// Whether some state is met twice by the commonest letter alone.
    fn repeats(&self, state: u64) -> bool;
}

impl Automaton {
    /// How many words can still be read from a state; `None` when that takes too long to tell.
    pub(crate) fn count_words(&self, state: u64, n_chars: u32) -> Option<WordCount> {
        match self {
            Automaton::String(string) => string.count_words(StringState::from_bits(state), n_chars),
            Automaton::FreeText(_) => Some(WordCount::Plenty),
            _ => count(&Lexemes(self), vec![(state, 1)], u32::MAX),
        }
    }
}

impl Automaton {
    /// Whether any number of words can be read from every state: a cheap answer that may be `false` all the same.
    pub(crate) fn never_runs_out(&self) -> bool {
        match self {
            Automaton::String(string) => {
                let goes_on = |machine: &ContentMachine| {
                    machine.never_dies() || machine.measure().is_open_ended() || machine.is_from_distance()
                };
                string.bounds(0).1 == u32::MAX && string.dfa().is_none_or(|dfa| goes_on(dfa.machine()))
            }
            _ => false,
        }
    }

    /// Whether the rest of a word can be read from a state, as far as the character tells in whose middle the state is.
    pub(crate) fn may_go_on(&self, state: u64, rest: &[u8]) -> bool {
        let Automaton::String(string) = self else { return true };
        let state = StringState::from_bits(state).decode();
        let Some(ranges) = state.code_points(string.escapes()) else { return true };
        let next = std::str::from_utf8(rest).ok().and_then(|rest| rest.chars().next());
        next.is_some_and(|next| ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&(next as u32))))
    }

    /// Whether a word, as it is remembered, is of this automaton.
    pub(crate) fn has_word(&self, word: &[u8]) -> bool {
        let Ok(word) = std::str::from_utf8(word) else { return false };
        if let Automaton::String(string) = self {
            let n_chars = u32::try_from(word.chars().count()).unwrap_or(u32::MAX);
            let end = word.chars().try_fold(0, |state, char| string.step_char(state, char as u32));
            return end.is_some_and(|state| string.accepts_content(state, n_chars));
        }
        // Bytes are remembered as letters.
        let mut bytes = word.chars().map(|letter| u8::try_from(letter as u32));
        let end = bytes.try_fold(self.start(), |state, byte| self.step(state, byte.ok()?, &mut 0));
        end.is_some_and(|state| self.is_accepting(state))
    }
}

struct Lexemes<'a>(&'a Automaton);

impl Stepper for Lexemes<'_> {
    fn steps(&self, state: u64, visit: &mut dyn FnMut(u64, u64)) {
        for byte in 0..=u8::MAX {
            if let Some(next) = self.0.step(state, byte, &mut 0) {
                visit(next, 1);
            }
        }
    }

    fn is_end(&self, state: u64, _: u32) -> bool {
        self.0.is_accepting(state)
    }

    fn completes(&self) -> bool {
        true
    }

    fn repeats(&self, _: u64) -> bool {
        false
    }
}

struct Contents<'a> {
    string: &'a StringAutomaton,
    n_chars: u32,
}

impl Stepper for Contents<'_> {
    fn steps(&self, state: u64, visit: &mut dyn FnMut(u64, u64)) {
        if let Some(dfa) = self.string.dfa() {
            for (class, n_letters) in dfa.machine().alphabet().sizes_in(0, char::MAX as u32) {
                if let (Some(next), true) = (dfa.next(state as u32, class), n_letters > 0) {
                    visit(next.into(), n_letters);
                }
            }
        }
    }

    fn is_end(&self, state: u64, n_letters: u32) -> bool {
        self.string.accepts_content(state as u32, self.n_chars.saturating_add(n_letters))
    }

    fn completes(&self) -> bool {
        !self.string.counts()
    }

    fn repeats(&self, start: u64) -> bool {
        let Some(dfa) = self.string.dfa() else { return false };
        let sizes = dfa.machine().alphabet().sizes_in(0, char::MAX as u32);
        let Some((class, _)) = sizes.into_iter().max_by_key(|(_, n_letters)| *n_letters) else { return false };
        let mut met = vec![start as u32];
        while let Some(next) = met.last().and_then(|state| dfa.next(*state, class)) {
            if met.contains(&next) {
                return true;
            }
            if met.len() > MAX_REPEATED {
                break;
            }
            met.push(next);
        }
        false
    }
}

impl StringAutomaton {
    /// All contents, in no particular order; `None` where there are more than `max`, or finding them takes too long.
    pub(crate) fn list_words(&self, max: usize) -> Option<Vec<String>> {
        let dfa = self.dfa()?;
        // Counting stops where they are plenty, and spells none.
        match self.count_words(StringState::START, 0)? {
            WordCount::Few(n_words) if n_words as usize <= max => {}
            _ => return None,
        }
        let mut words = Vec::new();
        let mut pending = vec![(0, String::new(), 0u32)];
        let mut n_steps = 0;
        while let Some((state, word, n_chars)) = pending.pop() {
            n_steps += 1;
            if self.accepts_content(state, n_chars) {
                words.push(word.clone());
            }
            if words.len() > max || n_steps > 64 * max || pending.len() > 4 * max {
                return None;
            }
            let (_, room) = self.bounds(n_chars);
            if room == 0 {
                continue;
            }
            for (lo, hi, class) in dfa.machine().alphabet().ranges() {
                let Some(next) = dfa.next(state, class) else { continue };
                if (hi - lo) as usize > max {
                    return None;
                }
                pending.extend((lo..=hi).filter_map(char::from_u32).map(|char| {
                    let mut longer = word.clone();
                    longer.push(char);
                    (next, longer, n_chars + 1)
                }));
            }
        }
        Some(words)
    }

    fn count_words(&self, state: StringState, n_chars: u32) -> Option<WordCount> {
        let (_, room) = self.bounds(n_chars);
        let Some(ranges) = state.decode().code_points(self.escapes()) else {
            if state.decode() == DecodeState::CLOSED {
                return Some(WordCount::Few(1));
            }
            return self.count_contents(vec![(state.content().into(), 1)], n_chars, room);
        };
        if room > 0 && self.is_nearly_any() {
            return Some(WordCount::Plenty);
        }
        // In the middle of a character, which is counted as begun.
        let mut starts: HashMap<u64, u64> = HashMap::default();
        for (lo, hi) in ranges.into_iter().filter(|(lo, hi)| lo <= hi) {
            match self.dfa() {
                Some(dfa) => {
                    for (class, n_letters) in dfa.machine().alphabet().sizes_in(lo, hi) {
                        if let (Some(next), true) = (dfa.next(state.content(), class), n_letters > 0) {
                            *starts.entry(next.into()).or_default() += n_letters;
                        }
                    }
                }
                None => {
                    for char in (lo..=hi).filter_map(char::from_u32) {
                        if let Some(next) = self.step_char(state.content(), char as u32) {
                            *starts.entry(next.into()).or_default() += 1;
                        }
                    }
                }
            }
        }
        let mut starts: Vec<(u64, u64)> = starts.into_iter().collect();
        starts.sort_unstable();
        self.count_contents(starts, n_chars, room)
    }

    /// How many contents go on from `starts`, which so many ways lead to, over at most `room` characters.
    fn count_contents(&self, starts: Vec<(u64, u64)>, n_chars: u32, room: u32) -> Option<WordCount> {
        match self.dfa() {
            Some(_) => count(&Contents { string: self, n_chars }, starts, room),
            // All characters but for a few may follow.
            None if room > 0 && !starts.is_empty() => Some(WordCount::Plenty),
            None => {
                let ends = starts.iter().filter(|(state, _)| self.accepts_content(*state as u32, n_chars));
                Some(WordCount::new(ends.map(|(_, n_ways)| n_ways).sum()))
            }
        }
    }
}

/// Counts words length by length. Every state that is met can be completed, so a loop makes them plenty.
fn count(machine: &dyn Stepper, starts: Vec<(u64, u64)>, room: u32) -> Option<WordCount> {
    let mut layer = starts;
    let (mut total, mut length, mut n_steps) = (0u64, 0u32, 0usize);
    loop {
        let ends = layer.iter().filter(|(state, _)| machine.is_end(*state, length)).map(|(_, n_ways)| *n_ways);
        total = ends.fold(total, u64::saturating_add);
        if total >= WordCount::PLENTY.into() || layer.is_empty() || length == room {
            return Some(WordCount::new(total));
        }
        // Beginnings of one length that differ are completed to words that differ.
        let n_beginnings = layer.iter().fold(0u64, |sum, (_, n_ways)| sum.saturating_add(*n_ways));
        let max_states = match length {
            0 => NEAR_STATES,
            LOOP_LETTERS => MAX_STATES,
            _ => 0,
        };
        let loops = |state: u64| (length == 0 && machine.repeats(state)) || has_loop(machine, state, max_states);
        let has_loop = || room == u32::MAX && layer.iter().any(|(state, _)| loops(*state));
        if machine.completes() && n_beginnings >= WordCount::PLENTY.into() || max_states > 0 && has_loop() {
            return Some(WordCount::Plenty);
        }
        let mut next: HashMap<u64, u64> = HashMap::default();
        for (state, n_ways) in &layer {
            machine.steps(*state, &mut |target, n_letters| {
                n_steps += 1;
                let known = next.entry(target).or_default();
                *known = known.saturating_add(n_ways.saturating_mul(n_letters));
            });
        }
        if n_steps > MAX_STEPS {
            return None;
        }
        layer = next.into_iter().collect();
        length += 1;
    }
}

/// Whether some state behind `start`, among so many, can be met twice.
fn has_loop(machine: &dyn Stepper, start: u64, max_states: usize) -> bool {
    let targets = |state: u64| {
        let mut found = Vec::new();
        machine.steps(state, &mut |target, _| found.push(target));
        found.sort_unstable();
        found.dedup();
        found
    };
    let mut open: HashMap<u64, bool> = HashMap::from_iter([(start, true)]);
    let mut stack = vec![(start, targets(start))];
    while let Some((state, pending)) = stack.last_mut() {
        match pending.pop() {
            None => {
                open.insert(*state, false);
                stack.pop();
            }
            Some(next) => match open.get(&next) {
                Some(true) => return true,
                Some(false) => {}
                None if open.len() >= max_states => return false,
                None => {
                    open.insert(next, true);
                    stack.push((next, targets(next)));
                }
            },
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::{ContentConstraint, ContentLanguage, NumberSpec, StringSpec, Terminal};
    use crate::limits::Limits;

    fn count_after(terminal: Terminal, text: &str) -> Option<WordCount> {
        let automaton = Automaton::new(&terminal, &Limits::default()).unwrap();
        let mut n_chars = 0;
        let start = automaton.start();
        let end = text.bytes().fold(start, |state, byte| automaton.step(state, byte, &mut n_chars).unwrap());
        automaton.count_words(end, n_chars)
    }

    fn pattern(pattern: &str, max_chars: Option<u32>) -> Terminal {
        let language = ContentLanguage::Search(pattern.into());
        let content = vec![ContentConstraint { language, negated: false }];
        Terminal::String(StringSpec { content, max_chars, ..StringSpec::default() }.into())
    }

    #[test]
    fn contents_are_counted_not_spellings() {
        use WordCount::{Few, Plenty};
        let cases = [
            (pattern("^[ab]{1,2}$", None), "", Few(6)),
            (pattern("^[ab]{1,2}$", None), "\"a", Few(3)),
            (pattern("^[ab]{1,2}$", None), "\"a\\u006", Few(2)),
            (pattern("^[ab]{1,2}$", None), "\"ab", Few(1)),
            (pattern("^a*$", None), "\"", Plenty),
            (pattern("^a*$", Some(9)), "\"a", Few(9)),
            (pattern("^.$", None), "\"", Plenty),
            (pattern("^[^a]$", None), "\"\\u00e", Few(16)),
            (Terminal::String(StringSpec { max_chars: Some(1), ..StringSpec::default() }.into()), "\"", Plenty),
            (Terminal::String(StringSpec { max_chars: Some(1), ..StringSpec::default() }.into()), "\"a", Few(1)),
            (Terminal::String(StringSpec { max_chars: Some(1), ..StringSpec::default() }.into()), "\"\\", Plenty),
            (Terminal::Regex("[0-9]{2}x?".into()), "1", Few(20)),
            (Terminal::Number(NumberSpec::default().into()), "1", Plenty),
        ];
        for (terminal, text, expected) in cases {
            assert_eq!(count_after(terminal.clone(), text), Some(expected), "{terminal:?} behind {text}");
        }
    }
}
