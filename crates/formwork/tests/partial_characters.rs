//! Is there a way on behind every part of a character? Byte by byte, where a string takes few characters.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use formwork::{Compiler, Grammar, Matcher, TokenId, Vocabulary};

/// Most bytes of a raw character.
const MAX_RAW: usize = 4;

/// The bytes that may come next.
fn allowed(matcher: &mut Matcher) -> Vec<u8> {
    let mask = matcher.mask().unwrap();
    (0..=255).filter(|byte| mask.contains(TokenId::new(u32::from(*byte)))).collect()
}

/// Follows every way through a raw character.
fn follow(matcher: &mut Matcher, read: &mut Vec<u8>, n_ways: &mut usize) {
    let next = allowed(matcher);
    assert!(!next.is_empty(), "{}", read.escape_ascii());
    let is_whole = std::str::from_utf8(read).is_ok();
    if is_whole && !read.is_empty() {
        *n_ways += 1;
        return;
    }
    assert!(read.len() < MAX_RAW, "{}", read.escape_ascii());
    for byte in next.into_iter().filter(|byte| !byte.is_ascii()) {
        let mut behind = matcher.fork();
        behind.accept_bytes(&[byte]).unwrap();
        read.push(byte);
        follow(&mut behind, read, n_ways);
        read.pop();
    }
}

#[test]
fn no_part_of_a_character_is_a_dead_end() {
    let bytes: Vec<[u8; 1]> = (0..=255).map(|byte| [byte]).collect();
    let tokens = bytes.iter().map(<[u8; 1]>::as_slice).chain([&b"</s>"[..]]);
    let vocabulary = Vocabulary::from_tokens(tokens, &[TokenId::new(256)]).unwrap();
    let compiler = Compiler::builder(vocabulary).build();
    for (schema, n_characters) in [
        // Line ends are all that a dot does not take. No character of UTF-8 is half of a pair of UTF-16.
        (r#"{"type": "string", "not": {"pattern": "."}}"#, 2),
        (r#"{"oneOf": [{"type": "string", "pattern": ".+"}, {"type": "string"}]}"#, 2),
        (r#"{"type": "string", "pattern": "^[^\\u0000-\\ud7fe\\ue001-\\u{10fffe}]*$"}"#, 3),
        (
            r#"{"type": "string", "not": {"pattern": "[\\u0000-\\ud7ff]"}, "pattern": "^[^\\u{10000}-\\u{10ffff}]*$"}"#,
            8_192,
        ),
        (r#"{"type": "string", "not": {"pattern": "[^]"}}"#, 0),
        (r#"{"enum": ["\ud7ff", "\ue000", "\u07ff", "\u0800", "\uffff", "\ud800\udc00", "\udbff\udfff"]}"#, 7),
    ] {
        let grammar = compiler.compile(&Grammar::json_schema_text(schema)).unwrap();
        let mut matcher = grammar.matcher();
        matcher.accept_bytes(b"\"").unwrap();
        let mut n_ways = 0;
        follow(&mut matcher, &mut Vec::new(), &mut n_ways);
        assert_eq!(n_ways, n_characters, "{schema}");
    }
    let nothing = Grammar::json_schema_text(r#"{"type": "string", "minLength": 1, "not": {"pattern": "[^]"}}"#);
    assert!(compiler.compile(&nothing).unwrap_err().is_unsatisfiable());
}
