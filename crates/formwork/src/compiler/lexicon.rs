//! Which automata are there already? Terminals shared by all grammars of a compiler.

use std::sync::{Arc, Mutex, PoisonError};

use ahash::AHashMap;

use crate::automata::{Automaton, Overflows, Terminal};
use crate::error::GrammarError;
use crate::ids::TokenId;
use crate::limits::Limits;
use crate::mask::{Profiles, Unions, token_reach};
use crate::parser::TokenReach;
use crate::vocabulary::{TokenKind, Vocabulary};

/// Terminals kept; beyond it they are forgotten and made anew. What live grammars use stays with them.
const MAX_TERMINALS: usize = 10_000;
/// Bytes of automata after which they are forgotten.
const MAX_BYTES: usize = 256 << 20;

type Shared = (Arc<Automaton>, Arc<Profiles>);

/// Automata and profiles, by terminal.
pub(super) type Terminals = (Arc<[Arc<Automaton>]>, Arc<[Arc<Profiles>]>);

/// What all grammars of a compiler share.
#[derive(Debug)]
pub(super) struct Lexicon {
    pub(super) vocabulary: Arc<Vocabulary>,
    pub(super) limits: Limits,
    pub(super) overflows: Overflows,
    pub(super) reach: Arc<TokenReach>,
    pub(super) unions: Arc<Unions>,
    known: Mutex<AHashMap<Terminal, Shared>>,
}

impl Lexicon {
    pub(super) fn new(vocabulary: Arc<Vocabulary>, limits: Limits) -> Lexicon {
        let reach = Arc::new(token_reach(&vocabulary));
        Lexicon {
            vocabulary,
            limits,
            overflows: Overflows::default(),
            reach,
            unions: Arc::default(),
            known: Mutex::default(),
        }
    }

    /// The automata of `terminals`, from the shared ones where it pays.
    pub(super) fn terminals(&self, terminals: &[Terminal]) -> Result<Terminals, GrammarError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut automata = Vec::with_capacity(terminals.len());
        let mut profiles = Vec::with_capacity(terminals.len());
        // Literals have nothing to be learnt about: one set of profiles, always empty, serves them all.
        let unused = Arc::new(Profiles::default());
        for terminal in terminals {
            let (automaton, profile) = match terminal {
                Terminal::Literal(_) | Terminal::OneOf(_) | Terminal::Special(_) => {
                    (self.automaton(terminal)?, Arc::clone(&unused))
                }
                _ => match known.get(terminal) {
                    Some((automaton, profile)) => (Arc::clone(automaton), Arc::clone(profile)),
                    None => {
                        let shared = (self.automaton(terminal)?, Arc::new(Profiles::default()));
                        self.make_room(&mut known);
                        known.insert(terminal.clone(), (Arc::clone(&shared.0), Arc::clone(&shared.1)));
                        shared
                    }
                },
            };
            automata.push(automaton);
            profiles.push(profile);
        }
        Ok((automata.into(), profiles.into()))
    }

    fn automaton(&self, terminal: &Terminal) -> Result<Arc<Automaton>, GrammarError> {
        match terminal {
            Terminal::Special(token) => check_special(&self.vocabulary, *token)?,
            // Now, and not with the first mask.
            Terminal::FreeText(_) => _ = self.vocabulary.texts(),
            _ => {}
        }
        Ok(Arc::new(Automaton::new(terminal, &self.limits, &self.overflows)?))
    }

    /// Forgets everything when there is too much; counted only now and then.
    fn make_room(&self, known: &mut AHashMap<Terminal, Shared>) {
        let n_bytes = |known: &AHashMap<Terminal, Shared>| -> usize {
            known.values().map(|(automaton, profiles)| automaton.n_bytes() + profiles.n_bytes()).sum()
        };
        let full = known.len() >= MAX_TERMINALS || known.len() % 64 == 63 && n_bytes(known) > MAX_BYTES;
        if full {
            known.clear();
        }
    }
}

/// Whether a terminal's token is a control token that does not end the output.
pub(super) fn check_special(vocabulary: &Vocabulary, token: TokenId) -> Result<(), GrammarError> {
    match vocabulary.kind(token) {
        TokenKind::Special => Ok(()),
        kind => {
            let name = vocabulary.special_name(token).map_or_else(|| token.to_string(), str::to_owned);
            Err(not_special(name, kind))
        }
    }
}

/// A grammar names a special token, and it is of another kind.
pub(super) fn not_special(name: String, kind: TokenKind) -> GrammarError {
    let reason = match kind {
        TokenKind::Stop => "it ends the output and cannot stand in it",
        TokenKind::Text => "it is a text token of this vocabulary",
        TokenKind::Special | TokenKind::Unused => "the vocabulary has no such token",
    };
    GrammarError::SpecialToken { name, reason }
}
