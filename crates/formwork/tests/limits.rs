//! What becomes of a grammar that meets a limit, and of the requests after it?

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use formwork::{Compiler, Grammar, Limits, MatchError, Matcher, TokenId, Vocabulary};

/// With so great a divisor, the automaton holds the number so far: a state for each that was met.
const GREEDY: &str = r#"{"type": "integer", "minimum": 0, "not": {"multipleOf": 777777777777777777}}"#;

fn digits_within(max_automaton_states: usize) -> Compiler {
    let mut tokens: Vec<Vec<u8>> = (b'0'..=b'9').map(|digit| vec![digit]).collect();
    tokens.push(b"</s>".to_vec());
    let vocabulary = Vocabulary::from_tokens(tokens, &[TokenId::new(10)]).unwrap();
    Compiler::builder(vocabulary).limits(Limits { max_automaton_states, ..Limits::default() }).build()
}

/// Writes a number, each of whose digits must be in the mask.
fn write(matcher: &mut Matcher, number: u32) -> Result<(), MatchError> {
    let mut mask = [0];
    for digit in number.to_string().bytes().map(|digit| u32::from(digit - b'0')) {
        matcher.fill_mask(&mut mask)?;
        assert!(mask[0] >> digit & 1 == 1, "{number} is allowed");
        matcher.accept_token(TokenId::new(digit)).unwrap();
    }
    assert!(matcher.is_accepting());
    Ok(())
}

#[test]
fn a_full_automaton_is_an_error_for_those_that_have_it_and_new_for_others() {
    let compiler = digits_within(200);
    let held = compiler.compile(&Grammar::json_schema_text(GREEDY)).unwrap();
    let mut early: Vec<Matcher> = (100..400).map(|_| held.matcher()).collect();
    let mut n_errors = 0;
    for (matcher, number) in early.iter_mut().zip(100..) {
        if let Err(error) = write(matcher, number) {
            let MatchError::Limit(limit) = error else { panic!("{error}") };
            assert_eq!(limit.setting, "max_automaton_states");
            // Again and again, and never a mask that lacks what could not be told.
            assert!(matches!(matcher.fill_mask(&mut [0]), Err(MatchError::Limit(_))));
            n_errors += 1;
        }
    }
    assert!(n_errors > 0, "the limit is met on the way");
    assert_eq!(write(&mut held.matcher(), 4321), Ok(()), "who begins now has automata with room");
}

#[test]
fn a_grammar_that_is_held_never_runs_out_of_states() {
    let compiler = digits_within(2_000);
    let held = compiler.compile(&Grammar::json_schema_text(GREEDY)).unwrap();
    // One that is on its way meanwhile has what was left for it.
    let mut slow = held.matcher();
    slow.accept_token(TokenId::new(5)).unwrap();
    for number in 100..2_000 {
        assert_eq!(write(&mut held.matcher(), number), Ok(()));
    }
    assert!(held.stats().resets > 1, "more states were met than there may be");
    assert_eq!(write(&mut slow, 6), Ok(()));
    slow.rollback(1).unwrap();
    assert_eq!(write(&mut slow, 789), Ok(()));
}

