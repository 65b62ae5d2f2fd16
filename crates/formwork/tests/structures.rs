//! Do parts of an output keep to themselves? Special tokens, free text, layouts and orders of keys side by side.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::sync::Arc;

use formwork::grammar::{Expr, GrammarBuilder, KeyOrder, Whitespace};
use formwork::json_schema::{Layout, SchemaOptions, Tool, ToolCalls, ToolSet};
use formwork::{
    CompileError, CompiledGrammar, Compiler, Grammar, GrammarError, Marker, MatchError, Matcher, Structure, Tag,
    TagCount, Terminal, TokenId, Vocabulary,
};
use serde_json::json;

/// One token for each byte, byte 0xFF included, then a few longer ones; special tokens; a stop token.
fn vocabulary() -> Vocabulary {
    let mut builder = Vocabulary::builder();
    for byte in 0..=255u8 {
        builder.text(TokenId::new(byte.into()), [byte]);
    }
    builder.text(TokenId::new(256), "<think>").text(TokenId::new(257), "foo<tool").text(TokenId::new(258), "_call>{\"");
    builder.special(TokenId::new(300), "[CALL]").special(TokenId::new(301), "[END]").stop(TokenId::new(302), "</s>");
    builder.build().unwrap()
}

const CALL: TokenId = TokenId::new(300);
const END: TokenId = TokenId::new(301);
const STOP: TokenId = TokenId::new(302);

fn compile(structure: Structure) -> Result<Arc<CompiledGrammar>, CompileError> {
    Compiler::new(vocabulary()).compile(&Grammar::structure(structure))
}

fn matcher(structure: Structure) -> Matcher {
    compile(structure).unwrap().matcher()
}

fn accepts(structure: &Structure, text: &str) -> bool {
    let mut matcher = matcher(structure.clone());
    matcher.accept_bytes(text.as_bytes()).is_ok() && matcher.is_accepting()
}

fn schema(schema: serde_json::Value, layout: Layout, key_order: KeyOrder) -> Structure {
    Grammar::json_schema(schema).with_options(SchemaOptions { layout, key_order, ..SchemaOptions::default() }).into()
}

#[test]
fn what_completes_a_text_has_its_special_tokens() {
    let number = schema(json!({"type": "integer", "minimum": 10}), Layout::COMPACT, KeyOrder::Listed);
    let structure = Structure::sequence([Structure::special("[CALL]"), number, Structure::special("[END]")]);
    let mut matcher = matcher(structure);
    let tokens = matcher.completion().unwrap();
    assert!(matches!(*tokens, [CALL, _, _, END]), "{tokens:?}");
    assert_eq!(matcher.count_acceptable(&tokens), Ok(4));
    matcher.accept_token(CALL).unwrap();
    matcher.accept_bytes(b"1").unwrap();
    assert!(matches!(*matcher.completion().unwrap(), [_, END]));
}

#[test]
fn special_tokens_stand_where_the_grammar_has_them_and_nowhere_else() {
    let structure =
        Structure::sequence([Structure::special("[CALL]"), Structure::text("x"), Structure::special("[END]")]);
    let mut matcher = matcher(structure);
    assert_eq!(matcher.mask().unwrap().iter().collect::<Vec<_>>(), [CALL]);
    assert_eq!(matcher.fast_forward_bytes().unwrap(), b"", "a special token is no text");
    for token in [END, STOP, TokenId::new(b'['.into()), TokenId::new(0xFF)] {
        assert_eq!(matcher.accept_token(token), Err(MatchError::TokenNotAllowed { token, offset: 0 }));
    }
    assert!(matcher.accept_bytes(b"[CALL]").is_err() && matcher.accept_bytes(&[0xFF, 44, 1]).is_err());
    assert_eq!(matcher.count_acceptable(&[CALL, TokenId::new(b'x'.into()), END, STOP, STOP]).unwrap(), 4);
    matcher.accept_token(CALL).unwrap();
    assert_eq!(matcher.fast_forward_bytes().unwrap(), b"x", "forced text ends before a special token");
    matcher.accept_bytes(b"x").unwrap();
    assert_eq!(matcher.mask().unwrap().iter().collect::<Vec<_>>(), [END]);
    assert!(!matcher.is_accepting() && !matcher.is_finished());
    let fork = matcher.fork();
    matcher.accept_token(END).unwrap();
    assert!(matcher.is_accepting() && matcher.is_finished() && !fork.is_accepting());
    matcher.rollback(3).unwrap();
    assert_eq!(matcher.mask().unwrap().iter().collect::<Vec<_>>(), [CALL]);
}

