//! What does the engine make of a schema? `formwork explain`: keyword by keyword, or why it is refused.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use formwork::json_schema::{Report, ReportEntry};
use formwork::{CompileError, Compiler, Violation};
use serde_json::{Value, json};

use crate::byte_vocabulary::byte_vocabulary;
use crate::display::table;
use crate::document_args::DocumentArgs;
use crate::failure::Failure;
use crate::schema_args::{LayoutArgs, SchemaArg, StrictnessArgs};

/// Say what is enforced of a schema, keyword by keyword
///
/// Exit code 2 when the schema is refused.
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
    /// Prints the report.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let grammar = self.schema.grammar(self.strictness.options(self.layout.layout()))?;
        let grammar = grammar.with_documents(self.documents.documents()?);
        let mut output = std::io::stdout().lock();
        match Compiler::new(byte_vocabulary()?).compile(&grammar) {
            Ok(compiled) if self.json => writeln!(output, "{:#}", accepted(compiled.report()))?,
            Ok(compiled) => write!(output, "{}", report_table(compiled.report()))?,
            Err(error) if self.json => {
                writeln!(output, "{:#}", refused(&error))?;
                return Ok(ExitCode::from(2));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(ExitCode::SUCCESS)
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

fn accepted(report: &Report) -> Value {
    let entry = |entry: &ReportEntry| {
        json!({
            "pointer": entry.pointer,
            "keyword": entry.keyword,
            "status": status(entry),
            "note": entry.note,
        })
    };
    json!({"accepted": true, "keywords": report.entries.iter().map(entry).collect::<Vec<_>>()})
}

fn refused(error: &CompileError) -> Value {
    let violations = match error {
        CompileError::Schema(error) => error.violations(),
        _ => &[],
    };
    let violation = |violation: &Violation| {
        json!({
            "kind": format!("{:?}", violation.kind).to_lowercase(),
            "pointer": violation.pointer,
            "keyword": violation.keyword,
            "reason": violation.reason,
        })
    };
    json!({
        "accepted": false,
        "error": error.to_string(),
        "violations": violations.iter().map(violation).collect::<Vec<_>>(),
    })
}

/// The root's pointer is empty, which would leave a hole in a table.
fn pointer(pointer: &str) -> String {
    if pointer.is_empty() { "/".to_owned() } else { pointer.to_owned() }
}

fn status(entry: &ReportEntry) -> String {
    format!("{:?}", entry.status).to_lowercase()
}
