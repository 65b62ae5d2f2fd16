//! References: what they mean in each draft, in documents that the caller gives, and in dynamic scopes.

use serde_json::{Value, json};

use super::{Acceptor, context, options};
use crate::error::{SchemaError, ViolationKind};
use crate::json_schema::{Context, Documents, FormatMode, SchemaOptions, Status, lower_schema, report_within};

fn accepts(schema: &Value, documents: &Documents, instance: &Value) -> Result<bool, SchemaError> {
    let options = SchemaOptions { formats: FormatMode::Annotate, ..options() };
    let lowered = lower_schema(schema, Context { documents, ..context(&options) })?;
    Ok(Acceptor::new(&lowered.builder).accepts(lowered.start, instance.to_string().as_bytes()))
}

fn check(schema: &Value, documents: &Documents, valid: &[Value], invalid: &[Value]) {
    for instance in valid {
        assert!(accepts(schema, documents, instance).unwrap(), "{schema} must accept {instance}");
    }
    for instance in invalid {
        assert!(!accepts(schema, documents, instance).unwrap(), "{schema} must refuse {instance}");
    }
}

fn fault(schema: &Value, documents: &Documents) -> (ViolationKind, String, String) {
    let error = accepts(schema, documents, &json!(null)).expect_err("the schema must be refused");
    let violation = &error.violations()[0];
    (violation.kind, violation.pointer.clone(), violation.keyword.clone().unwrap_or_default())
}

#[test]
fn documents_are_found_and_may_refer_to_one_another() {
    let documents: Documents = [
        (
            "http://a/tree.json",
            json!({"properties": {"next": {"$ref": "#"}, "name": {"$ref": "parts/name.json#short"}}}),
        ),
        ("http://a/parts/name.json", json!({"$defs": {"s": {"$anchor": "short", "maxLength": 2}}})),
        (
            "http://a/old.json",
            json!({"$id": "http://b/new.json", "$defs": {"x": {"$ref": "#/$defs/y"}, "y": {"const": 1}}}),
        ),
    ]
    .into_iter()
    .collect();
    let tree = json!({"type": "object", "$ref": "http://a/tree.json"});
    check(
        &tree,
        &documents,
        &[json!({"next": {"next": {"name": "ab"}}})],
        &[json!({"next": {"next": {"name": "abc"}}}), json!(1)],
    );
    for uri in ["http://a/old.json#/$defs/x", "http://b/new.json#/$defs/x"] {
        check(&json!({"$ref": uri}), &documents, &[json!(1)], &[json!(2)]);
    }
    let missing = json!({"properties": {"a": {"$ref": "http://a/nothing.json"}}});
    assert_eq!(fault(&missing, &documents), (ViolationKind::Reference, "/properties/a".into(), "$ref".into()));
    let broken = [("http://a/broken.json", json!({"items": {"type": "strin"}}))].into_iter().collect();
    let pointer = "http://a/broken.json#/items".to_owned();
    assert_eq!(
        fault(&json!({"$ref": "http://a/broken.json"}), &broken),
        (ViolationKind::Malformed, pointer, "type".into())
    );
}

