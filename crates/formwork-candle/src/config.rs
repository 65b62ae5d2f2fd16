//! What kind of model is it? `config.json`, checked and brought into one form.
//!
//! Sizes are bounded before anything is allocated by them. Fields that a file leaves out get the values that
//! Hugging Face's transformers gives them.

use std::path::Path;

use serde_json::{Value, json};

use crate::error::LoadError;
use crate::fields::Fields;

/// Bounds on what a file may ask for: far above any model, far below what exhausts memory by itself.
pub(crate) const MAX_WIDTH: usize = 1 << 24;
pub(crate) const MAX_LAYERS: usize = 1 << 12;
/// Positions that a cache may grow to, unless the caller asks for more.
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

impl Family {
    pub(crate) fn is_gemma(self) -> bool {
        matches!(self, Family::Gemma | Family::Gemma2 | Family::Gemma3)
    }

    /// What `head_dim` is where the file has none; else it follows from the width.
    fn default_head_dim(self) -> Option<usize> {
        match self {
            Family::Qwen3 => Some(128),
            _ if self.is_gemma() => Some(256),
            _ => None,
        }
    }
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
    pub(crate) family: Family,
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) n_layers: usize,
    pub(crate) n_heads: usize,
    pub(crate) n_key_value_heads: usize,
    pub(crate) head_dim: usize,
    pub(crate) context_length: usize,
    /// The file's fields, with those that differ between versions of the format in one form.
    pub(crate) fields: Fields,
}

impl ModelConfig {
    pub(crate) fn new(path: &Path, json: Value, max_context: Option<usize>) -> Result<ModelConfig, LoadError> {
        let mut fields = Fields::new(path, json)?;
        let family = find_family(&fields)?;
        spell_out_rope(&mut fields)?;
        let hidden_size = fields.size("hidden_size", MAX_WIDTH)?;
        let n_heads = fields.size("num_attention_heads", MAX_WIDTH)?;
        let n_key_value_heads = fields.optional_size("num_key_value_heads", MAX_WIDTH, None)?.unwrap_or(n_heads);
        if !n_heads.is_multiple_of(n_key_value_heads) {
            let reason = format!("{n_heads} attention heads cannot share {n_key_value_heads} key-value heads");
            return Err(fields.malformed(reason));
        }
        fields.set_default("max_position_embeddings", json!(8192));
        let n_positions = fields.size("max_position_embeddings", MAX_WIDTH)?;
        Ok(ModelConfig {
            family,
            vocab_size: fields.size("vocab_size", MAX_WIDTH)?,
            hidden_size,
            n_layers: fields.size("num_hidden_layers", MAX_LAYERS)?,
            n_heads,
            n_key_value_heads,
            head_dim: head_dim(&fields, family, hidden_size, n_heads)?,
            context_length: n_positions.min(max_context.unwrap_or(DEFAULT_MAX_CONTEXT).max(1)),
            fields,
        })
    }
}

/// The family by `model_type`, else by the first of `architectures`.
fn find_family(fields: &Fields) -> Result<Family, LoadError> {
    let model_type = fields.get("model_type").and_then(Value::as_str);
    let architecture = fields.get("architectures").and_then(|names| names.get(0)).and_then(Value::as_str);
    let by_type = FAMILIES.iter().find(|(_, name, _)| model_type == Some(name));
    let found = by_type.or_else(|| FAMILIES.iter().find(|(_, _, name)| architecture == Some(name)));
    found.map(|(family, ..)| *family).ok_or_else(|| {
        let found = model_type.or(architecture).map_or("not given".to_owned(), |name| format!("{name:?}"));
        let known: Vec<&str> = FAMILIES.iter().map(|(_, name, _)| *name).collect();
        fields.unsupported(format!("model type {found}; supported are {}", known.join(", ")))
    })
}

/// `rope_parameters`, the newer form, taken apart into the older one.
fn spell_out_rope(fields: &mut Fields) -> Result<(), LoadError> {
    let Some(parameters) = fields.object("rope_parameters")? else { return Ok(()) };
    if let Some(local) = parameters.object("sliding_attention")? {
        if local.text("rope_type", "default")? != "default" {
            return Err(fields.unsupported("rope scaling in layers with a window".to_owned()));
        }
        if let Some(theta) = local.get("rope_theta") {
            fields.set_default("rope_local_base_freq", theta.clone());
        }
    }
    let full = parameters.object("full_attention")?.unwrap_or(parameters);
    for name in ["rope_theta", "partial_rotary_factor"] {
        if let Some(value) = full.get(name) {
            fields.set_default(name, value.clone());
        }
    }
    fields.set_default("rope_scaling", full.into_value());
    Ok(())
}

fn head_dim(fields: &Fields, family: Family, hidden_size: usize, n_heads: usize) -> Result<usize, LoadError> {
    let head_dim = match fields.optional_size("head_dim", MAX_WIDTH, None)?.or(family.default_head_dim()) {
        Some(head_dim) => head_dim,
        None if hidden_size.is_multiple_of(n_heads) => hidden_size / n_heads,
        None => {
            let reason = format!("hidden_size {hidden_size} is not a multiple of {n_heads} attention heads");
            return Err(fields.malformed(reason));
        }
    };
    match head_dim.is_multiple_of(2) {
        true => Ok(head_dim),
        false => Err(fields.malformed(format!("head_dim is {head_dim}, it must be even"))),
    }
}

#[cfg(test)]
mod tests {
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
            (json!({"head_dim": 7}), "head_dim is 7, it must be even"),
            (json!({"model_type": "bert", "architectures": ["BertModel"]}), "not supported: model type \"bert\""),
        ] {
            let error = config(changes).unwrap_err();
            assert!(error.starts_with("config.json: ") && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn newer_files_are_read_like_older_ones() {
        let newer = config(json!({"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}})).unwrap();
        assert_eq!(newer.fields.number("rope_theta").unwrap(), 5e5);
        let by_architecture = config(json!({"model_type": null, "architectures": ["Qwen3ForCausalLM"]})).unwrap();
        assert_eq!((by_architecture.family, by_architecture.head_dim), (Family::Qwen3, 128));
    }

    #[test]
    fn a_window_does_not_end_the_context() {
        let length = |changes| config(changes).unwrap().context_length;
        assert_eq!(length(json!({})), 64);
        assert_eq!(length(json!({"model_type": "mistral", "sliding_window": 16})), 64);
        assert_eq!(length(json!({"max_position_embeddings": null})), 8192);
    }
}
