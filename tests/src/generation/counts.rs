//! How many documents were written, and what is said of them?

use std::collections::BTreeMap;
use std::fmt;

use super::Outcome;
use super::judge::{Judge, Verdict};
use super::writer::End;

/// Documents of one schema or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Documents begun.
    pub documents: usize,
    /// Those that the engine's completion led to their end; the others ended by chance.
    pub led: usize,
    /// Valid ones.
    pub valid: usize,
    /// Invalid ones by keyword.
    pub invalid: BTreeMap<String, usize>,
    /// Those that only the independent validator takes for invalid, by cause.
    pub disagreements: BTreeMap<&'static str, usize>,
    /// Those that the independent validator cannot judge.
    pub unjudged: BTreeMap<&'static str, usize>,
    /// Empty masks before the end.
    pub dead_ends: usize,
    /// Contradictions and limits.
    pub faults: usize,
}

impl Tally {
    pub(super) fn add(&mut self, end: End, judge: &Judge, show: &mut dyn FnMut(&str)) {
        self.documents += 1;
        let text = match end {
            End::ByChance(text) => text,
            End::Led(text) => {
                self.led += 1;
                text
            }
            End::DeadEnd(_) => return self.dead_ends += 1,
            End::Fault(_) => return self.faults += 1,
        };
        match judge.judge(&text) {
            Verdict::Valid => self.valid += 1,
            Verdict::Unjudged(cause) => *self.unjudged.entry(cause).or_default() += 1,
            Verdict::KnownDisagreement(cause) => *self.disagreements.entry(cause).or_default() += 1,
            Verdict::Invalid { keyword, reason } => {
                show(&format!("invalid: {}: {text}", reason.chars().take(300).collect::<String>()));
                *self.invalid.entry(keyword).or_default() += 1;
            }
        }
    }

    /// Adds `other`.
    pub fn plus(&mut self, other: &Tally) {
        self.documents += other.documents;
        self.led += other.led;
        self.valid += other.valid;
        self.dead_ends += other.dead_ends;
        self.faults += other.faults;
        other.invalid.iter().for_each(|(key, n)| *self.invalid.entry(key.clone()).or_default() += n);
        other.disagreements.iter().for_each(|(key, n)| *self.disagreements.entry(key).or_default() += n);
        other.unjudged.iter().for_each(|(key, n)| *self.unjudged.entry(key).or_default() += n);
    }

    /// Whether nothing went wrong.
    pub fn is_sound(&self) -> bool {
        self.invalid.is_empty() && self.dead_ends + self.faults == 0
    }
}

/// Counters of many schemas.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Schemas tried.
    pub schemas: usize,
    /// Refused ones by reason.
    pub refused: BTreeMap<String, usize>,
    /// Documents of the others.
    pub tally: Tally,
}

impl Counts {
    /// Counts one schema.
    pub fn add(&mut self, outcome: &Outcome) {
        self.schemas += 1;
        match outcome {
            Outcome::Refused(reason) => *self.refused.entry(reason.clone()).or_default() += 1,
            Outcome::Written(tally) => self.tally.plus(tally),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_refused: usize = self.refused.values().sum();
        writeln!(f, "{} schemas, {n_refused} refused", self.schemas)?;
        let mut reasons: Vec<(&String, &usize)> = self.refused.iter().collect();
        reasons.sort_by_key(|(reason, count)| (usize::MAX - **count, reason.as_str()));
        for (reason, count) in reasons.iter().take(40) {
            writeln!(f, "refused {count:>6}  {reason}")?;
        }
        let Tally { documents, led, valid, invalid, disagreements, unjudged, dead_ends, faults } = &self.tally;
        for (keyword, count) in invalid {
            writeln!(f, "invalid {count:>6}  {keyword}")?;
        }
        for (cause, count) in disagreements {
            writeln!(f, "the validator's fault {count:>6}  {cause}")?;
        }
        for (cause, count) in unjudged {
            writeln!(f, "unjudged {count:>6}  {cause}")?;
        }
        writeln!(
            f,
            "{documents} documents ({led} led to their end): {valid} valid, {} invalid, {} disagreements, {} unjudged, \
             {dead_ends} dead ends, {faults} faults",
            invalid.values().sum::<usize>(),
            disagreements.values().sum::<usize>(),
            unjudged.values().sum::<usize>(),
        )
    }
}
