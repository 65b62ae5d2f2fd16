//! Do lists with counters and records with goals and clauses stay exact, quick and bounded when they are large?

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use formwork::grammar::{Case, Counter, Expr, GrammarBuilder, KeyOrder, List, OtherKeys};
use formwork::grammar::{PresenceClause, Property, Record};
use formwork::{CompileError, CompiledGrammar, Compiler, Grammar, Limits, Matcher};
use formwork::{ContentConstraint, ContentLanguage, NonterminalId, StringSpec, Terminal, TokenId, Vocabulary};

const STOP: u32 = 256;

/// One token for each byte, and two that hold several elements.
fn vocabulary() -> Vocabulary {
    let mut builder = Vocabulary::builder();
    for byte in 0..=u8::MAX {
        builder.text(TokenId::new(u32::from(byte)), vec![byte]);
    }
    builder.text(TokenId::new(257), *b"1,1,1");
    builder.text(TokenId::new(258), *b",\"");
    builder.stop(TokenId::new(STOP), "<stop>").build().unwrap()
}

fn compile_with(
    builder: GrammarBuilder,
    start: NonterminalId,
    limits: Limits,
) -> Result<Arc<CompiledGrammar>, CompileError> {
    let compiler = Compiler::builder(vocabulary()).limits(limits).build();
    compiler.compile(&Grammar::from_builder(builder, start))
}

/// The bytes that may come next, and `$` where the text may end.
fn next(matcher: &mut Matcher) -> String {
    let allowed: Vec<u32> = matcher.mask().unwrap().iter().map(|token| token.get()).filter(|id| *id <= STOP).collect();
    allowed.into_iter().map(|id| if id == STOP { '$' } else { char::from(id as u8) }).collect()
}

fn after(grammar: &Arc<CompiledGrammar>, text: &str) -> String {
    let mut matcher = grammar.matcher();
    matcher.accept_bytes(text.as_bytes()).unwrap();
    next(&mut matcher)
}

fn literal(builder: &mut GrammarBuilder, text: &str) -> NonterminalId {
    let terminal = builder.terminal(Terminal::literal(text));
    builder.nonterminal(text, Expr::Terminal(terminal))
}

/// A list of `1` (which adds to the counters of `of_one`) and `0` (which adds to those of `of_zero`).
fn ones(
    counters: Vec<Counter>,
    of_one: u32,
    of_zero: u32,
    min: u32,
    max: Option<u32>,
) -> Result<Arc<CompiledGrammar>, CompileError> {
    let mut builder = GrammarBuilder::new();
    let (one, zero) = (literal(&mut builder, "1"), literal(&mut builder, "0"));
    let [open, close, separator] = ["[", "]", ","].map(|text| builder.terminal(Terminal::literal(text)));
    let rest = vec![Case { value: one, meets: of_one }, Case { value: zero, meets: of_zero }];
    let list = List { open, close, separator, prefix: Vec::new(), rest, counters, min, max, unique: false };
    let start = builder.nonterminal("list", Expr::List(list));
    compile_with(builder, start, Limits::default())
}

fn counter(min: u32, max: Option<u32>) -> Counter {
    Counter { min, max }
}

/// A record of keys `k0`, `k1`, and so on, whose values are `0`, or `1` which meets goals.
struct Keys {
    n: u32,
    required: Vec<u32>,
    n_unordered: u32,
    /// By key: the goals that its value `1` meets.
    goals: fn(u32) -> u32,
    n_goals: u32,
    presence: Vec<PresenceClause>,
    others: bool,
    min: u32,
    max: Option<u32>,
    order: KeyOrder,
}

impl Default for Keys {
    fn default() -> Keys {
        let (required, presence) = (Vec::new(), Vec::new());
        Keys {
            n: 0,
            required,
            n_unordered: 0,
            goals: |_| 0,
            n_goals: 0,
            presence,
            others: false,
            min: 0,
            max: None,
            order: KeyOrder::Listed,
        }
    }
}

impl Keys {
    fn compile_with(&self, limits: Limits) -> Result<Arc<CompiledGrammar>, CompileError> {
        let mut builder = GrammarBuilder::new();
        builder.set_key_order(self.order);
        let (one, zero) = (literal(&mut builder, "1"), literal(&mut builder, "0"));
        let [open, close, separator, assign] =
            ["{", "}", ",", ":"].map(|text| builder.terminal(Terminal::literal(text)));
        let property = |index: u32| Property {
            key: format!("\"k{index}\"").into_bytes(),
            cases: vec![Case::plain(zero), Case { value: one, meets: (self.goals)(index) }],
            required: self.required.contains(&index),
        };
        let properties = (0..self.n).map(property).collect();
        let key = builder.terminal(Terminal::Regex("\"x+\"".into()));
        let others = if self.others {
            vec![OtherKeys { key, cases: vec![Case::plain(zero)], n_words: None }]
        } else {
            Vec::new()
        };
        let (n_goals, presence, min, max) = (self.n_goals, self.presence.clone(), self.min, self.max);
        let n_unordered = self.n_unordered;
        let record =
            Record { open, close, separator, assign, properties, n_unordered, others, n_goals, presence, min, max };
        let start = builder.nonterminal("record", Expr::Record(record));
        compile_with(builder, start, limits)
    }

