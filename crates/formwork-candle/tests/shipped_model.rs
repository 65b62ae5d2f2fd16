//! Does the model that ships write text, free and constrained?
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{check_passes, shipped_model};
use formwork::{Compiler, Grammar};
use formwork_candle::{CandleBatch, LoadOptions, LoadedModel, ModelFiles};
use formwork_decode::{
    Batch, DraftModel, Drafter, FinishReason, Generation, GenerationConfig, PromptLookup, Sampling, Sequence, generate,
    generate_speculative,
};

/// The model; `None`, with a message, where it is not in the checkout.
fn load() -> Option<LoadedModel> {
    if !shipped_model().join("model.safetensors").exists() {
        eprintln!("skipped: {} has no weights", shipped_model().display());
        return None;
    }
    Some(LoadedModel::from_folder(shipped_model(), &LoadOptions::default()).unwrap())
}

/// A sequence that answers `message`.
fn sequence<'a>(
    loaded: &'a LoadedModel,
    message: &str,
    grammar: Option<&Grammar>,
    config: &GenerationConfig,
) -> Sequence<'a> {
    let prompt = loaded.tokenizer.encode_with_special(&loaded.prompt_text(message).unwrap());
    let sequence = match grammar {
        Some(grammar) => {
            let compiled = Compiler::new(loaded.tokenizer.vocabulary().clone()).compile(grammar).unwrap();
            Sequence::constrained(&loaded.tokenizer, &prompt, compiled.matcher(), config)
        }
        None => Sequence::unconstrained(&loaded.tokenizer, &prompt, config),
    };
    sequence.unwrap()
}

fn write(loaded: &LoadedModel, message: &str, grammar: Option<&Grammar>, config: &GenerationConfig) -> Generation {
    generate(&mut loaded.model.new_sequence(), sequence(loaded, message, grammar, config)).unwrap()
}

#[test]
fn passes_agree() {
    if let Some(mut loaded) = load() {
        check_passes(&mut loaded.model, "shipped model");
    }
}

#[test]
fn free_text_is_json_like_and_ends_by_itself() {
    let Some(loaded) = load() else { return };
    let config = GenerationConfig { max_tokens: 400, ..GenerationConfig::default() };
    let generation = write(&loaded, "Write a book as JSON.", None, &config);
    println!("{generation:?}");
    assert!(generation.text.contains(['{', '[']), "{}", generation.text);
    assert_eq!(generation.finish, FinishReason::Stop);
}

#[test]
fn a_seed_gives_the_same_text_again() {
    let Some(loaded) = load() else { return };
    let sampling = Sampling { top_p: Some(0.9), ..Sampling::with_temperature(0.9, 11) };
    let config = GenerationConfig { max_tokens: 60, sampling, ..GenerationConfig::default() };
    let first = write(&loaded, "Write a person as JSON.", None, &config);
    let again = write(&loaded, "Write a person as JSON.", None, &config);
    assert_eq!((&first.text, &first.tokens), (&again.text, &again.tokens));
}

#[test]
fn files_in_memory_are_the_same_model() {
    let Some(from_folder) = load() else { return };
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
    let from_memory = LoadedModel::from_memory(&files, &LoadOptions::default()).unwrap();
    assert_eq!(from_memory.tokenizer.vocabulary().stop_tokens(), from_folder.tokenizer.vocabulary().stop_tokens());
    let config = GenerationConfig { max_tokens: 40, ..GenerationConfig::default() };
    let message = "Write an event as JSON.";
    let texts = [&from_folder, &from_memory].map(|loaded| write(loaded, message, None, &config).text);
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn constrained_text_matches() {
    let Some(loaded) = load() else { return };
    let grammar = Grammar::regex(r#"\{"title": "[A-Z][a-z ]{3,20}", "year": (19|20)[0-9]{2}\}"#);
    for seed in 0..5 {
        let sampling = Sampling::with_temperature(1.0, seed);
        let config = GenerationConfig { max_tokens: 100, sampling, ..GenerationConfig::default() };
        let generation = write(&loaded, "Write a book as JSON.", Some(&grammar), &config);
        println!("{} {:?}", generation.text, generation.stats);
        let value: serde_json::Value = serde_json::from_str(&generation.text).unwrap();
        assert!((1900..2100).contains(&value["year"].as_u64().unwrap()), "{value}");
        assert!(generation.stats.forced_tokens > 0);
        assert_eq!(generation.finish, FinishReason::Stop);
    }
}

/// Forced text changes how the passes are cut, not what a greedy run writes.
#[test]
fn fast_forward_writes_what_single_steps_write() {
    let Some(loaded) = load() else { return };
    let grammar = Grammar::regex(r#"\{"name": "[A-Z][a-z]{2,12}", "age": [1-9][0-9]?\}"#);
    let texts = [true, false].map(|fast_forward| {
        let config = GenerationConfig { max_tokens: 100, fast_forward, ..GenerationConfig::default() };
        write(&loaded, "Write a person as JSON.", Some(&grammar), &config).text
    });
    assert_eq!(texts[0], texts[1]);
}

/// Three rows for more sequences: they join as others leave, at different positions.
#[test]
fn a_batch_writes_what_each_sequence_writes_alone() {
    let Some(loaded) = load() else { return };
    let grammar = Grammar::regex(r#"\{"title": "[A-Z][a-z ]{3,20}", "year": (19|20)[0-9]{2}\}"#);
    let messages = ["Write a book as JSON.", "Write a person.", "Write an event as JSON.", "Book", "Write a film."];
    let config = GenerationConfig { max_tokens: 50, ..GenerationConfig::default() };
    let cases = messages.into_iter().zip([None, Some(&grammar)].into_iter().cycle());
    let mut waiting = cases.clone();
    let mut backend = CandleBatch::new(&loaded.model, 3);
    let mut batch = Batch::new(&backend, 1);
    let (mut ids, mut texts) = (Vec::new(), BTreeMap::new());
    loop {
        while let Some((message, grammar)) = batch.has_room().then(|| waiting.next()).flatten() {
            ids.extend(batch.join(&mut backend, sequence(&loaded, message, grammar, &config)).unwrap());
        }
        if batch.is_empty() {
            break;
        }
        texts.extend(batch.step(&mut backend).into_iter().map(|(id, generation)| (id, generation.unwrap().text)));
    }
    assert_eq!(ids.len(), messages.len());
    for ((message, grammar), id) in cases.zip(ids) {
        assert_eq!(texts[&id], write(&loaded, message, grammar, &config).text, "{message}");
    }
}

#[test]
fn checked_drafts_write_the_same_in_fewer_passes() {
    let Some(loaded) = load() else { return };
    let config = GenerationConfig { max_tokens: 100, ..GenerationConfig::default() };
    let message = "Write a book as JSON.";
    let alone = write(&loaded, message, None, &config);
    let draft_model = DraftModel::new(loaded.model.new_sequence(), Sampling::greedy()).unwrap();
    let drafters: [Box<dyn Drafter>; 2] = [Box::new(draft_model), Box::new(PromptLookup::default())];
    for mut drafter in drafters {
        let mut backend = loaded.model.new_sequence();
        let sequence = sequence(&loaded, message, None, &config);
        let (generation, stats) = generate_speculative(&mut backend, drafter.as_mut(), sequence, 4).unwrap();
        assert_eq!(generation.text, alone.text);
        assert!(stats.accepted > 0, "{stats:?}");
        assert!(generation.stats.forward_passes < alone.stats.forward_passes, "{:?}", generation.stats);
    }
}
