//! Which property does `additionalProperties: false` shut out, though the same object requires or describes it?
//!
//! A schema, the branches of its `allOf` and what its `$ref` leads to all speak of one object. `additionalProperties` sees
//! only the `properties` and `patternProperties` beside it, so that a closed part forbids what the other parts describe.

use serde_json::Value;

use super::{Held, LintKind, Linter};
use crate::json_schema::document::{NodeId, NodeKind, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::PatternId;

/// Schemas looked at together.
const MAX_PARTS: usize = 64;

/// What one schema object says of an object's keys.
struct Part<'a> {
    node: NodeId,
    names: Vec<&'a str>,
    patterns: Vec<PatternId>,
    required: Vec<&'a str>,
    is_closed: bool,
}

impl<'a> Linter<'a> {
    pub(super) fn shut_out(&mut self, node: NodeId, keywords: Held<'_, 'a>) -> Result<()> {
        if !keywords.has_any(&[Keyword::AllOf, Keyword::Ref, Keyword::Required]) {
            return Ok(());
        }
        let parts = self.parts(node)?;
        for closed in parts.iter().filter(|part| part.is_closed) {
            for part in &parts {
                for name in &part.required {
                    if !self.allows(closed, name)? {
                        let message = self.forbidden(name, closed.node);
                        self.add(part.node, Some("required"), LintKind::ForbiddenRequired, message);
                    }
                }
                for name in &part.names {
                    let is_required = parts.iter().any(|part| part.required.contains(name));
                    if !is_required && part.node != closed.node && !self.allows(closed, name)? {
                        let whose = self.reducer.document.pointer(part.node);
                        let message =
                            format!("shuts out the property {name:?} of {whose:?}, which speaks of the same object");
                        self.add(closed.node, Some("additionalProperties"), LintKind::ShutOut, message);
                    }
                }
            }
        }
        self.no_branch_allows(node, &parts)
    }

    fn forbidden(&self, name: &str, closed: NodeId) -> String {
        let whose = self.reducer.document.pointer(closed);
        format!("{name:?} is required, and \"additionalProperties\" of {whose:?} does not allow it")
    }

    /// Required properties that every branch of an `anyOf` or `oneOf` shuts out.
    fn no_branch_allows(&mut self, node: NodeId, parts: &[Part<'a>]) -> Result<()> {
        for keyword in [Keyword::AnyOf, Keyword::OneOf] {
            let Some(branches) = self.elements(node, keyword) else { continue };
            let mut closed = Vec::new();
            for branch in branches {
                closed.push(self.parts(branch)?.into_iter().find(|part| part.is_closed));
            }
            let Some(closed) = closed.into_iter().collect::<Option<Vec<Part<'a>>>>() else { continue };
            for part in parts {
                for name in &part.required {
                    let mut is_allowed = closed.is_empty();
                    for branch in &closed {
                        is_allowed |= self.allows(branch, name)?;
                    }
                    if !is_allowed {
                        let message = format!("{name:?} is required, and no branch of {:?} allows it", keyword.name());
                        self.add(part.node, Some("required"), LintKind::ForbiddenRequired, message);
                    }
                }
            }
        }
        Ok(())
    }

    fn elements(&mut self, node: NodeId, keyword: Keyword) -> Option<Vec<NodeId>> {
        let Value::Object(map) = self.reducer.document.value(node) else { return None };
        let Some(Value::Array(schemas)) = map.get(keyword.name()) else { return None };
        let child = |(index, schema)| {
            let step = Step::IndexOf(keyword, index);
            self.reducer.document.child(node, step, schema, NodeKind::Schema).ok()
        };
        schemas.iter().enumerate().map(child).collect()
    }

    /// `node`, what its `allOf` holds and what its `$ref` leads to, and so on.
    fn parts(&mut self, node: NodeId) -> Result<Vec<Part<'a>>> {
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if parts.len() >= MAX_PARTS || parts.iter().any(|part| part.node == node) {
                continue;
            }
            let Value::Object(map) = self.reducer.document.value(node) else { continue };
            self.reducer.step(node, 1 + map.len())?;
            let keywords = self.reducer.document.keywords(node, map);
            parts.push(self.part(node, &keywords)?);
            open.extend(self.elements(node, Keyword::AllOf).unwrap_or_default());
            if let Some(Value::String(reference)) = keywords.get(Keyword::Ref) {
                open.extend(Self::unless_refused(self.reducer.document.resolve(node, Keyword::Ref, reference))?);
            }
        }
        Ok(parts)
    }

    fn part(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Part<'a>> {
        let members = |keyword: Keyword| keywords.get(keyword).and_then(Value::as_object).into_iter().flatten();
        let names = members(Keyword::Properties).filter(|(_, schema)| **schema != Value::Bool(false));
        let mut patterns = Vec::new();
        for (source, _) in members(Keyword::PatternProperties) {
            patterns.push(self.reducer.pattern(node, Keyword::PatternProperties, source)?);
        }
        let required = keywords.get(Keyword::Required).and_then(Value::as_array).into_iter().flatten();
        Ok(Part {
            node,
            names: names.map(|(name, _)| name.as_str()).collect(),
            patterns,
            required: required.filter_map(Value::as_str).collect(),
            is_closed: keywords.get(Keyword::AdditionalProperties) == Some(&Value::Bool(false)),
        })
    }

    fn allows(&mut self, closed: &Part<'a>, name: &'a str) -> Result<bool> {
        if closed.names.contains(&name) {
            return Ok(true);
        }
        for pattern in &closed.patterns {
            // What cannot be told is taken for allowed.
            let is_unknown = self.reducer.patterns[pattern.0 as usize].unsupported.is_some();
            if is_unknown || self.reducer.pattern_holds(*pattern, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
