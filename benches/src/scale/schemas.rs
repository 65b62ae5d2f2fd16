//! What is given to the engines at one point of an axis? Schemas that are large in one way, and a document for each.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::Point;
use crate::data::split_mix;
use crate::python_json;

/// The vocabulary of all axes but its own.
const VOCABULARY: &str = "o200k";
/// Properties, or nodes, at each node of the tree of records.
const FANOUT: usize = 16;
/// Of many places of a schema, those that the document visits.
const VISITED: usize = 16;
/// Elements of a list, where it is one element that grows.
const ELEMENTS: usize = 8;

const SYLLABLES: [&str; 20] = [
    "ba", "con", "de", "fir", "gal", "hen", "in", "ka", "lor", "mu", "ne", "or", "pra", "qui", "re", "sta", "tu",
    "ver", "win", "za",
];

pub(super) fn vocabulary(thousands: u32) -> Point {
    let (vocabulary, n_tokens) = match thousands {
        32 => ("o200k-32k", 32_001.0),
        100 => ("cl100k", 100_277.0),
        200 => ("o200k", 200_019.0),
        _ => ("o200k-262k", 262_144.0),
    };
    let line = json!({
        "type": "object",
        "properties": {
            "article": {"type": "string", "maxLength": 60},
            "count": {"type": "integer", "minimum": 1, "maximum": 1000},
            "price": {"type": "number"},
        },
        "required": ["article", "count", "price"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
            "email": {"type": "string", "format": "email"},
            "status": {"enum": ["open", "paid", "sent"]},
            "lines": {"type": "array", "items": line, "maxItems": 50},
            "note": {"type": "string"},
        },
        "required": ["id", "email", "status", "lines"],
        "additionalProperties": false,
    });
    let document = json!({
        "id": "QX-2041", "email": "ada@example.org", "status": "paid",
        "lines": [
            {"article": "Garden chair, green", "count": 4, "price": 39.5},
            {"article": "Lamp \"Lille\"", "count": 12, "price": 8.25},
        ],
        "note": "Please ring twice; the bell is \u{201c}shy\u{201d}.",
    });
    Point { vocabulary, ..point(n_tokens, schema, &document) }
}

pub(super) fn schema_size(n_records: u32) -> Point {
    let n_records = n_records as usize;
    let schema = tree(0..n_records);
    let visited: Vec<usize> = spread(n_records, VISITED).collect();
    let n_bytes = schema.to_string().len() as f64;
    point(n_bytes, schema, &tree_document(0..n_records, &visited))
}

pub(super) fn nesting(depth: u32) -> Point {
    let node =
        closed([("name".to_owned(), json!({"type": "string"})), ("child".to_owned(), json!({"$ref": "#/$defs/node"}))]);
    let schema = json!({"$defs": {"node": node}, "$ref": "#/$defs/node"});
    point(f64::from(depth), schema, &nested_document(depth))
}

pub(super) fn schema_nesting(depth: u32) -> Point {
    let name = || ("name".to_owned(), json!({"type": "string"}));
    let schema = (1..depth).fold(closed([name()]), |inner, _| closed([name(), ("child".to_owned(), inner)]));
    point(f64::from(depth), schema, &nested_document(depth))
}

pub(super) fn max_length(n_chars: u32) -> Point {
    let mut text = (0..).map(word).take(n_chars as usize).collect::<Vec<String>>().join(" ");
    text.truncate(n_chars as usize);
    point(f64::from(n_chars), json!({"type": "string", "maxLength": n_chars}), &Value::String(text))
}

pub(super) fn any_of(n_kinds: u32) -> Point {
    let n_kinds = n_kinds as usize;
    let kind = |index: usize| {
        let properties = [
            ("id".to_owned(), json!({"type": "integer"})),
            ("kind".to_owned(), json!({"const": unique_word(index)})),
            (unique_word(index), json!({"type": "string"})),
        ];
        let mut kind = closed(properties);
        kind["required"] = json!(["id", "kind", unique_word(index)]);
        kind
    };
    let kinds: Vec<Value> = (0..n_kinds).map(kind).collect();
    let element = |index: usize| {
        let mut element = Map::new();
        element.insert("id".to_owned(), json!(index));
        element.insert("kind".to_owned(), json!(unique_word(index)));
        element.insert(unique_word(index), json!(word(index)));
        Value::Object(element)
    };
    let document: Vec<Value> = spread(n_kinds, ELEMENTS).map(element).collect();
    point(n_kinds as f64, json!({"type": "array", "items": {"anyOf": kinds}}), &Value::Array(document))
}

