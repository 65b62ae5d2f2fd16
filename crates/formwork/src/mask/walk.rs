//! Which strings of a trie can be read from here? Depth-first walks with the parser's configurations.
//!
//! Where a lexeme ends within a token, what may follow depends on the class of the item set alone, so it is looked up: the
//! same closing brackets, commas and opening quotes come behind nearly every value.

use std::cell::Cell;
use std::sync::Arc;

use fixedbitset::FixedBitSet;
use smallvec::SmallVec;

use super::profile::NODE_COST;
use super::{MaskWork, Table};
use crate::automata::{Automaton, Escapes};
use crate::error::LimitError;
use crate::grammar::Effect;
use crate::hash::HashMap;
use crate::parser::{ByteSet, Configuration, Entry, Lexing, PastId, Scan, SetId, Written, behind_lexeme, next_bytes};
use crate::vocabulary::token_mask::has_bit;
use crate::vocabulary::{Child, TokenMask, TokenTrie, Vocabulary, find_child};

/// A trie of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Trie {
    Tokens,
    /// Tokens with their leading whitespace taken off.
    Stripped,
    /// What stands behind the closing quote in the exits of string tables.
    Rests(Escapes),
}

impl Trie {
    fn of(self, vocabulary: &Vocabulary) -> &TokenTrie {
        match self {
            Trie::Tokens => vocabulary.trie(),
            Trie::Stripped => vocabulary.stripped(),
            Trie::Rests(escapes) => &vocabulary.strings(escapes).rests,
        }
    }
}

/// Values of strings that can be read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) values: Vec<u32>,
    /// Those that some pasts do not allow; may hold others of them, too.
    pub(super) doubtful: Vec<u32>,
    /// How many values there were when what was found twice was thrown out last.
    n_distinct: usize,
}

/// So many values may be there twice.
const MAX_REPEATED: usize = 1 << 14;
/// Values that are added in the time of one step.
const VALUES_PER_STEP: usize = 2;
/// Looks for a token in a mask in the time of one step.
const LOOKS_PER_STEP: usize = 4;

/// Lists that are kept as room for others: so many, none with room for more values than this.
const MAX_SPARE: usize = 8;
const MAX_SPARE_VALUES: usize = 1 << 12;

/// Where so many nodes and masks meet, it pays to write the masks into one row first.
const MANY_LOOKS: usize = 256;

/// Steps that reading a byte with the parser counts as, for each entry.
const BYTE_COST: usize = 3;
/// Steps that writing a mask into a row counts as.
const ROW_COST: usize = 200;
/// Children that are looked at in the time in which one is searched for.
const SEARCH_COST: usize = 6;

/// Steps that looking up what comes behind a lexeme counts as, and that finding it out does beside what is walked over.
const LOOKUP_COST: usize = 12;
const NEW_RESTS_COST: usize = 40;

impl Found {
    fn add(&mut self, values: &[u32], doubted: bool) {
        self.values.extend_from_slice(values);
        if doubted {
            self.doubtful.extend_from_slice(values);
        }
        // Where a text can be read in many ways, most values are found by each of them.
        if self.values.len() > 2 * self.n_distinct + MAX_REPEATED {
            remove_repeated(&mut self.values);
            remove_repeated(&mut self.doubtful);
            self.n_distinct = self.values.len();
        }
    }

    /// The same with no room for more.
    fn fitted(&self) -> Found {
        Found { values: self.values.clone(), doubtful: self.doubtful.clone(), n_distinct: 0 }
    }

    fn add_all(&mut self, other: &Found, doubted: bool) {
        if !doubted {
            self.doubtful.extend_from_slice(&other.doubtful);
        }
        self.add(&other.values, doubted);
    }
}

fn remove_repeated(values: &mut Vec<u32>) {
    let greatest = values.iter().max().map_or(0, |greatest| *greatest as usize);
    let mut seen = FixedBitSet::with_capacity(greatest + 1);
    values.retain(|value| !seen.put(*value as usize));
}

