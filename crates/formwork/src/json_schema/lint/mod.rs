//! What in a schema is probably a mistake? Nothing here refuses anything.

mod branches;
mod effect;
mod shut_out;
mod spelling;

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::NodeId;
use super::fault::{Fault, Result};
use super::keyword::Keywords;
use super::reduce::Reducer;
use super::{Context, Documents, SchemaOptions};
use crate::limits::Limits;

/// Something in a schema that its author hardly meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lint {
    /// JSON Pointer to the schema object.
    pub pointer: String,
    /// The keyword, where one is at fault.
    pub keyword: Option<String>,
    /// What kind of mistake it probably is.
    pub kind: LintKind,
    /// What is odd, in words.
    pub message: String,
}

/// What kind of mistake a [`Lint`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LintKind {
    /// A keyword that looks like another one, misspelt.
    Misspelt,
    /// A keyword that the schema's draft does not have.
    OtherDraft,
    /// A keyword beside a `$ref` that hides it.
    HiddenByRef,
    /// A keyword that can never make a difference here.
    NoEffect,
    /// A pattern that no string matches.
    NeverMatches,
    /// A schema that nothing fits.
    Unsatisfiable,
    /// A required property that is not allowed.
    ForbiddenRequired,
    /// A property that `additionalProperties` of a schema beside this one does not allow.
    ShutOut,
}

/// Steps that looking for mistakes may take; what is found until then is listed.
const MAX_STEPS: usize = 500_000;
/// Lints that are listed; a schema with more is wrong throughout.
const MAX_LINTS: usize = 1_000;

/// Lists what is probably a mistake in `schema`, in the order of the schema. A schema that is refused is looked at as well;
/// one that is very large may be looked at in part. For one that refers to other documents there is
/// [`Grammar::lint`](crate::Grammar::lint).
pub fn lint(schema: &Value, options: &SchemaOptions) -> Vec<Lint> {
    lint_within(schema, Context::new(options, &Documents::new(), &Limits::default()))
}

/// [`lint`] with documents and limits.
pub(crate) fn lint_within(schema: &Value, context: Context<'_>) -> Vec<Lint> {
    let max_schema_steps = MAX_STEPS.min(context.limits.max_schema_steps);
    let limits = Limits { max_schema_steps, ..context.limits.clone() };
    let context = Context { limits: &limits, ..context };
    let mut linter = Linter::new(context, false);
    // An error is a limit: the lints found before it stand.
    let _ = linter.all(schema);
    if linter.reducer.document.needs_scopes() {
        linter = Linter::new(context, true);
        let _ = linter.all(schema);
    }
    linter.lints
}

/// Collects lints.
struct Linter<'a> {
    reducer: Reducer<'a>,
    lints: Vec<Lint>,
    seen: BTreeSet<Lint>,
}

impl<'a> Linter<'a> {
    fn new(context: Context<'a>, scoped: bool) -> Linter<'a> {
        Linter { reducer: Reducer::new(context, scoped), lints: Vec::new(), seen: BTreeSet::new() }
    }

    fn all(&mut self, schema: &'a Value) -> Result<()> {
        let root = self.reducer.document.add_root(schema, String::new());
        let nodes = self.reducer.document.schemas()?;
        self.whole(root)?;
        for node in nodes {
            if self.lints.len() >= MAX_LINTS {
                break;
            }
            let Value::Object(map) = self.reducer.document.value(node) else { continue };
            self.reducer.step(node, 1 + map.len())?;
            self.spelling(node, map);
            let keywords = self.reducer.document.keywords(node, map);
            self.effects(node, map, &keywords);
            let probes = [Self::patterns, Self::branches, Self::shut_out];
            for probe in probes {
                match probe(self, node, &keywords) {
                    Err(fault) if fault.is_limit() => return Err(fault),
                    // What is refused is said elsewhere.
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Lists one lint, once.
    fn add(&mut self, node: NodeId, keyword: Option<&str>, kind: LintKind, message: impl Into<String>) {
        let pointer = self.reducer.document.pointer(node);
        let lint = Lint { pointer, keyword: keyword.map(str::to_owned), kind, message: message.into() };
        if self.seen.insert(lint.clone()) {
            self.lints.push(lint);
        }
    }

    /// Nothing for what is refused; limits go on.
    fn unless_refused<T>(result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(fault @ Fault::Refused(_)) if fault.is_limit() => Err(fault),
            Err(_) => Ok(None),
        }
    }
}

/// The keywords of one schema object.
type Held<'k, 'a> = &'k Keywords<'a>;
