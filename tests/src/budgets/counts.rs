//! How many documents were written within how many budgets, and what is said of them?

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Counters of many schemas.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Schemas looked at.
    pub schemas: usize,
    /// Those that the engine does not compile.
    pub refused: usize,
    /// Those for which no completion was found within the limits.
    pub without_completion: usize,
    /// Those whose least budget is greater than what was asked for.
    pub left_out: usize,
    /// Those that were tried with every budget.
    pub tried: usize,
    /// The least budget of each.
    pub least: Vec<usize>,
    /// Documents written: two for each budget.
    pub documents: usize,
    /// Valid ones.
    pub valid: usize,
    /// Invalid ones.
    pub invalid: usize,
    /// Those that the validator cannot judge, by cause.
    pub unjudged: BTreeMap<&'static str, usize>,
    /// Those that the validator is known to be wrong about, by cause.
    pub disagreements: BTreeMap<&'static str, usize>,
    /// Errors, and outputs longer than their budget.
    pub faults: usize,
    /// Tokens of all documents.
    pub tokens: usize,
    /// Those that were not the model's first choice.
    pub steered_tokens: usize,
    /// Time on the grammar, completions included.
    pub grammar_time: Duration,
    /// What the first completion of each schema took.
    pub first_times: Vec<Duration>,
}

impl Counts {
    /// Whether all documents that can be judged are valid.
    pub fn is_sound(&self) -> bool {
        self.invalid + self.faults == 0
    }
}

/// The value that a share of all does not exceed.
fn quantile<T: Copy + Ord + Default>(values: &[T], percent: usize) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} schemas: {} tried with every budget, {} left out as they need more, {} refused, {} without a completion",
            self.schemas, self.tried, self.left_out, self.refused, self.without_completion
        )?;
        for (cause, count) in self.disagreements.iter() {
            writeln!(f, "the validator's fault {count:>6}  {cause}")?;
        }
        for (cause, count) in self.unjudged.iter() {
            writeln!(f, "unjudged {count:>6}  {cause}")?;
        }
        let quantiles = [50, 90, 99, 100].map(|percent| quantile(&self.least, percent));
        writeln!(
            f,
            "least budget: {} / {} / {} / {} tokens (p50 / p90 / p99 / max)",
            quantiles[0], quantiles[1], quantiles[2], quantiles[3]
        )?;
        let times = [50, 90, 99, 100].map(|percent| quantile(&self.first_times, percent));
        writeln!(f, "first completion: {:.1?} / {:.1?} / {:.1?} / {:.1?}", times[0], times[1], times[2], times[3])?;
        let per_token = self.grammar_time.as_secs_f64() * 1e6 / self.tokens.max(1) as f64;
        writeln!(
            f,
            "{} tokens, {} of them steered; {per_token:.0} us of grammar each",
            self.tokens, self.steered_tokens
        )?;
        let unjudged: usize = self.unjudged.values().sum();
        let disagreements: usize = self.disagreements.values().sum();
        writeln!(
            f,
            "{} documents: {} valid, {} invalid, {disagreements} disagreements, {unjudged} unjudged, {} faults",
            self.documents, self.valid, self.invalid, self.faults
        )
    }
}
