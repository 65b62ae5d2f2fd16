//! What becomes of a grammar that meets a limit, and of the requests after it?

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::sync::atomic::{AtomicUsize, Ordering};

use formwork::{Compiler, Grammar, Limits, MatchError, TokenId, Vocabulary};

#[test]
fn a_full_automaton_is_an_error_for_those_that_have_it_and_new_for_others() {
    let mut tokens: Vec<Vec<u8>> = (b'0'..=b'9').map(|digit| vec![digit]).collect();
    tokens.push(b"</s>".to_vec());
    let vocabulary = Vocabulary::from_tokens(tokens, &[TokenId::new(10)]).unwrap();
    let limits = Limits { max_automaton_states: 200, ..Limits::default() };
    let compiler = Compiler::builder(vocabulary).limits(limits).build();
    // With so great a divisor, the automaton holds the number so far.
    let schema = r#"{"type": "integer", "minimum": 0, "not": {"multipleOf": 777777777777777777}}"#;
    let held = compiler.compile(&Grammar::json_schema_text(schema)).unwrap();
    let mut mask = vec![0; compiler.vocabulary().mask_words()];
    let mut n_errors = 0;
    for number in 100..2_000u32 {
        let mut matcher = held.matcher();
        for digit in number.to_string().bytes() {
            match matcher.fill_mask(&mut mask) {
                Ok(()) => assert!(mask[0] >> (digit - b'0') & 1 == 1, "{number} is allowed"),
                Err(MatchError::Limit(limit)) => {
                    assert_eq!(limit.setting, "max_automaton_states");
                    // Again and again, and never a mask that lacks what could not be told.
                    assert!(matches!(matcher.fill_mask(&mut mask), Err(MatchError::Limit(_))));
                    n_errors += 1;
                    break;
                }
                Err(error) => panic!("{error}"),
            }
            matcher.accept_token(TokenId::new(u32::from(digit - b'0'))).unwrap();
        }
    }
    assert!(n_errors > 0, "the limit is met on the way");
    let fresh = compiler.compile(&Grammar::json_schema_text(schema)).unwrap();
    let mut matcher = fresh.matcher();
    matcher.accept_bytes(b"4321").unwrap();
    matcher.fill_mask(&mut mask).unwrap();
    assert!(matcher.is_accepting(), "the next request has automata with room");
}

#[test]
fn a_limit_is_an_error_for_the_request_that_meets_it_alone() {
    let tokens = (0..=127u8).map(|byte| vec![byte]).chain([b"</s>".to_vec()]);
    let vocabulary = Vocabulary::from_tokens(tokens.collect::<Vec<_>>(), &[TokenId::new(128)]).unwrap();
    let limits = Limits { max_automaton_states: 200, ..Limits::default() };
    let compiler = Compiler::builder(vocabulary).limits(limits).cached_grammars(0).build();
    let greedy = r#"{"type": "integer", "minimum": 0, "not": {"multipleOf": 777777777777777777}}"#;
    let modest = r#"{"type": "string", "pattern": "^[a-z]+$"}"#;
    let n_errors = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut mask = vec![0; compiler.vocabulary().mask_words()];
            while n_errors.load(Ordering::Relaxed) < 300 {
                let grammar = compiler.compile(&Grammar::json_schema_text(greedy)).unwrap();
                for number in 100..400u32 {
                    let mut matcher = grammar.matcher();
                    let whole = number.to_string().bytes().try_for_each(|digit| {
                        matcher.fill_mask(&mut mask)?;
                        matcher.accept_token(TokenId::new(u32::from(digit)))
                    });
                    n_errors.fetch_add(usize::from(whole.is_err()), Ordering::Relaxed);
                }
            }
        });
        let mut mask = vec![0; compiler.vocabulary().mask_words()];
        while n_errors.load(Ordering::Relaxed) < 300 {
            let grammar = compiler.compile(&Grammar::json_schema_text(modest)).unwrap();
            let mut matcher = grammar.matcher();
            for byte in b"\"abc\"" {
                matcher.fill_mask(&mut mask).unwrap();
                matcher.accept_token(TokenId::new(u32::from(*byte))).unwrap();
            }
            assert!(matcher.is_accepting());
        }
    });
}

#[test]
fn states_that_one_mask_makes_are_counted_by_its_budget() {
    // Letters that must come in any order: a state for each set of them.
    let conditions: String = ('a'..='k').map(|letter| format!("(?=.*{letter})")).collect();
    let schema = format!(r#"{{"type": "string", "pattern": "^{conditions}"}}"#);
    let compiler = |limits: Limits| {
        let tokens = (0..=127u8).map(|byte| vec![byte]).chain([b"</s>".to_vec()]);
        let vocabulary = Vocabulary::from_tokens(tokens.collect::<Vec<_>>(), &[TokenId::new(128)]).unwrap();
        Compiler::builder(vocabulary).limits(limits).build()
    };
    let mut mask = vec![0; 5];
    let narrow = compiler(Limits { max_mask_steps: 100, ..Limits::default() });
    let mut matcher = narrow.compile(&Grammar::json_schema_text(&schema)).unwrap().matcher();
    matcher.accept_bytes(b"\"").unwrap();
    for _ in 0..2 {
        let Err(MatchError::Limit(limit)) = matcher.fill_mask(&mut mask) else { panic!("there are more states") };
        assert_eq!((limit.setting, limit.limit), ("max_mask_steps", 100));
    }
    let wide = compiler(Limits::default());
    let mut matcher = wide.compile(&Grammar::json_schema_text(&schema)).unwrap().matcher();
    for byte in b"\"acegikbdfhj\"" {
        matcher.fill_mask(&mut mask).unwrap();
        assert!(mask[usize::from(*byte) / 32] >> (byte % 32) & 1 == 1);
        matcher.accept_token(TokenId::new(u32::from(*byte))).unwrap();
    }
    assert!(matcher.is_accepting());
}
