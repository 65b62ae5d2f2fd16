//! How do times grow with the input? One axis at a time, everything else held still, for several engines at once.
//!
//! `axes` says what grows along each axis and what stays, `schemas` makes the schemas and documents, `vocabularies` those
//! vocabularies that no tokenizer file has, `measure` runs one point, and `plot` and `report` show what came out. The binary
//! `scale` puts them together.

pub mod axes;
pub mod measure;
pub mod plot;
pub mod report;
mod schemas;
pub mod vocabularies;

use serde_json::Value;

/// One input: a schema and a document that it admits.
#[derive(Clone, Debug)]
pub struct Point {
    /// Where on the axis.
    pub x: f64,
    /// The vocabulary's name, see [`vocabularies::load`].
    pub vocabulary: &'static str,
    /// The schema.
    pub schema: Value,
    /// The document.
    pub text: String,
    /// The same document with its keys in another order, for engines that take any.
    pub any_order_text: Option<String>,
}

impl Point {
    /// What an engine is given: only `formwork` takes keys in any order.
    pub fn text_for(&self, engine: &str) -> &str {
        self.any_order_text.as_deref().filter(|_| engine == "formwork").unwrap_or(&self.text)
    }
}
