//! Is a token in the mask exactly when its bytes can be accepted? Every token, along random walks.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod common;

use common::Random;
use formwork::grammar::{Case, Expr, GrammarBuilder, List, Property, Record, Whitespace};
use formwork::{
    Bound, Compiler, ContentConstraint, ContentLanguage, Decimal, Escapes, Grammar, Matcher, NumberSpec, Numbers,
    StringSpec, Terminal, TokenId, Vocabulary,
};

/// Every single byte, and strings that cross the ends of lexemes in many ways.
fn vocabulary() -> Vocabulary {
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    let pieces = [
        "\"",
        "\",",
        "\":",
        "\": ",
        "\"}",
        "\"]",
        "{\"",
        "[\"",
        "},",
        "]}",
        "a",
        "ab",
        "abc",
        "A1",
        "name",
        "\"name\"",
        " ",
        "  ",
        "\n",
        "\n  ",
        " \"",
        ",\"",
        ", \"",
        "é",
        "日本",
        "a\"",
        "b\",\"",
        "\\\"",
        "\\n",
        "\\u00",
        "\\ud83d",
        "\\ude00",
        "12",
        "1.",
        "5,",
        "-",
        "0}",
        "true",
        "null,",
        ":1",
        ": 12",
        "aaaa",
        "aaaaaaaa",
        "abab",
        "Ab",
        "-a",
        "a-b",
        "\"\"",
        "\"\",",
        "[]",
        "{}",
        "x\\",
        "\u{1F600}",
        "\u{2028}",
    ];
    tokens.extend(pieces.iter().map(|piece| piece.as_bytes().to_vec()));
    tokens.push("é".as_bytes()[..1].to_vec());
    tokens.push("日本".as_bytes()[1..4].to_vec());
    tokens.push(Vec::new());
    let stop = TokenId::new(tokens.len() as u32);
    tokens.push(b"</s>".to_vec());
    Vocabulary::from_tokens(tokens, &[stop]).unwrap()
}

fn check_mask(matcher: &mut Matcher) -> Vec<TokenId> {
    let vocabulary = matcher.grammar().vocabulary().clone();
    let mut words = vec![u32::MAX; vocabulary.mask_words() + 2];
    matcher.fill_mask(&mut words).unwrap();
    let mut allowed = Vec::new();
    for id in 0..vocabulary.len() as u32 {
        let token = TokenId::new(id);
        let expected = match vocabulary.token_bytes(token) {
            Some(bytes) => matcher.clone().accept_bytes(bytes).is_ok(),
            None => vocabulary.stop_tokens().contains(&token) && matcher.is_accepting(),
        };
        let in_mask = words[id as usize / 32] >> (id % 32) & 1 == 1;
        assert_eq!(in_mask, expected, "token {id} {:?}", vocabulary.token_bytes(token).map(String::from_utf8_lossy));
        assert_eq!(matcher.clone().accept_token(token).is_ok(), expected, "token {id}");
        if in_mask {
            allowed.push(token);
        }
    }
    assert!(!allowed.is_empty(), "a dead end");
    allowed
}

fn walk(grammar: &Grammar, seed: u64) {
    walk_with(&Compiler::new(vocabulary()), grammar, seed);
}

fn walk_with(compiler: &Compiler, grammar: &Grammar, seed: u64) {
    let compiled = compiler.compile(grammar).unwrap();
    let mut random = Random(seed);
    for _ in 0..6 {
        let mut matcher = compiled.matcher();
        // The twin never takes a whole token, so no short cut for tokens can serve it.
        let mut twin = compiled.matcher();
        for _ in 0..30 {
            let allowed = check_mask(&mut matcher);
            let token = allowed[random.below(allowed.len())];
            matcher.accept_token(token).unwrap();
            if matcher.is_stopped() {
                break;
            }
            let bytes = compiled.vocabulary().token_bytes(token).unwrap();
            bytes.iter().for_each(|byte| twin.accept_bytes(&[*byte]).unwrap());
            assert_eq!(matcher.mask().unwrap(), twin.mask().unwrap(), "after {:?}", String::from_utf8_lossy(bytes));
        }
    }
}

fn string(content: Vec<ContentConstraint>, min_chars: u32, max_chars: Option<u32>) -> Terminal {
    Terminal::String(StringSpec { content, min_chars, max_chars, ..StringSpec::default() }.into())
}

