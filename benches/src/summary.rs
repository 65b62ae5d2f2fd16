//! Which figures describe a run? Percentiles, outcomes, and ratios over the schemas that all engines pass.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::clock::clock_ns;
use crate::run::{Measurement, Outcome};

/// Mean and percentiles of one kind of step, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Percentiles {
    pub mean: f64,
    pub p25: f64,
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Percentiles {
    /// The figures in the order of [`Percentiles::NAMES`].
    pub fn values(&self) -> [f64; 9] {
        [self.mean, self.p25, self.p50, self.p75, self.p90, self.p95, self.p99, self.p999, self.max]
    }

    /// The names of the figures.
    pub const NAMES: [&'static str; 9] = ["mean", "p25", "p50", "p75", "p90", "p95", "p99", "p99.9", "max"];

    fn from_values([mean, p25, p50, p75, p90, p95, p99, p999, max]: [f64; 9]) -> Percentiles {
        Percentiles { mean, p25, p50, p75, p90, p95, p99, p999, max }
    }

    /// Of samples in nanoseconds; zeros where there are none. Percentiles by nearest rank.
    pub fn of(mut samples: Vec<u64>) -> Percentiles {
        if samples.is_empty() {
            return Percentiles::default();
        }
        samples.sort_unstable();
        let last = samples.len() - 1;
        let total: u64 = samples.iter().sum();
        let rank = |share: f64| ((samples.len() as f64 * share).ceil() as usize).saturating_sub(1).min(last);
        let micros = |share: f64| samples[rank(share)] as f64 / 1e3;
        Percentiles {
            mean: total as f64 / samples.len() as f64 / 1e3,
            p25: micros(0.25),
            p50: micros(0.5),
            p75: micros(0.75),
            p90: micros(0.9),
            p95: micros(0.95),
            p99: micros(0.99),
            p999: micros(0.999),
            max: samples[last] as f64 / 1e3,
        }
    }

    fn combine(all: &[Percentiles], one: impl Fn(&mut [f64]) -> f64) -> Percentiles {
        let figure = |index: usize| one(&mut all.iter().map(|it| it.values()[index]).collect::<Vec<_>>());
        Percentiles::from_values(std::array::from_fn(figure))
    }

    /// Figure by figure, the median over several passes.
    pub fn median(all: &[Percentiles]) -> Percentiles {
        Percentiles::combine(all, median)
    }

    fn ratio(&self, base: &Percentiles) -> Percentiles {
        let (ours, theirs) = (self.values(), base.values());
        Percentiles::from_values(std::array::from_fn(|index| ours[index] / theirs[index]))
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The three kinds of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// One mask filled into the caller's row.
    pub mask_us: Percentiles,
    /// One token taken.
    pub accept_us: Percentiles,
    /// From the schema's parsed JSON to the first filled row.
    pub first_mask_us: Percentiles,
}

impl Times {
    fn of<'a>(measurements: impl Iterator<Item = &'a Measurement> + Clone) -> Times {
        let collect = |field: fn(&Measurement) -> &[u64]| measurements.clone().flat_map(field).copied().collect();
        Times {
            mask_us: Percentiles::of(collect(|it| &it.mask_ns)),
            accept_us: Percentiles::of(collect(|it| &it.accept_ns)),
            first_mask_us: Percentiles::of(measurements.clone().filter_map(|it| it.first_mask_ns).collect()),
        }
    }

    fn median(all: &[Times]) -> Times {
        let field = |get: fn(&Times) -> Percentiles| Percentiles::median(&all.iter().map(get).collect::<Vec<_>>());
        Times {
            mask_us: field(|it| it.mask_us),
            accept_us: field(|it| it.accept_us),
            first_mask_us: field(|it| it.first_mask_us),
        }
    }

    fn ratio(&self, base: &Times) -> Times {
        Times {
            mask_us: self.mask_us.ratio(&base.mask_us),
            accept_us: self.accept_us.ratio(&base.accept_us),
            first_mask_us: self.first_mask_us.ratio(&base.first_mask_us),
        }
    }
}

/// All of one engine.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EngineSummary {
    /// Schemas seen: the sum of the next four.
    pub schemas: usize,
    /// Schemas that the engine does not take.
    pub refused: usize,
    /// Schemas with all instances judged as the data says.
    pub passing: usize,
    /// Schemas with an invalid instance accepted.
    pub wrong_accept: usize,
    /// Other schemas with a valid instance rejected.
    pub wrong_reject: usize,
    /// Tokens taken.
    pub tokens: usize,
    /// Masks filled.
    pub masks: usize,
    /// Times over all schemas that the engine took.
    #[serde(flatten)]
    pub times: Times,
    /// Times over the schemas that every engine passes: the only ones to compare.
    pub common: Times,
    /// Different masks over the whole run.
    pub distinct_masks: usize,
    /// Different masks, counted schema by schema.
    pub distinct_masks_in_schemas: usize,
    /// Masks from a cache, where the engine tells.
    pub cache_hits: Option<u64>,
    /// Masks computed, where the engine tells.
    pub cache_misses: Option<u64>,
    /// Bytes of a compiled schema after its documents, where the engine tells.
    pub memory_bytes: Option<Memory>,
    /// Refusals by reason, the most frequent first.
    pub refusals: Vec<RefusalCount>,
}

