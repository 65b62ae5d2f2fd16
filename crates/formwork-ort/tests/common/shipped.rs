//! The model that ships with us, in the form for ONNX Runtime, and how its logits are compared.

#[path = "library.rs"]
mod library;

use std::path::{Path, PathBuf};

use formwork::TokenId;
use formwork_decode::Logits;
use formwork_ort::{LoadedModel, OrtOptions};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../formwork-cli/model")
}

pub(crate) fn options() -> Option<OrtOptions> {
    Some(OrtOptions { library: Some(library::library()?), threads: Some(1), ..OrtOptions::default() })
}

pub(crate) fn load() -> Option<LoadedModel> {
    Some(LoadedModel::from_folder(folder(), &options()?).unwrap())
}

pub(crate) fn tokens(ids: impl IntoIterator<Item = u32>) -> Vec<TokenId> {
    ids.into_iter().map(TokenId::new).collect()
}

pub(crate) fn copied(mut logits: Box<dyn Logits>) -> Vec<f32> {
    let mut out = Vec::new();
    logits.copy_to(&mut out).unwrap();
    out
}

pub(crate) fn assert_close(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let greatest = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(a.iter().all(|logit| logit.is_finite()) && greatest < 1e-3, "{what}: logits differ by {greatest}");
}
