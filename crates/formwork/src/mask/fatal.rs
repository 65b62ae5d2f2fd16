//! Which letters are fatal to a match? The beginnings of the words that a content automaton must not read.
//!
//! An automaton that looks for words, wanted or not, is mostly in one state, its *home*: any letter that begins no word
//! leads back there. Where several words are wanted there is a home for each set of those that were found. A token that
//! the automaton refuses either dies before it comes home for the first time, which a short walk over the token trie
//! shows, or it holds a way from a home to the end that passes no other. Few ways do: their first three letters are
//! looked up among the tokens, and what is found is run.
//!
//! A home may be several states that differ in where one letter leads, as those behind each letter of a class of
//! characters do, of which only a hyphen asks which letter it was. Tokens that hold that letter are run.
//!
//! A letter that is fatal in every state, as the slash is to `[^/]*`, needs no run: no token that holds it is taken. Nor
//! does what leads to a state from which nothing else is fatal, as behind the `a` of "an `a` somewhere, and no slash".

use std::collections::BTreeSet;

use super::letters::LetterStepper;
use super::profile::Profiles;
use super::shapes::ShapeClasses;
use super::{MaskWork, Table};
use crate::automata::{ContentDfa, Kin, StringAutomaton};
use crate::error::LimitError;
use crate::vocabulary::grams::MAX_GRAM;
use crate::vocabulary::shapes::{WIDE, WIDE_SPACE, class_ranges};
use crate::vocabulary::strings::BodyTable;
use crate::vocabulary::token_mask::clear_bit;

/// More beginnings than this are not listed.
const MAX_BEGINNINGS: usize = 400;
/// Nor letters that lead elsewhere than home from where the tokens begin: behind them all tokens are walked over.
const MAX_AWAY: usize = 48;
/// Nor more tokens that hold one.
const MAX_TOKENS: usize = 10_000;
/// Of more states than this it is not asked which are homes, and which letters are fatal in all of them.
const MAX_STATES: usize = 64;
/// Nor where it takes more steps than this to find them out.
const MAX_STEPS: usize = 50_000;

/// Tokens that are left out in the time of one step.
const TOKENS_PER_STEP: usize = 8;

/// Ways from homes to where no match is left.
#[derive(Debug)]
struct FatalWords {
    /// They, and the states that go where one goes on all letters but one; sorted.
    homes: Vec<u32>,
    /// Whether all characters beyond ASCII, but for spaces, lead home from where the tokens begin.
    wide_comes_home: bool,
    /// Letters that are fatal in every state.
    letters: Vec<char>,
    /// States from which nothing else is fatal, now or later.
    safe: Vec<u32>,
    /// The first letters of each way from a home that holds none of them.
    grams: BTreeSet<Vec<u8>>,
}

impl FatalWords {
    /// `None` where `content` has no such home, or there are too many ways.
    fn new(string: &StringAutomaton, classes: &ShapeClasses, content: u32) -> Option<FatalWords> {
        let dfa = string.dfa()?;
        let alphabet = dfa.machine().alphabet();
        let wide = || classes.of(WIDE).iter().map(|class| usize::from(*class));
        // Where most letters lead, twice over.
        let first = dfa.next(content, wide().next()?)?;
        let second = dfa.next(first, wide().next()?)?;
        let Kin { model: start, states: kin, classes: other_classes } = dfa.kin(second);
        let comes_home =
            |state: u32, is_home: &dyn Fn(u32) -> bool| wide().all(|class| dfa.next(state, class).is_some_and(is_home));
        if !comes_home(start, &|state| kin.contains(&state)) {
            return None;
        }
        let states = dfa.reachable(content, MAX_STATES, MAX_STEPS).unwrap_or_default();
        let others =
            states.iter().copied().filter(|state| !kin.contains(state) && comes_home(*state, &|next| next == *state));
        let others: Vec<u32> = others.collect();
        let mut homes = [&kin[..], &others].concat();
        homes.sort_unstable();
        let is_home = |state: u32| homes.binary_search(&state).is_ok();
        let wide_comes_home = |state: u32| comes_home(state, &is_home);
        // Control characters, quotes and backslashes are never characters of a plain token.
        let ascii = (0x20..0x80u8).filter(|char| !matches!(char, b'"' | b'\\')).map(char::from);
        let spaces = class_ranges(WIDE_SPACE).into_iter().flat_map(|(lo, hi)| lo..=hi).filter_map(char::from_u32);
        let letters: Vec<char> = ascii.chain(spaces).collect();
        let next = |state: u32, letter: char| dfa.next(state, alphabet.class(letter.into()));
        let is_fatal = |letter: &char| !states.is_empty() && states.iter().all(|state| next(*state, *letter).is_none());
        let (fatal, letters): (Vec<char>, Vec<char>) = letters.into_iter().partition(is_fatal);
        let mut met: Vec<usize> = letters.iter().map(|letter| alphabet.class((*letter).into())).chain(wide()).collect();
        met.sort_unstable();
        met.dedup();
        let safe = safe_states(dfa, states, &met);
        let is_harmless = |state: Option<u32>| state.is_some_and(|state| is_home(state) || safe.contains(&state));
        if letters.iter().filter(|letter| !is_harmless(next(content, **letter))).count() > MAX_AWAY {
            return None;
        }
        // What is told apart at home may be fatal.
        let tells = letters.iter().filter(|letter| other_classes.contains(&alphabet.class((**letter).into())));
        let mut grams: BTreeSet<Vec<u8>> = tells.map(|letter| letter.to_string().into_bytes()).collect();
        let starts = std::iter::once(start).chain(others).filter(|start| !safe.contains(start));
        let mut pending: Vec<(u32, Vec<u8>)> = starts.map(|start| (start, Vec::new())).collect();
        while let Some((state, gram)) = pending.pop() {
            for letter in letters.iter().filter(|letter| !is_harmless(next(state, **letter))) {
                let mut gram: Vec<u8> = gram.clone();
                gram.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                gram.truncate(MAX_GRAM);
                match next(state, *letter).filter(|next| gram.len() < MAX_GRAM && wide_comes_home(*next)) {
                    Some(next) => pending.push((next, gram)),
                    None => _ = grams.insert(gram),
                }
            }
            if grams.len() + pending.len() > MAX_BEGINNINGS {
                return None;
            }
        }
        let wide_comes_home = wide_comes_home(content);
        Some(FatalWords { homes, wide_comes_home, letters: fatal, safe, grams })
    }

