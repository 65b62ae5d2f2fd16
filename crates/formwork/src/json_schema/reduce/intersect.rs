//! What fits both of two unions, and what fits either?

use std::borrow::Cow;
use std::rc::Rc;

use smallvec::SmallVec;

use super::Reducer;
use super::array::add_contains;
use super::emptiness::Depth;
use super::scalar::{excludes_all, tighter_maximum, tighter_minimum};
use crate::automata::decide::number_matches;
use crate::automata::{Decimal, NumberForm, NumberSpec, StringSpec};
use crate::hash::{HashMap, HashSet, Seeded};
use crate::json_schema::fault::Result;
use crate::json_schema::shape::{
    Alternatives, ArrayShape, ConjId, NumberLiteral, NumberSet, NumberShape, ObjectShape, Residues, StringSet,
    StringShape, Union,
};

impl<'a> Reducer<'a> {
    /// What fits both. Alternatives that turn out empty are dropped.
    pub(super) fn intersect(&mut self, left: &Union<'a>, right: &Union<'a>) -> Result<Union<'a>> {
        Ok(Union {
            null: left.null && right.null,
            booleans: [left.booleans[0] && right.booleans[0], left.booleans[1] && right.booleans[1]],
            numbers: self.product(&left.numbers, &right.numbers, Self::intersect_number)?,
            strings: self.product(&left.strings, &right.strings, Self::intersect_string)?,
            arrays: self.product(&left.arrays, &right.arrays, Self::intersect_array)?,
            objects: self.object_product(&left.objects, &right.objects)?,
        })
    }

    pub(super) fn product<T: PartialEq + Clone>(
        &mut self,
        left: &Alternatives<T>,
        right: &Alternatives<T>,
        combine: fn(&mut Self, &T, &T) -> Result<Option<T>>,
    ) -> Result<Alternatives<T>> {
        let (left, right) = match (left, right) {
            (Alternatives::Any, other) | (other, Alternatives::Any) => return Ok(other.clone()),
            (Alternatives::Of(left), Alternatives::Of(right)) => (left, right),
        };
        self.spend(left.len() * right.len())?;
        let mut product: SmallVec<[Rc<T>; 1]> = SmallVec::new();
        for (first, second) in left.iter().flat_map(|first| right.iter().map(move |second| (first, second))) {
            if first == second {
                add(&mut product, Rc::clone(first));
            } else if let Some(both) = combine(self, first, second)? {
                add(&mut product, Rc::new(both));
            }
        }
        Ok(Alternatives::Of(product))
    }

    /// Like [`Reducer::product`], and where several alternatives meet, looks inside for empty ones.
    fn object_product(
        &mut self,
        left: &Alternatives<ObjectShape<'a>>,
        right: &Alternatives<ObjectShape<'a>>,
    ) -> Result<Alternatives<ObjectShape<'a>>> {
        let product = self.product(left, right, Self::intersect_object)?;
        let Alternatives::Of(shapes) = &product else { return Ok(product) };
        if left.is_any() || right.is_any() || shapes.len() < 2 {
            return Ok(product);
        }
        let mut kept: SmallVec<[Rc<ObjectShape<'a>>; 1]> = SmallVec::new();
        for shape in shapes {
            if !self.object_is_empty(shape, Depth::DROP)? {
                kept.push(Rc::clone(shape));
            }
        }
        Ok(Alternatives::Of(kept))
    }

    /// What fits any of them.
    pub(super) fn union_all(&mut self, unions: &[Rc<Union<'a>>]) -> Result<Union<'a>> {
        let mut all = Union::none();
        for union in unions {
            self.spend(1 + union.weight())?;
            all.null |= union.null;
            all.booleans = [all.booleans[0] || union.booleans[0], all.booleans[1] || union.booleans[1]];
        }
        all.arrays = self.gather(unions.iter().map(|union| &union.arrays))?;
        all.objects = self.gather(unions.iter().map(|union| &union.objects))?;
        all.numbers = merge_numbers(self.gather(unions.iter().map(|union| &union.numbers))?);
        all.strings = merge_strings(self.gather(unions.iter().map(|union| &union.strings))?);
        Ok(all)
    }

    fn gather<'u, T: PartialEq + 'u>(
        &mut self,
        parts: impl Iterator<Item = &'u Alternatives<T>>,
    ) -> Result<Alternatives<T>> {
        let mut gathered: SmallVec<[Rc<T>; 1]> = SmallVec::new();
        for part in parts {
            match part {
                Alternatives::Any => return Ok(Alternatives::Any),
                Alternatives::Of(shapes) => {
                    for shape in shapes {
                        // Comparing with all of many alternatives would be quadratic; a duplicate does no harm.
                        if gathered.len() < 32 {
                            add(&mut gathered, Rc::clone(shape));
                        } else {
                            gathered.push(Rc::clone(shape));
                        }
                    }
                }
            }
        }
        self.spend(gathered.len())?;
        Ok(Alternatives::Of(gathered))
    }

    pub(super) fn intersect_number(
        &mut self,
        left: &NumberShape<'a>,
        right: &NumberShape<'a>,
    ) -> Result<Option<NumberShape<'a>>> {
        let residues = joined(&left.residues, &right.residues);
        let set = match (&left.set, &right.set) {
            (NumberSet::Finite(numbers), NumberSet::Spec(spec))
            | (NumberSet::Spec(spec), NumberSet::Finite(numbers)) => {
                self.spend(numbers.len())?;
                let allowed = numbers.iter().filter(|number| number_matches(spec, &number.value));
                NumberSet::Finite(allowed.filter_map(|number| number.in_form(spec.form)).collect())
            }
            (NumberSet::Finite(left), NumberSet::Finite(right)) => {
                self.spend(left.len() + right.len())?;
                let forms: HashMap<&Decimal, NumberForm> =
                    right.iter().map(|number| (&number.value, number.form)).collect();
                let in_both = |number: &NumberLiteral<'a>| number.in_form(*forms.get(&number.value)?);
                NumberSet::Finite(left.iter().filter_map(in_both).collect())
            }
            (NumberSet::Spec(left), NumberSet::Spec(right)) => {
                self.spend(SPEC_STEPS + number_weight(left) + number_weight(right))?;
                match both_number_specs(left, right) {
                    Some(both) => NumberSet::Spec(both),
                    None => return Ok(None),
                }
            }
        };
        let empty = match &set {
            NumberSet::Finite(numbers) => numbers.is_empty(),
            NumberSet::Spec(spec) => excludes_all(spec),
        };
        Ok((!empty).then_some(NumberShape { set, residues }))
    }

    pub(super) fn intersect_string(
        &mut self,
        left: &StringShape<'a>,
        right: &StringShape<'a>,
    ) -> Result<Option<StringShape<'a>>> {
        let residues = joined(&left.residues, &right.residues);
        let set = match (&left.set, &right.set) {
            (StringSet::Finite(words), StringSet::Spec(spec)) | (StringSet::Spec(spec), StringSet::Finite(words)) => {
                self.spend(words.len())?;
                let mut kept = Vec::with_capacity(words.len());
                for word in words {
                    if self.string_fits(spec, word)? {
                        kept.push(word.clone());
                    }
                }
                StringSet::Finite(kept)
            }
            (StringSet::Finite(left), StringSet::Finite(right)) => {
                self.spend(left.len() + right.len())?;
                // Often one constant meets the list of all: a table costs more than it saves.
                let allowed =
                    (right.len() > FEW_WORDS).then(|| right.iter().map(Cow::as_ref).collect::<HashSet<&str>>());
                let in_both = |word: &&Cow<'a, str>| match &allowed {
                    Some(allowed) => allowed.contains(word.as_ref()),
                    None => right.contains(word),
                };
                StringSet::Finite(left.iter().filter(in_both).cloned().collect())
            }
            (StringSet::Spec(left), StringSet::Spec(right)) => {
                self.spend(SPEC_STEPS + left.content.len() + right.content.len())?;
                match both_string_specs(left, right) {
                    Some(spec) => StringSet::Spec(spec),
                    None => return Ok(None),
                }
            }
        };
        let empty = matches!(&set, StringSet::Finite(words) if words.is_empty());
        Ok((!empty).then_some(StringShape { set, residues }))
    }

    pub(super) fn intersect_array(&mut self, left: &ArrayShape, right: &ArrayShape) -> Result<Option<ArrayShape>> {
        let n_prefix = left.prefix.len().max(right.prefix.len());
        self.spend(n_prefix)?;
        let prefix = (0..n_prefix).map(|index| self.both(left.element(index), right.element(index))).collect();
        let mut shape = ArrayShape {
            prefix,
            rest: self.both(left.rest, right.rest),
            min: left.min.max(right.min),
            max: least(left.max, right.max),
            unique: left.unique || right.unique,
            repeats: left.repeats || right.repeats,
            contains: left.contains.clone(),
            residues: joined(&left.residues, &right.residues),
        };
        right.contains.iter().for_each(|contains| add_contains(&mut shape.contains, contains.clone()));
        self.simplified(shape)
    }

    pub(super) fn intersect_object(
        &mut self,
        left: &ObjectShape<'a>,
        right: &ObjectShape<'a>,
    ) -> Result<Option<ObjectShape<'a>>> {
        let mut shape = ObjectShape {
            named: left.named.clone(),
            rules: left.rules.clone(),
            exists: left.exists.clone(),
            presence: left.presence.clone(),
            min: left.min.max(right.min),
            max: least(left.max, right.max),
            residues: joined(&left.residues, &right.residues),
        };
        shape.rules.extend(right.rules.iter().filter(|rule| !left.rules.contains(rule)).cloned());
        shape.exists.extend(right.exists.iter().filter(|other| !left.exists.contains(other)).cloned());
        shape.presence.extend(right.presence.iter().filter(|clause| !left.presence.contains(clause)).cloned());
        let possible = self.merge_named(&mut shape, right)?
            && self.propagate(&mut shape)?
            && shape.max.is_none_or(|max| shape.min <= max);
        Ok(possible.then_some(shape))
    }

    /// Adds the named keys of `other`; false when a key is required and cannot be.
    fn merge_named(&mut self, shape: &mut ObjectShape<'a>, other: &ObjectShape<'a>) -> Result<bool> {
        self.spend(shape.named.len() + other.named.len())?;
        let n_own = shape.named.len();
        let large = n_own * other.named.len() > 256;
        let index: HashMap<&'a str, usize> = match large {
            true => shape.named.iter().enumerate().map(|(at, named)| (named.key, at)).collect(),
            false => HashMap::default(),
        };
        for named in &other.named {
            let found = match large {
                true => index.get(named.key).copied(),
                false => shape.named[..n_own].iter().position(|own| own.key == named.key),
            };
            let Some(at) = found else {
                shape.named.push(named.clone());
                continue;
            };
            let value = self.both(shape.named[at].value, named.value);
            let own = &mut shape.named[at];
            (own.value, own.required) = (value, own.required || named.required);
            own.owner = own.owner.or(named.owner);
            if own.required && value == ConjId::FALSE {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn add<T: PartialEq>(shapes: &mut SmallVec<[Rc<T>; 1]>, shape: Rc<T>) {
    if shapes.len() >= 32 || !shapes.iter().any(|other| Rc::ptr_eq(other, &shape) || **other == *shape) {
        shapes.push(shape);
    }
}

pub(super) fn least(left: Option<u32>, right: Option<u32>) -> Option<u32> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

pub(super) fn joined(left: &Residues, right: &Residues) -> Residues {
    let mut joined = left.clone();
    joined.extend(right.iter().filter(|residue| !left.contains(residue)));
    joined
}

/// So many words are compared one by one.
const FEW_WORDS: usize = 4;
/// Steps of joining two descriptions of numbers or strings, which takes some microseconds and allocations: as many pairs
/// of alternatives as a budget allows would otherwise fill a gigabyte.
const SPEC_STEPS: usize = 8;

fn number_weight(spec: &NumberSpec) -> usize {
    let n_values = spec.values.as_ref().map_or(0, Vec::len);
    spec.multiples.len() + spec.not_multiples.len() + spec.excluded.len() + n_values
}

/// The numbers of both; `None` where no spelling is of both forms.
fn both_number_specs(left: &NumberSpec, right: &NumberSpec) -> Option<NumberSpec> {
    let form = match (left.form, right.form) {
        (NumberForm::Free, form) | (form, NumberForm::Free) => form,
        (left, right) if left == right => left,
        _ => return None,
    };
    let mut excluded = [&left.excluded[..], &right.excluded].concat();
    excluded.sort_unstable();
    excluded.dedup();
    let values = match (&left.values, &right.values) {
        (Some(left), Some(right)) => {
            Some(left.iter().filter(|value| right.binary_search(value).is_ok()).cloned().collect())
        }
        (left, right) => left.clone().or_else(|| right.clone()),
    };
    Some(NumberSpec {
        integer: left.integer || right.integer,
        form,
        minimum: tighter_minimum(left.minimum.clone(), right.minimum.clone()),
        maximum: tighter_maximum(left.maximum.clone(), right.maximum.clone()),
        multiples: all_divisors(&left.multiples, &right.multiples),
        not_multiples: all_divisors(&left.not_multiples, &right.not_multiples),
        excluded,
        values,
        max_digits: least(left.max_digits, right.max_digits),
        spelling: left.spelling,
    })
}

fn all_divisors(left: &[Decimal], right: &[Decimal]) -> Vec<Decimal> {
    left.iter().chain(right.iter().filter(|divisor| !left.contains(divisor))).cloned().collect()
}

/// The strings of both; `None` where that is plainly no string.
pub(in crate::json_schema) fn both_string_specs(left: &StringSpec, right: &StringSpec) -> Option<StringSpec> {
    let mut content = left.content.clone();
    for constraint in &right.content {
        if left.content.iter().any(|own| own.language == constraint.language && own.negated != constraint.negated) {
            return None;
        }
        if !left.content.contains(constraint) {
            content.push(constraint.clone());
        }
    }
    let spec = StringSpec {
        content,
        min_chars: left.min_chars.max(right.min_chars),
        max_chars: least(left.max_chars, right.max_chars),
        ..StringSpec::default()
    };
    spec.max_chars.is_none_or(|max| spec.min_chars <= max).then_some(spec)
}

/// Makes one finite set of those without residues.
fn merge_numbers(numbers: Alternatives<NumberShape<'_>>) -> Alternatives<NumberShape<'_>> {
    let Alternatives::Of(shapes) = &numbers else { return numbers };
    let mut merged: Vec<NumberLiteral<'_>> = Vec::new();
    let mut others: SmallVec<[Rc<NumberShape<'_>>; 1]> = SmallVec::new();
    for shape in shapes {
        match &shape.set {
            NumberSet::Finite(numbers) if shape.residues.is_empty() => merged.extend(numbers.iter().cloned()),
            _ => others.push(Rc::clone(shape)),
        }
    }
    if others.len() + 1 >= shapes.len() {
        return numbers;
    }
    let mut seen: HashSet<(Decimal, NumberForm)> = HashSet::with_capacity_and_hasher(merged.len(), Seeded);
    merged.retain(|number| seen.insert((number.value.clone(), number.form)));
    others.insert(0, Rc::new(NumberShape { set: NumberSet::Finite(merged), residues: Vec::new() }));
    Alternatives::Of(others)
}

/// Makes one finite set of those without residues.
fn merge_strings(strings: Alternatives<StringShape<'_>>) -> Alternatives<StringShape<'_>> {
    let Alternatives::Of(shapes) = &strings else { return strings };
    let mut merged: Vec<Cow<'_, str>> = Vec::new();
    let mut others: SmallVec<[Rc<StringShape<'_>>; 1]> = SmallVec::new();
    for shape in shapes {
        match &shape.set {
            StringSet::Finite(words) if shape.residues.is_empty() => merged.extend(words.iter().cloned()),
            _ => others.push(Rc::clone(shape)),
        }
    }
    if others.len() + 1 >= shapes.len() {
        return strings;
    }
    let mut seen: HashSet<Cow<'_, str>> = HashSet::with_capacity_and_hasher(merged.len(), Seeded);
    merged.retain(|word| seen.insert(word.clone()));
    others.insert(0, Rc::new(StringShape { set: StringSet::Finite(merged), residues: Vec::new() }));
    Alternatives::Of(others)
}
