//! What does every engine do? Compile a schema, then per sequence: fill a mask into the caller's row, take a token.

mod formwork;
#[cfg(feature = "peers")]
mod llguidance;
#[cfg(feature = "outlines")]
mod outlines;

use serde_json::Value;

use crate::vocabulary::BenchVocabulary;

/// An engine with one vocabulary.
pub trait Engine {
    /// Its name on the command line and in results.
    fn name(&self) -> &str;

    /// Refuses a schema that the engine could not compile in bounded time and memory. Not timed.
    ///
    /// # Errors
    /// Why the schema is not compiled.
    fn check(&self, _schema: &Value) -> Result<(), Refusal> {
        Ok(())
    }

    /// Compiles a schema.
    ///
    /// # Errors
    /// Why the engine refuses it.
    fn compile(&self, schema: Value) -> Result<Box<dyn Compiled>, Refusal>;

    /// Lets go of whatever earlier schemas left behind that later ones could profit from.
    fn forget(&mut self) {}
}

/// A schema ready for use.
pub trait Compiled {
    /// A sequence at the start of the text.
    ///
    /// # Errors
    /// The engine's message.
    fn start(&self) -> Result<Box<dyn Sequence>, String>;

    /// What it holds and what its caches did so far.
    fn usage(&self) -> Usage;
}

/// The state of one text.
pub trait Sequence {
    /// Writes the mask into `row`, which is as wide as the vocabulary.
    ///
    /// # Errors
    /// The engine's message; the text cannot go on.
    fn fill(&mut self, row: &mut [u32]) -> Result<(), String>;

    /// Writes what was found last into `row`, where [`fill`](Sequence::fill) left it elsewhere. Not timed.
    fn show(&self, _row: &mut [u32]) {}

    /// Takes a token that is in the mask.
    ///
    /// # Errors
    /// The engine's message; the text cannot go on.
    fn accept(&mut self, token: u32) -> Result<(), String>;
}

/// Why a schema is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What refusals are counted by: a kind and a keyword.
    pub group: String,
    /// The engine's own words.
    pub message: String,
}

/// Figures of one compiled schema; `None` where an engine does not tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Bytes held by the compiled schema and its caches.
    pub bytes: Option<usize>,
    /// Masks taken from a cache.
    pub mask_hits: Option<u64>,
    /// Masks that had to be computed.
    pub mask_misses: Option<u64>,
}

/// The names that [`load`] knows.
pub const ENGINES: [&str; 7] = [
    "formwork",
    "formwork-listed",
    "formwork-row",
    "formwork-borrowed",
    "llguidance",
    "llguidance-unforced",
    "outlines",
];

/// Sets an engine up for a vocabulary. Not timed.
///
/// # Errors
/// When the name is unknown or the engine refuses the vocabulary.
pub fn load(name: &str, vocabulary: &BenchVocabulary) -> Result<Box<dyn Engine>, String> {
    match name {
        _ if name.starts_with("formwork") => Ok(Box::new(formwork::FormworkEngine::new(name, vocabulary)?)),
        #[cfg(feature = "peers")]
        "llguidance" => Ok(Box::new(llguidance::LlguidanceEngine::new(vocabulary, true)?)),
        #[cfg(feature = "peers")]
        "llguidance-unforced" => Ok(Box::new(llguidance::LlguidanceEngine::new(vocabulary, false)?)),
        #[cfg(feature = "outlines")]
        "outlines" => Ok(Box::new(outlines::OutlinesEngine::new(vocabulary)?)),
        other => Err(format!("{other}: not an engine of this build ({})", ENGINES.join(", "))),
    }
}
