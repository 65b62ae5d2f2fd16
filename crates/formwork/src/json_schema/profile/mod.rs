//! Does a schema keep to a published subset? All violations at once, before anything is lowered.

mod table;

use serde_json::{Map, Value};

use self::table::{Required, Table, table};
use super::document::push_segment;
use super::keyword::Keyword;
use super::tools;
use super::walk::{Place, subschemas};
use super::{Profile, ToolSet};
use crate::error::{SchemaError, Violation, ViolationKind};
use crate::limits::Limits;

/// Checks one schema.
pub(super) fn check_schema(schema: &Value, profile: Profile, limits: &Limits) -> Result<(), SchemaError> {
    let Some(table) = table(profile) else { return Ok(()) };
    let mut checker = Checker::new(table, limits);
    checker.document(schema, String::new())?;
    checker.finish()
}

/// Checks the parameters of all tools together.
pub(super) fn check_tools(set: &ToolSet, profile: Profile, limits: &Limits) -> Result<(), SchemaError> {
    let profile = if profile == Profile::CohereJson { Profile::CohereTools } else { profile };
    let Some(table) = table(profile) else { return Ok(()) };
    let mut checker = Checker::new(table, limits);
    for (index, tool) in set.tools.iter().enumerate() {
        checker.document(&tool.parameters, tools::pointer(index))?;
    }
    checker.finish()
}

/// Counts and collects over all documents of a request.
struct Checker<'t> {
    table: &'t Table,
    limits: &'t Limits,
    violations: Vec<Violation>,
    n_properties: usize,
    n_name_chars: usize,
    n_enum_values: usize,
}

/// Violations that are listed; a schema with more is wrong throughout.
const MAX_VIOLATIONS: usize = 1_000;

