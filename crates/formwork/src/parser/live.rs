//! Can this entry be completed without an element that was there already? Looked for along what agrees with one.
//!
//! As soon as an element differs from all earlier ones, however it goes on, nothing needs to be looked at; nor inside a
//! string or number of which there are more values than earlier elements. Else the parser is run ahead, byte by byte, until
//! one way leads out of what was written before.

use std::sync::Arc;

use super::bytes::next_bytes;
use super::configuration::{Configuration, Entry, Lexing};
use super::item_set::{Parser, Scan, SetId};
use super::written::{PastId, WordSetId, Written, constant_word, number_word};
use crate::automata::{Automaton, WordCount, longer_than};
use crate::error::LimitError;
use crate::grammar::Whitespace;
use crate::hash::HashSet;

/// What a step ahead costs, in steps of a search among numbers.
const STEP_COST: usize = 5;

impl Parser {
    /// The past of an entry that was stepped to; `None` where it cannot be completed.
    pub(super) fn past_if_live(&mut self, entry: Entry) -> Result<Option<PastId>, LimitError> {
        if Written::is_known(entry.past) {
            return Ok(self.is_live(entry)?.then_some(entry.past));
        }
        if entry.past != Written::ANY {
            return Ok(Some(entry.past));
        }
        let is_sure = match entry.lexing {
            Lexing::Inside { .. } => self.has_plenty(entry)?,
            Lexing::Between { .. } => !self.is_behind_unique(entry.set) && self.begins_plenty(entry.set)?,
        };
        Ok(Some(if is_sure { entry.past } else { Written::DOUBTED }))
    }

    fn is_behind_unique(&self, set: SetId) -> bool {
        self.items(set).iter().any(|item| self.productions.is_behind_unique(item.place))
    }

    fn is_live(&mut self, entry: Entry) -> Result<bool, LimitError> {
        if !self.written.is_at_risk(entry.past) {
            return Ok(true);
        }
        self.written.n_uses += 1;
        if let Some(known) = self.live.get(&entry) {
            return Ok(*known);
        }
        let mut met: HashSet<Entry> = HashSet::from_iter([entry]);
        let is_live = self.find_way_out(entry, &mut met)?;
        if is_live {
            met = HashSet::from_iter([entry]);
        }
        self.n_bytes += 64 * met.len();
        self.live.extend(met.into_iter().map(|entry| (entry, is_live)));
        Ok(is_live)
    }

    /// Adds to `met` what is looked at: where there is no way out, none of it has one.
    fn find_way_out(&mut self, start: Entry, met: &mut HashSet<Entry>) -> Result<bool, LimitError> {
        let mut pending = vec![start];
        let mut n_steps = 0usize;
        while let Some(entry) = pending.pop() {
            match self.way_out_within(entry)? {
                Some(true) => return Ok(true),
                Some(false) => continue,
                None => {}
            }
            let bytes = next_bytes(self, &[entry])?;
            let between = matches!(entry.lexing, Lexing::Between { .. });
            let may_come = |byte: &u8| bytes.contains(*byte) && !(between && Whitespace::contains(*byte));
            for byte in (0..=u8::MAX).filter(may_come) {
                let mut next = Configuration::new();
                self.step_unchecked(entry, byte, &mut next)?;
                for entry in next {
                    if !self.written.is_at_risk(entry.past) {
                        return Ok(true);
                    }
                    if met.insert(entry) {
                        pending.push(entry);
                    }
                }
                n_steps += 1;
            }
            let limit = self.limits.max_completion_steps;
            if n_steps.saturating_mul(STEP_COST) > limit {
                return Err(LimitError { setting: "max_completion_steps", limit });
            }
        }
        Ok(false)
    }

