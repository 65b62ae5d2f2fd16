//! Which expression describes the arrays of a shape?

use super::Lowerer;
use crate::grammar::{Case, Expr, List};
use crate::ids::NonterminalId;
use crate::json_schema::fault::Result;
use crate::json_schema::shape::{ArrayShape, ConjId, Contains};

/// Most positions at which a matching element is looked for one by one.
const MAX_POSITIONS: usize = 16;

impl<'a> Lowerer<'_, 'a> {
    /// Adds the expressions for `shape`; none where no array fits.
    pub(super) fn array(&mut self, shape: &ArrayShape, choices: &mut Vec<Expr>) -> Result<()> {
        self.settle(&shape.residues)?;
        if !shape.unique.is_empty() && !self.elements_differ(shape)? {
            self.settle(&shape.unique)?;
        }
        let mut open: Vec<&Contains> = Vec::new();
        for contains in &shape.contains {
            if !self.is_implied(shape, contains.element) {
                open.push(contains);
            }
        }
        match open[..] {
            [] => choices.extend(self.list(shape)?),
            [contains] if contains.min == 1 && shape.max.is_none_or(|max| max as usize <= MAX_POSITIONS) => {
                self.containing(shape, contains, choices)?;
            }
            _ => {
                for contains in open {
                    self.reducer.settle(contains.residue)?;
                }
                choices.extend(self.list(shape)?);
            }
        }
        Ok(())
    }

    /// Whether every element fits `element` anyway.
    fn is_implied(&mut self, shape: &ArrayShape, element: ConjId) -> bool {
        let implied = |this: &mut Self, own: ConjId| this.reducer.both(own, element) == own;
        shape.prefix.iter().all(|own| implied(self, *own)) && implied(self, shape.rest)
    }

    /// Whether no two elements can be equal.
    fn elements_differ(&mut self, shape: &ArrayShape) -> Result<bool> {
        let n_most = shape.max.map_or(usize::MAX, |max| max as usize);
        if n_most <= 1 {
            return Ok(true);
        }
        let n_elements = if shape.rest == ConjId::FALSE { shape.prefix.len().min(n_most) } else { n_most };
        if n_elements > shape.prefix.len().max(MAX_POSITIONS) {
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

    fn list(&mut self, shape: &ArrayShape) -> Result<Option<Expr>> {
        let n_most = shape.max.map_or(usize::MAX, |max| max as usize);
        let mut max = shape.max;
        let mut prefix = Vec::with_capacity(shape.prefix.len().min(n_most));
        for (index, element) in shape.prefix.iter().take(n_most).enumerate() {
            match self.nonterminal(*element)? {
                Some(element) => prefix.push(element),
                None => {
                    max = Some(u32::try_from(index).unwrap_or(u32::MAX));
                    break;
                }
            }
        }
        let full = max.is_some_and(|max| max as usize <= prefix.len());
        let rest = if full { None } else { self.nonterminal(shape.rest)? };
        if rest.is_none() {
            let n_prefix = u32::try_from(prefix.len()).unwrap_or(u32::MAX);
            max = Some(max.map_or(n_prefix, |max| max.min(n_prefix)));
        }
        if max.is_some_and(|max| shape.min > max) {
            return Ok(None);
        }
        Ok(Some(self.list_of(prefix, rest, shape.min, max)))
    }

    fn list_of(&self, prefix: Vec<NonterminalId>, rest: Option<NonterminalId>, min: u32, max: Option<u32>) -> Expr {
        Expr::List(List {
            open: self.punctuation.open_array,
            close: self.punctuation.close_array,
            separator: self.punctuation.separator,
            prefix: prefix.into_iter().map(|element| vec![Case::plain(element)]).collect(),
            rest: rest.map(Case::plain).into_iter().collect(),
            counters: Vec::new(),
            min,
            max,
            unique: false,
        })
    }

    /// Arrays of which at least one element fits: one case for each position, and where there is no last position,
    /// one case for all that are beyond the length that is asked for anyway.
    fn containing(&mut self, shape: &ArrayShape, contains: &Contains, choices: &mut Vec<Expr>) -> Result<()> {
        let n_positions = match shape.max {
            Some(max) => max as usize,
            None => shape.prefix.len().max(shape.min as usize).saturating_sub(1),
        };
        if n_positions > MAX_POSITIONS {
            self.reducer.settle(contains.residue)?;
            choices.extend(self.list(shape)?);
            return Ok(());
        }
        for position in 0..n_positions {
            let n_prefix = shape.prefix.len().max(position + 1);
            let mut prefix: Vec<ConjId> = (0..n_prefix).map(|index| shape.element(index)).collect();
            prefix[position] = self.reducer.both(prefix[position], contains.element);
            let min = shape.min.max(u32::try_from(position + 1).unwrap_or(u32::MAX));
            let case = ArrayShape { prefix, min, contains: Vec::new(), ..shape.clone() };
            choices.extend(self.list(&case)?);
        }
        if shape.max.is_none() {
            choices.extend(self.containing_beyond(shape, contains, n_positions)?);
        }
        Ok(())
    }

    /// `[` the first `n` elements, any more elements, one that fits, any more elements `]`.
    fn containing_beyond(&mut self, shape: &ArrayShape, contains: &Contains, n: usize) -> Result<Option<Expr>> {
        let separator = Expr::Terminal(self.punctuation.separator);
        let mut parts = vec![Expr::Terminal(self.punctuation.open_array)];
        for index in 0..n {
            let Some(element) = self.nonterminal(shape.element(index))? else { return Ok(None) };
            parts.extend([Expr::Nonterminal(element), separator.clone()]);
        }
        let fitting = self.reducer.both(shape.element(n), contains.element);
        // Where the prefix reaches up to `n`, the element at `n` is one of a kind: it must be the one, or be passed.
        let Some(rest) = self.nonterminal(shape.rest)? else { return Ok(None) };
        if n < shape.prefix.len() {
            let after = self.reducer.both(shape.rest, contains.element);
            return self.containing_after_last(shape, (n, fitting, after), parts, rest);
        }
        let Some(fitting) = self.nonterminal(fitting)? else { return Ok(None) };
        let more = |parts: Vec<Expr>| Expr::Repeat {
            item: Box::new(Expr::Sequence(parts)),
            separator: None,
            min: 0,
            max: None,
        };
        parts.push(more(vec![Expr::Nonterminal(rest), separator.clone()]));
        parts.push(Expr::Nonterminal(fitting));
        parts.push(more(vec![separator, Expr::Nonterminal(rest)]));
        parts.push(Expr::Terminal(self.punctuation.close_array));
        Ok(Some(Expr::Sequence(parts)))
    }

    /// The same where the last element of the prefix comes next: it fits, or one after it does.
    fn containing_after_last(
        &mut self,
        shape: &ArrayShape,
        (n, fitting, after): (usize, ConjId, ConjId),
        parts: Vec<Expr>,
        rest: NonterminalId,
    ) -> Result<Option<Expr>> {
        let separator = || Expr::Terminal(self.punctuation.separator);
        let close = || Expr::Terminal(self.punctuation.close_array);
        let more = |parts: Vec<Expr>| Expr::Repeat {
            item: Box::new(Expr::Sequence(parts)),
            separator: None,
            min: 0,
            max: None,
        };
        let rest_after = more(vec![separator(), Expr::Nonterminal(rest)]);
        let rest_before = more(vec![Expr::Nonterminal(rest), separator()]);
        let (first_separator, end) = (separator(), close());
        let mut cases = Vec::new();
        if let Some(fitting) = self.nonterminal(fitting)? {
            let mut case = parts.clone();
            case.extend([Expr::Nonterminal(fitting), rest_after.clone(), end.clone()]);
            cases.push(Expr::Sequence(case));
        }
        if let (Some(passed), Some(after)) = (self.nonterminal(shape.element(n))?, self.nonterminal(after)?) {
            let mut case = parts;
            case.extend([Expr::Nonterminal(passed), first_separator, rest_before]);
            case.extend([Expr::Nonterminal(after), rest_after, end]);
            cases.push(Expr::Sequence(case));
        }
        Ok((!cases.is_empty()).then(|| super::choice(cases)))
    }
}
