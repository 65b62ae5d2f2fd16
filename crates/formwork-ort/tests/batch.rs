//! Do many sequences on one session write what each writes alone? The model that ships with us.
#![allow(clippy::unwrap_used, reason = "a test ends where something is wrong")]

#[path = "common/shipped.rs"]
mod shipped;

use std::sync::Arc;

use formwork::{CompiledGrammar, Compiler, Grammar, MatchError, TokenId, TokenMask};
use formwork_decode::{
    Backend, Batch, BatchBackend, Constraint, DecodeError, ForcedText, Generation, GenerationConfig, Sampling,
    Sequence, generate,
};
use formwork_tokenizers::Tokenizer;
use shipped::{assert_close, copied, load, tokens};

/// Numbers that do not repeat soon.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32 % limit
    }
}

/// Rows join with prompts, go on by one token or some, are cut and emptied; gaps and packing come of themselves.
#[test]
fn logits_are_those_of_each_row_alone() {
    let (Some(first), Some(second)) = (load(), load()) else { return };
    let (mut batch, mut alone) = (first.model.into_batch(4), second.model);
    assert!(batch.is_padded());
    let mut random = Random(5);
    let new = |n: u32, random: &mut Random| tokens((0..n).map(|_| random.below(2000)));
    let mut texts: Vec<Vec<TokenId>> = vec![Vec::new(); 4];
    for _ in 0..60 {
        let mut inputs = Vec::new();
        for (row, text) in texts.iter_mut().enumerate() {
            let length = text.len() as u32;
            let kept = match random.below(16) {
                0 => 0,
                1 => random.below(length + 1) as usize,
                _ => text.len(),
            };
            text.truncate(kept);
            batch.truncate(row, kept).unwrap();
            if random.below(8) > 0 {
                let n_new = [1, 1, 1, 1, 4, 30, 90][random.below(7) as usize];
                let added = new(n_new, &mut random);
                text.extend(&added);
                inputs.push((row, added));
            }
        }
        let views: Vec<(usize, &[TokenId])> = inputs.iter().map(|(row, added)| (*row, &added[..])).collect();
        for ((row, added), logits) in inputs.iter().zip(batch.forward_rows(&views)) {
            let logits = logits.unwrap();
            assert_eq!(batch.cached(*row), texts[*row]);
            alone.truncate(0).unwrap();
            let expected = copied(alone.forward(&texts[*row]).unwrap());
            assert_close(&copied(logits), &expected, &format!("row {row} after {} tokens", added.len()));
        }
    }
}

struct Task {
    prompt: Vec<TokenId>,
    compiled: Option<Arc<CompiledGrammar>>,
    config: GenerationConfig,
}

impl Task {
    fn sequence<'a>(&self, tokenizer: &'a Tokenizer) -> Sequence<'a> {
        match &self.compiled {
            Some(compiled) => Sequence::constrained(tokenizer, &self.prompt, compiled.matcher(), &self.config),
            None => Sequence::unconstrained(tokenizer, &self.prompt, &self.config),
        }
        .unwrap()
    }
}

/// Texts that a grammar forces make rows of several tokens beside rows of one.
fn tasks(tokenizer: &Tokenizer) -> Vec<Task> {
    let compiler = Compiler::new(tokenizer.vocabulary().clone());
    let grammars = [
        None,
        Some(Grammar::regex(
            r#"\{"the full name of the person": "[A-Z][a-z ]{3,12}", "the age in years": [1-9][0-9]?\}"#,
        )),
        Some(Grammar::json_object()),
    ];
    let prompts =
        ["Write a book as JSON.", "Describe a person.", "Name: ", "Which tool is needed for the weather in Oslo?"];
    let mut tasks = Vec::new();
    for (index, prompt) in prompts.iter().enumerate() {
        for (kind, grammar) in grammars.iter().enumerate() {
            let sampling = match (index + kind) % 3 {
                0 => Sampling::with_temperature(0.8, index as u64),
                _ => Sampling { temperature: 0.0, ..Sampling::default() },
            };
            let config = GenerationConfig { max_tokens: 20 + 9 * index, sampling, ..GenerationConfig::default() };
            let compiled = grammar.as_ref().map(|grammar| compiler.compile(grammar).unwrap());
            tasks.push(Task { prompt: tokenizer.encode_with_special(prompt), compiled, config });
        }
    }
    tasks
}

