//! How does the generation loop see a tokenizer? As text to tokens, with a vocabulary.

use std::sync::Arc;

use formwork::{TokenId, Vocabulary};
use formwork_decode::TextTokenizer;

use crate::tokenizer::Tokenizer;

impl TextTokenizer for Tokenizer {
    fn vocabulary(&self) -> &Arc<Vocabulary> {
        Tokenizer::vocabulary(self)
    }

    fn encode(&self, text: &str) -> Vec<TokenId> {
        Tokenizer::encode(self, text)
    }

    fn encode_with_special(&self, text: &str) -> Vec<TokenId> {
        Tokenizer::encode_with_special(self, text)
    }
}
