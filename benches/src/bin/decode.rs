//! Runs decoders with and without constraint, in turn, and prints tokens per second and what masks cost.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use formwork_bench::decode::{BackendName, DecodeModel, DeviceName, Mode, ModelSpec, Run, render, run, tasks};

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
}

fn main() -> ExitCode {
    match compare(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "decode: {message}");
            ExitCode::from(2)
        }
    }
}

fn compare(options: &Options) -> Result<(), String> {
    let models = match options.model.is_empty() {
        true => vec![ModelSpec::shipped()],
        false => options.model.clone(),
    };
    for spec in &models {
        for &backend in &options.backend {
            let load = |spec| DecodeModel::load(spec, backend, options.device, options.threads);
            let mut model = load(spec)?;
            let mut draft = options.draft.as_ref().map(load).transpose()?;
            let runs = measure(options, &mut model, draft.as_mut())?;
            io::stdout().write_all(render(&model.name, &runs).as_bytes()).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn measure(
    options: &Options,
    model: &mut DecodeModel,
    mut draft: Option<&mut DecodeModel>,
) -> Result<Vec<(Mode, usize, Run)>, String> {
    let modes = Mode::ALL.map(|(mode, _)| mode).into_iter().filter(|mode| *mode != Mode::Draft || draft.is_some());
    let modes: Vec<Mode> = modes.collect();
    let tasks = tasks();
    let mut runs = Vec::new();
    // The first round warms up what is loaded lazily, and is not counted.
    for round in 0..=options.rounds {
        for task in &tasks {
            for &mode in &modes {
                let run = run(model, draft.as_deref_mut(), task, mode, options.max_tokens)?;
                if let Some(round) = round.checked_sub(1) {
                    runs.push((mode, round, run));
                }
            }
        }
    }
    check_texts(&modes, &tasks.iter().map(|task| task.name).collect::<Vec<_>>(), &runs);
    Ok(runs)
}

/// Says where ways to write that must give the same text do not; a figure for another text would mean nothing.
fn check_texts(modes: &[Mode], tasks: &[&str], runs: &[(Mode, usize, Run)]) {
    let n_per_round = modes.len() * tasks.len();
    for (task, name) in runs[..n_per_round.min(runs.len())].chunks(modes.len()).zip(tasks) {
        let reference = task.iter().find(|(mode, ..)| *mode == Mode::FastForward);
        for (mode, _, run) in task.iter().filter(|(mode, ..)| matches!(mode, Mode::PromptLookup | Mode::Draft)) {
            if reference.is_some_and(|(.., reference)| reference.generation.text != run.generation.text) {
                let _ = writeln!(io::stderr(), "decode: {name}: {mode:?} gives another text");
            }
        }
    }
}
