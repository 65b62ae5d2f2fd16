//! Which draft of JSON Schema is a schema written in, and what does that change?

/// A draft of JSON Schema, in order of age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialect {
    /// draft-04 (draft-03's boolean `required` is tolerated as well).
    Draft4,
    /// draft-06.
    Draft6,
    /// draft-07.
    Draft7,
    /// 2019-09.
    Draft2019,
    /// 2020-12.
    Draft2020,
    /// No `$schema`, or one we do not know: 2020-12, with the older drafts' spellings accepted.
    Unspecified,
}

impl Dialect {
    /// The dialect that a `$schema` URI names.
    pub(super) fn from_uri(uri: &str) -> Dialect {
        let uri = uri.trim_end_matches('#');
        let path = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")).unwrap_or(uri);
        match path {
            "json-schema.org/draft-04/schema" | "json-schema.org/draft-03/schema" => Dialect::Draft4,
            "json-schema.org/draft-06/schema" => Dialect::Draft6,
            "json-schema.org/draft-07/schema" => Dialect::Draft7,
            "json-schema.org/draft/2019-09/schema" => Dialect::Draft2019,
            "json-schema.org/draft/2020-12/schema" => Dialect::Draft2020,
            _ => Dialect::Unspecified,
        }
    }

    /// Whether `$ref` hides the keywords beside it.
    pub(super) fn ref_hides_siblings(self) -> bool {
        self <= Dialect::Draft7
    }

    /// Whether `id` (without the dollar sign) names a resource.
    pub(super) fn has_plain_id(self) -> bool {
        matches!(self, Dialect::Draft4 | Dialect::Unspecified)
    }

    /// Whether elements that `contains` speaks of are evaluated.
    pub(super) fn contains_evaluates(self) -> bool {
        self >= Dialect::Draft2020
    }

    /// Whether `additionalItems` speaks of what follows an array of `items`.
    pub(super) fn has_additional_items(self) -> bool {
        self != Dialect::Draft2020
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn scheme_and_fragment_do_not_matter() {
        for uri in ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema"] {
            assert_eq!(Dialect::from_uri(uri), Dialect::Draft7);
        }
        assert_eq!(Dialect::from_uri("http://example.com/"), Dialect::Unspecified);
    }
}
