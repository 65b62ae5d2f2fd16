//! Do the engine's masks agree with the texts? Along random walks, or at every prefix.

use std::sync::Arc;

use formwork::{CompiledGrammar, MatchError, Matcher, TokenId};

use super::dice::Dice;
use super::texts::{Prefix, Texts};
use crate::vocabulary::SmallVocabulary;

/// How a comparison ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The engine met a limit: it gave no answer, and no wrong one.
    Limit(String),
    /// The engine is wrong.
    Wrong(String),
}

/// A compiled schema beside the texts that it should have.
pub struct Comparison<'a> {
    vocabulary: &'a SmallVocabulary,
    texts: &'a Texts,
    compiled: &'a Arc<CompiledGrammar>,
    /// Masks compared so far.
    pub n_pairs: usize,
}

/// A place in a text.
struct Place {
    matcher: Matcher,
    prefix: Prefix,
    text: Vec<u8>,
}

impl Place {
    fn wrong(&self, what: &str) -> Difference {
        Difference::Wrong(format!("after {:?}: {what}", String::from_utf8_lossy(&self.text)))
    }

    fn fault(&self, error: &MatchError) -> Difference {
        match error {
            MatchError::Limit(limit) => Difference::Limit(limit.to_string()),
            other => self.wrong(&other.to_string()),
        }
    }
}

fn token_at(id: usize) -> TokenId {
    TokenId::new(u32::try_from(id).unwrap_or(u32::MAX))
}

