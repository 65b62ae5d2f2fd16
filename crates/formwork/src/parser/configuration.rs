//! Where is the text, byte by byte? Item sets together with the lexemes that are being read.
//!
//! A [`Configuration`] holds one entry for each way to read the text: between two lexemes of an item set, or inside one. After
//! every byte a lexeme that may have ended leads to a new entry at once, and an entry that cannot go on is dropped, so
//! `2`, `2.1` and `2e5` need no look-ahead.

use smallvec::SmallVec;

use super::blanks::Blank;
use super::item_set::{Parser, Scan, SetId};
use super::within::Stepped;
use super::written::{PastId, Written};
use crate::automata::{Automaton, spend_or_fail};
use crate::error::LimitError;
use crate::grammar::{Effect, Whitespace};
use crate::ids::TokenId;

/// One way to read the text so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Entry {
    pub(crate) set: SetId,
    pub(crate) lexing: Lexing,
    /// What must not be written again.
    pub(crate) past: PastId,
}

/// Where an entry is between or within lexemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lexing {
    /// Behind so many bytes of whitespace; saturates where more make no difference.
    Between { n_blank: u32 },
    /// Inside a lexeme of the `scan`-th terminal of the set. `n_chars` counts characters where the terminal is bounded by
    /// them and is 0 otherwise.
    Inside { scan: u32, state: u64, n_chars: u32 },
}

/// All ways to read the text so far; sorted, never empty for a text that can be completed.
pub(crate) type Configuration = SmallVec<[Entry; 2]>;

/// Steps that one byte in one entry counts as.
const ENTRY_COST: usize = 6;

impl Parser {
    /// The configuration of the empty text.
    pub(crate) fn start_configuration(&self) -> Configuration {
        Configuration::from_slice(&[behind_lexeme(self.start(), Written::NOTHING)])
    }

    /// Whether the text may end here.
    pub(crate) fn accepts(&self, configuration: &[Entry]) -> bool {
        let surrounding = self.productions.spacing.surrounding();
        configuration.iter().any(|entry| match entry.lexing {
            Lexing::Between { n_blank } => self.is_accepting(entry.set) && (n_blank == 0 || surrounding),
            Lexing::Inside { .. } => false,
        })
    }

    /// Whether any byte can follow.
    pub(crate) fn can_go_on(&self, configuration: &[Entry]) -> bool {
        configuration.iter().any(|entry| match entry.lexing {
            Lexing::Between { n_blank } => !self.is_last(entry.set) || self.takes_blank(entry.set, n_blank),
            Lexing::Inside { .. } => true,
        })
    }

    /// Reads one byte: adds to `next` every entry that `entry` becomes and that can be completed.
    fn step_entry(&mut self, entry: Entry, byte: u8, next: &mut Configuration) -> Result<(), LimitError> {
        if !self.productions.remembers {
            return self.step_unchecked(entry, byte, next);
        }
        let mut stepped = Configuration::new();
        self.step_unchecked(entry, byte, &mut stepped)?;
        for entry in stepped {
            if let Some(past) = self.past_if_live(entry)? {
                push(next, Entry { past, ..entry });
            }
        }
        Ok(())
    }

