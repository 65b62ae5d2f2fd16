//! What stands in a body? Its fields one by one, each checked when it is taken, and what nobody took.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::failure::Failure;

/// A refusal in Cohere's manner.
pub(super) fn invalid(param: impl Into<String>, message: impl std::fmt::Display) -> Failure {
    Failure::about(param, format!("invalid request: {message}"))
}

/// The fields that were not taken yet. `null` is the same as nothing.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn read(body: &[u8]) -> Result<Fields, Failure> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Fields(fields)),
            Ok(_) => Err(Failure::invalid("invalid request: the body must be a JSON object")),
            Err(error) => Err(Failure::invalid(format!("invalid request: the body is not JSON: {error}"))),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Failure> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(invalid(name, format!("{name} must be true or false"))),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(name, format!("{name} must be a string"))),
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Value>, Failure> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(invalid(name, format!("{name} must be a list"))),
        }
    }

    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<f64>, default: f64) -> Result<f64, Failure> {
        let Some(value) = self.take(name) else { return Ok(default) };
        value.as_f64().filter(|number| range.contains(number)).ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            invalid(name, format!("{name} must be a number from {low} to {high}, it is {value}"))
        })
    }

    pub(super) fn integer(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Failure> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let integer = value.as_u64().filter(|integer| range.contains(integer)).ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            invalid(name, format!("{name} must be an integer from {low} to {high}, it is {value}"))
        })?;
        Ok(Some(integer))
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.0.iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => Err(invalid(name, format!("unknown field: {name}"))),
            None => Ok(()),
        }
    }
}
