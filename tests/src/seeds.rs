//! Is what the shipped model writes valid? Outputs for many seeds, judged by an independent validator.
//!
//! A whole output must validate. An output that the token budget cut must be a prefix of a valid text: it is completed
//! token by token, as the masks allow, and the completed text must validate.

use std::path::PathBuf;
use std::sync::Arc;

use formwork::{CompiledGrammar, Compiler, Grammar, Matcher, TokenId, Vocabulary};
use formwork_bench::data::split_mix;
use formwork_candle::{LoadOptions, LoadedModel};
use formwork_decode::{FinishReason, Generation, GenerationConfig, Sampling, Sequence, generate};
use jsonschema::Validator;
use serde_json::Value;

/// Tokens that a cut text is completed with at most.
const MAX_COMPLETION: u64 = 4_000;

/// Bytes that lead to an end, the most useful first: a quote, a letter where a string cannot be closed yet, brackets,
/// then what numbers and words begin with.
const CLOSERS: &[u8] = b"\"a}]:,0tfn1";
/// Bytes that patterns and formats ask for.
const PATTERN_BYTES: &[u8] = b"a1@.-:/T2Z0_";

/// What became of outputs for one schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Outputs that ended by themselves.
    pub completed: usize,
    /// Of these, the valid ones.
    pub valid: usize,
    /// Outputs that the token budget cut.
    pub cut: usize,
    /// Of these, those whose completion is valid.
    pub cut_valid: usize,
    /// Of these, those for which no end was found in time.
    pub cut_open: usize,
    /// Unconstrained outputs of the same prompts and seeds.
    pub unconstrained: usize,
    /// Of these, those that are not a valid document as they stand.
    pub unconstrained_invalid: usize,
}

impl Tally {
    /// The sum of both.
    pub fn plus(self, other: Tally) -> Tally {
        Tally {
            completed: self.completed + other.completed,
            valid: self.valid + other.valid,
            cut: self.cut + other.cut,
            cut_valid: self.cut_valid + other.cut_valid,
            cut_open: self.cut_open + other.cut_open,
            unconstrained: self.unconstrained + other.unconstrained,
            unconstrained_invalid: self.unconstrained_invalid + other.unconstrained_invalid,
        }
    }

    /// Whether every constrained output is valid, or can become so.
    pub fn is_sound(&self) -> bool {
        self.valid == self.completed && self.cut_valid + self.cut_open == self.cut
    }
}

/// The shipped model, a compiler for its vocabulary, and how to write.
pub struct Writer {
    model: LoadedModel,
    compiler: Compiler,
    max_tokens: usize,
    temperature: f64,
}

/// A schema in its two readings.
pub struct Judged {
    compiled: Arc<CompiledGrammar>,
    validator: Validator,
    prompt: String,
}

