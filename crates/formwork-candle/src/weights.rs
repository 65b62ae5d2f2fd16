//! Where is each tensor? The `.safetensors` files of a model as one collection, checked before anything is read from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::TensorInfo;

use crate::error::LoadError;
use crate::map::FileBytes;

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

    /// Checks that a tensor is there and has this shape, and reads it.
    pub(crate) fn read(&self, name: &str, shape: &[usize], dtype: DType, device: &Device) -> Result<Tensor, LoadError> {
        let Some((file_idx, info)) = self.tensors.get(name) else {
            return Err(LoadError::malformed(self.path(), format!("tensor {name} is missing")));
        };
        let file = &self.files[*file_idx];
        if info.shape != shape {
            let reason = format!("tensor {name} has shape {:?}, config.json asks for {shape:?}", info.shape);
            return Err(LoadError::malformed(&file.path, reason));
        }
        let stored = match info.dtype {
            safetensors::Dtype::F16 => DType::F16,
            safetensors::Dtype::BF16 => DType::BF16,
            safetensors::Dtype::F32 => DType::F32,
            safetensors::Dtype::F64 => DType::F64,
            other => {
                return Err(LoadError::unsupported(
                    &file.path,
                    format!("tensor {name} with numbers of type {other:?}"),
                ));
            }
        };
        let (start, end) = (file.data_start + info.data_offsets.0, file.data_start + info.data_offsets.1);
        // `add` has checked that the range lies within the file and is as long as the shape says.
        Tensor::from_raw_buffer(&file.bytes[start..end], stored, shape, device)
            .and_then(|tensor| tensor.to_dtype(dtype))
            .map_err(|error| LoadError::malformed(&file.path, format!("tensor {name}: {error}")))
    }

    /// What candle could not do with the tensors of this name.
    pub(crate) fn failed(&self, name: &str, error: candle_core::Error) -> LoadError {
        LoadError::malformed(self.path(), format!("{name}: {error}"))
    }

    /// The file to name when a tensor is in none of them.
    fn path(&self) -> &Path {
        self.files.first().map_or(Path::new("model.safetensors"), |file| &file.path)
    }
}
