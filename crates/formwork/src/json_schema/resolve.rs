//! Which schema does a `$ref` mean? JSON Pointers, anchors and identifiers inside the given documents.

use ahash::AHashMap;
use serde_json::Value;

use super::document::{Document, NodeId, NodeKind, ResourceId, Step};
use super::fault::{Fault, Result, refusal};
use super::keyword::Keyword;
use super::uri;
use super::walk::{Place, subschemas};
use crate::error::ViolationKind;

/// Names by which schemas can be referred to.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// References that were resolved before.
    resolved: AHashMap<(ResourceId, &'a str), NodeId>,
    /// Identifiers and anchors of all documents; read when the first reference needs them.
    index: Option<Index>,
}

#[derive(Debug, Default)]
struct Index {
    resources: AHashMap<String, NodeId>,
    anchors: AHashMap<(ResourceId, String), NodeId>,
    /// For each `$dynamicAnchor`, how many resources declare it.
    dynamic: AHashMap<String, u32>,
    n_recursive: u32,
}

impl<'a> Document<'a> {
    /// The node that `reference`, the value of `keyword` at `node`, means.
    pub(super) fn resolve(&mut self, node: NodeId, keyword: Keyword, reference: &'a str) -> Result<NodeId> {
        let key = (self.resource_id(node), reference);
        if let Some(target) = self.names.resolved.get(&key) {
            return Ok(*target);
        }
        let target = self.find(node, keyword, reference)?;
        if self.kind(target) == NodeKind::Constant {
            return Err(self.unresolved(node, keyword, reference, "is not a schema"));
        }
        self.names.resolved.insert(key, target);
        Ok(target)
    }

    fn find(&mut self, node: NodeId, keyword: Keyword, reference: &'a str) -> Result<NodeId> {
        let (address, fragment) = uri::split_fragment(reference);
        let root = if address.is_empty() {
            self.resource(node).root
        } else {
            self.build_index()?;
            let target = uri::resolve(&self.resource(node).base, address);
            match self.names.index.as_ref().and_then(|index| index.resources.get(&target)) {
                Some(root) => *root,
                None => {
                    let reason = "leads outside the given schema, and nothing is fetched";
                    return Err(self.unresolved(node, keyword, reference, reason));
                }
            }
        };
        let Some(fragment) = uri::percent_decode(fragment) else {
            return Err(self.unresolved(node, keyword, reference, "is not a URI reference"));
        };
        let target = match fragment.strip_prefix('/') {
            None if fragment.is_empty() => Some(root),
            Some(pointer) => self.follow(root, pointer)?,
            None => {
                self.build_index()?;
                let anchor = (self.resource_id(root), fragment);
                self.names.index.as_ref().and_then(|index| index.anchors.get(&anchor)).copied()
            }
        };
        target.ok_or_else(|| self.unresolved(node, keyword, reference, "leads nowhere"))
    }

    /// Follows a JSON Pointer (without its first slash) from `root`.
    fn follow(&mut self, root: NodeId, pointer: &str) -> Result<Option<NodeId>> {
        let mut node = root;
        for segment in pointer.split('/') {
            self.enter(node);
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let (step, value) = match self.value(node) {
                Value::Object(map) => match map.get_key_value(&segment) {
                    Some((key, value)) => (Step::Key(key), value),
                    None => return Ok(None),
                },
                Value::Array(elements) => {
                    match segment.parse().ok().and_then(|index: usize| Some((index, elements.get(index)?))) {
                        Some((index, value)) => (Step::Index(index), value),
                        None => return Ok(None),
                    }
                }
                _ => return Ok(None),
            };
            node = self.child(node, step, value, NodeKind::Schema)?;
        }
        self.enter(node);
        Ok(Some(node))
    }

    fn unresolved(&self, node: NodeId, keyword: Keyword, reference: &str, reason: &str) -> Fault {
        let shown: String = reference.chars().take(200).collect();
        refusal(self, ViolationKind::Reference, node, keyword.name(), format!("{shown:?} {reason}"))
    }