#[test]
fn a_document_is_read_in_its_own_dialect_or_in_that_of_the_schema() {
    let hidden = json!({"$ref": "#/definitions/any", "definitions": {"any": {}}, "maximum": 3});
    let mut old = hidden.clone();
    old["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    let documents = [("http://a/old.json", old), ("http://a/silent.json", hidden)].into_iter().collect();
    let new = |uri: &str| json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": uri});
    check(&new("http://a/old.json"), &documents, &[json!(4)], &[]);
    check(&new("http://a/silent.json"), &documents, &[json!(3)], &[json!(4)]);
    let as_old = json!({"$schema": "http://json-schema.org/draft-06/schema#", "$ref": "http://a/silent.json"});
    check(&as_old, &documents, &[json!(4)], &[]);
}

#[test]
fn a_resource_inside_a_document_is_found() {
    let bundle =
        json!({"$defs": {"part": {"$id": "http://b/part", "const": 1}, "other": {"$id": "parts/x", "const": 2}}});
    let documents = [("http://a/bundle", bundle)].into_iter().collect();
    check(&json!({"$ref": "http://b/part"}), &documents, &[json!(1)], &[json!(2)]);
    check(&json!({"$ref": "http://a/parts/x"}), &documents, &[json!(2)], &[json!(1)]);
    assert_eq!(fault(&json!({"$ref": "http://b/none"}), &documents).0, ViolationKind::Reference);
}

#[test]
fn each_draft_has_its_own_keywords() {
    let draft = |name: &str| format!("http://json-schema.org/{name}/schema#");
    let none = Documents::new();
    let names = |draft: String| {
        let base = if draft.contains("draft-04") { "id" } else { "$id" };
        json!({
            "$schema": draft, base: "http://a/root",
            "properties": {"x": {"$ref": "inner#short"}, "y": {"$ref": "inner", "maximum": 1}},
            "definitions": {"x": {base: "inner", "minimum": 3, "definitions": {"s": {base: "#short", "maximum": 2}}}}
        })
    };
    for name in ["draft-04", "draft-06", "draft-07"] {
        let valid = [json!({"x": 2, "y": 4})];
        check(&names(draft(name)), &none, &valid, &[json!({"x": 3}), json!({"y": 2})]);
    }
    let bounds =
        json!({"$schema": draft("draft-04"), "minimum": 3, "exclusiveMinimum": true, "const": 1, "contains": false});
    check(&bounds, &none, &[json!(4), json!([1])], &[json!(3)]);
    let tuple = json!({
        "$schema": "https://json-schema.org/draft/2019-09/schema",
        "items": [{"const": 1}], "additionalItems": {"const": 2}, "prefixItems": [false], "dependentRequired": {"a": ["b"]}
    });
    let in_2019 = [json!([1, 2]), json!({"b": 1})];
    check(&tuple, &none, &in_2019, &[json!([1, 1]), json!({"a": 1})]);
    // A document goes by its own draft, whoever refers to it.
    let documents = [("http://a/2019", tuple)].into_iter().collect();
    let from_7 =
        json!({"$schema": draft("draft-07"), "allOf": [{"$ref": "http://a/2019"}], "dependentRequired": {"b": ["c"]}});
    check(&from_7, &documents, &in_2019, &[json!([1, 1]), json!({"a": 1})]);
}

#[test]
fn metaschemas_are_built_in() {
    let none = Documents::new();
    for draft in ["http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#"] {
        check(&json!({"$ref": draft}), &none, &[json!({"minLength": 1})], &[json!({"minLength": -1})]);
    }
    // Here the vocabularies' metaschemas refer back by dynamic references.
    for draft in ["https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema"] {
        let deep = |length: i32| json!({"properties": {"a": {"not": {"minLength": length}}}});
        check(&json!({"$schema": draft, "$ref": draft}), &none, &[deep(1)], &[deep(-1)]);
    }
}

#[test]
fn a_dynamic_reference_means_the_outermost_anchor() {
    let none = Documents::new();
    let tree = |strict: bool| {
        json!({
            "$id": "http://a/root",
            "$ref": if strict { "strict" } else { "tree" },
            "$defs": {
                "strict": {
                    "$id": "strict", "$dynamicAnchor": "node", "$ref": "tree", "unevaluatedProperties": false
                },
                "tree": {
                    "$id": "tree", "$dynamicAnchor": "node", "type": "object",
                    "properties": {"data": true, "children": {"type": "array", "items": {"$dynamicRef": "#node"}}}
                }
            }
        })
    };
    let document = |key: &str| json!({"children": [{"data": 1}, {"children": [{key: 1}]}]});
    check(&tree(true), &none, &[document("data")], &[document("daat")]);
    check(&tree(false), &none, &[document("data"), document("daat")], &[]);
    // Both in one schema: the same subschema means two things.
    let both = json!({
        "properties": {"strict": {"$ref": "http://a/strict"}, "loose": {"$ref": "http://a/tree"}},
        "$defs": {"all": tree(true)}
    });
    check(
        &both,
        &none,
        &[json!({"strict": document("data"), "loose": document("daat")})],
        &[json!({"strict": document("daat")})],
    );
}

#[test]
fn a_recursive_reference_means_the_outermost_resource_that_recurs() {
    let none = Documents::new();
    let schema = |anchored: bool| {
        json!({
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "$id": "http://a/outer", "$recursiveAnchor": anchored,
            "anyOf": [{"type": "boolean"}, {"$ref": "inner"}],
            "$defs": {"inner": {
                "$id": "inner", "$recursiveAnchor": true,
                "anyOf": [{"type": "integer"}, {"type": "object", "additionalProperties": {"$recursiveRef": "#"}}]
            }}
        })
    };
    check(&schema(true), &none, &[json!({"a": {"b": true}}), json!(1)], &[json!({"a": "s"})]);
    check(&schema(false), &none, &[json!({"a": {"b": 1}}), json!(true)], &[json!({"a": true})]);
}

#[test]
fn a_metaschema_says_which_keywords_count() {
    let uri = |name: &str| format!("https://json-schema.org/draft/2020-12/vocab/{name}");
    let metaschema = |vocabulary: Value| {
        let schema = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$vocabulary": vocabulary});
        [("http://a/meta", schema)].into_iter().collect::<Documents>()
    };
    let schema = json!({"$schema": "http://a/meta", "properties": {"a": {"minimum": 10}}, "format": "ipv4"});
    let applicators = metaschema(json!({uri("core"): true, uri("applicator"): true}));
    check(&schema, &applicators, &[json!({"a": 1}), json!("x")], &[]);
    let all = metaschema(json!({
        uri("core"): true, uri("applicator"): true, uri("validation"): true, uri("format-assertion"): false, "urn:mine": false
    }));
    check(&schema, &all, &[json!({"a": 10}), json!("1.2.3.4")], &[json!({"a": 1}), json!("x")]);
    let unknown = metaschema(json!({uri("core"): true, "urn:mine": true}));
    assert_eq!(fault(&schema, &unknown), (ViolationKind::Unsupported, String::new(), "$schema".into()));
}

#[test]
fn a_report_lists_a_schema_once_in_whatever_scopes_it_is_evaluated() {
    let schema = json!({
        "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/$defs/b"}},
        "$defs": {
            "a": {"$id": "urn:a", "$dynamicAnchor": "x", "$ref": "urn:c"},
            "b": {"$id": "urn:b", "$dynamicAnchor": "x", "$ref": "urn:c"},
            "c": {"$id": "urn:c", "$dynamicAnchor": "x", "maximum": 3, "items": {"$dynamicRef": "#x"}}
        }
    });
    let options = options();
    let report = report_within(&schema, context(&options));
    let found: Vec<_> = report.entries.iter().filter(|entry| entry.keyword == "maximum").collect();
    assert!(found.len() == 1 && found[0].status == Status::Enforced, "{found:?}");
}
