//! Can elements be chosen so that every total is within its bounds? Cases of elements, each adding to some counters.
//!
//! How often each case comes is a number; each counter, and the number of elements, is a sum of some of them with a least
//! and a greatest value. Most of it needs no search: cases that may come without end meet all they add to, cases that others
//! can stand in for are left out, and once the cases that add to several counters are fixed, the others are settled counter
//! by counter. Of the cases that add to several counters, all but the last are tried one number at a time.

use smallvec::SmallVec;

use super::steps::Steps;
use crate::error::LimitError;

/// How much a total must and may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Growth {
    pub(super) least: u64,
    /// [`Growth::ENDLESS`] is no bound.
    pub(super) most: u64,
}

impl Growth {
    pub(super) const ENDLESS: u64 = u64::MAX;

    /// From `value` to bounds that are not below it, or are met already.
    pub(super) fn from(value: u32, min: u32, max: Option<u32>) -> Growth {
        let most = max.map_or(Growth::ENDLESS, |max| u64::from(max.saturating_sub(value)));
        Growth { least: u64::from(min.saturating_sub(value)), most }
    }

    fn is_endless(&self) -> bool {
        self.most == Growth::ENDLESS
    }

    fn shrink(&mut self, n: u64) {
        self.least = self.least.saturating_sub(n);
        if !self.is_endless() {
            self.most = self.most.saturating_sub(n);
        }
    }
}

/// What is still to be found: growths by counter, and that of the number of elements.
#[derive(Clone, Debug)]
struct Problem {
    counters: SmallVec<[Growth; 8]>,
    elements: Growth,
    /// Counters that have a case of their own.
    singles: u32,
    /// Whether some case adds to no counter.
    has_empty: bool,
}

/// Whether some number of elements, each read by one of `cases`, keeps every counter and their own number in bounds.
///
/// # Errors
/// When the search is too long: with three counters or more that have maxima, and cases that add to several of them.
pub(super) fn can_total(
    cases: &[u32],
    counters: &[Growth],
    elements: Growth,
    steps: &mut Steps,
) -> Result<bool, LimitError> {
    if counters.iter().chain([&elements]).any(|growth| growth.least > growth.most) {
        return Ok(false);
    }
    let mut cases: SmallVec<[u32; 8]> = SmallVec::from_slice(cases);
    cases.sort_unstable_by_key(|case| (std::cmp::Reverse(case.count_ones()), *case));
    cases.dedup();
    let mut problem = Problem { counters: counters.into(), elements, singles: 0, has_empty: false };
    problem.use_endless_cases(&mut cases);
    let endless = problem.endless();
    let all = cases.clone();
    let replaced =
        |case: u32| all.iter().any(|other| *other != case && other & case == case && !endless & other & !case == 0);
    cases.retain(|case| !replaced(*case));
    problem.has_empty = cases.last() == Some(&0);
    let (several, single): (SmallVec<[u32; 8]>, SmallVec<[u32; 8]>) =
        cases.iter().copied().filter(|case| *case != 0).partition(|case| case.count_ones() > 1);
    problem.singles = single.iter().fold(0, |all, case| all | case);
    problem.search(&several, steps)
}

impl Problem {
    /// The counters without a greatest value.
    fn endless(&self) -> u32 {
        (0u32..).zip(&self.counters).filter(|(_, it)| it.is_endless()).fold(0, |all, (index, _)| all | 1 << index)
    }

    /// Cases that may come without end meet all that they add to.
    fn use_endless_cases(&mut self, cases: &mut SmallVec<[u32; 8]>) {
        if !self.elements.is_endless() {
            return;
        }
        let endless = self.endless();
        let mut met = 0;
        cases.retain(|case| {
            let is_endless = !endless & *case == 0;
            if is_endless {
                met |= *case;
                self.elements.least = 0;
            }
            !is_endless
        });
        for (index, growth) in self.counters.iter_mut().enumerate() {
            if met >> index & 1 == 1 {
                growth.least = 0;
            }
        }
    }

    /// With a case coming `n` times.
    fn after(&self, case: u32, n: u64) -> Problem {
        let mut problem = self.clone();
        problem.elements.shrink(n);
        for (index, growth) in problem.counters.iter_mut().enumerate() {
            if case >> index & 1 == 1 {
                growth.shrink(n);
            }
        }
        problem
    }

