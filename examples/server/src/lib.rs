//! A server with the structured outputs of Cohere and LMDeploy, and the shapes that OpenAI's clients speak, on any backend.
//!
//! The program loads a model and [serves](serve) it. Tests bring a model of their own ([`echo`]), and ask the [`router`]
//! with or without a connection.
//!
//! **Features.** `backends`, on by default, brings candle and ONNX Runtime, and with them the program.

mod app;
mod ask;
mod calls;
mod cohere;
mod connection;
pub mod echo;
mod failure;
mod ids;
mod layout;
mod metrics;
mod model;
mod openai;
mod options;
mod pieces;
mod playground;
mod pulse;
mod request;
mod scheduler;
mod serve;
mod service;
mod sse;
mod thinking;
mod tools;

pub use crate::app::router;
pub use crate::ask::ask;
pub use crate::model::{PromptTemplate, ServedModel};
pub use crate::options::{BackendChoice, Options};
pub use crate::serve::serve;
pub use crate::service::Service;
