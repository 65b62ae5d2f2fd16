//! What do `enum` and `const` say? Constants as shapes, so that they combine with everything else.

use std::borrow::Cow;

use serde_json::Value;
use smallvec::smallvec;

use super::Reducer;
use crate::automata::NumberForm;
use crate::json_schema::document::{NodeId, NodeKind, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{
    Alternatives, ArrayShape, ConjId, KeyClass, KeyRule, Named, NumberLiteral, NumberSet, NumberShape, ObjectShape,
    Owner, StringSet, StringShape, Union,
};

impl<'a> Reducer<'a> {
    /// Narrows `union` to what `enum` and `const` list.
    pub(super) fn reduce_values(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        union: Union<'a>,
    ) -> Result<Union<'a>> {
        let mut union = union;
        for keyword in [Keyword::Enum, Keyword::Const] {
            if let Some(values) = self.listed(node, keywords, keyword)? {
                union = self.intersect(&values, &union)?;
                self.note_empty(node, keyword, &union);
            }
        }
        Ok(union)
    }

    /// The values that `keyword` lists, if it is there.
    pub(super) fn listed(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        keyword: Keyword,
    ) -> Result<Option<Union<'a>>> {
        let Some(value) = keywords.get(keyword) else { return Ok(None) };
        if keyword == Keyword::Const {
            return self.constants(node, |_| Step::Key("const"), std::slice::from_ref(value)).map(Some);
        }
        let Value::Array(values) = value else {
            return Err(self.document.malformed(node, Keyword::Enum, "an array"));
        };
        self.constants(node, |index| Step::IndexOf(Keyword::Enum, index), values).map(Some)
    }

    fn constants(&mut self, node: NodeId, step: impl Fn(usize) -> Step<'a>, values: &'a [Value]) -> Result<Union<'a>> {
        self.step(node, values.len())?;
        let mut union = Union::none();
        let (mut numbers, mut strings) = (Vec::new(), Vec::new());
        let (mut arrays, mut objects) = (smallvec![], smallvec![]);
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::Null => union.null = true,
                Value::Bool(boolean) => union.booleans[usize::from(*boolean)] = true,
                Value::Number(_) => numbers.extend(self.literal(node, value)?),
                Value::String(text) => strings.push(Cow::Borrowed(text.as_str())),
                Value::Array(_) | Value::Object(_) => {
                    let constant = self.document.child(node, step(index), value, NodeKind::Constant)?;
                    let shapes = self.reduce_constant(constant)?;
                    arrays.extend(shapes.arrays.shapes().iter().cloned());
                    objects.extend(shapes.objects.shapes().iter().cloned());
                }
            }
        }
        if !numbers.is_empty() {
            union.numbers = Alternatives::one(NumberShape { set: NumberSet::Finite(numbers), residues: Vec::new() });
        }
        if !strings.is_empty() {
            union.strings = Alternatives::one(StringShape { set: StringSet::Finite(strings), residues: Vec::new() });
        }
        (union.arrays, union.objects) = (Alternatives::Of(arrays), Alternatives::Of(objects));
        Ok(union)
    }

    /// The union of exactly one instance.
    pub(super) fn reduce_constant(&mut self, node: NodeId) -> Result<Union<'a>> {
        let mut union = Union::none();
        match self.document.value(node) {
            Value::Null => union.null = true,
            Value::Bool(boolean) => union.booleans[usize::from(*boolean)] = true,
            value @ Value::Number(_) => {
                let set = NumberSet::Finite(self.literal(node, value)?.into_iter().collect());
                union.numbers = Alternatives::one(NumberShape { set, residues: Vec::new() });
            }
            Value::String(text) => {
                let set = StringSet::Finite(vec![Cow::Borrowed(text.as_str())]);
                union.strings = Alternatives::one(StringShape { set, residues: Vec::new() });
            }
            Value::Array(elements) => {
                let mut prefix = Vec::with_capacity(elements.len());
                for (index, element) in elements.iter().enumerate() {
                    prefix.push(self.constant_inside(node, Step::Index(index), element)?);
                }
                let length = u32::try_from(prefix.len()).unwrap_or(u32::MAX);
                union.arrays = Alternatives::one(ArrayShape {
                    prefix,
                    rest: ConjId::FALSE,
                    min: length,
                    max: Some(length),
                    ..ArrayShape::any()
                });
            }
            Value::Object(map) => {
                let owner = self.owner(Owner { names: smallvec![map], patterns: smallvec![] });
                let mut named = Vec::with_capacity(map.len());
                for (key, value) in map {
                    let value = self.constant_inside(node, Step::Key(key), value)?;
                    named.push(Named { key, value, required: true, owner: Some(owner) });
                }
                let rules = smallvec![KeyRule { class: KeyClass::Except(owner), value: ConjId::FALSE }];
                union.objects = Alternatives::one(ObjectShape { named, rules, ..ObjectShape::any() });
            }
        }
        Ok(union)
    }

    pub(super) fn constant_inside(&mut self, node: NodeId, step: Step<'a>, value: &'a Value) -> Result<ConjId> {
        self.step(node, 1)?;
        let constant = self.document.child(node, step, value, NodeKind::Constant)?;
        self.conj_of(constant)
    }

    /// A number as it is spelled; `None` for what is no number.
    pub(super) fn literal(&self, node: NodeId, value: &Value) -> Result<Option<NumberLiteral<'a>>> {
        let number = self.number(node, Keyword::Const, value)?;
        Ok(number.map(|(value, text)| NumberLiteral { value, text: Cow::Owned(text), form: NumberForm::Free }))
    }
}