    /// Tries numbers for the cases that add to several counters.
    fn search(&self, several: &[u32], steps: &mut Steps) -> Result<bool, LimitError> {
        steps.spend(1)?;
        let reached = several.iter().fold(self.singles, |all, case| all | case);
        let is_missed = |(index, growth): (usize, &Growth)| growth.least > 0 && reached >> index & 1 == 0;
        if self.counters.iter().enumerate().any(is_missed) {
            return Ok(false);
        }
        match several {
            [] => Ok(self.is_settled()),
            [last] => Ok(self.any_number_of(*last)),
            [first, others @ ..] => {
                let reached = others.iter().fold(self.singles, |all, case| all | case);
                let growths = || self.counters.iter().enumerate().filter(|(index, _)| first >> index & 1 == 1);
                let only = growths().filter(|(index, _)| reached >> index & 1 == 0);
                let least = only.map(|(_, growth)| growth.least).max().unwrap_or(0);
                let most = growths().map(|(_, growth)| growth.most).min().unwrap_or(0).min(self.elements.most);
                for n in least..=most {
                    if self.after(*first, n).search(others, steps)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Whether cases that add to one counter or none suffice.
    fn is_settled(&self) -> bool {
        let mut least = 0u64;
        let mut most = if self.has_empty { Growth::ENDLESS } else { 0 };
        for (index, growth) in self.counters.iter().enumerate() {
            if self.singles >> index & 1 == 1 {
                least = least.saturating_add(growth.least);
                most = most.saturating_add(growth.most);
            } else if growth.least > 0 {
                return false;
            }
            if growth.least > growth.most {
                return false;
            }
        }
        self.elements.least <= self.elements.most && least <= self.elements.most && most >= self.elements.least
    }

    /// Whether the last case that adds to several counters can come so often that the others suffice for the rest.
    ///
    /// The numbers that leave no total too large, and none too small to be filled up, are an interval. Over it the least
    /// number of elements is convex, with corners where a counter has enough: so some end or corner is fine, if any is.
    fn any_number_of(&self, case: u32) -> bool {
        let of_case = || self.counters.iter().enumerate().filter(|(index, _)| case >> index & 1 == 1);
        let single = |index: usize| self.singles >> index & 1 == 1;
        let mut least = of_case().filter(|(index, _)| !single(*index)).map(|(_, it)| it.least).max().unwrap_or(0);
        let mut most = of_case().map(|(_, growth)| growth.most).min().unwrap_or(0).min(self.elements.most);
        let singles = self.counters.iter().enumerate().filter(|(index, _)| single(*index));
        let filled = singles.fold(0u64, |sum, (_, growth)| sum.saturating_add(growth.most));
        if !self.has_empty && filled != Growth::ENDLESS {
            // One more of the case takes away one element for each of its counters that has a case of its own.
            match of_case().filter(|(index, _)| single(*index)).count() as u64 {
                0 => least = least.max(self.elements.least.saturating_sub(filled)),
                1 if filled < self.elements.least => return false,
                1 => {}
                n => match filled.checked_sub(self.elements.least) {
                    Some(over) => most = most.min(over / (n - 1)),
                    None => return false,
                },
            }
        }
        let corners = of_case().map(|(_, growth)| growth.least.clamp(least, most.max(least)));
        least <= most && corners.chain([least, most]).any(|n| self.after(case, n).is_settled())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn growth(least: u64, most: Option<u64>) -> Growth {
        Growth { least, most: most.unwrap_or(Growth::ENDLESS) }
    }

    /// All numbers of all cases.
    fn naive(cases: &[u32], counters: &[(u64, u64)], elements: (u64, u64)) -> bool {
        let fine = counters.iter().chain([&elements]).all(|(least, _)| *least == 0);
        fine || cases.iter().any(|case| {
            let over = |(index, (_, most)): (usize, &(u64, u64))| case >> index & 1 == 1 && *most == 0;
            if elements.1 == 0 || counters.iter().enumerate().any(over) {
                return false;
            }
            let less = |(least, most): (u64, u64)| (least.saturating_sub(1), most - 1);
            let counters: Vec<_> = counters
                .iter()
                .enumerate()
                .map(|(index, it)| if case >> index & 1 == 1 { less(*it) } else { *it })
                .collect();
            naive(cases, &counters, less(elements))
        })
    }

    #[test]
    fn small_totals_agree_with_trying_everything() {
        let mut random = Random(7);
        let mut below = |n: usize| random.below(n) as u64;
        for _ in 0..4000 {
            let n_counters = 1 + below(3) as usize;
            let n_cases = 1 + below(4);
            let cases: Vec<u32> = (0..n_cases).map(|_| below(1 << n_counters) as u32).collect();
            // At most 9 elements: what is without a bound is as if it had that one.
            let mut bounds = |endless: u64| {
                let least = below(4);
                let most = (below(3) > 0).then(|| least + below(3));
                (growth(least, most), (least, most.unwrap_or(endless)))
            };
            let (counters, small): (Vec<Growth>, Vec<(u64, u64)>) = (0..n_counters).map(|_| bounds(40)).unzip();
            let (elements, few) = bounds(9);
            let found = can_total(&cases, &counters, elements, &mut Steps::new(100_000)).unwrap();
            assert_eq!(found, naive(&cases, &small, few), "{cases:?} {counters:?} {elements:?}");
        }
    }

    #[test]
    fn large_totals_need_no_search() {
        let mut steps = Steps::new(10);
        let large = 1u64 << 31;
        let exactly = growth(large, Some(large));
        let all = [0, 1, 2, 3];
        assert!(can_total(&all, &[exactly; 2], growth(0, Some(large)), &mut steps).unwrap());
        assert!(!can_total(&all, &[exactly; 2], growth(0, Some(large - 1)), &mut steps).unwrap());
        assert!(can_total(&[1, 2], &[exactly; 2], growth(2 * large, Some(2 * large)), &mut steps).unwrap());
        assert!(!can_total(&[1, 2], &[exactly; 2], growth(2 * large + 1, None), &mut steps).unwrap());
        assert!(!can_total(&[3], &[exactly, growth(0, Some(large - 1))], growth(0, None), &mut steps).unwrap());
    }
}
