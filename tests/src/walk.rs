//! Do the engine and the twin agree along a random walk? Mask by mask, and after every way of moving.

use formwork::{Matcher, TokenId};
use formwork_bench::data::split_mix;

use crate::oracle::Twin;
use crate::vocabulary::SmallVocabulary;

/// Forced bytes compared at most: the engine may stop earlier, the twin need not look further.
const MAX_FORCED: usize = 48;

/// Numbers for the choices of one walk.
#[derive(Clone, Debug)]
struct Dice {
    seed: u64,
    n_thrown: u64,
}

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.n_thrown += 1;
        (split_mix(self.seed, self.n_thrown) % n.max(1) as u64) as usize
    }
}

/// A matcher and its twin at the same place of the same text.
pub struct Walk<'a> {
    vocabulary: &'a SmallVocabulary,
    matcher: Matcher,
    twin: Twin,
    dice: Dice,
    text: Vec<u8>,
    n_compared: usize,
}

impl<'a> Walk<'a> {
    /// Both at the start.
    pub fn new(vocabulary: &'a SmallVocabulary, matcher: Matcher, twin: Twin, seed: u64) -> Walk<'a> {
        Walk { vocabulary, matcher, twin, dice: Dice { seed, n_thrown: 0 }, text: Vec::new(), n_compared: 0 }
    }

    /// Walks up to `n_steps` tokens and checks everything at every place.
    ///
    /// # Panics
    /// Where the two differ; the message holds the text so far.
    pub fn run(&mut self, n_steps: usize) {
        for _ in 0..n_steps {
            let mask = self.check_place();
            self.check_refusals(&mask);
            let allowed = self.allowed(&mask);
            if allowed.is_empty() {
                break;
            }
            let token_idx = allowed[self.dice.below(allowed.len())];
            self.check_detour(&allowed, &mask);
            self.accept(token_idx);
        }
        self.check_stop();
    }

    /// Places at which both masks were compared.
    pub fn n_compared(&self) -> usize {
        self.n_compared
    }

    /// Ids that are allowed, the stop token left out.
    fn allowed(&self, mask: &[bool]) -> Vec<usize> {
        (0..mask.len()).filter(|&id| mask[id] && id != self.vocabulary.stop().index()).collect()
    }

    fn here(&self) -> String {
        format!("after {:?}", String::from_utf8_lossy(&self.text))
    }

    fn engine_mask(&mut self) -> Vec<bool> {
        let n_ids = self.vocabulary.n_ids();
        let mut words = vec![u32::MAX; n_ids.div_ceil(32) + 2];
        self.matcher.fill_mask(&mut words).expect("a small grammar is within limits");
        let bit = |id: usize| words[id / 32] >> (id % 32) & 1 == 1;
        assert!((n_ids..words.len() * 32).all(|id| !bit(id)), "a bit beyond the vocabulary is set {}", self.here());
        (0..n_ids).map(bit).collect()
    }

    /// Masks, filled and borrowed, acceptance, end, and forced text.
    fn check_place(&mut self) -> Vec<bool> {
        let (expected, actual) = (self.twin.mask(), self.engine_mask());
        self.n_compared += 1;
        if expected != actual {
            let differing = |which: bool| -> Vec<String> {
                let ids = (0..expected.len()).filter(|&id| expected[id] != actual[id] && actual[id] == which);
                ids.map(|id| self.token_text(id)).collect()
            };
            panic!("{}: tokens too many {:?}, too few {:?}", self.here(), differing(true), differing(false));
        }
        let borrowed = self.matcher.mask().expect("a small grammar is within limits");
        for (id, allowed) in (0..).map(TokenId::new).zip(&expected) {
            assert_eq!(borrowed.contains(id), *allowed, "borrowed mask, token {id} {}", self.here());
        }
        assert_eq!(borrowed.n_allowed(), expected.iter().filter(|&&allowed| allowed).count(), "{}", self.here());
        assert_eq!(self.matcher.is_accepting(), self.twin.is_accepting(), "is_accepting {}", self.here());
        let can_go_on = !self.allowed(&expected).is_empty() || !self.twin.is_accepting();
        assert!(!(self.matcher.is_finished() && can_go_on), "finished too early {}", self.here());
        self.check_forced();
        expected
    }

    fn token_text(&self, id: usize) -> String {
        match (self.vocabulary.tokens.get(id), self.vocabulary.special_at(id)) {
            (Some(token), _) => String::from_utf8_lossy(token).into_owned(),
            (None, Some(token)) => SmallVocabulary::special_name(token),
            (None, None) => "<stop>".to_owned(),
        }
    }

    fn check_forced(&mut self) {
        let forced = self.matcher.fast_forward_bytes().expect("a small grammar is within limits");
        let expected = self.twin.forced(MAX_FORCED);
        let n_compared = forced.len().min(MAX_FORCED);
        assert_eq!(forced[..n_compared], expected[..n_compared.min(expected.len())], "forced text {}", self.here());
        assert!(forced.len() >= expected.len().min(MAX_FORCED), "forced text is too short {}", self.here());
        if !forced.is_empty() {
            self.matcher.accept_bytes(&forced).expect("forced text is allowed");
            self.matcher.rollback(1).expect("one step was taken");
        }
    }

    /// A token that is not in the mask is refused and changes nothing.
    fn check_refusals(&mut self, mask: &[bool]) {
        let refused: Vec<usize> = (0..mask.len()).filter(|&id| !mask[id]).collect();
        if refused.is_empty() {
            return;
        }
        let id = refused[self.dice.below(refused.len())];
        let result = self.matcher.accept_token(TokenId::new(u32::try_from(id).expect("a small vocabulary")));
        assert!(result.is_err(), "token {:?} was accepted {}", self.token_text(id), self.here());
        assert_eq!(self.engine_mask(), mask, "a refused token changed the state {}", self.here());
    }

    /// A fork goes another way and comes back; the walk does not notice.
    fn check_detour(&mut self, allowed: &[usize], mask: &[bool]) {
        let mut fork = self.matcher.fork();
        let mut twin = self.twin.clone();
        let mut tokens = Vec::new();
        for _ in 0..3 {
            let candidates: Vec<usize> = match tokens.len() {
                0 => allowed.to_vec(),
                _ => self.allowed(&twin.mask()),
            };
            if candidates.is_empty() {
                break;
            }
            let id = candidates[self.dice.below(candidates.len())];
            assert!(twin.accept(id), "the twin's mask is true");
            tokens.push(TokenId::new(u32::try_from(id).expect("a small vocabulary")));
        }
        let n_tokens = tokens.len();
        tokens.push(TokenId::new(u32::try_from(self.dice.below(mask.len())).expect("a small vocabulary")));
        let last = tokens[n_tokens].index();
        let expected = n_tokens + usize::from(twin.mask()[last]);
        assert_eq!(self.matcher.count_acceptable(&tokens).ok(), Some(expected), "count_acceptable {}", self.here());
        for &token in &tokens[..n_tokens] {
            fork.accept_token(token).expect("the twin accepts it");
        }
        assert_eq!(fork.is_accepting(), twin.is_accepting(), "fork {}", self.here());
        fork.rollback(n_tokens).expect("as many steps were taken");
        std::mem::swap(&mut fork, &mut self.matcher);
        assert_eq!(self.engine_mask(), mask, "rollback did not restore the mask {}", self.here());
        std::mem::swap(&mut fork, &mut self.matcher);
    }

    fn accept(&mut self, token_idx: usize) {
        let token = TokenId::new(u32::try_from(token_idx).expect("a small vocabulary"));
        self.matcher.accept_token(token).unwrap_or_else(|error| panic!("{error} {}", self.here()));
        assert!(self.twin.accept(token_idx), "the twin's mask is true");
        self.text.extend_from_slice(self.token_text(token_idx).as_bytes());
    }

    /// A stop token ends the text where it is complete, and rolls back like any other.
    fn check_stop(&mut self) {
        let stop = self.vocabulary.stop();
        let can_stop = self.twin.is_accepting();
        assert_eq!(self.matcher.accept_token(stop).is_ok(), can_stop, "stop token {}", self.here());
        if can_stop {
            assert!(self.matcher.is_stopped() && self.matcher.is_finished(), "{}", self.here());
            self.matcher.rollback(1).expect("the stop token was taken");
            assert!(!self.matcher.is_stopped(), "{}", self.here());
            self.check_place();
        }
    }
}
