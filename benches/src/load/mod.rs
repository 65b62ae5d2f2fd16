//! How does a server bear many clients at once? Requests over HTTP, and what became of them.

mod http;

pub use http::{HttpAnswer, HttpClient, events, metric};
