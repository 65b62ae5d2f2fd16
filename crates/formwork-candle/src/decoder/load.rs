//! Which tensors make a decoder? Each is looked up by the name that checkpoints give it, and its shape is checked.

use candle_core::{DType, Device, Tensor};

use crate::config::ModelConfig;
use crate::decoder::Decoder;
use crate::decoder::attention::Attention;
use crate::decoder::config::{Block, Projections, Switches};
use crate::decoder::layer::{FeedForward, Layer};
use crate::decoder::linear::Linear;
use crate::decoder::norm::{Norm, NormKind};
use crate::error::LoadError;
use crate::weights::Weights;

impl Decoder {
    /// Reads the decoder that `config` describes.
    pub(crate) fn load(
        config: &ModelConfig,
        weights: &Weights<'_>,
        dtype: DType,
        device: &Device,
    ) -> Result<Decoder, LoadError> {
        if !matches!(dtype, DType::F16 | DType::BF16 | DType::F32) {
            return Err(config.fields.unsupported(format!("computing with numbers of type {dtype:?}")));
        }
        let switches = Switches::new(config)?;
        let loader = Loader { config, switches: &switches, weights, dtype, device };
        let embedding = loader.tensor("model.embed_tokens.weight", &[config.vocab_size, config.hidden_size])?;
        let output = match switches.tied_output {
            true => embedding.clone(),
            false => loader.tensor("lm_head.weight", &[config.vocab_size, config.hidden_size])?,
        };
        let output_bias = loader.bias("lm_head", config.vocab_size, switches.logits_bias)?;
        let layers = (0..config.n_layers).map(|layer_idx| loader.layer(layer_idx));
        Ok(Decoder {
            embedding,
            embedding_scale: switches.embedding_scale,
            layers: layers.collect::<Result<_, _>>()?,
            norm: match switches.block {
                Block::Parallel => loader.norm("model.final_layernorm", config.hidden_size)?,
                _ => loader.norm("model.norm", config.hidden_size)?,
            },
            output: Linear::new(output, output_bias),
            logit_cap: switches.logit_cap,
            n_heads: config.n_heads,
            kinds: switches.kinds,
            dtype,
            device: device.clone(),
        })
    }
}

struct Loader<'a> {
    config: &'a ModelConfig,
    switches: &'a Switches,
    weights: &'a Weights<'a>,
    dtype: DType,
    device: &'a Device,
}

