//! How many cases of the JSON-Schema-Test-Suite does the engine judge right? Counts by keyword file.
//!
//! An instance is matched as it stands in the suite's file, byte by byte, in free layout and with keys in
//! any order. A schema that is refused counts
//! all its instances as refused; a panic is a refusal that is counted apart.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use formwork::grammar::KeyOrder;
use formwork::json_schema::{Layout, SchemaOptions};
use formwork::{Compiler, Grammar};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::vocabulary::SmallVocabulary;

/// What became of instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Instances: the sum of the next four.
    pub cases: usize,
    /// Judged as the suite says.
    pub right: usize,
    /// Accepted and invalid.
    pub wrong_accept: usize,
    /// Rejected and valid.
    pub wrong_reject: usize,
    /// Not judged: the schema is refused.
    pub refused: usize,
    /// Of the refused, those where the engine panicked.
    pub panicked: usize,
}

impl Counts {
    /// The sum of both.
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            cases: self.cases + other.cases,
            right: self.right + other.right,
            wrong_accept: self.wrong_accept + other.wrong_accept,
            wrong_reject: self.wrong_reject + other.wrong_reject,
            refused: self.refused + other.refused,
            panicked: self.panicked + other.panicked,
        }
    }
}

/// Counts by keyword file, such as `items` or `optional/format/date`.
pub type SuiteCounts = BTreeMap<String, Counts>;

#[derive(Deserialize)]
struct Group<'a> {
    schema: Value,
    #[serde(borrow)]
    tests: Vec<Test<'a>>,
}

#[derive(Deserialize)]
struct Test<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    valid: bool,
}

/// Runs all files of one draft, the optional ones too. `suite` is the folder that holds `tests`.
///
/// # Errors
/// When a file cannot be read or is not of the suite's form.
pub fn run_draft(suite: &Path, draft: &str) -> io::Result<SuiteCounts> {
    let root = suite.join("tests").join(draft);
    let mut files = Vec::new();
    find_files(&root, &mut files)?;
    files.sort();
    let compiler = Compiler::builder(SmallVocabulary::bytes().to_formwork()).cached_grammars(0).build();
    let mut counts = SuiteCounts::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap_or(&file).with_extension("");
        counts.insert(name.to_string_lossy().replace('\\', "/"), run_file(&compiler, &file, draft)?);
    }
    Ok(counts)
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}

fn run_file(compiler: &Compiler, file: &Path, draft: &str) -> io::Result<Counts> {
    let text = fs::read_to_string(file)?;
    let groups: Vec<Group<'_>> = serde_json::from_str(&text)?;
    let mut counts = Counts::default();
    for mut group in groups {
        name_dialect(&mut group.schema, draft);
        let judge = AssertUnwindSafe(|| run_group(compiler, &group));
        let n_tests = group.tests.len();
        let panicked = Counts { cases: n_tests, refused: n_tests, panicked: n_tests, ..Counts::default() };
        counts = counts.plus(catch_unwind(judge).unwrap_or(panicked));
    }
    Ok(counts)
}

/// The suite says a schema's dialect by the folder it lies in; the engine reads it from the schema.
fn name_dialect(schema: &mut Value, draft: &str) {
    let uri = match draft {
        "draft4" => "http://json-schema.org/draft-04/schema#",
        "draft6" => "http://json-schema.org/draft-06/schema#",
        "draft7" => "http://json-schema.org/draft-07/schema#",
        "draft2019-09" => "https://json-schema.org/draft/2019-09/schema",
        _ => "https://json-schema.org/draft/2020-12/schema",
    };
    if let Some(object) = schema.as_object_mut()
        && !object.contains_key("$schema")
    {
        object.insert("$schema".to_owned(), uri.into());
    }
}

fn run_group(compiler: &Compiler, group: &Group<'_>) -> Counts {
    let options = SchemaOptions { layout: Layout::FREE, key_order: KeyOrder::Any, ..SchemaOptions::default() };
    let cases = group.tests.len();
    let Ok(compiled) = compiler.compile(&Grammar::json_schema(group.schema.clone()).with_options(options)) else {
        return Counts { cases, refused: cases, ..Counts::default() };
    };
    let mut counts = Counts { cases, ..Counts::default() };
    for test in &group.tests {
        let mut matcher = compiled.matcher();
        let accepted = matcher.accept_bytes(test.data.get().as_bytes()).is_ok() && matcher.is_accepting();
        match (test.valid, accepted) {
            (false, true) => counts.wrong_accept += 1,
            (true, false) => counts.wrong_reject += 1,
            _ => counts.right += 1,
        }
    }
    counts
}
