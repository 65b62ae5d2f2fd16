//! Are ranked vocabularies (tiktoken's and tekken) read and cut as the reference encoder does it?

#![allow(clippy::unwrap_used)]

mod support;

use support::{check_corpus, corpus, fetched, ids};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork::{TokenId, TokenKind};
use formwork_tokenizers::{from_bytes, from_file, from_name_or_file};
use serde_json::{Value, json};

/// o200k's pattern, for a tekken file made of o200k's first ranks.
const PATTERN: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|",
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

#[test]
#[cfg(feature = "tiktoken")]
fn embedded_vocabularies() {
    let cases = [
        ("cl100k", tiktoken_rs::cl100k_base_singleton(), 100_277, 5),
        ("o200k", tiktoken_rs::o200k_base_singleton(), 200_019, 2),
    ];
    for (name, reference, n_ids, n_special) in cases {
        let tokenizer = from_name_or_file(name).unwrap();
        assert_eq!(tokenizer.vocabulary().len(), n_ids, "{name}");
        for id in ids(&tokenizer) {
            let expected = reference.decode_bytes(&[id.get()]).ok();
            match tokenizer.vocabulary().kind(id) {
                TokenKind::Text => assert_eq!(tokenizer.token_bytes(id), expected.as_deref(), "{name}: {id}"),
                TokenKind::Unused => assert_eq!(expected, None, "{name}: {id}"),
                TokenKind::Special | TokenKind::Stop => {
                    assert_eq!(tokenizer.vocabulary().special_name(id).unwrap().as_bytes(), expected.unwrap());
                }
            }
        }
        let special = |id: &TokenId| tokenizer.vocabulary().special_name(*id).is_some();
        assert_eq!(ids(&tokenizer).filter(special).count(), n_special, "{name}");
        assert_eq!(tokenizer.vocabulary().stop_tokens(), [tokenizer.special_token("<|endoftext|>").unwrap()]);
        check_corpus(&tokenizer);
        for (text_name, text) in corpus() {
            let expected: Vec<TokenId> = reference.encode_ordinary(&text).into_iter().map(TokenId::new).collect();
            assert_eq!(tokenizer.encode(&text), expected, "{name}: {text_name}");
        }
    }
}

/// A run that a backtracking pattern could stumble over.
#[test]
#[cfg(feature = "tiktoken")]
fn long_runs_are_no_panic() {
    let tokenizer = from_name_or_file("cl100k").unwrap();
    for text in [
        " ".repeat(1_500_000) + "x",
        "\n ".repeat(100_000),
        "a".repeat(300_000),
        "!".repeat(300_000),
        "é".repeat(300_000),
    ] {
        assert_eq!(tokenizer.decode_bytes(&tokenizer.encode(&text)), text.as_bytes());
    }
}

/// A tekken file with the ranks of `base`, and the reference encoder for the same ranks with ids from 20 on.
#[test]
fn tekken_cuts_like_the_reference() {
    let o200k = tiktoken_rs::o200k_base_singleton();
    let tokens: Vec<Vec<u8>> = (0..30_000).map(|rank| o200k.decode_bytes(&[rank]).unwrap()).collect();
    let vocab: Vec<Value> = (0..)
        .zip(&tokens)
        .map(|(rank, bytes): (u32, _)| json!({"rank": rank, "token_bytes": STANDARD.encode(bytes)}))
        .collect();
    let file = json!({
        "config": {"pattern": PATTERN, "default_vocab_size": 30_020, "default_num_special_tokens": 20},
        "vocab": vocab,
    });
    let tokenizer = from_bytes(file.to_string().as_bytes()).unwrap();
    check_against_reference(&tokenizer, PATTERN, 20);
}

#[test]
fn fetched_tekken_files() {
    for name in ["tekken/tekken_240718.json", "tekken/tekken_240911.json"] {
        let Some(path) = fetched(name) else { continue };
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let tokenizer = from_file(&path).unwrap();
        assert_eq!(tokenizer.vocabulary().len(), 131_072, "{name}");
        assert_eq!(tokenizer.vocabulary().stop_tokens(), [TokenId::new(2)], "{name}");
        for id in ids(&tokenizer) {
            let listed = id.index().checked_sub(1000).map(|rank| &file["vocab"][rank]);
            let bytes = listed.map(|token| STANDARD.decode(token["token_bytes"].as_str().unwrap()).unwrap());
            assert_eq!(tokenizer.token_bytes(id), bytes.as_deref(), "{name}: {id}");
            if let Some(text) = listed.and_then(|token| token["token_str"].as_str()) {
                assert_eq!(tokenizer.decode(&[id]), text, "{name}: {id}");
            }
        }
        check_against_reference(&tokenizer, file["config"]["pattern"].as_str().unwrap(), 1000);
        eprintln!("{name}: {} ids", tokenizer.vocabulary().len());
    }
}

/// Checks that the corpus is spelled exactly, and cut as tiktoken cuts it with the same ranks.
fn check_against_reference(tokenizer: &formwork_tokenizers::Tokenizer, pattern: &str, n_special: u32) {
    check_corpus(tokenizer);
    let ranks =
        ids(tokenizer).filter_map(|id| Some((tokenizer.token_bytes(id)?.to_vec(), id.get() - n_special))).collect();
    let special = [("<|none|>".to_owned(), u32::MAX - 1)].into_iter().collect();
    let reference = tiktoken_rs::CoreBPE::new(ranks, special, pattern).unwrap();
    for (name, text) in corpus() {
        let expected: Vec<u32> = reference.encode_ordinary(&text).into_iter().map(|rank| rank + n_special).collect();
        let tokens: Vec<u32> = tokenizer.encode(&text).into_iter().map(TokenId::get).collect();
        assert_eq!(tokens, expected, "{name}");
    }
}
