//! How many cases of the JSON-Schema-Test-Suite does the engine judge right? Counts by keyword file, and what is not right.
//!
//! An instance is matched as it stands in the suite's file, byte by byte, in free layout and with keys in any order.
//! A schema that is refused leaves its instances unjudged, but for one that is refused because nothing can be valid:
//! that is a verdict. Formats are annotations, except in the optional files that test them as assertions.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use formwork::grammar::KeyOrder;
use formwork::json_schema::{Documents, FormatMode, Layout, SchemaOptions};
use formwork::{CompileError, Compiler, Grammar};
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
    /// Not judged: the schema is refused.
    pub unsupported: usize,
    /// Accepted and invalid.
    pub wrong_accept: usize,
    /// Rejected and valid.
    pub wrong_reject: usize,
    /// Of the unsupported, those where the engine panicked.
    #[serde(default)]
    pub panicked: usize,
}

impl Counts {
    /// The sum of both.
    pub fn plus(self, other: Counts) -> Counts {
        Counts {
            cases: self.cases + other.cases,
            right: self.right + other.right,
            unsupported: self.unsupported + other.unsupported,
            wrong_accept: self.wrong_accept + other.wrong_accept,
            wrong_reject: self.wrong_reject + other.wrong_reject,
            panicked: self.panicked + other.panicked,
        }
    }
}

/// What running one draft of the suite showed.
#[derive(Clone, Debug, Default)]
pub struct SuiteRun {
    /// Counts by keyword file, such as `items` or `optional/format/date`.
    pub files: BTreeMap<String, Counts>,
    /// Instances that were judged wrongly.
    pub wrong: Vec<Finding>,
    /// Schemas that were refused.
    pub unsupported: Vec<Finding>,
}

/// Something that is not right.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The keyword file.
    pub file: String,
    /// The descriptions of the group and, for an instance, of the test.
    pub case: String,
    /// What happened.
    pub reason: String,
}

/// Counts as they are written to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Files outside `optional`.
    pub required: Counts,
    /// Files in `optional`.
    pub optional: Counts,
    /// All files.
    pub all: Counts,
    /// Each file.
    #[serde(default)]
    pub files: BTreeMap<String, Counts>,
}

impl SuiteRun {
    /// The sums.
    pub fn summary(&self) -> Summary {
        let sum = |is_optional: bool| {
            let part = self.files.iter().filter(|(name, _)| name.starts_with("optional/") == is_optional);
            part.map(|(_, counts)| *counts).fold(Counts::default(), Counts::plus)
        };
        let (required, optional) = (sum(false), sum(true));
        Summary { required, optional, all: required.plus(optional), files: self.files.clone() }
    }
}

#[derive(Deserialize)]
struct Group<'a> {
    description: String,
    #[serde(borrow)]
    schema: &'a RawValue,
    #[serde(borrow)]
    tests: Vec<Test<'a>>,
}

#[derive(Deserialize)]
struct Test<'a> {
    description: String,
    #[serde(borrow)]
    data: &'a RawValue,
    valid: bool,
}

/// Runs all files of one draft, the optional ones too. `suite` is the folder that holds `tests` and `remotes`.
///
/// # Errors
/// When a file cannot be read or is not of the suite's form.
pub fn run_draft(suite: &Path, draft: &str) -> io::Result<SuiteRun> {
    let root = suite.join("tests").join(draft);
    let mut runner = Runner {
        compiler: Compiler::builder(SmallVocabulary::bytes().to_formwork()).cached_grammars(0).build(),
        documents: remotes(&suite.join("remotes"))?,
        draft,
        run: SuiteRun::default(),
    };
    for path in json_files(&root)? {
        let name = name_below(&root, &path.with_extension(""));
        runner.file(&name, &path)?;
    }
    Ok(runner.run)
}

/// The documents that the suite expects to find at `http://localhost:1234`.
fn remotes(folder: &Path) -> io::Result<Documents> {
    let mut documents = Documents::new();
    for path in if folder.is_dir() { json_files(folder)? } else { Vec::new() } {
        let document: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
        documents.insert(format!("http://localhost:1234/{}", name_below(folder, &path)), document);
    }
    Ok(documents)
}

