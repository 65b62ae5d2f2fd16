//! What was written that must not be written again? The keys of the objects around a place, and the elements of lists.
//!
//! What is remembered depends on the text alone and stands beside the items, not in them: item sets stay as few as they are
//! without it, and one number tells all of it. A place where nothing is asked of it costs nothing.
//!
//! Outside of lists whose elements must differ only keys are remembered, and the parser tells where they begin and end. From
//! the bracket of such a list on every byte is read here, as JSON ([`value`]), and of the value that is being written it is
//! known which earlier elements it can still become equal to.
//!
//! Masks are made for pasts that nobody knows first: see [`Written::FRESH`], [`Written::ANY`] and [`Written::DOUBTED`].

mod value;
mod words;

pub(crate) use self::value::{constant_word, number_word};
pub(crate) use self::words::WordId as WrittenWord;
use self::words::{NAME, NUMBER, TextId, parts};
pub(crate) use self::words::{STRING, WordSetId, Words};
use crate::automata::Decimal;
use crate::error::LimitError;
use crate::grammar::Effect;
use crate::hash::{HashMap, Numbered};

/// Number of a past.
pub(crate) type PastId = u32;

/// The innermost bracket that is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Frame {
    #[default]
    None,
    /// An object of which only the keys matter.
    Keys,
    /// An object and a list that are, or are in, a list whose elements must differ.
    Object,
    List,
}

/// What is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Reading {
    #[default]
    Nothing,
    /// A key of an object of which only the keys matter.
    LoneKey,
    /// A key or a string, from the opening quote on.
    Key,
    String,
    /// A number, or one of the three names.
    Number,
    Name,
}

/// What is remembered at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Past {
    /// What is remembered around the innermost bracket.
    around: PastId,
    frame: Frame,
    /// Whether nothing outside the bracket is compared.
    outermost: bool,
    /// Keys or elements so far.
    words: WordSetId,
    /// In a value that is compared: its elements so far, or its keys and values.
    content: TextId,
    n_entries: u32,
    /// The key whose value comes next, and one more.
    key: u32,
    /// Whether a value or a key must come.
    expecting: bool,
    /// Whether the last element, or the last key, was there already.
    repeated: bool,
    /// Earlier values that the innermost bracket can still become equal to.
    targets: WordSetId,
    reading: Reading,
    text: TextId,
    decode: u32,
    /// Earlier keys or values that what is being read can still become equal to, all alike in their first `depth` bytes.
    begun: WordSetId,
    depth: u32,
}

/// What was written in all texts of a generation.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) words: Words,
    pasts: Numbered<Past>,
    /// Most keys of one object, and elements of one list.
    max_words: usize,
    n_bytes: usize,
    /// How often anything was asked or remembered: a step that did neither is the same for any past.
    pub(crate) n_uses: u64,
}

impl Written {
    /// Nothing is remembered.
    pub(crate) const NOTHING: PastId = 0;
    /// Whatever was written before, and the elements that are being written differ from all earlier ones.
    pub(crate) const FRESH: PastId = PastId::MAX;
    /// Whatever was written before; the elements that are being written may turn out to be equal to earlier ones.
    pub(crate) const ANY: PastId = PastId::MAX - 1;
    /// The same, behind something that some pasts do not allow.
    pub(crate) const DOUBTED: PastId = PastId::MAX - 2;

    pub(crate) fn new(max_words: usize) -> Written {
        Written {
            words: Words::default(),
            pasts: Numbered::from_iter([Past::default()]),
            max_words,
            n_bytes: 0,
            n_uses: 0,
        }
    }

    /// Whether this is one past, and not many.
    pub(crate) fn is_known(past: PastId) -> bool {
        past < Written::DOUBTED
    }

    fn get(&self, past: PastId) -> Past {
        if Written::is_known(past) { self.pasts[past as usize] } else { Past::default() }
    }

    /// Whether every byte is read here.
    pub(crate) fn reads_all(&self, past: PastId) -> bool {
        matches!(self.get(past).frame, Frame::List | Frame::Object)
    }

    /// Whether the values that are being written can still become equal to earlier elements.
    pub(crate) fn is_at_risk(&self, past: PastId) -> bool {
        let past = self.get(past);
        match (past.frame, past.reading) {
            (Frame::List | Frame::Object, Reading::Nothing) => {
                past.targets != Words::EMPTY
                    || past.frame == Frame::List && past.expecting && past.words != Words::EMPTY
            }
            (Frame::List | Frame::Object, _) => past.begun != Words::EMPTY,
            _ => false,
        }
    }

    /// Whether every byte is read here, and what is being read differs from all that was written: so it does with any more
    /// letters.
    pub(crate) fn is_settled(&self, past: PastId) -> bool {
        let past = self.get(past);
        matches!(past.frame, Frame::List | Frame::Object)
            && past.reading != Reading::Nothing
            && past.begun == Words::EMPTY
    }

