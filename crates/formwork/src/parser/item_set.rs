//! Which items can the parser be in, and where does a lexeme lead? Interned item sets.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use indexmap::Equivalent;
use smallvec::SmallVec;

use super::configuration::Entry;
use super::view::{Classes, TokenReach};
use super::written::{WordSetId, Written, WrittenWord};
use crate::automata::{Automaton, KeyFilter, WordCount, spend_or_fail};
use crate::error::LimitError;
use crate::grammar::{Effect, Place, Productions, Register, SeenSets};
use crate::hash::{HashMap, Numbered};
use crate::limits::Limits;

/// Number of an item set.
pub(crate) type SetId = u32;

/// Steps that an item of a new set counts as: it is sorted, hashed and compared.
const ITEM_COST: usize = 12;

/// The set of a text that is complete and cannot go on.
const ROOT: SetId = 0;

/// A place in a body and what follows when the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) place: Place,
    /// The item set to return to.
    pub(crate) origin: SetId,
}

impl Item {
    /// All of it as two numbers: sets are sorted and hashed so often that field by field takes twice the time.
    fn packed(&self) -> (u128, u128) {
        let Place { node, register: Register { position, seen, tally, count } } = self.place;
        let join = |high: u32, low: u64| u128::from(high) << 64 | u128::from(low);
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        (join(node, pair(position, seen)), u128::from(tally.number()) << 64 | u128::from(pair(count, self.origin)))
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Item) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Item) -> Ordering {
        self.packed().cmp(&other.packed())
    }
}

impl Hash for Item {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (first, second) = self.packed();
        state.write_u128(first);
        state.write_u128(second);
    }
}

/// A terminal that an item set allows, and where its lexemes lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Any lexeme leads to the same items.
    Terminal { terminal: u32, effect: Effect, targets: SmallVec<[Item; 1]> },
    /// A named key of a record; which one decides where it leads.
    Key { record: u32, register: Register, filter: KeyFilter, origin: SetId },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kernel {
    /// Sorted, all with a way on.
    items: Arc<[Item]>,
    /// Whether the text may end here.
    accepting: bool,
}

/// A [`Kernel`] that is looked for.
#[derive(Hash)]
struct Sought<'a> {
    items: &'a [Item],
    accepting: bool,
}

impl Equivalent<Kernel> for Sought<'_> {
    fn equivalent(&self, kernel: &Kernel) -> bool {
        self.accepting == kernel.accepting && *self.items == *kernel.items
    }
}

/// The item sets of one grammar, made as they are reached.
#[derive(Debug)]
pub(crate) struct Parser {
    pub(super) productions: Arc<Productions>,
    pub(super) automata: Arc<[Arc<Automaton>]>,
    sets: Numbered<Kernel>,
    /// By set: the terminals that come next, once predicted.
    scans: Vec<Option<Arc<[Scan]>>>,
    /// Set, index of the scan, index of the key (0 for terminals).
    steps: HashMap<(SetId, u32, u32), SetId>,
    /// The union of two sets, the lower number first.
    unions: HashMap<(SetId, SetId), SetId>,
    /// The items of a set whose part of the grammar has one kind of whitespace; `None` where there are none.
    pub(super) by_kind: HashMap<(SetId, u32), Option<SetId>>,
    /// Keys that were read, of records whose keys come in any order.
    pub(super) seen: SeenSets,
    pub(crate) written: Written,
    /// By record and key: the key as a word.
    pub(super) key_words: HashMap<(u32, u32), WrittenWord>,
    /// By terminal, state and characters read: how many words can still be read.
    pub(super) word_counts: HashMap<(u32, u64, u32), WordCount>,
    /// By set: whether a lexeme may come next of which there is plenty.
    pub(super) plenty: HashMap<SetId, bool>,
    /// Entries that may only be completed by repeating something: whether they are not.
    pub(super) live: HashMap<Entry, bool>,
    /// By terminal: the numbers that are not in the set that was asked for last.
    pub(super) new_numbers: HashMap<u32, (WordSetId, Arc<Automaton>)>,
    pub(super) limits: Limits,
    pub(super) classes: Classes,
    /// Whether every lexeme is text: UTF-8 and no part of it.
    pub(super) only_text: OnceLock<bool>,
    /// Whether there is always another key without a name, wherever there may be one.
    pub(crate) keys_never_run_out: bool,
    start: SetId,
    pub(super) n_bytes: usize,
    /// Steps taken that were not known yet.
    pub(crate) n_steps: u64,
}

/// Lists of items, each rising.
type Runs<'a> = SmallVec<[Cow<'a, [Item]>; 4]>;