    fn compile(&self) -> Arc<CompiledGrammar> {
        self.compile_with(Limits::default()).unwrap()
    }
}

#[test]
fn a_counter_of_a_long_list_is_never_unrolled() {
    let large = 1 << 31;
    // As many ones as there are elements, but for one.
    let grammar = ones(vec![counter(large - 1, None)], 1, 0, 0, Some(large)).unwrap();
    assert_eq!(after(&grammar, "["), "01");
    assert_eq!(after(&grammar, "[0"), ",");
    assert_eq!(after(&grammar, "[0,"), "1");
    assert_eq!(after(&grammar, "[1,1,0,"), "1");
    let grammar = ones(vec![counter(0, Some(large)), counter(2, Some(2))], 2, 1, 4, None).unwrap();
    assert_eq!(after(&grammar, "[1,1,0"), ",");
    assert_eq!(after(&grammar, "[1,1,0,"), "0");
    assert_eq!(after(&grammar, "[1,1,0,0"), ",]");
}

#[test]
fn long_lists_are_exact_at_every_position() {
    let bounds = [(counter(2, None), None), (counter(1, Some(1_000_000)), Some(300)), (counter(0, Some(299)), None)];
    for (counter, max) in bounds {
        let grammar = ones(vec![counter], 1, 0, 0, max).unwrap();
        let mut matcher = grammar.matcher();
        matcher.accept_bytes(b"[0").unwrap();
        for index in 0..299 {
            assert_eq!(next(&mut matcher), if index < counter.min { "," } else { ",]" });
            matcher.accept_bytes(b",").unwrap();
            assert_eq!(next(&mut matcher), "01");
            let several = matcher.mask().unwrap().contains(TokenId::new(257));
            // What is left is less than three elements, or less than three that count.
            assert_eq!(several, index < 297 || (max.is_none() && counter.max.is_none()), "{index}");
            matcher.accept_bytes(b"1").unwrap();
        }
        let end = if max.is_some() { "]" } else { ",]" };
        assert_eq!(next(&mut matcher), end);
    }
}

#[test]
fn lists_close_when_all_counters_are_met() {
    // Each one counts for both.
    let grammar = ones(vec![counter(1, Some(2)), counter(2, Some(3))], 3, 0, 0, Some(4)).unwrap();
    assert_eq!(after(&grammar, "[1"), ",");
    assert_eq!(after(&grammar, "[1,1"), ",]");
    assert_eq!(after(&grammar, "[1,1,"), "0");
    assert_eq!(after(&grammar, "[0,0"), ",");
    assert_eq!(after(&grammar, "[0,0,"), "1");
    assert_eq!(after(&grammar, "[0,1,1,0"), "]");
    for counters in [vec![counter(3, Some(2))], vec![counter(5, None)], vec![counter(1, None), counter(0, Some(0))]] {
        let both = (1 << counters.len()) - 1;
        let error = ones(counters, both, 0, 0, Some(4)).unwrap_err();
        assert!(error.is_unsatisfiable(), "{error}");
    }
}

