//! What must an answer look like? From format and tools to a compiled grammar, within the documented limits.

use std::sync::Arc;

use formwork::json_schema::{Profile, SchemaOptions};
use formwork::{CompileError, CompiledGrammar, Grammar};
use serde_json::Value;

use super::limits::{Limits, Subject};
use super::request::{ChatRequest, Format};
use super::schemas::{untyped_properties, with_closed_objects, with_whole_patterns};
use super::tools::Tools;
use crate::calls::CallFormat;
use crate::failure::Failure;
use crate::layout::options;
use crate::service::Service;
use crate::thinking::Thinking;
use crate::tools::{Choice, ToolSpec};

/// What constrains an answer.
#[derive(Default)]
pub(super) struct Constraint {
    /// `None` for free text.
    pub(super) grammar: Option<Arc<CompiledGrammar>>,
    /// How calls are found in the text; `None` where there are none.
    pub(super) calls: Option<CallFormat>,
}

/// The constraint that a request asks for, behind the model's thought.
pub(super) async fn constraint(
    service: &Service,
    thinking: Thinking,
    request: &ChatRequest,
    limits: &mut Limits,
) -> Result<Constraint, Failure> {
    let mut admission = Admission { service, thinking, limits };
    let limits = &mut admission.limits;
    if request.format != Format::Text {
        let with = |name: &str| vec![format!("response_format is not supported with {name}.")];
        let rag = if request.documents.is_empty() { Vec::new() } else { with("RAG") };
        limits.exceeded("response_format", rag)?;
        let tools = if request.tools.is_some() { with("tools") } else { Vec::new() };
        limits.exceeded("response_format", tools)?;
    }
    let answer = match &request.format {
        Format::Text => None,
        format => Some(admission.of_format(format).await?),
    };
    match (request.tools.as_ref().filter(|tools| tools.choice != Choice::None), answer) {
        (Some(tools), answer) => admission.of_tools(tools, answer.map(|answer| answer.grammar)).await,
        (None, Some(answer)) => Ok(Constraint { grammar: Some(answer.compiled), calls: None }),
        (None, None) => Ok(Constraint::default()),
    }
}

/// What is needed to take a grammar.
struct Admission<'a> {
    service: &'a Service,
    thinking: Thinking,
    limits: &'a mut Limits,
}

impl Admission<'_> {
    async fn of_format(&mut self, format: &Format) -> Result<Admitted, Failure> {
        let with = |grammar: Grammar, profile| grammar.with_options(SchemaOptions { profile, ..options() });
        let subject = Subject::Format;
        let Format::Schema(schema) = format else {
            let profile = if self.limits.is_full() { Profile::Full } else { Profile::CohereJson };
            return self.admit(subject, profile, |profile| with(Grammar::json_object(), profile)).await;
        };
        self.limits.exceeded(subject.param(), untyped(schema))?;
        let schema = with_closed_objects(schema);
        let grammar = |profile| with(Grammar::json_schema(in_profile(&schema, profile)), profile);
        self.admit(subject, Profile::CohereJson, grammar).await
    }

    async fn of_tools(&mut self, tools: &Tools, answer: Option<Grammar>) -> Result<Constraint, Failure> {
        let service = self.service;
        let subject = Subject::Tools(&tools.specs);
        let closed = |tool: &ToolSpec| match tool.is_strict {
            true => with_closed_objects(&tool.parameters),
            false => tool.parameters.clone(),
        };
        let plan = |profile| {
            let specs = tools.specs.iter().map(|tool| {
                let parameters = in_profile(&closed(tool), profile);
                ToolSpec { parameters, ..tool.clone() }
            });
            service.tool_plan(&specs.collect::<Vec<_>>(), tools.choice, true, profile, answer.clone())
        };
        let profile = if tools.is_strict { Profile::CohereTools } else { Profile::Full };
        if tools.is_strict {
            self.limits
                .exceeded(subject.param(), tools.specs.iter().flat_map(|tool| untyped(&tool.parameters)).collect())?;
        }
        let admitted = self.admit(subject, profile, |profile| plan(profile).grammar).await?;
        Ok(Constraint { grammar: Some(admitted.compiled), calls: Some(plan(Profile::Full).format) })
    }

    /// Compiles what keeps to `profile`; where limits are only warned of, whatever the engine enforces.
    async fn admit(
        &mut self,
        subject: Subject<'_>,
        profile: Profile,
        grammar: impl Fn(Profile) -> Grammar,
    ) -> Result<Admitted, Failure> {
        let limited = grammar(profile);
        let error = match self.compile(&limited).await {
            Ok(compiled) => return Ok(Admitted { grammar: limited, compiled }),
            Err(error) => error,
        };
        let exceeded = subject.exceeded(&error);
        if exceeded.is_empty() {
            return Err(subject.refusal(&error));
        }
        self.limits.exceeded(subject.param(), exceeded)?;
        let grammar = grammar(Profile::Full);
        let compiled = self.compile(&grammar).await.map_err(|error| subject.refusal(&error))?;
        Ok(Admitted { grammar, compiled })
    }

    async fn compile(&self, grammar: &Grammar) -> Result<Arc<CompiledGrammar>, Arc<CompileError>> {
        self.service.compile_behind(self.thinking, grammar.clone()).await
    }
}

/// Cohere's profiles take patterns for whole ones; the full engine must be told.
fn in_profile(schema: &Value, profile: Profile) -> Value {
    match profile {
        Profile::Full => with_whole_patterns(schema),
        _ => schema.clone(),
    }
}

fn untyped(schema: &Value) -> Vec<String> {
    untyped_properties(schema).iter().map(|name| format!("property {name} must have a type")).collect()
}

/// A grammar that was taken.
struct Admitted {
    grammar: Grammar,
    compiled: Arc<CompiledGrammar>,
}
