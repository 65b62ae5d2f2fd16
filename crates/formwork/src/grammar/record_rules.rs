//! How can a record with goals or clauses still be completed? Which entries must come, which may, and whether they suffice.
//!
//! Keys in clauses are decided one by one, with unit propagation, until every clause holds whatever the other keys do. Then
//! the keys left are free, and as more entries never undo a goal, it is enough to know the least number of entries that meets
//! all goals (`cover`) and the greatest number of entries there can be: every number between them is possible.

use fixedbitset::FixedBitSet;
use smallvec::SmallVec;

use super::cover::{Supply, can_cover};
use super::steps::Steps;
use crate::error::LimitError;

/// A set of keys in clauses, by bit.
pub(super) type ClauseKeys = u128;

/// A clause: one of the first must be there, or one of the others must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) there: ClauseKeys,
    pub(super) absent: ClauseKeys,
}

/// Goals and clauses of a record, and what its keys do for them.
#[derive(Clone, Debug)]
pub(super) struct RecordRules {
    /// How many properties come in the order in which they are listed; the others come behind them, in any order.
    pub(super) n_listed: u32,
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    /// All goals.
    pub(super) goals: u32,
    pub(super) clauses: Box<[Clause]>,
    /// The properties in clauses, rising: each has a bit.
    pub(super) clause_keys: Box<[u32]>,
    /// Those among them that are required.
    pub(super) clause_required: ClauseKeys,
    /// Sets of goals that an entry of a family may meet, none within another. The first family meets none.
    pub(super) families: Vec<Box<[u32]>>,
    /// By property.
    pub(super) family_of: Box<[u32]>,
    /// By class of other keys.
    pub(super) others: Box<[u32]>,
    /// How many other keys there are; `None` is without end. Keys of a class that has an end meet no goals.
    pub(super) n_words: Option<u32>,
    /// By family: the properties without an order that are in no clause, required ones and others. None if all are listed.
    pub(super) unordered: Vec<[FixedBitSet; 2]>,
    /// By position and family: how many of the listed properties in no clause are at or behind it, likewise.
    pub(super) ahead: Box<[[u32; 2]]>,
}

/// A place in a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    /// The first property that may still come, of those in listed order.
    pub(super) position: u32,
    pub(super) count: u32,
    /// Goals that are met.
    pub(super) met: u32,
    /// Keys that were written; if all are listed only those in clauses.
    pub(super) written: &'a FixedBitSet,
    /// One more that was.
    pub(super) also: Option<u32>,
    /// Whether another key was written last.
    pub(super) other: bool,
}

impl At<'_> {
    fn has(&self, key: u32) -> bool {
        self.also == Some(key) || self.written.contains(key as usize)
    }
}

/// What is left to do, and what there is to do it with.
struct Rest<'a> {
    rules: &'a RecordRules,
    unmet: u32,
    /// Entries that must and may still come.
    missing: u32,
    room: u32,
    /// Other keys that may still come.
    n_others: Option<u32>,
    /// By family: required and optional keys that are in no clause.
    free: SmallVec<[[u32; 2]; 4]>,
    /// Keys in clauses that may still come.
    open: ClauseKeys,
}

impl RecordRules {
    /// The bit of a key in clauses.
    pub(super) fn clause_bit(&self, key: u32) -> Option<ClauseKeys> {
        self.clause_keys.binary_search(&key).ok().map(|bit| 1 << bit)
    }

    /// Whether nothing sets this key apart from others.
    pub(super) fn is_plain(&self, key: u32) -> bool {
        self.family_of[key as usize] == 0 && self.clause_bit(key).is_none()
    }

    /// Bytes held, about.
    pub(super) fn n_bytes(&self) -> usize {
        let families: usize = self.families.iter().map(|family| size_of_val(&**family) + 16).sum();
        let unordered = self.unordered.len() * self.family_of.len() / 4;
        let clauses = size_of_val(&*self.clauses) + size_of_val(&*self.clause_keys);
        families + unordered + clauses + size_of_val(&*self.family_of) + size_of_val(&*self.ahead)
    }

