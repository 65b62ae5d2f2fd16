//! Which figures does a run leave behind? One file of comma-separated values for each axis, and a table for the screen.

use std::fmt::Write as _;

use super::axes::Axis;
use super::measure::Figures;

/// What one engine did along an axis.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The engine's name.
    pub engine: String,
    /// Figures by place on the axis.
    pub points: Vec<(f64, Figures)>,
    /// The first place where there were none, and why.
    pub end: Option<(f64, String)>,
}

/// One row for each engine and place.
pub fn to_csv(lines: &[Line]) -> String {
    let mut csv = format!("engine,x,masks,repeats,{},cold_worst_at\n", Figures::NAMES.join(","));
    for line in lines {
        for (x, figures) in &line.points {
            let times: Vec<String> = figures.times().iter().map(|time| format!("{time:.3}")).collect();
            let _ = writeln!(
                csv,
                "{},{x},{},{},{},{}",
                line.engine,
                figures.masks,
                figures.repeats,
                times.join(","),
                figures.cold_worst_at
            );
        }
    }
    csv
}

/// A row for each engine: every time at the first and the last place, and what power of x it grew with between them.
pub fn to_table(axis: &Axis, lines: &[Line]) -> String {
    let mut table = format!("{} ({})\n", axis.name, axis.unit);
    for line in lines {
        let (Some((first_x, first)), Some((last_x, last))) = (line.points.first(), line.points.last()) else {
            continue;
        };
        let _ = write!(table, "  {:<16} {first_x} to {last_x}:", line.engine);
        for (name, (from, to)) in Figures::NAMES.iter().zip(first.times().into_iter().zip(last.times())) {
            let power = (to / from).ln() / (last_x / first_x).ln();
            let _ = write!(table, "  {name} {from:.2} to {to:.2} (x^{power:.2})");
        }
        table.push('\n');
    }
    for line in lines {
        if let Some((x, reason)) = &line.end {
            let _ = writeln!(table, "  {} ends before {x}: {reason}", line.engine);
        }
    }
    table
}
