//! How much of real schemas is accepted, and how fast? Reads `../shared/maskbench` where it is; run by hand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::json_schema::{SchemaOptions, lower_schema};
use crate::limits::Limits;

const MASKBENCH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/maskbench");

#[test]
#[ignore = "a survey, to be run in release mode by hand"]
fn survey_of_real_schemas() {
    let Ok(folder) = std::fs::read_dir(MASKBENCH) else {
        println!("skipped: no maskbench data");
        return;
    };
    let (mut n_schemas, mut n_accepted) = (0usize, 0usize);
    let mut reasons: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    let mut times: Vec<(Duration, usize, String)> = Vec::new();
    let mut tests: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    let check = std::env::var_os("CHECK").is_some();
    let mut files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let name = case["name"].as_str().unwrap_or("?").to_owned();
            if std::env::var("ONLY").is_ok_and(|only| only != name) {
                continue;
            }
            let schema = &case["schema"];
            let (options, limits) = (SchemaOptions::default(), Limits::default());
            let _ = lower_schema(schema, &options, &limits);
            if let Some(n) = std::env::var("REPEAT").ok().and_then(|n| n.parse::<usize>().ok()) {
                (0..n).for_each(|_| drop(lower_schema(schema, &options, &limits)));
            }
            let start = Instant::now();
            let lowered = lower_schema(schema, &options, &limits);
            let elapsed = start.elapsed();
            n_schemas += 1;
            times.push((elapsed, schema.to_string().len(), name.clone()));
            match lowered {
                Ok(lowered) => {
                    n_accepted += 1;
                    if check {
                        judge(&case, &name, &lowered, &mut tests);
                    }
                }
                Err(error) => {
                    let violation = &error.violations()[0];
                    let mut reason = violation.reason.clone();
                    reason.retain(|character| !character.is_ascii_digit());
                    let reason: String = reason.chars().take(70).collect();
                    let key =
                        format!("{:?} {:?} {reason}", violation.kind, violation.keyword.as_deref().unwrap_or("-"));
                    let entry = reasons.entry(key).or_default();
                    entry.0 += 1;
                    entry.1.push(format!("{name}{} {}", violation.pointer, violation.reason));
                }
            }
        }
    }
    println!("{n_accepted} of {n_schemas}: {:.1} %", 100.0 * n_accepted as f64 / n_schemas as f64);
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
    for (reason, (n, names)) in reasons {
        println!("{n:5} {reason}   e.g. {:?}", &names[..names.len().min(3)]);
    }
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].0;
    let total: Duration = times.iter().map(|(time, ..)| *time).sum();
    println!("p50 {:?} p90 {:?} p99 {:?} max {:?} total {total:?}", at(0.5), at(0.9), at(0.99), at(1.0));
    for (time, bytes, name) in times.iter().rev().take(8) {
        println!("  {time:?} {bytes} bytes {name}");
    }
    for (outcome, (n, names)) in tests {
        println!("{n:6} {outcome}");
        if outcome.starts_with("wrong") {
            names.iter().take(60).for_each(|name| println!("     {name}"));
        }
    }
}

fn judge(
    case: &Value,
    name: &str,
    lowered: &crate::json_schema::LoweredSchema,
    tests: &mut BTreeMap<&'static str, (usize, Vec<String>)>,
) {
    for test in case["tests"].as_array().into_iter().flatten() {
        let text = test["data"].to_string();
        if text.len() > 20_000 {
            continue;
        }
        let accepted = super::Acceptor::new(&lowered.builder).accepts(lowered.start, text.as_bytes());
        let outcome = match (test["valid"].as_bool().unwrap_or(false), accepted) {
            (true, true) => "accepted",
            (false, false) => "rejected",
            (true, false) => "wrongly rejected",
            (false, true) => "wrongly accepted",
        };
        let entry = tests.entry(outcome).or_default();
        entry.0 += 1;
        entry.1.push(format!("{name}: {}", text.chars().take(150).collect::<String>()));
    }
}
