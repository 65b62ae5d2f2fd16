//! Is nothing written twice that must not be? All texts of small grammars, and masks along random walks.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod common;

use std::collections::BTreeSet;

use common::Random;
use formwork::grammar::{Case, Expr, GrammarBuilder, KeyOrder, List, OtherKeys, Property, Record, Whitespace};
use formwork::json_schema::{Layout, SchemaOptions};
use formwork::{
    Bound, Compiler, ContentConstraint, ContentLanguage, Decimal, Grammar, Limits, Matcher, NonterminalId, NumberSpec,
    Numbers, StringSpec, Terminal, TokenId, Vocabulary,
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
            n_unordered: 0,
            n_goals: 0,
            presence: Vec::new(),
            min,
            max,
        })
    }

    /// A list with elements of these bodies: of the first positions, and of all others.
    fn list(
        &mut self,
        prefix: &[NonterminalId],
        rest: Option<NonterminalId>,
        (min, max): (u32, Option<u32>),
        unique: bool,
    ) -> Expr {
        let [open, close, separator] = ["[", "]", ","].map(|text| self.literal(text));
        Expr::List(List {
            open,
            close,
            separator,
            prefix: prefix.iter().map(|value| vec![Case::plain(*value)]).collect(),
            rest: rest.map(Case::plain).into_iter().collect(),
            counters: Vec::new(),
            min,
            max,
            unique,
        })
    }

    fn body(&mut self, body: Expr) -> NonterminalId {
        self.builder.nonterminal("body", body)
    }

    fn any_of(&mut self, texts: &[&str]) -> NonterminalId {
        let mut texts = texts.to_vec();
        texts.sort_unstable();
        let strings: Vec<Box<[u8]>> = texts.iter().map(|text| text.as_bytes().into()).collect();
        self.value(Terminal::OneOf(strings.into()))
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

/// Where a byte stands outside of strings.
fn outside_strings(text: &str, wanted: u8) -> Vec<usize> {
    let (mut inside, mut escaped, mut found) = (false, false, Vec::new());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ if byte == wanted && !inside => found.push(at),
            _ => {}
        }
    }
    found
}

/// The elements of a list of scalars.
fn elements(text: &str) -> Vec<String> {
    let inner = text.trim().strip_prefix('[').unwrap().strip_suffix(']').unwrap();
    if inner.trim().is_empty() {
        return Vec::new();
    }
    let mut ends = outside_strings(inner, b',');
    ends.push(inner.len());
    let starts = std::iter::once(0).chain(ends.iter().map(|end| end + 1));
    starts.zip(&ends).map(|(start, end)| inner[start..*end].trim().to_owned()).collect()
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
                assert_eq!(value.as_object().unwrap().len(), outside_strings(&text, b':').len(), "{text}");
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
            assert_same(&all_texts(&grammar, b"{}:,\"ab1"), &expected);
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

/// Says what is missing and what is too much, and not all there is.
fn assert_same(found: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let missing: Vec<&String> = expected.difference(found).take(5).collect();
    let too_many: Vec<&String> = found.difference(expected).take(5).collect();
    assert!(missing.is_empty() && too_many.is_empty(), "missing {missing:?}, too many {too_many:?}");
}

/// All lists of `min` to `max` of these values, no two of which are equal.
fn lists_of(values: &[&str], (min, max): (usize, usize), equal: impl Fn(&str, &str) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut pending: Vec<Vec<&str>> = vec![Vec::new()];
    while let Some(chosen) = pending.pop() {
        if chosen.len() >= min {
            found.insert(format!("[{}]", chosen.join(",")));
        }
        for value in values.iter().filter(|value| chosen.len() < max && !chosen.iter().any(|it| equal(it, value))) {
            let mut next = chosen.clone();
            next.push(value);
            pending.push(next);
        }
    }
    found
}

fn equal_json(a: &str, b: &str) -> bool {
    fn canonical(value: &serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::Number(number) => Value::from(number.as_f64().unwrap()),
            Value::Array(items) => items.iter().map(canonical).collect(),
            Value::Object(members) => {
                let sorted: std::collections::BTreeMap<_, _> =
                    members.iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
                Value::Array(
                    sorted
                        .into_iter()
                        .map(|(key, value)| Value::Array(vec![key.into(), value]))
                        .chain([Value::Null])
                        .collect(),
                )
            }
            other => other.clone(),
        }
    }
    canonical(&serde_json::from_str(a).unwrap()) == canonical(&serde_json::from_str(b).unwrap())
}

