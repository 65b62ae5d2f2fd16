//! Are values of types written, parts shown in time, and every way to fail told apart?

use std::collections::BTreeMap;

use formwork::json_schema::Layout;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::backend::Logits;
use crate::error::BackendError;
use crate::host::HostLogits;
use crate::partial::{ElementCursor, TextCursor};
use crate::scripted::{ByteTokenizer, ScriptedBackend, WIDTH};

const PROMPT: &str = "say:";

fn compiler() -> Compiler {
    Compiler::new(ByteTokenizer::new().vocabulary().clone())
}

fn recite<T: DeserializeOwned + JsonSchema>(
    text: &str,
    config: &GenerationConfig,
) -> Result<StructuredGeneration<T>, StructuredError> {
    let tokenizer = ByteTokenizer::new();
    let mut backend = ScriptedBackend::reciting(PROMPT.len(), text);
    generate_structured(&mut backend, &tokenizer, &tokenizer.encode(PROMPT), &compiler(), config)
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Entry {
    id: u8,
    color: Color,
    note: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Green,
}

#[test]
fn a_value_of_the_type_is_written() {
    let text = r#"{"id": 7, "color": "green", "note": null}"#;
    let written = recite::<Entry>(text, &GenerationConfig::default()).unwrap();
    assert_eq!(written.value, Entry { id: 7, color: Color::Green, note: None });
    assert_eq!((written.generation.text.as_str(), written.generation.finish), (text, FinishReason::Stop));
}

#[test]
fn a_schema_without_a_type_gives_json() {
    let tokenizer = ByteTokenizer::new();
    let mut backend = ScriptedBackend::reciting(PROMPT.len(), "[true, 5, false]");
    let schema = json!({"type": "array", "items": {"type": "boolean"}, "maxItems": 2});
    let config = GenerationConfig::default();
    let prompt = tokenizer.encode(PROMPT);
    let written = generate_json(&mut backend, &tokenizer, &prompt, &compiler(), schema, &config).unwrap();
    assert_eq!(written.value.as_array().map(Vec::len), Some(2));
    assert_eq!(written.value[0], true);
}

/// One token in each step, forced or not.
fn one_by_one() -> GenerationConfig {
    GenerationConfig { fast_forward: false, ..GenerationConfig::default() }
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Report {
    about: String,
    sizes: Vec<u16>,
}

#[test]
fn parts_are_shown_as_they_are_written() {
    let tokenizer = ByteTokenizer::new();
    let text = r#"{"about": "t\u00e9a", "sizes": [1, 20, 300]}"#;
    let mut backend = ScriptedBackend::reciting(PROMPT.len(), text);
    let (mut about, mut sizes) = (TextCursor::at("/about"), ElementCursor::<u16>::at("/sizes"));
    let mut shown = Vec::new();
    let written = generate_structured_streaming::<Report>(
        &mut backend,
        &tokenizer,
        &tokenizer.encode(PROMPT),
        &compiler(),
        &one_by_one(),
        &mut |partial| {
            let added = about.next_in(partial);
            if !added.is_empty() {
                shown.push((partial.text().len(), added.to_owned()));
            }
            while let Some(size) = sizes.next_in(partial) {
                shown.push((partial.text().len(), size.unwrap().to_string()));
            }
            ControlFlow::Continue(())
        },
    );
    assert_eq!(written.unwrap().value, Report { about: "téa".to_owned(), sizes: vec![1, 20, 300] });
    // Each with the character that makes it certain.
    let behind = |part: &str| text.find(part).unwrap() + part.len();
    let expected = [
        (behind("\"t"), "t"),
        (behind("\\u00e9"), "é"),
        (behind("\\u00e9a"), "a"),
        (behind("[1,"), "1"),
        (behind("20,"), "20"),
        (behind("300]"), "300"),
    ];
    let expected = expected.map(|(at, part)| (at, part.to_owned()));
    assert_eq!(shown, expected);
}

#[test]
fn an_output_that_is_cut_is_kept() {
    let text = r#"{"about": "sea", "sizes": [10, 11]}"#;
    let short = GenerationConfig { max_tokens: 15, ..GenerationConfig::default() };
    let stopped = GenerationConfig { stop_strings: vec!["ea".to_owned()], ..GenerationConfig::default() };
    let cancelled = GenerationConfig::default();
    cancelled.cancel.cancel();
    let cases = [
        (short, r#"{"about": "sea""#, FinishReason::Length),
        (stopped, r#"{"about": "s"#, FinishReason::StopString { index: 0 }),
    ];
    for (config, expected, finish) in cases {
        let error = recite::<Report>(text, &config).unwrap_err();
        assert!(matches!(error, StructuredError::Incomplete { .. }), "{error}");
        let generation = error.generation().unwrap();
        assert_eq!((generation.text.as_str(), generation.finish), (expected, finish), "{error}");
    }
    let error = recite::<Report>(text, &cancelled).unwrap_err();
    assert_eq!(error.generation().map(|it| it.finish), Some(FinishReason::Cancelled));
    assert_eq!(error.to_string(), "the value is not complete: the run was cancelled");

    let tokenizer = ByteTokenizer::new();
    let mut backend = ScriptedBackend::reciting(PROMPT.len(), text);
    let structured = Structured::<Report>::new(&compiler()).unwrap();
    let prompt = tokenizer.encode(PROMPT);
    let broken = structured.generate_streaming(&mut backend, &tokenizer, &prompt, &one_by_one(), &mut |partial| {
        if partial.at("/sizes/0").is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let error = broken.unwrap_err();
    let generation = error.generation().unwrap();
    assert_eq!(
        (generation.text.as_str(), generation.finish),
        (r#"{"about": "sea", "sizes": [10,"#, FinishReason::Cancelled)
    );
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "u8")]
struct Even(#[allow(dead_code, reason = "only read back")] u8);

impl TryFrom<u8> for Even {
    type Error = String;

    fn try_from(value: u8) -> Result<Even, String> {
        if value.is_multiple_of(2) { Ok(Even(value)) } else { Err(format!("{value} is odd")) }
    }
}

#[test]
fn a_type_may_ask_for_more_than_its_schema() {
    assert!(recite::<Vec<Even>>("[2, 4]", &GenerationConfig::default()).is_ok());
    let error = recite::<Vec<Even>>("[2, 7]", &GenerationConfig::default()).unwrap_err();
    let StructuredError::Value { type_name, source, generation } = &error else { panic!("{error}") };
    assert!(type_name.contains("Even") && source.to_string().contains("7 is odd"), "{error}");
    assert_eq!((generation.text.as_str(), error.to_string().lines().count()), ("[2, 7]", 1));
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Unwritable {
    #[allow(dead_code, reason = "never written")]
    #[schemars(extend("pattern" = r"(a)\1"))]
    twice: String,
}

#[test]
fn a_schema_that_is_refused_names_its_type() {
    let error = Structured::<Unwritable>::new(&compiler()).unwrap_err();
    let StructuredError::Schema { type_name, source } = &error else { panic!("{error}") };
    assert!(type_name.ends_with("Unwritable") && source.is_unsupported(), "{error}");
    assert!(error.to_string().contains("/properties/twice: pattern"), "{error}");
    let nothing = Structured::<Value>::with_schema(&compiler(), json!(false), SchemaOptions::default()).unwrap_err();
    assert!(matches!(nothing, StructuredError::Schema { source, .. } if source.is_unsatisfiable()));
}

/// Whether `text` is a text of the type, compactly written.
fn takes<T: DeserializeOwned + JsonSchema>(text: &str) -> bool {
    let options = SchemaOptions { layout: Layout::COMPACT, ..SchemaOptions::default() };
    let structured = Structured::<T>::with_options(&compiler(), options).unwrap();
    let mut matcher = structured.grammar().matcher();
    let is_taken = matcher.accept_bytes(text.as_bytes()).is_ok() && matcher.is_accepting();
    assert!(!is_taken || serde_json::from_str::<T>(text).is_ok(), "{text} is no value");
    is_taken
}

#[test]
fn integers_keep_to_their_type() {
    assert!(takes::<i32>("-2147483648") && !takes::<i32>("2147483648"));
    assert!(takes::<u32>("4294967295") && !takes::<u32>("4294967296") && !takes::<u32>("-1"));
    assert!(takes::<i64>("9223372036854775807") && !takes::<i64>("9223372036854775808"));
    assert!(takes::<u64>("18446744073709551615") && !takes::<u64>("18446744073709551616"));
    assert!(takes::<usize>("0") && !takes::<isize>("99999999999999999999"));
    assert!(takes::<Option<u32>>("null") && !takes::<Option<u32>>("4294967296"));
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(dead_code, reason = "only written")]
enum Shape {
    Circle { radius: u8 },
    Square(Square),
    Point,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only written")]
struct Square {
    side: u8,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only written")]
struct Wrapped {
    name: u8,
    #[serde(flatten)]
    square: Square,
    #[serde(flatten)]
    shape: Shape,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
#[allow(dead_code, reason = "only written")]
struct Open {
    a: u8,
}

#[derive(Deserialize, JsonSchema)]
#[allow(dead_code, reason = "only written")]
struct Tree {
    leaf: u8,
    #[serde(default)]
    branches: Vec<Tree>,
    best: Option<Box<Tree>>,
}

#[test]
fn objects_are_closed_where_one_schema_describes_them() {
    assert!(takes::<Tree>(r#"{"leaf":1,"branches":[{"leaf":2,"best":null}],"best":{"leaf":3}}"#));
    assert!(!takes::<Tree>(r#"{"leaf":1,"other":2}"#));
    assert!(!takes::<Tree>(r#"{"leaf":1,"branches":[{"leaf":2,"other":2}]}"#));
    assert!(takes::<Vec<Shape>>(r#"[{"kind":"circle","radius":1},{"kind":"point"}]"#));
    assert!(!takes::<Shape>(r#"{"kind":"circle","radius":1,"other":1}"#));
    assert!(takes::<Open>(r#"{"a":1,"other":1}"#));
    assert!(takes::<BTreeMap<String, u8>>(r#"{"a":1,"other":1}"#));
    assert!(!takes::<(Square, u8)>(r#"[{"side":1,"other":1},1]"#));
}

#[test]
fn no_name_can_be_written_twice() {
    assert!(!takes::<BTreeMap<String, u8>>(r#"{"a":1,"a":2}"#));
    assert!(!takes::<Square>(r#"{"side":1,"side":2}"#));
}

#[test]
fn objects_of_several_schemas_can_still_be_written() {
    // The schema of a square is one part of the variant, and would refuse its tag.
    assert!(takes::<Shape>(r#"{"side":1,"kind":"square"}"#) || takes::<Shape>(r#"{"kind":"square","side":1}"#));
    let circle =
        [r#"{"name":1,"side":2,"kind":"circle","radius":3}"#, r#"{"name":1,"side":2,"radius":3,"kind":"circle"}"#];
    assert!(circle.iter().any(|text| takes::<Wrapped>(text)));
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Nest(#[allow(dead_code, reason = "only written")] Vec<Nest>);

/// Opens a bracket, whatever came before.
#[derive(Default)]
struct Opening(Vec<TokenId>);

impl Backend for Opening {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        self.0.extend_from_slice(tokens);
        let mut logits = vec![0.0; WIDTH];
        logits[usize::from(b'[')] = 1.0;
        Ok(Box::new(HostLogits(logits)))
    }

    fn cached(&self) -> &[TokenId] {
        &self.0
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        self.0.truncate(n_positions);
        Ok(())
    }

    fn logits_width(&self) -> usize {
        WIDTH
    }

    fn context_length(&self) -> usize {
        1000
    }
}

#[test]
fn nesting_without_end_is_an_error() {
    let tokenizer = ByteTokenizer::new();
    let structured = Structured::<Nest>::new(&compiler()).unwrap();
    let (prompt, config) = (tokenizer.encode(PROMPT), GenerationConfig::default());
    let streamed = structured
        .generate_streaming(&mut Opening::default(), &tokenizer, &prompt, &config, &mut |_| ControlFlow::Continue(()));
    let error = streamed.unwrap_err();
    assert!(matches!(&error, StructuredError::Text { source, .. } if source.offset == 127), "{error}");
    assert_eq!(error.generation().map(|it| it.text.len()), Some(128));
}
