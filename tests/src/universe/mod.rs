//! Is the engine exact for every keyword? Random schemas on finite universes of documents, judged one by one.
//!
//! A universe is a small set of documents with a schema that describes it. A random schema is joined to it by `allOf`, so
//! that its language can be written down: the slow validator of this package judges each document, and the texts of the
//! valid ones are the language. Every mask is compared with what these texts say. The complement of the schema is tried
//! as well: each document is in one of the two.

mod compare;
mod counts;
mod dice;
mod domain;
mod schemas;
mod shrink;
mod texts;
mod trial;

pub use self::compare::{Comparison, Difference};
pub use self::counts::Counts;
pub use self::dice::Dice;
pub use self::domain::Domain;
pub use self::schemas::RandomSchema;
pub use self::shrink::shrink;
pub use self::texts::{Texts, spellings};
pub use self::trial::{Failure, Outcome, Trial};

use self::domain::Kinds;
use formwork::Compiler;
use formwork::grammar::KeyOrder;
use serde_json::Value;

use crate::vocabulary::SmallVocabulary;

/// How large a universe may be, and how much of it is compared.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Documents of one universe.
    pub max_documents: usize,
    /// Texts of all documents, in every order of keys.
    pub max_texts: usize,
    /// Random texts walked for each schema.
    pub n_walks: usize,
    /// Whether there are objects whose keys are a class of words that the schema does not list.
    pub has_maps: bool,
}

impl Size {
    /// For a debug build.
    pub const SMALL: Size = Size { max_documents: 250, max_texts: 1_200, n_walks: 2, has_maps: true };
    /// For a release build.
    pub const LARGE: Size = Size { max_documents: 4_000, max_texts: 20_000, n_walks: 4, has_maps: true };
}

/// Tokens of several bytes in a vocabulary.
const N_LONG_TOKENS: usize = 90;

/// A finite set of documents, and what masks over their texts need.
pub struct Universe {
    /// The documents.
    pub domain: Domain,
    /// All of them.
    pub documents: Vec<Value>,
    /// Whether keys may be written in any order, or as the universe's schema lists them.
    pub key_order: KeyOrder,
    /// Pieces of the texts.
    pub vocabulary: SmallVocabulary,
    /// For that vocabulary.
    pub compiler: Compiler,
    size: Size,
}

impl Universe {
    /// A random universe.
    pub fn draw(dice: &mut Dice, size: Size) -> Universe {
        let key_order = if dice.one_in(4) { KeyOrder::Listed } else { KeyOrder::Any };
        let kinds = match key_order {
            KeyOrder::Any if size.has_maps => Kinds::All,
            _ if size.has_maps => Kinds::Mixed,
            _ => Kinds::Listed,
        };
        loop {
            let domain = domain::random(dice, size.max_documents, kinds);
            if let Some(universe) = Universe::new(domain, key_order, size, dice) {
                return universe;
            }
        }
    }

    /// The universe of a domain's documents; `None` where it is too large.
    pub fn new(domain: Domain, key_order: KeyOrder, size: Size, dice: &mut Dice) -> Option<Universe> {
        let documents = domain.documents(size.max_documents)?;
        let texts = Texts::of(&documents, key_order == KeyOrder::Any, size.max_texts)?;
        let vocabulary = vocabulary(&texts, dice);
        let compiler = Compiler::builder(vocabulary.to_formwork()).cached_grammars(0).build();
        Some(Universe { domain, documents, key_order, vocabulary, compiler, size })
    }

    /// The same with a new compiler and with some of the tokens.
    fn with_tokens(&self, is_kept: impl Fn(usize) -> bool) -> Universe {
        let tokens = self.vocabulary.tokens.iter().enumerate().filter(|(id, _)| is_kept(*id));
        let vocabulary = SmallVocabulary { tokens: tokens.map(|(_, token)| token.clone()).collect(), n_special: 0 };
        let compiler = Compiler::builder(vocabulary.to_formwork()).cached_grammars(0).build();
        let (domain, documents) = (self.domain.clone(), self.documents.clone());
        Universe { domain, documents, vocabulary, compiler, ..*self }
    }

    /// Another domain with the same tokens.
    fn with_domain(&self, domain: Domain) -> Option<Universe> {
        let documents = domain.documents(self.size.max_documents)?;
        Some(Universe { domain, documents, ..self.with_tokens(|_| true) })
    }

    /// The tokens of more than one byte.
    pub fn long_tokens(&self) -> Vec<String> {
        let long = self.vocabulary.tokens.iter().filter(|token| token.len() > 1);
        long.map(|token| String::from_utf8_lossy(token).into_owned()).collect()
    }
}

/// Single bytes of the texts and some others, pieces of texts, and pieces of two texts put together.
fn vocabulary(texts: &Texts, dice: &mut Dice) -> SmallVocabulary {
    let mut singles: Vec<u8> = texts.all().concat();
    singles.extend(b"\"{}[],:ab019-.eE tfn");
    singles.sort_unstable();
    singles.dedup();
    let mut tokens: Vec<Vec<u8>> = singles.into_iter().map(|byte| vec![byte]).collect();
    let piece = |dice: &mut Dice| -> Vec<u8> {
        let text = dice.pick(texts.all());
        let start = dice.below(text.len());
        text[start..].iter().take(2 + dice.below(7)).copied().collect()
    };
    for _ in 0..N_LONG_TOKENS {
        let mut token = piece(dice);
        if dice.one_in(4) {
            token.extend(piece(dice));
        }
        tokens.push(token);
    }
    SmallVocabulary { tokens, n_special: 0 }
}
