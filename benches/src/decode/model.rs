//! Which model runs where? A folder, a backend and a device.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use formwork::TokenId;
use formwork_candle::ChatTemplate;
use formwork_decode::Backend;
use formwork_ort::{OrtOptions, Provider};
use formwork_tokenizers::Tokenizer;
use serde_json::json;

use super::tasks::Task;

/// A model's folder, and the tokenizer of a folder that has none: `DIR` or `DIR=NAME`.
#[derive(Clone, Debug)]
pub struct ModelSpec {
    folder: PathBuf,
    tokenizer: Option<String>,
}

impl FromStr for ModelSpec {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<ModelSpec, Self::Err> {
        Ok(match text.split_once('=') {
            Some((folder, tokenizer)) => ModelSpec { folder: folder.into(), tokenizer: Some(tokenizer.to_owned()) },
            None => ModelSpec { folder: text.into(), tokenizer: None },
        })
    }
}

impl ModelSpec {
    /// The model that ships with the command line.
    pub fn shipped() -> ModelSpec {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/formwork-cli/model");
        ModelSpec { folder, tokenizer: None }
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or(self.folder.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

/// What runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendName {
    /// candle.
    Candle,
    /// ONNX Runtime.
    Ort,
}

impl FromStr for BackendName {
    type Err = String;

    fn from_str(text: &str) -> Result<BackendName, String> {
        match text {
            "candle" => Ok(BackendName::Candle),
            "ort" => Ok(BackendName::Ort),
            _ => Err(format!("{text} is neither candle nor ort")),
        }
    }
}

/// Where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// The processor.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<DeviceName, String> {
        match text {
            "cpu" => Ok(DeviceName::Cpu),
            "cuda" => Ok(DeviceName::Cuda),
            _ => Err(format!("{text} is neither cpu nor cuda")),
        }
    }
}

/// A loaded model.
pub struct DecodeModel {
    /// The model's folder and what runs it.
    pub name: String,
    /// The model.
    pub backend: Box<dyn Backend>,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    chat_template: Option<ChatTemplate>,
}

impl DecodeModel {
    /// Loads a folder. ONNX Runtime gets `threads`; candle reads `RAYON_NUM_THREADS`.
    ///
    /// # Errors
    /// What is missing or broken, as text.
    pub fn load(
        spec: &ModelSpec,
        backend: BackendName,
        device: DeviceName,
        threads: Option<usize>,
    ) -> Result<DecodeModel, String> {
        let tokenizer = spec.tokenizer.as_deref().map(formwork_tokenizers::from_name_or_file);
        let tokenizer = tokenizer.transpose().map_err(|error| error.to_string())?;
        match backend {
            BackendName::Candle => by_candle(spec, device, tokenizer),
            BackendName::Ort => by_ort(spec, device, tokenizer, threads),
        }
    }

    /// The tokens of what the model is asked.
    ///
    /// # Errors
    /// What its chat template does not accept.
    pub fn prompt(&self, task: &Task) -> Result<Vec<TokenId>, String> {
        let text = match &self.chat_template {
            Some(template) => template.render(&json!([{"role": "user", "content": task.prompt}]), None),
            None => Ok(task.prompt.to_owned()),
        };
        Ok(self.tokenizer.encode_with_special(&text.map_err(|error| error.to_string())?))
    }
}

fn by_candle(spec: &ModelSpec, device: DeviceName, tokenizer: Option<Tokenizer>) -> Result<DecodeModel, String> {
    let device = match device {
        DeviceName::Cpu => formwork_candle::Device::Cpu,
        DeviceName::Cuda => formwork_candle::Device::new_cuda(0).map_err(|error| error.to_string())?,
    };
    // The same type of numbers everywhere, so that texts can be compared.
    let options = formwork_candle::LoadOptions {
        device,
        dtype: Some(formwork_candle::DType::F32),
        tokenizer,
        ..formwork_candle::LoadOptions::default()
    };
    let loaded =
        formwork_candle::LoadedModel::from_folder(&spec.folder, &options).map_err(|error| error.to_string())?;
    Ok(DecodeModel {
        name: format!("{}, candle", spec.name()),
        backend: Box::new(loaded.model),
        tokenizer: loaded.tokenizer,
        chat_template: loaded.chat_template,
    })
}

fn by_ort(
    spec: &ModelSpec,
    device: DeviceName,
    tokenizer: Option<Tokenizer>,
    threads: Option<usize>,
) -> Result<DecodeModel, String> {
    let provider = match device {
        DeviceName::Cpu => Provider::Cpu,
        DeviceName::Cuda => Provider::Cuda { device: 0, allow_cpu: false },
    };
    let options = OrtOptions { provider, tokenizer, threads, ..OrtOptions::default() };
    let loaded = formwork_ort::LoadedModel::from_folder(&spec.folder, &options).map_err(|error| error.to_string())?;
    let chat_template = ChatTemplate::from_folder(&spec.folder).map_err(|error| error.to_string())?;
    Ok(DecodeModel {
        name: format!("{}, ort", spec.name()),
        backend: Box::new(loaded.model),
        tokenizer: loaded.tokenizer,
        chat_template,
    })
}
