//! Which words were written? Words letter by letter, numbered, and sets of them.
//!
//! A word that is being read is a [`TextId`]: the word before its last letter, and that letter. Sets are binary tries over
//! the words' bits (D. R. Morrison, "PATRICIA", 1968) that share their nodes and are held once each: a set with one more
//! word costs a few nodes, equal sets have equal numbers in whichever order they came about, and the words that begin in
//! one way are a sub-trie.

mod adopt;

use smallvec::SmallVec;

use crate::hash::Numbered;

/// Number of a word that is being read; see [`Words`].
pub(crate) type TextId = u32;
/// Number of a whole word.
pub(crate) type WordId = u32;
/// Number of a set of words.
pub(crate) type WordSetId = u32;

/// Bits of each byte of a word: the first says whether there is a byte at all.
const BITS: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    Empty,
    Leaf(WordId),
    /// Words below differ at this bit for the first time.
    Branch {
        bit: u32,
        zero: WordSetId,
        one: WordSetId,
    },
}

/// All words and sets of one generation.
#[derive(Debug)]
pub(crate) struct Words {
    texts: Numbered<(TextId, u32)>,
    words: Numbered<Box<[u8]>>,
    nodes: Numbered<Node>,
    sizes: Vec<u32>,
    n_bytes: usize,
}

impl Default for Words {
    fn default() -> Words {
        Words {
            // Number 0 says that no word is being read; 1 is the empty word.
            texts: Numbered::from_iter([(Words::NO_TEXT, 0), (Words::NO_TEXT, 1)]),
            words: Numbered::default(),
            nodes: Numbered::from_iter([Node::Empty]),
            sizes: vec![0],
            n_bytes: 0,
        }
    }
}

/// Whether the bit is set in a word.
fn has_bit(word: &[u8], bit: u32) -> bool {
    let (index, bit) = (bit as usize / BITS, bit as usize % BITS);
    word.get(index).is_some_and(|byte| bit == 0 || byte >> (8 - bit) & 1 == 1)
}

/// The first bit in which two words differ.
fn first_difference(a: &[u8], b: &[u8]) -> Option<u32> {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    if same == a.len() && same == b.len() {
        return None;
    }
    let first = (same * BITS) as u32;
    (first..first + BITS as u32).find(|bit| has_bit(a, *bit) != has_bit(b, *bit))
}

impl Words {
    /// No word is being read.
    pub(crate) const NO_TEXT: TextId = 0;
    /// The word without a letter.
    pub(crate) const EMPTY_TEXT: TextId = 1;
    /// The set without a word.
    pub(crate) const EMPTY: WordSetId = 0;

    /// A word with one more letter.
    pub(crate) fn push(&mut self, text: TextId, letter: u32) -> TextId {
        let (id, is_new) = self.texts.insert_full((text, letter));
        self.n_bytes += if is_new { 32 } else { 0 };
        id as TextId
    }

    /// The letters of a word that is being read, as UTF-8; bytes that are no text stand for themselves.
    pub(crate) fn bytes_of(&self, mut text: TextId) -> Vec<u8> {
        let mut letters = Vec::new();
        while text > Words::EMPTY_TEXT {
            let (before, letter) = self.texts[text as usize];
            letters.push(letter);
            text = before;
        }
        let mut bytes = Vec::with_capacity(letters.len());
        for letter in letters.iter().rev() {
            push_letter(&mut bytes, *letter);
        }
        bytes
    }

    /// The number of a word.
    pub(crate) fn word(&mut self, bytes: &[u8]) -> WordId {
        let known = self.words.get_index_of(bytes);
        let id = known.unwrap_or_else(|| {
            self.n_bytes += bytes.len() + 64;
            self.words.insert_full(bytes.into()).0
        });
        id as WordId
    }

    /// The bytes of a word.
    pub(crate) fn get(&self, word: WordId) -> &[u8] {
        &self.words[word as usize]
    }

    fn intern(&mut self, node: Node) -> WordSetId {
        let (id, is_new) = self.nodes.insert_full(node);
        if is_new {
            self.sizes.push(match node {
                Node::Empty => 0,
                Node::Leaf(_) => 1,
                Node::Branch { zero, one, .. } => self.size(zero).saturating_add(self.size(one)),
            });
            self.n_bytes += 48;
        }
        id as WordSetId
    }

    /// How many words a set has.
    pub(crate) fn size(&self, set: WordSetId) -> u32 {
        self.sizes[set as usize]
    }

    /// The leaf that a word would be at, if it is there.
    fn nearest(&self, mut set: WordSetId, word: &[u8]) -> Option<WordId> {
        loop {
            match self.nodes[set as usize] {
                Node::Empty => return None,
                Node::Leaf(found) => return Some(found),
                Node::Branch { bit, zero, one } => set = if has_bit(word, bit) { one } else { zero },
            }
        }
    }

