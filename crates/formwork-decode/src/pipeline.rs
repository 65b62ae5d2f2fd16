//! How are many prompts answered in one call? A batch that fills itself from a list, under one response format.

use std::error::Error;

use formwork::{CompileError, Compiler, Grammar};
use serde_json::Value;

use crate::batch::{Batch, BatchBackend, SequenceId};
use crate::config::GenerationConfig;
use crate::error::DecodeError;
use crate::generate::Generation;
use crate::sequence::Sequence;
use crate::tokenizer::TextTokenizer;

type Render = dyn Fn(&str) -> Result<String, Box<dyn Error + Send + Sync>> + Send;

/// A model that answers lists of prompts: prompts in, structured responses out, in the shape of LMDeploy's pipeline.
pub struct Pipeline<B> {
    backend: B,
    tokenizer: Box<dyn TextTokenizer>,
    compiler: Compiler,
    render: Box<Render>,
}

/// Why a call of a pipeline failed as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The response format is not one.
    #[error("response_format: {0}")]
    Format(String),
    /// The schema or expression is refused.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The chat template does not take a prompt.
    #[error("prompt {index}: {source}")]
    Prompt {
        /// Which one.
        index: usize,
        /// What the template says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A sampling setting is out of range.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl<B: BatchBackend> Pipeline<B> {
    /// Prompts are fed as they are.
    pub fn new(backend: B, tokenizer: impl TextTokenizer + 'static) -> Pipeline<B> {
        let compiler = Compiler::new(tokenizer.vocabulary().clone());
        let render = Box::new(|prompt: &str| Ok(prompt.to_owned()));
        Pipeline { backend, tokenizer: Box::new(tokenizer), compiler, render }
    }

    /// Prompts go through `render`, which is a chat template most often.
    pub fn with_template(
        self,
        render: impl Fn(&str) -> Result<String, Box<dyn Error + Send + Sync>> + Send + 'static,
    ) -> Pipeline<B> {
        Pipeline { render: Box::new(render), ..self }
    }

    /// Answers all prompts, as many at once as the backend has rows; the responses are in the order of the prompts. The
    /// prompt at `index` is answered with the config's seed plus `index`. For `response_format` see [`response_format`].
    ///
    /// # Errors
    /// [`PipelineError`] where no prompt can be answered. A response that fails is an error in its place.
    pub fn respond<P: AsRef<str>>(
        &mut self,
        prompts: &[P],
        response_format: &Value,
        config: &GenerationConfig,
    ) -> Result<Vec<Result<Generation, DecodeError>>, PipelineError> {
        let grammar = self::response_format(response_format)?;
        let compiled = grammar.map(|grammar| self.compiler.compile(&grammar)).transpose()?;
        let tokenizer = self.tokenizer.as_ref();
        let mut waiting = Vec::with_capacity(prompts.len());
        for (index, prompt) in prompts.iter().enumerate() {
            let text = (self.render)(prompt.as_ref()).map_err(|source| PipelineError::Prompt { index, source })?;
            let prompt = tokenizer.encode_with_special(&text);
            let mut config = config.clone();
            config.sampling.seed = config.sampling.seed.wrapping_add(index as u64);
            let sequence = match &compiled {
                Some(compiled) => Sequence::constrained(tokenizer, &prompt, compiled.matcher(), &config),
                None => Sequence::unconstrained(tokenizer, &prompt, &config),
            };
            waiting.push((index, sequence?));
        }
        Ok(run(&mut self.backend, waiting))
    }
}