fn search(pattern: &str) -> ContentConstraint {
    ContentConstraint { language: ContentLanguage::Search(pattern.into()), negated: false }
}

fn one_terminal(terminal: Terminal) -> Grammar {
    let mut builder = GrammarBuilder::new();
    let body = Expr::Terminal(builder.terminal(terminal));
    let start = builder.nonterminal("start", body);
    Grammar::from_builder(builder, start)
}

/// A list of records, in which strings and numbers are followed by many things.
fn records(whitespace: Option<Whitespace>, value: Terminal) -> Grammar {
    let mut builder = GrammarBuilder::new();
    builder.set_whitespace(whitespace);
    let [open, close, comma, colon, left, right] =
        ["{", "}", ",", ":", "[", "]"].map(|text| builder.terminal(Terminal::literal(text)));
    let value = Expr::Terminal(builder.terminal(value));
    let value = builder.nonterminal("value", value);
    let number = Expr::Terminal(builder.terminal(Terminal::Number(NumberSpec::default().into())));
    let number = builder.nonterminal("number", number);
    let property = |key: &str, value, required| {
        let cases = vec![Case::plain(value)];
        Property { key: format!("\"{key}\"").into_bytes(), cases, required }
    };
    let record = Expr::Record(Record {
        open,
        close,
        separator: comma,
        assign: colon,
        properties: vec![property("a", number, false), property("name", value, true), property("ab", value, false)],
        others: Vec::new(),
        n_unordered: 0,
        n_goals: 0,
        presence: Vec::new(),
        min: 0,
        max: Some(2),
    });
    let record = builder.nonterminal("record", record);
    let list = List {
        open: left,
        close: right,
        separator: comma,
        prefix: vec![vec![Case::plain(number)]],
        rest: vec![Case::plain(record)],
        counters: Vec::new(),
        min: 1,
        max: Some(3),
        unique: false,
    };
    let start = builder.nonterminal("list", Expr::List(list));
    Grammar::from_builder(builder, start)
}

#[test]
fn strings_with_content_and_bounds() {
    let cases = [
        string(vec![], 0, None),
        string(vec![], 2, Some(5)),
        string(vec![], 0, Some(0)),
        string(vec![search("^[a-z]+$")], 0, None),
        string(vec![search("^[a-z]*$")], 3, Some(9)),
        string(vec![search("ab")], 0, Some(4)),
        string(vec![search("^[A-Z][a-z]+(-[a-z]+)*$")], 0, Some(7)),
        string(vec![search("^(é|日)+$")], 0, None),
        string(vec![search("^\\S*$")], 1, None),
        string(vec![search("^.{3}$"), search("^[^a]")], 0, None),
        string(vec![search("^.*$"), ContentConstraint { negated: true, ..search("a") }], 0, Some(6)),
    ];
    for (seed, terminal) in cases.into_iter().enumerate() {
        walk(&one_terminal(terminal.clone()), seed as u64);
        walk(&records(None, terminal.clone()), seed as u64);
        walk(&records(Some(Whitespace { max: Some(3), surrounding: false }), terminal), seed as u64);
    }
}

/// The same terminal with its characters spelled in one way.
fn spelled(terminal: &Terminal, escapes: Escapes) -> Terminal {
    match terminal {
        Terminal::String(spec) => Terminal::String(StringSpec { escapes, ..(**spec).clone() }.into()),
        other => other.clone(),
    }
}

#[test]
fn strings_of_every_spelling() {
    let host = |international, negated| {
        vec![ContentConstraint { language: ContentLanguage::HostName { international }, negated }]
    };
    let cases = [
        string(vec![], 0, None),
        string(vec![], 1, Some(3)),
        string(vec![search("^[^a]*$")], 0, None),
        string(vec![search("^[a-zé]+$")], 2, Some(4)),
        string(vec![search("^(é|日|😀|\n|\u{1}|/)+$")], 0, None),
        string(vec![search("^[!-~]{2,}$")], 0, None),
        string(vec![search("^(?:[a-c]é)+$"), search("^(?:..)+$")], 3, Some(7)),
        string(vec![ContentConstraint { language: one_of(&["a", "é", "/"]), negated: true }], 0, None),
        string(vec![ContentConstraint { language: one_of(&["ab", "é\n", "😀/"]), negated: false }], 0, None),
        string(host(false, false), 0, Some(253)),
        string(host(false, true), 2, None),
    ];
    walk(&one_terminal(string(host(true, false), 3, Some(8))), 0);
    for escapes in [Escapes::Any, Escapes::Canonical, Escapes::AsciiOnly, Escapes::Minimal] {
        for (seed, terminal) in cases.iter().enumerate() {
            let terminal = spelled(terminal, escapes);
            walk(&one_terminal(terminal.clone()), seed as u64);
            walk(&records(None, terminal), seed as u64 + 100);
        }
    }
}

