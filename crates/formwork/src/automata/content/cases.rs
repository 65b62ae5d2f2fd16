//! Is one of several combinations of languages still to be had, and which languages does it still ask for?
//!
//! Combinations are told by what is decided of each component, which is hardly ever anything new: of 15 patterns and 100
//! combinations some dozens of answers are asked for again and again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use crate::automata::combination::Case;
use crate::automata::component::{DONE, KnownId, decided};
use crate::hash::HashMap;

/// More combinations than this are not compared with each other.
const MAX_COMPARED: usize = 128;
/// Bytes of the answers that are kept; beyond it they are found anew.
const MAX_BYTES: usize = 1 << 20;
/// Bytes of an answer without what it lists.
const ENTRY_BYTES: usize = 96;

/// Combinations of which one will do.
#[derive(Debug)]
pub(super) struct Cases {
    /// By case, whether each component must match, if that matters. Beyond the languages there are bounds, which must be
    /// kept to.
    cases: Box<[Case]>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By what is decided of each component; `None` where no combination is left.
    left: HashMap<TwoBits, Option<Arc<Left>>>,
    n_bytes: usize,
}

/// The combinations that are left, but for those that ask for all that another one asks for, and more.
#[derive(Debug)]
struct Left {
    /// What each still asks for.
    asked: Vec<TwoBits>,
    /// The components that none of them asks for and that are not decided.
    unasked: Box<[u32]>,
}

impl Cases {
    pub(super) fn new(cases: &[Case]) -> Cases {
        Cases { cases: cases.into(), known: Mutex::default() }
    }

    /// Whether some combination is wanted of which nothing is decided otherwise.
    pub(super) fn may_hold(&self, decided: impl Iterator<Item = Option<bool>> + Clone) -> bool {
        self.cases.iter().any(|case| can_fit(case, decided.clone()))
    }

    /// The same of components by their numbers. A combination that asks for all that another one still asks for, and more,
    /// adds nothing; what only such combinations ask for is not followed any longer. What is decided stays, as it tells which
    /// combinations are not wanted.
    pub(super) fn settle(&self, numbers: &mut [KnownId]) -> bool {
        let Some(left) = self.left(numbers.len(), numbers.iter().map(|number| decided(*number))) else { return false };
        left.unasked.iter().for_each(|at| numbers[*at as usize] = DONE);
        true
    }

    /// The least sum of the distances of what a combination asks for that can still be had.
    pub(super) fn nearest(&self, decided: impl Iterator<Item = Option<bool>> + Clone, distances: &[u32]) -> u32 {
        let Some(left) = self.left(distances.len(), decided) else { return 0 };
        let of_case = |asked: &TwoBits| {
            let asked_for = distances.iter().enumerate().filter(|(at, _)| asked.get(*at) == Some(true));
            asked_for.fold(0, |sum: u32, (_, distance)| sum.saturating_add(*distance))
        };
        left.asked.iter().map(of_case).min().unwrap_or(0)
    }

    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    fn left(&self, n_components: usize, decided: impl Iterator<Item = Option<bool>> + Clone) -> Option<Arc<Left>> {
        let key = TwoBits::of(n_components, decided.clone());
        let mut known = self.known();
        if let Some(left) = known.left.get(&key) {
            return left.clone();
        }
        if known.n_bytes > MAX_BYTES {
            *known = Known::default();
        }
        let left = self.find_left(n_components, decided);
        known.n_bytes +=
            ENTRY_BYTES + left.as_ref().map_or(0, |left| size_of_val(&*left.asked) + size_of_val(&*left.unasked));
        known.left.insert(key, left.clone());
        left
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change leaves what is known true.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of the answers that are kept, about.
    pub(super) fn n_bytes(&self) -> usize {
        self.known().n_bytes
    }

    fn find_left(&self, n_components: usize, decided: impl Iterator<Item = Option<bool>> + Clone) -> Option<Arc<Left>> {
        let mut left: Vec<TwoBits> = Vec::new();
        for case in self.cases.iter().filter(|case| can_fit(case, decided.clone())) {
            let open = wanted(case).zip(decided.clone()).map(|(wanted, decided)| wanted.filter(|_| decided.is_none()));
            let asked = TwoBits::of(n_components, open);
            if self.cases.len() > MAX_COMPARED {
                left.push(asked);
            } else if !left.iter().any(|other| other.is_within(&asked)) {
                left.retain(|other| !asked.is_within(other));
                left.push(asked);
            }
        }
        let is_asked = |at: usize| left.iter().any(|asked| asked.get(at).is_some());
        let unasked = decided.enumerate().filter(|(at, decided)| decided.is_none() && !is_asked(*at));
        let unasked = unasked.map(|(at, _)| at as u32).collect();
        (!left.is_empty()).then(|| Arc::new(Left { asked: left, unasked }))
    }
}

/// What a case wants of each component.
fn wanted(case: &[Option<bool>]) -> impl Iterator<Item = Option<bool>> {
    case.iter().copied().chain(std::iter::repeat(Some(true)))
}

/// Whether nothing is decided otherwise than a case wants it.
fn can_fit(case: &[Option<bool>], decided: impl Iterator<Item = Option<bool>>) -> bool {
    wanted(case).zip(decided).all(|(wanted, decided)| wanted.is_none_or(|wanted| decided.is_none_or(|it| it == wanted)))
}

/// Of each component yes, no or neither.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TwoBits(SmallVec<[u64; 2]>);

impl TwoBits {
    const PER_WORD: usize = 32;

