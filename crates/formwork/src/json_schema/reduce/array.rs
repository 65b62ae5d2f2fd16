//! What do the keywords of arrays say?

use serde_json::Value;

use super::Reducer;
use super::intersect::least;
use crate::json_schema::document::{NodeId, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{Alternatives, ArrayShape, ConjId, Contains};

const ARRAY_KEYWORDS: [Keyword; 6] = [
    Keyword::Items,
    Keyword::PrefixItems,
    Keyword::MinItems,
    Keyword::MaxItems,
    Keyword::UniqueItems,
    Keyword::Contains,
];

impl<'a> Reducer<'a> {
    pub(super) fn arrays(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Alternatives<ArrayShape>> {
        if !keywords.has_any(&ARRAY_KEYWORDS) {
            return Ok(Alternatives::Any);
        }
        let (prefix, rest) = self.elements(node, keywords)?;
        let mut shape = ArrayShape {
            prefix,
            rest,
            min: self.count(node, keywords, Keyword::MinItems)?.unwrap_or(0),
            max: self.max_count(node, keywords, Keyword::MaxItems)?,
            ..ArrayShape::any()
        };
        if self.asks_unique(node, keywords)? {
            let residue = self.residue(node, Keyword::UniqueItems, "unique elements are not enforced yet");
            shape.unique.push(residue);
        }
        self.contained(node, keywords, &mut shape)?;
        if shape.rest == ConjId::FALSE {
            let n_prefix = u32::try_from(shape.prefix.len()).unwrap_or(u32::MAX);
            shape.max = least(shape.max, Some(n_prefix));
        }
        if shape.max.is_some_and(|max| shape.min > max) {
            return Ok(Alternatives::none());
        }
        if shape == ArrayShape::any() {
            return Ok(Alternatives::Any);
        }
        Ok(Alternatives::one(shape))
    }

    /// What the first elements must fit, and what the others must.
    pub(super) fn elements(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<(Vec<ConjId>, ConjId)> {
        let items = keywords.get(Keyword::Items);
        let (keyword, listed, after) = match (keywords.get(Keyword::PrefixItems), items) {
            (Some(prefix), rest) => (Keyword::PrefixItems, Some(prefix), rest.map(|rest| ("items", rest))),
            (None, Some(Value::Array(_))) => {
                let additional = keywords.get(Keyword::AdditionalItems);
                let additional = additional.filter(|_| self.document.dialect(node).has_additional_items());
                (Keyword::Items, items, additional.map(|rest| ("additionalItems", rest)))
            }
            (None, rest) => (Keyword::Items, None, rest.map(|rest| ("items", rest))),
        };
        let mut prefix = Vec::new();
        if let Some(listed) = listed {
            let Value::Array(elements) = listed else {
                return Err(self.document.malformed(node, keyword, "an array of schemas"));
            };
            for (index, element) in elements.iter().enumerate() {
                prefix.push(self.child(node, Step::IndexOf(keyword, index), element)?);
            }
        }
        let rest = match after {
            Some((keyword, rest)) => self.child(node, Step::Key(keyword), rest)?,
            None => ConjId::TRUE,
        };
        Ok((prefix, rest))
    }

    pub(super) fn asks_unique(&self, node: NodeId, keywords: &Keywords<'a>) -> Result<bool> {
        match keywords.get(Keyword::UniqueItems) {
            None => Ok(false),
            Some(Value::Bool(unique)) => Ok(*unique),
            Some(_) => Err(self.document.malformed(node, Keyword::UniqueItems, "a boolean")),
        }
    }

    fn contained(&mut self, node: NodeId, keywords: &Keywords<'a>, shape: &mut ArrayShape) -> Result<()> {
        let Some(value) = keywords.get(Keyword::Contains) else { return Ok(()) };
        let min = self.count(node, keywords, Keyword::MinContains)?.unwrap_or(1);
        let element = self.child(node, Step::Key("contains"), value)?;
        if let Some(max) = self.max_count(node, keywords, Keyword::MaxContains)? {
            if max < min {
                (shape.min, shape.max) = (1, Some(0));
            } else if max == 0 {
                // No element at all may fit.
                let complement = self.child_complement(node, Step::Key("contains"), value)?;
                for prefix in &mut shape.prefix {
                    *prefix = self.both(*prefix, complement);
                }
                shape.rest = self.both(shape.rest, complement);
            } else {
                let residue = self.residue(
                    node,
                    Keyword::MaxContains,
                    "a greatest number of matching elements is not enforced yet",
                );
                shape.residues.push(residue);
            }
        }
        shape.min = shape.min.max(min);
        if min > 0 && element != ConjId::TRUE {
            let residue = self.residue(node, Keyword::Contains, "matching elements cannot be enforced here yet");
            shape.contains.push(Contains { element, min, residue });
        }
        Ok(())
    }
}
