//! Which masks took longest, and where do they stand?

use std::fmt::Write as _;

use crate::run::{Measurement, TokenCase};
use crate::vocabulary::BenchVocabulary;

/// Characters before a mask that are shown.
const N_CHARS: usize = 50;

/// The slowest masks so far.
#[derive(Clone, Debug)]
pub struct Slowest {
    n_kept: usize,
    /// Nanoseconds, and which mask that is.
    masks: Vec<(u64, String)>,
}

impl Slowest {
    /// Keeps so many.
    pub fn new(n_kept: usize) -> Slowest {
        Slowest { n_kept, masks: Vec::new() }
    }

    /// Takes in what one engine did with one schema.
    pub fn add(&mut self, engine: &str, case: &TokenCase, measurement: &Measurement, vocabulary: &BenchVocabulary) {
        let floor = if self.masks.len() < self.n_kept { 0 } else { self.masks.last().map_or(0, |(ns, _)| *ns) };
        let slow = measurement.mask_ns.iter().zip(&measurement.places).filter(|(ns, _)| **ns > floor);
        for (ns, (instance, token)) in slow {
            let tokens = &case.instances[*instance as usize].tokens[..*token as usize];
            let before = vocabulary.decode(&tokens[tokens.len().saturating_sub(N_CHARS)..]);
            let n_left_out = before.chars().count().saturating_sub(N_CHARS);
            let before: String = before.chars().skip(n_left_out).collect();
            self.masks.push((*ns, format!("{engine} {} {instance}:{token} {before:?}", case.name)));
        }
        self.masks.sort_by(|a, b| b.cmp(a));
        self.masks.truncate(self.n_kept);
    }

    /// One line for each: microseconds, engine, schema, instance and token, and the end of the text before the mask.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for (ns, mask) in &self.masks {
            let _ = writeln!(out, "{:>12.1}  {mask}", *ns as f64 / 1e3);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::run::TokenInstance;

    #[test]
    fn the_slowest_come_first_with_their_places() {
        let vocabulary = BenchVocabulary::bytes();
        let instance = |text: &str| TokenInstance { valid: true, tokens: (vocabulary.encode)(text) };
        let case = TokenCase {
            name: "case".into(),
            schema: Value::Bool(true),
            instances: vec![instance("12"), instance("x")],
        };
        let mut measurement = Measurement::new();
        measurement.mask_ns = vec![1_000, 5_000, 2_000, 3_000, 9_500];
        measurement.places = vec![(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)];
        let mut slowest = Slowest::new(2);
        slowest.add("engine", &case, &measurement, &vocabulary);
        let lines: Vec<String> = slowest.render().lines().map(|line| line.trim().to_owned()).collect();
        assert_eq!(lines, ["9.5  engine case 1:1 \"x\"", "5.0  engine case 0:1 \"1\""]);
    }
}