    fn of(n_components: usize, answers: impl Iterator<Item = Option<bool>>) -> TwoBits {
        let mut words = SmallVec::from_elem(0, n_components.div_ceil(TwoBits::PER_WORD));
        for (at, answer) in answers.enumerate() {
            if let Some(answer) = answer {
                words[at / TwoBits::PER_WORD] |= (1 + u64::from(answer)) << (2 * (at % TwoBits::PER_WORD));
            }
        }
        TwoBits(words)
    }

    fn is_within(&self, other: &TwoBits) -> bool {
        self.0.iter().zip(&other.0).all(|(mine, others)| mine & !others == 0)
    }

    fn get(&self, at: usize) -> Option<bool> {
        match self.0[at / TwoBits::PER_WORD] >> (2 * (at % TwoBits::PER_WORD)) & 3 {
            0 => None,
            bits => Some(bits == 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::component::DEAD;

    /// Neither done nor dead.
    const OPEN: KnownId = DEAD + 7;

    #[test]
    fn what_only_implied_combinations_ask_for_is_given_up() {
        // The second asks for all that the first one does once its first component is decided.
        let cases = Cases::new(&[
            [Some(true), Some(true), None].into_iter().collect(),
            [Some(true), Some(true), Some(false)].into_iter().collect(),
            [Some(false), None, Some(true)].into_iter().collect(),
        ]);
        for _ in 0..2 {
            let mut numbers = [OPEN, OPEN, OPEN];
            assert!(cases.settle(&mut numbers));
            assert_eq!(numbers, [OPEN, OPEN, OPEN]);
            let mut numbers = [DONE, OPEN, OPEN];
            assert!(cases.settle(&mut numbers));
            assert_eq!(numbers, [DONE, OPEN, DONE]);
            let mut numbers = [DEAD, DEAD, OPEN];
            assert!(cases.settle(&mut numbers));
            assert_eq!(numbers, [DEAD, DEAD, OPEN]);
            assert!(!cases.settle(&mut [DEAD, OPEN, DEAD]));
        }
        // Of the combinations that are left the first asks for the components 0 and 1, the third for the last one.
        let none = [None; 3];
        assert_eq!(cases.nearest(none.into_iter(), &[4, 3, 9]), 7);
        assert_eq!(cases.nearest(none.into_iter(), &[4, 9, 6]), 6);
        assert_eq!(cases.nearest([Some(true), None, None].into_iter(), &[0, 9, 6]), 9);
        // A bound behind the languages must be kept to.
        assert!(!cases.settle(&mut [DONE, OPEN, OPEN, DEAD]));
    }
}
