//! Which draft is a schema written in, and which keywords does it know?

use Draft::{Draft4, Draft6, Draft7, Draft2019, Draft2020};
use serde_json::{Map, Value};

/// A draft of JSON Schema, in order of age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Draft {
    /// draft-04
    Draft4,
    /// draft-06
    Draft6,
    /// draft-07
    Draft7,
    /// 2019-09
    Draft2019,
    /// 2020-12
    Draft2020,
    /// No `$schema`: as 2020-12, and the keywords that it dropped keep their last meaning.
    Unspecified,
}

impl Draft {
    /// All of them.
    pub const ALL: [Draft; 6] = [Draft4, Draft6, Draft7, Draft2019, Draft2020, Draft::Unspecified];

    /// The value of `$schema`; `None` for the draft of schemas without one.
    pub fn uri(self) -> Option<&'static str> {
        match self {
            Draft4 => Some("http://json-schema.org/draft-04/schema#"),
            Draft6 => Some("http://json-schema.org/draft-06/schema#"),
            Draft7 => Some("http://json-schema.org/draft-07/schema#"),
            Draft2019 => Some("https://json-schema.org/draft/2019-09/schema"),
            Draft2020 => Some("https://json-schema.org/draft/2020-12/schema"),
            Draft::Unspecified => None,
        }
    }

    /// The draft that a `$schema` names.
    pub fn from_uri(uri: &str) -> Option<Draft> {
        let bare = |uri: &'static str| uri.trim_end_matches('#');
        Draft::ALL.into_iter().find(|draft| draft.uri().is_some_and(|known| bare(known) == uri.trim_end_matches('#')))
    }

    /// Whether the draft has the keyword.
    pub fn knows(self, keyword: &str) -> bool {
        let (first, last) = match keyword {
            "const" | "contains" | "propertyNames" => (Draft6, Draft2020),
            "if" | "then" | "else" => (Draft7, Draft2020),
            "minContains"
            | "maxContains"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "dependentRequired"
            | "dependentSchemas" => (Draft2019, Draft2020),
            "$recursiveRef" => (Draft2019, Draft2019),
            "$dynamicRef" | "prefixItems" => (Draft2020, Draft2020),
            "additionalItems" => (Draft4, Draft2019),
            _ => (Draft4, Draft2020),
        };
        match self {
            Draft::Unspecified => keyword != "$recursiveRef",
            draft => first <= draft && draft <= last,
        }
    }

    /// "All other properties in a "$ref" object MUST be ignored." (draft-07, section 8.3, and before it)
    pub fn ref_hides_siblings(self) -> bool {
        self <= Draft7
    }

    /// The identifier of a schema object.
    pub fn id(self, schema: &Map<String, Value>) -> Option<&str> {
        if self.ref_hides_siblings() && schema.contains_key("$ref") {
            return None;
        }
        let keyword = if self == Draft4 { "id" } else { "$id" };
        schema.get(keyword)?.as_str()
    }
}
