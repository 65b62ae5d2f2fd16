//! Is bad or huge input a typed error, or at least bounded work? Never a panic, an overflow of the stack, or a flood.
//!
//! No times are asserted: what is quadratic or unrolled would not end here, or would exceed a counted size.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use formwork::{
    CompileError, CompiledGrammar, Compiler, Grammar, Limits, Structure, Tag, TagCount, Vocabulary, VocabularyError,
};
use formwork_tests::vocabulary::SmallVocabulary;
use serde_json::{Map, Value, json};

fn compiler() -> Compiler {
    Compiler::builder(SmallVocabulary::bytes().to_formwork()).cached_grammars(0).build()
}

fn compile(schema: Value) -> Result<Arc<CompiledGrammar>, CompileError> {
    compiler().compile(&Grammar::json_schema(schema))
}

/// A refusal is one line that is not too long to show.
fn refusal(result: Result<Arc<CompiledGrammar>, CompileError>) -> CompileError {
    let error = result.expect_err("this input must be refused");
    let text = error.to_string();
    assert!(!text.contains('\n') && text.len() < 2_000, "{text}");
    error
}

fn accepts(grammar: &Arc<CompiledGrammar>, text: &str) -> bool {
    let mut matcher = grammar.matcher();
    matcher.accept_bytes(text.as_bytes()).is_ok() && matcher.is_accepting()
}

#[test]
fn malformed_schema_text_is_refused() {
    for text in ["", "{", "{\"type\":}", "nul", "[1,2", "\u{0}", "{\"type\":\"object\"} x"] {
        let error = refusal(compiler().compile(&Grammar::json_schema_text(text)));
        assert!(matches!(error, CompileError::Schema(_)), "{text}: {error}");
    }
}

#[test]
fn keywords_with_wrong_values_are_refused() {
    for schema in [
        json!({"type": "strng"}),
        json!({"type": 3}),
        json!({"properties": []}),
        json!({"required": "a"}),
        json!({"maxLength": -1}),
        json!({"pattern": "["}),
        json!({"multipleOf": 0}),
        json!({"enum": {}}),
        json!(17),
        json!({"items": 5}),
    ] {
        let text = schema.to_string();
        let error = refusal(compile(schema));
        assert!(!error.is_unsatisfiable(), "{text}: {error}");
    }
}

#[test]
fn unsatisfiable_schemas_are_told_apart() {
    for schema in [
        json!(false),
        json!({"type": "integer", "minimum": 2, "maximum": 1}),
        json!({"type": "string", "minLength": 3, "maxLength": 2}),
        json!({"allOf": [{"type": "string"}, {"type": "number"}]}),
        json!({"type": "object", "properties": {"a": false}, "required": ["a"]}),
        json!({"$defs": {"d": {"type": "array", "items": {"$ref": "#/$defs/d"}, "minItems": 1}}, "$ref": "#/$defs/d"}),
    ] {
        let text = schema.to_string();
        let error = refusal(compile(schema));
        assert!(error.is_unsatisfiable(), "{text}: {error}");
    }
}

