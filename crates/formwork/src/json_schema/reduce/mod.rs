//! What does a schema mean? Conjunctions of schemas to unions of shapes, each computed once and on demand.
//!
//! A conjunction is an interned set of atoms; an atom is a schema node or its negation. Reducing one combines what
//! its keywords say in place; children are only named (as further conjunctions), never visited. A schema that in
//! place leads back to itself is refused; one that comes back through a property or an element is simply met again
//! in the table.

mod array;
mod combine;
mod conj;
mod constant;
mod disjoint;
mod emptiness;
mod exclude;
mod intersect;
mod keys;
mod languages;
mod negate;
mod object;
mod presence;
mod relations;
mod scalar;
mod unevaluated;

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Value};

use self::conj::{Atom, AtomKind, Conjunctions};
use self::emptiness::Known;
use self::exclude::Rival;
pub(super) use self::keys::KeySet;
pub(super) use self::keys::complements;
use super::document::{Document, NodeId, NodeKind};
use super::fault::{Fault, Result, limit, refusal};
use super::keyword::{Keyword, Keywords};
use super::pattern::Pattern;
use super::shape::{Alternatives, ConjId, Owner, OwnerId, PatternId, ResidueId, Union};
use super::{Context, LongNumbers, SchemaOptions};
use crate::automata::StringSpec;
use crate::error::ViolationKind;
use crate::hash::HashMap;
use crate::limits::Limits;

/// What is known of a conjunction.
#[derive(Clone, Debug)]
enum Memo<'a> {
    New,
    /// It is being reduced, since the given probe level.
    Busy(u32),
    Done(Rc<Union<'a>>),
}

/// A keyword that cannot be enforced.
#[derive(Clone, Debug)]
pub(super) struct Residue {
    pub(super) node: NodeId,
    pub(super) keyword: &'static str,
    pub(super) reason: Cow<'static, str>,
}

/// Reduces the schemas of one request.
pub(super) struct Reducer<'a> {
    pub(super) document: Document<'a>,
    pub(super) options: &'a SchemaOptions,
    pub(super) limits: &'a Limits,
    long_numbers: Option<&'a LongNumbers>,
    conjs: Conjunctions,
    memo: Vec<Memo<'a>>,
    known: HashMap<ConjId, Known>,
    pub(super) patterns: Vec<Pattern<'a>>,
    pub(super) pattern_ids: HashMap<&'a str, PatternId>,
    pub(super) pattern_holds: HashMap<(PatternId, &'a str), bool>,
    owners: Vec<Owner<'a>>,
    key_languages: Vec<Vec<StringSpec>>,
    /// Keys that conjunctions speak of.
    keys: Vec<&'a str>,
    languages: languages::Languages,
    residues: Vec<Residue>,
    /// Nodes whose keywords were looked at, in that order; a node may come twice.
    pub(super) reached: Vec<NodeId>,
    /// What was left out on request.
    pub(super) relaxed: Vec<ResidueId>,
    /// Which keyword first left nothing of a schema that is not a branch of another.
    emptied: Option<(NodeId, Keyword)>,
    steps: usize,
    depth: usize,
    /// The schema that is being reduced or lowered, or one of those that meet in it.
    pub(super) place: NodeId,
    /// How many questions about emptiness are being asked inside one another.
    probe: u32,
}

