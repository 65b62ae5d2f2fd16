//! Where do vocabularies of other sizes come from? From o200k: its beginning, and what may be added to it.
//!
//! Byte-pair ranks are in the order in which pairs were merged, so the first ranks are what the same training would have
//! given for a smaller vocabulary. A larger one is o200k with the tokens that cl100k has besides (real ones) and, as they
//! are not enough, pairs of o200k's words.

use std::collections::HashSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tiktoken_rs::{CoreBPE, O200K_BASE_PAT_STR};

use crate::data::split_mix;
use crate::vocabulary::{BenchVocabulary, Encode, Entry};

/// Text tokens of the small vocabulary.
const SMALL: usize = 32_000;
/// All entries of the large one.
const LARGE: usize = 262_144;
/// Words that merged ones are made of.
const MERGED: usize = 4_096;

/// A vocabulary by name: `o200k-32k`, `o200k-262k`, or what [`BenchVocabulary::load`] knows.
///
/// # Errors
/// As [`BenchVocabulary::load`].
pub fn load(name: &str) -> Result<BenchVocabulary, String> {
    match name {
        "o200k-32k" => build(name, texts("o200k")?.into_iter().take(SMALL).collect()),
        "o200k-262k" => build(name, extended()?),
        other => BenchVocabulary::load(other),
    }
}

/// The text tokens in the order of their ranks.
fn texts(name: &str) -> Result<Vec<Vec<u8>>, String> {
    let text = |entry: Entry| match entry {
        Entry::Text(bytes) => Some(bytes),
        _ => None,
    };
    Ok(BenchVocabulary::load(name)?.entries.into_iter().filter_map(text).collect())
}

fn extended() -> Result<Vec<Vec<u8>>, String> {
    let mut tokens = texts("o200k")?;
    let mut known: HashSet<Vec<u8>> = tokens.iter().cloned().collect();
    let is_letters = |bytes: &[u8]| bytes.len() > 2 && bytes.iter().all(u8::is_ascii_lowercase);
    let words: Vec<Vec<u8>> = tokens.iter().filter(|bytes| is_letters(bytes)).take(MERGED).cloned().collect();
    let word = |seed: u64, index: u64| words[split_mix(seed, index) as usize % words.len()].as_slice();
    let merged = (0..).map(|index| [b" ", word(0, index), word(1, index)].concat());
    for token in texts("cl100k")?.into_iter().chain(merged) {
        if tokens.len() == LARGE - 1 {
            break; // One entry is left for the stop token.
        }
        if known.insert(token.clone()) {
            tokens.push(token);
        }
    }
    Ok(tokens)
}

/// The tokens with a stop token behind them, cut by byte pairs of these ranks.
fn build(name: &str, tokens: Vec<Vec<u8>>) -> Result<BenchVocabulary, String> {
    let ranks: FxHashMap<Vec<u8>, u32> = tokens.iter().cloned().zip(0..).collect();
    let encoder = CoreBPE::new(ranks, FxHashMap::default(), O200K_BASE_PAT_STR).map_err(|error| error.to_string())?;
    let encode: Encode = Arc::new(move |text| encoder.encode_ordinary(text));
    let mut entries: Vec<Entry> = tokens.into_iter().map(Entry::Text).collect();
    entries.push(Entry::Stop("<|endoftext|>".to_owned()));
    Ok(BenchVocabulary { name: name.to_owned(), entries, encode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_into_tokens_of_the_vocabulary() {
        for (name, n_entries) in [("o200k-32k", SMALL + 1), ("o200k-262k", LARGE)] {
            let vocabulary = load(name).unwrap();
            assert_eq!(vocabulary.entries.len(), n_entries);
            let text = "{\"naïve\": [1, 2.5], \"日本\": \"😀\", \"antidisestablishmentarianism\": null}";
            let mut bytes = Vec::new();
            for id in (vocabulary.encode)(text) {
                let Entry::Text(token) = &vocabulary.entries[id as usize] else { panic!("text encodes to text") };
                bytes.extend_from_slice(token);
            }
            assert_eq!(bytes, text.as_bytes());
        }
    }
}
