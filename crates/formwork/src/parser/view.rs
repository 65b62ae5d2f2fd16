//! Which positions can one token not tell apart? Classes of item sets, and configurations reduced to what masks depend on.
//!
//! A mask depends on a position only as far as one token reaches. Item sets whose items look alike
//! ([`PlaceView`]) and return to sets that look alike are of one class; a configuration's view names classes, automaton
//! states and counts near a bound, and equal views have equal masks.

use std::sync::Arc;

use fixedbitset::FixedBitSet;
use smallvec::SmallVec;

use super::configuration::{Entry, Lexing};
use super::item_set::{Parser, Scan, SetId};
use crate::automata::{Automaton, KeyFilter, StringState, charge};
use crate::error::LimitError;
use crate::grammar::{PlaceView, Reached, Register, SeenId, SeenSets, Whitespace};
use crate::hash::HashMap;

/// How far the tokens of a vocabulary reach.
#[derive(Debug, Default)]
pub(crate) struct TokenReach {
    /// Bytes of the longest token.
    pub(crate) max_bytes: u32,
    /// Most characters that a token adds to a string.
    pub(crate) max_chars: u32,
    /// What tokens hold from a quote on that stands behind a comma.
    pub(crate) names: Vec<Box<[u8]>>,
}

/// A named key of which not everything matters: only a few names go on from here.
const FEW_NAMES: usize = 64;

/// What a mask depends on in one entry of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum EntryView {
    Between {
        class: SetId,
        n_blank: u32,
    },
    /// Where a key must come, it matters which.
    BeforeKey {
        set: SetId,
        n_blank: u32,
    },
    Lexeme {
        terminal: u32,
        state: u64,
        /// Characters that must and may still come.
        lengths: (u32, u32),
        /// The class of the set behind the lexeme.
        behind: SetId,
    },
    Key {
        record: u32,
        state: u64,
        keys: KeysView,
        /// The class of the set to return to.
        origin: SetId,
    },
}

/// What a mask within a key depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeysView {
    /// Where the range says all of it, the register has no position.
    Exact { register: Register, range: (u32, u32) },
    Few {
        /// The names that may still be meant.
        admitted: SeenId,
        /// Required keys, and keys of any kind, that were not written yet: none, one, more.
        missing: (u32, u32),
        /// Those among the reached ones that were not written yet.
        reached: SeenId,
    },
}

/// All that a mask depends on.
pub(crate) type ConfigurationView = SmallVec<[EntryView; 2]>;

#[derive(Debug, PartialEq, Eq, Hash)]
struct SetView {
    /// Whether it is the start, where whitespace may be treated in another way.
    is_start: bool,
    accepting: bool,
    items: SmallVec<[(PlaceView, SetId); 2]>,
}

/// Steps of a mask that looking at an item of a set counts as.
const VIEW_COST: usize = 12;

/// The classes known so far.
#[derive(Debug)]
pub(super) struct Classes {
    reach: Arc<TokenReach>,
    /// By set.
    of_set: Vec<Option<SetId>>,
    by_view: HashMap<SetView, SetId>,
    /// By record, once asked for.
    reached: Vec<Option<Reached>>,
    n_bytes: usize,
}

impl Classes {
    pub(super) fn new(reach: Arc<TokenReach>, n_records: usize) -> Classes {
        Classes { reach, of_set: Vec::new(), by_view: HashMap::default(), reached: vec![None; n_records], n_bytes: 0 }
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    fn known(&self, set: SetId) -> Option<SetId> {
        self.of_set.get(set as usize).copied().flatten()
    }
}

impl Parser {
    fn is_before_key(&self, set: SetId) -> bool {
        self.items(set).iter().any(|item| self.productions.is_key(item.place))
    }

    /// The class of a set: one of its members. Of a token that holds a lexeme that leads to a set, and something behind it,
    /// no more than the class matters.
    pub(crate) fn class(&mut self, set: SetId) -> SetId {
        if let Some(class) = self.classes.known(set) {
            return class;
        }
        // Sets to return to come first. They can be nested deeply, so not by recursion.
        let mut pending = vec![set];
        while let Some(set) = pending.last().copied() {
            let items = Arc::clone(self.items(set));
            let n_pending = pending.len();
            pending.extend(items.iter().map(|item| item.origin).filter(|set| self.classes.known(*set).is_none()));
            if pending.len() > n_pending {
                continue;
            }
            pending.pop();
            if self.classes.known(set).is_none() {
                let mut views: SmallVec<[(PlaceView, SetId); 2]> = SmallVec::new();
                charge(VIEW_COST * items.len());
                for item in items.iter() {
                    let origin = self.classes.known(item.origin).unwrap_or(item.origin);
                    let record = self.productions.record_of(item.place);
                    let reached = record.map_or(&Reached::All, |record| self.reached(record)).clone();
                    let max_bytes = self.classes.reach.max_bytes;
                    let productions = Arc::clone(&self.productions);
                    views.push((productions.view(item.place, max_bytes, &reached, &mut self.seen), origin));
                }
                views.sort_unstable();
                views.dedup();
                let view = SetView { is_start: set == self.start(), accepting: self.is_accepting(set), items: views };
                self.remember(set, view);
            }
        }
        self.classes.known(set).unwrap_or(set)
    }

