//! What does the server answer? The program itself with the model that ships, asked over HTTP.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod cohere;
mod cohere_limits;
mod cohere_stream;
#[path = "../common/mod.rs"]
mod common;
mod grammars;
mod responses;
mod server;
