//! What does a broken model folder give? One line that names the file, and no panic.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use std::fs;

use common::{llama_shapes, safetensors_of, tiny_llama, tokens, write_config};
use formwork_candle::{LoadOptions, LoadedModel, ModelFiles};
use formwork_decode::{Backend, BackendError};
use serde_json::json;

/// Loads a tiny model after `damage`; the error, which is one line.
fn error_after(name: &str, damage: impl FnOnce(&std::path::Path)) -> String {
    let folder = tiny_llama(name);
    damage(&folder);
    let error = LoadedModel::from_folder(&folder, &LoadOptions::default()).unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

#[track_caller]
fn assert_mentions(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
}

#[test]
fn missing_files_are_named() {
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let error = error_after("missing-file", |folder| fs::remove_file(folder.join(file)).unwrap());
        assert_mentions(&error, &["cannot read", file]);
    }
    let nowhere = LoadedModel::from_folder("/no/such/folder", &LoadOptions::default()).unwrap_err();
    assert_mentions(&nowhere.to_string(), &["/no/such/folder"]);
}

#[test]
fn truncated_weights_are_refused_at_any_length() {
    let whole = safetensors_of(&llama_shapes());
    for length in [0, 4, 8, 100, 2000, whole.len() / 2, whole.len() - 1] {
        let error = error_after("truncated", |folder| {
            fs::write(folder.join("model.safetensors"), &whole[..length]).unwrap();
        });
        assert_mentions(&error, &["model.safetensors: not a whole safetensors file"]);
    }
}

#[test]
fn truncated_json_is_refused() {
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        let error = error_after("truncated-json", |folder| {
            let text = fs::read(folder.join(file)).unwrap();
            fs::write(folder.join(file), &text[..text.len() / 2]).unwrap();
        });
        assert_mentions(&error, &[file]);
    }
}

#[test]
fn missing_and_misshapen_tensors_are_named() {
    for name in ["model.layers.1.mlp.up_proj.weight", "model.norm.weight", "model.embed_tokens.weight"] {
        let error = error_after("missing-tensor", |folder| {
            let mut shapes = llama_shapes();
            shapes.remove(name);
            fs::write(folder.join("model.safetensors"), safetensors_of(&shapes)).unwrap();
        });
        assert_mentions(&error, &["model.safetensors: ", name, "missing"]);

        let error = error_after("misshapen-tensor", |folder| {
            let mut shapes = llama_shapes();
            shapes.insert(name.to_owned(), vec![3, 5]);
            fs::write(folder.join("model.safetensors"), safetensors_of(&shapes)).unwrap();
        });
        assert_mentions(&error, &["model.safetensors: ", name, "[3, 5]"]);
    }
}

#[test]
fn configurations_that_do_not_fit_are_refused() {
    for (changes, words) in [
        (json!({"hidden_size": 16}), &["model.safetensors", "shape"][..]),
        (json!({"num_hidden_layers": 3}), &["model.safetensors", "model.layers.2", "missing"]),
        (json!({"num_attention_heads": 0}), &["config.json", "num_attention_heads is 0"]),
        (json!({"num_hidden_layers": 1u64 << 62}), &["config.json", "num_hidden_layers"]),
        (json!({"rms_norm_eps": "small"}), &["config.json"]),
        (json!({"rms_norm_eps": null}), &["config.json", "rms_norm_eps"]),
        (json!({"model_type": "bert", "architectures": null}), &["config.json", "\"bert\"", "supported are llama"]),
        (
            json!({"rope_scaling": {"rope_type": "yarn", "factor": 4, "mscale": 1}}),
            &["config.json", "yarn with mscale"],
        ),
        (json!({"rope_scaling": {"rope_type": "linear", "factor": 0}}), &["config.json", "factor is 0"]),
        (json!({"rope_scaling": [1]}), &["config.json", "rope_scaling is an array"]),
        (json!({"rope_parameters": {"sliding_attention": {"rope_type": "linear"}}}), &["not supported", "window"]),
        (json!({"rope_theta": -1}), &["config.json", "rope_theta is -1"]),
        (json!({"hidden_act": "xielu"}), &["config.json", "not supported", "xielu"]),
        (json!({"attention_bias": true}), &["model.safetensors", "q_proj.bias", "missing"]),
        (json!({"attention_bias": "yes"}), &["config.json", "attention_bias"]),
        (json!({"tie_word_embeddings": false}), &["model.safetensors", "lm_head.weight", "missing"]),
        (json!({"model_type": "gemma3_text", "layer_types": ["full_attention"]}), &["config.json", "layer_types"]),
        (json!({"model_type": "mistral", "sliding_window": 0}), &["config.json", "sliding_window is 0"]),
        (json!({"model_type": "phi3", "partial_rotary_factor": 0.1}), &["config.json", "partial_rotary_factor"]),
        (json!({"model_type": "phi3", "partial_rotary_factor": 7}), &["config.json", "partial_rotary_factor"]),
        (json!({"model_type": "phi", "layer_norm_eps": 1e-5}), &["model.safetensors", "missing"]),
        (json!({"rope_scaling": {"rope_type": "longrope"}}), &["config.json", "not supported", "longrope"]),
    ] {
        let error = error_after("misfit", |folder| write_config(folder, changes));
        assert_mentions(&error, words);
    }
}