    /// Whether a dynamic reference can only ever mean what a plain one would: at most one resource declares the
    /// anchor.
    pub(super) fn dynamic_is_plain(&mut self, fragment: &str) -> Result<bool> {
        self.build_index()?;
        let index = self.names.index.as_ref();
        Ok(index.is_none_or(|index| index.dynamic.get(fragment).is_none_or(|n_resources| *n_resources <= 1)))
    }

    /// The same for `$recursiveRef`.
    pub(super) fn recursive_is_plain(&mut self) -> Result<bool> {
        self.build_index()?;
        Ok(self.names.index.as_ref().is_none_or(|index| index.n_recursive <= 1))
    }

    /// All schemas of all documents, each before those inside it.
    pub(super) fn schemas(&mut self) -> Result<Vec<NodeId>> {
        let mut schemas = Vec::new();
        let mut open: Vec<NodeId> = self.roots().collect();
        open.reverse();
        while let Some(node) = open.pop() {
            self.enter(node);
            schemas.push(node);
            let Value::Object(map) = self.value(node) else { continue };
            let mut inside = Vec::new();
            subschemas(map, |place, value| inside.push((place, value)));
            for (place, value) in inside.into_iter().rev() {
                open.push(self.at_place(node, place, value)?);
            }
        }
        Ok(schemas)
    }

    /// Reads the identifiers and anchors of all documents, once.
    fn build_index(&mut self) -> Result<()> {
        if self.names.index.is_some() {
            return Ok(());
        }
        let mut index = Index::default();
        let mut open: Vec<NodeId> = self.roots().collect();
        while let Some(node) = open.pop() {
            self.enter(node);
            let Value::Object(map) = self.value(node) else { continue };
            self.index_names(node, &mut index);
            let mut inside = Vec::new();
            subschemas(map, |place, value| inside.push((place, value)));
            for (place, value) in inside {
                open.push(self.at_place(node, place, value)?);
            }
        }
        self.names.index = Some(index);
        Ok(())
    }

    fn index_names(&mut self, node: NodeId, index: &mut Index) {
        let Value::Object(map) = self.value(node) else { return };
        let resource = self.resource_id(node);
        if self.resource(node).root == node {
            index.resources.entry(self.resource(node).base.clone()).or_insert(node);
        }
        for (name, value) in map {
            match (name.as_str(), value) {
                ("$anchor", Value::String(anchor)) => {
                    index.anchors.entry((resource, anchor.clone())).or_insert(node);
                }
                ("$dynamicAnchor", Value::String(anchor)) => {
                    index.anchors.entry((resource, anchor.clone())).or_insert(node);
                    *index.dynamic.entry(anchor.clone()).or_insert(0) += 1;
                }
                ("$recursiveAnchor", Value::Bool(true)) => index.n_recursive += 1,
                ("$id" | "id", Value::String(id)) => {
                    let (_, anchor) = uri::split_fragment(id);
                    if !anchor.is_empty() && !anchor.starts_with('/') {
                        index.anchors.entry((resource, anchor.to_owned())).or_insert(node);
                    }
                }
                _ => {}
            }
        }
    }

    /// The node of a schema found by [`subschemas`]; where the place is below a keyword, the keyword's own value
    /// is no node.
    fn at_place(&mut self, node: NodeId, place: Place<'a>, value: &'a Value) -> Result<NodeId> {
        let step = match place {
            Place::Under(keyword) => Step::Key(keyword),
            Place::Element(keyword, index) => match Keyword::from_name(keyword) {
                Some(keyword) => Step::IndexOf(keyword, index),
                None => Step::Index(index),
            },
            Place::Member(keyword, name) => match Keyword::from_name(keyword) {
                Some(keyword) => Step::KeyOf(keyword, name),
                None => {
                    let definitions = match self.value(node) {
                        Value::Object(map) => map.get(keyword).unwrap_or(value),
                        _ => value,
                    };
                    let holder = self.child(node, Step::Key(keyword), definitions, NodeKind::Schema)?;
                    return self.child(holder, Step::Key(name), value, NodeKind::Schema);
                }
            },
        };
        self.child(node, step, value, NodeKind::Schema)
    }
}
