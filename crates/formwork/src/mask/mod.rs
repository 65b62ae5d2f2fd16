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
use crate::ids::TokenId;
use crate::limits::Limits;
use crate::parser::{Configuration, Entry, Lexing, Parser, Scan, SetId, TokenReach};
pub use crate::vocabulary::TokenMask;
use crate::vocabulary::strings::BodyTable;
use crate::vocabulary::token_mask::set_bit;
use crate::vocabulary::{Vocabulary, leading_whitespace};

/// Which table of the vocabulary a rest belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Table {
    Body,
    Opened,
    Spaced,
}

impl Table {
    fn of(self, vocabulary: &Vocabulary) -> &BodyTable {
        match self {
            Table::Body => &vocabulary.strings().body,
            Table::Opened => &vocabulary.strings().opened,
            Table::Spaced => &vocabulary.strings().spaced,
        }
    }
}

/// Exits of a string table that each class of item sets takes.
pub(crate) type ExitMemo = AHashMap<(SetId, Table), Arc<Taken>>;

/// Exits of a string table that one item set takes, by token in rising order.
#[derive(Debug)]
pub(crate) struct Taken {
    tokens: Arc<[u32]>,
    /// Number of each token's prefix.
    prefixes: Box<[u32]>,
}

/// How far the tokens of a vocabulary reach.
pub(crate) fn token_reach(vocabulary: &Vocabulary) -> TokenReach {
    TokenReach {
        max_bytes: vocabulary.max_token_bytes(),
        max_chars: vocabulary.strings().body.max_chars(),
        names: vocabulary.names_behind_commas(),
    }
}

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
        for scan in 0..self.parser.n_scans(set)? {
            let start = self.parser.start_state(set, scan);
            self.add_lexeme(set, scan, start, 0, parts)?;
        }
        let room = self.parser.blank_room(set, n_blank);
        if room == 0 {
            return Ok(());
        }
        let vocabulary = self.vocabulary;
        parts.masks.push(vocabulary.blank(room).clone());
        let fits = |token: &u32| leading_whitespace(vocabulary.bytes_at(*token as usize)) <= room as usize;
        let mut spaced = Parts::default();
        for scan in 0..self.parser.n_scans(set)? {
            self.add_spaced(set, scan, &mut spaced)?;
        }
        let direct = std::mem::take(&mut spaced.direct);
        self.walk(vocabulary.stripped(), direct, &mut spaced.ids)?;
        parts.ids.extend(spaced.ids.iter().filter(|token| fits(token)));
        for mask in spaced.masks {
            if mask.base().is_none() {
                parts.ids.extend(mask.added().iter().filter(|token| fits(token)));
            } else {
                parts.ids.extend(mask.iter().map(TokenId::get).filter(|token| fits(token)));
            }
        }
        Ok(())
    }

    /// Adds the tokens of whitespace and the start of a lexeme of the `scan`-th terminal: strings from their table, others to
    /// be walked.
    fn add_spaced(&mut self, set: SetId, scan: u32, parts: &mut Parts) -> Result<(), LimitError> {
        let state = self.parser.start_state(set, scan);
        let terminal = match self.parser.scan(set, scan) {
            Scan::Terminal { terminal, .. } => Some(*terminal),
            Scan::Key { .. } => None,
        };
        let automaton = terminal.map(|terminal| Arc::clone(self.parser.automaton(terminal)));
        match (terminal, automaton.as_deref()) {
            (Some(terminal), Some(Automaton::String(string))) => {
                let profiles = Arc::clone(&self.profiles[terminal as usize]);
                let profile = self.spaced_profile(&profiles, string)?;
                parts.masks.push(profile.inside.clone());
                self.add_exits(&profile, set, scan, parts)
            }
            _ => {
                parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars: 0 } });
                Ok(())
            }
        }
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
        let terminal = match self.parser.scan(set, scan) {
            Scan::Terminal { terminal, .. } => *terminal,
            Scan::Key { .. } => {
                parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars } });
                return Ok(());
            }
        };
        let automaton = Arc::clone(self.parser.automaton(terminal));
        if matches!(*automaton, Automaton::Literal(_) | Automaton::OneOf(_)) {
            parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars } });
            return Ok(());
        }
        let profiles = Arc::clone(&self.profiles[terminal as usize]);
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
            Exits::Nodes(nodes) => self.walk_subtrees(nodes, behind, &mut parts.ids)?,
            Exits::Quoted { table, prefixes } => {
                let taken = self.taken_exits(after, *table)?;
                let tokens = match prefixes {
                    None => Arc::clone(&taken.tokens),
                    Some(prefixes) => {
                        let pairs = taken.tokens.iter().zip(&taken.prefixes);
                        pairs
                            .filter(|(_, prefix)| prefixes.contains(**prefix as usize))
                            .map(|(token, _)| *token)
                            .collect()
                    }
                };
                parts.masks.push(TokenMask::from_sorted(self.vocabulary.mask_words(), tokens));
            }
        }
        Ok(())
    }

    /// The exits of a string table whose rest the grammar takes behind the string.
    fn taken_exits(&mut self, after: SetId, table: Table) -> Result<Arc<Taken>, LimitError> {
        let class = self.parser.class(after);
        if let Some(taken) = self.exits.get(&(class, table)) {
            return Ok(Arc::clone(taken));
        }
        let rests = &table.of(self.vocabulary).rests;
        let mut found = rests.root_values().to_vec();
        let behind = Entry { set: after, lexing: Lexing::Between { n_blank: 0 } };
        self.walk(rests, Configuration::from_slice(&[behind]), &mut found)?;
        let exits = &table.of(self.vocabulary).exits;
        let mut pairs: Vec<(u32, u32)> = found.iter().map(|exit| exits[*exit as usize]).collect();
        pairs.sort_unstable();
        let taken = Arc::new(Taken {
            tokens: pairs.iter().map(|(token, _)| *token).collect(),
            prefixes: pairs.iter().map(|(_, prefix)| *prefix).collect(),
        });
        self.exits.insert((class, table), Arc::clone(&taken));
        Ok(taken)
    }

    /// One mask of all parts.
    fn join(&self, parts: Parts) -> TokenMask {
        let n_words = self.vocabulary.mask_words();
        let (wide, narrow): (Vec<_>, Vec<_>) = parts.masks.into_iter().partition(|mask| mask.base().is_some());
        let mut ids = parts.ids;
        match (wide.as_slice(), narrow.as_slice()) {
            // A string of free content, and what may follow it: no list needs to be sorted or copied.
            ([mask], [exits]) if ids.is_empty() && mask.added().is_empty() && mask.is_disjoint(exits) => {
                return mask.with_added(exits);
            }
            ([mask], []) | ([], [mask]) if ids.is_empty() => return mask.clone(),
            _ => {}
        }
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
