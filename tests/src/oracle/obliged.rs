//! How are lists with counters and records with goals and clauses said to the engine and to the twin?
//!
//! The twin has a rule for every state that can be reached: how many elements there were and what was counted, or which keys
//! were written and what they met. It knows nothing of what can still be completed; that follows from the rules.

use std::collections::HashMap;

use formwork::grammar::{Case, Counter, Expr, GrammarBuilder, KeyOrder, List, OtherKeys};
use formwork::grammar::{PresenceClause, Property, Record};
use formwork::{NonterminalId, Terminal, TerminalId};

use super::expression::{ExprId, Language, RuleId};

/// One way to read a value: the index of its body, and what it meets.
#[derive(Clone, Debug)]
pub struct Way {
    /// Index among the values; wraps around.
    pub value: usize,
    /// Bits of counters or goals; those that there are none of are left out.
    pub meets: u32,
}

/// A list.
#[derive(Clone, Debug)]
pub struct Elements {
    /// The first elements.
    pub prefix: Vec<Vec<Way>>,
    /// Every further one.
    pub rest: Vec<Way>,
    /// Least and greatest number that each counter must have.
    pub counters: Vec<(u32, Option<u32>)>,
    /// Least number of elements.
    pub min: u32,
    /// Greatest number of elements.
    pub max: Option<u32>,
}

/// A named key of a record.
#[derive(Clone, Debug)]
pub struct Field {
    /// Without quotes.
    pub name: &'static str,
    /// Its values.
    pub ways: Vec<Way>,
    /// Whether it must be there.
    pub required: bool,
}

/// A record.
#[derive(Clone, Debug)]
pub struct Fields {
    /// Named keys.
    pub named: Vec<Field>,
    /// The values of keys without a name; none of them has a class.
    pub others: Vec<Vec<Way>>,
    /// Number of goals.
    pub n_goals: u32,
    /// Clauses over named keys, by index (wraps around).
    pub presence: Vec<Vec<(usize, bool)>>,
    /// Least number of entries.
    pub min: u32,
    /// Greatest number of entries.
    pub max: Option<u32>,
}

/// What the keys of the classes of other keys are made of, between quotes.
const CLASSES: [(char, &str); 2] = [('x', "\"x+\""), ('c', "\"c+\"")];

fn meets(way: &Way, n_bits: usize) -> u32 {
    way.meets & ((1 << n_bits) - 1)
}

fn cases(ways: &[Way], n_bits: usize, values: &[NonterminalId]) -> Vec<Case> {
    ways.iter().map(|way| Case { value: values[way.value % values.len()], meets: meets(way, n_bits) }).collect()
}

fn literal(builder: &mut GrammarBuilder, text: &str) -> TerminalId {
    builder.terminal(Terminal::literal(text))
}

impl Elements {
    /// As the engine takes it.
    pub fn to_expr(&self, values: &[NonterminalId], builder: &mut GrammarBuilder) -> Expr {
        let n_bits = self.counters.len();
        Expr::List(List {
            open: literal(builder, "["),
            close: literal(builder, "]"),
            separator: literal(builder, ","),
            prefix: self.prefix.iter().map(|ways| cases(ways, n_bits, values)).collect(),
            rest: cases(&self.rest, n_bits, values),
            counters: self.counters.iter().map(|&(min, max)| Counter { min, max }).collect(),
            min: self.min,
            max: self.max,
            unique: false,
        })
    }

    /// As the twin takes it.
    pub fn to_expression(&self, values: &[RuleId], language: &mut Language) -> ExprId {
        let open = language.literal("[");
        let mut states = States { states: HashMap::new(), pending: Vec::new() };
        let start = states.enter((0, vec![0; self.counters.len()]), language);
        while let Some((state, rule)) = states.pending.pop() {
            let body = self.after(&state, values, &mut states, language);
            language.define(rule, body);
        }
        language.sequence([open, start])
    }

    /// What may follow so many elements, with these counts.
    fn after(
        &self,
        (n, counts): &(u32, Vec<u32>),
        values: &[RuleId],
        states: &mut States<(u32, Vec<u32>)>,
        language: &mut Language,
    ) -> ExprId {
        let mut choices = Vec::new();
        if *n >= self.min && counts.iter().zip(&self.counters).all(|(count, (min, _))| count >= min) {
            choices.push(language.literal("]"));
        }
        let ways = self.prefix.get(*n as usize).unwrap_or(&self.rest);
        for way in ways.iter().filter(|_| self.max.is_none_or(|max| *n < max)) {
            let mut counts = counts.clone();
            let mut over = false;
            for (index, (min, max)) in self.counters.iter().enumerate() {
                counts[index] += meets(way, self.counters.len()) >> index & 1;
                over |= max.is_some_and(|max| counts[index] > max);
                counts[index] = counts[index].min(max.unwrap_or(*min));
            }
            if !over {
                let most = self.max.unwrap_or(self.min.max(self.prefix.len() as u32).max(1));
                let next = states.enter(((n + 1).min(most), counts), language);
                let comma = language.literal(if *n > 0 { "," } else { "" });
                let value = language.rule(values[way.value % values.len()]);
                choices.push(language.sequence([comma, value, next]));
            }
        }
        language.choice(choices)
    }
}

