//! What becomes of the keywords of the schemas in a structure, and what in them is probably a mistake?

use super::Structure;
use crate::compiler::source::Grammar;
use crate::json_schema::{Lint, Report};
use crate::limits::Limits;

/// The reports of all grammars in a structure; the way to a grammar stands before its pointers.
pub(in crate::compiler) fn report(structure: &Structure, limits: &Limits) -> Report {
    let mut report = Report::default();
    visit(structure, String::new(), &mut |grammar, path| {
        let mut part = grammar.report_within(limits);
        part.entries.iter_mut().for_each(|entry| entry.pointer.insert_str(0, path));
        part.violations.iter_mut().for_each(|violation| violation.pointer.insert_str(0, path));
        report.entries.append(&mut part.entries);
        report.violations.append(&mut part.violations);
    });
    report
}

/// The lints of all grammars in a structure, likewise.
pub(in crate::compiler) fn lint(structure: &Structure) -> Vec<Lint> {
    let mut lints = Vec::new();
    visit(structure, String::new(), &mut |grammar, path| {
        let mut part = grammar.lint();
        part.iter_mut().for_each(|lint| lint.pointer.insert_str(0, path));
        lints.append(&mut part);
    });
    lints
}

fn visit(structure: &Structure, path: String, each: &mut dyn FnMut(&Grammar, &str)) {
    match structure {
        Structure::Marker(_) | Structure::Free { .. } => {}
        Structure::Grammar(grammar) => each(grammar, &path),
        Structure::Sequence(parts) | Structure::Choice(parts) => {
            for (index, part) in parts.iter().enumerate() {
                visit(part, format!("{path}/{index}"), each);
            }
        }
        Structure::Repeat { part, separator, .. } => {
            visit(part, format!("{path}/part"), each);
            if let Some(separator) = separator {
                visit(separator, format!("{path}/separator"), each);
            }
        }
    }
}