impl Writer {
    /// Loads the model from the repository.
    ///
    /// # Errors
    /// When a file is missing or broken.
    pub fn load(max_tokens: usize, temperature: f64) -> Result<Writer, String> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/formwork-cli/model");
        let model = LoadedModel::from_folder(folder, &LoadOptions::default()).map_err(|error| error.to_string())?;
        let compiler = Compiler::new(Arc::clone(model.tokenizer.vocabulary()));
        Ok(Writer { model, compiler, max_tokens, temperature })
    }

    /// Reads a schema; `prompt` is what the model is asked.
    ///
    /// # Errors
    /// When the engine or the validator refuses it.
    pub fn judge(&self, schema: &Value, prompt: &str) -> Result<Judged, String> {
        let compiled =
            self.compiler.compile(&Grammar::json_schema(schema.clone())).map_err(|error| error.to_string())?;
        let options = jsonschema::options().should_validate_formats(true);
        let validator = options.build(schema).map_err(|error| error.to_string())?;
        let prompt = self.model.prompt_text(prompt).map_err(|error| error.to_string())?;
        Ok(Judged { compiled, validator, prompt })
    }

    /// One output with the schema and one without.
    ///
    /// # Errors
    /// When the model or the engine fails, or an output is not valid; the message holds the text.
    pub fn write(&mut self, judged: &Judged, seed: u64) -> Result<Tally, String> {
        let free = self.generate(judged, seed, None)?;
        let constrained = self.generate(judged, seed, Some(judged.compiled.matcher()))?;
        let mut tally = Tally { unconstrained: 1, ..Tally::default() };
        tally.unconstrained_invalid = usize::from(judged.check(&free.text).is_err());
        if constrained.finish == FinishReason::Stop {
            judged.check(&constrained.text)?;
            return Ok(Tally { completed: 1, valid: 1, ..tally });
        }
        tally.cut = 1;
        match judged.complete(&constrained.tokens, self.model.tokenizer.vocabulary(), seed)? {
            Some(text) => {
                judged.check(&text)?;
                Ok(Tally { cut_valid: 1, ..tally })
            }
            None => Ok(Tally { cut_open: 1, ..tally }),
        }
    }

    fn generate(&mut self, judged: &Judged, seed: u64, matcher: Option<Matcher>) -> Result<Generation, String> {
        let sampling = Sampling::with_temperature(self.temperature, seed);
        let config = GenerationConfig { max_tokens: self.max_tokens, sampling, ..GenerationConfig::default() };
        let tokenizer = &self.model.tokenizer;
        let prompt = tokenizer.encode_with_special(&judged.prompt);
        let sequence = match matcher {
            Some(matcher) => Sequence::constrained(tokenizer, &prompt, matcher, &config),
            None => Sequence::unconstrained(tokenizer, &prompt, &config),
        };
        let sequence = sequence.map_err(|error| error.to_string())?;
        generate(&mut self.model.model, sequence).map_err(|error| error.to_string())
    }
}

impl Judged {
    fn check(&self, text: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
        self.validator.validate(&value).map_err(|error| format!("{error}: {text}"))
    }

    /// A whole text that begins with `tokens`; `None` where none was found in time.
    fn complete(&self, tokens: &[TokenId], vocabulary: &Vocabulary, seed: u64) -> Result<Option<String>, String> {
        let mut matcher = self.compiled.matcher();
        let mut text = Vec::new();
        for &token in tokens {
            matcher.accept_token(token).map_err(|error| error.to_string())?;
            text.extend_from_slice(vocabulary.token_bytes(token).unwrap_or_default());
        }
        for step in 0..MAX_COMPLETION {
            if matcher.is_accepting() {
                return Ok(Some(String::from_utf8_lossy(&text).into_owned()));
            }
            let token = closing_token(&mut matcher, vocabulary, split_mix(seed, step))?;
            matcher.accept_token(token).map_err(|error| error.to_string())?;
            text.extend_from_slice(vocabulary.token_bytes(token).unwrap_or_default());
        }
        Ok(None)
    }
}

/// A token that leads towards an end, mostly; one in four is a byte that patterns ask for, where it is allowed.
fn closing_token(matcher: &mut Matcher, vocabulary: &Vocabulary, random: u64) -> Result<TokenId, String> {
    let mask = matcher.mask().map_err(|error| error.to_string())?;
    let byte_of = |token: TokenId| match vocabulary.token_bytes(token) {
        Some([byte]) => Some(*byte),
        _ => None,
    };
    let singles: Vec<(TokenId, u8)> = mask.iter().filter_map(|token| Some((token, byte_of(token)?))).collect();
    let rank = |byte: u8| CLOSERS.iter().position(|closer| *closer == byte).unwrap_or(CLOSERS.len());
    let best = singles.iter().min_by_key(|(_, byte)| rank(*byte));
    let wanted = PATTERN_BYTES[(random / 4) as usize % PATTERN_BYTES.len()];
    let other = singles.iter().find(|(_, byte)| random.is_multiple_of(4) && *byte == wanted);
    let chosen = if best.is_some_and(|(_, byte)| *byte == b'"') { best } else { other.or(best) };
    chosen.map(|(token, _)| *token).or_else(|| mask.iter().next()).ok_or_else(|| "a dead end: an empty mask".to_owned())
}