/// Where a record is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Written {
    /// In listed order, the first named key that may still come.
    position: usize,
    keys: Vec<bool>,
    count: u32,
    met: u32,
    is_first: bool,
}

impl Fields {
    /// As the engine takes it.
    pub fn to_expr(&self, values: &[NonterminalId], builder: &mut GrammarBuilder) -> Expr {
        let n_bits = self.n_goals as usize;
        let property = |field: &Field| Property {
            key: format!("\"{}\"", field.name).into_bytes(),
            cases: cases(&field.ways, n_bits, values),
            required: field.required,
        };
        let mut others = Vec::new();
        for (ways, (_, pattern)) in self.others.iter().zip(CLASSES) {
            let key = builder.terminal(Terminal::Regex(pattern.into()));
            others.push(OtherKeys { key, cases: cases(ways, n_bits, values), n_words: None });
        }
        Expr::Record(Record {
            open: literal(builder, "{"),
            close: literal(builder, "}"),
            separator: literal(builder, ","),
            assign: literal(builder, ":"),
            properties: self.named.iter().map(property).collect(),
            others,
            n_goals: self.n_goals,
            presence: self.clauses().into_iter().map(PresenceClause).collect(),
            min: self.min,
            max: self.max,
        })
    }

    fn clauses(&self) -> Vec<Vec<(u32, bool)>> {
        let n_named = self.named.len();
        let clauses = self.presence.iter().filter(|_| n_named > 0);
        clauses.map(|clause| clause.iter().map(|(key, there)| ((key % n_named) as u32, *there)).collect()).collect()
    }

    /// As the twin takes it.
    pub fn to_expression(&self, values: &[RuleId], order: KeyOrder, language: &mut Language) -> ExprId {
        let open = language.literal("{");
        let mut states = States { states: HashMap::new(), pending: Vec::new() };
        let keys = vec![false; self.named.len()];
        let start = states.enter(Written { position: 0, keys, count: 0, met: 0, is_first: true }, language);
        while let Some((state, rule)) = states.pending.pop() {
            let body = self.after(&state, values, order, &mut states, language);
            language.define(rule, body);
        }
        language.sequence([open, start])
    }

    fn may_close(&self, at: &Written) -> bool {
        let required = self.named.iter().zip(&at.keys).all(|(field, there)| *there || !field.required);
        let holds = |clause: &Vec<(u32, bool)>| clause.iter().any(|(key, there)| at.keys[*key as usize] == *there);
        required && at.count >= self.min && at.met + 1 == 1 << self.n_goals && self.clauses().iter().all(holds)
    }

    fn after(
        &self,
        at: &Written,
        values: &[RuleId],
        order: KeyOrder,
        states: &mut States<Written>,
        language: &mut Language,
    ) -> ExprId {
        let mut choices = Vec::new();
        if self.may_close(at) {
            choices.push(language.literal("}"));
        }
        if self.max.is_some_and(|max| at.count >= max) {
            return language.choice(choices);
        }
        let mut entry = |key: ExprId, ways: &[Way], next: &Written, language: &mut Language| {
            for way in ways {
                let met = at.met | meets(way, self.n_goals as usize);
                let count = (at.count + 1).min(self.max.unwrap_or(self.min));
                let next = states.enter(Written { met, count, is_first: false, ..next.clone() }, language);
                let [comma, colon] = [if at.is_first { "" } else { "," }, ":"].map(|it| language.literal(it));
                let value = language.rule(values[way.value % values.len()]);
                choices.push(language.sequence([comma, key, colon, value, next]));
            }
        };
        for (index, field) in self.named.iter().enumerate().skip(at.position) {
            if !at.keys[index] {
                let mut next = at.clone();
                next.keys[index] = true;
                next.position = if order == KeyOrder::Any { 0 } else { index + 1 };
                let key = language.literal(format!("\"{}\"", field.name));
                entry(key, &field.ways, &next, language);
            }
        }
        for (ways, (letter, _)) in self.others.iter().zip(CLASSES) {
            let position = if order == KeyOrder::Any { 0 } else { self.named.len() };
            let letter = language.literal(letter.to_string());
            let quote = language.literal("\"");
            let name = language.repeat(letter, 1, None);
            let key = language.sequence([quote, name, quote]);
            entry(key, ways, &Written { position, ..at.clone() }, language);
        }
        language.choice(choices)
    }
}

/// A rule for each state that was entered.
struct States<S> {
    states: HashMap<S, RuleId>,
    pending: Vec<(S, RuleId)>,
}

impl<S: Clone + Eq + std::hash::Hash> States<S> {
    fn enter(&mut self, state: S, language: &mut Language) -> ExprId {
        let rule = match self.states.get(&state) {
            Some(rule) => *rule,
            None => {
                let rule = language.declare();
                self.states.insert(state.clone(), rule);
                self.pending.push((state, rule));
                rule
            }
        };
        language.rule(rule)
    }
}
