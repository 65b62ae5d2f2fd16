//! How does this text end soonest? From an entry to cheap bytes that complete the text, and what they cost.
//!
//! An entry ends with the rest of its lexeme, then with the rest of the body that an item of its set is in, then with that of
//! an item of the set to return to, and so on: no search is needed, as each rest is known by itself ([`Cheapest`]). What must
//! not be written twice is not looked at here: whoever asks must read the bytes and see.

use std::sync::Arc;

use super::configuration::{Entry, Lexing};
use super::item_set::{Parser, Scan, SetId};
use crate::automata::Automaton;
use crate::error::LimitError;
use crate::grammar::{Cheapest, Cost, NEVER, Part, Place, Prices, Productions, SeenSets};
use crate::hash::HashMap;
use crate::ids::{TerminalId, TokenId};

/// Keys that are compared where many may be meant.
const MAX_KEYS: usize = 32;

/// What bytes cost, and which are best to fill up with.
#[derive(Clone, Copy)]
pub(crate) struct Spelling<'a> {
    /// See [`Automaton::ending`].
    pub(crate) letters: &'a [u8],
    /// What it costs to write bytes.
    pub(crate) price: &'a dyn Fn(&[u8]) -> Cost,
    /// What it costs to write a special token.
    pub(crate) special: Cost,
}

/// Cheap texts of the terminals and nonterminals of a grammar.
#[derive(Debug)]
pub(crate) struct CheapTexts {
    cheapest: Cheapest,
    /// By terminal: a cheap lexeme. None of special tokens, and where none was found.
    lexemes: Box<[Option<Box<[u8]>>]>,
}

/// Bytes, and special tokens before some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) bytes: Vec<u8>,
    /// Each with the number of bytes before it, rising.
    pub(crate) specials: Vec<(usize, TokenId)>,
}

/// The rest of a lexeme with its cost.
type Rest = (Cost, Arc<[u8]>);

/// What is known of the endings of one parser's sets.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    /// What a text costs behind a set, and the item to go on with; none where the text is complete.
    sets: HashMap<SetId, (Cost, Option<u32>)>,
    /// By terminal, state and characters.
    lexemes: HashMap<(u32, u64, u32), Option<Rest>>,
    pub(crate) n_bytes: usize,
}

/// The rest of the lexeme of an entry, and what may come behind it.
struct Begun {
    cost: Cost,
    bytes: Arc<[u8]>,
    set: SetId,
    /// Whether the text may end behind it, if the set says so.
    may_end: bool,
}

struct TerminalPrices<'a> {
    automata: &'a [Arc<Automaton>],
    lexemes: &'a [Option<Box<[u8]>>],
    spelling: Spelling<'a>,
}

impl Prices for TerminalPrices<'_> {
    fn terminal(&self, id: TerminalId) -> Cost {
        match (&*self.automata[id.index()], &self.lexemes[id.index()]) {
            (Automaton::Special(_), _) => self.spelling.special,
            (_, Some(bytes)) => (self.spelling.price)(bytes),
            (_, None) => NEVER,
        }
    }

    fn key(&self, spelling: &[u8]) -> Cost {
        (self.spelling.price)(spelling)
    }
}

impl CheapTexts {
    pub(crate) fn new(
        productions: &Productions,
        automata: &[Arc<Automaton>],
        spelling: Spelling<'_>,
    ) -> Result<CheapTexts, LimitError> {
        let lexeme = |automaton: &Arc<Automaton>| cheap_lexeme(automaton, automaton.start(), 0, spelling);
        let lexemes = automata.iter().map(|automaton| lexeme(automaton).map(Vec::into_boxed_slice));
        let lexemes: Box<[Option<Box<[u8]>>]> = lexemes.collect();
        let prices = TerminalPrices { automata, lexemes: &lexemes, spelling };
        let cheapest = Cheapest::new(productions, automata.len(), &prices)?;
        Ok(CheapTexts { cheapest, lexemes })
    }

