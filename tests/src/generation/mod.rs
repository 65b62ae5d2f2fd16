//! Does every path of allowed tokens end in a valid document? Random choices among the masks' tokens, judged afterwards.

mod compose;
mod counts;
mod hints;
mod judge;
mod writer;

pub use self::compose::compose;
pub use self::counts::{Counts, Tally};
pub use self::hints::{Hints, hints};
pub use self::judge::{Judge, Verdict, has_long_number};
pub use self::writer::{End, Writer};

use std::panic::{AssertUnwindSafe, catch_unwind};

use formwork::grammar::KeyOrder;
use formwork::json_schema::SchemaOptions;
use formwork::{CompileError, Grammar};
use serde_json::Value;

use crate::universe::Dice;

/// What came of one schema.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The engine refuses it: kind and keyword.
    Refused(String),
    /// So many documents were written.
    Written(Tally),
}

/// Writes `n_documents` for a schema and judges them; `show` is told of each that is not as it should be.
pub fn try_schema(
    writer: &Writer,
    schema: &Value,
    key_order: KeyOrder,
    n_documents: usize,
    dice: &mut Dice,
    show: &mut dyn FnMut(&str),
) -> Outcome {
    let options = SchemaOptions { key_order, ..SchemaOptions::default() };
    let grammar = Grammar::json_schema(schema.clone()).with_options(options);
    let compiled = match catch_unwind(AssertUnwindSafe(|| writer.compiler().compile(&grammar))) {
        Ok(Ok(compiled)) => compiled,
        Ok(Err(error)) => return Outcome::Refused(group(&error)),
        Err(_) => {
            show("compiling panicked");
            return Outcome::Refused("panic".to_owned());
        }
    };
    let judge = Judge::new(schema);
    let hints = hints(schema, dice);
    let mut tally = Tally::default();
    for _ in 0..n_documents {
        let end = catch_unwind(AssertUnwindSafe(|| writer.write(&compiled, &hints, dice)));
        let end = end.unwrap_or_else(|_| End::Fault("panicked".to_owned()));
        if let End::DeadEnd(text) | End::Fault(text) = &end {
            show(&format!(
                "{}: {}",
                end.name(),
                text.chars().rev().take(300).collect::<Vec<_>>().into_iter().rev().collect::<String>()
            ));
        }
        tally.add(end, &judge, show);
    }
    Outcome::Written(tally)
}

fn group(error: &CompileError) -> String {
    match error {
        CompileError::Schema(error) => error.violations().first().map_or_else(String::new, |violation| {
            let kind = format!("{:?}", violation.kind).to_lowercase();
            format!("{kind}: {}: {}", violation.keyword.as_deref().unwrap_or("-"), violation.reason)
        }),
        other => other.to_string(),
    }
}
