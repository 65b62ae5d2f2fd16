//! What distinguishes one family from another? Every switch of the decoder, read from a checked configuration.

use candle_nn::Activation;
use serde_json::Value;

use crate::config::{Family, MAX_LAYERS, MAX_WIDTH, ModelConfig};
use crate::decoder::attention::AttentionKind;
use crate::decoder::norm::NormKind;
use crate::decoder::rope::Rope;
use crate::decoder::scaling::RopeScaling;
use crate::error::LoadError;

/// The switches of a decoder; its sizes are in [`ModelConfig`].
#[derive(Debug)]
pub(crate) struct Switches {
    pub(crate) intermediate_size: usize,
    pub(crate) kinds: Vec<AttentionKind>,
    /// For each layer, its place in `kinds`.
    pub(crate) kind_of_layer: Vec<usize>,
    pub(crate) norm: NormKind,
    pub(crate) norm_epsilon: f64,
    pub(crate) activation: Activation,
    pub(crate) block: Block,
    pub(crate) projections: Projections,
    pub(crate) query_key_norm: bool,
    pub(crate) query_key_value_bias: bool,
    pub(crate) attention_output_bias: bool,
    pub(crate) feed_forward_bias: bool,
    pub(crate) logits_bias: bool,
    pub(crate) tied_output: bool,
    pub(crate) embedding_scale: Option<f64>,
    pub(crate) attention_scale: f64,
    pub(crate) attention_cap: Option<f64>,
    pub(crate) logit_cap: Option<f64>,
}

/// Where the norms of a layer are, and whether its two parts work one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// A norm before each part.
    PreNorm,
    /// A norm before and behind each part.
    PreAndPostNorm,
    /// One norm, and both parts work on what it gives. The network has no gate; tensors have Phi's names.
    Parallel,
}

/// How the projections of attention and of the gated network are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Projections {
    Separate,
    /// Query, key and value in one matrix, gate and up in another.
    Packed,
}

impl Switches {
    pub(crate) fn new(config: &ModelConfig) -> Result<Switches, LoadError> {
        let (family, fields) = (config.family, &config.fields);
        let is_phi = family == Family::Phi;
        let has_post_norms = matches!(family, Family::Gemma2 | Family::Gemma3);
        let attention_bias = match family {
            Family::Llama | Family::Qwen3 => fields.flag("attention_bias", false)?,
            _ => family.is_gemma() && fields.flag("attention_bias", false)?,
        };
        let (kinds, kind_of_layer) = attention_kinds(config)?;
        // Only Gemma 2 caps unless the file says otherwise.
        let cap = |name, default| match has_post_norms {
            true => fields.optional_number(name, (family == Family::Gemma2).then_some(default)),
            false => Ok(None),
        };
        let score_width = match has_post_norms {
            true => fields.number_or("query_pre_attn_scalar", 256.0)?,
            false => config.head_dim as f64,
        };
        Ok(Switches {
            intermediate_size: fields.size("intermediate_size", MAX_WIDTH)?,
            kinds,
            kind_of_layer,
            norm: match family {
                Family::Phi => NormKind::Layer,
                _ if family.is_gemma() => NormKind::RmsPlusOne,
                _ => NormKind::Rms,
            },
            norm_epsilon: fields.number(if is_phi { "layer_norm_eps" } else { "rms_norm_eps" })?,
            activation: activation(config)?,
            block: match family {
                Family::Phi => Block::Parallel,
                _ if has_post_norms => Block::PreAndPostNorm,
                _ => Block::PreNorm,
            },
            projections: if family == Family::Phi3 { Projections::Packed } else { Projections::Separate },
            query_key_norm: match family {
                Family::Phi => fields.flag("qk_layernorm", false)?,
                _ => matches!(family, Family::Qwen3 | Family::Gemma3),
            },
            query_key_value_bias: is_phi || family == Family::Qwen2 || attention_bias,
            attention_output_bias: is_phi || attention_bias,
            feed_forward_bias: is_phi || (family == Family::Llama && fields.flag("mlp_bias", false)?),
            logits_bias: is_phi,
            tied_output: fields.flag("tie_word_embeddings", family.is_gemma())?,
            embedding_scale: family.is_gemma().then(|| (config.hidden_size as f64).sqrt()),
            attention_scale: score_width.sqrt().recip(),
            attention_cap: cap("attn_logit_softcapping", 50.0)?,
            logit_cap: cap("final_logit_softcapping", 30.0)?,
        })
    }
}

fn activation(config: &ModelConfig) -> Result<Activation, LoadError> {
    let fields = &config.fields;
    let name = match config.family {
        Family::Gemma => fields.text("hidden_activation", fields.text("hidden_act", "gelu_pytorch_tanh")?)?,
        Family::Gemma2 | Family::Gemma3 => fields.text("hidden_activation", "gelu_pytorch_tanh")?,
        Family::Phi => fields.text("hidden_act", "gelu_new")?,
        _ => fields.text("hidden_act", "silu")?,
    };
    match name {
        "silu" | "swish" => Ok(Activation::Silu),
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" => Ok(Activation::GeluPytorchTanh),
        "relu" => Ok(Activation::Relu),
        _ => Err(fields.unsupported(format!("activation {:?}", name.chars().take(40).collect::<String>()))),
    }
}

