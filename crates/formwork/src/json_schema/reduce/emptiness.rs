//! Can anything fit? Three-valued, to a bounded depth; "unknown" never narrows a result.

use std::rc::Rc;

use serde_json::Value;
use smallvec::SmallVec;

use super::Reducer;
use super::conj::AtomKind;
use crate::automata::decide::{Emptiness, number_emptiness};
use crate::error::{GrammarError, SchemaError, ViolationKind};
use crate::json_schema::document::{NodeId, NodeKind};
use crate::json_schema::fault::{Fault, Result, refusal};
use crate::json_schema::shape::{
    ArrayShape, ConjId, Contains, KeyClass, KeyRule, Named, NumberSet, NumberShape, ObjectShape, StringSet,
    StringShape, Union,
};

/// How many levels of children a question may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Depth(u8);

impl Depth {
    /// Enough to drop branches whose discriminators contradict each other.
    pub(super) const DROP: Depth = Depth(2);
    /// Enough to tell whether branches overlap.
    pub(super) const DECIDE: Depth = Depth(5);

    fn inside(self) -> Depth {
        Depth(self.0.saturating_sub(1))
    }
}

/// What was found out about a conjunction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Empty,
    NonEmpty,
    /// Nothing, looking this deep.
    Unknown(Depth),
}

impl<'a> Reducer<'a> {
    /// Whether anything fits `conj`.
    pub(super) fn conj_emptiness(&mut self, conj: ConjId, depth: Depth) -> Result<Emptiness> {
        match self.known.get(&conj) {
            Some(Known::Empty) => return Ok(Emptiness::Empty),
            Some(Known::NonEmpty) => return Ok(Emptiness::NonEmpty),
            Some(Known::Unknown(tried)) if *tried >= depth => return Ok(Emptiness::Unknown),
            _ => {}
        }
        if self.shares_scalars(conj)? {
            self.known.insert(conj, Known::NonEmpty);
            return Ok(Emptiness::NonEmpty);
        }
        let Some(union) = self.probe_union(conj)? else { return Ok(Emptiness::Unknown) };
        // While it is looked at, asking again (through its own children) yields no answer.
        self.known.insert(conj, Known::Unknown(Depth(u8::MAX)));
        let emptiness = self.union_emptiness(&union, depth);
        let known = match &emptiness {
            Ok(Emptiness::Empty) => Known::Empty,
            Ok(Emptiness::NonEmpty) => Known::NonEmpty,
            _ => Known::Unknown(depth),
        };
        self.known.insert(conj, known);
        emptiness
    }

    /// Whether some scalar or a whole type fits all atoms of a conjunction, which needs no look at how the atoms combine.
    fn shares_scalars(&mut self, conj: ConjId) -> Result<bool> {
        let alone = self.each_alone(conj);
        if alone.len() < 2 {
            return Ok(false);
        }
        let mut common = [true; 7];
        for conj in alone {
            let Some(union) = self.probe_union(conj)? else { return Ok(false) };
            let has = [
                union.null,
                union.booleans[0],
                union.booleans[1],
                union.numbers.is_any(),
                union.strings.is_any(),
                union.arrays.is_any(),
                union.objects.is_any(),
            ];
            common.iter_mut().zip(has).for_each(|(common, has)| *common &= has);
        }
        Ok(common.contains(&true))
    }

