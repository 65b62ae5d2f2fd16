//! How is the same small grammar said to the engine and to the twin? Bodies that translate into both.

use formwork::grammar::{Expr, GrammarBuilder, KeyOrder};
use formwork::{Grammar, NonterminalId, Terminal};

use super::expression::{ExprId, Language, RuleId};
use super::obliged::{Elements, Fields};

/// The body of a small grammar's rule.
#[derive(Clone, Debug)]
pub enum Body {
    /// Bytes, not empty.
    Literal(Vec<u8>),
    /// One or more characters of a range, `[a-c]+`.
    Word(char, char),
    /// One after the other.
    Sequence(Vec<Body>),
    /// Any of them.
    Choice(Vec<Body>),
    /// The literal, as often as the bounds say, with commas between.
    List(Vec<u8>, u32, Option<u32>),
    /// Another rule by index (wraps around) in parentheses: never left recursive.
    Nested(usize),
    /// A list of these values, none of which is empty.
    Elements(Elements, Vec<Body>),
    /// A record of such values.
    Fields(Fields, Vec<Body>),
}

/// The engine's grammar and the twin's language of the same rules; the first rule is the start.
pub fn to_grammar(rules: &[Body]) -> (Grammar, Language, ExprId) {
    to_grammar_in_order(rules, KeyOrder::Listed)
}

/// The same with the keys of records in this order.
pub fn to_grammar_in_order(rules: &[Body], order: KeyOrder) -> (Grammar, Language, ExprId) {
    let mut builder = GrammarBuilder::new();
    builder.set_key_order(order);
    let mut language = Language::default();
    let nonterminals: Vec<NonterminalId> =
        (0..rules.len()).map(|index| builder.declare(format!("rule{index}"))).collect();
    let rule_ids: Vec<RuleId> = rules.iter().map(|_| language.declare()).collect();
    for (index, body) in rules.iter().enumerate() {
        let expr = to_expr(body, &nonterminals, &mut builder);
        builder.define(nonterminals[index], expr).expect("each rule is defined once");
        let expr = to_expression(body, &rule_ids, order, &mut language);
        language.define(rule_ids[index], expr);
    }
    let start = language.rule(rule_ids[0]);
    (Grammar::from_builder(builder, nonterminals[0]), language, start)
}

fn to_expr(body: &Body, nonterminals: &[NonterminalId], builder: &mut GrammarBuilder) -> Expr {
    if let Body::Elements(_, values) | Body::Fields(_, values) = body {
        let values: Vec<NonterminalId> = values
            .iter()
            .map(|value| {
                let value = to_expr(value, nonterminals, builder);
                builder.nonterminal("value", value)
            })
            .collect();
        return match body {
            Body::Fields(fields, _) => fields.to_expr(&values, builder),
            Body::Elements(elements, _) => elements.to_expr(&values, builder),
            _ => Expr::Never,
        };
    }
    let mut literal = |bytes: &[u8]| Expr::Terminal(builder.terminal(Terminal::literal(bytes)));
    match body {
        Body::Literal(bytes) => literal(bytes),
        Body::Word(first, last) => {
            Expr::Terminal(builder.terminal(Terminal::Regex(format!("[{first}-{last}]+").into())))
        }
        Body::Sequence(parts) => Expr::Sequence(parts.iter().map(|it| to_expr(it, nonterminals, builder)).collect()),
        Body::Choice(parts) => Expr::Choice(parts.iter().map(|it| to_expr(it, nonterminals, builder)).collect()),
        Body::List(item, min, max) => {
            let item = Box::new(literal(item));
            let separator = Some(builder.terminal(Terminal::literal(",")));
            Expr::Repeat { item, separator, min: *min, max: *max }
        }
        Body::Nested(index) => {
            let (open, close) = (literal(b"("), literal(b")"));
            Expr::Sequence(vec![open, Expr::Nonterminal(nonterminals[index % nonterminals.len()]), close])
        }
        Body::Elements(..) | Body::Fields(..) => Expr::Never,
    }
}

fn to_expression(body: &Body, rules: &[RuleId], order: KeyOrder, language: &mut Language) -> ExprId {
    match body {
        Body::Literal(bytes) => language.literal(bytes),
        Body::Word(first, last) => {
            let characters: Vec<ExprId> = (*first..=*last).map(|it| language.literal(it.to_string())).collect();
            let one = language.choice(characters);
            language.repeat(one, 1, None)
        }
        Body::Sequence(parts) => {
            let parts: Vec<ExprId> = parts.iter().map(|it| to_expression(it, rules, order, language)).collect();
            language.sequence(parts)
        }
        Body::Choice(parts) => {
            let parts: Vec<ExprId> = parts.iter().map(|it| to_expression(it, rules, order, language)).collect();
            language.choice(parts)
        }
        Body::List(item, min, max) => list(item, (*min, *max), language),
        Body::Nested(index) => {
            let [open, close] = ["(", ")"].map(|it| language.literal(it));
            let inner = language.rule(rules[index % rules.len()]);
            language.sequence([open, inner, close])
        }
        Body::Elements(elements, values) => {
            let values = value_rules(values, rules, order, language);
            elements.to_expression(&values, language)
        }
        Body::Fields(fields, values) => {
            let values = value_rules(values, rules, order, language);
            fields.to_expression(&values, order, language)
        }
    }
}

fn value_rules(values: &[Body], rules: &[RuleId], order: KeyOrder, language: &mut Language) -> Vec<RuleId> {
    let rule = |value: &Body| {
        let rule = language.declare();
        let value = to_expression(value, rules, order, language);
        language.define(rule, value);
        rule
    };
    values.iter().map(rule).collect()
}

fn list(item: &[u8], (min, max): (u32, Option<u32>), language: &mut Language) -> ExprId {
    let item = language.literal(item);
    let comma = language.literal(",");
    let next = language.sequence([comma, item]);
    let mut choices = Vec::new();
    if min == 0 {
        choices.push(language.empty());
    }
    if max != Some(0) {
        let others = language.repeat(next, min.saturating_sub(1), max.map(|max| max - 1));
        choices.push(language.sequence([item, others]));
    }
    language.choice(choices)
}
