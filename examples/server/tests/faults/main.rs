//! What does one client's fault do to the others? A server in this process, whose model says prompts back, and fails, waits
//! or panics where a test wants it.
//!
//! Nothing is timed: the model is held at a gate until everybody is where the test wants them, and deadlines are met by
//! waiting for them.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod api;
mod hang;
mod host;
mod model_errors;
mod panics;
mod readers;
mod texts;
mod uploads;