fn canonical_scalar(text: &str) -> String {
    match Decimal::parse(text) {
        Some(number) => number.to_string(),
        None => serde_json::from_str::<serde_json::Value>(text).map_or(text.to_owned(), |value| value.to_string()),
    }
}

#[test]
fn elements_of_few_values_differ() {
    let values: [&[&str]; 5] = [
        &["true", "false"],
        &["1", "1.0", "10", "1e1", "0"],
        &["\"a\"", "\"\\u0061\"", "\"ab\"", "\"b\""],
        &["[]", "[1]", "[1,1]", "[1.0]"],
        &["{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1.0}", "{\"a\":1}", "{}", "null"],
    ];
    for values in values {
        let mut maker = Maker::new();
        let element = maker.any_of(values);
        let list = maker.list(&[], Some(element), (0, None), true);
        let grammar = maker.grammar(list);
        let expected = lists_of(values, (0, usize::MAX), equal_json);
        assert_same(&all_texts(&grammar, b"[]{}:,\"abutefalsrn\\01.2e6"), &expected);
        walk(&grammar, Limits::default(), 10, 60);
    }
}

#[test]
fn many_constants_differ() {
    // Whole texts, beginnings of others, spelled in two ways, and numbers beside them.
    let mut values: Vec<String> = vec!["true".into(), "1".into(), "1.0".into(), "10".into(), "\"\\u0061b\"".into()];
    for first in ["a", "ab", "a, b", "b"] {
        values.extend(["", "a", "ab", "b\\"].map(|second| format!("\"{first}{second}\"")).into_iter().take(4));
    }
    values.retain(|value| serde_json::from_str::<serde_json::Value>(value).is_ok());
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    for (whitespace, bounds) in
        [(None, (0, None)), (Some(Whitespace { max: Some(2), surrounding: false }), (0, None)), (None, (3, Some(9)))]
    {
        let mut maker = Maker::new();
        maker.builder.set_whitespace(whitespace);
        let element = maker.any_of(&values);
        let list = maker.list(&[], Some(element), bounds, true);
        for text in walk(&maker.grammar(list), Limits::default(), 30, 60) {
            let items = serde_json::from_str::<Vec<serde_json::Value>>(&text).unwrap();
            let items: Vec<String> = items.iter().map(|item| canonical_scalar(&item.to_string())).collect();
            for (index, item) in items.iter().enumerate() {
                assert!(!items[..index].contains(item), "{text}");
            }
        }
    }
}