    /// Adds the text of what stands between `place` and the end of its body; `None` where there is none, or where the ending
    /// gets longer than `max_bytes`.
    fn write(
        &self,
        parser: &Parser,
        place: Place,
        max_bytes: usize,
        ending: &mut Ending,
    ) -> Result<Option<()>, LimitError> {
        let productions = parser.productions();
        let Some(mut pending) = self.cheapest.rest(productions, place, &parser.seen)? else { return Ok(None) };
        pending.reverse();
        let nothing_seen = SeenSets::default();
        while let Some(part) = pending.pop() {
            match part {
                Part::Key(record, key) => {
                    ending.bytes.extend_from_slice(self.cheapest.spelling(productions, record, key));
                }
                Part::Terminal(id) => match (&**parser.automaton(id.index() as u32), &self.lexemes[id.index()]) {
                    (Automaton::Special(token), _) => ending.specials.push((ending.bytes.len(), *token)),
                    (_, Some(bytes)) => ending.bytes.extend_from_slice(bytes),
                    (_, None) => return Ok(None),
                },
                Part::Nonterminal(id) => {
                    let start = productions.start_of(id);
                    let Some(parts) = self.cheapest.rest(productions, start, &nothing_seen)? else { return Ok(None) };
                    pending.extend(parts.into_iter().rev());
                }
            }
            if ending.bytes.len() + ending.specials.len() + pending.len() > max_bytes {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }
}

impl Endings {
    /// What it costs to complete the text from an entry; [`NEVER`] where no way was found.
    pub(crate) fn cost(
        &mut self,
        parser: &mut Parser,
        texts: &CheapTexts,
        spelling: Spelling<'_>,
        entry: Entry,
    ) -> Result<Cost, LimitError> {
        self.sum(parser, texts, spelling, entry, |begun| begun.cost)
    }

    /// How far away the end is: falls with every byte that is read on the way to it.
    pub(crate) fn distance(
        &mut self,
        parser: &mut Parser,
        texts: &CheapTexts,
        spelling: Spelling<'_>,
        entry: Entry,
    ) -> Result<Cost, LimitError> {
        self.sum(parser, texts, spelling, entry, |begun| begun.bytes.len() as Cost)
    }

    /// What the rest of an entry's lexeme counts for, and the cost of what comes behind it.
    fn sum(
        &mut self,
        parser: &mut Parser,
        texts: &CheapTexts,
        spelling: Spelling<'_>,
        entry: Entry,
        of_lexeme: impl FnOnce(&Begun) -> Cost,
    ) -> Result<Cost, LimitError> {
        let Some(begun) = self.begin(parser, texts, spelling, entry)? else { return Ok(NEVER) };
        let (rest, _) = self.behind(parser, texts, &begun)?;
        Ok(of_lexeme(&begun).saturating_add(rest))
    }

    /// Bytes that complete the text from an entry if nothing forbids to write what was written before; `None` where there are
    /// none of at most `max_bytes`.
    pub(crate) fn ending(
        &mut self,
        parser: &mut Parser,
        texts: &CheapTexts,
        spelling: Spelling<'_>,
        entry: Entry,
        max_bytes: usize,
    ) -> Result<Option<Ending>, LimitError> {
        let Some(begun) = self.begin(parser, texts, spelling, entry)? else { return Ok(None) };
        let mut ending = Ending { bytes: begun.bytes.to_vec(), specials: Vec::new() };
        let mut set = begun.set;
        let (mut cost, mut item) = self.behind(parser, texts, &begun)?;
        while cost != NEVER {
            let Some(index) = item else { return Ok(Some(ending)) };
            let item_taken = parser.items(set)[index as usize];
            if texts.write(parser, item_taken.place, max_bytes, &mut ending)?.is_none() {
                return Ok(None);
            }
            set = item_taken.origin;
            (cost, item) = self.set_cost(parser, texts, set)?;
        }
        Ok(None)
    }

    /// Bytes that end the lexeme of an entry: what to try first there.
    pub(crate) fn lexeme(
        &mut self,
        parser: &mut Parser,
        texts: &CheapTexts,
        spelling: Spelling<'_>,
        entry: Entry,
    ) -> Result<Option<Arc<[u8]>>, LimitError> {
        Ok(self.begin(parser, texts, spelling, entry)?.map(|begun| begun.bytes))
    }

    fn begin(
        &mut self,
        parser: &mut Parser,
        texts: &CheapTexts,
        spelling: Spelling<'_>,
        entry: Entry,
    ) -> Result<Option<Begun>, LimitError> {
        let Entry { set, lexing, .. } = entry;
        match lexing {
            Lexing::Between { n_blank } => {
                let may_end = n_blank == 0 || parser.productions().spacing.surrounding();
                Ok(Some(Begun { cost: 0, bytes: Arc::from([]), set, may_end }))
            }
            Lexing::Inside { scan, state, n_chars } => match parser.scan(set, scan) {
                Scan::Terminal { terminal, .. } => {
                    let terminal = *terminal;
                    let Some((cost, bytes)) = self.rest_of_lexeme(parser, spelling, terminal, state, n_chars) else {
                        return Ok(None);
                    };
                    let set = parser.step(set, scan, 0)?;
                    Ok(Some(Begun { cost, bytes, set, may_end: true }))
                }
                Scan::Key { .. } => self.rest_of_key(parser, texts, spelling, (set, scan, state)),
            },
        }
    }

    fn rest_of_lexeme(
        &mut self,
        parser: &Parser,
        spelling: Spelling<'_>,
        terminal: u32,
        state: u64,
        n_chars: u32,
    ) -> Option<Rest> {
        let automaton = parser.automaton(terminal);
        let n_chars = if automaton.counts() { n_chars } else { 0 };
        if let Some(known) = self.lexemes.get(&(terminal, state, n_chars)) {
            return known.clone();
        }
        let bytes = cheap_lexeme(automaton, state, n_chars, spelling);
        let rest: Option<Rest> = bytes.map(|bytes| ((spelling.price)(&bytes), bytes.into()));
        self.n_bytes += 64 + rest.as_ref().map_or(0, |(_, bytes)| bytes.len());
        self.lexemes.insert((terminal, state, n_chars), rest.clone());
        rest
    }

    /// The cheapest of the keys that may be meant: all of them where they are few, else required ones first.
    fn rest_of_key(
        &mut self,
        parser: &mut Parser,
        texts: &CheapTexts,
        spelling: Spelling<'_>,
        (set, scan, state): (SetId, u32, u64),
    ) -> Result<Option<Begun>, LimitError> {
        let Scan::Key { record, filter, .. } = parser.scan(set, scan) else { return Ok(None) };
        let body = Arc::clone(&parser.productions().records[*record as usize]);
        let record = *record;
        let mut keys: Vec<u32> = body.keys.admitted(state, filter).collect();
        keys.sort_by_key(|key| (!body.required.contains(*key as usize), *key));
        keys.truncate(MAX_KEYS);
        let n_read = body.keys.depth(state) as usize;
        let mut best: Option<(Cost, Begun)> = None;
        for key in keys {
            let name = texts.cheapest.spelling(parser.productions(), record, key);
            let bytes: Arc<[u8]> = name.get(n_read..).unwrap_or_default().into();
            let set = parser.step(set, scan, key)?;
            let begun = Begun { cost: (spelling.price)(&bytes), bytes, set, may_end: true };
            let (rest, _) = self.set_cost(parser, texts, set)?;
            let cost = begun.cost.saturating_add(rest);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, begun));
            }
        }
        Ok(best.map(|(_, begun)| begun))
    }

    fn behind(
        &mut self,
        parser: &Parser,
        texts: &CheapTexts,
        begun: &Begun,
    ) -> Result<(Cost, Option<u32>), LimitError> {
        match begun.may_end {
            true => self.set_cost(parser, texts, begun.set),
            false => {
                self.set_cost(parser, texts, begun.set)?;
                self.cheapest_item(parser, texts, begun.set)
            }
        }
    }

    /// What a text costs behind a set, and the item to go on with. Sets to return to were made before those that hold them, so
    /// this comes to an end; with a stack of its own, as documents may be nested deeply.
    fn set_cost(&mut self, parser: &Parser, texts: &CheapTexts, set: SetId) -> Result<(Cost, Option<u32>), LimitError> {
        if let Some(known) = self.sets.get(&set) {
            return Ok(*known);
        }
        let mut pending = vec![set];
        while let Some(set) = pending.last().copied() {
            let n_before = pending.len();
            // What is complete needs nothing, but its items may be asked for all the same.
            pending.extend(parser.items(set).iter().map(|item| item.origin).filter(|it| !self.sets.contains_key(it)));
            if pending.len() == n_before {
                pending.pop();
                let found = match parser.is_accepting(set) {
                    true => (0, None),
                    false => self.cheapest_item(parser, texts, set)?,
                };
                self.sets.insert(set, found);
                self.n_bytes += 40;
            }
        }
        Ok(self.sets.get(&set).copied().unwrap_or((NEVER, None)))
    }

    /// The item with which a text goes on for the least cost; what its origins cost is known.
    fn cheapest_item(
        &self,
        parser: &Parser,
        texts: &CheapTexts,
        set: SetId,
    ) -> Result<(Cost, Option<u32>), LimitError> {
        let mut best = (NEVER, None);
        for (index, item) in (0..).zip(parser.items(set).iter()) {
            let behind = self.sets.get(&item.origin).map_or(NEVER, |(cost, _)| *cost);
            if behind < best.0 {
                let own = texts.cheapest.rest_cost(parser.productions(), item.place, &parser.seen)?;
                let cost = own.saturating_add(behind);
                if cost < best.0 {
                    best = (cost, Some(index));
                }
            }
        }
        Ok(best)
    }
}

/// The cheapest of a few strings, or else a short lexeme.
fn cheap_lexeme(automaton: &Automaton, state: u64, n_chars: u32, spelling: Spelling<'_>) -> Option<Vec<u8>> {
    match automaton.endings_of_literals(state) {
        Some(endings) => {
            let priced = endings.take(MAX_LITERALS).min_by_key(|ending| (spelling.price)(ending));
            priced.map(<[u8]>::to_vec)
        }
        None => automaton.ending(state, n_chars, spelling.letters),
    }
}

/// Strings of an enumeration that are compared.
const MAX_LITERALS: usize = 1_000;
