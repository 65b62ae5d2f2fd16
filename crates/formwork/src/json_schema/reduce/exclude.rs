//! What is left of an object shape when several unions are taken out of it?
//!
//! Each union that overlaps the shape leaves a clause: one of its complement's cases must hold. As solvers do, clauses are
//! looked at in the context of what was decided before: cases that contradict it are dropped, a clause that holds anyway is
//! done, one with a single case left is taken at once, and otherwise the clause with the fewest cases is split. A case that
//! follows another one takes the first one's opposite along, so that the parts do not overlap.

use std::rc::Rc;

use smallvec::SmallVec;

use super::Reducer;
use super::emptiness::Depth;
use crate::json_schema::document::NodeId;
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::Keyword;
use crate::json_schema::shape::{Alternatives, Named, ObjectShape, Union};

/// Most parts that one shape may be split into.
const MAX_PARTS: usize = 256;

/// A union that is to be taken out, and its complement (and perhaps some of what is outside the union it is taken out of).
pub(super) struct Rival<'a> {
    pub(super) inside: Rc<Union<'a>>,
    pub(super) outside: Rc<Union<'a>>,
}

/// A shape, and the rivals that may still overlap it.
struct Open<'a> {
    shape: Rc<ObjectShape<'a>>,
    rivals: SmallVec<[usize; 8]>,
}

/// What a rival leaves of a shape.
enum Left<'a> {
    /// All of it.
    Everything,
    Parts(Vec<ObjectShape<'a>>),
}

impl<'a> Reducer<'a> {
    /// What is in `own` and in none of `rivals`.
    pub(super) fn exclude_all(&mut self, node: NodeId, own: &Union<'a>, rivals: &[Rival<'a>]) -> Result<Union<'a>> {
        let mut left = own.clone();
        for rival in rivals {
            left = self.subtract(&left, &rival.inside, &rival.outside)?;
        }
        left.objects = self.exclude_objects(node, &own.objects, rivals)?;
        Ok(left)
    }

    fn exclude_objects(
        &mut self,
        node: NodeId,
        own: &Alternatives<ObjectShape<'a>>,
        rivals: &[Rival<'a>],
    ) -> Result<Alternatives<ObjectShape<'a>>> {
        if rivals.is_empty() || own.is_none() {
            return Ok(own.clone());
        }
        let any = [Rc::new(ObjectShape::any())];
        let mut kept: SmallVec<[Rc<ObjectShape<'a>>; 1]> = SmallVec::new();
        for shape in if own.is_any() { &any[..] } else { own.shapes() } {
            match self.exclude(node, shape, rivals)? {
                Some(parts) => kept.extend(parts),
                None => {
                    // Too many parts: keep the shape whole, and say so if it is still there at the end.
                    let reason = "the branches overlap in too many ways";
                    let residue = self.residue(node, Keyword::OneOf, reason);
                    let mut whole = (**shape).clone();
                    whole.residues.push(residue);
                    kept.push(Rc::new(whole));
                }
            }
        }
        Ok(Alternatives::Of(kept))
    }

    /// The parts of one shape; `None` where there are too many.
    fn exclude(
        &mut self,
        node: NodeId,
        shape: &Rc<ObjectShape<'a>>,
        rivals: &[Rival<'a>],
    ) -> Result<Option<Vec<Rc<ObjectShape<'a>>>>> {
        let mut done = Vec::new();
        let mut open = vec![Open { shape: Rc::clone(shape), rivals: (0..rivals.len()).collect() }];
        while let Some(Open { shape, rivals: mut remaining }) = open.pop() {
            self.step(node, 1)?;
            let mut best: Option<(usize, Vec<ObjectShape<'a>>)> = None;
            let mut at = 0;
            while at < remaining.len() {
                match self.left_by(node, &shape, &rivals[remaining[at]])? {
                    Left::Everything => {
                        remaining.remove(at);
                        continue;
                    }
                    Left::Parts(parts) => {
                        let n_parts = parts.len();
                        if best.as_ref().is_none_or(|(_, known)| n_parts < known.len()) {
                            best = Some((remaining[at], parts));
                        }
                        if n_parts <= 1 {
                            break;
                        }
                    }
                }
                at += 1;
            }
            let Some((chosen, parts)) = best else {
                done.push(shape);
                if done.len() > MAX_PARTS {
                    return Ok(None);
                }
                continue;
            };
            remaining.retain(|rival| *rival != chosen);
            open.extend(parts.into_iter().map(|part| Open { shape: Rc::new(part), rivals: remaining.clone() }));
            if open.len() + done.len() > 8 * MAX_PARTS {
                return Ok(None);
            }
        }
        Ok(Some(done))
    }

    fn left_by(&mut self, node: NodeId, shape: &ObjectShape<'a>, rival: &Rival<'a>) -> Result<Left<'a>> {
        let Rival { inside, outside } = rival;
        let mut overlaps = inside.objects.is_any();
        for other in inside.objects.shapes() {
            self.step(node, 4)?;
            overlaps = overlaps || self.object_overlap(shape, other)?;
        }
        if !overlaps || outside.objects.is_any() {
            return Ok(Left::Everything);
        }
        let mut parts: Vec<ObjectShape<'a>> = Vec::new();
        // What is not in the cases so far, as far as that can be said with one shape.
        let mut context = shape.clone();
        for case in outside.objects.shapes() {
            self.step(node, 4)?;
            match self.intersect_object(shape, case)? {
                None => continue,
                Some(part) if part == *shape => return Ok(Left::Everything),
                Some(_) => {}
            }
            if let Some(part) = self.intersect_object(&context, case)?
                && !self.object_is_empty(&part, Depth::DROP)?
            {
                parts.push(part);
                if let Some(opposite) = self.opposite(case)
                    && let Some(rest) = self.intersect_object(&context, &opposite)?
                {
                    context = rest;
                }
            }
        }
        Ok(Left::Parts(parts))
    }

    /// What does not fit a case that only speaks of one key.
    pub(super) fn opposite(&mut self, case: &ObjectShape<'a>) -> Option<ObjectShape<'a>> {
        let [Named { key, value, required, .. }] = case.named[..] else { return None };
        let alone = ObjectShape { named: case.named.clone(), ..ObjectShape::any() };
        if *case != alone {
            return None;
        }
        let value = self.complement(value);
        let named = vec![Named { key, value, required: !required, owner: None }];
        Some(ObjectShape { named, ..ObjectShape::any() })
    }
}
