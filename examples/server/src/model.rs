//! Which model is served? A folder's or the shipped one, with rows for a batch, tokenizer and chat template.

use std::error::Error;
use std::path::{Path, PathBuf};

use formwork_candle::ChatTemplate;
use formwork_decode::BatchBackend;
use formwork_tokenizers::Tokenizer;

use crate::options::{BackendChoice, Options};

/// What one needs to know of a model.
pub(crate) struct ServedModel {
    pub(crate) name: String,
    pub(crate) backend: Box<dyn BatchBackend + Send>,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) template: Option<ChatTemplate>,
}

impl ServedModel {
    pub(crate) fn load(options: &Options) -> Result<ServedModel, Box<dyn Error>> {
        let shipped = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/formwork-cli/model");
        let folder: PathBuf = options.model.clone().unwrap_or_else(shipped);
        if options.model.is_none() {
            use_one_thread();
        }
        let folder_name = || match &options.model {
            Some(folder) => folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned(),
            None => "formwork-tiny".to_owned(),
        };
        let name = options.served_model_name.clone().unwrap_or_else(folder_name);
        let n_rows = usize::from(options.max_batch);
        match options.backend {
            BackendChoice::Candle => {
                let loaded =
                    formwork_candle::LoadedModel::from_folder(&folder, &formwork_candle::LoadOptions::default())?;
                let backend = Box::new(formwork_candle::CandleBatch::new(&loaded.model, n_rows));
                Ok(ServedModel { name, backend, tokenizer: loaded.tokenizer, template: loaded.chat_template })
            }
            BackendChoice::Ort => {
                let threads = options.model.is_none().then_some(1);
                let ort_options = formwork_ort::OrtOptions { threads, ..formwork_ort::OrtOptions::default() };
                let loaded = formwork_ort::LoadedModel::from_folder(&folder, &ort_options)?;
                let backend = Box::new(loaded.model.into_batch(n_rows));
                let template = ChatTemplate::from_folder(&folder)?;
                Ok(ServedModel { name, backend, tokenizer: loaded.tokenizer, template })
            }
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
