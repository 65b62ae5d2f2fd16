//! What has one grammar seen so far? Item sets, configurations and masks, shared by all its matchers.
//!
//! A generation only grows. When it has grown beyond its limit the grammar starts a new one, and each matcher takes its own
//! configuration along when it next does something, and those before it little by little; the old generation is freed when
//! no matcher needs it any more.

mod adopt;
mod complete;

use std::sync::{Arc, OnceLock};

pub(crate) use self::adopt::Adoption;
use super::pasts::PastLists;
use super::repeats::{Estimate, Refusals};
use super::walk::{FewExits, Found, RestMemo};
use super::{ExitMemo, Lists, MaskWork, Pasts, Profiles, Unions};
use crate::automata::{Allowance, Automaton, OverflowWatch, StringState};
use crate::error::{LimitError, MatchError};
use crate::grammar::{Effect, Productions};
use crate::hash::{HashMap, Numbered};
use crate::ids::TokenId;
use crate::limits::Limits;
use crate::parser::{
    ByteSet, CheapTexts, Configuration, ConfigurationView, Endings, Entry, Lexing, Parser, PastId, Scan, TokenReach,
    WordSetId, Written,
};
use crate::vocabulary::{TokenMask, Vocabulary};

/// One sequence's position: a configuration, the characters begun in a string whose length is bounded, and what must not be
/// written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Handle {
    pub(crate) configuration: u32,
    pub(crate) n_chars: u32,
    pub(crate) pasts: Pasts,
}

/// What generations of a grammar are made from: all those between which a sequence can move.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) productions: Arc<Productions>,
    pub(crate) automata: Arc<[Arc<Automaton>]>,
    /// Those of the automata whose states come to be as they are met.
    pub(crate) growing: Box<[Arc<Automaton>]>,
    pub(crate) profiles: Arc<[Arc<Profiles>]>,
    pub(crate) vocabulary: Arc<Vocabulary>,
    pub(crate) reach: Arc<TokenReach>,
    pub(crate) unions: Arc<Unions>,
    pub(crate) lists: Arc<Lists>,
    pub(crate) limits: Limits,
    /// Made when first asked for.
    pub(crate) cheap_texts: OnceLock<Arc<CheapTexts>>,
}

impl Shared {
    /// Whether an automaton is near its limit on states, so that sequences which begin should have another.
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.growing.iter().any(|automaton| automaton.is_nearly_full())
    }
}

/// Which of a configuration's lexemes count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    None,
    /// One, of this terminal in this state.
    One(u32, u64),
    /// Several: their counts are kept as differences to the greatest.
    Several,
}

#[derive(Debug)]
struct Known {
    counting: Counting,
    accepting: bool,
    can_go_on: bool,
    /// The string terminal of free content in whose body the text is, if that is the only way to read it.
    free_string: Option<u32>,
}

/// A configuration, its characters as far as they matter, and what must not be written again if that does.
type MaskKey = (u32, u32, u32, Pasts);

/// See the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Generation {
    shared: Arc<Shared>,
    parser: Parser,
    /// Counts of characters are relative to the handle's: what is missing to it.
    configurations: Numbered<Configuration>,
    known: Vec<Known>,
    masks: HashMap<MaskKey, TokenMask>,
    /// Masks for any past, by all that they depend on, and whether the past is one that elements agree with.
    by_view: HashMap<(ConfigurationView, bool), Estimate>,
    exits: ExitMemo,
    few_exits: FewExits,
    rests: RestMemo,
    spelled: HashMap<WordSetId, Box<[u32]>>,
    refusals: Refusals,
    first_bytes: Vec<Option<ByteSet>>,
    spare: Vec<Found>,
    /// Where tokens lead from configurations that count no characters; for any past where it makes no difference.
    steps: HashMap<(u32, u32, Pasts), Handle>,
    pasts: PastLists,
    endings: Endings,
    /// Tokens that complete the text from a position.
    completions: HashMap<Handle, Arc<[TokenId]>>,
    n_bytes: usize,
    /// Bytes of what was taken over from older generations.
    n_adopted_bytes: usize,
    /// Whether an automaton could not answer while something was found out here, which may be wrong then.
    is_spoiled: bool,
    n_steps: u64,
}

