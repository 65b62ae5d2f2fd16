//! What becomes of one schema on one universe? It agrees, is refused, or fails.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use formwork::grammar::KeyOrder;
use formwork::json_schema::{Escapes, Layout, Numbers, SchemaOptions};
use formwork::{CompileError, Grammar, ViolationKind};
use serde_json::Value;

use super::compare::{Comparison, Difference};
use super::dice::Dice;
use super::schemas::RandomSchema;
use super::texts::Texts;
use super::{Size, Universe};
use crate::validator::{Unjudged, Validator};

/// Masks compared at most when every prefix is looked at.
const MAX_EVERYWHERE: usize = 1_500;

/// A schema on a universe.
pub struct Trial<'u> {
    /// The documents.
    pub universe: &'u Universe,
    /// What is tried on them.
    pub schema: RandomSchema,
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All masks agree; so many were compared, and so many documents are valid.
    Agreed {
        /// Masks compared.
        n_pairs: usize,
        /// Valid documents.
        n_valid: usize,
    },
    /// The engine refuses the schema, or met a limit: the cause, and the keyword where one is named.
    Refused {
        /// The kind of refusal and its reason.
        reason: String,
        /// Whether it was the complement that was refused; the schema itself agreed.
        is_negated: bool,
        /// Masks compared before.
        n_pairs: usize,
    },
    /// The slow validator does not know.
    Unjudged(Unjudged),
    /// The engine is wrong.
    Failed(Failure),
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The schema as it was compiled.
    pub document: Value,
    /// What the engine does, and where.
    pub what: String,
}

/// Why a reading of a schema ended early.
enum End {
    Unjudged(Unjudged),
    Refused(String),
    Wrong(String),
}

impl From<Difference> for End {
    fn from(difference: Difference) -> End {
        match difference {
            Difference::Limit(limit) => End::Refused(format!("limit: {limit}")),
            Difference::Wrong(what) => End::Wrong(what),
        }
    }
}

impl<'u> Trial<'u> {
    /// A random schema, mostly one that takes some documents and not all.
    pub fn draw(universe: &'u Universe, dice: &mut Dice) -> Trial<'u> {
        loop {
            let trial = Trial { universe, schema: RandomSchema::draw(dice, &universe.domain) };
            let n_valid = trial.valid(&trial.document(false)).map_or(0, |valid| valid.len());
            let is_telling = 0 < n_valid && n_valid < universe.documents.len();
            if is_telling || dice.one_in(8) {
                return trial;
            }
        }
    }

    /// The schema document: the universe's schema and the random one, or its complement.
    pub fn document(&self, is_negated: bool) -> Value {
        self.schema.document(&self.universe.domain.schema(), is_negated)
    }

    /// The valid documents of the universe.
    pub(crate) fn valid(&self, document: &Value) -> Result<Vec<&'u Value>, Unjudged> {
        let remotes = BTreeMap::new();
        let validator = Validator::new(document, self.schema.draft, &remotes).asserting_formats();
        let mut valid = Vec::new();
        for document in &self.universe.documents {
            if validator.is_valid(document)? {
                valid.push(document);
            }
        }
        Ok(valid)
    }

    /// Compares along random walks.
    pub fn run(&self, seed: u64) -> Outcome {
        self.compare(&|comparison, n_walks| {
            (0..n_walks as u64).try_for_each(|walk| comparison.walk(&mut Dice::new(seed ^ walk << 40)))
        })
    }

    /// Compares at every prefix.
    pub fn run_everywhere(&self) -> Outcome {
        self.compare(&|comparison, _| comparison.everywhere(MAX_EVERYWHERE))
    }

