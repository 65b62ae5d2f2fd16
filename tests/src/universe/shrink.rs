//! What is the least that still fails? Keywords, branches and documents are taken away as long as the failure stays.

use serde_json::{Map, Value};

use super::schemas::RandomSchema;
use super::trial::{Failure, Outcome, Trial};
use crate::validator::Draft;

/// Trials spent at most.
const MAX_TRIALS: usize = 4_000;

/// A smaller trial that fails as well, with its failure. `None` when `trial` does not fail at every prefix, or not with a
/// compiler of its own: the automata that grammars of one compiler share may matter.
pub fn shrink(trial: &Trial<'_>) -> Option<Failure> {
    let mut universe = trial.universe.with_tokens(|_| true);
    let mut failure = failure_of(&Trial { universe: &universe, schema: trial.schema.clone() })?;
    let mut schema = trial.schema.clone();
    let mut n_trials = 0;
    'smaller: while n_trials < MAX_TRIALS {
        for smaller in schema_reductions(&schema) {
            n_trials += 1;
            let trial = Trial { universe: &universe, schema: smaller };
            if let Some(found) = failure_of(&trial) {
                (failure, schema) = (found, trial.schema);
                continue 'smaller;
            }
        }
        for domain in universe.domain.reductions() {
            n_trials += 1;
            let Some(smaller) = universe.with_domain(domain) else { continue };
            if let Some(found) = failure_of(&Trial { universe: &smaller, schema: schema.clone() }) {
                (failure, universe) = (found, smaller);
                continue 'smaller;
            }
        }
        // A half, a quarter, ... of the tokens; single bytes stay, so that texts can be written.
        let n_tokens = universe.vocabulary.tokens.len();
        let sizes = std::iter::successors(Some(n_tokens / 2), |size| Some(size / 2).filter(|size| *size > 0));
        let parts = sizes.flat_map(|size| (0..n_tokens).step_by(size.max(1)).map(move |start| start..start + size));
        for part in parts.collect::<Vec<_>>() {
            let is_long = |id: usize| universe.vocabulary.tokens[id].len() > 1;
            if !part.clone().any(|id| id < n_tokens && is_long(id)) {
                continue;
            }
            n_trials += 1;
            let smaller = universe.with_tokens(|id| !part.contains(&id) || !is_long(id));
            if let Some(found) = failure_of(&Trial { universe: &smaller, schema: schema.clone() }) {
                (failure, universe) = (found, smaller);
                continue 'smaller;
            }
        }
        break;
    }
    Some(Failure { what: format!("{} with tokens {:?}", failure.what, universe.long_tokens()), ..failure })
}

/// How `trial` fails with a compiler that has seen nothing else.
fn failure_of(trial: &Trial<'_>) -> Option<Failure> {
    let universe = trial.universe.with_tokens(|_| true);
    match (Trial { universe: &universe, schema: trial.schema.clone() }).run_everywhere() {
        Outcome::Failed(failure) => Some(failure),
        _ => None,
    }
}

fn schema_reductions(schema: &RandomSchema) -> Vec<RandomSchema> {
    let mut smaller = Vec::new();
    if schema.draft != Draft::Unspecified {
        smaller.push(RandomSchema { draft: Draft::Unspecified, ..schema.clone() });
    }
    for definitions in members_reductions(&schema.definitions) {
        smaller.push(RandomSchema { definitions, ..schema.clone() });
    }
    smaller.extend(reductions(&schema.schema).into_iter().map(|it| RandomSchema { schema: it, ..schema.clone() }));
    smaller.sort_by_key(|it| it.schema.to_string().len() + Value::from(it.definitions.clone()).to_string().len());
    smaller
}

/// Schemas that say less.
fn reductions(schema: &Value) -> Vec<Value> {
    let Value::Object(members) = schema else { return Vec::new() };
    let mut smaller = vec![Value::Bool(true), Value::Bool(false)];
    smaller.extend(crate::validator::subschemas(members).into_iter().map(|(_, inner)| inner.clone()));
    for keyword in members.keys() {
        let mut fewer = members.clone();
        fewer.shift_remove(keyword);
        smaller.push(fewer.into());
    }
    for (keyword, value) in members {
        for value in keyword_reductions(keyword, value) {
            let mut changed = members.clone();
            changed.insert(keyword.clone(), value);
            smaller.push(changed.into());
        }
    }
    smaller
}

fn keyword_reductions(keyword: &str, value: &Value) -> Vec<Value> {
    match (keyword, value) {
        ("enum" | "required" | "type", Value::Array(elements)) => shorter(elements),
        ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(elements)) => {
            let mut smaller = shorter(elements);
            for (index, element) in elements.iter().enumerate() {
                smaller.extend(reductions(element).into_iter().map(|element| {
                    let mut elements = elements.clone();
                    elements[index] = element;
                    Value::from(elements)
                }));
            }
            smaller
        }
        (
            "$defs" | "definitions" | "dependencies" | "dependentSchemas" | "patternProperties" | "properties",
            Value::Object(members),
        ) => members_reductions(members).into_iter().map(Value::from).collect(),
        ("const", _) => Vec::new(),
        _ => reductions(value),
    }
}

fn shorter(elements: &[Value]) -> Vec<Value> {
    if elements.len() <= 1 {
        return Vec::new();
    }
    let without = |index: usize| {
        let mut fewer = elements.to_vec();
        fewer.remove(index);
        Value::from(fewer)
    };
    (0..elements.len()).map(without).collect()
}

fn members_reductions(members: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let mut smaller = Vec::new();
    for (key, member) in members {
        let mut fewer = members.clone();
        fewer.shift_remove(key);
        smaller.push(fewer);
        for member in reductions(member) {
            let mut changed = members.clone();
            changed.insert(key.clone(), member);
            smaller.push(changed);
        }
    }
    smaller
}
