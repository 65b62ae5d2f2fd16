//! Which strings of a trie can be read from here? Depth-first walks with the parser's configurations.

use smallvec::SmallVec;

use super::bytes::next_bytes;
use super::{MaskWork, Parts};
use crate::error::LimitError;
use crate::parser::{Configuration, Entry};
use crate::vocabulary::TokenTrie;

/// A node's children are in `node + 1..end`.
struct Level {
    end: usize,
    configuration: Configuration,
    bytes: super::bytes::ByteSet,
}

impl MaskWork<'_> {
    /// Adds the values of all strings of `trie` that can be read from `start`, the empty string left out.
    pub(super) fn walk(
        &mut self,
        trie: &TokenTrie,
        start: Configuration,
        found: &mut Vec<u32>,
    ) -> Result<(), LimitError> {
        self.walk_range(trie, 0, trie.n_nodes(), start, found)
    }

    /// Adds the tokens below `node` of the token trie whose rests can be read from `start`.
    pub(super) fn walk_subtree(&mut self, node: usize, start: Entry, found: &mut Vec<u32>) -> Result<(), LimitError> {
        let trie = self.vocabulary.trie();
        self.walk_range(trie, node + 1, trie.end(node), Configuration::from_slice(&[start]), found)
    }

    /// Adds the values of all strings that can be read from between two lexemes without whitespace before them.
    pub(super) fn walk_lexemes(
        &mut self,
        trie: &TokenTrie,
        start: Entry,
        found: &mut Vec<u32>,
    ) -> Result<(), LimitError> {
        let mut parts = Parts::default();
        for scan in 0..self.parser.scans(start.set)?.len() as u32 {
            let state = self.parser.start_state(start.set, scan)?;
            let lexing = crate::parser::Lexing::Inside { scan, state, n_chars: 0 };
            parts.direct.push(Entry { set: start.set, lexing });
        }
        self.walk(trie, parts.direct, found)
    }

    fn walk_range(
        &mut self,
        trie: &TokenTrie,
        first: usize,
        end: usize,
        start: Configuration,
        found: &mut Vec<u32>,
    ) -> Result<(), LimitError> {
        let max_entries = self.limits.max_entries;
        let bytes = next_bytes(self.parser, &start)?;
        let mut levels: SmallVec<[Level; 8]> = SmallVec::new();
        levels.push(Level { end, configuration: start, bytes });
        let mut node = first;
        while let Some(level) = levels.last() {
            if node >= level.end {
                levels.pop();
                continue;
            }
            let byte = trie.byte(node);
            if !level.bytes.contains(byte) {
                node = trie.end(node);
                continue;
            }
            self.spend(level.configuration.len())?;
            let next = self.parser.step_byte(&level.configuration, byte, max_entries)?;
            let end = trie.end(node);
            if next.is_empty() {
                node = end;
                continue;
            }
            found.extend_from_slice(trie.values(node));
            if end > node + 1 {
                let bytes = next_bytes(self.parser, &next)?;
                levels.push(Level { end, configuration: next, bytes });
            }
            node += 1;
        }
        Ok(())
    }
}
