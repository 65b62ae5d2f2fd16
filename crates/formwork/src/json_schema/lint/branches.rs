//! Which schema can nothing fit: a branch beside its siblings, the schema of a property or of an element, or the whole?

use serde_json::Value;

use super::{Held, LintKind, Linter};
use crate::json_schema::document::{NodeId, NodeKind, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::Keyword;
use crate::json_schema::shape::ConjId;

/// Keywords whose schemas apply to the same instance as their siblings.
const IN_PLACE: [Keyword; 4] = [Keyword::AnyOf, Keyword::OneOf, Keyword::Then, Keyword::Else];
/// Keywords whose schemas are looked at by themselves: they apply to members and elements, or say when others apply.
const ALONE: [Keyword; 8] = [
    Keyword::If,
    Keyword::Properties,
    Keyword::PatternProperties,
    Keyword::AdditionalProperties,
    Keyword::Items,
    Keyword::PrefixItems,
    Keyword::Contains,
    Keyword::PropertyNames,
];

/// Whether a schema says outright that it admits nothing, as people write it on purpose.
fn is_false(schema: &Value) -> bool {
    match schema {
        Value::Bool(verdict) => !verdict,
        Value::Object(map) if map.len() == 1 => map
            .get("not")
            .is_some_and(|inner| matches!(inner, Value::Bool(true)) || *inner == Value::Object(Default::default())),
        _ => false,
    }
}

impl<'a> Linter<'a> {
    /// The whole schema.
    pub(super) fn whole(&mut self, root: NodeId) -> Result<()> {
        if is_false(self.reducer.document.value(root)) {
            return Ok(());
        }
        let conj = Self::unless_refused(self.reducer.conj_of(root))?;
        if let Some(conj) = conj
            && self.is_empty(conj)?
        {
            self.add(root, None, LintKind::Unsatisfiable, "no instance can be valid");
        }
        Ok(())
    }

    fn is_empty(&mut self, conj: ConjId) -> Result<bool> {
        Ok(Self::unless_refused(self.reducer.is_surely_empty(conj))?.unwrap_or(false))
    }

    /// The schemas directly inside `node`.
    pub(super) fn branches(&mut self, node: NodeId, keywords: Held<'_, 'a>) -> Result<()> {
        let own = Self::unless_refused(self.reducer.conj_of(node))?;
        // Where nothing fits the whole, that is said where it stands.
        let own_is_empty = match own {
            Some(own) => self.is_empty(own)?,
            None => true,
        };
        for keyword in IN_PLACE {
            let Some(value) = keywords.get(keyword) else { continue };
            for (step, schema) in steps(keyword, value) {
                let context = own.filter(|_| !own_is_empty);
                self.branch(node, step, schema, keyword, context)?;
            }
        }
        for keyword in ALONE {
            let Some(value) = keywords.get(keyword) else { continue };
            for (step, schema) in steps(keyword, value) {
                self.branch(node, step, schema, keyword, None)?;
            }
        }
        Ok(())
    }

    fn branch(
        &mut self,
        node: NodeId,
        step: Step<'a>,
        schema: &'a Value,
        keyword: Keyword,
        context: Option<ConjId>,
    ) -> Result<()> {
        if is_false(schema) || !schema.is_object() {
            return Ok(());
        }
        let Some(conj) = Self::unless_refused(self.reducer.child(node, step, schema))? else { return Ok(()) };
        let child = self.reducer.document.child(node, step, schema, NodeKind::Schema)?;
        if self.is_empty(conj)? {
            self.add(child, None, LintKind::Unsatisfiable, format!("nothing fits this schema of {:?}", keyword.name()));
        } else if let Some(own) = context {
            let both = self.reducer.both(conj, own);
            if self.is_empty(both)? {
                let message =
                    format!("nothing that fits the schema around it fits this branch of {:?}", keyword.name());
                self.add(child, None, LintKind::Unsatisfiable, message);
            }
        }
        Ok(())
    }
}

/// The schemas under a keyword, each with the way to it.
fn steps<'a>(keyword: Keyword, value: &'a Value) -> Vec<(Step<'a>, &'a Value)> {
    let holds_members = matches!(keyword, Keyword::Properties | Keyword::PatternProperties);
    match value {
        Value::Array(schemas) => {
            schemas.iter().enumerate().map(|(index, schema)| (Step::IndexOf(keyword, index), schema)).collect()
        }
        Value::Object(schemas) if holds_members => {
            schemas.iter().map(|(key, schema)| (Step::KeyOf(keyword, key), schema)).collect()
        }
        schema => vec![(Step::Key(keyword.name()), schema)],
    }
}