/// By class of item sets and node of a trie (`None` is the root): the values below the node whose strings can be read.
pub(super) type RestMemo = HashMap<(SetId, PastId, Trie, Option<u32>), Arc<Found>>;

/// By class of item sets, table, past and prefix: exits whose rests can be read.
pub(super) type FewExits = HashMap<(SetId, Table, PastId, u32), Arc<Found>>;

/// A configuration behind a node, and the children that can come next and were not looked at yet, the last one first.
struct Level {
    children: SmallVec<[Child; 8]>,
    configuration: Configuration,
}

impl Level {
    fn new(children: &[Child], configuration: Configuration, bytes: ByteSet) -> Level {
        // Nodes near the root have many children, of which few can come: most often brackets and separators.
        let mut next: SmallVec<[Child; 8]> = match bytes.len() * SEARCH_COST < children.len() {
            true => bytes.iter().filter_map(|byte| find_child(children, byte)).collect(),
            false => children.iter().filter(|child| bytes.contains(child.byte)).copied().collect(),
        };
        next.reverse();
        Level { children: next, configuration }
    }
}

/// The bytes with which characters go on.
const WITHIN: u8 = 0x80;
const LAST_WITHIN: u8 = 0xBF;

fn is_behind_lexeme(entry: &Entry) -> bool {
    entry.lexing == Lexing::Between { n_blank: 0 }
}

