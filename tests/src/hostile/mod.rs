//! What is sent to hurt, and what does it cost? The catalogue in `tests/data/hostile`, and what is measured of each input.
//!
//! A case says in `why` what a careless engine would suffer, is one of `schema`, `schema_text`, `regex`, `choice`,
//! `structure`, `lark` and `gbnf`, and may have a `prefix`: text that leads to the place where it hurts. What is too large to store is a recipe
//! ([`cook`]).

mod measure;
mod recipe;
mod structure;

use std::fs;
use std::path::PathBuf;

use formwork::Grammar;
use serde::Deserialize;
use serde_json::Value;

pub use self::measure::{Cost, Effort, Measured, Outcome, measure};
pub use self::recipe::cook;

/// One input.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name; unlike all others.
    pub name: String,
    /// What makes it hostile.
    pub why: String,
    schema: Option<Value>,
    schema_text: Option<Value>,
    regex: Option<Value>,
    choice: Option<Value>,
    structure: Option<Value>,
    lark: Option<Value>,
    gbnf: Option<Value>,
    prefix: Option<Value>,
}

/// All cases, file by file.
///
/// # Errors
/// When the data cannot be read.
pub fn catalogue() -> Result<Vec<Case>, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/hostile");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let paths = paths.as_mut().map_err(|error| error.to_string())?;
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| fault(&error))?;
        cases.extend(serde_json::from_str::<Vec<Case>>(&text).map_err(|error| fault(&error))?);
    }
    Ok(cases)
}

impl Case {
    /// The grammar that it asks for.
    ///
    /// # Errors
    /// When the case is not written as it should be.
    pub fn grammar(&self) -> Result<Grammar, String> {
        let text = |recipe: &Value| match cook(recipe)? {
            Value::String(text) => Ok(text),
            other => Err(format!("{}: no text: {other}", self.name)),
        };
        let inputs = [
            ("schema", &self.schema),
            ("schema_text", &self.schema_text),
            ("regex", &self.regex),
            ("choice", &self.choice),
            ("structure", &self.structure),
            ("lark", &self.lark),
            ("gbnf", &self.gbnf),
        ];
        let given: Vec<_> = inputs.iter().filter_map(|(kind, recipe)| Some((*kind, recipe.as_ref()?))).collect();
        let [(kind, recipe)] = given[..] else { return Err(format!("{}: exactly one input is wanted", self.name)) };
        Ok(match kind {
            "schema" => Grammar::json_schema(cook(recipe)?),
            "schema_text" => Grammar::json_schema_text(text(recipe)?),
            "regex" => Grammar::regex(text(recipe)?),
            "lark" => Grammar::lark(text(recipe)?),
            "gbnf" => Grammar::gbnf(text(recipe)?),
            "choice" => {
                let choices = cook(recipe)?;
                let choices = choices.as_array().into_iter().flatten();
                Grammar::choice(choices.filter_map(Value::as_str).map(str::to_owned))
            }
            _ => {
                Grammar::structure(structure::read(&cook(recipe)?).map_err(|fault| format!("{}: {fault}", self.name))?)
            }
        })
    }

    /// Text that leads to the place where it hurts.
    ///
    /// # Errors
    /// When the case is not written as it should be.
    pub fn prefix(&self) -> Result<String, String> {
        match self.prefix.as_ref().map(cook).transpose()? {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(format!("{}: no text: {other}", self.name)),
        }
    }
}
