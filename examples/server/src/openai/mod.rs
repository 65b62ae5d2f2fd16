//! What do OpenAI's clients speak? Chat completions, completions, responses and models, with the fields that other servers'
//! clients add.

pub(crate) mod chat;
pub(crate) mod completions;
mod constraint;
pub(crate) mod format;
pub(crate) mod logprobs;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod responses;
pub(crate) mod tools;
