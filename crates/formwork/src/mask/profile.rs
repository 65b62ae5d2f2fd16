//! What do tokens do from one state of an automaton on? Kept per automaton, whatever grammar uses it.

use std::cell::Cell;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use fixedbitset::FixedBitSet;

use super::letters::LetterClasses;
use super::shapes::ShapeClasses;
use super::{Begin, MaskWork, Table};
use crate::automata::{Alphabet, Automaton, Escapes, StringAutomaton, StringState};
use crate::error::LimitError;
use crate::hash::HashMap;
use crate::vocabulary::TokenMask;
use crate::vocabulary::letters::Letters;
use crate::vocabulary::token_mask::set_bit;

/// Tokens that stay inside a lexeme, and those that leave it.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(super) inside: TokenMask,
    pub(super) exits: Exits,
}

/// Tokens that end a lexeme before their own end.
#[derive(Debug)]
pub(super) enum Exits {
    None,
    /// Nodes of the token trie at which the lexeme may end before the token does.
    Nodes(Box<[u32]>),
    /// Exits of a string table.
    Quoted {
        table: Table,
        prefixes: Prefixes,
    },
}

/// What may stand before a closing quote: numbers of prefixes of a string table.
#[derive(Debug)]
pub(super) enum Prefixes {
    All,
    /// All but these, which are few.
    AllBut(Box<[u32]>),
    Only(FixedBitSet),
}

impl Prefixes {
    pub(super) fn allow(&self, prefix: u32) -> bool {
        match self {
            Prefixes::All => true,
            Prefixes::AllBut(refused) => !refused.contains(&prefix),
            Prefixes::Only(allowed) => allowed.contains(prefix as usize),
        }
    }
}

/// State, and for strings with bounds the characters that must and may still come.
pub(super) type ProfileKey = (u64, u32, u32);

/// The profiles of one automaton.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    known: RwLock<Known>,
    /// Of a string with bounds: what is known of its content, which strings with other bounds share.
    content: Option<Arc<Profiles>>,
    shape_classes: OnceLock<ShapeClasses>,
    letter_classes: OnceLock<LetterClasses>,
    /// Of free text: the tokens that hold what it is without.
    holding: OnceLock<Box<[u32]>>,
}

#[derive(Debug, Default)]
struct Known {
    profiles: HashMap<ProfileKey, Arc<Profile>>,
    /// By content state: what stays inside when lengths do not matter.
    unlimited: HashMap<(u32, Table), TokenMask>,
    n_bytes: usize,
}

/// Steps that a node of the token trie counts as, where each byte is decoded.
pub(super) const NODE_COST: usize = 2;
/// One walk takes at most two of so many parts of the steps that a mask may take.
const PARTS_OF_MOST: usize = 5;
/// A list is made where there are so many times fewer tokens than words in a row.
const FEW_OF_ROW: usize = 4;

/// Bytes of profiles kept for one automaton; beyond it they are started anew.
const MAX_BYTES: usize = 16 << 20;

impl Profiles {
    /// Of a string with bounds, beside what is known of its content.
    pub(crate) fn beside(content: Arc<Profiles>) -> Profiles {
        Profiles { content: Some(content), ..Profiles::default() }
    }

    /// What holds whatever the bounds.
    fn of_content(&self) -> &Profiles {
        self.content.as_deref().unwrap_or(self)
    }

    /// Bytes held, those of a shared content not counted.
    pub(crate) fn n_bytes(&self) -> usize {
        let holding = self.holding.get().map_or(0, |tokens| size_of_val(&**tokens));
        let letters = self.letter_classes.get().map_or(0, LetterClasses::n_bytes);
        self.known.read().unwrap_or_else(PoisonError::into_inner).n_bytes + holding + letters
    }

    pub(super) fn shape_classes(&self, string: &StringAutomaton) -> &ShapeClasses {
        self.of_content().shape_classes.get_or_init(|| ShapeClasses::new(string))
    }

    pub(super) fn letter_classes(&self, alphabet: &Alphabet, letters: &Letters) -> &LetterClasses {
        self.of_content().letter_classes.get_or_init(|| LetterClasses::new(alphabet, letters))
    }

    pub(super) fn holding(&self, find: impl FnOnce() -> Vec<u32>) -> &[u32] {
        self.holding.get_or_init(|| find().into())
    }

    fn get(&self, key: &ProfileKey) -> Option<Arc<Profile>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).profiles.get(key).map(Arc::clone)
    }

    fn insert(&self, key: ProfileKey, profile: &Arc<Profile>) {
        let exits = match &profile.exits {
            Exits::None => 0,
            Exits::Nodes(nodes) => 4 * nodes.len(),
            Exits::Quoted { prefixes: Prefixes::All, .. } => 0,
            Exits::Quoted { prefixes: Prefixes::AllBut(prefixes), .. } => 4 * prefixes.len(),
            Exits::Quoted { prefixes: Prefixes::Only(prefixes), .. } => prefixes.len() / 8,
        };
        let mut known = self.grow(profile.inside.n_bytes_with_base() + exits + 100);
        known.profiles.insert(key, Arc::clone(profile));
    }

    pub(super) fn unlimited(&self, content: u32, table: Table) -> Option<TokenMask> {
        let known = self.of_content().known.read().unwrap_or_else(PoisonError::into_inner);
        known.unlimited.get(&(content, table)).cloned()
    }

    pub(super) fn insert_unlimited(&self, content: u32, table: Table, mask: TokenMask) {
        let mut known = self.of_content().grow(mask.n_bytes_with_base() + 50);
        known.unlimited.insert((content, table), mask);
    }

    /// Makes room for so many bytes.
    fn grow(&self, n_bytes: usize) -> std::sync::RwLockWriteGuard<'_, Known> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.n_bytes + n_bytes > MAX_BYTES {
            *known = Known::default();
        }
        known.n_bytes += n_bytes;
        known
    }
}