#[test]
fn special_tokens_the_vocabulary_does_not_have_are_refused_by_name() {
    let refused = |structure: Structure| match compile(structure).unwrap_err() {
        CompileError::Grammar(GrammarError::SpecialToken { name, reason }) => (name, reason),
        error => panic!("{error}"),
    };
    let (name, missing) = refused(Structure::special("[MISSING]"));
    assert_eq!(name, "[MISSING]");
    let (name, text) = refused(Structure::special("<think>"));
    assert_eq!(name, "<think>");
    let (name, stop) = refused(Structure::free([Marker::SpecialOrText("</s>".into())]));
    assert_eq!(name, "</s>");
    assert!(missing != text && text != stop && stop != missing);
    let mut builder = GrammarBuilder::new();
    let body = Expr::Terminal(builder.terminal(Terminal::Special(TokenId::new(9_999))));
    let start = builder.nonterminal("start", body);
    assert_eq!(refused(Grammar::from_builder(builder, start).into()).0, "9999");
}

#[test]
fn a_marker_is_text_where_the_vocabulary_has_no_such_control_token() {
    assert!(accepts(&Structure::marker("<think>"), "<think>"));
    let mut matcher = matcher(Structure::marker("[CALL]"));
    assert!(matcher.accept_bytes(b"[CALL]").is_err());
    matcher.accept_token(CALL).unwrap();
}

#[test]
fn free_text_may_spell_the_name_of_a_special_token() {
    let free = Structure::free([Marker::Special("[CALL]".into()), Marker::Text("<stop>".into())]);
    assert!(accepts(&free, "say [CALL] and \u{65e5}\u{672c} <stop, that is no end"));
    assert!(!accepts(&free, "say <stop>"));
    assert!(matcher(free).accept_token(CALL).is_err());
}

#[test]
fn a_token_may_hold_the_end_of_free_text_and_the_beginning_of_a_call() {
    let call = Structure::sequence([
        Structure::text("<tool_call>"),
        schema(json!({"type": "object"}), Layout::COMPACT, KeyOrder::Listed),
        Structure::text("</tool_call>"),
    ]);
    let output = Structure::sequence([Structure::free(["<tool_call>"]), call.repeated(0, None)]);
    let mut matcher = matcher(output);
    for token in [257, 258] {
        assert!(matcher.mask().unwrap().contains(TokenId::new(token)));
        matcher.accept_token(TokenId::new(token)).unwrap();
    }
    assert!(!matcher.is_accepting());
    let brace = TokenId::new(b'}'.into());
    assert_eq!(matcher.accept_token(TokenId::new(257)), Ok(()), "a key may hold anything");
    matcher.accept_bytes(b"\":1").unwrap();
    matcher.accept_token(brace).unwrap();
    assert_eq!(matcher.fast_forward_bytes().unwrap(), b"</tool_call>");
}