/// Bytes of one compiled schema.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Memory {
    pub mean: f64,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// How often a reason was given.
#[derive(Clone, Debug, Serialize)]
pub struct RefusalCount {
    /// The reason.
    pub reason: String,
    /// Schemas.
    pub schemas: usize,
}

/// One engine's time divided by another's, over the common schemas: above one, the other is faster.
#[derive(Clone, Debug, Serialize)]
pub struct Ratio {
    /// `A/B`.
    pub engines: String,
    /// A's times in units of B's. No unit, whatever the names of the fields say.
    #[serde(flatten)]
    pub times: Times,
}

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The vocabulary's name.
    pub vocab: String,
    /// Whether each instance began with empty caches.
    pub cold: bool,
    /// Passes over the data; times are medians over them.
    pub passes: usize,
    /// Whether the run was ended before all schemas were seen.
    pub interrupted: bool,
    /// What reading the clock twice takes, in nanoseconds; part of every time.
    pub clock_ns: u64,
    /// Schemas that every engine passes.
    pub common_schemas: usize,
    /// By engine, in the order of the command line.
    pub engines: serde_json::Map<String, serde_json::Value>,
    /// Every later engine against the first.
    pub ratios: Vec<Ratio>,
    #[serde(skip)]
    by_engine: Vec<(String, EngineSummary)>,
}

/// What a run was.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// The vocabulary's name.
    pub vocab: String,
    /// Whether each instance began with empty caches.
    pub cold: bool,
    /// Whether the run was ended early.
    pub interrupted: bool,
}

/// All measurements of one pass: for each schema, one for each engine.
pub type Pass = Vec<Vec<Measurement>>;

impl Summary {
    /// Sums up. Outcomes and counts are the first pass's, times the medians over the passes.
    pub fn new(info: &RunInfo, engine_names: &[String], passes: &[Pass]) -> Summary {
        let first = passes.first().map_or(&[][..], Vec::as_slice);
        let is_common: Vec<bool> = first.iter().map(|row| row.iter().all(is_passing)).collect();
        let by_engine: Vec<(String, EngineSummary)> = engine_names
            .iter()
            .enumerate()
            .map(|(engine_idx, name)| (name.clone(), summarise(engine_idx, passes, &is_common)))
            .collect();
        let to_value = |summary: &EngineSummary| serde_json::to_value(summary).expect("figures are JSON");
        Summary {
            vocab: info.vocab.clone(),
            cold: info.cold,
            passes: passes.len(),
            interrupted: info.interrupted,
            clock_ns: clock_ns(),
            common_schemas: is_common.iter().filter(|&&common| common).count(),
            engines: by_engine.iter().map(|(name, summary)| (name.clone(), to_value(summary))).collect(),
            ratios: ratios(&by_engine),
            by_engine,
        }
    }

    /// The figures by engine.
    pub fn by_engine(&self) -> &[(String, EngineSummary)] {
        &self.by_engine
    }
}

fn is_passing(measurement: &Measurement) -> bool {
    measurement.outcome == Outcome::Passing
}

