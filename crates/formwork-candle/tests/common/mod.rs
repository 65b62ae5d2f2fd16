//! What do the tests share? Folders of tiny models, and a comparison of passes.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

pub(crate) mod random;
pub(crate) mod reference;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use formwork::TokenId;
use formwork_decode::Backend;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

/// The model that ships with the command line.
pub(crate) fn shipped_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../formwork-cli/model")
}

/// A fresh folder with a Llama of two layers with made-up weights and the shipped model's tokenizer.
pub(crate) fn tiny_llama(name: &str) -> PathBuf {
    let folder = fresh_folder(name);
    write_config(&folder, json!({}));
    fs::write(folder.join("model.safetensors"), safetensors_of(&llama_shapes())).unwrap();
    folder
}

/// An empty folder but for the shipped model's tokenizer.
pub(crate) fn fresh_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    for file in fs::read_dir(&folder).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    for file in ["tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        fs::copy(shipped_model().join(file), folder.join(file)).unwrap();
    }
    folder
}

/// Writes `config.json` with some fields changed; `null` removes one.
pub(crate) fn write_config(folder: &Path, changes: Value) {
    let mut config = json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 2048, "hidden_size": 8,
        "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
        "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": true,
    });
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    config.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

pub(crate) fn llama_shapes() -> BTreeMap<String, Vec<usize>> {
    let mut shapes = BTreeMap::new();
    shapes.insert("model.embed_tokens.weight".to_owned(), vec![2048, 8]);
    shapes.insert("model.norm.weight".to_owned(), vec![8]);
    for layer in 0..2 {
        let mut add = |name: &str, shape: &[usize]| {
            shapes.insert(format!("model.layers.{layer}.{name}.weight"), shape.to_vec());
        };
        add("input_layernorm", &[8]);
        add("post_attention_layernorm", &[8]);
        add("self_attn.q_proj", &[8, 8]);
        add("self_attn.k_proj", &[4, 8]);
        add("self_attn.v_proj", &[4, 8]);
        add("self_attn.o_proj", &[8, 8]);
        add("mlp.gate_proj", &[16, 8]);
        add("mlp.up_proj", &[16, 8]);
        add("mlp.down_proj", &[8, 16]);
    }
    shapes
}

/// Numbers from −0.5 to 0.5, spread evenly in a way that does not repeat soon.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    }
}

/// A file with `f32` tensors of these shapes.
pub(crate) fn safetensors_of(shapes: &BTreeMap<String, Vec<usize>>) -> Vec<u8> {
    let mut numbers = Numbers::new(1);
    let data: BTreeMap<&String, Vec<u8>> = shapes
        .iter()
        .map(|(name, shape)| (name, (0..shape.iter().product()).flat_map(|_| numbers.next().to_le_bytes()).collect()))
        .collect();
    let views = shapes
        .iter()
        .map(|(name, shape)| (name.clone(), TensorView::new(Dtype::F32, shape.clone(), &data[name]).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

pub(crate) fn tokens(ids: impl IntoIterator<Item = u32>) -> Vec<TokenId> {
    ids.into_iter().map(TokenId::new).collect()
}

/// The logits after `passes`, made from the start.
pub(crate) fn logits_after(backend: &mut dyn Backend, passes: &[&[TokenId]]) -> Vec<f32> {
    backend.truncate(0).unwrap();
    continue_with(backend, passes)
}

/// The logits after further `passes`.
pub(crate) fn continue_with(backend: &mut dyn Backend, passes: &[&[TokenId]]) -> Vec<f32> {
    let mut out = Vec::new();
    for pass in passes {
        backend.forward(pass).unwrap().copy_to(&mut out).unwrap();
    }
    out
}

pub(crate) fn assert_close(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let greatest = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(a.iter().all(|logit| logit.is_finite()) && greatest < 1e-3, "{what}: logits differ by {greatest}");
}

/// The same tokens give the same logits in one pass, one by one, in other parts, and after a cut.
pub(crate) fn check_passes(backend: &mut dyn Backend, what: &str) {
    let input = tokens([1, 4, 300, 17, 301, 302, 44, 5]);
    let at_once = logits_after(backend, &[&input]);
    let singles: Vec<&[TokenId]> = input.chunks(1).collect();
    assert_close(&at_once, &logits_after(backend, &singles), &format!("{what}: single passes"));
    assert_close(&at_once, &logits_after(backend, &[&input[..3], &input[3..]]), &format!("{what}: two passes"));
    assert_eq!(backend.cached(), input);

    continue_with(backend, &[&tokens([99, 98]), &tokens([97])]);
    backend.truncate(3).unwrap();
    assert_eq!(backend.cached(), &input[..3]);
    assert_close(&at_once, &continue_with(backend, &[&input[3..5], &input[5..]]), &format!("{what}: after a cut"));
}
