//! What does a small schema mean? A set of shapes that print themselves as JSON Schema and as an expression, side by side.
//!
//! Both are written from the same value by obvious code: the schema for the engine, the expression (compact layout) for
//! the twin. Where the engine chooses between spellings that JSON Schema does not tell apart, the choice is written here.

use serde_json::{Map, Value, json};

use super::entries::{Entries, OtherKeys};
use super::expression::{ExprId, Language, RuleId};
use super::json::{any_char_except, integers, quoted, string_except};
use formwork::grammar::KeyOrder;

/// A schema of the subset.
#[derive(Clone, Debug)]
pub enum Shape {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// Integers of a small range, both ends in it.
    Integer(i64, i64),
    /// Strings by length.
    Text(u32, Option<u32>),
    /// Strings by one of [`PATTERNS`].
    Pattern(usize),
    /// One of these scalars, in one spelling each, as the schema's own text would be printed.
    Enum(Vec<Value>),
    /// Arrays: shapes of the first items, shape of the others (`None` allows no others), bounds on their number.
    Array(Vec<Shape>, Option<Box<Shape>>, u32, Option<u32>),
    /// Objects: known keys in order, and the shape of values under other keys (`None` allows none).
    Object(Vec<Key>, Option<Box<Shape>>),
    /// Any of these.
    AnyOf(Vec<Shape>),
    /// A definition by index; wraps around.
    Ref(usize),
}

/// A known key of an object.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// Shape of its value.
    pub value: Shape,
}

/// A schema with definitions.
#[derive(Clone, Debug)]
pub struct ShapeSet {
    /// The schema itself.
    pub root: Shape,
    /// What [`Shape::Ref`] names.
    pub definitions: Vec<Shape>,
}