/// The kinds of attention that layers have, and for each layer which.
fn attention_kinds(config: &ModelConfig) -> Result<(Vec<AttentionKind>, Vec<usize>), LoadError> {
    let (family, fields) = (config.family, &config.fields);
    let (theta, rotary_dim) = (fields.number_or("rope_theta", default_theta(family))?, rotary_dim(config)?);
    let rope = Rope::new(theta, rotary_dim, RopeScaling::read(config)?);
    let window = sliding_window(config)?;
    let is_sliding = match (family, window) {
        // Gemma 3's local layers have a rope of their own even where the window is off.
        (Family::Gemma3, _) | (_, Some(_)) => sliding_layers(config)?,
        (_, None) => vec![false; config.n_layers],
    };
    let local_rope = match family {
        Family::Gemma3 => Rope::new(fields.number_or("rope_local_base_freq", 10_000.0)?, rotary_dim, RopeScaling::None),
        _ => rope.clone(),
    };
    let kinds = [(false, AttentionKind { rope, window: None }), (true, AttentionKind { rope: local_rope, window })];
    let used: Vec<_> = kinds.into_iter().filter(|(kind, _)| is_sliding.contains(kind)).collect();
    let place = |is_sliding| usize::from(used.len() > 1 && is_sliding);
    let kind_of_layer = is_sliding.into_iter().map(place).collect();
    Ok((used.into_iter().map(|(_, kind)| kind).collect(), kind_of_layer))
}

fn default_theta(family: Family) -> f64 {
    if family == Family::Gemma3 { 1_000_000.0 } else { 10_000.0 }
}

/// How many numbers of a head are turned by the position.
fn rotary_dim(config: &ModelConfig) -> Result<usize, LoadError> {
    let fields = &config.fields;
    let share = match config.family {
        Family::Phi => fields.number_or("partial_rotary_factor", 0.5)?,
        Family::Phi3 => fields.number_or("partial_rotary_factor", 1.0)?,
        _ => 1.0,
    };
    let rotary_dim = (share * config.head_dim as f64) as usize;
    match rotary_dim {
        0 => Err(fields.out_of_range("partial_rotary_factor", "enough for two numbers of a head")),
        _ if rotary_dim > config.head_dim => Err(fields.out_of_range("partial_rotary_factor", "1 at most")),
        _ if !rotary_dim.is_multiple_of(2) => Err(fields.unsupported(format!("rope over {rotary_dim} numbers"))),
        _ => Ok(rotary_dim),
    }
}

/// How many positions a layer with a window sees; `None` where windows are off.
fn sliding_window(config: &ModelConfig) -> Result<Option<usize>, LoadError> {
    let fields = &config.fields;
    let default = match config.family {
        Family::Mistral | Family::Gemma2 | Family::Gemma3 => Some(4096),
        Family::Qwen2 | Family::Qwen3 if fields.flag("use_sliding_window", false)? => Some(4096),
        Family::Phi3 => None,
        _ => return Ok(None),
    };
    fields.optional_size("sliding_window", MAX_WIDTH, default)
}

/// For each layer, whether it is one of those with a window.
fn sliding_layers(config: &ModelConfig) -> Result<Vec<bool>, LoadError> {
    let fields = &config.fields;
    let is_listed = matches!(config.family, Family::Qwen2 | Family::Qwen3 | Family::Gemma2 | Family::Gemma3);
    if let Some(types) = fields.get("layer_types").filter(|_| is_listed) {
        return layer_types(config, types);
    }
    let layers = 0..config.n_layers;
    Ok(match config.family {
        Family::Qwen2 | Family::Qwen3 => {
            let n_full = match fields.get("max_window_layers") {
                Some(n_full) => n_full.as_u64().ok_or_else(|| fields.out_of_range("max_window_layers", "a number"))?,
                None => 28,
            };
            layers.map(|layer| layer as u64 >= n_full).collect()
        }
        Family::Gemma2 => layers.map(|layer| layer.is_multiple_of(2)).collect(),
        Family::Gemma3 => {
            let name = ["sliding_window_pattern", "_sliding_window_pattern"]
                .into_iter()
                .find(|name| fields.get(name).is_some());
            let period = name.map_or(Ok(6), |name| fields.size(name, MAX_LAYERS))?;
            layers.map(|layer| !(layer + 1).is_multiple_of(period)).collect()
        }
        _ => vec![true; config.n_layers],
    })
}

fn layer_types(config: &ModelConfig, types: &Value) -> Result<Vec<bool>, LoadError> {
    let is_sliding = |name: &Value| match name.as_str() {
        Some("sliding_attention") => Some(true),
        Some("full_attention") => Some(false),
        _ => None,
    };
    let layers: Option<Vec<bool>> = types.as_array().and_then(|types| types.iter().map(is_sliding).collect());
    layers
        .filter(|layers| layers.len() == config.n_layers)
        .ok_or_else(|| config.fields.out_of_range("layer_types", "full_attention or sliding_attention for each layer"))
}
