//! Which tokens would write again what must not be written twice? Only those that agree with something written.
//!
//! A mask is made for any past first, with a list of its tokens that some pasts do not allow. Tokens that end a key which is
//! being read are not in that list: there are too many. Of them only those can be refused that spell, up to the end of the
//! key, what was written: they are found by walking along the words and the token trie at once. What is found is tried.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Begin, MaskWork, Table};
use crate::automata::decoder::DecodeState;
use crate::automata::{Automaton, StringAutomaton, StringState, WordCount};
use crate::error::LimitError;
use crate::grammar::Effect;
use crate::hash::HashMap;
use crate::parser::{Blank, Configuration, Elements, Entry, Lexing, Scan, SetId, WordSetId, next_bytes};
use crate::vocabulary::{TokenMask, TokenTrie, is_whitespace, leading_whitespace};

/// A mask for any past.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub(super) mask: TokenMask,
    /// Tokens of it that some pasts do not allow, in rising order.
    pub(super) doubtful: Arc<[u32]>,
}

/// Where a walk along written words is.
#[derive(Clone, Copy)]
struct Cursor {
    state: u64,
    n_chars: u32,
    /// The words that were agreed with so far, and in how many bytes.
    words: WordSetId,
    depth: usize,
}

/// Where elements of a list are compared: a configuration's number, characters as far as they matter, and the elements so far.
pub(super) type ElementsPlace = (u32, u32, u32, Elements);

/// By place: the tokens of a mask for any past that are not allowed there, in rising order.
pub(super) type Refusals = HashMap<ElementsPlace, Arc<[u32]>>;

