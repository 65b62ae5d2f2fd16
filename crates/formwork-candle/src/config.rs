//! What kind of model is it? `config.json`, checked and brought into the form that candle's loaders read.
//!
//! Sizes are bounded before anything is allocated by them, and settings that a loader would ignore are refused.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::LoadError;

/// Bounds on what a file may ask for: far above any model, far below what exhausts memory by itself.
const MAX_WIDTH: usize = 1 << 24;
const MAX_LAYERS: usize = 1 << 12;
/// Positions that tables are made for, unless the caller asks for more.
const DEFAULT_MAX_CONTEXT: usize = 1 << 17;

/// The families that can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
    Gemma,
    Gemma2,
    Gemma3,
    Phi,
    Phi3,
}

const FAMILIES: [(Family, &str, &str); 9] = [
    (Family::Llama, "llama", "LlamaForCausalLM"),
    (Family::Mistral, "mistral", "MistralForCausalLM"),
    (Family::Qwen2, "qwen2", "Qwen2ForCausalLM"),
    (Family::Qwen3, "qwen3", "Qwen3ForCausalLM"),
    (Family::Gemma, "gemma", "GemmaForCausalLM"),
    (Family::Gemma2, "gemma2", "Gemma2ForCausalLM"),
    (Family::Gemma3, "gemma3_text", "Gemma3ForCausalLM"),
    (Family::Phi, "phi", "PhiForCausalLM"),
    (Family::Phi3, "phi3", "Phi3ForCausalLM"),
];

/// A checked configuration.
#[derive(Clone, Debug)]
pub(crate) struct ModelConfig {
    pub(crate) path: PathBuf,
    pub(crate) family: Family,
    pub(crate) vocab_size: usize,
    pub(crate) context_length: usize,
    /// The file's fields, with those that differ between versions of the format in one form.
    fields: Map<String, Value>,
}

impl ModelConfig {
    pub(crate) fn new(path: &Path, json: Value, max_context: Option<usize>) -> Result<ModelConfig, LoadError> {
        let Value::Object(fields) = json else {
            return Err(LoadError::malformed(path, "not an object"));
        };
        let family = find_family(&fields).map_err(|found| {
            let known: Vec<&str> = FAMILIES.iter().map(|(_, name, _)| *name).collect();
            LoadError::unsupported(path, format!("model type {found}; supported are {}", known.join(", ")))
        })?;
        let mut config = ModelConfig { path: path.to_owned(), family, vocab_size: 0, context_length: 0, fields };
        config.spell_out_defaults();
        config.check_sizes()?;
        config.check_ignored_settings()?;
        config.vocab_size = config.size("vocab_size", MAX_WIDTH)?;
        config.context_length = config.bound_context(max_context)?;
        Ok(config)
    }

