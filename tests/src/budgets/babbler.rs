//! What does a model look like that never wants to end? One that likes what goes on for longest, and one that likes anything.

use std::sync::Arc;

use formwork::{TokenId, TokenKind, TokenMask, Vocabulary};
use formwork_bench::data::split_mix;
use formwork_decode::{Backend, BackendError, Logits};

/// What a model likes most among the tokens that it may choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What opens something, then what is long, and what closes or stops last.
    Longest,
    /// Any, by this seed.
    Random(u64),
}

/// The likes of models over one vocabulary.
pub struct Babbler {
    /// By rank, for [`Wish::Longest`].
    preferred: Arc<[u32]>,
    /// By token.
    ranks: Arc<[u32]>,
}

/// Fewer tokens are looked at one by one; of more, one that is liked is found soon.
const FEW: usize = 4_096;

impl Babbler {
    /// Ranks the tokens of a vocabulary.
    pub fn new(vocabulary: &Vocabulary) -> Babbler {
        let n_ids = u32::try_from(vocabulary.len()).unwrap_or(u32::MAX);
        let mut preferred: Vec<u32> = (0..n_ids).collect();
        preferred.sort_by_cached_key(|id| {
            let token = TokenId::new(*id);
            let bytes = vocabulary.token_bytes(token).unwrap_or_default();
            let closes = bytes.iter().any(|byte| b"\"]}".contains(byte));
            let opens = bytes.iter().any(|byte| b"[{".contains(byte));
            let stops = vocabulary.kind(token) != TokenKind::Text;
            (stops, closes && !opens, !opens, usize::MAX - bytes.len())
        });
        let mut ranks = vec![0; preferred.len()];
        for (rank, id) in (0..).zip(&preferred) {
            ranks[*id as usize] = rank;
        }
        Babbler { preferred: preferred.into(), ranks: ranks.into() }
    }

    /// A model with room for so many tokens.
    pub fn backend(&self, wish: Wish, context_length: usize) -> impl Backend + use<> {
        let Babbler { preferred, ranks } = self;
        Model { preferred: preferred.clone(), ranks: ranks.clone(), wish, context_length, cached: Vec::new() }
    }
}

struct Model {
    preferred: Arc<[u32]>,
    ranks: Arc<[u32]>,
    wish: Wish,
    context_length: usize,
    cached: Vec<TokenId>,
}

impl Backend for Model {
    fn forward(&mut self, tokens: &[TokenId]) -> Result<Box<dyn Logits>, BackendError> {
        self.check_pass(tokens)?;
        self.cached.extend_from_slice(tokens);
        let wish = match self.wish {
            Wish::Longest => Wish::Longest,
            Wish::Random(seed) => Wish::Random(split_mix(seed, self.cached.len() as u64)),
        };
        let Model { preferred, ranks, .. } = self;
        Ok(Box::new(Likes { preferred: preferred.clone(), ranks: ranks.clone(), wish, mask: None }))
    }

    fn cached(&self) -> &[TokenId] {
        &self.cached
    }

    fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        self.cached.truncate(n_positions);
        Ok(())
    }

    fn logits_width(&self) -> usize {
        self.ranks.len()
    }

    fn context_length(&self) -> usize {
        self.context_length
    }
}

/// Logits that are known by their order alone: only greedy choice is asked of them.
struct Likes {
    preferred: Arc<[u32]>,
    ranks: Arc<[u32]>,
    wish: Wish,
    mask: Option<TokenMask>,
}

impl Logits for Likes {
    fn width(&self) -> usize {
        self.ranks.len()
    }

    fn apply_mask(&mut self, mask: &TokenMask) -> Result<usize, BackendError> {
        self.mask = Some(mask.clone());
        Ok(0)
    }

    fn argmax(&mut self) -> Result<Option<TokenId>, BackendError> {
        let Some(mask) = &self.mask else { return Ok(self.preferred.first().map(|id| TokenId::new(*id))) };
        let rank = |token: TokenId| match self.wish {
            Wish::Longest => u64::from(self.ranks[token.index()]),
            Wish::Random(seed) => split_mix(seed, token.get().into()),
        };
        let nth = |n: usize| match self.wish {
            Wish::Longest => self.preferred[n],
            Wish::Random(seed) => self.preferred[split_mix(!seed, n as u64) as usize % self.preferred.len()],
        };
        let n_tried = if mask.n_allowed() < FEW { 0 } else { self.preferred.len() };
        let mut tried = (0..n_tried).map(|n| TokenId::new(nth(n)));
        let found = tried.find(|token| mask.contains(*token));
        Ok(found.or_else(|| allowed(mask).filter(|token| token.index() < self.ranks.len()).min_by_key(|it| rank(*it))))
    }

    fn copy_to(&mut self, out: &mut Vec<f32>) -> Result<(), BackendError> {
        out.clear();
        out.resize(self.ranks.len(), f32::NEG_INFINITY);
        if let Some(token) = self.argmax()? {
            out[token.index()] = 0.0;
        }
        Ok(())
    }
}

/// The tokens of a mask, from its row.
fn allowed(mask: &TokenMask) -> impl Iterator<Item = TokenId> {
    let mut words = vec![0; mask.n_words()];
    mask.write_to(&mut words);
    let bits = |word: u32| (0..u32::BITS).filter(move |bit| word >> bit & 1 == 1);
    (0..)
        .zip(words)
        .filter(|(_, word)| *word != 0)
        .flat_map(move |(at, word)| bits(word).map(move |bit| TokenId::new(at * u32::BITS + bit)))
}
