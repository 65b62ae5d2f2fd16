//! Answers several prompts in one call, under one response format: LMDeploy's guide to structured output, in Rust.
//!
//! `cargo run --release -p formwork-candle --example pipeline [MODEL_FOLDER]`
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::path::Path;

use formwork_candle::{LoadOptions, LoadedModel};
use formwork_decode::GenerationConfig;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::args_os().nth(1).map_or_else(|| root.join("crates/formwork-cli/model"), Into::into);
    let guide: Value =
        serde_json::from_str(&std::fs::read_to_string(root.join("examples/schemas/self_introduction.json"))?)?;

    let mut pipe = LoadedModel::from_folder(folder, &LoadOptions::default())?.into_pipeline(8);
    let response_format = json!({"type": "json_schema", "json_schema": {"name": "test", "schema": guide}});
    let prompts = ["Make a self introduction please.", "Introduce yourself briefly.", "Who are you?"];
    for response in pipe.respond(&prompts, &response_format, &GenerationConfig::default())? {
        println!("{}", response?.text);
    }

    let response_format = json!({"type": "regex_schema", "regex_schema": "call me [A-Za-z]{1,10}"});
    for response in
        pipe.respond(&["Make a self introduction please."], &response_format, &GenerationConfig::default())?
    {
        println!("{}", response?.text);
    }
    Ok(())
}
