//! Schemas, what they must accept and refuse, and what is said where a schema itself is refused.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{Acceptor, accepts, context, options};
use crate::automata::Terminal;
use crate::error::{SchemaError, ViolationKind};
use crate::json_schema::{
    ArgumentsKey, Context, Layout, Profile, SchemaOptions, Status, Tool, ToolCalls, ToolSet, lower_json_object,
    lower_schema, lower_tools, parse_schema, report,
};

fn check(schema: Value, valid: &[Value], invalid: &[Value]) {
    for instance in valid {
        assert!(accepts(&schema, instance).unwrap(), "{schema} must accept {instance}");
    }
    for instance in invalid {
        assert!(!accepts(&schema, instance).unwrap(), "{schema} must refuse {instance}");
    }
}

fn refusal(schema: &Value) -> SchemaError {
    lower_schema(schema, context(&options())).err().expect("the schema must be refused")
}

fn fault(schema: Value) -> (ViolationKind, String, String) {
    let error = refusal(&schema);
    let violation = &error.violations()[0];
    (violation.kind, violation.pointer.clone(), violation.keyword.clone().unwrap_or_default())
}

#[test]
fn siblings_are_intersections() {
    check(
        json!({
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
            "allOf": [{"properties": {"a": {"minimum": 3}}}]
        }),
        &[json!({"a": 3}), json!({"b": null})],
        &[json!({"a": 2}), json!({}), json!({"a": "3"})],
    );
    check(json!({"enum": [1, "a", null], "type": ["string", "null"]}), &[json!("a"), json!(null)], &[json!(1)]);
}

/// As many branches as real schemas have: their sets would be 2^20.
#[test]
fn what_branches_evaluate_is_known_by_their_discriminators() {
    const N: usize = 20;
    let each = |branch: &dyn Fn(String, String) -> Value| -> Vec<Value> {
        (0..N).map(|index| branch(format!("k{index}"), format!("p{index}"))).collect()
    };
    let own = |p: &str| json!({p: {"type": "integer"}});
    let branches = each(
        &|k, p| json!({"properties": {"kind": {"const": k}, p.as_str(): {"type": "integer"}}, "required": ["kind"]}),
    );
    let conditions = |required: &[&str], otherwise: bool| {
        each(&|k, p| {
            let mut conditional = json!({
                "if": {"properties": {"kind": {"const": k}}, "required": required},
                "then": {"properties": own(&p)}
            });
            if otherwise {
                conditional["else"] = json!({"properties": {p: false}});
            }
            conditional
        })
    };
    for (rules, kind_is_known) in [
        (json!({"oneOf": branches}), true),
        (json!({"anyOf": branches}), true),
        (json!({"allOf": conditions(&["kind"], false)}), false),
        (json!({"allOf": conditions(&["kind"], true)}), false),
        (json!({"allOf": conditions(&[], false), "required": ["kind"]}), true),
    ] {
        let mut schema = rules;
        schema["properties"] = json!({"id": {"type": "string"}, "kind": {"type": "string"}});
        schema["unevaluatedProperties"] = false.into();
        check(
            schema.clone(),
            &[json!({"kind": "k1", "p1": 3}), json!({"id": "a", "kind": "k19", "p19": 3}), json!({"kind": "k0"})],
            &[json!({"kind": "k1", "p2": 3}), json!({"kind": "k1", "p1": "a"}), json!({"kind": "k1", "q": 3})],
        );
        assert_eq!(accepts(&schema, &json!({"id": "a"})).unwrap(), !kind_is_known, "{schema}");
        // What is no object has no properties.
        assert_eq!(accepts(&schema, &json!([1])).unwrap(), schema.get("oneOf").is_none(), "{schema}");
    }
}

