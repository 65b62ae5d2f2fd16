//! How does a server bear many clients at once? Requests over HTTP, and what became of them.
//!
//! `http` asks, `schemas` chooses what is asked for and `hostile` what no server should suffer from, `clients` play for a
//! while and tell what they got, `server` starts a server and watches its process, and `report` puts figures side by side.

mod clients;
mod hostile;
mod http;
mod report;
mod schemas;
mod server;

pub use clients::{Mix, Tally, play};
pub use http::{HttpAnswer, HttpClient, events, metric};
pub use report::{Phase, render};
pub use schemas::{CheckedSchema, catalogue};
pub use server::{ServerFigures, StartedServer, process_figures, server_figures, wait_until_idle};

/// The route that is asked.
pub const CHAT: &str = "/v1/chat/completions";
