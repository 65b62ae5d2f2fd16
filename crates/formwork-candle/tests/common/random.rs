//! Models with made-up weights, of every family and with the settings in which families differ.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use super::{Numbers, fresh_folder};

/// A tensor's shape and values.
pub(crate) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// A configuration and weights that fit it.
pub(crate) struct RandomModel {
    pub(crate) name: String,
    pub(crate) config: Value,
    pub(crate) tensors: Tensors,
}

/// A model of each family, and one for each setting that changes what is computed.
pub(crate) fn random_models() -> Vec<RandomModel> {
    let yarn = json!({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 8.0});
    let llama3 = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                        "original_max_position_embeddings": 32});
    let cases = [
        ("llama", json!({})),
        ("llama", json!({"attention_bias": true, "mlp_bias": true, "head_dim": 6, "tie_word_embeddings": true})),
        ("llama", json!({"rope_theta": 500.0, "head_dim": 16, "rope_scaling": llama3})),
        ("llama", json!({"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}})),
        ("llama", json!({"hidden_act": "gelu", "head_dim": 16, "rope_scaling": yarn})),
        ("mistral", json!({"sliding_window": 4, "head_dim": 6})),
        ("mistral", json!({"sliding_window": null, "num_key_value_heads": null})),
        ("qwen2", json!({"use_sliding_window": true, "sliding_window": 3, "max_window_layers": 2})),
        ("qwen2", json!({"use_sliding_window": false, "sliding_window": 3, "tie_word_embeddings": true})),
        ("qwen3", json!({"head_dim": 8, "attention_bias": true})),
        ("qwen3", json!({"head_dim": 8, "use_sliding_window": true, "sliding_window": 1, "max_window_layers": 0})),
        ("gemma", json!({"head_dim": 6, "hidden_act": "gelu_pytorch_tanh"})),
        (
            "gemma2",
            json!({"head_dim": 6, "query_pre_attn_scalar": 12, "sliding_window": 4,
                          "attn_logit_softcapping": 2.0, "final_logit_softcapping": 5.0}),
        ),
        (
            "gemma2",
            json!({"head_dim": 6, "attn_logit_softcapping": null, "final_logit_softcapping": null,
                          "layer_types": ["full_attention", "full_attention", "sliding_attention"]}),
        ),
        (
            "gemma3_text",
            json!({"head_dim": 8, "query_pre_attn_scalar": 5, "sliding_window": 4,
                               "sliding_window_pattern": 2, "rope_local_base_freq": 100.0, "rope_theta": 1e5,
                               "rope_scaling": {"rope_type": "linear", "factor": 8.0}}),
        ),
        ("phi", json!({"layer_norm_eps": 1e-5, "rms_norm_eps": null})),
        ("phi", json!({"layer_norm_eps": 1e-5, "qk_layernorm": true, "head_dim": 8, "partial_rotary_factor": 0.25})),
        ("phi3", json!({"sliding_window": 5})),
        ("phi3", json!({"sliding_window": null, "head_dim": 8, "partial_rotary_factor": 0.5})),
    ];
    cases.into_iter().enumerate().map(|(idx, (family, changes))| RandomModel::new(idx, family, &changes)).collect()
}

impl RandomModel {
    pub(crate) fn new(idx: usize, family: &str, changes: &Value) -> RandomModel {
        let mut config = json!({
            "model_type": family, "vocab_size": 2048, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
        });
        for (name, value) in changes.as_object().unwrap() {
            config[name] = value.clone();
        }
        let tensors = tensors(&config, idx as u64);
        RandomModel { name: format!("{family}-{idx}"), config, tensors }
    }

    /// Writes it to a fresh folder, with the shipped model's tokenizer.
    pub(crate) fn write(&self, test: &str) -> PathBuf {
        let folder = fresh_folder(&format!("{test}-{}", self.name));
        fs::write(folder.join("config.json"), self.config.to_string()).unwrap();
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let data: BTreeMap<_, _> = self.tensors.iter().map(|(name, (_, values))| (name, bytes(values))).collect();
        let view = |(name, (shape, _)): (&String, &(Vec<usize>, Vec<f32>))| {
            (name.clone(), TensorView::new(Dtype::F32, shape.clone(), &data[name]).unwrap())
        };
        let file = safetensors::serialize(self.tensors.iter().map(view), None).unwrap();
        fs::write(folder.join("model.safetensors"), file).unwrap();
        folder
    }
}

/// What checkpoints of the family hold, by their names there.
fn tensors(config: &Value, seed: u64) -> Tensors {
    let family = config["model_type"].as_str().unwrap();
    let size = |name: &str| config[name].as_u64().map(|size| size as usize);
    let is_set = |name: &str| config[name] == true;
    let (is_phi, is_gemma) = (family == "phi", family.starts_with("gemma"));
    let (vocabulary, hidden, inner) =
        (size("vocab_size").unwrap(), size("hidden_size").unwrap(), size("intermediate_size").unwrap());
    let n_heads = size("num_attention_heads").unwrap();
    let head_dim = size("head_dim").unwrap_or(hidden / n_heads);
    let (query, key) = (n_heads * head_dim, size("num_key_value_heads").unwrap_or(n_heads) * head_dim);
    let attention_bias = is_phi || is_set("attention_bias");

    let mut made = Tensors::new();
    let mut numbers = Numbers::new(seed);
    let mut add = |name: &str, shape: &[usize]| {
        let (middle, width) = match shape {
            [_] if name.contains("norm") && name.ends_with("weight") && !is_gemma => (1.0, 0.8),
            [_] => (0.0, 0.8),
            _ if name.contains("embed") => (0.0, 3.0),
            [.., n_in] => (0.0, 5.0 / (*n_in as f32).sqrt()),
            [] => unreachable!("no tensor is a number"),
        };
        let values = (0..shape.iter().product()).map(|_| middle + width * numbers.next()).collect();
        made.insert(name.to_owned(), (shape.to_vec(), values));
    };
    add("model.embed_tokens.weight", &[vocabulary, hidden]);
    add(if is_phi { "model.final_layernorm.weight" } else { "model.norm.weight" }, &[hidden]);
    if !is_gemma && !is_set("tie_word_embeddings") {
        add("lm_head.weight", &[vocabulary, hidden]);
    }
    if is_phi {
        add("model.final_layernorm.bias", &[hidden]);
        add("lm_head.bias", &[vocabulary]);
    }
    for layer in 0..size("num_hidden_layers").unwrap() {
        let mut norm = |name: &str, width| {
            add(&format!("model.layers.{layer}.{name}.weight"), &[width]);
            if is_phi {
                add(&format!("model.layers.{layer}.{name}.bias"), &[width]);
            }
        };
        norm("input_layernorm", hidden);
        match family {
            "qwen3" | "gemma3_text" => ["q_norm", "k_norm"].map(|name| norm(&format!("self_attn.{name}"), head_dim)),
            _ if is_set("qk_layernorm") => {
                ["q_layernorm", "k_layernorm"].map(|name| norm(&format!("self_attn.{name}"), head_dim))
            }
            _ => [(); 2],
        };
        if !is_phi {
            norm("post_attention_layernorm", hidden);
        }
        if matches!(family, "gemma2" | "gemma3_text") {
            norm("pre_feedforward_layernorm", hidden);
            norm("post_feedforward_layernorm", hidden);
        }
        let mut linear = |name: &str, n_out, n_in, has_bias| {
            add(&format!("model.layers.{layer}.{name}.weight"), &[n_out, n_in]);
            if has_bias {
                add(&format!("model.layers.{layer}.{name}.bias"), &[n_out]);
            }
        };
        if family == "phi3" {
            linear("self_attn.qkv_proj", query + 2 * key, hidden, false);
            linear("mlp.gate_up_proj", 2 * inner, hidden, false);
        } else {
            for (name, n_out) in [("q_proj", query), ("k_proj", key), ("v_proj", key)] {
                linear(&format!("self_attn.{name}"), n_out, hidden, attention_bias || family == "qwen2");
            }
        }
        linear(if is_phi { "self_attn.dense" } else { "self_attn.o_proj" }, hidden, query, attention_bias);
        if is_phi {
            linear("mlp.fc1", inner, hidden, true);
            linear("mlp.fc2", hidden, inner, true);
            continue;
        }
        if family != "phi3" {
            linear("mlp.gate_proj", inner, hidden, is_set("mlp_bias"));
            linear("mlp.up_proj", inner, hidden, is_set("mlp_bias"));
        }
        linear("mlp.down_proj", hidden, inner, is_set("mlp_bias"));
    }
    made
}
