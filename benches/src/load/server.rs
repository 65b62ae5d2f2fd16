//! How is the server doing? Its own figures, its process's memory and descriptors, and one that we start ourselves.

use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::http::{HttpClient, metric};

/// A server that ends with this value.
#[derive(Debug)]
pub struct StartedServer {
    /// Where it listens.
    pub url: String,
    child: Child,
    _stdout: BufReader<ChildStdout>,
}

impl StartedServer {
    /// Starts `program` on a free port with more options, and waits until it listens.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, options: &[String]) -> io::Result<StartedServer> {
        let mut command = Command::new(program);
        command.args(["--port", "0"]).args(options).env("RUST_LOG", "error").stdout(Stdio::piped());
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", program.display()));
        let mut child = command.spawn().map_err(named)?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("the server has no output"))?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(StartedServer { url, child, _stdout: stdout })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for StartedServer {
    /// Both fail only when it has ended already.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Counters of `/metrics`, since the start of the server.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerFigures {
    /// Tokens written, those of answers that nobody waited for among them.
    pub tokens: f64,
    /// Those of them that the grammar forced.
    pub forced_tokens: f64,
    /// Seconds spent on grammars while sequences were written, counted for each sequence.
    pub mask_seconds: f64,
    /// Sequences that wait.
    pub queued: f64,
    /// Sequences that are being written.
    pub running: f64,
}

/// What the server says of itself.
///
/// # Errors
/// When it cannot be asked.
pub async fn server_figures(client: &HttpClient) -> io::Result<ServerFigures> {
    let text = client.get("/metrics").await?.text().await?;
    let figure = |name: &str| metric(&text, name).unwrap_or_default();
    Ok(ServerFigures {
        tokens: figure("formwork_tokens_total"),
        forced_tokens: figure("formwork_forced_tokens_total"),
        mask_seconds: figure("formwork_mask_time_seconds_total"),
        queued: figure("formwork_queued_sequences"),
        running: figure("formwork_running_sequences"),
    })
}

/// Waits until no sequence waits or is written; the figures at the end, which still show some when it takes longer than
/// `limit`.
///
/// # Errors
/// When the server cannot be asked.
pub async fn wait_until_idle(client: &HttpClient, limit: Duration) -> io::Result<ServerFigures> {
    let start = Instant::now();
    loop {
        let figures = server_figures(client).await?;
        if figures.queued == 0.0 && figures.running == 0.0 || start.elapsed() > limit {
            return Ok(figures);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Resident memory of a process in bytes, and its open descriptors; `None` where the system does not tell.
pub fn process_figures(id: u32) -> Option<(u64, usize)> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let n_descriptors = fs::read_dir(format!("/proc/{id}/fd")).ok()?.count();
    Some((kilobytes * 1024, n_descriptors))
}