impl<'t> Checker<'t> {
    fn new(table: &'t Table, limits: &'t Limits) -> Checker<'t> {
        Checker { table, limits, violations: Vec::new(), n_properties: 0, n_name_chars: 0, n_enum_values: 0 }
    }

    fn violate(&mut self, pointer: &str, keyword: Option<&str>, reason: String) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(Violation {
                kind: ViolationKind::Profile,
                pointer: pointer.to_owned(),
                keyword: keyword.map(str::to_owned),
                reason,
            });
        }
    }

    fn document(&mut self, root: &Value, prefix: String) -> Result<(), SchemaError> {
        self.root(root, &prefix);
        // Each open schema: its pointer, its value, levels of objects and arrays above it, levels of the document.
        let mut open = vec![(prefix, root, 0usize, 0usize)];
        let mut n_schemas = 0;
        while let Some((pointer, value, depth, n_levels)) = open.pop() {
            n_schemas += 1;
            if n_levels > self.limits.max_schema_depth {
                return Err(limit("max_schema_depth", self.limits.max_schema_depth));
            }
            if n_schemas > self.limits.max_schema_steps {
                return Err(limit("max_schema_steps", self.limits.max_schema_steps));
            }
            let Value::Object(map) = value else { continue };
            let nests = map.contains_key("properties") || map.contains_key("items");
            let depth = depth + usize::from(nests);
            self.schema(map, &pointer, depth);
            let before = open.len();
            subschemas(map, |place, inside| {
                let mut pointer = pointer.clone();
                let keyword = match place {
                    Place::Under(keyword) | Place::Element(keyword, _) | Place::Member(keyword, _) => keyword,
                };
                push_segment(&mut pointer, keyword);
                match place {
                    Place::Under(_) => {}
                    Place::Element(_, index) => push_segment(&mut pointer, &index.to_string()),
                    Place::Member(_, name) => push_segment(&mut pointer, name),
                }
                let depth = if matches!(keyword, "$defs" | "definitions") { 0 } else { depth };
                open.push((pointer, inside, depth, n_levels + 2));
            });
            open[before..].reverse();
        }
        Ok(())
    }

    fn root(&mut self, root: &Value, pointer: &str) {
        let Some(wanted) = self.table.root_type else { return };
        if !root.is_object() {
            self.violate(pointer, None, "the schema must be an object".to_owned());
            return;
        }
        if root.get("type").and_then(Value::as_str) != Some(wanted) {
            let reason = format!("{} needs {wanted:?} as the top-level type", self.table.name);
            self.violate(pointer, Some("type"), reason);
        }
        if self.table.required == Required::All && root.get("anyOf").is_some() {
            self.violate(pointer, Some("anyOf"), format!("{} does not take anyOf at the top", self.table.name));
        }
    }

    fn schema(&mut self, map: &Map<String, Value>, pointer: &str, depth: usize) {
        for (name, value) in map {
            self.keyword(name, value, pointer);
        }
        if self.table.max_depth.is_some_and(|max| depth == max + 1) {
            let reason = format!("{depth} levels of nesting exceed the limit of {}", depth - 1);
            self.violate(pointer, None, reason);
        }
        self.object(map, pointer);
    }

    fn keyword(&mut self, name: &str, value: &Value, pointer: &str) {
        let constrains = Keyword::from_name(name).is_some() && !matches!(name, "$id" | "id" | "$schema");
        if constrains && !self.table.keywords.contains(&name) {
            self.violate(pointer, Some(name), format!("{} does not support this keyword", self.table.name));
            return;
        }
        match (name, value) {
            ("format", Value::String(format)) if !self.table.formats.contains(&format.as_str()) => {
                let known = self.table.formats.join(", ");
                self.violate(pointer, Some("format"), format!("{format:?} is not one of {known}"));
            }
            ("pattern", Value::String(pattern)) => {
                if let Some(part) = self.table.pattern_excludes.iter().find(|part| pattern.contains(**part)) {
                    let reason = format!("{} does not support {part:?} in patterns", self.table.name);
                    self.violate(pointer, Some("pattern"), reason);
                }
            }
            ("const", constant) => self.constant(pointer, "const", constant),
            ("enum", Value::Array(values)) => self.values(pointer, values),
            ("$defs" | "definitions", Value::Object(members)) => {
                self.n_name_chars += members.keys().map(|key| key.chars().count()).sum::<usize>();
            }
            _ => {}
        }
    }

    fn constant(&mut self, pointer: &str, keyword: &str, value: &Value) {
        self.n_name_chars += value.as_str().map_or(0, |text| text.chars().count());
        if !self.table.compound_constants && (value.is_array() || value.is_object()) {
            let reason = format!("{} takes only scalars here", self.table.name);
            self.violate(pointer, Some(keyword), reason);
        }
    }

    fn values(&mut self, pointer: &str, values: &[Value]) {
        self.n_enum_values += values.len();
        for value in values {
            self.constant(pointer, "enum", value);
        }
        let Some((max_values, max_chars)) = self.table.max_long_enum else { return };
        let n_chars: usize = values.iter().filter_map(Value::as_str).map(|text| text.chars().count()).sum();
        if values.len() > max_values && n_chars > max_chars {
            let reason = format!("{n_chars} characters in an enum of more than {max_values} values exceed {max_chars}");
            self.violate(pointer, Some("enum"), reason);
        }
    }

    fn object(&mut self, map: &Map<String, Value>, pointer: &str) {
        let names = |value: &Value| value.as_str() == Some("object");
        let is_object = match map.get("type") {
            Some(Value::Array(types)) => types.iter().any(names),
            Some(value) => names(value),
            None => false,
        } || map.contains_key("properties");
        if !is_object {
            return;
        }
        let properties = map.get("properties").and_then(Value::as_object);
        let required: Vec<&str> =
            map.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(properties) = properties {
            self.n_properties += properties.len();
            self.n_name_chars += properties.keys().map(|key| key.chars().count()).sum::<usize>();
        }
        for name in &required {
            if self.table.required != Required::Free && !properties.is_some_and(|known| known.contains_key(*name)) {
                let reason = format!("required field {name:?} not found in properties");
                self.violate(pointer, Some("required"), reason);
            }
        }
        match self.table.required {
            Required::One if required.is_empty() => {
                self.violate(
                    pointer,
                    Some("required"),
                    "every object must have at least one required property".to_owned(),
                );
            }
            Required::All => {
                let required: crate::hash::HashSet<&str> = required.into_iter().collect();
                let missing = properties.into_iter().flatten().filter(|(name, _)| !required.contains(name.as_str()));
                for (name, _) in missing {
                    self.violate(
                        pointer,
                        Some("required"),
                        format!("all properties must be required, and {name:?} is not"),
                    );
                }
            }
            _ => {}
        }
        if self.table.closed_objects && map.get("additionalProperties") != Some(&Value::Bool(false)) {
            self.violate(pointer, Some("additionalProperties"), "must be given, and be false".to_owned());
        }
    }

    /// Checks the sums, and reports.
    fn finish(mut self) -> Result<(), SchemaError> {
        let sums = [
            (self.n_properties, self.table.max_properties, "properties"),
            (self.n_name_chars, self.table.max_name_chars, "characters of names and constants"),
            (self.n_enum_values, self.table.max_enum_values, "enum values"),
        ];
        for (sum, max, what) in sums {
            if let Some(max) = max.filter(|max| sum > *max) {
                self.violate("", None, format!("{sum} {what} in all exceed the limit of {max} of {}", self.table.name));
            }
        }
        match self.violations.is_empty() {
            true => Ok(()),
            false => Err(SchemaError::from_violations(self.violations)),
        }
    }
}

