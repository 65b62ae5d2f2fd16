//! What do tokens do from a place in a JSON string on? Tables of the vocabulary, cut down by content and length.

use fixedbitset::FixedBitSet;

use super::letters::LetterStepper;
use super::profile::{Exits, Prefixes, Profile, Profiles};
use super::shapes::{Followed, TOKEN_COST};
use super::{Begin, MaskWork, Table};
use crate::automata::decoder::DecodeState;
use crate::automata::{Lengths, NameState, NameTrial, StringAutomaton, StringState};
use crate::error::LimitError;
use crate::vocabulary::strings::{BodyTable, InsideToken};
use crate::vocabulary::token_mask::{clear_bit, has_bit, set_bit};
use crate::vocabulary::{TokenMask, TokenTrie};

/// States behind which a content automaton is searched for steps that are dead.
const NEVER_DIES_CAP: usize = 64;
/// Words of a row that are written and read in the time of one step.
pub(super) const WORDS_PER_STEP: usize = 8;
/// Fewer tokens than this of one shape and length are run.
const FEW_ALIKE: usize = 4;
/// Steps that a character of an international host name counts as.
const NAME_COST: usize = 3;
/// Tokens near a length bound that are looked at by shape and length; beyond it all are walked over.
const MAX_NEAR: usize = 40_000;
/// Those of them that are run one by one; beyond it all are walked over.
const MAX_RUNS: usize = 8_000;