#[test]
fn a_constant_that_begins_another_one_may_end_where_that_was_written() {
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    let texts =
        ["0.5", "0.5]", "0.", ".5", "0]", "0,", "10", "10]", "1,", " 0.5", "tru", "null", "\"ab\"", "\"a\"", "ab"];
    tokens.extend(texts.map(|text| text.as_bytes().to_vec()));
    let stop = TokenId::new(tokens.len() as u32);
    tokens.push(b"</s>".to_vec());
    let compiler = Compiler::new(Vocabulary::from_tokens(&tokens, &[stop]).unwrap());
    for max in ["2", "3"] {
        let values = r#"[0, 0.5, 1, 10, "a", "ab"]"#;
        let schema =
            format!(r#"{{"items": {{"enum": {values}}}, "uniqueItems": true, "maxItems": {max}, "type": "array"}}"#);
        let grammar = compiler.compile(&Grammar::json_schema_text(&schema)).unwrap();
        for text in [
            "[0.5,",
            "[0,",
            "[10, ",
            "[1,",
            "[0.5,0,",
            "[10,0.5,",
            "[\"ab\",",
            "[\"ab\",\"a\",",
            "[\"a\",10,",
            "[0.5,1",
        ] {
            let mut matcher = grammar.matcher();
            if matcher.accept_bytes(text.as_bytes()).is_err() {
                continue;
            }
            let mask = matcher.mask().unwrap();
            for (bytes, id) in tokens[..tokens.len() - 1].iter().zip(0..) {
                let can_be_read = matcher.fork().accept_bytes(bytes).is_ok();
                let shown = String::from_utf8_lossy(bytes);
                assert_eq!(mask.contains(TokenId::new(id)), can_be_read, "{shown:?} behind {text}, at most {max}");
            }
        }
    }
}

#[test]
fn elements_with_structure_differ() {
    // Lists of one or two booleans, and objects of two optional keys in any order.
    let mut maker = Maker::new();
    maker.builder.set_key_order(KeyOrder::Any);
    let boolean = maker.any_of(&["true", "false"]);
    let inner = maker.list(&[], Some(boolean), (1, Some(2)), false);
    let record = maker.record(&[("a", false), ("b", false)], &[], (0, None));
    let element = maker.body(Expr::Choice(vec![inner, record]));
    let list = maker.list(&[], Some(element), (0, Some(3)), true);
    let grammar = maker.grammar(list);
    let mut values: Vec<String> =
        ["{}", "{\"a\":1}", "{\"b\":1}", "{\"a\":1,\"b\":1}", "{\"b\":1,\"a\":1}"].map(String::from).to_vec();
    for first in ["true", "false"] {
        values.push(format!("[{first}]"));
        values.extend(["true", "false"].map(|second| format!("[{first},{second}]")));
    }
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    assert_same(&all_texts(&grammar, b"[]{}:,\"abtruefls1"), &lists_of(&values, (0, 3), equal_json));
    walk(&grammar, Limits::default(), 20, 60);
}

#[test]
fn lists_within_lists_differ_at_both_levels() {
    let mut maker = Maker::new();
    let digit = maker.any_of(&["0", "1"]);
    let inner = maker.list(&[], Some(digit), (0, None), true);
    let inner = maker.body(inner);
    let list = maker.list(&[], Some(inner), (0, None), true);
    let grammar = maker.grammar(list);
    let values = ["[]", "[0]", "[1]", "[0,1]", "[1,0]"];
    assert_same(&all_texts(&grammar, b"[],01"), &lists_of(&values, (0, 5), |a, b| a == b));
    walk(&grammar, Limits::default(), 20, 60);
}

#[test]
fn strings_and_numbers_without_end_differ() {
    let terminals = [
        string(""),
        string("^a*$"),
        Terminal::Number(NumberSpec::default().into()),
        Terminal::Number(NumberSpec { spelling: Numbers::Any, ..NumberSpec::default() }.into()),
        Terminal::Number(NumberSpec { integer: true, ..NumberSpec::default() }.into()),
        Terminal::String(StringSpec { max_chars: Some(1), ..StringSpec::default() }.into()),
    ];
    for terminal in terminals {
        for whitespace in [None, Some(Whitespace { max: Some(2), surrounding: false })] {
            let mut maker = Maker::new();
            maker.builder.set_whitespace(whitespace);
            let element = maker.value(terminal.clone());
            let list = maker.list(&[], Some(element), (0, None), true);
            for text in walk(&maker.grammar(list), Limits::default(), 6, 40) {
                let items: Vec<String> = elements(&text).iter().map(|item| canonical_scalar(item)).collect();
                for (index, item) in items.iter().enumerate() {
                    assert!(!items[..index].contains(item), "{text}");
                }
            }
        }
    }
}

#[test]
fn numbers_run_out() {
    let bound = |value: &str| Some(Bound { value: Decimal::parse(value).unwrap(), exclusive: false });
    let spec = NumberSpec { integer: true, minimum: bound("9"), maximum: bound("12"), ..NumberSpec::default() };
    let mut maker = Maker::new();
    let element = maker.value(Terminal::Number(spec.into()));
    let list = maker.list(&[], Some(element), (0, None), true);
    let grammar = maker.grammar(list);
    assert_same(&all_texts(&grammar, b"[],0123456789"), &lists_of(&["9", "10", "11", "12"], (0, 4), |a, b| a == b));
    walk(&grammar, Limits::default(), 20, 40);
}

#[test]
fn values_that_are_plenty_need_not_be_found() {
    let compiler = Compiler::new(vocabulary());
    let compile = |items: &str, min: usize| {
        let schema = format!(r#"{{"type": "array", "items": {items}, "uniqueItems": true, "minItems": {min}}}"#);
        compiler.compile(&Grammar::json_schema_text(&schema))
    };
    let object = |n: usize, value: &str| {
        let properties: Vec<String> = (0..n).map(|index| format!(r#""p{index}": {value}"#)).collect();
        format!(r#"{{"type": "object", "additionalProperties": false, "properties": {{{}}}}}"#, properties.join(", "))
    };
    let enough = [
        (r#"{"type": "string", "minLength": 100}"#.to_owned(), 5_000),
        (r#"{"type": "string", "pattern": "^[a-z]{8}-[0-9]{12}$"}"#.into(), 30),
        (r#"{"type": "string", "pattern": "^[a-z]{1,3}\\.example\\.com$"}"#.into(), 2_000),
        (r#"{"type": "string", "format": "uuid"}"#.into(), 900),
        (r#"{"type": "integer", "minimum": 1000000000}"#.into(), 100),
        (r#"{"type": "number", "exclusiveMinimum": 0, "maximum": 1}"#.into(), 100),
        (r#"{"type": "array", "minItems": 3, "items": {"type": "string"}}"#.into(), 1_000),
        (r#"{"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "integer"}}"#.into(), 1_000),
        (r#"{"type": "object", "minProperties": 20, "additionalProperties": {"type": "boolean"}}"#.into(), 100),
        (object(40, r#"{"type": "string"}"#), 1_000),
        (object(40, r#"{"type": "boolean"}"#), 1_000),
        (object(40, r#"{"const": 1}"#), 1_000),
        (r#"{"type": "array", "contains": {"const": 1}, "items": {"type": "integer"}}"#.into(), 100),
        (r#"{"type": "array", "contains": {"const": 1}, "maxContains": 1, "minItems": 9, "items": {"enum": [1, 2]}}"#
            .into(), 9),
        (r#"{"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}"#.into(), 100),
        (r#"{"minProperties": 3, "propertyNames": {"enum": ["a", "b", "c", "d"]}, "dependentRequired": {"a": ["b"]},
            "type": "object", "additionalProperties": {"const": 0}}"#.into(), 4),
    ];
    for (items, min) in enough {
        let compiled = compile(&items, min).unwrap_or_else(|error| panic!("{min} of {items}: {error}"));
        assert!(compiled.matcher().accept_bytes(b"[").is_ok());
    }
    // All of them, and one more than there are.
    let too_few = [
        (r#"{"type": "string", "pattern": "^[ab]{10}$"}"#.to_owned(), 1_024),
        (r#"{"type": "integer", "minimum": 999999990, "maximum": 1000000009}"#.into(), 20),
        (object(3, r#"{"type": "boolean"}"#), 27),
        (r#"{"type": "array", "maxItems": 2, "uniqueItems": true, "items": {"enum": [1, 2, 3]}}"#.into(), 10),
        (
            r#"{"type": "array", "contains": {"const": 1}, "maxContains": 1, "minItems": 9, "maxItems": 9,
            "items": {"enum": [1, 2]}}"#
                .into(),
            9,
        ),
        (
            r#"{"minProperties": 3, "propertyNames": {"enum": ["a", "b", "c", "d"]}, "dependentRequired": {"a": ["b"]},
            "type": "object", "additionalProperties": {"const": 0}}"#
                .into(),
            4,
        ),
        (
            r#"{"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "boolean"}},
            "additionalProperties": false, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}"#
                .into(),
            4,
        ),
    ];
    for (items, n_values) in too_few {
        compile(&items, n_values).unwrap_or_else(|error| panic!("{n_values} of {items}: {error}"));
        let refused = compile(&items, n_values + 1).expect_err(&items);
        assert!(refused.is_unsatisfiable(), "{items}: {refused}");
    }
}

#[test]
fn lists_of_themselves_are_counted_as_deep_as_it_takes() {
    let compile = |schema: &str| Compiler::new(vocabulary()).compile(&Grammar::json_schema_text(schema));
    let object = r##"{"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"value": true,
        "nodes": {"type": "array", "items": {"$ref": "#/$defs/node"}, "uniqueItems": true, "minItems": 2}}}}}"##;
    assert!(compile(object).unwrap().matcher().accept_bytes(b"{\"nodes\":[{\"value\":1},{").is_ok());
    // A list of two has to hold another one for ever.
    let endless = r##"{"$ref": "#/$defs/list", "$defs": {"list": {"anyOf": [{"type": "null"}, {"type": "array",
        "items": {"$ref": "#/$defs/list"}, "uniqueItems": true, "minItems": 2}]}}}"##;
    if let Ok(compiled) = compile(endless) {
        assert!(compiled.matcher().accept_bytes(b"[").is_err());
    }
}

#[test]
fn elements_are_remembered_when_a_cache_is_started_anew() {
    let mut maker = Maker::new();
    let record = maker.record(&[("x", true)], &[("^k", None)], (0, None));
    let record = maker.body(record);
    let list = maker.list(&[], Some(record), (0, None), true);
    let limits = Limits { max_cache_bytes: 50_000, ..Limits::default() };
    let compiled = Compiler::builder(vocabulary()).limits(limits).build().compile(&maker.grammar(list)).unwrap();
    let mut matcher = compiled.matcher();
    matcher.accept_bytes(b"[{\"x\":1}").unwrap();
    for index in 0..100 {
        matcher.accept_bytes(format!(",{{\"x\":1,\"k{index}\":1}}").as_bytes()).unwrap();
        matcher.mask().unwrap();
    }
    assert!(compiled.stats().resets > 0);
    for index in 0..100 {
        assert!(matcher.clone().accept_bytes(format!(",{{\"x\":1,\"k{index}\":1}}").as_bytes()).is_err());
    }
    matcher.rollback(50).unwrap();
    assert!(matcher.clone().accept_bytes(b",{\"x\":1,\"k49\":1}").is_err());
    assert!(matcher.clone().accept_bytes(b",{\"x\":1,\"k50\":1}").is_ok());
}

#[test]
fn lists_without_enough_values_are_refused() {
    let compile = |grammar: &Grammar| Compiler::new(vocabulary()).compile(grammar);
    let outcome = |make: &dyn Fn(&mut Maker) -> (Vec<NonterminalId>, NonterminalId), min| {
        let mut maker = Maker::new();
        let (prefix, rest) = make(&mut maker);
        let list = maker.list(&prefix, Some(rest), (min, None), true);
        compile(&maker.grammar(list)).map(drop)
    };
    let boolean = |maker: &mut Maker| (Vec::new(), maker.any_of(&["true", "false"]));
    assert!(outcome(&boolean, 2).is_ok());
    assert!(outcome(&boolean, 3).unwrap_err().is_unsatisfiable());
    let spellings = |maker: &mut Maker| (Vec::new(), maker.any_of(&["1", "1.0", "10e-1", "2"]));
    assert!(outcome(&spellings, 2).is_ok() && outcome(&spellings, 3).unwrap_err().is_unsatisfiable());
    let words = |maker: &mut Maker| (Vec::new(), maker.value(string("^[ab]{1,2}$")));
    assert!(outcome(&words, 6).is_ok() && outcome(&words, 7).unwrap_err().is_unsatisfiable());
    let lists = |maker: &mut Maker| {
        let boolean = maker.any_of(&["true", "false"]);
        let list = maker.list(&[], Some(boolean), (0, Some(2)), true);
        (Vec::new(), maker.body(list))
    };
    assert!(outcome(&lists, 5).is_ok() && outcome(&lists, 6).unwrap_err().is_unsatisfiable());
    let records = |maker: &mut Maker| {
        let record = maker.record(&[("a", false), ("b", false)], &[("^[cd]$", Some(2))], (0, Some(3)));
        (Vec::new(), maker.body(record))
    };
    assert!(outcome(&records, 15).is_ok() && outcome(&records, 16).unwrap_err().is_unsatisfiable());
    let strings = |maker: &mut Maker| (Vec::new(), maker.value(string("")));
    assert!(outcome(&strings, 1000).is_ok());
    // The first may take what the second needs: nobody looks ahead so far.
    let narrow = |maker: &mut Maker| (vec![maker.any_of(&["1", "2"]), maker.any_of(&["1"])], maker.value(string("")));
    assert!(outcome(&narrow, 1).is_ok());
    let error = outcome(&narrow, 2).unwrap_err();
    assert!(!error.is_unsatisfiable() && error.to_string().contains("differ"), "{error}");
    let wide =
        |maker: &mut Maker| (vec![maker.any_of(&["1", "2"]), maker.any_of(&["1", "2"])], maker.value(string("")));
    assert!(outcome(&wide, 3).is_ok());
}

#[test]
fn positions_of_few_values_have_no_dead_ends() {
    let mut maker = Maker::new();
    let first = maker.any_of(&["1", "2"]);
    let second = maker.any_of(&["1", "3"]);
    let rest = maker.any_of(&["1", "2", "3"]);
    let list = maker.list(&[first, second], Some(rest), (2, None), true);
    let grammar = maker.grammar(list);
    let expected = lists_of(&["1", "2", "3"], (2, 3), |a, b| a == b);
    let fits = |text: &&String| !text.starts_with("[3") && !text[3..].starts_with('2');
    assert_same(&all_texts(&grammar, b"[],123"), &expected.iter().filter(fits).cloned().collect());
    walk(&grammar, Limits::default(), 10, 20);
}

/// `[0]` is a list, but behind `[2` another `2` would have to come.
#[test]
fn lists_whose_counters_may_force_a_repetition_are_refused() {
    let list = |prefix: &str, counted: &str| {
        let schema = format!(
            r#"{{"type": "array", "uniqueItems": true, "items": {{"enum": [0, 2, 4]}}, "prefixItems": [true, {prefix}],
            "contains": {counted}}}"#
        );
        Compiler::new(vocabulary()).compile(&Grammar::json_schema_text(&schema))
    };
    let error = list(r#"{"enum": [2]}"#, r#"{"maximum": 0}"#).unwrap_err();
    assert!(error.to_string().contains("elements that differ"), "{error}");
    assert!(list(r#"{"enum": [2, 4]}"#, r#"{"maximum": 0}"#).is_err());
    assert!(list(r#"{"enum": [2, 4]}"#, r#"{"maximum": 4}"#).is_ok());
}

#[test]
fn a_separator_of_several_bytes_begins_where_something_can_follow() {
    for schema in [
        r#"{"type": "array", "uniqueItems": true, "items": {"enum": [1, 2]}}"#,
        r#"{"type": "object", "patternProperties": {"^[ab]$": {"const": 1}}, "additionalProperties": false}"#,
    ] {
        let options = SchemaOptions { layout: Layout::SPACED, ..SchemaOptions::default() };
        let grammar = Grammar::json_schema_text(schema).with_options(options);
        // A walk panics where nothing can follow.
        assert!(!walk(&grammar, Limits::default(), 40, 24).is_empty());
    }
}

/// What a live text holds does not fit into the bound of the caches: they are started anew only as often as it doubles.
#[test]
fn a_text_of_many_keys_outgrows_the_caches_and_goes_on() {
    let limits = Limits { max_cache_bytes: 20_000, ..Limits::default() };
    let compiler = Compiler::builder(vocabulary()).limits(limits).build();
    for schema in [r#"{"type": "object"}"#, r#"{"type": "array", "uniqueItems": true}"#] {
        let compiled = compiler.compile(&Grammar::json_schema_text(schema)).unwrap();
        let mut matcher = compiled.matcher();
        let object = schema.contains("object");
        matcher.accept_bytes(if object { b"{" } else { b"[" }).unwrap();
        for index in 0..1_500 {
            let separator = if index == 0 { "" } else { "," };
            let value =
                if object { format!("{separator}\"k{index}\":{index}") } else { format!("{separator}\"k{index}\"") };
            matcher.accept_bytes(value.as_bytes()).unwrap();
        }
        // What was written long ago is known all the same.
        let again = if object { ",\"k7\"" } else { ",\"k7\"," };
        assert!(matcher.clone().accept_bytes(again.as_bytes()).is_err(), "{schema}");
        matcher.accept_bytes(if object { b",\"k1500\":1}" } else { b",\"k1500\"]" }).unwrap();
        assert!(matcher.is_accepting());
        let n_resets = compiled.stats().resets;
        assert!((1..40).contains(&n_resets), "{schema}: {n_resets} new generations");
    }
}
