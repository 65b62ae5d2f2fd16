//! Where is ONNX Runtime? Its library is found and opened when the first model is loaded, once per process.
//!
//! Looked at, in this order:
//! 1. the path in the options, and nothing else when it is given;
//! 2. the path in the variable `ORT_DYLIB_PATH`, likewise;
//! 3. `.ort/onnxruntime/capi/` in the current folder and each folder above it, where [`INSTALL_COMMAND`] puts it;
//! 4. the folder of the executable;
//! 5. the names that a system's own library has.

use std::env;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::LoadDynamicError;
use ort::environment::Environment;

use crate::error::{LoadError, one_line};

/// What installs ONNX Runtime into the current folder.
pub const INSTALL_COMMAND: &str = "python3 -m pip install --no-deps --target .ort onnxruntime==1.31.1";

const VARIABLE: &str = "ORT_DYLIB_PATH";
const INSTALL_FOLDER: &str = ".ort/onnxruntime/capi";

#[cfg(target_os = "windows")]
const SYSTEM_NAMES: [&str; 1] = ["onnxruntime.dll"];
#[cfg(target_os = "macos")]
const SYSTEM_NAMES: [&str; 1] = ["libonnxruntime.dylib"];
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const SYSTEM_NAMES: [&str; 2] = ["libonnxruntime.so.1", "libonnxruntime.so"];

/// What the process has opened. ONNX Runtime allows one library and one environment per process, for good.
struct Opened {
    /// The library that is loaded, whether it could be used or not.
    path: Option<PathBuf>,
    environment: Option<Environment>,
}

static OPENED: Mutex<Opened> = Mutex::new(Opened { path: None, environment: None });

/// The environment of the process's library, opened if it is not yet. A failure to load one is not remembered: the next
/// call looks again.
pub(crate) fn open_library(asked: Option<&Path>) -> Result<Environment, LoadError> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let path = match &opened.path {
        Some(path) => check_same(path, asked).map(|()| path.clone())?,
        None => load_first(asked, &mut opened)?,
    };
    if let Some(environment) = &opened.environment {
        return Ok(environment.clone());
    }
    let unusable = |reason| LoadError::Library { reason: format!("{} cannot be used: {reason}", path.display()) };
    let environment = make_environment().map_err(unusable)?;
    Ok(opened.environment.insert(environment).clone())
}

fn check_same(loaded: &Path, asked: Option<&Path>) -> Result<(), LoadError> {
    let Some(asked) = asked else { return Ok(()) };
    if !asked.exists() {
        return Err(missing(asked));
    }
    if absolute(asked) == absolute(loaded) {
        return Ok(());
    }
    Err(LoadError::OtherLibrary { loaded: loaded.to_owned(), asked: asked.to_owned() })
}

fn missing(path: &Path) -> LoadError {
    LoadError::Library { reason: format!("{} does not exist", path.display()) }
}

fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn load_first(asked: Option<&Path>, opened: &mut Opened) -> Result<PathBuf, LoadError> {
    let from_variable = env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let candidates = match asked.map(Path::to_owned).or(from_variable) {
        Some(path) if !path.exists() => return Err(missing(&path)),
        Some(path) => vec![absolute(&path)],
        None => installed().into_iter().chain(SYSTEM_NAMES.map(PathBuf::from)).collect(),
    };
    let mut reasons = Vec::new();
    for path in candidates {
        match load(&path) {
            Ok(()) => return Ok(opened.path.insert(path).clone()),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(LoadError::Library { reason: format!("no library can be used: {}", reasons.join("; ")) })
}

/// Loads a library, for good when that succeeds.
fn load(path: &Path) -> Result<(), String> {
    match unwound(|| ort::init_from(path).map(|_| ())) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(LoadDynamicError::BadVersion { version_str, path })) => {
            let (path, needed) = (path.display(), ort::MINOR_VERSION);
            Err(one_line(format_args!("{path} is version {version_str}, 1.{needed} or newer is needed")))
        }
        Ok(Err(error)) => Err(one_line(error)),
        Err(reason) => Err(one_line(format_args!("{}: {reason}", path.display()))),
    }
}

fn make_environment() -> Result<Environment, String> {
    // The library is loaded, so no other is looked for.
    let build = || ort::init().with_name("formwork").with_telemetry(false).build();
    unwound(build)?.map_err(one_line)
}

/// What `f` gives. A panic, by which `ort` tells that a library does not give what each version of it has, is an error.
fn unwound<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(|_| "it is not a whole library of ONNX Runtime".to_owned())
}

/// Libraries in the folders that are looked into, best first.
fn installed() -> Vec<PathBuf> {
    let current = env::current_dir().unwrap_or_default();
    let mut folders: Vec<PathBuf> = current.ancestors().map(|folder| folder.join(INSTALL_FOLDER)).collect();
    if let Ok(executable) = env::current_exe() {
        folders.extend(executable.parent().map(Path::to_owned));
    }
    folders.iter().flat_map(|folder| libraries_in(folder)).collect()
}

/// ONNX Runtime's libraries in a folder, the newest first.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(Vec<u64>, PathBuf)> = entries
        .filter_map(|entry| Some((version_of_library(entry.file_name().to_str()?)?, entry.path())))
        .filter(|(_, path)| path.is_file())
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The version in a library's name, empty where it has none; `None` for other files, such as providers.
fn version_of_library(name: &str) -> Option<Vec<u64>> {
    let name = name.strip_prefix("lib").unwrap_or(name).strip_prefix("onnxruntime")?;
    let linux = name.strip_prefix(".so");
    let mac = name.strip_suffix(".dylib");
    let windows = name.strip_suffix(".dll");
    let version = linux.or(mac).or(windows)?;
    version.split('.').filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_told_from_their_neighbours() {
        let version = |name| version_of_library(name);
        assert_eq!(version("libonnxruntime.so.1.31.1"), Some(vec![1, 31, 1]));
        assert_eq!(version("libonnxruntime.so"), Some(vec![]));
        assert_eq!(version("libonnxruntime.1.31.1.dylib"), Some(vec![1, 31, 1]));
        assert_eq!(version("onnxruntime.dll"), Some(vec![]));
        for other in ["libonnxruntime_providers_shared.so", "onnxruntime_pybind11_state.so", "onnxruntime", "x.so"] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_comes_first() {
        let folder = env::temp_dir().join(format!("formwork-ort-libraries-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["libonnxruntime.so.1.9.0", "libonnxruntime.so.1.31.1", "libonnxruntime_providers_shared.so"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let found = libraries_in(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, [folder.join("libonnxruntime.so.1.31.1"), folder.join("libonnxruntime.so.1.9.0")]);
    }
}