#[test]
fn batches_write_what_each_sequence_writes_alone() {
    let (Some(first), Some(mut alone)) = (load(), load()) else { return };
    let tokenizer = &first.tokenizer;
    let tasks = tasks(tokenizer);
    let mut backend = first.model.into_batch(5);
    let mut batch = Batch::new(&backend, 2);
    let mut waiting = tasks.iter().enumerate();
    let mut running = Vec::new();
    let mut written: Vec<Option<Generation>> = tasks.iter().map(|_| None).collect();
    loop {
        // They join one after another, so that a prompt meets others at work.
        if batch.has_room()
            && let Some((index, task)) = waiting.next()
        {
            running.push((batch.join(&mut backend, task.sequence(tokenizer)).unwrap().unwrap(), index));
        }
        for (id, outcome) in batch.step(&mut backend) {
            let index = running.iter().find(|(own, _)| *own == id).unwrap().1;
            written[index] = Some(outcome.unwrap());
        }
        if batch.is_empty() && running.len() == tasks.len() {
            break;
        }
    }
    let mut n_tokens = 0;
    for (task, written) in tasks.iter().zip(written) {
        let expected = generate(&mut alone.model, task.sequence(&alone.tokenizer)).unwrap();
        assert_eq!(written.unwrap().tokens, expected.tokens, "{}", expected.text);
        n_tokens += expected.tokens.len();
    }
    assert!(n_tokens > 10 * tasks.len(), "{n_tokens} tokens are no trial");
}

/// A constraint that allows no token.
struct Nothing;

impl Constraint for Nothing {
    fn mask(&mut self) -> Result<TokenMask, MatchError> {
        Ok(TokenMask::from_words(&[]))
    }

    fn accept_token(&mut self, _token: TokenId) -> Result<(), MatchError> {
        Ok(())
    }

    fn fork(&self) -> Box<dyn Constraint + '_> {
        Box::new(Nothing)
    }

    fn rollback(&mut self, _n_tokens: usize) -> Result<(), MatchError> {
        Ok(())
    }

    fn completion(&mut self) -> Result<std::sync::Arc<[TokenId]>, MatchError> {
        Ok(std::sync::Arc::from([]))
    }

    fn is_finished(&self) -> bool {
        false
    }

    fn forced_text(&mut self) -> Result<ForcedText, MatchError> {
        Ok(ForcedText::default())
    }
}

#[test]
fn a_sequence_without_a_choice_leaves_alone() {
    let (Some(first), Some(mut alone)) = (load(), load()) else { return };
    let tokenizer = &first.tokenizer;
    let tasks = tasks(tokenizer);
    let mut backend = first.model.into_batch(3);
    let mut batch = Batch::new(&backend, 1);
    let mut join = |sequence| batch.join(&mut backend, sequence).unwrap().unwrap();
    let good = [join(tasks[1].sequence(tokenizer)), join(tasks[4].sequence(tokenizer))];
    let constraint = Box::new(Nothing);
    let bad = join(Sequence::new(tokenizer, &tasks[0].prompt, constraint, &tasks[0].config).unwrap());
    for (id, outcome) in batch.run(&mut backend) {
        match good.iter().position(|own| *own == id) {
            Some(index) => {
                let expected = generate(&mut alone.model, tasks[1 + 3 * index].sequence(&alone.tokenizer)).unwrap();
                assert_eq!(outcome.unwrap().tokens, expected.tokens);
            }
            None => assert!(id == bad && matches!(outcome, Err(DecodeError::NoCandidate { n_allowed: 0, .. }))),
        }
    }
}
