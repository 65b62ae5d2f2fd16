//! How is a model loaded as a whole? Files to model, tokenizer and chat template.

use std::path::Path;

use candle_core::{DType, Device};
use formwork::TokenId;
use formwork_decode::Pipeline;
use formwork_tokenizers::Tokenizer;
use serde_json::{Value, json};

use crate::batch::CandleBatch;
use crate::chat::ChatTemplate;
use crate::config::ModelConfig;
use crate::decoder::Decoder;
use crate::error::{ChatError, LoadError};
use crate::files::{CONFIG, GENERATION_CONFIG, ModelFiles, TOKENIZER, WEIGHTS, open_weights, parse_json, read};
use crate::map::FileBytes;
use crate::model::CandleModel;
use crate::weights::Weights;

/// Where and how a model is to run.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The device (default: the CPU).
    pub device: Device,
    /// Type of the numbers: `f32`, `f16` or `bf16`. Default: `f32` on the CPU, `bf16` elsewhere.
    pub dtype: Option<DType>,
    /// Positions to make room for at most. Default: what the model has, up to 131,072.
    pub max_context: Option<usize>,
    /// The tokenizer. Default: the model's `tokenizer.json`.
    pub tokenizer: Option<Tokenizer>,
}

impl Default for LoadOptions {
    fn default() -> LoadOptions {
        LoadOptions { device: Device::Cpu, dtype: None, max_context: None, tokenizer: None }
    }
}

/// A model ready to run, with what belongs to it.
#[derive(Debug)]
pub struct LoadedModel {
    /// The model.
    pub model: CandleModel,
    /// Its tokenizer; the vocabulary is as wide as the model's logits.
    pub tokenizer: Tokenizer,
    /// Its chat template, where it has one.
    pub chat_template: Option<ChatTemplate>,
}

impl LoadedModel {
    /// Loads a folder in the Hugging Face layout.
    ///
    /// # Errors
    /// [`LoadError`] names the file that is missing, broken, or of an unsupported kind.
    pub fn from_folder(folder: impl AsRef<Path>, options: &LoadOptions) -> Result<LoadedModel, LoadError> {
        let folder = folder.as_ref();
        let config = read_config(&folder.join(CONFIG), &read(&folder.join(CONFIG))?, options)?;
        let model = build_model(&config, open_weights(folder)?, options)?;
        let tokenizer = match &options.tokenizer {
            Some(tokenizer) => tokenizer.with_logits_width(config.vocab_size)?,
            None => tokenizer_options(&config).from_file(folder.join(TOKENIZER))?,
        };
        Ok(LoadedModel { model, tokenizer, chat_template: ChatTemplate::from_folder(folder)? })
    }

    /// Loads a model whose files are in memory, its tokenizer always among them.
    ///
    /// # Errors
    /// As [`LoadedModel::from_folder`]; files are named as they would be in a folder.
    pub fn from_memory(files: &ModelFiles<'_>, options: &LoadOptions) -> Result<LoadedModel, LoadError> {
        let config = read_config(Path::new(CONFIG), files.config, options)?;
        let mut weights = Weights::new();
        for bytes in files.weights {
            weights.add(Path::new(WEIGHTS), FileBytes::Borrowed(bytes))?;
        }
        let model = build_model(&config, weights, options)?;
        let mut tokenizer_options = tokenizer_options(&config);
        for token in stop_tokens(files)? {
            tokenizer_options = tokenizer_options.stop_token_id(token);
        }
        let tokenizer = tokenizer_options.from_bytes(files.tokenizer)?;
        let chat_template = ChatTemplate::of_model(Path::new(""), files.chat_template, files.tokenizer_config)?;
        Ok(LoadedModel { model, tokenizer, chat_template })
    }

    /// The model as a pipeline of `n_rows` rows, whose prompts go through its chat template.
    pub fn into_pipeline(self, n_rows: usize) -> Pipeline<CandleBatch> {
        let pipeline = Pipeline::new(CandleBatch::new(&self.model, n_rows), self.tokenizer);
        match self.chat_template {
            Some(template) => pipeline
                .with_template(move |prompt| Ok(template.render(&json!([{"role": "user", "content": prompt}]), None)?)),
            None => pipeline,
        }
    }

    /// The prompt for one message of a user: by the chat template, or the message as it is where there is none.
    ///
    /// # Errors
    /// What the template does not accept.
    pub fn prompt_text(&self, message: &str) -> Result<String, ChatError> {
        match &self.chat_template {
            Some(template) => template.render(&json!([{"role": "user", "content": message}]), None),
            None => Ok(message.to_owned()),
        }
    }
}

fn read_config(path: &Path, bytes: &[u8], options: &LoadOptions) -> Result<ModelConfig, LoadError> {
    ModelConfig::new(path, parse_json(path, bytes)?, options.max_context)
}

fn build_model(config: &ModelConfig, weights: Weights<'_>, options: &LoadOptions) -> Result<CandleModel, LoadError> {
    let device = options.device.clone();
    let dtype = options.dtype.unwrap_or(if device.is_cpu() { DType::F32 } else { DType::BF16 });
    let decoder = Decoder::load(config, &weights, dtype, &device)?;
    Ok(CandleModel::new(decoder, config.vocab_size, config.context_length))
}

fn tokenizer_options(config: &ModelConfig) -> formwork_tokenizers::LoadOptions {
    formwork_tokenizers::LoadOptions::new().logits_width(config.vocab_size)
}

/// `eos_token_id` of `generation_config.json`, else of `config.json`; one or several. None where neither has it: then
/// the tokenizer's own knowledge decides.
fn stop_tokens(files: &ModelFiles<'_>) -> Result<Vec<TokenId>, LoadError> {
    let sources = [(GENERATION_CONFIG, files.generation_config), (CONFIG, Some(files.config))];
    for (name, bytes) in sources {
        let Some(bytes) = bytes else { continue };
        let tokens = match parse_json(Path::new(name), bytes)?.get("eos_token_id") {
            Some(Value::Array(ids)) => ids.iter().filter_map(token_id).collect(),
            Some(id) => Vec::from_iter(token_id(id)),
            None => Vec::new(),
        };
        if !tokens.is_empty() {
            return Ok(tokens);
        }
    }
    Ok(Vec::new())
}

fn token_id(id: &Value) -> Option<TokenId> {
    id.as_u64().and_then(|id| u32::try_from(id).ok()).map(TokenId::new)
}
