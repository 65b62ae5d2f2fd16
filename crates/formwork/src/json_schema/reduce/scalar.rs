//! What do `type` and the keywords of numbers and strings say?

use std::borrow::Cow;

use serde_json::Value;

use super::Reducer;
use crate::automata::decide::{Emptiness, number_emptiness};
use crate::automata::{Bound, ContentConstraint, ContentLanguage, Decimal, NumberForm, NumberSpec, StringSpec};
use crate::error::ViolationKind;
use crate::json_schema::content::{Content, content};
use crate::json_schema::dialect::Dialect;
use crate::json_schema::document::NodeId;
use crate::json_schema::fault::{Result, refusal};
use crate::json_schema::format::{self, Format};
use crate::json_schema::keyword::{Keyword, Keywords};
use crate::json_schema::shape::{
    Alternatives, NumberSet, NumberShape, ResidueId, Residues, StringSet, StringShape, Union,
};
use crate::json_schema::{ContentMode, FormatMode};

/// The JSON types that a schema admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Types {
    pub(super) null: bool,
    pub(super) boolean: bool,
    pub(super) integer: bool,
    pub(super) number: bool,
    pub(super) string: bool,
    pub(super) array: bool,
    pub(super) object: bool,
}

impl Types {
    const NONE: Types = Types {
        null: false,
        boolean: false,
        integer: false,
        number: false,
        string: false,
        array: false,
        object: false,
    };
    const ALL: Types =
        Types { null: true, boolean: true, integer: true, number: true, string: true, array: true, object: true };

    /// Adds a type by name; false for a name that is none.
    fn add(&mut self, name: &str) -> bool {
        match name {
            "null" => self.null = true,
            "boolean" => self.boolean = true,
            "integer" => self.integer = true,
            "number" => (self.number, self.integer) = (true, true),
            "string" => self.string = true,
            "array" => self.array = true,
            "object" => self.object = true,
            _ => return false,
        }
        true
    }
}

/// Most digits of a number in a schema, written out.
const MAX_EXPONENT: i64 = 4_000;

const NUMBER_KEYWORDS: [Keyword; 5] =
    [Keyword::Minimum, Keyword::Maximum, Keyword::ExclusiveMinimum, Keyword::ExclusiveMaximum, Keyword::MultipleOf];
const STRING_KEYWORDS: [Keyword; 6] = [
    Keyword::MinLength,
    Keyword::MaxLength,
    Keyword::Pattern,
    Keyword::Format,
    Keyword::ContentEncoding,
    Keyword::ContentMediaType,
];

impl<'a> Reducer<'a> {
    /// Reads `type`.
    pub(super) fn types(&self, node: NodeId, keywords: &Keywords<'a>) -> Result<Types> {
        let mut types = Types::NONE;
        let unknown = |name: &str| {
            let shown: String = name.chars().take(60).collect();
            refusal(&self.document, ViolationKind::Malformed, node, "type", format!("{shown:?} is no JSON type"))
        };
        match keywords.get(Keyword::Type) {
            None => return Ok(Types::ALL),
            Some(Value::String(name)) if types.add(name) => {}
            Some(Value::String(name)) => return Err(unknown(name)),
            Some(Value::Array(names)) => {
                for name in names {
                    match name {
                        Value::String(name) if types.add(name) => {}
                        Value::String(name) => return Err(unknown(name)),
                        _ => return Err(self.document.malformed(node, Keyword::Type, "a type name or a list of them")),
                    }
                }
            }
            Some(_) => return Err(self.document.malformed(node, Keyword::Type, "a type name or a list of them")),
        }
        Ok(types)
    }

    /// What `type` and the keywords that speak of one type alone say.
    pub(super) fn reduce_types(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Union<'a>> {
        let types = self.types(node, keywords)?;
        let mut union = Union::none();
        union.null = types.null;
        union.booleans = [types.boolean; 2];
        if types.integer || types.number {
            union.numbers = self.numbers(node, keywords, !types.number)?;
        }
        if types.string {
            union.strings = self.strings(node, keywords)?;
        }
        if types.array {
            union.arrays = self.arrays(node, keywords)?;
        }
        if types.object {
            union.objects = self.objects(node, keywords)?;
        }
        self.note_empty(node, first_narrowing(keywords), &union);
        Ok(union)
    }

