//! Which schemas apply together? Conjunctions of atoms, interned, and their complements.
//!
//! An atom is a schema node or a choice of conjunctions, or the complement of one. Conjunctions are never computed
//! here, only named: what they mean is found when somebody asks ([`Reducer::union_of`]).

use serde_json::Value;
use smallvec::SmallVec;

use super::{Memo, Reducer};
use crate::hash::HashMap;
use crate::json_schema::document::{NodeId, NodeKind, Step};
use crate::json_schema::fault::Result;
use crate::json_schema::shape::ConjId;

/// What an atom stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum AtomKind {
    /// A schema, or a constant.
    Node { node: NodeId },
    /// Any of these; sorted, at least two.
    AnyOf(SmallVec<[ConjId; 4]>),
    /// Objects that have the key of this number.
    Has(usize),
}

/// The number of an [`AtomKind`], doubled, plus one for the complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Atom(u32);

impl Atom {
    fn new(kind: u32, negated: bool) -> Atom {
        Atom(kind << 1 | u32::from(negated))
    }

    pub(super) fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    fn complement(self) -> Atom {
        Atom(self.0 ^ 1)
    }
}

pub(super) type Atoms = SmallVec<[Atom; 2]>;

/// Most atoms among which one is looked for that is the same as another.
const MAX_COMPARED: usize = 8;

/// All conjunctions of one reduction.
#[derive(Debug)]
pub(super) struct Conjunctions {
    kinds: Vec<AtomKind>,
    /// The atom of each node, where it has one: most atoms are nodes.
    of_nodes: Vec<Option<u32>>,
    /// The other kinds.
    kind_ids: HashMap<AtomKind, u32>,
    conjs: Vec<Atoms>,
    /// By atom: the conjunction of it alone, as most are.
    alone: Vec<Option<ConjId>>,
    /// Those of several atoms.
    conj_ids: HashMap<Atoms, ConjId>,
    /// The two conjunctions that a conjunction of several atoms was made of: reducing it from them, which are reduced
    /// often anyway, costs one intersection instead of one for each atom.
    halves: HashMap<ConjId, (ConjId, ConjId)>,
}

impl Default for Conjunctions {
    fn default() -> Conjunctions {
        // Two that are known from the start: everything and nothing.
        let mut conjs = Vec::with_capacity(32);
        conjs.resize(2, Atoms::new());
        Conjunctions {
            kinds: Vec::with_capacity(32),
            of_nodes: Vec::with_capacity(32),
            kind_ids: HashMap::default(),
            conjs,
            alone: Vec::with_capacity(64),
            conj_ids: HashMap::default(),
            halves: HashMap::default(),
        }
    }
}

impl Conjunctions {
    pub(super) fn atoms(&self, conj: ConjId) -> &[Atom] {
        &self.conjs[conj.0 as usize]
    }

    pub(super) fn kind(&self, atom: Atom) -> &AtomKind {
        &self.kinds[(atom.0 >> 1) as usize]
    }

    pub(super) fn halves(&self, conj: ConjId) -> Option<(ConjId, ConjId)> {
        self.halves.get(&conj).copied()
    }

    fn atom(&mut self, kind: AtomKind, negated: bool) -> Atom {
        let next = self.kinds.len() as u32;
        let id = match &kind {
            AtomKind::Node { node } => *slot(&mut self.of_nodes, node.0 as usize).get_or_insert(next),
            _ => *self.kind_ids.entry(kind.clone()).or_insert(next),
        };
        if id == next {
            self.kinds.push(kind);
        }
        Atom::new(id, negated)
    }
}

/// The entry of a number, behind empty ones if need be.
fn slot<T>(slots: &mut Vec<Option<T>>, index: usize) -> &mut Option<T> {
    if slots.len() <= index {
        slots.resize_with(index + 1, || None);
    }
    &mut slots[index]
}

impl<'a> Reducer<'a> {
    /// The conjunction of a node alone.
    pub(in crate::json_schema) fn conj_of(&mut self, node: NodeId) -> Result<ConjId> {
        self.conj_of_literal(node, false)
    }