#[test]
fn unevaluated_members_are_negated() {
    check(
        json!({"type": "array", "prefixItems": [{}], "not": {"prefixItems": [{}], "unevaluatedItems": {"type": "integer"}}}),
        &[json!([1, "a"]), json!(["a", 1, null])],
        &[json!([]), json!(["a"]), json!(["a", 1, 2])],
    );
    check(
        json!({"type": "object", "not": {"properties": {"a": {}}, "unevaluatedProperties": {"type": "integer"}}}),
        &[json!({"a": 1, "b": "c"}), json!({"b": null})],
        &[json!({}), json!({"a": "b"}), json!({"a": "b", "c": 1})],
    );
    check(
        json!({"not": {"unevaluatedItems": false, "unevaluatedProperties": false}}),
        &[json!([1]), json!({"a": 1})],
        &[json!([]), json!({}), json!("a")],
    );
}

#[test]
fn all_that_is_said_of_a_string_holds_at_once() {
    check(
        json!({
            "type": "string",
            "pattern": r"(?<!x)@",
            "format": "email",
            "minLength": 6,
            "maxLength": 9,
            "not": {"pattern": r"\bno\b"},
            "allOf": [{"pattern": "^(?=.*[0-9])"}, {"not": {"enum": ["a1@b.de"]}}]
        }),
        &[json!("a2@b.de"), json!("a1@b.deu"), json!("nob@1.a")],
        &[json!("a1@b.de"), json!("x@b.d1"), json!("no1@"), json!("no@b.d1"), json!("a@b1"), json!("abcdefg@b1")],
    );
    check(
        json!({"type": "string", "not": {"format": "hostname"}, "format": "ipv6"}),
        &[json!("::1")],
        &[json!("a"), json!("1.2.3.4")],
    );
    let nothing = json!({"type": "string", "format": "date", "not": {"format": "date"}});
    assert!(refusal(&nothing).is_unsatisfiable());
    check(
        json!({"enum": ["2024-01-01", "x", "1"], "format": "date"}),
        &[json!("2024-01-01")],
        &[json!("x"), json!("1"), json!("2024-01-02")],
    );
}

#[test]
fn each_conjunct_closes_its_own_properties() {
    let closed = |name: &str| json!({"properties": {name: {}}, "additionalProperties": false});
    check(
        json!({"type": "object", "allOf": [closed("a"), closed("b")]}),
        &[json!({})],
        &[json!({"a": 1}), json!({"b": 1}), json!({"c": 1})],
    );
    check(
        json!({
            "type": "object",
            "properties": {"ab": {"type": "integer"}, "c": {}},
            "patternProperties": {"^a": {"type": ["integer", "string"]}, "b$": {"type": ["integer", "null"]}},
            "additionalProperties": {"type": "boolean"}
        }),
        &[json!({"ab": 1, "axb": 2, "ax": "s", "xb": null, "z": true, "c": []})],
        &[json!({"axb": "s"}), json!({"ax": null}), json!({"z": 1}), json!({"ab": "s"})],
    );
}