#[test]
fn shards_must_be_whole_and_inside_the_folder() {
    let index = |names: serde_json::Value| {
        error_after("shards", |folder| {
            fs::rename(folder.join("model.safetensors"), folder.join("part-1.safetensors")).unwrap();
            let index = json!({ "weight_map": names }).to_string();
            fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
        })
    };
    assert_mentions(&index(json!({"a": "part-1.safetensors", "b": "part-2.safetensors"})), &["cannot read", "part-2"]);
    assert_mentions(&index(json!({"a": "../part-1.safetensors"})), &["index.json", "not the name of a file"]);
    assert_mentions(&index(json!({})), &["index.json", "empty"]);
    assert_mentions(&index(json!([1])), &["index.json", "not an object"]);
}

#[test]
fn bytes_in_memory_are_checked_the_same_way() {
    let folder = tiny_llama("memory-faults");
    let (config, tokenizer) =
        (fs::read(folder.join("config.json")).unwrap(), fs::read(folder.join("tokenizer.json")).unwrap());
    let weights = fs::read(folder.join("model.safetensors")).unwrap();
    let load = |weights: &[u8]| {
        let files = ModelFiles { config: &config, tokenizer: &tokenizer, weights: &[weights], ..ModelFiles::default() };
        LoadedModel::from_memory(&files, &LoadOptions::default())
    };
    assert!(load(&weights).is_ok());
    assert_mentions(&load(&weights[1..]).unwrap_err().to_string(), &["model.safetensors: not a whole"]);
}

#[test]
fn passes_that_do_not_fit_leave_the_model_usable() {
    let folder = tiny_llama("passes");
    let options = LoadOptions { max_context: Some(8), ..LoadOptions::default() };
    let mut model = LoadedModel::from_folder(&folder, &options).unwrap().model;
    assert!(matches!(model.forward(&[]), Err(BackendError::NoTokens)));
    assert!(matches!(model.forward(&tokens([2048])), Err(BackendError::TokenOutOfRange { width: 2048, .. })));
    model.forward(&tokens(1..=8)).unwrap();
    assert!(matches!(model.forward(&tokens([1])), Err(BackendError::ContextFull { needed: 9, context_length: 8 })));
    assert!(matches!(model.truncate(9), Err(BackendError::Truncate { asked: 9, cached: 8 })));
    model.truncate(7).unwrap();
    model.forward(&tokens([1])).unwrap();
    assert_eq!(model.cached().len(), 8);
}

#[test]
fn other_numbers_than_those_that_are_computed_with_are_refused() {
    let options = LoadOptions { dtype: Some(formwork_candle::DType::U8), ..LoadOptions::default() };
    let error = LoadedModel::from_folder(tiny_llama("numbers"), &options).unwrap_err();
    assert_mentions(&error.to_string(), &["config.json", "not supported", "U8"]);
}