/// Part of a content: allowed characters (none stands for any character), least and greatest number of them.
pub type PatternPart = (&'static str, u32, Option<u32>);

/// Patterns, each with the content that it describes, part by part.
pub const PATTERNS: [(&str, &[PatternPart]); 6] = [
    ("^[a-c]{2,4}$", &[("abc", 2, Some(4))]),
    ("^a", &[("a", 1, Some(1)), ("", 0, None)]),
    ("^[ab]+-[0-9]{2}$", &[("ab", 1, None), ("-", 1, Some(1)), ("0123456789", 2, Some(2))]),
    ("^é?x*$", &[("é", 0, Some(1)), ("x", 0, None)]),
    ("^\\d{3}$", &[("0123456789", 3, Some(3))]),
    ("^\"?[\\n]$", &[("\"", 0, Some(1)), ("\n", 1, Some(1))]),
];

impl ShapeSet {
    /// As JSON Schema.
    pub fn to_schema(&self) -> Value {
        let mut schema = self.schema_of(&self.root);
        if let (Some(object), false) = (schema.as_object_mut(), self.definitions.is_empty()) {
            let definitions = self.definitions.iter().enumerate();
            let definitions: Map<String, Value> =
                definitions.map(|(index, shape)| (format!("d{index}"), self.schema_of(shape))).collect();
            object.insert("$defs".to_owned(), definitions.into());
        }
        schema
    }

    fn schema_of(&self, shape: &Shape) -> Value {
        match shape {
            Shape::Null => json!({"type": "null"}),
            Shape::Boolean => json!({"type": "boolean"}),
            Shape::Integer(minimum, maximum) => json!({"type": "integer", "minimum": minimum, "maximum": maximum}),
            Shape::Text(min, max) => with_bounds(json!({"type": "string"}), ("minLength", *min), ("maxLength", *max)),
            Shape::Pattern(index) => json!({"type": "string", "pattern": PATTERNS[index % PATTERNS.len()].0}),
            Shape::Enum(values) => json!({"enum": values}),
            Shape::Array(prefix, rest, min, max) => {
                let mut schema = json!({"type": "array"});
                if !prefix.is_empty() {
                    schema["prefixItems"] = prefix.iter().map(|item| self.schema_of(item)).collect();
                }
                schema["items"] = rest.as_ref().map_or(Value::Bool(false), |rest| self.schema_of(rest));
                with_bounds(schema, ("minItems", *min), ("maxItems", *max))
            }
            Shape::Object(keys, others) => {
                let properties = keys.iter().map(|key| (key.name.clone(), self.schema_of(&key.value)));
                let required = keys.iter().filter(|key| key.required).map(|key| key.name.as_str());
                json!({
                    "type": "object",
                    "properties": properties.collect::<Map<_, _>>(),
                    "required": required.collect::<Vec<_>>(),
                    "additionalProperties": others.as_ref().map_or(Value::Bool(false), |it| self.schema_of(it)),
                })
            }
            Shape::AnyOf(shapes) => json!({"anyOf": shapes.iter().map(|it| self.schema_of(it)).collect::<Vec<_>>()}),
            Shape::Ref(index) => json!({"$ref": format!("#/$defs/d{}", index % self.definitions.len())}),
        }
    }

    /// As an expression in compact layout.
    pub fn to_language(&self, order: KeyOrder) -> (Language, ExprId) {
        let mut language = Language::default();
        let start = self.to_expression(order, &mut language);
        (language, start)
    }

    /// As an expression in compact layout, of a language that holds others, too.
    pub(super) fn to_expression(&self, order: KeyOrder, language: &mut Language) -> ExprId {
        let rules: Vec<RuleId> = self.definitions.iter().map(|_| language.declare()).collect();
        for (&rule, shape) in rules.iter().zip(&self.definitions) {
            let body = expression(shape, &rules, order, language);
            language.define(rule, body);
        }
        expression(&self.root, &rules, order, language)
    }
}

fn with_bounds(mut schema: Value, (least, min): (&str, u32), (greatest, max): (&str, Option<u32>)) -> Value {
    if min > 0 {
        schema[least] = min.into();
    }
    if let Some(max) = max {
        schema[greatest] = max.into();
    }
    schema
}

fn expression(shape: &Shape, rules: &[RuleId], order: KeyOrder, language: &mut Language) -> ExprId {
    match shape {
        Shape::Null => language.literal("null"),
        Shape::Boolean => {
            let spellings = ["true", "false"].map(|word| language.literal(word));
            language.choice(spellings)
        }
        Shape::Integer(minimum, maximum) => integers(language, *minimum, *maximum),
        Shape::Text(min, max) => {
            let any = any_char_except(language, &[]);
            let content = language.repeat(any, *min, *max);
            quoted(language, content)
        }
        Shape::Pattern(index) => pattern(PATTERNS[index % PATTERNS.len()].1, language),
        Shape::Enum(values) => {
            let spellings: Vec<ExprId> = values.iter().map(|value| language.literal(value.to_string())).collect();
            language.choice(spellings)
        }
        Shape::Array(prefix, rest, min, max) => {
            let prefix: Vec<ExprId> = prefix.iter().map(|item| expression(item, rules, order, language)).collect();
            let rest = rest.as_ref().map(|rest| expression(rest, rules, order, language));
            array(&prefix, rest, (*min, *max), language)
        }
        Shape::Object(keys, others) => object(keys, others.as_deref(), rules, order, language),
        Shape::AnyOf(shapes) => {
            let choices: Vec<ExprId> = shapes.iter().map(|it| expression(it, rules, order, language)).collect();
            language.choice(choices)
        }
        Shape::Ref(index) => language.rule(rules[index % rules.len()]),
    }
}

fn pattern(parts: &[PatternPart], language: &mut Language) -> ExprId {
    let parts: Vec<ExprId> = parts
        .iter()
        .map(|&(characters, min, max)| {
            let item = match characters {
                "" => any_char_except(language, &[]),
                _ => {
                    let each: Vec<ExprId> =
                        characters.chars().map(|it| super::json::char_spellings(language, it)).collect();
                    language.choice(each)
                }
            };
            language.repeat(item, min, max)
        })
        .collect();
    let content = language.sequence(parts);
    quoted(language, content)
}

/// All numbers of items, longest last: `[` first, then a comma before each other item, then `]`.
fn array(prefix: &[ExprId], rest: Option<ExprId>, (min, max): (u32, Option<u32>), language: &mut Language) -> ExprId {
    let [open, comma, close] = ["[", ",", "]"].map(|it| language.literal(it));
    let n_prefix = u32::try_from(prefix.len()).expect("a small schema");
    let mut choices = Vec::new();
    for n_items in 0..=n_prefix {
        if n_items >= min && max.is_none_or(|max| n_items <= max) {
            let items = separated(&prefix[..n_items as usize], comma, language);
            choices.push(language.sequence([open, items, close]));
        }
    }
    if let Some(rest) = rest {
        let least = min.saturating_sub(n_prefix).max(1);
        let greatest = max.map(|max| max.saturating_sub(n_prefix));
        let next = language.sequence([comma, rest]);
        if prefix.is_empty() {
            let others = repeat_rest(next, (least - 1, greatest), language);
            choices.push(language.sequence([open, rest, others, close]));
        } else if greatest != Some(0) {
            let items = separated(prefix, comma, language);
            let others = language.repeat(next, least, greatest);
            choices.push(language.sequence([open, items, others, close]));
        }
    }
    language.choice(choices)
}

/// What follows a first item; none may stand first where `greatest` is zero.
fn repeat_rest(next: ExprId, (least, greatest): (u32, Option<u32>), language: &mut Language) -> ExprId {
    match greatest {
        Some(0) => language.never(),
        _ => language.repeat(next, least, greatest.map(|greatest| greatest - 1)),
    }
}

fn separated(items: &[ExprId], comma: ExprId, language: &mut Language) -> ExprId {
    let mut parts = Vec::new();
    for (index, &item) in items.iter().enumerate() {
        if index > 0 {
            parts.push(comma);
        }
        parts.push(item);
    }
    language.sequence(parts)
}

/// An object: a known key has one spelling, as the schema's own text would be printed; other keys have all of theirs, and
/// do not repeat.
fn object(keys: &[Key], others: Option<&Shape>, rules: &[RuleId], order: KeyOrder, language: &mut Language) -> ExprId {
    let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    let others = others.map(|shape| {
        let key = OtherKeys::Endless(string_except(language, &names));
        (key, vec![(expression(shape, rules, order, language), 0)])
    });
    let others = others.into_iter().collect();
    let known = keys.iter().map(|key| {
        let name = language.literal(Value::from(key.name.as_str()).to_string());
        (name, vec![(expression(&key.value, rules, order, language), 0)], key.required)
    });
    let known = known.collect();
    let open = language.literal("{");
    let n_listed = if order == KeyOrder::Any { 0 } else { keys.len() };
    let entries = Entries { known, others, n_listed, goals: 0, clauses: Vec::new(), min: 0, max: None };
    let entries = language.entries(entries);
    language.sequence([open, entries])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(set: &ShapeSet, order: KeyOrder, text: &str) -> bool {
        let (mut language, start) = set.to_language(order);
        language.finish();
        language.advance(start, text.as_bytes()).is_some_and(|rest| language.is_nullable(rest))
    }

    #[test]
    fn arrays_keep_their_bounds() {
        let rest = Some(Box::new(Shape::Null));
        let set = ShapeSet { root: Shape::Array(vec![Shape::Boolean], rest, 1, Some(3)), definitions: Vec::new() };
        for text in ["[true]", "[true,null]", "[false,null,null]"] {
            assert!(accepts(&set, KeyOrder::Listed, text), "{text}");
        }
        for text in ["[]", "[null]", "[true,true]", "[true,null,null,null]", "[true,]"] {
            assert!(!accepts(&set, KeyOrder::Listed, text), "{text}");
        }
    }

    #[test]
    fn objects_keep_the_order_of_their_keys() {
        let key = |name: &str, required| Key { name: name.to_owned(), required, value: Shape::Null };
        let keys = vec![key("a", false), key("b", true)];
        let set = ShapeSet { root: Shape::Object(keys, Some(Box::new(Shape::Boolean))), definitions: Vec::new() };
        for text in [r#"{"b":null}"#, r#"{"a":null,"b":null}"#, r#"{"b":null,"c":true,"":false}"#] {
            assert!(accepts(&set, KeyOrder::Listed, text), "{text}");
        }
        for text in ["{}", r#"{"b":null,"a":null}"#, r#"{"a":null}"#, r#"{"b":null,}"#, r#"{"b":null,"\u0061":true}"#] {
            assert!(!accepts(&set, KeyOrder::Listed, text), "{text}");
        }
        for text in [r#"{"b":null,"a":null}"#, r#"{"c":true,"b":null,"d":true,"a":null}"#] {
            assert!(accepts(&set, KeyOrder::Any, text), "{text}");
        }
        for text in [r#"{"a":null,"c":true}"#, r#"{"b":null,"b":null}"#, "{}", r#"{"b":null,"c":true,"\u0063":true}"#] {
            assert!(!accepts(&set, KeyOrder::Any, text), "{text}");
        }
    }
}
