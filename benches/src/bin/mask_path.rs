//! Times the way of a mask to the logits: over the host, and on the device with and without rows that stay there.

use std::convert::Infallible;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use candle_core::Tensor;
use clap::Parser;
use formwork::{Compiler, TokenId, TokenMask};
use formwork_bench::decode::{DeviceName, tasks};
use formwork_candle::{CandleLogits, Device, DeviceMasks};
use formwork_decode::{BackendError, Logits, ResidentRows, greatest, mask_by_row};

/// Masks of whole instances are applied to random logits, by several ways.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// o200k, cl100k, or a tokenizer file: its width is that of the logits.
    #[arg(long, default_value = "o200k")]
    vocab: String,
    /// cpu, cuda.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// How often the masks are gone through; times are medians over the steps of all rounds.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
}

fn main() -> ExitCode {
    match measure(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "mask_path: {message}");
            ExitCode::from(2)
        }
    }
}

fn measure(options: &Options) -> Result<(), String> {
    let tokenizer = formwork_tokenizers::from_name_or_file(&options.vocab).map_err(|error| error.to_string())?;
    let device = match options.device {
        DeviceName::Cpu => Device::Cpu,
        DeviceName::Cuda => Device::new_cuda(0).map_err(|error| error.to_string())?,
    };
    let masks = masks(&tokenizer)?;
    let width = tokenizer.vocabulary().len();
    let mut out = io::stdout();
    let mut line = |text: String| writeln!(out, "{text}").map_err(|error| error.to_string());
    line(format!("{} masks, {width} logits, {:?}", masks.len(), options.device))?;
    line(format!("{:<26} {:>5} {:>12} {:>14}", "", "rows", "us a step", "bytes a step"))?;
    for n_rows in [1, 16, 64] {
        for way in Way::ALL {
            let measured = steps(way, &masks, width, n_rows, &device, options.rounds);
            let (time, n_bytes) = measured.map_err(|error| error.to_string())?;
            line(format!("{:<26} {n_rows:>5} {time:>12.1} {n_bytes:>14}", way.name()))?;
        }
    }
    Ok(())
}

/// The masks before each token of one instance for each task.
fn masks(tokenizer: &formwork_tokenizers::Tokenizer) -> Result<Vec<TokenMask>, String> {
    let compiler = Compiler::new(tokenizer.vocabulary().clone());
    let mut masks = Vec::new();
    for task in tasks() {
        let mut matcher = compiler.compile(&task.grammar).map_err(|error| error.to_string())?.matcher();
        for token in tokenizer.encode(task.instance) {
            masks.push(matcher.mask().map_err(|error| error.to_string())?);
            matcher.accept_token(token).map_err(|error| format!("{}: {error}", task.name))?;
        }
    }
    Ok(masks)
}

#[derive(Clone, Copy)]
enum Way {
    /// The logits are copied to the host and masked there.
    Host,
    /// The whole mask goes to the device.
    Whole,
    /// What the device has not yet goes there.
    Resident,
}

impl Way {
    const ALL: [Way; 3] = [Way::Host, Way::Whole, Way::Resident];

    fn name(self) -> &'static str {
        match self {
            Way::Host => "logits to the host",
            Way::Whole => "whole mask to the device",
            Way::Resident => "rows stay on the device",
        }
    }
}

/// Median time of a step, in which each row is masked and its greatest logit found, and the bytes that it moves.
fn steps(
    way: Way,
    masks: &[TokenMask],
    width: usize,
    n_rows: usize,
    device: &Device,
    n_rounds: usize,
) -> Result<(f64, usize), BackendError> {
    let fail = |error: candle_core::Error| BackendError::runtime(error);
    let logits = Tensor::rand(-10f32, 10f32, width, device).map_err(fail)?;
    let mut path =
        Path { way, resident: DeviceMasks::new(), sent: ResidentRows::new(64), host: Vec::new(), n_bytes: 0 };
    let mut times = Vec::new();
    for _ in 0..n_rounds {
        for first in (0..masks.len()).step_by(n_rows) {
            // Fresh logits, made outside of the time.
            let rows: candle_core::Result<Vec<Tensor>> = (0..n_rows).map(|_| logits.copy()).collect();
            let rows = rows.map_err(fail)?;
            device.synchronize().map_err(fail)?;
            let start = Instant::now();
            for (index, row) in rows.iter().enumerate() {
                black_box(path.choose(row, &masks[(first + index) % masks.len()])?);
            }
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    let n_steps = times.len();
    times.sort_by(f64::total_cmp);
    Ok((times[n_steps / 2], path.n_bytes / n_steps))
}

/// One way, and what it has sent.
struct Path {
    way: Way,
    resident: DeviceMasks,
    sent: ResidentRows<()>,
    host: Vec<u32>,
    n_bytes: usize,
}

impl Path {
    fn choose(&mut self, logits: &Tensor, mask: &TokenMask) -> Result<Option<TokenId>, BackendError> {
        let width = logits.elem_count();
        let n_lists = size_of::<u32>() * (mask.added().len() + mask.removed().len() + 1);
        let n_row = mask.base().map_or(0, |row| size_of_val(&row[..]));
        match self.way {
            Way::Host => {
                self.n_bytes += size_of::<f32>() * width;
                let mut values = logits.to_vec1::<f32>().map_err(BackendError::runtime)?;
                self.host.resize(mask.n_words(), 0);
                mask.write_to(&mut self.host);
                mask_by_row(&mut values, &self.host, f32::NEG_INFINITY);
                return Ok(greatest(&values));
            }
            Way::Whole => {
                self.n_bytes += n_row + n_lists;
                self.resident = DeviceMasks::new();
            }
            Way::Resident => {
                let is_new =
                    |row| self.sent.get(row, |_| Ok::<(), Infallible>(())).is_ok_and(|(_, n_bytes)| n_bytes > 0);
                self.n_bytes += n_lists + if mask.base().is_some_and(is_new) { n_row } else { 0 };
            }
        }
        let mut logits = CandleLogits::new(logits, width, &self.resident)?;
        logits.apply_mask(mask)?;
        logits.argmax()
    }
}
