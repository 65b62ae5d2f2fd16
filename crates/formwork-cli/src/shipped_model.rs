//! Which model is used when none is named? The small one that is embedded in this binary.

use formwork_candle::{LoadOptions, LoadedModel, ModelFiles};

use crate::failure::Failure;

const WEIGHTS: &[u8] = include_bytes!("../model/model.safetensors");

/// The files of the model that ships with us.
const SHIPPED: ModelFiles<'static> = ModelFiles {
    config: include_bytes!("../model/config.json"),
    tokenizer: include_bytes!("../model/tokenizer.json"),
    weights: &[WEIGHTS],
    generation_config: Some(include_bytes!("../model/generation_config.json")),
    tokenizer_config: Some(include_bytes!("../model/tokenizer_config.json")),
    chat_template: None,
};

/// The model, run by candle.
pub(crate) fn load() -> Result<LoadedModel, Failure> {
    use_one_thread();
    Ok(LoadedModel::from_memory(&SHIPPED, &LoadOptions::default())?)
}

/// The model and its chat template, run by ONNX Runtime.
#[cfg(feature = "ort")]
pub(crate) fn load_onnx() -> Result<(formwork_ort::LoadedModel, Option<formwork_candle::ChatTemplate>), Failure> {
    let files = formwork_ort::ModelFiles {
        config: SHIPPED.config,
        tokenizer: SHIPPED.tokenizer,
        model: include_bytes!("../model/model.onnx"),
        external: vec![("model.safetensors", WEIGHTS.into())],
        generation_config: SHIPPED.generation_config,
    };
    let options = formwork_ort::OrtOptions { threads: Some(1), ..formwork_ort::OrtOptions::default() };
    let loaded = formwork_ort::LoadedModel::from_memory(&files, &options)?;
    let folder = std::path::Path::new("");
    let template = formwork_candle::ChatTemplate::of_model(folder, None, SHIPPED.tokenizer_config)?;
    Ok((loaded, template))
}

/// A model of two million parameters runs several times faster on one thread than on more, which wait for each other.
fn use_one_thread() {
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        // Fails only when the pool is there already, and then it works as it is.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    }
}
