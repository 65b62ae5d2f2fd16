//! Is a document an instance of a schema? A validator that follows the specification's text keyword by keyword.
//!
//! It is slow and meant to be read beside the specification: JSON Schema Core (2020-12), sections 8 to 11, and JSON Schema
//! Validation (2020-12), section 6; where older drafts differ, the difference is named. What it does not know, it leaves
//! unjudged. Nothing here is shared with the engine.

mod applicator;
mod assertion;
mod draft;
mod example;
mod format;
mod number;
mod pattern;
mod reference;
mod resources;
mod uri;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

pub use self::assertion::equal;
pub use self::draft::Draft;
pub(crate) use self::pattern::Pattern;
use self::resources::Resources;
pub use self::resources::subschemas;

/// Schemas inside one another on one instance: more are a circle, or as bad as one.
const MAX_DEPTH: usize = 120;

/// Why the validator gives no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged(pub String);

impl fmt::Display for Unjudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unjudged {}

/// A schema with the documents that it may refer to.
#[derive(Debug)]
pub struct Validator<'s> {
    resources: Resources<'s>,
    root: Node<'s>,
    patterns: RefCell<BTreeMap<String, Result<Pattern, Unjudged>>>,
    asserts_formats: bool,
}

/// A schema and the resource that it belongs to.
#[derive(Clone, Copy, Debug)]
struct Node<'s> {
    value: &'s Value,
    resource: usize,
}

/// What applicators have evaluated of an instance (Core, section 7.7.1: annotations of `properties`, `items` and others).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Evaluated {
    keys: BTreeSet<String>,
    items: BTreeSet<usize>,
}

impl Evaluated {
    fn add(&mut self, other: Evaluated) {
        self.keys.extend(other.keys);
        self.items.extend(other.items);
    }
}

/// `None` when the instance is not valid: then there are no annotations.
type Verdict = Result<Option<Evaluated>, Unjudged>;

/// One schema object while it is applied to an instance.
#[derive(Clone, Copy)]
struct Site<'s, 'i> {
    schema: &'s Map<String, Value>,
    resource: usize,
    draft: Draft,
    instance: &'i Value,
}

impl<'s> Site<'s, '_> {
    /// The value of a keyword that the draft knows.
    fn get(&self, keyword: &str) -> Option<&'s Value> {
        self.draft.knows(keyword).then(|| self.schema.get(keyword)).flatten()
    }

    fn node(&self, value: &'s Value) -> Node<'s> {
        Node { value, resource: self.resource }
    }
}

/// The way to the present schema.
#[derive(Debug, Default)]
struct Way {
    /// The dynamic scope: resources in the order in which they were entered (Core, section 7.1).
    scope: Vec<usize>,
    depth: usize,
}

impl<'s> Validator<'s> {
    /// For a schema of the given draft where it has no `$schema`; `remotes` are further documents by their URIs.
    pub fn new(schema: &'s Value, draft: Draft, remotes: &'s BTreeMap<String, Value>) -> Validator<'s> {
        let mut resources = Resources::default();
        for (uri, document) in remotes {
            resources.add_document(uri, document, draft);
        }
        let root = Node { value: schema, resource: resources.add_document("", schema, draft) };
        Validator { resources, root, patterns: RefCell::default(), asserts_formats: false }
    }

    /// Takes `format` as an assertion.
    pub fn asserting_formats(self) -> Validator<'s> {
        Validator { asserts_formats: true, ..self }
    }

    /// Whether `instance` is valid.
    ///
    /// # Errors
    /// When the schema says something that this validator does not know.
    pub fn is_valid(&self, instance: &Value) -> Result<bool, Unjudged> {
        Ok(self.evaluate(self.root, instance, &mut Way::default())?.is_some())
    }

    fn evaluate(&self, node: Node<'s>, instance: &Value, way: &mut Way) -> Verdict {
        let schema = match node.value {
            Value::Bool(true) => return Ok(Some(Evaluated::default())),
            Value::Bool(false) => return Ok(None),
            Value::Object(schema) => schema,
            _ => return Err(Unjudged("a schema that is neither an object nor a boolean".to_owned())),
        };
        if way.depth >= MAX_DEPTH {
            return Err(Unjudged("schemas too deep inside one another".to_owned()));
        }
        let resource = self.resources.entered(node);
        let site = Site { schema, resource, draft: self.resources.draft(resource), instance };
        way.depth += 1;
        way.scope.push(resource);
        let verdict = self.evaluate_object(site, way);
        way.scope.pop();
        way.depth -= 1;
        verdict
    }

    fn evaluate_object(&self, site: Site<'s, '_>, way: &mut Way) -> Verdict {
        if site.draft.ref_hides_siblings() && site.schema.contains_key("$ref") {
            return self.references(site, way);
        }
        if !self.assertions_hold(site)? {
            return Ok(None);
        }
        let mut evaluated = Evaluated::default();
        let steps = [Self::references, Self::in_place, Self::members, Self::elements];
        for step in steps {
            match step(self, site, way)? {
                Some(more) => evaluated.add(more),
                None => return Ok(None),
            }
        }
        self.unevaluated(site, evaluated, way)
    }

    /// Whether a pattern is found in `text`.
    fn is_found(&self, pattern: &str, text: &str) -> Result<bool, Unjudged> {
        let mut patterns = self.patterns.borrow_mut();
        let parsed = patterns.entry(pattern.to_owned()).or_insert_with(|| Pattern::parse(pattern));
        parsed.as_ref().map(|pattern| pattern.is_found(text)).map_err(Clone::clone)
    }
}
