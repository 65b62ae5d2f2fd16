//! What constrains an answer? Its format, its tools, or both, compiled.

use std::sync::Arc;

use formwork::CompiledGrammar;
use serde_json::Value;

use super::format::Wanted;
use super::tools::ToolRequest;
use crate::calls::CallFormat;
use crate::failure::Failure;
use crate::service::Service;
use crate::thinking::Thinking;
use crate::tools::Choice;

/// What an answer must be, and how calls are found in it.
#[derive(Default)]
pub(super) struct Constraint {
    /// `None` for free text.
    pub(super) grammar: Option<Arc<CompiledGrammar>>,
    /// `None` where no tools are called.
    pub(super) tools: Option<Arc<CallTools>>,
}

/// What is needed to tell calls from text.
pub(super) struct CallTools {
    pub(super) format: CallFormat,
    /// Names of tools whose input is a text.
    custom: Vec<String>,
}

impl CallTools {
    pub(super) fn is_custom(&self, name: &str) -> bool {
        self.custom.iter().any(|custom| custom == name)
    }
}

/// The constraint of a format and of tools, behind the model's thought.
pub(super) async fn constraint(
    service: &Service,
    thinking: Thinking,
    wanted: Option<Wanted>,
    tools: Option<ToolRequest>,
    is_parallel: bool,
) -> Result<Constraint, Failure> {
    let Some(tools) = tools.filter(|tools| tools.choice != Choice::None) else {
        let Some(wanted) = wanted else { return Ok(Constraint::default()) };
        let compiled = service.compile_behind(thinking, wanted.grammar.clone()).await;
        let compiled = compiled.map_err(|error| wanted.refusal(&error))?;
        return Ok(Constraint { grammar: Some(compiled), tools: None });
    };
    if let Some(wanted) = &wanted {
        // By itself first, so that a refusal names what is at fault.
        service.compile(wanted.grammar.clone()).await.map_err(|error| wanted.refusal(&error))?;
    }
    let answer = wanted.map(|wanted| wanted.grammar);
    let plan = service.tool_plan(&tools.tools, tools.choice, is_parallel, tools.profile(), answer);
    let compiled = service.compile_behind(thinking, plan.grammar).await.map_err(|error| tools.refusal(&error))?;
    let custom = tools.tools.iter().filter(|tool| tool.is_custom).map(|tool| tool.name.clone()).collect();
    Ok(Constraint { grammar: Some(compiled), tools: Some(Arc::new(CallTools { format: plan.format, custom })) })
}

/// The text that a custom tool gets; empty where the answer was cut off before it.
pub(super) fn input_of(arguments: &str) -> String {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    arguments.get("input").and_then(Value::as_str).unwrap_or_default().to_owned()
}
