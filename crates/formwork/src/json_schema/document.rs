//! Where does a schema stand in its document? Schema nodes, their JSON Pointers, resources and dialects.

use serde_json::{Map, Value};

use super::dialect::Dialect;
use super::documents::Documents;
use super::fault::{self, Result};
use super::keyword::{Keyword, Keywords};
use super::metaschemas::metaschema;
use super::scope::{ScopeId, Scopes};
use super::uri;
use super::vocabularies::{Language, Vocabularies};
use crate::error::ViolationKind;
use crate::hash::{HashMap, Seeded};

/// A schema, or a constant that is treated as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(pub(super) u32);

/// A schema resource: what `$id` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ResourceId(u32);

/// What the value of a node means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum NodeKind {
    /// A schema (or, on the way of a pointer, anything else).
    Schema,
    /// An instance: the node admits exactly this value.
    Constant,
}

/// One step from a node to a node inside it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// A member of an object.
    Key(&'a str),
    /// An element of an array.
    Index(usize),
    /// A member of the object under a keyword.
    KeyOf(Keyword, &'a str),
    /// An element of the array under a keyword.
    IndexOf(Keyword, usize),
}

impl Step<'_> {
    fn length(self) -> u32 {
        match self {
            Step::Key(_) | Step::Index(_) => 1,
            Step::KeyOf(..) | Step::IndexOf(..) => 2,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Node<'a> {
    value: &'a Value,
    kind: NodeKind,
    parent: Option<(NodeId, Step<'a>)>,
    depth: u32,
    resource: ResourceId,
    /// The dynamic scope that the node is evaluated in, see [`Scopes`].
    scope: ScopeId,
    /// Whether the node's own `$id` was looked at; nothing inside it may be visited before.
    entered: bool,
}

#[derive(Debug)]
pub(super) struct Resource<'a> {
    /// Its root, in no dynamic scope.
    pub(super) root: NodeId,
    pub(super) base: String,
    pub(super) language: Language<'a>,
}

/// Values and levels that are compared to tell whether two schemas are the same.
const MAX_COMPARED: usize = 10_000;
const MAX_COMPARED_LEVELS: usize = 64;

/// How many metaschemas may stand above one another.
const MAX_METASCHEMAS: usize = 8;

/// The schema documents of one request.
#[derive(Debug)]
pub(super) struct Document<'a> {
    nodes: Vec<Node<'a>>,
    by_address: HashMap<(usize, NodeKind, ScopeId), NodeId>,
    pub(super) resources: Vec<Resource<'a>>,
    /// Embedded resources by the address of their roots.
    embedded: HashMap<usize, ResourceId>,
    pub(super) documents: &'a Documents,
    /// Root nodes, with what stands before their pointers.
    roots: Vec<(NodeId, String)>,
    max_depth: usize,
    pub(super) names: super::resolve::Names<'a>,
    /// The dynamic scopes, where they are followed.
    pub(super) scopes: Option<Scopes<'a>>,
}

impl<'a> Document<'a> {
    /// With `scoped`, each schema is told apart by the dynamic scope that it is evaluated in.
    pub(super) fn new(documents: &'a Documents, max_depth: usize, scoped: bool) -> Document<'a> {
        Document {
            nodes: Vec::with_capacity(16),
            by_address: HashMap::with_capacity_and_hasher(14, Seeded),
            resources: Vec::with_capacity(1),
            embedded: HashMap::default(),
            documents,
            roots: Vec::with_capacity(1),
            max_depth,
            names: super::resolve::Names::default(),
            scopes: scoped.then(Scopes::new),
        }
    }

    /// Adds a document of the caller; the pointers into it begin with `prefix`.
    pub(super) fn add_root(&mut self, value: &'a Value, prefix: String) -> NodeId {
        self.add_document(value, String::new(), prefix)
    }

    /// Adds a document that `uri` (without fragment) names, if there is one.
    pub(super) fn load(&mut self, uri: &str) -> Option<NodeId> {
        let (uri, value) = match self.documents.get(uri) {
            Some(found) => found,
            None => (uri, metaschema(uri)?),
        };
        Some(self.add_document(value, uri.to_owned(), format!("{uri}#")))
    }

    fn add_document(&mut self, value: &'a Value, base: String, prefix: String) -> NodeId {
        let root = NodeId(self.nodes.len() as u32);
        let resource = ResourceId(self.resources.len() as u32);
        // What says nothing of its language is in that of the first document.
        let around = self.resources.first().map_or(Language::of(Dialect::Unspecified), |first| first.language);
        let language = self.language_of(value, around);
        self.resources.push(Resource { root, base, language });
        let scope = ScopeId::default();
        let node = Node { value, kind: NodeKind::Schema, parent: None, depth: 0, resource, scope, entered: false };
        self.nodes.push(node);
        self.by_address.insert((address(value), NodeKind::Schema, scope), root);
        self.roots.push((root, prefix));
        root
    }

    /// The node of `value`, which stands at `step` inside `parent`.
    pub(super) fn child(&mut self, parent: NodeId, step: Step<'a>, value: &'a Value, kind: NodeKind) -> Result<NodeId> {
        let scope = self.scope_inside(parent)?;
        self.child_in(scope, parent, step, value, kind)
    }

    /// The same in another dynamic scope than the parent's.
    pub(super) fn child_in(
        &mut self,
        scope: ScopeId,
        parent: NodeId,
        step: Step<'a>,
        value: &'a Value,
        kind: NodeKind,
    ) -> Result<NodeId> {
        let next = NodeId(self.nodes.len() as u32);
        let node = *self.by_address.entry((address(value), kind, scope)).or_insert(next);
        if node == next {
            let above = &self.nodes[parent.0 as usize];
            let (depth, resource) = (above.depth + step.length(), above.resource);
            let parent = Some((parent, step));
            self.nodes.push(Node { value, kind, parent, depth, resource, scope, entered: false });
            if depth as usize > self.max_depth {
                return Err(fault::limit(self, node, "max_schema_depth", self.max_depth));
            }
        }
        Ok(node)
    }

    /// The schema of `node`, evaluated in another dynamic scope.
    pub(super) fn in_scope(&mut self, node: NodeId, scope: ScopeId) -> NodeId {
        self.enter(node);
        let Node { value, kind, parent, depth, resource, scope: own, entered } = self.nodes[node.0 as usize];
        if own == scope {
            return node;
        }
        let next = NodeId(self.nodes.len() as u32);
        let moved = *self.by_address.entry((address(value), kind, scope)).or_insert(next);
        if moved == next {
            self.nodes.push(Node { value, kind, parent, depth, resource, scope, entered });
        }
        moved
    }

    /// The dynamic scope of what stands inside `node`, or is referred to from there.
    pub(super) fn scope_inside(&mut self, node: NodeId) -> Result<ScopeId> {
        let Node { scope, resource, .. } = self.nodes[node.0 as usize];
        self.scope_in(scope, resource)
    }

    /// `node`, or what holds it not too deep in the document: a pointer of a thousand steps would fill the screen.
    pub(super) fn near_root(&self, node: NodeId) -> NodeId {
        let mut near = node;
        while let Node { depth: 17.., parent: Some((parent, _)), .. } = self.nodes[near.0 as usize] {
            near = parent;
        }
        near
    }

    pub(super) fn value(&self, node: NodeId) -> &'a Value {
        self.nodes[node.0 as usize].value
    }

    pub(super) fn kind(&self, node: NodeId) -> NodeKind {
        self.nodes[node.0 as usize].kind
    }

    pub(super) fn resource(&self, node: NodeId) -> &Resource<'a> {
        &self.resources[self.nodes[node.0 as usize].resource.0 as usize]
    }

    pub(super) fn resource_id(&self, node: NodeId) -> ResourceId {
        self.nodes[node.0 as usize].resource
    }

    pub(super) fn dialect(&self, node: NodeId) -> Dialect {
        self.resource(node).language.dialect
    }

    pub(super) fn vocabularies(&self, node: NodeId) -> Vocabularies {
        self.resource(node).language.vocabularies
    }

    /// Whether two nodes are plainly the same schema, written twice: equal text in the same resource and scope. `false` says
    /// nothing.
    pub(super) fn are_twins(&self, left: NodeId, right: NodeId) -> bool {
        if left == right {
            return true;
        }
        let [left, right] = [left, right].map(|node| &self.nodes[node.0 as usize]);
        (left.kind, left.resource, left.scope) == (right.kind, right.resource, right.scope)
            && is_same_text(left.value, right.value, &mut { MAX_COMPARED }, MAX_COMPARED_LEVELS)
            // One that names a resource need not be in the one that it stands in.
            && !left.value.as_object().is_some_and(|map| map.contains_key("$id"))
    }

    /// Where the value of a node lies: the same for a schema in all its dynamic scopes.
    pub(super) fn address(&self, node: NodeId) -> usize {
        address(self.value(node))
    }

    /// Reads the keywords of a schema object and notes the resource that it opens.
    pub(super) fn keywords(&mut self, node: NodeId, map: &'a Map<String, Value>) -> Keywords<'a> {
        let keywords = Keywords::read(map, self.resource(node).language);
        if self.nodes[node.0 as usize].entered {
            return keywords;
        }
        self.nodes[node.0 as usize].entered = true;
        let Some(Value::String(id)) = identifier(&keywords, self.dialect(node)) else { return keywords };
        if !self.open_resource(node, id) {
            return keywords;
        }
        Keywords::read(map, self.resource(node).language)
    }

    /// Makes sure that the resource of `node` is known before anything inside it is visited.
    pub(super) fn enter(&mut self, node: NodeId) {
        if !self.nodes[node.0 as usize].entered
            && let Value::Object(map) = self.value(node)
        {
            let _ = self.keywords(node, map);
        }
    }

    /// Whether `id` gives `node` a resource (a bare `#name` does not).
    fn open_resource(&mut self, node: NodeId, id: &str) -> bool {
        let (reference, _) = uri::split_fragment(id);
        if reference.is_empty() {
            return false;
        }
        let base = uri::resolve(&self.resource(node).base, reference);
        let own = self.nodes[node.0 as usize].resource;
        let root = self.resources[own.0 as usize].root;
        if self.address(root) == self.address(node) {
            self.resources[own.0 as usize].base = base;
            return false;
        }
        let (value, next) = (self.value(node), ResourceId(self.resources.len() as u32));
        let resource = *self.embedded.entry(address(value)).or_insert(next);
        self.nodes[node.0 as usize].resource = resource;
        if resource == next {
            let language = self.language_of(value, self.resources[own.0 as usize].language);
            self.resources.push(Resource { root: node, base, language });
            let unscoped = self.in_scope(node, ScopeId::default());
            self.resources[resource.0 as usize].root = unscoped;
        }
        true
    }

    /// The language that a resource's `$schema` names, or the one around it.
    fn language_of(&self, value: &'a Value, around: Language<'a>) -> Language<'a> {
        match value.as_object().and_then(|map| map.get("$schema")) {
            Some(Value::String(uri)) => self.language_named(uri, MAX_METASCHEMAS),
            _ => around,
        }
    }

    fn language_named(&self, uri: &str, n_more: usize) -> Language<'a> {
        let dialect = Dialect::from_uri(uri);
        let documents = self.documents;
        let (address, _) = uri::split_fragment(uri);
        let metaschema = documents.get(address).and_then(|(_, metaschema)| metaschema.as_object());
        let (Dialect::Unspecified, Some(metaschema), 1..) = (dialect, metaschema, n_more) else {
            return Language::of(dialect);
        };
        let language = match metaschema.get("$schema") {
            Some(Value::String(above)) => self.language_named(above, n_more - 1),
            _ => Language::of(Dialect::Unspecified),
        };
        match metaschema.get("$vocabulary") {
            Some(Value::Object(listed)) if language.dialect >= Dialect::Draft2019 => {
                let (vocabularies, unknown) = Vocabularies::read(listed);
                Language { vocabularies, unknown, ..language }
            }
            _ => language,
        }
    }

    /// JSON Pointer of `node`, from the root of its document.
    pub(super) fn pointer(&self, node: NodeId) -> String {
        let mut steps = Vec::new();
        let mut at = node;
        while let Some((parent, step)) = self.nodes[at.0 as usize].parent {
            steps.push(step);
            at = parent;
        }
        let prefix = self.roots.iter().find(|(root, _)| *root == at).map_or("", |(_, prefix)| prefix);
        let mut pointer = prefix.to_owned();
        for step in steps.into_iter().rev() {
            match step {
                Step::Key(key) => push_segment(&mut pointer, key),
                Step::Index(index) => push_segment(&mut pointer, &index.to_string()),
                Step::KeyOf(keyword, key) => {
                    push_segment(&mut pointer, keyword.name());
                    push_segment(&mut pointer, key);
                }
                Step::IndexOf(keyword, index) => {
                    push_segment(&mut pointer, keyword.name());
                    push_segment(&mut pointer, &index.to_string());
                }
            }
        }
        pointer
    }

    /// A keyword's value is not what the keyword takes.
    pub(super) fn malformed(&self, node: NodeId, keyword: Keyword, expected: &str) -> super::fault::Fault {
        fault::refusal(self, ViolationKind::Malformed, node, keyword.name(), format!("must be {expected}"))
    }

    /// The documents that were not loaded for a reference: what stands before their pointers is a pointer too.
    pub(super) fn given_roots(&self) -> impl Iterator<Item = NodeId> + '_ {
        let is_given = |prefix: &str| prefix.is_empty() || prefix.starts_with('/');
        self.roots.iter().filter(move |(_, prefix)| is_given(prefix)).map(|(root, _)| *root)
    }

    pub(super) fn roots(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.roots.iter().map(|(root, _)| *root)
    }
}

/// Whether two values are written alike, members in the same order, as far as so many values and levels tell.
fn is_same_text(left: &Value, right: &Value, n_left: &mut usize, n_levels: usize) -> bool {
    if *n_left == 0 || n_levels == 0 {
        return false;
    }
    *n_left -= 1;
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|((key, value), (other_key, other))| {
                    key == other_key && is_same_text(value, other, n_left, n_levels - 1)
                })
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(value, other)| is_same_text(value, other, n_left, n_levels - 1))
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => false,
        (left, right) => left == right,
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value) as usize
}

/// The keyword that names a resource, or an anchor.
pub(super) fn identifier<'a>(keywords: &Keywords<'a>, dialect: Dialect) -> Option<&'a Value> {
    let plain = if dialect.has_plain_id() { keywords.get(Keyword::PlainId) } else { None };
    keywords.get(Keyword::Id).or(plain)
}

/// Appends `/segment`, escaped.
pub(super) fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for character in segment.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}
