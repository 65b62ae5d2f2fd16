//! How does a summary look on a screen? One column for each engine, ratios beside them.

use std::fmt::Write as _;

use crate::summary::{EngineSummary, Percentiles, Summary, Times};

/// Reasons shown for each engine; all of them are in the JSON.
const N_REASONS: usize = 12;

/// The summary as text.
pub fn render(summary: &Summary) -> String {
    let mut out = String::new();
    let engines = summary.by_engine();
    let Summary { vocab, passes, clock_ns, .. } = summary;
    let remarks = remarks(summary);
    let _ = writeln!(out, "vocabulary {vocab}, {passes} pass(es){remarks}; the clock itself takes {clock_ns} ns");
    row(&mut out, "", engines.iter().map(|(name, _)| name.clone()));
    for (name, get) in COUNTS {
        row(&mut out, name, engines.iter().map(|(_, it)| get(it)));
    }
    let _ = writeln!(out, "\nover all schemas that the engine took, microseconds");
    let columns: Vec<(String, Times)> = engines.iter().map(|(name, it)| (name.clone(), it.times)).collect();
    times(&mut out, &columns);
    let n_common = summary.common_schemas;
    let _ = writeln!(out, "\nover the {n_common} schemas that every engine passes, microseconds, and ratios");
    let common = engines.iter().map(|(name, it)| (name.clone(), it.common));
    let ratios = summary.ratios.iter().map(|it| (it.engines.clone(), it.times));
    times(&mut out, &common.chain(ratios).collect::<Vec<_>>());
    for (name, engine) in engines {
        refusals(&mut out, name, engine);
    }
    out
}

type Count = (&'static str, fn(&EngineSummary) -> String);

const COUNTS: [Count; 13] = [
    ("schemas", |it| it.schemas.to_string()),
    ("refused", |it| it.refused.to_string()),
    ("passing", |it| it.passing.to_string()),
    ("passing %", |it| format!("{:.2}", 100.0 * it.passing as f64 / it.schemas.max(1) as f64)),
    ("wrong accept", |it| it.wrong_accept.to_string()),
    ("wrong reject", |it| it.wrong_reject.to_string()),
    ("tokens", |it| it.tokens.to_string()),
    ("masks", |it| it.masks.to_string()),
    ("distinct masks", |it| it.distinct_masks.to_string()),
    ("cache hits", |it| or_dash(it.cache_hits)),
    ("cache misses", |it| or_dash(it.cache_misses)),
    ("memory p50 kB", |it| or_dash(it.memory_bytes.map(|it| (it.p50 / 1e3).round()))),
    ("memory max kB", |it| or_dash(it.memory_bytes.map(|it| (it.max / 1e3).round()))),
];

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn remarks(summary: &Summary) -> String {
    let cold = if summary.cold { ", cold" } else { "" };
    let interrupted = if summary.interrupted { ", INTERRUPTED" } else { "" };
    format!("{cold}{interrupted}")
}

fn row(out: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let _ = write!(out, "{name:<18}");
    for cell in cells {
        let _ = write!(out, " {cell:>20}");
    }
    out.push('\n');
}

type Kind = (&'static str, fn(&Times) -> Percentiles);

const KINDS: [Kind; 3] =
    [("mask", |it| it.mask_us), ("accept", |it| it.accept_us), ("first mask", |it| it.first_mask_us)];

fn times(out: &mut String, columns: &[(String, Times)]) {
    row(out, "", columns.iter().map(|(name, _)| name.clone()));
    for (kind, get) in KINDS {
        for (index, figure) in Percentiles::NAMES.iter().enumerate() {
            let cells = columns.iter().map(|(_, times)| format!("{:.2}", get(times).values()[index]));
            row(out, &format!("{kind} {figure}"), cells);
        }
    }
}

fn refusals(out: &mut String, name: &str, engine: &EngineSummary) {
    if engine.refusals.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{name} refused {}, most often:", engine.refused);
    for count in engine.refusals.iter().take(N_REASONS) {
        let _ = writeln!(out, "{:>6}  {}", count.schemas, count.reason);
    }
}
