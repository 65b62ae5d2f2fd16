//! What do the tests of real tokenizers share? The corpus, the fetched files, and the checks themselves.

use std::path::PathBuf;

use formwork::{TokenId, TokenKind};
use formwork_tokenizers::Tokenizer;
use serde_json::Value;

/// The mixed corpus: a name and a text for each entry.
pub(crate) fn corpus() -> Vec<(String, String)> {
    let texts: Value = serde_json::from_str(include_str!("../data/corpus.json")).unwrap();
    let field = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    texts.as_array().unwrap().iter().map(|entry| (field(entry, "name"), field(entry, "text"))).collect()
}

/// A file that `scripts/fetch_tokenizers.py` fetches; says so and gives `None` when it is not there.
pub(crate) fn fetched(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.cache/tokenizers").join(file);
    if !path.exists() {
        eprintln!("skipped: {file} is not there; `python3 scripts/fetch_tokenizers.py` fetches it");
        return None;
    }
    Some(path)
}

/// Ids of a vocabulary.
pub(crate) fn ids(tokenizer: &Tokenizer) -> impl Iterator<Item = TokenId> {
    (0..u32::try_from(tokenizer.vocabulary().len()).unwrap()).map(TokenId::new)
}

/// Checks that `encode` spells every text of the corpus exactly, with text tokens only.
pub(crate) fn check_corpus(tokenizer: &Tokenizer) {
    for (name, text) in corpus() {
        let tokens = tokenizer.encode(&text);
        for token in &tokens {
            assert_eq!(tokenizer.vocabulary().kind(*token), TokenKind::Text, "{name}: token {token}");
        }
        assert_eq!(tokenizer.decode_bytes(&tokens), text.as_bytes(), "{name}");
    }
}
