//! Does the model that ships write text, free and constrained?
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use std::fs;

use common::{check_passes, shipped_model};
use formwork::{Compiler, Grammar};
use formwork_candle::{LoadOptions, LoadedModel, ModelFiles};
use formwork_decode::{Backend, FinishReason, Generation, GenerationConfig, Sampling, Sequence, generate};

/// The model; `None`, with a message, where it is not in the checkout.
fn load() -> Option<LoadedModel> {
    if !shipped_model().join("model.safetensors").exists() {
        eprintln!("skipped: {} has no weights", shipped_model().display());
        return None;
    }
    Some(LoadedModel::from_folder(shipped_model(), &LoadOptions::default()).unwrap())
}

fn write(loaded: &mut LoadedModel, message: &str, grammar: Option<&Grammar>, config: &GenerationConfig) -> Generation {
    let prompt = loaded.tokenizer.encode_with_special(&loaded.prompt_text(message).unwrap());
    let sequence = match grammar {
        Some(grammar) => {
            let compiled = Compiler::new(loaded.tokenizer.vocabulary().clone()).compile(grammar).unwrap();
            Sequence::constrained(&loaded.tokenizer, &prompt, compiled.matcher(), config)
        }
        None => Sequence::unconstrained(&loaded.tokenizer, &prompt, config),
    };
    generate(&mut loaded.model, sequence.unwrap()).unwrap()
}

#[test]
fn passes_agree() {
    if let Some(mut loaded) = load() {
        check_passes(&mut loaded.model, "shipped model");
    }
}

#[test]
fn free_text_is_json_like_and_ends_by_itself() {
    let Some(mut loaded) = load() else { return };
    let config = GenerationConfig { max_tokens: 400, ..GenerationConfig::default() };
    let generation = write(&mut loaded, "Write a book as JSON.", None, &config);
    println!("{generation:?}");
    assert!(generation.text.contains(['{', '[']), "{}", generation.text);
    assert_eq!(generation.finish, FinishReason::Stop);
}

#[test]
fn a_seed_gives_the_same_text_again() {
    let Some(mut loaded) = load() else { return };
    let sampling = Sampling { top_p: Some(0.9), ..Sampling::with_temperature(0.9, 11) };
    let config = GenerationConfig { max_tokens: 60, sampling, ..GenerationConfig::default() };
    let first = write(&mut loaded, "Write a person as JSON.", None, &config);
    let again = write(&mut loaded, "Write a person as JSON.", None, &config);
    assert_eq!((&first.text, &first.tokens), (&again.text, &again.tokens));
}

#[test]
fn files_in_memory_are_the_same_model() {
    let Some(mut from_folder) = load() else { return };
    let read = |name: &str| fs::read(shipped_model().join(name)).unwrap();
    let (config, tokenizer, weights) = (read("config.json"), read("tokenizer.json"), read("model.safetensors"));
    let (generation_config, tokenizer_config) = (read("generation_config.json"), read("tokenizer_config.json"));
    let files = ModelFiles {
        config: &config,
        tokenizer: &tokenizer,
        weights: &[&weights],
        generation_config: Some(&generation_config),
        tokenizer_config: Some(&tokenizer_config),
        chat_template: None,
    };
    let mut from_memory = LoadedModel::from_memory(&files, &LoadOptions::default()).unwrap();
    assert_eq!(from_memory.tokenizer.vocabulary().stop_tokens(), from_folder.tokenizer.vocabulary().stop_tokens());
    let config = GenerationConfig { max_tokens: 40, ..GenerationConfig::default() };
    let message = "Write an event as JSON.";
    let texts = [&mut from_folder, &mut from_memory].map(|loaded| write(loaded, message, None, &config).text);
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn constrained_text_matches() {
    let Some(mut loaded) = load() else { return };
    let grammar = Grammar::regex(r#"\{"title": "[A-Z][a-z ]{3,20}", "year": (19|20)[0-9]{2}\}"#);
    for seed in 0..5 {
        let sampling = Sampling::with_temperature(1.0, seed);
        let config = GenerationConfig { max_tokens: 100, sampling, ..GenerationConfig::default() };
        let generation = write(&mut loaded, "Write a book as JSON.", Some(&grammar), &config);
        println!("{} {:?}", generation.text, generation.stats);
        let value: serde_json::Value = serde_json::from_str(&generation.text).unwrap();
        assert!((1900..2100).contains(&value["year"].as_u64().unwrap()), "{value}");
        assert!(generation.stats.forced_tokens > 0);
        assert_eq!(generation.finish, FinishReason::Stop);
    }
    assert!(!loaded.model.cached().is_empty());
}

/// Forced text changes how the passes are cut, not what a greedy run writes.
#[test]
fn fast_forward_writes_what_single_steps_write() {
    let Some(mut loaded) = load() else { return };
    let grammar = Grammar::regex(r#"\{"name": "[A-Z][a-z]{2,12}", "age": [1-9][0-9]?\}"#);
    let texts = [true, false].map(|fast_forward| {
        let config = GenerationConfig { max_tokens: 100, fast_forward, ..GenerationConfig::default() };
        write(&mut loaded, "Write a person as JSON.", Some(&grammar), &config).text
    });
    assert_eq!(texts[0], texts[1]);
}
