//! Formwork behind the harness's interface: one compiler without a grammar cache, default options but for the order of keys.

use std::sync::Arc;

use formwork::grammar::KeyOrder;
use formwork::json_schema::SchemaOptions;
use formwork::{
    CompileError, CompiledGrammar, Compiler, Grammar, MaskRow, Matcher, TokenId, TokenMask, Violation, Vocabulary,
};
use serde_json::Value;

use super::{Compiled, Engine, Refusal, Sequence, Usage};
use crate::vocabulary::BenchVocabulary;

pub(super) struct FormworkEngine {
    name: String,
    compiler: Compiler,
    key_order: KeyOrder,
    filling: Filling,
}

/// Where a mask goes.
#[derive(Clone, Copy, Debug)]
enum Filling {
    /// Into the harness's row.
    Copied,
    /// Into a row of the sequence that remembers what it holds.
    Remembered,
    /// Nowhere: it is handed out as it is kept.
    Borrowed,
}

impl FormworkEngine {
    /// Instances come in the order in which somebody wrote them, so `formwork` takes keys in any order;
    /// `formwork-listed` takes them as the schema lists them. `formwork-row` and `formwork-borrowed` are `formwork` with
    /// masks filled into a row that remembers what it holds, and not filled into any.
    pub(super) fn new(name: &str, vocabulary: &BenchVocabulary) -> Result<FormworkEngine, String> {
        let (key_order, filling) = match name {
            "formwork" => (KeyOrder::Any, Filling::Copied),
            "formwork-listed" => (KeyOrder::Listed, Filling::Copied),
            "formwork-row" => (KeyOrder::Any, Filling::Remembered),
            "formwork-borrowed" => (KeyOrder::Any, Filling::Borrowed),
            other => return Err(format!("{other}: not an engine")),
        };
        let vocabulary = vocabulary.to_formwork().map_err(|error| error.to_string())?;
        Ok(FormworkEngine { name: name.to_owned(), compiler: compiler(Arc::new(vocabulary)), key_order, filling })
    }
}

fn compiler(vocabulary: Arc<Vocabulary>) -> Compiler {
    Compiler::builder(vocabulary).cached_grammars(0).build()
}

impl Engine for FormworkEngine {
    fn name(&self) -> &str {
        &self.name
    }

    fn compile(&self, schema: Value) -> Result<Box<dyn Compiled>, Refusal> {
        let options = SchemaOptions { key_order: self.key_order, ..SchemaOptions::default() };
        let grammar = Grammar::json_schema(schema).with_options(options);
        let grammar = self.compiler.compile(&grammar).map_err(|error| refusal(&error))?;
        Ok(Box::new(FormworkCompiled { grammar, filling: self.filling }))
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
    filling: Filling,
}

impl Compiled for FormworkCompiled {
    fn start(&self) -> Result<Box<dyn Sequence>, String> {
        let matcher = self.grammar.matcher();
        Ok(match self.filling {
            Filling::Copied => Box::new(Copied { matcher }),
            Filling::Remembered => {
                let row = MaskRow::new(self.grammar.vocabulary().mask_words());
                Box::new(Remembered { matcher, row })
            }
            Filling::Borrowed => Box::new(Borrowed { matcher, mask: None }),
        })
    }

    fn usage(&self) -> Usage {
        let stats = self.grammar.stats();
        Usage { bytes: Some(stats.bytes), mask_hits: Some(stats.mask_hits), mask_misses: Some(stats.mask_misses) }
    }
}

struct Copied {
    matcher: Matcher,
}

impl Sequence for Copied {
    fn fill(&mut self, row: &mut [u32]) -> Result<(), String> {
        self.matcher.fill_mask(row).map_err(|error| error.to_string())
    }

    fn accept(&mut self, token: u32) -> Result<(), String> {
        accept(&mut self.matcher, token)
    }
}

struct Remembered {
    matcher: Matcher,
    row: MaskRow,
}

impl Sequence for Remembered {
    fn fill(&mut self, _row: &mut [u32]) -> Result<(), String> {
        self.matcher.fill_row(&mut self.row).map_err(|error| error.to_string())
    }

    fn show(&self, row: &mut [u32]) {
        row.copy_from_slice(self.row.words());
    }

    fn accept(&mut self, token: u32) -> Result<(), String> {
        accept(&mut self.matcher, token)
    }
}

struct Borrowed {
    matcher: Matcher,
    mask: Option<TokenMask>,
}

impl Sequence for Borrowed {
    fn fill(&mut self, _row: &mut [u32]) -> Result<(), String> {
        self.mask = Some(self.matcher.mask().map_err(|error| error.to_string())?);
        Ok(())
    }

    fn show(&self, row: &mut [u32]) {
        if let Some(mask) = &self.mask {
            mask.write_to(row);
        }
    }

    fn accept(&mut self, token: u32) -> Result<(), String> {
        accept(&mut self.matcher, token)
    }
}

fn accept(matcher: &mut Matcher, token: u32) -> Result<(), String> {
    matcher.accept_token(TokenId::new(token)).map_err(|error| error.to_string())
}
