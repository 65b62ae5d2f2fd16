//! Do candle and ONNX Runtime write the same text with the same weights? A hundred prompts, free and under five schemas.
//!
//! Rounding differs between the two, so where two tokens are equally good to within [`TIE`] either choice is right. Such
//! places are printed and counted; any other difference fails.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]
#![allow(clippy::print_stdout, reason = "places that differ at a tie are told")]

#[path = "common/library.rs"]
mod library;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use formwork::{Compiler, Grammar, Matcher, TokenId};
use formwork_decode::{
    Backend, FinishReason, Generation, GenerationConfig, Sampling, Sequence, TextTokenizer, generate, mask_logits,
};
use formwork_ort::OrtOptions;
use serde_json::{Value, json};

const N_PROMPTS: usize = 100;
/// candle's threads cost more than they save on so small a model: `RAYON_NUM_THREADS=1` makes this twice as fast.
const MAX_TOKENS: usize = 32;
/// Logits closer than this are a tie. Those of the two backends differ by some 1e-5.
const TIE: f32 = 1e-4;

const RECORDS: [&str; 16] = [
    "a book",
    "a person",
    "an employee",
    "a user",
    "an order",
    "a product",
    "a movie",
    "an event",
    "a recipe",
    "a weather report",
    "a support ticket",
    "an address",
    "a city",
    "a pet",
    "a server",
    "a task",
];
const TOPICS: [&str; 7] = ["the sea", "a garden", "winter", "a small town", "music", "the harbor", "an old train"];
const FIELDS: [&str; 5] = ["name, id", "title, status, tags", "id, email, date", "name, price, colors", "city, values"];

/// Prompts of the kinds that the model was trained on, each different.
fn prompts() -> Vec<String> {
    let prompt = |index: usize| {
        let (record, topic, fields) = (RECORDS[index % 16], TOPICS[index / 3 % 7], FIELDS[index / 7 % 5]);
        match index % 7 {
            0 => format!("Generate {record} about {topic}."),
            1 => format!("Create {record}: {fields}"),
            2 => format!("Give me {record} as JSON, number {index}."),
            3 => format!("Write {record} in JSON with {fields}."),
            4 => format!("Describe {record} about {topic} in JSON."),
            5 => format!("List {} things like {record}.", 2 + index / 7),
            _ => format!("Tell me about {topic} and {record}, {} words.", 10 + index),
        }
    };
    let prompts: Vec<String> = (0..N_PROMPTS).map(prompt).collect();
    assert_eq!(prompts.iter().collect::<BTreeSet<_>>().len(), N_PROMPTS);
    prompts
}