    /// The complement of a node.
    pub(super) fn complement_of(&mut self, node: NodeId) -> Result<ConjId> {
        self.conj_of_literal(node, true)
    }

    fn conj_of_literal(&mut self, node: NodeId, negated: bool) -> Result<ConjId> {
        let Some(target) = self.without_references(node)? else { return Ok(self.conj_of_atom(node, negated)) };
        let verdict = match self.document.value(target) {
            _ if self.document.kind(target) == NodeKind::Constant => None,
            Value::Bool(verdict) => Some(*verdict),
            Value::Object(map) if map.is_empty() => Some(true),
            _ => None,
        };
        Ok(match verdict {
            Some(verdict) if verdict != negated => ConjId::TRUE,
            Some(_) => ConjId::FALSE,
            None => self.conj_of_atom(target, negated),
        })
    }

    fn conj_of_atom(&mut self, node: NodeId, negated: bool) -> ConjId {
        let atom = self.conjs.atom(AtomKind::Node { node }, negated);
        self.intern(&[atom])
    }

    /// The conjunction of a schema directly inside `node`.
    pub(in crate::json_schema) fn child(&mut self, node: NodeId, step: Step<'a>, value: &'a Value) -> Result<ConjId> {
        match value {
            Value::Bool(true) => return Ok(ConjId::TRUE),
            Value::Bool(false) => return Ok(ConjId::FALSE),
            Value::Object(map) if map.is_empty() => return Ok(ConjId::TRUE),
            _ => {}
        }
        let child = self.document.child(node, step, value, NodeKind::Schema)?;
        self.conj_of(child)
    }

    /// The complement of [`Reducer::child`].
    pub(super) fn child_complement(&mut self, node: NodeId, step: Step<'a>, value: &'a Value) -> Result<ConjId> {
        let child = self.document.child(node, step, value, NodeKind::Schema)?;
        self.complement_of(child)
    }

    fn intern(&mut self, atoms: &[Atom]) -> ConjId {
        let next = ConjId(self.conjs.conjs.len() as u32);
        let conj = match atoms {
            [atom] => *slot(&mut self.conjs.alone, atom.0 as usize).get_or_insert(next),
            _ => match self.conjs.conj_ids.get(atoms) {
                Some(known) => *known,
                None => {
                    self.conjs.conj_ids.insert(atoms.into(), next);
                    next
                }
            },
        };
        if conj == next {
            self.conjs.conjs.push(atoms.into());
            self.memo.push(Memo::New);
        }
        conj
    }

    /// What fits both.
    pub(in crate::json_schema) fn both(&mut self, left: ConjId, right: ConjId) -> ConjId {
        match (left, right) {
            _ if left == right => return left,
            (ConjId::FALSE, _) | (_, ConjId::FALSE) => return ConjId::FALSE,
            (ConjId::TRUE, other) | (other, ConjId::TRUE) => return other,
            _ => {}
        }
        let mut atoms = Atoms::from(self.conjs.atoms(left));
        for atom in self.conjs.atoms(right) {
            match self.twin(left, *atom) {
                Some(twin) if twin.is_negated() == atom.is_negated() => {}
                Some(_) => return ConjId::FALSE,
                None => atoms.push(*atom),
            }
        }
        atoms.sort_unstable();
        atoms.dedup();
        // An atom and its complement are neighbours.
        if atoms.windows(2).any(|pair| pair[0] == pair[1].complement()) {
            return ConjId::FALSE;
        }
        self.steps += atoms.len();
        let conj = self.intern(&atoms);
        if conj != left && conj != right {
            self.conjs.halves.entry(conj).or_insert((left, right));
        }
        conj
    }