impl Generation {
    pub(crate) fn new(shared: Arc<Shared>) -> Generation {
        let (productions, automata) = (Arc::clone(&shared.productions), Arc::clone(&shared.automata));
        let parser = Parser::new(productions, automata, Arc::clone(&shared.reach), &shared.limits);
        Generation {
            shared,
            parser,
            configurations: Numbered::default(),
            known: Vec::new(),
            masks: HashMap::default(),
            by_view: HashMap::default(),
            exits: ExitMemo::default(),
            few_exits: FewExits::default(),
            rests: RestMemo::default(),
            spelled: HashMap::default(),
            refusals: Refusals::default(),
            first_bytes: Vec::new(),
            spare: Vec::new(),
            steps: HashMap::default(),
            pasts: PastLists::default(),
            endings: Endings::default(),
            completions: HashMap::default(),
            n_bytes: 0,
            n_adopted_bytes: 0,
            is_spoiled: false,
            n_steps: 0,
        }
    }

    /// What it is made from.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The handle of the empty text.
    pub(crate) fn start(&mut self) -> Handle {
        let start = self.parser.start_configuration();
        self.intern(start)
    }

    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes + self.pasts.n_bytes + self.parser.n_bytes()
    }

    pub(crate) fn n_masks(&self) -> usize {
        self.masks.len()
    }

    pub(crate) fn n_configurations(&self) -> usize {
        self.known.len()
    }

    pub(crate) fn n_item_sets(&self) -> usize {
        self.parser.n_sets()
    }

    pub(crate) fn n_steps(&self) -> u64 {
        self.n_steps + self.parser.n_steps
    }

    /// Whether it should be followed by a new one. What live positions hold would be taken over again: where that alone is
    /// much, there is room for as much again, or else every step would begin a new generation.
    pub(crate) fn is_full(&self) -> bool {
        self.is_spoiled || self.n_bytes() > self.shared.limits.max_cache_bytes.max(2 * self.n_adopted_bytes)
    }

    pub(crate) fn is_accepting(&self, handle: Handle) -> bool {
        self.known[handle.configuration as usize].accepting
    }

    pub(crate) fn can_go_on(&self, handle: Handle) -> bool {
        self.known[handle.configuration as usize].can_go_on
    }

    /// The mask at a position, if it is known.
    pub(crate) fn known_mask(&self, handle: Handle) -> Option<&TokenMask> {
        let key = self.mask_key(handle);
        let any = self.masks.get(&key).filter(|_| !self.asks(handle, Written::is_at_risk));
        any.or_else(|| self.masks.get(&(key.0, key.1, key.2, handle.pasts)))
    }

    /// Whether something holds of a past of a position.
    fn asks(&self, handle: Handle, holds: impl Fn(&Written, PastId) -> bool) -> bool {
        self.pasts.any(handle.pasts, |past| holds(&self.parser.written, past))
    }

    /// The mask at a position; worked out if it is not known.
    pub(crate) fn mask(&mut self, handle: Handle) -> Result<TokenMask, LimitError> {
        if let Some(mask) = self.known_mask(handle) {
            return Ok(mask.clone());
        }
        let _allowance = Allowance::new(&self.shared.limits);
        let mut key = self.mask_key(handle);
        let configuration = self.configuration(handle);
        let at_risk = configuration.iter().any(|entry| self.parser.written.is_at_risk(entry.past));
        let view = (self.parser.view(&configuration)?, at_risk);
        let estimate = match self.by_view.get(&view) {
            Some(estimate) => estimate.clone(),
            None => {
                let past = if at_risk { Written::ANY } else { Written::FRESH };
                let any_past: Configuration = configuration.iter().map(|entry| Entry { past, ..*entry }).collect();
                let estimate = self.work(past, |work| work.compute(&any_past))?;
                self.n_bytes += estimate.mask.n_bytes() + 4 * estimate.doubtful.len() + 80 + size_of_val(&*view.0);
                self.by_view.insert(view, estimate.clone());
                estimate
            }
        };
        let mut mask = estimate.mask.clone();
        if !estimate.doubtful.is_empty() || self.work(Written::ANY, |work| work.may_repeat(&configuration))? {
            key.3 = handle.pasts;
            let place = (key.0, key.1, key.2);
            let refused = self.work(Written::ANY, |work| work.refused(place, &configuration, &estimate))?;
            if !refused.is_empty() {
                mask = mask.without(refused.iter().copied().map(TokenId::new));
                let shares = match (mask.base(), estimate.mask.base()) {
                    (Some(own), Some(other)) => Arc::ptr_eq(own, other),
                    (own, _) => own.is_none(),
                };
                self.n_bytes += if shares { mask.n_bytes() } else { mask.n_bytes_with_base() };
            }
        }
        self.n_bytes += 64;
        self.masks.insert(key, mask.clone());
        Ok(mask)
    }

    fn work<T>(
        &mut self,
        mode: PastId,
        find: impl FnOnce(&mut MaskWork<'_>) -> Result<T, LimitError>,
    ) -> Result<T, LimitError> {
        let shared = Arc::clone(&self.shared);
        let mut work = MaskWork {
            parser: &mut self.parser,
            vocabulary: &shared.vocabulary,
            profiles: &shared.profiles,
            exits: &mut self.exits,
            few_exits: &mut self.few_exits,
            rests: &mut self.rests,
            spelled: &mut self.spelled,
            refusals: &mut self.refusals,
            first_bytes: &mut self.first_bytes,
            spare: &mut self.spare,
            unions: &shared.unions,
            lists: &shared.lists,
            overflows: OverflowWatch::start(),
            limits: &shared.limits,
            mode,
            n_steps: 0,
            n_bytes: 0,
        };
        let found = find(&mut work);
        let checked = work.check_overflows();
        // What was found out on the way to an error stays, so it counts.
        self.n_steps += work.n_steps as u64;
        self.n_bytes += work.n_bytes;
        self.is_spoiled |= checked.is_err();
        checked.and(found)
    }

    /// Configurations whose masks are equal, whatever their past, have equal keys: counts matter only as far as one token
    /// reaches.
    fn mask_key(&self, handle: Handle) -> MaskKey {
        let known = &self.known[handle.configuration as usize];
        let (min, max) = match known.counting {
            Counting::None => (0, 0),
            Counting::Several => (u32::MAX, handle.n_chars),
            Counting::One(terminal, state) => match &*self.shared.automata[terminal as usize] {
                Automaton::String(string) => {
                    let content = StringState::from_bits(state).content();
                    string.length_key(content, handle.n_chars, self.shared.reach.max_chars)
                }
                _ => (0, 0),
            },
        };
        (handle.configuration, min, max, Pasts::ANY)
    }

    /// Where a token leads, if that is known already; `None` when it must be worked out.
    pub(crate) fn known_step(&self, handle: Handle, token: TokenId) -> Option<Handle> {
        let known = &self.known[handle.configuration as usize];
        if let Some(terminal) = known.free_string
            && !self.asks(handle, Written::reads_all)
            && let Automaton::String(string) = &*self.shared.automata[terminal as usize]
            && let Some(n_chars) = self.shared.vocabulary.strings(string.escapes()).body.chars(token.get())
        {
            return match string.counts() {
                true => {
                    let n_chars = handle.n_chars.checked_add(u32::from(n_chars))?;
                    string.admits(0, n_chars).then_some(Handle { n_chars, ..handle })
                }
                false => Some(handle),
            };
        }
        match known.counting {
            Counting::None => {
                let any = handle.pasts.is_one().then_some((handle.configuration, token.get(), Pasts::ANY));
                let same_past = any.and_then(|any| self.steps.get(&any));
                let same_past = same_past.map(|known| Handle { pasts: handle.pasts, ..*known });
                same_past.or_else(|| self.steps.get(&(handle.configuration, token.get(), handle.pasts)).copied())
            }
            _ => None,
        }
    }

    /// Reads the bytes of a token.
    pub(crate) fn step_token(&mut self, handle: Handle, token: TokenId, bytes: &[u8]) -> Result<Handle, MatchError> {
        let _allowance = Allowance::new(&self.shared.limits);
        let n_uses = self.parser.written.n_uses;
        let target = self.step_bytes(handle, bytes)?.map_err(|offset| MatchError::TokenNotAllowed { token, offset })?;
        if self.known[handle.configuration as usize].counting == Counting::None {
            // Where nothing is asked of the past, all entries that had one past still have it.
            let any = n_uses == self.parser.written.n_uses && target.pasts == handle.pasts && target.pasts.is_one();
            let pasts = if any { Pasts::ANY } else { handle.pasts };
            self.steps.insert((handle.configuration, token.get(), pasts), target);
            self.n_bytes += 32;
        }
        Ok(target)
    }

    /// Reads a special token.
    pub(crate) fn step_special(&mut self, handle: Handle, token: TokenId) -> Result<Handle, MatchError> {
        let configuration = self.configuration(handle);
        let next = self.parser.step_special(&configuration, token)?;
        if next.is_empty() {
            return Err(MatchError::TokenNotAllowed { token, offset: 0 });
        }
        Ok(self.intern(next))
    }

    /// Whether a special token may come next.
    pub(crate) fn takes_special(&mut self, configuration: &[Entry]) -> Result<bool, LimitError> {
        Ok(!self.parser.specials(configuration)?.is_empty())
    }

    /// Reads bytes; the inner error is the index of the byte that no text of the language has there.
    pub(crate) fn step_bytes(&mut self, handle: Handle, bytes: &[u8]) -> Result<Result<Handle, usize>, LimitError> {
        let max_entries = self.shared.limits.max_entries;
        let mut configuration = self.configuration(handle);
        let mut offset = 0;
        loop {
            offset += self.read_within(&mut configuration, &bytes[offset..])?;
            let Some(byte) = bytes.get(offset) else { return Ok(Ok(self.intern(configuration))) };
            self.n_steps += configuration.len() as u64;
            configuration = self.step_byte(&configuration, *byte, max_entries)?;
            if configuration.is_empty() {
                return Ok(Err(offset));
            }
            offset += 1;
        }
    }

    /// The bytes that can come next, each with where it leads.
    pub(crate) fn next_bytes(&mut self, configuration: &[Entry]) -> Result<Vec<(u8, Configuration)>, LimitError> {
        let max_entries = self.shared.limits.max_entries;
        let candidates = crate::parser::next_bytes(&mut self.parser, configuration)?;
        let mut found = Vec::new();
        for byte in (0..=255).filter(|byte| candidates.contains(*byte)) {
            let next = self.step_byte(configuration, byte, max_entries)?;
            if !next.is_empty() {
                found.push((byte, next));
            }
        }
        Ok(found)
    }

    fn step_byte(
        &mut self,
        configuration: &[Entry],
        byte: u8,
        max_entries: usize,
    ) -> Result<Configuration, LimitError> {
        let _allowance = Allowance::new(&self.shared.limits);
        let overflows = OverflowWatch::start();
        let next = self.parser.step_byte(configuration, byte, max_entries);
        self.check(&overflows)?;
        next
    }

    /// Reads those of some bytes that do nothing but go on in lexemes, and says how many.
    fn read_within(&mut self, configuration: &mut Configuration, bytes: &[u8]) -> Result<usize, LimitError> {
        let overflows = OverflowWatch::start();
        let n_entries = configuration.len();
        let n_read = self.parser.read_within(configuration, bytes);
        self.n_steps += (n_read * n_entries) as u64;
        self.check(&overflows)?;
        Ok(n_read)
    }

    /// An error where an automaton could not answer since `overflows` began.
    fn check(&mut self, overflows: &OverflowWatch) -> Result<(), LimitError> {
        let checked = overflows.check(&self.shared.limits);
        self.is_spoiled |= checked.is_err();
        checked
    }

    pub(crate) fn accepts(&self, configuration: &[Entry]) -> bool {
        self.parser.accepts(configuration)
    }

    /// The entries at a position, with their own counts of characters.
    pub(crate) fn configuration(&self, handle: Handle) -> Configuration {
        let known = &self.known[handle.configuration as usize];
        let mut entries = self.configurations[handle.configuration as usize].clone();
        if known.counting != Counting::None {
            for entry in &mut entries {
                let counts = self.counts(entry);
                if let (true, Lexing::Inside { n_chars, .. }) = (counts, &mut entry.lexing) {
                    *n_chars = handle.n_chars - *n_chars;
                }
            }
        }
        self.pasts.put(handle.pasts, &mut entries);
        entries
    }

    fn terminal(&self, entry: &Entry) -> Option<u32> {
        let Lexing::Inside { scan, .. } = entry.lexing else { return None };
        match self.parser.scan(entry.set, scan) {
            Scan::Terminal { terminal, .. } => Some(*terminal),
            Scan::Key { .. } => None,
        }
    }

    fn counts(&self, entry: &Entry) -> bool {
        self.terminal(entry).is_some_and(|terminal| self.shared.automata[terminal as usize].counts())
    }

    fn intern(&mut self, mut entries: Configuration) -> Handle {
        entries.sort_unstable();
        let mut counting = Counting::None;
        let mut most = 0;
        for entry in &entries {
            if let Lexing::Inside { n_chars, state, .. } = entry.lexing
                && self.counts(entry)
            {
                most = most.max(n_chars);
                counting = match (counting, self.terminal(entry)) {
                    (Counting::None, Some(terminal)) => Counting::One(terminal, state),
                    _ => Counting::Several,
                };
            }
        }
        if counting != Counting::None {
            for index in 0..entries.len() {
                let counts = self.counts(&entries[index]);
                if let (true, Lexing::Inside { n_chars, .. }) = (counts, &mut entries[index].lexing) {
                    *n_chars = most - *n_chars;
                }
            }
        }
        let pasts = self.pasts.take(&mut entries);
        let (id, is_new) = self.configurations.insert_full(entries);
        if is_new {
            let entries = &self.configurations[id];
            self.n_bytes += size_of::<Configuration>() + size_of_val(&**entries) + size_of::<Known>() + 32;
            self.known.push(Known {
                counting,
                accepting: self.parser.accepts(entries),
                can_go_on: self.parser.can_go_on(entries),
                free_string: self.free_string(entries),
            });
        }
        Handle { configuration: id as u32, n_chars: most, pasts }
    }

    fn free_string(&self, entries: &[Entry]) -> Option<u32> {
        use crate::automata::StringState;
        use crate::automata::decoder::DecodeState;
        let [entry] = entries else { return None };
        let Lexing::Inside { state, .. } = entry.lexing else { return None };
        let Lexing::Inside { scan, .. } = entry.lexing else { return None };
        if self.parser.effect(entry.set, scan) != Effect::None {
            return None;
        }
        let terminal = self.terminal(entry)?;
        match &*self.shared.automata[terminal as usize] {
            Automaton::String(string) if string.is_free() => {
                (StringState::from_bits(state).decode() == DecodeState::BODY).then_some(terminal)
            }
            _ => None,
        }
    }
}
