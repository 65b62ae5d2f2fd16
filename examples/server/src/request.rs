//! What does a request ask for? Parts that several APIs share: bodies, sampling, stop texts.

use formwork::TokenId;
use formwork_decode::{CancelToken, GenerationConfig, Sampling};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// Stop texts that a request may name.
const MAX_STOPS: usize = 16;

/// A body as one of our types. Fields that the type does not know end up in its `rest`.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Failure::invalid(format!("We could not parse the JSON body of your request: {error}")))?;
    serde_json::from_value(value).map_err(|error| Failure::invalid(error.to_string()))
}

/// Fields of other servers' clients that are not supported, with the value by which they change nothing.
const NEUTRAL: [(&str, bool); 6] = [
    ("ignore_eos", false),
    ("skip_special_tokens", true),
    ("spaces_between_special_tokens", true),
    ("include_stop_str_in_output", false),
    ("add_generation_prompt", true),
    ("continue_final_message", false),
];

/// Refuses fields that could change the answer and are not known here; `ignored` are those that cannot.
pub(crate) fn refuse_unknown(rest: &Map<String, Value>, ignored: &[&str]) -> Result<(), Failure> {
    let is_neutral = |name: &str, value: &Value| {
        value.is_null() || NEUTRAL.iter().any(|(known, neutral)| *known == name && *value == Value::Bool(*neutral))
    };
    let unknown = rest.iter().find(|(name, value)| !is_neutral(name, value) && !ignored.contains(&name.as_str()));
    match unknown {
        Some((name, _)) => Err(Failure::about(name, format!("Unrecognized request argument supplied: {name}"))
            .with_code("unknown_parameter")),
        None => Ok(()),
    }
}

/// A field that is true or false; `None` without it.
pub(crate) fn flag(fields: &Value, name: &str, param: &str) -> Result<Option<bool>, Failure> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(Failure::about(param, format!("{name} must be true or false"))),
    }
}

/// A field that is a text; `None` without it.
pub(crate) fn text<'a>(fields: &'a Value, name: &str, param: &str) -> Result<Option<&'a str>, Failure> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Failure::about(param, format!("{name} must be a text"))),
    }
}

/// What a stream tells beside the answer.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct StreamOptions {
    pub(crate) include_usage: Option<bool>,
}

/// How tokens are chosen, in OpenAI's names and those that other servers add.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Knobs {
    pub(crate) temperature: Option<f64>,
    pub(crate) top_p: Option<f64>,
    pub(crate) top_k: Option<i64>,
    pub(crate) min_p: Option<f64>,
    pub(crate) presence_penalty: Option<f64>,
    pub(crate) frequency_penalty: Option<f64>,
    pub(crate) repetition_penalty: Option<f64>,
    pub(crate) logit_bias: Option<Map<String, Value>>,
    pub(crate) seed: Option<i64>,
    pub(crate) stop: Option<Value>,
}

impl Knobs {
    /// Settings of the answer at `index`; each has a seed of its own.
    pub(crate) fn config(&self, index: usize, max_tokens: usize, n_ids: usize) -> Result<GenerationConfig, Failure> {
        let in_range = |name: &str, value: Option<f64>, low: f64, high: f64, default: f64| match value {
            Some(value) if (low..=high).contains(&value) => Ok(value),
            Some(value) => Err(Failure::about(name, format!("{name} is {value}, it must be from {low} to {high}"))),
            None => Ok(default),
        };
        let seed = self
            .seed
            .map_or_else(|| u64::from_str_radix(&crate::ids::new("")[..16], 16).unwrap_or(0), |seed| seed as u64);
        let sampling = Sampling {
            temperature: in_range("temperature", self.temperature, 0.0, 2.0, 1.0)?,
            top_p: Some(in_range("top_p", self.top_p, 0.0, 1.0, 1.0)?.max(f64::MIN_POSITIVE)),
            top_k: self.top_k.and_then(|k| usize::try_from(k).ok()).filter(|k| *k > 0),
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty.unwrap_or(1.0),
            frequency_penalty: in_range("frequency_penalty", self.frequency_penalty, -2.0, 2.0, 0.0)?,
            presence_penalty: in_range("presence_penalty", self.presence_penalty, -2.0, 2.0, 0.0)?,
            logit_bias: self.logit_bias(n_ids)?,
            seed: seed.wrapping_add(index as u64),
        };
        sampling.check().map_err(|error| Failure::about(error.setting, error.to_string()))?;
        let stop_strings = stop_strings(self.stop.as_ref())?;
        Ok(GenerationConfig {
            sampling,
            max_tokens,
            stop_strings,
            cancel: CancelToken::new(),
            ..GenerationConfig::default()
        })
    }

    fn logit_bias(&self, n_ids: usize) -> Result<Vec<(TokenId, f64)>, Failure> {
        let wrong = |reason: String| Failure::about("logit_bias", reason);
        let bias = |(id, bias): (&String, &Value)| {
            let token = id.parse::<u32>().ok().filter(|token| (*token as usize) < n_ids);
            let token = token.ok_or_else(|| wrong(format!("{id:?} is not the id of a token")))?;
            let bias = bias.as_f64().filter(|bias| (-100.0..=100.0).contains(bias));
            Ok((TokenId::new(token), bias.ok_or_else(|| wrong("a bias must be from -100 to 100".to_owned()))?))
        };
        self.logit_bias.iter().flatten().map(bias).collect()
    }
}

/// One text, or several.
pub(crate) fn stop_strings(stop: Option<&Value>) -> Result<Vec<String>, Failure> {
    let wrong = || Failure::about("stop", format!("stop must be a text or a list of at most {MAX_STOPS} texts"));
    match stop {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(texts)) if texts.len() <= MAX_STOPS => {
            texts.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// The texts of a message's content, which is a text, a list of parts, or nothing.
pub(crate) fn content_text(content: Option<&Value>, param: &str) -> Result<String, Failure> {
    let wrong = || Failure::about(param, format!("{param} must be a text or a list of parts of type text"));
    match content {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => {
            let text = |part: &Value| match part.get("type").and_then(Value::as_str) {
                Some("text" | "input_text" | "output_text") => {
                    part.get("text").and_then(Value::as_str).map(str::to_owned)
                }
                Some("refusal") => part.get("refusal").and_then(Value::as_str).map(str::to_owned),
                _ => None,
            };
            parts.iter().map(|part| text(part).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}