#[test]
fn patterns_that_look_around() {
    for (seed, (pattern, min_chars, max_chars)) in [
        (r"\bab\b", 0, None),
        (r"^(?:(?!ab).)*$", 2, Some(6)),
        (r"(?<=a)b(?!c)", 0, None),
        (r"^(?=.*[0-9])(?=.*[a-z])\w{2,5}$", 0, None),
        (r"^(?:a(?=b)|b(?=a|$))+$", 3, Some(9)),
    ]
    .into_iter()
    .enumerate()
    {
        let mut schema = serde_json::json!({"type": "string", "pattern": pattern, "minLength": min_chars});
        if let Some(max) = max_chars {
            schema["maxLength"] = serde_json::json!(max);
        }
        walk(&Grammar::json_schema(schema.clone()), seed as u64);
        walk(&Grammar::json_schema(serde_json::json!({"type": "array", "items": schema})), seed as u64);
        walk(&Grammar::json_schema(serde_json::json!({"type": "string", "not": {"pattern": pattern}})), seed as u64);
    }
}

#[test]
fn one_of_several_patterns_and_letters_that_are_fatal() {
    let patterns = |patterns: &[&str]| {
        let branches: Vec<_> = patterns.iter().map(|pattern| serde_json::json!({"pattern": pattern})).collect();
        serde_json::json!({"type": "string", "oneOf": branches})
    };
    let mut bounded = patterns(&["ab", "^a", "1$"]);
    bounded["minLength"] = 2.into();
    bounded["maxLength"] = 7.into();
    let keys = serde_json::json!({
        "type": "object",
        "oneOf": [{"patternProperties": {"a": {"type": "integer"}}}, {"patternProperties": {"b": {"type": "integer"}}}],
        "additionalProperties": {"type": "boolean"},
        "maxProperties": 3
    });
    let schemas = [
        patterns(&["ab", "ba", "é"]),
        patterns(&["a", "b", "^[^1]*$", "(?<=a)b"]),
        bounded,
        keys,
        serde_json::json!({"pattern": "^[^a]*$"}),
        serde_json::json!({"pattern": r"^a?[^b\u2028\-]*$", "minLength": 1}),
        serde_json::json!({"type": "string", "not": {"pattern": "[a1]|日b"}}),
        // Behind the letter that must come, nothing but the other one is fatal, or nothing but another word.
        serde_json::json!({"pattern": "a", "not": {"anyOf": [{"pattern": "b"}, {"const": "1a"}]}}),
        serde_json::json!({"pattern": "^[^b]*a[^b]*$", "not": {"pattern": "a1.*é"}}),
        // A home for each set of words that were found, from some of which others are fatal.
        serde_json::json!({"allOf": [{"pattern": "a"}, {"pattern": "b"}, {"pattern": "1.*A"}], "not": {"pattern": "Ab.|a1"}}),
        serde_json::json!({"pattern": "1", "not": {"pattern": "b.*a|A1.*bb"}, "maxLength": 9}),
        // Several ways, of which each leaves some patterns out.
        serde_json::json!({"pattern": "a", "minLength": 2, "maxLength": 9, "anyOf": [
            {"pattern": "b"}, {"pattern": "1.*a"}, {"pattern": "é$"}, {"pattern": "^A.*-"}, {"not": {"pattern": "[1A]"}}
        ]}),
        serde_json::json!({
            "type": "object",
            "patternProperties": {"a": {"type": "integer"}, "b": {"const": "1"}, "1": {"const": []}},
            "required": ["1x"]
        }),
    ];
    for (seed, schema) in schemas.into_iter().enumerate() {
        walk(&Grammar::json_schema(schema), seed as u64);
    }
}

