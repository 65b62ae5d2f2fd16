//! How does an answer go out while it is written? Server-sent events from a task that ends when its reader is gone.

use std::convert::Infallible;

use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::failure::{Dialect, Failure};

/// Events that wait for a slow reader before the task waits, too.
const MAX_WAITING: usize = 64;

/// Where a task puts its events.
#[derive(Clone, Debug)]
pub(crate) struct Sender(mpsc::Sender<Result<Event, Infallible>>);

impl Sender {
    /// An event of data alone.
    pub(crate) async fn data(&self, data: Value) -> Result<(), Failure> {
        self.send(Event::default().data(data.to_string())).await
    }

    /// An event with a name.
    pub(crate) async fn named(&self, name: &str, data: Value) -> Result<(), Failure> {
        self.send(Event::default().event(name).data(data.to_string())).await
    }

    /// What ends a stream.
    pub(crate) async fn done(&self) -> Result<(), Failure> {
        self.send(Event::default().data("[DONE]")).await
    }

    async fn send(&self, event: Event) -> Result<(), Failure> {
        // Nobody reads what is said of a reader that is gone.
        self.0.send(Ok(event)).await.map_err(|_| Failure::new(StatusCode::REQUEST_TIMEOUT, "the client is gone"))
    }
}

/// A response whose events `write` makes. An error in the middle is the last event. When the client goes away, the next
/// event fails to be sent, the task ends, and the answers that it holds are cancelled.
pub(crate) fn stream<F>(dialect: Dialect, write: impl FnOnce(Sender) -> F) -> Response
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    let out = Sender(sender);
    let writing = write(out.clone());
    tokio::spawn(async move {
        let gone = out.0.clone();
        let outcome = tokio::select! {
            outcome = writing => outcome,
            // A client that goes away while nothing is sent is noticed, too.
            () = gone.closed() => return,
        };
        if let Err(failure) = outcome {
            let _ = out.data(failure.body(dialect)).await;
        }
    });
    let events = Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default());
    ([(header::CACHE_CONTROL, "no-store"), (header::HeaderName::from_static("x-accel-buffering"), "no")], events)
        .into_response()
}
