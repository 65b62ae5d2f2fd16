//! Which keywords are there, since which draft, and which of them does a schema object hold?

use serde_json::{Map, Value};
use smallvec::SmallVec;

use super::dialect::Dialect;
use super::vocabularies::{Language, Vocabularies};

macro_rules! keywords {
    ($($variant:ident $name:literal $first:ident $last:ident;)*) => {
        /// A keyword that constrains instances or finds schemas; all others are annotations.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Keyword { $(#[doc = $name] $variant),* }

        const COUNT: usize = [$(Keyword::$variant),*].len();

        impl Keyword {
            /// All of them.
            pub(super) const ALL: [Keyword; COUNT] = [$(Keyword::$variant),*];

            /// The keyword of that name, if it is one.
            pub(super) fn from_name(name: &str) -> Option<Keyword> {
                match name { $($name => Some(Keyword::$variant),)* _ => None }
            }

            /// How it is written.
            pub(super) fn name(self) -> &'static str {
                match self { $(Keyword::$variant => $name),* }
            }

            /// Whether `dialect` knows it.
            pub(super) fn is_in(self, dialect: Dialect) -> bool {
                let (first, last) = match self {
                    $(Keyword::$variant => (Dialect::$first, Dialect::$last)),*
                };
                dialect == Dialect::Unspecified || (first <= dialect && dialect <= last)
            }
        }
    };
}

keywords! {
    Ref "$ref" Draft4 Unspecified;
    DynamicRef "$dynamicRef" Draft2020 Unspecified;
    RecursiveRef "$recursiveRef" Draft2019 Draft2019;
    Id "$id" Draft6 Unspecified;
    PlainId "id" Draft4 Draft4;
    Schema "$schema" Draft4 Unspecified;
    Type "type" Draft4 Unspecified;
    Enum "enum" Draft4 Unspecified;
    Const "const" Draft6 Unspecified;
    Minimum "minimum" Draft4 Unspecified;
    Maximum "maximum" Draft4 Unspecified;
    ExclusiveMinimum "exclusiveMinimum" Draft4 Unspecified;
    ExclusiveMaximum "exclusiveMaximum" Draft4 Unspecified;
    MultipleOf "multipleOf" Draft4 Unspecified;
    MinLength "minLength" Draft4 Unspecified;
    MaxLength "maxLength" Draft4 Unspecified;
    Pattern "pattern" Draft4 Unspecified;
    Format "format" Draft4 Unspecified;
    ContentEncoding "contentEncoding" Draft7 Unspecified;
    ContentMediaType "contentMediaType" Draft7 Unspecified;
    Items "items" Draft4 Unspecified;
    PrefixItems "prefixItems" Draft2020 Unspecified;
    AdditionalItems "additionalItems" Draft4 Draft2019;
    MinItems "minItems" Draft4 Unspecified;
    MaxItems "maxItems" Draft4 Unspecified;
    UniqueItems "uniqueItems" Draft4 Unspecified;
    Contains "contains" Draft6 Unspecified;
    MinContains "minContains" Draft2019 Unspecified;
    MaxContains "maxContains" Draft2019 Unspecified;
    UnevaluatedItems "unevaluatedItems" Draft2019 Unspecified;
    Properties "properties" Draft4 Unspecified;
    PatternProperties "patternProperties" Draft4 Unspecified;
    AdditionalProperties "additionalProperties" Draft4 Unspecified;
    Required "required" Draft4 Unspecified;
    MinProperties "minProperties" Draft4 Unspecified;
    MaxProperties "maxProperties" Draft4 Unspecified;
    PropertyNames "propertyNames" Draft6 Unspecified;
    Dependencies "dependencies" Draft4 Unspecified;
    DependentRequired "dependentRequired" Draft2019 Unspecified;
    DependentSchemas "dependentSchemas" Draft2019 Unspecified;
    UnevaluatedProperties "unevaluatedProperties" Draft2019 Unspecified;
    AllOf "allOf" Draft4 Unspecified;
    AnyOf "anyOf" Draft4 Unspecified;
    OneOf "oneOf" Draft4 Unspecified;
    Not "not" Draft4 Unspecified;
    If "if" Draft7 Unspecified;
    Then "then" Draft7 Unspecified;
    Else "else" Draft7 Unspecified;
}

/// The keywords of one schema object that its dialect knows, with their values. Most objects have a few.
#[derive(Debug)]
pub(super) struct Keywords<'a> {
    /// A bit for each that is there.
    present: u64,
    values: SmallVec<[(Keyword, &'a Value); 4]>,
}

const _: () = assert!(COUNT <= u64::BITS as usize);

impl<'a> Keywords<'a> {
    /// Reads a schema object. Where `$ref` hides its siblings, it alone is read.
    pub(super) fn read(map: &'a Map<String, Value>, language: Language<'_>) -> Keywords<'a> {
        let Language { dialect, vocabularies, .. } = language;
        let mut keywords = Keywords { present: 0, values: SmallVec::new() };
        for (name, value) in map {
            if let Some(keyword) = Keyword::from_name(name)
                && keyword.is_in(dialect)
                && (vocabularies == Vocabularies::STANDARD || vocabularies.hold(keyword))
            {
                keywords.present |= 1 << keyword as u32;
                keywords.values.push((keyword, value));
            }
        }
        if dialect.ref_hides_siblings() && keywords.has(Keyword::Ref) {
            keywords.present = 1 << Keyword::Ref as u32;
            keywords.values.retain(|(keyword, _)| *keyword == Keyword::Ref);
        }
        keywords
    }

    /// The value of `keyword`.
    pub(super) fn get(&self, keyword: Keyword) -> Option<&'a Value> {
        let values = || self.values.iter().find(|(other, _)| *other == keyword);
        if self.has(keyword) { values().map(|(_, value)| *value) } else { None }
    }

    /// Whether `keyword` is there.
    pub(super) fn has(&self, keyword: Keyword) -> bool {
        self.present >> keyword as u32 & 1 == 1
    }

    /// Whether any of them is there.
    pub(super) fn has_any(&self, keywords: &[Keyword]) -> bool {
        keywords.iter().any(|keyword| self.has(*keyword))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_gate_keywords() {
        assert!(!Keyword::Const.is_in(Dialect::Draft4));
        assert!(Keyword::Const.is_in(Dialect::Draft6));
        assert!(!Keyword::AdditionalItems.is_in(Dialect::Draft2020));
        assert!(Keyword::AdditionalItems.is_in(Dialect::Unspecified));
    }

    #[test]
    fn a_reference_hides_its_siblings_up_to_draft_7() {
        let schema = serde_json::json!({"type": "string", "$ref": "#"});
        let map = schema.as_object().unwrap();
        assert!(!Keywords::read(map, Language::of(Dialect::Draft7)).has(Keyword::Type));
        assert!(Keywords::read(map, Language::of(Dialect::Unspecified)).has(Keyword::Type));
    }
}