    fn remember(&mut self, set: SetId, view: SetView) {
        let classes = &mut self.classes;
        classes.n_bytes += 64 + view.items.len() * size_of::<(PlaceView, SetId)>();
        let class = *classes.by_view.entry(view).or_insert(set);
        if classes.of_set.len() <= set as usize {
            classes.of_set.resize(set as usize + 1, None);
        }
        classes.of_set[set as usize] = Some(class);
    }

    /// The keys of a record that a token can begin to tell apart behind a separator.
    fn reached(&mut self, record: u32) -> &Reached {
        if self.classes.reached[record as usize].is_none() {
            let reached = self.find_reached(record);
            self.classes.reached[record as usize] = Some(reached);
        }
        self.classes.reached[record as usize].as_ref().unwrap_or(&Reached::All)
    }

    fn find_reached(&self, record: u32) -> Reached {
        let body = &self.productions.records[record as usize];
        let is_comma = match &**self.automaton(body.separator.index() as u32) {
            Automaton::Literal(literal) => {
                literal.first() == Some(&b',') && literal[1..].iter().all(|byte| Whitespace::contains(*byte))
            }
            _ => false,
        };
        if !is_comma || !body.keys.are_quoted() {
            return Reached::All;
        }
        let mut reached = FixedBitSet::new();
        for text in &self.classes.reach.names {
            let whole = body.keys.begun_by(text, &mut |key| {
                reached.grow(key as usize + 1);
                reached.insert(key as usize);
            });
            if whole {
                return Reached::All;
            }
        }
        Reached::Keys(reached)
    }

    /// All that the mask at a configuration depends on.
    pub(crate) fn view(&mut self, configuration: &[Entry]) -> Result<ConfigurationView, LimitError> {
        let mut view = ConfigurationView::new();
        for entry in configuration {
            view.push(match entry.lexing {
                Lexing::Between { n_blank } if self.is_before_key(entry.set) => {
                    EntryView::BeforeKey { set: entry.set, n_blank }
                }
                Lexing::Between { n_blank } => EntryView::Between { class: self.class(entry.set), n_blank },
                Lexing::Inside { scan, state, n_chars } => self.lexeme_view(entry.set, scan, state, n_chars)?,
            });
        }
        view.sort_unstable();
        view.dedup();
        Ok(view)
    }

    fn lexeme_view(&mut self, set: SetId, scan: u32, state: u64, n_chars: u32) -> Result<EntryView, LimitError> {
        let (record, register, filter, origin) = match self.scan(set, scan) {
            Scan::Terminal { terminal, .. } => {
                let terminal = *terminal;
                let lengths = match &**self.automaton(terminal) {
                    Automaton::String(string) => {
                        let content = StringState::from_bits(state).content();
                        string.length_key(content, n_chars, self.classes.reach.max_chars)
                    }
                    _ => (0, 0),
                };
                let behind = self.step(set, scan, 0)?;
                return Ok(EntryView::Lexeme { terminal, state, lengths, behind: self.class(behind) });
            }
            Scan::Key { record, register, filter, origin } => (*record, *register, filter.clone(), *origin),
        };
        let keys = self.keys_view(record, state, register, &filter);
        Ok(EntryView::Key { record, state, keys, origin: self.class(origin) })
    }

    fn keys_view(&mut self, record: u32, state: u64, register: Register, filter: &KeyFilter) -> KeysView {
        let range = match filter {
            KeyFilter::Range(first, last) => (*first, *last),
            KeyFilter::Among(_) => (0, 0),
        };
        let body = Arc::clone(&self.productions.records[record as usize]);
        let position = if body.has_rules() { register.position } else { 0 };
        let exact = KeysView::Exact { register: Register { position, ..register }, range };
        if body.has_rules() || body.counts() || body.keys.n_in(state) > FEW_NAMES {
            return exact;
        }
        let Reached::Keys(reached) = self.reached(record).clone() else { return exact };
        let admitted = self.seen.of(body.keys.admitted(state, filter));
        // In listed order the key that is written tells which can follow.
        if body.all_are_listed() {
            return KeysView::Few { admitted, missing: (0, 0), reached: SeenSets::EMPTY };
        }
        let written = self.seen.get(register.seen);
        let n_missing = body.required.difference(written).take(2).count() as u32;
        let n_unseen = (body.n_properties() - written.count_ones(..) as u32).min(2);
        let unseen: FixedBitSet = reached.difference(written).collect();
        let reached = self.seen.of(unseen.ones().map(|key| key as u32));
        KeysView::Few { admitted, missing: (n_missing, n_unseen), reached }
    }
}
