//! Which tokens, and how is a text cut into them? One vocabulary, given to every engine alike.

use std::sync::Arc;

#[cfg(feature = "tokenizers")]
use formwork::TokenKind;
use formwork::{TokenId, Vocabulary, VocabularyError};

/// Cuts a text into tokens, as the tokenizer itself does.
pub type Encode = Arc<dyn Fn(&str) -> Vec<u32> + Send + Sync>;

/// What an id stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Bytes of text.
    Text(Vec<u8>),
    /// A control token by name.
    Special(String),
    /// The control token that ends a text.
    Stop(String),
    /// Nothing.
    Unused,
}

impl Entry {
    #[cfg(feature = "tokenizers")]
    fn of(vocabulary: &Vocabulary, id: TokenId) -> Entry {
        let name = || vocabulary.special_name(id).unwrap_or_default().to_owned();
        match vocabulary.kind(id) {
            TokenKind::Text => Entry::Text(vocabulary.token_bytes(id).unwrap_or_default().to_vec()),
            TokenKind::Special => Entry::Special(name()),
            TokenKind::Stop => Entry::Stop(name()),
            TokenKind::Unused => Entry::Unused,
        }
    }
}

/// All entries of a tokenizer, with its encoder.
#[derive(Clone)]
pub struct BenchVocabulary {
    /// How the command line calls it.
    pub name: String,
    /// The entries by id.
    pub entries: Vec<Entry>,
    /// The tokenizer's own encoder.
    pub encode: Encode,
}

impl BenchVocabulary {
    /// A vocabulary by name, such as `o200k` or `cl100k`, or from a tokenizer file.
    ///
    /// # Errors
    /// When there is none of that name, or the file is not a tokenizer.
    #[cfg(feature = "tokenizers")]
    pub fn load(name_or_path: &str) -> Result<BenchVocabulary, String> {
        let tokenizer = formwork_tokenizers::from_name_or_file(name_or_path).map_err(|error| error.to_string())?;
        let vocabulary = tokenizer.vocabulary();
        let n_ids = u32::try_from(vocabulary.len()).map_err(|error| error.to_string())?;
        let entries = (0..n_ids).map(|id| Entry::of(vocabulary, TokenId::new(id))).collect();
        let encode: Encode = Arc::new(move |text| tokenizer.encode(text).into_iter().map(TokenId::get).collect());
        Ok(BenchVocabulary { name: name_or_path.to_owned(), entries, encode })
    }

    /// One token for each byte, and a stop token: no merging, no encoder to speak of.
    pub fn bytes() -> BenchVocabulary {
        let mut entries: Vec<Entry> = (0..=u8::MAX).map(|byte| Entry::Text(vec![byte])).collect();
        entries.push(Entry::Stop("<stop>".to_owned()));
        let encode: Encode = Arc::new(|text| text.bytes().map(u32::from).collect());
        BenchVocabulary { name: "bytes".to_owned(), entries, encode }
    }

    /// The text of some tokens.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let mut bytes = Vec::new();
        for entry in tokens.iter().filter_map(|token| self.entries.get(*token as usize)) {
            if let Entry::Text(text) = entry {
                bytes.extend_from_slice(text);
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// 32-bit words of one mask.
    pub fn mask_words(&self) -> usize {
        self.entries.len().div_ceil(32)
    }

    /// The ids of the tokens that end a text.
    pub fn stop_ids(&self) -> Vec<u32> {
        let is_stop = |entry: &Entry| matches!(entry, Entry::Stop(_));
        (0..).zip(&self.entries).filter(|(_, entry)| is_stop(entry)).map(|(id, _)| id).collect()
    }

    /// The same entries as the engine's own vocabulary.
    ///
    /// # Errors
    /// When the engine refuses it.
    pub fn to_formwork(&self) -> Result<Vocabulary, VocabularyError> {
        let mut builder = Vocabulary::builder();
        for (id, entry) in (0..).map(TokenId::new).zip(&self.entries) {
            match entry {
                Entry::Text(bytes) => builder.text(id, bytes.clone()),
                Entry::Special(name) => builder.special(id, name.clone()),
                Entry::Stop(name) => builder.stop(id, name.clone()),
                Entry::Unused => &mut builder,
            };
        }
        builder.width(self.entries.len()).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "tokenizers")]
    #[test]
    fn o200k_has_its_texts_and_one_stop_token() {
        let vocabulary = BenchVocabulary::load("o200k").unwrap();
        assert!(vocabulary.stop_ids().contains(&199_999));
        let text = "{\"naïve\": [1, 2.5], \"日本\": \"😀\"}";
        let mut bytes = Vec::new();
        for id in (vocabulary.encode)(text) {
            let Entry::Text(token) = &vocabulary.entries[id as usize] else { panic!("text encodes to text") };
            bytes.extend_from_slice(token);
        }
        assert_eq!(bytes, text.as_bytes());
    }

    #[cfg(feature = "tokenizers")]
    #[test]
    fn unknown_names_are_errors() {
        assert!(BenchVocabulary::load("no such").is_err());
    }
}
