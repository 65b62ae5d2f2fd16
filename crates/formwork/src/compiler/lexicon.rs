//! Which automata are there already? Terminals shared by all grammars of a compiler.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::terminal_cache::{Shared, TerminalCache};
use crate::automata::{Automaton, StringSpec, Terminal};
use crate::error::GrammarError;
use crate::ids::TokenId;
use crate::limits::Limits;
use crate::mask::{Lists, Profiles, Unions, token_reach};
use crate::parser::TokenReach;
use crate::vocabulary::{TokenKind, Vocabulary};

/// Automata and profiles, by terminal.
pub(super) type Terminals = (Arc<[Arc<Automaton>]>, Arc<[Arc<Profiles>]>);

/// What all grammars of a compiler share.
#[derive(Debug)]
pub(super) struct Lexicon {
    pub(super) vocabulary: Arc<Vocabulary>,
    pub(super) limits: Limits,
    pub(super) reach: Arc<TokenReach>,
    pub(super) unions: Arc<Unions>,
    pub(super) lists: Arc<Lists>,
    known: Mutex<TerminalCache>,
}

impl Lexicon {
    pub(super) fn new(vocabulary: Arc<Vocabulary>, limits: Limits) -> Lexicon {
        let reach = Arc::new(token_reach(&vocabulary));
        Lexicon { vocabulary, limits, reach, unions: Arc::default(), lists: Arc::default(), known: Mutex::default() }
    }

    /// The automata of `terminals`, from the shared ones where it pays.
    pub(super) fn terminals(&self, terminals: &[Terminal]) -> Result<Terminals, GrammarError> {
        // Literals have nothing to be learnt about: one set of profiles, always empty, serves them all.
        let unused = Arc::new(Profiles::default());
        let mut all: Vec<Option<Shared>> = Vec::with_capacity(terminals.len());
        let mut known = self.known();
        for terminal in terminals {
            all.push(match terminal {
                Terminal::Literal(_) | Terminal::OneOf(_) | Terminal::Special(_) => {
                    Some((self.automaton(terminal)?, Arc::clone(&unused)))
                }
                _ => known.get(terminal),
            });
        }
        // Others need not wait while automata are made.
        drop(known);
        let (mut automata, mut profiles) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
        for (terminal, shared) in terminals.iter().zip(all) {
            let (automaton, of_automaton) = match shared {
                Some(shared) => shared,
                None => self.shared(terminal)?,
            };
            automata.push(automaton);
            profiles.push(of_automaton);
        }
        Ok((automata.into(), profiles.into()))
    }

    fn known(&self) -> MutexGuard<'_, TerminalCache> {
        // Every change leaves the cache whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn automaton(&self, terminal: &Terminal) -> Result<Arc<Automaton>, GrammarError> {
        match terminal {
            Terminal::Special(token) => check_special(&self.vocabulary, *token)?,
            // Now, and not with the first mask.
            Terminal::FreeText(_) => _ = self.vocabulary.texts(),
            _ => {}
        }
        Ok(Arc::new(Automaton::new(terminal, &self.limits)?))
    }

    /// The automaton of a terminal that is not there yet, and what will be known of it.
    fn make(&self, terminal: &Terminal) -> Result<Shared, GrammarError> {
        if let Terminal::String(spec) = terminal
            && spec.is_bounded()
            && !spec.content.is_empty()
        {
            // Strings that differ in their bounds share the automaton of their content.
            let content = StringSpec { min_chars: 0, max_chars: None, ..(**spec).clone() };
            let (content, profiles) = self.shared(&Terminal::String(content.into()))?;
            if let Automaton::String(content) = &*content {
                let automaton = content.with_bounds(spec, &self.limits)?;
                let shares = automaton.shares_content_with(content);
                let profiles = if shares { Profiles::beside(profiles) } else { Profiles::default() };
                return Ok((Arc::new(Automaton::String(automaton)), Arc::new(profiles)));
            }
        }
        Ok((self.automaton(terminal)?, Arc::default()))
    }

    /// The automaton of a terminal and what is known of it, made where it is not there.
    fn shared(&self, terminal: &Terminal) -> Result<Shared, GrammarError> {
        let known = self.known().get(terminal);
        match known {
            Some(shared) => Ok(shared),
            None => {
                let made = self.make(terminal)?;
                Ok(self.known().insert(terminal.clone(), made))
            }
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
