//! What happens where ONNX Runtime's library is not what it should be? A process opens one library for good, so each that
//! might be opened is opened in a process of its own: this program again, with the library's path in a variable.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

#[path = "common/library.rs"]
mod library;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

const STUB_VARIABLE: &str = "FORMWORK_ORT_TEST_LIBRARY";

/// A library that is too old, one whose functions are missing, and one without anything in it.
const STUBS: [(&str, &str, &str); 4] = [
    ("old", "#define API &api\n#define VERSION \"1.4.0\"", "version 1.4.0, 1.18 or newer is needed"),
    ("hollow", "#define API 0\n#define VERSION \"1.31.0\"", "not a whole library"),
    ("baseless", "#define NO_BASE\n#define API 0\n#define VERSION \"1.31.0\"", "not a whole library"),
    ("other", "#define OrtGetApiBase another\n#define API 0\n#define VERSION \"\"", "OrtGetApiBase"),
];

const STUB_SOURCE: &str = "
static int api;
static const void *get_api(unsigned version) { (void)&api; return API; }
static const char *get_version(void) { return VERSION; }
static const struct { const void *(*get_api)(unsigned); const char *(*get_version)(void); } base = {get_api, get_version};
#ifdef NO_BASE
const void *OrtGetApiBase(void) { (void)&base; return 0; }
#else
const void *OrtGetApiBase(void) { return &base; }
#endif
";

/// Compiles a stub; `None`, with a message, without a compiler.
fn stub(name: &str, definitions: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, library) = (folder.join(format!("{name}.c")), folder.join(format!("libonnxruntime-{name}.so")));
    fs::write(&source, format!("{definitions}{STUB_SOURCE}")).unwrap();
    match Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).output() {
        Ok(output) if output.status.success() => Some(library),
        Ok(output) => panic!("cc: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            eprintln!("skipped: no C compiler: {error}");
            None
        }
    }
}

#[test]
fn libraries_that_cannot_be_used_are_told_in_one_line() {
    if !cfg!(target_os = "linux") {
        return;
    }
    for (name, definitions, expected) in STUBS {
        let Some(stub) = stub(name, definitions) else { return };
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "in_a_process_of_its_own", "--nocapture"]).env(STUB_VARIABLE, &stub);
        let output = child.output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{name}: {stdout}{}", String::from_utf8_lossy(&output.stderr));
        assert!(stdout.contains(expected), "{name}: {stdout}");
    }
}

/// Does nothing but in the child of the test above.
#[test]
fn in_a_process_of_its_own() {
    let Some(stub) = env::var_os(STUB_VARIABLE).map(PathBuf::from) else { return };
    let is_hollow = stub.to_string_lossy().contains("hollow");
    for _ in 0..2 {
        let error = load(&stub).unwrap_err();
        let message = error.to_string();
        println!("{message}");
        assert!(matches!(error, LoadError::Library { .. }) && message.lines().count() == 1, "{message}");
        assert!(message.contains(&*stub.to_string_lossy()) || message.contains("OrtGetApiBase"), "{message}");
    }
    // One that was loaded stays, though it is of no use. Others leave no trace.
    let Some(library) = library::library() else { return };
    match load(&library) {
        Err(LoadError::OtherLibrary { loaded, .. }) => assert!(is_hollow && loaded == stub),
        loaded => assert!(loaded.is_ok() && !is_hollow),
    }
}
