//! Where does the time go? The engine's stages one by one; each bench is named for the shape it stresses.
//!
//! `cargo bench -p formwork-bench -- string_body` runs the benches whose names contain `string_body`. A *miss* is measured
//! on a grammar compiled anew for each sample (not timed), a *hit* on one whose mask at that place was filled before.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use formwork::{CompiledGrammar, Compiler, Grammar, Matcher, Structure, TokenId};
use formwork_bench::vocabulary::BenchVocabulary;
use serde_json::{Map, Value, json};

/// One compiler and one encoder for all benches: building the vocabulary takes longer than most of them.
struct Stage {
    vocabulary: BenchVocabulary,
    compiler: Compiler,
    row: Vec<u32>,
}

impl Stage {
    fn new() -> Stage {
        let vocabulary = BenchVocabulary::load("o200k").expect("o200k is embedded");
        let engine_vocabulary = vocabulary.to_formwork().expect("o200k holds text and a stop token");
        let compiler = Compiler::builder(engine_vocabulary).cached_grammars(0).build();
        Stage { row: vec![0; vocabulary.mask_words()], compiler, vocabulary }
    }

    fn compile(&self, schema: &Value) -> Arc<CompiledGrammar> {
        self.compile_grammar(&Grammar::json_schema(schema.clone()))
    }

    fn compile_grammar(&self, grammar: &Grammar) -> Arc<CompiledGrammar> {
        self.compiler.compile(grammar).expect("the bench's grammar compiles")
    }

    fn tokens(&self, text: &str) -> Vec<TokenId> {
        (self.vocabulary.encode)(text).into_iter().map(TokenId::new).collect()
    }

    /// A matcher behind `prefix`, with no mask filled since the start.
    fn matcher_behind(&self, grammar: &Grammar, prefix: &str) -> Matcher {
        let mut matcher = self.compile_grammar(grammar).matcher();
        for token in self.tokens(prefix) {
            matcher.accept_token(token).expect("the bench's prefix is allowed");
        }
        matcher
    }

    /// The mask behind `prefix`, cold and warm.
    fn mask(&mut self, criterion: &mut Criterion, name: &str, schema: &Value, prefix: &str) {
        self.mask_of(criterion, name, &mut || Grammar::json_schema(schema.clone()), prefix);
    }

    /// The same for any grammar, made anew for each sample.
    fn mask_of(&mut self, criterion: &mut Criterion, name: &str, grammar: &mut dyn FnMut() -> Grammar, prefix: &str) {
        let mut row = std::mem::take(&mut self.row);
        criterion.bench_function(&format!("{name}/mask_miss"), |bencher| {
            bencher.iter_batched_ref(
                || self.matcher_behind(&grammar(), prefix),
                |matcher| matcher.fill_mask(black_box(&mut row)).expect("within limits"),
                BatchSize::PerIteration,
            );
        });
        let mut matcher = self.matcher_behind(&grammar(), prefix);
        criterion.bench_function(&format!("{name}/mask_hit"), |bencher| {
            bencher.iter(|| matcher.fill_mask(black_box(&mut row)).expect("within limits"));
        });
        criterion.bench_function(&format!("{name}/mask_borrowed"), |bencher| {
            bencher.iter(|| black_box(matcher.mask().expect("within limits")));
        });
        self.row = row;
    }

    fn compile_bench(&self, criterion: &mut Criterion, name: &str, schema: &Value) {
        criterion.bench_function(&format!("{name}/compile"), |bencher| {
            bencher.iter(|| self.compile(black_box(schema)));
        });
    }
}

fn record() -> Value {
    json!({
        "type": "object",
        "properties": {
            "title": {"type": "string", "maxLength": 80},
            "author": {"type": "string"},
            "publication_year": {"type": "integer", "minimum": 0, "maximum": 2100},
            "tags": {"type": "array", "items": {"enum": ["fiction", "poetry", "science"]}, "maxItems": 5},
        },
        "required": ["title", "author"],
        "additionalProperties": false,
    })
}

const RECORD_TEXT: &str =
    r#"{"title": "The Waves", "author": "Virginia Woolf", "publication_year": 1931, "tags": ["fiction", "poetry"]}"#;

