//! Does the grammar of a schema accept what is valid, and nothing else?

mod acceptor;
mod cases;
mod lints;
mod suite;

use serde_json::Value;

use self::acceptor::Acceptor;
use super::{Layout, SchemaOptions, lower_schema};
use crate::error::SchemaError;
use crate::limits::Limits;

fn options() -> SchemaOptions {
    SchemaOptions {
        layout: Layout { whitespace: None, max_digits: None, ..Layout::COMPACT },
        ..SchemaOptions::default()
    }
}

/// Whether the grammar of `schema` accepts `instance`, written compactly.
fn accepts(schema: &Value, instance: &Value) -> Result<bool, SchemaError> {
    let lowered = lower_schema(schema, &options(), &Limits::default())?;
    Ok(Acceptor::new(&lowered.builder).accepts(lowered.start, instance.to_string().as_bytes()))
}
