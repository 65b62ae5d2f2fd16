//! Which tokens complete the text from here? A short text that ends it, in the fewest tokens that spell it.
//!
//! The cheap ending of the likeliest way to read the text (`parser::ending`) is read once: nearly always it is accepted.
//! Where it is not, as some key or element in it was written before, a search goes on from the text byte by byte, nearest to
//! the end first. No place is a dead end, so it seldom looks back.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::{Generation, Handle};
use crate::automata::OverflowWatch;
use crate::error::LimitError;
use crate::grammar::{Cost, NEVER};
use crate::hash::HashSet;
use crate::ids::TokenId;
use crate::parser::{CheapTexts, Configuration, Ending, Endings, Entry, Lexing, Spelling};
use crate::vocabulary::Vocabulary;

/// What a token costs when texts are compared; a byte costs 1. Tokens are what counts, but at this point it is not known where
/// they will end.
const TOKEN_COST: Cost = 8;

/// What a step towards the end is worth in the search, in bytes.
const HASTE: Cost = 4;

/// Ways to read the text that are tried before the search.
const MAX_ENTRIES: usize = 4;

/// One step of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Byte(u8),
    Special(TokenId),
}

/// A position that the search has come to.
struct Node {
    handle: Handle,
    /// The position before and the step from there; the start has itself.
    before: usize,
    step: Option<Step>,
    n_read: u32,
    /// What can be tried from here, once asked for, and how much of it was.
    steps: Option<Box<[Step]>>,
    n_tried: usize,
}

/// What bytes cost in tokens of a vocabulary.
fn price(vocabulary: &Vocabulary, bytes: &[u8]) -> Cost {
    let n_tokens = vocabulary.fewest_tokens(bytes).map_or(bytes.len(), |tokens| tokens.len());
    n_tokens as Cost * TOKEN_COST + bytes.len() as Cost
}

impl Generation {
    /// Tokens that complete the text, if they are known.
    pub(crate) fn known_completion(&self, handle: Handle) -> Option<Arc<[TokenId]>> {
        match self.is_accepting(handle) {
            true => Some(Arc::from([])),
            false => self.completions.get(&handle).map(Arc::clone),
        }
    }

    /// Tokens that complete the text; none where it is complete.
    pub(crate) fn completion(&mut self, handle: Handle) -> Result<Arc<[TokenId]>, LimitError> {
        if let Some(known) = self.known_completion(handle) {
            return Ok(known);
        }
        let overflows = OverflowWatch::start();
        let found = self.find_completion(handle);
        let checked = overflows.check(&self.shared.limits);
        self.is_spoiled |= checked.is_err();
        let completion: Arc<[TokenId]> = checked.and(found)?.into();
        self.n_bytes += 64 + size_of_val(&*completion);
        self.completions.insert(handle, Arc::clone(&completion));
        Ok(completion)
    }

    fn find_completion(&mut self, handle: Handle) -> Result<Vec<TokenId>, LimitError> {
        let limit = self.shared.limits.max_completion_bytes;
        let mut n_left = limit;
        let texts = self.cheap_texts()?;
        let configuration = self.configuration(handle);
        for (_, entry) in self.by_cost(&texts, &configuration)?.into_iter().take(MAX_ENTRIES) {
            let ending = self.with_endings(|endings, generation, spelling| {
                endings.ending(&mut generation.parser, &texts, spelling, entry, n_left)
            })?;
            let Some(ending) = ending else { continue };
            if self.reads_to_the_end(&configuration, &ending, &mut n_left)?
                && let Some(tokens) = self.spell(&ending)
            {
                return Ok(tokens);
            }
        }
        let ending = self.search(handle, &texts, &mut n_left)?;
        let tokens = ending.and_then(|ending| self.spell(&ending));
        tokens.ok_or(LimitError { setting: "max_completion_bytes", limit })
    }

