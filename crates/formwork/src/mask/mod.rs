//! Which tokens may come next? From a configuration to a compact mask.
//!
//! A mask is the union, over the lexemes that can be read at a configuration, of
//! - tokens that stay *inside* the lexeme: they depend on the automaton and its state alone and are kept in its
//!   [`Profiles`], shared by all grammars of a compiler;
//! - tokens that *leave* it: a part that ends the lexeme, and a rest that the grammar must take behind it. Rests are few
//!   and short, so they are walked as a small trie with the parser's configuration behind the lexeme;
//! - for literals, keys and enumerations both at once, by a narrow walk over the token trie.

mod bytes;
mod generation;
mod profile;
mod shapes;
mod strings;
mod walk;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ahash::AHashMap;

pub(crate) use self::generation::{Generation, Handle, Shared};
pub(crate) use self::profile::Profiles;
use self::profile::{Exits, Profile};
use crate::automata::{Automaton, Overflows};
use crate::error::LimitError;
use crate::limits::Limits;
use crate::parser::{Configuration, Entry, Lexing, Parser, Scan, SetId};
pub use crate::vocabulary::TokenMask;
use crate::vocabulary::strings::BodyTable;
use crate::vocabulary::token_mask::set_bit;
use crate::vocabulary::{Vocabulary, leading_whitespace};

/// Which table of the vocabulary a rest belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Table {
    Body,
    Opened,
}

impl Table {
    fn of(self, vocabulary: &Vocabulary) -> &BodyTable {
        match self {
            Table::Body => &vocabulary.strings().body,
            Table::Opened => &vocabulary.strings().opened,
        }
    }
}

/// Exits of a string table that each item set takes.
pub(crate) type ExitMemo = AHashMap<(SetId, Table), Arc<[u32]>>;

/// Everything that one mask is computed from.
pub(crate) struct MaskWork<'a> {
    pub(crate) parser: &'a mut Parser,
    pub(crate) vocabulary: &'a Vocabulary,
    /// By terminal.
    pub(crate) profiles: &'a [Arc<Profiles>],
    pub(crate) exits: &'a mut ExitMemo,
    pub(crate) overflows: &'a Overflows,
    pub(crate) limits: &'a Limits,
    /// Automaton and parser steps so far.
    pub(crate) n_steps: usize,
}

/// Parts of a mask that is being put together.
#[derive(Default)]
struct Parts {
    masks: Vec<TokenMask>,
    ids: Vec<u32>,
    /// Lexemes that are best read together, by one walk over the token trie.
    direct: Configuration,
}