/// The items of rising runs, each once and in rising order. Where a text can be read in many ways the runs are many and
/// nearly equal: what two have in common is gone before they meet a third. At most O(items · log(runs)) comparisons.
fn merge_runs<'a>(mut runs: Runs<'a>, limits: &Limits) -> Result<Cow<'a, [Item]>, LimitError> {
    let n_items: usize = runs.iter().map(|run| run.len()).sum();
    if n_items > 1 {
        spend_or_fail(ITEM_COST * n_items, limits)?;
    }
    while runs.len() > 1 {
        let mut merged = SmallVec::with_capacity(runs.len().div_ceil(2));
        let mut rest = runs.into_iter();
        while let Some(run) = rest.next() {
            merged.push(match rest.next() {
                Some(other) => Cow::Owned(merge(&run, &other)),
                None => run,
            });
        }
        runs = merged;
    }
    let items = runs.pop().unwrap_or_default();
    match items.len() > limits.max_items {
        true => Err(LimitError { setting: "max_items", limit: limits.max_items }),
        false => Ok(items),
    }
}

/// The items of two rising runs, each once.
fn merge(mut a: &[Item], mut b: &[Item]) -> Vec<Item> {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    while let (Some(first), Some(second)) = (a.first(), b.first()) {
        let order = first.cmp(second);
        merged.push(if order.is_le() { *first } else { *second });
        a = &a[usize::from(order.is_le())..];
        b = &b[usize::from(order.is_ge())..];
    }
    merged.extend_from_slice(a);
    merged.extend_from_slice(b);
    merged
}

impl Parser {
    pub(crate) fn new(
        productions: Arc<Productions>,
        automata: Arc<[Arc<Automaton>]>,
        reach: Arc<TokenReach>,
        limits: &Limits,
    ) -> Parser {
        let classes = Classes::new(reach, productions.records.len());
        let place = productions.start_of(productions.start);
        let accepting = productions.accepts_empty;
        let mut parser = Parser {
            keys_never_run_out: super::past::keys_never_run_out(&productions, &automata),
            productions,
            automata,
            sets: Numbered::default(),
            scans: Vec::new(),
            steps: HashMap::default(),
            unions: HashMap::default(),
            by_kind: HashMap::default(),
            seen: SeenSets::default(),
            written: Written::new(limits.max_unique),
            key_words: HashMap::default(),
            word_counts: HashMap::default(),
            plenty: HashMap::default(),
            live: HashMap::default(),
            new_numbers: HashMap::default(),
            only_text: OnceLock::new(),
            limits: limits.clone(),
            classes,
            start: ROOT,
            n_bytes: 0,
            n_steps: 0,
        };
        let root = parser.intern(&[], true);
        debug_assert_eq!(root, ROOT);
        let mut items = vec![Item { place, origin: ROOT }];
        items.retain(|item| parser.productions.has_way_on(item.place));
        parser.start = parser.intern(&items, accepting);
        parser
    }

    /// The set before the first lexeme.
    pub(crate) fn start(&self) -> SetId {
        self.start
    }

    pub(crate) fn productions(&self) -> &Productions {
        &self.productions
    }

    pub(crate) fn automaton(&self, terminal: u32) -> &Arc<Automaton> {
        &self.automata[terminal as usize]
    }

    /// Whether every lexeme is text, so that no reading ends within a character. O(bytes of all literals), once.
    pub(crate) fn takes_only_text(&self) -> bool {
        let is_text = |automaton: &Arc<Automaton>| match &**automaton {
            Automaton::Literal(literal) => std::str::from_utf8(literal).is_ok(),
            Automaton::OneOf(strings) => strings.iter().all(|string| std::str::from_utf8(string).is_ok()),
            // Patterns match text alone.
            Automaton::Regex(_)
            | Automaton::Number(_)
            | Automaton::String(_)
            | Automaton::FreeText(_)
            | Automaton::Special(_) => true,
        };
        *self.only_text.get_or_init(|| self.automata.iter().all(is_text))
    }

    /// Whether the text may end in `set`.
    pub(crate) fn is_accepting(&self, set: SetId) -> bool {
        self.sets[set as usize].accepting
    }

    pub(crate) fn items(&self, set: SetId) -> &Arc<[Item]> {
        &self.sets[set as usize].items
    }

    /// Whether nothing can follow.
    pub(crate) fn is_last(&self, set: SetId) -> bool {
        self.sets[set as usize].items.is_empty()
    }