impl MaskWork<'_> {
    /// Nothing found yet, with the room that something else has left.
    pub(super) fn room(&mut self) -> Found {
        self.spare.pop().unwrap_or_default()
    }

    /// Leaves the room of what was found to others.
    pub(super) fn leave(&mut self, mut found: Found) {
        if self.spare.len() < MAX_SPARE && found.values.capacity().max(found.doubtful.capacity()) <= MAX_SPARE_VALUES {
            found.values.clear();
            found.doubtful.clear();
            found.n_distinct = 0;
            self.spare.push(found);
        }
    }

    /// Adds the values of all strings of a trie that can be read from `start`, the empty string left out.
    pub(super) fn walk(&mut self, trie: Trie, start: Configuration, found: &mut Found) -> Result<(), LimitError> {
        let bytes = next_bytes(self.parser, &start)?;
        self.walk_children(trie, None, start, bytes, found)
    }

    /// The bytes that can come behind a lexeme that leads to `set`.
    fn bytes_behind(&mut self, set: SetId) -> Result<ByteSet, LimitError> {
        if let Some(Some(bytes)) = self.first_bytes.get(set as usize) {
            return Ok(*bytes);
        }
        let mut bytes = next_bytes(self.parser, &[behind_lexeme(set, Written::ANY)])?;
        // A lexeme ends between two characters.
        if bytes.contains(WITHIN) && self.parser.takes_only_text() {
            (WITHIN..=LAST_WITHIN).for_each(|byte| bytes.remove(byte));
        }
        if self.first_bytes.len() <= set as usize {
            self.n_bytes += size_of::<Option<ByteSet>>() * (set as usize + 1 - self.first_bytes.len());
            self.first_bytes.resize(set as usize + 1, None);
        }
        self.first_bytes[set as usize] = Some(bytes);
        Ok(bytes)
    }

    /// Adds the tokens below each of `nodes` of the token trie whose rests can be read behind a lexeme, but for those that are
    /// in one of `masks` anyway.
    pub(super) fn walk_subtrees(
        &mut self,
        nodes: &[u32],
        set: SetId,
        masks: &[TokenMask],
        found: &mut Found,
    ) -> Result<(), LimitError> {
        let trie = self.vocabulary.trie();
        let bytes = self.bytes_behind(set)?;
        let n_looked_at = Cell::new(0);
        let row = (masks.len() * nodes.len() > MANY_LOOKS).then(|| TokenMask::row_of_all(masks));
        if row.is_some() {
            self.spend(masks.len() * ROW_COST)?;
        }
        // Of what can stay in free text, what is no text as a whole is left; but then there is no reading of it either.
        let texts = self.vocabulary.known_texts().filter(|_| self.parser.takes_only_text());
        let is_covered = |token: &u32| {
            let is_in_any = match &row {
                Some(row) => {
                    n_looked_at.set(n_looked_at.get() + 1);
                    has_bit(row, *token)
                }
                None => {
                    n_looked_at.set(n_looked_at.get() + masks.len());
                    masks.iter().any(|mask| mask.contains_id(*token))
                }
            };
            is_in_any || texts.is_some_and(|texts| texts.is_broken(*token))
        };
        for node in nodes {
            // Nearly always no child can follow: most rests go on in the lexeme itself.
            let mut children = trie.children(Some(*node as usize)).iter().filter(|child| bytes.contains(child.byte));
            if children.any(|child| !trie.subtree_values(child.node as usize).iter().all(is_covered)) {
                self.add_rests_behind((set, self.mode), Trie::Tokens, *node, false, found)?;
            }
            self.spend(n_looked_at.take() / LOOKS_PER_STEP)?;
        }
        Ok(())
    }

    /// Adds the values below a node whose rests can be read behind a lexeme that leads to a set.
    fn add_rests_behind(
        &mut self,
        (set, past): (SetId, PastId),
        trie: Trie,
        node: u32,
        doubted: bool,
        found: &mut Found,
    ) -> Result<(), LimitError> {
        let rests = self.rests_behind(set, past, trie, Some(node))?;
        self.spend(LOOKUP_COST + (rests.values.len() + rests.doubtful.len()) / VALUES_PER_STEP)?;
        found.add_all(&rests, doubted);
        Ok(())
    }

    /// The values below a node whose rests can be read behind a lexeme that leads to `set`.
    pub(super) fn rests_behind(
        &mut self,
        set: SetId,
        past: PastId,
        trie: Trie,
        node: Option<u32>,
    ) -> Result<Arc<Found>, LimitError> {
        // What comes behind something doubtful is doubtful anyway.
        let past = if past == Written::ANY { past } else { Written::FRESH };
        let key = (self.parser.class(set), past, trie, node);
        if let Some(rests) = self.rests.get(&key) {
            return Ok(Arc::clone(rests));
        }
        self.spend(NEW_RESTS_COST)?;
        let mut found = self.room();
        let bytes = self.bytes_behind(set)?;
        let node = node.map(|node| node as usize);
        if trie.of(self.vocabulary).children(node).iter().any(|child| bytes.contains(child.byte)) {
            let start = Configuration::from_slice(&[behind_lexeme(set, past)]);
            self.walk_children(trie, node, start, bytes, &mut found)?;
        }
        let rests = Arc::new(found.fitted());
        self.leave(found);
        self.n_bytes += 4 * (rests.values.len() + rests.doubtful.len()) + 96;
        self.rests.insert(key, Arc::clone(&rests));
        Ok(rests)
    }

    /// The exits of a string table with one prefix, whose rests can be read behind a string that leads to `set`: one by one.
    pub(super) fn exits_behind_prefix(
        &mut self,
        set: SetId,
        table_id: Table,
        prefix: u32,
    ) -> Result<Arc<Found>, LimitError> {
        let key = (self.parser.class(set), table_id, self.mode, prefix);
        if let Some(known) = self.few_exits.get(&key) {
            return Ok(Arc::clone(known));
        }
        let table = table_id.of(self.vocabulary);
        let bytes = self.bytes_behind(set)?;
        let past = if self.mode == Written::ANY { self.mode } else { Written::FRESH };
        let mut found = self.room();
        for exit in table.exits_behind(prefix) {
            let token = table.exits[*exit as usize].0;
            let rest = table.rest_of(self.vocabulary.bytes_at(token as usize), *exit);
            if rest.first().is_some_and(|first| !bytes.contains(*first)) {
                continue;
            }
            let mut configuration = Configuration::from_slice(&[behind_lexeme(set, past)]);
            for byte in rest {
                self.spend(configuration.len())?;
                configuration = self.parser.step_byte(&configuration, *byte, self.limits.max_entries)?;
            }
            if !configuration.is_empty() {
                found.add(&[token], configuration.iter().all(|entry| entry.past == Written::DOUBTED));
            }
        }
        let exits = Arc::new(found.fitted());
        self.leave(found);
        self.n_bytes += 4 * (exits.values.len() + exits.doubtful.len()) + 96;
        self.few_exits.insert(key, Arc::clone(&exits));
        Ok(exits)
    }

    fn walk_children(
        &mut self,
        trie_id: Trie,
        node: Option<usize>,
        configuration: Configuration,
        bytes: ByteSet,
        found: &mut Found,
    ) -> Result<(), LimitError> {
        let trie = trie_id.of(self.vocabulary);
        let max_entries = self.limits.max_entries;
        let mut levels: SmallVec<[Level; 4]> = SmallVec::new();
        levels.push(Level::new(trie.children(node), configuration, bytes));
        while let Some(level) = levels.last_mut() {
            let Some(Child { byte, node }) = level.children.pop() else {
                levels.pop();
                continue;
            };
            let n_entries = level.configuration.len();
            let mut next = self.parser.step_byte(&level.configuration, byte, max_entries)?;
            self.spend(BYTE_COST * n_entries)?;
            if next.is_empty() {
                continue;
            }
            let doubted = next.iter().all(|entry| entry.past == Written::DOUBTED);
            found.add(trie.values(node as usize), doubted);
            let children = trie.children(Some(node as usize));
            if children.is_empty() {
                continue;
            }
            for entry in &next {
                if is_behind_lexeme(entry) {
                    let doubted = entry.past == Written::DOUBTED;
                    self.add_rests_behind((entry.set, entry.past), trie_id, node, doubted, found)?;
                } else if self.is_wide(entry) {
                    self.walk_lexeme(trie_id, node as usize, entry, found)?;
                }
            }
            next.retain(|entry| !is_behind_lexeme(entry) && !self.is_wide(entry));
            if !next.is_empty() {
                let bytes = next_bytes(self.parser, &next)?;
                levels.push(Level::new(children, next, bytes));
            }
        }
        Ok(())
    }

    /// Whether an entry is in a lexeme that may take nearly everything: it is read without the parser as far as it goes.
    fn is_wide(&self, entry: &Entry) -> bool {
        let Lexing::Inside { scan, .. } = entry.lexing else { return false };
        match self.parser.scan(entry.set, scan) {
            _ if entry.past != Written::FRESH => false,
            Scan::Terminal { terminal, effect: Effect::None, .. } => {
                matches!(**self.parser.automaton(*terminal), Automaton::FreeText(_) | Automaton::Regex(_))
            }
            _ => false,
        }
    }

    /// Adds the values below a node whose strings go on in a lexeme, and of those that leave it and can be read behind it.
    fn walk_lexeme(&mut self, trie_id: Trie, node: usize, entry: &Entry, found: &mut Found) -> Result<(), LimitError> {
        let Lexing::Inside { scan, state, .. } = entry.lexing else { return Ok(()) };
        let Scan::Terminal { terminal, .. } = self.parser.scan(entry.set, scan) else { return Ok(()) };
        let automaton = Arc::clone(self.parser.automaton(*terminal));
        let doubted = entry.past == Written::DOUBTED;
        let trie = trie_id.of(self.vocabulary);
        let (mut ends, mut dead) = (Vec::new(), Vec::new());
        let n_visited = trie.walk(node + 1..trie.end(node), state, |state, child| {
            let Some((next, is_accepting)) = automaton.step_and_accepting(*state, trie.byte(child), &mut 0) else {
                dead.push(child);
                return None;
            };
            found.add(trie.values(child), doubted);
            if is_accepting {
                ends.push(child);
            }
            Some(next)
        });
        self.spend(NODE_COST * n_visited)?;
        let after = self.parser.step(entry.set, scan, 0)?;
        // What goes on in the lexeme is there already: where it may end matters only above what does not.
        let mut dead = dead.into_iter().peekable();
        for end in ends {
            while dead.next_if(|node| *node < end).is_some() {}
            if dead.peek().is_some_and(|node| *node < trie.end(end)) {
                self.add_rests_behind((after, entry.past), trie_id, end as u32, doubted, found)?;
            }
        }
        Ok(())
    }
}
