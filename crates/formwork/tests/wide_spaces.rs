//! Are spaces beyond ASCII told apart, where a pattern takes some of them and not others?

#![allow(clippy::unwrap_used)] // a test fails by panicking

use formwork::{Compiler, Grammar, TokenId, Vocabulary};

/// Letters, words, digits, and spaces of every kind alone, doubled and beside a letter.
fn tokens() -> Vec<String> {
    let spaces =
        ['\u{85}', '\u{a0}', '\u{1680}', '\u{2002}', '\u{200b}', '\u{2028}', '\u{2029}', '\u{3000}', '\u{feff}'];
    let mut tokens: Vec<String> = (0x20..0x7fu8).map(|byte| char::from(byte).to_string()).collect();
    tokens.extend(["http", "://", "foo", "fo", "oo", "xfoox", "ab1", "..", "\u{e9}", "\u{4e2d}foo"].map(str::to_owned));
    for space in spaces {
        tokens.extend([format!("{space}"), format!("{space}{space}"), format!("a{space}"), format!("{space}foo")]);
    }
    tokens
}

#[test]
fn masks_allow_what_can_be_read_among_spaces_beyond_ascii() {
    let mut tokens = tokens();
    tokens.push("</s>".to_owned());
    let stop = TokenId::new(tokens.len() as u32 - 1);
    let vocabulary = Vocabulary::from_tokens(tokens.iter().map(String::as_bytes), &[stop]).unwrap();
    let compiler = Compiler::builder(vocabulary).build();
    for (pattern, texts) in [
        (r"^https?://.*?\\..*$", &["\"https://", "\"http://x", "\"http://x."][..]),
        (r"^(?!.*foo).*$", &["\"", "\"a", "\"f", "\"fo"]),
        (r"foo.*1", &["\"", "\"fo", "\"foo", "\"foo1"]),
        (r"^\\S+$", &["\"", "\"a"]),
        (r"^[^\\u00a0]{2,9}$", &["\"", "\"aaa", "\"aaaaaaa"]),
    ] {
        let schema = format!(r#"{{"type": "string", "pattern": "{pattern}"}}"#);
        let grammar = compiler.compile(&Grammar::json_schema_text(&schema)).unwrap();
        for text in texts {
            let mut matcher = grammar.matcher();
            matcher.accept_bytes(text.as_bytes()).unwrap();
            let mask = matcher.mask().unwrap();
            for (token, id) in tokens[..tokens.len() - 1].iter().zip(0..) {
                let can_be_read = matcher.fork().accept_bytes(token.as_bytes()).is_ok();
                assert_eq!(mask.contains(TokenId::new(id)), can_be_read, "{token:?} behind {text} in {pattern}");
            }
        }
    }
}
