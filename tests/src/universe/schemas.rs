//! Which schemas are tried? Random ones that use every keyword of every draft, on values that the universe has.
//!
//! Constants, keys and bounds are taken from the domain that a schema is for, so that most keywords take some documents
//! and leave others.

use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::domain::Domain;
use crate::validator::Draft;

/// Patterns for the strings and keys of the domains, with what ECMA-262 adds to regular expressions.
const PATTERNS: [&str; 18] = [
    "a",
    "^a",
    "b$",
    "^[ab]$",
    "^a?b?$",
    "^(?!a)",
    "^(?!ab$)",
    "(?<=a)b",
    "(?<!a)b",
    "^(?=.*a)(?=.*b)",
    "\\bb",
    "a\\B",
    "^(a|ab)$",
    "[^b]$",
    "^\\w{1,2}$",
    "\\d",
    "^x",
    "[xy]",
];

/// Formats that the slow validator knows, each with the first draft that defines it for our validators.
const FORMATS: [(&str, Draft); 4] =
    [("ipv4", Draft::Draft4), ("json-pointer", Draft::Draft6), ("date", Draft::Draft7), ("uuid", Draft::Draft2019)];

type Object = Map<String, Value>;

/// Makes random schemas of one draft, and collects the definitions that they refer to.
struct Schemas<'d> {
    dice: &'d mut Dice,
    draft: Draft,
    definitions: Object,
    /// Whether what is drawn stands in a definition with an identifier of its own, where `#` means that definition.
    is_embedded: bool,
}

/// Identifier of the document.
const ROOT: &str = "http://example.com/root.json";

/// A random schema with its definitions.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomSchema {
    /// The draft it is written in.
    pub draft: Draft,
    /// The schema.
    pub schema: Value,
    /// What its references mean; they stand at the root of the document.
    pub definitions: Object,
}

impl RandomSchema {
    /// A schema for the documents of `domain`.
    pub fn draw(dice: &mut Dice, domain: &Domain) -> RandomSchema {
        let drafts = [Draft::Unspecified, Draft::Unspecified, Draft::Draft2020, Draft::Draft2019, Draft::Draft7];
        let draft = if dice.one_in(5) { *dice.pick(&Draft::ALL) } else { *dice.pick(&drafts) };
        let mut schemas = Schemas { dice, draft, definitions: Object::new(), is_embedded: false };
        let schema = schemas.schema(domain, 3);
        RandomSchema { draft, schema, definitions: schemas.definitions }
    }

    /// The document that joins it, or its complement, with a schema of the universe.
    pub fn document(&self, universe: &Value, is_negated: bool) -> Value {
        let schema = if is_negated { json!({"not": self.schema}) } else { self.schema.clone() };
        let mut document = Object::new();
        if let Some(uri) = self.draft.uri() {
            document.insert("$schema".to_owned(), uri.into());
        }
        document.insert("allOf".to_owned(), json!([universe, schema]));
        if !self.definitions.is_empty() {
            document.insert(id_keyword(self.draft).to_owned(), ROOT.into());
            document.insert(definitions_keyword(self.draft).to_owned(), self.definitions.clone().into());
        }
        document.into()
    }
}

/// Where definitions stand.
pub(super) fn definitions_keyword(draft: Draft) -> &'static str {
    if draft >= Draft::Draft2019 { "$defs" } else { "definitions" }
}

fn id_keyword(draft: Draft) -> &'static str {
    if draft == Draft::Draft4 { "id" } else { "$id" }
}

