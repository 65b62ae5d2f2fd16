//! How does a model folder become a [`Backend`](formwork_decode::Backend)? Checkpoints in the Hugging Face layout, run by candle.
//!
//! [`LoadedModel::from_folder`] reads `config.json`, `tokenizer.json`, `*.safetensors` (sharded ones by their index),
//! `generation_config.json` and the chat template; [`LoadedModel::from_memory`] takes the same files as bytes.
//! Families: Llama, Mistral, Qwen2, Qwen3, Gemma, Gemma 2, Gemma 3 (text), Phi-2 and Phi-3. All are run by one decoder
//! of this crate on candle's tensors, exactly as their configurations say: biases, sliding windows, soft caps, rope
//! scaled by `linear`, `llama3` or `yarn`. What it cannot run exactly is refused by name.
//!
//! [`CandleModel`] holds one sequence: its cache is cut at no cost, and the logits behind several tokens come from one
//! pass. [`CandleModel::new_sequence`] gives further ones on the same weights, and [`CandleBatch`] feeds many in one
//! pass without padding.
//!
//! ```no_run
//! use formwork_candle::{LoadOptions, LoadedModel};
//! use formwork_decode::{GenerationConfig, Sequence, generate};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut loaded = LoadedModel::from_folder("models/qwen3", &LoadOptions::default())?;
//! let prompt = loaded.tokenizer.encode_with_special(&loaded.prompt_text("Describe a book.")?);
//! let config = GenerationConfig::default();
//! let sequence = Sequence::unconstrained(&loaded.tokenizer, &prompt, &config)?;
//! println!("{}", generate(&mut loaded.model, sequence)?.text);
//! # Ok(())
//! # }
//! ```
//!
//! **Threads.** candle computes on rayon's pool; a pass on the CPU runs there from start to end. candle reads
//! `RAYON_NUM_THREADS` itself to see in how many parts to cut its work. For models of a few million parameters one
//! thread is several times faster than two, so a binary for them should run with `RAYON_NUM_THREADS=1` in its
//! environment. A library cannot set it: the variable is read once.
//!
//! **Features.** `cuda` and `metal` forward to candle and are off by default; a `cuda` binary needs `libcuda.so.1` to
//! start.

mod batch;
mod chat;
mod choose;
mod config;
#[cfg(feature = "cuda")]
mod cuda;
mod decoder;
mod error;
mod fields;
mod files;
mod load;
mod logits;
mod map;
mod mask;
mod model;
mod rows;
mod time;
mod weights;

pub use candle_core::{DType, Device};

pub use crate::batch::CandleBatch;
pub use crate::chat::ChatTemplate;
pub use crate::error::{ChatError, LoadError};
pub use crate::files::ModelFiles;
pub use crate::load::{LoadOptions, LoadedModel};
pub use crate::logits::CandleLogits;
pub use crate::mask::DeviceMasks;
pub use crate::model::CandleModel;
