//! Which options say how a schema is to be taken? Shared by all commands that take one.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use formwork::Grammar;
use formwork::grammar::KeyOrder;
use formwork::json_schema::{Layout, Profile, SchemaOptions};

use crate::failure::Failure;
use crate::input::read_text;

/// How strictly a schema is taken.
#[derive(Args, Debug)]
pub(crate) struct StrictnessArgs {
    /// Published subset that the schema must keep to
    #[arg(long, value_enum, default_value_t)]
    profile: ProfileName,
    /// Leave out what cannot be enforced instead of refusing the schema
    #[arg(long)]
    relax: bool,
    /// Refuse formats that no draft defines instead of ignoring them
    #[arg(long)]
    refuse_unknown_formats: bool,
    /// Let properties come in any order (default: as the schema lists them)
    #[arg(long)]
    any_order: bool,
}

/// How the output is laid out.
#[derive(Args, Debug)]
pub(crate) struct LayoutArgs {
    /// Whitespace and length of numbers
    #[arg(long, value_enum, default_value_t)]
    layout: LayoutName,
}

/// A schema that is the command's first argument.
#[derive(Args, Debug)]
pub(crate) struct SchemaArg {
    /// File with a JSON Schema; - is standard input
    #[arg(value_name = "SCHEMA")]
    pub(crate) path: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ProfileName {
    /// All that the engine enforces
    #[default]
    Full,
    /// Cohere's structured outputs
    CohereJson,
    /// Cohere's strict tools
    CohereTools,
    /// OpenAI's strict structured outputs
    OpenaiStrict,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LayoutName {
    /// Any whitespace, but not endless; numbers of bounded length
    #[default]
    Bounded,
    /// No whitespace
    Compact,
    /// One space after commas and colons
    Spaced,
    /// All that JSON allows
    Free,
}

impl StrictnessArgs {
    /// The options, with a layout.
    pub(crate) fn options(&self, layout: Layout) -> SchemaOptions {
        let profile = match self.profile {
            ProfileName::Full => Profile::Full,
            ProfileName::CohereJson => Profile::CohereJson,
            ProfileName::CohereTools => Profile::CohereTools,
            ProfileName::OpenaiStrict => Profile::OpenAiStrict,
        };
        SchemaOptions {
            layout,
            profile,
            relax_unsupported: self.relax,
            refuse_unknown_formats: self.refuse_unknown_formats,
            key_order: if self.any_order { KeyOrder::Any } else { KeyOrder::Listed },
            ..SchemaOptions::default()
        }
    }
}

impl LayoutArgs {
    /// The layout that was named.
    pub(crate) fn layout(&self) -> Layout {
        match self.layout {
            LayoutName::Bounded => Layout::BOUNDED,
            LayoutName::Compact => Layout::COMPACT,
            LayoutName::Spaced => Layout::SPACED,
            LayoutName::Free => Layout::FREE,
        }
    }
}

impl SchemaArg {
    /// The schema in the file as a grammar.
    pub(crate) fn grammar(&self, options: SchemaOptions) -> Result<Grammar, Failure> {
        Ok(Grammar::json_schema_text(read_text(&self.path)?).with_options(options))
    }
}