impl Schemas<'_> {
    /// A schema on the values of `domain`.
    fn schema(&mut self, domain: &Domain, depth: usize) -> Value {
        if depth == 0 {
            return self.plain(domain, 0).into();
        }
        match self.dice.below(20) {
            0 => self.boolean(),
            1..=10 => self.plain(domain, depth).into(),
            11..=16 => self.combined(domain, depth).into(),
            17 => self.reference(domain, depth),
            18 => self.recursive(domain, depth),
            _ => self.dynamic(domain, depth),
        }
    }

    fn boolean(&mut self) -> Value {
        let verdict = self.dice.below(3) > 0;
        match self.draft {
            Draft::Draft4 if verdict => json!({}),
            Draft::Draft4 => json!({"not": {}}),
            _ => json!(verdict),
        }
    }

    /// Keywords for one or two of the domain's types.
    fn plain(&mut self, domain: &Domain, depth: usize) -> Object {
        let mut schema = Object::new();
        let parts = domain.parts();
        for _ in 0..1 + self.dice.below(2) {
            let part = parts[self.dice.below(parts.len())];
            self.keywords_for(&mut schema, part, depth);
        }
        if self.dice.one_in(4) {
            let value = self.sample(domain);
            // In draft-04 it is the spelling that makes an integer: 2.0 is none, and equal to 2.
            let integer = if self.draft == Draft::Draft4 { "number" } else { "integer" };
            let types = [type_of(&value), integer, type_of(&self.sample(domain))];
            let types: Vec<&str> = if self.dice.one_in(2) { types[..1].to_vec() } else { distinct(&types) };
            let types = if types.len() == 1 { json!(types[0]) } else { json!(types) };
            put(self.draft, &mut schema, "type", types);
        }
        if self.dice.one_in(8) {
            let values: Vec<Value> = (0..1 + self.dice.below(5)).map(|_| self.sample(domain)).collect();
            put(self.draft, &mut schema, "enum", json!(distinct(&values)));
        }
        if self.dice.one_in(12) {
            let value = self.sample(domain);
            put(self.draft, &mut schema, "const", value);
        }
        schema
    }

    /// A random value of the domain.
    fn sample(&mut self, domain: &Domain) -> Value {
        match domain {
            Domain::Values(values) => self.dice.pick(values).clone(),
            Domain::Integers(least, most) => json!(least + self.dice.below((most - least + 1) as usize) as i64),
            Domain::Words(words) => {
                let letters: Vec<char> = words.alphabet.chars().collect();
                let length = words.min + self.dice.below(words.max - words.min + 1);
                (0..length).map(|_| *self.dice.pick(&letters)).collect::<String>().into()
            }
            Domain::Array(element, max) => {
                let length = self.dice.below(max + 1);
                (0..length).map(|_| self.sample(element)).collect::<Vec<Value>>().into()
            }
            Domain::Object(members, max) | Domain::Mixed(members, _, _, max) => {
                let members: Vec<(String, Domain)> = self.dice.some(members).into_iter().take(*max).collect();
                let sampled = members.into_iter().map(|(key, domain)| (key, self.sample(&domain)));
                sampled.collect::<Object>().into()
            }
            Domain::Map(keys, value, max) => {
                let n_members = self.dice.below(max + 1);
                let keys = Domain::Words(keys.clone());
                let key = |it: &mut Self| it.sample(&keys).as_str().unwrap_or_default().to_owned();
                (0..n_members).map(|_| (key(self), self.sample(value))).collect::<Object>().into()
            }
            Domain::Either(parts) => {
                let part = self.dice.below(parts.len());
                self.sample(&parts[part])
            }
        }
    }

    fn keywords_for(&mut self, schema: &mut Object, part: &Domain, depth: usize) {
        match part {
            Domain::Values(_) | Domain::Integers(..) | Domain::Words(_) => {
                let value = self.sample(part);
                match value {
                    Value::String(_) => self.string_keywords(schema),
                    Value::Number(_) => self.number_keywords(schema, &value),
                    _ => put(self.draft, schema, "type", json!(type_of(&value))),
                }
            }
            Domain::Array(element, max) => self.array_keywords(schema, element, *max, depth),
            Domain::Object(..) | Domain::Map(..) | Domain::Mixed(..) => {
                for _ in 0..1 + self.dice.below(3) {
                    self.object_keyword(schema, part, depth);
                }
            }
            Domain::Either(_) => {}
        }
    }

    fn number_keywords(&mut self, schema: &mut Object, value: &Value) {
        match self.dice.below(6) {
            0 => put(self.draft, schema, "minimum", value.clone()),
            1 => put(self.draft, schema, "maximum", value.clone()),
            2 => {
                let divisor = self.dice.pick(&[json!(1), json!(2), json!(0.5), json!(1.5), json!(3)]).clone();
                put(self.draft, schema, "multipleOf", divisor);
            }
            3 => put(self.draft, schema, "enum", json!([value, "b", null])),
            bound => {
                let (inclusive, exclusive) =
                    if bound == 4 { ("minimum", "exclusiveMinimum") } else { ("maximum", "exclusiveMaximum") };
                if self.draft == Draft::Draft4 {
                    put(self.draft, schema, inclusive, value.clone());
                    put(self.draft, schema, exclusive, json!(self.dice.one_in(2)));
                } else {
                    put(self.draft, schema, exclusive, value.clone());
                }
            }
        }
    }

    fn string_keywords(&mut self, schema: &mut Object) {
        for _ in 0..1 + self.dice.below(2) {
            match self.dice.below(6) {
                0 => put(self.draft, schema, "minLength", json!(self.dice.below(3))),
                1 => put(self.draft, schema, "maxLength", json!(self.dice.below(3))),
                2 => {
                    let (format, first) = *self.dice.pick(&FORMATS);
                    let format = if self.draft < first { FORMATS[0].0 } else { format };
                    put(self.draft, schema, "format", json!(format));
                }
                _ => put(self.draft, schema, "pattern", json!(self.dice.pick(&PATTERNS))),
            }
        }
    }

    fn array_keywords(&mut self, schema: &mut Object, element: &Domain, max: usize, depth: usize) {
        let below = depth.saturating_sub(1);
        for _ in 0..1 + self.dice.below(3) {
            match self.dice.below(9) {
                0 => put(self.draft, schema, "minItems", json!(self.dice.below(max + 1))),
                1 => put(self.draft, schema, "maxItems", json!(self.dice.below(max + 1))),
                2 => put(self.draft, schema, "uniqueItems", json!(!self.dice.one_in(6))),
                3 | 4 => self.contains(schema, element, max, below),
                5 | 6 => self.tuple(schema, element, max, below),
                7 if !schema.contains_key("items") => {
                    let items = self.schema(element, below);
                    put(self.draft, schema, "items", items);
                }
                _ => {
                    let rest = self.schema(element, below);
                    put(self.draft, schema, "unevaluatedItems", rest);
                }
            }
        }
    }

    fn contains(&mut self, schema: &mut Object, element: &Domain, max: usize, below: usize) {
        let wanted = self.schema(element, below);
        put(self.draft, schema, "contains", wanted);
        if self.dice.one_in(2) {
            put(self.draft, schema, "minContains", json!(self.dice.below(max + 1)));
        }
        if self.dice.one_in(2) {
            put(self.draft, schema, "maxContains", json!(self.dice.below(max + 1)));
        }
    }

    fn tuple(&mut self, schema: &mut Object, element: &Domain, max: usize, below: usize) {
        let n_items = 1 + self.dice.below(max);
        let prefix: Vec<Value> = (0..n_items).map(|_| self.schema(element, below)).collect();
        let is_old = !self.draft.knows("prefixItems") || self.draft == Draft::Unspecified && self.dice.one_in(3);
        if is_old {
            // `items` and `prefixItems` side by side would mix two drafts.
            schema.remove("prefixItems");
            put(self.draft, schema, "items", json!(prefix));
            if self.dice.one_in(2) {
                let rest = self.schema(element, below);
                put(self.draft, schema, "additionalItems", rest);
            }
        } else if !schema.get("items").is_some_and(Value::is_array) {
            put(self.draft, schema, "prefixItems", json!(prefix));
        }
    }

    fn object_keyword(&mut self, schema: &mut Object, part: &Domain, depth: usize) {
        let below = depth.saturating_sub(1);
        let keys = self.keys(part);
        let count = |it: &mut Self| json!(it.dice.below(keys.len().min(4) + 1));
        match self.dice.below(14) {
            0 | 1 => {
                let members = self.members(part, below);
                put(self.draft, schema, "properties", members.into());
            }
            2 => {
                let members: Object = (0..1 + self.dice.below(2))
                    .map(|_| ((*self.dice.pick(&PATTERNS)).to_owned(), self.value_schema(part, below)))
                    .collect();
                put(self.draft, schema, "patternProperties", members.into());
            }
            3 | 4 => {
                let rest = self.value_schema(part, below);
                let rest = if self.dice.one_in(3) { json!(false) } else { rest };
                put(self.draft, schema, "additionalProperties", rest);
            }
            5 => {
                let names = Domain::Values(keys.iter().map(|key| json!(key)).collect());
                let names = self.schema(&names, below.min(1));
                put(self.draft, schema, "propertyNames", names);
            }
            6 => {
                let names: Vec<String> = self.dice.some(&keys);
                // Up to draft-04 an empty list is not allowed.
                if !names.is_empty() {
                    put(self.draft, schema, "required", json!(names));
                }
            }
            7 => {
                let least = count(self);
                put(self.draft, schema, "minProperties", least);
            }
            8 => {
                let most = count(self);
                put(self.draft, schema, "maxProperties", most);
            }
            9 => {
                let lists = self.dependent_lists(&keys);
                put(self.draft, schema, "dependentRequired", lists.into());
            }
            10 => {
                let schemas = self.dependent_schemas(part, &keys, below);
                put(self.draft, schema, "dependentSchemas", schemas.into());
            }
            11 => {
                let mut both = self.dependent_lists(&keys);
                both.extend(self.dependent_schemas(part, &keys, below));
                put(self.draft, schema, "dependencies", both.into());
            }
            _ => {
                let rest = self.value_schema(part, below);
                let rest = if self.dice.one_in(3) { json!(false) } else { rest };
                put(self.draft, schema, "unevaluatedProperties", rest);
            }
        }
    }

    fn dependent_lists(&mut self, keys: &[String]) -> Object {
        let key = self.dice.pick(keys).clone();
        let mut names: Vec<String> = self.dice.some(keys);
        if names.is_empty() {
            names.push(keys[0].clone());
        }
        [(key, json!(names))].into_iter().collect()
    }

    fn dependent_schemas(&mut self, part: &Domain, keys: &[String], below: usize) -> Object {
        let key = self.dice.pick(keys).clone();
        [(key, self.plain(part, below).into())].into_iter().collect()
    }

    /// A few of the keys that the objects of `part` may have.
    fn keys(&mut self, part: &Domain) -> Vec<String> {
        match part {
            Domain::Object(members, _) | Domain::Mixed(members, ..) => {
                members.iter().map(|(key, _)| key.clone()).collect()
            }
            Domain::Map(keys, ..) => {
                let keys = Domain::Words(keys.clone());
                let some: Vec<Value> = (0..3).map(|_| self.sample(&keys)).collect();
                distinct(&some).iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => vec!["a".to_owned()],
        }
    }

    fn members(&mut self, part: &Domain, below: usize) -> Object {
        match part {
            Domain::Object(members, _) | Domain::Mixed(members, ..) => {
                let members = self.dice.some(members);
                members.into_iter().map(|(key, domain)| (key, self.schema(&domain, below))).collect()
            }
            _ => {
                let keys = self.keys(part);
                keys.into_iter().map(|key| (key, self.value_schema(part, below))).collect()
            }
        }
    }

    /// A schema for any of the values in the objects of `part`.
    fn value_schema(&mut self, part: &Domain, below: usize) -> Value {
        match part {
            Domain::Mixed(_, _, value, _) if self.dice.one_in(2) => self.schema(value, below),
            Domain::Object(members, _) | Domain::Mixed(members, ..) => {
                let member = self.dice.below(members.len());
                self.schema(&members[member].1, below)
            }
            Domain::Map(_, value, _) => self.schema(value, below),
            _ => self.boolean(),
        }
    }

    /// Applicators in place, sometimes beside other keywords.
    fn combined(&mut self, domain: &Domain, depth: usize) -> Object {
        let below = depth - 1;
        let mut schema = if self.dice.one_in(2) { self.plain(domain, below) } else { Object::new() };
        for _ in 0..1 + usize::from(self.dice.one_in(4)) {
            match self.dice.below(8) {
                keyword @ 0..=4 => {
                    let keyword = ["allOf", "anyOf", "anyOf", "oneOf", "oneOf"][keyword];
                    let n_branches = 1 + self.dice.below(3);
                    let branches: Vec<Value> = (0..n_branches).map(|_| self.schema(domain, below)).collect();
                    put(self.draft, &mut schema, keyword, json!(branches));
                }
                5 => {
                    let inner = self.schema(domain, below);
                    put(self.draft, &mut schema, "not", inner);
                }
                _ => {
                    for (keyword, chance) in [("if", 1), ("then", 2), ("else", 2)] {
                        if self.dice.one_in(chance) {
                            let part = self.schema(domain, below);
                            put(self.draft, &mut schema, keyword, part);
                        }
                    }
                }
            }
        }
        self.close(&mut schema, domain, below);
        schema
    }

    /// Sometimes says what must become of members and elements that no branch has looked at.
    fn close(&mut self, schema: &mut Object, domain: &Domain, below: usize) {
        if !self.dice.one_in(3) {
            return;
        }
        for part in domain.parts() {
            let (keyword, rest) = match part {
                Domain::Array(element, _) => ("unevaluatedItems", self.schema(element, below.min(1))),
                Domain::Object(..) | Domain::Map(..) => {
                    ("unevaluatedProperties", self.value_schema(part, below.min(1)))
                }
                _ => continue,
            };
            let rest = if self.dice.one_in(2) { json!(false) } else { rest };
            put(self.draft, schema, keyword, rest);
        }
    }

    fn define(&mut self, definition: Value) -> String {
        let name = format!("s{}", self.definitions.len());
        self.definitions.insert(name.clone(), definition);
        name
    }

    /// A reference to a fragment of the whole document.
    fn fragment(&self, fragment: &str) -> String {
        if self.is_embedded { format!("root.json#{fragment}") } else { format!("#{fragment}") }
    }

    /// What `draw` makes as a resource of its own.
    fn embedded<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> T {
        let was_embedded = std::mem::replace(&mut self.is_embedded, true);
        let drawn = draw(self);
        self.is_embedded = was_embedded;
        drawn
    }

    /// A definition, found by pointer, anchor or identifier, sometimes with keywords beside the reference.
    fn reference(&mut self, domain: &Domain, depth: usize) -> Value {
        let below = depth - 1;
        let name = self.define(Value::Null);
        let (definition, reference) = match self.dice.below(3) {
            0 if self.draft >= Draft::Draft2019 => {
                let mut definition = self.plain(domain, below);
                definition.insert("$anchor".to_owned(), json!(format!("anchor-{name}")));
                (definition, self.fragment(&format!("anchor-{name}")))
            }
            1 => {
                let mut definition = self.embedded(|it| it.plain(domain, below));
                definition.insert(id_keyword(self.draft).to_owned(), json!(format!("{name}.json")));
                (definition, format!("http://example.com/{name}.json"))
            }
            _ => {
                let definition = self.plain(domain, below);
                (definition, self.fragment(&format!("/{}/{name}", definitions_keyword(self.draft))))
            }
        };
        self.definitions.insert(name, definition.into());
        let mut schema = Object::new();
        schema.insert("$ref".to_owned(), json!(reference));
        if self.dice.one_in(3) {
            schema.extend(self.plain(domain, below));
        }
        self.close(&mut schema, domain, below);
        schema.into()
    }

    /// A definition that refers to itself from inside.
    fn recursive(&mut self, domain: &Domain, depth: usize) -> Value {
        let name = self.define(Value::Null);
        let reference = self.fragment(&format!("/{}/{name}", definitions_keyword(self.draft)));
        let reference = json!({ "$ref": reference });
        let mut definition = self.plain(domain, depth - 1);
        match self.dice.below(4) {
            0 => put(self.draft, &mut definition, "items", reference.clone()),
            1 => put(self.draft, &mut definition, "additionalProperties", reference.clone()),
            2 => put(self.draft, &mut definition, "not", json!({"items": reference, "properties": {"a": reference}})),
            _ => {
                let other = self.schema(domain, 1);
                let inside = json!({"items": reference, "properties": {"a": reference, "b": reference}});
                put(self.draft, &mut definition, "anyOf", json!([other, inside]));
            }
        }
        self.definitions.insert(name, definition.into());
        reference
    }

    /// A resource whose inner schema another resource may replace.
    fn dynamic(&mut self, domain: &Domain, depth: usize) -> Value {
        if self.draft < Draft::Draft2019 {
            return self.reference(domain, depth);
        }
        let number = self.definitions.len();
        let uri = |part: &str| format!("http://example.com/{part}{number}.json");
        let inner = match domain.parts()[0] {
            Domain::Array(element, _) => (**element).clone(),
            Domain::Object(members, _) | Domain::Mixed(members, ..) => members[0].1.clone(),
            Domain::Map(_, value, _) => (**value).clone(),
            _ => domain.clone(),
        };
        let (mut base, mut other) = self.embedded(|it| (it.plain(domain, 1), it.plain(domain, depth - 1)));
        match self.draft {
            Draft::Draft2019 => {
                let reference = json!({"$recursiveRef": "#"});
                base.insert("items".to_owned(), reference.clone());
                base.insert("properties".to_owned(), json!({"a": reference}));
                base.insert("$recursiveAnchor".to_owned(), json!(!self.dice.one_in(4)));
                other.insert("$recursiveAnchor".to_owned(), json!(!self.dice.one_in(4)));
            }
            _ => {
                let anchored = |mut schema: Object| {
                    schema.insert("$dynamicAnchor".to_owned(), json!("inner"));
                    schema
                };
                let reference = json!({"$dynamicRef": "#inner"});
                base.insert("items".to_owned(), reference.clone());
                base.remove("prefixItems");
                base.insert("properties".to_owned(), json!({"a": reference, "b": reference}));
                for resource in [&mut base, &mut other] {
                    let inner = self.embedded(|it| it.plain(&inner, 1));
                    resource.insert("$defs".to_owned(), json!({"inner": anchored(inner)}));
                }
            }
        }
        base.insert("$id".to_owned(), json!(uri("base")));
        other.insert("$id".to_owned(), json!(uri("other")));
        other.insert("$ref".to_owned(), json!(uri("base")));
        self.define(base.into());
        self.define(other.into());
        json!({"$ref": uri(if self.dice.one_in(4) { "base" } else { "other" })})
    }
}

/// Adds a keyword if the draft has it.
fn put(draft: Draft, schema: &mut Object, keyword: &str, value: Value) {
    if draft.knows(keyword) {
        schema.insert(keyword.to_owned(), value);
    }
}

fn distinct<T: Clone + PartialEq>(items: &[T]) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        if !kept.contains(item) {
            kept.push(item.clone());
        }
    }
    kept
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