    /// Whether the element, or the key, that ends here was there already.
    pub(crate) fn is_repeated(&self, past: PastId) -> bool {
        self.get(past).repeated
    }

    fn intern(&mut self, past: Past) -> PastId {
        let (id, is_new) = self.pasts.insert_full(past);
        self.n_bytes += if is_new { size_of::<Past>() + 24 } else { 0 };
        id as PastId
    }

    /// What is remembered when the first byte of a lexeme is read.
    pub(crate) fn begin(&mut self, past: PastId, effect: Effect) -> PastId {
        if effect != Effect::OtherKey || !Written::is_known(past) || self.reads_all(past) {
            return past;
        }
        self.intern(Past { reading: Reading::LoneKey, text: Words::EMPTY_TEXT, ..self.get(past) })
    }

    /// What is remembered behind more letters of a key without a name.
    pub(crate) fn push(&mut self, id: PastId, letters: impl Iterator<Item = u32>) -> PastId {
        let mut letters = letters.peekable();
        if letters.peek().is_none() {
            return id;
        }
        self.n_uses += 1;
        let past = self.get(id);
        if past.reading != Reading::LoneKey {
            return id;
        }
        let text = letters.fold(past.text, |text, letter| self.words.push(text, letter));
        self.intern(Past { text, ..past })
    }

    /// What is remembered behind a lexeme; `None` where it must not stand there.
    pub(crate) fn end(&mut self, id: PastId, effect: Effect) -> Result<Option<PastId>, LimitError> {
        self.n_uses += 1;
        if !Written::is_known(id) {
            return Ok(Some(match effect {
                Effect::OtherKey => Written::DOUBTED,
                Effect::NextElement if id == Written::FRESH => Written::ANY,
                _ => id,
            }));
        }
        let past = self.get(id);
        if self.reads_all(id) {
            // What the bytes say is known already.
            return Ok((effect != Effect::OtherKey || !past.repeated).then_some(id));
        }
        Ok(match effect {
            Effect::None | Effect::MoreKeys(_) | Effect::NextElement => Some(id),
            Effect::Open => Some(self.intern(Past { around: id, frame: Frame::Keys, ..Past::default() })),
            Effect::Close => Some(past.around),
            Effect::OpenUnique => {
                let list = Past { around: id, frame: Frame::List, outermost: true, ..Past::default() };
                Some(self.intern(Past { content: Words::EMPTY_TEXT, ..list }))
            }
            Effect::OtherKey => {
                let bytes = self.string(past.text);
                if self.words.contains(past.words, &bytes) {
                    return Ok(None);
                }
                let word = self.words.word(&bytes);
                Some(self.add_key(id, word)?)
            }
        })
    }

    /// The bytes of a string's word.
    fn string(&self, text: TextId) -> Vec<u8> {
        let mut bytes = vec![STRING];
        bytes.append(&mut self.words.bytes_of(text));
        bytes
    }

    /// What is remembered behind a key.
    pub(crate) fn add_key(&mut self, id: PastId, word: WrittenWord) -> Result<PastId, LimitError> {
        self.n_uses += 1;
        if !Written::is_known(id) || self.reads_all(id) {
            return Ok(id);
        }
        let past = self.get(id);
        let words = self.with(past.words, word)?;
        Ok(self.intern(Past { words, reading: Reading::Nothing, text: Words::NO_TEXT, ..past }))
    }

    fn with(&mut self, set: WordSetId, word: WrittenWord) -> Result<WordSetId, LimitError> {
        let set = self.words.with(set, word);
        if self.words.size(set) as usize > self.max_words {
            return Err(LimitError { setting: "max_unique", limit: self.max_words });
        }
        Ok(set)
    }

    /// The keys of the innermost object, and what was read of another one if there are any.
    pub(crate) fn keys(&self, past: PastId) -> (WordSetId, Vec<u8>) {
        let past = self.get(past);
        match past.frame {
            Frame::Keys | Frame::Object if past.words != Words::EMPTY => (past.words, self.string(past.text)),
            _ => (Words::EMPTY, vec![STRING]),
        }
    }

    /// Earlier keys or strings that a string can become equal to which is being read or begins here, with the number of
    /// bytes in which they are alike.
    pub(crate) fn equal_strings(&mut self, id: PastId) -> (WordSetId, usize) {
        let past = self.get(id);
        match past.reading {
            Reading::Key | Reading::String => (past.begun, past.depth as usize),
            Reading::Nothing if self.reads_all(id) => {
                let begun = if past.takes_key() { self.target_keys(&past) } else { self.target_values(&past) };
                (self.words.narrow(begun, 0, &[STRING]), 1)
            }
            _ => (Words::EMPTY, 0),
        }
    }