impl MaskWork<'_> {
    /// The profile of a state, from the automaton's memo or worked out.
    pub(super) fn profile(
        &mut self,
        profiles: &Profiles,
        automaton: &Automaton,
        state: u64,
        n_chars: u32,
    ) -> Result<Arc<Profile>, LimitError> {
        let key = match automaton {
            Automaton::String(string) => {
                let (min, max) =
                    string.length_key(StringState::from_bits(state).content(), n_chars, self.vocabulary.string_reach());
                (state, min, max)
            }
            _ => (state, 0, 0),
        };
        if let Some(profile) = profiles.get(&key) {
            return Ok(profile);
        }
        let profile = Arc::new(match automaton {
            Automaton::String(string) => {
                self.string_profile(profiles, string, StringState::from_bits(state), n_chars)?
            }
            Automaton::FreeText(text) => self.text_profile(profiles, automaton, text, state)?,
            _ => self.walk_automaton(automaton, state, n_chars)?,
        });
        self.check_overflows()?;
        profiles.insert(key, &profile);
        Ok(profile)
    }

    /// What tokens of whitespace and an opening quote do, from before a string on.
    pub(super) fn spaced_profile(
        &mut self,
        profiles: &Profiles,
        string: &StringAutomaton,
    ) -> Result<Arc<Profile>, LimitError> {
        // No state of a string has all bits set.
        let key = (u64::MAX, 0, 0);
        if let Some(profile) = profiles.get(&key) {
            return Ok(profile);
        }
        let profile = Arc::new(self.table_profile(profiles, string, 0, 0, Begin::Spaced)?);
        self.check_overflows()?;
        profiles.insert(key, &profile);
        Ok(profile)
    }

    /// Walks the token trie with one automaton: what any automaton can be asked.
    pub(super) fn walk_automaton(
        &mut self,
        automaton: &Automaton,
        state: u64,
        n_chars: u32,
    ) -> Result<Profile, LimitError> {
        // Most tokens lead to few states.
        let last = Cell::new((state, automaton.can_go_on(state)));
        let can_go_on = |state| {
            if last.get().0 != state {
                last.set((state, automaton.can_go_on(state)));
            }
            last.get().1
        };
        let step = |state, byte, n_chars: &mut u32| automaton.step_and_accepting(state, byte, n_chars);
        self.walk_stepper((state, n_chars), step, can_go_on)
    }

    /// Walks the token trie with a step function over states and counts of characters, which tells the next state and whether
    /// the lexeme may end there. Whether it may go on as well, those states are asked, below no node too: where there is no
    /// answer, there is no mask, and not a mask with a token behind which there is none.
    pub(super) fn walk_stepper(
        &mut self,
        start: (u64, u32),
        step: impl Fn(u64, u8, &mut u32) -> Option<(u64, bool)>,
        can_go_on: impl Fn(u64) -> bool,
    ) -> Result<Profile, LimitError> {
        let vocabulary = self.vocabulary;
        let trie = vocabulary.trie();
        let (mut tokens, mut ends): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let n_visited = trie.walk(0..trie.n_nodes(), start, |(state, n_chars), node| {
            let mut count = *n_chars;
            let (next, is_accepting) = step(*state, trie.byte(node), &mut count)?;
            tokens.extend_from_slice(trie.values(node));
            let goes_on = !is_accepting || can_go_on(next);
            let has_children = trie.end(node) > node + 1;
            if has_children && is_accepting {
                ends.push(node as u32);
            }
            (has_children && goes_on).then_some((next, count))
        });
        // Two terminals of one place may take nearly every token, however many the vocabulary has.
        self.spend((NODE_COST * n_visited).min(self.limits.max_mask_steps / PARTS_OF_MOST * 2))?;
        let n_words = vocabulary.mask_words();
        let inside = if tokens.len() < n_words / FEW_OF_ROW {
            tokens.sort_unstable();
            TokenMask::from_sorted(n_words, tokens.into())
        } else {
            let mut row = vec![0; n_words];
            tokens.iter().for_each(|token| set_bit(&mut row, *token));
            TokenMask::from_row(&row, Some(vocabulary.strings(Escapes::Canonical).body.inside()))
        };
        let exits = if ends.is_empty() { Exits::None } else { Exits::Nodes(ends.into()) };
        Ok(Profile { inside, exits })
    }
}
