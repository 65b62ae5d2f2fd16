//! Does a `tokenizer.json` become the vocabulary that its own decoder has in mind? Checked id by id on real ones.

#![cfg(feature = "huggingface")]
#![allow(clippy::unwrap_used)]

mod support;

use formwork::{TokenId, TokenKind};
use formwork_tokenizers::{LoadOptions, Tokenizer, TokenizerError, from_bytes, from_file};
use support::{check_corpus, corpus, fetched, ids};
use tokenizers::{NormalizedString, Normalizer};

/// The library's tokenizer beside ours.
struct Pair {
    ours: Tokenizer,
    own: tokenizers::Tokenizer,
    /// The token of each byte, for surroundings in which a partial character becomes whole.
    byte_tokens: Vec<Option<u32>>,
}

impl Pair {
    fn load(path: &std::path::Path) -> Pair {
        let ours = from_file(path).unwrap();
        let byte_tokens = byte_tokens(&ours);
        Pair { ours, own: tokenizers::Tokenizer::from_file(path).unwrap(), byte_tokens }
    }

    /// Ids of single-byte tokens.
    fn spell(&self, bytes: &[u8]) -> Vec<u32> {
        bytes.iter().map(|byte| self.byte_tokens[usize::from(*byte)].expect("a token for each byte in use")).collect()
    }

    /// What the tokenizer's own decoder gives for a token inside a text, between two `x`.
    fn decode_inside(&self, before: &[u8], id: u32, after: &[u8]) -> String {
        // Not the byte token of `x`: it would be one run with a byte token beside it.
        let x = vec![self.own.token_to_id("x").unwrap()];
        let ids = [x.clone(), self.spell(before), vec![id], self.spell(after), x].concat();
        self.own.decode(&ids, false).unwrap()
    }

    /// Compares one token; `false` when no text can hold its bytes, so that only their number could be compared.
    fn check_token(&self, id: TokenId) -> bool {
        let vocabulary = self.ours.vocabulary();
        match vocabulary.kind(id) {
            TokenKind::Unused => assert_eq!(self.own.id_to_token(id.get()), None, "id {id}"),
            TokenKind::Special | TokenKind::Stop => {
                assert!(self.own.get_added_tokens_decoder().contains_key(&id.get()), "id {id} is no added token");
                assert_eq!(self.own.id_to_token(id.get()).as_deref(), vocabulary.special_name(id), "id {id}");
            }
            TokenKind::Text => {
                let bytes = vocabulary.token_bytes(id).unwrap();
                let Some((before, after)) = complete(bytes) else {
                    let decoded = self.decode_inside(b"", id.get(), b"");
                    assert_eq!(decoded, format!("x{}x", "\u{FFFD}".repeat(bytes.len())), "id {id}");
                    return false;
                };
                let expected = String::from_utf8([b"x", before, bytes, after, b"x"].concat()).unwrap();
                assert_eq!(self.decode_inside(before, id.get(), after), expected, "id {id}");
            }
        }
        true
    }

    /// Checks that the library's own encoding has the bytes of the text, as far as its normaliser leaves it.
    fn check_own_encoding(&self, name: &str, text: &str) {
        let mut normalized = NormalizedString::from(text);
        if let Some(normalizer) = self.own.get_normalizer() {
            normalizer.normalize(&mut normalized).unwrap();
        }
        let expected = match text.contains('▁') {
            true => return,
            false => normalized.get().replace('▁', " "),
        };
        let own_ids = self.own.encode_fast(text, false).unwrap().get_ids().to_vec();
        let own_tokens: Vec<TokenId> = own_ids.into_iter().map(TokenId::new).collect();
        if own_tokens.iter().any(|token| self.ours.token_bytes(*token).is_none()) {
            assert!(matches!(name, "names of special tokens" | "html"), "{name}: control tokens in plain text");
            return;
        }
        assert_eq!(self.ours.decode_bytes(&own_tokens), expected.as_bytes(), "{name}");
        if expected == text {
            assert_eq!(self.ours.encode(text), own_tokens, "{name}: another cut than the tokenizer's own");
        }
    }
}

/// Surroundings of single-byte tokens in which `bytes` are whole characters; `None` when no text holds these bytes.
fn complete(bytes: &[u8]) -> Option<(&'static [u8], &'static [u8])> {
    const BEFORE: &[&[u8]] = &[b"", b"\xC3", b"\xE1", b"\xF1", b"\xE1\x80", b"\xF1\x80", b"\xF1\x80\x80"];
    const AFTER: &[&[u8]] =
        &[b"", b"\x80", b"\x90", b"\xA0", b"\x80\x80", b"\x90\x80", b"\xA0\x80", b"\x80\x80\x80", b"\x90\x80\x80"];
    let whole = |(before, after): &(&[u8], &[u8])| std::str::from_utf8(&[before, bytes, after].concat()).is_ok();
    BEFORE.iter().flat_map(|before| AFTER.iter().map(move |after| (*before, *after))).find(whole)
}

/// The token of each single byte.
fn byte_tokens(tokenizer: &Tokenizer) -> Vec<Option<u32>> {
    let mut tokens = vec![None; 256];
    for id in ids(tokenizer) {
        if let Some([byte]) = tokenizer.token_bytes(id)
            && tokens[usize::from(*byte)].is_none()
        {
            tokens[usize::from(*byte)] = Some(id.get());
        }
    }
    tokens
}

