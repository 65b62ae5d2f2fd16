//! Is any tokenizer file read or refused? And does what is read cut texts and put them together again without a panic?

use formwork::{TokenId, TokenKind};

use super::Counters;
use super::edit::edited;
use crate::universe::Dice;

/// Files that are edited where the input is no file itself.
const FILES: [&str; 4] = [
    include_str!("../../../fuzz/corpus/tokenizer/byte_level.json"),
    include_str!("../../../fuzz/corpus/tokenizer/metaspace.json"),
    include_str!("../../../fuzz/corpus/tokenizer/tekken.json"),
    include_str!("../../../fuzz/corpus/tokenizer/unigram.json"),
];
const TEXTS: [&str; 4] = ["", "a b  c\n", "{\"a\": [1, \"é日\u{1f600}\"]}", "<s> \u{0}\u{200d}\u{fffd}▁"];

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let mut dice = Dice::from_bytes(input);
    let is_file = input.first() == Some(&b'{');
    let file = if is_file { input.to_vec() } else { edited(FILES[dice.below(FILES.len())], &mut dice).into_bytes() };
    let tokenizer = match formwork_tokenizers::from_bytes(&file) {
        Ok(tokenizer) => tokenizer,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && !text.contains(['\n', '\r']), "no line: {text:?}");
            return counters.count("refused", 1);
        }
    };
    counters.count("loaded", 1);
    let vocabulary = tokenizer.vocabulary();
    let n_ids = u32::try_from(vocabulary.len()).expect("ids are 32 bits wide");
    for id in (0..n_ids).map(TokenId::new) {
        let has_bytes = vocabulary.token_bytes(id).is_some_and(|bytes| !bytes.is_empty());
        assert!(vocabulary.kind(id) != TokenKind::Text || has_bytes, "{id} is text without bytes");
    }
    for text in TEXTS {
        let tokens = tokenizer.encode(text);
        assert!(tokens.iter().all(|token| token.index() < vocabulary.len()), "an id beyond the vocabulary");
        counters.count("tokens", tokens.len());
        let _ = (tokenizer.decode(&tokens), tokenizer.encode_with_special(text), tokenizer.encode_document(text));
    }
}
