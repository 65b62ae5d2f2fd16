//! What does a JSON object say? Fields read with their types and bounds; errors name the file.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::LoadError;

/// An object of a file.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    path: PathBuf,
    map: Map<String, Value>,
}

impl Fields {
    pub(crate) fn new(path: &Path, json: Value) -> Result<Fields, LoadError> {
        match json {
            Value::Object(map) => Ok(Fields { path: path.to_owned(), map }),
            _ => Err(LoadError::malformed(path, "not an object")),
        }
    }

    /// The value of a field; `None` where it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Whether the field is null, not just missing.
    fn is_null(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(Value::is_null)
    }

    /// Sets a field that is missing or null.
    pub(crate) fn set_default(&mut self, name: &str, value: Value) {
        if self.get(name).is_none() {
            self.map.insert(name.to_owned(), value);
        }
    }

    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.map)
    }

    /// A size from 1 to `limit`.
    pub(crate) fn size(&self, name: &str, limit: usize) -> Result<usize, LoadError> {
        let size = self.get(name).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
        size.filter(|size| (1..=limit).contains(size))
            .ok_or_else(|| self.out_of_range(name, &format!("from 1 to {limit}")))
    }

    /// A size that null turns off; `default` where it is missing.
    pub(crate) fn optional_size(
        &self,
        name: &str,
        limit: usize,
        default: Option<usize>,
    ) -> Result<Option<usize>, LoadError> {
        match self.get(name) {
            Some(_) => self.size(name, limit).map(Some),
            None => Ok(default.filter(|_| !self.is_null(name))),
        }
    }

    /// A number above 0.
    pub(crate) fn number(&self, name: &str) -> Result<f64, LoadError> {
        let number = self.get(name).and_then(Value::as_f64);
        number
            .filter(|number| *number > 0.0 && number.is_finite())
            .ok_or_else(|| self.out_of_range(name, "a number above 0"))
    }

    /// A number above 0; `default` where it is missing or null.
    pub(crate) fn number_or(&self, name: &str, default: f64) -> Result<f64, LoadError> {
        if self.get(name).is_some() { self.number(name) } else { Ok(default) }
    }

    /// A number above 0 that null turns off; `default` where it is missing.
    pub(crate) fn optional_number(&self, name: &str, default: Option<f64>) -> Result<Option<f64>, LoadError> {
        match self.get(name) {
            Some(_) => self.number(name).map(Some),
            None => Ok(default.filter(|_| !self.is_null(name))),
        }
    }

    /// True or false; `default` where it is missing or null.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool, LoadError> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.out_of_range(name, "true or false")),
        }
    }

    /// A text; `default` where it is missing or null.
    pub(crate) fn text<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, LoadError> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or_else(|| self.out_of_range(name, "a text")),
        }
    }

    /// An object inside this one; `None` where it is missing or null.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Fields>, LoadError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields { path: self.path.clone(), map: map.clone() })),
            Some(_) => Err(self.out_of_range(name, "an object")),
        }
    }

    pub(crate) fn malformed(&self, reason: String) -> LoadError {
        LoadError::malformed(&self.path, reason)
    }

    pub(crate) fn unsupported(&self, reason: String) -> LoadError {
        LoadError::unsupported(&self.path, reason)
    }

    pub(crate) fn out_of_range(&self, name: &str, range: &str) -> LoadError {
        let value = short(self.map.get(name).unwrap_or(&Value::Null));
        self.malformed(format!("{name} is {value}, it must be {range}"))
    }
}

/// A value in a message: what a hostile file holds may be long.
fn short(value: &Value) -> String {
    match value {
        Value::Null => "missing".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        value => value.to_string().chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_null_and_wrong_values_are_told_apart() {
        let fields = Fields::new(Path::new("f"), json!({"null": null, "zero": 0, "text": "a", "five": 5})).unwrap();
        assert_eq!(fields.optional_size("null", 9, Some(3)).unwrap(), None);
        assert_eq!(fields.optional_size("missing", 9, Some(3)).unwrap(), Some(3));
        assert_eq!(fields.optional_size("five", 9, None).unwrap(), Some(5));
        assert_eq!(fields.optional_number("null", Some(1.0)).unwrap(), None);
        assert_eq!(fields.number_or("null", 1.0).unwrap(), 1.0);
        assert!(fields.flag("missing", true).unwrap());
        for error in [
            fields.size("five", 4).unwrap_err(),
            fields.optional_size("zero", 4, None).unwrap_err(),
            fields.number_or("zero", 1.0).unwrap_err(),
            fields.flag("text", false).unwrap_err(),
            fields.text("five", "").unwrap_err(),
            fields.object("text").unwrap_err(),
        ] {
            assert!(error.to_string().contains(", it must be "), "{error}");
        }
    }
}
