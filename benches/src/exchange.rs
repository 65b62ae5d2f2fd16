//! How does an engine of another language take part? It is given the same tokens in a file, and gives its times in another.
//!
//! The file of tokens has the vocabulary in its first line, `{"tokens": [TEXT in hexadecimal, or null], "stops": [ID]}`, then a
//! line for each schema: `{"name", "schema", "instances": [{"valid", "tokens": [ID]}]}`. The file of times has a line for each
//! schema: `{"name", "outcome", "reason", "first_mask_ns", "mask_ns": [..], "accept_ns": [..]}` with the outcomes `passing`,
//! `wrong_accept`, `wrong_reject` and `refused`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use crate::engine::Refusal;
use crate::run::{Measurement, Outcome, TokenCase};
use crate::vocabulary::{BenchVocabulary, Entry};

/// Writes a file of tokens.
pub struct TokenWriter(BufWriter<File>);

impl TokenWriter {
    /// Begins a file with the vocabulary.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(path: &Path, vocabulary: &BenchVocabulary) -> io::Result<TokenWriter> {
        let mut out = BufWriter::new(File::create(path)?);
        let tokens: Vec<Option<String>> = vocabulary.entries.iter().map(text).collect();
        writeln!(out, "{}", json!({"tokens": tokens, "stops": vocabulary.stop_ids()}))?;
        Ok(TokenWriter(out))
    }

    /// Adds a schema.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, case: &TokenCase) -> io::Result<()> {
        let instance = |it: &crate::run::TokenInstance| json!({"valid": it.valid, "tokens": it.tokens});
        let instances: Vec<_> = case.instances.iter().map(instance).collect();
        writeln!(self.0, "{}", json!({"name": case.name, "schema": case.schema, "instances": instances}))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A text token in hexadecimal.
fn text(entry: &Entry) -> Option<String> {
    let Entry::Text(bytes) = entry else { return None };
    Some(bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

/// What an engine of another language measured, by schema.
#[derive(Debug)]
pub struct Recorded {
    name: String,
    lines: HashMap<String, Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    name: String,
    outcome: String,
    reason: Option<String>,
    first_mask_ns: Option<u64>,
    #[serde(default)]
    mask_ns: Vec<u64>,
    #[serde(default)]
    accept_ns: Vec<u64>,
}

impl Recorded {
    /// Reads a file of times; the engine is called after it.
    ///
    /// # Errors
    /// When it cannot be read, or is no file of times.
    pub fn read(path: &Path) -> Result<Recorded, String> {
        let failed = |error: String| format!("{}: {error}", path.display());
        let file = BufReader::new(File::open(path).map_err(|error| failed(error.to_string()))?);
        let mut lines = HashMap::new();
        for line in file.lines() {
            let line = line.map_err(|error| failed(error.to_string()))?;
            let line: Line = serde_json::from_str(&line).map_err(|error| failed(error.to_string()))?;
            lines.insert(line.name.clone(), line);
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("recorded").to_owned();
        Ok(Recorded { name, lines })
    }

    /// What the engine is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it measured for a schema; one that is not in the file counts as refused.
    pub fn measurement(&self, case: &str) -> Measurement {
        let refused = |reason: &str| Outcome::Refused(Refusal { group: reason.to_owned(), message: reason.to_owned() });
        let mut measurement = Measurement::new();
        let Some(line) = self.lines.get(case) else {
            measurement.outcome = refused("not in the file");
            return measurement;
        };
        measurement.outcome = match &*line.outcome {
            "passing" => Outcome::Passing,
            "wrong_accept" => Outcome::WrongAccept,
            "wrong_reject" => Outcome::WrongReject,
            _ => refused(line.reason.as_deref().unwrap_or("no reason")),
        };
        measurement.first_mask_ns = line.first_mask_ns;
        measurement.mask_ns = line.mask_ns.clone();
        measurement.accept_ns = line.accept_ns.clone();
        measurement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::TokenInstance;

    #[test]
    fn tokens_are_written_and_times_are_read() {
        let folder = std::env::temp_dir().join(format!("formwork-exchange-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let tokens = folder.join("tokens.jsonl");
        let mut writer = TokenWriter::new(&tokens, &BenchVocabulary::bytes()).unwrap();
        let instances = vec![TokenInstance { valid: true, tokens: vec![123, 125] }];
        writer.add(&TokenCase { name: "empty".into(), schema: json!({"type": "object"}), instances }).unwrap();
        writer.finish().unwrap();
        let text = std::fs::read_to_string(&tokens).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["tokens"][65], "41");
        assert_eq!((&lines[0]["stops"], &lines[0]["tokens"][256]), (&json!([256]), &json!(null)));
        assert_eq!(lines[1]["instances"][0], json!({"valid": true, "tokens": [123, 125]}));

        let times = folder.join("peer.jsonl");
        let line =
            json!({"name": "empty", "outcome": "passing", "first_mask_ns": 7, "mask_ns": [1, 2], "accept_ns": [3]});
        std::fs::write(&times, format!("{line}\n{}\n", json!({"name": "odd", "outcome": "refused", "reason": "no"})))
            .unwrap();
        let recorded = Recorded::read(&times).unwrap();
        assert_eq!(recorded.name(), "peer");
        let measured = recorded.measurement("empty");
        assert_eq!((measured.outcome, measured.first_mask_ns), (Outcome::Passing, Some(7)));
        assert_eq!((measured.mask_ns, measured.accept_ns), (vec![1, 2], vec![3]));
        let Outcome::Refused(refusal) = recorded.measurement("odd").outcome else { panic!("it is refused") };
        assert_eq!(refusal.group, "no");
        assert!(matches!(recorded.measurement("other").outcome, Outcome::Refused(_)));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