fn limit(setting: &str, limit: usize) -> SchemaError {
    SchemaError::new(ViolationKind::Limit, "", None, format!("limit exceeded: {setting} is {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn violations(schema: Value, profile: Profile) -> Vec<(String, String)> {
        match check_schema(&schema, profile, &Limits::default()) {
            Ok(()) => Vec::new(),
            Err(error) => error
                .violations()
                .iter()
                .map(|violation| (violation.pointer.clone(), violation.keyword.clone().unwrap_or_default()))
                .collect(),
        }
    }

    fn at(pointer: &str, keyword: &str) -> (String, String) {
        (pointer.to_owned(), keyword.to_owned())
    }

    #[test]
    fn cohere_lists_everything_that_it_does_not_take() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": {"type": "string", "minLength": 1, "pattern": "^a"},
                "b": {"type": "object", "properties": {}},
                "c": {"type": "string", "format": "email"}
            },
            "required": ["a", "z"],
            "allOf": []
        });
        let expected = [
            at("", "allOf"),
            at("", "required"),
            at("/properties/a", "minLength"),
            at("/properties/a", "pattern"),
            at("/properties/b", "required"),
            at("/properties/c", "format"),
        ];
        assert_eq!(violations(schema, Profile::CohereJson), expected);
        assert_eq!(violations(json!({"type": "array"}), Profile::CohereJson), [at("", "type")]);
    }

    #[test]
    fn cohere_takes_its_own_subset() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": {"anyOf": [{"type": "string", "pattern": "[A-Z]{3}[0-9]{7}"}, {"type": "null"}]},
                "b": {"type": "array", "items": {"$ref": "#/$defs/b"}},
                "c": {"const": 1, "description": "text"}
            },
            "required": ["a"],
            "$defs": {"b": {"type": "object", "properties": {"d": {"format": "uuid"}}, "required": ["d"]}}
        });
        assert_eq!(violations(schema, Profile::CohereJson), []);
    }

    #[test]
    fn open_ai_wants_closed_objects_and_all_required() {
        let schema = json!({
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"not": {}}},
            "required": ["a"]
        });
        let expected = [at("", "required"), at("", "additionalProperties"), at("/properties/b", "not")];
        assert_eq!(violations(schema, Profile::OpenAiStrict), expected);
    }

    #[test]
    fn fields_are_counted_over_all_tools() {
        let properties: Map<String, Value> = (0..101).map(|index| (format!("p{index}"), json!({}))).collect();
        let parameters = json!({"type": "object", "properties": properties, "required": ["p0"]});
        let tool = |name: &str| super::super::Tool { name: name.to_owned(), parameters: parameters.clone() };
        let set = |tools| ToolSet { tools, arguments_key: Default::default(), calls: Default::default() };
        let check = |set: &ToolSet| check_tools(set, Profile::CohereTools, &Limits::default());
        assert!(check(&set(vec![tool("a")])).is_ok());
        let error = check(&set(vec![tool("a"), tool("b")])).unwrap_err();
        assert!(error.to_string().contains("202 properties"), "{error}");
    }
}