pub(super) fn enum_values(n_values: u32) -> Point {
    let n_values = n_values as usize;
    let values: Vec<String> = (0..n_values).map(unique_word).collect();
    let document: Vec<Value> = spread(n_values, ELEMENTS).map(|index| json!(values[index])).collect();
    point(n_values as f64, json!({"type": "array", "items": {"enum": values}}), &Value::Array(document))
}

pub(super) fn optional_properties(n_properties: u32) -> Point {
    let n_properties = n_properties as usize;
    let document = spread(n_properties, VISITED).map(|index| (unique_word(index), value(index)));
    let document: Map<String, Value> = document.collect();
    point(n_properties as f64, record(0..n_properties), &Value::Object(document))
}

pub(super) fn any_order(n_properties: u32) -> Point {
    let n_properties = n_properties as usize;
    let mut schema = record(0..n_properties);
    schema["required"] = (0..n_properties).map(unique_word).collect();
    let document = |order: &[usize]| -> Value {
        Value::Object(order.iter().map(|index| (unique_word(*index), value(*index))).collect())
    };
    let mut order: Vec<usize> = (0..n_properties).collect();
    let listed = document(&order);
    order.sort_by_key(|index| split_mix(1, *index as u64));
    let any_order_text = Some(print(&document(&order)));
    Point { any_order_text, ..point(n_properties as f64, schema, &listed) }
}

fn point(x: f64, schema: Value, document: &Value) -> Point {
    Point { x, vocabulary: VOCABULARY, schema, text: print(document), any_order_text: None }
}

fn print(document: &Value) -> String {
    python_json::dumps(&document.to_string()).expect("the document is Unicode text")
}

/// `n` of `0..of`, evenly spread; all of them where there are no more.
fn spread(of: usize, n: usize) -> impl Iterator<Item = usize> {
    let n = n.min(of);
    (0..n).map(move |index| (2 * index + 1) * of / (2 * n))
}

/// A word that looks like one; different indices may have the same.
fn word(index: usize) -> String {
    let bits = split_mix(0, index as u64);
    let n_syllables = 2 + bits % 3;
    (1..=n_syllables).map(|place| SYLLABLES[(bits >> (8 * place)) as usize % SYLLABLES.len()]).collect()
}

fn unique_word(index: usize) -> String {
    format!("{}_{index}", word(index))
}

/// An object of these properties and no others, none required.
fn closed(properties: impl IntoIterator<Item = (String, Value)>) -> Value {
    let properties: Map<String, Value> = properties.into_iter().collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// A closed record of properties of four types in turn.
fn record(indices: Range<usize>) -> Value {
    let types = ["string", "integer", "boolean", "number"];
    closed(indices.map(|index| (unique_word(index), json!({"type": types[index % types.len()]}))))
}

/// What [`record`] admits at `index`.
fn value(index: usize) -> Value {
    match index % 4 {
        0 => json!(word(index)),
        1 => json!(index),
        2 => json!(index % 8 == 2),
        _ => json!(index as f64 + 0.5),
    }
}

/// Records as the leaves of a tree; names tell all of them apart.
fn tree(records: Range<usize>) -> Value {
    if records.len() == 1 {
        let first = 4 * records.start;
        return record(first..first + 4);
    }
    closed(children(records).map(|child| (format!("{}_to_{}", unique_word(child.start), child.end), tree(child))))
}

fn tree_document(records: Range<usize>, visited: &[usize]) -> Value {
    if records.len() == 1 {
        let first = 4 * records.start;
        return Value::Object((first..first + 4).map(|index| (unique_word(index), value(index))).collect());
    }
    let children = children(records).filter(|child| visited.iter().any(|record| child.contains(record)));
    let entry =
        |child: Range<usize>| (format!("{}_to_{}", unique_word(child.start), child.end), tree_document(child, visited));
    Value::Object(children.map(entry).collect())
}

/// The records in [`FANOUT`] parts, or one by one where there are no more.
fn children(records: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let n_children = FANOUT.min(records.len());
    let bound = move |child: usize| records.start + child * records.len() / n_children;
    (0..n_children).map(move |child| bound(child)..bound(child + 1))
}

fn nested_document(depth: u32) -> Value {
    (1..depth).fold(json!({"name": word(0)}), |inner, level| json!({"name": word(level as usize), "child": inner}))
}
