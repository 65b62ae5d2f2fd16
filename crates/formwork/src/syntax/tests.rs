//! Do grammars mean what their texts say? Rules as they stand against what is made of them, and every error with its place.

use std::collections::{BTreeSet, HashMap};

use regex_syntax::hir::{Class, HirKind};

use super::rules::{Node, Rules};
use super::*;
use crate::error::{CompileError, GrammarError};
use crate::random::Random;
use crate::{Compiler, Grammar, Limits, TokenId, Vocabulary};

fn compiler() -> Compiler {
    let printable = (b' '..=b'~').chain([b'\n', b'\t']).map(|byte| vec![byte]);
    let tokens: Vec<Vec<u8>> = printable.chain([b"</s>".to_vec()]).collect();
    let stop = TokenId::new(tokens.len() as u32 - 1);
    Compiler::new(Vocabulary::from_tokens(tokens, &[stop]).unwrap())
}

fn matches(compiler: &Compiler, grammar: &Grammar, text: &str) -> bool {
    let mut matcher = compiler.compile(grammar).unwrap().matcher();
    matcher.accept_bytes(text.as_bytes()).is_ok() && matcher.is_accepting()
}

fn check(grammar: &Grammar, valid: &[&str], invalid: &[&str]) {
    let compiler = compiler();
    for text in valid {
        assert!(matches(&compiler, grammar, text), "{text:?} must be accepted");
    }
    for text in invalid {
        assert!(!matches(&compiler, grammar, text), "{text:?} must be refused");
    }
}

/// The ends of all texts that a node derives from `start` on, as far as the table knows what rules derive.
fn ends(node: &Node, text: &str, start: usize, known: &HashMap<(usize, usize), BTreeSet<usize>>) -> BTreeSet<usize> {
    match node {
        Node::Never | Node::Special(_) | Node::Schema(_) => BTreeSet::new(),
        Node::Literal(literal) => {
            text[start..].starts_with(&**literal).then_some(start + literal.len()).into_iter().collect()
        }
        Node::Regex(regex) => {
            // Classes of characters alone.
            let hir = regex_syntax::parse(regex).unwrap();
            let HirKind::Class(Class::Unicode(class)) = hir.kind() else { panic!("{regex}") };
            let next = text[start..].chars().next();
            let fits = |char: &char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(char));
            next.filter(fits).map(|char| start + char.len_utf8()).into_iter().collect()
        }
        Node::Rule(rule) => known.get(&(*rule, start)).cloned().unwrap_or_default(),
        Node::Sequence(parts) => parts.iter().fold(BTreeSet::from([start]), |starts, part| {
            starts.into_iter().flat_map(|start| ends(part, text, start, known)).collect()
        }),
        Node::Choice(parts) => parts.iter().flat_map(|part| ends(part, text, start, known)).collect(),
        Node::Repeat { item, min, max } => {
            let mut found = BTreeSet::new();
            let mut starts = BTreeSet::from([start]);
            // Beyond the length of the text only empty items are left.
            for turn in 0..=max.unwrap_or(u32::MAX).min(min + text.len() as u32 + 1) {
                if turn >= *min {
                    found.extend(starts.iter().copied());
                }
                starts = starts.into_iter().flat_map(|start| ends(item, text, start, known)).collect();
            }
            found
        }
    }
}

/// Whether the rules derive a text: what each derives from each place, until nothing new is found.
fn derive(rules: &Rules, text: &str) -> bool {
    let mut known: HashMap<(usize, usize), BTreeSet<usize>> = HashMap::new();
    loop {
        let mut changed = false;
        for (rule, start) in (0..rules.rules.len()).flat_map(|rule| (0..=text.len()).map(move |start| (rule, start))) {
            let found = ends(&rules.rules[rule].body, text, start, &known);
            let entry = known.entry((rule, start)).or_default();
            changed |= !found.is_subset(entry);
            entry.extend(found);
        }
        if !changed {
            return known[&(rules.start, 0)].contains(&text.len());
        }
    }
}

/// An expression in GBNF over the rules `r0` to `r3`.
fn expression(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 5 } else { 10 }) {
        0 => "\"a\"".to_owned(),
        1 => "[ab]".to_owned(),
        2 => "\"bc\"".to_owned(),
        3 | 4 => format!("r{}", random.below(4)),
        5 | 6 => {
            let parts: Vec<String> = (0..2 + random.below(2)).map(|_| expression(random, depth - 1)).collect();
            format!("({})", parts.join(" "))
        }
        7 => {
            let parts: Vec<String> = (0..2 + random.below(2)).map(|_| expression(random, depth - 1)).collect();
            format!("({}{})", parts.join(" | "), if random.below(3) == 0 { " | \"\"" } else { "" })
        }
        _ => {
            let count = ["?", "*", "+", "{2}", "{1,2}", "{0,3}"][random.below(6)];
            format!("({}){count}", expression(random, depth - 1))
        }
    }
}

