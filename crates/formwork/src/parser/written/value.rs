//! What does a JSON value say, whatever its spelling? Read byte by byte, and compared with earlier values on the way.
//!
//! A value is a word: a string its content, a number its digits in canonical form, a list its elements, an object its members
//! in the order of their keys. With each bracket that is open stand the earlier values that it can still become equal to
//! (*targets*): those that have the elements, or the members, that it has so far.

use super::words::{LIST, NAME, NUMBER, OBJECT, push_letter};
use super::{Frame, Past, PastId, Reading, STRING, WordSetId, Words, Written, WrittenWord, parts};
use crate::automata::Decimal;
use crate::automata::Escapes;
use crate::automata::decoder::DecodeState;
use crate::error::LimitError;
use crate::grammar::Whitespace;

impl Past {
    /// Whether a key must come, and no value.
    pub(super) fn takes_key(&self) -> bool {
        self.frame == Frame::Object && self.key == 0
    }
}

/// The canonical form of a number.
pub(crate) fn number_word(text: &str) -> Vec<u8> {
    let mut word = vec![NUMBER];
    match Decimal::parse(text) {
        Some(number) => word.extend_from_slice(number.to_string().as_bytes()),
        None => word.extend_from_slice(text.as_bytes()),
    }
    word
}

/// The word of a JSON value as it is spelled: a string without escapes, a number or a name.
pub(crate) fn constant_word(text: &[u8]) -> Option<Vec<u8>> {
    match text {
        [b'"', content @ .., b'"'] if !content.contains(&b'\\') => Some([&[STRING], content].concat()),
        [b'-' | b'0'..=b'9', ..] => std::str::from_utf8(text).ok().map(number_word),
        [b'a'..=b'z', ..] => Some([&[NAME], text].concat()),
        _ => None,
    }
}

impl Written {
    /// Whether a value that is being read is equal to one of those that it is compared with, if it is this one.
    pub(crate) fn is_equal_to_earlier(&self, past: PastId, word: &[u8]) -> bool {
        let past = self.get(past);
        past.reading != Reading::Nothing && self.words.contains(past.begun, word)
    }

    /// Whether the value that is being read is an element of the outermost list that is compared.
    pub(crate) fn is_element(&self, past: PastId) -> bool {
        self.elements(past).is_some() && self.get(past).reading != Reading::Nothing
    }

    /// What is remembered behind one more byte; `None` where it is no JSON.
    pub(crate) fn read(&mut self, id: PastId, byte: u8) -> Result<Option<PastId>, LimitError> {
        self.n_uses += 1;
        let mut past = self.get(id);
        match past.reading {
            Reading::Key | Reading::String => {
                let Some(decoded) = DecodeState::from_bits(past.decode).step(byte, Escapes::Any) else {
                    return Ok(None);
                };
                past.decode = decoded.state.to_bits();
                if let Some(letter) = decoded.char {
                    self.push_text(&mut past, letter);
                }
                if decoded.state == DecodeState::CLOSED {
                    let word = self.string(past.text);
                    return self.finish(past, &word).map(Some);
                }
                return Ok(Some(self.intern(past)));
            }
            Reading::Number | Reading::Name if byte.is_ascii_alphanumeric() || b"+-.".contains(&byte) => {
                self.push_text(&mut past, byte.into());
                return Ok(Some(self.intern(past)));
            }
            Reading::Number | Reading::Name => {
                let ended = self.end_of_lexeme(id)?;
                past = self.get(ended);
            }
            Reading::Nothing | Reading::LoneKey => {}
        }
        if Whitespace::contains(byte) { Ok(Some(self.intern(past))) } else { self.read_between(past, byte) }
    }

    /// A byte between two strings, numbers or names.
    fn read_between(&mut self, mut past: Past, byte: u8) -> Result<Option<PastId>, LimitError> {
        match byte {
            b',' | b':' => {
                (past.expecting, past.repeated) = (true, false);
                Ok(Some(self.intern(past)))
            }
            b'[' | b'{' => {
                let frame = if byte == b'[' { Frame::List } else { Frame::Object };
                let targets = self.target_values(&past);
                let targets = self.words.narrow(targets, 0, &[byte]);
                let around = self.intern(past);
                let content = Words::EMPTY_TEXT;
                Ok(Some(self.intern(Past { around, frame, content, targets, ..Past::default() })))
            }
            b']' if past.outermost => Ok(Some(past.around)),
            b']' | b'}' => {
                let tag = if past.frame == Frame::List { LIST } else { OBJECT };
                let parts = self.words.letters(past.content);
                let word = self.words.composite(tag, parts);
                let around = self.get(past.around);
                self.add(around, word).map(Some)
            }
            _ => {
                let is_key = past.takes_key();
                let begun = if is_key { self.target_keys(&past) } else { self.target_values(&past) };
                let (reading, tag) = match byte {
                    b'"' if is_key => (Reading::Key, STRING),
                    b'"' => (Reading::String, STRING),
                    b'-' | b'0'..=b'9' => (Reading::Number, NUMBER),
                    b'a'..=b'z' => (Reading::Name, NAME),
                    _ => return Ok(None),
                };
                past.reading = reading;
                past.text = Words::EMPTY_TEXT;
                past.begun = self.words.narrow(begun, 0, &[tag]);
                past.depth = 1;
                past.decode = DecodeState::BODY.to_bits();
                if byte != b'"' {
                    self.push_text(&mut past, byte.into());
                }
                Ok(Some(self.intern(past)))
            }
        }
    }

