//! Which schema does a `$ref` mean? JSON Pointers, anchors and identifiers inside the given documents.
//!
//! What a reference means by itself is found in no dynamic scope, once; the target is then taken in the scope of the
//! reference. Scopes are followed only where some dynamic reference has a choice: until one is met, none is kept, and then
//! the schema is reduced anew ([`Document::needs_scopes`]).

use serde_json::{Map, Value};

use super::dialect::Dialect;
use super::document::{Document, NodeId, NodeKind, ResourceId, Step, identifier};
use super::fault::{Fault, Result, refusal};
use super::keyword::{Keyword, Keywords};
use super::scope::{RECURSIVE, ScopeId};
use super::uri;
use super::walk::{Place, subschemas};
use crate::error::ViolationKind;
use crate::hash::{HashMap, HashSet};

/// Names by which schemas can be referred to.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// References that were resolved before, whatever the dynamic scope.
    resolved: HashMap<(ResourceId, &'a str), NodeId>,
    /// Identifiers and anchors of all documents; read when the first reference needs them.
    index: Index<'a>,
    /// How many documents the index speaks of.
    n_indexed: usize,
    /// Anchors of dynamic references that were taken for plain ones, as one resource alone declares them.
    taken_as_plain: HashSet<&'a str>,
    needs_scopes: bool,
    /// Whether all of the caller's documents were added.
    loaded_all: bool,
}

