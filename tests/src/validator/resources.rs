//! Which schema has which URI, and where are its anchors?

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::draft::Draft;
use super::{Node, Unjudged, uri};

/// Schema resources (Core, section 4.3.5) of all documents.
#[derive(Debug, Default)]
pub(super) struct Resources<'s> {
    all: Vec<Resource<'s>>,
    by_uri: BTreeMap<String, usize>,
    /// By the address of the root.
    by_root: BTreeMap<usize, usize>,
}

#[derive(Debug)]
struct Resource<'s> {
    root: &'s Value,
    uri: String,
    draft: Draft,
    anchors: BTreeMap<String, &'s Value>,
    dynamic_anchors: BTreeMap<String, &'s Value>,
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

impl<'s> Resources<'s> {
    pub(super) fn add_document(&mut self, uri: &str, document: &'s Value, draft: Draft) -> usize {
        let resource = self.open(uri.to_owned(), document, draft);
        self.visit(document, resource);
        // The document may give itself another name; it keeps the one by which it was found too.
        self.by_uri.entry(uri.to_owned()).or_insert(resource);
        self.by_root[&address(document)]
    }

    fn open(&mut self, uri: String, root: &'s Value, draft: Draft) -> usize {
        let stated = root.get("$schema").and_then(Value::as_str).and_then(Draft::from_uri);
        let resource = self.all.len();
        let draft = stated.unwrap_or(draft);
        let (anchors, dynamic_anchors) = Default::default();
        self.all.push(Resource { root, uri: uri.clone(), draft, anchors, dynamic_anchors });
        self.by_uri.insert(uri, resource);
        self.by_root.insert(address(root), resource);
        resource
    }

    fn visit(&mut self, value: &'s Value, resource: usize) {
        let Value::Object(schema) = value else { return };
        let resource = self.name(value, schema, resource);
        for (keyword, list) in [("$anchor", false), ("$dynamicAnchor", true)] {
            if let Some(Value::String(name)) = schema.get(keyword) {
                let resource = &mut self.all[resource];
                resource.anchors.insert(name.clone(), value);
                if list {
                    resource.dynamic_anchors.insert(name.clone(), value);
                }
            }
        }
        for (_, subschema) in subschemas(schema) {
            self.visit(subschema, resource);
        }
    }

    /// Reads the identifier of a schema object: it may open a resource, or, up to draft-07, be an anchor.
    fn name(&mut self, value: &'s Value, schema: &'s Map<String, Value>, resource: usize) -> usize {
        let stated = schema.get("$schema").and_then(Value::as_str).and_then(Draft::from_uri);
        let draft = stated.unwrap_or(self.all[resource].draft);
        let Some(id) = draft.id(schema) else { return resource };
        let (target, fragment) = uri::resolve(&self.all[resource].uri, id);
        if id.starts_with('#') {
            self.all[resource].anchors.insert(fragment, value);
            return resource;
        }
        if address(self.all[resource].root) == address(value) {
            self.by_uri.insert(target.clone(), resource);
            self.all[resource].uri = target;
            return resource;
        }
        self.open(target, value, draft)
    }

    pub(super) fn draft(&self, resource: usize) -> Draft {
        self.all[resource].draft
    }

    /// The resource of a schema, its own where it is a root.
    pub(super) fn entered(&self, node: Node<'s>) -> usize {
        self.by_root.get(&address(node.value)).copied().unwrap_or(node.resource)
    }

    pub(super) fn root(&self, resource: usize) -> &'s Value {
        self.all[resource].root
    }

    /// The schema with this `$dynamicAnchor` in the resource.
    pub(super) fn dynamic_anchor(&self, resource: usize, name: &str) -> Option<Node<'s>> {
        self.all[resource].dynamic_anchors.get(name).map(|value| Node { value, resource })
    }

    /// What a reference in `resource` means, and its fragment.
    pub(super) fn find(&self, resource: usize, reference: &str) -> Result<(Node<'s>, String), Unjudged> {
        let nowhere = || Unjudged(format!("reference {reference:?} leads nowhere"));
        let (target, fragment) = uri::resolve(&self.all[resource].uri, reference);
        let fragment = uri::decode(&fragment);
        let resource = *self.by_uri.get(&target).ok_or_else(nowhere)?;
        let root = Node { value: self.all[resource].root, resource };
        let node = match fragment.strip_prefix('/') {
            None if fragment.is_empty() => root,
            None => Node { value: self.all[resource].anchors.get(&fragment).ok_or_else(nowhere)?, resource },
            Some(pointer) => self.follow(root, pointer).ok_or_else(nowhere)?,
        };
        Ok((node, fragment))
    }

    /// RFC 6901, section 4.
    fn follow(&self, from: Node<'s>, pointer: &str) -> Option<Node<'s>> {
        let mut node = from;
        for segment in pointer.split('/') {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let value = match node.value {
                Value::Object(members) => members.get(&segment)?,
                Value::Array(elements) => elements.get(segment.parse::<usize>().ok()?)?,
                _ => return None,
            };
            node = Node { value, resource: self.entered(Node { value, ..node }) };
        }
        Some(node)
    }
}

/// The schemas directly inside a schema object, each with its keyword.
pub fn subschemas(schema: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut found = Vec::new();
    for (keyword, value) in schema {
        let is_schema = matches!(value, Value::Object(_) | Value::Bool(_));
        match (keyword.as_str(), value) {
            (
                "additionalItems"
                | "additionalProperties"
                | "contains"
                | "else"
                | "if"
                | "items"
                | "not"
                | "propertyNames"
                | "then"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                _,
            ) if is_schema => found.push((keyword.as_str(), value)),
            ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(elements)) => {
                found.extend(elements.iter().map(|element| (keyword.as_str(), element)));
            }
            (
                "$defs" | "definitions" | "dependencies" | "dependentSchemas" | "patternProperties" | "properties",
                Value::Object(members),
            ) => {
                let schemas = members.values().filter(|member| !member.is_array());
                found.extend(schemas.map(|member| (keyword.as_str(), member)));
            }
            _ => {}
        }
    }
    found
}
