//! Do two schemas overlap, and what is in one and not in the other?

use std::rc::Rc;

use smallvec::{SmallVec, smallvec};

use super::Reducer;
use super::emptiness::Depth;
use crate::automata::decide::Emptiness;
use crate::hash::HashSet;
use crate::json_schema::fault::Result;
use crate::json_schema::shape::{
    Alternatives, ArrayShape, ConjId, NumberShape, ObjectShape, StringSet, StringShape, Union,
};

impl<'a> Reducer<'a> {
    /// Whether no instance fits both conjunctions, for certain.
    pub(in crate::json_schema) fn never_equal(&mut self, left: ConjId, right: ConjId) -> Result<bool> {
        let (left, right) = (self.union_of(left)?, self.union_of(right)?);
        self.are_disjoint(&left, &right)
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

    pub(super) fn object_overlap(&mut self, left: &ObjectShape<'a>, right: &ObjectShape<'a>) -> Result<bool> {
        match self.intersect_object(left, right)? {
            Some(both) => Ok(!self.object_is_empty(&both, Depth::DECIDE)?),
            None => Ok(false),
        }
    }

    /// What is in `own` and not in `rival`, objects left aside. `complement` is everything outside `rival` (and perhaps
    /// some of what is outside `own`).
    pub(super) fn subtract(&mut self, own: &Union<'a>, rival: &Union<'a>, complement: &Union<'a>) -> Result<Union<'a>> {
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
            objects: own.objects.clone(),
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
            let mut parts: SmallVec<[Rc<T>; 1]> = SmallVec::new();
            for outside in complement.shapes() {
                self.spend(4)?;
                let Some(part) = combine(self, shape, outside)? else { continue };
                if part == **shape {
                    // All of it is outside: the other cases say no more.
                    parts.clear();
                    parts.push(Rc::clone(shape));
                    break;
                }
                parts.push(Rc::new(part));
            }
            kept.extend(parts);
        }
        Ok(Alternatives::Of(kept))
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
    let words = |union: &Union<'_>| -> HashSet<String> {
        let mut words = HashSet::default();
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