    /// Whether a token that was read so far is taken, if it holds no letter that is fatal everywhere and no way to the end.
    fn is_harmless(&self, state: u32) -> bool {
        self.homes.binary_search(&state).is_ok() || self.safe.contains(&state)
    }
}

/// Those of `states`, which hold all that they lead to, from which no step of some classes is fatal, now or later.
fn safe_states(dfa: &ContentDfa, states: Vec<u32>, classes: &[usize]) -> Vec<u32> {
    let mut safe = states;
    loop {
        let before = safe.clone();
        safe.retain(|state| {
            classes.iter().all(|class| dfa.next(*state, *class).is_some_and(|next| before.contains(&next)))
        });
        if safe.len() == before.len() {
            return safe;
        }
    }
}

impl MaskWork<'_> {
    /// Clears the bits of plain tokens that `content` does not take, where that is little work; `row` has those of all plain
    /// tokens set. Otherwise the answer is `false`, and the row as it was.
    pub(super) fn clear_fatal(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        content: u32,
        table: Table,
        row: &mut [u32],
    ) -> Result<bool, LimitError> {
        let classes = profiles.shape_classes(string);
        let Some(words) = FatalWords::new(string, classes, content) else { return Ok(false) };
        let tables = table.of(self.vocabulary);
        let holding = || words.grams.iter().flat_map(|gram| tables.grams.holding(gram));
        if holding().take(MAX_TOKENS + 1).count() > MAX_TOKENS {
            return Ok(false);
        }
        if !words.is_harmless(content) {
            let stepper = LetterStepper::new(string, profiles, tables.letters.letters());
            self.clear_before_home(stepper, content, tables, row, &words)?;
        }
        for letter in &words.letters {
            let tokens = tables.grams.holding(letter.encode_utf8(&mut [0; 4]).as_bytes());
            self.spend(1 + tokens.len() / TOKENS_PER_STEP)?;
            tokens.iter().for_each(|token| clear_bit(row, *token));
        }
        for token in holding() {
            if !self.takes_plain(string, content, tables, *token)? {
                clear_bit(row, *token);
            }
        }
        Ok(true)
    }

    /// Clears the bits of tokens that `content` does not take, as far as that shows before the automaton is at home.
    fn clear_before_home(
        &mut self,
        stepper: LetterStepper<'_>,
        content: u32,
        table: &BodyTable,
        row: &mut [u32],
        words: &FatalWords,
    ) -> Result<(), LimitError> {
        let trie = &table.letters;
        let mut n_visited = 0;
        for (_, subtrees) in trie.subtrees().filter(|(class, _)| *class != WIDE || !words.wide_comes_home) {
            n_visited += trie.walk(subtrees, content, |state, letter, node| {
                let next = stepper.step(*state, letter);
                if next.is_none() {
                    trie.subtree_values(node).iter().for_each(|token| clear_bit(row, *token));
                }
                next.filter(|next| !words.is_harmless(*next))
            });
        }
        self.spend(n_visited)
    }
}
