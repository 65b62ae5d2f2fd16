//! Why is a request not answered? One type for all routes, which each API words in its own shape.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use formwork::{CompileError, Violation};
use formwork_decode::{BackendError, DecodeError};
use serde_json::{Value, json};

/// Whose clients are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Cohere,
    LmDeploy,
}

/// A request that failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// The field of the request that is at fault.
    pub(crate) param: Option<String>,
    pub(crate) code: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Failure {
        Failure { status, message: message.into(), param: None, code: None }
    }

    /// The request is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, message)
    }

    /// One field of the request is wrong.
    pub(crate) fn about(param: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure { param: Some(param.into()), ..Failure::invalid(message) }
    }

    pub(crate) fn with_code(self, code: &'static str) -> Failure {
        Failure { code: Some(code), ..self }
    }

    /// No more sequences fit into the queue.
    pub(crate) fn overloaded() -> Failure {
        let message = "the server has as many requests as it can hold; try again in a moment";
        Failure::new(StatusCode::TOO_MANY_REQUESTS, message).with_code("rate_limit_exceeded")
    }

    pub(crate) fn unavailable() -> Failure {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down, or its model has failed")
    }

    /// It took longer than `--request-timeout` allows.
    pub(crate) fn too_slow() -> Failure {
        Failure::new(StatusCode::GATEWAY_TIMEOUT, "the request took longer than the server allows")
    }

    /// The client did not send all of its body in that time.
    pub(crate) fn slow_body() -> Failure {
        Failure::new(StatusCode::REQUEST_TIMEOUT, "the body of the request did not come in time")
    }

    /// It is the server's fault, and what it was stands in the log.
    pub(crate) fn internal() -> Failure {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed while it worked on the request")
    }

    /// The answer in the shape of `dialect`.
    pub(crate) fn into_response(self, dialect: Dialect) -> Response {
        let (status, body) = (self.status, self.body(dialect));
        let mut response = (status, axum::Json(body)).into_response();
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    /// What stands in the answer, or in the stream where an answer has begun.
    pub(crate) fn body(&self, dialect: Dialect) -> Value {
        let Failure { status, message, param, code } = self;
        match dialect {
            Dialect::OpenAi => {
                json!({"error": {"message": message, "type": self.kind(), "param": param, "code": code}})
            }
            Dialect::Cohere => json!({"id": crate::ids::new(""), "message": message}),
            Dialect::LmDeploy => {
                json!({"message": message, "type": self.kind(), "code": status.as_u16(), "param": param, "object": "error"})
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self.status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::NOT_FOUND => "not_found_error",
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_client_error() => "invalid_request_error",
            _ => "server_error",
        }
    }
}

/// Violations that a message tells; the others are counted.
const N_VIOLATIONS: usize = 5;

/// What is wrong with a schema, in one line with the places.
pub(crate) fn describe(error: &CompileError) -> String {
    let CompileError::Schema(schema) = error else { return error.to_string() };
    let violations = schema.violations();
    let told: Vec<String> = violations.iter().take(N_VIOLATIONS).map(Violation::to_string).collect();
    match violations.len().saturating_sub(N_VIOLATIONS) {
        0 => told.join("; "),
        n => format!("{}; and {n} more", told.join("; ")),
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Failure {
        match &error {
            DecodeError::PromptTooLong { .. } | DecodeError::Backend(BackendError::ContextFull { .. }) => {
                Failure::about("messages", error.to_string()).with_code("context_length_exceeded")
            }
            DecodeError::EmptyPrompt => Failure::about("messages", error.to_string()),
            DecodeError::Sampling(setting) => Failure::about(setting.setting, error.to_string()),
            // A schema that needs more work than any one request may take.
            DecodeError::Match(_) => Failure::invalid(format!("the schema is too complex: {error}")),
            _ => {
                tracing::error!(%error, "an answer failed");
                Failure::internal()
            }
        }
    }
}