impl Loader<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        self.weights.read(name, shape, self.dtype, self.device)
    }

    fn bias(&self, name: &str, n_out: usize, has_bias: bool) -> Result<Option<Tensor>, LoadError> {
        has_bias.then(|| self.tensor(&format!("{name}.bias"), &[n_out])).transpose()
    }

    fn linear(&self, name: &str, n_in: usize, n_out: usize, has_bias: bool) -> Result<Linear, LoadError> {
        let weight = self.tensor(&format!("{name}.weight"), &[n_out, n_in])?;
        Ok(Linear::new(weight, self.bias(name, n_out, has_bias)?))
    }

    /// Some rows of a matrix, as one of their own that shares its memory.
    fn rows(&self, weight: &Tensor, start: usize, n_out: usize) -> Result<Linear, LoadError> {
        let rows = weight.narrow(0, start, n_out).map_err(|error| self.weights.failed("packed projections", error))?;
        Ok(Linear::new(rows, None))
    }

    fn norm(&self, name: &str, width: usize) -> Result<Norm, LoadError> {
        let (weight, epsilon) = (self.tensor(&format!("{name}.weight"), &[width])?, self.switches.norm_epsilon);
        match self.switches.norm {
            NormKind::Rms => Ok(Norm::rms(weight, epsilon)),
            NormKind::RmsPlusOne => {
                Norm::rms_plus_one(&weight, epsilon).map_err(|error| self.weights.failed(name, error))
            }
            NormKind::Layer => Ok(Norm::layer(weight, self.tensor(&format!("{name}.bias"), &[width])?, epsilon)),
        }
    }

    fn layer(&self, layer_idx: usize) -> Result<Layer, LoadError> {
        let prefix = format!("model.layers.{layer_idx}");
        let norm = |name: &str| self.norm(&format!("{prefix}.{name}"), self.config.hidden_size);
        let has_post_norms = self.switches.block == Block::PreAndPostNorm;
        Ok(Layer {
            kind_idx: self.switches.kind_of_layer[layer_idx],
            input_norm: norm("input_layernorm")?,
            attention: self.attention(&format!("{prefix}.self_attn"))?,
            attention_output_norm: has_post_norms.then(|| norm("post_attention_layernorm")).transpose()?,
            feed_forward_norm: match self.switches.block {
                Block::PreNorm => Some(norm("post_attention_layernorm")?),
                Block::PreAndPostNorm => Some(norm("pre_feedforward_layernorm")?),
                Block::Parallel => None,
            },
            feed_forward: self.feed_forward(&format!("{prefix}.mlp"))?,
            feed_forward_output_norm: has_post_norms.then(|| norm("post_feedforward_layernorm")).transpose()?,
        })
    }

    fn attention(&self, prefix: &str) -> Result<Attention, LoadError> {
        let (config, switches) = (self.config, self.switches);
        let (hidden, head_dim) = (config.hidden_size, config.head_dim);
        let (n_query, n_key_value) = (config.n_heads * head_dim, config.n_key_value_heads * head_dim);
        let [query, key, value] = match switches.projections {
            Projections::Packed => {
                let (end, n_packed) = (n_query + n_key_value, n_query + 2 * n_key_value);
                let packed = self.tensor(&format!("{prefix}.qkv_proj.weight"), &[n_packed, hidden])?;
                let rows = |start, n_out| self.rows(&packed, start, n_out);
                [rows(0, n_query)?, rows(n_query, n_key_value)?, rows(end, n_key_value)?]
            }
            Projections::Separate => {
                let linear = |name: &str, n_out| {
                    self.linear(&format!("{prefix}.{name}"), hidden, n_out, switches.query_key_value_bias)
                };
                [linear("q_proj", n_query)?, linear("k_proj", n_key_value)?, linear("v_proj", n_key_value)?]
            }
        };
        let [output, query_norm, key_norm] = match switches.block {
            Block::Parallel => ["dense", "q_layernorm", "k_layernorm"],
            _ => ["o_proj", "q_norm", "k_norm"],
        };
        let head_norm =
            |name| switches.query_key_norm.then(|| self.norm(&format!("{prefix}.{name}"), head_dim)).transpose();
        Ok(Attention {
            query,
            key,
            value,
            output: self.linear(&format!("{prefix}.{output}"), n_query, hidden, switches.attention_output_bias)?,
            query_norm: head_norm(query_norm)?,
            key_norm: head_norm(key_norm)?,
            n_heads: config.n_heads,
            n_key_value_heads: config.n_key_value_heads,
            head_dim,
            scale: switches.attention_scale,
            cap: switches.attention_cap,
        })
    }

    fn feed_forward(&self, prefix: &str) -> Result<FeedForward, LoadError> {
        let (hidden, inner) = (self.config.hidden_size, self.switches.intermediate_size);
        let linear = |name: &str, n_in, n_out| {
            self.linear(&format!("{prefix}.{name}"), n_in, n_out, self.switches.feed_forward_bias)
        };
        let (gate, up) = match (self.switches.block, self.switches.projections) {
            (Block::Parallel, _) => (None, linear("fc1", hidden, inner)?),
            (_, Projections::Packed) => {
                let packed = self.tensor(&format!("{prefix}.gate_up_proj.weight"), &[2 * inner, hidden])?;
                (Some(self.rows(&packed, 0, inner)?), self.rows(&packed, inner, inner)?)
            }
            _ => (Some(linear("gate_proj", hidden, inner)?), linear("up_proj", hidden, inner)?),
        };
        let down = if self.switches.block == Block::Parallel { "fc2" } else { "down_proj" };
        let activation = self.switches.activation;
        Ok(FeedForward { gate, up, down: linear(down, inner, hidden)?, activation })
    }
}