#[test]
fn references_that_lead_nowhere_or_in_circles_are_refused() {
    for schema in [
        json!({"$ref": "#/$defs/missing"}),
        json!({"$ref": "#"}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        json!({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}),
        json!({"$ref": "https://example.org/elsewhere.json"}),
        json!({"$ref": 7}),
    ] {
        refusal(compile(schema));
    }
}

#[test]
fn ten_thousand_levels_of_nesting_are_refused() {
    for (open, close) in [("{\"items\":", "}"), ("{\"not\":", "}"), ("{\"properties\":{\"a\":", "}}"), ("[", "]")] {
        let text = format!("{}true{}", open.repeat(10_000), close.repeat(10_000));
        refusal(compiler().compile(&Grammar::json_schema_text(text)));
    }
    let nested = (0..400).fold(json!(true), |inner, _| json!({"items": inner, "type": "array"}));
    if let Ok(grammar) = compile(nested) {
        assert!(accepts(&grammar, &format!("{}{}", "[".repeat(300), "]".repeat(300))));
    }
}

#[test]
fn deep_documents_do_not_overflow_the_stack() {
    let grammar = compile(json!({"type": "array", "items": {"$ref": "#"}})).unwrap();
    assert!(accepts(&grammar, &format!("{}{}", "[".repeat(20_000), "]".repeat(20_000))));
}

#[test]
fn alternatives_do_not_multiply_from_level_to_level() {
    let branch = |own: &str| json!({"type": "object", "properties": {"next": {"$ref": "#"}, own: {"type": "string"}}});
    let schema = json!({"anyOf": [branch("a"), branch("b"), branch("c")]});
    let grammar = compile(schema).unwrap();
    let text = format!("{}{{\"b\": 1}}{}", "{\"next\": ".repeat(60), "}".repeat(60));
    assert!(accepts(&grammar, &text), "b is of any type in the other branches");
    assert!(!accepts(&grammar, &text.replace("{\"b\": 1}", "1")));
}

#[test]
fn a_huge_repetition_in_a_regex_is_refused() {
    for pattern in
        ["(?:[a-z]{1000}){50000}".to_owned(), "a{50000000}".to_owned(), "((((a{99}){99}){99}){99}){99}".to_owned()]
    {
        let error = refusal(compiler().compile(&Grammar::regex(pattern.clone())));
        assert!(error.is_limit() && error.to_string().contains("max_regex_bytes"), "{error}");
        if let Ok(grammar) = compile(json!({"type": "string", "pattern": format!("^{pattern}$")})) {
            assert!(!accepts(&grammar, "\"a\""));
        }
    }
    let long = "a|".repeat(1 << 20);
    let _ = compiler().compile(&Grammar::regex(long));
    assert!(compiler().compile(&Grammar::regex("(")).is_err());
}

#[test]
fn a_length_costs_the_same_whatever_it_is() {
    let sizes: Vec<usize> = [10, 1_000, 1_000_000]
        .into_iter()
        .map(|max_length| {
            let grammar = compile(json!({"type": "string", "maxLength": max_length})).unwrap();
            let mut matcher = grammar.matcher();
            let mut row = vec![0; grammar.vocabulary().mask_words()];
            matcher.accept_bytes(b"\"").unwrap();
            for _ in 0..9 {
                matcher.accept_bytes(b"x").unwrap();
                matcher.fill_mask(&mut row).unwrap();
            }
            grammar.stats().bytes
        })
        .collect();
    assert!(sizes.iter().all(|&size| size < 2 * sizes[0] + 4_096), "bytes by maxLength 10, 1000, 1000000: {sizes:?}");
}

#[test]
fn wide_enums_and_objects_compile_and_are_exact() {
    let values: Vec<String> = (0..10_000).map(|index| format!("value {index}")).collect();
    let grammar = compile(json!({"enum": values})).unwrap();
    assert!(accepts(&grammar, "\"value 9999\"") && !accepts(&grammar, "\"value 10000\""));
    assert!(grammar.stats().bytes < 16 << 20, "{} bytes", grammar.stats().bytes);

    let properties: Map<String, Value> =
        (0..5_000).map(|index| (format!("p{index}"), json!({"type": "null"}))).collect();
    let grammar = compile(json!({"type": "object", "properties": properties, "additionalProperties": false})).unwrap();
    assert!(accepts(&grammar, r#"{"p7":null,"p4999":null}"#) && !accepts(&grammar, r#"{"p5000":null}"#));
    assert!(grammar.stats().bytes < 64 << 20, "{} bytes", grammar.stats().bytes);
}

#[test]
fn structures_of_many_parts_compile_and_are_exact() {
    let tag = |index: usize| Tag {
        begin: format!("<f{index}>").into(),
        content: Grammar::json_schema(json!({"type": "object"})).into(),
        end: "</f>".into(),
    };
    let output = Structure::tagged_text((0..256).map(tag), TagCount::Any);
    let grammar = compiler().compile(&Grammar::structure(output)).unwrap();
    assert!(accepts(&grammar, "so <f255>{\"a\": 1}</f> and <f256> that <f0>{}</f>"));
    assert!(!accepts(&grammar, "<f25>[]</f>") && !accepts(&grammar, "<f7>{}</g>"));
    assert!(grammar.stats().bytes < 16 << 20, "{} bytes", grammar.stats().bytes);

    let free = |index: usize| Structure::free([format!("<{index}>")]);
    let grammar = compiler().compile(&Grammar::structure(Structure::sequence((0..200).map(free)))).unwrap();
    assert!(accepts(&grammar, &"<1><2><3>".repeat(20)), "each free text may hold what the others must not");
    let huge = Structure::sequence((0..100_000).map(|_| Structure::text("x")));
    let limits = Limits { max_grammar_nodes: 10_000, ..Limits::default() };
    let compiler = Compiler::builder(SmallVocabulary::bytes().to_formwork()).limits(limits).build();
    assert!(refusal(compiler.compile(&Grammar::structure(huge))).is_limit());
}

#[test]
fn vocabularies_without_text_or_end_are_refused() {
    let stop = formwork::TokenId::new(1);
    let empty: [&[u8]; 0] = [];
    assert!(Vocabulary::from_tokens(empty, &[]).is_err());
    assert_eq!(Vocabulary::from_tokens(["a", "b"], &[]).unwrap_err(), VocabularyError::NoStop);
    assert!(matches!(Vocabulary::from_tokens(["a"], &[stop]).unwrap_err(), VocabularyError::StopOutOfRange(_)));
}
