//! Which route does what? The router, and what every request passes: key, size, count and log.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Bytes, HttpBody as _};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::FutureExt;
use subtle::ConstantTimeEq;
use tokio::time::timeout;

use crate::cohere;
use crate::failure::{Dialect, Failure};
use crate::openai;
use crate::playground;
use crate::service::Service;

/// What the routes take and answer: OpenAPI 3.1.
const OPENAPI: &str = include_str!("openapi.json");

type Shared = State<Arc<Service>>;

/// All routes.
pub fn router(service: Arc<Service>) -> Router {
    let max_body_bytes = service.options.max_body_bytes;
    let answering = Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .route("/v2/chat", post(cohere_chat))
        .route("/v1/responses", post(responses))
        .route("/v1/models", get(models))
        .route("/v1/models/{name}", get(model))
        .route("/playground/generate", post(playground_generate))
        .route("/playground/report", post(playground_report))
        .layer(from_fn_with_state(Arc::clone(&service), check_key));
    Router::new()
        .merge(answering)
        .route("/", get(page))
        .route("/openapi.json", get(openapi))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(max_body_bytes))
        .layer(from_fn_with_state(Arc::clone(&service), observe))
        .with_state(service)
}

/// A whole body. One that is too long, breaks off or does not come in time is refused in the words of the route's API.
struct Body(Bytes);

impl FromRequest<Arc<Service>> for Body {
    type Rejection = Response;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Body, Response> {
        let dialect = dialect(request.uri().path(), service);
        let refuse = |rejection: BytesRejection| Failure::new(rejection.status(), rejection.body_text());
        // One that says so in its head need not come.
        if request.body().size_hint().lower() > service.options.max_body_bytes as u64 {
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "length limit exceeded").into_response(dialect));
        }
        match timeout(service.options.request_timeout(), Bytes::from_request(request, service)).await {
            Ok(body) => body.map(Body).map_err(|rejection| refuse(rejection).into_response(dialect)),
            Err(_) => Err(Failure::slow_body().into_response(dialect)),
        }
    }
}

/// The API that a path belongs to.
fn dialect(path: &str, service: &Service) -> Dialect {
    if path.starts_with("/v2/") { Dialect::Cohere } else { service.v1_dialect() }
}

/// What `answering` comes to, within the time of a request. A stream has begun then, and keeps the time itself.
async fn answer(
    service: &Service,
    dialect: Dialect,
    answering: impl Future<Output = Result<Response, Failure>>,
) -> Response {
    // What a panic leaves half done belongs to this request alone: all that is shared is changed in one step, behind a lock.
    let contained = AssertUnwindSafe(answering).catch_unwind();
    let outcome = match timeout(service.options.request_timeout(), contained).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_told_by_the_hook)) => Err(Failure::internal()),
        Err(_) => Err(Failure::too_slow()),
    };
    outcome.unwrap_or_else(|failure| failure.into_response(dialect))
}

async fn chat(State(service): Shared, Body(body): Body) -> Response {
    let answering = openai::chat::chat(Arc::clone(&service), body);
    answer(&service, service.v1_dialect(), answering).await
}

async fn completions(State(service): Shared, Body(body): Body) -> Response {
    let answering = openai::completions::completions(Arc::clone(&service), body);
    answer(&service, service.v1_dialect(), answering).await
}

async fn responses(State(service): Shared, Body(body): Body) -> Response {
    let answering = openai::responses::responses(Arc::clone(&service), body);
    answer(&service, service.v1_dialect(), answering).await
}

async fn cohere_chat(State(service): Shared, Body(body): Body) -> Response {
    answer(&service, Dialect::Cohere, cohere::chat(Arc::clone(&service), body)).await
}

async fn models(State(service): Shared) -> Response {
    axum::Json(openai::models::list(&service)).into_response()
}

async fn model(State(service): Shared) -> Response {
    axum::Json(openai::models::model(&service)).into_response()
}

async fn page() -> Response {
    let headers =
        [(header::CONTENT_SECURITY_POLICY, playground::POLICY), (header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (headers, playground::PAGE).into_response()
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

async fn playground_generate(State(service): Shared, Body(body): Body) -> Response {
    answer(&service, Dialect::OpenAi, playground::generate(Arc::clone(&service), body)).await
}

async fn playground_report(State(service): Shared, Body(body): Body) -> Response {
    answer(&service, Dialect::OpenAi, playground::report(Arc::clone(&service), body)).await
}

async fn health() -> &'static str {
    "ok"
}

async fn ready(State(service): Shared) -> Result<&'static str, StatusCode> {
    if service.is_ready() { Ok("ready") } else { Err(StatusCode::SERVICE_UNAVAILABLE) }
}

async fn metrics(State(service): Shared) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], service.metrics.render()).into_response()
}

async fn unknown(State(service): Shared, request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let failure = Failure::new(StatusCode::NOT_FOUND, format!("Invalid URL ({method} {path})"));
    failure.into_response(dialect(path, &service))
}

async fn wrong_method(State(service): Shared, request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("Not allowed to {method} on {path}"));
    failure.into_response(dialect(path, &service))
}

/// Lets requests pass that carry the key, where there is one. Compared in time that tells nothing of the key.
async fn check_key(State(service): Shared, request: Request, next: Next) -> Response {
    let Some(key) = &service.options.api_key else { return next.run(request).await };
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given =
        header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let is_right = given.is_some_and(|(_, given)| bool::from(given.trim().as_bytes().ct_eq(key.as_bytes())));
    if is_right {
        return next.run(request).await;
    }
    let failure = Failure::new(StatusCode::UNAUTHORIZED, "Incorrect API key provided.").with_code("invalid_api_key");
    failure.into_response(dialect(request.uri().path(), &service))
}

/// One line of log for each request, without its text.
async fn observe(State(service): Shared, request: Request, next: Next) -> Result<Response, Infallible> {
    let start = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    service.metrics.count_answer(status);
    tracing::info!(%method, path, status, milliseconds = start.elapsed().as_secs_f64() * 1e3, "request");
    Ok(response)
}
