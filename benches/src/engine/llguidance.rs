//! llguidance behind the harness's interface, set up as its own benchmark tool (`json_stats`) does: JSON slices on, no
//! inference capabilities, quiet logs, default limits, default JSON options.

use std::sync::Arc;

use llguidance::api::TopLevelGrammar;
use llguidance::earley::SlicedBiasComputer;
use llguidance::{Matcher, ParserFactory, TokenParser};
use serde_json::Value;
use toktrie::{InferenceCapabilities, TokEnv, TokRxInfo, TokTrie, TokenizerEnv};

use super::{Compiled, Engine, Refusal, Sequence, Usage};
use crate::vocabulary::{BenchVocabulary, Encode, Entry};

/// How much of a message names its group: enough for the kind, too little for a schema's own names.
const GROUP_CHARS: usize = 60;

pub(super) struct LlguidanceEngine {
    name: &'static str,
    factory: ParserFactory,
}

impl LlguidanceEngine {
    /// `is_canonical` says that the encoder is the tokenizer's own; llguidance then forces tokens where the text is
    /// forced, as it does in production, and its masks hold one token there. Without, every token that fits is in the mask.
    pub(super) fn new(vocabulary: &BenchVocabulary, is_canonical: bool) -> Result<LlguidanceEngine, String> {
        let env: TokEnv = Arc::new(BenchTokenizer::new(vocabulary, is_canonical)?);
        let capabilities =
            InferenceCapabilities { ff_tokens: false, backtrack: false, conditional_ff_tokens: false, fork: false };
        let mut factory = ParserFactory::new(&env, capabilities, &SlicedBiasComputer::json_slices())
            .map_err(|error| error.to_string())?;
        factory.quiet();
        Ok(LlguidanceEngine { name: if is_canonical { "llguidance" } else { "llguidance-unforced" }, factory })
    }
}

impl Engine for LlguidanceEngine {
    fn name(&self) -> &str {
        self.name
    }

    fn compile(&self, schema: Value) -> Result<Box<dyn Compiled>, Refusal> {
        match self.factory.create_parser(TopLevelGrammar::from_json_schema(schema)) {
            Ok(parser) => Ok(Box::new(LlguidanceCompiled { parser })),
            Err(error) => Err(refusal(&error.to_string())),
        }
    }
}

fn refusal(message: &str) -> Refusal {
    let first_line = message.lines().next().unwrap_or_default();
    let without_names: String = first_line.split_inclusive(['"', '\'']).step_by(2).collect();
    let group = if first_line.contains("nimplemented key") { first_line.to_owned() } else { without_names };
    Refusal { group: group.chars().take(GROUP_CHARS).collect(), message: message.chars().take(500).collect() }
}

struct LlguidanceCompiled {
    parser: TokenParser,
}

impl Compiled for LlguidanceCompiled {
    /// A plain clone shares the lexer's states with all sequences of the schema, as our caches are shared.
    fn start(&self) -> Result<Box<dyn Sequence>, String> {
        Ok(Box::new(LlguidanceSequence { matcher: Matcher::new(Ok(self.parser.clone())) }))
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

struct LlguidanceSequence {
    matcher: Matcher,
}

impl Sequence for LlguidanceSequence {
    fn fill(&mut self, row: &mut [u32]) -> Result<(), String> {
        let mask = self.matcher.compute_mask_or_eos().map_err(|error| error.to_string())?;
        row.copy_from_slice(&mask.as_slice()[..row.len()]);
        Ok(())
    }

    fn accept(&mut self, token: u32) -> Result<(), String> {
        self.matcher.consume_token(token).map_err(|error| error.to_string())
    }
}

/// The harness's vocabulary as llguidance wants it.
struct BenchTokenizer {
    trie: TokTrie,
    encode: Encode,
    is_canonical: bool,
}

impl BenchTokenizer {
    fn new(vocabulary: &BenchVocabulary, is_canonical: bool) -> Result<BenchTokenizer, String> {
        let n_ids = u32::try_from(vocabulary.entries.len()).map_err(|error| error.to_string())?;
        let stop_ids = vocabulary.stop_ids();
        let first_stop = *stop_ids.first().ok_or("the vocabulary has no stop token")?;
        let words: Vec<Vec<u8>> = vocabulary.entries.iter().map(trie_bytes).collect();
        let trie = TokTrie::from(&TokRxInfo::new(n_ids, first_stop), &words).with_eos_tokens(&stop_ids);
        Ok(BenchTokenizer { trie, encode: Arc::clone(&vocabulary.encode), is_canonical })
    }
}

fn trie_bytes(entry: &Entry) -> Vec<u8> {
    match entry {
        Entry::Text(bytes) => bytes.clone(),
        Entry::Special(name) | Entry::Stop(name) => [&[TokTrie::SPECIAL_TOKEN_MARKER], name.as_bytes()].concat(),
        Entry::Unused => Vec::new(),
    }
}

impl TokenizerEnv for BenchTokenizer {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<u32> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| (self.encode)(text))
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.is_canonical
    }
}
