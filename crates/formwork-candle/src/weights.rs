//! Where is each tensor? The `.safetensors` files of a model as one collection, checked before anything is read from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::Init;
use candle_nn::var_builder::SimpleBackend;
use safetensors::SafeTensors;
use safetensors::tensor::TensorInfo;

use crate::error::LoadError;
use crate::map::FileBytes;

const OUTPUT: &str = "lm_head.weight";
const EMBEDDING: &str = "model.embed_tokens.weight";

/// The tensors of one or more files, by name.
#[derive(Debug)]
pub(crate) struct Weights<'a> {
    files: Vec<WeightFile<'a>>,
    /// File and place of each tensor.
    tensors: BTreeMap<String, (usize, TensorInfo)>,
}

#[derive(Debug)]
struct WeightFile<'a> {
    path: PathBuf,
    bytes: FileBytes<'a>,
    /// Where the header ends: offsets of tensors count from here.
    data_start: usize,
}

impl<'a> Weights<'a> {
    pub(crate) fn new() -> Weights<'a> {
        Weights { files: Vec::new(), tensors: BTreeMap::new() }
    }

    /// Adds a file, whose header must describe its length exactly: a truncated file is refused here.
    pub(crate) fn add(&mut self, path: &Path, bytes: FileBytes<'a>) -> Result<(), LoadError> {
        let (n_header, metadata) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| LoadError::malformed(path, format!("not a whole safetensors file: {error}")))?;
        for name in metadata.offset_keys() {
            let Some(info) = metadata.info(&name) else { continue };
            if self.tensors.insert(name.clone(), (self.files.len(), info.clone())).is_some() {
                return Err(LoadError::malformed(path, format!("tensor {name} is in two files")));
            }
        }
        // Eight bytes give the length of the header.
        self.files.push(WeightFile { path: path.to_owned(), bytes, data_start: n_header + 8 });
        Ok(())
    }

    /// The file to name when the weights as a whole do not fit.
    pub(crate) fn path(&self) -> &Path {
        self.files.first().map_or(Path::new("model.safetensors"), |file| &file.path)
    }

    /// Uses the embedding as output matrix where the file has none; for families whose loader does not do it itself.
    pub(crate) fn tie_output(&mut self) {
        if let (None, Some(embedding)) = (self.tensors.get(OUTPUT), self.tensors.get(EMBEDDING)) {
            self.tensors.insert(OUTPUT.to_owned(), embedding.clone());
        }
    }

    /// Checks that a tensor is there and has this shape.
    pub(crate) fn check(&self, name: &str, shape: &[usize]) -> Result<(), String> {
        let (_, info) = self.tensors.get(name).ok_or_else(|| format!("tensor {name} is missing"))?;
        match info.shape == shape {
            true => Ok(()),
            false => Err(format!("tensor {name} has shape {:?}, config.json asks for {shape:?}", info.shape)),
        }
    }

    fn read(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let Some((file_idx, info)) = self.tensors.get(name) else {
            candle_core::bail!("tensor {name} is missing");
        };
        let file = &self.files[*file_idx];
        let (start, end) = (file.data_start + info.data_offsets.0, file.data_start + info.data_offsets.1);
        let stored = match info.dtype {
            safetensors::Dtype::F16 => DType::F16,
            safetensors::Dtype::BF16 => DType::BF16,
            safetensors::Dtype::F32 => DType::F32,
            safetensors::Dtype::F64 => DType::F64,
            other => candle_core::bail!("tensor {name} has numbers of type {other:?}, which is not supported"),
        };
        // `add` has checked that the range lies within the file and is as long as the shape says.
        Tensor::from_raw_buffer(&file.bytes[start..end], stored, &info.shape, device)?.to_dtype(dtype)
    }
}

impl SimpleBackend for Weights<'_> {
    fn get(&self, s: Shape, name: &str, _: Init, dtype: DType, dev: &Device) -> candle_core::Result<Tensor> {
        self.check(name, s.dims()).map_err(candle_core::Error::msg)?;
        self.read(name, dtype, dev)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, dev: &Device) -> candle_core::Result<Tensor> {
        self.read(name, dtype, dev)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}
