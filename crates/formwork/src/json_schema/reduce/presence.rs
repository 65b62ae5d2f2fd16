//! Which keys must be there together? Clauses over the presence of keys, and the branches that say nothing else.

use smallvec::SmallVec;

use super::Reducer;
use crate::json_schema::fault::Result;
use crate::json_schema::shape::{Alternatives, Clause, ConjId, Named, ObjectShape, Union};

/// Most clauses that a choice between branches is made into.
const MAX_CLAUSES: usize = 64;

/// Keys that must be there (`true`) or must not, all of them.
type Literals<'a> = SmallVec<[(&'a str, bool); 4]>;

impl<'a> Reducer<'a> {
    /// Takes out of `shape` the clauses that hold anyway, and makes keys required or forbidden where only that is left of
    /// a clause; false where a clause cannot hold.
    pub(super) fn propagate(&mut self, shape: &mut ObjectShape<'a>) -> Result<bool> {
        let mut changed = !shape.presence.is_empty();
        while std::mem::take(&mut changed) {
            self.spend(shape.presence.len())?;
            for clause in std::mem::take(&mut shape.presence) {
                let mut open = Clause::new();
                let mut holds = false;
                for (key, there) in clause {
                    match is_there(shape, key) {
                        Some(known) => holds |= known == there,
                        None => open.push((key, there)),
                    }
                }
                match open[..] {
                    _ if holds => {}
                    [] => return Ok(false),
                    [(key, there)] => {
                        decide(shape, key, there);
                        changed = true;
                    }
                    _ => shape.presence.push(open),
                }
            }
        }
        Ok(true)
    }

    /// Objects of which one of several branches holds, or exactly one, where no branch says more than which keys are there.
    pub(super) fn presence_choice(&mut self, branches: &[&Union<'a>], exactly: bool) -> Result<Option<Union<'a>>> {
        let mut literals: Vec<Literals<'a>> = Vec::with_capacity(branches.len());
        for branch in branches {
            let Some(keys) = only_presence(branch) else { return Ok(None) };
            literals.push(keys);
        }
        let Some(mut presence) = any_of(&literals) else { return Ok(None) };
        if exactly {
            if branches.len() * branches.len() > 8 * MAX_CLAUSES {
                return Ok(None);
            }
            for (index, first) in literals.iter().enumerate() {
                for second in &literals[index + 1..] {
                    presence.extend(clause(first.iter().chain(second).map(|(key, there)| (*key, !*there))));
                }
            }
        }
        self.spend(presence.len())?;
        let mut shape = ObjectShape { presence, ..ObjectShape::any() };
        let objects = if self.propagate(&mut shape)? { Alternatives::one(shape) } else { Alternatives::none() };
        // A branch of `required` holds for whatever is no object: of several, all do.
        let others = if exactly && branches.len() > 1 { Union::none() } else { Union::any() };
        Ok(Some(Union { objects, ..others }))
    }
}

/// Whether a key must be there or must not; `None` where both may be.
fn is_there(shape: &ObjectShape<'_>, key: &str) -> Option<bool> {
    let named = shape.named.iter().find(|named| named.key == key)?;
    match (named.required, named.value) {
        (true, _) => Some(true),
        (false, ConjId::FALSE) => Some(false),
        _ => None,
    }
}

fn decide<'a>(shape: &mut ObjectShape<'a>, key: &'a str, there: bool) {
    let at = match shape.named.iter().position(|named| named.key == key) {
        Some(at) => at,
        None => {
            shape.named.push(Named { key, value: ConjId::TRUE, required: false, owner: None });
            shape.named.len() - 1
        }
    };
    let named = &mut shape.named[at];
    match there {
        true => named.required = true,
        false => named.value = ConjId::FALSE,
    }
}

/// A clause of these literals; none where it always holds.
pub(super) fn clause<'a>(literals: impl Iterator<Item = (&'a str, bool)>) -> Option<Clause<'a>> {
    let mut clause: Clause<'a> = literals.collect();
    clause.sort_unstable();
    clause.dedup();
    let always = clause.windows(2).any(|pair| pair[0].0 == pair[1].0);
    (!always).then_some(clause)
}

/// The keys that a union asks for or forbids, if that is all that it says.
pub(super) fn only_presence<'a>(union: &Union<'a>) -> Option<Literals<'a>> {
    let open = Union { objects: Alternatives::Any, ..union.clone() };
    let [shape] = union.objects.shapes() else { return None };
    if !open.is_any() {
        return None;
    }
    let bare = ObjectShape { named: shape.named.clone(), ..ObjectShape::any() };
    if **shape != bare {
        return None;
    }
    let literal = |named: &Named<'a>| match (named.required, named.value) {
        (true, ConjId::TRUE) => Some((named.key, true)),
        (false, ConjId::FALSE) => Some((named.key, false)),
        _ => None,
    };
    shape.named.iter().map(literal).collect()
}

/// Clauses that hold when one of several conjunctions of literals does.
fn any_of<'a>(conjunctions: &[Literals<'a>]) -> Option<Vec<Clause<'a>>> {
    let mut clauses: Vec<Vec<(&'a str, bool)>> = vec![Vec::new()];
    for literals in conjunctions {
        if clauses.len() * literals.len() > MAX_CLAUSES {
            return None;
        }
        let with = |clause: &Vec<(&'a str, bool)>, literal| {
            let mut longer = clause.clone();
            longer.push(literal);
            longer
        };
        clauses = clauses.iter().flat_map(|known| literals.iter().map(move |literal| with(known, *literal))).collect();
    }
    Some(clauses.into_iter().filter_map(|literals| clause(literals.into_iter())).collect())
}