#[derive(Debug, Default)]
struct Index<'a> {
    resources: HashMap<String, NodeId>,
    anchors: HashMap<(ResourceId, &'a str), NodeId>,
    /// What `$dynamicAnchor` and `$recursiveAnchor` declare.
    dynamic: HashMap<ResourceId, Vec<(&'a str, NodeId)>>,
    /// For each of those, how many resources declare it.
    n_declaring: HashMap<&'a str, u32>,
}

impl<'a> Document<'a> {
    /// The node that `reference`, the value of `keyword` at `node`, means.
    pub(super) fn resolve(&mut self, node: NodeId, keyword: Keyword, reference: &'a str) -> Result<NodeId> {
        let key = (self.resource_id(node), reference);
        let mut target = match self.names.resolved.get(&key) {
            Some(target) => *target,
            None => {
                let target = self.find(node, keyword, reference)?;
                if self.kind(target) == NodeKind::Constant {
                    return Err(self.unresolved(node, keyword, reference, "is not a schema"));
                }
                self.names.resolved.insert(key, target);
                target
            }
        };
        let scope = self.scope_inside(node)?;
        if matches!(keyword, Keyword::DynamicRef | Keyword::RecursiveRef) {
            let anchor = match keyword {
                Keyword::RecursiveRef => RECURSIVE,
                _ => uri::split_fragment(reference).1,
            };
            target = self.dynamic_target(target, anchor, scope)?;
        }
        if self.scopes.is_none() {
            return Ok(target);
        }
        let inner = self.scope_in(scope, self.resource_id(target))?;
        Ok(self.in_scope(target, inner))
    }

    /// What a dynamic reference means whose plain meaning is `target`.
    fn dynamic_target(&mut self, target: NodeId, anchor: &'a str, scope: ScopeId) -> Result<NodeId> {
        self.build_index()?;
        let declared = self.names.index.dynamic.get(&self.resource_id(target));
        let is_dynamic = declared.is_some_and(|declared| declared.contains(&(anchor, target)));
        if !is_dynamic {
            return Ok(target);
        }
        if let Some(scopes) = &self.scopes {
            return Ok(scopes.outermost(scope, anchor).unwrap_or(target));
        }
        if self.names.index.n_declaring.get(anchor).is_some_and(|n| *n > 1) {
            self.names.needs_scopes = true;
            return Err(Fault::NeedsScopes);
        }
        self.names.taken_as_plain.insert(anchor);
        Ok(target)
    }

    /// Whether something was resolved as if there were no dynamic scopes, and that may be wrong.
    pub(super) fn needs_scopes(&self) -> bool {
        let is_declared_twice = |anchor: &&str| self.names.index.n_declaring.get(*anchor).is_some_and(|n| *n > 1);
        self.scopes.is_none() && (self.names.needs_scopes || self.names.taken_as_plain.iter().any(is_declared_twice))
    }

    /// The dynamic scope inside a resource that is entered from `outer`.
    pub(super) fn scope_in(&mut self, outer: ScopeId, resource: ResourceId) -> Result<ScopeId> {
        if self.scopes.is_none() {
            return Ok(outer);
        }
        self.build_index()?;
        let declared = || self.names.index.dynamic.get(&resource).cloned().unwrap_or_default();
        Ok(self.scopes.as_mut().map_or(outer, |scopes| scopes.enter(outer, resource, declared)))
    }

    fn find(&mut self, node: NodeId, keyword: Keyword, reference: &'a str) -> Result<NodeId> {
        let (address, fragment) = uri::split_fragment(reference);
        let root = if address.is_empty() {
            self.resource(node).root
        } else {
            let target = uri::resolve(&self.resource(node).base, address);
            match self.named_resource(&target)? {
                Some(root) => root,
                None => {
                    let reason = "leads outside the given schema and documents, and nothing is fetched";
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
                self.names.index.anchors.get(&(self.resource_id(root), fragment.as_str())).copied()
            }
        };
        target.ok_or_else(|| self.unresolved(node, keyword, reference, "leads nowhere"))
    }

    /// The root of the resource of that name, in the documents at hand or in one that is at hand from now on.
    fn named_resource(&mut self, uri: &str) -> Result<Option<NodeId>> {
        self.build_index()?;
        if let Some(root) = self.names.index.resources.get(uri) {
            return Ok(Some(*root));
        }
        if let Some(root) = self.load(uri) {
            self.names.index.resources.insert(uri.to_owned(), root);
            self.build_index()?;
            return Ok(Some(root));
        }
        // It may be inside a document that nothing has led to so far.
        if !self.names.loaded_all {
            self.names.loaded_all = true;
            let documents = self.documents;
            for uri in documents.uris().filter(|uri| !uri.is_empty()) {
                if !self.names.index.resources.contains_key(uri)
                    && let Some(root) = self.load(uri)
                {
                    self.names.index.resources.insert(uri.to_owned(), root);
                }
            }
            self.build_index()?;
        }
        Ok(self.names.index.resources.get(uri).copied())
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
            node = self.child_in(ScopeId::default(), node, step, value, NodeKind::Schema)?;
        }
        self.enter(node);
        Ok(Some(node))
    }

    fn unresolved(&self, node: NodeId, keyword: Keyword, reference: &str, reason: &str) -> Fault {
        let shown: String = reference.chars().take(200).collect();
        refusal(self, ViolationKind::Reference, node, keyword.name(), format!("{shown:?} {reason}"))
    }

    /// All schemas of the given documents, each before those inside it; documents that they refer to are left out.
    pub(super) fn schemas(&mut self) -> Result<Vec<NodeId>> {
        let mut schemas = Vec::new();
        let mut open: Vec<NodeId> = self.given_roots().collect();
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

    /// Reads the identifiers and anchors of all documents that were added since.
    fn build_index(&mut self) -> Result<()> {
        loop {
            let next = self.roots().nth(self.names.n_indexed);
            let Some(root) = next else { return Ok(()) };
            self.names.n_indexed += 1;
            let retrieved = self.resource(root).base.clone();
            let mut open = vec![root];
            while let Some(node) = open.pop() {
                self.enter(node);
                let Value::Object(map) = self.value(node) else { continue };
                self.index_names(node, map);
                let mut inside = Vec::new();
                subschemas(map, |place, value| inside.push((place, value)));
                for (place, value) in inside {
                    open.push(self.at_place(node, place, value)?);
                }
            }
            self.names.index.resources.entry(retrieved).or_insert(root);
        }
    }

    fn index_names(&mut self, node: NodeId, map: &'a Map<String, Value>) {
        let (resource, language) = (self.resource_id(node), self.resource(node).language);
        let dialect = language.dialect;
        let is_root = self.resource(node).root == node;
        let base = if is_root { Some(self.resource(node).base.clone()) } else { None };
        let index = &mut self.names.index;
        if let Some(base) = base {
            index.resources.entry(base).or_insert(node);
        }
        if dialect <= Dialect::Draft7 || dialect == Dialect::Unspecified {
            // An identifier that is a fragment alone is an anchor.
            if let Some(Value::String(id)) = identifier(&Keywords::read(map, language), dialect)
                && let (_, anchor) = uri::split_fragment(id)
                && !anchor.is_empty()
                && !anchor.starts_with('/')
            {
                index.anchors.entry((resource, anchor)).or_insert(node);
            }
        }
        if dialect <= Dialect::Draft7 {
            return;
        }
        let mut declare = |anchor: &'a str| {
            let declared = index.dynamic.entry(resource).or_default();
            if !declared.iter().any(|(known, _)| *known == anchor) {
                declared.push((anchor, node));
                *index.n_declaring.entry(anchor).or_insert(0) += 1;
            }
        };
        if let Some(Value::String(anchor)) = map.get("$dynamicAnchor")
            && dialect != Dialect::Draft2019
        {
            declare(anchor);
            index.anchors.entry((resource, anchor)).or_insert(node);
        }
        if map.get("$recursiveAnchor") == Some(&Value::Bool(true)) && is_root && dialect != Dialect::Draft2020 {
            declare(RECURSIVE);
        }
        if let Some(Value::String(anchor)) = map.get("$anchor") {
            index.anchors.entry((resource, anchor)).or_insert(node);
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
                    let scope = ScopeId::default();
                    let holder = self.child_in(scope, node, Step::Key(keyword), definitions, NodeKind::Schema)?;
                    return self.child_in(ScopeId::default(), holder, Step::Key(name), value, NodeKind::Schema);
                }
            },
        };
        self.child_in(ScopeId::default(), node, step, value, NodeKind::Schema)
    }
}
