//! Which groups of keywords does a metaschema switch on? What `$vocabulary` lists, by group.

use serde_json::{Map, Value};

use super::dialect::Dialect;
use super::keyword::Keyword;

/// A set of schema vocabularies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vocabularies(u8);

impl Vocabularies {
    const CORE: Vocabularies = Vocabularies(1);
    const APPLICATOR: Vocabularies = Vocabularies(2);
    const UNEVALUATED: Vocabularies = Vocabularies(4);
    const VALIDATION: Vocabularies = Vocabularies(8);
    const FORMAT: Vocabularies = Vocabularies(16);
    const CONTENT: Vocabularies = Vocabularies(32);
    const FORMAT_ASSERTION: Vocabularies = Vocabularies(64);

    /// Those of a draft's own metaschema, where formats are annotations.
    pub(super) const STANDARD: Vocabularies = Vocabularies(63);

    const fn and(self, other: Vocabularies) -> Vocabularies {
        Vocabularies(self.0 | other.0)
    }

    fn holds(self, other: Vocabularies) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether a metaschema asks for formats to be asserted.
    pub(super) fn asserts_formats(self) -> bool {
        self.holds(Vocabularies::FORMAT_ASSERTION)
    }

    /// Whether the keyword is in one of them.
    pub(super) fn hold(self, keyword: Keyword) -> bool {
        self.holds(vocabulary_of(keyword))
    }

    /// Reads `$vocabulary`; the name of the first one that is required and that we do not know stands beside them.
    pub(super) fn read(listed: &Map<String, Value>) -> (Vocabularies, Option<&str>) {
        let (mut vocabularies, mut unknown) = (Vocabularies::CORE, None);
        for (uri, required) in listed {
            let required = required == &Value::Bool(true);
            match known(uri, required) {
                Some(known) => vocabularies = vocabularies.and(known),
                None if required => unknown = unknown.or(Some(uri.as_str())),
                None => {}
            }
        }
        (vocabularies, unknown)
    }
}

fn known(uri: &str, required: bool) -> Option<Vocabularies> {
    let (draft, name) = uri.strip_prefix("https://json-schema.org/draft/")?.split_once("/vocab/")?;
    let formats_asserted = Vocabularies::FORMAT.and(Vocabularies::FORMAT_ASSERTION);
    Some(match (draft, name) {
        ("2019-09" | "2020-12", "core" | "meta-data") => Vocabularies::CORE,
        ("2019-09", "applicator") => Vocabularies::APPLICATOR.and(Vocabularies::UNEVALUATED),
        ("2020-12", "applicator") => Vocabularies::APPLICATOR,
        ("2020-12", "unevaluated") => Vocabularies::UNEVALUATED,
        ("2019-09" | "2020-12", "validation") => Vocabularies::VALIDATION,
        ("2019-09" | "2020-12", "content") => Vocabularies::CONTENT,
        // 2019-09: one that is required asserts formats.
        ("2019-09", "format") if required => formats_asserted,
        ("2019-09", "format") | ("2020-12", "format-annotation") => Vocabularies::FORMAT,
        ("2020-12", "format-assertion") => formats_asserted,
        _ => return None,
    })
}

fn vocabulary_of(keyword: Keyword) -> Vocabularies {
    use Keyword as K;
    match keyword {
        K::Items | K::PrefixItems | K::AdditionalItems | K::Contains | K::Properties | K::PatternProperties => {
            Vocabularies::APPLICATOR
        }
        K::AdditionalProperties | K::PropertyNames | K::Dependencies | K::DependentSchemas => Vocabularies::APPLICATOR,
        K::AllOf | K::AnyOf | K::OneOf | K::Not | K::If | K::Then | K::Else => Vocabularies::APPLICATOR,
        K::UnevaluatedItems | K::UnevaluatedProperties => Vocabularies::UNEVALUATED,
        K::Type | K::Enum | K::Const | K::Minimum | K::Maximum | K::ExclusiveMinimum | K::ExclusiveMaximum => {
            Vocabularies::VALIDATION
        }
        K::MultipleOf | K::MinLength | K::MaxLength | K::Pattern | K::MinItems | K::MaxItems | K::UniqueItems => {
            Vocabularies::VALIDATION
        }
        K::MinContains | K::MaxContains | K::Required | K::MinProperties | K::MaxProperties | K::DependentRequired => {
            Vocabularies::VALIDATION
        }
        K::Format => Vocabularies::FORMAT,
        K::ContentEncoding | K::ContentMediaType => Vocabularies::CONTENT,
        _ => Vocabularies::CORE,
    }
}

/// How schemas are read: by which draft's rules, and which keywords of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Language<'a> {
    pub(super) dialect: Dialect,
    pub(super) vocabularies: Vocabularies,
    /// A vocabulary that the metaschema requires and that we do not know.
    pub(super) unknown: Option<&'a str>,
}

impl Language<'_> {
    /// A draft as it is.
    pub(super) fn of(dialect: Dialect) -> Self {
        Language { dialect, vocabularies: Vocabularies::STANDARD, unknown: None }
    }
}