fn wide_object(n_properties: usize) -> Value {
    let property = |index: usize| (format!("property_{index}"), record());
    let properties: Map<String, Value> = (0..n_properties).map(property).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

fn deep_any_of(depth: usize) -> Value {
    let leaf = json!({"type": "string"});
    (0..depth).fold(leaf, |inner, level| {
        let key = format!("level_{level}");
        json!({"anyOf": [
            {"type": "object", "properties": {key.as_str(): inner.clone()}, "required": [key], "additionalProperties": false},
            {"type": "array", "items": inner, "maxItems": 3},
        ]})
    })
}

fn vocabulary(criterion: &mut Criterion) {
    let vocabulary = BenchVocabulary::load("o200k").expect("o200k is embedded");
    criterion.bench_function("vocabulary/build_o200k", |bencher| {
        bencher.iter(|| vocabulary.to_formwork().expect("o200k holds text and a stop token"));
    });
}

fn record_shape(criterion: &mut Criterion) {
    let mut stage = Stage::new();
    stage.compile_bench(criterion, "record", &record());
    stage.mask(criterion, "record", &record(), "");
    let tokens = stage.tokens(RECORD_TEXT);
    let mut matcher = stage.compile(&record()).matcher();
    criterion.bench_function("record/accept_document", |bencher| {
        bencher.iter(|| {
            for &token in &tokens {
                matcher.accept_token(token).expect("the document is valid");
            }
            matcher.reset();
        });
    });
    criterion.bench_function("record/fork", |bencher| bencher.iter(|| black_box(matcher.fork())));
}

fn strings(criterion: &mut Criterion) {
    let mut stage = Stage::new();
    stage.mask(criterion, "string_body", &json!({"type": "string"}), "\"Once upon");
    let identifier = json!({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"});
    stage.mask(criterion, "string_pattern", &identifier, "\"some_name");
    for max_length in [10, 1_000, 1_000_000] {
        let schema = json!({"type": "string", "maxLength": max_length});
        stage.compile_bench(criterion, &format!("max_length_{max_length}"), &schema);
        stage.mask(criterion, &format!("max_length_{max_length}"), &schema, "\"Once");
    }
}

fn enums(criterion: &mut Criterion) {
    let mut stage = Stage::new();
    let values: Vec<String> = (0..10_000).map(|index| format!("value {}", index * 7_919)).collect();
    let schema = json!({"enum": values});
    stage.compile_bench(criterion, "wide_enum", &schema);
    stage.mask(criterion, "wide_enum", &schema, "\"value 7");
}

fn objects(criterion: &mut Criterion) {
    let mut stage = Stage::new();
    let schema = wide_object(1_000);
    stage.compile_bench(criterion, "wide_object", &schema);
    stage.mask(criterion, "wide_object", &schema, "{\"property_");
    let schema = deep_any_of(8);
    stage.compile_bench(criterion, "deep_anyof", &schema);
    stage.mask(criterion, "deep_anyof", &schema, "[[[");
}

/// Calls between markers in free text.
fn calls(trigger: &str) -> Grammar {
    let call = Structure::sequence([
        Structure::text(format!("{trigger}\n")),
        Grammar::json_schema(record()).into(),
        Structure::text("\n</tool_call>"),
        Structure::free([trigger]),
    ]);
    Grammar::structure(Structure::sequence([Structure::free([trigger]), call.repeated(0, None)]))
}

fn structures(criterion: &mut Criterion) {
    let mut stage = Stage::new();
    stage.mask_of(criterion, "free_text", &mut || calls("<tool_call>"), "Let me look that up.");
    // A text that no grammar was without before: nothing is known of the tokens that hold it.
    let mut n_grammars = 0;
    let mut anew = || {
        n_grammars += 1;
        calls(&format!("<tool_call_{n_grammars}>"))
    };
    stage.mask_of(criterion, "free_text_anew", &mut anew, "Let me look that up.");
    stage.mask_of(criterion, "free_text_trigger", &mut || calls("<tool_call>"), "Let me look that up.\n<tool_c");
    // From here on, text may begin with the widest of all beginnings.
    let thought = || Structure::sequence([Structure::text("Thought: "), Structure::free(["Answer:"])]);
    stage.mask_of(criterion, "free_text_behind_space", &mut || Grammar::structure(thought()), "Thought:");
}

/// A step of 256 sequences under eight schemas, each at a place of its own, when all masks are known.
fn batches(criterion: &mut Criterion) {
    let stage = Stage::new();
    let schemas = [record(), wide_object(20), deep_any_of(4), json!({"type": "object"}), json!({"type": "array"})];
    let patterns = ["^[a-z]+$", "[0-9]{4}", "x$"].map(|pattern| json!({"type": "string", "pattern": pattern}));
    let compiled: Vec<_> = schemas.iter().chain(&patterns).map(|schema| stage.compile(schema)).collect();
    let mut matchers: Vec<Matcher> = (0..256).map(|index| compiled[index % compiled.len()].matcher()).collect();
    for (index, matcher) in matchers.iter_mut().enumerate() {
        // Up to 24 bytes in, as far as the first byte that is allowed leads.
        for _ in 0..index % 25 {
            let allowed = (0..=u8::MAX).find(|byte| matcher.clone().accept_bytes(&[*byte]).is_ok());
            allowed.map(|byte| matcher.accept_bytes(&[byte]));
        }
    }
    let mut rows = vec![0; 256 * stage.vocabulary.mask_words()];
    for n_threads in [1, 2] {
        criterion.bench_function(&format!("batch_256/threads_{n_threads}"), |bencher| {
            bencher
                .iter(|| formwork::fill_masks(&mut matchers, black_box(&mut rows), n_threads).expect("within limits"));
        });
    }
    criterion.bench_function("batch_256/borrowed", |bencher| {
        bencher.iter(|| {
            for matcher in &mut matchers {
                black_box(matcher.mask().expect("within limits"));
            }
        });
    });
}

criterion_group! {
    name = stages;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2)).sample_size(50);
    targets = vocabulary, record_shape, strings, enums, objects, structures, batches
}
criterion_main!(stages);
