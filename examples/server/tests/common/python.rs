//! Where do tests get the official clients from? A virtual environment in the repository, made once with pip.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Kept by git elsewhere than where it is installed: a change of versions makes a new environment.
const REQUIREMENTS: &str = "requirements.txt";

/// The folder with the Python files.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// A Python that has the packages; `None`, with a message, where there is none and none can be made.
pub(crate) fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match PYTHON.get_or_init(find_or_install) {
        Ok(path) => Some(path.clone()),
        Err(reason) => {
            // Not by a macro, whose output is shown of tests that fail alone.
            let _ = writeln!(io::stderr(), "SKIPPED: the official clients are not tested: {reason}");
            None
        }
    }
}

fn find_or_install() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().map_err(|error| error.to_string())?;
    let target = root.join(".venv-clients");
    let wanted = fs::read_to_string(scripts().join(REQUIREMENTS)).map_err(|error| error.to_string())?;
    let is_there = || fs::read_to_string(target.join(REQUIREMENTS)).is_ok_and(|installed| installed == wanted);
    if !is_there() {
        // Made under a name of this process's own first, so that no other sees half of it.
        let fresh = root.join(format!(".venv-clients-{}", std::process::id()));
        let made = install(&fresh).and_then(|()| {
            let _ = fs::remove_dir_all(&target);
            fs::rename(&fresh, &target).map_err(|error| error.to_string())
        });
        if let Err(reason) = made {
            let _ = fs::remove_dir_all(&fresh);
            // Another process may have been faster.
            return if is_there() { Ok(target.join("bin/python")) } else { Err(reason) };
        }
    }
    Ok(target.join("bin/python"))
}

/// An environment in `folder`. It works under another name, too, as long as nothing but `bin/python` is called.
fn install(folder: &Path) -> Result<(), String> {
    let requirements = scripts().join(REQUIREMENTS);
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&requirements);
    run(&mut pip)?;
    fs::copy(&requirements, folder.join(REQUIREMENTS)).map(|_| ()).map_err(|error| error.to_string())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        // The reason stands at the end, whichever of both it was written to.
        false => {
            Err([output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).trim().to_owned()).concat())
        }
    }
}
