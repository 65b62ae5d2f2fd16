//! What becomes of a request beyond Cohere's documented limits? It is refused in Cohere's words, or warned of.

use formwork::{CompileError, Violation, ViolationKind};
use serde_json::Value;

use super::fields::invalid;
use crate::failure::{Failure, describe};
use crate::tools::ToolSpec;

/// Exceeded limits that a refusal names; the others are counted.
const N_NAMED: usize = 5;

/// How limits are taken, and those that were exceeded so far.
#[derive(Debug)]
pub(super) struct Limits {
    /// Whether they are warned of only: `--cohere-full`.
    is_full: bool,
    pub(super) warnings: Vec<String>,
}

impl Limits {
    pub(super) fn new(is_full: bool) -> Limits {
        Limits { is_full, warnings: Vec::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Tells of limits that `param` exceeds, if any.
    pub(super) fn exceeded(&mut self, param: &str, mut reasons: Vec<String>) -> Result<(), Failure> {
        let n_more = reasons.len().saturating_sub(N_NAMED);
        reasons.truncate(N_NAMED);
        if n_more > 0 {
            reasons.push(format!("and {n_more} more"));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        let reasons = reasons.join("; ");
        if !self.is_full {
            return Err(invalid(param, reasons));
        }
        tracing::warn!(param, reasons, "a documented limit of Cohere is exceeded");
        self.warnings.push(reasons);
        Ok(())
    }
}

/// Whose schema is compiled.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    Format,
    Tools(&'a [ToolSpec]),
}

impl Subject<'_> {
    pub(super) fn param(self) -> &'static str {
        match self {
            Subject::Format => "response_format",
            Subject::Tools(_) => "tools",
        }
    }

    /// The limits that a schema exceeds; none where it is refused for another reason.
    pub(super) fn exceeded(self, error: &CompileError) -> Vec<String> {
        let CompileError::Schema(schema) = error else { return Vec::new() };
        let violations = schema.violations().iter();
        violations
            .filter(|violation| violation.kind == ViolationKind::Profile)
            .map(|violation| self.words(violation))
            .collect()
    }

    /// The refusal of a schema that the engine does not take.
    pub(super) fn refusal(self, error: &CompileError) -> Failure {
        invalid(self.param(), format!("{}: {}", self.param(), describe(error)))
    }

    fn words(self, violation: &Violation) -> String {
        let Violation { pointer, keyword, .. } = violation;
        let keyword = keyword.as_deref();
        match (self, self.tool(pointer)) {
            (Subject::Format, _) if pointer.is_empty() && keyword == Some("type") => {
                "schema must be an object: its type must be \"object\"".to_owned()
            }
            (_, Some(tool)) if keyword == Some("type") => {
                format!("tool {}: schema must be an object: its type must be \"object\"", tool.name)
            }
            (_, Some(tool)) if keyword == Some("required") && requires_nothing(&tool.parameters) => {
                format!("tool {} must have at least one required parameter", tool.name)
            }
            _ => violation.to_string(),
        }
    }

    /// The tool whose parameters as a whole `pointer` leads to.
    fn tool(&self, pointer: &str) -> Option<&ToolSpec> {
        let Subject::Tools(tools) = self else { return None };
        let index: usize = pointer.strip_prefix("/tools/")?.strip_suffix("/parameters")?.parse().ok()?;
        tools.get(index)
    }
}

fn requires_nothing(parameters: &Value) -> bool {
    parameters.get("required").and_then(Value::as_array).is_none_or(Vec::is_empty)
}
