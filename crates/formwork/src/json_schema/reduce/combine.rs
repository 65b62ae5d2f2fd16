//! What do the keywords say that apply schemas in place: `$ref`, `allOf`, `anyOf`, `oneOf`, `not`, `if`, `dependent*`?

use std::rc::Rc;

use serde_json::Value;
use smallvec::smallvec;

use super::Reducer;
use super::exclude::Rival;
use super::presence::{clause, only_presence};
use crate::json_schema::document::{NodeId, NodeKind, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{Alternatives, ConjId, Named, ObjectShape, Union};

/// What is looked at here.
const IN_PLACE: [Keyword; 13] = [
    Keyword::Ref,
    Keyword::DynamicRef,
    Keyword::RecursiveRef,
    Keyword::AllOf,
    Keyword::AnyOf,
    Keyword::OneOf,
    Keyword::Not,
    Keyword::If,
    Keyword::Dependencies,
    Keyword::DependentRequired,
    Keyword::DependentSchemas,
    Keyword::UnevaluatedProperties,
    Keyword::UnevaluatedItems,
];

impl<'a> Reducer<'a> {
    /// Narrows `union` by the keywords that apply schemas in place.
    pub(super) fn reduce_in_place(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        union: Union<'a>,
    ) -> Result<Union<'a>> {
        if !keywords.has_any(&IN_PLACE) {
            return Ok(union);
        }
        let mut union = union;
        for target in self.conjuncts(node, keywords)? {
            let conjunct = self.union_of(target)?;
            union = if union.is_any() { (*conjunct).clone() } else { self.intersect(&union, &conjunct)? };
            let keyword = if keywords.has(Keyword::AllOf) { Keyword::AllOf } else { Keyword::Ref };
            self.note_empty(node, keyword, &union);
        }
        if let Some(branches) = self.branches(node, keywords, Keyword::AnyOf)? {
            union = self.any_of(union, &branches)?;
            self.note_empty(node, Keyword::AnyOf, &union);
        }
        union = self.dependencies(node, keywords, union)?;
        if let Some(value) = keywords.get(Keyword::Not) {
            let complement = self.child_complement(node, Step::Key("not"), value)?;
            let complement = self.union_of(complement)?;
            union = self.intersect(&union, &complement)?;
            self.note_empty(node, Keyword::Not, &union);
        }
        union = self.if_then_else(node, keywords, union)?;
        if let Some(branches) = self.branches(node, keywords, Keyword::OneOf)? {
            union = self.one_of(node, union, &branches)?;
            self.note_empty(node, Keyword::OneOf, &union);
        }
        self.unevaluated(node, keywords, union)
    }

    /// What `$ref` and its kin, and `allOf`, add.
    #[inline(never)]
    pub(super) fn conjuncts(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Vec<ConjId>> {
        let mut conjuncts = Vec::new();
        for target in self.references(node, keywords)? {
            conjuncts.push(self.conj_of(target)?);
        }
        if let Some(branches) = self.branches(node, keywords, Keyword::AllOf)? {
            for branch in branches {
                conjuncts.push(self.conj_of(branch)?);
            }
        }
        Ok(conjuncts)
    }

    /// The schemas that `$ref`, `$dynamicRef` and `$recursiveRef` mean.
    pub(super) fn references(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Vec<NodeId>> {
        let mut targets = Vec::new();
        for keyword in [Keyword::Ref, Keyword::DynamicRef, Keyword::RecursiveRef] {
            let Some(value) = keywords.get(keyword) else { continue };
            let Value::String(reference) = value else {
                return Err(self.document.malformed(node, keyword, "a URI reference"));
            };
            targets.push(self.document.resolve(node, keyword, reference)?);
        }
        Ok(targets)
    }

    /// The branches that `keyword` lists.
    pub(super) fn branches(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        keyword: Keyword,
    ) -> Result<Option<Vec<NodeId>>> {
        let Some(value) = keywords.get(keyword) else { return Ok(None) };
        let Value::Array(schemas) = value else {
            return Err(self.document.malformed(node, keyword, "an array of schemas"));
        };
        self.step(node, schemas.len())?;
        let mut branches = Vec::with_capacity(schemas.len());
        for (index, schema) in schemas.iter().enumerate() {
            branches.push(self.document.child(node, Step::IndexOf(keyword, index), schema, NodeKind::Schema)?);
        }
        Ok(Some(branches))
    }

    #[inline(never)]
    fn any_of(&mut self, context: Union<'a>, branches: &[NodeId]) -> Result<Union<'a>> {
        let unions = self.branch_unions(branches)?;
        if let Some(choice) = self.choice_of_keys(&unions, false)? {
            return self.intersect(&context, &choice);
        }
        let narrowed = self.within(&context, unions)?;
        self.union_all(&narrowed)
    }

    #[inline(never)]
    fn branch_unions(&mut self, branches: &[NodeId]) -> Result<Vec<Rc<Union<'a>>>> {
        let mut unions = Vec::with_capacity(branches.len());
        for branch in branches {
            let branch = self.conj_of(*branch)?;
            unions.push(self.union_of(branch)?);
        }
        Ok(unions)
    }

    /// Each union as far as it is in `context`.
    fn within(&mut self, context: &Union<'a>, unions: Vec<Rc<Union<'a>>>) -> Result<Vec<Rc<Union<'a>>>> {
        if context.is_any() {
            return Ok(unions);
        }
        unions.iter().map(|union| self.intersect(context, union).map(Rc::new)).collect()
    }

    /// The union of branches that only say which keys are there.
    fn choice_of_keys(&mut self, branches: &[Rc<Union<'a>>], exactly: bool) -> Result<Option<Union<'a>>> {
        let branches: Vec<&Union<'a>> = branches.iter().map(|union| &**union).collect();
        self.presence_choice(&branches, exactly)
    }

    /// `oneOf`: each branch without those that it overlaps.
    #[inline(never)]
    fn one_of(&mut self, node: NodeId, context: Union<'a>, branches: &[NodeId]) -> Result<Union<'a>> {
        let whole = self.branch_unions(branches)?;
        if let Some(choice) = self.choice_of_keys(&whole, true)? {
            return self.intersect(&context, &choice);
        }
        let unions = self.within(&context, whole)?;
        let marks: Vec<_> = unions.iter().map(|union| self.marks(union)).collect::<Result<_>>()?;
        let mut exclusive = Vec::with_capacity(unions.len());
        for (index, union) in unions.iter().enumerate() {
            let mut rivals = Vec::new();
            for (other, rival) in unions.iter().enumerate() {
                self.step(node, 1)?;
                // Asked of the branch as it was: what was taken out of it makes the question harder, not easier.
                if other == index || marks[index].exclude(&marks[other]) || self.are_disjoint(union, rival)? {
                    continue;
                }
                let complement = self.complement_of(branches[other])?;
                rivals.push(Rival { inside: Rc::clone(rival), outside: self.union_of(complement)? });
            }
            exclusive.push(Rc::new(self.exclude_all(node, union, &rivals)?));
        }
        self.union_all(&exclusive)
    }

    #[inline(never)]
    fn if_then_else(&mut self, node: NodeId, keywords: &Keywords<'a>, union: Union<'a>) -> Result<Union<'a>> {
        let Some(condition) = keywords.get(Keyword::If) else { return Ok(union) };
        let (then, otherwise) = (keywords.get(Keyword::Then), keywords.get(Keyword::Else));
        if then.is_none() && otherwise.is_none() {
            return Ok(union);
        }
        let holds = self.child(node, Step::Key("if"), condition)?;
        let fails = self.child_complement(node, Step::Key("if"), condition)?;
        let mut cases = Vec::with_capacity(2);
        for (case, step, consequence) in [(holds, "then", then), (fails, "else", otherwise)] {
            let case = self.union_of(case)?;
            let mut case = self.intersect(&union, &case)?;
            if let Some(consequence) = consequence
                && !case.is_none()
            {
                let consequence = self.child(node, Step::Key(step), consequence)?;
                let consequence = self.union_of(consequence)?;
                case = self.intersect(&case, &consequence)?;
            }
            cases.push(Rc::new(case));
        }
        self.union_all(&cases)
    }

    /// `dependencies`, `dependentRequired` and `dependentSchemas`: the key is not there, or what it asks for holds.
    #[inline(never)]
    fn dependencies(&mut self, node: NodeId, keywords: &Keywords<'a>, union: Union<'a>) -> Result<Union<'a>> {
        let mut union = union;
        let mut presence = Vec::new();
        for (keyword, key, value) in self.dependent(node, keywords)? {
            let consequence = self.consequence(node, keyword, key, value)?;
            if consequence.is_any() || union.objects.is_none() {
                continue;
            }
            if let Some(literals) = only_presence(&consequence) {
                let implied = literals.into_iter().filter_map(|literal| clause([(key, false), literal].into_iter()));
                presence.extend(implied);
                continue;
            }
            let [first, second] = self.cases_of_key(key, &consequence)?;
            let objects = self.union_all(&[Rc::new(first), Rc::new(second)])?.objects;
            union = self.intersect(&union, &Union { objects, ..Union::any() })?;
        }
        if presence.is_empty() {
            return Ok(union);
        }
        let objects = Alternatives::one(ObjectShape { presence, ..ObjectShape::any() });
        self.intersect(&union, &Union { objects, ..Union::any() })
    }

    /// The objects that have `key` and fit `consequence`, and those that do not have it.
    ///
    /// Where the consequence speaks of one other key, as of a discriminator, the cases are told apart by that one: then the
    /// cases of several dependencies meet in as many as that key has values, and not in all combinations.
    fn cases_of_key(&mut self, key: &'a str, consequence: &Union<'a>) -> Result<[Union<'a>; 2]> {
        let absent = forbidding(key);
        if let [shape] = consequence.objects.shapes()
            && let Some(opposite) = self.opposite(shape)
            && shape.named[0].key != key
        {
            let otherwise = self.intersect_object(&opposite, &absent)?;
            let otherwise = otherwise.map_or(Union::none(), only_objects);
            return Ok([only_objects((**shape).clone()), otherwise]);
        }
        let present = only_objects(requiring(&[key]));
        Ok([self.intersect(&present, consequence)?, only_objects(absent)])
    }

    /// All keys with consequences.
    pub(super) fn dependent(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
    ) -> Result<Vec<(Keyword, &'a str, &'a Value)>> {
        let mut dependent = Vec::new();
        for keyword in [Keyword::Dependencies, Keyword::DependentRequired, Keyword::DependentSchemas] {
            let Some(value) = keywords.get(keyword) else { continue };
            let Value::Object(entries) = value else {
                return Err(self.document.malformed(node, keyword, "an object"));
            };
            dependent.extend(entries.iter().map(|(key, value)| (keyword, key.as_str(), value)));
        }
        Ok(dependent)
    }

    /// What must hold when `key` is there.
    fn consequence(&mut self, node: NodeId, keyword: Keyword, key: &'a str, value: &'a Value) -> Result<Rc<Union<'a>>> {
        let names = match value {
            Value::Array(_) if keyword != Keyword::DependentSchemas => self.names(node, keyword, value)?,
            // Draft-03 and draft-04 writers leave out the brackets.
            Value::String(name) if keyword == Keyword::Dependencies => smallvec![name.as_str()],
            _ => {
                let schema = self.child(node, Step::KeyOf(keyword, key), value)?;
                return self.union_of(schema);
            }
        };
        let mut union = Union::any();
        if !names.is_empty() {
            union.objects = Alternatives::one(requiring(&names));
        }
        Ok(Rc::new(union))
    }
}

/// Objects that have all these keys.
pub(super) fn requiring<'a>(keys: &[&'a str]) -> ObjectShape<'a> {
    let mut named: Vec<Named<'a>> = Vec::with_capacity(keys.len());
    for key in keys {
        if !named.iter().any(|other| other.key == *key) {
            named.push(Named { key, value: ConjId::TRUE, required: true, owner: None });
        }
    }
    ObjectShape { named, ..ObjectShape::any() }
}

/// Objects that do not have this key.
pub(super) fn forbidding(key: &str) -> ObjectShape<'_> {
    let named = vec![Named { key, value: ConjId::FALSE, required: false, owner: None }];
    ObjectShape { named, ..ObjectShape::any() }
}

pub(super) fn only_objects(shape: ObjectShape<'_>) -> Union<'_> {
    Union { objects: Alternatives::one(shape), ..Union::none() }
}