    /// Whether a word is in a set.
    pub(crate) fn contains(&self, set: WordSetId, word: &[u8]) -> bool {
        self.nearest(set, word).is_some_and(|found| self.get(found) == word)
    }

    /// A set with one more word.
    pub(crate) fn with(&mut self, set: WordSetId, word: WordId) -> WordSetId {
        let leaf = self.intern(Node::Leaf(word));
        let Some(near) = self.nearest(set, &self.words[word as usize]) else { return leaf };
        let bytes = &self.words[word as usize];
        let Some(difference) = first_difference(bytes, self.get(near)) else { return set };
        let goes_one = has_bit(bytes, difference);
        let mut path = Vec::new();
        let mut below = set;
        while let Node::Branch { bit, zero, one } = self.nodes[below as usize] {
            if bit > difference {
                break;
            }
            let to_one = has_bit(bytes, bit);
            path.push((bit, zero, one, to_one));
            below = if to_one { one } else { zero };
        }
        let (zero, one) = if goes_one { (below, leaf) } else { (leaf, below) };
        let mut made = self.intern(Node::Branch { bit: difference, zero, one });
        for (bit, zero, one, to_one) in path.into_iter().rev() {
            let (zero, one) = if to_one { (zero, made) } else { (made, one) };
            made = self.intern(Node::Branch { bit, zero, one });
        }
        made
    }

    /// The words of a set that go on, or end, behind `more`, where all of them are equal in their first `depth` bytes.
    pub(crate) fn narrow(&self, mut set: WordSetId, depth: usize, more: &[u8]) -> WordSetId {
        let end = depth + more.len();
        while let Node::Branch { bit, zero, one } = self.nodes[set as usize] {
            let (index, part) = (bit as usize / BITS, bit as usize % BITS);
            if index >= end {
                break;
            }
            let is_one = part == 0 || more[index - depth] >> (8 - part) & 1 == 1;
            set = if is_one { one } else { zero };
        }
        match self.any(set) {
            Some(word) if self.get(word).get(depth..end) == Some(more) => set,
            _ => Words::EMPTY,
        }
    }

    /// The words of a set that was narrowed to its first `depth` bytes and go on with a letter, and the depth behind it;
    /// `bytes` is room for the letter.
    pub(crate) fn narrow_by_letter(
        &self,
        set: WordSetId,
        depth: usize,
        letter: u32,
        bytes: &mut Vec<u8>,
    ) -> (WordSetId, usize) {
        bytes.clear();
        push_letter(bytes, letter);
        (self.narrow(set, depth, bytes), depth + bytes.len())
    }

    /// Adds the bytes with which the words of a set go on behind their first `depth` bytes, some of them more than once.
    pub(crate) fn next_bytes(&self, set: WordSetId, depth: usize, found: &mut impl Extend<u8>) {
        let end = ((depth + 1) * BITS) as u32;
        let mut pending: SmallVec<[WordSetId; 16]> = SmallVec::from_slice(&[set]);
        while let Some(set) = pending.pop() {
            match self.nodes[set as usize] {
                Node::Branch { bit, zero, one } if bit < end => pending.extend([zero, one]),
                // All words below share the byte.
                _ => found.extend(self.any(set).and_then(|word| self.get(word).get(depth).copied())),
            }
        }
    }

    /// Some word of a set.
    fn any(&self, mut set: WordSetId) -> Option<WordId> {
        loop {
            match self.nodes[set as usize] {
                Node::Empty => return None,
                Node::Leaf(word) => return Some(word),
                Node::Branch { zero, .. } => set = zero,
            }
        }
    }

    /// Whether a word of a set that was narrowed to its first `depth` bytes ends there.
    pub(crate) fn ends_at(&self, set: WordSetId, depth: usize) -> bool {
        let mut set = set;
        loop {
            match self.nodes[set as usize] {
                Node::Empty => return false,
                Node::Leaf(word) => return self.get(word).len() == depth,
                Node::Branch { bit, zero, .. } if bit as usize == depth * BITS => set = zero,
                // All words below share the byte at `depth`.
                Node::Branch { .. } => return false,
            }
        }
    }

    /// The words of a set, in the order of their bytes.
    pub(crate) fn list(&self, set: WordSetId) -> Vec<WordId> {
        let mut found = Vec::with_capacity(self.size(set) as usize);
        let mut pending = vec![set];
        while let Some(set) = pending.pop() {
            match self.nodes[set as usize] {
                Node::Empty => {}
                Node::Leaf(word) => found.push(word),
                Node::Branch { zero, one, .. } => pending.extend([one, zero]),
            }
        }
        found
    }

    /// A text without its last letter, and that letter.
    pub(crate) fn before_last(&self, text: TextId) -> Option<(TextId, u32)> {
        (text > Words::EMPTY_TEXT).then(|| self.texts[text as usize])
    }