/// Writes all sequences; those that do not fit wait. The results are in their order.
fn run(backend: &mut dyn BatchBackend, waiting: Vec<(usize, Sequence<'_>)>) -> Vec<Result<Generation, DecodeError>> {
    let mut results: Vec<Option<Result<Generation, DecodeError>>> = waiting.iter().map(|_| None).collect();
    let mut waiting = waiting.into_iter();
    let mut running: Vec<(SequenceId, usize)> = Vec::new();
    let mut batch = Batch::new(backend, 1);
    loop {
        while batch.has_room() {
            let Some((index, sequence)) = waiting.next() else { break };
            match batch.join(backend, sequence) {
                Ok(Some(id)) => running.push((id, index)),
                // There is room, so this is a backend that has no rows at all.
                Ok(None) => {}
                Err(error) => results[index] = Some(Err(error)),
            }
        }
        if batch.is_empty() {
            break;
        }
        for (id, outcome) in batch.step(backend) {
            if let Some((_, index)) = running.iter().find(|(own, _)| *own == id) {
                results[*index] = Some(outcome);
            }
        }
    }
    let missing = || Err(DecodeError::Backend(crate::error::BackendError::runtime("the backend has no row")));
    results.into_iter().map(|result| result.unwrap_or_else(missing)).collect()
}

/// The grammar of a `response_format` object as LMDeploy and OpenAI have it; `None` for free text.
///
/// `type` is `text`, `json_object`, `json_schema` or `regex_schema`. A schema stands under `json_schema`, there under `schema`
/// or `json_schema`, or is `json_schema` itself; it may be an object or its JSON text.
///
/// # Errors
/// [`PipelineError::Format`] for anything else.
pub fn response_format(format: &Value) -> Result<Option<Grammar>, PipelineError> {
    let wrong = |reason: &str| PipelineError::Format(reason.to_owned());
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Grammar::json_object())),
        Some("json_schema") => {
            let wrapper = format.get("json_schema").ok_or_else(|| wrong("json_schema is missing"))?;
            let schema = ["schema", "json_schema"].iter().find_map(|key| wrapper.get(*key)).unwrap_or(wrapper);
            Ok(Some(match schema {
                Value::String(text) => Grammar::json_schema_text(text),
                schema => Grammar::json_schema(schema.clone()),
            }))
        }
        Some("regex_schema") => match format.get("regex_schema") {
            Some(Value::String(pattern)) => Ok(Some(Grammar::regex(pattern))),
            _ => Err(wrong("regex_schema must be a regular expression")),
        },
        _ => Err(wrong("type must be text, json_object, json_schema or regex_schema")),
    }
}

impl<B> std::fmt::Debug for Pipeline<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scripted::{ByteTokenizer, ScriptedBackend};

    fn reciting(text: &str) -> ScriptedBackend {
        // The template puts two characters before a prompt of one.
        ScriptedBackend::reciting(3, text)
    }

    #[test]
    fn responses_come_in_the_order_of_their_prompts() {
        // Two rows for five prompts, whose model always wants to say the same.
        for n_rows in [1, 2, 7] {
            let rows: Vec<ScriptedBackend> = (0..n_rows).map(|_| reciting("call me ann")).collect();
            let mut pipeline = Pipeline::new(rows, ByteTokenizer::new()).with_template(|prompt| {
                if prompt == "!" { Err("no such prompt".into()) } else { Ok(format!("q:{prompt}")) }
            });
            let format = json!({"type": "regex_schema", "regex_schema": "call me [a-z]{1,3}"});
            let config = GenerationConfig::default();
            let responses = pipeline.respond(&["a", "b", "c", "d", "e"], &format, &config).unwrap();
            let texts: Vec<String> = responses.into_iter().map(|response| response.unwrap().text).collect();
            assert_eq!(texts, ["call me ann"; 5]);
            let refused = pipeline.respond(&["a", "!"], &format, &config);
            assert!(matches!(refused, Err(PipelineError::Prompt { index: 1, .. })));
            let long = "x".repeat(100);
            let responses = pipeline.respond(&["a", &long, "b"], &format, &config).unwrap();
            let is_fine: Vec<bool> = responses.iter().map(Result::is_ok).collect();
            assert_eq!(is_fine, [true, false, true]);
        }
    }

    #[test]
    fn every_way_to_name_a_schema_is_the_same() {
        let schema = json!({"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]});
        let wrapped = |wrapper: Value| json!({"type": "json_schema", "json_schema": wrapper});
        let formats = [
            wrapped(json!({"name": "x", "schema": schema})),
            wrapped(json!({"name": "x", "json_schema": schema.to_string()})),
            wrapped(schema.clone()),
            wrapped(schema.to_string().into()),
        ];
        let compiler = Compiler::new(ByteTokenizer::new().vocabulary().clone());
        for format in formats {
            let grammar = response_format(&format).unwrap().unwrap();
            let mut matcher = compiler.compile(&grammar).unwrap().matcher();
            assert!(matcher.accept_bytes(b"{\"a\":1}").is_ok() && matcher.is_accepting(), "{format}");
            let mut matcher = compiler.compile(&grammar).unwrap().matcher();
            assert!(matcher.accept_bytes(b"{\"a\":2").is_err(), "{format}");
        }
        assert!(response_format(&json!({"type": "text"})).unwrap().is_none());
        for wrong in
            [json!({}), json!({"type": "xml"}), json!({"type": "json_schema"}), json!({"type": "regex_schema"})]
        {
            assert!(matches!(response_format(&wrong), Err(PipelineError::Format(_))), "{wrong}");
        }
    }
}
