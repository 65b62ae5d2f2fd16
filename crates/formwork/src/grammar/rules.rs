//! What do the counters, goals and clauses of a grammar come to? From the builder's lists and records to their rules.

use fixedbitset::FixedBitSet;

use super::builder::{Case, KeyOrder, List, Record};
use super::list_rules::{Additions, ListRules};
use super::productions::Cases;
use super::record_rules::{Clause, ClauseKeys, RecordRules};
use super::tally::Counters;
use crate::error::GrammarError;
use crate::hash::HashMap;
use crate::ids::TerminalId;

/// Most numbers in the table of a record's rules: families times properties.
const MAX_TABLE: usize = 1 << 22;

/// A record without what cannot come.
#[derive(Debug)]
pub(super) struct UsableRecord {
    /// By property: index in the record as it was given.
    pub(super) indices: Vec<usize>,
    /// By property.
    pub(super) values: Vec<Cases>,
    /// With the keys that have no name.
    pub(super) others: Vec<(TerminalId, Cases)>,
}

/// What a record's goals and clauses come to.
#[derive(Debug)]
pub(super) enum Obligations {
    /// Nothing.
    None,
    /// They cannot be met.
    Impossible,
    Rules(Box<RecordRules>),
}

/// Refuses what no rules can be made of.
pub(super) fn check_list(list: &List) -> Result<(), GrammarError> {
    let n_counters = list.counters.len();
    if n_counters > List::MAX_COUNTERS {
        return Err(GrammarError::Invalid(format!("a list has more than {} counters", List::MAX_COUNTERS)));
    }
    check_cases(list.prefix.iter().flatten().chain(&list.rest), n_counters as u32)
}

/// Likewise.
pub(super) fn check_record(record: &Record) -> Result<(), GrammarError> {
    if record.n_goals > Record::MAX_GOALS {
        return Err(GrammarError::Invalid(format!("a record has more than {} goals", Record::MAX_GOALS)));
    }
    let n_properties = record.properties.len();
    let mut named = record.presence.iter().flat_map(|clause| &clause.0);
    if record.n_unordered as usize > n_properties {
        return Err(GrammarError::Invalid("a record has more unordered properties than properties".into()));
    }
    if named.any(|(key, _)| *key as usize >= n_properties) {
        return Err(GrammarError::Invalid("a presence clause names a property that the record does not have".into()));
    }
    let cases = record.properties.iter().flat_map(|property| &property.cases);
    check_cases(cases.chain(record.others.iter().flat_map(|other| &other.cases)), record.n_goals)
}

fn check_cases<'c>(mut cases: impl Iterator<Item = &'c Case>, n_bits: u32) -> Result<(), GrammarError> {
    match cases.all(|case| u64::from(case.meets) < 1 << n_bits) {
        true => Ok(()),
        false => Err(GrammarError::Invalid("a case meets what its list or record does not have".into())),
    }
}

/// The rules of a list's elements, from the cases that are productive; `None` where there is nothing to count.
pub(super) fn list_rules(list: &List, prefix: &[Cases], rest: &Cases) -> Result<Option<ListRules>, GrammarError> {
    if list.counters.is_empty() {
        return Ok(None);
    }
    let additions = |cases: &Cases| {
        let mut additions: Additions = cases.iter().map(|case| case.meets).collect();
        additions.sort_unstable();
        additions.dedup();
        additions
    };
    let counters = Counters::new(&list.counters, list.max)
        .ok_or_else(|| GrammarError::Invalid("the counters of a list are too large together".into()))?;
    let prefix = prefix.iter().map(additions).collect();
    Ok(Some(ListRules { counters, prefix, rest: additions(rest), min: list.min, max: list.max }))
}

/// How many of the usable properties come in the order in which they are listed.
pub(super) fn n_listed(record: &Record, order: KeyOrder, usable: &UsableRecord) -> u32 {
    let n_ordered = record.properties.len().saturating_sub(record.n_unordered as usize);
    match order {
        KeyOrder::Listed => usable.indices.partition_point(|index| *index < n_ordered) as u32,
        KeyOrder::Any => 0,
    }
}

