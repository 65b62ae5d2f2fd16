//! Under which conditions on what is still to come? Propositions about a rest of the text, in disjunctive normal form.
//!
//! A literal says that the rest is, or is not, matched from a state of a program on. A clause holds where all its
//! literals hold, a formula where one of its clauses does. Clauses are kept sorted, and none is kept beside one that
//! asks less; so equal sets of obligations are equal values.

use smallvec::SmallVec;

/// Most clauses of a formula.
const MAX_CLAUSES: usize = 512;

/// A state of a program above the bit that negates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Literal(u32);

/// The state that stands for the empty rest.
pub(super) const END: u32 = 0;

type Clause = SmallVec<[Literal; 2]>;

/// A formula became too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// A proposition about the rest of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Formula {
    clauses: Vec<Clause>,
}

impl Literal {
    pub(super) fn state(self) -> u32 {
        self.0 >> 1
    }

    pub(super) fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    fn opposite(self) -> Literal {
        Literal(self.0 ^ 1)
    }
}

impl Formula {
    pub(super) fn never() -> Formula {
        Formula::default()
    }

    pub(super) fn always() -> Formula {
        Formula { clauses: vec![Clause::new()] }
    }

    /// The rest is matched from `state` on.
    pub(super) fn matched_from(state: u32) -> Formula {
        Formula { clauses: vec![Clause::from_slice(&[Literal(state << 1)])] }
    }

    pub(super) fn is_never(&self) -> bool {
        self.clauses.is_empty()
    }

    pub(super) fn is_always(&self) -> bool {
        matches!(&*self.clauses, [clause] if clause.is_empty())
    }

    /// Whether it holds where the text ends.
    pub(super) fn holds_at_end(&self) -> bool {
        let holds = |literal: &Literal| (literal.state() == END) != literal.is_negated();
        self.clauses.iter().any(|clause| clause.iter().all(holds))
    }

    /// Adds alternatives; whether that says anything new.
    pub(super) fn add(&mut self, other: &Formula) -> Result<bool, TooLarge> {
        let mut grown = false;
        for clause in &other.clauses {
            grown |= self.add_clause(clause)?;
        }
        Ok(grown)
    }

    fn add_clause(&mut self, clause: &Clause) -> Result<bool, TooLarge> {
        if self.clauses.iter().any(|known| is_subset(known, clause)) {
            return Ok(false);
        }
        self.clauses.retain(|known| !is_subset(clause, known));
        if self.clauses.len() >= MAX_CLAUSES {
            return Err(TooLarge);
        }
        let place = self.clauses.partition_point(|known| known < clause);
        self.clauses.insert(place, clause.clone());
        Ok(true)
    }

    pub(super) fn and(&self, other: &Formula) -> Result<Formula, TooLarge> {
        if self.is_always() || other.is_never() {
            return Ok(other.clone());
        }
        if other.is_always() || self.is_never() {
            return Ok(self.clone());
        }
        let mut both = Formula::never();
        for left in &self.clauses {
            for right in &other.clauses {
                if let Some(clause) = join(left, right) {
                    both.add_clause(&clause)?;
                }
            }
        }
        Ok(both)
    }

    pub(super) fn not(&self) -> Result<Formula, TooLarge> {
        let mut negation = Formula::always();
        for clause in &self.clauses {
            let opposites = clause.iter().map(|literal| Clause::from_slice(&[literal.opposite()]));
            let mut one_fails = Formula::never();
            for opposite in opposites {
                one_fails.add_clause(&opposite)?;
            }
            negation = negation.and(&one_fails)?;
        }
        Ok(negation)
    }

    /// The formula with each literal replaced by what `derive` makes of its state.
    pub(super) fn replace(
        &self,
        derive: &mut dyn FnMut(u32) -> Result<Formula, TooLarge>,
    ) -> Result<Formula, TooLarge> {
        let mut replaced = Formula::never();
        for clause in &self.clauses {
            let mut all = Formula::always();
            for literal in clause {
                let derived = derive(literal.state())?;
                all = all.and(&if literal.is_negated() { derived.not()? } else { derived })?;
                if all.is_never() {
                    break;
                }
            }
            replaced.add(&all)?;
        }
        Ok(replaced)
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.clauses.iter().map(|clause| 32 + 4 * clause.len()).sum()
    }
}

/// Whether all of `small` is in `large`; both are sorted.
fn is_subset(small: &Clause, large: &Clause) -> bool {
    let mut rest = large.iter();
    small.len() <= large.len() && small.iter().all(|literal| rest.any(|other| other == literal))
}

/// Both clauses at once; `None` where they exclude each other.
///
/// A state other than [`END`] reads at least one character, so it excludes the end and implies that it is not there.
fn join(left: &Clause, right: &Clause) -> Option<Clause> {
    let mut joined: Clause = left.iter().chain(right).copied().collect();
    joined.sort_unstable();
    joined.dedup();
    if joined.windows(2).any(|pair| pair[0].opposite() == pair[1]) {
        return None;
    }
    let (end, not_end) = (Literal(END << 1), Literal(END << 1 | 1));
    let reads = |literal: &Literal| literal.state() != END && !literal.is_negated();
    if joined.contains(&end) {
        if joined.iter().any(reads) {
            return None;
        }
        joined.retain(|literal| *literal == end);
    } else if joined.iter().any(reads) {
        joined.retain(|literal| *literal != not_end);
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(number: u32) -> Formula {
        Formula::matched_from(number)
    }

    #[test]
    fn laws_of_propositions_hold() {
        let (a, b) = (state(1), state(2));
        assert!(a.and(&a.not().unwrap()).unwrap().is_never());
        assert!(Formula::never().not().unwrap().is_always());
        assert!(Formula::always().not().unwrap().is_never());
        let both = a.and(&b).unwrap();
        let mut either = a.not().unwrap();
        either.add(&b.not().unwrap()).unwrap();
        assert_eq!(both.not().unwrap(), either);
        assert_eq!(either.not().unwrap(), both);
        let mut absorbed = both;
        absorbed.add(&a).unwrap();
        assert_eq!(absorbed, a);
    }

    #[test]
    fn the_end_excludes_what_reads() {
        assert!(state(END).and(&state(1)).unwrap().is_never());
        let not_read = state(1).not().unwrap();
        assert_eq!(state(END).and(&not_read).unwrap(), state(END));
        let not_end = state(END).not().unwrap();
        assert_eq!(not_end.and(&state(1)).unwrap(), state(1));
        assert!(state(END).holds_at_end() && not_read.holds_at_end());
        assert!(!state(1).holds_at_end() && !not_end.holds_at_end());
    }

    #[test]
    fn a_formula_that_grows_too_large_is_an_error() {
        let pair = |number: u32| {
            let mut pair = state(2 * number + 1);
            pair.add(&state(2 * number + 2)).unwrap();
            pair
        };
        let product = (0..20).try_fold(Formula::always(), |all, number| all.and(&pair(number)));
        assert_eq!(product, Err(TooLarge));
    }
}
