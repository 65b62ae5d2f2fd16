//! How can a list with counters still be completed? Which counts its elements can reach, position by position.

use smallvec::SmallVec;

use super::steps::Steps;
use super::tally::{Counters, Tally};
use super::totals::{Growth, can_total};
use crate::error::LimitError;

/// What the cases of one position add to, each once.
pub(super) type Additions = SmallVec<[u32; 4]>;

/// The counters of a list, and what its elements add to them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ListRules {
    pub(super) counters: Counters,
    /// By position.
    pub(super) prefix: Box<[Additions]>,
    /// Of every further element.
    pub(super) rest: Additions,
    pub(super) min: u32,
    pub(super) max: Option<u32>,
}

impl ListRules {
    /// Whether the list may be closed behind so many elements.
    pub(super) fn can_close(&self, count: u32, tally: Tally) -> bool {
        count >= self.min && self.counters.are_met(tally)
    }

    /// Whether the list can be completed from behind so many elements.
    ///
    /// Within the prefix it goes through the tallies that can be reached, position by position; behind it all positions are
    /// alike.
    pub(super) fn can_complete(&self, count: u32, tally: Tally, steps: &mut Steps) -> Result<bool, LimitError> {
        let mut tallies = vec![tally];
        let n_prefix = self.prefix.len() as u32;
        for index in count..n_prefix {
            if tallies.iter().any(|tally| self.can_close(index, *tally)) {
                return Ok(true);
            }
            if self.max.is_some_and(|max| index >= max) {
                return Ok(false);
            }
            let cases = &self.prefix[index as usize];
            steps.spend(tallies.len() * (cases.len() + 1))?;
            let next =
                tallies.iter().flat_map(|tally| cases.iter().filter_map(|case| self.counters.add(*tally, *case)));
            tallies = next.collect();
            tallies.sort_unstable();
            tallies.dedup();
        }
        let elements = Growth::from(count.max(n_prefix), self.min, self.max);
        for tally in tallies {
            let growths: SmallVec<[Growth; 8]> = self.growths(tally).collect();
            if can_total(&self.rest, &growths, elements, steps)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn growths(&self, tally: Tally) -> impl Iterator<Item = Growth> {
        let bounds = self.counters.values(tally).zip(self.counters.bounds());
        bounds.map(|(value, bound)| Growth::from(value, bound.min, bound.max))
    }

    /// What the next `reach` elements behind the prefix can tell of the counters.
    ///
    /// A way to complete the list needs no more elements than all that is missing, so a maximum that is further away than
    /// that and `reach` makes no difference. Where all maxima are so far away, only what is missing matters, as far as
    /// `reach`.
    pub(super) fn view(&self, count: u32, tally: Tally, reach: u32) -> ListView {
        let elements = Growth::from(count, self.min, self.max);
        let growths: SmallVec<[Growth; 8]> = self.growths(tally).collect();
        let missing = growths.iter().chain([&elements]).map(|growth| growth.least).sum::<u64>();
        let is_near = |growth: &Growth| growth.most < missing + u64::from(reach);
        if growths.iter().chain([&elements]).any(is_near) {
            let missing = self.min.saturating_sub(count);
            let room = self.max.map_or(u32::MAX, |max| max.saturating_sub(count));
            return ListView { is_near: true, missing, room, tally };
        }
        let bounds = self.counters.values(tally).zip(self.counters.bounds());
        let values = bounds.map(|(value, bound)| value.clamp(bound.min.saturating_sub(reach), bound.min));
        let missing = self.min.saturating_sub(count).min(reach);
        ListView { is_near: false, missing, room: u32::MAX, tally: self.counters.tally(values) }
    }
}

/// What a token can tell of a list with counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListView {
    /// Whether a maximum may matter.
    pub(super) is_near: bool,
    pub(super) missing: u32,
    pub(super) room: u32,
    pub(super) tally: Tally,
}

#[cfg(test)]
mod tests {
    use super::super::builder::Counter;
    use super::*;

    const REACH: u32 = 8;

    /// A list of at least `min` elements, each of which may add to the counter.
    fn rules(counter: Counter, min: u32, max: Option<u32>) -> ListRules {
        let counters = Counters::new(&[counter], max).unwrap();
        ListRules { counters, prefix: Box::default(), rest: [0, 1].into_iter().collect(), min, max }
    }

    fn view(rules: &ListRules, count: u32, value: u32) -> (bool, u32, u32, Tally) {
        let view = rules.view(count, rules.counters.tally([value].into_iter()), REACH);
        (view.is_near, view.missing, view.room, view.tally)
    }

    #[test]
    fn places_far_from_all_bounds_look_alike() {
        let rules = rules(Counter { min: 1, max: Some(1_000) }, 0, Some(5_000));
        assert_eq!(view(&rules, 1, 1), view(&rules, 900, 900));
        assert_ne!(view(&rules, 1, 0), view(&rules, 1, 1));
        // A token may get there.
        assert_eq!(view(&rules, 900, 1_000 - REACH), view(&rules, 900, 5));
        assert_ne!(view(&rules, 1_000, 1_001 - REACH), view(&rules, 1_000, 5));
        assert_ne!(view(&rules, 5_001 - REACH, 5), view(&rules, 900, 5));
    }

    #[test]
    fn what_is_missing_matters_as_far_as_a_token_reaches() {
        let without_end = rules(Counter { min: 500, max: None }, 700, None);
        assert_eq!(view(&without_end, 100, 0), view(&without_end, 500, 300));
        assert_ne!(view(&without_end, 692, 495), view(&without_end, 693, 495));
        assert_ne!(view(&without_end, 100, 492), view(&without_end, 100, 493));
        // Where room is short, each element counts.
        let short = rules(Counter { min: 500, max: None }, 0, Some(510));
        assert_ne!(view(&short, 105, 99), view(&short, 106, 99));
    }
}
