//! What do lexemes add to the past, and what does it forbid? Keys without a name, as far as words are left.

use std::sync::Arc;

use super::item_set::{Item, Parser, Scan, SetId};
use super::written::{PastId, WordSetId, Written, WrittenWord};
use crate::automata::Automaton;
use crate::automata::WordCount;
use crate::error::LimitError;
use crate::grammar::Effect;
use crate::grammar::Productions;
use crate::ids::TerminalId;

/// Whether there is always another key without a name, wherever there may be one.
pub(super) fn keys_never_run_out(productions: &Productions, automata: &[Arc<Automaton>]) -> bool {
    let never = |key: &TerminalId| automata[key.index()].never_runs_out();
    productions.records.iter().all(|record| {
        record.others.is_empty() || (record.n_words.is_none() && record.others.iter().all(|(key, _)| never(key)))
    })
}

impl Parser {
    /// What a lexeme of a terminal that was predicted does.
    pub(crate) fn effect(&self, set: SetId, scan: u32) -> Effect {
        match self.scan(set, scan) {
            Scan::Terminal { effect, .. } => *effect,
            Scan::Key { .. } => Effect::None,
        }
    }

    /// The past behind a lexeme; `None` where it must not stand there.
    pub(super) fn past_behind(
        &mut self,
        set: SetId,
        scan: u32,
        key: u32,
        past: PastId,
    ) -> Result<Option<PastId>, LimitError> {
        if !self.productions.remembers {
            return Ok(Some(past));
        }
        let past = if self.written.reads_all(past) { self.written.end_of_lexeme(past)? } else { past };
        match self.scan(set, scan) {
            Scan::Terminal { effect: Effect::None, .. } => Ok(Some(past)),
            Scan::Terminal { effect: Effect::MoreKeys(record), .. } => {
                let record = *record;
                self.past_before_more_keys(record, past)
            }
            Scan::Terminal { effect, .. } => {
                let effect = *effect;
                self.written.end(past, effect)
            }
            Scan::Key { record, .. } => {
                let record = *record;
                let word = self.key_word(record, key);
                self.written.add_key(past, word).map(Some)
            }
        }
    }

    /// The set less the items that an element of a list has just ended in which was there already; `None` where none is left.
    pub(super) fn without_repeated(&mut self, set: SetId, past: PastId) -> Option<SetId> {
        if !Written::is_known(past) || !self.written.is_repeated(past) {
            return Some(set);
        }
        let items = self.items(set);
        let is_kept = |item: &&Item| !self.productions.is_behind_unique(item.place);
        let kept: Vec<Item> = items.iter().filter(is_kept).copied().collect();
        if kept.len() == items.len() {
            return Some(set);
        }
        let accepting = self.is_accepting(set);
        (accepting || !kept.is_empty()).then(|| self.intern(&kept, accepting))
    }

    fn key_word(&mut self, record: u32, key: u32) -> WrittenWord {
        if let Some(word) = self.key_words.get(&(record, key)) {
            return *word;
        }
        let mut content = vec![super::written::STRING];
        content.append(&mut self.productions.records[record as usize].keys.content(key));
        let word = self.written.words.word(&content);
        self.key_words.insert((record, key), word);
        self.n_bytes += 32;
        word
    }

    /// How many words can still be read of a terminal.
    pub(crate) fn count_words(&mut self, terminal: u32, state: u64, n_chars: u32) -> Result<WordCount, LimitError> {
        let automaton = &self.automata[terminal as usize];
        if automaton.never_runs_out() {
            return Ok(WordCount::Plenty);
        }
        let n_chars = if automaton.counts() { n_chars } else { 0 };
        if let Some(count) = self.word_counts.get(&(terminal, state, n_chars)) {
            return Ok(*count);
        }
        let limit = WordCount::PLENTY as usize;
        let count = automaton.count_words(state, n_chars).ok_or(LimitError { setting: "max_unique", limit })?;
        self.word_counts.insert((terminal, state, n_chars), count);
        self.n_bytes += 40;
        Ok(count)
    }

    /// The past within a key without a name: `None` where every key that goes on for longer was written before.
    pub(super) fn past_in_key(
        &mut self,
        terminal: u32,
        (state, n_chars): (u64, u32),
        may_end: bool,
        past: PastId,
    ) -> Result<Option<PastId>, LimitError> {
        let WordCount::Few(n_words) = self.count_words(terminal, state, n_chars)? else { return Ok(Some(past)) };
        self.written.n_uses += 1;
        if !Written::is_known(past) {
            return Ok(Some(Written::DOUBTED));
        }
        let (keys, read) = self.written.keys(past);
        let begun = self.written.words.narrow(keys, 0, &read);
        let n_words = n_words - u32::from(may_end);
        if self.written.words.size(begun) < n_words {
            return Ok(Some(past));
        }
        let automaton = &self.automata[terminal as usize];
        let words = self.written.words.list(begun).into_iter().map(|word| self.written.words.get(word));
        // In the middle of a character, words that end before it or have another there cannot come about any more.
        let goes_on = |word: &&[u8]| automaton.may_go_on(state, &word[read.len()..]);
        let n_used = words.filter(|word| automaton.has_word(&word[1..])).filter(goes_on).count() as u32;
        let n_used = n_used - u32::from(may_end && self.written.words.contains(keys, &read));
        Ok((n_used < n_words).then_some(past))
    }

    /// The past behind a separator that only keys without a name can follow.
    pub(super) fn past_before_more_keys(&mut self, record: u32, past: PastId) -> Result<Option<PastId>, LimitError> {
        self.written.n_uses += 1;
        if !Written::is_known(past) {
            return Ok(Some(Written::DOUBTED));
        }
        let (keys, _) = self.written.keys(past);
        let body = std::sync::Arc::clone(&self.productions.records[record as usize]);
        let Some(n_words) = body.n_words.filter(|n_words| *n_words <= self.written.words.size(keys)) else {
            return Ok(Some(past));
        };
        let n_used: u32 = body.others.iter().map(|(key, _)| self.n_used(key.index() as u32, keys)).sum();
        Ok((n_used < n_words).then_some(past))
    }

    /// How many words of a set are of a terminal.
    fn n_used(&self, terminal: u32, words: WordSetId) -> u32 {
        let automaton = &self.automata[terminal as usize];
        let words = self.written.words.list(words).into_iter().map(|word| self.written.words.get(word));
        words.filter(|word| automaton.has_word(&word[1..])).count() as u32
    }
}
