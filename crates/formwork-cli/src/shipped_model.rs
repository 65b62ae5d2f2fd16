//! Which model is used when none is named? The small one that is embedded in this binary.

use std::path::Path;

use formwork_candle::{LoadOptions, LoadedModel, ModelFiles};

use crate::failure::Failure;

/// The files of the model that ships with us.
const SHIPPED: ModelFiles<'static> = ModelFiles {
    config: include_bytes!("../model/config.json"),
    tokenizer: include_bytes!("../model/tokenizer.json"),
    weights: &[include_bytes!("../model/model.safetensors")],
    generation_config: Some(include_bytes!("../model/generation_config.json")),
    tokenizer_config: Some(include_bytes!("../model/tokenizer_config.json")),
    chat_template: None,
};

/// The model in `folder`, or the one that ships with us.
pub(crate) fn load(folder: Option<&Path>) -> Result<LoadedModel, Failure> {
    let options = LoadOptions::default();
    match folder {
        Some(folder) => Ok(LoadedModel::from_folder(folder, &options)?),
        None => {
            use_one_thread();
            Ok(LoadedModel::from_memory(&SHIPPED, &options)?)
        }
    }
}

/// A model of two million parameters runs several times faster on one thread than on more, which wait for each other.
fn use_one_thread() {
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        // Fails only when the pool is there already, and then it works as it is.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    }
}
