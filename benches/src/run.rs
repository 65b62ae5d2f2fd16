//! What does one engine do with one schema, and how long does each step take?

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use crate::clock::Clock;
use crate::data::Case;
use crate::engine::{Compiled, Engine, Refusal, Sequence, Usage};
use crate::vocabulary::BenchVocabulary;

/// A case with its instances cut into tokens.
#[derive(Clone, Debug)]
pub struct TokenCase {
    /// The case's name.
    pub name: String,
    /// The schema.
    pub schema: Value,
    /// The instances.
    pub instances: Vec<TokenInstance>,
}

/// An instance as tokens.
#[derive(Clone, Debug)]
pub struct TokenInstance {
    /// What the data says.
    pub valid: bool,
    /// Its tokens.
    pub tokens: Vec<u32>,
}

impl TokenCase {
    /// Encodes the instances.
    pub fn new(case: Case, vocabulary: &BenchVocabulary) -> TokenCase {
        let encode = |text: &str| (vocabulary.encode)(text);
        let instances = case.instances.iter().map(|it| TokenInstance { valid: it.valid, tokens: encode(&it.text) });
        TokenCase { instances: instances.collect(), name: case.name, schema: case.schema }
    }
}

/// The four ends of a schema; they add up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The engine does not take the schema.
    Refused(Refusal),
    /// It accepted an instance that the data calls invalid.
    WrongAccept,
    /// It rejected an instance that the data calls valid, and accepted no invalid one.
    WrongReject,
    /// All instances as the data says.
    Passing,
}

/// What one engine did with one schema. Times are nanoseconds.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// How it ended.
    pub outcome: Outcome,
    /// From the schema's parsed JSON to the first filled row; `None` where there was none.
    pub first_mask_ns: Option<u64>,
    /// Each mask of each instance.
    pub mask_ns: Vec<u64>,
    /// Where in the instances each mask is: the instance, and how many of its tokens stand before the mask.
    pub places: Vec<(u32, u32)>,
    /// Each accepted token.
    pub accept_ns: Vec<u64>,
    /// Digests of the different masks.
    pub masks: HashSet<u64>,
    /// A digest of all masks in their order, for comparing two versions of an engine.
    pub digest: u64,
    /// What the compiled schema says of itself at the end.
    pub usage: Usage,
    /// The first error or misjudgement, in words.
    pub note: Option<String>,
}

/// What is dropped before each instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drops {
    /// Nothing: an instance profits from those before it.
    Nothing,
    /// What the schema's earlier instances left: it is compiled anew.
    Schema,
    /// What other schemas left as well: the engine forgets all it can.
    All,
}

/// Runs schemas; owns the row that masks are filled into.
pub struct Runner {
    row: Vec<u32>,
    stop_ids: Vec<u32>,
    drops: Drops,
    clock: Clock,
}

impl Runner {
    /// Dropping is not timed.
    pub fn new(vocabulary: &BenchVocabulary, drops: Drops, clock: Clock) -> Runner {
        Runner { row: vec![0; vocabulary.mask_words()], stop_ids: vocabulary.stop_ids(), drops, clock }
    }

    /// Measures one schema. A panic inside the engine is a refusal with the reason `panic`.
    pub fn run(&mut self, engine: &mut dyn Engine, case: &TokenCase) -> Measurement {
        let mut measurement = Measurement::new();
        let result = catch_unwind(AssertUnwindSafe(|| self.measure(engine, case, &mut measurement)));
        let outcome = result.unwrap_or_else(|payload| Err(panic_refusal(payload.as_ref())));
        measurement.outcome = outcome.unwrap_or_else(Outcome::Refused);
        measurement
    }

