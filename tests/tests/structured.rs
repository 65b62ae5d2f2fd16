//! Does the shipped model write values of Rust types, and is each part handed out when it is certain?

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ops::ControlFlow;
use std::path::Path;

use formwork::{Compiler, TokenId};
use formwork_candle::{LoadOptions, LoadedModel};
use formwork_decode::{
    ElementCursor, GenerationConfig, PartialValue, Sampling, Structured, TextCursor, generate_json, generate_structured,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
struct Library {
    #[schemars(length(max = 20))]
    name: String,
    kind: Kind,
    #[schemars(length(min = 2, max = 4))]
    books: Vec<Book>,
    opened: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Public,
    School,
    Private,
}

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
struct Book {
    #[schemars(length(max = 30))]
    title: String,
    #[schemars(length(max = 20))]
    author: String,
    #[schemars(range(min = 1450, max = 2026))]
    publication_year: u16,
}

fn load() -> (LoadedModel, Compiler) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/formwork-cli/model");
    let model = LoadedModel::from_folder(folder, &LoadOptions::default()).unwrap();
    let compiler = Compiler::new(model.tokenizer.vocabulary().clone());
    (model, compiler)
}

fn prompt(model: &LoadedModel, message: &str) -> Vec<TokenId> {
    model.tokenizer.encode_with_special(&model.prompt_text(message).unwrap())
}

fn seeded(seed: u64) -> GenerationConfig {
    GenerationConfig { sampling: Sampling::with_temperature(0.8, seed), max_tokens: 400, ..GenerationConfig::default() }
}

#[test]
fn values_of_types_are_written() {
    let (mut model, compiler) = load();
    let prompt = prompt(&model, "Generate a book about the sea.");
    for seed in 0..5 {
        let written =
            generate_structured::<Book>(&mut model.model, &model.tokenizer, &prompt, &compiler, &seeded(seed)).unwrap();
        assert!((1450..=2026).contains(&written.value.publication_year), "{written:?}");
        assert_eq!(written.value, serde_json::from_str(&written.generation.text).unwrap());
    }
    let schema = json!({"type": "array", "items": {"enum": ["red", "green"]}, "minItems": 1, "maxItems": 3});
    let colors =
        generate_json(&mut model.model, &model.tokenizer, &prompt, &compiler, schema, &seeded(0)).unwrap().value;
    assert!(colors.as_array().is_some_and(|colors| (1..=3).contains(&colors.len())), "{colors}");
}

#[test]
fn parts_are_handed_out_before_the_end() {
    let (mut model, compiler) = load();
    let prompt = prompt(&model, "Generate a library with its books.");
    let libraries = Structured::<Library>::new(&compiler).unwrap();
    for seed in 0..5 {
        let (mut names, mut books) = (TextCursor::at("/name"), ElementCursor::<Book>::at("/books"));
        let (mut name, mut shelf, mut known) = (String::new(), Vec::new(), Vec::new());
        let streamed =
            libraries.generate_streaming(&mut model.model, &model.tokenizer, &prompt, &seeded(seed), &mut |partial| {
                name.push_str(names.next_in(partial));
                while let Some(book) = books.next_in(partial) {
                    let is_library_complete = partial.root().is_some_and(PartialValue::is_complete);
                    shelf.push((book.unwrap(), is_library_complete));
                }
                known.extend(partial.root().map(|root| root.read_known::<Value>().unwrap().unwrap()));
                ControlFlow::Continue(())
            });
        let streamed = streamed.unwrap();
        assert_eq!(name, streamed.value.name);
        assert!(shelf.iter().all(|(_, is_library_complete)| !is_library_complete), "{shelf:?}");
        let shelf: Vec<Book> = shelf.into_iter().map(|(book, _)| book).collect();
        assert_eq!(shelf, streamed.value.books);
        assert!(shelf.len() >= 2 && known.len() > 10, "{streamed:?}");
        let last = known.pop().unwrap();
        assert_eq!(last, serde_json::from_str::<Value>(&streamed.generation.text).unwrap());

        let whole = libraries.generate(&mut model.model, &model.tokenizer, &prompt, &seeded(seed)).unwrap();
        assert_eq!((whole.value, whole.generation.text), (streamed.value, streamed.generation.text));
    }
}