/// Schemas of five shapes.
fn schemas() -> [(&'static str, Value); 5] {
    let object = |properties: Value| {
        let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
        json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
    };
    let text = || json!({"type": "string", "maxLength": 30});
    let enums = object(json!({
        "status": {"enum": ["open", "paid", "shipped", "cancelled"]},
        "currency": {"enum": ["EUR", "USD", "GBP"]},
        "paid": {"type": "boolean"},
        "note": {"type": ["string", "null"], "maxLength": 20},
    }));
    let nested = object(json!({
        "rows": {"type": "array", "minItems": 1, "maxItems": 3,
            "items": {"type": "array", "maxItems": 3, "items": {"type": "integer", "minimum": 0, "maximum": 99}}},
        "parts": {"type": "array", "maxItems": 2, "items": object(json!({"tags": {"type": "array", "items": text(), "maxItems": 2}}))},
    }));
    let numbers = object(json!({
        "temperature": {"type": "number", "minimum": -30, "maximum": 45},
        "humidity": {"type": "integer", "minimum": 0, "exclusiveMaximum": 101},
        "rating": {"type": "number", "exclusiveMinimum": 0, "maximum": 5, "multipleOf": 0.5},
    }));
    let patterns = object(json!({
        "code": {"type": "string", "pattern": "^[A-Z]{2,3}-[0-9]{3,5}$"},
        "date": {"type": "string", "format": "date"},
        "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    }));
    let choice = json!({"anyOf": [
        object(json!({"title": text(), "author": text(), "publication_year": {"type": "integer"}})),
        object(json!({"name": text(), "age": {"type": "integer", "minimum": 0, "maximum": 120}})),
        {"type": "array", "items": text(), "minItems": 1, "maxItems": 3},
        {"type": "integer"},
    ]});
    [("enums", enums), ("nested", nested), ("numbers", numbers), ("patterns", patterns), ("choice", choice)]
}

/// A backend with what it needs to write.
struct Side {
    name: &'static str,
    backend: Box<dyn Backend>,
    tokenizer: Box<dyn TextTokenizer>,
    compiler: Compiler,
}

impl Side {
    fn new(name: &'static str, backend: impl Backend + 'static, tokenizer: impl TextTokenizer + 'static) -> Side {
        let compiler = Compiler::new(tokenizer.vocabulary().clone());
        Side { name, backend: Box::new(backend), tokenizer: Box::new(tokenizer), compiler }
    }

    fn matcher(&self, schema: Option<&Value>) -> Option<Matcher> {
        schema.map(|schema| self.compiler.compile(&Grammar::json_schema(schema.clone())).unwrap().matcher())
    }

    fn write(&mut self, prompt: &str, schema: Option<&Value>, sampling: Sampling) -> Generation {
        let config = GenerationConfig { max_tokens: MAX_TOKENS, sampling, ..GenerationConfig::default() };
        let prompt = self.tokenizer.encode_with_special(prompt);
        let tokenizer = self.tokenizer.as_ref();
        let sequence = match self.matcher(schema) {
            Some(matcher) => Sequence::constrained(tokenizer, &prompt, matcher, &config),
            None => Sequence::unconstrained(tokenizer, &prompt, &config),
        };
        generate(self.backend.as_mut(), sequence.unwrap()).unwrap()
    }

    /// By how much the best allowed logit behind `output` is above the next.
    fn lead(&mut self, prompt: &str, schema: Option<&Value>, output: &[TokenId]) -> f32 {
        let prompt = self.tokenizer.encode_with_special(prompt);
        self.backend.truncate(0).unwrap();
        let mut logits = Vec::new();
        self.backend.forward(&[&prompt, output].concat()).unwrap().copy_to(&mut logits).unwrap();
        if let Some(mut matcher) = self.matcher(schema) {
            output.iter().for_each(|token| matcher.accept_token(*token).unwrap());
            mask_logits(&mut logits, &matcher.mask().unwrap(), f32::NEG_INFINITY);
        }
        logits.sort_unstable_by(|a, b| b.total_cmp(a));
        logits[0] - logits[1]
    }
}

/// Both backends with the shipped model, and the prompts in its chat template; `None` where there is no ONNX Runtime.
fn load() -> Option<([Side; 2], Vec<String>)> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formwork-cli/model");
    let options = OrtOptions { library: Some(library::library()?), threads: Some(1), ..OrtOptions::default() };
    let onnx = formwork_ort::LoadedModel::from_folder(&folder, &options).unwrap();
    let candle = formwork_candle::LoadedModel::from_folder(&folder, &formwork_candle::LoadOptions::default()).unwrap();
    let prompts = prompts().iter().map(|message| candle.prompt_text(message).unwrap()).collect();
    let sides =
        [Side::new("candle", candle.model, candle.tokenizer), Side::new("ONNX Runtime", onnx.model, onnx.tokenizer)];
    Some((sides, prompts))
}

fn greedy() -> Sampling {
    Sampling { temperature: 0.0, ..Sampling::default() }
}

/// Compares greedy outputs for all prompts. The number of ties that were broken differently.
fn compare(sides: &mut [Side; 2], prompts: &[String], name: &str, schema: Option<&Value>) -> usize {
    let (mut n_ties, mut n_complete, mut texts) = (0, 0, BTreeSet::new());
    for prompt in prompts {
        let [by_candle, by_onnx] = sides.each_mut().map(|side| side.write(prompt, schema, greedy()));
        assert!(!by_candle.tokens.is_empty(), "{name}: {prompt}");
        if by_candle.tokens != by_onnx.tokens {
            let pairs = by_candle.tokens.iter().zip(&by_onnx.tokens);
            let n_shared = pairs.take_while(|(a, b)| a == b).count();
            let shared = &by_candle.tokens[..n_shared];
            let leads = sides.each_mut().map(|side| (side.name, side.lead(prompt, schema, shared)));
            let place = format!(
                "{name}: {prompt:?}: {:?} and {:?} differ behind token {n_shared}, where the best two logits are apart by {leads:?}",
                by_candle.text, by_onnx.text
            );
            assert!(leads.iter().any(|(_, lead)| *lead < TIE), "{place}");
            println!("tie: {place}");
            n_ties += 1;
        } else {
            assert_eq!((&by_candle.text, by_candle.finish), (&by_onnx.text, by_onnx.finish), "{name}: {prompt}");
        }
        n_complete += usize::from(by_candle.finish == FinishReason::Stop);
        texts.insert(by_candle.text);
    }
    let n_prompts = prompts.len();
    println!("{name}: {n_prompts} prompts, {n_complete} complete, {} different texts, {n_ties} ties", texts.len());
    assert!(texts.len() > 10, "{name}: the prompts make no difference: {texts:?}");
    n_ties
}

#[test]
fn greedy_text_is_the_same() {
    let Some((mut sides, prompts)) = load() else { return };
    let mut n_ties = compare(&mut sides, &prompts, "free", None);
    for (name, schema) in schemas() {
        n_ties += compare(&mut sides, &prompts, name, Some(&schema));
    }
    assert!(n_ties * 100 <= N_PROMPTS * 6, "{n_ties} of {} outputs differ at ties", N_PROMPTS * 6);
}

#[test]
fn a_seed_gives_the_same_text_from_run_to_run() {
    let (Some((mut sides, prompts)), Some((mut loaded_anew, _))) = (load(), load()) else { return };
    let schemas = schemas();
    for (side, anew) in sides.iter_mut().zip(&mut loaded_anew) {
        let mut n_different = 0;
        for (index, prompt) in prompts.iter().step_by(10).enumerate() {
            for schema in [None, Some(&schemas[index % schemas.len()].1)] {
                let sampled = |seed| Sampling::with_temperature(1.0, seed);
                let first = side.write(prompt, schema, sampled(7));
                let other = side.write(prompt, schema, sampled(8));
                for again in [side.write(prompt, schema, sampled(7)), anew.write(prompt, schema, sampled(7))] {
                    assert_eq!((&first.text, &first.tokens), (&again.text, &again.tokens), "{}: {prompt}", side.name);
                }
                n_different += usize::from(first.text != other.text);
            }
        }
        assert!(n_different > 10, "{}: seeds make no difference", side.name);
    }
}
