//! What happens where ONNX Runtime's library is not what it should be? One test: a process opens one library for good.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

#[path = "common/library.rs"]
mod library;

use std::path::{Path, PathBuf};

use formwork_ort::{INSTALL_COMMAND, LoadError, LoadedModel, OrtOptions};

fn load(library: &Path) -> Result<LoadedModel, LoadError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formwork-cli/model");
    let options = OrtOptions { library: Some(library.to_owned()), ..OrtOptions::default() };
    LoadedModel::from_folder(folder, &options)
}

#[test]
fn faults_do_not_keep_the_right_library_from_being_opened() {
    let missing = PathBuf::from("no/such/libonnxruntime.so");
    let message = load(&missing).unwrap_err().to_string();
    assert!(message.contains("no/such/libonnxruntime.so does not exist"), "{message}");
    assert!(message.contains(INSTALL_COMMAND), "{message}");

    let no_library = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let message = load(&no_library).unwrap_err().to_string();
    assert!(message.contains("Cargo.toml") && message.contains(INSTALL_COMMAND), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");

    let Some(library) = library::library() else { return };
    load(&library).unwrap();
    assert!(matches!(load(&no_library), Err(LoadError::OtherLibrary { .. })));
    assert!(matches!(load(&missing), Err(LoadError::Library { .. })));
    load(&library).unwrap();
}
