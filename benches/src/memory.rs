//! How much memory does the engine hold? Its tables, its compiled schemas, and what is left of 10,000 of them.
//!
//! The heap is counted by an allocator that the binary `memory` installs, so it is exact and shows what the engine's own
//! accounting leaves out; resident memory is the system's figure, with what the allocator keeps for later.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Weak};

use formwork::grammar::KeyOrder;
use formwork::json_schema::SchemaOptions;
use formwork::{CompiledGrammar, Compiler, Grammar, Matcher, TokenId, Vocabulary};
use serde_json::{Value, json};

use crate::data::Case;
use crate::vocabulary::BenchVocabulary;

/// Of so many sequences one is held.
const HELD_EACH: usize = 100;
/// Other schemas that are compiled while one is held.
const HELD_FOR: usize = 1_000;
/// Sequences that are held at a time, each with its grammar.
pub const HELD: usize = HELD_FOR / HELD_EACH;
/// Looks at what is held, over a run.
const N_SAMPLES: usize = 10;

/// Bytes on the heap now.
pub type Heap<'a> = &'a dyn Fn() -> usize;

/// Bytes of the tables of one vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// When the vocabulary and a compiler were made.
    pub made: usize,
    /// With the tables that are made when a schema first needs them.
    pub used: usize,
}

/// Makes a vocabulary, runs the cases, lets go of the compiler and all it knew, and counts what is left.
///
/// # Errors
/// When the vocabulary is refused.
pub fn tables(bench: &BenchVocabulary, cases: &[Case], heap: Heap<'_>) -> Result<(Arc<Vocabulary>, Tables), String> {
    let before = heap();
    let vocabulary = Arc::new(bench.to_formwork().map_err(|error| error.to_string())?);
    let compiler = Compiler::new(Arc::clone(&vocabulary));
    let made = heap() - before;
    for case in cases {
        let Ok(grammar) = compiler.compile(&grammar(&case.schema)) else { continue };
        read_instances(&grammar, case, bench);
    }
    drop(compiler);
    Ok((vocabulary, Tables { made, used: heap() - before }))
}

/// Bytes of one compiled schema after its documents were read.
#[derive(Clone, Copy, Debug)]
pub struct Compiled {
    /// What it says of itself, with automata that it shares with others.
    pub own_accounting: usize,
    /// What the heap grew by, without the automata that were there before.
    pub heap: usize,
}

/// Compiles each case and reads its documents; one compiler for all, as in a server, that keeps no grammar.
pub fn compiled_schemas(
    vocabulary: &Arc<Vocabulary>,
    bench: &BenchVocabulary,
    cases: &[Case],
    heap: Heap<'_>,
) -> Vec<Compiled> {
    let compiler = Compiler::builder(Arc::clone(vocabulary)).cached_grammars(0).build();
    let mut figures = Vec::new();
    for case in cases {
        let source = grammar(&case.schema);
        let before = heap();
        let Ok(grammar) = compiler.compile(&source) else { continue };
        read_instances(&grammar, case, bench);
        let heap = heap().saturating_sub(before);
        figures.push(Compiled { own_accounting: grammar.stats().bytes, heap });
    }
    figures
}

/// What a compiler with a bounded cache holds after so many schemas.
#[derive(Clone, Copy, Debug)]
pub struct CacheSample {
    /// Schemas compiled so far.
    pub n_schemas: usize,
    /// Compiled grammars that are still there, those of live sequences included.
    pub n_alive: usize,
    /// Heap in use beyond what there was before the first.
    pub heap: usize,
    /// Resident memory of the process; 0 where the system does not tell.
    pub resident: u64,
}

/// What became of the live sequences.
#[derive(Clone, Copy, Debug, Default)]
pub struct Live {
    /// Sequences that were held while other schemas came and went.
    pub n_sequences: usize,
    /// Masks of theirs that were compared with those of a compiler of their own.
    pub n_masks: usize,
    /// Of these, such as differ.
    pub n_wrong: usize,
}

/// Sends `n_schemas` different schemas through one compiler that keeps `n_cached`, each with its first document.
///
/// Some sequences are left in the middle of their documents and go on when many other schemas were compiled, so that their
/// grammars are long gone from the cache; their masks must be those of a compiler that never compiled anything else.
pub fn bounded_cache(
    vocabulary: &Arc<Vocabulary>,
    bench: &BenchVocabulary,
    cases: &[Case],
    (n_schemas, n_cached): (usize, usize),
    heap: Heap<'_>,
) -> (Vec<CacheSample>, Live) {
    let compiler = Compiler::builder(Arc::clone(vocabulary)).cached_grammars(n_cached).build();
    let before = heap();
    let mut compiled: Vec<Weak<CompiledGrammar>> = Vec::new();
    let mut n_compiled = 0;
    let mut waiting: VecDeque<(usize, Waiting)> = VecDeque::new();
    let mut live = Live::default();
    let mut samples = Vec::new();
    // Some are refused; where all are, this ends all the same.
    for (index, case) in cases.iter().cycle().enumerate().take(4 * n_schemas) {
        let round = index / cases.len();
        let source = grammar(&distinct(&case.schema, round));
        let Ok(grammar) = compiler.compile(&source) else { continue };
        compiled.push(Arc::downgrade(&grammar));
        n_compiled += 1;
        let is_held = n_compiled % HELD_EACH == 0;
        let sequence = Waiting::start(&grammar, source, tokens(case, round, bench), is_held);
        if is_held {
            waiting.push_back((n_compiled, sequence));
        }
        if waiting.front().is_some_and(|(since, _)| since + HELD_FOR <= n_compiled)
            && let Some((_, sequence)) = waiting.pop_front()
        {
            sequence.go_on(vocabulary, &mut live);
        }
        if n_compiled % (n_schemas / N_SAMPLES).max(1) == 0 {
            compiled.retain(|grammar| grammar.strong_count() > 0);
            let heap = heap().saturating_sub(before);
            let resident = resident_bytes().unwrap_or(0);
            samples.push(CacheSample { n_schemas: n_compiled, n_alive: compiled.len(), heap, resident });
        }
        if n_compiled >= n_schemas {
            break;
        }
    }
    waiting.into_iter().for_each(|(_, sequence)| sequence.go_on(vocabulary, &mut live));
    (samples, live)
}

