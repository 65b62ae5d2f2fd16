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
            unique: self.asks_unique(node, keywords)?,
            ..ArrayShape::any()
        };
        self.contained(node, keywords, &mut shape)?;
        let Some(shape) = self.simplified(shape)? else { return Ok(Alternatives::none()) };
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
        let max = self.max_count(node, keywords, Keyword::MaxContains)?;
        if min > 0 || max.is_some() {
            let element = self.child(node, Step::Key("contains"), value)?;
            add_contains(&mut shape.contains, Contains { start: 0, element, min, max });
        }
        Ok(())
    }
}

impl Reducer<'_> {
    /// `shape` with its counts taken into its bounds as far as they can be; `None` where no array fits.
    pub(super) fn simplified(&mut self, shape: ArrayShape) -> Result<Option<ArrayShape>> {
        let mut shape = shape;
        self.spend(shape.prefix.len() * (1 + shape.contains.len()))?;
        for contains in std::mem::take(&mut shape.contains) {
            let Contains { start, element, min, max } = contains;
            if max.is_some_and(|max| min > max) {
                return Ok(None);
            }
            shape.min = shape.min.max(if min > 0 { start.saturating_add(min) } else { 0 });
            if max == Some(0) {
                let complement = self.complement(element);
                self.narrow_from(&mut shape, start, complement);
            } else {
                match self.counted(&shape, &contains) {
                    Some(true) => shape.max = least(shape.max, max.map(|max| start.saturating_add(max))),
                    Some(false) if min > 0 => return Ok(None),
                    Some(false) => {}
                    None => shape.contains.push(contains),
                }
            }
        }
        if shape.unique && shape.repeats {
            return Ok(None);
        }
        // An element that cannot be ends the list before it.
        let n_prefix = shape.prefix.len();
        let end = (0..n_prefix).find(|index| shape.prefix[*index] == ConjId::FALSE);
        let end = end.or((shape.rest == ConjId::FALSE).then_some(n_prefix));
        shape.max = least(shape.max, end.map(|end| u32::try_from(end).unwrap_or(u32::MAX)));
        Ok(shape.max.is_none_or(|max| shape.min <= max).then_some(shape))
    }

    /// Lets every element from `start` on fit `element` as well.
    fn narrow_from(&mut self, shape: &mut ArrayShape, start: u32, element: ConjId) {
        while shape.prefix.len() < start as usize {
            shape.prefix.push(shape.rest);
        }
        for own in &mut shape.prefix[start as usize..] {
            *own = self.both(*own, element);
        }
        shape.rest = self.both(shape.rest, element);
    }

    /// Whether all elements that could count do, or none does; `None` where that is not plain.
    fn counted(&mut self, shape: &ArrayShape, contains: &Contains) -> Option<bool> {
        let elements = shape.prefix.iter().skip(contains.start as usize).chain([&shape.rest]);
        let (mut all, mut none) = (true, true);
        for own in elements {
            let both = self.both(*own, contains.element);
            all &= both == *own;
            none &= both == ConjId::FALSE;
        }
        match (all, none) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// Adds a count, to one of the same elements if there is one.
pub(super) fn add_contains(all: &mut Vec<Contains>, new: Contains) {
    match all.iter_mut().find(|known| (known.start, known.element) == (new.start, new.element)) {
        Some(known) => (known.min, known.max) = (known.min.max(new.min), least(known.max, new.max)),
        None => all.push(new),
    }
}
