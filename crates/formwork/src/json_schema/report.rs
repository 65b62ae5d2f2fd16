//! What became of every keyword of a schema that was reached?

use ahash::{AHashMap, AHashSet};
use serde_json::{Map, Value};

use super::content::content;
use super::dialect::Dialect;
use super::format::{self, Format};
use super::keyword::{Keyword, Keywords};
use super::reduce::Reducer;
use super::{Report, ReportEntry, Status};

/// Lists the keywords of all nodes that `reducer` has reached.
pub(super) fn report(reducer: &mut Reducer<'_>) -> Report {
    let mut seen = AHashSet::new();
    let mut nodes = std::mem::take(&mut reducer.reached);
    nodes.retain(|node| seen.insert(reducer.document.address(*node)));
    let relaxed: AHashMap<_, _> = reducer
        .relaxed
        .iter()
        .map(|residue| reducer.residue_at(*residue))
        .map(|residue| ((reducer.document.address(residue.node), residue.keyword), residue.reason.to_string()))
        .collect();
    let mut entries = Vec::new();
    for node in nodes {
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
            entries.push(ReportEntry { pointer: pointer.clone(), keyword: name.clone(), status, note });
        }
    }
    Report { entries }
}

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
