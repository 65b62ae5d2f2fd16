//! What does a request for a response say, and which of it does every response repeat?

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::openai::logprobs;
use crate::request::{Knobs, refuse_unknown};
use crate::service::Service;

/// Fields that change nothing here: nothing is stored, and the models that are served neither reason nor call tools
/// themselves.
const IGNORED: [&str; 12] = [
    "store",
    "user",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "reasoning",
    "truncation",
    "max_tool_calls",
    "stream_options",
    "moderation",
];
/// The one value of `include` with an effect; the others name things that no response here has.
const LOGPROBS: &str = "message.output_text.logprobs";

#[derive(Debug, Deserialize)]
pub(super) struct ResponseRequest {
    model: Option<String>,
    #[serde(default)]
    pub(super) input: Value,
    pub(super) instructions: Option<String>,
    pub(super) text: Option<Value>,
    pub(super) tools: Option<Value>,
    pub(super) tool_choice: Option<Value>,
    pub(super) parallel_tool_calls: Option<bool>,
    pub(super) max_output_tokens: Option<usize>,
    top_logprobs: Option<usize>,
    include: Option<Vec<String>>,
    metadata: Option<Value>,
    pub(super) stream: Option<bool>,
    background: Option<bool>,
    previous_response_id: Option<Value>,
    conversation: Option<Value>,
    prompt: Option<Value>,
    #[serde(flatten)]
    pub(super) knobs: Knobs,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl ResponseRequest {
    /// Refuses what could not be done as it is meant.
    pub(super) fn check(&self) -> Result<(), Failure> {
        refuse_unknown(&self.rest, &IGNORED)?;
        let unsupported = [
            ("background", self.background == Some(true)),
            ("previous_response_id", self.previous_response_id.is_some()),
            ("conversation", self.conversation.is_some()),
            ("prompt", self.prompt.is_some()),
        ];
        match unsupported.into_iter().find(|(_, is_given)| *is_given) {
            Some((name, _)) => {
                let message = format!("{name} is not supported: this server keeps no responses");
                Err(Failure::about(name, message).with_code("unsupported_parameter"))
            }
            None => Ok(()),
        }
    }

    /// The number of alternatives to each token; `None` without log probabilities.
    pub(super) fn n_top(&self) -> Result<Option<usize>, Failure> {
        let is_included = self.include.iter().flatten().any(|name| name == LOGPROBS);
        logprobs::n_top(is_included || self.top_logprobs.is_some_and(|n| n > 0), self.top_logprobs.filter(|n| *n > 0))
    }
}

/// What every response repeats of its request.
#[derive(Debug)]
pub(super) struct Echo(Value);

impl Echo {
    pub(super) fn new(service: &Service, request: ResponseRequest) -> Echo {
        let format = request.text.as_ref().and_then(|text| text.get("format")).filter(|format| !format.is_null());
        let format = format.cloned().unwrap_or_else(|| json!({"type": "text"}));
        Echo(json!({
            "id": crate::ids::new("resp_"),
            "object": "response",
            "created_at": crate::ids::now(),
            "status": null,
            "error": null,
            "incomplete_details": null,
            "instructions": request.instructions,
            "max_output_tokens": request.max_output_tokens,
            "model": request.model.unwrap_or_else(|| service.model_name.clone()),
            "output": [],
            "parallel_tool_calls": request.parallel_tool_calls.unwrap_or(true),
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "store": false,
            "temperature": request.knobs.temperature.unwrap_or(1.0),
            "text": {"format": format},
            "tool_choice": request.tool_choice.unwrap_or_else(|| "auto".into()),
            "tools": request.tools.unwrap_or_else(|| json!([])),
            "top_p": request.knobs.top_p.unwrap_or(1.0),
            "truncation": "disabled",
            "usage": null,
            "user": null,
            "metadata": request.metadata.unwrap_or_else(|| json!({})),
        }))
    }

    pub(super) fn response(&self, status: &str, items: &[Value]) -> Value {
        let mut response = self.0.clone();
        response["status"] = status.into();
        response["output"] = items.into();
        response
    }
}