#[test]
fn a_goal_is_met_by_the_last_key_that_can() {
    for order in [KeyOrder::Listed, KeyOrder::Any] {
        let n = 1_000;
        let goals = |key| u32::from(key == 3 || key == 997);
        let grammar = Keys { n, goals, n_goals: 1, order, ..Keys::default() }.compile();
        assert_eq!(after(&grammar, "{"), "\"");
        assert_eq!(after(&grammar, r#"{"k3":1"#), ",}");
        assert_eq!(after(&grammar, r#"{"k3":0"#), ",");
        assert_eq!(after(&grammar, r#"{"k3":0,"k5":1,"k997":"#), "1");
        let beyond = if order == KeyOrder::Any { "\"0123456789" } else { "\"01234567" };
        assert_eq!(after(&grammar, r#"{"k3":0,"k5":1,"k99"#), beyond);
    }
}

#[test]
fn goals_and_required_keys_need_room() {
    let goals = |key: u32| if key < 6 { 1 << (key / 2) } else { 0 };
    let keys = Keys { n: 10, goals, n_goals: 3, required: vec![9], max: Some(4), ..Keys::default() };
    let grammar = keys.compile();
    assert_eq!(after(&grammar, r#"{"k"#), "01");
    assert_eq!(after(&grammar, r#"{"k0":"#), "1");
    assert_eq!(after(&grammar, r#"{"k0":1,"k3":1,"k"#), "45");
    assert_eq!(after(&grammar, r#"{"k0":1,"k3":1,"k5":1,"k"#), "9");
    let error = Keys { max: Some(3), ..keys }.compile_with(Limits::default()).unwrap_err();
    assert!(error.is_unsatisfiable(), "{error}");
}

#[test]
fn clauses_decide_which_keys_may_be_passed() {
    // k1 needs k7, k7 needs k3 or k8, k3 and k8 exclude each other.
    let presence = || {
        let clauses =
            [vec![(1, false), (7, true)], vec![(7, false), (3, true), (8, true)], vec![(3, false), (8, false)]];
        clauses.map(PresenceClause).to_vec()
    };
    let grammar = Keys { n: 10, presence: presence(), ..Keys::default() }.compile();
    assert_eq!(after(&grammar, r#"{"k0":0"#), ",}");
    assert_eq!(after(&grammar, r#"{"k1":0"#), ",");
    assert_eq!(after(&grammar, r#"{"k1":0,"k"#), "234567");
    assert_eq!(after(&grammar, r#"{"k1":0,"k7":0,"k"#), "8");
    assert_eq!(after(&grammar, r#"{"k1":0,"k3":0,"k7":0"#), ",}");
    assert_eq!(after(&grammar, r#"{"k1":0,"k3":0,"k7":0,"k"#), "9");
    let grammar = Keys { n: 10, presence: presence(), max: Some(3), order: KeyOrder::Any, ..Keys::default() }.compile();
    assert_eq!(after(&grammar, r#"{"k1":0,"k"#), "378");
    assert_eq!(after(&grammar, r#"{"k8":0,"k1":0"#), ",");
    assert_eq!(after(&grammar, r#"{"k8":0,"k1":0,"k"#), "7");
    let grammar =
        Keys { n: 10, presence: presence(), others: true, min: 9, max: Some(10), ..Keys::default() }.compile();
    assert_eq!(after(&grammar, r#"{"k9":0,"#), "\"");
    assert_eq!(after(&grammar, r#"{"k9":0,""#), "x");
}

#[test]
fn keys_without_an_order_come_behind_those_with_one() {
    let keys = Keys { n: 6, n_unordered: 3, ..Keys::default() };
    let grammar = keys.compile();
    assert_eq!(after(&grammar, r#"{"k"#), "012345");
    assert_eq!(after(&grammar, r#"{"k1":0,"k"#), "2345");
    assert_eq!(after(&grammar, r#"{"k1":0,"k5":0,"k"#), "34");
    assert_eq!(after(&grammar, r#"{"k1":0,"k5":0,"k3":0,"k4":0"#), "}");
    // They are not written before what is required, nor left out where they are.
    let grammar = Keys { required: vec![2, 4], others: true, max: Some(3), ..keys }.compile();
    assert_eq!(after(&grammar, r#"{"k"#), "012");
    assert_eq!(after(&grammar, r#"{"k2":0,""#), "kx");
    assert_eq!(after(&grammar, r#"{"k2":0,"x":0,""#), "k");
    assert_eq!(after(&grammar, r#"{"k2":0,"x":0,"k"#), "4");
    assert_eq!(after(&grammar, r#"{"k2":0,"k5":0,"k"#), "4");
    // Goals and clauses of both.
    let goals = |key: u32| u32::from(key == 1 || key == 4);
    let presence = vec![PresenceClause(vec![(0, false), (5, true)])];
    let keys = Keys { n: 6, n_unordered: 3, goals, n_goals: 1, presence, max: Some(2), ..Keys::default() };
    let grammar = keys.compile();
    assert_eq!(after(&grammar, r#"{"k"#), "12345");
    assert_eq!(after(&grammar, r#"{"k3":0,"k"#), "4");
    assert_eq!(after(&grammar, r#"{"k4":1,"k"#), "35");
    let grammar = Keys { max: Some(3), ..keys }.compile();
    assert_eq!(after(&grammar, r#"{"k0":0,"k"#), "145");
    assert_eq!(after(&grammar, r#"{"k0":0,"k5":0,"k"#), "4");
    assert_eq!(after(&grammar, r#"{"k0":0,"k4":1"#), ",");
}

/// A class of keys without a name, of which there are few.
struct FewKeys {
    pattern: &'static str,
    n_words: u32,
    value: NonterminalId,
}

impl FewKeys {
    /// A record of these keys and some properties.
    fn compile_with(
        self,
        mut builder: GrammarBuilder,
        properties: Vec<Property>,
        n_goals: u32,
        min: u32,
    ) -> Arc<CompiledGrammar> {
        let [open, close, separator, assign] =
            ["{", "}", ",", ":"].map(|text| builder.terminal(Terminal::literal(text)));
        let content =
            vec![ContentConstraint { language: ContentLanguage::Search(self.pattern.into()), negated: false }];
        let key = builder.terminal(Terminal::String(StringSpec { content, ..StringSpec::default() }.into()));
        let others = vec![OtherKeys { key, cases: vec![Case::plain(self.value)], n_words: Some(self.n_words) }];
        let (n_unordered, presence, max) = (0, Vec::new(), None);
        let record =
            Record { open, close, separator, assign, properties, n_unordered, others, n_goals, presence, min, max };
        let start = builder.nonterminal("record", Expr::Record(record));
        compile_with(builder, start, Limits::default()).unwrap()
    }
}

#[test]
fn keys_that_would_be_missing_later_are_not_passed() {
    let mut builder = GrammarBuilder::new();
    let one = literal(&mut builder, "1");
    let property = |name: &str, meets| Property {
        key: format!("\"{name}\"").into_bytes(),
        cases: vec![Case { value: one, meets }],
        required: false,
    };
    let properties = vec![property("a", 1), property("b", 0)];
    let class = FewKeys { pattern: "^cc?$", n_words: 2, value: one };
    let grammar = class.compile_with(builder, properties, 1, 4);
    assert_eq!(after(&grammar, r#"{""#), "a");
    assert_eq!(after(&grammar, r#"{"a":1,""#), "b");
    assert_eq!(after(&grammar, r#"{"a":1,"b":1,"c":1"#), ",");
    assert_eq!(after(&grammar, r#"{"a":1,"b":1,"c":1,"cc":1"#), "}");
}

#[test]
fn an_escape_may_begin_the_last_key_of_a_class() {
    let mut builder = GrammarBuilder::new();
    let zero = literal(&mut builder, "0");
    let class = FewKeys { pattern: "^(cc?|é)$", n_words: 3, value: zero };
    let grammar = class.compile_with(builder, Vec::new(), 0, 3);
    assert_eq!(after(&grammar, r#"{"c":0,"c"#), "\\c");
    assert_eq!(after(&grammar, r#"{"c":0,"c\u00"#), "6");
    assert_eq!(after(&grammar, r#"{"é":0,"\u00"#), "6");
    assert_eq!(after(&grammar, r#"{"c":0,"cc":0,"\u00"#), "Ee");
    assert_eq!(after(&grammar, r#"{"c":0,"cc":0,"é":0"#), "}");
}

#[test]
fn what_cannot_be_held_is_refused() {
    let message = |result: Result<Arc<CompiledGrammar>, CompileError>| result.unwrap_err().to_string();
    assert!(message(ones(vec![counter(0, None); 9], 0, 0, 0, None)).contains("counters"));
    assert!(message(ones(Vec::new(), 1, 0, 0, None)).contains("meets"));
    let large = counter(u32::MAX, None);
    assert!(message(ones(vec![large; 3], 0, 0, 0, None)).contains("too large"));
    let keys = |presence| Keys { n: 200, presence, ..Keys::default() }.compile_with(Limits::default());
    assert!(message(keys(vec![PresenceClause(vec![(200, true)])])).contains("clause"));
    assert!(message(keys(vec![PresenceClause((0..129).map(|key| (key, true)).collect())])).contains("128"));
    let unordered = Keys { n: 2, n_unordered: 3, ..Keys::default() }.compile_with(Limits::default());
    assert!(message(unordered).contains("unordered"));
    let many = Keys { n_goals: 17, ..Keys::default() }.compile_with(Limits::default());
    assert!(message(many).contains("goals"));
    let beyond = Keys { n: 1, goals: |_| 2, n_goals: 1, ..Keys::default() }.compile_with(Limits::default());
    assert!(message(beyond).contains("meets"));
}

#[test]
fn a_search_that_is_too_long_is_an_error() {
    // Of each pair of 40 keys one must be there, of which there is room for 38 only.
    let pairs = (0..40).flat_map(|a| (0..a).map(move |b| PresenceClause(vec![(a, true), (b, true)])));
    let keys = Keys { n: 40, presence: pairs.collect(), max: Some(38), ..Keys::default() };
    let limits = Limits { max_completion_steps: 2_000, ..Limits::default() };
    let error = keys.compile_with(limits).unwrap_err();
    assert!(error.is_limit() && error.to_string().contains("max_completion_steps"), "{error}");
}