    fn push_text(&mut self, past: &mut Past, letter: u32) {
        past.text = self.words.push(past.text, letter);
        // A number can become another spelling of any other until it ends.
        if past.reading != Reading::Number && past.begun != Words::EMPTY {
            let mut bytes = Vec::new();
            push_letter(&mut bytes, letter);
            past.begun = self.words.narrow(past.begun, past.depth as usize, &bytes);
            past.depth += bytes.len() as u32;
        }
        if past.begun == Words::EMPTY {
            past.depth = 0;
        }
    }

    /// What is remembered where a lexeme ends: numbers do not tell by themselves.
    pub(crate) fn end_of_lexeme(&mut self, id: PastId) -> Result<PastId, LimitError> {
        let past = self.get(id);
        let text = match past.reading {
            Reading::Number | Reading::Name => self.words.bytes_of(past.text),
            _ => return Ok(id),
        };
        let word = match past.reading {
            Reading::Number => number_word(&String::from_utf8_lossy(&text)),
            _ => [&[NAME], &text[..]].concat(),
        };
        self.finish(past, &word)
    }

    /// A key or a scalar value ends.
    fn finish(&mut self, past: Past, word: &[u8]) -> Result<PastId, LimitError> {
        let word = self.words.word(word);
        if past.reading != Reading::Key {
            return self.add(past, word);
        }
        let repeated = self.words.contains(past.words, self.words.get(word));
        let words = self.with(past.words, word)?;
        let targets = self.targets_with(past.targets, |value| member(value, word).is_some());
        Ok(self.intern(Past { words, repeated, targets, key: word + 1, expecting: false, ..past.at_rest() }))
    }

    /// A value is complete, in the bracket of `past`.
    fn add(&mut self, past: Past, word: WrittenWord) -> Result<PastId, LimitError> {
        let past = past.at_rest();
        let mut next = Past { expecting: false, n_entries: past.n_entries + 1, ..past };
        if past.frame == Frame::List {
            next.repeated = self.words.contains(past.words, self.words.get(word));
            next.words = self.with(past.words, word)?;
            next.content = self.words.push(past.content, word);
            let index = past.n_entries as usize;
            next.targets = self.targets_with(past.targets, |value| parts(value).nth(index) == Some(word));
        } else {
            let key = past.key.saturating_sub(1);
            next.repeated = false;
            next.content = self.words.push(past.content, key);
            next.content = self.words.push(next.content, word);
            next.key = 0;
            next.targets = self.targets_with(past.targets, |value| member(value, key) == Some(word));
        }
        Ok(self.intern(next))
    }

    fn targets_with(&mut self, targets: WordSetId, fits: impl Fn(&[u8]) -> bool) -> WordSetId {
        if targets == Words::EMPTY {
            return targets;
        }
        let fitting: Vec<WrittenWord> =
            self.words.list(targets).into_iter().filter(|target| fits(self.words.get(*target))).collect();
        if fitting.len() == self.words.size(targets) as usize {
            targets
        } else {
            self.words.set_of(fitting.into_iter())
        }
    }

    /// Earlier values that the value which comes next can become equal to.
    pub(super) fn target_values(&mut self, past: &Past) -> WordSetId {
        let own = if past.frame == Frame::List { past.words } else { Words::EMPTY };
        if past.targets == Words::EMPTY {
            return own;
        }
        let index = past.n_entries as usize;
        let targets = self.words.list(past.targets);
        let mut values: Vec<WrittenWord> = targets
            .into_iter()
            .filter_map(|target| {
                let target = self.words.get(target);
                if past.frame == Frame::List {
                    parts(target).nth(index)
                } else {
                    member(target, past.key.saturating_sub(1))
                }
            })
            .collect();
        values.sort_unstable();
        values.dedup();
        let words = &mut self.words;
        values.into_iter().fold(own, |set, value| words.with(set, value))
    }

    /// Keys that targets have and that were not written yet.
    pub(super) fn target_keys(&mut self, past: &Past) -> WordSetId {
        let mut keys: Vec<WrittenWord> = Vec::new();
        for target in self.words.list(past.targets) {
            keys.extend(parts(self.words.get(target)).step_by(2));
        }
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| !self.words.contains(past.words, self.words.get(*key)));
        self.words.set_of(keys.into_iter())
    }
}

impl Past {
    /// Between two lexemes.
    fn at_rest(self) -> Past {
        Past { reading: Reading::Nothing, text: Words::NO_TEXT, decode: 0, begun: Words::EMPTY, depth: 0, ..self }
    }
}

/// The value of an object's key.
fn member(object: &[u8], key: WrittenWord) -> Option<WrittenWord> {
    let mut parts = parts(object);
    while let Some(other) = parts.next() {
        let value = parts.next()?;
        if other == key {
            return Some(value);
        }
    }
    None
}
