//! Which tokens can end a match? Where a content automaton takes nearly everything, only tokens that can kill it are looked at.
//!
//! "Does not contain `abc`", or "anything but a line break": from such states nearly every token goes on. The tokens
//! that do not are found from two sides: by the few characters that can be fatal at all, and by the number of characters
//! that must come before one is.

use std::sync::Arc;

use ahash::{AHashMap, AHashSet};

use super::profile::Profiles;
use super::shapes::ShapeClasses;
use super::{MaskWork, Table};
use crate::automata::decoder::DecodeState;
use crate::automata::{StringAutomaton, StringState};
use crate::error::LimitError;
use crate::vocabulary::shapes::{WIDE, WIDE_SPACE};
use crate::vocabulary::strings::Holder;
use crate::vocabulary::token_mask::clear_bit;

/// Which ends a set of states can meet.
#[derive(Debug)]
pub(super) struct Fates {
    /// By state: characters to the nearest fatal one, itself included; the greatest number where there is none.
    distances: AHashMap<u32, u32>,
    /// The characters that are fatal somewhere; `None` when they are many.
    holders: Option<Vec<Holder>>,
}

/// More states than this are not looked at.
const MAX_STATES: usize = 256;
/// Nor more fatal characters,
const MAX_HOLDERS: usize = 8;
/// nor more tokens that hold one.
const MAX_TOKENS: usize = 20_000;
/// A walk over the tokens that are long enough pays from this distance on.
const FAR: u32 = 4;

impl Fates {
    /// The fates of a state and all behind it; `None` when they are too many.
    fn new(string: &StringAutomaton, classes: &ShapeClasses, content: u32) -> Option<Fates> {
        let dfa = string.dfa()?;
        let states = dfa.reachable(content, MAX_STATES)?;
        let alphabet = dfa.machine().alphabet();
        // Control characters, quotes and backslashes are never characters of a plain token.
        let ascii = (0x20..0x80u8).filter(|char| !matches!(char, b'"' | b'\\'));
        let mut of_class: AHashMap<usize, Vec<Holder>> = AHashMap::new();
        for char in ascii {
            of_class.entry(alphabet.class(char.into())).or_default().push(Holder::Ascii(char));
        }
        for (shape, holder) in [(WIDE_SPACE, Holder::WideSpace), (WIDE, Holder::Wide)] {
            for class in classes.of(shape) {
                of_class.entry(usize::from(*class)).or_default().push(holder);
            }
        }
        let mut sources: AHashMap<u32, Vec<u32>> = AHashMap::new();
        let mut fatal: AHashSet<Holder> = AHashSet::new();
        let mut distances: AHashMap<u32, u32> = AHashMap::new();
        let mut queue: Vec<u32> = Vec::new();
        for state in &states {
            for (class, holders) in &of_class {
                match dfa.next(*state, *class) {
                    Some(next) => sources.entry(next).or_default().push(*state),
                    None => {
                        fatal.extend(holders);
                        if distances.insert(*state, 1).is_none() {
                            queue.push(*state);
                        }
                    }
                }
            }
        }
        let mut at = 0;
        while let Some(state) = queue.get(at).copied() {
            at += 1;
            for source in sources.get(&state).into_iter().flatten() {
                if !distances.contains_key(source) {
                    distances.insert(*source, distances[&state] + 1);
                    queue.push(*source);
                }
            }
        }
        states.iter().for_each(|state| _ = distances.entry(*state).or_insert(u32::MAX));
        let few = fatal.len() <= MAX_HOLDERS && !fatal.contains(&Holder::Wide);
        Some(Fates { distances, holders: few.then(|| fatal.into_iter().collect()) })
    }

    /// Whether it tells of a state.
    pub(super) fn knows(&self, state: u32) -> bool {
        self.distances.contains_key(&state)
    }

    pub(super) fn n_bytes(&self) -> usize {
        16 * self.distances.len() + 100
    }

    fn distance(&self, state: u32) -> u32 {
        self.distances.get(&state).copied().unwrap_or(u32::MAX)
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
        let Some(fates) = self.fates(profiles, string, content) else { return Ok(false) };
        if fates.distance(content) == u32::MAX {
            return Ok(true);
        }
        let tables = table.of(self.vocabulary);
        if let Some(holders) = &fates.holders {
            let lists: Vec<&[u32]> = holders.iter().map(|holder| tables.holding(self.vocabulary, *holder)).collect();
            if lists.iter().map(|list| list.len()).sum::<usize>() <= MAX_TOKENS {
                for token in lists.into_iter().flatten() {
                    self.run_plain(string, content, table, *token, row)?;
                }
                return Ok(true);
            }
        }
        if fates.distance(content) < FAR {
            return Ok(false);
        }
        self.clear_far(string, content, &fates, table, row)?;
        Ok(true)
    }

    fn fates(&self, profiles: &Profiles, string: &StringAutomaton, content: u32) -> Option<Arc<Fates>> {
        let dfa = string.dfa()?;
        let classes = profiles.shape_classes(string);
        // In nearly all automata that take few tokens the characters of a large class are fatal right here.
        if classes.of(WIDE).iter().any(|class| dfa.next(content, usize::from(*class)).is_none()) {
            return None;
        }
        profiles.fates(content).or_else(|| {
            let fates = Arc::new(Fates::new(string, classes, content)?);
            profiles.insert_fates(&fates);
            Some(fates)
        })
    }

    fn run_plain(
        &mut self,
        string: &StringAutomaton,
        content: u32,
        table: Table,
        token: u32,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        let bytes = table.of(self.vocabulary).body_of(self.vocabulary.bytes_at(token as usize));
        self.spend(bytes.len())?;
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        if text.chars().try_fold(content, |state, char| string.step_char(state, char as u32)).is_none() {
            clear_bit(row, token);
        }
        Ok(())
    }

    /// Walks the tokens that are long enough to meet their end.
    fn clear_far(
        &mut self,
        string: &StringAutomaton,
        content: u32,
        fates: &Fates,
        table: Table,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        let (trie, top) = match table {
            Table::Body => (self.vocabulary.trie(), None),
            Table::Opened => (self.vocabulary.trie(), self.vocabulary.trie().child(None, b'"')),
            Table::Spaced => (self.vocabulary.stripped(), self.vocabulary.stripped().child(None, b'"')),
        };
        let nodes = match (table, top) {
            (Table::Body, _) => 0..trie.n_nodes(),
            (_, Some(quote)) => quote + 1..trie.end(quote),
            (_, None) => 0..0,
        };
        let n_visited = trie.walk(nodes, StringState::new(content, DecodeState::BODY), |state, node| {
            // Tokens with escapes or a closing quote are no plain ones.
            if matches!(trie.byte(node), b'"' | b'\\') {
                return None;
            }
            match string.step_unbounded(*state, trie.byte(node)) {
                Some(next) if fates.distance(next.content()) > trie.height(node) => None,
                Some(next) => Some(next),
                None => {
                    trie.subtree_values(node).iter().for_each(|token| clear_bit(row, *token));
                    None
                }
            }
        });
        self.spend(n_visited)
    }
}