/// All JSON files below a folder, sorted.
fn json_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The path below `root`, with slashes.
fn name_below(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

struct Runner<'a> {
    compiler: Compiler,
    documents: Documents,
    draft: &'a str,
    run: SuiteRun,
}

impl Runner<'_> {
    fn file(&mut self, name: &str, path: &Path) -> io::Result<()> {
        let text = fs::read_to_string(path)?;
        let groups: Vec<Group<'_>> = serde_json::from_str(&text)?;
        let mut counts = Counts::default();
        for group in groups {
            let n_tests = group.tests.len();
            let judged = catch_unwind(AssertUnwindSafe(|| self.group(name, &group)));
            counts = counts.plus(judged.unwrap_or_else(|_| {
                self.run.unsupported.push(finding(name, &group.description, "the engine panicked"));
                Counts { cases: n_tests, unsupported: n_tests, panicked: n_tests, ..Counts::default() }
            }));
        }
        self.run.files.insert(name.to_owned(), counts);
        Ok(())
    }

    fn group(&mut self, file: &str, group: &Group<'_>) -> Counts {
        let cases = group.tests.len();
        let asserted = file.starts_with("optional/format");
        let options = SchemaOptions {
            layout: Layout::FREE,
            key_order: KeyOrder::Any,
            formats: if asserted { FormatMode::Assert } else { FormatMode::Annotate },
            ..SchemaOptions::default()
        };
        let schema = match file {
            "optional/no-schema" => group.schema.get().to_owned(),
            _ => in_dialect(group.schema.get(), self.draft),
        };
        let grammar = Grammar::json_schema_text(schema).with_options(options);
        let grammar = grammar.with_documents(self.documents.clone());
        let compiled = match self.compiler.compile(&grammar) {
            Ok(compiled) => Some(compiled),
            Err(error) if is_unsatisfiable(&error) => None,
            Err(error) => {
                self.run.unsupported.push(finding(file, &group.description, &error.to_string()));
                return Counts { cases, unsupported: cases, ..Counts::default() };
            }
        };
        let mut counts = Counts { cases, ..Counts::default() };
        for test in &group.tests {
            let accepted = compiled.as_ref().is_some_and(|compiled| {
                let mut matcher = compiled.matcher();
                matcher.accept_bytes(test.data.get().as_bytes()).is_ok() && matcher.is_accepting()
            });
            let count = match (test.valid, accepted) {
                (false, true) => &mut counts.wrong_accept,
                (true, false) => &mut counts.wrong_reject,
                _ => &mut counts.right,
            };
            *count += 1;
            if test.valid != accepted {
                let verb = if accepted { "accepted" } else { "rejected" };
                let case = format!("{} / {}", group.description, test.description);
                let data: String = test.data.get().chars().take(200).collect();
                self.run.wrong.push(finding(file, &case, &format!("wrongly {verb}: {data}")));
            }
        }
        counts
    }
}

fn is_unsatisfiable(error: &CompileError) -> bool {
    matches!(error, CompileError::Schema(error) if error.is_unsatisfiable())
}

fn finding(file: &str, case: &str, reason: &str) -> Finding {
    Finding { file: file.to_owned(), case: case.to_owned(), reason: reason.to_owned() }
}

/// The suite says a schema's dialect by the folder it lies in; the engine reads it from the schema. The rest of the text
/// stays as it is, so that no number is rounded.
fn in_dialect(schema: &str, draft: &str) -> String {
    let uri = match draft {
        "draft3" => "http://json-schema.org/draft-03/schema#",
        "draft4" => "http://json-schema.org/draft-04/schema#",
        "draft6" => "http://json-schema.org/draft-06/schema#",
        "draft7" => "http://json-schema.org/draft-07/schema#",
        "draft2019-09" => "https://json-schema.org/draft/2019-09/schema",
        _ => "https://json-schema.org/draft/2020-12/schema",
    };
    let members = match serde_json::from_str(schema) {
        Ok(Value::Object(members)) if !members.contains_key("$schema") => members,
        _ => return schema.to_owned(),
    };
    let comma = if members.is_empty() { "" } else { "," };
    schema.replacen('{', &format!("{{\"$schema\": \"{uri}\"{comma}"), 1)
}