impl MaskWork<'_> {
    /// The tokens that may come next, stop tokens included.
    pub(crate) fn compute(&mut self, configuration: &[Entry]) -> Result<TokenMask, LimitError> {
        let overflows_before = self.overflows.load(Ordering::Relaxed);
        let mut parts = Parts::default();
        for entry in configuration {
            match entry.lexing {
                Lexing::Inside { scan, state, n_chars } => {
                    self.add_lexeme(entry.set, scan, state, n_chars, &mut parts)?;
                }
                Lexing::Between { n_blank } => self.add_between(entry.set, n_blank, &mut parts)?,
            }
        }
        if !parts.direct.is_empty() {
            let direct = std::mem::take(&mut parts.direct);
            self.walk(self.vocabulary.trie(), direct, &mut parts.ids)?;
        }
        if self.parser.accepts(configuration) {
            parts.ids.extend(self.vocabulary.stop_tokens().iter().map(|token| token.get()));
        }
        if self.overflows.load(Ordering::Relaxed) != overflows_before {
            let limit = self.limits.max_automaton_states;
            return Err(LimitError { setting: "max_automaton_states", limit });
        }
        Ok(self.join(parts))
    }

    /// Counts work against its budget.
    fn spend(&mut self, n_steps: usize) -> Result<(), LimitError> {
        self.n_steps += n_steps;
        if self.n_steps > self.limits.max_mask_steps {
            return Err(LimitError { setting: "max_mask_steps", limit: self.limits.max_mask_steps });
        }
        Ok(())
    }

    fn add_between(&mut self, set: SetId, n_blank: u32, parts: &mut Parts) -> Result<(), LimitError> {
        for scan in 0..self.parser.scans(set)?.len() as u32 {
            let start = self.parser.start_state(set, scan)?;
            self.add_lexeme(set, scan, start, 0, parts)?;
        }
        let room = self.parser.blank_room(set, n_blank);
        if room == 0 {
            return Ok(());
        }
        let vocabulary = self.vocabulary;
        let fits = |token: &u32, of: fn(&[u8]) -> usize| of(vocabulary.bytes_at(*token as usize)) <= room as usize;
        parts.ids.extend(vocabulary.blank_tokens().iter().filter(|token| fits(token, <[u8]>::len)));
        let mut found = Vec::new();
        let behind = Entry { set, lexing: Lexing::Between { n_blank: 0 } };
        self.walk_lexemes(vocabulary.stripped(), behind, &mut found)?;
        parts.ids.extend(found.iter().filter(|token| fits(token, leading_whitespace)));
        Ok(())
    }

    /// Adds the tokens that go on in a lexeme of the `scan`-th terminal.
    fn add_lexeme(
        &mut self,
        set: SetId,
        scan: u32,
        state: u64,
        n_chars: u32,
        parts: &mut Parts,
    ) -> Result<(), LimitError> {
        let scans = self.parser.scans(set)?;
        let Scan::Terminal { terminal, .. } = &scans[scan as usize] else {
            parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars } });
            return Ok(());
        };
        let automaton = Arc::clone(self.parser.automaton(*terminal));
        if matches!(*automaton, Automaton::Literal(_) | Automaton::OneOf(_)) {
            parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars } });
            return Ok(());
        }
        let profiles = Arc::clone(&self.profiles[*terminal as usize]);
        let profile = self.profile(&profiles, &automaton, state, n_chars)?;
        parts.masks.push(profile.inside.clone());
        self.add_exits(&profile, set, scan, parts)
    }

    /// Adds the tokens that end the lexeme and go on behind it.
    fn add_exits(&mut self, profile: &Profile, set: SetId, scan: u32, parts: &mut Parts) -> Result<(), LimitError> {
        if matches!(profile.exits, Exits::None) {
            return Ok(());
        }
        let after = self.parser.step(set, scan, 0)?;
        let behind = Entry { set: after, lexing: Lexing::Between { n_blank: 0 } };
        match &profile.exits {
            Exits::None => {}
            Exits::Rests(rests) => self.walk(rests, Configuration::from_slice(&[behind]), &mut parts.ids)?,
            Exits::Nodes(nodes) => {
                for node in nodes {
                    self.walk_subtree(*node as usize, behind, &mut parts.ids)?;
                }
            }
            Exits::Quoted { table, prefixes } => {
                let taken = self.taken_exits(after, *table)?;
                let exits = &table.of(self.vocabulary).exits;
                parts.ids.extend(taken.iter().filter_map(|exit| {
                    let (token, prefix) = exits[*exit as usize];
                    prefixes.as_ref().is_none_or(|prefixes| prefixes.contains(prefix as usize)).then_some(token)
                }));
            }
        }
        Ok(())
    }

    /// The exits of a string table whose rest the grammar takes behind the string.
    fn taken_exits(&mut self, after: SetId, table: Table) -> Result<Arc<[u32]>, LimitError> {
        if let Some(taken) = self.exits.get(&(after, table)) {
            return Ok(Arc::clone(taken));
        }
        let rests = &table.of(self.vocabulary).rests;
        let mut taken = rests.root_values().to_vec();
        let behind = Entry { set: after, lexing: Lexing::Between { n_blank: 0 } };
        self.walk(rests, Configuration::from_slice(&[behind]), &mut taken)?;
        let taken: Arc<[u32]> = taken.into();
        self.exits.insert((after, table), Arc::clone(&taken));
        Ok(taken)
    }

    /// One mask of all parts.
    fn join(&self, parts: Parts) -> TokenMask {
        let n_words = self.vocabulary.mask_words();
        let (wide, narrow): (Vec<_>, Vec<_>) = parts.masks.into_iter().partition(|mask| mask.base().is_some());
        let mut ids = parts.ids;
        narrow.iter().for_each(|mask| ids.extend_from_slice(mask.added()));
        match wide.as_slice() {
            [] => TokenMask::new(n_words, None, ids, Vec::new()),
            [mask] => {
                let mut removed = mask.removed().to_vec();
                if !removed.is_empty() && !ids.is_empty() {
                    ids.sort_unstable();
                    removed.retain(|id| ids.binary_search(id).is_err());
                }
                ids.extend_from_slice(mask.added());
                TokenMask::new(n_words, mask.base().cloned(), ids, removed)
            }
            _ => {
                let mut row = vec![0; n_words];
                let mut one = vec![0; n_words];
                for mask in &wide {
                    mask.write_to(&mut one);
                    row.iter_mut().zip(&one).for_each(|(word, other)| *word |= other);
                }
                ids.iter().for_each(|id| set_bit(&mut row, *id));
                TokenMask::from_row(&row, Some(self.vocabulary.strings().body.inside()))
            }
        }
    }
}
