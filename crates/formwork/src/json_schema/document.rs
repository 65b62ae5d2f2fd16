//! Where does a schema stand in its document? Schema nodes, their JSON Pointers, resources and dialects.

use ahash::AHashMap;
use serde_json::{Map, Value};

use super::dialect::Dialect;
use super::fault::{self, Result};
use super::keyword::{Keyword, Keywords};
use super::uri;
use crate::error::ViolationKind;

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

#[derive(Debug)]
struct Node<'a> {
    value: &'a Value,
    kind: NodeKind,
    parent: Option<(NodeId, Step<'a>)>,
    depth: u32,
    resource: ResourceId,
    /// Whether the node's own `$id` was looked at; nothing inside it may be visited before.
    entered: bool,
}

#[derive(Debug)]
pub(super) struct Resource {
    pub(super) root: NodeId,
    pub(super) base: String,
    pub(super) dialect: Dialect,
}

/// The schema documents of one request.
#[derive(Debug)]
pub(super) struct Document<'a> {
    nodes: Vec<Node<'a>>,
    by_address: AHashMap<(usize, NodeKind), NodeId>,
    pub(super) resources: Vec<Resource>,
    /// Root nodes, with what stands before their pointers.
    roots: Vec<(NodeId, String)>,
    max_depth: usize,
    pub(super) names: super::resolve::Names<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn new(max_depth: usize) -> Document<'a> {
        Document {
            nodes: Vec::with_capacity(32),
            by_address: AHashMap::with_capacity(32),
            resources: Vec::with_capacity(1),
            roots: Vec::with_capacity(1),
            max_depth,
            names: super::resolve::Names::default(),
        }
    }

    /// Adds a document; the pointers into it begin with `prefix`.
    pub(super) fn add_root(&mut self, value: &'a Value, prefix: String) -> NodeId {
        let node = NodeId(self.nodes.len() as u32);
        let resource = ResourceId(self.resources.len() as u32);
        let dialect = dialect_of(value).unwrap_or(Dialect::Unspecified);
        self.resources.push(Resource { root: node, base: String::new(), dialect });
        self.nodes.push(Node { value, kind: NodeKind::Schema, parent: None, depth: 0, resource, entered: false });
        self.by_address.insert((address(value), NodeKind::Schema), node);
        self.roots.push((node, prefix));
        node
    }

    /// The node of `value`, which stands at `step` inside `parent`.
    pub(super) fn child(&mut self, parent: NodeId, step: Step<'a>, value: &'a Value, kind: NodeKind) -> Result<NodeId> {
        let next = NodeId(self.nodes.len() as u32);
        let node = *self.by_address.entry((address(value), kind)).or_insert(next);
        if node == next {
            let above = &self.nodes[parent.0 as usize];
            let (depth, resource) = (above.depth + step.length(), above.resource);
            self.nodes.push(Node { value, kind, parent: Some((parent, step)), depth, resource, entered: false });
            if depth as usize > self.max_depth {
                return Err(fault::limit(self, node, "max_schema_depth", self.max_depth));
            }
        }
        Ok(node)
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

    pub(super) fn resource(&self, node: NodeId) -> &Resource {
        &self.resources[self.nodes[node.0 as usize].resource.0 as usize]
    }

    pub(super) fn resource_id(&self, node: NodeId) -> ResourceId {
        self.nodes[node.0 as usize].resource
    }

    pub(super) fn dialect(&self, node: NodeId) -> Dialect {
        self.resource(node).dialect
    }

    /// Reads the keywords of a schema object and notes the resource that it opens.
    pub(super) fn keywords(&mut self, node: NodeId, map: &'a Map<String, Value>) -> Keywords<'a> {
        let keywords = Keywords::read(map, self.dialect(node));
        if self.nodes[node.0 as usize].entered {
            return keywords;
        }
        self.nodes[node.0 as usize].entered = true;
        let has_plain_id = self.dialect(node).has_plain_id();
        let plain_id = if has_plain_id { keywords.get(Keyword::PlainId) } else { None };
        let Some(Value::String(id)) = keywords.get(Keyword::Id).or(plain_id) else { return keywords };
        if !self.open_resource(node, id) {
            return keywords;
        }
        Keywords::read(map, self.dialect(node))
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
        if self.resource(node).root == node {
            let resource = self.nodes[node.0 as usize].resource;
            self.resources[resource.0 as usize].base = base;
            return false;
        }
        let dialect = dialect_of(self.value(node)).unwrap_or(self.dialect(node));
        self.nodes[node.0 as usize].resource = ResourceId(self.resources.len() as u32);
        self.resources.push(Resource { root: node, base, dialect });
        true
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

    pub(super) fn roots(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.roots.iter().map(|(root, _)| *root)
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value) as usize
}

fn dialect_of(value: &Value) -> Option<Dialect> {
    Some(Dialect::from_uri(value.as_object()?.get("$schema")?.as_str()?))
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
