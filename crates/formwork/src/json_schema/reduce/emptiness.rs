//! Can anything fit? Three-valued, to a bounded depth; "unknown" never narrows a result.

use std::rc::Rc;

use ahash::AHashSet;
use serde_json::Value;
use smallvec::{SmallVec, smallvec};

use super::Reducer;
use crate::automata::decide::{Emptiness, number_emptiness};
use crate::error::{GrammarError, SchemaError, ViolationKind};
use crate::json_schema::document::{NodeId, NodeKind};
use crate::json_schema::fault::{Fault, Result};
use crate::json_schema::keyword::Keyword;
use crate::json_schema::shape::{
    Alternatives, ArrayShape, ConjId, KeyClass, Named, NumberSet, NumberShape, ObjectShape, ResidueId, StringSet,
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

/// Most alternatives that taking one branch of a `oneOf` out of another may leave.
const MAX_REMAINDERS: usize = 64;

impl<'a> Reducer<'a> {
    /// Whether anything fits `conj`.
    pub(super) fn conj_emptiness(&mut self, conj: ConjId, depth: Depth) -> Result<Emptiness> {
        match self.known.get(&conj) {
            Some(Known::Empty) => return Ok(Emptiness::Empty),
            Some(Known::NonEmpty) => return Ok(Emptiness::NonEmpty),
            Some(Known::Unknown(tried)) if *tried >= depth => return Ok(Emptiness::Unknown),
            _ => {}
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

    /// The union of a child, if it can be had now; a child that is refused is refused when it is lowered.
    fn probe_union(&mut self, conj: ConjId) -> Result<Option<Rc<Union<'a>>>> {
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

    fn number_shape_emptiness(&self, shape: &NumberShape<'a>) -> Emptiness {
        let emptiness = match &shape.set {
            NumberSet::Finite(_) => Emptiness::NonEmpty,
            NumberSet::Spec(spec) => number_emptiness(spec, self.limits),
        };
        with_residues(emptiness, shape.residues.is_empty())
    }

    fn string_shape_emptiness(&mut self, shape: &StringShape<'a>) -> Result<Emptiness> {
        let emptiness = match &shape.set {
            StringSet::Finite(_) => Emptiness::NonEmpty,
            StringSet::Spec(spec) => self.string_emptiness(spec)?,
        };
        Ok(with_residues(emptiness, shape.residues.is_empty()))
    }

    fn array_emptiness(&mut self, shape: &ArrayShape, depth: Depth) -> Result<Emptiness> {
        if shape.max.is_some_and(|max| shape.min > max) {
            return Ok(Emptiness::Empty);
        }
        let decided =
            shape.residues.is_empty() && shape.contains.is_empty() && (shape.unique.is_empty() || shape.min <= 1);
        let mut verdict = if decided { Emptiness::NonEmpty } else { Emptiness::Unknown };
        let n_looked_at = (shape.min as usize).min(shape.prefix.len() + 1);
        for index in 0..n_looked_at {
            verdict = each(verdict, self.child_emptiness(shape.element(index), depth)?);
        }
        Ok(verdict)
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
        let mut verdict = if shape.residues.is_empty() { Emptiness::NonEmpty } else { Emptiness::Unknown };
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
        Ok(verdict)
    }

    /// Whether `minProperties` can be met.
    fn room_for_more(&mut self, shape: &ObjectShape<'a>) -> Result<Emptiness> {
        if shape.rules.is_empty() && shape.key.is_none() {
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

    fn is_without_patterns(&self, class: KeyClass) -> bool {
        match class {
            KeyClass::All => true,
            KeyClass::Pattern(_) => false,
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
        if let Some(spec) = &shape.key
            && value != ConjId::FALSE
            && !self.string_fits(spec, named.key)?
        {
            value = ConjId::FALSE;
        }
        Ok(value)
    }

    fn class_holds(&mut self, class: KeyClass, key: &'a str) -> Result<bool> {
        match class {
            KeyClass::All => Ok(true),
            KeyClass::Pattern(pattern) => self.pattern_holds(pattern, key),
            KeyClass::Except(owner) => {
                let owner = &self.owners[owner.0 as usize];
                if owner.names.iter().any(|names| names.contains_key(key)) {
                    return Ok(false);
                }
                for pattern in owner.patterns.clone() {
                    if self.pattern_holds(pattern, key)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// The patterns of a class that excludes keys.
    pub(in crate::json_schema) fn owner_patterns(&self, class: KeyClass) -> &[super::PatternId] {
        match class {
            KeyClass::Except(owner) => &self.owners[owner.0 as usize].patterns,
            _ => &[],
        }
    }

    /// Whether no instance fits both conjunctions, for certain.
    pub(in crate::json_schema) fn never_equal(&mut self, left: ConjId, right: ConjId) -> Result<bool> {
        let (left, right) = (self.union_of(left)?, self.union_of(right)?);
        self.are_disjoint(&left, &right)
    }

    /// To be said where keys fall into too many classes.
    pub(in crate::json_schema) fn too_many_patterns(&mut self) -> ResidueId {
        self.residue(NodeId(0), Keyword::PatternProperties, "too many patterns that may overlap")
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

    /// Whether two unions have nothing in common, for certain.
    pub(super) fn are_disjoint(&mut self, left: &Union<'a>, right: &Union<'a>) -> Result<bool> {
        let common_boolean = (0..2).any(|boolean| left.booleans[boolean] && right.booleans[boolean]);
        if (left.null && right.null) || common_boolean {
            return Ok(false);
        }
        Ok(self.none_common(&left.numbers, &right.numbers, Self::number_overlap)?
            && self.none_common(&left.strings, &right.strings, Self::string_overlap)?
            && self.none_common(&left.arrays, &right.arrays, Self::array_overlap)?
            && self.none_common(&left.objects, &right.objects, Self::object_overlap)?)
    }

    fn none_common<T>(
        &mut self,
        left: &Alternatives<T>,
        right: &Alternatives<T>,
        overlap: fn(&mut Self, &T, &T) -> Result<bool>,
    ) -> Result<bool> {
        let (left, right) = match (left, right) {
            (Alternatives::Of(left), Alternatives::Of(right)) => (left, right),
            (left, right) => return Ok(left.is_none() || right.is_none()),
        };
        for first in left {
            for second in right {
                self.spend(4)?;
                if overlap(self, first, second)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn number_overlap(&mut self, left: &NumberShape<'a>, right: &NumberShape<'a>) -> Result<bool> {
        let both = self.intersect_number(left, right)?;
        Ok(both.is_some_and(|both| self.number_shape_emptiness(&both) != Emptiness::Empty))
    }

    fn string_overlap(&mut self, left: &StringShape<'a>, right: &StringShape<'a>) -> Result<bool> {
        match self.intersect_string(left, right)? {
            Some(both) => Ok(self.string_shape_emptiness(&both)? != Emptiness::Empty),
            None => Ok(false),
        }
    }

    fn array_overlap(&mut self, left: &ArrayShape, right: &ArrayShape) -> Result<bool> {
        match self.intersect_array(left, right)? {
            Some(both) => Ok(self.array_emptiness(&both, Depth::DECIDE)? != Emptiness::Empty),
            None => Ok(false),
        }
    }

    fn object_overlap(&mut self, left: &ObjectShape<'a>, right: &ObjectShape<'a>) -> Result<bool> {
        match self.intersect_object(left, right)? {
            Some(both) => Ok(!self.object_is_empty(&both, Depth::DECIDE)?),
            None => Ok(false),
        }
    }

    /// What is in `own` and not in `rival`, where `complement` is everything outside `rival` (and perhaps some of
    /// what is outside `own`).
    pub(super) fn subtract(
        &mut self,
        node: NodeId,
        own: &Union<'a>,
        rival: &Union<'a>,
        complement: &Union<'a>,
    ) -> Result<Union<'a>> {
        Ok(Union {
            null: own.null && complement.null,
            booleans: [own.booleans[0] && complement.booleans[0], own.booleans[1] && complement.booleans[1]],
            numbers: self.product(&own.numbers, &complement.numbers, Self::intersect_number)?,
            strings: self.product(&own.strings, &complement.strings, Self::intersect_string)?,
            arrays: self.minus(
                (&own.arrays, &rival.arrays, &complement.arrays),
                Self::array_overlap,
                Self::intersect_array,
            )?,
            objects: self.objects_minus(node, &own.objects, &rival.objects, &complement.objects)?,
        })
    }

    fn minus<T: Clone + PartialEq>(
        &mut self,
        (own, rival, complement): (&Alternatives<T>, &Alternatives<T>, &Alternatives<T>),
        overlap: fn(&mut Self, &T, &T) -> Result<bool>,
        combine: fn(&mut Self, &T, &T) -> Result<Option<T>>,
    ) -> Result<Alternatives<T>> {
        let Alternatives::Of(shapes) = own else { return Ok(complement.clone()) };
        let mut kept: SmallVec<[Rc<T>; 1]> = SmallVec::new();
        for shape in shapes {
            let alone = Alternatives::Of(smallvec![Rc::clone(shape)]);
            if complement.is_any() || self.none_common(&alone, rival, overlap)? {
                kept.push(Rc::clone(shape));
                continue;
            }
            for outside in complement.shapes() {
                self.spend(4)?;
                kept.extend(combine(self, shape, outside)?.map(Rc::new));
            }
        }
        Ok(Alternatives::Of(kept))
    }

    fn objects_minus(
        &mut self,
        node: NodeId,
        own: &Alternatives<ObjectShape<'a>>,
        rival: &Alternatives<ObjectShape<'a>>,
        complement: &Alternatives<ObjectShape<'a>>,
    ) -> Result<Alternatives<ObjectShape<'a>>> {
        let remainder = self.minus((own, rival, complement), Self::object_overlap, Self::intersect_object)?;
        let Alternatives::Of(shapes) = &remainder else { return Ok(remainder) };
        let mut kept: SmallVec<[Rc<ObjectShape<'a>>; 1]> = SmallVec::new();
        for shape in shapes {
            if !self.object_is_empty(shape, Depth::DROP)? {
                kept.push(Rc::clone(shape));
            }
        }
        if kept.len() <= MAX_REMAINDERS || kept.len() <= own.count() {
            return Ok(Alternatives::Of(kept));
        }
        // Too many cases: keep the branch whole, and say so if it is still there at the end.
        let residue = self.residue(node, Keyword::OneOf, "that branches exclude each other cannot be shown");
        let mut whole: SmallVec<[Rc<ObjectShape<'a>>; 1]> = SmallVec::new();
        let any = [Rc::new(ObjectShape::any())];
        for shape in if own.is_any() { &any[..] } else { own.shapes() } {
            let mut shape = (**shape).clone();
            shape.residues.push(residue);
            whole.push(Rc::new(shape));
        }
        Ok(Alternatives::Of(whole))
    }

    /// What tells the alternatives of `union` from those of another.
    pub(super) fn marks(&mut self, union: &Union<'a>) -> Result<Marks<'a>> {
        let scalars = union.null || union.booleans != [false, false];
        let mixed = scalars || !(union.numbers.is_none() && union.strings.is_none() && union.arrays.is_none());
        if mixed || union.objects.is_any() {
            return Ok(Marks { of_objects: None });
        }
        let mut of_objects = Vec::with_capacity(union.objects.count());
        for shape in union.objects.shapes() {
            let mut fixed = Vec::new();
            for named in shape.named.iter().filter(|named| named.required) {
                if self.lists_values(named.value)
                    && let Some(value) = self.probe_union(named.value)?
                    && value.is_finite_scalar()
                {
                    fixed.push((named.key, value));
                }
            }
            of_objects.push(fixed);
        }
        Ok(Marks { of_objects: Some(of_objects) })
    }

    /// Whether a conjunction plainly lists constants, so that reducing it is cheap and leads nowhere else.
    fn lists_values(&self, conj: ConjId) -> bool {
        self.conjs[conj.0 as usize].iter().any(|atom| {
            let listing = match self.document.value(atom.node()) {
                Value::Object(map) => map.contains_key("const") || map.contains_key("enum"),
                _ => false,
            };
            !atom.is_negated() && (listing || self.document.kind(atom.node()) == NodeKind::Constant)
        })
    }

    /// A language could not be built.
    pub(in crate::json_schema) fn language_fault(&self, error: &GrammarError) -> Fault {
        let kind = match error {
            GrammarError::Limit(_) => ViolationKind::Limit,
            _ => ViolationKind::Unsupported,
        };
        SchemaError::new(kind, "", Some("pattern"), error.to_string()).into()
    }
}

/// A required key and the finitely many scalars that it may have.
type Mark<'a> = (&'a str, Rc<Union<'a>>);

/// What tells objects apart at a glance.
pub(super) struct Marks<'a> {
    /// The marks of each alternative of a union of objects; `None` for any other union.
    of_objects: Option<Vec<Vec<Mark<'a>>>>,
}

impl Marks<'_> {
    /// Whether the marks alone tell that the unions have nothing in common.
    pub(super) fn exclude(&self, other: &Marks<'_>) -> bool {
        let (Some(left), Some(right)) = (&self.of_objects, &other.of_objects) else { return false };
        left.iter().all(|first| {
            right.iter().all(|second| {
                first.iter().any(|(key, value)| {
                    second.iter().any(|(other_key, other)| key == other_key && scalars_differ(value, other))
                })
            })
        })
    }
}

fn scalars_differ(left: &Union<'_>, right: &Union<'_>) -> bool {
    if (left.null && right.null) || (0..2).any(|boolean| left.booleans[boolean] && right.booleans[boolean]) {
        return false;
    }
    let words = |union: &Union<'_>| -> AHashSet<String> {
        let mut words = AHashSet::new();
        for shape in union.strings.shapes() {
            if let StringSet::Finite(finite) = &shape.set {
                words.extend(finite.iter().map(|word| word.to_string()));
            }
        }
        words
    };
    let numbers_differ = left.numbers.is_none() || right.numbers.is_none();
    if left.strings.is_none() || right.strings.is_none() {
        return numbers_differ;
    }
    if let (Some(left), Some(right)) = (single_word(left), single_word(right)) {
        return numbers_differ && left != right;
    }
    numbers_differ && words(left).is_disjoint(&words(right))
}

/// The only string of a union.
fn single_word<'u>(union: &'u Union<'_>) -> Option<&'u str> {
    match union.strings.shapes() {
        [shape] => match &shape.set {
            StringSet::Finite(words) if words.len() == 1 => Some(&words[0]),
            _ => None,
        },
        _ => None,
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