/// Compares every id and every text; gives the loaded tokenizer.
fn check_real(file: &str) -> Option<Tokenizer> {
    let pair = Pair::load(&fetched(file)?);
    let not_in_text = ids(&pair.ours).filter(|id| !pair.check_token(*id)).count();
    assert!(not_in_text <= 16, "{not_in_text} tokens that no text can hold");
    check_corpus(&pair.ours);
    for (name, text) in corpus() {
        pair.check_own_encoding(&name, &text);
    }
    let count = |kind| ids(&pair.ours).filter(|id| pair.ours.vocabulary().kind(*id) == kind).count();
    eprintln!(
        "{file}: {} ids: {} text ({not_in_text} of them in no UTF-8 text), {} special, {} stop, {} unused",
        pair.ours.vocabulary().len(),
        count(TokenKind::Text),
        count(TokenKind::Special),
        count(TokenKind::Stop),
        count(TokenKind::Unused)
    );
    Some(pair.ours)
}

fn stop_names(tokenizer: &Tokenizer) -> Vec<&str> {
    let vocabulary = tokenizer.vocabulary();
    vocabulary.stop_tokens().iter().filter_map(|stop| vocabulary.special_name(*stop)).collect()
}

#[test]
fn qwen2_5() {
    let Some(tokenizer) = check_real("qwen2_5/tokenizer.json") else { return };
    assert_eq!(stop_names(&tokenizer), ["<|endoftext|>", "<|im_end|>"]);
    let wide = tokenizer.with_logits_width(151_936).unwrap();
    assert_eq!(wide.vocabulary().len(), 151_936);
    assert_eq!(wide.vocabulary().kind(TokenId::new(151_900)), TokenKind::Unused);
    assert_eq!(wide.encode("Hello world"), tokenizer.encode("Hello world"));
    assert_eq!(
        tokenizer.encode_with_special("<|im_start|>user\n").first(),
        tokenizer.special_token("<|im_start|>").as_ref()
    );
}

#[test]
fn llama3() {
    let Some(tokenizer) = check_real("llama3/tokenizer.json") else { return };
    assert_eq!(stop_names(&tokenizer), ["<|end_of_text|>", "<|eot_id|>"]);
}

#[test]
fn gemma3() {
    let Some(tokenizer) = check_real("gemma3/tokenizer.json") else { return };
    assert_eq!(stop_names(&tokenizer), ["<eos>", "<end_of_turn>"]);
    let narrow = tokenizer.with_logits_width(262_144).unwrap();
    assert_eq!(narrow.vocabulary().len(), 262_144, "the text model has no row for the last id");
    assert_eq!(tokenizer.encode("a\n\n\n  <b>").len(), 4, "runs of blanks and tags are single tokens");
}

/// Hand-made tokenizers in the two styles that put a space in front of a text: how each spells a text without it.
#[test]
fn no_space_is_put_in_front() {
    for (name, file) in [
        ("prepend", &include_bytes!("data/prepend_style.json")[..]),
        ("metaspace", &include_bytes!("data/metaspace_style.json")[..]),
    ] {
        let tokenizer = from_bytes(file).unwrap();
        let texts =
            |tokens: &[TokenId]| -> Vec<String> { tokens.iter().map(|token| tokenizer.decode(&[*token])).collect() };
        assert_eq!(texts(&tokenizer.encode("the ab")), ["t", "he", " ab"], "{name}");
        assert_eq!(texts(&tokenizer.encode(" the")), [" the"], "{name}");
        assert_eq!(texts(&tokenizer.encode_document("the")), ["", " the"], "{name}: the file's own way");
        assert_eq!(tokenizer.encode("é▁").len(), 5, "{name}: byte by byte");
        check_corpus(&tokenizer);
    }
}

#[test]
fn partial_characters_are_encoded() {
    let tokenizer = from_bytes(include_bytes!("data/prepend_style.json")).unwrap();
    let bytes = b"ab\xE2\x82 the";
    assert_eq!(tokenizer.decode_bytes(&tokenizer.encode_bytes(bytes)), bytes);
}

#[test]
fn stop_tokens_can_be_chosen() {
    let file = include_bytes!("data/prepend_style.json");
    assert_eq!(stop_names(&from_bytes(file).unwrap()), ["</s>"]);
    let chosen = LoadOptions::new().stop_token("<s>").from_bytes(file).unwrap();
    assert_eq!(stop_names(&chosen), ["<s>"]);
    let chosen = LoadOptions::new().stop_token_id(TokenId::new(0)).logits_width(500).from_bytes(file).unwrap();
    assert_eq!((stop_names(&chosen), chosen.vocabulary().len()), (vec!["<unk>"], 500));
    let unknown = LoadOptions::new().stop_token("<end>").from_bytes(file);
    assert!(matches!(unknown, Err(TokenizerError::UnknownStopToken(name)) if name.contains("<end>")));
}

/// Changes one piece of a good file; the answer is a typed error in one line, or a tokenizer, and never a panic.
#[test]
fn hostile_files() {
    let good = include_str!("data/prepend_style.json");
    for (from, to) in [
        (r#""type":"BPE""#, r#""type":"WordPiece""#),
        (r#""type":"BPE""#, r#""type":"Nonsense""#),
        (r#""end_of_word_suffix":null"#, r#""end_of_word_suffix":"</w>""#),
        (r#""<0xFF>":258"#, r#""<0xFF>":257"#),
        (r#""<0xFF>":258"#, r#""<0xFF>":4294967295"#),
        (r#""<0xFF>":258"#, r#""<0xFF>":-1"#),
        (r#""decoder":{"#, r#""decoder":null,"x":{"#),
        (r#""type":"Fuse""#, r#""type":"CTC","pad_token":"a","word_delimiter_token":"|","cleanup":true"#),
        ("▁ t", "zz yy"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = from_bytes(good.replacen(from, to, 1).as_bytes()).expect_err(to).to_string();
        assert!(!error.contains('\n'), "{error}");
        eprintln!("{error}");
    }
    for length in (0..good.len()).step_by(97) {
        assert!(from_bytes(&good.as_bytes()[..length]).is_err());
    }
}