#[test]
fn one_of_is_exact() {
    check(
        json!({"oneOf": [{"type": "number", "maximum": 3}, {"minimum": 2}]}),
        &[json!(1), json!(3.5), json!("a")],
        &[json!(3), json!(2)],
    );
    check(
        json!({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        &[json!({"a": 1}), json!({"b": 1, "c": 2})],
        &[json!({"a": 1, "b": 1}), json!({})],
    );
}

#[test]
fn negation_and_conditions_are_exact() {
    check(
        json!({
            "type": "object",
            "properties": {"kind": {"enum": ["a", "b"]}},
            "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
            "then": {"required": ["x"]},
            "else": {"not": {"required": ["x"]}}
        }),
        &[json!({"kind": "a", "x": 1}), json!({"kind": "b"}), json!({})],
        &[json!({"kind": "a"}), json!({"kind": "b", "x": 1}), json!({"x": 1})],
    );
    check(
        json!({"not": {"type": "array", "items": {"type": "number"}}}),
        &[json!([1, "a"]), json!({}), json!(["a"])],
        &[json!([]), json!([1, 2])],
    );
    check(
        json!({"type": "object", "dependencies": {"a": ["b"], "b": {"required": ["c"]}}}),
        &[json!({}), json!({"a": 1, "b": 1, "c": 1}), json!({"b": 1, "c": 1}), json!({"c": 1})],
        &[json!({"a": 1}), json!({"b": 1}), json!({"a": 1, "b": 1})],
    );
}

#[test]
fn numbers_of_a_text_are_exact_at_any_size() {
    let accepts = |schema: &str, instance: &str| {
        let (schema, numbers) = parse_schema(schema).unwrap();
        let options = SchemaOptions { layout: Layout::FREE, ..options() };
        let lowered = lower_schema(&schema, Context { long_numbers: Some(&numbers), ..context(&options) }).unwrap();
        Acceptor::new(&lowered.builder).accepts(lowered.start, instance.as_bytes())
    };
    for (schema, valid, invalid) in [
        (r#"{"enum": [12345678901234567890123]}"#, "12345678901234567890123.0", "12345678901234567890124"),
        (r#"{"type": "number", "minimum": 1e400}"#, "10e399", "9.9e399"),
        (
            r#"{"type": "number", "maximum": 0.10000000000000000001}"#,
            "0.10000000000000000001",
            "0.10000000000000000002",
        ),
        (r#"{"not": {"const": 12345678901234567890123}}"#, "12345678901234567890124", "12345678901234567890123"),
    ] {
        assert!(accepts(schema, valid) && !accepts(schema, invalid), "{schema}");
    }
    let (schema, numbers) = parse_schema(r#"{"properties": {"a": {"minimum": 1e5000}}}"#).unwrap();
    let options = options();
    let context = Context { long_numbers: Some(&numbers), ..context(&options) };
    let error = lower_schema(&schema, context).err().unwrap();
    assert!(error.is_limit() && error.violations()[0].pointer == "/properties/a");
}

#[test]
fn complements_of_numbers_are_exact() {
    check(
        json!({"type": "number", "not": {"type": "integer"}}),
        &[json!(0.5), json!(-3.25)],
        &[json!(1), json!(0), json!("a")],
    );
    check(
        json!({"type": "integer", "not": {"multipleOf": 3}, "minimum": 3, "maximum": 7}),
        &[json!(4), json!(5), json!(7)],
        &[json!(3), json!(6), json!(8)],
    );
    check(
        json!({"type": "integer", "not": {"enum": [1, 2.0, "a"]}}),
        &[json!(0), json!(3), json!(11)],
        &[json!(1), json!(2), json!("b")],
    );
    let draft4 = |schema: Value| {
        let mut schema = schema;
        schema["$schema"] = json!("http://json-schema.org/draft-04/schema#");
        schema
    };
    check(draft4(json!({"type": "integer", "enum": [1.0, 2.5]})), &[json!(1)], &[json!(1.0), json!(2.5)]);
    check(draft4(json!({"type": "number", "not": {"type": "integer"}})), &[json!(1.0), json!(0.5)], &[json!(1)]);
    assert!(refusal(&json!({"type": "integer", "minimum": 4, "maximum": 5, "multipleOf": 3})).is_unsatisfiable());
}

#[test]
fn references_may_be_recursive() {
    check(
        json!({
            "$ref": "#/$defs/a%25b~1c",
            "$defs": {"a%b/c": {
                "type": "object",
                "properties": {"next": {"$ref": "#/$defs/a%25b~1c"}},
                "additionalProperties": false
            }}
        }),
        &[json!({}), json!({"next": {"next": {}}})],
        &[json!({"next": 1}), json!({"next": {"other": {}}})],
    );
}

#[test]
fn faults_name_pointer_and_keyword() {
    use ViolationKind::{Malformed, Reference, Unsatisfiable, Unsupported};
    let nested = |schema: Value| json!({"properties": {"a/b": schema}});
    let cases = [
        (nested(json!({"type": "strin"})), Malformed, "/properties/a~1b", "type"),
        (nested(json!({"minLength": "1", "type": "string"})), Malformed, "/properties/a~1b", "minLength"),
        (nested(json!({"pattern": "("})), Malformed, "/properties/a~1b", "pattern"),
        (nested(json!({"not": {"uniqueItems": true}})), Unsupported, "/properties/a~1b/not", "uniqueItems"),
        (nested(json!({"$ref": "#/nowhere"})), Reference, "/properties/a~1b", "$ref"),
        (nested(json!({"$ref": "http://example.com/x"})), Reference, "/properties/a~1b", "$ref"),
        (json!({"$ref": "#"}), Reference, "", "$ref"),
        (json!({"anyOf": [{"$ref": "#"}, {"type": "null"}]}), Reference, "", "anyOf"),
        (json!({"type": "number", "minimum": 3, "maximum": 2}), Unsatisfiable, "", "minimum"),
        (json!({"type": "string", "enum": [1, 2]}), Unsatisfiable, "", "enum"),
        (json!(false), Unsatisfiable, "", ""),
        (json!({"type": "object", "required": ["a"], "properties": {"a": false}}), Unsatisfiable, "", ""),
    ];
    for (schema, kind, pointer, keyword) in cases {
        assert_eq!(fault(schema.clone()), (kind, pointer.to_owned(), keyword.to_owned()), "{schema}");
    }
}

#[test]
fn what_is_relaxed_is_reported() {
    let schema = json!({
        "type": "array",
        "title": "t",
        "not": {"uniqueItems": true},
        "items": {"type": "string", "format": "unheard-of", "minLength": 1}
    });
    let options = SchemaOptions { relax_unsupported: true, ..options() };
    let report = report(&schema, &options);
    let entries: Vec<_> =
        report.entries.iter().map(|entry| (entry.pointer.as_str(), entry.keyword.as_str(), entry.status)).collect();
    let expected = [
        ("", "type", Status::Enforced),
        ("", "title", Status::Annotation),
        ("", "not", Status::Enforced),
        ("", "items", Status::Enforced),
        ("/not", "uniqueItems", Status::Relaxed),
        ("/items", "type", Status::Enforced),
        ("/items", "format", Status::Annotation),
        ("/items", "minLength", Status::Enforced),
    ];
    assert_eq!(entries, expected);
    let strict = SchemaOptions { refuse_unknown_formats: true, ..super::options() };
    let error = lower_schema(&json!({"type": "string", "format": "unheard-of"}), context(&strict));
    assert!(error.is_err_and(|error| error.is_unsupported()));
}

#[test]
fn deep_schemas_meet_a_limit() {
    type Wrap = fn(Value) -> Value;
    let wrap: [(&str, Wrap); 4] = [
        ("items", |schema| Value::Object([("items".to_owned(), schema)].into_iter().collect())),
        ("allOf", |schema| Value::Object([("allOf".to_owned(), Value::Array(vec![schema]))].into_iter().collect())),
        ("not", |schema| Value::Object([("not".to_owned(), schema)].into_iter().collect())),
        ("enum", |value| Value::Array(vec![value])),
    ];
    for (keyword, wrap) in wrap {
        let mut schema = (0..10_000).fold(json!({}), |schema, _| wrap(schema));
        if keyword == "enum" {
            schema = Value::Object([("enum".to_owned(), Value::Array(vec![schema]))].into_iter().collect());
        }
        // `Value` is dropped, and `json!` copies, level by level on the stack; neither is ours to test.
        let schema = std::mem::ManuallyDrop::new(schema);
        let error = refusal(&schema);
        assert!(error.is_limit() && error.to_string().len() < 300, "{keyword}: {error}");
    }
}

#[test]
fn a_long_chain_of_references_meets_a_limit() {
    let definitions: Map<String, Value> = (0..10_000)
        .map(|index| (format!("d{index}"), json!({"allOf": [{"$ref": format!("#/$defs/d{}", index + 1)}]})))
        .collect();
    assert!(refusal(&json!({"$ref": "#/$defs/d0", "$defs": definitions})).is_limit());
}

#[test]
fn products_meet_a_limit() {
    let choice = |index: usize| json!({"anyOf": [{"properties": {format!("a{index}"): {"const": 1}}}, {"properties": {format!("b{index}"): {"const": 2}}}]});
    let schema = json!({"type": "object", "allOf": (0..40).map(choice).collect::<Vec<_>>()});
    let start = Instant::now();
    assert!(refusal(&schema).is_limit());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn large_schemas_cost_little() {
    let values: Vec<String> = (0..10_000).map(|index| format!("value {index}")).collect();
    let properties: Map<String, Value> =
        (0..5_000).map(|index| (format!("p{index}"), json!({"type": "string"}))).collect();
    let required: Vec<String> = properties.keys().cloned().collect();
    for schema in [
        json!({"enum": values}),
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
    ] {
        let start = Instant::now();
        assert!(lower_schema(&schema, context(&options())).is_ok());
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    }
}

#[test]
fn constants_of_one_place_are_one_terminal() {
    let lowered = lower_schema(&json!({"anyOf": [{"const": "b"}, {"enum": ["a", null, 1]}]}), context(&options()));
    let builder = lowered.unwrap().builder;
    let expected = Terminal::one_of(["\"a\"", "\"b\"", "1", "null"]);
    assert!(builder.terminals().contains(&expected), "{:?}", builder.terminals());
}

fn weather(parameters: Value) -> ToolSet {
    let tools = vec![
        Tool { name: "weather".to_owned(), parameters },
        Tool { name: "time".to_owned(), parameters: json!({"$ref": "#/$defs/t", "$defs": {"t": {"type": "object"}}}) },
    ];
    ToolSet { tools, arguments_key: ArgumentsKey::Parameters, calls: ToolCalls::Many { max: Some(2) } }
}

#[test]
fn tools_are_called_by_name() {
    let set = weather(json!({"properties": {"city": {"type": "string"}}, "required": ["city"]}));
    let lowered = lower_tools(&set, context(&options())).unwrap();
    let acceptor = |text: &str| Acceptor::new(&lowered.builder).accepts(lowered.start, text.as_bytes());
    assert!(acceptor(r#"[{"name":"weather","parameters":{"city":"Oslo"}},{"name":"time","parameters":{"a":1}}]"#));
    assert!(!acceptor("[]"));
    assert!(!acceptor(r#"[{"name":"weather","parameters":{}}]"#));
    assert!(!acceptor(r#"[{"name":"weather","parameters":1}]"#));
    assert!(!acceptor(r#"[{"name":"other","parameters":{}}]"#));
}

#[test]
fn faulty_tools_are_named() {
    let mut set = weather(json!({"type": "object", "properties": {"a": {"type": "strin"}}}));
    let error = lower_tools(&set, context(&options())).err().unwrap();
    assert_eq!(error.violations()[0].pointer, "/tools/0/parameters/properties/a");
    set.tools[0].name.clear();
    set.tools.push(set.tools[1].clone());
    let error = lower_tools(&set, context(&options())).err().unwrap();
    let pointers: Vec<_> = error.violations().iter().map(|violation| violation.pointer.as_str()).collect();
    assert_eq!(pointers, ["/tools/0", "/tools/2"]);
}

#[test]
fn json_mode_is_any_object() {
    for (profile, deepest) in [(Profile::Full, true), (Profile::CohereJson, false)] {
        let lowered = lower_json_object(&SchemaOptions { profile, ..options() });
        let accepts = |text: &str| Acceptor::new(&lowered.builder).accepts(lowered.start, text.as_bytes());
        assert!(accepts(r#"{"a":{"b":[{"c":{}}]}}"#));
        assert_eq!(accepts(r#"{"a":{"b":[{"c":{"d":{}}}]}}"#), deepest);
        assert!(!accepts("[]"));
    }
}
