//! Which tokens may come next? From a configuration to a compact mask.
//!
//! A mask is the union, over the lexemes that can be read at a configuration, of
//! - tokens that stay *inside* the lexeme: they depend on the automaton and its state alone and are kept in its
//!   [`Profiles`], shared by all grammars of a compiler;
//! - tokens that *leave* it: a part that ends the lexeme, and a rest that the grammar must take behind it. Rests are few
//!   and short, so they are walked as a small trie with the parser's configuration behind the lexeme;
//! - for named keys the same two, by walks along the names;
//! - for literals and enumerations both at once, by a narrow walk over the token trie.

mod fatal;
mod free_text;
mod generation;
mod keys;
mod letters;
mod lists;
mod pasts;
mod profile;
mod repeats;
mod shapes;
mod strings;
mod union;
mod walk;

use std::sync::Arc;

use smallvec::SmallVec;

pub(crate) use self::generation::{Adoption, Generation, Handle, Shared};
pub(crate) use self::lists::Lists;
use self::lists::Taken;
pub(crate) use self::pasts::Pasts;
pub(crate) use self::profile::Profiles;
use self::profile::{Exits, Prefixes, Profile};
use self::repeats::{Estimate, Refusals};
pub(crate) use self::union::Unions;
use self::walk::{FewExits, Found, RestMemo, Trie};
use crate::automata::{Automaton, Escapes, OverflowWatch, spend_or_fail};
use crate::error::LimitError;
use crate::hash::HashMap;
use crate::ids::TokenId;
use crate::limits::Limits;
use crate::parser::{
    Blank, ByteSet, Configuration, Entry, Lexing, Parser, PastId, Scan, SetId, TokenReach, WordSetId, Written,
};
pub use crate::vocabulary::TokenMask;
use crate::vocabulary::strings::BodyTable;
use crate::vocabulary::token_mask::set_bit;
use crate::vocabulary::{Vocabulary, leading_whitespace};

/// Which table of the vocabulary a rest belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Table {
    begin: Begin,
    escapes: Escapes,
}

/// Where the tokens of a table begin: in a string, before it, or before whitespace in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Begin {
    Body,
    Opened,
    Spaced,
}

impl Table {
    fn of(self, vocabulary: &Vocabulary) -> &BodyTable {
        let tables = vocabulary.strings(self.escapes);
        match self.begin {
            Begin::Body => &tables.body,
            Begin::Opened => &tables.opened,
            Begin::Spaced => &tables.spaced,
        }
    }
}

/// So many exits of one prefix are looked at one by one: all prefixes but the empty one have few.
const FEW_EXITS: usize = 24;

/// Exits of a string table that each class of item sets takes.
type ExitMemo = HashMap<(SetId, Table, PastId), Arc<Taken>>;

/// How far the tokens of a vocabulary reach.
pub(crate) fn token_reach(vocabulary: &Vocabulary) -> TokenReach {
    TokenReach {
        max_bytes: u32::try_from(vocabulary.max_token_bytes()).unwrap_or(u32::MAX),
        max_chars: vocabulary.string_reach(),
        names: vocabulary.names_behind_commas(),
    }
}

/// Everything that one mask is computed from.
struct MaskWork<'a> {
    parser: &'a mut Parser,
    vocabulary: &'a Vocabulary,
    /// By terminal.
    profiles: &'a [Arc<Profiles>],
    exits: &'a mut ExitMemo,
    few_exits: &'a mut FewExits,
    rests: &'a mut RestMemo,
    /// By set of keys: the tokens that hold one of them in quotes.
    spelled: &'a mut HashMap<WordSetId, Box<[u32]>>,
    refusals: &'a mut Refusals,
    /// By item set: the bytes that can come next, once asked for.
    first_bytes: &'a mut Vec<Option<ByteSet>>,
    /// Room that walks leave behind for those after them.
    spare: &'a mut Vec<Found>,
    unions: &'a Unions,
    lists: &'a Lists,
    /// From the beginning of the work.
    overflows: OverflowWatch,
    limits: &'a Limits,
    /// What was written before: [`Written::FRESH`] or [`Written::ANY`].
    mode: PastId,
    /// Automaton and parser steps so far.
    n_steps: usize,
    /// Bytes added to what is kept from mask to mask.
    n_bytes: usize,
}

