//! Which documents may a schema refer to? Files and folders that the user names; nothing is ever fetched.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use formwork::json_schema::Documents;

use crate::failure::Failure;
use crate::input::read_bytes;

/// Documents beside the schema.
#[derive(Args, Debug)]
pub(crate) struct DocumentArgs {
    /// File, or folder of .json files, that the schema may refer to (may be given again)
    ///
    /// A document is found by its $id, and by its name: the URI before the =, where there is one, and the file's path in the
    /// folder.
    #[arg(long = "documents", value_name = "[URI=]PATH")]
    paths: Vec<String>,
}

impl DocumentArgs {
    /// Reads them.
    pub(crate) fn documents(&self) -> Result<Documents, Failure> {
        let mut documents = Documents::new();
        for argument in &self.paths {
            let (prefix, path) = match argument.rsplit_once('=') {
                Some((prefix, path)) if !Path::new(argument).exists() => (prefix, Path::new(path)),
                _ => ("", Path::new(argument)),
            };
            if path.is_dir() {
                for file in json_files(path)? {
                    let name = file.strip_prefix(path).unwrap_or(&file).to_string_lossy().replace('\\', "/");
                    add(&mut documents, format!("{prefix}{name}"), &file)?;
                }
            } else {
                let name = match prefix {
                    "" => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    prefix => prefix.to_owned(),
                };
                add(&mut documents, name, path)?;
            }
        }
        Ok(documents)
    }
}

fn add(documents: &mut Documents, uri: String, path: &Path) -> Result<(), Failure> {
    let document: serde_json::Value =
        serde_json::from_slice(&read_bytes(path)?).map_err(|error| Failure::about(path.display(), error))?;
    documents.insert(uri, document);
    Ok(())
}

/// All .json files below a folder, sorted.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let unreadable = |error| Failure::about(format!("cannot read {}", folder.display()), error);
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            // A link to a folder may lead in a circle.
            if entry.file_type().map_err(unreadable)?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
