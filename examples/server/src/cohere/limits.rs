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
        let Violation { pointer, keyword, reason, .. } = violation;
        let (tool, place) = match self {
            Subject::Format => (None, pointer.as_str()),
            Subject::Tools(tools) => place_in_tools(tools, pointer),
        };
        let whose = tool.map(|tool| format!("tool {}: ", tool.name)).unwrap_or_default();
        match (tool, keyword.as_deref()) {
            (_, Some("type")) if place.is_empty() => {
                format!("{whose}schema must be an object: its type must be \"object\"")
            }
            (Some(tool), Some("required")) if place.is_empty() && requires_nothing(&tool.parameters) => {
                format!("tool {} must have at least one required parameter", tool.name)
            }
            (_, Some(keyword)) => format!("{whose}{}: {keyword}: {reason}", root_or(place)),
            (_, None) if place.is_empty() => format!("{whose}{reason}"),
            (_, None) => format!("{whose}{place}: {reason}"),
        }
    }
}

/// The tool that a pointer leads into, and the place in its parameters. In front of that is where the calls stand in the
/// answer.
fn place_in_tools<'a, 'p>(tools: &'a [ToolSpec], pointer: &'p str) -> (Option<&'a ToolSpec>, &'p str) {
    let of_tool = || {
        let (_, rest) = pointer.split_once("/tools/")?;
        let (index, rest) = rest.split_once('/')?;
        let place = rest.strip_prefix("parameters")?;
        Some((tools.get(index.parse::<usize>().ok()?), place))
    };
    of_tool().unwrap_or((None, ""))
}

fn root_or(place: &str) -> &str {
    if place.is_empty() { "/" } else { place }
}

fn requires_nothing(parameters: &Value) -> bool {
    parameters.get("required").and_then(Value::as_array).is_none_or(Vec::is_empty)
}
