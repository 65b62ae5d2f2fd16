//! Which model writes, and what runs it? A folder's or the shipped one, by candle or by ONNX Runtime.

use std::path::Path;

use clap::ValueEnum;
use formwork_candle::{ChatTemplate, LoadOptions, LoadedModel};
use formwork_decode::Backend;
use formwork_tokenizers::Tokenizer;
use serde_json::json;

use crate::failure::Failure;
use crate::shipped_model;

/// What runs a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendChoice {
    /// candle, which is part of this program
    #[default]
    Candle,
    /// ONNX Runtime, whose library must be installed
    #[cfg(feature = "ort")]
    Ort,
}

/// A model with what belongs to it.
pub(crate) struct Model {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) tokenizer: Tokenizer,
    chat_template: Option<ChatTemplate>,
}

impl Model {
    /// The model in `folder`, or the one that ships with us.
    pub(crate) fn load(backend: BackendChoice, folder: Option<&Path>) -> Result<Model, Failure> {
        match backend {
            BackendChoice::Candle => {
                let LoadedModel { model, tokenizer, chat_template } = match folder {
                    Some(folder) => LoadedModel::from_folder(folder, &LoadOptions::default())?,
                    None => shipped_model::load()?,
                };
                Ok(Model { backend: Box::new(model), tokenizer, chat_template })
            }
            #[cfg(feature = "ort")]
            BackendChoice::Ort => by_onnx_runtime(folder),
        }
    }

    /// The prompt for one message: by the chat template, or the message as it is where there is none.
    pub(crate) fn prompt_text(&self, message: &str) -> Result<String, Failure> {
        match &self.chat_template {
            Some(template) => Ok(template.render(&json!([{"role": "user", "content": message}]), None)?),
            None => Ok(message.to_owned()),
        }
    }
}

#[cfg(feature = "ort")]
fn by_onnx_runtime(folder: Option<&Path>) -> Result<Model, Failure> {
    use formwork_ort::OrtOptions;

    let Some(folder) = folder else {
        let (loaded, chat_template) = shipped_model::load_onnx()?;
        return Ok(Model { backend: Box::new(loaded.model), tokenizer: loaded.tokenizer, chat_template });
    };
    let loaded = formwork_ort::LoadedModel::from_folder(folder, &OrtOptions::default())?;
    let chat_template = ChatTemplate::from_folder(folder)?;
    Ok(Model { backend: Box::new(loaded.model), tokenizer: loaded.tokenizer, chat_template })
}
