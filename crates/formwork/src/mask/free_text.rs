//! What do tokens do in free text? Nearly all of them stay inside: only those that hold what must not occur are looked at.
//!
//! A token that does not stay inside holds one of the strings as a whole, begins with what is left of one, or is no UTF-8.
//! Only such a token has to be looked at for places where the text may end: all others are allowed as they are.

use super::MaskWork;
use super::profile::{Exits, Profile, Profiles};
use super::strings::WORDS_PER_STEP;
use crate::automata::{Automaton, FreeText};
use crate::error::LimitError;
use crate::vocabulary::token_mask::clear_bit;
use crate::vocabulary::{TokenMask, Vocabulary};

/// Bytes of tokens that are searched in the time of one step.
const BYTES_PER_STEP: usize = 64;
/// Beginnings that are looked for one by one; of more, every token is read by the automaton.
const MAX_BEGINNINGS: usize = 32;

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
        self.spend(row.len() / WORDS_PER_STEP)?;
        let mut ends = Vec::new();
        let mut n_bytes = 0;
        let holding = profiles.holding(|| tokens_holding_any(vocabulary, text, &mut n_bytes));
        self.spend(n_bytes / BYTES_PER_STEP)?;
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

/// The tokens that hold one of the strings that a text is without, in rising order. Adds the bytes that were searched to
/// `n_bytes`.
fn tokens_holding_any(vocabulary: &Vocabulary, text: &FreeText, n_bytes: &mut usize) -> Vec<u32> {
    // Strings that are looked for together, tags mostly, begin alike.
    let beginnings = text.without().iter().map(|string| &string.as_bytes()[..string.len().min(2)]);
    let mut beginnings: Vec<&[u8]> = beginnings.collect();
    beginnings.sort_unstable();
    beginnings.dedup();
    *n_bytes += beginnings.len().min(MAX_BEGINNINGS) * vocabulary.n_token_bytes();
    let mut tokens: Vec<u32> = if beginnings.len() <= MAX_BEGINNINGS {
        beginnings.iter().flat_map(|beginning| vocabulary.tokens_holding(beginning)).collect()
    } else {
        (0..vocabulary.len() as u32).collect()
    };
    tokens.sort_unstable();
    tokens.dedup();
    tokens.retain(|token| text.is_held_by(vocabulary.bytes_at(*token as usize)));
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TokenId;

    /// Whether the strings begin alike or not.
    #[test]
    fn tokens_that_hold_a_string_are_found() {
        let letters = ["a", "b", "c", "d", "<", ">", "é"];
        let mut tokens: Vec<String> = letters.map(str::to_owned).to_vec();
        for length in 1..3 {
            let longer = tokens.iter().filter(|token| token.chars().count() == length);
            let longer = longer.flat_map(|token| letters.map(|letter| format!("{token}{letter}")));
            tokens.extend(longer.collect::<Vec<_>>());
        }
        tokens.push("</s>".to_owned());
        let stop = TokenId::new(tokens.len() as u32 - 1);
        let vocabulary = Vocabulary::from_tokens(&tokens, &[stop]).unwrap();
        let few = ["<a>", "<b", "é"].map(str::to_owned).to_vec();
        let many: Vec<String> = tokens.iter().filter(|token| token.chars().count() == 3).step_by(3).cloned().collect();
        for strings in [few, many] {
            let without: std::sync::Arc<[Box<str>]> = strings.iter().map(|string| string.as_str().into()).collect();
            let text = FreeText::new(&without).unwrap();
            let mut n_bytes = 0;
            let found = tokens_holding_any(&vocabulary, &text, &mut n_bytes);
            let holds = |token: &&u32| {
                let bytes = vocabulary.bytes_at(**token as usize);
                strings.iter().any(|string| bytes.windows(string.len()).any(|window| window == string.as_bytes()))
            };
            let all: Vec<u32> = (0..vocabulary.len() as u32).collect();
            assert_eq!(found, all.iter().filter(holds).copied().collect::<Vec<u32>>());
            assert!(n_bytes > 0 && !found.is_empty() && found.len() < all.len());
        }
    }
}
