//! Where do tests get ONNX Runtime from? The library that is there, or one that pip installs into `.ort/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const PACKAGE: &str = "onnxruntime==1.31.1";

/// The library; `None`, with a message, where it is not there and pip cannot install it.
pub(crate) fn library() -> Option<PathBuf> {
    static LIBRARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match LIBRARY.get_or_init(find_or_install) {
        Ok(path) => Some(path.clone()),
        Err(reason) => {
            eprintln!("skipped: ONNX Runtime is not there: {reason}");
            None
        }
    }
}

fn find_or_install() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH") {
        return Ok(path.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = root.join(".ort");
    if let Some(path) = library_in(&target) {
        return Ok(path);
    }
    // Into a folder of this process's own first, so that no other sees half of it.
    let fresh = root.join(format!(".ort-{}", std::process::id()));
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(&fresh).arg(PACKAGE);
    let output = pip.output().map_err(|error| format!("python3: {error}"))?;
    if !output.status.success() {
        let _ = fs::remove_dir_all(&fresh);
        return Err(format!("pip: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    if fs::rename(&fresh, &target).is_err() {
        // Another process was faster.
        let _ = fs::remove_dir_all(&fresh);
    }
    library_in(&target).ok_or_else(|| format!("{PACKAGE} has no library"))
}

fn library_in(target: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(target.join("onnxruntime/capi")).ok()?;
    let is_library = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        ["libonnxruntime.so", "libonnxruntime.", "onnxruntime.dll"].iter().any(|start| name.starts_with(start))
    };
    entries.flatten().map(|entry| entry.path()).find(is_library)
}
