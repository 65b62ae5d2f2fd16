//! Does every family load from the files that transformers writes, and give the logits that it computes?
//!
//! The folders come from `scripts/model/random_families.py --out .cache/random-models` (Python with torch and
//! transformers), or from where `FORMWORK_RANDOM_MODELS` says.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{assert_close, check_passes, tiny_llama, tokens};
use formwork::TokenKind;
use formwork_candle::{LoadOptions, LoadedModel};
use formwork_decode::{Backend, GenerationConfig, Sampling, Sequence, generate};
use safetensors::SafeTensors;

fn random_models() -> PathBuf {
    match std::env::var_os("FORMWORK_RANDOM_MODELS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.cache/random-models"),
    }
}

#[test]
fn passes_agree_in_a_tiny_llama() {
    let mut loaded = LoadedModel::from_folder(tiny_llama("tiny"), &LoadOptions::default()).unwrap();
    check_passes(&mut loaded.model, "tiny llama");
}

#[test]
fn every_family_does_what_transformers_does() {
    let Ok(folders) = fs::read_dir(random_models()) else {
        println!("skipped: no {}; make it with scripts/model/random_families.py", random_models().display());
        return;
    };
    let mut n_models = 0;
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.join("config.json").exists()) {
        let name = folder.display().to_string();
        let mut loaded = LoadedModel::from_folder(&folder, &LoadOptions::default()).unwrap();
        check_passes(&mut loaded.model, &name);
        check_expected(&mut loaded.model, &folder, &name);
        check_free_text(loaded, &name);
        n_models += 1;
    }
    println!("{n_models} models");
    assert!(n_models > 0, "{} holds no model", random_models().display());
}

/// The logits behind each token are those in the folder.
fn check_expected(model: &mut dyn Backend, folder: &Path, name: &str) {
    let bytes = fs::read(folder.join("expected.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let ids =
        file.tensor("tokens").unwrap().data().chunks(8).map(|id| u64::from_le_bytes(id.try_into().unwrap()) as u32);
    let logits =
        file.tensor("logits").unwrap().data().chunks(4).map(|logit| f32::from_le_bytes(logit.try_into().unwrap()));
    let expected: Vec<f32> = logits.collect();
    model.truncate(0).unwrap();
    let mut actual = Vec::new();
    let mut row = Vec::new();
    for mut logits in model.forward_each(&tokens(ids)).unwrap() {
        logits.copy_to(&mut row).unwrap();
        actual.extend_from_slice(&row);
    }
    assert_close(&actual, &expected, &format!("{name}: as transformers has them"));
}

/// What it writes is noise, of tokens that the vocabulary has.
fn check_free_text(mut loaded: LoadedModel, name: &str) {
    let sampling = Sampling::with_temperature(1.0, 5);
    let config = GenerationConfig { max_tokens: 30, sampling, ..GenerationConfig::default() };
    let prompt = loaded.tokenizer.encode_with_special("Hello");
    let sequence = Sequence::unconstrained(&loaded.tokenizer, &prompt, &config).unwrap();
    let generation = generate(&mut loaded.model, sequence).unwrap();
    let vocabulary = loaded.tokenizer.vocabulary();
    assert_eq!(vocabulary.len(), loaded.model.logits_width(), "{name}");
    assert!(generation.tokens.iter().all(|&token| vocabulary.kind(token) != TokenKind::Unused), "{name}");
}
