//! What do tokens do within a named key? Only where names and tokens agree is there anything to look at.
//!
//! A token either stays within the names, found by a walk along both, or closes one: then it is a prefix, the closing quote
//! and a rest that the grammar must take behind that key, as with any other string.

use std::sync::Arc;

use smallvec::SmallVec;

use super::walk::Found;
use super::{Begin, FEW_EXITS, MaskWork, Parts, Table};
use crate::automata::{KeyFilter, Keys};
use crate::error::LimitError;
use crate::parser::{Entry, Lexing, Scan, SetId, Written};
use crate::vocabulary::{TokenMask, TokenTrie, find_child};

impl MaskWork<'_> {
    /// Adds the tokens that go on in a named key: those of the token trie, or `spaced`, those of whitespace and a key's
    /// beginning.
    pub(super) fn add_key(
        &mut self,
        set: SetId,
        scan: u32,
        state: u64,
        spaced: bool,
        parts: &mut Parts,
    ) -> Result<(), LimitError> {
        let (record, filter) = match self.parser.scan(set, scan) {
            Scan::Key { record, filter, .. } => (*record, filter.clone()),
            Scan::Terminal { .. } => return Ok(()),
        };
        let body = Arc::clone(&self.parser.productions().records[record as usize]);
        let keys = &body.keys;
        if !keys.is_plain(state) {
            parts.direct.push(Entry { set, lexing: Lexing::Inside { scan, state, n_chars: 0 }, past: self.mode });
            return Ok(());
        }
        let vocabulary = self.vocabulary;
        let begin = match (keys.depth(state), spaced) {
            (0, true) => Begin::Spaced,
            (0, false) => Begin::Opened,
            _ => Begin::Body,
        };
        let table = Table { begin, escapes: keys.escapes() };
        let whole_body = table.of(vocabulary).inside();
        let is_covered = |mask: &TokenMask| {
            mask.removed().is_empty() && mask.base().is_some_and(|base| Arc::ptr_eq(base, whole_body))
        };
        let n_found = parts.found.values.len();
        // Where any string may come as well, tokens that do not close the key are among its tokens.
        if !parts.masks.iter().any(is_covered) {
            let trie = if spaced { vocabulary.stripped() } else { vocabulary.trie() };
            self.add_unclosed(keys, &filter, state, trie, &mut parts.found.values)?;
        }
        let opened = if keys.depth(state) == 0 { keys.step(state, b'"', &filter) } else { Some(state) };
        if let Some(state) = opened {
            self.add_closing((set, scan), keys, &filter, state, table, parts)?;
        }
        if self.mode == Written::ANY {
            let Found { values, doubtful, .. } = &mut parts.found;
            doubtful.extend_from_slice(&values[n_found..]);
        }
        Ok(())
    }

    /// Adds the tokens of `trie` that begin the rest of a key and do not reach its end.
    fn add_unclosed(
        &mut self,
        keys: &Keys,
        filter: &KeyFilter,
        state: u64,
        trie: &TokenTrie,
        found: &mut Vec<u32>,
    ) -> Result<(), LimitError> {
        self.walk_names(keys, filter, state, trie, &mut |node, state| {
            let unclosed = keys.complete(state, filter).is_none();
            if let (true, Some(node)) = (unclosed, node) {
                found.extend_from_slice(trie.values(node));
            }
        })
    }

    /// Adds the tokens that close a key; `state` is behind its opening quote.
    fn add_closing(
        &mut self,
        (set, scan): (SetId, u32),
        keys: &Keys,
        filter: &KeyFilter,
        state: u64,
        table: Table,
        Parts { found, masks, .. }: &mut Parts,
    ) -> Result<(), LimitError> {
        let prefixes = &table.of(self.vocabulary).prefixes;
        let mut closed: Vec<(u32, u32)> = Vec::new();
        self.walk_names(keys, filter, state, prefixes, &mut |node, state| {
            let numbers = node.map_or(prefixes.root_values(), |node| prefixes.values(node));
            if numbers.is_empty() {
                return;
            }
            let behind = keys.step(state, b'"', filter);
            if let Some(key) = behind.and_then(|state| keys.complete(state, filter)) {
                closed.extend(numbers.iter().map(|prefix| (key, *prefix)));
            }
        })?;
        let table_id = table;
        let table = table_id.of(self.vocabulary);
        for (key, prefix) in closed {
            let after = self.parser.step(set, scan, key)?;
            let exits = table.exits_behind(prefix);
            // Nearly all tokens that close a string begin with its closing quote; behind other prefixes there are few.
            let known = self.known_exits(after, table_id);
            if exits.len() <= FEW_EXITS && known.is_none() {
                let rests = self.exits_behind_prefix(after, table_id, prefix)?;
                found.values.extend_from_slice(&rests.values);
                found.doubtful.extend_from_slice(&rests.doubtful);
                continue;
            }
            let taken = match known {
                Some(taken) => taken,
                None => self.taken_exits(after, table_id)?,
            };
            found.doubtful.extend_from_slice(&taken.doubtful);
            if table.prefixes.root_values() != [prefix] {
                let tokens = exits.iter().map(|exit| table.exits[*exit as usize].0);
                found.values.extend(tokens.filter(|token| taken.tokens.binary_search(token).is_ok()));
            } else {
                masks.push(TokenMask::from_sorted(self.vocabulary.mask_words(), Arc::clone(&taken.closing)));
                if self.mode == Written::ANY {
                    found.doubtful.extend_from_slice(&taken.closing);
                }
            }
        }
        Ok(())
    }

    /// Walks along the names from `state` and a trie from its root: calls `visit` with every node (`None` is the root) and
    /// state that both reach.
    fn walk_names(
        &mut self,
        keys: &Keys,
        filter: &KeyFilter,
        state: u64,
        trie: &TokenTrie,
        visit: &mut dyn FnMut(Option<usize>, u64),
    ) -> Result<(), LimitError> {
        let mut pending: SmallVec<[(Option<usize>, u64); 8]> = SmallVec::from_slice(&[(None, state)]);
        let mut bytes: SmallVec<[u8; 32]> = SmallVec::new();
        while let Some((node, state)) = pending.pop() {
            self.spend(1)?;
            visit(node, state);
            let children = trie.children(node);
            bytes.clear();
            match children {
                [] => {}
                [child] => bytes.push(child.byte),
                _ => keys.next_bytes(state, &mut |byte| bytes.push(byte)),
            }
            for byte in &bytes {
                if let Some(child) = find_child(children, *byte)
                    && let Some(next) = keys.step(state, *byte, filter)
                {
                    pending.push((Some(child.node as usize), next));
                }
            }
        }
        Ok(())
    }
}