    pub(crate) fn n_sets(&self) -> usize {
        self.sets.len()
    }

    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes + self.seen.n_bytes() + self.classes.n_bytes() + self.written.n_bytes()
    }

    /// Takes an item of an older parser over, whose origin has been taken over already.
    pub(crate) fn adopt_item(&mut self, old: &Parser, item: Item, origin: SetId) -> Item {
        let place = Place { register: self.adopt_register(old, item.place.register), ..item.place };
        Item { place, origin }
    }

    /// Takes a register of an older parser over.
    pub(crate) fn adopt_register(&mut self, old: &Parser, register: Register) -> Register {
        Register { seen: self.seen.intern(old.seen.get(register.seen).clone()), ..register }
    }

    /// The terminals that `set` allows, predicted when first asked for.
    pub(crate) fn scans(&mut self, set: SetId) -> Result<Arc<[Scan]>, LimitError> {
        if let Some(scans) = &self.scans[set as usize] {
            return Ok(Arc::clone(scans));
        }
        let scans: Arc<[Scan]> = self.predict(set)?.into();
        let n_targets: usize = scans
            .iter()
            .map(|scan| match scan {
                Scan::Terminal { targets, .. } => targets.len(),
                Scan::Key { .. } => 0,
            })
            .sum();
        self.n_bytes += size_of_val(&*scans) + n_targets * size_of::<Item>();
        self.scans[set as usize] = Some(Arc::clone(&scans));
        Ok(scans)
    }

    /// How many terminals `set` allows; predicts them when they were not.
    pub(crate) fn n_scans(&mut self, set: SetId) -> Result<u32, LimitError> {
        match &self.scans[set as usize] {
            Some(scans) => Ok(scans.len() as u32),
            None => Ok(self.scans(set)?.len() as u32),
        }
    }

    /// A terminal that was predicted for `set`.
    pub(crate) fn scan(&self, set: SetId, scan: u32) -> &Scan {
        let scans = self.scans[set as usize].as_ref().expect("a scan's number comes from a prediction");
        &scans[scan as usize]
    }

    /// The set behind a lexeme of the `scan`-th terminal of `set`; `key` is the index of the key that was read, 0 for other
    /// terminals.
    pub(crate) fn step(&mut self, set: SetId, scan: u32, key: u32) -> Result<SetId, LimitError> {
        if let Some(next) = self.steps.get(&(set, scan, key)) {
            return Ok(*next);
        }
        self.n_steps += 1;
        let scans = self.scans(set)?;
        let next = match &scans[scan as usize] {
            Scan::Terminal { targets, .. } => self.advance(targets)?,
            Scan::Key { record, register, origin, .. } => {
                let body = &self.productions.records[*record as usize];
                let seen = match body.remembers(key) {
                    true => self.seen.with(register.seen, key),
                    false => register.seen,
                };
                let place = Place { node: body.assign_node, register: Register { position: key, seen, ..*register } };
                self.advance(&[Item { place, origin: *origin }])?
            }
        };
        self.steps.insert((set, scan, key), next);
        self.n_bytes += 32;
        Ok(next)
    }

    /// The set with the items of all; there is at least one.
    pub(super) fn union(&mut self, sets: &[SetId]) -> Result<SetId, LimitError> {
        let pair = match *sets {
            [only] => return Ok(only),
            [a, b] if a == b => return Ok(a),
            [a, b] => Some((a.min(b), a.max(b))),
            _ => None,
        };
        if let Some(union) = pair.and_then(|pair| self.unions.get(&pair)) {
            return Ok(*union);
        }
        let of_each = self.items_of(sets);
        let items = merge_runs(of_each.iter().map(|items| Cow::Borrowed(&**items)).collect(), &self.limits)?;
        let union = self.intern(&items, sets.iter().any(|set| self.is_accepting(*set)));
        if let Some(pair) = pair {
            self.unions.insert(pair, union);
            self.n_bytes += 32;
        }
        Ok(union)
    }

    /// Completes what can be completed among `targets` and interns the rest.
    pub(super) fn advance(&mut self, targets: &[Item]) -> Result<SetId, LimitError> {
        let is_end = |target: &&Item| self.productions.is_end(target.place);
        let mut origins: SmallVec<[SetId; 4]> = targets.iter().filter(is_end).map(|target| target.origin).collect();
        // What is read in several ways ends in several that return to one set.
        origins.sort_unstable();
        origins.dedup();
        let has_way_on = |target: &&Item| self.productions.has_way_on(target.place);
        let mut on: SmallVec<[Item; 4]> = targets.iter().filter(has_way_on).copied().collect();
        on.sort_unstable();
        on.dedup();
        let accepting = origins.iter().any(|origin| self.is_accepting(*origin));
        // The origins' items are complete already.
        let behind = self.items_of(&origins);
        let runs = [&on[..]].into_iter().chain(behind.iter().map(|items| &**items)).filter(|run| !run.is_empty());
        let items = merge_runs(runs.map(Cow::Borrowed).collect(), &self.limits)?;
        Ok(self.intern(&items, accepting))
    }

    fn items_of(&self, sets: &[SetId]) -> SmallVec<[Arc<[Item]>; 4]> {
        sets.iter().map(|set| Arc::clone(self.items(*set))).collect()
    }

    /// Makes room for so many sets.
    pub(crate) fn reserve(&mut self, n_sets: usize) {
        self.sets.reserve(n_sets);
        self.scans.reserve(n_sets);
    }

    /// The set with these items, which are complete and sorted.
    pub(crate) fn intern(&mut self, items: &[Item], accepting: bool) -> SetId {
        if let Some(known) = self.sets.get_index_of(&Sought { items, accepting }) {
            return known as SetId;
        }
        let (id, _) = self.sets.insert_full(Kernel { items: items.into(), accepting });
        self.n_bytes += size_of::<Kernel>() + 64 + size_of_val(items);
        self.scans.push(None);
        id as SetId
    }
}
