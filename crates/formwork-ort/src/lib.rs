//! How does an exported decoder become a [`Backend`](formwork_decode::Backend)? ONNX models, run by ONNX Runtime.
//!
//! [`LoadedModel::from_folder`] reads `config.json`, `tokenizer.json` and `model.onnx`; [`LoadedModel::from_memory`]
//! takes the same files as bytes. The model must be a decoder with a cache, in the naming that exporters share: `input_ids`
//! and, where it has them, `attention_mask` and `position_ids`; `past_key_values.N.key` and `.value` of shape (batch,
//! heads, positions, head size); `logits`, `present.N.key` and `.value`. Logits and cache are `f32` or `f16`. Any other
//! input is refused. `scripts/model/export_onnx.py` writes such a file for a Llama folder.
//!
//! The mask is applied where the logits are. On a device, a second, small session takes the logits from the first one as
//! they lie there, and gives one token or a few of the greatest logits; rows that many masks share stay on the device, and
//! a step sends the few ids by which its mask differs. In host memory no session is needed for that. The model's file is
//! not changed.
//!
//! [`OrtModel::into_batch`] makes rows for many sequences on one session, which go through the model in one pass.
//!
//! ```no_run
//! use formwork_decode::{GenerationConfig, Sequence, generate};
//! use formwork_ort::{LoadedModel, OrtOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut loaded = LoadedModel::from_folder("models/tiny", &OrtOptions::default())?;
//! let prompt = loaded.tokenizer.encode_with_special("Describe a book.");
//! let config = GenerationConfig::default();
//! let sequence = Sequence::unconstrained(&loaded.tokenizer, &prompt, &config)?;
//! println!("{}", generate(&mut loaded.model, sequence)?.text);
//! # Ok(())
//! # }
//! ```
//!
//! **The library.** Nothing of ONNX Runtime is needed to build this crate. Its library is opened when the first model is
//! loaded, and is looked for in this order: [`OrtOptions::library`]; the variable `ORT_DYLIB_PATH`;
//! `.ort/onnxruntime/capi/` in the current folder and those above it; beside the executable; the system's libraries. The
//! first two are taken at their word: what they name is opened, or it is an error. [`INSTALL_COMMAND`] installs it.
//!
//! **Providers.** [`Provider::Cuda`] needs a library that was built for CUDA. Where the device cannot be used, that is an
//! error, unless the CPU is allowed instead; [`OrtModel::provider`] tells what became of it.

mod batch;
mod error;
mod head;
mod head_graph;
mod library;
mod load;
mod logits;
mod mask;
mod model;
mod onnx;
mod pack;
mod padding;
mod provider;
mod rows;
mod runner;
mod session;
mod signature;
mod split;

#[cfg(test)]
mod tests;

pub use crate::batch::OrtBatch;
pub use crate::error::LoadError;
pub use crate::library::INSTALL_COMMAND;
pub use crate::load::{LoadedModel, ModelFiles, OrtOptions};
pub use crate::logits::OrtLogits;
pub use crate::model::OrtModel;
pub use crate::provider::{Device, Provider, ProviderReport};
