//! Which entries can follow in an object? Keys that come once, what their values meet, and clauses over keys.
//!
//! What was written is a state; all that may come next is written out as far as the next state. Whether a state can be
//! completed is found by going through all states that can be reached.

use std::collections::HashSet;

use super::expression::{ExprId, Language};
use super::json::string_spellings;

/// A value, and the goals that it meets.
pub(super) type Meeting = (ExprId, u32);

/// The entries of an object, as `"key":value`: no key repeats.
#[derive(Clone, Debug)]
pub struct Entries {
    /// Each known key, its values, and whether it must be there.
    pub known: Vec<(ExprId, Vec<Meeting>, bool)>,
    /// Classes of other keys with their values.
    pub others: Vec<(OtherKeys, Vec<Meeting>)>,
    /// How many known keys come in written order; the others and other keys come behind them, in any order.
    pub n_listed: usize,
    /// What values must meet together.
    pub goals: u32,
    /// Of each clause, some known key must be there (`true`) or must not.
    pub clauses: Vec<Vec<(usize, bool)>>,
    /// Least number of entries.
    pub min: u32,
    /// Greatest number of entries.
    pub max: Option<u32>,
}

/// Keys without a name.
#[derive(Clone, Debug)]
pub enum OtherKeys {
    /// All spellings of infinitely many keys, whatever they begin with.
    Endless(ExprId),
    /// These.
    Words(Vec<String>),
}

/// What was written of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EntriesLeft {
    /// Which object it is.
    entries: usize,
    /// The first known key that may still come, of those in written order.
    position: usize,
    /// Known keys that were written.
    there: Vec<bool>,
    /// Goals that were met.
    met: u32,
    /// Entries so far; saturates where more make no difference.
    count: u32,
    /// The contents of other keys that were written.
    written: Vec<String>,
    /// Whether any entry was written.
    any: bool,
}

impl EntriesLeft {
    fn with_word(mut self, word: String) -> EntriesLeft {
        self.written.push(word);
        self.written.sort_unstable();
        self
    }
}

/// A key that may come next.
enum NextKey {
    /// Its spellings.
    Fixed(ExprId),
    /// Any of a class.
    OfClass(ExprId, usize),
}

impl Entries {
    /// What the entries are before the first of them; `entries` is their number.
    pub(super) fn start(&self, entries: usize) -> EntriesLeft {
        let there = vec![false; self.known.len()];
        EntriesLeft { entries, position: 0, there, met: 0, count: 0, written: Vec::new(), any: false }
    }

    fn may_close(&self, left: &EntriesLeft) -> bool {
        let required = self.known.iter().zip(&left.there).all(|((_, _, must), there)| *there || !must);
        let holds = |clause: &Vec<(usize, bool)>| clause.iter().any(|(key, there)| left.there[*key] == *there);
        required && left.count >= self.min && left.met & self.goals == self.goals && self.clauses.iter().all(holds)
    }

    /// Each key that may come, its values, and what is left behind the entry but for what the value meets.
    fn next(&self, left: &EntriesLeft, language: &mut Language) -> Vec<(NextKey, Vec<Meeting>, EntriesLeft)> {
        let mut found = Vec::new();
        if self.max.is_some_and(|max| left.count >= max) {
            return found;
        }
        let count = (left.count + 1).min(self.max.unwrap_or(self.min));
        let after = |position| EntriesLeft { any: true, count, position, ..left.clone() };
        for (index, (key, values, _)) in self.known.iter().enumerate().skip(left.position) {
            if !left.there[index] {
                let mut after = after(self.n_listed.min(index + 1));
                after.there[index] = true;
                found.push((NextKey::Fixed(*key), values.clone(), after));
            }
        }
        let after = after(self.n_listed);
        for (class, (keys, values)) in self.others.iter().enumerate() {
            match keys {
                OtherKeys::Endless(key) => found.push((NextKey::OfClass(*key, class), values.clone(), after.clone())),
                OtherKeys::Words(words) => {
                    for word in words.iter().filter(|word| !left.written.contains(word)) {
                        let key = string_spellings(language, word);
                        found.push((NextKey::Fixed(key), values.clone(), after.clone().with_word(word.clone())));
                    }
                }
            }
        }
        found
    }
}

impl Language {
    /// All that may come next in an object, written out as far as the first entry.
    pub(super) fn unfold(&mut self, left: &EntriesLeft) -> ExprId {
        let entries = self.entries_of(left.entries);
        let mut choices = Vec::new();
        if entries.may_close(left) {
            choices.push(self.literal("}"));
        }
        let comma = self.literal(if left.any { "," } else { "" });
        for (key, values, after) in entries.next(left, self) {
            let entry = match key {
                NextKey::OfClass(key, class) => self.other_key(key, Vec::new(), class, after),
                NextKey::Fixed(key) => {
                    let value = self.value_and_rest(&values, &after);
                    self.sequence([key, value])
                }
            };
            choices.push(self.sequence([comma, entry]));
        }
        self.choice(choices)
    }

    fn value_and_rest(&mut self, values: &[Meeting], after: &EntriesLeft) -> ExprId {
        let colon = self.literal(":");
        let mut choices = Vec::new();
        for (value, meets) in values {
            let rest = self.entries_left(EntriesLeft { met: after.met | meets, ..after.clone() });
            choices.push(self.sequence([colon, *value, rest]));
        }
        self.choice(choices)
    }

    /// What is left of another key behind one more byte of it, `read` included.
    pub(super) fn after_byte_of_key(&mut self, key: ExprId, read: Vec<u8>, class: usize, after: EntriesLeft) -> ExprId {
        if !self.is_nullable(key) {
            return if self.is_productive(key) { self.other_key(key, read, class, after) } else { self.never() };
        }
        let content: String = serde_json::from_slice(&read).expect("keys are JSON strings");
        if after.written.contains(&content) {
            return self.never();
        }
        let values = self.entries_of(after.entries).others[class].1.clone();
        self.value_and_rest(&values, &after.with_word(content))
    }

    /// Whether any value can follow a key of a class, and then the rest of the object.
    pub(super) fn value_is_productive(&mut self, class: usize, after: &EntriesLeft) -> bool {
        let values = self.entries_of(after.entries).others[class].1.clone();
        values.into_iter().any(|(value, meets)| {
            let after = EntriesLeft { met: after.met | meets, ..after.clone() };
            self.is_productive(value) && self.entries_are_productive(&after)
        })
    }

    /// Whether an object can be completed. Of endless keys there are always others than those that were written.
    pub(super) fn entries_are_productive(&mut self, left: &EntriesLeft) -> bool {
        let entries = self.entries_of(left.entries);
        let mut pending = vec![left.clone()];
        let mut known = HashSet::from([left.clone()]);
        while let Some(left) = pending.pop() {
            if entries.may_close(&left) {
                return true;
            }
            for (_, values, after) in entries.next(&left, self) {
                for (value, meets) in values {
                    let after = EntriesLeft { met: after.met | meets, ..after.clone() };
                    if self.is_productive(value) && known.insert(after.clone()) {
                        pending.push(after);
                    }
                }
            }
        }
        false
    }
}
