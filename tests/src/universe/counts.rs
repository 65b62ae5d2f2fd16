//! What was tried, and what came of it? Counters by keyword.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::schemas::RandomSchema;
use super::trial::Outcome;
use crate::validator::subschemas;

/// Counters of many trials.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Schemas tried.
    pub schemas: usize,
    /// Masks compared.
    pub pairs: usize,
    /// Schemas whose masks all agree, their complements' too.
    pub agreed: usize,
    /// Of these, those without any valid document.
    pub empty: usize,
    /// Schemas that the slow validator does not judge.
    pub unjudged: usize,
    /// Refused schemas and complements by their reasons.
    pub refused: BTreeMap<String, usize>,
    /// By keyword.
    pub keywords: BTreeMap<String, KeywordCounts>,
}

/// Counters of one keyword.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeywordCounts {
    /// Schemas that hold it.
    pub schemas: usize,
    /// Of these, those that agree.
    pub agreed: usize,
    /// Of these, those that are refused.
    pub refused: usize,
    /// Masks compared under schemas that hold it.
    pub pairs: usize,
}

impl Counts {
    /// Counts one trial.
    pub fn add(&mut self, schema: &RandomSchema, outcome: &Outcome) {
        let (agreed, refused, pairs) = match outcome {
            Outcome::Agreed { n_pairs, n_valid } => {
                self.empty += usize::from(*n_valid == 0);
                (1, 0, *n_pairs)
            }
            Outcome::Refused { reason, n_pairs, is_negated } => {
                let whose = if *is_negated { "complement, " } else { "" };
                *self.refused.entry(format!("{whose}{reason}")).or_default() += 1;
                (0, 1, *n_pairs)
            }
            Outcome::Unjudged(_) => {
                self.unjudged += 1;
                (0, 0, 0)
            }
            Outcome::Failed(_) => (0, 0, 0),
        };
        self.schemas += 1;
        self.agreed += agreed;
        self.pairs += pairs;
        let mut held = BTreeMap::new();
        keywords(&schema.schema, &mut held);
        schema.definitions.values().for_each(|definition| keywords(definition, &mut held));
        for keyword in held.into_keys() {
            let counts = self.keywords.entry(keyword).or_default();
            counts.schemas += 1;
            counts.agreed += agreed;
            counts.refused += refused;
            counts.pairs += pairs;
        }
    }

    /// Refused schemas and complements.
    pub fn n_refused(&self) -> usize {
        self.refused.values().sum()
    }
}

/// Notes the keywords of a schema and of the schemas in it.
fn keywords(schema: &Value, held: &mut BTreeMap<String, ()>) {
    let Value::Object(members) = schema else { return };
    for keyword in members.keys() {
        held.insert(keyword.clone(), ());
    }
    for (_, inner) in subschemas(members) {
        keywords(inner, held);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24}{:>10}{:>10}{:>10}{:>12}", "keyword", "schemas", "agreed", "refused", "pairs")?;
        for (keyword, counts) in &self.keywords {
            let KeywordCounts { schemas, agreed, refused, pairs } = counts;
            writeln!(f, "{keyword:<24}{schemas:>10}{agreed:>10}{refused:>10}{pairs:>12}")?;
        }
        let mut reasons: Vec<(&String, &usize)> = self.refused.iter().collect();
        reasons.sort_by_key(|(reason, count)| (usize::MAX - **count, reason.as_str()));
        for (reason, count) in reasons {
            writeln!(f, "refused {count:>6}  {reason}")?;
        }
        let Counts { schemas, pairs, agreed, empty, unjudged, .. } = self;
        writeln!(
            f,
            "{schemas} schemas, {pairs} pairs: {agreed} agree ({empty} of them empty), {} refused, {unjudged} unjudged",
            self.n_refused()
        )
    }
}
