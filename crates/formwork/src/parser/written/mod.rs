//! What was written that must not be written again? The keys of the objects around a place.
//!
//! What is remembered depends on the text alone and stands beside the items, not in them: item sets stay as few as they are
//! without it, and one number tells all of it. A place where nothing is asked of it costs nothing.
//!
//! Masks are first made for any past ([`Written::ANY`]): every question is answered with yes, and what was read behind such
//! an answer is [`Written::DOUBTED`].

mod words;

use ahash::AHashMap;

use self::words::TextId;
pub(crate) use self::words::WordId as WrittenWord;
pub(crate) use self::words::{WordSetId, Words, push_letter};
use crate::error::LimitError;
use crate::grammar::Effect;

/// Number of a past.
pub(crate) type PastId = u32;

/// What is remembered at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Past {
    /// What is remembered around the innermost object.
    around: PastId,
    /// The keys of the innermost object so far.
    keys: WordSetId,
    /// The key that is being read, where it has no name.
    key: TextId,
}

/// What was written in all texts of a generation.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) words: Words,
    pasts: Vec<Past>,
    ids: AHashMap<Past, PastId>,
    /// Most keys of one object.
    max_words: usize,
    n_bytes: usize,
    /// How often anything was asked or remembered: a step that did neither is the same for any past.
    pub(crate) n_uses: u64,
}

impl Written {
    /// Nothing is remembered.
    pub(crate) const NOTHING: PastId = 0;
    /// Whatever was written before.
    pub(crate) const ANY: PastId = PastId::MAX;
    /// The same, behind something that some pasts do not allow.
    pub(crate) const DOUBTED: PastId = PastId::MAX - 1;

    pub(crate) fn new(max_words: usize) -> Written {
        let nothing = Past::default();
        Written {
            words: Words::default(),
            pasts: vec![nothing],
            ids: AHashMap::from_iter([(nothing, Written::NOTHING)]),
            max_words,
            n_bytes: 0,
            n_uses: 0,
        }
    }

    /// Whether this is a past, and not any.
    pub(crate) fn is_known(past: PastId) -> bool {
        past < Written::DOUBTED
    }

    fn intern(&mut self, past: Past) -> PastId {
        if let Some(id) = self.ids.get(&past) {
            return *id;
        }
        let id = self.pasts.len() as PastId;
        self.pasts.push(past);
        self.ids.insert(past, id);
        self.n_bytes += 3 * size_of::<Past>() + 16;
        id
    }

    /// What is remembered when the first byte of a lexeme is read.
    pub(crate) fn begin(&mut self, past: PastId, effect: Effect) -> PastId {
        if effect != Effect::OtherKey || !Written::is_known(past) {
            return past;
        }
        let key = Words::EMPTY_TEXT;
        self.intern(Past { key, ..self.pasts[past as usize] })
    }

    /// What is remembered behind one more letter of a key without a name.
    pub(crate) fn push(&mut self, past: PastId, letter: u32) -> PastId {
        self.n_uses += 1;
        if !Written::is_known(past) {
            return past;
        }
        let key = self.words.push(self.pasts[past as usize].key, letter);
        self.intern(Past { key, ..self.pasts[past as usize] })
    }

    /// What is remembered behind a lexeme; `None` where it must not stand there.
    pub(crate) fn end(&mut self, past: PastId, effect: Effect) -> Result<Option<PastId>, LimitError> {
        self.n_uses += 1;
        if !Written::is_known(past) {
            return Ok(Some(if effect == Effect::OtherKey { Written::DOUBTED } else { past }));
        }
        let Past { around, keys, key } = self.pasts[past as usize];
        Ok(match effect {
            Effect::None | Effect::MoreKeys(_) => Some(past),
            Effect::Open => {
                let empty = Past { around: past, ..Past::default() };
                Some(self.intern(empty))
            }
            Effect::Close => Some(around),
            Effect::OtherKey => {
                let bytes = self.words.bytes_of(key);
                if self.words.contains(keys, &bytes) {
                    return Ok(None);
                }
                let word = self.words.word(&bytes);
                Some(self.add_key(past, word)?)
            }
        })
    }

    /// What is remembered behind a key.
    pub(crate) fn add_key(&mut self, past: PastId, word: WrittenWord) -> Result<PastId, LimitError> {
        self.n_uses += 1;
        if !Written::is_known(past) {
            return Ok(past);
        }
        let Past { around, keys, .. } = self.pasts[past as usize];
        let keys = self.words.with(keys, word);
        if self.words.size(keys) as usize > self.max_words {
            return Err(LimitError { setting: "max_unique", limit: self.max_words });
        }
        Ok(self.intern(Past { around, keys, key: Words::NO_TEXT }))
    }

    /// The keys of the innermost object, and the letters of the one that is being read.
    pub(crate) fn keys(&self, past: PastId) -> (WordSetId, Vec<u8>) {
        if !Written::is_known(past) {
            return (Words::EMPTY, Vec::new());
        }
        let past = self.pasts[past as usize];
        (past.keys, self.words.bytes_of(past.key))
    }

    /// The keys of the innermost object and of those around it, where there are any.
    pub(crate) fn keys_around(&self, past: PastId) -> impl Iterator<Item = WordSetId> {
        let first = Some(past).filter(|past| Written::is_known(*past) && *past != Written::NOTHING);
        let pasts = std::iter::successors(first, |past| {
            Some(self.pasts[*past as usize].around).filter(|around| *around != Written::NOTHING)
        });
        pasts.map(|past| self.pasts[past as usize].keys).filter(|keys| *keys != Words::EMPTY)
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
            let Past { around, keys, key } = old.pasts[old_past as usize];
            let new = Past {
                around: memo.pasts.get(&around).copied().unwrap_or(Written::NOTHING),
                keys: self.words.adopt_set(&old.words, keys, &mut memo.sets),
                key: self.words.adopt_text(&old.words, key, &mut memo.texts),
            };
            let new = self.intern(new);
            memo.pasts.insert(old_past, new);
        }
        memo.pasts.get(&past).copied().unwrap_or(Written::NOTHING)
    }
}

/// What was taken over from an older generation.
#[derive(Debug, Default)]
pub(crate) struct Adopted {
    pasts: AHashMap<PastId, PastId>,
    sets: AHashMap<WordSetId, WordSetId>,
    texts: AHashMap<TextId, TextId>,
}