    /// Whether all goals and clauses are met if no more keys come.
    pub(super) fn are_met(&self, at: At<'_>) -> bool {
        let there = self.there(at);
        at.met & self.goals == self.goals
            && self.clauses.iter().all(|clause| clause.there & there != 0 || clause.absent & !there != 0)
    }

    /// Whether a clause that does not hold yet would hold with this key.
    pub(super) fn helps_clauses(&self, key: u32, at: At<'_>) -> bool {
        let Some(bit) = self.clause_bit(key) else { return false };
        let there = self.there(at);
        let fails = |clause: &&Clause| clause.there & there == 0 && clause.absent & !there == 0;
        self.clauses.iter().filter(fails).any(|clause| clause.there & bit != 0)
    }

    /// How many more other keys may come, where entries are missing; `None` is without end.
    fn words_left(&self, at: At<'_>) -> Option<u32> {
        let n_words = self.n_words?;
        if self.all_are_listed() {
            // Only other keys come behind the first of them, and each takes one away from what is left and from what is
            // missing: so it is enough to look at one of them.
            return Some(n_words.saturating_sub(u32::from(at.other)));
        }
        let also = at.also.is_some_and(|key| !at.written.contains(key as usize));
        let n_named = at.written.count_ones(..) as u32 + u32::from(also);
        Some(n_words.saturating_sub(at.count.saturating_sub(n_named)))
    }

    fn all_are_listed(&self) -> bool {
        self.n_listed as usize == self.family_of.len()
    }

    /// The keys in clauses that were written.
    fn there(&self, at: At<'_>) -> ClauseKeys {
        let bits = self.clause_keys.iter().enumerate();
        bits.filter(|(_, key)| at.has(**key)).fold(0, |there, (bit, _)| there | 1 << bit)
    }

    /// Whether the record can be completed from a place, whose count is within bounds.
    pub(super) fn can_complete(&self, at: At<'_>, steps: &mut Steps) -> Result<bool, LimitError> {
        let there = self.there(at);
        let all = all_bits(self.clause_keys.len());
        let n_passed = self.clause_keys.partition_point(|key| *key < at.position);
        let open = all & !all_bits(n_passed) & !there;
        let n_families = self.families.len();
        let start = at.position as usize * n_families;
        let mut free: SmallVec<[[u32; 2]; 4]> = self.ahead[start..start + n_families].into();
        for (free, keys) in free.iter_mut().zip(&self.unordered) {
            let [required, optional] = unwritten(keys, at);
            *free = [free[0] + required, free[1] + optional];
        }
        let rest = Rest {
            rules: self,
            unmet: self.goals & !at.met,
            missing: self.min.saturating_sub(at.count),
            room: self.max.map_or(u32::MAX, |max| max.saturating_sub(at.count)),
            n_others: self.words_left(at),
            free,
            open,
        };
        rest.search(there | open & self.clause_required, all & !there & !open, steps)
    }
}

/// How many required and other keys were not written.
fn unwritten(keys: &[FixedBitSet; 2], at: At<'_>) -> [u32; 2] {
    [0, 1].map(|kind| {
        let also = at.also.is_some_and(|key| keys[kind].contains(key as usize) && !at.written.contains(key as usize));
        (keys[kind].count_ones(..) - keys[kind].intersection_count(at.written)) as u32 - u32::from(also)
    })
}

/// The first `n` bits.
fn all_bits(n: usize) -> ClauseKeys {
    if n == 0 { 0 } else { ClauseKeys::MAX >> (ClauseKeys::BITS as usize - n) }
}