    fn measure(
        &mut self,
        engine: &mut dyn Engine,
        case: &TokenCase,
        out: &mut Measurement,
    ) -> Result<Outcome, Refusal> {
        if self.drops == Drops::All {
            engine.forget();
        }
        let mut compiled = self.first_mask(engine, &case.schema, out)?;
        let mut outcome = Outcome::Passing;
        for (index, instance) in case.instances.iter().enumerate() {
            if self.drops != Drops::Nothing && index > 0 {
                if self.drops == Drops::All {
                    engine.forget();
                }
                compiled = engine.compile(case.schema.clone())?;
            }
            let verdict = self.run_instance(compiled.as_ref(), &instance.tokens, out);
            let n_new = out.mask_ns.len() - out.places.len();
            out.places.extend((0..n_new).map(|token| (index as u32, token as u32)));
            match (instance.valid, &verdict) {
                (true, Ok(())) | (false, Err(_)) => {}
                (false, Ok(())) => outcome = Outcome::WrongAccept,
                (true, Err(_)) if outcome == Outcome::WrongAccept => {}
                (true, Err(_)) => outcome = Outcome::WrongReject,
            }
            if instance.valid != verdict.is_ok() && out.note.is_none() {
                let words = verdict.err().unwrap_or_else(|| "accepted".to_owned());
                out.note = Some(format!("instance {index}: {words}"));
            }
        }
        out.usage = compiled.usage();
        Ok(outcome)
    }

    fn first_mask(
        &mut self,
        engine: &dyn Engine,
        schema: &Value,
        out: &mut Measurement,
    ) -> Result<Box<dyn Compiled>, Refusal> {
        engine.check(schema)?;
        let schema = schema.clone();
        let start = self.clock.start();
        let compiled = engine.compile(schema)?;
        let mut sequence = compiled.start().map_err(|message| first_mask_refusal(&message))?;
        let filled = sequence.fill(&mut self.row);
        let elapsed = start.elapsed_ns();
        filled.map_err(|message| first_mask_refusal(&message))?;
        out.first_mask_ns = Some(elapsed);
        Ok(compiled)
    }

    /// `Ok` when every token and then a stop token is allowed.
    fn run_instance(&mut self, compiled: &dyn Compiled, tokens: &[u32], out: &mut Measurement) -> Result<(), String> {
        let mut sequence = compiled.start()?;
        for (index, &token) in tokens.iter().enumerate() {
            self.fill(sequence.as_mut(), out)?;
            if !self.is_allowed(token) {
                return Err(format!("token {index} (id {token}) is not in the mask"));
            }
            let start = self.clock.start();
            let accepted = sequence.accept(token);
            out.accept_ns.push(start.elapsed_ns());
            accepted?;
        }
        self.fill(sequence.as_mut(), out)?;
        let can_stop = self.stop_ids.iter().any(|&id| self.is_allowed(id));
        if can_stop { Ok(()) } else { Err("no stop token is in the mask at the end".to_owned()) }
    }

    fn fill(&mut self, sequence: &mut dyn Sequence, out: &mut Measurement) -> Result<(), String> {
        let start = self.clock.start();
        let filled = sequence.fill(&mut self.row);
        out.mask_ns.push(start.elapsed_ns());
        filled?;
        sequence.show(&mut self.row);
        let digest = digest_row(&self.row);
        out.masks.insert(digest);
        out.digest = mix(out.digest, digest);
        Ok(())
    }

    fn is_allowed(&self, token: u32) -> bool {
        self.row[token as usize / 32] >> (token % 32) & 1 == 1
    }
}

impl Measurement {
    pub(crate) fn new() -> Measurement {
        Measurement {
            outcome: Outcome::Passing,
            first_mask_ns: None,
            mask_ns: Vec::new(),
            places: Vec::new(),
            accept_ns: Vec::new(),
            masks: HashSet::new(),
            digest: 0,
            usage: Usage::default(),
            note: None,
        }
    }
}

fn first_mask_refusal(message: &str) -> Refusal {
    let first_line: String = message.lines().next().unwrap_or_default().chars().take(60).collect();
    Refusal { group: format!("first mask: {first_line}"), message: message.chars().take(500).collect() }
}

fn panic_refusal(payload: &(dyn std::any::Any + Send)) -> Refusal {
    let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    Refusal { group: "panic".to_owned(), message: text.unwrap_or("panic").chars().take(500).collect() }
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A digest that is the same on every machine; four lanes, because one multiplication chain over a row of 200,000 bits
/// would take longer than most masks.
fn digest_row(row: &[u32]) -> u64 {
    let mut lanes = [1, 2, 3, 4];
    for block in row.chunks(8) {
        for (lane, pair) in lanes.iter_mut().zip(block.chunks(2)) {
            let high = pair.get(1).copied().unwrap_or(0);
            *lane = mix(*lane, u64::from(pair[0]) | u64::from(high) << 32);
        }
    }
    let sum = lanes.into_iter().fold(0, mix);
    sum ^ (sum >> 29)
}