    /// The same, but some of them may only be completed by writing again what must not be written twice.
    pub(super) fn step_unchecked(
        &mut self,
        entry: Entry,
        byte: u8,
        next: &mut Configuration,
    ) -> Result<(), LimitError> {
        match entry.lexing {
            Lexing::Inside { .. } => self.step_lexeme(entry, byte, next),
            Lexing::Between { n_blank } => {
                if Whitespace::contains(byte) {
                    for Blank { set, n_blank, .. } in self.blanks(entry.set, n_blank) {
                        push(next, Entry { set, lexing: Lexing::Between { n_blank }, past: entry.past });
                    }
                }
                for scan in 0..self.n_scans(entry.set)? {
                    if self.may_begin(entry.set, scan, byte) {
                        spend_or_fail(ENTRY_COST, &self.limits)?;
                        let begun = self.begin(entry.set, scan, entry.past);
                        self.step_lexeme(begun, byte, next)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Before the first byte of a lexeme of a terminal that was predicted.
    pub(crate) fn begin(&mut self, set: SetId, scan: u32, past: PastId) -> Entry {
        let past = self.written.begin(past, self.effect(set, scan));
        Entry { set, lexing: Lexing::Inside { scan, state: self.start_state(set, scan), n_chars: 0 }, past }
    }

    /// Whether a lexeme of a terminal that was predicted may begin with `byte`: a quick look that spares most of them a step.
    fn may_begin(&self, set: SetId, scan: u32, byte: u8) -> bool {
        match self.scan(set, scan) {
            Scan::Terminal { terminal, .. } => match &**self.automaton(*terminal) {
                Automaton::Literal(literal) => literal.first() == Some(&byte),
                Automaton::String(_) => byte == b'"',
                Automaton::Number(_) => byte == b'-' || byte.is_ascii_digit(),
                Automaton::Special(_) => false,
                Automaton::OneOf(_) | Automaton::Regex(_) | Automaton::FreeText(_) => true,
            },
            Scan::Key { record, .. } => !self.productions.records[*record as usize].keys.are_quoted() || byte == b'"',
        }
    }

    /// The state before the first byte of a lexeme of a terminal that was predicted.
    pub(crate) fn start_state(&self, set: SetId, scan: u32) -> u64 {
        match self.scan(set, scan) {
            Scan::Terminal { terminal, .. } => self.automaton(*terminal).start(),
            Scan::Key { record, .. } => self.productions.records[*record as usize].keys.start(),
        }
    }

    fn step_lexeme(&mut self, entry: Entry, byte: u8, next: &mut Configuration) -> Result<(), LimitError> {
        let Lexing::Inside { scan, state: before, mut n_chars } = entry.lexing else { return Ok(()) };
        let taken = self.scan(entry.set, scan);
        let Some(Stepped { state, ended, can_go_on }) = self.step_automaton(taken, before, byte, &mut n_chars) else {
            return Ok(());
        };
        let (terminal, effect) = match taken {
            Scan::Terminal { terminal, effect, .. } => (*terminal, *effect),
            Scan::Key { .. } => (0, Effect::None),
        };
        let can_go_on = can_go_on.then_some((terminal, effect));
        let mut past = self.past_of_letters(&entry, &[byte]);
        if self.written.reads_all(past) {
            let Some(read) = self.written.read(past, byte)? else { return Ok(()) };
            past = read;
        }
        if let Some(key) = ended
            && let Some(past) = self.past_behind(entry.set, scan, key, past)?
        {
            let set = self.step(entry.set, scan, key)?;
            if let Some(set) = self.without_repeated(set, past) {
                push(next, behind_lexeme(set, past));
            }
        }
        let inside = Entry { lexing: Lexing::Inside { scan, state, n_chars }, past, ..entry };
        match can_go_on {
            Some((terminal, Effect::OtherKey)) => {
                let past = self.past_in_key(terminal, (state, n_chars), ended.is_some(), past)?;
                past.into_iter().for_each(|past| push(next, Entry { past, ..inside }));
            }
            // Within a separator of several bytes it must be known already that something can follow.
            Some((_, Effect::MoreKeys(record))) => {
                let past = self.past_before_more_keys(record, past)?;
                past.into_iter().for_each(|past| push(next, Entry { past, ..inside }));
            }
            Some((_, Effect::NextElement)) if !Written::is_known(past) => {
                push(next, Entry { past: Written::DOUBTED, ..inside });
            }
            Some(_) => push(next, inside),
            None => {}
        }
        Ok(())
    }

    /// Reads one special token; the result is empty where the grammar does not have it.
    pub(crate) fn step_special(
        &mut self,
        configuration: &[Entry],
        token: TokenId,
    ) -> Result<Configuration, LimitError> {
        let mut next = Configuration::new();
        for (entry, scan, special) in self.specials(configuration)? {
            if special == token {
                let set = self.step(entry.set, scan, 0)?;
                push(&mut next, behind_lexeme(set, entry.past));
            }
        }
        self.merge_between(&mut next)?;
        Ok(next)
    }

    /// The special tokens that may come next, with the entry and the number of the scan that takes each.
    pub(crate) fn specials(&mut self, configuration: &[Entry]) -> Result<Vec<(Entry, u32, TokenId)>, LimitError> {
        let mut found = Vec::new();
        for entry in configuration.iter().filter(|entry| matches!(entry.lexing, Lexing::Between { .. })) {
            for scan in 0..self.n_scans(entry.set)? {
                if let Scan::Terminal { terminal, .. } = self.scan(entry.set, scan)
                    && let Automaton::Special(token) = **self.automaton(*terminal)
                {
                    found.push((*entry, scan, token));
                }
            }
        }
        Ok(found)
    }

    /// Reads one byte; the result is empty when no text of the language goes on so.
    pub(crate) fn step_byte(
        &mut self,
        configuration: &[Entry],
        byte: u8,
        max_entries: usize,
    ) -> Result<Configuration, LimitError> {
        let mut next = Configuration::new();
        spend_or_fail(ENTRY_COST * configuration.len(), &self.limits)?;
        for entry in configuration {
            self.step_entry(*entry, byte, &mut next)?;
            if next.len() > 2 * max_entries {
                check_entries(&mut next, max_entries)?;
            }
        }
        remove_repeated(&mut next);
        self.merge_between(&mut next)?;
        check_entries(&mut next, max_entries)?;
        Ok(next)
    }

    /// Makes one entry of all that are between two lexemes, as Earley's sets are of all items at a position: what may follow
    /// is then predicted once, with one set to return to, and alternatives do not multiply from one nesting to the next.
    fn merge_between(&mut self, configuration: &mut Configuration) -> Result<(), LimitError> {
        let mut index = 0;
        while index < configuration.len() {
            let Lexing::Between { .. } = configuration[index].lexing else {
                index += 1;
                continue;
            };
            let Entry { set, lexing, past } = configuration[index];
            let mut sets: SmallVec<[SetId; 4]> = SmallVec::from_slice(&[set]);
            let mut other = index + 1;
            while other < configuration.len() {
                if configuration[other].lexing == lexing && configuration[other].past == past {
                    sets.push(configuration.swap_remove(other).set);
                } else {
                    other += 1;
                }
            }
            configuration[index].set = self.union(&sets)?;
            index += 1;
        }
        Ok(())
    }
}

/// Between two lexemes, before any whitespace.
pub(crate) fn behind_lexeme(set: SetId, past: PastId) -> Entry {
    Entry { set, lexing: Lexing::Between { n_blank: 0 }, past }
}

/// Entries among which a new one is looked for.
const LAST: usize = 16;

/// Adds an entry, once where configurations are short: one or two entries nearly always. Of longer ones what stands there
/// twice is removed at the end.
pub(super) fn push(configuration: &mut Configuration, entry: Entry) {
    let last = configuration.len().saturating_sub(LAST);
    if !configuration[last..].contains(&entry) {
        configuration.push(entry);
    }
}

fn remove_repeated(configuration: &mut Configuration) {
    if configuration.len() > LAST {
        configuration.sort_unstable();
        configuration.dedup();
    }
}

fn check_entries(configuration: &mut Configuration, max_entries: usize) -> Result<(), LimitError> {
    if configuration.len() > max_entries {
        remove_repeated(configuration);
    }
    match configuration.len() > max_entries {
        true => Err(LimitError { setting: "max_entries", limit: max_entries }),
        false => Ok(()),
    }
}
