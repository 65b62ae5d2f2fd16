//! Do the keywords that look at the instance alone hold? Validation, section 6.

use std::cmp::Ordering;

use serde_json::Value;

use super::draft::Draft;
use super::number::Exact;
use super::{Site, Unjudged, Validator, format};

/// Core, section 4.2.2: numbers by value, objects regardless of order.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Exact::of(left) == Exact::of(right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

fn malformed(keyword: &str) -> Unjudged {
    Unjudged(format!("the value of {keyword} is not what the keyword takes"))
}

fn array<'s>(keyword: &str, value: &'s Value) -> Result<&'s [Value], Unjudged> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| malformed(keyword))
}

fn count(keyword: &str, value: &Value) -> Result<u64, Unjudged> {
    // "2.0" is an integer as well.
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as u64))
        .ok_or_else(|| malformed(keyword))
}

/// Sections 6.1.1: "integer" is any number without a fraction; in draft-04, one that is spelled without.
fn is_of_type(name: &str, instance: &Value, draft: Draft) -> Result<bool, Unjudged> {
    Ok(match (name, instance) {
        ("integer", Value::Number(number)) if draft == Draft::Draft4 => !number.is_f64(),
        ("integer", Value::Number(number)) => Exact::of(number).is_integer(),
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => true,
        ("string", Value::String(_)) | ("array", Value::Array(_)) | ("object", Value::Object(_)) => true,
        ("null" | "boolean" | "number" | "integer" | "string" | "array" | "object", _) => false,
        _ => return Err(malformed("type")),
    })
}

impl<'s> Validator<'s> {
    pub(super) fn assertions_hold(&self, site: Site<'s, '_>) -> Result<bool, Unjudged> {
        Ok(self.any_type_holds(site)?
            && match site.instance {
                Value::Number(number) => number_holds(site, &Exact::of(number))?,
                Value::String(text) => self.string_holds(site, text)?,
                Value::Array(elements) => array_holds(site, elements)?,
                Value::Object(members) => object_holds(site, members)?,
                Value::Null | Value::Bool(_) => true,
            })
    }

    /// Section 6.1.
    fn any_type_holds(&self, site: Site<'s, '_>) -> Result<bool, Unjudged> {
        let types: Vec<&Value> = match site.get("type") {
            None => Vec::new(),
            Some(Value::Array(types)) => types.iter().collect(),
            Some(name) => vec![name],
        };
        if !types.is_empty() {
            let mut fits = false;
            for name in types {
                fits |= is_of_type(name.as_str().ok_or_else(|| malformed("type"))?, site.instance, site.draft)?;
            }
            if !fits {
                return Ok(false);
            }
        }
        if let Some(values) = site.get("enum")
            && !array("enum", values)?.iter().any(|value| equal(value, site.instance))
        {
            return Ok(false);
        }
        Ok(site.get("const").is_none_or(|value| equal(value, site.instance)))
    }

    /// Section 6.3, and `format`.
    fn string_holds(&self, site: Site<'s, '_>, text: &str) -> Result<bool, Unjudged> {
        let length = text.chars().count() as u64;
        if let Some(least) = site.get("minLength")
            && length < count("minLength", least)?
        {
            return Ok(false);
        }
        if let Some(most) = site.get("maxLength")
            && length > count("maxLength", most)?
        {
            return Ok(false);
        }
        if let Some(pattern) = site.get("pattern")
            && !self.is_found(pattern.as_str().ok_or_else(|| malformed("pattern"))?, text)?
        {
            return Ok(false);
        }
        match site.get("format").and_then(Value::as_str) {
            Some(name) if self.asserts_formats => format::is_of(name, text),
            _ => Ok(true),
        }
    }
}

/// Section 6.2.
fn number_holds(site: Site<'_, '_>, number: &Exact) -> Result<bool, Unjudged> {
    let bounds = [("minimum", "exclusiveMinimum", Ordering::Less), ("maximum", "exclusiveMaximum", Ordering::Greater)];
    for (inclusive, exclusive, wrong) in bounds {
        // In draft-04 the exclusive one is a boolean that changes the other.
        let changed = site.get(exclusive) == Some(&Value::Bool(true));
        for (keyword, excludes_equal) in [(inclusive, changed), (exclusive, true)] {
            let order = match site.get(keyword) {
                Some(Value::Number(bound)) => number.compare(&Exact::of(bound)),
                Some(Value::Bool(_)) if keyword == exclusive => continue,
                Some(_) => return Err(malformed(keyword)),
                None => continue,
            };
            if order == wrong || excludes_equal && order == Ordering::Equal {
                return Ok(false);
            }
        }
    }
    match site.get("multipleOf") {
        Some(Value::Number(divisor)) => number
            .is_multiple_of(&Exact::of(divisor))
            .ok_or_else(|| Unjudged("multipleOf of numbers that are too long".to_owned())),
        Some(_) => Err(malformed("multipleOf")),
        None => Ok(true),
    }
}

/// Section 6.4; `contains` is an applicator.
fn array_holds(site: Site<'_, '_>, elements: &[Value]) -> Result<bool, Unjudged> {
    let length = elements.len() as u64;
    if let Some(least) = site.get("minItems")
        && length < count("minItems", least)?
    {
        return Ok(false);
    }
    if let Some(most) = site.get("maxItems")
        && length > count("maxItems", most)?
    {
        return Ok(false);
    }
    let must_differ = site.get("uniqueItems") == Some(&Value::Bool(true));
    let differ =
        (0..elements.len()).all(|later| (0..later).all(|earlier| !equal(&elements[earlier], &elements[later])));
    Ok(!must_differ || differ)
}

/// Section 6.5.
fn object_holds(site: Site<'_, '_>, members: &serde_json::Map<String, Value>) -> Result<bool, Unjudged> {
    let size = members.len() as u64;
    if let Some(least) = site.get("minProperties")
        && size < count("minProperties", least)?
    {
        return Ok(false);
    }
    if let Some(most) = site.get("maxProperties")
        && size > count("maxProperties", most)?
    {
        return Ok(false);
    }
    let has_all =
        |names: &[Value]| names.iter().all(|name| name.as_str().is_some_and(|name| members.contains_key(name)));
    match site.get("required") {
        Some(names @ Value::Array(_)) if !has_all(array("required", names)?) => return Ok(false),
        Some(Value::Array(_)) | None => {}
        Some(_) => return Err(malformed("required")),
    }
    // Up to draft-07 `dependencies` holds these as well.
    for keyword in ["dependentRequired", "dependencies"] {
        let Some(value) = site.get(keyword) else { continue };
        for (key, names) in value.as_object().ok_or_else(|| malformed(keyword))? {
            if let Value::Array(names) = names
                && members.contains_key(key)
                && !has_all(names)
            {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
