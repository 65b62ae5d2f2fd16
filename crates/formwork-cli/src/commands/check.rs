//! Does a text match a schema? `formwork check`: byte by byte as it stands, with no model involved.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use formwork::grammar::KeyOrder;
use formwork::json_schema::{Layout, SchemaOptions};
use formwork::{CompiledGrammar, Compiler, MatchError};

use crate::byte_vocabulary::byte_vocabulary;
use crate::document_args::DocumentArgs;
use crate::expected::{expected, shown};
use crate::failure::Failure;
use crate::input::read_bytes;
use crate::schema_args::{SchemaArg, StrictnessArgs};

/// Check whether texts match a schema
///
/// Exit code 0: all match; 1: one does not; 2: the schema is refused, or a file cannot be read.
#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    schema: SchemaArg,
    /// Files with the texts to check; - is standard input
    #[arg(required = true, value_name = "INSTANCE")]
    instances: Vec<PathBuf>,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    strictness: StrictnessArgs,
}

impl CheckArgs {
    /// Prints a line for each instance.
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        // Whether an instance is valid has nothing to do with the order of its keys.
        let options = SchemaOptions { key_order: KeyOrder::Any, ..self.strictness.options(Layout::FREE) };
        let grammar = self.schema.grammar(options)?.with_documents(self.documents.documents()?);
        let compiled = Compiler::new(byte_vocabulary()?).compile(&grammar)?;
        let mut code = ExitCode::SUCCESS;
        for path in &self.instances {
            let rejection = find_rejection(&compiled, path)?;
            let mut output = std::io::stdout().lock();
            match rejection {
                None => writeln!(output, "{}: accepted", path.display())?,
                Some(rejection) => {
                    code = ExitCode::from(1);
                    writeln!(output, "{}: {rejection}", path.display())?;
                }
            }
        }
        Ok(code)
    }
}

/// Why a file's text does not match; `None` when it does.
fn find_rejection(compiled: &Arc<CompiledGrammar>, path: &Path) -> Result<Option<String>, Failure> {
    let bytes = read_bytes(path)?;
    let text = without_final_newline(&bytes);
    let mut matcher = compiled.matcher();
    let offset = match matcher.accept_bytes(text) {
        Ok(()) if matcher.is_accepting() => return Ok(None),
        Ok(()) => text.len(),
        Err(MatchError::ByteNotAllowed { offset }) => {
            matcher.accept_bytes(&text[..offset])?;
            offset
        }
        Err(error) => return Err(Failure::about(path.display(), error)),
    };
    let (line, column) = position(text, offset);
    let (expected, found) = (expected(&matcher, &text[..offset])?, found(&text[offset..]));
    Ok(Some(format!("rejected at byte {offset} (line {line}, column {column}): expected {expected}, found {found}")))
}

/// A text without the newline that an editor puts at its end.
fn without_final_newline(bytes: &[u8]) -> &[u8] {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// What stands at the point of rejection: a character, or the rest of a word.
fn found(rest: &[u8]) -> String {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
    match rest {
        [] => "the end of the text".to_owned(),
        [first, ..] if is_word(first) => shown(rest.split(|byte| !is_word(byte)).next().unwrap_or(rest)),
        [first, ..] => shown(&[*first]),
    }
}

/// Line and column of a byte, both from 1; columns count characters.
fn position(text: &[u8], offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    (line, String::from_utf8_lossy(&before[line_start..]).chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let text = "{\n \"ä\": 1}".as_bytes();
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, text.len()), (2, 9));
    }

    #[test]
    fn one_newline_at_the_end_is_no_part_of_the_text() {
        assert_eq!(without_final_newline(b"1\r\n"), b"1");
        assert_eq!(without_final_newline(b"1\n\n"), b"1\n");
        assert_eq!(without_final_newline(b""), b"");
    }
}
