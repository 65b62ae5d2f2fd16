//! Did a change change masks? Two `--out` files of `maskbench`, schema by schema.
//!
//! A schema's line holds a digest of all its masks in their order, and how the schema ended; both must be as before.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

/// One line of a file, of which only this is compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Line {
    group: String,
    name: String,
    engine: String,
    outcome: String,
    digest: String,
}

/// What a schema of one engine is found by; the number tells schemas of one name apart.
type Key = (String, String, String, usize);

/// How two files relate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Schemas with the same digest and outcome.
    pub n_equal: usize,
    /// Schemas with another digest or outcome, in the order of the old file.
    pub different: Vec<String>,
    /// Schemas of the old file that the new one lacks.
    pub only_old: Vec<String>,
    /// Schemas of the new file that the old one lacks.
    pub only_new: Vec<String>,
}

impl Comparison {
    /// Compares lines; where `engines` is not empty, only theirs.
    pub fn new(old: Vec<Line>, new: Vec<Line>, engines: &[String]) -> Comparison {
        let mut comparison = Comparison::default();
        let new = keyed(new, engines);
        let mut in_new: HashMap<&Key, &Line> = new.iter().map(|(key, line)| (key, line)).collect();
        for (key, line) in &keyed(old, engines) {
            match in_new.remove(key) {
                Some(other) if other == line => comparison.n_equal += 1,
                Some(_) => comparison.different.push(describe(key)),
                None => comparison.only_old.push(describe(key)),
            }
        }
        let left = new.iter().filter(|(key, _)| in_new.contains_key(key));
        comparison.only_new = left.map(|(key, _)| describe(key)).collect();
        comparison
    }

    /// Whether both files have the same schemas, and all of them the same masks. Two empty files say nothing.
    pub fn is_equal(&self) -> bool {
        self.n_equal > 0 && self.different.is_empty() && self.only_old.is_empty() && self.only_new.is_empty()
    }
}

fn keyed(lines: Vec<Line>, engines: &[String]) -> Vec<(Key, Line)> {
    let mut n_seen: HashMap<(String, String, String), usize> = HashMap::new();
    let lines = lines.into_iter().filter(|line| engines.is_empty() || engines.contains(&line.engine));
    let keyed = lines.map(|line| {
        let n_seen = n_seen.entry((line.engine.clone(), line.group.clone(), line.name.clone())).or_default();
        *n_seen += 1;
        ((line.engine.clone(), line.group.clone(), line.name.clone(), *n_seen), line)
    });
    keyed.collect()
}

fn describe((engine, group, name, number): &Key) -> String {
    let number = if *number > 1 { format!(" (number {number} of that name)") } else { String::new() };
    format!("{engine} {group}/{name}{number}")
}

/// Reads a file that `maskbench --out` wrote.
///
/// # Errors
/// When it cannot be read, or is no such file.
pub fn read(path: &Path) -> Result<Vec<Line>, String> {
    let failed = |error: String| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let line = |line: std::io::Result<String>| {
        serde_json::from_str(&line.map_err(|error| failed(error.to_string()))?)
            .map_err(|error| failed(error.to_string()))
    };
    BufReader::new(file).lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, engine: &str, digest: &str) -> Line {
        let text = |text: &str| text.to_owned();
        Line {
            group: text("g"),
            name: text(name),
            engine: text(engine),
            outcome: text("passing"),
            digest: text(digest),
        }
    }

    #[test]
    fn equal_files_are_equal_in_any_order() {
        let lines = vec![line("a", "formwork", "1"), line("b", "formwork", "2"), line("b", "formwork", "3")];
        let moved = vec![lines[1].clone(), lines[0].clone(), lines[2].clone()];
        let comparison = Comparison::new(lines, moved, &[]);
        assert_eq!(comparison.n_equal, 3);
        assert!(comparison.is_equal());
    }

    #[test]
    fn what_changed_or_is_missing_is_named() {
        let old = vec![line("a", "formwork", "1"), line("b", "formwork", "2"), line("a", "peer", "1")];
        let new = vec![line("a", "formwork", "9"), line("c", "formwork", "2"), line("a", "peer", "8")];
        let comparison = Comparison::new(old, new, &["formwork".to_owned()]);
        assert_eq!(comparison.different, ["formwork g/a"]);
        assert_eq!(
            (comparison.only_old, comparison.only_new),
            (vec!["formwork g/b".into()], vec!["formwork g/c".into()])
        );
        assert_eq!(comparison.n_equal, 0);
    }

    #[test]
    fn another_outcome_is_a_difference_and_nothing_is_no_proof() {
        let old = line("a", "formwork", "0");
        let new = Line { outcome: "refused".to_owned(), ..old.clone() };
        assert!(!Comparison::new(vec![old], vec![new], &[]).is_equal());
        assert!(!Comparison::new(Vec::new(), Vec::new(), &[]).is_equal());
    }
}
