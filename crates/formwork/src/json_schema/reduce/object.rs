//! What do the keywords of objects say?

use serde_json::Value;
use smallvec::{SmallVec, smallvec};

use super::Reducer;
use crate::hash::HashSet;
use crate::json_schema::document::{NodeId, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{
    Alternatives, ConjId, KeyClass, KeyRule, Named, ObjectShape, Owner, OwnerId, Residues,
};

const OBJECT_KEYWORDS: [Keyword; 7] = [
    Keyword::Properties,
    Keyword::PatternProperties,
    Keyword::AdditionalProperties,
    Keyword::Required,
    Keyword::MinProperties,
    Keyword::MaxProperties,
    Keyword::PropertyNames,
];

impl<'a> Reducer<'a> {
    pub(super) fn objects(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Alternatives<ObjectShape<'a>>> {
        if !keywords.has_any(&OBJECT_KEYWORDS) {
            return Ok(Alternatives::Any);
        }
        let mut shape = ObjectShape {
            min: self.count(node, keywords, Keyword::MinProperties)?.unwrap_or(0),
            max: self.max_count(node, keywords, Keyword::MaxProperties)?,
            ..ObjectShape::any()
        };
        let owner = self.rules(node, keywords, &mut shape)?;
        self.named(node, keywords, owner, &mut shape)?;
        self.property_names(node, keywords, &mut shape)?;
        if shape.max.is_some_and(|max| shape.min > max) {
            return Ok(Alternatives::none());
        }
        if shape == ObjectShape::any() {
            return Ok(Alternatives::Any);
        }
        Ok(Alternatives::one(shape))
    }

    /// `patternProperties` and `additionalProperties`.
    fn rules(&mut self, node: NodeId, keywords: &Keywords<'a>, shape: &mut ObjectShape<'a>) -> Result<Option<OwnerId>> {
        let mut owner = Owner::default();
        if let Some(patterns) = keywords.get(Keyword::PatternProperties) {
            let Value::Object(patterns) = patterns else {
                return Err(self.document.malformed(node, Keyword::PatternProperties, "an object of schemas"));
            };
            for (source, value) in patterns {
                let pattern = self.pattern(node, Keyword::PatternProperties, source)?;
                if let Some(reason) = self.patterns[pattern.0 as usize].unsupported {
                    let residue = self.residue(node, Keyword::PatternProperties, reason);
                    shape.residues.push(residue);
                }
                owner.patterns.push(pattern);
                let value = self.child(node, Step::KeyOf(Keyword::PatternProperties, source), value)?;
                if value != ConjId::TRUE {
                    shape.rules.push(KeyRule { class: KeyClass::Pattern(pattern), value });
                }
            }
        }
        let Some(additional) = keywords.get(Keyword::AdditionalProperties) else { return Ok(None) };
        let value = self.child(node, Step::Key("additionalProperties"), additional)?;
        if value == ConjId::TRUE {
            return Ok(None);
        }
        match keywords.get(Keyword::Properties) {
            Some(Value::Object(properties)) => owner.names.push(properties),
            Some(_) => return Err(self.document.malformed(node, Keyword::Properties, "an object of schemas")),
            None => {}
        }
        let owner = self.owner(owner);
        shape.rules.push(KeyRule { class: KeyClass::Except(owner), value });
        Ok(Some(owner))
    }

    /// `properties` and `required`.
    fn named(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        owner: Option<OwnerId>,
        shape: &mut ObjectShape<'a>,
    ) -> Result<()> {
        let required = self.required(node, keywords)?;
        let declared = match keywords.get(Keyword::Properties) {
            None => None,
            Some(Value::Object(properties)) => Some(properties),
            Some(_) => return Err(self.document.malformed(node, Keyword::Properties, "an object of schemas")),
        };
        // A few names are found faster by looking through them than by hashing.
        let many: Option<HashSet<&str>> = (required.len() > 8).then(|| required.iter().copied().collect());
        let is_required = |key: &str| match &many {
            Some(many) => many.contains(key),
            None => required.contains(&key),
        };
        if let Some(properties) = declared {
            self.step(node, properties.len())?;
            shape.named.reserve(properties.len());
            for (key, value) in properties {
                let value = self.child(node, Step::KeyOf(Keyword::Properties, key), value)?;
                shape.named.push(Named { key, value, required: is_required(key), owner });
            }
        }
        let mut seen: HashSet<&str> = HashSet::default();
        for key in &required {
            let known = declared.is_some_and(|properties| properties.contains_key(*key));
            // `required` may say a name twice.
            if !known && seen.insert(key) {
                shape.named.push(Named { key, value: ConjId::TRUE, required: true, owner: None });
            }
        }
        Ok(())
    }

    /// The names that `required` lists. A boolean is draft-03's spelling, which constrains nothing here.
    pub(super) fn required(&self, node: NodeId, keywords: &Keywords<'a>) -> Result<SmallVec<[&'a str; 8]>> {
        match keywords.get(Keyword::Required) {
            None | Some(Value::Bool(_)) => Ok(SmallVec::new()),
            Some(value) => self.names(node, Keyword::Required, value),
        }
    }

    /// A list of names.
    pub(super) fn names(&self, node: NodeId, keyword: Keyword, value: &'a Value) -> Result<SmallVec<[&'a str; 8]>> {
        let malformed = || self.document.malformed(node, keyword, "an array of names");
        let Value::Array(names) = value else { return Err(malformed()) };
        names.iter().map(|name| name.as_str().ok_or_else(malformed)).collect()
    }

    /// `propertyNames`: no key outside its language.
    fn property_names(&mut self, node: NodeId, keywords: &Keywords<'a>, shape: &mut ObjectShape<'a>) -> Result<()> {
        if let Some(class) = self.keys_outside(node, keywords, &mut shape.residues)? {
            shape.rules.push(KeyRule { class, value: ConjId::FALSE });
        }
        Ok(())
    }

    /// The keys that `propertyNames` refuses, if there are any.
    pub(super) fn keys_outside(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        residues: &mut Residues,
    ) -> Result<Option<KeyClass>> {
        let Some(value) = keywords.get(Keyword::PropertyNames) else { return Ok(None) };
        let conj = self.child(node, Step::Key("propertyNames"), value)?;
        let union = self.union_of(conj)?;
        if union.strings.is_any() {
            return Ok(None);
        }
        if union.strings.is_none() {
            return Ok(Some(KeyClass::All));
        }
        Ok(Some(KeyClass::Outside(self.key_language(&union.strings, residues))))
    }

    /// The keys that `properties` and `patternProperties` speak of.
    pub(super) fn owner_of(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Owner<'a>> {
        let mut owner = Owner::default();
        if let Some(Value::Object(patterns)) = keywords.get(Keyword::PatternProperties) {
            for source in patterns.keys() {
                owner.patterns.push(self.pattern(node, Keyword::PatternProperties, source)?);
            }
        }
        if let Some(Value::Object(properties)) = keywords.get(Keyword::Properties) {
            owner.names.push(properties);
        }
        Ok(owner)
    }
}

/// An obligation: some key of `class` has a value that fits `value`. Every name that the class speaks of is listed.
pub(super) fn existing<'a>(class: KeyClass, value: ConjId, owner: &Owner<'a>) -> ObjectShape<'a> {
    let mut shape = ObjectShape { exists: smallvec![KeyRule { class, value }], min: 1, ..ObjectShape::any() };
    shape.named = names_of(owner);
    shape
}

/// The names that an owner speaks of, with nothing said of their values.
pub(super) fn names_of<'a>(owner: &Owner<'a>) -> Vec<Named<'a>> {
    let mut seen = HashSet::default();
    let keys = owner.names.iter().flat_map(|names| names.keys()).filter(|key| seen.insert(key.as_str()));
    keys.map(|key| Named { key, value: ConjId::TRUE, required: false, owner: None }).collect()
}
