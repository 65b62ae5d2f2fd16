//! What does not fit a schema? The complement, pushed inwards: some keyword is not obeyed.
//!
//! The complement of a conjunction of keywords is the union of the complements. That all of some members fit becomes that
//! one of them does not: a count of elements, or an obligation on keys. The few complements that no grammar enforces
//! carry a residue, and matter only if they are still there when the context has been taken into account.

use std::rc::Rc;

use serde_json::Value;
use smallvec::SmallVec;

use super::Reducer;
use super::combine::{forbidding, only_objects, requiring};
use super::keys::{complements, one_of};
use super::object::existing;
use super::presence::clause;
use crate::automata::{Bound, ContentConstraint, Decimal, NumberForm, NumberSpec, StringSpec};
use crate::json_schema::dialect::Dialect;
use crate::json_schema::document::{NodeId, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::format::Format;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{
    Alternatives, ArrayShape, ConjId, Contains, KeyClass, Named, NumberSet, NumberShape, ObjectShape, Owner, Residues,
    StringSet, StringShape, Union,
};

/// The alternatives of a complement, as they are found.
type Cases<'a> = Vec<Rc<Union<'a>>>;

impl<'a> Reducer<'a> {
    pub(super) fn negate_schema(&mut self, node: NodeId) -> Result<Union<'a>> {
        let map = match self.document.value(node) {
            Value::Bool(true) => return Ok(Union::none()),
            Value::Bool(false) => return Ok(Union::any()),
            Value::Object(map) => map,
            _ => return Err(self.not_a_schema(node)),
        };
        self.reached.push(node);
        let keywords = self.keywords(node, map)?;
        let mut cases = Vec::new();
        self.negate_types(node, &keywords, &mut cases)?;
        self.negate_values(node, &keywords, &mut cases)?;
        self.negate_numbers(node, &keywords, &mut cases)?;
        self.negate_strings(node, &keywords, &mut cases)?;
        self.negate_arrays(node, &keywords, &mut cases)?;
        self.negate_objects(node, &keywords, &mut cases)?;
        self.negate_in_place(node, &keywords, &mut cases)?;
        self.union_all(&cases)
    }

    fn negate_types(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        let types = self.types(node, keywords)?;
        let mut others = Union::none();
        others.null = !types.null;
        others.booleans = [!types.boolean; 2];
        if !types.integer {
            others.numbers = Alternatives::Any;
        } else if !types.number {
            // Up to draft-04 the spelling tells integers from other numbers.
            let spec = match self.document.dialect(node) {
                Dialect::Draft4 => NumberSpec { form: NumberForm::NotDigits, ..NumberSpec::default() },
                _ => not_whole(),
            };
            others.numbers = number_case(spec);
        }
        if !types.string {
            others.strings = Alternatives::Any;
        }
        if !types.array {
            others.arrays = Alternatives::Any;
        }
        if !types.object {
            others.objects = Alternatives::Any;
        }
        if !others.is_none() {
            cases.push(Rc::new(others));
        }
        Ok(())
    }

    fn negate_values(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        if let Some(Value::Array(values)) = keywords.get(Keyword::Enum) {
            let mut outside = Union::any();
            for (index, value) in values.iter().enumerate() {
                outside = self.without_value(node, Step::IndexOf(Keyword::Enum, index), value, outside)?;
            }
            outside = self.without_numbers(node, values, outside)?;
            cases.push(Rc::new(self.without_words(values, outside)?));
        }
        if let Some(value) = keywords.get(Keyword::Const) {
            let outside = self.without_value(node, Step::Key("const"), value, Union::any())?;
            let outside = self.without_numbers(node, std::slice::from_ref(value), outside)?;
            cases.push(Rc::new(self.without_words(std::slice::from_ref(value), outside)?));
        }
        Ok(())
    }

    /// Takes one value that is neither number nor string out of `outside`.
    fn without_value(
        &mut self,
        node: NodeId,
        step: Step<'a>,
        value: &'a Value,
        outside: Union<'a>,
    ) -> Result<Union<'a>> {
        let mut outside = outside;
        match value {
            Value::Null => outside.null = false,
            Value::Bool(boolean) => outside.booleans[usize::from(*boolean)] = false,
            Value::String(_) | Value::Number(_) => {}
            _ => {
                let constant = self.constant_inside(node, step, value)?;
                let complement = self.complement(constant);
                let complement = self.union_of(complement)?;
                outside = self.intersect(&outside, &complement)?;
            }
        }
        Ok(outside)
    }

    /// Takes all numbers among `values` out of `outside`.
    fn without_numbers(&mut self, node: NodeId, values: &[Value], outside: Union<'a>) -> Result<Union<'a>> {
        let mut excluded = Vec::new();
        for value in values {
            excluded.extend(self.literal(node, value)?.map(|number| number.value));
        }
        if excluded.is_empty() {
            return Ok(outside);
        }
        excluded.sort_unstable();
        excluded.dedup();
        let numbers = number_case(NumberSpec { excluded, ..NumberSpec::default() });
        self.intersect(&outside, &Union { numbers, ..Union::any() })
    }

    /// Takes all strings among `values` out of `outside`.
    fn without_words(&mut self, values: &[Value], outside: Union<'a>) -> Result<Union<'a>> {
        let mut words = values.iter().filter_map(Value::as_str).map(Into::into).peekable();
        if words.peek().is_none() {
            return Ok(outside);
        }
        let spec = one_of(words, true);
        let strings = string_case(spec, Vec::new());
        self.intersect(&outside, &Union { strings, ..Union::any() })
    }

    /// Everything but one instance.
    pub(super) fn negate_constant(&mut self, node: NodeId) -> Result<Union<'a>> {
        let mut outside = Union::any();
        match self.document.value(node) {
            Value::Null => outside.null = false,
            Value::Bool(boolean) => outside.booleans[usize::from(*boolean)] = false,
            value @ Value::Number(_) => return self.without_numbers(node, std::slice::from_ref(value), outside),
            value @ Value::String(_) => return self.without_words(std::slice::from_ref(value), outside),
            Value::Array(elements) => {
                let length = u32::try_from(elements.len()).unwrap_or(u32::MAX);
                let mut shapes = length_cases(length, Some(length));
                for (index, element) in elements.iter().enumerate() {
                    let constant = self.constant_inside(node, Step::Index(index), element)?;
                    let complement = self.complement(constant);
                    shapes.push(Rc::new(differing_at(index, complement)));
                }
                outside.arrays = Alternatives::Of(shapes);
            }
            Value::Object(map) => {
                let mut shapes: SmallVec<[Rc<ObjectShape<'a>>; 1]> = SmallVec::new();
                for (key, value) in map {
                    let constant = self.constant_inside(node, Step::Key(key), value)?;
                    let complement = self.complement(constant);
                    shapes.push(Rc::new(violating(key, complement, true)));
                }
                let n_more = u32::try_from(map.len() + 1).unwrap_or(u32::MAX);
                shapes.push(Rc::new(ObjectShape { min: n_more, ..ObjectShape::any() }));
                outside.objects = Alternatives::Of(shapes);
            }
        }
        Ok(outside)
    }

    fn negate_numbers(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        let types = self.types(node, keywords)?;
        if !types.integer {
            return Ok(());
        }
        let mut case = |spec: NumberSpec| {
            cases.push(Rc::new(Union { numbers: number_case(spec), ..Union::none() }));
        };
        let format = self.number_format(node, keywords)?.unwrap_or_default();
        for minimum in [self.lower_bound(node, keywords)?, format.minimum].into_iter().flatten() {
            let maximum = Some(Bound { exclusive: !minimum.exclusive, ..minimum });
            case(NumberSpec { maximum, ..NumberSpec::default() });
        }
        for maximum in [self.upper_bound(node, keywords)?, format.maximum].into_iter().flatten() {
            let minimum = Some(Bound { exclusive: !maximum.exclusive, ..maximum });
            case(NumberSpec { minimum, ..NumberSpec::default() });
        }
        if format.integer {
            case(not_whole());
        }
        if let Some(divisor) = self.multiple(node, keywords)? {
            case(NumberSpec { not_multiples: vec![divisor], ..NumberSpec::default() });
        }
        Ok(())
    }

    fn negate_strings(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        if !self.types(node, keywords)?.string {
            return Ok(());
        }
        let mut case = |spec: StringSpec, residues: Residues| {
            cases.push(Rc::new(Union { strings: string_case(spec, residues), ..Union::none() }));
        };
        if let Some(min @ 1..) = self.count(node, keywords, Keyword::MinLength)? {
            case(StringSpec { max_chars: Some(min - 1), ..StringSpec::default() }, Vec::new());
        }
        if let Some(max) = self.max_count(node, keywords, Keyword::MaxLength)? {
            case(StringSpec { min_chars: max + 1, ..StringSpec::default() }, Vec::new());
        }
        if let Some(Value::String(source)) = keywords.get(Keyword::Pattern) {
            let pattern = self.pattern(node, Keyword::Pattern, source)?;
            let pattern = &self.patterns[pattern.0 as usize];
            if let Some(reason) = pattern.unsupported {
                let residue = self.residue(node, Keyword::Pattern, reason);
                case(StringSpec::default(), vec![residue]);
            } else {
                pattern.complements().into_iter().for_each(|spec| case(spec, Vec::new()));
            }
        }
        for (language, residues) in self.content(node, keywords)? {
            let content = language.map(|language| ContentConstraint { language, negated: true });
            case(StringSpec { content: content.into_iter().collect(), ..StringSpec::default() }, residues);
        }
        if let Some((name, format)) = self.format(node, keywords)? {
            if let Format::Strings(spec) = &format {
                complements(spec).into_iter().for_each(|spec| case(spec, Vec::new()));
            } else if let Some(residue) = self.format_residue(node, name, &format) {
                case(StringSpec::default(), vec![residue]);
            }
        }
        Ok(())
    }

    fn negate_arrays(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        if !self.types(node, keywords)?.array {
            return Ok(());
        }
        let min = self.count(node, keywords, Keyword::MinItems)?.unwrap_or(0);
        let max = self.max_count(node, keywords, Keyword::MaxItems)?;
        let mut shapes = length_cases(min, max);
        let (prefix, rest) = self.elements(node, keywords)?;
        for (index, element) in prefix.iter().enumerate() {
            if *element != ConjId::TRUE {
                let complement = self.complement(*element);
                shapes.push(Rc::new(differing_at(index, complement)));
            }
        }
        if rest != ConjId::TRUE {
            let start = u32::try_from(prefix.len()).unwrap_or(u32::MAX);
            let element = self.complement(rest);
            self.counting(Contains { start, element, min: 1, max: None }, &mut shapes)?;
        }
        if self.asks_unique(node, keywords)? {
            let residue = self.residue(node, Keyword::UniqueItems, "that elements repeat cannot be asked for");
            let shape = ArrayShape { residues: vec![residue], repeats: true, min: 2, ..ArrayShape::any() };
            shapes.push(Rc::new(shape));
        }
        if let Some(value) = keywords.get(Keyword::Contains) {
            let min = self.count(node, keywords, Keyword::MinContains)?.unwrap_or(1);
            let max = self.max_count(node, keywords, Keyword::MaxContains)?;
            let element = self.child(node, Step::Key("contains"), value)?;
            if let Some(fewer) = min.checked_sub(1) {
                self.counting(Contains { start: 0, element, min: 0, max: Some(fewer) }, &mut shapes)?;
            }
            if let Some(max) = max {
                let min = max.saturating_add(1);
                self.counting(Contains { start: 0, element, min, max: None }, &mut shapes)?;
            }
        }
        cases.push(Rc::new(Union { arrays: Alternatives::Of(shapes), ..Union::none() }));
        Ok(())
    }

    /// Adds the arrays of which so many elements fit.
    fn counting(&mut self, contains: Contains, shapes: &mut SmallVec<[Rc<ArrayShape>; 1]>) -> Result<()> {
        let shape = self.simplified(ArrayShape { contains: vec![contains], ..ArrayShape::any() })?;
        shapes.extend(shape.map(Rc::new));
        Ok(())
    }

    fn negate_objects(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        if !self.types(node, keywords)?.object {
            return Ok(());
        }
        let mut shapes: SmallVec<[Rc<ObjectShape<'a>>; 1]> = SmallVec::new();
        let required = self.required(node, keywords)?;
        let mut bare = required.clone();
        if let Some(Value::Object(properties)) = keywords.get(Keyword::Properties) {
            for (key, value) in properties {
                let value = self.child_complement(node, Step::KeyOf(Keyword::Properties, key), value)?;
                if value == ConjId::FALSE {
                    continue;
                }
                bare.retain(|name| name != key);
                shapes.push(Rc::new(violating(key, value, required.contains(&key.as_str()))));
            }
        }
        if let Some(missing) = clause(bare.iter().map(|key| (*key, false))).filter(|clause| !clause.is_empty()) {
            let mut shape = ObjectShape { presence: vec![missing], ..ObjectShape::any() };
            if self.propagate(&mut shape)? {
                shapes.push(Rc::new(shape));
            }
        }
        if let Some(min @ 1..) = self.count(node, keywords, Keyword::MinProperties)? {
            shapes.push(Rc::new(ObjectShape { max: Some(min - 1), ..ObjectShape::any() }));
        }
        if let Some(max) = self.max_count(node, keywords, Keyword::MaxProperties)? {
            shapes.push(Rc::new(ObjectShape { min: max + 1, ..ObjectShape::any() }));
        }
        self.negate_key_rules(node, keywords, &mut shapes)?;
        cases.push(Rc::new(Union { objects: Alternatives::Of(shapes), ..Union::none() }));
        Ok(())
    }

    /// Some key has a value that the rule for its class refuses, or is none that `propertyNames` admits.
    fn negate_key_rules(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        shapes: &mut SmallVec<[Rc<ObjectShape<'a>>; 1]>,
    ) -> Result<()> {
        if let Some(Value::Object(patterns)) = keywords.get(Keyword::PatternProperties) {
            for (source, value) in patterns {
                let step = Step::KeyOf(Keyword::PatternProperties, source);
                let value = self.child_complement(node, step, value)?;
                if value != ConjId::FALSE {
                    let class = KeyClass::Pattern(self.pattern(node, Keyword::PatternProperties, source)?);
                    shapes.push(Rc::new(existing(class, value, &Owner::default())));
                }
            }
        }
        if let Some(value) = keywords.get(Keyword::AdditionalProperties) {
            let value = self.child_complement(node, Step::Key("additionalProperties"), value)?;
            if value != ConjId::FALSE {
                let owner = self.owner_of(node, keywords)?;
                let class = KeyClass::Except(self.owner(owner.clone()));
                shapes.push(Rc::new(existing(class, value, &owner)));
            }
        }
        let mut residues = Vec::new();
        if let Some(class) = self.keys_outside(node, keywords, &mut residues)? {
            let shape = existing(class, ConjId::TRUE, &Owner::default());
            shapes.push(Rc::new(ObjectShape { residues, ..shape }));
        }
        Ok(())
    }

    fn negate_in_place(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        for target in self.conjuncts(node, keywords)? {
            let complement = self.complement(target);
            cases.push(self.union_of(complement)?);
        }
        if let Some(branches) = self.branches(node, keywords, Keyword::AnyOf)? {
            cases.push(self.none_of_branches(&branches)?);
        }
        if let Some(branches) = self.branches(node, keywords, Keyword::OneOf)? {
            cases.push(self.none_of_branches(&branches)?);
            self.two_of(node, &branches, cases)?;
        }
        if let Some(value) = keywords.get(Keyword::Not) {
            let inner = self.child(node, Step::Key("not"), value)?;
            cases.push(self.union_of(inner)?);
        }
        self.negate_condition(node, keywords, cases)?;
        self.negate_dependencies(node, keywords, cases)?;
        cases.extend(self.negate_unevaluated(node, keywords)?.into_iter().map(Rc::new));
        Ok(())
    }

    fn none_of_branches(&mut self, branches: &[NodeId]) -> Result<Rc<Union<'a>>> {
        let branches = branches.iter().map(|branch| self.conj_of(*branch)).collect::<Result<Vec<_>>>()?;
        let none = self.none_of(branches);
        self.union_of(none)
    }

    fn two_of(&mut self, node: NodeId, branches: &[NodeId], cases: &mut Cases<'a>) -> Result<()> {
        for (index, first) in branches.iter().enumerate() {
            let first = self.conj_of(*first)?;
            let first = self.union_of(first)?;
            for second in &branches[index + 1..] {
                self.step(node, 4)?;
                let second = self.conj_of(*second)?;
                let second = self.union_of(second)?;
                if !self.are_disjoint(&first, &second)? {
                    cases.push(Rc::new(self.intersect(&first, &second)?));
                }
            }
        }
        Ok(())
    }

    fn negate_condition(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        let Some(condition) = keywords.get(Keyword::If) else { return Ok(()) };
        let holds = self.child(node, Step::Key("if"), condition)?;
        let fails = self.child_complement(node, Step::Key("if"), condition)?;
        for (case, step, keyword) in [(holds, "then", Keyword::Then), (fails, "else", Keyword::Else)] {
            if let Some(consequence) = keywords.get(keyword) {
                let consequence = self.child_complement(node, Step::Key(step), consequence)?;
                let (case, consequence) = (self.union_of(case)?, self.union_of(consequence)?);
                cases.push(Rc::new(self.intersect(&case, &consequence)?));
            }
        }
        Ok(())
    }

    fn negate_dependencies(&mut self, node: NodeId, keywords: &Keywords<'a>, cases: &mut Cases<'a>) -> Result<()> {
        for (keyword, key, value) in self.dependent(node, keywords)? {
            let present = only_objects(requiring(&[key]));
            match value {
                Value::Array(_) | Value::String(_) => {
                    let names = match value {
                        Value::String(name) => SmallVec::from_elem(name.as_str(), 1),
                        _ => self.names(node, keyword, value)?,
                    };
                    for name in names {
                        let absent = only_objects(forbidding(name));
                        cases.push(Rc::new(self.intersect(&present, &absent)?));
                    }
                }
                _ => {
                    let complement = self.child_complement(node, Step::KeyOf(keyword, key), value)?;
                    let complement = self.union_of(complement)?;
                    cases.push(Rc::new(self.intersect(&present, &complement)?));
                }
            }
        }
        Ok(())
    }
}

fn number_case<'a>(spec: NumberSpec) -> Alternatives<NumberShape<'a>> {
    Alternatives::one(NumberShape { set: NumberSet::Spec(spec), residues: Vec::new() })
}

fn string_case<'a>(spec: StringSpec, residues: Residues) -> Alternatives<StringShape<'a>> {
    Alternatives::one(StringShape { set: StringSet::Spec(spec), residues })
}

/// The numbers that are not whole.
fn not_whole() -> NumberSpec {
    NumberSpec { not_multiples: vec![Decimal::power(0)], ..NumberSpec::default() }
}

/// Arrays that are shorter than `min` or longer than `max`.
fn length_cases(min: u32, max: Option<u32>) -> SmallVec<[Rc<ArrayShape>; 1]> {
    let mut shapes = SmallVec::new();
    if min > 0 {
        shapes.push(Rc::new(ArrayShape { max: Some(min - 1), ..ArrayShape::any() }));
    }
    if let Some(max) = max {
        shapes.push(Rc::new(ArrayShape { min: max.saturating_add(1), ..ArrayShape::any() }));
    }
    shapes
}

/// Arrays whose element at `index` fits `element`.
fn differing_at(index: usize, element: ConjId) -> ArrayShape {
    let mut prefix = vec![ConjId::TRUE; index];
    prefix.push(element);
    ArrayShape { prefix, min: u32::try_from(index + 1).unwrap_or(u32::MAX), ..ArrayShape::any() }
}

/// Objects in which the value of `key` does not fit, as it fits `outside`. Where the key is required it may be missing as
/// well: one case says both.
fn violating(key: &str, outside: ConjId, is_required: bool) -> ObjectShape<'_> {
    let named = vec![Named { key, value: outside, required: !is_required, owner: None }];
    ObjectShape { named, ..ObjectShape::any() }
}