impl<'a> Reducer<'a> {
    /// With `scoped`, dynamic scopes are followed.
    pub(super) fn new(context: Context<'a>, scoped: bool) -> Reducer<'a> {
        let Context { options, documents, limits, long_numbers } = context;
        let mut memo = Vec::with_capacity(32);
        memo.extend([Union::any(), Union::none()].map(|union| Memo::Done(Rc::new(union))));
        Reducer {
            document: Document::new(documents, limits.max_schema_depth, scoped),
            options,
            limits,
            long_numbers,
            conjs: Conjunctions::default(),
            memo,
            known: HashMap::default(),
            patterns: Vec::new(),
            pattern_ids: HashMap::default(),
            pattern_holds: HashMap::default(),
            owners: Vec::new(),
            key_languages: Vec::new(),
            keys: Vec::new(),
            languages: languages::Languages::default(),
            residues: Vec::new(),
            reached: Vec::with_capacity(32),
            relaxed: Vec::new(),
            emptied: None,
            steps: 0,
            depth: 0,
            place: NodeId(0),
            probe: 0,
        }
    }

    /// Follows references that stand alone, so that whatever they lead to has one conjunction; `None` in a circle.
    fn without_references(&mut self, node: NodeId) -> Result<Option<NodeId>> {
        let mut node = node;
        for _ in 0..64 {
            let Value::Object(map) = self.document.value(node) else { return Ok(Some(node)) };
            if self.document.kind(node) == NodeKind::Constant {
                return Ok(Some(node));
            }
            match map.iter().next() {
                Some((key, Value::String(reference))) if key == "$ref" && map.len() == 1 => {
                    self.reached.push(node);
                    node = self.document.resolve(node, Keyword::Ref, reference)?;
                }
                _ => return Ok(Some(node)),
            }
        }
        Ok(None)
    }

    /// The union of shapes that a conjunction means.
    pub(super) fn union_of(&mut self, conj: ConjId) -> Result<Rc<Union<'a>>> {
        match &self.memo[conj.0 as usize] {
            Memo::Done(union) => return Ok(Rc::clone(union)),
            Memo::Busy(level) if *level < self.probe => return Err(Fault::Busy),
            Memo::Busy(_) => return Err(self.circle(conj)),
            Memo::New => {}
        }
        let first = self.node_of(conj);
        self.step(first, 1)?;
        if self.depth >= self.limits.max_schema_depth {
            return Err(limit(&self.document, first, "max_schema_depth", self.limits.max_schema_depth));
        }
        self.memo[conj.0 as usize] = Memo::Busy(self.probe);
        self.depth += 1;
        let around = std::mem::replace(&mut self.place, first);
        let union = self.reduce(conj);
        self.place = around;
        self.depth -= 1;
        match union {
            Ok(union) => {
                self.memo[conj.0 as usize] = Memo::Done(Rc::clone(&union));
                Ok(union)
            }
            Err(fault) => {
                self.memo[conj.0 as usize] = Memo::New;
                Err(fault)
            }
        }
    }

    fn circle(&self, conj: ConjId) -> Fault {
        let node = self.node_of(conj);
        let keyword = match self.document.value(node) {
            Value::Object(map) if map.contains_key("$ref") => "$ref",
            Value::Object(map) => ["allOf", "anyOf", "oneOf", "not", "if"]
                .into_iter()
                .find(|name| map.contains_key(*name))
                .unwrap_or("$ref"),
            _ => "$ref",
        };
        let reason = "leads in a circle back to this schema without consuming anything";
        refusal(&self.document, ViolationKind::Reference, node, keyword, reason)
    }

