//! Does algebra that would explode end in an error that names the place?

use serde_json::{Value, json};

use super::{Limits, context, options};
use crate::error::{CompileError, ViolationKind};
use crate::json_schema::{Context, lower_schema};
use crate::{Compiler, Grammar, TokenId, Vocabulary};

/// Branches of which each tells `n` keys apart, so that any two of them overlap and none holds another.
fn overlapping(n_branches: usize, n_keys: usize) -> Value {
    let branch = |index: usize| {
        let keys = (0..n_keys).map(|key| {
            let values: Vec<usize> =
                (0..6).filter(|value| (index >> (key % 5)) & 1 == value & 1 || key == index).collect();
            (format!("k{key}"), json!({"enum": values}))
        });
        json!({"type": "object", "properties": keys.collect::<serde_json::Map<_, _>>()})
    };
    json!({"oneOf": (0..n_branches).map(branch).collect::<Vec<_>>()})
}

#[test]
fn what_would_explode_is_refused_at_its_place() {
    let nested = (0..12).fold(json!({"properties": {"a": {"minimum": 1}}, "required": ["b"]}), |inner, index| {
        json!({"not": {"anyOf": [inner, {"properties": {(format!("p{index}")): {"type": "string"}}, "minProperties": index}]}})
    });
    // Small budgets: what is asked is where the error points, not what a machine bears.
    for (name, explosive, max_schema_steps) in [("oneOf", overlapping(30, 40), 20_000), ("not", nested, 200)] {
        let schema = json!({"type": "object", "properties": {"fine": {"type": "string"}, "bad": explosive}});
        let limits = Limits { max_schema_steps, ..Limits::default() };
        let options = options();
        let context = Context { limits: &limits, ..context(&options) };
        let Err(error) = lower_schema(&schema, context) else { panic!("{name} fits into the budget") };
        let violation = &error.violations()[0];
        assert!(matches!(violation.kind, ViolationKind::Limit | ViolationKind::Unsupported), "{name}: {violation:?}");
        assert!(violation.pointer.starts_with("/properties/bad"), "{name}: {violation:?}");
    }
}

#[test]
fn thirty_overlapping_branches_end_in_an_error_or_a_grammar() {
    let vocabulary = Vocabulary::from_tokens(["a", "</s>"], &[TokenId::new(1)]).unwrap();
    let compiler = Compiler::new(vocabulary);
    let schema = json!({"properties": {"bad": overlapping(30, 40)}});
    if let Err(error) = compiler.compile(&Grammar::json_schema(schema)) {
        let CompileError::Schema(error) = error else { panic!("{error}") };
        assert!(error.violations()[0].pointer.starts_with("/properties/bad"), "{error}");
    }
}
