//! Does the grammar of a schema accept what is valid, and nothing else?

mod acceptor;
mod budgets;
mod cases;
mod lints;
mod references;
mod suite;

use std::sync::LazyLock;

use serde_json::Value;

use self::acceptor::Acceptor;
use super::{Context, Documents, Layout, SchemaOptions, lower_schema};
use crate::error::SchemaError;
use crate::limits::Limits;

fn options() -> SchemaOptions {
    SchemaOptions {
        layout: Layout { whitespace: None, max_digits: None, ..Layout::COMPACT },
        ..SchemaOptions::default()
    }
}

/// Without documents, and with default limits.
fn context(options: &SchemaOptions) -> Context<'_> {
    static DOCUMENTS: LazyLock<Documents> = LazyLock::new(Documents::new);
    static LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);
    Context::new(options, &DOCUMENTS, &LIMITS)
}

/// Whether the grammar of `schema` accepts `instance`, written compactly.
fn accepts(schema: &Value, instance: &Value) -> Result<bool, SchemaError> {
    let options = options();
    let lowered = lower_schema(schema, context(&options))?;
    Ok(Acceptor::new(&lowered.builder).accepts(lowered.start, instance.to_string().as_bytes()))
}