/// Elements that must come until a counter is met, and what an object must have of few keys without a name.
#[test]
fn obligations_on_few_values_and_keys() {
    use formwork::json_schema::{Layout, SchemaOptions};
    let lists = [
        serde_json::json!({"items": {"enum": [0, 2, 4]}, "prefixItems": [true], "contains": {"maximum": 2}}),
        serde_json::json!({"items": {"enum": [0, 20]}, "contains": {"const": 20}}),
        serde_json::json!({"items": {"enum": ["ab", "a", "-a"]}, "contains": {"maxLength": 1}, "maxContains": 1}),
    ];
    let keys = serde_json::json!({"^[ab1]$": {"enum": [false]}, "^x": {"enum": [1, false]}});
    let objects = [
        serde_json::json!({"patternProperties": {"^a": false}}),
        serde_json::json!({"patternProperties": {"^[ax]": {"const": false}}}),
        serde_json::json!({"properties": {"b": false}, "patternProperties": {"^x": {"const": 1}}}),
    ];
    let list = |mut schema: serde_json::Value| {
        schema["type"] = "array".into();
        schema["uniqueItems"] = true.into();
        schema
    };
    let object = |not: serde_json::Value| {
        let body = serde_json::json!({"patternProperties": keys, "additionalProperties": false, "maxProperties": 3});
        serde_json::json!({"type": "object", "properties": {"b": true}, "allOf": [body, {"not": not}]})
    };
    for (seed, schema) in lists.into_iter().map(list).chain(objects.into_iter().map(object)).enumerate() {
        for key_order in [formwork::grammar::KeyOrder::Listed, formwork::grammar::KeyOrder::Any] {
            let options = SchemaOptions { layout: Layout::COMPACT, key_order, ..SchemaOptions::default() };
            walk(&Grammar::json_schema(schema.clone()).with_options(options), seed as u64);
        }
    }
}

#[test]
fn host_names_beside_other_constraints() {
    let schemas = [
        serde_json::json!({"type": "string", "oneOf": [{"format": "hostname"}, {"format": "ipv4"}, {"format": "ipv6"}]}),
        serde_json::json!({"type": "string", "format": "hostname", "pattern": "^a.*b$"}),
        serde_json::json!({"type": "string", "format": "hostname", "pattern": "^[a-z]", "minLength": 3, "maxLength": 7}),
        serde_json::json!({"type": "string", "format": "hostname", "not": {"enum": ["a", "b.a"]}, "pattern": "a"}),
        serde_json::json!({"type": "string", "oneOf": [{"format": "hostname"}, {"format": "uri-reference"}]}),
        serde_json::json!({"type": "string", "oneOf": [{"format": "hostname"}, {"format": "regex"}], "maxLength": 5}),
    ];
    for (seed, schema) in schemas.into_iter().enumerate() {
        walk(&Grammar::json_schema(schema), seed as u64);
    }
}

/// Labels of several scripts and directions, contexts, points, encoded labels.
#[test]
fn international_host_names() {
    let name = || serde_json::json!({"type": "string", "format": "idn-hostname"});
    let with = |key: &str, value: serde_json::Value| {
        let mut schema = name();
        schema[key] = value;
        schema
    };
    let mut few = with("maxLength", 7.into());
    few["minLength"] = 4.into();
    let schemas = [
        name(),
        with("maxLength", 253.into()),
        few,
        serde_json::json!({"type": "string", "not": name()}),
        serde_json::json!({"type": "string", "not": name(), "maxLength": 4}),
        serde_json::json!({"type": "object", "propertyNames": name(), "minProperties": 1, "maxProperties": 2}),
    ];
    for (seed, schema) in schemas.into_iter().enumerate() {
        walk(&Grammar::json_schema(schema), seed as u64);
    }
}

