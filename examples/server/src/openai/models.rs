//! `/v1/models`: the one model that is served.

use serde_json::{Value, json};

use crate::service::Service;

/// The list of models.
pub(crate) fn list(service: &Service) -> Value {
    json!({"object": "list", "data": [model(service)]})
}

/// The model, whatever it is called in the request: there is one.
pub(crate) fn model(service: &Service) -> Value {
    json!({"id": service.model_name, "object": "model", "created": service.started, "owned_by": "formwork"})
}
