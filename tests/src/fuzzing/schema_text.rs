//! Is any text a schema or a typed refusal, within the limits? And does what compiles have masks?

use formwork::Grammar;
use formwork::grammar::KeyOrder;
use formwork::json_schema::{ContentMode, FormatMode, Layout, Profile, SchemaOptions};

use super::Counters;
use super::engine::{compile, compiler, dice_of, small_limits, wander};
use crate::universe::Dice;
use crate::vocabulary::SmallVocabulary;

const N_STEPS: usize = 12;
/// A report and lints are made within the default limits, which longer texts could use up.
const MAX_REPORTED_BYTES: usize = 600;

pub(super) fn run(input: &[u8], counters: &mut Counters) {
    let text = String::from_utf8_lossy(input);
    // The text stays a schema that one can read; the options follow from its bytes.
    let mut dice = dice_of(input);
    let grammar = Grammar::json_schema_text(text.as_ref()).with_options(options(&mut dice));
    let compiled = compile(&compiler(&SmallVocabulary::bytes(), small_limits()), &grammar, counters);
    if let Some(compiled) = compiled {
        wander(&compiled, N_STEPS, &mut dice, counters);
    }
    if input.len() <= MAX_REPORTED_BYTES {
        counters.count("violations reported", grammar.report().violations.len());
        counters.count("lints", grammar.lint().len());
    }
}

fn options(dice: &mut Dice) -> SchemaOptions {
    let layouts = [Layout::BOUNDED, Layout::COMPACT, Layout::SPACED, Layout::FREE];
    let profiles = [Profile::CohereJson, Profile::CohereTools, Profile::OpenAiStrict];
    SchemaOptions {
        layout: *dice.pick(&layouts),
        profile: if dice.one_in(16) { *dice.pick(&profiles) } else { Profile::Full },
        relax_unsupported: dice.one_in(4),
        formats: if dice.one_in(4) { FormatMode::Annotate } else { FormatMode::Assert },
        content: *dice.pick(&[ContentMode::ByDraft, ContentMode::Assert]),
        refuse_unknown_formats: dice.one_in(8),
        key_order: *dice.pick(&[KeyOrder::Any, KeyOrder::Listed]),
    }
}