#[test]
fn each_part_has_its_own_layout_and_order_of_keys() {
    let record = json!({
        "type": "object",
        "properties": {"a": {"type": "null"}, "b": {"type": "null"}},
        "required": ["a", "b"],
        "additionalProperties": false,
    });
    let spaced = Layout { whitespace: Some(Whitespace { max: Some(1), surrounding: false }), ..Layout::COMPACT };
    let structure = Structure::sequence([
        schema(record.clone(), spaced, KeyOrder::Listed),
        Structure::text("|"),
        schema(record.clone(), Layout::COMPACT, KeyOrder::Any),
        Structure::text("|"),
        schema(record, Layout::FREE, KeyOrder::Listed),
    ]);
    let whole = r#"{ "a":null, "b":null }|{"b":null,"a":null}|  {"a" : null,   "b":null}  "#;
    assert!(accepts(&structure, whole));
    for (old, new) in [
        (r#"{ "a":null, "b":null }|"#, r#"{"b":null,"a":null}|"#),
        (r#"{ "a":null, "b""#, r#"{ "a":null,  "b""#),
        ("|{\"b\"", "|{ \"b\""),
        ("|{\"b\"", "| {\"b\""),
        (" }|", " } |"),
    ] {
        let text = whole.replacen(old, new, 1);
        assert!(text != whole && !accepts(&structure, &text), "{text}");
    }
}

#[test]
fn layouts_are_told_apart_behind_equal_values() {
    let record = json!({"properties": {"a": {"type": "null"}, "b": {"type": "null"}}, "additionalProperties": false});
    let part = |begin: &str, layout| {
        Structure::sequence([Structure::text(begin), schema(record.clone(), layout, KeyOrder::Listed)])
    };
    let compiled = compile(Structure::choice([part("x", Layout::BOUNDED), part("y", Layout::COMPACT)])).unwrap();
    for (text, takes_blank) in [("x{\"a\":null", true), ("y{\"a\":null", false), ("x{", true), ("y{", false)] {
        let mut matcher = compiled.matcher();
        matcher.accept_bytes(text.as_bytes()).unwrap();
        assert_eq!(matcher.mask().unwrap().contains(TokenId::new(b' '.into())), takes_blank, "{text}");
    }
}

#[test]
fn tagged_text_holds_as_many_tags_as_it_is_told() {
    let tags = || {
        let tag = |begin: &str, content: &str, end: &str| Tag {
            begin: begin.into(),
            content: Structure::text(content),
            end: end.into(),
        };
        [tag("<a>", "1", "</a>"), tag("<b>", "2", "")]
    };
    for (text, n_tags, ends_with_tag) in [
        ("no <c> tags", 0, false),
        ("<a>1</a>", 1, true),
        ("a <b>2", 1, true),
        ("a <b>2 b", 1, false),
        ("<a>1</a> and <b>2", 2, true),
    ] {
        let counts = [
            (TagCount::Any, true),
            (TagCount::AtLeastOne, n_tags > 0),
            (TagCount::AtMostOne, n_tags == 0 || n_tags == 1 && ends_with_tag),
            (TagCount::One, n_tags == 1 && ends_with_tag),
        ];
        for (count, expected) in counts {
            assert_eq!(accepts(&Structure::tagged_text(tags(), count), text), expected, "{text} {count:?}");
        }
    }
    assert!(!accepts(&Structure::tagged_text(tags(), TagCount::Any), "<a>2</a>"), "a tag is exact");
}

#[test]
fn reports_and_errors_tell_which_part_they_speak_of() {
    let tools = |parameters: serde_json::Value| {
        let tool = Tool { name: "f".into(), parameters };
        let set = ToolSet { tools: vec![tool], arguments_key: Default::default(), calls: ToolCalls::One };
        let call = Structure::sequence([Structure::text("<a>"), Grammar::tools(set).into()]);
        Structure::sequence([Structure::free(["<a>"]), call.repeated(0, None)])
    };
    let compiled = compile(tools(json!({"type": "object", "description": "d"}))).unwrap();
    let entries = &compiled.report().entries;
    assert!(
        entries.iter().any(|it| it.pointer == "/1/part/1/tools/0/parameters" && it.keyword == "type"),
        "{entries:?}"
    );
    let CompileError::Schema(error) = compile(tools(json!({"type": "strange"}))).unwrap_err() else { panic!() };
    assert_eq!(error.violations()[0].pointer, "/1/part/1/tools/0/parameters");
}

#[test]
fn equal_structures_are_compiled_once() {
    let compiler = Compiler::new(vocabulary());
    let structure = |text: &str, pattern: &str| {
        Grammar::structure(Structure::sequence([Structure::text(text), Grammar::regex(pattern).into()]))
    };
    let first = compiler.compile(&structure("a", "b")).unwrap();
    assert!(Arc::ptr_eq(&first, &compiler.compile(&structure("a", "b")).unwrap()));
    for other in [structure("a", "c"), structure("b", "b"), structure("a,", "b")] {
        assert!(!Arc::ptr_eq(&first, &compiler.compile(&other).unwrap()));
    }
}

#[test]
fn what_cannot_be_had_is_a_typed_error() {
    let empty: [Structure; 0] = [];
    assert!(compile(Structure::choice(empty)).unwrap_err().is_unsatisfiable());
    assert!(compile(Structure::free([""])).is_err(), "every text holds the empty one");
    assert!(compile(Structure::free((0..257).map(|index| format!("<{index}>")))).is_err());
    assert!(compile(Structure::free(["x".repeat(10_000)])).is_err());
    assert!(compile(Structure::free(["x"]).repeated(0, None)).is_err(), "a repeated part must not be empty");
    let deep = (0..2_000).fold(Structure::text("x"), |inner, _| Structure::sequence([inner]));
    assert!(compile(deep).unwrap_err().is_limit());
}