#[test]
fn a_limit_is_an_error_for_the_request_that_meets_it_alone() {
    let tokens = (0..=127u8).map(|byte| vec![byte]).chain([b"</s>".to_vec()]);
    let vocabulary = Vocabulary::from_tokens(tokens.collect::<Vec<_>>(), &[TokenId::new(128)]).unwrap();
    let limits = Limits { max_automaton_states: 200, ..Limits::default() };
    let compiler = Compiler::builder(vocabulary).limits(limits).cached_grammars(0).build();
    let modest = r#"{"type": "string", "pattern": "^[a-z]+$"}"#;
    let n_errors = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut mask = vec![0; compiler.vocabulary().mask_words()];
            while n_errors.load(Ordering::Relaxed) < 300 {
                let grammar = compiler.compile(&Grammar::json_schema_text(GREEDY)).unwrap();
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

#[test]
fn a_probe_leaves_no_trace_however_few_steps_are_remembered() {
    let tokens: Vec<Vec<u8>> = (0..=127u8).map(|byte| vec![byte]).chain([b"</s>".to_vec()]).collect();
    let token = |byte: &u8| TokenId::new(u32::from(*byte));
    let (before, behind): (Vec<TokenId>, Vec<TokenId>) =
        (b"[1,2".iter().map(token).collect(), b",3,4]\x80".iter().map(token).collect());
    for max_history in 0..8 {
        let vocabulary = Vocabulary::from_tokens(&tokens, &[TokenId::new(128)]).unwrap();
        let limits = Limits { max_history, ..Limits::default() };
        let compiler = Compiler::builder(vocabulary).limits(limits).build();
        let grammar = compiler.compile(&Grammar::json_schema_text(r#"{"items": {"type": "integer"}}"#)).unwrap();
        let mut matcher = grammar.matcher();
        before.iter().for_each(|token| matcher.accept_token(*token).unwrap());
        let (mask, n_steps) = (matcher.mask().unwrap(), matcher.n_steps());
        // All of them, and as many up to a refused one; the last one is the stop token.
        assert_eq!(matcher.count_acceptable(&behind), Ok(6), "{max_history} steps");
        assert_eq!(matcher.count_acceptable(&[behind[0], behind[0]]), Ok(1), "{max_history} steps");
        assert_eq!((matcher.mask().unwrap(), matcher.n_steps()), (mask, n_steps), "{max_history} steps");
        assert!(!matcher.is_stopped() && n_steps <= max_history);
        matcher.rollback(n_steps).unwrap();
    }
}

#[test]
fn terminals_that_take_nearly_every_token_are_no_limit_however_many_tokens_there_are() {
    let mut tokens: Vec<Vec<u8>> = (b'a'..=b'z').map(|letter| vec![letter]).collect();
    tokens.extend((0..300_000u64).map(|number| {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (0..8).map(|place| b'a' + (mixed >> (8 * place)) as u8 % 26).collect()
    }));
    tokens.sort();
    tokens.dedup();
    let stop = TokenId::new(tokens.len() as u32);
    tokens.push(b"</s>".to_vec());
    let n_tokens = tokens.len();
    let compiler = Compiler::new(Vocabulary::from_tokens(tokens, &[stop]).unwrap());
    for grammar in ["start: A\nA: /[a-z]+.*x/", "start: A | B\nA: /[a-z]+.*x/\nB: /.*y[^b]*/"] {
        let mut matcher = compiler.compile(&Grammar::lark(grammar)).unwrap().matcher();
        for text in ["", "a", "xy", "xybxb"] {
            matcher.accept_bytes(text.as_bytes()).unwrap();
            let mask = matcher.mask().unwrap();
            assert!(mask.iter().count() >= n_tokens - 1, "{grammar}, {text}");
        }
    }
}

#[test]
fn positions_of_full_caches_can_be_rolled_back_to() {
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    tokens.push(b"</s>".to_vec());
    let vocabulary = Arc::new(Vocabulary::from_tokens(tokens, &[TokenId::new(256)]).unwrap());
    let grammar = Grammar::json_schema_text(
        r##"{"$defs": {"list": {"items": {"anyOf": [{"$ref": "#/$defs/list"}, {"enum": [1, 20, "ab"]}]}, "type": "array",
            "uniqueItems": true}}, "$ref": "#/$defs/list"}"##,
    );
    let text = format!("{}1{}", "[[1],20,[20,".repeat(40), ",\"ab\"]".repeat(30));
    for (max_cache_bytes, max_history) in [(20_000, 1_000_000), (60_000, 1_000_000), (40_000, 200), (1, 1_000_000)] {
        let limits = Limits { max_cache_bytes, max_history, ..Limits::default() };
        let compiler = Compiler::builder(Arc::clone(&vocabulary)).limits(limits).build();
        let roomy = Compiler::new(Arc::clone(&vocabulary)).compile(&grammar).unwrap();
        let compiled = compiler.compile(&grammar).unwrap();
        let mut matcher = compiled.matcher();
        let mut forks = Vec::new();
        for (n_taken, byte) in text.bytes().enumerate() {
            if n_taken % 37 == 5 {
                forks.push((n_taken, matcher.fork()));
            }
            matcher.accept_token(TokenId::new(byte.into())).unwrap();
            if n_taken % 3 == 0 {
                matcher.mask().unwrap();
            }
        }
        assert!(compiled.stats().resets > 2, "{max_cache_bytes}: {}", compiled.stats().resets);
        forks.push((text.len(), matcher));
        for (n_taken, mut matcher) in forks {
            assert!(n_taken == matcher.n_steps() || (max_history / 2..=max_history).contains(&matcher.n_steps()));
            let mut left = n_taken;
            // Back by steps of many lengths, with a few steps forward in between.
            for n_back in [1, 2, 50, 3, 120, 7].into_iter().cycle() {
                let n_back = n_back.min(matcher.n_steps());
                if n_back == 0 {
                    break;
                }
                matcher.rollback(n_back).unwrap();
                left -= n_back;
                let mut fresh = roomy.matcher();
                fresh.accept_bytes(&text.as_bytes()[..left]).unwrap();
                assert_eq!(matcher.mask().unwrap(), fresh.mask().unwrap(), "{left} of {n_taken}, {max_cache_bytes}");
                if n_back > 2 {
                    matcher.accept_token(TokenId::new(text.as_bytes()[left].into())).unwrap();
                    left += 1;
                }
            }
        }
    }
}

/// The limit that is met while a grammar is compiled, or while the masks, steps and completions of a text are worked out.
fn first_limit(limits: Limits, grammar: &Grammar, text: &[u8]) -> Option<String> {
    let tokens = (0..=127u8).map(|byte| vec![byte]).chain([b"</s>".to_vec()]);
    let vocabulary = Vocabulary::from_tokens(tokens.collect::<Vec<_>>(), &[TokenId::new(128)]).unwrap();
    let compiled = match Compiler::builder(vocabulary).limits(limits).build().compile(grammar) {
        Ok(compiled) => compiled,
        Err(error) => {
            assert!(error.is_limit() && !error.is_unsatisfiable() && !error.is_unsupported(), "{error}");
            return Some(error.to_string());
        }
    };
    let mut matcher = compiled.matcher();
    for byte in text {
        let before = matcher.n_steps();
        let outcome = matcher.mask().and_then(|_| matcher.accept_bytes(&[*byte]));
        match outcome {
            Ok(()) => {}
            Err(MatchError::Limit(limit)) => {
                assert_eq!(matcher.n_steps(), before, "a limit leaves the matcher as it was");
                return Some(limit.to_string());
            }
            Err(error) => panic!("{error}"),
        }
    }
    matcher.completion().err().map(|error| error.to_string())
}

#[test]
fn every_limit_is_met_under_its_own_name() {
    let schema = |text: &str| Grammar::json_schema_text(text);
    let nested = schema(&format!("{}true{}", r#"{"items": "#.repeat(20), "}".repeat(20)));
    let keys: Vec<String> = (0..50).map(|key| format!(r#""key{key}": {{"const": {key}}}"#)).collect();
    let wide = schema(&format!(r#"{{"properties": {{{}}}}}"#, keys.join(", ")));
    let pattern = schema(r#"{"type": "string", "pattern": "^(\\p{L}{1,20}\\d){1,20}$"}"#);
    // All of these may be read at once.
    let patterns: Vec<String> =
        (1..20).map(|n| format!(r#"{{"type": "string", "pattern": "^(a{{{n}}})*$"}}"#)).collect();
    let lists: Vec<String> =
        patterns.iter().map(|it| format!(r#"{{"type": "array", "prefixItems": [{it}, {it}]}}"#)).collect();
    let overlapping = schema(&format!(r#"{{"anyOf": [{}]}}"#, lists.join(", ")));
    let bits = r#"{"type": "array", "minItems": 9, "maxItems": 9, "items": {"enum": [0, 1]}}"#;
    let different = schema(&format!(r#"{{"type": "array", "uniqueItems": true, "items": {bits}}}"#));
    // Of all that go on so, one is left.
    let bit = |n: u32, bit: u32| n >> bit & 1;
    let written: String = (1..8).map(|n| format!("[0,0,0,0,0,0,{},{},{}],", bit(n, 2), bit(n, 1), bit(n, 0))).collect();
    let list_of_bits = format!("[{written}[0,0,0,0,0,0");
    let long = schema(r#"{"type": "string", "minLength": 100}"#);
    let default = Limits::default;
    let cases: [(&str, Limits, &Grammar, &str); 9] = [
        ("max_schema_depth is 8", Limits { max_schema_depth: 8, ..default() }, &nested, ""),
        ("max_schema_steps is 20", Limits { max_schema_steps: 20, ..default() }, &wide, ""),
        ("max_grammar_nodes is 20", Limits { max_grammar_nodes: 20, ..default() }, &wide, ""),
        ("max_regex_bytes is 1000", Limits { max_regex_bytes: 1_000, ..default() }, &pattern, ""),
        ("max_items is 8", Limits { max_items: 8, ..default() }, &overlapping, r#"["aa","#),
        ("max_entries is 8", Limits { max_entries: 8, ..default() }, &overlapping, r#"["aa"#),
        ("max_unique is 1", Limits { max_unique: 1, ..default() }, &different, &list_of_bits),
        ("max_completion_steps is 40", Limits { max_completion_steps: 40, ..default() }, &different, &list_of_bits),
        ("max_completion_bytes is 50", Limits { max_completion_bytes: 50, ..default() }, &long, "\""),
    ];
    for (expected, limits, grammar, text) in cases {
        assert_eq!(first_limit(default(), grammar, text.as_bytes()), None, "{expected}: met by default");
        let met = first_limit(limits, grammar, text.as_bytes()).expect(expected);
        assert!(met.contains(expected), "{expected}: {met}");
    }
}
