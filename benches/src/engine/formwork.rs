//! Formwork behind the harness's interface: one compiler without a grammar cache, default options but for the order of keys.

use std::sync::Arc;

use formwork::grammar::KeyOrder;
use formwork::json_schema::SchemaOptions;
use formwork::{CompileError, CompiledGrammar, Compiler, Grammar, Matcher, TokenId, Violation, Vocabulary};
use serde_json::Value;

use super::{Compiled, Engine, Refusal, Sequence, Usage};
use crate::vocabulary::BenchVocabulary;

pub(super) struct FormworkEngine {
    name: &'static str,
    compiler: Compiler,
    key_order: KeyOrder,
}

impl FormworkEngine {
    /// Instances come in the order in which somebody wrote them, so `formwork` takes keys in any order;
    /// `formwork-listed` takes them as the schema lists them.
    pub(super) fn new(vocabulary: &BenchVocabulary, key_order: KeyOrder) -> Result<FormworkEngine, String> {
        let vocabulary = vocabulary.to_formwork().map_err(|error| error.to_string())?;
        let name = if key_order == KeyOrder::Any { "formwork" } else { "formwork-listed" };
        Ok(FormworkEngine { name, compiler: compiler(Arc::new(vocabulary)), key_order })
    }
}

fn compiler(vocabulary: Arc<Vocabulary>) -> Compiler {
    Compiler::builder(vocabulary).cached_grammars(0).build()
}

impl Engine for FormworkEngine {
    fn name(&self) -> &str {
        self.name
    }

    fn compile(&self, schema: Value) -> Result<Box<dyn Compiled>, Refusal> {
        let options = SchemaOptions { key_order: self.key_order, ..SchemaOptions::default() };
        let grammar = Grammar::json_schema(schema).with_options(options);
        let grammar = self.compiler.compile(&grammar).map_err(|error| refusal(&error))?;
        Ok(Box::new(FormworkCompiled { grammar }))
    }

    /// A new compiler has no automata of terminals yet.
    fn forget(&mut self) {
        self.compiler = compiler(Arc::clone(self.compiler.vocabulary()));
    }
}

fn refusal(error: &CompileError) -> Refusal {
    let group = match error {
        CompileError::Schema(schema) => schema.violations().first().map_or_else(|| "schema".to_owned(), group_of),
        CompileError::Grammar(grammar) => format!("grammar: {grammar}"),
        other => other.to_string(),
    };
    Refusal { group, message: error.to_string() }
}

fn group_of(violation: &Violation) -> String {
    let kind = format!("{:?}", violation.kind).to_lowercase();
    match &violation.keyword {
        Some(keyword) => format!("{kind}: {keyword}"),
        None => format!("{kind}: {}", violation.reason),
    }
}

struct FormworkCompiled {
    grammar: Arc<CompiledGrammar>,
}

impl Compiled for FormworkCompiled {
    fn start(&self) -> Result<Box<dyn Sequence>, String> {
        Ok(Box::new(FormworkSequence { matcher: self.grammar.matcher() }))
    }

    fn usage(&self) -> Usage {
        let stats = self.grammar.stats();
        Usage { bytes: Some(stats.bytes), mask_hits: Some(stats.mask_hits), mask_misses: Some(stats.mask_misses) }
    }
}

struct FormworkSequence {
    matcher: Matcher,
}

impl Sequence for FormworkSequence {
    fn fill(&mut self, row: &mut [u32]) -> Result<(), String> {
        self.matcher.fill_mask(row).map_err(|error| error.to_string())
    }

    fn accept(&mut self, token: u32) -> Result<(), String> {
        self.matcher.accept_token(TokenId::new(token)).map_err(|error| error.to_string())
    }
}
