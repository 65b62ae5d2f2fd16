//! How is a model of each family built and run? candle-transformers' models behind one small trait.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::llama::LlamaConfig;
use candle_transformers::models::{gemma, gemma2, gemma3, llama, mistral, phi, phi3, qwen2, qwen3};

use crate::config::{Family, ModelConfig};
use crate::error::LoadError;
use crate::llama::{LlamaDecoder, check_layers};
use crate::weights::Weights;

/// A model with its cache.
pub(crate) trait Decoder: Send {
    /// Feeds tokens of shape `[1, n]` after `offset` cached ones; the logits that follow the last of them, of any shape
    /// that holds one row.
    fn forward(&mut self, tokens: &Tensor, offset: usize) -> Result<Tensor>;

    /// Forgets all positions.
    fn clear(&mut self);

    /// Whether several tokens can follow cached ones in one pass. All can start with several.
    fn extends_by_many(&self) -> bool {
        true
    }
}

/// Builds the model that `config` describes from `weights`.
pub(crate) fn build(
    config: &ModelConfig,
    mut weights: Weights<'_>,
    dtype: DType,
    device: &Device,
) -> std::result::Result<Box<dyn Decoder>, LoadError> {
    let path = weights.path().to_owned();
    if config.is_set("tie_word_embeddings") && matches!(config.family, Family::Mistral | Family::Phi) {
        weights.tie_output();
    }
    if config.family == Family::Llama {
        check_layers(&weights, &llama_config(config)?).map_err(|reason| LoadError::malformed(&path, reason))?;
    }
    let builder = VarBuilder::from_backend(Box::new(weights), dtype, device.clone());
    let decoder = match config.family {
        Family::Llama => boxed(LlamaDecoder::new(&llama_config(config)?, builder, dtype, device)),
        Family::Mistral => boxed(mistral::Model::new(&config.parse()?, builder)),
        Family::Qwen2 => {
            boxed(qwen2::ModelForCausalLM::new(&config.parse()?, builder).map(|model| Qwen2Decoder { model, dtype }))
        }
        Family::Qwen3 => boxed(qwen3::ModelForCausalLM::new(&config.parse()?, builder)),
        Family::Gemma => boxed(gemma::Model::new(false, &config.parse()?, builder)),
        Family::Gemma2 => boxed(gemma2::Model::new(false, &config.parse()?, builder)),
        Family::Gemma3 => boxed(gemma3::Model::new(false, &config.parse()?, builder)),
        Family::Phi => boxed(phi::Model::new(&config.parse()?, builder)),
        Family::Phi3 => boxed(phi3::Model::new(&config.parse()?, builder)),
    };
    decoder.map_err(|error| LoadError::malformed(&path, error))
}

fn llama_config(config: &ModelConfig) -> std::result::Result<llama::Config, LoadError> {
    Ok(config.parse::<LlamaConfig>()?.into_config(false))
}

fn boxed<D: Decoder + 'static>(decoder: Result<D>) -> Result<Box<dyn Decoder>> {
    decoder.map(|decoder| Box::new(decoder) as Box<dyn Decoder>)
}

macro_rules! decoder_with_hidden_cache {
    ($($model:ty),*) => {$(
        impl Decoder for $model {
            fn forward(&mut self, tokens: &Tensor, offset: usize) -> Result<Tensor> {
                <$model>::forward(self, tokens, offset)
            }

            fn clear(&mut self) {
                self.clear_kv_cache();
            }
        }
    )*};
}

decoder_with_hidden_cache!(
    mistral::Model,
    qwen3::ModelForCausalLM,
    gemma::Model,
    gemma2::Model,
    gemma3::Model,
    phi3::Model
);

/// Builds its mask from parts of two number types, unless the model runs in `f32`.
struct Qwen2Decoder {
    model: qwen2::ModelForCausalLM,
    dtype: DType,
}

impl Decoder for Qwen2Decoder {
    fn forward(&mut self, tokens: &Tensor, offset: usize) -> Result<Tensor> {
        self.model.forward(tokens, offset)
    }

    fn clear(&mut self) {
        self.model.clear_kv_cache();
    }

    fn extends_by_many(&self) -> bool {
        self.dtype == DType::F32
    }
}

/// Counts its positions itself; its mask covers the new tokens only.
impl Decoder for phi::Model {
    fn forward(&mut self, tokens: &Tensor, _offset: usize) -> Result<Tensor> {
        phi::Model::forward(self, tokens)
    }

    fn clear(&mut self) {
        self.clear_kv_cache();
    }

    fn extends_by_many(&self) -> bool {
        false
    }
}
