//! What do `unevaluatedProperties` and `unevaluatedItems` say, where what is evaluated does not depend on the
//! instance?

use serde_json::Value;

use super::Reducer;
use crate::json_schema::document::{NodeId, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{
    Alternatives, ArrayShape, ConjId, KeyClass, KeyRule, ObjectShape, Owner, ResidueId, Union,
};

/// Keywords whose branches evaluate something or not, depending on the instance.
const CONDITIONAL: [Keyword; 6] = [
    Keyword::AnyOf,
    Keyword::OneOf,
    Keyword::If,
    Keyword::Dependencies,
    Keyword::DependentSchemas,
    Keyword::DynamicRef,
];

/// What schemas applied to one instance evaluate.
#[derive(Default)]
struct Evaluated<'a> {
    owner: Owner<'a>,
    all_properties: bool,
    n_items: usize,
    all_items: bool,
}

impl<'a> Reducer<'a> {
    pub(super) fn unevaluated(&mut self, node: NodeId, keywords: &Keywords<'a>, union: Union<'a>) -> Result<Union<'a>> {
        let properties = keywords.get(Keyword::UnevaluatedProperties);
        let items = keywords.get(Keyword::UnevaluatedItems);
        if properties.is_none() && items.is_none() {
            return Ok(union);
        }
        let mut evaluated = Evaluated::default();
        let fixed = self.evaluated_by(node, keywords, &mut evaluated, 0)?;
        let mut narrowed = union;
        if let Some(value) = properties {
            narrowed = self.unevaluated_properties(node, value, fixed.then_some(&evaluated), narrowed)?;
        }
        if let Some(value) = items {
            narrowed = self.unevaluated_items(node, value, fixed.then_some(&evaluated), narrowed)?;
        }
        Ok(narrowed)
    }

    fn unevaluated_properties(
        &mut self,
        node: NodeId,
        value: &'a Value,
        evaluated: Option<&Evaluated<'a>>,
        union: Union<'a>,
    ) -> Result<Union<'a>> {
        let value = self.child(node, Step::Key("unevaluatedProperties"), value)?;
        if value == ConjId::TRUE || evaluated.is_some_and(|evaluated| evaluated.all_properties) {
            return Ok(union);
        }
        let mut shape = ObjectShape::any();
        match evaluated {
            Some(evaluated) => {
                let owner = Owner { names: evaluated.owner.names.clone(), patterns: evaluated.owner.patterns.clone() };
                let class = KeyClass::Except(self.owner(owner));
                shape.rules.push(KeyRule { class, value });
            }
            None => shape.residues.push(self.depends(node, Keyword::UnevaluatedProperties)),
        }
        let rule = Union { objects: Alternatives::one(shape), ..Union::any() };
        self.intersect(&union, &rule)
    }

    fn unevaluated_items(
        &mut self,
        node: NodeId,
        value: &'a Value,
        evaluated: Option<&Evaluated<'a>>,
        union: Union<'a>,
    ) -> Result<Union<'a>> {
        let value = self.child(node, Step::Key("unevaluatedItems"), value)?;
        if value == ConjId::TRUE || evaluated.is_some_and(|evaluated| evaluated.all_items) {
            return Ok(union);
        }
        let mut shape = ArrayShape::any();
        match evaluated {
            Some(evaluated) => {
                shape.prefix = vec![ConjId::TRUE; evaluated.n_items];
                shape.rest = value;
            }
            None => shape.residues.push(self.depends(node, Keyword::UnevaluatedItems)),
        }
        let rule = Union { arrays: Alternatives::one(shape), ..Union::any() };
        self.intersect(&union, &rule)
    }

    fn depends(&mut self, node: NodeId, keyword: Keyword) -> ResidueId {
        self.residue(node, keyword, "what is evaluated depends on the instance, which is not followed yet")
    }

    /// Adds what `node` evaluates; false where that depends on the instance.
    fn evaluated_by(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        evaluated: &mut Evaluated<'a>,
        depth: usize,
    ) -> Result<bool> {
        self.step(node, 1)?;
        if keywords.has_any(&CONDITIONAL) || keywords.has(Keyword::Contains) || depth > 32 {
            return Ok(false);
        }
        self.evaluated_here(node, keywords, evaluated, depth)?;
        let mut inside = self.references(node, keywords)?;
        inside.extend(self.branches(node, keywords, Keyword::AllOf)?.unwrap_or_default());
        for node in inside {
            if let Value::Object(map) = self.document.value(node) {
                let keywords = self.document.keywords(node, map);
                if !self.evaluated_by(node, &keywords, evaluated, depth + 1)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn evaluated_here(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        evaluated: &mut Evaluated<'a>,
        depth: usize,
    ) -> Result<()> {
        if let Some(Value::Object(properties)) = keywords.get(Keyword::Properties) {
            evaluated.owner.names.push(properties);
        }
        if let Some(Value::Object(patterns)) = keywords.get(Keyword::PatternProperties) {
            for source in patterns.keys() {
                evaluated.owner.patterns.push(self.pattern(node, Keyword::PatternProperties, source)?);
            }
        }
        let nested = depth > 0;
        evaluated.all_properties |=
            keywords.has(Keyword::AdditionalProperties) || (nested && keywords.has(Keyword::UnevaluatedProperties));
        let (prefix, _) = self.elements(node, keywords)?;
        evaluated.n_items = evaluated.n_items.max(prefix.len());
        let rest = match keywords.get(Keyword::Items) {
            Some(Value::Array(_)) => keywords.has(Keyword::AdditionalItems),
            items => items.is_some(),
        };
        evaluated.all_items |= rest || (nested && keywords.has(Keyword::UnevaluatedItems));
        Ok(())
    }
}
