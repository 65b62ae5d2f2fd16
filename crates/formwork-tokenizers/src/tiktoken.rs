//! Which vocabularies are embedded? Those of `tiktoken-rs`, by name.

use tiktoken_rs::{CoreBPE, cl100k_base_singleton, o200k_base_singleton, o200k_harmony_singleton};

use crate::encoder::{Encoder, Parsed};
use crate::entries::{Entries, Entry};
use crate::error::TokenizerError;

/// An id that no embedded vocabulary reaches.
const END_OF_IDS: u32 = 1 << 18;

/// Text is handed to `tiktoken-rs` in chunks of at most this size, because its pattern matcher gives up, and it panics,
/// after a million steps back: a run of so many spaces is enough.
const MAX_CHUNK_BYTES: usize = 256 << 10;

/// The vocabulary of that name, with or without `_base`; `None` when there is none.
pub(crate) fn load(name: &str) -> Result<Option<Parsed>, TokenizerError> {
    let encoder = match name {
        "cl100k" | "cl100k_base" => cl100k_base_singleton(),
        "o200k" | "o200k_base" => o200k_base_singleton(),
        "o200k_harmony" => o200k_harmony_singleton(),
        _ => return Ok(None),
    };
    Ok(Some(Parsed { entries: read_entries(encoder)?, encoder: Box::new(TiktokenEncoder(encoder)) }))
}

/// One of the encoders of `tiktoken-rs`.
struct TiktokenEncoder(&'static CoreBPE);

impl Encoder for TiktokenEncoder {
    fn encode(&self, text: &str) -> Option<Vec<u32>> {
        Some(chunks(text).flat_map(|chunk| self.0.encode_ordinary(chunk)).collect())
    }

    fn encode_with_special(&self, text: &str) -> Option<Vec<u32>> {
        Some(chunks(text).flat_map(|chunk| self.0.encode_with_special_tokens(chunk)).collect())
    }

    fn encode_document(&self, text: &str) -> Option<Vec<u32>> {
        self.encode(text)
    }
}

/// `text` in pieces; one that is not the last ends before a `<` if it holds one, so that no special token's name is
/// cut.
fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut end = rest.floor_char_boundary(MAX_CHUNK_BYTES);
        if end < rest.len() {
            end = rest[..end].rfind('<').filter(|at| *at > 0).unwrap_or(end);
        }
        let (chunk, after) = rest.split_at(end);
        rest = after;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn read_entries(encoder: &CoreBPE) -> Result<Entries, TokenizerError> {
    let special: std::collections::HashMap<u32, &str> =
        encoder.special_tokens().into_iter().filter_map(|name| Some((special_id(encoder, name)?, name))).collect();
    let mut entries = Entries::default();
    for id in 0..END_OF_IDS {
        if let Some(name) = special.get(&id) {
            entries.insert(id, Entry::Special((*name).to_owned()))?;
        } else if let Ok(bytes) = encoder.decode_bytes(&[id]) {
            entries.insert(id, Entry::Text(bytes))?;
        }
    }
    Ok(entries)
}

fn special_id(encoder: &CoreBPE, name: &str) -> Option<u32> {
    encoder.encode_with_special_tokens(name).first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_join_to_the_text_and_cut_no_name() {
        let text = "é".repeat(MAX_CHUNK_BYTES) + &"<|endoftext|>".repeat(MAX_CHUNK_BYTES / 8);
        let pieces: Vec<&str> = chunks(&text).collect();
        assert_eq!(pieces.concat(), text);
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.len() <= MAX_CHUNK_BYTES));
        assert!(pieces.iter().all(|piece| piece.ends_with(['é', '>'])));
    }
}
