//! What do `unevaluatedProperties` and `unevaluatedItems` say?
//!
//! What is evaluated depends on which branches hold, so an instance fits when for some set of branches that hold, whatever
//! they leave unevaluated fits. Evaluating more never hurts: branches that do not hold need not be ruled out. The
//! complement needs the very set that holds, and there they are ruled out.
//!
//! Sets of branches multiply, but branches of `oneOf` never hold together, and those that a discriminator tells apart need
//! not be met together: what is required is part of what must hold for a case, and cases that nothing fits are dropped.

use serde_json::Value;
use smallvec::SmallVec;

use super::Reducer;
use super::object::{existing, names_of};
use crate::json_schema::document::{NodeId, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{
    Alternatives, ArrayShape, ConjId, Contains, KeyClass, KeyRule, ObjectShape, Owner, Union,
};

/// Most sets of branches that are told apart.
const MAX_CASES: usize = 128;

/// From so many on it is asked whether anything fits a case.
const FEW_CASES: usize = 4;

/// Most required keys that a case asks for.
const MAX_REQUIRED: usize = 16;

/// Most schemas applied in place inside one another.
const MAX_DEPTH: usize = 64;

/// What schemas applied to one instance evaluate, where some of them hold.
#[derive(Clone, Debug)]
struct Case<'a> {
    /// What must hold for it.
    condition: ConjId,
    owner: Owner<'a>,
    all_properties: bool,
    n_items: usize,
    /// Elements that fit any of these are evaluated wherever they stand.
    items: SmallVec<[ConjId; 2]>,
    all_items: bool,
}

impl<'a> Case<'a> {
    fn new(condition: ConjId) -> Case<'a> {
        Case {
            condition,
            owner: Owner::default(),
            all_properties: false,
            n_items: 0,
            items: SmallVec::new(),
            all_items: false,
        }
    }

    fn add(&mut self, other: &Case<'a>) {
        for names in &other.owner.names {
            if !self.owner.names.iter().any(|known| std::ptr::eq(*known, *names)) {
                self.owner.names.push(names);
            }
        }
        self.owner.patterns.extend_from_slice(&other.owner.patterns);
        self.owner.patterns.sort_unstable();
        self.owner.patterns.dedup();
        self.all_properties |= other.all_properties;
        self.n_items = self.n_items.max(other.n_items);
        self.items.extend(other.items.iter().copied());
        self.items.sort_unstable();
        self.items.dedup();
        self.all_items |= other.all_items;
    }

    /// Whether `other` evaluates nothing that this one does not.
    fn covers(&self, other: &Case<'a>) -> bool {
        let names = |names: &&serde_json::Map<String, Value>| {
            self.owner.names.iter().any(|known| std::ptr::eq(*known, *names))
                || names.keys().all(|key| self.owner.names.iter().any(|known| known.contains_key(key)))
        };
        (self.all_properties
            || (!other.all_properties
                && other.owner.names.iter().all(names)
                && other.owner.patterns.iter().all(|pattern| self.owner.patterns.contains(pattern))))
            && (self.all_items
                || (!other.all_items
                    && other.n_items <= self.n_items
                    && other.items.iter().all(|item| self.items.contains(item))))
    }
}

type Cases<'a> = Vec<Case<'a>>;

/// Which branches are looked for, and where.
#[derive(Clone, Copy)]
struct Search {
    /// Whether branches that do not hold are ruled out.
    exact: bool,
    /// Whether objects alone are asked about.
    objects: bool,
    depth: usize,
}