impl MaskWork<'_> {
    /// The profile of a state of a string.
    pub(super) fn string_profile(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        state: StringState,
        n_chars: u32,
    ) -> Result<Profile, LimitError> {
        match state.decode() {
            DecodeState::BODY => self.table_profile(profiles, string, state.content(), n_chars, Begin::Body),
            DecodeState::BEFORE => self.table_profile(profiles, string, state.content(), n_chars, Begin::Opened),
            // In the middle of a character: rare.
            _ => self.walk_string(string, state, n_chars),
        }
    }

    /// The profile of a string from a table's place on.
    pub(super) fn table_profile(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        content: u32,
        n_chars: u32,
        begin: Begin,
    ) -> Result<Profile, LimitError> {
        let vocabulary = self.vocabulary;
        let table_id = Table { begin, escapes: string.escapes() };
        let table = table_id.of(vocabulary);
        let may_try = string.has_trials() && !vocabulary.holds_two_names();
        let content = if may_try { string.trial_of(content) } else { content };
        let inside = self.inside(profiles, string, content, n_chars, table_id)?;
        let prefixes = self.prefixes(profiles, string, content, n_chars, table)?;
        Ok(Profile { inside, exits: Exits::Quoted { table: table_id, prefixes } })
    }

    fn walk_string(
        &mut self,
        string: &StringAutomaton,
        state: StringState,
        n_chars: u32,
    ) -> Result<Profile, LimitError> {
        let start = (state.to_bits(), n_chars);
        let step = |state, byte, n_chars: &mut u32| {
            let next = string.step(StringState::from_bits(state), byte, n_chars)?;
            Some((next.to_bits(), next.decode() == DecodeState::CLOSED))
        };
        self.walk_stepper(start, step, |_| false)
    }

    /// Tokens that stay inside the string.
    fn inside(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        content: u32,
        n_chars: u32,
        table_id: Table,
    ) -> Result<TokenMask, LimitError> {
        let table = table_id.of(self.vocabulary);
        let (min, max) = if string.counts() { string.bounds(n_chars) } else { (0, u32::MAX) };
        let room = string.room(content);
        let lengths = string.lengths();
        let never_dies = || matches!(lengths, Lengths::All) && string.never_dies(content, NEVER_DIES_CAP);
        if never_dies() || string.takes_all(content) {
            return Ok(table.limited(max).clone());
        }
        if let Some(name) = string.name_state(content) {
            let mut row = vec![0; table.n_words()];
            self.add_names(string, &name, n_chars, table, &mut row)?;
            return Ok(TokenMask::from_row(&row, Some(table.inside())));
        }
        if max >= room.of_any(table.max_chars()) && (min == 0 || lengths.is_open_ended()) {
            return self.unlimited(profiles, string, content, table_id);
        }
        // Tokens with more characters than the bound are out; only of those that come near it each must be looked at.
        let safe = room.safe_chars(max);
        let near = &table.longer_than(safe.unwrap_or(0))[table.longer_than(max).len()..];
        if lengths.is_open_ended() && safe.is_some() && near.len() <= MAX_NEAR {
            let free = self.unlimited(profiles, string, content, table_id)?;
            return self.without_too_long(profiles, string, (content, n_chars), table, &free, near);
        }
        let mut row = vec![0; table.n_words()];
        if matches!(lengths, Lengths::All) {
            self.unlimited(profiles, string, content, table_id)?.write_to(&mut row);
            let mut short = vec![0; table.n_words()];
            table.limited(max).write_to(&mut short);
            row.iter_mut().zip(&short).for_each(|(word, short)| *word &= short);
        } else {
            self.run_inside(profiles, string, (content, n_chars), table, &mut row)?;
        }
        Ok(TokenMask::from_row(&row, Some(table.inside())))
    }

    /// Tokens that stay inside when lengths do not matter.
    fn unlimited(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        content: u32,
        table_id: Table,
    ) -> Result<TokenMask, LimitError> {
        if let Some(mask) = profiles.unlimited(content, table_id) {
            return Ok(mask);
        }
        let table = table_id.of(self.vocabulary);
        let mut row = table.plain().to_vec();
        self.spend(row.len() / WORDS_PER_STEP)?;
        if !self.clear_fatal(profiles, string, content, table_id, &mut row)? {
            row.fill(0);
            self.add_shapes(profiles, string, content, table, &mut row)?;
        }
        self.add_odd(string, content, table, &mut row)?;
        let mask = TokenMask::from_row(&row, Some(table.inside()));
        self.check_overflows()?;
        profiles.insert_unlimited(content, table_id, mask.clone());
        Ok(mask)
    }

    /// Sets the bits of tokens with escapes or parts of characters.
    fn add_odd(
        &mut self,
        string: &StringAutomaton,
        content: u32,
        table: &BodyTable,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        let trie = &table.odd;
        let start = StringState::new(content, DecodeState::BODY);
        let n_visited = trie.walk(0..trie.n_nodes(), start, |state, node| {
            let next = string.step_unbounded(*state, trie.byte(node))?;
            trie.values(node).iter().for_each(|token| set_bit(row, *token));
            Some(next)
        });
        self.spend(n_visited)
    }

    /// `free` without tokens longer than the bound, and those of the `near` tokens that break the bounds.
    fn without_too_long(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        (content, n_chars): (u32, u32),
        table: &BodyTable,
        free: &TokenMask,
        near: &[InsideToken],
    ) -> Result<TokenMask, LimitError> {
        let mut row = vec![0; table.n_words()];
        free.write_to(&mut row);
        let (_, max) = string.bounds(n_chars);
        table.longer_than(max).iter().for_each(|inside| clear_bit(&mut row, inside.token));
        let mut followed = Followed::new(string, profiles.shape_classes(string), &table.shapes, content);
        let mut undecided = Vec::new();
        for alike in near.chunk_by(|left, right| (left.n_chars, left.shape()) == (right.n_chars, right.shape())) {
            // What one shape leads to must be told apart by nothing but lengths.
            let count = n_chars + u32::from(alike[0].n_chars);
            let states = alike[0].shape().filter(|_| alike.len() >= FEW_ALIKE).and_then(|shape| followed.states(shape));
            self.spend(4)?;
            let mut admitted = states.into_iter().flatten().map(|state| string.admits(*state, count));
            let verdict = admitted.next().filter(|first| admitted.all(|other| other == *first));
            let tokens = alike.iter().map(|inside| inside.token);
            match verdict {
                Some(true) => {}
                Some(false) => tokens.for_each(|token| clear_bit(&mut row, token)),
                None => undecided.extend(tokens.filter(|token| has_bit(&row, *token))),
            }
        }
        if undecided.len() > MAX_RUNS {
            row.fill(0);
            self.run_inside(profiles, string, (content, n_chars), table, &mut row)?;
            return Ok(TokenMask::from_row(&row, Some(table.inside())));
        }
        for token in undecided {
            if !self.admits_token(string, content, n_chars, table, token)? {
                clear_bit(&mut row, token);
            }
        }
        if string.room(content).tells_odd_apart() {
            row.iter_mut().zip(table.plain()).for_each(|(word, plain)| *word &= plain);
            self.add_odd_within(string, (content, n_chars), table, &mut row)?;
        }
        Ok(TokenMask::from_row(&row, Some(table.inside())))
    }

    fn admits_token(
        &mut self,
        string: &StringAutomaton,
        content: u32,
        n_chars: u32,
        table: &BodyTable,
        token: u32,
    ) -> Result<bool, LimitError> {
        let bytes = table.body_of(self.vocabulary.bytes_at(token as usize));
        self.spend(TOKEN_COST + bytes.len())?;
        let mut state = StringState::new(content, DecodeState::BODY);
        let mut count = n_chars;
        for byte in bytes {
            match string.step(state, *byte, &mut count) {
                Some(next) => state = next,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Sets the bits of those tokens that keep to the bounds: walks that end where the bounds do.
    fn run_inside(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        (content, n_chars): (u32, u32),
        table: &BodyTable,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        let stepper = LetterStepper::new(string, profiles, table.letters.letters());
        let plain = &table.letters;
        plain.root_values().iter().for_each(|token| set_bit(row, *token));
        let n_plain = plain.walk(plain.nodes(), (content, n_chars), |(state, n_chars), letter, node| {
            let next = stepper.step(*state, letter)?;
            let n_chars = n_chars.saturating_add(1);
            if !string.admits(next, n_chars) {
                return None;
            }
            plain.values(node).iter().for_each(|token| set_bit(row, *token));
            Some((next, n_chars))
        });
        self.spend(n_plain)?;
        self.add_odd_within(string, (content, n_chars), table, row)
    }

    /// Sets the bits of those tokens with escapes or parts of characters that keep to the bounds.
    fn add_odd_within(
        &mut self,
        string: &StringAutomaton,
        (content, n_chars): (u32, u32),
        table: &BodyTable,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        let odd = &table.odd;
        let start = (StringState::new(content, DecodeState::BODY), n_chars);
        let n_visited = odd.walk(0..odd.n_nodes(), start, |(state, n_chars), node| {
            let mut count = *n_chars;
            let next = string.step(*state, odd.byte(node), &mut count)?;
            odd.values(node).iter().for_each(|token| set_bit(row, *token));
            Some((next, count))
        });
        self.spend(n_visited)
    }

    /// Sets the bits of those tokens that stay inside an international host name.
    fn add_names(
        &mut self,
        string: &StringAutomaton,
        name: &NameState,
        n_chars: u32,
        table: &BodyTable,
        row: &mut [u32],
    ) -> Result<(), LimitError> {
        let plain = &table.letters;
        plain.root_values().iter().for_each(|token| set_bit(row, *token));
        let mut trial = NameTrial::new(name);
        plain.walk(plain.nodes(), (trial.start(), n_chars), |(at, n_chars), letter, node| {
            // A walk ends where no steps are left.
            self.spend(NAME_COST).ok()?;
            let next = trial.step(at, plain.letters().char(letter))?;
            let n_chars = n_chars.saturating_add(1);
            if string.counts() && !string.admits_name(&trial.state(&next), n_chars) {
                return None;
            }
            plain.values(node).iter().for_each(|token| set_bit(row, *token));
            Some((next, n_chars))
        });
        let odd = &table.odd;
        let start = (name.clone(), DecodeState::BODY, n_chars);
        odd.walk(0..odd.n_nodes(), start, |(name, decode, n_chars), node| {
            self.spend(NAME_COST).ok()?;
            let mut count = *n_chars;
            let (next, decode) = string.step_name(name, *decode, odd.byte(node), &mut count)?;
            odd.values(node).iter().for_each(|token| set_bit(row, *token));
            Some((next, decode, count))
        });
        self.spend(NAME_COST)
    }

    /// The prefixes behind which an international host name may be closed.
    fn name_prefixes(
        &mut self,
        string: &StringAutomaton,
        name: &NameState,
        n_chars: u32,
        table: &BodyTable,
    ) -> Result<Prefixes, LimitError> {
        let mut allowed = FixedBitSet::with_capacity(table.prefix_chars.len());
        let accepts = |name: &NameState, n_chars| string.is_within_bounds(n_chars) && name.is_accepting();
        if accepts(name, n_chars) {
            table.prefixes.root_values().iter().for_each(|prefix| allowed.insert(*prefix as usize));
        }
        let plain = &table.plain_prefixes;
        let mut trial = NameTrial::new(name);
        plain.walk(plain.nodes(), (trial.start(), n_chars), |(at, n_chars), letter, node| {
            self.spend(NAME_COST).ok()?;
            let next = trial.step(at, plain.letters().char(letter))?;
            let n_chars = n_chars.saturating_add(1);
            if string.is_within_bounds(n_chars) && trial.is_accepting(&next) {
                plain.values(node).iter().for_each(|prefix| allowed.insert(*prefix as usize));
            }
            Some((next, n_chars))
        });
        self.spend(NAME_COST)?;
        for (bytes, prefix) in &table.escaped_prefixes {
            let mut count = n_chars;
            let start = Some((name.clone(), DecodeState::BODY));
            let end = bytes.iter().fold(start, |state, byte| {
                let (name, decode) = state?;
                string.step_name(&name, decode, *byte, &mut count)
            });
            allowed.set(*prefix as usize, end.is_some_and(|(name, _)| accepts(&name, count)));
            self.spend(bytes.len())?;
        }
        Ok(Prefixes::Only(allowed))
    }

    /// The prefixes behind which the string may be closed.
    fn prefixes(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
        content: u32,
        n_chars: u32,
        table: &BodyTable,
    ) -> Result<Prefixes, LimitError> {
        let n_prefixes = table.prefix_chars.len();
        if string.is_free() {
            let (min, max) = string.bounds(n_chars);
            if !string.counts() || min == 0 && max >= table.max_prefix_chars {
                return Ok(Prefixes::All);
            }
            let allowed = |prefix: &usize| {
                let count = n_chars.saturating_add(u32::from(table.prefix_chars[*prefix]));
                string.accepts_content(0, count)
            };
            return Ok(Prefixes::Only((0..n_prefixes).filter(allowed).collect()));
        }
        if let Some(excluded) = string.excluded(content)
            && !string.counts()
        {
            let all_but = excluded.map(|(names, node)| all_but(string, content, names, node, table));
            return Ok(match all_but {
                Some(excluded) if !excluded.is_empty() => Prefixes::AllBut(excluded.into()),
                _ => Prefixes::All,
            });
        }
        if let Some(name) = string.name_state(content) {
            return self.name_prefixes(string, &name, n_chars, table);
        }
        let mut allowed = FixedBitSet::with_capacity(n_prefixes);
        if string.accepts_content(content, n_chars) {
            table.prefixes.root_values().iter().for_each(|prefix| allowed.insert(*prefix as usize));
        }
        let stepper = LetterStepper::new(string, profiles, table.letters.letters());
        let plain = &table.plain_prefixes;
        let n_visited = plain.walk(plain.nodes(), (content, n_chars), |(state, n_chars), letter, node| {
            let next = stepper.step(*state, letter)?;
            let n_chars = n_chars.saturating_add(1);
            if string.accepts_content(next, n_chars) {
                plain.values(node).iter().for_each(|prefix| allowed.insert(*prefix as usize));
            }
            Some((next, n_chars))
        });
        for (bytes, prefix) in &table.escaped_prefixes {
            let mut count = n_chars;
            let start = Some(StringState::new(content, DecodeState::BODY));
            let end = bytes.iter().fold(start, |state, byte| string.step(state?, *byte, &mut count));
            let accepts = |end: StringState| string.accepts_content(end.content(), count);
            allowed.set(*prefix as usize, end.is_some_and(accepts));
            self.spend(bytes.len())?;
        }
        self.spend(n_visited)?;
        Ok(Prefixes::Only(allowed))
    }
}

/// The prefixes that end one of a few excluded strings, which go on from `node` of their trie. Only where prefixes and
/// strings agree is there anything to look at.
fn all_but(
    string: &StringAutomaton,
    content: u32,
    names: &TokenTrie,
    node: Option<usize>,
    table: &BodyTable,
) -> Vec<u32> {
    let mut excluded: Vec<u32> = Vec::new();
    let mut pending = vec![(node, None)];
    while let Some((name, prefix)) = pending.pop() {
        let ends = name.map_or(names.root_values(), |name| names.values(name));
        if !ends.is_empty() {
            excluded.extend(prefix.map_or(table.prefixes.root_values(), |prefix| table.prefixes.values(prefix)));
        }
        // A backslash stands for itself in a name, but begins an escape in a token.
        for child in names.children(name).iter().filter(|child| child.byte != b'\\') {
            if let Some(prefix) = table.prefixes.child(prefix, child.byte) {
                pending.push((Some(child.node as usize), Some(prefix)));
            }
        }
    }
    excluded.extend(
        table
            .escaped_prefixes
            .iter()
            .filter(|(bytes, _)| {
                let mut state = Some(StringState::new(content, DecodeState::BODY));
                for byte in bytes {
                    state = state.and_then(|state| string.step_unbounded(state, *byte));
                }
                state.is_none_or(|state| !string.accepts_content(state.content(), 0))
            })
            .map(|(_, prefix)| prefix),
    );
    excluded
}