    /// The union of a child, if it can be had now; a child that is refused is refused when it is lowered.
    pub(super) fn probe_union(&mut self, conj: ConjId) -> Result<Option<Rc<Union<'a>>>> {
        self.probe += 1;
        let union = self.union_of(conj);
        self.probe -= 1;
        match union {
            Ok(union) => Ok(Some(union)),
            Err(fault) if fault.is_limit() => Err(fault),
            Err(_) => Ok(None),
        }
    }

    fn union_emptiness(&mut self, union: &Union<'a>, depth: Depth) -> Result<Emptiness> {
        let any = union.numbers.is_any() || union.strings.is_any() || union.arrays.is_any() || union.objects.is_any();
        if any || union.null || union.booleans != [false, false] {
            return Ok(Emptiness::NonEmpty);
        }
        let mut verdict = Emptiness::Empty;
        for shape in union.numbers.shapes() {
            verdict = either(verdict, self.number_shape_emptiness(shape));
        }
        for shape in union.strings.shapes() {
            if verdict != Emptiness::NonEmpty {
                verdict = either(verdict, self.string_shape_emptiness(shape)?);
            }
        }
        for shape in union.arrays.shapes() {
            if verdict != Emptiness::NonEmpty {
                verdict = either(verdict, self.array_emptiness(shape, depth)?);
            }
        }
        for shape in union.objects.shapes() {
            if verdict != Emptiness::NonEmpty {
                verdict = either(verdict, self.object_emptiness(shape, depth)?);
            }
        }
        Ok(verdict)
    }

    pub(super) fn number_shape_emptiness(&self, shape: &NumberShape<'a>) -> Emptiness {
        let emptiness = match &shape.set {
            NumberSet::Finite(_) => Emptiness::NonEmpty,
            NumberSet::Spec(spec) => number_emptiness(spec),
        };
        with_residues(emptiness, shape.residues.is_empty())
    }

    pub(super) fn string_shape_emptiness(&mut self, shape: &StringShape<'a>) -> Result<Emptiness> {
        let emptiness = match &shape.set {
            StringSet::Finite(_) => Emptiness::NonEmpty,
            StringSet::Spec(spec) => self.string_emptiness(spec)?,
        };
        Ok(with_residues(emptiness, shape.residues.is_empty()))
    }

    pub(super) fn array_emptiness(&mut self, shape: &ArrayShape, depth: Depth) -> Result<Emptiness> {
        if shape.max.is_some_and(|max| shape.min > max) {
            return Ok(Emptiness::Empty);
        }
        let decided = shape.residues.is_empty() && shape.contains.is_empty() && (!shape.unique || shape.min <= 1);
        if shape.unique && self.has_too_few_values(shape)? {
            return Ok(Emptiness::Empty);
        }
        for contains in shape.contains.iter().filter(|contains| contains.min > 0) {
            if !self.can_contain(shape, contains, depth)? {
                return Ok(Emptiness::Empty);
            }
        }
        let mut verdict = if decided { Emptiness::NonEmpty } else { Emptiness::Unknown };
        let n_looked_at = (shape.min as usize).min(shape.prefix.len() + 1);
        for index in 0..n_looked_at {
            verdict = each(verdict, self.child_emptiness(shape.element(index), depth)?);
        }
        Ok(verdict)
    }

    /// Whether a list of one kind of elements, all different, is longer than there are values for them.
    fn has_too_few_values(&mut self, shape: &ArrayShape) -> Result<bool> {
        if !shape.prefix.is_empty() || shape.min <= 1 {
            return Ok(false);
        }
        let Some(union) = self.probe_union(shape.rest)? else { return Ok(false) };
        Ok(union.n_values().is_some_and(|n_values| n_values < shape.min as usize))
    }

    /// Whether enough elements may fit, as far as can be seen.
    fn can_contain(&mut self, shape: &ArrayShape, contains: &Contains, depth: Depth) -> Result<bool> {
        let room = shape.max.map_or(u32::MAX, |max| max.saturating_sub(contains.start));
        if room < contains.min {
            return Ok(false);
        }
        let n_prefix = u32::try_from(shape.prefix.len()).unwrap_or(u32::MAX);
        let end = shape.max.map_or(n_prefix, |max| max.min(n_prefix));
        let mut n_fitting = 0;
        for index in contains.start..end {
            n_fitting += u32::from(self.may_fit(shape.element(index as usize), contains.element, depth)?);
            if n_fitting >= contains.min {
                return Ok(true);
            }
        }
        let more = shape.max.is_none_or(|max| max > n_prefix);
        Ok(more && self.may_fit(shape.rest, contains.element, depth)?)
    }

    fn may_fit(&mut self, own: ConjId, other: ConjId, depth: Depth) -> Result<bool> {
        let both = self.both(own, other);
        Ok(self.child_emptiness(both, depth)? != Emptiness::Empty)
    }

    /// Whether some key may meet an obligation, as far as can be seen.
    fn can_exist(&mut self, shape: &ObjectShape<'a>, goal: &KeyRule, depth: Depth) -> Result<bool> {
        for named in &shape.named {
            if self.class_holds(goal.class, named.key)? {
                let value = self.value_of(shape, named)?;
                if self.may_fit(value, goal.value, depth)? {
                    return Ok(true);
                }
            }
        }
        if shape.max.is_some_and(|max| max as usize <= shape.named.iter().filter(|named| named.required).count()) {
            return Ok(false);
        }
        for set in self.key_sets(shape)? {
            if set.is_in(goal.class) {
                let value = self.value_of_set(shape, &set);
                if self.may_fit(value, goal.value, depth)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether nothing fits `conj`, where that can be seen at a glance.
    pub(in crate::json_schema) fn is_plainly_empty(&mut self, conj: ConjId) -> Result<bool> {
        Ok(self.child_emptiness(conj, Depth::DROP)? == Emptiness::Empty)
    }

    /// Whether nothing fits `conj`, looking as deep as is ever done.
    pub(in crate::json_schema) fn is_surely_empty(&mut self, conj: ConjId) -> Result<bool> {
        Ok(self.child_emptiness(conj, Depth::DECIDE)? == Emptiness::Empty)
    }

    fn child_emptiness(&mut self, conj: ConjId, depth: Depth) -> Result<Emptiness> {
        match conj {
            ConjId::TRUE => Ok(Emptiness::NonEmpty),
            ConjId::FALSE => Ok(Emptiness::Empty),
            _ if depth.0 == 0 => Ok(Emptiness::Unknown),
            _ => self.conj_emptiness(conj, depth.inside()),
        }
    }

    /// Whether no object can fit `shape`, for certain.
    pub(super) fn object_is_empty(&mut self, shape: &ObjectShape<'a>, depth: Depth) -> Result<bool> {
        Ok(self.object_emptiness(shape, depth)? == Emptiness::Empty)
    }

    fn object_emptiness(&mut self, shape: &ObjectShape<'a>, depth: Depth) -> Result<Emptiness> {
        let n_required = shape.named.iter().filter(|named| named.required).count();
        if shape.max.is_some_and(|max| n_required > max as usize) {
            return Ok(Emptiness::Empty);
        }
        let decided = shape.residues.is_empty() && shape.exists.is_empty() && shape.presence.is_empty();
        let mut verdict = if decided { Emptiness::NonEmpty } else { Emptiness::Unknown };
        let mut others: SmallVec<[ConjId; 8]> = SmallVec::new();
        for named in shape.named.iter().filter(|named| named.required) {
            let value = self.value_of(shape, named)?;
            if value != ConjId::FALSE && !self.lists_values(value) {
                others.push(value);
            } else if self.child_emptiness(value, depth)? == Emptiness::Empty {
                return Ok(Emptiness::Empty);
            }
        }
        // Discriminators have been looked at; what is left may cost more.
        for value in others {
            verdict = each(verdict, self.child_emptiness(value, depth)?);
            if verdict == Emptiness::Empty {
                return Ok(verdict);
            }
        }
        if shape.min as usize > n_required {
            verdict = each(verdict, self.room_for_more(shape)?);
        }
        for goal in &shape.exists {
            if verdict != Emptiness::Empty && !self.can_exist(shape, goal, depth)? {
                verdict = Emptiness::Empty;
            }
        }
        Ok(verdict)
    }

    /// Whether `minProperties` can be met.
    fn room_for_more(&mut self, shape: &ObjectShape<'a>) -> Result<Emptiness> {
        if shape.rules.is_empty() {
            return Ok(Emptiness::NonEmpty);
        }
        let closed = shape.rules.iter().any(|rule| rule.value == ConjId::FALSE && self.is_without_patterns(rule.class));
        let mut n_possible = 0usize;
        for named in &shape.named {
            n_possible += usize::from(self.value_of(shape, named)? != ConjId::FALSE);
        }
        let hopeless = closed && n_possible < shape.min as usize;
        Ok(if hopeless { Emptiness::Empty } else { Emptiness::Unknown })
    }

    /// Whether every key without a name is of `class`.
    pub(in crate::json_schema) fn is_without_patterns(&self, class: KeyClass) -> bool {
        match class {
            KeyClass::All => true,
            KeyClass::Pattern(_) | KeyClass::Outside(_) => false,
            KeyClass::Except(owner) => self.owners[owner.0 as usize].patterns.is_empty(),
        }
    }

    /// What the value of a named key must fit, all rules included.
    pub(in crate::json_schema) fn value_of(&mut self, shape: &ObjectShape<'a>, named: &Named<'a>) -> Result<ConjId> {
        let mut value = named.value;
        for rule in &shape.rules {
            let known_owner = matches!(rule.class, KeyClass::Except(owner) if named.owner == Some(owner));
            if value != ConjId::FALSE && !known_owner && self.class_holds(rule.class, named.key)? {
                value = self.both(value, rule.value);
            }
        }
        Ok(value)
    }

    /// The error for a schema that nothing fits.
    pub(in crate::json_schema) fn unsatisfiable(&self, root: NodeId) -> Fault {
        let (node, keyword) = match self.emptied {
            Some((node, keyword)) => (node, Some(keyword.name())),
            None => (root, None),
        };
        let pointer = self.document.pointer(node);
        SchemaError::new(ViolationKind::Unsatisfiable, pointer, keyword, "no instance can be valid").into()
    }

    /// Whether a conjunction plainly lists constants, so that reducing it is cheap and leads nowhere else.
    pub(super) fn lists_values(&self, conj: ConjId) -> bool {
        self.conjs.atoms(conj).iter().any(|atom| {
            let AtomKind::Node { node } = self.conjs.kind(*atom) else { return false };
            let listing = match self.document.value(*node) {
                Value::Object(map) => map.contains_key("const") || map.contains_key("enum"),
                _ => false,
            };
            !atom.is_negated() && (listing || self.document.kind(*node) == NodeKind::Constant)
        })
    }

    /// A language could not be built.
    pub(in crate::json_schema) fn language_fault(&self, error: &GrammarError) -> Fault {
        let kind = match error {
            GrammarError::Limit(_) => ViolationKind::Limit,
            _ => ViolationKind::Unsupported,
        };
        refusal(&self.document, kind, self.document.near_root(self.place), "pattern", error.to_string())
    }
}

fn either(left: Emptiness, right: Emptiness) -> Emptiness {
    match (left, right) {
        (Emptiness::NonEmpty, _) | (_, Emptiness::NonEmpty) => Emptiness::NonEmpty,
        (Emptiness::Empty, Emptiness::Empty) => Emptiness::Empty,
        _ => Emptiness::Unknown,
    }
}

fn each(left: Emptiness, right: Emptiness) -> Emptiness {
    match (left, right) {
        (Emptiness::Empty, _) | (_, Emptiness::Empty) => Emptiness::Empty,
        (Emptiness::NonEmpty, Emptiness::NonEmpty) => Emptiness::NonEmpty,
        _ => Emptiness::Unknown,
    }
}

fn with_residues(emptiness: Emptiness, no_residues: bool) -> Emptiness {
    match emptiness {
        Emptiness::NonEmpty if !no_residues => Emptiness::Unknown,
        other => other,
    }
}
