//! What does each published profile admit? The tables, as data.

use super::super::Profile;

/// What a profile admits.
#[derive(Debug)]
pub(super) struct Table {
    /// How the profile is called in messages.
    pub(super) name: &'static str,
    /// Keywords that constrain instances and are admitted; other constraining keywords are violations.
    pub(super) keywords: &'static [&'static str],
    /// Formats that are admitted.
    pub(super) formats: &'static [&'static str],
    /// What must not stand in a pattern.
    pub(super) pattern_excludes: &'static [&'static str],
    /// The top-level schema must be of this type alone.
    pub(super) root_type: Option<&'static str>,
    /// What `required` must hold.
    pub(super) required: Required,
    /// Every object must have `additionalProperties: false`.
    pub(super) closed_objects: bool,
    /// Whether `const` and `enum` may hold arrays and objects.
    pub(super) compound_constants: bool,
    /// Limits on size; `None` is unlimited.
    pub(super) max_properties: Option<usize>,
    pub(super) max_depth: Option<usize>,
    pub(super) max_name_chars: Option<usize>,
    pub(super) max_enum_values: Option<usize>,
    /// An enum of more strings than the first may hold at most so many characters as the second says.
    pub(super) max_long_enum: Option<(usize, usize)>,
}

/// What a profile asks of `required`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Required {
    /// Nothing.
    Free,
    /// At least one property.
    One,
    /// All properties.
    All,
}

const COHERE_KEYWORDS: &[&str] = &[
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "enum",
    "format",
    "items",
    "pattern",
    "properties",
    "required",
    "type",
];

const COHERE_JSON: Table = Table {
    name: "Cohere's JSON mode",
    keywords: COHERE_KEYWORDS,
    formats: &["date-time", "uuid", "date", "time"],
    pattern_excludes: &["^", "$", "?=", "?!"],
    root_type: Some("object"),
    required: Required::One,
    closed_objects: false,
    compound_constants: false,
    max_properties: None,
    max_depth: None,
    max_name_chars: None,
    max_enum_values: None,
    max_long_enum: None,
};

const COHERE_TOOLS: Table = Table { name: "Cohere's strict tools", max_properties: Some(200), ..COHERE_JSON };

const OPEN_AI_STRICT: Table = Table {
    name: "OpenAI's strict mode",
    keywords: &[
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "multipleOf",
        "pattern",
        "properties",
        "required",
        "type",
    ],
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
    pattern_excludes: &[],
    root_type: Some("object"),
    required: Required::All,
    closed_objects: true,
    compound_constants: true,
    max_properties: Some(5_000),
    max_depth: Some(10),
    max_name_chars: Some(120_000),
    max_enum_values: Some(1_000),
    max_long_enum: Some((250, 15_000)),
};

/// The table of a profile; `None` where everything is admitted.
pub(super) fn table(profile: Profile) -> Option<&'static Table> {
    match profile {
        Profile::Full => None,
        Profile::CohereJson => Some(&COHERE_JSON),
        Profile::CohereTools => Some(&COHERE_TOOLS),
        Profile::OpenAiStrict => Some(&OPEN_AI_STRICT),
    }
}
