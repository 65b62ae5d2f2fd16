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

/// The states to which most letters lead back.
struct Homes<'a> {
    dfa: &'a ContentDfa,
    /// The classes of characters beyond ASCII that are no spaces.
    wide: Vec<usize>,
    /// The home that most letters lead to from where the tokens begin, and those of other sets of words that were found.
    starts: Vec<u32>,
    /// They, and the states that go where the first one goes on all letters but one; sorted.
    states: Vec<u32>,
    /// The classes of those letters; sorted.
    told_apart: Vec<usize>,
}

impl<'a> Homes<'a> {
    /// The home that `content` leads to; `None` where most letters lead elsewhere.
    fn near(dfa: &'a ContentDfa, wide: Vec<usize>, content: u32) -> Option<Homes<'a>> {
        // Where most letters lead, twice over.
        let first = dfa.next(content, *wide.first()?)?;
        let second = dfa.next(first, wide[0])?;
        let Kin { model, states, classes: told_apart } = dfa.kin(second);
        let homes = Homes { dfa, wide, starts: vec![model], states, told_apart };
        homes.are_behind(model).then_some(homes)
    }

    /// Adds those of `states` to which most letters lead back as well.
    fn add_among(&mut self, states: &[u32]) {
        let stays = |state: u32| self.wide.iter().all(|class| self.dfa.next(state, *class) == Some(state));
        let others: Vec<u32> = states.iter().copied().filter(|state| !self.hold(*state) && stays(*state)).collect();
        self.starts.extend_from_slice(&others);
        self.states.extend(others);
        self.states.sort_unstable();
    }

    fn hold(&self, state: u32) -> bool {
        self.states.binary_search(&state).is_ok()
    }

    /// Whether all characters beyond ASCII, but for spaces, lead home.
    fn are_behind(&self, state: u32) -> bool {
        self.wide.iter().all(|class| self.dfa.next(state, *class).is_some_and(|next| self.hold(next)))
    }

    /// Whether nothing is fatal behind a state but what is found at home.
    fn is_harmless(&self, state: Option<u32>, safe: &[u32]) -> bool {
        state.is_some_and(|state| self.hold(state) || safe.contains(&state))
    }

    /// The first letters of each way from a home to where no match is left; `None` where there are too many.
    fn ways_out(&self, letters: &[char], safe: &[u32]) -> Option<BTreeSet<Vec<u8>>> {
        let class = |letter: char| self.dfa.machine().alphabet().class(letter.into());
        // What is told apart at home may be fatal.
        let told_apart = letters.iter().filter(|letter| self.told_apart.contains(&class(**letter)));
        let mut grams: BTreeSet<Vec<u8>> = told_apart.map(|letter| letter.to_string().into_bytes()).collect();
        let starts = self.starts.iter().filter(|start| !safe.contains(start));
        let mut pending: Vec<(u32, Vec<u8>)> = starts.map(|start| (*start, Vec::new())).collect();
        while let Some((state, gram)) = pending.pop() {
            for letter in letters {
                let next = self.dfa.next(state, class(*letter));
                if self.is_harmless(next, safe) {
                    continue;
                }
                let mut gram: Vec<u8> = gram.clone();
                gram.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                gram.truncate(MAX_GRAM);
                match next.filter(|next| gram.len() < MAX_GRAM && self.are_behind(*next)) {
                    Some(next) => pending.push((next, gram)),
                    None => _ = grams.insert(gram),
                }
            }
            if grams.len() + pending.len() > MAX_BEGINNINGS {
                return None;
            }
        }
        Some(grams)
    }
}

/// Ways from homes to where no match is left.
struct FatalWords<'a> {
    homes: Homes<'a>,
    /// Whether all characters beyond ASCII, but for spaces, lead home from where the tokens begin.
    wide_comes_home: bool,
    /// Letters that are fatal in every state.
    letters: Vec<char>,
    /// States from which nothing else is fatal, now or later.
    safe: Vec<u32>,
    /// The first letters of each way from a home that holds none of them.
    grams: BTreeSet<Vec<u8>>,
}

impl<'a> FatalWords<'a> {
    /// `None` where `content` has no such home, or there are too many ways.
    fn new(string: &'a StringAutomaton, classes: &ShapeClasses, content: u32) -> Option<FatalWords<'a>> {
        let dfa = string.dfa()?;
        let alphabet = dfa.machine().alphabet();
        let wide: Vec<usize> = classes.of(WIDE).iter().map(|class| usize::from(*class)).collect();
        let mut homes = Homes::near(dfa, wide, content)?;
        let states = dfa.reachable(content, MAX_STATES, MAX_STEPS).unwrap_or_default();
        homes.add_among(&states);
        let next = |state: u32, letter: char| dfa.next(state, alphabet.class(letter.into()));
        let is_fatal = |letter: &char| !states.is_empty() && states.iter().all(|state| next(*state, *letter).is_none());
        let (fatal, letters): (Vec<char>, Vec<char>) = told_apart_letters().partition(is_fatal);
        let ascii_and_spaces = letters.iter().map(|letter| alphabet.class((*letter).into()));
        let mut met: Vec<usize> = ascii_and_spaces.chain(homes.wide.iter().copied()).collect();
        met.sort_unstable();
        met.dedup();
        let safe = safe_states(dfa, states, &met);
        if letters.iter().filter(|letter| !homes.is_harmless(next(content, **letter), &safe)).count() > MAX_AWAY {
            return None;
        }
        let grams = homes.ways_out(&letters, &safe)?;
        Some(FatalWords { wide_comes_home: homes.are_behind(content), homes, letters: fatal, safe, grams })
    }

    /// Whether a token that was read so far is taken, if it holds no letter that is fatal everywhere and no way to the end.
    fn is_harmless(&self, state: u32) -> bool {
        self.homes.is_harmless(Some(state), &self.safe)
    }
}

/// The characters of plain tokens that shapes tell apart: control characters, quotes and backslashes are in none of them.
fn told_apart_letters() -> impl Iterator<Item = char> {
    let ascii = (0x20..0x80u8).filter(|char| !matches!(char, b'"' | b'\\')).map(char::from);
    let spaces = class_ranges(WIDE_SPACE).into_iter().flat_map(|(lo, hi)| lo..=hi).filter_map(char::from_u32);
    ascii.chain(spaces)
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
        words: &FatalWords<'_>,
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
