//! What became of every keyword of a schema?

use serde_json::{Map, Value};

use super::content::content;
use super::dialect::Dialect;
use super::fault::Fault;
use super::format::{self, Format};
use super::keyword::{Keyword, Keywords};
use super::reduce::{Reducer, Residue};
use super::{Context, Documents, Report, ReportEntry, SchemaOptions, Status, lower_root, profile};
use crate::error::{Violation, ViolationKind};
use crate::hash::{HashMap, HashSet};
use crate::limits::Limits;

/// What becomes of every keyword of `schema`, also of one that is refused: then all reasons are listed that can be found.
/// For a schema that refers to other documents there is [`Grammar::report`](crate::Grammar::report).
pub fn report(schema: &Value, options: &SchemaOptions) -> Report {
    report_within(schema, Context::new(options, &Documents::new(), &Limits::default()))
}

/// [`report`] with documents and limits.
pub(crate) fn report_within(schema: &Value, context: Context<'_>) -> Report {
    let Context { options, limits, .. } = context;
    let mut violations = match profile::check_schema(schema, options.profile, limits) {
        Ok(()) => Vec::new(),
        Err(error) => error.violations().to_vec(),
    };
    // What cannot be enforced is left out, so that the rest is seen as well.
    let relaxed = SchemaOptions { relax_unsupported: true, ..options.clone() };
    let context = Context { options: &relaxed, ..context };
    let mut reducer = Reducer::new(context, false);
    let mut lowered = lower_root(&mut reducer, schema);
    if reducer.document.needs_scopes() {
        reducer = Reducer::new(context, true);
        lowered = lower_root(&mut reducer, schema);
    }
    if let Err(fault) = lowered {
        let is_limit = fault.is_limit();
        let found = fault.into_error();
        violations.extend_from_slice(found.violations());
        // Lowering ends at the first fault; the schemas that it did not come to may have their own.
        if !is_limit && !found.is_unsatisfiable() {
            add_faults_of_all(&mut reducer, &mut violations);
        }
    }
    if !options.relax_unsupported {
        let residues: Vec<_> = std::mem::take(&mut reducer.relaxed);
        for residue in residues {
            let Residue { node, keyword, reason } = reducer.residue_at(residue);
            violations.push(Violation {
                kind: ViolationKind::Unsupported,
                pointer: reducer.document.pointer(*node),
                keyword: Some((*keyword).to_owned()),
                reason: reason.to_string(),
            });
        }
    }
    let mut seen = HashSet::default();
    violations.retain(|it| seen.insert((it.pointer.clone(), it.keyword.clone(), it.reason.clone())));
    let mut report = of_reached(&mut reducer);
    for entry in &mut report.entries {
        let is_its = |it: &&Violation| it.pointer == entry.pointer && it.keyword.as_ref() == Some(&entry.keyword);
        if let Some(violation) = violations.iter().find(is_its) {
            (entry.status, entry.note) = (Status::Refused, Some(violation.reason.clone()));
        }
    }
    Report { violations, ..report }
}

/// The faults that each schema has by itself, until a limit is met.
fn add_faults_of_all(reducer: &mut Reducer<'_>, violations: &mut Vec<Violation>) {
    let Ok(nodes) = reducer.document.schemas() else { return };
    for node in nodes {
        let union = reducer.conj_of(node).and_then(|conj| reducer.union_of(conj));
        match union {
            Err(fault) if fault.is_limit() => return,
            Err(Fault::Refused(error)) if !error.is_unsatisfiable() => violations.extend_from_slice(error.violations()),
            Err(_) => {}
            Ok(union) => reducer.relaxed.extend(union.residues()),
        }
    }
}

/// Lists the keywords of all schemas; `reducer` knows which of them were reached.
pub(super) fn of_reached(reducer: &mut Reducer<'_>) -> Report {
    let mut seen = HashSet::default();
    let mut nodes = std::mem::take(&mut reducer.reached);
    nodes.retain(|node| seen.insert(reducer.document.address(*node)));
    let n_reached = nodes.len();
    let all = reducer.document.schemas().unwrap_or_default();
    nodes.extend(all.into_iter().filter(|node| seen.insert(reducer.document.address(*node))));
    let relaxed: HashMap<_, _> = reducer
        .relaxed
        .iter()
        .map(|residue| reducer.residue_at(*residue))
        .map(|residue| ((reducer.document.address(residue.node), residue.keyword), residue.reason.to_string()))
        .collect();
    let mut entries = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let Value::Object(map) = reducer.document.value(node) else { continue };
        let pointer = reducer.document.pointer(node);
        let dialect = reducer.document.dialect(node);
        let keywords = Keywords::read(map, reducer.document.resource(node).language);
        let asserts_formats = reducer.asserts_formats(node);
        let asserts_content = reducer.asserts_content(node);
        for (name, value) in map {
            let (status, note) = match relaxed.get(&(reducer.document.address(node), name.as_str())) {
                None if name == "format" && !asserts_formats => (Status::Annotation, None),
                None if name.starts_with("content") && !asserts_content => (Status::Annotation, None),
                Some(reason) => (Status::Relaxed, Some(reason.clone())),
                None => {
                    let (status, note) = status_of(name, value, map, &keywords, dialect);
                    (status, note.map(str::to_owned))
                }
            };
            let (status, note) = match status {
                Status::Enforced if index >= n_reached => (Status::Annotation, Some(NOT_REACHED.to_owned())),
                _ => (status, note),
            };
            entries.push(ReportEntry { pointer: pointer.clone(), keyword: name.clone(), status, note });
        }
    }
    Report { entries, violations: Vec::new() }
}

/// The note of a keyword that would constrain something.
const NOT_REACHED: &str = "constrains no output: nothing leads to this schema";

fn status_of(
    name: &str,
    value: &Value,
    map: &Map<String, Value>,
    keywords: &Keywords<'_>,
    dialect: Dialect,
) -> (Status, Option<&'static str>) {
    let annotation = |note| (Status::Annotation, note);
    let Some(keyword) = Keyword::from_name(name) else { return annotation(None) };
    if !keyword.is_in(dialect) {
        return annotation(Some("not a keyword of this draft"));
    }
    if !keywords.has(keyword) {
        return annotation(Some("hidden by the $ref beside it, as up to draft-07"));
    }
    let needs = |other: Keyword| if keywords.has(other) { (Status::Enforced, None) } else { annotation(None) };
    match keyword {
        Keyword::Schema | Keyword::Id | Keyword::PlainId => annotation(None),
        Keyword::Then | Keyword::Else => needs(Keyword::If),
        Keyword::MinContains | Keyword::MaxContains => needs(Keyword::Contains),
        Keyword::AdditionalItems if !map.get("items").is_some_and(Value::is_array) => annotation(None),
        Keyword::Required if value.is_boolean() => annotation(Some("draft-03's spelling, which says nothing here")),
        Keyword::Format => match value.as_str().map(format::lookup) {
            Some(Format::Unknown) => annotation(Some("no draft defines this format")),
            Some(_) => (Status::Enforced, None),
            None => annotation(None),
        },
        Keyword::ContentEncoding if content(value.as_str(), None).is_empty() => annotation(Some("an unknown encoding")),
        Keyword::ContentMediaType if content(None, value.as_str()).is_empty() => {
            annotation(Some("an unknown media type"))
        }
        _ => (Status::Enforced, None),
    }
}