fn is_taken(measurement: &Measurement) -> bool {
    !matches!(measurement.outcome, Outcome::Refused(_))
}

fn ratios(by_engine: &[(String, EngineSummary)]) -> Vec<Ratio> {
    let Some(((base_name, base), others)) = by_engine.split_first() else { return Vec::new() };
    let ratio = |(name, summary): &(String, EngineSummary)| Ratio {
        engines: format!("{name}/{base_name}"),
        times: summary.common.ratio(&base.common),
    };
    others.iter().map(ratio).collect()
}

fn summarise(engine_idx: usize, passes: &[Pass], is_common: &[bool]) -> EngineSummary {
    let times = |keep: &dyn Fn(usize, &Measurement) -> bool| {
        let of_pass = |pass: &Pass| {
            let rows = pass.iter().enumerate().map(|(index, row)| (index, &row[engine_idx]));
            Times::of(rows.filter(|(index, it)| keep(*index, it)).map(|(_, it)| it))
        };
        Times::median(&passes.iter().map(of_pass).collect::<Vec<_>>())
    };
    let first: Vec<&Measurement> = passes.first().into_iter().flatten().map(|row| &row[engine_idx]).collect();
    let mut summary = count(&first);
    summary.times = times(&|_, it| is_taken(it));
    summary.common = times(&|index, _| is_common.get(index).copied().unwrap_or(false));
    summary
}

fn count(measurements: &[&Measurement]) -> EngineSummary {
    let outcomes = |is: fn(&Outcome) -> bool| measurements.iter().filter(|it| is(&it.outcome)).count();
    let taken = || measurements.iter().filter(|it| is_taken(it));
    EngineSummary {
        schemas: measurements.len(),
        refused: outcomes(|it| matches!(it, Outcome::Refused(_))),
        passing: outcomes(|it| *it == Outcome::Passing),
        wrong_accept: outcomes(|it| *it == Outcome::WrongAccept),
        wrong_reject: outcomes(|it| *it == Outcome::WrongReject),
        tokens: taken().map(|it| it.accept_ns.len()).sum(),
        masks: taken().map(|it| it.mask_ns.len()).sum(),
        distinct_masks: taken().flat_map(|it| &it.masks).collect::<HashSet<_>>().len(),
        distinct_masks_in_schemas: taken().map(|it| it.masks.len()).sum(),
        cache_hits: taken().filter_map(|it| it.usage.mask_hits).reduce(|a, b| a + b),
        cache_misses: taken().filter_map(|it| it.usage.mask_misses).reduce(|a, b| a + b),
        memory_bytes: memory(taken().filter_map(|it| it.usage.bytes).collect()),
        refusals: refusals(measurements),
        ..EngineSummary::default()
    }
}

fn memory(mut bytes: Vec<usize>) -> Option<Memory> {
    bytes.sort_unstable();
    let last = bytes.len().checked_sub(1)?;
    let at = |share: f64| bytes[(last as f64 * share) as usize] as f64;
    let mean = bytes.iter().sum::<usize>() as f64 / bytes.len() as f64;
    Some(Memory { mean, p50: at(0.5), p99: at(0.99), max: at(1.0) })
}

fn refusals(measurements: &[&Measurement]) -> Vec<RefusalCount> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for measurement in measurements {
        if let Outcome::Refused(refusal) = &measurement.outcome {
            *counts.entry(&refusal.group).or_default() += 1;
        }
    }
    let to_count = |(reason, schemas): (&str, usize)| RefusalCount { reason: reason.to_owned(), schemas };
    let mut counts: Vec<RefusalCount> = counts.into_iter().map(to_count).collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.schemas));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let figures = Percentiles::of((1..=1000).map(|i| i * 1000).collect());
        assert_eq!((figures.p25, figures.p50, figures.p99), (250.0, 500.0, 990.0));
        assert_eq!((figures.p999, figures.max, figures.mean), (999.0, 1000.0, 500.5));
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }

    #[test]
    fn the_median_is_taken_figure_by_figure() {
        let passes = [[3_000], [1_000], [2_000]].map(|samples| Percentiles::of(samples.to_vec()));
        assert_eq!(Percentiles::median(&passes).p50, 2.0);
    }
}
