//! Is nothing written twice that must not be? All texts of small grammars, and masks along random walks.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::collections::BTreeSet;

use formwork::grammar::{Case, Expr, GrammarBuilder, KeyOrder, OtherKeys, Property, Record, Whitespace};
use formwork::{
    Compiler, ContentConstraint, ContentLanguage, Grammar, Limits, Matcher, NonterminalId, StringSpec, Terminal,
    TokenId, Vocabulary,
};

/// The bytes that the grammars below are written in, and strings that cross the ends of lexemes.
fn vocabulary() -> Vocabulary {
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    let pieces = [
        "\"a",
        "\"a\"",
        "a\"",
        "a\":",
        "\":",
        "b\":1",
        "\"ab",
        "\"b\":",
        ",\"",
        ",\"a\"",
        ",\"b\":1",
        "{\"",
        "{\"a\":1,\"",
        "{\"a\":1,\"a",
        "{\"a\":1,\"a\"",
        "\\u0061",
        "\\u00",
        "61",
        "\\",
        "1,\"a\":",
        "1}",
        "},",
        "[1",
        "1,1",
        ",1",
        "true",
        "true,",
        ",true",
        ",fal",
        "tru",
        "\"\"",
        "\",\"",
        "\",\"a",
        "\",\"a\"",
        "1.0",
        ".0",
        "0,1",
        "[[",
        "]]",
        "],[",
        "]",
        "1],",
        "{}",
        "{},",
        ",{",
        ":1}",
        " ",
        ", ",
        "  ",
    ];
    tokens.extend(pieces.iter().map(|piece| piece.as_bytes().to_vec()));
    let stop = TokenId::new(tokens.len() as u32);
    tokens.push(b"</s>".to_vec());
    Vocabulary::from_tokens(tokens, &[stop]).unwrap()
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

/// Checks every token of the mask against a step byte by byte.
fn check_mask(matcher: &mut Matcher, text: &str) -> Vec<TokenId> {
    let vocabulary = matcher.grammar().vocabulary().clone();
    let mut words = vec![u32::MAX; vocabulary.mask_words()];
    matcher.fill_mask(&mut words).unwrap();
    let mut allowed = Vec::new();
    for id in 0..vocabulary.len() as u32 {
        let token = TokenId::new(id);
        let expected = match vocabulary.token_bytes(token) {
            Some(bytes) => {
                let mut matcher = matcher.clone();
                bytes.iter().all(|byte| matcher.accept_bytes(&[*byte]).is_ok())
            }
            None => vocabulary.stop_tokens().contains(&token) && matcher.is_accepting(),
        };
        let in_mask = words[id as usize / 32] >> (id % 32) & 1 == 1;
        let bytes = vocabulary.token_bytes(token).map(String::from_utf8_lossy);
        assert_eq!(in_mask, expected, "token {id} {bytes:?} behind {text}");
        assert_eq!(matcher.clone().accept_token(token).is_ok(), expected, "token {id} {bytes:?} behind {text}");
        if in_mask {
            allowed.push(token);
        }
    }
    assert!(!allowed.is_empty(), "a dead end behind {text}");
    allowed
}

/// Walks at random with checked masks, rolls back and forks on the way; gives what was written to the end.
fn walk(grammar: &Grammar, limits: Limits, n_walks: usize, n_steps: usize) -> Vec<String> {
    let compiled = Compiler::builder(vocabulary()).limits(limits).build().compile(grammar).unwrap();
    let mut random = Random(7);
    let mut texts = Vec::new();
    for _ in 0..n_walks {
        let mut matcher = compiled.matcher();
        let mut text = String::new();
        for step in 0..n_steps {
            let allowed = check_mask(&mut matcher, &text);
            let ascii = |token: &&TokenId| compiled.vocabulary().token_bytes(**token).is_none_or(|it| it.is_ascii());
            let few: Vec<TokenId> = allowed.iter().filter(ascii).copied().collect();
            let token = few[random.below(few.len())];
            if step % 5 == 4 {
                // There and back, and on a fork.
                let before = matcher.mask().unwrap();
                let mut fork = matcher.fork();
                matcher.accept_token(token).unwrap();
                matcher.rollback(1).unwrap();
                assert_eq!(matcher.mask().unwrap(), before);
                fork.accept_token(token).unwrap();
            }
            matcher.accept_token(token).unwrap();
            if matcher.is_stopped() {
                texts.push(text.clone());
                break;
            }
            let bytes = compiled.vocabulary().token_bytes(token).unwrap();
            text.push_str(std::str::from_utf8(bytes).unwrap());
        }
    }
    texts
}

/// All texts of a grammar with finitely many, written with bytes of `alphabet`: no prefix that is taken leads nowhere.
fn all_texts(grammar: &Grammar, alphabet: &[u8]) -> BTreeSet<String> {
    fn visit(matcher: &Matcher, text: &mut String, alphabet: &[u8], found: &mut BTreeSet<String>) -> bool {
        let mut any = matcher.is_accepting();
        if any {
            found.insert(text.clone());
        }
        for byte in alphabet {
            let mut next = matcher.clone();
            if next.accept_bytes(&[*byte]).is_ok() {
                text.push(char::from(*byte));
                assert!(visit(&next, text, alphabet, found), "a dead end behind {text}");
                text.pop();
                any = true;
            }
        }
        any
    }
    let compiled = Compiler::new(vocabulary()).compile(grammar).unwrap();
    let mut found = BTreeSet::new();
    visit(&compiled.matcher(), &mut String::new(), alphabet, &mut found);
    found
}

struct Maker {
    builder: GrammarBuilder,
}

impl Maker {
    fn new() -> Maker {
        Maker { builder: GrammarBuilder::new() }
    }

    fn value(&mut self, terminal: Terminal) -> NonterminalId {
        let body = Expr::Terminal(self.builder.terminal(terminal));
        self.builder.nonterminal("value", body)
    }

    fn literal(&mut self, text: &str) -> formwork::TerminalId {
        self.builder.terminal(Terminal::literal(text))
    }

    fn record(
        &mut self,
        named: &[(&str, bool)],
        others: &[(&str, Option<u32>)],
        (min, max): (u32, Option<u32>),
    ) -> Expr {
        let value = self.value(Terminal::literal("1"));
        let [open, close, separator, assign] = ["{", "}", ",", ":"].map(|text| self.literal(text));
        let property = |(name, required): &(&str, bool)| Property {
            key: format!("\"{name}\"").into_bytes(),
            cases: vec![Case::plain(value)],
            required: *required,
        };
        let properties = named.iter().map(property).collect();
        let mut classes = Vec::new();
        for (pattern, n_words) in others {
            let key = self.builder.terminal(string(pattern));
            classes.push(OtherKeys { key, cases: vec![Case::plain(value)], n_words: *n_words });
        }
        Expr::Record(Record {
            open,
            close,
            separator,
            assign,
            properties,
            others: classes,
            n_goals: 0,
            presence: Vec::new(),
            min,
            max,
        })
    }

    fn grammar(mut self, body: Expr) -> Grammar {
        let start = self.builder.nonterminal("start", body);
        Grammar::from_builder(self.builder, start)
    }
}

fn string(pattern: &str) -> Terminal {
    let language = ContentLanguage::Search(pattern.into());
    let content = if pattern.is_empty() { vec![] } else { vec![ContentConstraint { language, negated: false }] };
    Terminal::String(StringSpec { content, ..StringSpec::default() }.into())
}

/// All ways to write some of `keys`, each once, that `fits`.
fn records_of(keys: &[&str], fits: impl Fn(&[&str]) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut pending: Vec<Vec<&str>> = vec![Vec::new()];
    while let Some(chosen) = pending.pop() {
        if fits(&chosen) {
            let entries: Vec<String> = chosen.iter().map(|key| format!("\"{key}\":1")).collect();
            found.insert(format!("{{{}}}", entries.join(",")));
        }
        for key in keys.iter().filter(|key| !chosen.contains(key)) {
            let mut next = chosen.clone();
            next.push(key);
            pending.push(next);
        }
    }
    found
}

/// Colons outside of strings.
fn n_entries(text: &str) -> usize {
    let (mut inside, mut escaped, mut n_entries) = (false, false, 0);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b':' if !inside => n_entries += 1,
            _ => {}
        }
    }
    n_entries
}

