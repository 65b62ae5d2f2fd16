//! Which cases are there? MaskBench schemas with their instances, from folders or files, sampled by a seed.
//!
//! A file `NAME.json` holds one case, `{"schema": ..., "tests": [{"valid": ..., "data": ...}]}`; a file `GROUP.jsonl` holds
//! one on each line, with a `name`. The text of a case is kept and parsed when its turn comes: all cases parsed at once would
//! take ten times the memory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::python_json;

/// One case, not yet parsed.
#[derive(Clone, Debug)]
pub struct CaseText {
    /// The file it came from, without folder and extension.
    pub group: String,
    json: String,
}

/// A schema and what should become of its instances.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name in the data, or the file's.
    pub name: String,
    /// The schema.
    pub schema: Value,
    /// The instances, as Python would print them.
    pub instances: Vec<Instance>,
    /// Instances left out because they are not Unicode text.
    pub n_left_out: usize,
}

/// One document and whether the schema admits it.
#[derive(Clone, Debug)]
pub struct Instance {
    /// What the data says.
    pub valid: bool,
    /// `json.dumps(data, ensure_ascii=False)`.
    pub text: String,
}

#[derive(Deserialize)]
struct CaseFile<'a> {
    name: Option<String>,
    schema: Value,
    #[serde(borrow, default)]
    tests: Vec<TestFile<'a>>,
}

#[derive(Deserialize)]
struct TestFile<'a> {
    valid: bool,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl CaseText {
    /// Parses the case.
    ///
    /// # Errors
    /// When the text is not a case.
    pub fn parse(&self) -> Result<Case, serde_json::Error> {
        let file: CaseFile<'_> = serde_json::from_str(&self.json)?;
        let instances: Vec<Instance> = file.tests.iter().filter_map(Instance::from_file).collect();
        Ok(Case {
            name: file.name.unwrap_or_else(|| self.group.clone()),
            schema: file.schema,
            n_left_out: file.tests.len() - instances.len(),
            instances,
        })
    }
}

impl Instance {
    fn from_file(test: &TestFile<'_>) -> Option<Instance> {
        let text = python_json::dumps(test.data.get()).ok()?;
        Some(Instance { valid: test.valid, text })
    }
}

/// All cases below `paths`: files in the order of their names, lines in the order of the file.
///
/// # Errors
/// When a path cannot be read, or is neither a folder nor a `.json` or `.jsonl` file.
pub fn read_cases(paths: &[PathBuf]) -> io::Result<Vec<CaseText>> {
    let mut cases = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut files: Vec<PathBuf> =
                fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
            files.retain(|file| is_case_file(file));
            files.sort();
            for file in &files {
                read_file(file, &mut cases)?;
            }
        } else if is_case_file(path) {
            read_file(path, &mut cases)?;
        } else {
            let reason = format!("{}: not a folder, a .json or a .jsonl file", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
    }
    Ok(cases)
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

fn is_case_file(path: &Path) -> bool {
    matches!(extension(path), "json" | "jsonl")
}

fn read_file(path: &Path, cases: &mut Vec<CaseText>) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(named)?;
    let group = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if extension(path) == "json" {
        cases.push(CaseText { group, json: text });
    } else {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        cases.extend(lines.map(|line| CaseText { group: group.clone(), json: line.to_owned() }));
    }
    Ok(())
}

/// `n` of the items, chosen by `seed`, in their old order; all of them where there are no more.
pub fn sample<T>(items: Vec<T>, n: usize, seed: u64) -> Vec<T> {
    let mut keys: Vec<(u64, usize)> = (0..items.len()).map(|index| (split_mix(seed, index as u64), index)).collect();
    keys.sort_unstable();
    let mut is_chosen = vec![false; items.len()];
    for &(_, index) in keys.iter().take(n) {
        is_chosen[index] = true;
    }
    items.into_iter().zip(is_chosen).filter_map(|(item, chosen)| chosen.then_some(item)).collect()
}

/// The `index`-th number of the SplitMix64 sequence of `seed` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, 2014).
pub fn split_mix(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add((index.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_a_schema_and_printed_instances() {
        let json = r#"{"name":"n","schema":{"type":"object"},"tests":[{"valid":true,"data":{"a":1e2}},{"valid":false,"data":"\ud800"}]}"#;
        let case = CaseText { group: "g".to_owned(), json: json.to_owned() }.parse().unwrap();
        assert_eq!((case.name.as_str(), case.instances.len(), case.n_left_out), ("n", 1, 1));
        assert_eq!(case.instances[0].text, r#"{"a": 100.0}"#);
    }

    #[test]
    fn a_sample_keeps_order_and_depends_on_the_seed_alone() {
        let all: Vec<usize> = (0..100).collect();
        let first = sample(all.clone(), 10, 1);
        assert_eq!(first.len(), 10);
        assert!(first.is_sorted());
        assert_eq!(first, sample(all.clone(), 10, 1));
        assert_ne!(first, sample(all.clone(), 10, 2));
        assert_eq!(sample(all.clone(), 1_000, 1), all);
    }
}