impl<'a> Reducer<'a> {
    /// Narrows `union` to the instances whose unevaluated members fit.
    #[inline(never)]
    pub(super) fn unevaluated(&mut self, node: NodeId, keywords: &Keywords<'a>, union: Union<'a>) -> Result<Union<'a>> {
        let (properties, items) = self.unevaluated_values(node, keywords)?;
        if properties == ConjId::TRUE && items == ConjId::TRUE {
            return Ok(union);
        }
        let objects = items == ConjId::TRUE || union.arrays.is_none();
        let cases = self.cases_of(node, keywords, Search { exact: false, objects, depth: 0 })?;
        let mut unions = Vec::with_capacity(cases.len() + 1);
        let mut union = union;
        if objects {
            // All else stays as it is.
            let objects = std::mem::replace(&mut union.objects, Alternatives::none());
            let others = std::mem::replace(&mut union, Union { objects, ..Union::none() });
            unions.push(std::rc::Rc::new(others));
        }
        for case in &cases {
            let mut rule = Union::any();
            if !case.all_properties && properties != ConjId::TRUE && !union.objects.is_none() {
                let class = KeyClass::Except(self.owner(case.owner.clone()));
                let mut shape = ObjectShape { named: names_of(&case.owner), ..ObjectShape::any() };
                shape.rules.push(KeyRule { class, value: properties });
                rule.objects = Alternatives::one(shape);
            }
            if !case.all_items && items != ConjId::TRUE && !union.arrays.is_none() {
                let rest = self.any_conj(case.items.iter().copied().chain([items]));
                rule.arrays = Alternatives::one(ArrayShape {
                    prefix: vec![ConjId::TRUE; case.n_items],
                    rest,
                    max: (rest == ConjId::FALSE).then_some(u32::try_from(case.n_items).unwrap_or(u32::MAX)),
                    ..ArrayShape::any()
                });
            }
            let mut narrowed = self.intersect(&union, &rule)?;
            if case.condition != ConjId::TRUE {
                let condition = self.union_of(case.condition)?;
                narrowed = self.intersect(&narrowed, &condition)?;
            }
            unions.push(std::rc::Rc::new(narrowed));
        }
        self.union_all(&unions)
    }

    /// The instances of which some unevaluated member does not fit.
    pub(super) fn negate_unevaluated(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Vec<Union<'a>>> {
        let (properties, items) = self.unevaluated_values(node, keywords)?;
        let (properties, items) = (self.complement(properties), self.complement(items));
        let mut unions = Vec::new();
        if properties == ConjId::FALSE && items == ConjId::FALSE {
            return Ok(unions);
        }
        for case in self.cases_of(node, keywords, Search { exact: true, objects: false, depth: 0 })? {
            let mut violation = Union::none();
            if !case.all_properties && properties != ConjId::FALSE {
                let class = KeyClass::Except(self.owner(case.owner.clone()));
                violation.objects = Alternatives::one(existing(class, properties, &case.owner));
            }
            if !case.all_items && items != ConjId::FALSE {
                let mut element = items;
                for item in &case.items {
                    let complement = self.complement(*item);
                    element = self.both(element, complement);
                }
                let start = u32::try_from(case.n_items).unwrap_or(u32::MAX);
                let contains = vec![Contains { start, element, min: 1, max: None }];
                if let Some(shape) = self.simplified(ArrayShape { contains, ..ArrayShape::any() })? {
                    violation.arrays = Alternatives::one(shape);
                }
            }
            let condition = self.union_of(case.condition)?;
            unions.push(self.intersect(&condition, &violation)?);
        }
        Ok(unions)
    }

    /// What unevaluated properties and items must fit.
    fn unevaluated_values(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<(ConjId, ConjId)> {
        let mut value = |keyword: Keyword| match keywords.get(keyword) {
            Some(value) => self.child(node, Step::Key(keyword.name()), value),
            None => Ok(ConjId::TRUE),
        };
        Ok((value(Keyword::UnevaluatedProperties)?, value(Keyword::UnevaluatedItems)?))
    }

    /// The cases of a schema inside the one whose keyword asks.
    fn cases_inside(&mut self, inside: NodeId, search: Search) -> Result<Cases<'a>> {
        let search = Search { depth: search.depth + 1, ..search };
        if search.depth > MAX_DEPTH {
            return Err(self.too_many_cases(inside));
        }
        match self.document.value(inside) {
            Value::Object(map) => {
                let keywords = self.keywords(inside, map)?;
                self.cases_of(inside, &keywords, search)
            }
            _ => Ok(vec![Case::new(ConjId::TRUE)]),
        }
    }

    fn cases_of(&mut self, node: NodeId, keywords: &Keywords<'a>, search: Search) -> Result<Cases<'a>> {
        self.step(node, 1)?;
        let mut here = self.evaluated_here(node, keywords, search.depth)?;
        if search.objects {
            here.condition = self.what_is_required(node, keywords)?;
        }
        let mut cases = vec![here];
        let mut inside = self.references(node, keywords)?;
        inside.extend(self.branches(node, keywords, Keyword::AllOf)?.unwrap_or_default());
        for branch in inside {
            let branch = self.cases_inside(branch, search)?;
            cases = self.product_of_cases(node, &cases, &branch, search)?;
        }
        let mut optional = self.branches(node, keywords, Keyword::AnyOf)?.unwrap_or_default();
        let branches = self.branches(node, keywords, Keyword::OneOf)?.unwrap_or_default();
        match search.exact || branches.is_empty() {
            true => optional.extend(branches),
            false => {
                let mut one = Vec::with_capacity(branches.len());
                for branch in branches {
                    one.append(&mut self.cases_that_hold(branch, search)?);
                }
                cases = self.product_of_cases(node, &cases, &one, search)?;
            }
        }
        for branch in optional {
            let optional = self.optional_cases(branch, search)?;
            cases = self.product_of_cases(node, &cases, &optional, search)?;
        }
        if let Some(condition) = keywords.get(Keyword::If) {
            let branches = self.conditional_cases(node, keywords, condition, search)?;
            cases = self.product_of_cases(node, &cases, &branches, search)?;
        }
        for (keyword, key, value) in self.dependent(node, keywords)? {
            if let Value::Object(_) = value {
                let step = Step::KeyOf(keyword, key);
                let branch = self.document.child(node, step, value, crate::json_schema::document::NodeKind::Schema)?;
                let optional = self.dependent_cases(key, branch, search)?;
                cases = self.product_of_cases(node, &cases, &optional, search)?;
            }
        }
        Ok(cases)
    }

    /// That what `required` names is there.
    fn what_is_required(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<ConjId> {
        let mut condition = ConjId::TRUE;
        for key in self.required(node, keywords)?.into_iter().take(MAX_REQUIRED) {
            let there = self.presence_conj(key);
            condition = self.both(condition, there);
        }
        Ok(condition)
    }

    /// What a branch evaluates that holds.
    fn cases_that_hold(&mut self, branch: NodeId, search: Search) -> Result<Cases<'a>> {
        let holds = self.conj_of(branch)?;
        let mut cases = self.cases_inside(branch, search)?;
        for case in &mut cases {
            case.condition = self.both(case.condition, holds);
        }
        Ok(cases)
    }

    /// What a branch evaluates that holds or not.
    fn optional_cases(&mut self, branch: NodeId, search: Search) -> Result<Cases<'a>> {
        let mut cases = self.cases_that_hold(branch, search)?;
        let otherwise = if search.exact { self.complement_of(branch)? } else { ConjId::TRUE };
        cases.push(Case::new(otherwise));
        Ok(cases)
    }

    fn conditional_cases(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        condition: &'a Value,
        search: Search,
    ) -> Result<Cases<'a>> {
        let kind = crate::json_schema::document::NodeKind::Schema;
        let condition = self.document.child(node, Step::Key("if"), condition, kind)?;
        let holds = self.conj_of(condition)?;
        let mut cases = self.cases_inside(condition, search)?;
        if let Some(then) = keywords.get(Keyword::Then) {
            let then = self.document.child(node, Step::Key("then"), then, kind)?;
            let then = self.cases_inside(then, search)?;
            cases = self.product_of_cases(node, &cases, &then, search)?;
        }
        let fails = self.complement_of(condition)?;
        let mut others = match keywords.get(Keyword::Else) {
            Some(otherwise) => {
                let otherwise = self.document.child(node, Step::Key("else"), otherwise, kind)?;
                self.cases_inside(otherwise, search)?
            }
            None => vec![Case::new(ConjId::TRUE)],
        };
        // What is evaluated whichever way it goes is so without a condition.
        let [holds_anyway, fails_anyway] = match (&*cases, &*others) {
            ([case], [other]) if !search.exact => [other.covers(case), case.covers(other)],
            _ => [false, false],
        };
        for (cases, condition, anyway) in [(&mut cases, holds, holds_anyway), (&mut others, fails, fails_anyway)] {
            for case in cases.iter_mut().filter(|_| !anyway) {
                case.condition = self.both(case.condition, condition);
            }
        }
        cases.extend(others);
        Ok(cases)
    }

    /// What a schema evaluates that applies where `key` is there. That it holds then is said elsewhere.
    fn dependent_cases(&mut self, key: &'a str, branch: NodeId, search: Search) -> Result<Cases<'a>> {
        let there = self.presence_conj(key);
        let mut cases = self.cases_inside(branch, search)?;
        for case in &mut cases {
            case.condition = self.both(case.condition, there);
        }
        let otherwise = if search.exact { self.complement(there) } else { ConjId::TRUE };
        cases.push(Case::new(otherwise));
        Ok(cases)
    }

    /// Each case of one with each of the other; without those that cannot be, and those that another one covers.
    fn product_of_cases(
        &mut self,
        node: NodeId,
        left: &[Case<'a>],
        right: &[Case<'a>],
        Search { exact, objects, .. }: Search,
    ) -> Result<Cases<'a>> {
        self.step(node, left.len() * right.len())?;
        let mut product: Cases<'a> = Vec::with_capacity(left.len() * right.len());
        for first in left {
            for second in right {
                let mut both = first.clone();
                both.add(second);
                both.condition = self.both(first.condition, second.condition);
                if both.condition == ConjId::FALSE {
                    continue;
                }
                // Where more is evaluated under no stronger condition, less need not be looked at.
                let condition = both.condition;
                let covered = |reducer: &mut Self, by: &Case<'a>, case: &Case<'a>| {
                    by.covers(case) && reducer.both(by.condition, case.condition) == case.condition
                };
                if !exact && product.iter().any(|known| covered(self, known, &both)) {
                    continue;
                }
                let is_new = condition != first.condition && condition != second.condition;
                if objects && is_new && product.len() >= FEW_CASES && self.is_plainly_empty(condition)? {
                    continue;
                }
                if !exact {
                    product.retain(|known| !covered(self, &both, known));
                }
                let same =
                    |known: &&mut Case<'a>| known.condition == condition && known.covers(&both) && both.covers(known);
                if product.iter_mut().find(same).is_none() {
                    product.push(both);
                }
                if product.len() > MAX_CASES {
                    return Err(self.too_many_cases(node));
                }
            }
        }
        Ok(product)
    }

    fn too_many_cases(&mut self, node: NodeId) -> crate::json_schema::fault::Fault {
        let reason = "what is evaluated depends on too many branches";
        let residue = self.residue(node, Keyword::UnevaluatedProperties, reason);
        self.refused(residue)
    }

    /// What the keywords of `node` evaluate by themselves.
    fn evaluated_here(&mut self, node: NodeId, keywords: &Keywords<'a>, depth: usize) -> Result<Case<'a>> {
        let mut case = Case::new(ConjId::TRUE);
        case.owner = self.owner_of(node, keywords)?;
        let nested = depth > 0;
        case.all_properties =
            keywords.has(Keyword::AdditionalProperties) || (nested && keywords.has(Keyword::UnevaluatedProperties));
        let (prefix, _) = self.elements(node, keywords)?;
        case.n_items = prefix.len();
        let rest = match keywords.get(Keyword::Items) {
            Some(Value::Array(_)) => keywords.has(Keyword::AdditionalItems),
            items => items.is_some(),
        };
        case.all_items = rest || (nested && keywords.has(Keyword::UnevaluatedItems));
        if let Some(value) = keywords.get(Keyword::Contains)
            && self.document.dialect(node).contains_evaluates()
        {
            case.items.push(self.child(node, Step::Key("contains"), value)?);
        }
        Ok(case)
    }
}
