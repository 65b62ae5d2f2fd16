//! Which tokens can end a match? Where a content automaton takes nearly everything, only tokens that can kill it are looked at.
//!
//! "Does not contain `abc`", or "anything but a line break": from such states nearly every token goes on. The tokens
//! that do not are found from two sides: by the few characters that can be fatal at all, and by the number of characters
//! that must come before one is.

use std::sync::Arc;

use super::profile::Profiles;
use super::shapes::ShapeClasses;
use super::{Begin, MaskWork, Table};
use crate::automata::decoder::DecodeState;
use crate::automata::{Alphabet, StringAutomaton, StringState};
use crate::error::LimitError;
use crate::hash::{HashMap, HashSet};
use crate::vocabulary::shapes::{WIDE, WIDE_SPACE};
use crate::vocabulary::strings::Holder;
use crate::vocabulary::token_mask::clear_bit;

/// Which ends a set of states can meet.
#[derive(Debug)]
pub(super) struct Fates {
    /// By state: characters to the nearest fatal one, itself included; the greatest number where there is none.
    distances: HashMap<u32, u32>,
    /// The characters that are fatal somewhere, and whether they are everywhere; `None` when they are many.
    holders: Option<Vec<(Holder, bool)>>,
}

/// More states than this are not looked at.
const MAX_STATES: usize = 256;
/// Nor more fatal characters,
const MAX_HOLDERS: usize = 8;
/// nor more tokens that hold one.
const MAX_TOKENS: usize = 20_000;
/// Tokens that hold the rarest of several necessary characters; they are only scanned for the others.
const MAX_SCANNED: usize = 60_000;
/// Steps spent on finding characters that are necessary.
const MAX_NECESSARY_STEPS: usize = 50_000;
/// A walk over the tokens that are long enough pays from this distance on.
const FAR: u32 = 4;

impl Fates {
    /// The fates of a state and all behind it; `None` when they are too many.
    fn new(string: &StringAutomaton, classes: &ShapeClasses, content: u32) -> Option<Fates> {
        let dfa = string.dfa()?;
        let states = dfa.reachable(content, MAX_STATES)?;
        let of_class = holders_of_classes(dfa.machine().alphabet(), classes);
        let mut sources: HashMap<u32, Vec<u32>> = HashMap::default();
        let mut fatal: HashMap<Holder, usize> = HashMap::default();
        let mut distances: HashMap<u32, u32> = HashMap::default();
        let mut queue: Vec<u32> = Vec::new();
        for state in &states {
            for (class, holders) in &of_class {
                match dfa.next(*state, *class) {
                    Some(next) => sources.entry(next).or_default().push(*state),
                    None => {
                        holders.iter().for_each(|holder| *fatal.entry(*holder).or_default() += 1);
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
        let few = fatal.len() <= MAX_HOLDERS && !fatal.contains_key(&Holder::Wide);
        Some(Fates {
            distances,
            holders: few.then(|| fatal.into_iter().map(|(holder, n)| (holder, n == states.len())).collect()),
        })
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

/// ASCII characters without which no token can meet its end: every way from `content` to a fatal character has them.
fn necessary_characters(string: &StringAutomaton, classes: &ShapeClasses, content: u32) -> Vec<u8> {
    let Some(dfa) = string.dfa() else { return Vec::new() };
    let of_class = holders_of_classes(dfa.machine().alphabet(), classes);
    let mut n_steps = 0;
    // Whether there is a fatal character behind `content` that can be met without this class.
    let mut can_do_without = |left_out: usize| {
        let mut states = vec![content];
        let mut seen = HashSet::from_iter([content]);
        while let Some(state) = states.pop() {
            for class in of_class.keys().filter(|class| **class != left_out) {
                n_steps += 1;
                match dfa.next(state, *class) {
                    Some(next) if seen.insert(next) => states.push(next),
                    Some(_) => {}
                    None => return true,
                }
            }
            if n_steps > MAX_NECESSARY_STEPS {
                return true;
            }
        }
        false
    };
    let single = of_class.iter().filter_map(|(class, holders)| match holders.as_slice() {
        [Holder::Ascii(char)] => Some((*class, *char)),
        _ => None,
    });
    single.filter(|(class, _)| !can_do_without(*class)).map(|(_, char)| char).collect()
}

/// By class of an automaton's alphabet: its characters that plain tokens can hold.
fn holders_of_classes(alphabet: &Alphabet, classes: &ShapeClasses) -> HashMap<usize, Vec<Holder>> {
    // Control characters, quotes and backslashes are never characters of a plain token.
    let ascii = (0x20..0x80u8).filter(|char| !matches!(char, b'"' | b'\\'));
    let mut of_class: HashMap<usize, Vec<Holder>> = HashMap::default();
    for char in ascii {
        of_class.entry(alphabet.class(char.into())).or_default().push(Holder::Ascii(char));
    }
    for (shape, holder) in [(WIDE_SPACE, Holder::WideSpace), (WIDE, Holder::Wide)] {
        for class in classes.of(shape) {
            of_class.entry(usize::from(*class)).or_default().push(holder);
        }
    }
    of_class
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
            let sometimes = holders.iter().filter(|(_, always)| !always);
            if sometimes.map(|(holder, _)| tables.holding(*holder).len()).sum::<usize>() <= MAX_TOKENS {
                for (holder, always) in holders {
                    let tokens = tables.holding(*holder);
                    match always {
                        true => tokens.iter().for_each(|token| clear_bit(row, *token)),
                        false => {
                            tokens.iter().try_for_each(|token| self.run_plain(string, content, table, *token, row))?
                        }
                    }
                }
                return Ok(true);
            }
        }
        let necessary = necessary_characters(string, profiles.shape_classes(string), content);
        if let Some((rarest, others)) = self.rarest_first(table, necessary) {
            let holding = tables.holding(Holder::Ascii(rarest));
            if holding.len() <= MAX_SCANNED {
                for token in holding {
                    let bytes = self.vocabulary.bytes_at(*token as usize);
                    if others.iter().all(|char| bytes.contains(char)) {
                        self.run_plain(string, content, table, *token, row)?;
                    }
                }
                self.spend(holding.len())?;
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
            self.check_overflows().ok()?;
            profiles.insert_fates(&fates);
            Some(fates)
        })
    }

    /// The character that the fewest tokens hold, and the others.
    fn rarest_first(&self, table: Table, mut chars: Vec<u8>) -> Option<(u8, Vec<u8>)> {
        let tables = table.of(self.vocabulary);
        chars.sort_unstable_by_key(|char| tables.holding(Holder::Ascii(*char)).len());
        let (rarest, others) = chars.split_first()?;
        Some((*rarest, others.to_vec()))
    }

    fn run_plain(
        &mut self,
        string: &StringAutomaton,
        content: u32,
        table: Table,
        token: u32,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        if !self.takes_plain(string, content, table.of(self.vocabulary), token)? {
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
        let (trie, top) = match table.begin {
            Begin::Body => (self.vocabulary.trie(), None),
            Begin::Opened => (self.vocabulary.trie(), self.vocabulary.trie().child(None, b'"')),
            Begin::Spaced => (self.vocabulary.stripped(), self.vocabulary.stripped().child(None, b'"')),
        };
        let nodes = match (table.begin, top) {
            (Begin::Body, _) => 0..trie.n_nodes(),
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
