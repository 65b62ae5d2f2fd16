//! What do the keywords of objects say?

use std::rc::Rc;

use ahash::AHashSet;
use serde_json::Value;
use smallvec::SmallVec;

use super::Reducer;
use crate::automata::{ContentConstraint, ContentLanguage, StringSpec};
use crate::json_schema::document::{NodeId, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{
    Alternatives, ConjId, KeyClass, KeyRule, Named, ObjectShape, Owner, OwnerId, ResidueId, StringSet,
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
        if shape.min > 1 {
            shape.min_residue = Some(self.min_residue(node, Keyword::MinProperties));
        }
        let owner = self.rules(node, keywords, &mut shape)?;
        self.named(node, keywords, owner, &mut shape)?;
        if !self.property_names(node, keywords, &mut shape)? || shape.max.is_some_and(|max| shape.min > max) {
            return Ok(Alternatives::none());
        }
        if shape == ObjectShape::any() {
            return Ok(Alternatives::Any);
        }
        Ok(Alternatives::one(shape))
    }

    /// To be said where a least number of keys would need keys that differ from one another.
    pub(super) fn min_residue(&mut self, node: NodeId, keyword: Keyword) -> ResidueId {
        self.residue(node, keyword, "so many keys without a name cannot be kept apart yet")
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
        let many: Option<AHashSet<&str>> = (required.len() > 8).then(|| required.iter().copied().collect());
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
        let mut seen: AHashSet<&str> = AHashSet::new();
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

    /// `propertyNames`; false when no key can be.
    fn property_names(&mut self, node: NodeId, keywords: &Keywords<'a>, shape: &mut ObjectShape<'a>) -> Result<bool> {
        let Some(value) = keywords.get(Keyword::PropertyNames) else { return Ok(true) };
        let conj = self.child(node, Step::Key("propertyNames"), value)?;
        let union = self.union_of(conj)?;
        if union.strings.is_any() {
            return Ok(true);
        }
        let [alternative] = union.strings.shapes() else {
            if union.strings.is_none() {
                shape.rules.push(KeyRule { class: KeyClass::All, value: ConjId::FALSE });
                return Ok(shape.min == 0);
            }
            let residue = self.residue(node, Keyword::PropertyNames, "alternatives for keys are not enforced yet");
            shape.residues.push(residue);
            return Ok(true);
        };
        shape.residues.extend_from_slice(&alternative.residues);
        let spec = match &alternative.set {
            StringSet::Spec(spec) => spec.clone(),
            StringSet::Finite(words) => {
                let mut words: Vec<std::sync::Arc<str>> = words.iter().map(|word| word.as_ref().into()).collect();
                words.sort_unstable();
                words.dedup();
                let language = ContentLanguage::OneOf(words.into());
                StringSpec { content: vec![ContentConstraint { language, negated: false }], ..StringSpec::default() }
            }
        };
        shape.key = Some(Rc::new(spec));
        Ok(true)
    }
}
