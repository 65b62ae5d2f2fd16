//! What is answered to a request that comes by no connection? The router is asked as it stands: for tests and fuzzing.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use tower::ServiceExt as _;

use crate::app::router;
use crate::service::Service;

/// Status and body of the answer to a POST request; a stream is read to its end.
///
/// # Panics
/// When `path` is none, or the body breaks off, which it does only with its connection.
pub async fn ask(service: Arc<Service>, path: &str, body: impl Into<Body>) -> (u16, Vec<u8>) {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json").body(body.into());
    let answer = router(service).oneshot(request.expect("a path")).await;
    let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body without a connection");
    (head.status.as_u16(), body.to_vec())
}
