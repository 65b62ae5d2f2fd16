//! Which expression describes the arrays of a shape?

use super::Lowerer;
use crate::grammar::{Case, Counter, Expr, List};
use crate::json_schema::fault::Result;
use crate::json_schema::keyword::Keyword;
use crate::json_schema::shape::{ArrayShape, ConjId, Contains};

/// Most elements that are compared pair by pair to see that no two can be equal.
const MAX_COMPARED: usize = 16;

impl<'a> Lowerer<'_, 'a> {
    /// The expression for `shape`; `None` where no array fits.
    pub(super) fn array(&mut self, shape: &ArrayShape) -> Result<Option<Expr>> {
        self.settle(&shape.residues)?;
        let unique = shape.unique && !self.elements_differ(shape)?;
        if shape.contains.len() > List::MAX_COUNTERS {
            return Err(self.too_many(Keyword::Contains, "too many counts in one array"));
        }
        let n_most = shape.max.map_or(usize::MAX, |max| max as usize);
        let starts = shape.contains.iter().map(|contains| contains.start as usize);
        let n_prefix = shape.prefix.len().max(starts.max().unwrap_or(0));
        let mut max = shape.max;
        let mut prefix = Vec::with_capacity(n_prefix.min(n_most));
        for index in 0..n_prefix.min(n_most) {
            let cases = self.element_cases(shape, index)?;
            if cases.is_empty() {
                max = Some(u32::try_from(index).unwrap_or(u32::MAX));
                break;
            }
            prefix.push(cases);
        }
        let full = max.is_some_and(|max| max as usize <= prefix.len());
        let rest = if full { Vec::new() } else { self.element_cases(shape, n_prefix)? };
        if rest.is_empty() {
            let n_prefix = u32::try_from(prefix.len()).unwrap_or(u32::MAX);
            max = Some(max.map_or(n_prefix, |max| max.min(n_prefix)));
        }
        if max.is_some_and(|max| shape.min > max) {
            return Ok(None);
        }
        Ok(Some(Expr::List(List {
            open: self.punctuation.open_array,
            close: self.punctuation.close_array,
            separator: self.punctuation.separator,
            prefix,
            rest,
            counters: shape.contains.iter().map(|contains| Counter { min: contains.min, max: contains.max }).collect(),
            min: shape.min,
            max,
            unique,
        })))
    }

    /// The ways to read the element at `index`, with what each counts for.
    fn element_cases(&mut self, shape: &ArrayShape, index: usize) -> Result<Vec<Case>> {
        let element = shape.element(index);
        let counts = |contains: &Contains| contains.start as usize <= index;
        // Where there is a least number only, an element may fit without being counted.
        let goals: Vec<_> = shape
            .contains
            .iter()
            .map(|contains| (counts(contains) && contains.max.is_none()).then_some(contains.element))
            .collect();
        let mut found = vec![(element, 0u32)];
        for (counter, contains) in shape.contains.iter().enumerate() {
            let Contains { element: counted, max: Some(_), .. } = *contains else { continue };
            if !counts(contains) {
                continue;
            }
            let uncounted = self.reducer.complement(counted);
            let mut split = Vec::with_capacity(2 * found.len());
            for (value, meets) in found {
                for (side, bit) in [(counted, 1 << counter), (uncounted, 0)] {
                    let value = self.reducer.both(value, side);
                    if value != ConjId::FALSE && !self.reducer.is_plainly_empty(value)? {
                        split.push((value, meets | bit));
                    }
                }
            }
            found = split;
        }
        let mut cases = Vec::new();
        for (value, meets) in found {
            let more = self.cases(value, &goals)?;
            cases.extend(more.into_iter().map(|case| Case { meets: case.meets | meets, ..case }));
        }
        if cases.len() > super::MAX_CASES {
            return Err(self.too_many(Keyword::Contains, "too many counts meet in one element"));
        }
        Ok(cases)
    }

    /// Whether no two elements can be equal.
    fn elements_differ(&mut self, shape: &ArrayShape) -> Result<bool> {
        let n_most = shape.max.map_or(usize::MAX, |max| max as usize);
        if n_most <= 1 {
            return Ok(true);
        }
        let n_elements = if shape.rest == ConjId::FALSE { shape.prefix.len().min(n_most) } else { n_most };
        if n_elements > shape.prefix.len().max(MAX_COMPARED) {
            return Ok(false);
        }
        for first in 0..n_elements {
            for second in first + 1..n_elements {
                if !self.reducer.never_equal(shape.element(first), shape.element(second))? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
