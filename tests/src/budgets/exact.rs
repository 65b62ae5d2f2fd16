//! How far are completions from the least? All texts of finite languages, in the fewest tokens that spell each.

use std::fmt;

use formwork::grammar::KeyOrder;
use formwork::json_schema::{Escapes, Layout, Numbers, SchemaOptions};
use formwork::{Grammar, TokenId};

use crate::universe::{Dice, Size, Texts, Trial, Universe};
use crate::vocabulary::SmallVocabulary;

/// Places of one text that are looked at.
const MAX_PLACES: usize = 6;

/// Completions by how many tokens they have beyond the least.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Universes with a schema that was tried.
    pub schemas: usize,
    /// By gap.
    pub places: Vec<usize>,
    /// Tokens of all completions.
    pub tokens: usize,
    /// Tokens of the least ones.
    pub least_tokens: usize,
    /// What was wrong: a completion that is none, or that is shorter than the least.
    pub faults: Vec<String>,
}

/// Compares completions of random schemas on `n_universes` finite universes with the exact least.
pub fn measure_gaps(n_universes: u64, seed: u64) -> Gaps {
    let mut gaps = Gaps::default();
    for number in 0..n_universes {
        let mut dice = Dice::new(seed << 32 | number);
        let universe = Universe::draw(&mut dice, Size::SMALL);
        let trial = Trial::draw(&universe, &mut dice);
        gaps.add(&trial, &mut dice);
    }
    gaps
}

impl Gaps {
    fn add(&mut self, trial: &Trial<'_>, dice: &mut Dice) {
        let universe = trial.universe;
        let document = trial.document(false);
        let Ok(valid) = trial.valid(&document) else { return };
        let in_every_order = universe.key_order == KeyOrder::Any;
        let Some(texts) = Texts::of(valid, in_every_order, Size::SMALL.max_texts) else { return };
        let layout = Layout { escapes: Escapes::Minimal, numbers: Numbers::Plain, ..Layout::COMPACT };
        let options = SchemaOptions { layout, key_order: universe.key_order, ..SchemaOptions::default() };
        let grammar = Grammar::json_schema(document.clone()).with_options(options);
        let Ok(compiled) = universe.compiler.compile(&grammar) else { return };
        if texts.all().is_empty() {
            return;
        }
        self.schemas += 1;
        let vocabulary = &universe.vocabulary;
        for n_place in 0..MAX_PLACES {
            let text = dice.pick(texts.all());
            let begun = &text[..if n_place == 0 { 0 } else { dice.below(text.len() + 1) }];
            let mut matcher = compiled.matcher();
            if let Err(error) = matcher.accept_bytes(begun) {
                self.faults.push(format!("{error} after {:?} for {document}", String::from_utf8_lossy(begun)));
                continue;
            }
            let completion = match matcher.completion() {
                Ok(completion) => completion,
                Err(error) => {
                    self.faults.push(format!("{error} after {:?} for {document}", String::from_utf8_lossy(begun)));
                    continue;
                }
            };
            let least = least(&texts, begun, vocabulary);
            let spelled: Vec<u8> = completion.iter().flat_map(|token| bytes(vocabulary, *token)).copied().collect();
            let whole = [begun, &spelled].concat();
            let is_text = texts.all().binary_search(&whole).is_ok();
            match (completion.len().checked_sub(least), is_text) {
                (Some(gap), true) => {
                    self.places.resize(self.places.len().max(gap + 1), 0);
                    self.places[gap] += 1;
                    self.tokens += completion.len();
                    self.least_tokens += least;
                }
                _ => {
                    let (begun, spelled) = (String::from_utf8_lossy(begun), String::from_utf8_lossy(&spelled));
                    self.faults.push(format!("{begun:?} completed by {spelled:?}, least {least}, for {document}"));
                }
            }
        }
    }
}

fn bytes(vocabulary: &SmallVocabulary, token: TokenId) -> &[u8] {
    vocabulary.tokens.get(token.index()).map_or(&[], Vec::as_slice)
}

/// The fewest tokens behind `begun` that end one of the texts.
fn least(texts: &Texts, begun: &[u8], vocabulary: &SmallVocabulary) -> usize {
    let rests = texts.all().iter().filter_map(|text| text.strip_prefix(begun));
    rests.map(|rest| fewest(rest, vocabulary)).min().unwrap_or(usize::MAX)
}

/// By trying every token at every place.
fn fewest(text: &[u8], vocabulary: &SmallVocabulary) -> usize {
    let mut best = vec![usize::MAX; text.len() + 1];
    best[text.len()] = 0;
    for start in (0..text.len()).rev() {
        let fitting = vocabulary.tokens.iter().filter(|token| !token.is_empty() && text[start..].starts_with(token));
        let least = fitting.map(|token| best[start + token.len()]).min().unwrap_or(usize::MAX);
        best[start] = least.saturating_add(1);
    }
    best[0]
}

impl fmt::Display for Gaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_places: usize = self.places.iter().sum();
        writeln!(f, "{} finite schemas, {n_places} places; {} faults", self.schemas, self.faults.len())?;
        for (gap, count) in self.places.iter().enumerate().filter(|(_, count)| **count > 0) {
            writeln!(f, "{gap:>4} above the least: {count} ({:.1} %)", 100.0 * *count as f64 / n_places.max(1) as f64)?;
        }
        writeln!(f, "{} tokens, {} at least", self.tokens, self.least_tokens)
    }
}
