//! What does the engine make of a schema? `formwork explain`: keyword by keyword, or why it is refused.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use formwork::json_schema::{Lint, Report, ReportEntry};
use formwork::{CompileError, Compiler, Violation};
use serde_json::{Value, json};

use crate::byte_vocabulary::byte_vocabulary;
use crate::display::table;
use crate::document_args::DocumentArgs;
use crate::failure::Failure;
use crate::schema_args::{LayoutArgs, SchemaArg, StrictnessArgs};

/// Say what is enforced of a schema, keyword by keyword, and what in it is probably a mistake
///
/// Exit code 2 when the schema is refused; the report then says what would have to change.
#[derive(Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    schema: SchemaArg,
    /// Print JSON; a refused schema's violations too
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    layout: LayoutArgs,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    strictness: StrictnessArgs,
}

impl ExplainArgs {
    /// Prints the report and what is probably a mistake.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let grammar = self.schema.grammar(self.strictness.options(self.layout.layout()))?;
        let grammar = grammar.with_documents(self.documents.documents()?);
        let mut output = std::io::stdout().lock();
        let (report, lints) = (grammar.report(), grammar.lint());
        let error = Compiler::new(byte_vocabulary()?).compile(&grammar).err();
        if self.json {
            writeln!(output, "{:#}", as_json(&report, &lints, error.as_ref()))?;
            return Ok(if error.is_some() { ExitCode::from(2) } else { ExitCode::SUCCESS });
        }
        if !report.entries.is_empty() {
            write!(output, "{}", report_table(&report))?;
        }
        if !lints.is_empty() {
            write!(output, "\nprobably mistakes:\n{}", lint_table(&lints))?;
        }
        match error {
            Some(error) => Err(error.into()),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

fn report_table(report: &Report) -> String {
    let mut rows = vec![["pointer", "keyword", "status", "note"].map(str::to_owned).to_vec()];
    for entry in &report.entries {
        let note = entry.note.clone().unwrap_or_default();
        rows.push(vec![pointer(&entry.pointer), entry.keyword.clone(), status(entry), note]);
    }
    table(&rows)
}

fn lint_table(lints: &[Lint]) -> String {
    let mut rows = vec![["pointer", "keyword", "what"].map(str::to_owned).to_vec()];
    for lint in lints {
        rows.push(vec![pointer(&lint.pointer), lint.keyword.clone().unwrap_or_default(), lint.message.clone()]);
    }
    table(&rows)
}

fn as_json(report: &Report, lints: &[Lint], error: Option<&CompileError>) -> Value {
    let entry = |entry: &ReportEntry| {
        json!({
            "pointer": entry.pointer,
            "keyword": entry.keyword,
            "status": status(entry),
            "note": entry.note,
        })
    };
    let lint = |lint: &Lint| {
        json!({
            "kind": format!("{:?}", lint.kind).to_lowercase(),
            "pointer": lint.pointer,
            "keyword": lint.keyword,
            "message": lint.message,
        })
    };
    let mut explained = json!({
        "accepted": error.is_none(),
        "keywords": report.entries.iter().map(entry).collect::<Vec<_>>(),
        "lints": lints.iter().map(lint).collect::<Vec<_>>(),
    });
    if let Some(error) = error {
        explained["error"] = json!(error.to_string());
        explained["violations"] = violations(report, error);
    }
    explained
}

/// All reasons that the report found; those of the error where it found none.
fn violations(report: &Report, error: &CompileError) -> Value {
    let of_error = match error {
        CompileError::Schema(error) => error.violations(),
        _ => &[],
    };
    let all = if report.violations.is_empty() { of_error } else { &report.violations };
    let violation = |violation: &Violation| {
        json!({
            "kind": format!("{:?}", violation.kind).to_lowercase(),
            "pointer": violation.pointer,
            "keyword": violation.keyword,
            "reason": violation.reason,
        })
    };
    all.iter().map(violation).collect::<Vec<_>>().into()
}

/// The root's pointer is empty, which would leave a hole in a table.
fn pointer(pointer: &str) -> String {
    if pointer.is_empty() { "/".to_owned() } else { pointer.to_owned() }
}

fn status(entry: &ReportEntry) -> String {
    format!("{:?}", entry.status).to_lowercase()
}