    /// The letters of a word that is being read, as they were pushed.
    pub(crate) fn letters(&self, mut text: TextId) -> Vec<u32> {
        let mut letters = Vec::new();
        while text > Words::EMPTY_TEXT {
            let (before, letter) = self.texts[text as usize];
            letters.push(letter);
            text = before;
        }
        letters.reverse();
        letters
    }

    /// The word of a list of words, or of a set of pairs of them: equal sets are equal words.
    pub(crate) fn composite(&mut self, tag: u8, mut parts: Vec<WordId>) -> WordId {
        if tag == OBJECT {
            let mut pairs: Vec<[WordId; 2]> = parts.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
            pairs.sort_unstable();
            parts = pairs.into_iter().flatten().collect();
        }
        let mut bytes = Vec::with_capacity(1 + 4 * parts.len());
        bytes.push(tag);
        parts.iter().for_each(|part| bytes.extend_from_slice(&part.to_be_bytes()));
        self.word(&bytes)
    }

    /// The set of these words.
    pub(crate) fn set_of(&mut self, words: impl Iterator<Item = WordId>) -> WordSetId {
        let mut words: Vec<WordId> = words.collect();
        words.sort_unstable();
        words.dedup();
        words.into_iter().fold(Words::EMPTY, |set, word| self.with(set, word))
    }

    /// Bytes held, about.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes
    }
}

/// The first byte of words by what they are the values of: what is behind it tells which.
pub(crate) const STRING: u8 = b's';
pub(crate) const NUMBER: u8 = b'n';
pub(crate) const NAME: u8 = b'l';
pub(crate) const LIST: u8 = b'[';
pub(crate) const OBJECT: u8 = b'{';

/// The elements of a list, or the keys and values of an object.
pub(crate) fn parts(word: &[u8]) -> impl Iterator<Item = WordId> {
    let parts = match word.first() {
        Some(&LIST | &OBJECT) => &word[1..],
        _ => &[],
    };
    parts.chunks_exact(4).map(|id| WordId::from_be_bytes([id[0], id[1], id[2], id[3]]))
}

/// Adds a letter to a text.
pub(super) fn push_letter(bytes: &mut Vec<u8>, letter: u32) {
    match char::from_u32(letter) {
        Some(char) => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => bytes.extend_from_slice(&letter.to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_of(words: &mut Words, list: &[&str]) -> WordSetId {
        list.iter().fold(Words::EMPTY, |set, word| {
            let word = words.word(word.as_bytes());
            words.with(set, word)
        })
    }

    #[test]
    fn sets_do_not_depend_on_order_and_know_their_words() {
        let mut words = Words::default();
        let list = ["a", "", "ab", "b", "abc", "é", "x", "\u{7f}", "aa"];
        let set = set_of(&mut words, &list);
        let reversed: Vec<&str> = list.iter().rev().copied().collect();
        assert_eq!(set_of(&mut words, &reversed), set);
        assert_eq!(words.size(set), 9);
        assert!(list.iter().all(|word| words.contains(set, word.as_bytes())));
        assert!(["c", "abcd", "aé"].iter().all(|word| !words.contains(set, word.as_bytes())));
        let mut sorted = list.to_vec();
        sorted.sort_unstable();
        let listed: Vec<&[u8]> = words.list(set).into_iter().map(|word| words.get(word)).collect();
        assert_eq!(listed, sorted.iter().map(|word| word.as_bytes()).collect::<Vec<_>>());
        assert_eq!(set_of(&mut words, &["a", "a"]), set_of(&mut words, &["a"]));
    }

    #[test]
    fn a_set_is_narrowed_step_by_step() {
        let mut words = Words::default();
        let set = set_of(&mut words, &["a", "ab", "abc", "b", ""]);
        let a = words.narrow(set, 0, b"a");
        assert_eq!((words.size(a), words.ends_at(a, 1)), (3, true));
        let ab = words.narrow(a, 1, b"b");
        assert_eq!((words.size(ab), words.ends_at(ab, 2)), (2, true));
        let abc = words.narrow(ab, 2, b"c");
        assert_eq!((words.size(abc), words.ends_at(abc, 3)), (1, true));
        assert_eq!(words.narrow(abc, 3, b"d"), Words::EMPTY);
        assert_eq!(words.narrow(set, 0, b"ac"), Words::EMPTY);
        assert!(words.ends_at(set, 0) && !words.ends_at(words.narrow(set, 0, b""), 1));
        let only = set_of(&mut words, &["abc"]);
        let narrowed = words.narrow(only, 0, b"ab");
        assert!(!words.ends_at(narrowed, 2) && words.size(narrowed) == 1);
    }

    #[test]
    fn letters_make_words() {
        let mut words = Words::default();
        let text = "aé😀".chars().fold(Words::EMPTY_TEXT, |text, char| words.push(text, char as u32));
        assert_eq!(words.bytes_of(text), "aé😀".as_bytes());
        assert_eq!(words.bytes_of(Words::EMPTY_TEXT), b"");
    }
}