    /// The atom of a conjunction that stands for the same schema as `atom`, or for its complement, where that can be seen at a
    /// glance: schemas are often written out several times.
    fn twin(&self, conj: ConjId, atom: Atom) -> Option<Atom> {
        let AtomKind::Node { node } = self.conjs.kind(atom) else { return None };
        let atoms = self.conjs.atoms(conj);
        let is_twin = |other: &&Atom| match self.conjs.kind(**other) {
            AtomKind::Node { node: other } => self.document.are_twins(*node, *other),
            _ => false,
        };
        if atoms.len() > MAX_COMPARED { None } else { atoms.iter().find(is_twin).copied() }
    }

    /// What fits any of them.
    pub(super) fn any_conj(&mut self, conjs: impl IntoIterator<Item = ConjId>) -> ConjId {
        let mut alternatives: SmallVec<[ConjId; 4]> = conjs.into_iter().filter(|conj| *conj != ConjId::FALSE).collect();
        alternatives.sort_unstable();
        alternatives.dedup();
        match alternatives[..] {
            [] => ConjId::FALSE,
            // The one that everything fits has the lowest number.
            [ConjId::TRUE, ..] => ConjId::TRUE,
            [only] => only,
            _ => {
                self.steps += alternatives.len();
                let atom = self.conjs.atom(AtomKind::AnyOf(alternatives), false);
                self.intern(&[atom])
            }
        }
    }

    /// What does not fit.
    pub(in crate::json_schema) fn complement(&mut self, conj: ConjId) -> ConjId {
        match conj {
            ConjId::TRUE => return ConjId::FALSE,
            ConjId::FALSE => return ConjId::TRUE,
            _ => {}
        }
        let atoms = Atoms::from(self.conjs.atoms(conj));
        let complements: SmallVec<[ConjId; 4]> = atoms.iter().map(|atom| self.intern(&[atom.complement()])).collect();
        self.any_conj(complements)
    }

    /// What fits none of them.
    pub(super) fn none_of(&mut self, conjs: impl IntoIterator<Item = ConjId>) -> ConjId {
        conjs.into_iter().fold(ConjId::TRUE, |none, conj| {
            let complement = self.complement(conj);
            self.both(none, complement)
        })
    }

    /// The objects that have `key`.
    pub(super) fn presence_conj(&mut self, key: &'a str) -> ConjId {
        let number = self.keys.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        });
        let atom = self.conjs.atom(AtomKind::Has(number), false);
        self.intern(&[atom])
    }

    /// The atoms of a conjunction, each by itself.
    pub(super) fn each_alone(&mut self, conj: ConjId) -> SmallVec<[ConjId; 4]> {
        let atoms = Atoms::from(self.conjs.atoms(conj));
        atoms.iter().map(|atom| self.intern(&[*atom])).collect()
    }

    /// The complements among the atoms of a conjunction, with what each is the complement of; `None` where there are fewer
    /// than two of them.
    pub(super) fn complements_in(&mut self, conj: ConjId) -> Option<(ConjId, Vec<(ConjId, ConjId)>)> {
        let atoms = self.conjs.atoms(conj);
        if atoms.iter().filter(|atom| atom.is_negated()).count() < 2 {
            return None;
        }
        let (negated, others): (Atoms, Atoms) = atoms.iter().copied().partition(|atom| atom.is_negated());
        let mut positive = ConjId::TRUE;
        for atom in others {
            let alone = self.intern(&[atom]);
            positive = self.both(positive, alone);
        }
        let pairs = negated.iter().map(|atom| (self.intern(&[*atom]), self.intern(&[atom.complement()]))).collect();
        Some((positive, pairs))
    }

    /// A node to name where something is wrong with a conjunction.
    pub(in crate::json_schema) fn node_of(&self, conj: ConjId) -> NodeId {
        let mut conj = conj;
        loop {
            match self.conjs.atoms(conj).first().map(|atom| self.conjs.kind(*atom)) {
                Some(AtomKind::Node { node }) => return *node,
                // Choices are of conjunctions that were there before.
                Some(AtomKind::AnyOf(alternatives)) => conj = alternatives[0],
                Some(AtomKind::Has(_)) | None => return NodeId(0),
            }
        }
    }
}
