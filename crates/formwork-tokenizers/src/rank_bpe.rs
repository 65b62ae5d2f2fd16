//! How does a list of ranked byte strings cut text? Byte pair encoding within the pieces that a pattern finds.
//!
//! The pair of neighbours whose union has the lowest rank is merged first, the leftmost of several, until no union is
//! in the list. A heap of candidates makes this O(n log n) in the bytes of a piece, so that a long run costs no more
//! than a text of its length.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use fancy_regex::Regex;

use crate::encoder::Encoder;
use crate::entries::Entries;
use crate::error::TokenizerError;

/// A byte pair encoder whose merges are the order of its ids.
pub(crate) struct RankBpe {
    pattern: Regex,
    ids: HashMap<Vec<u8>, u32>,
    /// Special tokens by name, longest name first.
    special: Vec<(String, u32)>,
}

impl RankBpe {
    /// An encoder of the text entries, whose ids rise with their ranks.
    pub(crate) fn new(pattern: &str, entries: &Entries) -> Result<RankBpe, TokenizerError> {
        let pattern = Regex::new(pattern).map_err(TokenizerError::malformed)?;
        let ids = entries.text().map(|(id, bytes)| (bytes.to_vec(), id)).collect();
        let mut special: Vec<(String, u32)> = entries.special().map(|(id, name)| (name.to_owned(), id)).collect();
        special.sort_by_key(|(name, id)| (Reverse(name.len()), *id));
        Ok(RankBpe { pattern, ids, special })
    }

    /// The first special token in `text`: where it starts and ends, and its id.
    fn next_special(&self, text: &str) -> Option<(usize, usize, u32)> {
        let opens = |(at, _): &(usize, char)| {
            let here = self.special.iter().find(|(name, _)| !name.is_empty() && text[*at..].starts_with(name));
            here.map(|(name, id)| (*at, *at + name.len(), *id))
        };
        text.char_indices().filter(|(_, character)| matches!(character, '<' | '[')).find_map(|at| opens(&at))
    }

    /// Appends the ids of one piece.
    fn merge(&self, piece: &[u8], ids: &mut Vec<u32>) -> Option<()> {
        if let Some(id) = self.ids.get(piece) {
            ids.push(*id);
            return Some(());
        }
        let mut parts = Parts::new(piece.len());
        let mut candidates = BinaryHeap::new();
        for start in 0..piece.len().saturating_sub(1) {
            self.propose(piece, &parts, start, &mut candidates);
        }
        while let Some(Reverse((_, start, middle, end))) = candidates.pop() {
            if !parts.merge(start, middle, end) {
                continue;
            }
            self.propose(piece, &parts, start, &mut candidates);
            if let Some(previous) = parts.previous(start) {
                self.propose(piece, &parts, previous, &mut candidates);
            }
        }
        for (start, end) in parts.iter() {
            ids.push(*self.ids.get(&piece[start..end])?);
        }
        Some(())
    }

    /// Puts the union of the part at `start` and the next one among the candidates, if it is a token.
    fn propose(&self, piece: &[u8], parts: &Parts, start: usize, candidates: &mut BinaryHeap<Reverse<Candidate>>) {
        let middle = parts.ends[start];
        if middle < piece.len() {
            let end = parts.ends[middle];
            if let Some(id) = self.ids.get(&piece[start..end]) {
                candidates.push(Reverse((*id, start, middle, end)));
            }
        }
    }
}

impl Encoder for RankBpe {
    /// `None` when the pattern gives up, or a byte is in no token.
    fn encode(&self, text: &str) -> Option<Vec<u32>> {
        let mut ids = Vec::new();
        for piece in self.pattern.find_iter(text) {
            self.merge(piece.ok()?.as_str().as_bytes(), &mut ids)?;
        }
        Some(ids)
    }

    fn encode_with_special(&self, text: &str) -> Option<Vec<u32>> {
        let mut ids = Vec::new();
        let mut rest = text;
        while let Some((start, end, id)) = self.next_special(rest) {
            ids.extend(self.encode(&rest[..start])?);
            ids.push(id);
            rest = &rest[end..];
        }
        ids.extend(self.encode(rest)?);
        Some(ids)
    }

    /// `<s>` and then the text's tokens.
    fn encode_document(&self, text: &str) -> Option<Vec<u32>> {
        let start = self.special.iter().find(|(name, _)| name == "<s>").map(|(_, id)| *id);
        Some(start.into_iter().chain(self.encode(text)?).collect())
    }
}

/// Id of the union, start of the left part, start and end of the right part.
type Candidate = (u32, usize, usize, usize);

/// A piece cut into parts, by the start of each.
struct Parts {
    /// End of the part that starts here; 0 where none does.
    ends: Vec<usize>,
    /// Start of the part that ends where this one starts.
    previous: Vec<usize>,
}

impl Parts {
    /// One part for each byte.
    fn new(n_bytes: usize) -> Parts {
        Parts { ends: (1..=n_bytes).collect(), previous: (0..n_bytes).map(|start| start.wrapping_sub(1)).collect() }
    }

    /// Joins two neighbours; `false` when they are not parts any more.
    fn merge(&mut self, start: usize, middle: usize, end: usize) -> bool {
        if self.ends[start] != middle || self.ends[middle] != end {
            return false;
        }
        self.ends[start] = end;
        self.ends[middle] = 0;
        if let Some(previous) = self.previous.get_mut(end) {
            *previous = start;
        }
        true
    }

    fn previous(&self, start: usize) -> Option<usize> {
        (start > 0).then(|| self.previous[start])
    }

    fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        let part_at = |start: usize| self.ends.get(start).map(|end| (start, *end));
        std::iter::successors(part_at(0), move |(_, end)| part_at(*end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::Entry;

    fn encoder(tokens: &[&str]) -> RankBpe {
        let mut entries = Entries::default();
        for (id, token) in (0..).zip(tokens) {
            entries.insert(id, Entry::Text(token.as_bytes().to_vec())).unwrap();
        }
        RankBpe::new(r"\s+|\S+", &entries).unwrap()
    }

    #[test]
    fn lowest_rank_first_and_leftmost() {
        let encoder = encoder(&["a", "b", "c", " ", "bc", "ab", "aa"]);
        assert_eq!(encoder.encode("abc").unwrap(), [0, 4]);
        assert_eq!(encoder.encode("aaaaa").unwrap(), [6, 6, 0]);
        assert_eq!(encoder.encode("ab c").unwrap(), [5, 3, 2]);
        assert!(encoder.encode("").unwrap().is_empty());
    }

    #[test]
    fn unknown_bytes_are_no_panic() {
        assert_eq!(encoder(&["a"]).encode("aé"), None);
    }

    #[test]
    fn long_runs_take_no_quadratic_time() {
        let encoder = encoder(&["a", "aa", "aaaa"]);
        assert_eq!(encoder.encode(&"a".repeat(1_000_000)).unwrap().len(), 250_000);
    }
}
