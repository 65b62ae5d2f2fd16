//! What do Cohere's clients speak? `/v2/chat`, with the structured outputs that Cohere documents, limits included.
//!
//! What is not documented was decided so:
//! - A level of nesting is an object or an array, the outermost object among them.
//! - A pattern describes the whole string. With `--cohere-full` this holds for patterns that keep to Cohere's subset; one
//!   with `^`, `$`, `?=` or `?!` means what JSON Schema says. So the option changes no schema that was taken without it.
//! - Objects of a schema or of a strict tool have no properties but those that are named, unless the schema says so:
//!   Cohere promises that no parameter is made up.
//! - Text before the first call is the tool plan, unless it is longer than a plan is (see [`answer`]).
//! - `thinking`, `safety_mode`, `citation_options` and `priority` are checked where they have a range, and change nothing:
//!   the models that are served have none of it.
//! - `documents` stand in the system message. Nothing is cited.

mod answer;
mod chat;
mod fields;
mod grammar;
mod limits;
mod messages;
mod request;
mod schemas;
mod stream;
mod tools;

pub(crate) use self::chat::chat;
