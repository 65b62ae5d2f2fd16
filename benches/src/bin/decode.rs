//! Runs decoders with and without constraint, in turn, and prints tokens per second and what masks cost.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use formwork_bench::decode::{BackendName, DecodeModel, DeviceName, Mode, ModelSpec, Run, render, run, tasks};
use formwork_bench::program::finish;
use serde_json::json;

/// Runs decoders with and without constraint and compares them.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// A model's folder, DIR or DIR=TOKENIZER; again for several (default: the shipped model).
    #[arg(long)]
    model: Vec<ModelSpec>,
    /// A smaller model with the same vocabulary, whose drafts are tried, too.
    #[arg(long)]
    draft: Option<ModelSpec>,
    /// candle, ort; again for several.
    #[arg(long, default_values = ["candle", "ort"])]
    backend: Vec<BackendName>,
    /// cpu, cuda.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// Threads of ONNX Runtime; candle's are in RAYON_NUM_THREADS.
    #[arg(long)]
    threads: Option<usize>,
    /// Tokens to write at most for each task.
    #[arg(long, default_value_t = 200)]
    max_tokens: usize,
    /// How often everything is done; times are the medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Write the texts of the first round, one JSON line each.
    #[arg(long, value_name = "FILE.jsonl")]
    texts: Option<PathBuf>,
}

fn main() -> ExitCode {
    finish("decode", compare(&Options::parse()).map(|()| true))
}

fn compare(options: &Options) -> Result<(), String> {
    let models = match options.model.is_empty() {
        true => vec![ModelSpec::shipped()],
        false => options.model.clone(),
    };
    let mut texts = options.texts.as_ref().map(File::create).transpose().map_err(|error| error.to_string())?;
    for spec in &models {
        for &backend in &options.backend {
            let load = |spec| DecodeModel::load(spec, backend, options.device, options.threads);
            let mut model = load(spec)?;
            let mut draft = options.draft.as_ref().map(load).transpose()?;
            let runs = measure(options, &mut model, draft.as_mut())?;
            if let Some(texts) = &mut texts {
                write_texts(texts, &model.name, &runs).map_err(|error| error.to_string())?;
            }
            io::stdout().write_all(render(&model.name, &runs).as_bytes()).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn measure(
    options: &Options,
    model: &mut DecodeModel,
    mut draft: Option<&mut DecodeModel>,
) -> Result<Vec<Run>, String> {
    let modes = Mode::ALL.map(|(mode, _)| mode).into_iter().filter(|mode| *mode != Mode::Draft || draft.is_some());
    let modes: Vec<Mode> = modes.collect();
    let tasks = tasks();
    let mut runs = Vec::new();
    // The first round warms up what is loaded lazily, and is not counted.
    for round in 0..=options.rounds {
        for task in &tasks {
            for &mode in &modes {
                let run = run(model, draft.as_deref_mut(), task, mode, options.max_tokens, round.saturating_sub(1))?;
                if round > 0 {
                    runs.push(run);
                }
            }
        }
    }
    check_texts(&runs);
    Ok(runs)
}

fn write_texts(out: &mut File, model: &str, runs: &[Run]) -> io::Result<()> {
    for run in runs.iter().filter(|run| run.round == 0) {
        let (task, way, text) = (run.task, format!("{:?}", run.mode), &run.generation.text);
        writeln!(out, "{}", json!({"model": model, "task": task, "way": way, "text": text}))?;
    }
    Ok(())
}

/// Says where a draft changes the text: a figure for another text would mean nothing.
fn check_texts(runs: &[Run]) {
    let is_drafted = |run: &&Run| matches!(run.mode, Mode::PromptLookup | Mode::Draft);
    for run in runs.iter().filter(is_drafted) {
        let is_plain =
            |other: &&Run| other.mode == Mode::FastForward && other.task == run.task && other.round == run.round;
        if runs.iter().find(is_plain).is_some_and(|plain| plain.generation.text != run.generation.text) {
            let _ = writeln!(io::stderr(), "decode: {}: {:?} gives another text", run.task, run.mode);
        }
    }
}