/// Texts of up to four characters.
fn texts() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..4 {
        last = last.iter().flat_map(|text| ['a', 'b', 'c'].map(|char| format!("{text}{char}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn what_is_lowered_derives_what_the_rules_derive() {
    let (compiler, limits, texts) = (compiler(), Limits::default(), texts());
    let mut random = Random(7);
    let (mut n_compiled, mut n_valid, mut n_left_recursive) = (0, 0, 0);
    for _ in 0..250 {
        let rules: Vec<String> = (0..4).map(|rule| format!("r{rule} ::= {}", expression(&mut random, 3))).collect();
        let text = format!("root ::= r0\n{}", rules.join("\n"));
        let rules = gbnf::parse(&text, &limits).unwrap();
        let compiled = match compiler.compile(&Grammar::gbnf(&text)) {
            Ok(compiled) => Some(compiled),
            Err(CompileError::Grammar(GrammarError::Unsatisfiable)) => None,
            // Rules that lead to themselves without reading anything.
            Err(CompileError::Grammar(GrammarError::LeftRecursive(_))) => {
                n_left_recursive += 1;
                continue;
            }
            Err(error) => panic!("{text}\n{error}"),
        };
        n_compiled += usize::from(compiled.is_some());
        for word in &texts {
            let derived = derive(&rules, word);
            let accepted = compiled.as_ref().is_some_and(|compiled| {
                let mut matcher = compiled.matcher();
                matcher.accept_bytes(word.as_bytes()).is_ok() && matcher.is_accepting()
            });
            assert_eq!(accepted, derived, "{word:?} of\n{text}");
            n_valid += usize::from(derived);
        }
    }
    assert!(n_compiled > 150 && n_valid > 800, "{n_compiled} {n_valid}");
    assert!(n_left_recursive < 15, "{n_left_recursive}");
}

#[test]
fn left_recursion_is_taken_out() {
    let sum = r#"
        start: sum
        ?sum: product | sum "+" product -> add | sum "-" product
        ?product: atom | product "*" atom
        ?atom: NUMBER | "-" atom | "(" sum ")"
        %import common.NUMBER
        %import common.WS_INLINE
        %ignore WS_INLINE
    "#;
    check(&Grammar::lark(sum), &["1", "1+2*3", " ( 1 - -2.5 ) * 3", "1 +2"], &["", "1+", "(1", "1 2", "+1"]);
    let mutual = "root ::= a\na ::= b \"x\" | \"1\"\nb ::= a \"y\" | b \"z\" | \"2\"";
    check(&Grammar::gbnf(mutual), &["1", "2x", "1yx", "2zzx", "1yzxyx"], &["", "2", "1y", "1x", "2xx"]);
    let hidden = "root ::= a\na ::= n n a \"x\" | n a n \"y\" | \"z\"\nn ::= \"n\"? | m\nm ::= \"m\"*";
    check(&Grammar::gbnf(hidden), &["z", "zx", "nmzxmy", "mmmzny"], &["", "n", "zn", "xz"]);
    let list = "root ::= list\nlist ::= list \",\" item | item |\nitem ::= [0-9]+";
    check(&Grammar::gbnf(list), &["", "1", "12,3", ",1"], &["1,", ",", "a"]);
}

#[test]
fn lark_is_read_as_it_is_written() {
    let grammar = r#"
        // Names, numbers and all that.
        start: (pair ("," pair)*)?  # with a comment
        pair: KEY "=" value
            | flag -> flag
        value: NUMBER | ESCAPED_STRING | "on"i | LIST
        flag: "!" KEY ~ 1..2
        KEY: LETTER (LETTER | "_" | DIGIT)*
        LIST: "[" DIGIT{2,3} ["," "x".."z"] "]"
        %import common.NUMBER
        %import common (LETTER, DIGIT)
        %import common.ESCAPED_STRING
        %ignore /[ \n]/
    "#;
    let valid = ["", "a=1", "a_1 = \"x\\\"\" , !b", "!b c", "k=ON", "k=[12]", "k=[123,y]", "k=oN,k=.5"];
    let invalid = ["1=1", "a=", "a=1,", "! b c d", "k=[1]", "k=[12,a]", "k=[1 2]", "k=o n", "a=\"x"];
    check(&Grammar::lark(grammar), &valid, &invalid);
    let nothing_ignored = "start: \"a\" /b{2}/i [\"c\"] %json {\"type\": \"integer\"} ";
    check(&Grammar::lark(nothing_ignored), &["abbc7", "aBb-1"], &["a bb1", "abb", "abc1"]);
}

#[test]
fn gbnf_is_read_as_it_is_written() {
    let json = r#"
        root   ::= object
        value  ::= object | array | string | number | ("true" | "false" | "null") ws
        object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
        array  ::= "[" ws ( value ("," ws value)* )? "]" ws
        string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
        number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9]{1,15})? ws
        # Whitespace, but not for ever.
        ws ::= | " " | "\n" [ \t]{0,20}
    "#;
    let valid = ["{}", "{\"a\": [1, -2.5e3, \"x\\u00e9\\n\", {}]}", "{ \"\":true}\n  "];
    check(&Grammar::gbnf(json), &valid, &["", "[]", "{\"a\":}", "{\"a\": 01}", "{\"a\" 1}", "{}  "]);
    check(
        &Grammar::gbnf("root ::= [^a-c\\]-] . \"\\x41\\u0042\""),
        &["dxAB", "e]AB"],
        &["axAB", "]xAB", "-xAB", "dxA"],
    );
    check(&Grammar::gbnf("root ::= x{0} y{2,} \"\"\nx ::= \"x\"\ny ::= \"y\" | x"), &["yy", "yxy"], &["y", ""]);
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let fault = |grammar: Grammar| match compiler().compile(&grammar) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it must be refused"),
    };
    for (text, expected) in [
        ("", "nonterminal start is never defined"),
        ("start: x", "line 1, column 8: rule x is never defined"),
        ("start: \"a\"\nstart: \"b\"", "line 2, column 1: rule start is defined twice"),
        ("start: (\"a\"", "line 1, column 12: \")\" is missing at the end"),
        ("start: \"a", "line 1, column 8: a text has no end"),
        ("start: /(/", "line 1, column 8: unclosed group"),
        ("start: /a$/", "line 1, column 8: anchors and word boundaries"),
        ("start: /(?=a)/", "line 1, column 8: look-around"),
        ("start.2: \"a\"", "line 1, column 6: priorities"),
        ("start: a{x}\na{x}: x", "line 1, column 9"),
        ("%declare A\nstart: A", "line 1, column 2: %declare is not supported"),
        ("%import python.NAME\nstart: NAME", "line 1, column 9: only the library common"),
        ("%import common.NOTHING\nstart: NOTHING", "line 1, column 16: common has no NOTHING"),
        ("start: \"a\"~3..2", "line 1, column 12: the greatest"),
        ("start: \"a\"???????????", "too many repetitions"),
        ("start: <|none|>", "special token \"<|none|>\": the vocabulary has no such token"),
        ("start: %json {\"type\": \"nothing\"}", "type"),
        ("start: A\nA: \"a\" A?\n%ignore \" \"", "terminal A is no regular expression"),
        ("start: start", "the grammar accepts no text"),
    ] {
        let error = fault(Grammar::lark(text));
        assert!(error.contains(expected) && !error.contains('\n'), "{text:?}: {error}");
    }
    for (text, expected) in [
        ("root ::= [a", "line 1, column 10: a class of characters has no end"),
        ("root ::= [b-a]", "line 1, column 10: a range"),
        ("root ::= \"\\q\"", "line 1, column 12: no escape"),
        ("root = \"a\"", "line 1, column 6: \"::=\" is missing before '='"),
        ("root ::= a | )", "line 1, column 14: "),
        ("root ::= \"a\"{3,2}", "line 1, column 13: the greatest"),
        ("root ::= \"a\"{99999999999}", "a number of at most"),
    ] {
        let error = fault(Grammar::gbnf(text));
        assert!(error.contains(expected) && !error.contains('\n'), "{text:?}: {error}");
    }
    let deep = format!("root ::= {}\"a\"{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(fault(Grammar::gbnf(deep)).ends_with("limit exceeded: max_schema_depth is 512"));
}

#[test]
fn what_is_deep_or_long_needs_no_stack() {
    let compiler = compiler();
    let nested = (0..500).fold("\"a\"".to_owned(), |inner, _| format!("({inner} x)*"));
    let grammar = Grammar::gbnf(format!("root ::= {nested}\nx ::= \"[\" x \"]\" | \"x\""));
    let whole = format!("a{}", "x".repeat(500));
    assert!(matches(&compiler, &grammar, &whole) && !matches(&compiler, &grammar, &whole[..500]));
    let rules: String = (0..5_000).map(|rule| format!("r{rule}: \"(\" r{} \")\" | \"{rule}\"\n", rule + 1)).collect();
    let grammar = Grammar::lark(format!("{rules}r5000: \"x\"\nstart: r0"));
    assert!(matches(&compiler, &grammar, "((2))") && !matches(&compiler, &grammar, "((1))"));
    let alternatives: Vec<String> = (0..20_000).map(|number| format!("\"{number}\" start")).collect();
    let grammar = Grammar::lark(format!("start: {} | \"x\"", alternatives.join("\n | ")));
    assert!(matches(&compiler, &grammar, "77719999x") && !matches(&compiler, &grammar, "a"));
}

#[test]
fn control_tokens_have_names() {
    let mut builder = Vocabulary::builder();
    let [a, think, end] = [0, 1, 2].map(TokenId::new);
    let vocabulary = builder.text(a, "a").special(think, "<think>").stop(end, "</s>").build().unwrap();
    let grammar = Compiler::new(vocabulary).compile(&Grammar::lark("start: <think> \"a\"")).unwrap();
    let mut matcher = grammar.matcher();
    assert_eq!(matcher.mask().unwrap().iter().collect::<Vec<_>>(), [TokenId::new(1)]);
    matcher.accept_token(TokenId::new(1)).unwrap();
    assert_eq!(matcher.mask().unwrap().iter().collect::<Vec<_>>(), [TokenId::new(0)]);
}
