use super::*;
use std::time::Instant;
#[test]
#[ignore]
fn all() {
    let mut out = String::new();
    for entry in std::fs::read_dir("/work/shared/maskbench").unwrap() {
        let path = entry.unwrap().path();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let value: Value = serde_json::from_str(line).unwrap();
            let start = Instant::now();
            let result = lower_schema(&value["schema"], &SchemaOptions::default(), &Limits::default());
            let us = start.elapsed().as_micros();
            let text = match result {
                Ok(l) => format!("ok {}", l.builder.n_nonterminals()),
                Err(e) => format!("ERR {e}"),
            };
            out += &format!("{us}\t{}\t{text}\n", value["name"].as_str().unwrap());
        }
    }
    std::fs::write("/tmp/lower-all.tsv", out).unwrap();
}
#[test]
#[ignore]
fn one() {
    let name = std::env::var("NAME").unwrap();
    for entry in std::fs::read_dir("/work/shared/maskbench").unwrap() {
        let path = entry.unwrap().path();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            if !line.contains(&name) {
                continue;
            }
            let value: Value = serde_json::from_str(line).unwrap();
            let result = lower_schema(&value["schema"], &SchemaOptions::default(), &Limits::default());
            match result {
                Ok(l) => println!("ok {}", l.builder.n_nonterminals()),
                Err(e) => println!("ERR {e}"),
            };
        }
    }
}