#[test]
fn regular_expressions() {
    let schemas = [
        serde_json::json!({"type": "string", "format": "regex"}),
        serde_json::json!({"type": "string", "format": "regex", "minLength": 2, "maxLength": 6}),
        serde_json::json!({"type": "string", "format": "regex", "minLength": 20, "maxLength": 22}),
        serde_json::json!({"type": "string", "format": "regex", "maxLength": 400}),
        serde_json::json!({"type": "string", "format": "regex", "pattern": "^[\\[(]a"}),
        serde_json::json!({"type": "string", "format": "regex", "pattern": "a[a-c1]", "not": {"pattern": "~|é.*9"}}),
        serde_json::json!({"type": "string", "format": "regex", "pattern": "[0-9]{2}$"}),
        serde_json::json!({"type": "string", "format": "regex", "not": {"pattern": "^a|\\)$|\\(\\)"}}),
        serde_json::json!({"type": "string", "not": {"format": "regex"}, "maxLength": 3}),
        serde_json::json!({"type": "object", "propertyNames": {"format": "regex"}, "additionalProperties": {"const": 1}}),
    ];
    let pieces = [
        "(?<", "(?<a", "(?<ab>", "a>", "b>)", "\\\\k<", "\\\\k<ab", "\\\\1", "\\\\99", "9", "[a-", "-z]", "[^", "z-a",
        "{1,", "12}", "])", "\\\\p{", "\\\\u{", "10FFFF}", "L}", ")(", "(?:", "*?", "[[", "-\\\\x", "(((", ")\"",
        "]]\"",
    ];
    let mut all: Vec<Vec<u8>> = (0..=255u8).map(|byte| vec![byte]).collect();
    all.extend(pieces.iter().map(|piece| piece.as_bytes().to_vec()));
    // With the last one, names cannot be tried without telling them apart.
    for more in [None, Some("c>)(?<c")] {
        all.extend(more.map(|more| more.as_bytes().to_vec()));
        let stop = TokenId::new(all.len() as u32);
        let tokens = all.iter().cloned().chain([b"</s>".to_vec()]);
        let compiler = Compiler::new(Vocabulary::from_tokens(tokens.collect::<Vec<_>>(), &[stop]).unwrap());
        for (seed, schema) in schemas.iter().enumerate() {
            walk_with(&compiler, &Grammar::json_schema(schema.clone()), seed as u64);
        }
    }
    for (seed, schema) in schemas.into_iter().enumerate() {
        walk(&Grammar::json_schema(schema), seed as u64);
    }
}

#[test]
fn json_within_strings() {
    let json = || vec![ContentConstraint { language: ContentLanguage::JsonText, negated: false }];
    for (seed, (min, max)) in [(0, None), (0, Some(9)), (5, Some(30)), (40, Some(400))].into_iter().enumerate() {
        walk(&one_terminal(string(json(), min, max)), seed as u64);
    }
}

fn one_of(words: &[&str]) -> ContentLanguage {
    let mut words: Vec<std::sync::Arc<str>> = words.iter().map(|word| (*word).into()).collect();
    words.sort_unstable();
    ContentLanguage::OneOf(words.into())
}

#[test]
fn regexes_choices_and_numbers() {
    walk(&Grammar::regex("(a|ab)*c?|[0-9]{2,4}|é+"), 1);
    walk(&Grammar::regex(".*"), 2);
    walk(&Grammar::choice(["a", "ab", "abc", "name", "true", ""]), 3);
    let spec = NumberSpec { max_digits: Some(4), ..NumberSpec::default() };
    walk(&records(Some(Whitespace { max: None, surrounding: true }), Terminal::Number(spec.into())), 4);
    let decimal = |text: &str| Decimal::parse(text).unwrap();
    let any = NumberSpec { spelling: Numbers::Any, ..NumberSpec::default() };
    let specs = [
        NumberSpec { values: Some(vec![decimal("-2.5"), decimal("12")]), ..any.clone() },
        NumberSpec { integer: true, excluded: vec![decimal("0"), decimal("12")], ..any.clone() },
        NumberSpec { minimum: Some(Bound { value: decimal("11.5"), exclusive: true }), ..any },
        NumberSpec { not_multiples: vec![decimal("1")], max_digits: Some(4), ..NumberSpec::default() },
        NumberSpec {
            integer: true,
            maximum: Some(Bound { value: decimal("15"), exclusive: false }),
            not_multiples: vec![decimal("2"), decimal("3")],
            ..NumberSpec::default()
        },
    ];
    for (seed, spec) in specs.into_iter().enumerate() {
        walk(&records(None, Terminal::Number(spec.into())), seed as u64);
    }
}