impl<'a> Comparison<'a> {
    /// Nothing compared yet.
    pub fn new(
        vocabulary: &'a SmallVocabulary,
        texts: &'a Texts,
        compiled: &'a Arc<CompiledGrammar>,
    ) -> Comparison<'a> {
        Comparison { vocabulary, texts, compiled, n_pairs: 0 }
    }

    fn start(&self) -> Place {
        Place { matcher: self.compiled.matcher(), prefix: self.texts.start(), text: Vec::new() }
    }

    /// One text from its start to its end, by random tokens.
    ///
    /// # Errors
    /// Where the two differ.
    pub fn walk(&mut self, dice: &mut Dice) -> Result<(), Difference> {
        let mut place = self.start();
        loop {
            let mask = self.check_mask(&mut place)?;
            self.check_refusal(&mut place, &mask, dice)?;
            let allowed: Vec<usize> = (0..self.vocabulary.tokens.len()).filter(|id| mask[*id]).collect();
            if allowed.is_empty() {
                break;
            }
            let detour = *dice.pick(&allowed);
            self.check_detour(&place, detour, &mask)?;
            let chosen = *dice.pick(&allowed);
            self.accept(&mut place, chosen)?;
        }
        match place.matcher.accept_token(self.vocabulary.stop()) {
            Ok(()) if place.matcher.is_finished() => Ok(()),
            _ => Err(place.wrong("the stop token does not end it")),
        }
    }

    /// Every prefix that tokens lead to, the shortest first, up to `max_pairs`.
    ///
    /// # Errors
    /// Where the two differ.
    pub fn everywhere(&mut self, max_pairs: usize) -> Result<(), Difference> {
        let mut open = std::collections::VecDeque::from([self.start()]);
        let mut seen = std::collections::BTreeSet::new();
        let mut n_pairs = 0;
        while let Some(mut place) = open.pop_front() {
            let mask = self.check_mask(&mut place)?;
            n_pairs += 1;
            if n_pairs >= max_pairs {
                break;
            }
            for id in (0..self.vocabulary.tokens.len()).filter(|id| mask[*id]) {
                let mut text = place.text.clone();
                text.extend_from_slice(&self.vocabulary.tokens[id]);
                if seen.insert(text) {
                    let mut next = Place { matcher: place.matcher.fork(), text: place.text.clone(), ..place };
                    self.accept(&mut next, id)?;
                    open.push_back(next);
                }
            }
        }
        Ok(())
    }

    /// Whether the engine accepts a text as a whole.
    ///
    /// # Errors
    /// When it met a limit.
    pub fn accepts(&self, text: &[u8]) -> Result<bool, Difference> {
        let mut matcher = self.compiled.matcher();
        match matcher.accept_bytes(text) {
            Ok(()) => Ok(matcher.is_accepting()),
            Err(MatchError::Limit(limit)) => Err(Difference::Limit(limit.to_string())),
            Err(_) => Ok(false),
        }
    }

    fn check_mask(&mut self, place: &mut Place) -> Result<Vec<bool>, Difference> {
        let expected = self.texts.mask(place.prefix, self.vocabulary);
        let mut words = vec![u32::MAX; expected.len().div_ceil(32)];
        place.matcher.fill_mask(&mut words).map_err(|error| place.fault(&error))?;
        let actual = |id: usize| words[id / 32] >> (id % 32) & 1 == 1;
        self.n_pairs += 1;
        let differing = |which: bool| -> Vec<String> {
            let ids = (0..expected.len()).filter(|&id| expected[id] != actual(id) && actual(id) == which);
            ids.map(|id| self.name(id)).collect()
        };
        let (too_many, too_few) = (differing(true), differing(false));
        if !too_many.is_empty() || !too_few.is_empty() {
            return Err(place.wrong(&format!("tokens too many {too_many:?}, too few {too_few:?}")));
        }
        if place.matcher.is_accepting() != self.texts.is_whole(place.prefix) {
            return Err(place.wrong("is_accepting is not the mask's stop token"));
        }
        let can_go_on = expected[..self.vocabulary.tokens.len()].contains(&true);
        if place.matcher.is_finished() && can_go_on {
            return Err(place.wrong("finished too early"));
        }
        Ok(expected)
    }

    fn name(&self, id: usize) -> String {
        let token = self.vocabulary.tokens.get(id);
        token.map_or_else(|| "<stop>".to_owned(), |token| String::from_utf8_lossy(token).into_owned())
    }

    /// A token outside the mask is refused.
    fn check_refusal(&self, place: &mut Place, mask: &[bool], dice: &mut Dice) -> Result<(), Difference> {
        let refused: Vec<usize> = (0..mask.len()).filter(|id| !mask[*id]).collect();
        if refused.is_empty() {
            return Ok(());
        }
        let id = *dice.pick(&refused);
        match place.matcher.accept_token(token_at(id)) {
            Ok(()) => Err(place.wrong(&format!("token {:?} was accepted", self.name(id)))),
            Err(error @ MatchError::Limit(_)) => Err(place.fault(&error)),
            Err(_) => Ok(()),
        }
    }

    /// One step on a fork, and back.
    fn check_detour(&self, place: &Place, id: usize, mask: &[bool]) -> Result<(), Difference> {
        let mut fork = place.matcher.fork();
        fork.accept_token(token_at(id)).map_err(|error| place.fault(&error))?;
        fork.rollback(1).map_err(|error| place.fault(&error))?;
        let mut words = vec![0; mask.len().div_ceil(32)];
        fork.fill_mask(&mut words).map_err(|error| place.fault(&error))?;
        let agrees = mask.iter().enumerate().all(|(id, allowed)| (words[id / 32] >> (id % 32) & 1 == 1) == *allowed);
        if agrees { Ok(()) } else { Err(place.wrong("a step and a rollback change the mask")) }
    }

    fn accept(&self, place: &mut Place, id: usize) -> Result<(), Difference> {
        place.matcher.accept_token(token_at(id)).map_err(|error| place.fault(&error))?;
        let token = &self.vocabulary.tokens[id];
        place.prefix = self.texts.after(place.prefix, token).ok_or_else(|| place.wrong("no text goes on"))?;
        place.text.extend_from_slice(token);
        Ok(())
    }
}
