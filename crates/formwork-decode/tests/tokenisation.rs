//! Are forced tokens those that the model's own tokenizer makes of the whole text? With a real tokenizer.
#![allow(clippy::unwrap_used)]

use formwork::{Compiler, Grammar, TokenId};
use formwork_decode::{Backend, BackendError, Generation, GenerationConfig, HostLogits, Logits, Sequence, generate};
use formwork_tokenizers::Tokenizer;

fn tokenizer() -> Tokenizer {
    formwork_tokenizers::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/../formwork-cli/model/tokenizer.json"))
        .unwrap()
}

/// Prefers the `n`-th token of a script after `n - 1` tokens of output.
struct Reciting {
    width: usize,
    script: Vec<TokenId>,
    cached: Vec<TokenId>,
}

impl Backend for Reciting {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        self.cached.extend_from_slice(tokens);
        let mut logits = vec![0.0; self.width];
        if let Some(token) = self.script.get(self.cached.len() - 1) {
            logits[token.index()] = 9.0;
        }
        Ok(Box::new(HostLogits(logits)))
    }

    fn cached(&self) -> &[TokenId] {
        &self.cached
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        self.cached.truncate(n_positions);
        Ok(())
    }

    fn logits_width(&self) -> usize {
        self.width
    }

    fn context_length(&self) -> usize {
        4096
    }
}

fn recite(tokenizer: &Tokenizer, grammar: &Grammar, script: Vec<TokenId>) -> Generation {
    let compiled = Compiler::new(tokenizer.vocabulary().clone()).compile(grammar).unwrap();
    let prompt = [TokenId::new(1)];
    let config = GenerationConfig::default();
    let sequence = Sequence::constrained(tokenizer, &prompt, compiled.matcher(), &config).unwrap();
    let mut backend = Reciting { width: tokenizer.vocabulary().len(), script, cached: Vec::new() };
    generate(&mut backend, sequence).unwrap()
}

#[test]
fn forced_text_is_cut_as_in_the_whole_text() {
    let tokenizer = tokenizer();
    let schema = r#"{"type": "object", "additionalProperties": false, "required": ["publication_year", "author", "known"],
        "properties": {"publication_year": {"type": "integer"}, "author": {"type": "string"}, "known": {"type": "boolean"}}}"#;
    let grammar = Grammar::json_schema_text(schema);
    for text in [
        r#"{"publication_year": 1987, "author": "Mira Okafor", "known": true}"#,
        r#"{"publication_year": 7, "author": "", "known": false}"#,
        r#"{"publication_year": -120, "author": "x\n\"yé", "known": false}"#,
    ] {
        let script = tokenizer.encode(text);
        let generation = recite(&tokenizer, &grammar, script.clone());
        assert_eq!(generation.text, text);
        assert_eq!(generation.tokens, script, "{text}");
        assert!(generation.stats.forced_tokens > 0);
        assert!(generation.stats.forward_passes < script.len(), "{:?}", generation.stats);
    }
}

#[test]
fn a_chosen_token_gives_way_to_one_that_holds_it() {
    let tokenizer = tokenizer();
    let letter = tokenizer.encode("a");
    assert_eq!(letter.len(), 1);
    let mut n_replaced = 0;
    for text in ["and the author", "answer", "available", "about the sea"] {
        let generation = recite(&tokenizer, &Grammar::choice([text, "never chosen"]), letter.clone());
        assert_eq!(generation.text, text);
        let whole = tokenizer.encode(text);
        assert_eq!(generation.tokens, whole);
        n_replaced += usize::from(whole[0] != letter[0]);
    }
    assert!(n_replaced > 0, "no text begins with a longer token");
}