/// A sequence that stopped somewhere in its document.
struct Waiting {
    source: Grammar,
    matcher: Matcher,
    tokens: Vec<u32>,
    n_read: usize,
}

impl Waiting {
    /// Reads the document, or half of it.
    fn start(grammar: &Arc<CompiledGrammar>, source: Grammar, tokens: Vec<u32>, half: bool) -> Waiting {
        let mut matcher = grammar.matcher();
        let n_tokens = if half { tokens.len() / 2 } else { tokens.len() };
        let n_read = read(&mut matcher, &tokens[..n_tokens], &mut |_, _| {});
        Waiting { source, matcher, tokens, n_read }
    }

    /// Reads the rest, beside a sequence of a compiler of its own.
    fn go_on(mut self, vocabulary: &Arc<Vocabulary>, live: &mut Live) {
        live.n_sequences += 1;
        let alone = Compiler::builder(Arc::clone(vocabulary)).cached_grammars(0).build();
        let Ok(grammar) = alone.compile(&self.source) else { return };
        let mut expected = grammar.matcher();
        read(&mut expected, &self.tokens[..self.n_read], &mut |_, _| {});
        let mut row = vec![0; vocabulary.mask_words()];
        read(&mut self.matcher, &self.tokens[self.n_read..], &mut |mask, token| {
            live.n_masks += 1;
            let is_equal = expected.fill_mask(&mut row).is_ok() && row == mask;
            live.n_wrong += usize::from(!is_equal);
            if let Some(token) = token {
                let _ = expected.accept_token(TokenId::new(token));
            }
        });
    }
}

/// Fills each mask and takes each token, as far as the document is allowed; how many tokens that were. `see` is shown each
/// mask with the token that is taken next, if it is.
fn read(matcher: &mut Matcher, tokens: &[u32], see: &mut dyn FnMut(&[u32], Option<u32>)) -> usize {
    let mut row = vec![0; matcher.grammar().vocabulary().mask_words()];
    for (index, &token) in tokens.iter().enumerate() {
        if matcher.fill_mask(&mut row).is_err() {
            return index;
        }
        let is_allowed = row[token as usize / 32] >> (token % 32) & 1 == 1;
        see(&row, is_allowed.then_some(token));
        if !is_allowed || matcher.accept_token(TokenId::new(token)).is_err() {
            return index;
        }
    }
    if matcher.fill_mask(&mut row).is_ok() {
        see(&row, None);
    }
    tokens.len()
}

fn read_instances(grammar: &Arc<CompiledGrammar>, case: &Case, bench: &BenchVocabulary) {
    for instance in &case.instances {
        read(&mut grammar.matcher(), &(bench.encode)(&instance.text), &mut |_, _| {});
    }
}

fn grammar(schema: &Value) -> Grammar {
    let options = SchemaOptions { key_order: KeyOrder::Any, ..SchemaOptions::default() };
    Grammar::json_schema(schema.clone()).with_options(options)
}

/// Another schema in each round, so that the same data gives as many as are asked for: the one of the data in a list whose
/// greatest length is the round's. (References into the document still work: they are resources of their own.)
fn distinct(schema: &Value, round: usize) -> Value {
    match (round, schema) {
        (1.., Value::Object(members)) => {
            let mut inner = members.clone();
            inner.entry("$id").or_insert_with(|| json!(format!("urn:formwork:round:{round}")));
            json!({"type": "array", "items": inner, "maxItems": round})
        }
        _ => schema.clone(),
    }
}

fn tokens(case: &Case, round: usize, bench: &BenchVocabulary) -> Vec<u32> {
    let text = case.instances.iter().find(|it| it.valid).map_or("", |it| &it.text);
    (bench.encode)(&if round > 0 { format!("[{text}]") } else { text.to_owned() })
}

/// Resident memory of this process in bytes; `None` where the system does not tell.
pub fn resident_bytes() -> Option<u64> {
    let status: io::Result<String> = std::fs::read_to_string("/proc/self/status");
    let status = status.ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Instance;

    fn cases() -> Vec<Case> {
        let case = |index: usize| Case {
            name: index.to_string(),
            schema: json!({"type": "object", "properties": {format!("key {index}"): {"type": "string", "maxLength": index}}}),
            instances: vec![Instance { valid: true, text: format!("{{\"key {index}\": \"\", \"other\": [1, 2]}}") }],
            n_left_out: 0,
        };
        (0..50).map(case).collect()
    }

    #[test]
    fn the_cache_keeps_its_bound_and_live_sequences_their_masks() {
        let bench = BenchVocabulary::bytes();
        let vocabulary = Arc::new(bench.to_formwork().unwrap());
        let (samples, live) = bounded_cache(&vocabulary, &bench, &cases(), (1_500, 8), &|| 0);
        assert_eq!(samples.last().unwrap().n_schemas, 1_500);
        assert!(samples.iter().all(|sample| sample.n_alive <= 8 + HELD), "{samples:?}");
        assert_eq!(live.n_sequences, 15);
        assert!(live.n_masks > 100);
        assert_eq!(live.n_wrong, 0);
    }
}
