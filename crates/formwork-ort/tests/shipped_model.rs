//! Does the exported model do what candle makes of the same weights, free and constrained, after cuts and errors?
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

#[path = "common/shipped.rs"]
mod shipped;

use std::fs;
use std::path::Path;

use formwork::{Compiler, Grammar, TokenId, TokenMask};
use formwork_decode::{
    Backend, BackendError, GenerationConfig, Sampling, Sequence, TextTokenizer, generate, greatest, mask_by_row,
};
use formwork_ort::{Device, LoadError, LoadedModel, ModelFiles, OrtOptions, Provider};
use shipped::{assert_close, copied, folder, load, options, tokens};

fn write(
    backend: &mut dyn Backend,
    tokenizer: &dyn TextTokenizer,
    prompt: &str,
    grammar: Option<&Grammar>,
    sampling: Sampling,
) -> Vec<TokenId> {
    let config = GenerationConfig { max_tokens: 60, sampling, ..GenerationConfig::default() };
    let prompt = tokenizer.encode_with_special(prompt);
    let sequence = match grammar {
        Some(grammar) => {
            let compiled = Compiler::new(tokenizer.vocabulary().clone()).compile(grammar).unwrap();
            Sequence::constrained(tokenizer, &prompt, compiled.matcher(), &config)
        }
        None => Sequence::unconstrained(tokenizer, &prompt, &config),
    };
    let generation = generate(backend, sequence.unwrap()).unwrap();
    generation.tokens
}

#[test]
fn writes_what_candle_writes() {
    let Some(mut onnx) = load() else { return };
    let mut candle =
        formwork_candle::LoadedModel::from_folder(folder(), &formwork_candle::LoadOptions::default()).unwrap();
    assert_eq!(onnx.tokenizer.vocabulary().stop_tokens(), candle.tokenizer.vocabulary().stop_tokens());
    let grammar = Grammar::regex(r#"\{"name": "[A-Z][a-z ]{3,20}", "age": [1-9][0-9]?\}"#);
    for message in ["Write a book as JSON.", "Describe a person.", "Which tool is needed for the weather in Oslo?"] {
        let prompt = candle.prompt_text(message).unwrap();
        for grammar in [None, Some(&grammar), Some(&Grammar::json_object())] {
            let greedy = || Sampling { temperature: 0.0, ..Sampling::default() };
            let by_onnx = write(&mut onnx.model, &onnx.tokenizer, &prompt, grammar, greedy());
            let by_candle = write(&mut candle.model, &candle.tokenizer, &prompt, grammar, greedy());
            assert_eq!(by_onnx, by_candle, "{message}");
            assert!(!by_onnx.is_empty());
        }
    }
    let prompt = candle.prompt_text("Write a person as JSON.").unwrap();
    let by_onnx = write(&mut onnx.model, &onnx.tokenizer, &prompt, Some(&grammar), Sampling::with_temperature(1.0, 3));
    let by_candle =
        write(&mut candle.model, &candle.tokenizer, &prompt, Some(&grammar), Sampling::with_temperature(1.0, 3));
    assert_eq!(by_onnx, by_candle, "sampled");
}

#[test]
fn passes_of_any_cut_agree() {
    let Some(LoadedModel { mut model, .. }) = load() else { return };
    let input = tokens([1, 4, 300, 17, 301, 302, 44, 5]);
    let each = model.forward_each(&input).unwrap();
    assert_eq!((each.len(), model.cached()), (input.len(), &input[..]));
    let each: Vec<Vec<f32>> = each.into_iter().map(copied).collect();

    model.truncate(0).unwrap();
    for (position, token) in input.iter().enumerate() {
        let single = copied(model.forward(&[*token]).unwrap());
        assert_close(&each[position], &single, &format!("position {position}"));
    }
    for kept in [7, 3, 0] {
        model.forward(&tokens([99, 98])).unwrap();
        model.truncate(kept).unwrap();
        assert_eq!(model.cached(), &input[..kept]);
        let again = copied(model.forward(&input[kept..]).unwrap());
        assert_close(&each[7], &again, &format!("cut to {kept}"));
    }
}

#[test]
fn the_sequence_is_whole_after_an_error() {
    let Some(LoadedModel { mut model, .. }) = load() else { return };
    let input = tokens([1, 4, 300, 17]);
    let expected = copied(model.forward(&input).unwrap());
    model.truncate(2).unwrap();
    let width = model.logits_width();
    assert!(matches!(model.forward(&[]), Err(BackendError::NoTokens)));
    assert!(matches!(model.forward(&tokens([width as u32])), Err(BackendError::TokenOutOfRange { .. })));
    let many = vec![TokenId::new(9); model.context_length() - 1];
    assert!(matches!(model.forward_each(&many), Err(BackendError::ContextFull { .. })));
    assert!(matches!(model.truncate(3), Err(BackendError::Truncate { asked: 3, cached: 2 })));
    assert_eq!(model.cached(), &input[..2]);
    assert_close(&expected, &copied(model.forward(&input[2..]).unwrap()), "after errors");
}

#[test]
fn masks_are_those_of_the_host() {
    let Some(LoadedModel { mut model, .. }) = load() else { return };
    let input = tokens([1, 4, 300]);
    let mut state = 7u64;
    for round in 0..20 {
        let mut logits = model.forward(&input).unwrap();
        let mut expected = Vec::new();
        logits.copy_to(&mut expected).unwrap();
        // Shorter than the row in some rounds: what is beyond is off.
        let mask: Vec<u32> = (0..expected.len() / 32 - round % 3)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 32) as u32 & (state >> 13) as u32
            })
            .collect();
        mask_by_row(&mut expected, &mask, f32::NEG_INFINITY);
        logits.apply_mask(&TokenMask::from_words(&mask)).unwrap();
        assert_eq!(logits.argmax().unwrap(), greatest(&expected), "round {round}");
        let mut actual = Vec::new();
        logits.copy_to(&mut actual).unwrap();
        assert_eq!(actual, expected, "round {round}");
        model.truncate(0).unwrap();
    }
    let mut logits = model.forward(&input).unwrap();
    logits.apply_mask(&TokenMask::from_words(&[])).unwrap();
    assert_eq!(logits.argmax().unwrap(), None);
}