    fn compare(&self, along: &dyn Fn(&mut Comparison<'_>, usize) -> Result<(), Difference>) -> Outcome {
        let (mut n_pairs, mut n_valid) = (0, 0);
        for is_negated in [false, true] {
            let document = self.document(is_negated);
            let judged = AssertUnwindSafe(|| self.compare_one(&document, is_negated, along, &mut n_pairs));
            let end = match catch_unwind(judged) {
                Ok(Ok(n_documents)) => {
                    n_valid = if is_negated { n_valid } else { n_documents };
                    continue;
                }
                Ok(Err(end)) => end,
                Err(panic) => End::Wrong(format!("panicked: {}", message(&*panic))),
            };
            return match end {
                End::Unjudged(cause) => Outcome::Unjudged(cause),
                End::Refused(reason) => Outcome::Refused { reason, is_negated, n_pairs },
                End::Wrong(what) => Outcome::Failed(Failure { document, what }),
            };
        }
        Outcome::Agreed { n_pairs, n_valid }
    }

    /// Compares one reading; the number of valid documents.
    fn compare_one(
        &self,
        document: &Value,
        is_negated: bool,
        along: &dyn Fn(&mut Comparison<'_>, usize) -> Result<(), Difference>,
        n_pairs: &mut usize,
    ) -> Result<usize, End> {
        let valid = self.valid(document).map_err(End::Unjudged)?;
        let Universe { key_order, vocabulary, size, compiler, documents, .. } = self.universe;
        let in_every_order = *key_order == KeyOrder::Any;
        let texts = Texts::of(valid.iter().copied(), in_every_order, size.max_texts).unwrap_or_default();
        // One spelling for each document and order of keys.
        let layout = Layout { escapes: Escapes::Minimal, numbers: Numbers::Plain, ..Layout::COMPACT };
        let options = SchemaOptions { layout, key_order: *key_order, ..SchemaOptions::default() };
        let compiled = match compiler.compile(&Grammar::json_schema(document.clone()).with_options(options)) {
            Ok(_) if valid.is_empty() => return Err(End::Wrong("a schema without instances was compiled".to_owned())),
            Ok(compiled) => compiled,
            Err(error) => return refused(&error, &valid).map(|()| 0),
        };
        let mut comparison = Comparison::new(vocabulary, &texts, &compiled);
        let Size { n_walks, .. } = *size;
        let result = along(&mut comparison, if is_negated { 1 } else { n_walks });
        *n_pairs += comparison.n_pairs;
        result?;
        // The validity of each document decides whether its text is accepted; that of the complement is the opposite.
        for (index, document) in documents.iter().enumerate().filter(|(index, _)| index % self.universe.stride() == 0) {
            let text = document.to_string();
            let is_valid = texts.all().binary_search(&text.clone().into_bytes()).is_ok();
            if comparison.accepts(text.as_bytes())? != is_valid {
                let verdict = if is_valid { "a valid document is refused" } else { "an invalid document is accepted" };
                return Err(End::Wrong(format!("{verdict}: number {index}, {text}")));
            }
        }
        Ok(valid.len())
    }
}

impl Universe {
    /// Every so many documents are offered as a whole.
    fn stride(&self) -> usize {
        self.documents.len().div_ceil(200)
    }
}

/// A refusal is right when there is nothing valid, or no answer when something cannot be enforced.
fn refused(error: &CompileError, valid: &[&Value]) -> Result<(), End> {
    if error.is_unsatisfiable() {
        return match valid.first() {
            None => Ok(()),
            Some(document) => Err(End::Wrong(format!("refused ({error}), and {document} is valid"))),
        };
    }
    let reason = match error {
        CompileError::Schema(error) => error.violations().first().map(|violation| {
            let kind = format!("{:?}", violation.kind).to_lowercase();
            let keyword = violation.keyword.as_deref().unwrap_or("(no keyword)");
            if violation.kind == ViolationKind::Malformed || violation.kind == ViolationKind::Reference {
                return format!("{kind}: {keyword}: {} in {}", violation.reason, violation.pointer);
            }
            format!("{kind}: {keyword}: {}", violation.reason)
        }),
        _ => None,
    };
    Err(End::Refused(reason.unwrap_or_else(|| error.to_string())))
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
