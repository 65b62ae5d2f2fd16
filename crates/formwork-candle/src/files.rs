//! Which files make a model? A folder's, found and read with bounds, or the caller's bytes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::LoadError;
use crate::map::FileBytes;
use crate::weights::Weights;

/// Largest JSON or template file that is read.
const MAX_TEXT_BYTES: u64 = 64 << 20;

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const WEIGHTS_INDEX: &str = "model.safetensors.index.json";
pub(crate) const GENERATION_CONFIG: &str = "generation_config.json";
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(crate) const CHAT_TEMPLATE: &str = "chat_template.jinja";

/// The files of a model as bytes, such as those embedded in a binary.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelFiles<'a> {
    /// `config.json`.
    pub config: &'a [u8],
    /// `tokenizer.json`.
    pub tokenizer: &'a [u8],
    /// `model.safetensors`, or its parts.
    pub weights: &'a [&'a [u8]],
    /// `generation_config.json`, for the stop tokens.
    pub generation_config: Option<&'a [u8]>,
    /// `tokenizer_config.json`, for the chat template.
    pub tokenizer_config: Option<&'a [u8]>,
    /// `chat_template.jinja`; overrides the one in `tokenizer_config`.
    pub chat_template: Option<&'a [u8]>,
}

/// Reads a small file; `None` where there is none.
pub(crate) fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, LoadError> {
    match path.try_exists() {
        Ok(false) => Ok(None),
        _ => read(path).map(Some),
    }
}

/// Reads a small file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    let n_bytes = fs::metadata(path).map_err(|error| LoadError::io(path, error))?.len();
    if n_bytes > MAX_TEXT_BYTES {
        return Err(LoadError::malformed(path, format!("{n_bytes} bytes are too many: the limit is {MAX_TEXT_BYTES}")));
    }
    fs::read(path).map_err(|error| LoadError::io(path, error))
}

pub(crate) fn parse_json(path: &Path, bytes: &[u8]) -> Result<Value, LoadError> {
    serde_json::from_slice(bytes).map_err(|error| LoadError::malformed(path, format!("not JSON: {error}")))
}

/// Opens the weights of a folder: one file, or the parts that the index names.
pub(crate) fn open_weights(folder: &Path) -> Result<Weights<'static>, LoadError> {
    let mut weights = Weights::new();
    let index_path = folder.join(WEIGHTS_INDEX);
    let names = match read_optional(&index_path)? {
        Some(index) if !folder.join(WEIGHTS).exists() => shard_names(&index_path, &index)?,
        _ => BTreeSet::from([WEIGHTS.to_owned()]),
    };
    for name in names {
        let path = folder.join(name);
        let bytes = FileBytes::open(&path).map_err(|error| LoadError::io(&path, error))?;
        weights.add(&path, bytes)?;
    }
    Ok(weights)
}

fn shard_names(path: &Path, index: &[u8]) -> Result<BTreeSet<String>, LoadError> {
    let index = parse_json(path, index)?;
    let map = index.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| LoadError::malformed(path, "weight_map is not an object"))?;
    let names: Option<BTreeSet<String>> = map.values().map(|name| name.as_str().map(str::to_owned)).collect();
    let names =
        names.ok_or_else(|| LoadError::malformed(path, "weight_map names a file by something that is no text"))?;
    // A checkpoint has no business outside its folder.
    match names.iter().find(|name| Path::new(name).components().count() != 1 || name.contains("..")) {
        Some(name) => Err(LoadError::malformed(path, format!("{name:?} is not the name of a file in the folder"))),
        None if names.is_empty() => Err(LoadError::malformed(path, "weight_map is empty")),
        None => Ok(names),
    }
}