/// Scans of a set, by number.
type Scans = SmallVec<[u32; 8]>;

/// Parts of a mask that is being put together.
#[derive(Default)]
struct Parts {
    masks: SmallVec<[TokenMask; 8]>,
    found: Found,
    /// Lexemes that are best read together, by one walk over the token trie.
    direct: Configuration,
    /// Lexemes that tokens leave, with the set and the scan: looked at when it is known which tokens stay in one.
    left: SmallVec<[(Arc<Profile>, SetId, u32); 4]>,
}

impl Parts {
    /// Makes a row of the single tokens where they are many: it is copied at once.
    fn gather_ids(&mut self, n_words: usize) {
        if self.found.values.len() > n_words {
            let mut row = vec![0; n_words];
            self.found.values.drain(..).for_each(|id| set_bit(&mut row, id));
            self.masks.push(TokenMask::from_row(&row, None));
        }
    }
}

impl MaskWork<'_> {
    /// The tokens that may come next, stop tokens included, whatever was written before.
    fn compute(&mut self, configuration: &[Entry]) -> Result<Estimate, LimitError> {
        let mut parts = Parts { found: self.room(), ..Parts::default() };
        let mut keys: SmallVec<[(SetId, u32, u64); 4]> = SmallVec::new();
        // Strings that may hold anything come first: they cover much of what named keys would add.
        for entry in configuration {
            match entry.lexing {
                Lexing::Inside { scan, state, .. } if self.is_key(entry.set, scan) => {
                    keys.push((entry.set, scan, state));
                }
                Lexing::Inside { scan, state, n_chars } => {
                    self.add_terminal(entry.set, scan, state, n_chars, &mut parts)?;
                }
                Lexing::Between { .. } => {
                    let (of_set, terminals) = self.keys_and_terminals(entry.set)?;
                    for scan in terminals {
                        self.add_terminal(entry.set, scan, self.parser.start_state(entry.set, scan), 0, &mut parts)?;
                    }
                    keys.extend(
                        of_set.into_iter().map(|scan| (entry.set, scan, self.parser.start_state(entry.set, scan))),
                    );
                }
            }
        }
        for (profile, set, scan) in std::mem::take(&mut parts.left) {
            self.add_exits(&profile, set, scan, &mut parts)?;
        }
        for (set, scan, state) in keys {
            self.add_key(set, scan, state, false, &mut parts)?;
        }
        for entry in configuration {
            if let Lexing::Between { n_blank } = entry.lexing {
                let blanks = self.parser.blanks(entry.set, n_blank);
                blanks.into_iter().try_for_each(|blank| self.add_blank(blank, &mut parts))?;
            }
        }
        if !parts.direct.is_empty() {
            let direct = std::mem::take(&mut parts.direct);
            self.walk(Trie::Tokens, direct, &mut parts.found)?;
        }
        if self.parser.accepts(configuration) {
            parts.found.values.extend(self.vocabulary.stop_tokens().iter().map(|token| token.get()));
        }
        parts.gather_ids(self.vocabulary.mask_words());
        self.check_overflows()?;
        let mut found = parts.found;
        found.doubtful.sort_unstable();
        found.doubtful.dedup();
        let mask = self.unions.join(self.vocabulary.mask_words(), &parts.masks, &mut found.values);
        let mask = self.lists.in_row(mask);
        let doubtful = found.doubtful.as_slice().into();
        self.leave(found);
        Ok(Estimate { mask, doubtful })
    }

    /// An error where an automaton could not answer since the work began: what was found is not kept then.
    fn check_overflows(&self) -> Result<(), LimitError> {
        self.overflows.check(self.limits)
    }

    /// Counts work against its budget.
    fn spend(&mut self, n_steps: usize) -> Result<(), LimitError> {
        self.n_steps += n_steps;
        spend_or_fail(n_steps, self.limits)
    }

    fn is_key(&self, set: SetId, scan: u32) -> bool {
        matches!(self.parser.scan(set, scan), Scan::Key { .. })
    }

    /// The scans of a set: those of named keys, and the others.
    fn keys_and_terminals(&mut self, set: SetId) -> Result<(Scans, Scans), LimitError> {
        Ok((0..self.parser.n_scans(set)?).partition(|scan| self.is_key(set, *scan)))
    }

    /// Adds the tokens of whitespace, and those of whitespace and what may come behind it.
    fn add_blank(&mut self, Blank { set, room, .. }: Blank, parts: &mut Parts) -> Result<(), LimitError> {
        let vocabulary = self.vocabulary;
        parts.masks.push(vocabulary.blank(room).clone());
        let always_fits = room >= vocabulary.max_leading_whitespace();
        let fits =
            |token: &u32| always_fits || leading_whitespace(vocabulary.bytes_at(*token as usize)) <= room as usize;
        let mut spaced = Parts::default();
        let (keys, terminals) = self.keys_and_terminals(set)?;
        for scan in terminals {
            self.add_spaced(set, scan, &mut spaced)?;
        }
        for scan in keys {
            self.add_key(set, scan, self.parser.start_state(set, scan), true, &mut spaced)?;
        }
        let direct = std::mem::take(&mut spaced.direct);
        if !direct.is_empty() {
            self.walk(Trie::Stripped, direct, &mut spaced.found)?;
        }
        parts.found.values.extend(spaced.found.values.iter().filter(|token| fits(token)));
        parts.found.doubtful.append(&mut spaced.found.doubtful);
        for mask in spaced.masks {
            if always_fits {
                parts.masks.push(mask);
            } else if mask.base().is_none() {
                parts.found.values.extend(mask.added().iter().filter(|token| fits(token)));
            } else {
                parts.found.values.extend(mask.iter().map(TokenId::get).filter(|token| fits(token)));
            }
        }
        Ok(())
    }

    /// Adds the tokens of whitespace and the start of a lexeme of a terminal: strings from their table, others to be walked.
    fn add_spaced(&mut self, set: SetId, scan: u32, parts: &mut Parts) -> Result<(), LimitError> {
        let state = self.parser.start_state(set, scan);
        let Scan::Terminal { terminal, .. } = self.parser.scan(set, scan) else { return Ok(()) };
        let terminal = *terminal;
        match &*Arc::clone(self.parser.automaton(terminal)) {
            Automaton::String(string) => {
                let profiles = Arc::clone(&self.profiles[terminal as usize]);
                let profile = self.spaced_profile(&profiles, string)?;
                parts.masks.push(profile.inside.clone());
                self.add_exits(&profile, set, scan, parts)
            }
            Automaton::Special(_) => Ok(()),
            _ => {
                parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars: 0 }, past: self.mode });
                Ok(())
            }
        }
    }

    /// Adds the tokens that go on in a lexeme of a terminal.
    fn add_terminal(
        &mut self,
        set: SetId,
        scan: u32,
        state: u64,
        n_chars: u32,
        parts: &mut Parts,
    ) -> Result<(), LimitError> {
        let Scan::Terminal { terminal, .. } = self.parser.scan(set, scan) else { return Ok(()) };
        let terminal = *terminal;
        let automaton = Arc::clone(self.parser.automaton(terminal));
        match *automaton {
            Automaton::Literal(_) | Automaton::OneOf(_) => {
                parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars }, past: self.mode });
                return Ok(());
            }
            Automaton::Special(token) => {
                parts.found.values.push(token.get());
                return Ok(());
            }
            // Which of its bytes may come depends on what was written.
            Automaton::Number(_) | Automaton::Regex(_) if self.mode == Written::ANY => {
                parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars }, past: self.mode });
                return Ok(());
            }
            _ => {}
        }
        let profiles = Arc::clone(&self.profiles[terminal as usize]);
        let profile = self.profile(&profiles, &automaton, state, n_chars)?;
        parts.masks.push(profile.inside.clone());
        parts.left.push((profile, set, scan));
        Ok(())
    }

    /// Adds the tokens that end the lexeme and go on behind it.
    fn add_exits(&mut self, profile: &Profile, set: SetId, scan: u32, parts: &mut Parts) -> Result<(), LimitError> {
        if matches!(profile.exits, Exits::None) {
            return Ok(());
        }
        let after = self.parser.step(set, scan, 0)?;
        match &profile.exits {
            Exits::None => {}
            Exits::Nodes(nodes) => self.walk_subtrees(nodes, after, &parts.masks, &mut parts.found)?,
            Exits::Quoted { table, prefixes } => {
                let taken = self.taken_exits(after, *table)?;
                parts.found.doubtful.extend_from_slice(&taken.doubtful);
                parts.masks.push(self.behind_prefixes(&taken, prefixes, *table));
            }
        }
        Ok(())
    }

    /// The taken exits with one of some prefixes.
    fn behind_prefixes(&self, taken: &Taken, prefixes: &Prefixes, table: Table) -> TokenMask {
        let n_words = self.vocabulary.mask_words();
        let table = table.of(self.vocabulary);
        let chosen = || {
            let pairs = taken.tokens.iter().zip(&*taken.prefixes);
            let allowed = pairs.filter(|(_, prefix)| prefixes.allow(**prefix)).map(|(token, _)| *token);
            TokenMask::from_sorted(n_words, allowed.collect())
        };
        let refused: &[u32] = match prefixes {
            Prefixes::All => &[],
            Prefixes::AllBut(refused) => refused,
            Prefixes::Only(_) => return chosen(),
        };
        let is_empty = |prefix: &u32| table.prefixes.root_values().contains(prefix);
        let (empty, others): (SmallVec<[u32; 8]>, SmallVec<[u32; 8]>) = refused.iter().copied().partition(is_empty);
        if others.iter().any(|prefix| table.exits_behind(*prefix).len() > FEW_EXITS) {
            return chosen();
        }
        // The list stays one that all share.
        let list = if empty.is_empty() { &taken.tokens } else { &taken.open };
        let exits = others.iter().flat_map(|prefix| table.exits_behind(*prefix));
        let tokens = exits.map(|exit| table.exits[*exit as usize].0);
        let mut out: Vec<u32> = tokens.filter(|token| list.binary_search(token).is_ok()).collect();
        out.sort_unstable();
        TokenMask::new(n_words, None, SmallVec::from_iter([Arc::clone(list)]), out)
    }

    /// What [`taken_exits`](Self::taken_exits) gives, where that was found out before.
    fn known_exits(&mut self, after: SetId, table: Table) -> Option<Arc<Taken>> {
        let class = self.parser.class(after);
        self.exits.get(&(class, table, self.mode)).map(Arc::clone)
    }

    /// The exits of a string table whose rest the grammar takes behind the string.
    fn taken_exits(&mut self, after: SetId, table: Table) -> Result<Arc<Taken>, LimitError> {
        if let Some(taken) = self.known_exits(after, table) {
            return Ok(taken);
        }
        let class = self.parser.class(after);
        let found = self.rests_behind(after, self.mode, Trie::Rests(table.escapes), None)?;
        let (body, strings) = (table.of(self.vocabulary), self.vocabulary.strings(table.escapes));
        let mut rests: Vec<u32> = found.values.iter().chain(strings.rests.root_values()).copied().collect();
        rests.retain(|rest| !body.exits_before(*rest).is_empty());
        rests.sort_unstable();
        rests.dedup();
        let mut taken = self.lists.taken(table, rests, body);
        if !found.doubtful.is_empty() {
            let exits = found.doubtful.iter().flat_map(|rest| body.exits_before(*rest));
            let doubtful: Arc<[u32]> = exits.map(|exit| body.exits[*exit as usize].0).collect();
            self.n_bytes += 4 * doubtful.len();
            taken = Arc::new(Taken { doubtful, ..Taken::clone(&taken) });
        }
        self.n_bytes += 96;
        self.exits.insert((class, table, self.mode), Arc::clone(&taken));
        Ok(taken)
    }
}