    /// What can be told without a step ahead.
    fn way_out_within(&mut self, entry: Entry) -> Result<Option<bool>, LimitError> {
        let Lexing::Inside { scan, state, .. } = entry.lexing else {
            return Ok(self.begins_plenty(entry.set)?.then_some(true));
        };
        if self.has_plenty(entry)? {
            return Ok(Some(true));
        }
        let Scan::Terminal { terminal, .. } = self.scan(entry.set, scan) else { return Ok(None) };
        let terminal = *terminal;
        let automaton = Arc::clone(self.automaton(terminal));
        if let Automaton::OneOf(constants) = &*automaton {
            return self.way_out_among(entry, scan, longer_than(constants, state));
        }
        let Automaton::Number(_) = &*automaton else { return Ok(None) };
        let Some((text, used)) = self.written.number(entry.past) else { return Ok(None) };
        let too_long = LimitError { setting: "max_automaton_states", limit: self.limits.max_automaton_states };
        let Some(rest) = self.numbers_without(terminal, used) else { return Err(too_long) };
        let is_new = |text: &str| !self.written.words.contains(used, &number_word(text));
        automaton.has_number(&rest, state, &text, &is_new).map(Some).ok_or(too_long)
    }

    /// The same where a constant is being read that will be one of these.
    fn way_out_among(&mut self, entry: Entry, scan: u32, constants: &[Box<[u8]>]) -> Result<Option<bool>, LimitError> {
        let mut all_are_known = true;
        for constant in constants {
            match constant_word(constant) {
                Some(word) if self.written.is_equal_to_earlier(entry.past, &word) => {}
                Some(_) => return Ok(Some(true)),
                None => all_are_known = false,
            }
        }
        if !all_are_known || !self.written.is_element(entry.past) {
            return Ok(None);
        }
        // What comes behind an element that was there already.
        let behind = self.step(entry.set, scan, 0)?;
        let only_unique = self.items(behind).iter().all(|item| self.productions.is_behind_unique(item.place));
        Ok((only_unique && !self.is_accepting(behind)).then_some(false))
    }

    /// The automaton of a terminal's numbers but for those that were written.
    fn numbers_without(&mut self, terminal: u32, used: WordSetId) -> Option<Arc<Automaton>> {
        if let Some((for_set, automaton)) = self.new_numbers.get(&terminal)
            && *for_set == used
        {
            return Some(Arc::clone(automaton));
        }
        let values = self.written.numbers_in(used);
        let rest = Arc::new(self.automaton(terminal).numbers_without(values, &self.limits).ok()?);
        self.new_numbers.insert(terminal, (used, Arc::clone(&rest)));
        Some(rest)
    }

    /// Whether a lexeme that is being read can become more values than there are earlier ones.
    fn has_plenty(&mut self, entry: Entry) -> Result<bool, LimitError> {
        let Lexing::Inside { scan, state, n_chars } = entry.lexing else { return Ok(false) };
        let Scan::Terminal { terminal, .. } = self.scan(entry.set, scan) else { return Ok(false) };
        let terminal = *terminal;
        match **self.automaton(terminal) {
            Automaton::String(_) => Ok(self.count_words(terminal, state, n_chars)? == WordCount::Plenty),
            Automaton::Number(_) => Ok(self.has_plenty_of_numbers(terminal, state)),
            _ => Ok(false),
        }
    }

    fn has_plenty_of_numbers(&mut self, terminal: u32, state: u64) -> bool {
        let key = (terminal, state, u32::MAX);
        if let Some(count) = self.word_counts.get(&key) {
            return *count == WordCount::Plenty;
        }
        let count = self.automata[terminal as usize].count_numbers(state);
        self.word_counts.insert(key, count);
        self.n_bytes += 40;
        count == WordCount::Plenty
    }

    /// Whether a lexeme may come next of which there is plenty.
    fn begins_plenty(&mut self, set: SetId) -> Result<bool, LimitError> {
        if let Some(known) = self.plenty.get(&set) {
            return Ok(*known);
        }
        let mut found = false;
        for scan in 0..self.n_scans(set)? {
            let lexing = Lexing::Inside { scan, state: self.start_state(set, scan), n_chars: 0 };
            found = found || self.has_plenty(Entry { set, lexing, past: Written::ANY })?;
        }
        self.plenty.insert(set, found);
        self.n_bytes += 16;
        Ok(found)
    }
}
