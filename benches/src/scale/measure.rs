//! How long does one point take? Each engine in turn, several times, every figure the median over the times.
//!
//! *Cold* is the first reading of the document after the schema was compiled, with nothing left of what was compiled before;
//! *warm* are the readings after it. Medians are taken mask by mask before the mean and the worst, so one interruption by
//! the machine is not taken for a slow mask.

use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::engine::Engine;
use crate::run::{Drops, Measurement, Outcome, Runner, TokenCase, TokenInstance};
use crate::vocabulary::BenchVocabulary;

use super::Point;

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Times that a point is measured.
    pub repeats: usize,
    /// Warm readings each time.
    pub warm_readings: usize,
    /// Which clock is read.
    pub clock: Clock,
    /// An engine that has taken so long over a point does not repeat it.
    pub point_limit: Duration,
}

/// Times of one engine at one point, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Figures {
    pub cold_mean: f64,
    pub cold_worst: f64,
    pub warm_mean: f64,
    pub warm_worst: f64,
    /// From the schema's parsed JSON to the first filled row.
    pub first_mask: f64,
    /// Which mask of the first reading was the worst.
    pub cold_worst_at: usize,
    /// Masks of one reading.
    pub masks: usize,
    /// Times that the point was measured.
    pub repeats: usize,
}

impl Figures {
    /// The names of the times, in the order of [`Figures::times`].
    pub const NAMES: [&'static str; 5] =
        ["cold_mean_us", "cold_worst_us", "warm_mean_us", "warm_worst_us", "first_mask_us"];

    /// The times.
    pub fn times(&self) -> [f64; 5] {
        [self.cold_mean, self.cold_worst, self.warm_mean, self.warm_worst, self.first_mask]
    }

    fn of(measurements: &[Measurement], n_masks: usize) -> Figures {
        let readings = |skip: usize, take: usize| {
            measurements.iter().flat_map(move |it| it.mask_ns.chunks(n_masks).skip(skip).take(take)).collect::<Vec<_>>()
        };
        let (cold_mean, cold_worst, cold_worst_at) = mean_and_worst(&readings(0, 1), n_masks);
        let (warm_mean, warm_worst, _) = mean_and_worst(&readings(1, usize::MAX), n_masks);
        let first_masks = measurements.iter().filter_map(|it| it.first_mask_ns).collect();
        let first_mask = median(first_masks) / 1e3;
        let repeats = measurements.len();
        Figures { cold_mean, cold_worst, warm_mean, warm_worst, first_mask, cold_worst_at, masks: n_masks, repeats }
    }
}

/// The mean and the worst over masks, each at its median, in microseconds, and which is the worst.
fn mean_and_worst(readings: &[&[u64]], n_masks: usize) -> (f64, f64, usize) {
    let times_of = |mask: usize| readings.iter().map(|reading| reading[mask]).collect();
    let times: Vec<f64> = (0..n_masks).map(|mask| median(times_of(mask)) / 1e3).collect();
    let mean = times.iter().sum::<f64>() / n_masks as f64;
    let worst_at = (0..n_masks).max_by(|a, b| times[*a].total_cmp(&times[*b])).unwrap_or_default();
    (mean, times.get(worst_at).copied().unwrap_or_default(), worst_at)
}

/// Of an even number the smaller one of the middle: noise only ever adds.
fn median(mut times: Vec<u64>) -> f64 {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied().unwrap_or_default() as f64
}

/// The point as a case for one engine: its document so many times.
pub(super) fn case(point: &Point, engine: &str, vocabulary: &BenchVocabulary, n_readings: usize) -> TokenCase {
    let instance = TokenInstance { valid: true, tokens: (vocabulary.encode)(point.text_for(engine)) };
    TokenCase { name: String::new(), schema: point.schema.clone(), instances: vec![instance; n_readings] }
}

/// Measures a point with each engine of `engines` that is there, and says for each what came out or why nothing did.
pub fn measure(
    engines: &mut [Option<Box<dyn Engine>>],
    vocabulary: &BenchVocabulary,
    point: &Point,
    effort: Effort,
) -> Vec<Option<Result<Figures, String>>> {
    let mut runner = Runner::new(vocabulary, Drops::Nothing, effort.clock);
    let mut runs: Vec<Option<Run>> = engines
        .iter()
        .map(|engine| engine.as_ref().map(|it| Run::new(case(point, it.name(), vocabulary, 1 + effort.warm_readings))))
        .collect();
    for repeat in 0..effort.repeats {
        for place in 0..engines.len() {
            let index = (repeat + place) % engines.len();
            if let (Some(engine), Some(run)) = (&mut engines[index], &mut runs[index]) {
                run.repeat(engine.as_mut(), &mut runner, effort.point_limit);
            }
        }
    }
    runs.into_iter().map(|run| run.map(Run::finish)).collect()
}

/// One engine at one point.
struct Run {
    case: TokenCase,
    measurements: Vec<Measurement>,
    spent: Duration,
    failure: Option<String>,
}

impl Run {
    fn new(case: TokenCase) -> Run {
        Run { case, measurements: Vec::new(), spent: Duration::ZERO, failure: None }
    }

    fn repeat(&mut self, engine: &mut dyn Engine, runner: &mut Runner, limit: Duration) {
        if self.failure.is_some() || self.spent > limit {
            return;
        }
        engine.forget();
        let start = Instant::now();
        let measurement = runner.run(engine, &self.case);
        self.spent += start.elapsed();
        match &measurement.outcome {
            Outcome::Passing => self.measurements.push(measurement),
            Outcome::Refused(refusal) => self.failure = Some(refusal.message.clone()),
            _ => self.failure = Some(measurement.note.unwrap_or_else(|| "rejects the document".to_owned())),
        }
    }

    fn finish(self) -> Result<Figures, String> {
        let n_masks = self.case.instances.first().map_or(1, |instance| instance.tokens.len() + 1);
        self.failure.map_or_else(|| Ok(Figures::of(&self.measurements, n_masks)), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_taken_mask_by_mask() {
        let readings: [&[u64]; 3] = [&[1_000, 9_000], &[9_000, 3_000], &[1_000, 3_000]];
        assert_eq!(mean_and_worst(&readings, 2), (2.0, 3.0, 1));
    }
}
