//! Do decoders of unusual shapes run as one sequence, and are those that cannot run refused?

use formwork_decode::{Backend, BackendError};

use super::environment;
use super::toys::{CONTEXT, FAILING, NAN, Padding, Toy, foretold, open, row, tokens, toy};
use crate::onnx::{Dim, ElementType, Graph};

#[test]
fn decoders_of_other_shapes_run() {
    let Some(environment) = environment() else { return };
    for (half, last_only, padding) in [
        (false, false, Padding::Refused),
        (true, false, Padding::Hidden),
        (false, true, Padding::Counted),
        (true, true, Padding::Refused),
    ] {
        let mut model = toy(&environment, Toy { half, last_only, padding, ..Toy::default() }).unwrap();
        let after = |text: &[u32]| foretold(&tokens(text), padding != Padding::Refused);
        let feed = |model: &mut dyn Backend, ids: &[u32]| row(&mut *model.forward(&tokens(ids)).unwrap());
        assert_eq!(feed(&mut model, &[3, 5, 7]), after(&[3, 5, 7]));
        assert_eq!(feed(&mut model, &[9]), after(&[3, 5, 7, 9]));
        model.truncate(2).unwrap();
        assert_eq!(feed(&mut model, &[11]), after(&[3, 5, 11]));
        let mut each = model.forward_each(&tokens(&[1, 2])).unwrap();
        assert_eq!((each.len(), model.cached()), (2, &tokens(&[3, 5, 11, 1, 2])[..]));
        assert_eq!(row(&mut *each[1]), after(&[3, 5, 11, 1, 2]));
        let first = row(&mut *each[0]);
        let expected = after(&[3, 5, 11, 1]);
        // The toy adds the sum of the whole pass to all its rows; in passes of one token each that is its own.
        let later = if last_only { 0.0 } else { 3.0 };
        assert!(first.iter().zip(&expected).all(|(a, b)| *a == b + later), "{first:?}");
        let many = vec![tokens(&[0])[0]; CONTEXT - 4];
        assert!(matches!(model.forward(&many), Err(BackendError::ContextFull { needed, .. }) if needed == CONTEXT + 1));
        model.truncate(0).unwrap();
        assert_eq!(feed(&mut model, &[4]), after(&[4]));
    }
}

#[test]
fn a_failed_pass_and_nan_leave_no_trace() {
    let Some(environment) = environment() else { return };
    let mut model = toy(&environment, Toy { padding: Padding::Hidden, ..Toy::default() }).unwrap();
    model.forward(&tokens(&[3, 5])).unwrap();
    let message = model.forward(&tokens(&[1, FAILING])).err().unwrap().to_string();
    assert!(message.starts_with("model runtime: ") && message.lines().count() == 1, "{message}");
    assert_eq!(model.cached(), tokens(&[3, 5]));
    assert_eq!(row(&mut *model.forward(&tokens(&[7])).unwrap()), foretold(&tokens(&[3, 5, 7]), true));
    let mut logits = model.forward(&tokens(&[NAN])).unwrap();
    assert_eq!(logits.argmax().unwrap(), None);
    assert!(row(&mut *logits).iter().all(|logit| logit.is_nan()));
    model.truncate(3).unwrap();
    assert_eq!(row(&mut *model.forward(&tokens(&[9])).unwrap()), foretold(&tokens(&[3, 5, 7, 9]), true));
}

#[test]
fn results_of_other_shapes_are_errors() {
    let Some(environment) = environment() else { return };
    let mut model = toy(&environment, Toy { wrong_width: true, ..Toy::default() }).unwrap();
    let error = model.forward(&tokens(&[3, 5])).err().unwrap();
    assert!(matches!(&error, BackendError::LogitsShape { actual, expected: 41 } if *actual == [1, 2, 40]), "{error}");
    assert!(model.cached().is_empty());
    let mut model = toy(&environment, Toy { stale_cache: true, ..Toy::default() }).unwrap();
    let message = model.forward(&tokens(&[3, 5])).err().unwrap().to_string();
    assert!(message.contains("present.0.key has shape"), "{message}");
    assert!(model.cached().is_empty());
}

#[test]
fn models_that_cannot_be_run_are_refused() {
    let Some(environment) = environment() else { return };
    let refused = |changed| toy(&environment, changed).unwrap_err().to_string();
    let message = refused(Toy { extra_input: true, ..Toy::default() });
    assert!(message.contains("toy.onnx: not supported") && message.contains("use_cache_branch"), "{message}");
    let message = refused(Toy { without_ids: true, ..Toy::default() });
    assert!(message.contains("tokens"), "{message}");
    let message = refused(Toy { without_present: true, ..Toy::default() });
    assert!(message.contains("no output present.0.key"), "{message}");
    let message = refused(Toy { padding: Padding::Hidden, float_positions: true, ..Toy::default() });
    assert!(message.contains("position_ids") && message.contains("int64"), "{message}");

    let mut graph = Graph::default();
    graph.input("input_ids", ElementType::I64, &[Dim::Fixed(1), Dim::Named("length")]);
    graph.output("logits", ElementType::F32, &[Dim::Fixed(1), Dim::Named("length"), Dim::Named("width")]);
    graph.numbers("end", &[2]);
    graph.node("Unsqueeze", &["input_ids", "end"], "deep", &[]);
    graph.node("Cast", &["deep"], "logits", &[("to", ElementType::F32 as u64)]);
    let without_cache = graph.into_model("without-cache");
    let message = open(&environment, &without_cache, Some(1)).unwrap_err().to_string();
    assert!(message.contains("a decoder with a cache is needed"), "{message}");
}