    fn reduce(&mut self, conj: ConjId) -> Result<Rc<Union<'a>>> {
        if let [atom] = self.conjs.atoms(conj) {
            let atom = *atom;
            return self.reduce_atom(atom);
        }
        let Some((left, right)) = self.conjs.halves(conj) else { return Ok(Rc::new(Union::any())) };
        if let Some((positive, complements)) = self.complements_in(conj) {
            return self.reduce_complements(conj, positive, &complements);
        }
        let (left, right) = (self.union_of(left)?, self.union_of(right)?);
        self.intersect(&left, &right).map(Rc::new)
    }

    /// What fits `positive` and is in none of several unions: their products would multiply, so that the objects are split
    /// one case at a time.
    #[inline(never)]
    fn reduce_complements(
        &mut self,
        conj: ConjId,
        positive: ConjId,
        complements: &[(ConjId, ConjId)],
    ) -> Result<Rc<Union<'a>>> {
        let union = self.union_of(positive)?;
        let mut rivals = Vec::with_capacity(complements.len());
        for (outside, inside) in complements {
            rivals.push(Rival { inside: self.union_of(*inside)?, outside: self.union_of(*outside)? });
        }
        self.exclude_all(self.node_of(conj), &union, &rivals).map(Rc::new)
    }

    fn reduce_atom(&mut self, atom: Atom) -> Result<Rc<Union<'a>>> {
        let node = match self.conjs.kind(atom) {
            AtomKind::Node { node } => *node,
            AtomKind::AnyOf(alternatives) => {
                let alternatives = alternatives.clone();
                return self.reduce_alternatives(&alternatives, atom.is_negated());
            }
            AtomKind::Has(key) => return Ok(Rc::new(self.reduce_presence(self.keys[*key], atom.is_negated()))),
        };
        let union = match (self.document.kind(node), atom.is_negated()) {
            (NodeKind::Constant, false) => self.reduce_constant(node),
            (NodeKind::Constant, true) => self.negate_constant(node),
            (NodeKind::Schema, false) => self.reduce_schema(node),
            (NodeKind::Schema, true) => self.negate_schema(node),
        };
        union.map(Rc::new)
    }

    /// What fits any of some conjunctions, or none of them.
    #[inline(never)]
    fn reduce_alternatives(&mut self, alternatives: &[ConjId], negated: bool) -> Result<Rc<Union<'a>>> {
        if !negated {
            let unions = alternatives.iter().map(|conj| self.union_of(*conj)).collect::<Result<Vec<_>>>()?;
            return self.union_all(&unions).map(Rc::new);
        }
        let none = self.none_of(alternatives.iter().copied());
        self.union_of(none)
    }

    fn reduce_presence(&self, key: &'a str, negated: bool) -> Union<'a> {
        match negated {
            false => combine::only_objects(combine::requiring(&[key])),
            true => Union { objects: Alternatives::one(combine::forbidding(key)), ..Union::any() },
        }
    }

    fn reduce_schema(&mut self, node: NodeId) -> Result<Union<'a>> {
        match self.document.value(node) {
            Value::Bool(true) => Ok(Union::any()),
            Value::Bool(false) => Ok(Union::none()),
            Value::Object(map) => {
                self.reached.push(node);
                let keywords = self.keywords(node, map)?;
                let union = self.reduce_types(node, &keywords)?;
                let union = self.reduce_values(node, &keywords, union)?;
                self.reduce_in_place(node, &keywords, union)
            }
            _ => Err(self.not_a_schema(node)),
        }
    }

    /// The keywords of a schema object, whose language must be one that we know.
    fn keywords(&mut self, node: NodeId, map: &'a Map<String, Value>) -> Result<Keywords<'a>> {
        let keywords = self.document.keywords(node, map);
        if let Some(name) = self.document.resource(node).language.unknown {
            let shown: String = name.chars().take(200).collect();
            let reason = format!("the metaschema requires the vocabulary {shown:?}, which is not known");
            let root = self.document.resource(node).root;
            return Err(refusal(&self.document, ViolationKind::Unsupported, root, Keyword::Schema.name(), reason));
        }
        Ok(keywords)
    }

    fn not_a_schema(&self, node: NodeId) -> Fault {
        let reason = "a schema must be an object or a boolean";
        SchemaErrorAt { kind: ViolationKind::Malformed, reason }.at(&self.document, node)
    }

    /// Notes which keyword left nothing; the first one in the root is what the error will name.
    fn note_empty(&mut self, node: NodeId, keyword: Keyword, union: &Union<'a>) {
        if self.emptied.is_none() && self.depth == 1 && self.probe == 0 && union.is_none() {
            self.emptied = Some((node, keyword));
        }
    }

    /// Spends from the budget of steps.
    pub(super) fn step(&mut self, node: NodeId, n_steps: usize) -> Result<()> {
        self.steps = self.steps.saturating_add(n_steps);
        if self.steps > self.limits.max_schema_steps {
            return Err(limit(&self.document, node, "max_schema_steps", self.limits.max_schema_steps));
        }
        Ok(())
    }

    /// Spends from the budget of steps for what is being reduced.
    fn spend(&mut self, n_steps: usize) -> Result<()> {
        self.step(self.place, n_steps)
    }

    /// Notes a constraint that cannot be enforced, to be refused or relaxed if it is still there at the end.
    pub(super) fn residue(
        &mut self,
        node: NodeId,
        keyword: Keyword,
        reason: impl Into<Cow<'static, str>>,
    ) -> ResidueId {
        self.residues.push(Residue { node, keyword: keyword.name(), reason: reason.into() });
        ResidueId(self.residues.len() as u32 - 1)
    }

    pub(super) fn residue_at(&self, residue: ResidueId) -> &Residue {
        &self.residues[residue.0 as usize]
    }

    /// A residue has reached the end: refuses the schema, or leaves the constraint out where that was asked for.
    pub(super) fn settle(&mut self, residue: ResidueId) -> Result<()> {
        if self.options.relax_unsupported {
            self.relaxed.push(residue);
            return Ok(());
        }
        Err(self.refused(residue))
    }

    /// The refusal of a schema for what a residue says.
    pub(in crate::json_schema) fn refused(&self, residue: ResidueId) -> Fault {
        let Residue { node, keyword, reason } = self.residues[residue.0 as usize].clone();
        refusal(&self.document, ViolationKind::Unsupported, node, keyword, reason)
    }

    fn owner(&mut self, owner: Owner<'a>) -> OwnerId {
        self.owners.push(owner);
        OwnerId(self.owners.len() as u32 - 1)
    }
}

/// A fault of a schema as a whole.
struct SchemaErrorAt {
    kind: ViolationKind,
    reason: &'static str,
}

impl SchemaErrorAt {
    fn at(self, document: &Document<'_>, node: NodeId) -> Fault {
        crate::error::SchemaError::new(self.kind, document.pointer(node), None, self.reason).into()
    }
}