#[test]
fn files_in_memory_are_the_same_model() {
    let (Some(options), Some(mut from_folder)) = (options(), load()) else { return };
    let read = |name: &str| fs::read(folder().join(name)).unwrap();
    let (config, tokenizer, model) = (read("config.json"), read("tokenizer.json"), read("model.onnx"));
    let generation_config = read("generation_config.json");
    let files = ModelFiles {
        config: &config,
        tokenizer: &tokenizer,
        model: &model,
        external: vec![("model.safetensors", read("model.safetensors").into())],
        generation_config: Some(&generation_config),
    };
    let mut from_memory = LoadedModel::from_memory(&files, &options).unwrap();
    assert_eq!(from_memory.tokenizer.vocabulary().stop_tokens(), from_folder.tokenizer.vocabulary().stop_tokens());
    let input = tokens([1, 4, 300, 17]);
    let rows = [&mut from_folder, &mut from_memory].map(|loaded| copied(loaded.model.forward(&input).unwrap()));
    assert_close(&rows[0], &rows[1], "from memory");
}

/// The wheel that tests use has no CUDA, so asking for it is always refused there.
#[test]
fn cuda_is_an_error_or_the_cpu_by_leave() {
    let Some(options) = options() else { return };
    if std::env::var_os("ORT_DYLIB_PATH").is_some() {
        eprintln!("skipped: the library is not the one for the CPU");
        return;
    }
    let ask = |allow_cpu| {
        let options = OrtOptions { provider: Provider::Cuda { device: 0, allow_cpu }, ..options.clone() };
        LoadedModel::from_folder(folder(), &options)
    };
    let refused = ask(false).unwrap_err();
    assert!(matches!(refused, LoadError::Provider { .. }), "{refused}");
    println!("{refused}");
    let mut allowed = ask(true).unwrap();
    let report = allowed.model.provider().clone();
    assert_eq!(report.used, Device::Cpu);
    assert!(report.reason.is_some_and(|reason| reason.contains("CUDA")));
    assert!(allowed.model.forward(&tokens([1])).unwrap().argmax().unwrap().is_some());
}

#[test]
fn broken_folders_are_told_in_one_line() {
    let Some(options) = options() else { return };
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken-onnx");
    fs::create_dir_all(&copy).unwrap();
    let load = || LoadedModel::from_folder(&copy, &options).unwrap_err().to_string();
    for name in ["config.json", "tokenizer.json"] {
        fs::copy(folder().join(name), copy.join(name)).unwrap();
    }
    let _ = fs::remove_file(copy.join("model.onnx"));
    assert!(load().contains("cannot read") && load().contains("model.onnx"), "{}", load());
    fs::write(copy.join("model.onnx"), "no model").unwrap();
    assert!(load().contains("model.onnx") && load().lines().count() == 1, "{}", load());
    fs::copy(folder().join("model.onnx"), copy.join("model.onnx")).unwrap();
    assert!(load().contains("model.safetensors"), "the weights are missing: {}", load());
}
