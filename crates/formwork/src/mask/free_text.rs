//! What do tokens do in free text? Nearly all of them stay inside: only those that hold what must not occur are looked at.
//!
//! A token that does not stay inside holds one of the strings as a whole, begins with what is left of one, or is no UTF-8.
//! Only such a token has to be looked at for places where the text may end: all others are allowed as they are.

use super::MaskWork;
use super::profile::{Exits, Profile, Profiles};
use crate::automata::{Automaton, FreeText};
use crate::error::LimitError;
use crate::vocabulary::TokenMask;
use crate::vocabulary::token_mask::clear_bit;

impl MaskWork<'_> {
    /// The profile of a state of free text. O(words of a row + tokens that do not stay inside).
    pub(super) fn text_profile(
        &mut self,
        profiles: &Profiles,
        automaton: &Automaton,
        text: &FreeText,
        state: u64,
    ) -> Result<Profile, LimitError> {
        // Few tokens go on within a character.
        if !text.is_whole(state) {
            return self.walk_automaton(automaton, state, 0);
        }
        let vocabulary = self.vocabulary;
        let mut row = vocabulary.texts().row().to_vec();
        let mut ends = Vec::new();
        let holding = profiles.holding(|| tokens_holding_any(vocabulary, text));
        for token in holding {
            clear_bit(&mut row, *token);
        }
        for token in holding.iter().chain(vocabulary.texts().broken()) {
            self.add_ends(text, state, vocabulary.bytes_at(*token as usize), &mut ends)?;
        }
        for rest in text.pending(state) {
            if let Some(node) = self.add_ends(text, state, rest, &mut ends)? {
                let tokens = vocabulary.trie().subtree_values(node);
                tokens.iter().for_each(|token| clear_bit(&mut row, *token));
                self.spend(tokens.len())?;
            }
        }
        ends.sort_unstable();
        ends.dedup();
        let inside = TokenMask::from_row(&row, Some(vocabulary.texts().row()));
        let exits = if ends.is_empty() { Exits::None } else { Exits::Nodes(ends.into()) };
        Ok(Profile { inside, exits })
    }

    /// Adds the nodes on the way of `bytes` at which the text may end and a token goes on. Gives the last node, where some
    /// token begins with all of `bytes`.
    fn add_ends(
        &mut self,
        text: &FreeText,
        state: u64,
        bytes: &[u8],
        ends: &mut Vec<u32>,
    ) -> Result<Option<usize>, LimitError> {
        self.spend(bytes.len())?;
        let trie = self.vocabulary.trie();
        let mut node = None;
        let mut state = Some(state);
        for byte in bytes {
            let Some(child) = trie.child(node, *byte) else { return Ok(None) };
            state = state.and_then(|state| text.step(state, *byte));
            if state.is_some_and(|state| text.is_whole(state)) && !trie.children(Some(child)).is_empty() {
                ends.push(child as u32);
            }
            node = Some(child);
        }
        Ok(node)
    }
}

/// The tokens that hold one of the strings that a text is without, in rising order.
fn tokens_holding_any(vocabulary: &crate::vocabulary::Vocabulary, text: &FreeText) -> Vec<u32> {
    let mut tokens: Vec<u32> =
        text.without().iter().flat_map(|string| vocabulary.tokens_holding(string.as_bytes())).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}