    /// The configuration as one of candle's types.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, LoadError> {
        let fields = Value::Object(self.fields.clone());
        serde_json::from_value(fields).map_err(|error| LoadError::malformed(&self.path, error))
    }

    /// A size from 1 to `limit`.
    pub(crate) fn size(&self, name: &str, limit: usize) -> Result<usize, LoadError> {
        let value = self.fields.get(name).unwrap_or(&Value::Null);
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        let reason = || format!("{name} is {}, it must be from 1 to {limit}", short(value));
        size.filter(|size| (1..=limit).contains(size)).ok_or_else(|| LoadError::malformed(&self.path, reason()))
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    fn set_default(&mut self, name: &str, value: impl Into<Value>) {
        if !self.has(name) {
            self.fields.insert(name.to_owned(), value.into());
        }
    }

    /// Fields that newer files leave out or keep elsewhere, and older ones name differently.
    fn spell_out_defaults(&mut self) {
        self.spell_out_rope();
        let n_heads = self.fields.get("num_attention_heads").cloned().unwrap_or(Value::Null);
        self.set_default("num_key_value_heads", n_heads);
        self.set_default("tie_word_embeddings", matches!(self.family, Family::Gemma | Family::Gemma2 | Family::Gemma3));
        self.set_default("attention_bias", false);
        self.set_default("max_position_embeddings", 8192);
        match self.family {
            Family::Qwen2 | Family::Qwen3 => self.spell_out_qwen(),
            // The loader refuses both; the second one is what the models were trained with.
            Family::Gemma if self.has("hidden_activation") => {
                self.fields.remove("hidden_act");
            }
            Family::Gemma3 => {
                let pattern = self.fields.get("_sliding_window_pattern").cloned().unwrap_or_else(|| 6.into());
                self.set_default("sliding_window_pattern", pattern);
            }
            Family::Phi => self.set_default("qk_layernorm", false),
            _ => {}
        }
        if self.family == Family::Phi3 && self.fields.get("eos_token_id").is_some_and(Value::is_array) {
            // Not used by the loader, and more than its type holds.
            self.fields.remove("eos_token_id");
        }
    }

    fn spell_out_qwen(&mut self) {
        self.set_default("use_sliding_window", false);
        if !self.is_set("use_sliding_window") {
            // Named in the files, but off; candle's Qwen2 would apply it all the same.
            let n_positions = self.fields.get("max_position_embeddings").cloned().unwrap_or(Value::Null);
            self.fields.insert("sliding_window".to_owned(), n_positions);
        }
        let n_layers = self.fields.get("num_hidden_layers").cloned().unwrap_or(Value::Null);
        self.set_default("max_window_layers", n_layers);
    }

    /// `rope_parameters`, the newer form, taken apart into the older one.
    fn spell_out_rope(&mut self) {
        if let Some(parameters) = self.fields.remove("rope_parameters").filter(Value::is_object) {
            let full = parameters.get("full_attention").unwrap_or(&parameters).clone();
            let sliding_theta = parameters.pointer("/sliding_attention/rope_theta").cloned();
            for name in ["rope_theta", "partial_rotary_factor"] {
                if let Some(value) = full.get(name) {
                    self.set_default(name, value.clone());
                }
            }
            if let Some(theta) = sliding_theta {
                self.set_default("rope_local_base_freq", theta);
            }
            self.set_default("rope_scaling", full);
        }
        if self.rope_scaling_kind() == "default" {
            self.fields.remove("rope_scaling");
        }
        self.set_default("rope_theta", 10_000.0);
        if self.family == Family::Gemma3 {
            self.set_default("rope_local_base_freq", 10_000.0);
        }
    }

    fn rope_scaling_kind(&self) -> String {
        let scaling = self.fields.get("rope_scaling").and_then(Value::as_object);
        let kind = scaling.map(|scaling| scaling.get("rope_type").or_else(|| scaling.get("type")));
        match kind {
            None => "default".to_owned(),
            Some(kind) => kind.and_then(Value::as_str).unwrap_or("of no type").to_owned(),
        }
    }

    /// Sizes that loaders divide by, or allocate by.
    fn check_sizes(&self) -> Result<(), LoadError> {
        let hidden = self.size("hidden_size", MAX_WIDTH)?;
        let n_heads = self.size("num_attention_heads", MAX_WIDTH)?;
        let n_key_value_heads = self.size("num_key_value_heads", MAX_WIDTH)?;
        self.size("intermediate_size", MAX_WIDTH)?;
        self.size("num_hidden_layers", MAX_LAYERS)?;
        self.size("max_position_embeddings", MAX_WIDTH)?;
        let malformed = |reason: String| Err(LoadError::malformed(&self.path, reason));
        if !n_heads.is_multiple_of(n_key_value_heads) {
            return malformed(format!("{n_heads} attention heads cannot share {n_key_value_heads} key-value heads"));
        }
        let head_dim = match self.has("head_dim") {
            true => self.size("head_dim", MAX_WIDTH)?,
            false if hidden.is_multiple_of(n_heads) => hidden / n_heads,
            false => return malformed(format!("hidden_size {hidden} is not a multiple of {n_heads} attention heads")),
        };
        if !head_dim.is_multiple_of(2) {
            return malformed(format!("head_dim is {head_dim}, it must be even"));
        }
        let is_fixed = matches!(self.family, Family::Llama | Family::Qwen2 | Family::Phi | Family::Phi3);
        if is_fixed && head_dim.checked_mul(n_heads) != Some(hidden) {
            return Err(LoadError::unsupported(&self.path, format!("head_dim {head_dim} in this family")));
        }
        if self.family == Family::Gemma3 {
            self.size("sliding_window_pattern", MAX_LAYERS)?;
        }
        Ok(())
    }

    /// Settings that candle's loaders pass over.
    fn check_ignored_settings(&self) -> Result<(), LoadError> {
        let unsupported = |reason: String| Err(LoadError::unsupported(&self.path, reason));
        let scaling = self.rope_scaling_kind();
        if scaling != "default" && !(self.family == Family::Llama && scaling == "llama3") {
            return unsupported(format!("rope scaling {scaling} in this family"));
        }
        if self.family == Family::Llama {
            if let Some(name) = ["attention_bias", "mlp_bias"].into_iter().find(|name| self.is_set(name)) {
                return unsupported(format!("{name} in this family"));
            }
            if self.fields.get("hidden_act").is_some_and(|act| act != "silu") {
                return unsupported("a hidden_act other than silu in this family".to_owned());
            }
        }
        if self.family == Family::Phi && self.is_set("qk_layernorm") {
            return unsupported("qk_layernorm".to_owned());
        }
        if matches!(self.family, Family::Gemma2 | Family::Gemma3)
            && self.has("query_pre_attn_scalar")
            && self.fields.get("query_pre_attn_scalar") != self.fields.get("head_dim")
        {
            return unsupported("a query_pre_attn_scalar other than head_dim".to_owned());
        }
        Ok(())
    }

    /// How many positions there are. Loaders do not all apply a sliding window to cached positions, so the window ends
    /// the context: up to there, all attention is exact.
    fn bound_context(&mut self, max_context: Option<usize>) -> Result<usize, LoadError> {
        let n_positions = self.size("max_position_embeddings", MAX_WIDTH)?;
        let window = if self.has("sliding_window") { self.size("sliding_window", MAX_WIDTH)? } else { n_positions };
        let bounded = n_positions.min(window).min(max_context.unwrap_or(DEFAULT_MAX_CONTEXT).max(1));
        // Tables of positions are made for as many as can be used.
        self.fields.insert("max_position_embeddings".to_owned(), bounded.into());
        Ok(bounded)
    }
}