    /// The text of a number that is being read, and earlier numbers that it can become equal to.
    pub(crate) fn number(&self, id: PastId) -> Option<(Vec<u8>, WordSetId)> {
        let past = self.get(id);
        (past.reading == Reading::Number).then(|| (self.words.bytes_of(past.text), past.begun))
    }

    /// The values of the numbers in a set.
    pub(crate) fn numbers_in(&self, set: WordSetId) -> Vec<Decimal> {
        let texts =
            self.words.list(set).into_iter().filter_map(|word| std::str::from_utf8(&self.words.get(word)[1..]).ok());
        texts.filter_map(Decimal::parse).collect()
    }

    /// The keys of the innermost object and of those around it, where there are any.
    pub(crate) fn keys_around(&self, past: PastId) -> impl Iterator<Item = WordSetId> {
        let first = Some(past).filter(|past| Written::is_known(*past) && *past != Written::NOTHING);
        let pasts = std::iter::successors(first, |past| {
            Some(self.pasts[*past as usize].around).filter(|around| *around != Written::NOTHING)
        });
        let keys = pasts.map(|past| self.pasts[past as usize]).filter(|past| past.frame != Frame::List);
        keys.map(|past| past.words).filter(|keys| *keys != Words::EMPTY)
    }

    /// The elements so far of the list whose elements are being written, if it is the outermost one that is compared, and what
    /// stands around it.
    pub(crate) fn elements(&self, past: PastId) -> Option<Elements> {
        let past = self.get(past);
        let is_list = past.frame == Frame::List && past.outermost;
        is_list.then_some(Elements { around: past.around, text: past.content })
    }

    /// What would be remembered if only these had been elements so far of the outermost list that is compared.
    pub(crate) fn with_elements(&mut self, id: PastId, words: WordSetId) -> PastId {
        let past = self.get(id);
        let (begun, depth) = match past.reading {
            Reading::String => {
                let read = self.string(past.text);
                (self.words.narrow(words, 0, &read), read.len() as u32)
            }
            Reading::Number => (self.words.narrow(words, 0, &[NUMBER]), 1),
            Reading::Name => {
                let read = [&[NAME], &*self.words.bytes_of(past.text)].concat();
                (self.words.narrow(words, 0, &read), read.len() as u32)
            }
            Reading::Nothing | Reading::LoneKey | Reading::Key => (Words::EMPTY, 0),
        };
        let depth = if begun == Words::EMPTY { 0 } else { depth };
        self.intern(Past { words, begun, depth, ..past })
    }

    /// Bytes held, about.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes + self.words.n_bytes()
    }

    /// Takes a past over from an older generation.
    pub(crate) fn adopt(&mut self, old: &Written, past: PastId, memo: &mut Adopted) -> PastId {
        let mut needed = Vec::new();
        let mut at = past;
        while at != Written::NOTHING && !memo.pasts.contains_key(&at) {
            needed.push(at);
            at = old.pasts[at as usize].around;
        }
        for old_past in needed.into_iter().rev() {
            let past = old.pasts[old_past as usize];
            let Adopted { pasts, sets, texts, contents, words } = memo;
            let store = &mut self.words;
            let mut set = |store: &mut Words, set| store.adopt_set(&old.words, set, sets, words);
            let new = Past {
                around: pasts.get(&past.around).copied().unwrap_or(Written::NOTHING),
                words: set(store, past.words),
                targets: set(store, past.targets),
                begun: set(store, past.begun),
                text: store.adopt_text(&old.words, past.text, texts, &mut |_, letter| letter),
                content: store.adopt_text(&old.words, past.content, contents, &mut |store, word| {
                    store.adopt_word(&old.words, word, words)
                }),
                key: past.key.checked_sub(1).map_or(0, |key| store.adopt_word(&old.words, key, words) + 1),
                ..past
            };
            let new = self.intern(new);
            memo.pasts.insert(old_past, new);
        }
        memo.pasts.get(&past).copied().unwrap_or(Written::NOTHING)
    }
}

/// The elements of a list so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Elements {
    around: PastId,
    text: TextId,
}

impl Elements {
    /// All but the last of them, and the last.
    pub(crate) fn split_last(self, words: &Words) -> Option<(Elements, WrittenWord)> {
        let (text, last) = words.before_last(self.text)?;
        Some((Elements { text, ..self }, last))
    }
}

/// What was taken over from an older generation.
#[derive(Debug, Default)]
pub(crate) struct Adopted {
    pasts: HashMap<PastId, PastId>,
    sets: HashMap<WordSetId, WordSetId>,
    texts: HashMap<TextId, TextId>,
    contents: HashMap<TextId, TextId>,
    words: HashMap<WrittenWord, WrittenWord>,
}
