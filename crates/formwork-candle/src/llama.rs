//! Llama, whose cache lies outside of candle's model, and whose loader must be kept from panicking.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::llama::{Cache, Config, Llama};

use crate::families::Decoder;
use crate::weights::Weights;

pub(crate) struct LlamaDecoder {
    model: Llama,
    /// The cache before the first token: position tables only.
    empty: Cache,
    cache: Cache,
}

impl LlamaDecoder {
    pub(crate) fn new(config: &Config, builder: VarBuilder<'_>, dtype: DType, device: &Device) -> Result<LlamaDecoder> {
        let model = Llama::load(builder, config)?;
        let empty = Cache::new(true, dtype, config, device)?;
        Ok(LlamaDecoder { model, cache: empty.clone(), empty })
    }
}

impl Decoder for LlamaDecoder {
    fn forward(&mut self, tokens: &Tensor, offset: usize) -> Result<Tensor> {
        self.model.forward(tokens, offset, &mut self.cache)
    }

    fn clear(&mut self) {
        self.cache = self.empty.clone();
    }
}

/// Checks every tensor of the layers: candle's loader of Llama unwraps there, so that a missing one would panic.
pub(crate) fn check_layers(weights: &Weights<'_>, config: &Config) -> std::result::Result<(), String> {
    let hidden = config.hidden_size;
    let key_value = hidden / config.num_attention_heads * config.num_key_value_heads;
    for layer in 0..config.num_hidden_layers {
        let check = |name: &str, shape: &[usize]| weights.check(&format!("model.layers.{layer}.{name}.weight"), shape);
        check("input_layernorm", &[hidden])?;
        check("post_attention_layernorm", &[hidden])?;
        check("self_attn.q_proj", &[hidden, hidden])?;
        check("self_attn.k_proj", &[key_value, hidden])?;
        check("self_attn.v_proj", &[key_value, hidden])?;
        check("self_attn.o_proj", &[hidden, hidden])?;
        check("mlp.gate_proj", &[config.intermediate_size, hidden])?;
        check("mlp.up_proj", &[config.intermediate_size, hidden])?;
        check("mlp.down_proj", &[hidden, config.intermediate_size])?;
    }
    Ok(())
}
