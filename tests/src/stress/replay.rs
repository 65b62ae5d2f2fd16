//! What would one thread have seen? The same steps on grammars that nobody else has, with room for all that they learn.

use std::sync::Arc;

use formwork::{CompiledGrammar, Compiler, Matcher};

use super::grammars::{grammars, vocabulary};
use super::{Observation, Seen, Step};

/// Grammars of one thread.
pub(super) struct Replay {
    compiled: Vec<Arc<CompiledGrammar>>,
}

impl Replay {
    /// # Panics
    /// When a grammar is refused, which none of them is.
    pub(super) fn new() -> Replay {
        let compiler = Compiler::builder(vocabulary()).cached_grammars(0).build();
        let compile = |grammar| compiler.compile(grammar).expect("the grammar is sound");
        Replay { compiled: grammars().iter().map(compile).collect() }
    }

    /// # Panics
    /// Where something else was seen.
    pub(super) fn check(&self, observation: &Observation) {
        let Observation { grammar, steps, seen } = observation;
        let mut matcher = self.compiled[*grammar].matcher();
        for step in steps {
            let result = match step {
                Step::Token(token) => matcher.accept_token(*token),
                Step::Bytes(bytes) => matcher.accept_bytes(bytes),
            };
            result.unwrap_or_else(|error| panic!("grammar {grammar}: {error} at {step:?} of {steps:?}"));
        }
        let expected = Replay::see(&mut matcher, seen);
        assert!(expected == *seen, "grammar {grammar}: {seen:?} was seen, alone it is {expected:?}, behind {steps:?}");
    }

    /// The same thing as in `like`.
    fn see(matcher: &mut Matcher, like: &Seen) -> Seen {
        match like {
            Seen::Mask(_) if matcher.is_stopped() => Seen::Mask(None),
            Seen::Mask(_) => {
                let mut words = vec![u32::MAX; matcher.grammar().vocabulary().mask_words()];
                matcher.fill_mask(&mut words).expect("no limit is met");
                Seen::Mask(Some(words))
            }
            Seen::State(..) => Seen::State(matcher.is_accepting(), matcher.is_finished(), matcher.is_stopped()),
            Seen::Forced(_) => Seen::Forced(matcher.fast_forward_bytes().expect("no limit is met")),
            Seen::Completion(_) => Seen::Completion(matcher.completion().expect("no limit is met").to_vec()),
            Seen::Accepts(token, _) => Seen::Accepts(*token, matcher.accept_token(*token).is_ok()),
        }
    }
}
