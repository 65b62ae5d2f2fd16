//! Which strings of a trie can be read from here? Depth-first walks with the parser's configurations.

use smallvec::SmallVec;

use super::MaskWork;
use super::bytes::next_bytes;
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

    /// Adds the tokens below each of `nodes` of the token trie whose rests can be read from `start`.
    pub(super) fn walk_subtrees(
        &mut self,
        nodes: &[u32],
        start: Entry,
        found: &mut Vec<u32>,
    ) -> Result<(), LimitError> {
        let trie = self.vocabulary.trie();
        let start = Configuration::from_slice(&[start]);
        let bytes = next_bytes(self.parser, &start)?;
        for node in nodes {
            let (node, end) = (*node as usize, trie.end(*node as usize));
            let mut child = node + 1;
            // Nearly always no child can follow: most rests go on in the lexeme itself.
            while child < end {
                if bytes.contains(trie.byte(child)) {
                    self.walk_range(trie, child, trie.end(child), start.clone(), found)?;
                }
                child = trie.end(child);
            }
        }
        Ok(())
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
