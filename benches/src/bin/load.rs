//! Plays many clients of a server, with and without constraint, and checks that it bears them: every answer valid, no server
//! error, nothing left behind.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use formwork_bench::load::{
    CheckedSchema, HttpClient, Mix, Phase, StartedServer, catalogue, play, process_figures, render, server_figures,
    wait_until_idle,
};
use formwork_bench::program::finish;

/// Remarks that are shown; the others are counted.
const N_REMARKS: usize = 10;

/// Plays many clients of a server and checks that it bears them.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// A server that runs (default: the server program beside this one is started).
    #[arg(long, value_name = "http://ADDRESS:PORT")]
    url: Option<String>,
    /// Process of that server, whose memory is watched.
    #[arg(long, requires = "url")]
    pid: Option<u32>,
    /// Key that the server wants to be shown.
    #[arg(long)]
    key: Option<String>,
    /// Options of the server that is started.
    #[arg(last = true, conflicts_with = "url")]
    server_options: Vec<String>,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Seconds of each phase.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Different schemas.
    #[arg(long, default_value_t = 50)]
    schemas: usize,
    /// MaskBench's folder (default: ../shared/maskbench where it is there, else schemas are made).
    #[arg(long)]
    data: Option<PathBuf>,
    /// Of 100 requests, those whose client goes away in the middle.
    #[arg(long, default_value_t = 20)]
    disconnect: u64,
    /// Of 100 requests of the last phase, those with a hostile schema.
    #[arg(long, default_value_t = 5)]
    hostile: u64,
    /// Tokens of an answer at most.
    #[arg(long, default_value_t = 200)]
    max_tokens: usize,
    /// What makes all choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    finish("load", run(&Options::parse()).await)
}

/// Whether the server bore it.
async fn run(options: &Options) -> io::Result<bool> {
    let started = match options.url {
        Some(_) => None,
        None => {
            let program = std::env::current_exe()?.with_file_name("formwork-server");
            Some(StartedServer::start(&program, &options.server_options)?)
        }
    };
    let url = options.url.as_deref().or(started.as_ref().map(|server| server.url.as_str())).unwrap_or_default();
    let pid = options.pid.or(started.as_ref().map(StartedServer::id));
    let client = HttpClient::new(url, options.key.as_deref());
    let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/maskbench"));
    let data = options.data.clone().or_else(|| default.is_dir().then_some(default));
    let schemas = Arc::new(catalogue(&client, data.as_deref(), options.schemas, options.seed).await?);
    let idle = process_figures_of(pid);
    let mut out = io::stdout();
    writeln!(out, "{} schemas, {} clients, {} s each", schemas.len(), options.clients, options.seconds)?;
    if let Some((bytes, n_descriptors)) = idle {
        writeln!(out, "before: {:.1} MB, {n_descriptors} descriptors", bytes as f64 / 1e6)?;
    }
    let none: Arc<Vec<CheckedSchema>> = Arc::default();
    let mut phases = Vec::new();
    for (name, schemas, hostile) in [
        ("free", &none, 0),
        ("schemas", &schemas, 0),
        ("schemas again", &schemas, 0),
        ("and hostile", &schemas, options.hostile),
    ] {
        let mix = Mix {
            n_clients: options.clients,
            duration: Duration::from_secs(options.seconds),
            schemas: Arc::clone(schemas),
            disconnect_percent: options.disconnect,
            hostile_percent: hostile,
            max_tokens: options.max_tokens,
            seed: options.seed,
        };
        let before = server_figures(&client).await?;
        let start = Instant::now();
        let tally = play(&client, &mix).await;
        let duration = start.elapsed();
        let after = wait_until_idle(&client, Duration::from_secs(60)).await?;
        phases.push(Phase { name: name.to_owned(), duration, tally, before, after, process: process_figures_of(pid) });
    }
    writeln!(out, "{}", render(&phases))?;
    let remarks: Vec<&String> = phases.iter().flat_map(|phase| &phase.tally.remarks).collect();
    for remark in remarks.iter().take(N_REMARKS) {
        writeln!(out, "{remark}")?;
    }
    if remarks.len() > N_REMARKS {
        writeln!(out, "and {} more", remarks.len() - N_REMARKS)?;
    }
    Ok(phases.iter().all(is_borne))
}

fn process_figures_of(pid: Option<u32>) -> Option<(u64, usize)> {
    pid.and_then(process_figures)
}

fn is_borne(phase: &Phase) -> bool {
    let Phase { tally, after, .. } = phase;
    tally.server_errors() == 0
        && tally.invalid == 0
        && tally.broken == 0
        && tally.finished > 0
        && after.queued == 0.0
        && after.running == 0.0
}