/// The rules of a record, from what is usable in it; `n_words` is how many keys without a name it can have.
pub(super) fn record_rules(
    record: &Record,
    order: KeyOrder,
    usable: &UsableRecord,
    n_words: Option<u32>,
) -> Result<Obligations, GrammarError> {
    let n_listed = n_listed(record, order, usable);
    // Without rules all keys are in one order or none is.
    let is_mixed = n_listed != 0 && (n_listed as usize) < usable.indices.len();
    if record.presence.is_empty() && record.n_goals == 0 && !is_mixed {
        return Ok(Obligations::None);
    }
    let required: Vec<bool> = usable.indices.iter().map(|index| record.properties[*index].required).collect();
    let Some(clauses) = simplify(record, usable, &required) else { return Ok(Obligations::Impossible) };
    if clauses.is_empty() && record.n_goals == 0 && !is_mixed {
        return Ok(Obligations::None);
    }
    let mut clause_keys: Vec<u32> = clauses.iter().flatten().map(|(key, _)| *key).collect();
    clause_keys.sort_unstable();
    clause_keys.dedup();
    if clause_keys.len() > ClauseKeys::BITS as usize {
        let reason = format!("the presence clauses of a record speak of more than {} keys", ClauseKeys::BITS);
        return Err(GrammarError::Invalid(reason));
    }
    let bit = |key: &u32| clause_keys.binary_search(key).map_or(0, |bit| 1 << bit);
    let clause = |literals: &Vec<(u32, bool)>| {
        let of = |there: bool| literals.iter().filter(|it| it.1 == there).fold(0, |all, (key, _)| all | bit(key));
        Clause { there: of(true), absent: of(false) }
    };
    let goals = (1 << record.n_goals) - 1;
    let mut families = Families::default();
    let family_of: Box<[u32]> = usable.values.iter().map(|cases| families.of(cases)).collect();
    let others = usable.others.iter().map(|(_, cases)| families.of(cases)).collect();
    let mut rules = RecordRules {
        n_listed,
        min: record.min,
        max: record.max,
        goals,
        clauses: clauses.iter().map(clause).collect(),
        clause_required: clause_keys.iter().filter(|key| required[**key as usize]).fold(0, |all, key| all | bit(key)),
        clause_keys: clause_keys.into(),
        families: families.all,
        family_of,
        others,
        n_words,
        unordered: Vec::new(),
        ahead: Box::default(),
    };
    if rules.families.len().saturating_mul(required.len() + 1) > MAX_TABLE {
        return Err(GrammarError::Invalid("the cases of a record's keys meet too many sets of goals".into()));
    }
    rules.ahead = ahead(&rules, &required[..n_listed as usize]);
    rules.unordered = unordered(&rules, &required);
    Ok(Obligations::Rules(Box::new(rules)))
}

/// The clauses over usable keys that may fail; `None` where one of them must.
fn simplify(record: &Record, usable: &UsableRecord, required: &[bool]) -> Option<Vec<Vec<(u32, bool)>>> {
    let mut clauses = Vec::new();
    for clause in &record.presence {
        let mut literals = Vec::new();
        let mut holds = false;
        for (key, there) in &clause.0 {
            match usable.indices.binary_search(&(*key as usize)) {
                Err(_) => holds |= !there,
                Ok(key) if required[key] => holds |= there,
                Ok(key) => {
                    holds |= literals.contains(&(key as u32, !there));
                    literals.push((key as u32, *there));
                }
            }
        }
        if literals.is_empty() && !holds {
            return None;
        }
        if !holds {
            literals.sort_unstable();
            literals.dedup();
            clauses.push(literals);
        }
    }
    Some(clauses)
}

/// Equal sets of sets of goals have equal numbers.
struct Families {
    all: Vec<Box<[u32]>>,
    numbers: HashMap<Box<[u32]>, u32>,
}

impl Default for Families {
    fn default() -> Families {
        let none: Box<[u32]> = [0].into();
        Families { all: vec![none.clone()], numbers: HashMap::from_iter([(none, 0)]) }
    }
}

impl Families {
    /// What an entry may meet: what another of its cases meets as well makes no difference.
    fn of(&mut self, cases: &Cases) -> u32 {
        let within = |case: &&Case| {
            let all = |other: &Case| other.meets != case.meets && other.meets & case.meets == case.meets;
            cases.iter().any(all)
        };
        let mut family: Vec<u32> = cases.iter().filter(|case| !within(case)).map(|case| case.meets).collect();
        family.sort_unstable();
        family.dedup();
        let next = self.all.len() as u32;
        let family: Box<[u32]> = family.into();
        *self.numbers.entry(family).or_insert_with_key(|family| {
            self.all.push(family.clone());
            next
        })
    }
}

/// By position and family: how many required and other keys that are in no clause are at or behind it, of those in order.
fn ahead(rules: &RecordRules, required: &[bool]) -> Box<[[u32; 2]]> {
    let n_families = rules.families.len();
    let mut ahead = vec![[0; 2]; (required.len() + 1) * n_families];
    for (key, required) in required.iter().enumerate().rev() {
        let (before, behind) = ahead.split_at_mut((key + 1) * n_families);
        let row = &mut before[key * n_families..];
        row.copy_from_slice(&behind[..n_families]);
        if rules.clause_bit(key as u32).is_none() {
            row[rules.family_of[key] as usize][usize::from(!required)] += 1;
        }
    }
    ahead.into()
}

/// By family: the required and the other keys that are in no clause, of those without an order.
fn unordered(rules: &RecordRules, required: &[bool]) -> Vec<[FixedBitSet; 2]> {
    let n_listed = rules.n_listed as usize;
    if n_listed == required.len() {
        return Vec::new();
    }
    let none = || FixedBitSet::with_capacity(required.len());
    let mut unordered: Vec<[FixedBitSet; 2]> = rules.families.iter().map(|_| [none(), none()]).collect();
    for (key, required) in required.iter().enumerate().skip(n_listed) {
        if rules.clause_bit(key as u32).is_none() {
            unordered[rules.family_of[key] as usize][usize::from(!required)].insert(key);
        }
    }
    unordered
}