#[test]
fn no_key_is_written_twice() {
    for order in [KeyOrder::Listed, KeyOrder::Any] {
        for whitespace in [None, Some(Whitespace { max: Some(2), surrounding: false })] {
            let mut maker = Maker::new();
            maker.builder.set_key_order(order).set_whitespace(whitespace);
            let record = maker.record(&[("b", false)], &[("^[^b]?$|..", None)], (0, None));
            let texts = walk(&maker.grammar(record), Limits::default(), 40, 40);
            assert!(!texts.is_empty());
            for text in texts {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(value.as_object().unwrap().len(), n_entries(&text), "{text}");
            }
        }
    }
}

#[test]
fn spellings_of_one_key_are_one_key() {
    let mut maker = Maker::new();
    let record = maker.record(&[], &[("", None)], (0, None));
    let compiled = Compiler::new(vocabulary()).compile(&maker.grammar(record)).unwrap();
    let mut matcher = compiled.matcher();
    matcher.accept_bytes(br#"{"a":1,"/":1,"b":1,""#).unwrap();
    for refused in ["a\"", "\\u0061\"", "\\/\"", "/\"", "\\u002F\"", "b\""] {
        assert!(matcher.clone().accept_bytes(refused.as_bytes()).is_err(), "{refused}");
    }
    matcher.accept_bytes(br#"\u00e9":1,"aa":1,""#).unwrap();
    assert!(matcher.clone().accept_bytes("é\"".as_bytes()).is_err());
    matcher.accept_bytes("ab\":1}".as_bytes()).unwrap();
    assert!(matcher.is_accepting());
}

#[test]
fn keys_of_few_words_run_out() {
    let keys = ["", "a", "b", "aa", "ab", "ba", "bb"];
    let others = &keys[1..5];
    for (min, max) in [(0, None), (3, None), (4, Some(4)), (2, Some(3))] {
        for order in [KeyOrder::Listed, KeyOrder::Any] {
            let mut maker = Maker::new();
            maker.builder.set_key_order(order);
            let record =
                maker.record(&[("", true), ("bb", false)], &[("^[ab]$", Some(2)), ("^a[ab]$", Some(2))], (min, max));
            let expected = records_of(&["", "bb", "a", "b", "aa", "ab"], |chosen| {
                let n = chosen.len() as u32;
                let position = |key: &str| chosen.iter().position(|other| *other == key);
                let last_named = position("").max(position("bb"));
                let first_other = chosen.iter().position(|key| others.contains(key));
                let in_order = order == KeyOrder::Any
                    || position("bb").is_none_or(|at| position("") < Some(at))
                        && first_other.is_none_or(|first| last_named < Some(first));
                n >= min && max.is_none_or(|max| n <= max) && position("").is_some() && in_order
            });
            let grammar = maker.grammar(record);
            assert_eq!(all_texts(&grammar, b"{}:,\"ab1"), expected, "{min} {max:?} {order:?}");
            walk(&grammar, Limits::default(), 10, 60);
        }
    }
}

#[test]
fn keys_are_remembered_when_a_cache_is_started_anew() {
    let mut maker = Maker::new();
    let record = maker.record(&[("x", false)], &[("^[^x]", None)], (0, None));
    let limits = Limits { max_cache_bytes: 20_000, ..Limits::default() };
    let compiled =
        Compiler::builder(vocabulary()).limits(limits.clone()).build().compile(&maker.grammar(record)).unwrap();
    let mut matcher = compiled.matcher();
    matcher.accept_bytes(b"{\"x\":1").unwrap();
    for index in 0..300 {
        matcher.accept_bytes(format!(",\"k{index}\":1").as_bytes()).unwrap();
        matcher.mask().unwrap();
    }
    assert!(compiled.stats().resets > 0);
    for index in 0..300 {
        assert!(matcher.clone().accept_bytes(format!(",\"k{index}\"").as_bytes()).is_err());
    }
    matcher.rollback(100).unwrap();
    assert!(matcher.clone().accept_bytes(b",\"k199\"").is_err());
    assert!(matcher.clone().accept_bytes(b",\"k200\"").is_ok());
}

#[test]
fn too_many_keys_are_an_error() {
    let mut maker = Maker::new();
    let record = maker.record(&[], &[("", None)], (0, None));
    let limits = Limits { max_unique: 3, ..Limits::default() };
    let compiled = Compiler::builder(vocabulary()).limits(limits).build().compile(&maker.grammar(record)).unwrap();
    let mut matcher = compiled.matcher();
    matcher.accept_bytes(br#"{"a":1,"b":1,"c":1"#).unwrap();
    let error = matcher.accept_bytes(br#","d":1"#).unwrap_err();
    assert!(error.to_string().contains("max_unique"), "{error}");
}
