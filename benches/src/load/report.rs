//! What did clients and server see? Figures of several phases side by side.

use std::fmt::Write as _;
use std::time::Duration;

use super::clients::Tally;
use super::server::ServerFigures;

/// One run of the clients.
#[derive(Clone, Debug)]
pub struct Phase {
    /// What was asked for.
    pub name: String,
    /// From the first request to the last answer.
    pub duration: Duration,
    /// What the clients saw.
    pub tally: Tally,
    /// What the server counted meanwhile.
    pub before: ServerFigures,
    /// The same when it was idle again.
    pub after: ServerFigures,
    /// Memory in bytes and descriptors of the idle server behind it.
    pub process: Option<(u64, usize)>,
}

type Row = (&'static str, fn(&Phase) -> String);

const ROWS: [Row; 17] = [
    ("seconds", |it| format!("{:.1}", it.duration.as_secs_f64())),
    ("finished", |it| it.tally.finished.to_string()),
    ("cut off at the limit", |it| it.tally.cut_off.to_string()),
    ("client went away", |it| it.tally.left.to_string()),
    ("refused (400)", |it| it.tally.by_status.get(&400).copied().unwrap_or_default().to_string()),
    ("busy (429)", |it| it.tally.by_status.get(&429).copied().unwrap_or_default().to_string()),
    ("server errors (5xx)", |it| it.tally.server_errors().to_string()),
    ("broken", |it| it.tally.broken.to_string()),
    ("invalid", |it| it.tally.invalid.to_string()),
    ("requests/s", |it| per_second(it, it.tally.by_status.values().sum::<usize>() as f64)),
    ("tokens/s", |it| per_second(it, it.after.tokens - it.before.tokens)),
    ("forced tokens %", |it| {
        share(it.after.forced_tokens - it.before.forced_tokens, it.after.tokens - it.before.tokens)
    }),
    ("mask us/token", |it| {
        let tokens = (it.after.tokens - it.before.tokens).max(1.0);
        format!("{:.1}", (it.after.mask_seconds - it.before.mask_seconds) * 1e6 / tokens)
    }),
    ("answer ms p50", |it| percentile(&it.tally.milliseconds, 0.5)),
    ("answer ms p99", |it| percentile(&it.tally.milliseconds, 0.99)),
    ("memory MB behind it", |it| it.process.map_or("-".to_owned(), |(bytes, _)| format!("{:.1}", bytes as f64 / 1e6))),
    ("descriptors behind it", |it| it.process.map_or("-".to_owned(), |(_, n)| n.to_string())),
];

/// The phases as a table.
pub fn render(phases: &[Phase]) -> String {
    let mut out = String::new();
    let mut row = |name: &str, cells: Vec<String>| {
        let _ = write!(out, "{name:<22}");
        cells.iter().for_each(|cell| {
            let _ = write!(out, " {cell:>14}");
        });
        out.push('\n');
    };
    row("", phases.iter().map(|phase| phase.name.clone()).collect());
    ROWS.iter().for_each(|(name, get)| row(name, phases.iter().map(get).collect()));
    out
}

fn per_second(phase: &Phase, n: f64) -> String {
    format!("{:.1}", n / phase.duration.as_secs_f64())
}

fn share(part: f64, whole: f64) -> String {
    format!("{:.1}", 100.0 * part / whole.max(1.0))
}

fn percentile(values: &[f64], share: f64) -> String {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let index = ((values.len() as f64 - 1.0) * share).round().max(0.0) as usize;
    values.get(index).map_or("-".to_owned(), |value| format!("{value:.0}"))
}