    /// The fewest tokens that spell an ending.
    fn spell(&self, ending: &Ending) -> Option<Vec<TokenId>> {
        let vocabulary = &self.shared.vocabulary;
        let mut tokens = Vec::new();
        let mut from = 0;
        for (at, special) in &ending.specials {
            tokens.append(&mut vocabulary.fewest_tokens(&ending.bytes[from..*at])?);
            tokens.push(*special);
            from = *at;
        }
        tokens.append(&mut vocabulary.fewest_tokens(&ending.bytes[from..])?);
        Some(tokens)
    }

    /// The cheap texts of the grammar; made when first asked for.
    fn cheap_texts(&self) -> Result<Arc<CheapTexts>, LimitError> {
        let shared = &self.shared;
        if let Some(texts) = shared.cheap_texts.get() {
            return Ok(Arc::clone(texts));
        }
        let price = |bytes: &[u8]| price(&shared.vocabulary, bytes);
        let spelling = Spelling { letters: shared.vocabulary.letters(), price: &price, special: TOKEN_COST };
        let texts = Arc::new(CheapTexts::new(&shared.productions, &shared.automata, spelling)?);
        Ok(Arc::clone(shared.cheap_texts.get_or_init(|| texts)))
    }

    /// Lends what is known of endings.
    fn with_endings<T>(
        &mut self,
        ask: impl FnOnce(&mut Endings, &mut Generation, Spelling<'_>) -> Result<T, LimitError>,
    ) -> Result<T, LimitError> {
        let shared = Arc::clone(&self.shared);
        let price = |bytes: &[u8]| price(&shared.vocabulary, bytes);
        let spelling = Spelling { letters: shared.vocabulary.letters(), price: &price, special: TOKEN_COST };
        let mut endings = std::mem::take(&mut self.endings);
        let n_bytes = endings.n_bytes;
        let answer = ask(&mut endings, self, spelling);
        self.n_bytes += endings.n_bytes - n_bytes;
        self.endings = endings;
        answer
    }

    /// The ways to read a text, the cheapest to complete first.
    fn by_cost(&mut self, texts: &CheapTexts, configuration: &[Entry]) -> Result<Vec<(Cost, Entry)>, LimitError> {
        self.with_endings(|endings, generation, spelling| {
            let mut priced = Vec::with_capacity(configuration.len());
            for entry in configuration {
                let cost = endings.cost(&mut generation.parser, texts, spelling, *entry)?;
                if cost < NEVER {
                    priced.push((cost, *entry));
                }
            }
            priced.sort_by_key(|(cost, _)| *cost);
            Ok(priced)
        })
    }

    /// Whether the text is complete behind an ending.
    fn reads_to_the_end(
        &mut self,
        configuration: &[Entry],
        ending: &Ending,
        n_left: &mut usize,
    ) -> Result<bool, LimitError> {
        let mut specials = ending.specials.iter().peekable();
        let mut configuration = Configuration::from_slice(configuration);
        for at in 0..=ending.bytes.len() {
            while let Some((_, token)) = specials.next_if(|(before, _)| *before == at) {
                configuration = self.parser.step_special(&configuration, *token)?;
            }
            let Some(byte) = ending.bytes.get(at) else { break };
            configuration = self.read(&configuration, *byte, n_left)?;
            if configuration.is_empty() {
                return Ok(false);
            }
        }
        Ok(self.accepts(&configuration))
    }

    fn read(&mut self, configuration: &[Entry], byte: u8, n_left: &mut usize) -> Result<Configuration, LimitError> {
        let shared = &self.shared.limits;
        let (limit, max_entries) = (shared.max_completion_bytes, shared.max_entries);
        *n_left = n_left.checked_sub(1).ok_or(LimitError { setting: "max_completion_bytes", limit })?;
        self.n_steps += configuration.len() as u64;
        self.step_byte(configuration, byte, max_entries)
    }

    /// Any way to the end, found by going where the end is near.
    fn search(&mut self, start: Handle, texts: &CheapTexts, n_left: &mut usize) -> Result<Option<Ending>, LimitError> {
        let mut nodes = vec![Node { handle: start, before: 0, step: None, n_read: 0, steps: None, n_tried: 0 }];
        let mut met = HashSet::from_iter([start]);
        let mut pending = BinaryHeap::from([(Reverse(self.distance(start, texts)?), 0usize)]);
        while let Some((Reverse(expected), index)) = pending.pop() {
            let configuration = self.configuration(nodes[index].handle);
            if nodes[index].steps.is_none() {
                nodes[index].steps = Some(self.steps_from(&configuration, texts, *n_left)?);
            }
            while let Some(step) =
                nodes[index].steps.as_ref().and_then(|steps| steps.get(nodes[index].n_tried)).copied()
            {
                nodes[index].n_tried += 1;
                let next = match step {
                    Step::Byte(byte) => self.read(&configuration, byte, n_left)?,
                    Step::Special(token) => self.parser.step_special(&configuration, token)?,
                };
                if next.is_empty() {
                    continue;
                }
                let handle = self.intern(next);
                if !met.insert(handle) {
                    continue;
                }
                let n_read = nodes[index].n_read + 1;
                nodes.push(Node { handle, before: index, step: Some(step), n_read, steps: None, n_tried: 0 });
                if self.is_accepting(handle) {
                    return Ok(Some(ending_of(&nodes)));
                }
                let priority = self.distance(handle, texts)?.saturating_mul(HASTE).saturating_add(n_read.into());
                pending.push((Reverse(priority), nodes.len() - 1));
                if priority <= expected {
                    // It comes nearer: what else there is waits.
                    pending.push((Reverse(expected), index));
                    break;
                }
            }
        }
        Ok(None)
    }

    /// How far away the end is.
    fn distance(&mut self, handle: Handle, texts: &CheapTexts) -> Result<Cost, LimitError> {
        let configuration = self.configuration(handle);
        self.with_endings(|endings, generation, spelling| {
            let mut least = NEVER;
            for entry in configuration {
                least = least.min(endings.distance(&mut generation.parser, texts, spelling, entry)?);
            }
            Ok(least)
        })
    }

    /// What may come next, the likeliest first.
    fn steps_from(
        &mut self,
        configuration: &[Entry],
        texts: &CheapTexts,
        max_bytes: usize,
    ) -> Result<Box<[Step]>, LimitError> {
        let mut steps = Vec::new();
        for (_, entry) in self.by_cost(texts, configuration)?.into_iter().take(MAX_ENTRIES) {
            let first = self.with_endings(|endings, generation, spelling| match entry.lexing {
                Lexing::Inside { .. } => {
                    let rest = endings.lexeme(&mut generation.parser, texts, spelling, entry)?;
                    Ok(rest.and_then(|rest| rest.first().copied()).map(Step::Byte))
                }
                Lexing::Between { .. } => {
                    let ending = endings.ending(&mut generation.parser, texts, spelling, entry, max_bytes)?;
                    Ok(ending.and_then(|ending| match ending.specials.first() {
                        Some((0, token)) => Some(Step::Special(*token)),
                        _ => ending.bytes.first().copied().map(Step::Byte),
                    }))
                }
            })?;
            steps.extend(first.filter(|first| !steps.contains(first)));
        }
        for (_, _, token) in self.parser.specials(configuration)? {
            if !steps.contains(&Step::Special(token)) {
                steps.push(Step::Special(token));
            }
        }
        let bytes = crate::parser::next_bytes(&mut self.parser, configuration)?;
        let letters = self.shared.vocabulary.letters().iter().copied();
        let others: Vec<Step> = letters.filter(|byte| bytes.contains(*byte)).map(Step::Byte).collect();
        let first: Vec<Step> = steps.clone();
        steps.extend(others.into_iter().filter(|step| !first.contains(step)));
        Ok(steps.into())
    }
}

/// The steps that lead to the last node.
fn ending_of(nodes: &[Node]) -> Ending {
    let mut steps = Vec::new();
    let mut node = nodes.last();
    while let Some(Node { step: Some(step), before, .. }) = node {
        steps.push(*step);
        node = nodes.get(*before);
    }
    let mut ending = Ending::default();
    for step in steps.into_iter().rev() {
        match step {
            Step::Byte(byte) => ending.bytes.push(byte),
            Step::Special(token) => ending.specials.push((ending.bytes.len(), token)),
        }
    }
    ending
}