/// The family by `model_type`, else by the first of `architectures`; what was found instead.
fn find_family(fields: &Map<String, Value>) -> Result<Family, String> {
    let model_type = fields.get("model_type").and_then(Value::as_str);
    let architecture = fields.get("architectures").and_then(|names| names.get(0)).and_then(Value::as_str);
    let by_type = FAMILIES.iter().find(|(_, name, _)| model_type == Some(name));
    let found = by_type.or_else(|| FAMILIES.iter().find(|(_, _, name)| architecture == Some(name)));
    found.map(|(family, ..)| *family).ok_or_else(|| match model_type.or(architecture) {
        Some(name) => format!("{name:?}"),
        None => "not given".to_owned(),
    })
}

/// A value in a message: what a hostile file holds may be long.
fn short(value: &Value) -> String {
    match value {
        Value::Null => "missing".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        value => value.to_string().chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(changes: Value) -> Result<ModelConfig, String> {
        let mut base = json!({
            "model_type": "llama", "vocab_size": 100, "hidden_size": 8, "intermediate_size": 16,
            "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
        });
        for (name, value) in changes.as_object().unwrap() {
            base[name] = value.clone();
        }
        ModelConfig::new(Path::new("config.json"), base, None).map_err(|error| error.to_string())
    }

    #[test]
    fn sizes_are_bounded() {
        for (changes, reason) in [
            (json!({"num_attention_heads": 0}), "num_attention_heads is 0, it must be from 1 to 16777216"),
            (json!({"num_hidden_layers": 1u64 << 60}), "num_hidden_layers is 1152921504606846976, it must be from"),
            (json!({"vocab_size": "many"}), "vocab_size is \"many\", it must be"),
            (json!({"vocab_size": null}), "vocab_size is missing"),
            (json!({"num_key_value_heads": 3}), "2 attention heads cannot share 3"),
            (json!({"hidden_size": 9}), "hidden_size 9 is not a multiple of 2"),
            (json!({"head_dim": 6}), "not supported: head_dim 6"),
        ] {
            let error = config(changes).unwrap_err();
            assert!(error.starts_with("config.json: ") && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        for changes in [
            json!({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}),
            json!({"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}),
            json!({"model_type": "mistral", "rope_scaling": {"type": "llama3"}}),
            json!({"attention_bias": true}),
            json!({"model_type": "bert", "architectures": ["BertModel"]}),
        ] {
            let error = config(changes).unwrap_err();
            assert!(error.contains("not supported: "), "{error}");
        }
    }

    #[test]
    fn newer_files_are_read_like_older_ones() {
        let newer = config(json!({"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}})).unwrap();
        assert_eq!(newer.fields["rope_theta"], json!(5e5));
        assert!(!newer.has("rope_scaling"));
        let by_architecture = config(json!({"model_type": null, "architectures": ["Qwen3ForCausalLM"], "head_dim": 8}));
        assert_eq!(by_architecture.unwrap().family, Family::Qwen3);
    }

    #[test]
    fn the_window_ends_the_context_where_it_is_on() {
        let length = |changes| config(changes).unwrap().context_length;
        assert_eq!(length(json!({})), 64);
        assert_eq!(length(json!({"model_type": "mistral", "sliding_window": 16})), 16);
        assert_eq!(length(json!({"model_type": "qwen2", "sliding_window": 16})), 64);
        assert_eq!(length(json!({"model_type": "qwen2", "sliding_window": 16, "use_sliding_window": true})), 16);
    }
}
