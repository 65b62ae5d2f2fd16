//! How does a program get values of its own types from a model, one by one while they are written?
//!
//! ```sh
//! RAYON_NUM_THREADS=1 cargo run --release -p formwork-candle --example structured -- "Generate a library with its books."
//! ```

#![allow(clippy::print_stdout, reason = "what it is for")]

use std::error::Error;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use formwork::Compiler;
use formwork_candle::{LoadOptions, LoadedModel};
use formwork_decode::{ElementCursor, GenerationConfig, Sampling, TextCursor, generate_structured_streaming};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
struct Library {
    #[schemars(length(max = 30))]
    name: String,
    #[schemars(length(min = 2, max = 5))]
    books: Vec<Book>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Book {
    #[schemars(length(max = 40))]
    title: String,
    #[schemars(length(max = 30))]
    author: String,
    #[schemars(range(min = 1450, max = 2026))]
    publication_year: u16,
}

fn main() -> Result<(), Box<dyn Error>> {
    let message = std::env::args().nth(1).unwrap_or_else(|| "Generate a library with its books.".to_owned());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formwork-cli/model");
    let mut loaded = LoadedModel::from_folder(folder, &LoadOptions::default())?;
    let prompt = loaded.tokenizer.encode_with_special(&loaded.prompt_text(&message)?);
    let compiler = Compiler::new(loaded.tokenizer.vocabulary().clone());
    let sampling = Sampling::with_temperature(0.8, 1);
    let config = GenerationConfig { sampling, max_tokens: 400, ..GenerationConfig::default() };

    // The name as it grows, then each book as soon as it is complete.
    let (mut name, mut books) = (TextCursor::at("/name"), ElementCursor::<Book>::at("/books"));
    let written = generate_structured_streaming::<Library>(
        &mut loaded.model,
        &loaded.tokenizer,
        &prompt,
        &compiler,
        &config,
        &mut |partial| {
            print!("{}", name.next_in(partial));
            while let Some(book) = books.next_in(partial) {
                match book {
                    Ok(Book { title, author, publication_year }) => {
                        print!("\n- {title}, {author} ({publication_year})")
                    }
                    Err(error) => print!("\n- {error}"),
                }
            }
            // Nobody to show it to is a reason to stop.
            if std::io::stdout().flush().is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )?;
    let Library { name, books } = written.value;
    println!("\n{name}: {} books, {} tokens", books.len(), written.generation.stats.tokens);
    Ok(())
}
