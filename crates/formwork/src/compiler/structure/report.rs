//! What becomes of the keywords of the schemas in a structure?

use super::Structure;
use crate::json_schema::Report;
use crate::limits::Limits;

/// The reports of all grammars in a structure; the way to a grammar stands before its pointers.
pub(in crate::compiler) fn report(structure: &Structure, limits: &Limits) -> Report {
    let mut report = Report::default();
    add(structure, limits, String::new(), &mut report);
    report
}

fn add(structure: &Structure, limits: &Limits, path: String, report: &mut Report) {
    match structure {
        Structure::Marker(_) | Structure::Free { .. } => {}
        Structure::Grammar(grammar) => {
            let entries = grammar.report(limits).entries.into_iter();
            report.entries.extend(entries.map(|mut entry| {
                entry.pointer.insert_str(0, &path);
                entry
            }));
        }
        Structure::Sequence(parts) | Structure::Choice(parts) => {
            for (index, part) in parts.iter().enumerate() {
                add(part, limits, format!("{path}/{index}"), report);
            }
        }
        Structure::Repeat { part, separator, .. } => {
            add(part, limits, format!("{path}/part"), report);
            if let Some(separator) = separator {
                add(separator, limits, format!("{path}/separator"), report);
            }
        }
    }
}
