//! From a grammar and a vocabulary to what matchers share: compile once, cache, use from any thread.

mod cache;
mod compiled;
mod lexicon;
mod source;
mod structure;
mod terminal_cache;

use std::sync::Arc;

use self::cache::GrammarCache;
pub(crate) use self::compiled::SharedGeneration;
pub use self::compiled::{CompiledGrammar, GrammarStats};
use self::lexicon::Lexicon;
pub use self::source::Grammar;
pub use self::structure::{Marker, Structure, Tag, TagCount};
use crate::error::CompileError;
use crate::limits::Limits;
use crate::vocabulary::Vocabulary;

/// Compiles grammars for one vocabulary; shared by threads.
///
/// Holds a bounded cache of what it compiled, and the automata of terminals with everything learnt about them, which all
/// its grammars share.
#[derive(Debug)]
pub struct Compiler {
    lexicon: Arc<Lexicon>,
    cache: GrammarCache,
}

impl Compiler {
    /// With default limits.
    pub fn new(vocabulary: impl Into<Arc<Vocabulary>>) -> Compiler {
        Compiler::builder(vocabulary).build()
    }

    /// With settings.
    pub fn builder(vocabulary: impl Into<Arc<Vocabulary>>) -> CompilerBuilder {
        CompilerBuilder { vocabulary: vocabulary.into(), limits: Limits::default(), cached_grammars: 256 }
    }

    /// The vocabulary.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.lexicon.vocabulary
    }

    /// Compiles `grammar`, or hands out what was compiled for an equal one before.
    ///
    /// # Errors
    /// [`CompileError`] says what is refused, where, and why.
    pub fn compile(&self, grammar: &Grammar) -> Result<Arc<CompiledGrammar>, CompileError> {
        let Some(key) = self.cache.is_enabled().then(|| grammar.cache_key()).flatten() else {
            return self.compile_anew(grammar);
        };
        if let Some(compiled) = self.cache.get(&key) {
            return Ok(compiled);
        }
        let compiled = self.compile_anew(grammar)?;
        self.cache.insert(key, &compiled);
        Ok(compiled)
    }

    fn compile_anew(&self, grammar: &Grammar) -> Result<Arc<CompiledGrammar>, CompileError> {
        Ok(Arc::new(CompiledGrammar::new(Arc::clone(&self.lexicon), grammar.clone())?))
    }
}

/// Settings of a [`Compiler`].
#[derive(Clone, Debug)]
pub struct CompilerBuilder {
    vocabulary: Arc<Vocabulary>,
    limits: Limits,
    cached_grammars: usize,
}

impl CompilerBuilder {
    /// Sets the limits (default: [`Limits::default`]).
    pub fn limits(mut self, limits: Limits) -> CompilerBuilder {
        self.limits = limits;
        self
    }

    /// How many compiled grammars are kept (default 256); 0 keeps none.
    pub fn cached_grammars(mut self, n: usize) -> CompilerBuilder {
        self.cached_grammars = n;
        self
    }

    /// Builds, and tabulates what strings need to know of the vocabulary: some 0.2 s for 200,000 tokens.
    pub fn build(self) -> Compiler {
        self.vocabulary.strings(crate::automata::Escapes::Canonical);
        self.vocabulary.spelled();
        Compiler {
            lexicon: Arc::new(Lexicon::new(self.vocabulary, self.limits)),
            cache: GrammarCache::new(self.cached_grammars),
        }
    }
}