    fn numbers(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
        integer: bool,
    ) -> Result<Alternatives<NumberShape<'a>>> {
        let format = self.number_format(node, keywords)?;
        if !integer && format.is_none() && !keywords.has_any(&NUMBER_KEYWORDS) {
            return Ok(Alternatives::Any);
        }
        let format = format.unwrap_or_default();
        // Up to draft-04 the spelling tells integers from other numbers.
        let by_spelling = integer && self.document.dialect(node) == Dialect::Draft4;
        let spec = NumberSpec {
            integer: integer || format.integer,
            form: if by_spelling { NumberForm::Digits } else { NumberForm::Free },
            minimum: tighter_minimum(self.lower_bound(node, keywords)?, format.minimum),
            maximum: tighter_maximum(self.upper_bound(node, keywords)?, format.maximum),
            multiples: self.multiple(node, keywords)?.into_iter().collect(),
            ..NumberSpec::default()
        };
        if excludes_all(&spec) {
            return Ok(Alternatives::none());
        }
        if spec == NumberSpec::default() {
            return Ok(Alternatives::Any);
        }
        Ok(Alternatives::one(NumberShape { set: NumberSet::Spec(spec), residues: Vec::new() }))
    }

    /// The least value that `minimum` and `exclusiveMinimum` leave.
    pub(super) fn lower_bound(&self, node: NodeId, keywords: &Keywords<'a>) -> Result<Option<Bound>> {
        let (inclusive, exclusive) = self.bounds(node, keywords, Keyword::Minimum, Keyword::ExclusiveMinimum)?;
        Ok(tighter(inclusive, exclusive, |left, right| left > right))
    }

    /// The greatest value that `maximum` and `exclusiveMaximum` leave.
    pub(super) fn upper_bound(&self, node: NodeId, keywords: &Keywords<'a>) -> Result<Option<Bound>> {
        let (inclusive, exclusive) = self.bounds(node, keywords, Keyword::Maximum, Keyword::ExclusiveMaximum)?;
        Ok(tighter(inclusive, exclusive, |left, right| left < right))
    }

    fn bounds(
        &self,
        node: NodeId,
        keywords: &Keywords<'a>,
        bound: Keyword,
        exclusive: Keyword,
    ) -> Result<(Option<Bound>, Option<Bound>)> {
        let (bound_exclusive, own) = match keywords.get(exclusive) {
            Some(Value::Bool(flag)) => (*flag, None),
            Some(value) => (false, Some(Bound { value: self.decimal(node, exclusive, value)?, exclusive: true })),
            None => (false, None),
        };
        let bound = match keywords.get(bound) {
            Some(value) => Some(Bound { value: self.decimal(node, bound, value)?, exclusive: bound_exclusive }),
            None => None,
        };
        Ok((bound, own))
    }

    pub(super) fn multiple(&self, node: NodeId, keywords: &Keywords<'a>) -> Result<Option<Decimal>> {
        let Some(value) = keywords.get(Keyword::MultipleOf) else { return Ok(None) };
        let multiple = self.decimal(node, Keyword::MultipleOf, value)?;
        if multiple.is_negative() || multiple.is_zero() {
            return Err(self.document.malformed(node, Keyword::MultipleOf, "above zero"));
        }
        if multiple.digits().len() > 18 {
            let reason = "more than 18 significant digits";
            return Err(refusal(&self.document, ViolationKind::Limit, node, Keyword::MultipleOf.name(), reason));
        }
        Ok(Some(multiple))
    }

    fn decimal(&self, node: NodeId, keyword: Keyword, value: &Value) -> Result<Decimal> {
        match self.number(node, keyword, value)? {
            Some((decimal, _)) => Ok(decimal),
            None => Err(self.document.malformed(node, keyword, "a number")),
        }
    }

    /// A number's value and its text; `None` for what is no number.
    pub(super) fn number(&self, node: NodeId, keyword: Keyword, value: &Value) -> Result<Option<(Decimal, String)>> {
        let Value::Number(number) = value else { return Ok(None) };
        let long = self.long_numbers.and_then(|numbers| numbers.text(value));
        let text = long.map_or_else(|| number.to_string(), str::to_owned);
        let decimal = Decimal::parse(&text)
            .filter(|decimal| decimal.exponent().abs() <= MAX_EXPONENT && decimal.top().abs() <= MAX_EXPONENT);
        match decimal {
            Some(decimal) => Ok(Some((decimal, text))),
            None => {
                let reason = format!("a number has more than {MAX_EXPONENT} digits");
                Err(refusal(&self.document, ViolationKind::Limit, node, keyword.name(), reason))
            }
        }
    }

    /// A length or count; beyond 32 bits it saturates.
    pub(super) fn count(&self, node: NodeId, keywords: &Keywords<'a>, keyword: Keyword) -> Result<Option<u32>> {
        let Some(value) = keywords.get(keyword) else { return Ok(None) };
        let decimal = self.decimal(node, keyword, value)?;
        if decimal.is_negative() || !decimal.is_integer() {
            return Err(self.document.malformed(node, keyword, "a whole number, zero or above"));
        }
        let count = decimal.to_u64().unwrap_or(u64::MAX);
        Ok(Some(u32::try_from(count).unwrap_or(u32::MAX)))
    }

    /// A greatest length or count; beyond 2^31 there is none.
    pub(super) fn max_count(&self, node: NodeId, keywords: &Keywords<'a>, keyword: Keyword) -> Result<Option<u32>> {
        Ok(self.count(node, keywords, keyword)?.filter(|count| *count < 1 << 31))
    }

    fn strings(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Alternatives<StringShape<'a>>> {
        if !keywords.has_any(&STRING_KEYWORDS) {
            return Ok(Alternatives::Any);
        }
        let spec = StringSpec {
            min_chars: self.count(node, keywords, Keyword::MinLength)?.unwrap_or(0),
            max_chars: self.max_count(node, keywords, Keyword::MaxLength)?,
            ..StringSpec::default()
        };
        if spec.max_chars.is_some_and(|max| spec.min_chars > max) {
            return Ok(Alternatives::none());
        }
        let mut shape = StringShape { set: StringSet::Spec(spec), residues: Vec::new() };
        if let Some(pattern) = keywords.get(Keyword::Pattern) {
            let Value::String(source) = pattern else {
                return Err(self.document.malformed(node, Keyword::Pattern, "a string"));
            };
            let matched = self.pattern_shape(node, source)?;
            match self.intersect_string(&shape, &matched)? {
                Some(both) => shape = both,
                None => return Ok(Alternatives::none()),
            }
        }
        if let Some(formatted) = self.format_shape(node, keywords)? {
            match self.intersect_string(&shape, &formatted)? {
                Some(both) => shape = both,
                None => return Ok(Alternatives::none()),
            }
        }
        for (language, residues) in self.content(node, keywords)? {
            let content = language.map(|language| ContentConstraint { language, negated: false });
            let spec = StringSpec { content: content.into_iter().collect(), ..StringSpec::default() };
            match self.intersect_string(&shape, &StringShape { set: StringSet::Spec(spec), residues })? {
                Some(both) => shape = both,
                None => return Ok(Alternatives::none()),
            }
        }
        Ok(string_alternatives(shape))
    }

    /// The strings in which a pattern is found.
    pub(super) fn pattern_shape(&mut self, node: NodeId, source: &'a str) -> Result<StringShape<'a>> {
        let id = self.pattern(node, Keyword::Pattern, source)?;
        let pattern = &self.patterns[id.0 as usize];
        if let Some(words) = &pattern.words {
            let words = words.iter().map(|word| Cow::Owned(word.to_string())).collect();
            return Ok(StringShape { set: StringSet::Finite(words), residues: Vec::new() });
        }
        let set = StringSet::Spec(pattern.spec.clone());
        let unsupported = pattern.unsupported;
        let residues = match unsupported {
            Some(reason) => vec![self.residue(node, Keyword::Pattern, reason)],
            None => Vec::new(),
        };
        Ok(StringShape { set, residues })
    }

    /// Whether `format` constrains strings.
    pub(in crate::json_schema) fn asserts_formats(&self, node: NodeId) -> bool {
        self.options.formats == FormatMode::Assert || self.document.vocabularies(node).asserts_formats()
    }

    /// Whether `contentEncoding` and `contentMediaType` constrain strings.
    pub(in crate::json_schema) fn asserts_content(&self, node: NodeId) -> bool {
        match self.options.content {
            ContentMode::Assert => true,
            ContentMode::Annotate => false,
            ContentMode::ByDraft => self.document.dialect(node) == Dialect::Draft7,
        }
    }

    /// What `contentEncoding` and `contentMediaType` ask for: languages, or residues.
    pub(super) fn content(
        &mut self,
        node: NodeId,
        keywords: &Keywords<'a>,
    ) -> Result<Vec<(Option<ContentLanguage>, Residues)>> {
        if !self.asserts_content(node) {
            return Ok(Vec::new());
        }
        let mut texts = [None; 2];
        for (text, keyword) in texts.iter_mut().zip([Keyword::ContentEncoding, Keyword::ContentMediaType]) {
            *text = match keywords.get(keyword) {
                None => None,
                Some(Value::String(value)) => Some(value.as_str()),
                Some(_) => return Err(self.document.malformed(node, keyword, "a string")),
            };
        }
        let asked = content(texts[0], texts[1]).into_iter();
        let asked = asked.map(|(keyword, content)| match content {
            Content::Language(language) => (Some(language), Residues::default()),
            Content::Unsupported(reason) => (None, vec![self.residue(node, keyword, reason)]),
        });
        Ok(asked.collect())
    }

    /// The format that constrains instances at a node; `None` where there is none, or it is an annotation.
    pub(super) fn format(&self, node: NodeId, keywords: &Keywords<'a>) -> Result<Option<(&'a str, Format)>> {
        match keywords.get(Keyword::Format).filter(|_| self.asserts_formats(node)) {
            None => Ok(None),
            Some(Value::String(name)) => Ok(Some((name, format::lookup(name)))),
            Some(_) => Err(self.document.malformed(node, Keyword::Format, "a string")),
        }
    }

    /// Why a format cannot be enforced, as a residue.
    pub(super) fn format_residue(&mut self, node: NodeId, name: &str, format: &Format) -> Option<ResidueId> {
        let is_refused = *format == Format::Unknown && self.options.refuse_unknown_formats;
        is_refused.then(|| {
            let shown: String = name.chars().take(60).collect();
            self.residue(node, Keyword::Format, format!("no draft defines the format {shown:?}"))
        })
    }

    /// The strings of a format; `None` where it constrains none.
    pub(super) fn format_shape(&mut self, node: NodeId, keywords: &Keywords<'a>) -> Result<Option<StringShape<'a>>> {
        let Some((name, format)) = self.format(node, keywords)? else { return Ok(None) };
        let residue = self.format_residue(node, name, &format);
        Ok(match (format, residue) {
            (Format::Strings(spec), _) => Some(StringShape { set: StringSet::Spec(spec), residues: Vec::new() }),
            (_, Some(residue)) => {
                Some(StringShape { set: StringSet::Spec(StringSpec::default()), residues: vec![residue] })
            }
            _ => None,
        })
    }

    /// The numbers of a format; `None` where it constrains none.
    pub(super) fn number_format(&self, node: NodeId, keywords: &Keywords<'a>) -> Result<Option<NumberSpec>> {
        Ok(self.format(node, keywords)?.and_then(|(_, format)| match format {
            Format::Numbers(spec) => Some(spec),
            _ => None,
        }))
    }
}

/// The keyword that is named where the keywords of one type leave nothing of it.
fn first_narrowing(keywords: &Keywords<'_>) -> Keyword {
    let narrowing = [
        Keyword::Minimum,
        Keyword::ExclusiveMinimum,
        Keyword::Maximum,
        Keyword::MinLength,
        Keyword::MinItems,
        Keyword::MinProperties,
    ];
    narrowing.into_iter().find(|keyword| keywords.has(*keyword)).unwrap_or(Keyword::Type)
}

fn tighter(left: Option<Bound>, right: Option<Bound>, beats: fn(&Decimal, &Decimal) -> bool) -> Option<Bound> {
    match (left, right) {
        (Some(left), Some(right)) if left.value == right.value => {
            Some(Bound { exclusive: left.exclusive || right.exclusive, value: left.value })
        }
        (Some(left), Some(right)) => Some(if beats(&left.value, &right.value) { left } else { right }),
        (left, right) => left.or(right),
    }
}

/// The tighter of two lower bounds.
pub(super) fn tighter_minimum(left: Option<Bound>, right: Option<Bound>) -> Option<Bound> {
    tighter(left, right, |left, right| left > right)
}

/// The tighter of two upper bounds.
pub(super) fn tighter_maximum(left: Option<Bound>, right: Option<Bound>) -> Option<Bound> {
    tighter(left, right, |left, right| left < right)
}

/// Whether no number is left.
pub(super) fn excludes_all(spec: &NumberSpec) -> bool {
    let bounded = spec.minimum.is_some() && spec.maximum.is_some();
    let narrow = bounded || spec.values.is_some() || !spec.not_multiples.is_empty();
    narrow && number_emptiness(spec) == Emptiness::Empty
}

/// A shape as alternatives; one that says nothing is any string.
pub(super) fn string_alternatives(shape: StringShape<'_>) -> Alternatives<StringShape<'_>> {
    if shape.residues.is_empty() && shape.set == StringSet::Spec(StringSpec::default()) {
        return Alternatives::Any;
    }
    Alternatives::one(shape)
}
