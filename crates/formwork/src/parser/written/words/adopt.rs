//! How do words of an older generation come into a new one? Letter by letter, part by part.

use super::{Node, TextId, WordId, WordSetId, Words, parts};
use crate::hash::HashMap;

impl Words {
    /// Takes a word that is being read over from an older generation; `letter` takes over each letter, and `memo` holds
    /// what was taken.
    pub(crate) fn adopt_text(
        &mut self,
        old: &Words,
        text: TextId,
        memo: &mut HashMap<TextId, TextId>,
        letter: &mut dyn FnMut(&mut Words, u32) -> u32,
    ) -> TextId {
        let mut letters = Vec::new();
        let mut at = text;
        let mut new = loop {
            if at <= Words::EMPTY_TEXT {
                break at;
            }
            if let Some(new) = memo.get(&at) {
                break *new;
            }
            letters.push(at);
            at = old.texts[at as usize].0;
        };
        for old_text in letters.into_iter().rev() {
            let taken = letter(self, old.texts[old_text as usize].1);
            new = self.push(new, taken);
            memo.insert(old_text, new);
        }
        new
    }

    /// Takes a whole word over, and those that it is made of.
    pub(crate) fn adopt_word(&mut self, old: &Words, word: WordId, memo: &mut HashMap<WordId, WordId>) -> WordId {
        let mut needed = vec![word];
        let mut index = 0;
        while index < needed.len() {
            let parts = parts(old.get(needed[index]));
            needed.extend(parts.filter(|part| !memo.contains_key(part)));
            index += 1;
        }
        // A word has a higher number than its parts.
        needed.sort_unstable();
        for old_word in needed {
            if memo.contains_key(&old_word) {
                continue;
            }
            let bytes = old.get(old_word);
            let new_parts: Vec<WordId> = parts(bytes).map(|part| memo[&part]).collect();
            let new = match new_parts[..] {
                [] => self.word(bytes),
                _ => self.composite(bytes[0], new_parts),
            };
            memo.insert(old_word, new);
        }
        memo[&word]
    }

    /// Takes a set over from an older generation.
    pub(crate) fn adopt_set(
        &mut self,
        old: &Words,
        set: WordSetId,
        memo: &mut HashMap<WordSetId, WordSetId>,
        words: &mut HashMap<WordId, WordId>,
    ) -> WordSetId {
        if let Some(new) = memo.get(&set) {
            return *new;
        }
        if let Some(new) = self.adopt_plain_set(old, set, memo, words) {
            return new;
        }
        let mut new = Words::EMPTY;
        for word in old.list(set) {
            let word = self.adopt_word(old, word, words);
            new = self.with(new, word);
        }
        memo.insert(set, new);
        new
    }

    /// The same node by node, so that sets go on to share their parts: a history holds as many sets as words were written.
    /// `None` where a word is made of others: their numbers, by which sets are laid out, are not the same here.
    fn adopt_plain_set(
        &mut self,
        old: &Words,
        set: WordSetId,
        memo: &mut HashMap<WordSetId, WordSetId>,
        words: &mut HashMap<WordId, WordId>,
    ) -> Option<WordSetId> {
        let mut pending = vec![set];
        while let Some(top) = pending.last().copied() {
            let new = match old.nodes[top as usize] {
                _ if memo.contains_key(&top) => None,
                Node::Empty => Some(Words::EMPTY),
                Node::Leaf(word) if parts(old.get(word)).next().is_some() => return None,
                Node::Leaf(word) => {
                    let word = self.adopt_word(old, word, words);
                    Some(self.intern(Node::Leaf(word)))
                }
                Node::Branch { bit, zero, one } => match (memo.get(&zero), memo.get(&one)) {
                    (Some(zero), Some(one)) => Some(self.intern(Node::Branch { bit, zero: *zero, one: *one })),
                    _ => {
                        pending.extend([zero, one]);
                        continue;
                    }
                },
            };
            pending.pop();
            if let Some(new) = new {
                memo.insert(top, new);
            }
        }
        memo.get(&set).copied()
    }
}
