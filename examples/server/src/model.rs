//! Which model is served? Rows for a batch, a tokenizer and a chat template: a folder's, the shipped one's, or a caller's own.

use std::error::Error;

use formwork_decode::BatchBackend;
use formwork_tokenizers::Tokenizer;
use serde_json::Value;

/// What one needs to know of a model.
pub struct ServedModel {
    /// What it is called in answers.
    pub name: String,
    /// What runs it.
    pub backend: Box<dyn BatchBackend + Send>,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// `None` where prompts are the messages' texts, one below the other.
    pub template: Option<Box<dyn PromptTemplate>>,
}

/// How a conversation becomes a prompt.
pub trait PromptTemplate: Send + Sync {
    /// The text of the template, which tells how the model's family writes thought and calls.
    fn source(&self) -> String;

    /// The prompt that asks for the next answer. `messages` is a list of objects with `role` and `content`, `tools` a list
    /// of tools in the form that OpenAI's API has.
    ///
    /// # Errors
    /// What the template does not take, in one line.
    fn render(&self, messages: &Value, tools: Option<&Value>) -> Result<String, Box<dyn Error + Send + Sync>>;
}

#[cfg(feature = "backends")]
mod from_folder {
    use std::error::Error;
    use std::path::{Path, PathBuf};

    use formwork_candle::ChatTemplate;
    use serde_json::Value;

    use super::{PromptTemplate, ServedModel};
    use crate::options::{BackendChoice, Options};

    impl PromptTemplate for ChatTemplate {
        fn source(&self) -> String {
            ChatTemplate::source(self)
        }

        fn render(&self, messages: &Value, tools: Option<&Value>) -> Result<String, Box<dyn Error + Send + Sync>> {
            Ok(ChatTemplate::render(self, messages, tools)?)
        }
    }

    impl ServedModel {
        /// The model that the options name, ready to run.
        ///
        /// # Errors
        /// What is wrong with its folder, in one line.
        pub fn load(options: &Options) -> Result<ServedModel, Box<dyn Error>> {
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
            let boxed = |template: Option<ChatTemplate>| Some(Box::new(template?) as Box<dyn PromptTemplate>);
            match options.backend {
                BackendChoice::Candle => {
                    let loaded =
                        formwork_candle::LoadedModel::from_folder(&folder, &formwork_candle::LoadOptions::default())?;
                    let backend = Box::new(formwork_candle::CandleBatch::new(&loaded.model, n_rows));
                    let template = boxed(loaded.chat_template);
                    Ok(ServedModel { name, backend, tokenizer: loaded.tokenizer, template })
                }
                BackendChoice::Ort => {
                    let threads = options.model.is_none().then_some(1);
                    let ort_options = formwork_ort::OrtOptions { threads, ..formwork_ort::OrtOptions::default() };
                    let loaded = formwork_ort::LoadedModel::from_folder(&folder, &ort_options)?;
                    let backend = Box::new(loaded.model.into_batch(n_rows));
                    let template = boxed(ChatTemplate::from_folder(&folder)?);
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
}