impl MaskWork<'_> {
    /// Whether something is being read, or may begin here, that must differ from others.
    pub(super) fn may_repeat(&mut self, configuration: &[Entry]) -> Result<bool, LimitError> {
        if !self.parser.productions().remembers {
            return Ok(false);
        }
        for entry in configuration {
            if self.parser.written.is_at_risk(entry.past) {
                return Ok(true);
            }
            match entry.lexing {
                Lexing::Inside { scan, .. } => {
                    if self.parser.effect(entry.set, scan) == Effect::OtherKey {
                        return Ok(true);
                    }
                }
                Lexing::Between { n_blank } => {
                    let blanks = self.parser.blanks(entry.set, n_blank);
                    for set in blanks.iter().map(|blank| blank.set).chain([entry.set]) {
                        for scan in 0..self.parser.n_scans(set)? {
                            if self.parser.effect(set, scan) == Effect::OtherKey {
                                return Ok(true);
                            }
                        }
                    }
                }
            }
        }
        Ok(false)
    }

    /// The tokens of a mask for any past that the pasts of `configuration` do not allow. Configurations of one number and with
    /// the same characters differ in their pasts alone.
    pub(super) fn refused(
        &mut self,
        (number, min, max): (u32, u32, u32),
        configuration: &[Entry],
        estimate: &Estimate,
    ) -> Result<Arc<[u32]>, LimitError> {
        let Some(elements) = self.compared_elements(configuration)? else {
            return self.find_refused(configuration, estimate).map(Arc::from);
        };
        let refused: Arc<[u32]> =
            self.refused_by_elements((number, min, max), elements, configuration, estimate)?.into();
        self.n_bytes += 4 * refused.len() + 64;
        self.refusals.insert((number, min, max, elements), Arc::clone(&refused));
        Ok(refused)
    }

    /// The elements so far, where nothing but them, and what was read of a constant, tells which tokens are allowed.
    fn compared_elements(&mut self, configuration: &[Entry]) -> Result<Option<Elements>, LimitError> {
        let [entry] = configuration else { return Ok(None) };
        let Some(elements) = self.parser.written.elements(entry.past) else { return Ok(None) };
        let is_constant = match entry.lexing {
            Lexing::Inside { scan, .. } => self.is_constant(entry.set, scan),
            Lexing::Between { n_blank } => {
                let mut all = true;
                for entry in self.beginnings(entry, n_blank) {
                    let mut scans = 0..self.parser.n_scans(entry.set)?;
                    all &= scans.all(|scan| self.is_constant(entry.set, scan));
                }
                all
            }
        };
        Ok(is_constant.then_some(elements))
    }

    /// Whether a lexeme is one of few, whatever was written.
    fn is_constant(&self, set: SetId, scan: u32) -> bool {
        match self.parser.scan(set, scan) {
            Scan::Terminal { terminal, .. } => {
                matches!(**self.parser.automaton(*terminal), Automaton::OneOf(_) | Automaton::Literal(_))
            }
            Scan::Key { .. } => false,
        }
    }

    /// Where a lexeme begins, with whitespace before it or without.
    fn beginnings(&mut self, entry: &Entry, n_blank: u32) -> Vec<Entry> {
        let behind_blanks = |blank: &Blank| Entry {
            set: blank.set,
            lexing: Lexing::Between { n_blank: blank.n_blank },
            past: entry.past,
        };
        let mut beginnings: Vec<Entry> = self.parser.blanks(entry.set, n_blank).iter().map(behind_blanks).collect();
        beginnings.push(*entry);
        beginnings
    }

    /// The tokens that are refused because of the elements of a list. With one more element those are refused that were
    /// refused before it, and some of those that agree with it, or reach over the end of an element: only these are tried.
    fn refused_by_elements(
        &mut self,
        (number, min, max): (u32, u32, u32),
        elements: Elements,
        configuration: &[Entry],
        estimate: &Estimate,
    ) -> Result<Vec<u32>, LimitError> {
        let mut before: &[u32] = &[];
        let mut new_words = Vec::new();
        let mut rest = elements;
        while let Some((others, last)) = rest.split_last(&self.parser.written.words) {
            new_words.push(last);
            rest = others;
            if let Some(known) = self.refusals.get(&(number, min, max, others)) {
                before = known;
                break;
            }
        }
        let before = before.to_vec();
        let new_words = self.parser.written.words.set_of(new_words.into_iter());
        let vocabulary = self.vocabulary;
        let mut tokens = Vec::new();
        let mut begins = false;
        for entry in configuration {
            let past = self.parser.written.with_elements(entry.past, new_words);
            match entry.lexing {
                Lexing::Inside { .. } => {
                    self.add_agreeing_tokens(vocabulary.trie(), Entry { past, ..*entry }, &mut tokens)?
                }
                Lexing::Between { n_blank } => {
                    begins = true;
                    for entry in self.beginnings(&Entry { past, ..*entry }, n_blank) {
                        self.add_agreeing_tokens(vocabulary.trie(), entry, &mut tokens)?;
                        self.add_agreeing_tokens(vocabulary.stripped(), entry, &mut tokens)?;
                    }
                }
            }
        }
        let reaches_over = |token: &&u32| !is_within_element(vocabulary.bytes_at(**token as usize), begins);
        tokens.extend(estimate.doubtful.iter().filter(reaches_over));
        tokens.sort_unstable();
        tokens.dedup();
        tokens.retain(|token| estimate.mask.contains_id(*token) && before.binary_search(token).is_err());
        self.retain_refused(configuration, &mut tokens)?;
        tokens.extend_from_slice(&before);
        tokens.sort_unstable();
        Ok(tokens)
    }

    /// Adds the tokens of `trie` within one element that leave it undecided whether it is an earlier one, and those behind which
    /// it cannot be another.
    fn add_agreeing_tokens(&mut self, trie: &TokenTrie, start: Entry, tokens: &mut Vec<u32>) -> Result<(), LimitError> {
        let begins = matches!(start.lexing, Lexing::Between { .. });
        let mut pending = vec![(None, Configuration::from_slice(&[start]))];
        while let Some((node, configuration)) = pending.pop() {
            let bytes = next_bytes(self.parser, &configuration)?;
            let quote = |byte: u8| node.is_none() && begins && byte == b'"';
            for child in trie.children(node) {
                if !bytes.contains(child.byte) || !(is_letter(&child.byte) || quote(child.byte)) {
                    continue;
                }
                let next = self.parser.step_byte(&configuration, child.byte, self.limits.max_entries)?;
                self.spend(1 + next.len())?;
                let node = child.node as usize;
                // Where the element ends here or not at all, what would go on in it is refused.
                if !next.iter().any(|entry| matches!(entry.lexing, Lexing::Inside { .. })) {
                    tokens.extend_from_slice(trie.subtree_values(node));
                } else if !next.iter().all(|entry| self.parser.written.is_settled(entry.past)) {
                    tokens.extend_from_slice(trie.values(node));
                    pending.push((Some(node), next));
                }
            }
        }
        Ok(())
    }

    fn find_refused(&mut self, configuration: &[Entry], estimate: &Estimate) -> Result<Vec<u32>, LimitError> {
        let mut tokens = self.spelled_again(configuration, &estimate.doubtful);
        for entry in configuration {
            match entry.lexing {
                Lexing::Inside { .. } => self.add_agreeing(*entry, false, &mut tokens)?,
                Lexing::Between { n_blank } => {
                    self.add_agreeing_between(*entry, false, &mut tokens)?;
                    for blank in self.parser.blanks(entry.set, n_blank) {
                        self.add_agreeing_between(Entry { set: blank.set, ..*entry }, true, &mut tokens)?;
                    }
                }
            }
        }
        tokens.sort_unstable();
        tokens.dedup();
        tokens.retain(|token| estimate.mask.contains_id(*token));
        self.retain_refused(configuration, &mut tokens)?;
        Ok(tokens)
    }

    /// Leaves those of the tokens that cannot be read, byte by byte. Beginnings that tokens share are read once, and a value
    /// that differs from all earlier ones only as far as that shows.
    fn retain_refused(&mut self, configuration: &[Entry], tokens: &mut Vec<u32>) -> Result<(), LimitError> {
        let vocabulary = self.vocabulary;
        let mut order: Vec<&[u8]> = tokens.iter().map(|token| vocabulary.bytes_at(*token as usize)).collect();
        order.sort_unstable();
        order.dedup();
        // Where each byte so far led; nothing behind one that could not be read.
        let mut path: Vec<Configuration> = vec![configuration.iter().copied().collect()];
        let mut read: &[u8] = &[];
        let mut refused: Vec<&[u8]> = Vec::new();
        for bytes in order {
            let n_common = read.iter().zip(bytes).take_while(|(left, right)| left == right).count();
            path.truncate(n_common + 1);
            while let (Some(last), Some(byte)) =
                (path.last().filter(|last| !last.is_empty()), bytes.get(path.len() - 1))
            {
                let is_settled = |entry: &Entry| self.parser.written.is_settled(entry.past);
                if last.iter().all(is_settled) && bytes[path.len() - 1..].iter().all(is_letter) {
                    break;
                }
                let next = self.parser.step_byte(last, *byte, self.limits.max_entries)?;
                self.spend(1 + next.len())?;
                path.push(next);
            }
            if path.last().is_none_or(|last| last.is_empty()) {
                refused.push(bytes);
            }
            read = bytes;
        }
        tokens.retain(|token| refused.binary_search(&vocabulary.bytes_at(*token as usize)).is_ok());
        Ok(())
    }

    /// Those of the doubtful tokens that hold a key which was written, as far as that is what makes them doubtful.
    fn spelled_again(&mut self, configuration: &[Entry], doubtful: &[u32]) -> Vec<u32> {
        let compares = configuration.iter().any(|entry| self.parser.written.reads_all(entry.past));
        if doubtful.is_empty() || compares || !self.parser.keys_never_run_out {
            return doubtful.to_vec();
        }
        let spelled = self.vocabulary.spelled();
        let mut tokens = spelled.odd().to_vec();
        if self.parser.productions().has_unique_lists() {
            // A token may hold two elements of a list that begins in it.
            let opens = |token: &&u32| self.vocabulary.bytes_at(**token as usize).contains(&b'[');
            tokens.extend(doubtful.iter().filter(opens));
        }
        for entry in configuration {
            for keys in self.parser.written.keys_around(entry.past) {
                let again = self.spelled.entry(keys).or_insert_with(|| {
                    let words = self.parser.written.words.list(keys);
                    let again =
                        words.iter().flat_map(|word| spelled.spelling(&self.parser.written.words.get(*word)[1..]));
                    self.n_bytes += 64;
                    again.copied().collect()
                });
                tokens.extend_from_slice(again);
            }
        }
        tokens.retain(|token| doubtful.binary_search(token).is_ok());
        tokens
    }

    fn add_agreeing_between(&mut self, entry: Entry, spaced: bool, tokens: &mut Vec<u32>) -> Result<(), LimitError> {
        for scan in 0..self.parser.n_scans(entry.set)? {
            let begun = self.parser.begin(entry.set, scan, entry.past);
            self.add_agreeing(begun, spaced, tokens)?;
        }
        Ok(())
    }

    /// Adds the tokens that spell a word which must not be written again, up to its end, and those behind which no other
    /// word is left.
    fn add_agreeing(&mut self, entry: Entry, spaced: bool, tokens: &mut Vec<u32>) -> Result<(), LimitError> {
        let Lexing::Inside { scan, .. } = entry.lexing else { return Ok(()) };
        let Scan::Terminal { terminal, effect, .. } = self.parser.scan(entry.set, scan) else { return Ok(()) };
        let (terminal, effect) = (*terminal, *effect);
        if effect == Effect::OtherKey {
            let (keys, read) = self.parser.written.keys(entry.past);
            let words = self.parser.written.words.narrow(keys, 0, &read);
            self.add_agreeing_with((words, read.len()), entry, terminal, spaced, tokens)?;
        }
        if matches!(**self.parser.automaton(terminal), Automaton::String(_)) {
            let equal = self.parser.written.equal_strings(entry.past);
            self.add_agreeing_with(equal, entry, terminal, spaced, tokens)?;
        }
        Ok(())
    }

    fn add_agreeing_with(
        &mut self,
        (words, depth): (WordSetId, usize),
        entry: Entry,
        terminal: u32,
        spaced: bool,
        tokens: &mut Vec<u32>,
    ) -> Result<(), LimitError> {
        let Lexing::Inside { state, n_chars, .. } = entry.lexing else { return Ok(()) };
        if self.parser.written.words.size(words) == 0 {
            return Ok(());
        }
        let automaton = Arc::clone(self.parser.automaton(terminal));
        let begin = match StringState::from_bits(state).decode() {
            DecodeState::BODY => Some(Begin::Body),
            DecodeState::BEFORE => Some(if spaced { Begin::Spaced } else { Begin::Opened }),
            _ => None,
        };
        if let (Some(begin), Automaton::String(string), true) = (begin, &*automaton, automaton.never_runs_out()) {
            let table = Table { begin, escapes: string.escapes() };
            return self.add_agreeing_exits(string, state, (words, depth), table, tokens);
        }
        let trie = self.vocabulary.trie();
        let start = Cursor { state, n_chars, words, depth };
        let mut pending = vec![(None, start)];
        let mut blanks = if spaced { vec![None] } else { Vec::new() };
        while let Some(node) = blanks.pop() {
            for child in trie.children(node).iter().filter(|child| is_whitespace(child.byte)) {
                let node = Some(child.node as usize);
                blanks.push(node);
                pending.push((node, start));
            }
        }
        let (mut letter_bytes, mut children) = (Vec::new(), Vec::new());
        while let Some((node, cursor)) = pending.pop() {
            // Besides the words' letters only the end and an escape can follow.
            let others = automaton.is_between_letters(cursor.state).then_some(b"\"\\".as_slice());
            self.agreeing_children(trie, node, (cursor.words, cursor.depth), others, &mut children);
            self.spend(1 + children.len())?;
            for (byte, child) in &children {
                let mut next = cursor;
                let Some(state) = automaton.step(cursor.state, *byte, &mut next.n_chars) else { continue };
                next.state = state;
                if let Some(letter) = automaton.letters(cursor.state, &[*byte]).next() {
                    let words = &self.parser.written.words;
                    (next.words, next.depth) =
                        words.narrow_by_letter(cursor.words, cursor.depth, letter, &mut letter_bytes);
                }
                let n_left = self.parser.written.words.size(next.words);
                if n_left == 0 {
                    continue;
                }
                let node = *child;
                let repeats =
                    automaton.is_accepting(state) && self.parser.written.words.ends_at(next.words, next.depth);
                let can_go_on = automaton.can_go_on(state);
                let runs_out = can_go_on
                    && match self.parser.count_words(terminal, state, next.n_chars)? {
                        WordCount::Few(n_words) => n_left >= n_words,
                        WordCount::Plenty => false,
                    };
                if repeats || runs_out {
                    tokens.extend_from_slice(trie.subtree_values(node));
                } else if can_go_on {
                    pending.push((Some(node), next));
                }
            }
        }
        Ok(())
    }

    /// The same where words never run out: only the ends of strings matter, and of what stands before them there is little.
    fn add_agreeing_exits(
        &mut self,
        string: &StringAutomaton,
        state: u64,
        (words, depth): (WordSetId, usize),
        table: Table,
        tokens: &mut Vec<u32>,
    ) -> Result<(), LimitError> {
        let table = table.of(self.vocabulary);
        let content = StringState::from_bits(state).content();
        let start = (None, StringState::new(content, DecodeState::BODY), words, depth);
        let mut pending = vec![start];
        let mut agreeing: Vec<u32> = Vec::new();
        let (mut letter_bytes, mut children) = (Vec::new(), Vec::new());
        while let Some((node, state, words, depth)) = pending.pop() {
            let is_between_letters = state.decode() == DecodeState::BODY;
            if is_between_letters && self.parser.written.words.ends_at(words, depth) {
                let ends = node.map_or(table.prefixes.root_values(), |node| table.prefixes.values(node));
                agreeing.extend_from_slice(ends);
            }
            // Besides the words' letters only an escape can follow.
            let others = is_between_letters.then_some(b"\\".as_slice());
            self.agreeing_children(&table.prefixes, node, (words, depth), others, &mut children);
            self.spend(1 + children.len())?;
            for (byte, child) in &children {
                let Some(next) = string.step_unbounded(state, *byte) else { continue };
                let (mut words, mut depth) = (words, depth);
                if let Some(letter) = state.decode().step(*byte, string.escapes()).and_then(|decoded| decoded.char) {
                    let written = &self.parser.written.words;
                    (words, depth) = written.narrow_by_letter(words, depth, letter, &mut letter_bytes);
                }
                if self.parser.written.words.size(words) > 0 {
                    pending.push((Some(*child), next, words, depth));
                }
            }
        }
        let exits = agreeing.iter().flat_map(|prefix| table.exits_behind(*prefix));
        tokens.extend(exits.map(|exit| table.exits[*exit as usize].0));
        Ok(())
    }

    /// The children of a node, by rising byte, with which a word can go on that agrees with some words in `depth` bytes: all of
    /// them, or between two letters those of the words' next letters and of `others`.
    fn agreeing_children(
        &self,
        trie: &TokenTrie,
        node: Option<usize>,
        (words, depth): (WordSetId, usize),
        others: Option<&[u8]>,
        children: &mut Vec<(u8, usize)>,
    ) {
        children.clear();
        let Some(others) = others else {
            return children.extend(trie.children(node).iter().map(|child| (child.byte, child.node as usize)));
        };
        let mut bytes: SmallVec<[u8; 16]> = SmallVec::from_slice(others);
        self.parser.written.words.next_bytes(words, depth, &mut bytes);
        bytes.sort_unstable();
        bytes.dedup();
        children.extend(bytes.into_iter().filter_map(|byte| Some((byte, trie.child(node, byte)?))));
    }
}

/// Whether a token goes on in a string, number or name and does not end it; or, with `begins`, begins one and does not end it.
fn is_within_element(bytes: &[u8], begins: bool) -> bool {
    let n_blank = if begins { leading_whitespace(bytes) } else { 0 };
    let rest = &bytes[n_blank..];
    rest.strip_prefix(b"\"").filter(|_| begins).unwrap_or(rest).iter().all(is_letter)
}

/// Whether a value that is being read goes on with it, and is neither ended nor another one begun.
fn is_letter(byte: &u8) -> bool {
    !matches!(byte, b'"' | b',' | b':' | b'[' | b']' | b'{' | b'}') && !is_whitespace(*byte)
}