impl Rest<'_> {
    /// Looks for a way to decide the open keys, of which `there` must come and `absent` must not.
    fn search(&self, there: ClauseKeys, absent: ClauseKeys, steps: &mut Steps) -> Result<bool, LimitError> {
        let mut pending = vec![(there, absent)];
        while let Some((there, absent)) = pending.pop() {
            let Some((there, absent)) = self.propagate(there, absent, steps)? else { continue };
            if !self.suffices(there, absent, steps)? {
                continue;
            }
            let undecided = !(there | absent);
            let holds = |clause: &&Clause| clause.there & there == 0 && clause.absent & absent == 0;
            let Some(clause) = self.rules.clauses.iter().find(holds) else { return Ok(true) };
            // Where few entries may come, rather without the key.
            let to_be_there = clause.there & undecided;
            let to_be_absent = clause.absent & undecided;
            let bit = if to_be_absent != 0 { lowest(to_be_absent) } else { lowest(to_be_there) };
            let mut ways = [(there | bit, absent), (there, absent | bit)];
            if to_be_absent == 0 {
                ways.swap(0, 1);
            }
            pending.extend(ways);
        }
        Ok(false)
    }

    /// Decides the keys that a clause leaves no choice; `None` where a clause cannot hold.
    fn propagate(
        &self,
        mut there: ClauseKeys,
        mut absent: ClauseKeys,
        steps: &mut Steps,
    ) -> Result<Option<(ClauseKeys, ClauseKeys)>, LimitError> {
        loop {
            steps.spend(1 + self.rules.clauses.len())?;
            let before = (there, absent);
            for clause in &self.rules.clauses {
                if clause.there & there != 0 || clause.absent & absent != 0 {
                    continue;
                }
                let undecided = !(there | absent);
                let left = (clause.there & undecided, clause.absent & undecided);
                match left.0.count_ones() + left.1.count_ones() {
                    0 => return Ok(None),
                    1 => {
                        there |= left.0;
                        absent |= left.1;
                    }
                    _ => {}
                }
            }
            if (there, absent) == before {
                return Ok(Some(before));
            }
        }
    }

    /// Whether goals and counts can be met where the open keys that are not decided are free.
    fn suffices(&self, there: ClauseKeys, absent: ClauseKeys, steps: &mut Steps) -> Result<bool, LimitError> {
        let rules = self.rules;
        let required = there & self.open;
        let optional = self.open & !there & !absent;
        let mut free = self.free.clone();
        let mut n_required = required.count_ones();
        let mut n_optional = optional.count_ones();
        n_required += free.iter().map(|[required, _]| required).sum::<u32>();
        n_optional += free.iter().map(|[_, optional]| optional).sum::<u32>();
        let n_most = self.n_others.map_or(u32::MAX, |n_others| n_others.saturating_add(n_required + n_optional));
        if n_required > self.room || n_most < self.missing {
            return Ok(false);
        }
        if self.unmet == 0 {
            return Ok(true);
        }
        for (bit, key) in rules.clause_keys.iter().enumerate() {
            let [required, optional] = [required, optional].map(|keys| (keys >> bit & 1) as u32);
            let family = &mut free[rules.family_of[*key as usize] as usize];
            *family = [family[0] + required, family[1] + optional];
        }
        let named = free.iter().zip(&rules.families).skip(1).filter(|(n, _)| **n != [0, 0]);
        let named =
            named.map(|([required, optional], meets)| Supply { meets, required: *required, optional: Some(*optional) });
        let others = rules.others.iter().filter(|family| **family != 0);
        let others =
            others.map(|family| Supply { meets: &rules.families[*family as usize], required: 0, optional: None });
        let supplies: SmallVec<[Supply<'_>; 4]> = named.chain(others).collect();
        can_cover(self.unmet, &supplies, self.room - n_required, steps)
    }
}

/// The lowest bit of a set that is not empty.
fn lowest(keys: ClauseKeys) -> ClauseKeys {
    keys & keys.wrapping_neg()
}
