//! Which keyword makes no difference, and which pattern matches nothing?

use serde_json::{Map, Value};

use super::{Held, LintKind, Linter};
use crate::automata::decide::{Emptiness, string_emptiness};
use crate::json_schema::document::NodeId;
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};

/// The type that a keyword speaks of; `None` for those that speak of all.
fn type_of(keyword: Keyword) -> Option<&'static str> {
    Some(match keyword {
        Keyword::Minimum
        | Keyword::Maximum
        | Keyword::ExclusiveMinimum
        | Keyword::ExclusiveMaximum
        | Keyword::MultipleOf => "number",
        Keyword::MinLength | Keyword::MaxLength | Keyword::Pattern => "string",
        Keyword::Items
        | Keyword::PrefixItems
        | Keyword::AdditionalItems
        | Keyword::MinItems
        | Keyword::MaxItems
        | Keyword::UniqueItems
        | Keyword::Contains
        | Keyword::MinContains
        | Keyword::MaxContains
        | Keyword::UnevaluatedItems => "array",
        Keyword::Properties
        | Keyword::PatternProperties
        | Keyword::AdditionalProperties
        | Keyword::Required
        | Keyword::MinProperties
        | Keyword::MaxProperties
        | Keyword::PropertyNames
        | Keyword::Dependencies
        | Keyword::DependentRequired
        | Keyword::DependentSchemas
        | Keyword::UnevaluatedProperties => "object",
        _ => return None,
    })
}

/// The keyword without which this one says nothing.
fn needed_by(keyword: Keyword) -> Option<Keyword> {
    match keyword {
        Keyword::Then | Keyword::Else => Some(Keyword::If),
        Keyword::MinContains | Keyword::MaxContains => Some(Keyword::Contains),
        _ => None,
    }
}

/// Keywords that say something about a schema and nothing about instances.
const SILENT: [&str; 9] =
    ["$comment", "$defs", "$schema", "default", "definitions", "description", "examples", "id", "title"];

impl<'a> Linter<'a> {
    pub(super) fn effects(&mut self, node: NodeId, map: &'a Map<String, Value>, keywords: &Keywords<'a>) {
        let dialect = self.reducer.document.dialect(node);
        for (name, value) in map {
            let Some(keyword) = Keyword::from_name(name) else { continue };
            if !keyword.is_in(dialect) {
                self.add(node, Some(name), LintKind::OtherDraft, "the schema's draft has no such keyword");
            } else if !keywords.has(keyword) && !SILENT.contains(&name.as_str()) {
                let message = "up to draft-07 the $ref beside it hides it";
                self.add(node, Some(name), LintKind::HiddenByRef, message);
            } else if keywords.has(keyword) {
                self.effect(node, keyword, value, keywords);
            }
        }
    }

    fn effect(&mut self, node: NodeId, keyword: Keyword, value: &Value, keywords: &Keywords<'a>) {
        let name = Some(keyword.name());
        if let Some(needed) = needed_by(keyword)
            && !keywords.has(needed)
        {
            let message = format!("says nothing without {:?}", needed.name());
            self.add(node, name, LintKind::NoEffect, message);
        }
        if keyword == Keyword::AdditionalItems && !keywords.get(Keyword::Items).is_some_and(Value::is_array) {
            self.add(node, name, LintKind::NoEffect, "says nothing unless \"items\" is an array");
        }
        if keyword == Keyword::If && !keywords.has_any(&[Keyword::Then, Keyword::Else]) {
            self.add(node, name, LintKind::NoEffect, "says nothing without \"then\" or \"else\"");
        }
        let (Some(wanted), Some(stated)) = (type_of(keyword), keywords.get(Keyword::Type)) else { return };
        let is_wanted = |name: &Value| {
            let name = name.as_str().unwrap_or_default();
            name == wanted || name == "integer" && wanted == "number"
        };
        let has_effect = match stated {
            Value::Array(names) => names.iter().any(is_wanted),
            name => is_wanted(name),
        };
        // Bounds that every instance meets are common and harmless.
        if !has_effect && !value.is_null() {
            let message = format!("speaks of the type {wanted:?}, which \"type\" does not admit");
            self.add(node, name, LintKind::NoEffect, message);
        }
    }

    /// Patterns that no string matches.
    pub(super) fn patterns(&mut self, node: NodeId, keywords: Held<'_, 'a>) -> Result<()> {
        if let Some(Value::String(source)) = keywords.get(Keyword::Pattern) {
            self.pattern(node, Keyword::Pattern, source)?;
        }
        if let Some(Value::Object(members)) = keywords.get(Keyword::PatternProperties) {
            for source in members.keys() {
                self.pattern(node, Keyword::PatternProperties, source)?;
            }
        }
        Ok(())
    }

    fn pattern(&mut self, node: NodeId, keyword: Keyword, source: &'a str) -> Result<()> {
        let id = Self::unless_refused(self.reducer.pattern(node, keyword, source))?;
        let Some(id) = id else { return Ok(()) };
        let pattern = &self.reducer.patterns[id.0 as usize];
        let spec = pattern.spec.clone();
        if pattern.unsupported.is_some() {
            return Ok(());
        }
        self.reducer.step(node, 1_000)?;
        if string_emptiness(&spec, self.reducer.limits).is_ok_and(|it| it == Emptiness::Empty) {
            let shown: String = source.chars().take(120).collect();
            self.add(node, Some(keyword.name()), LintKind::NeverMatches, format!("no string matches {shown:?}"));
        }
        Ok(())
    }
}
