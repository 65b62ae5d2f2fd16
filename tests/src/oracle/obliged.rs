//! How are lists with counters and records with goals and clauses said to the engine and to the twin?
//!
//! The twin has a rule for every state that can be reached: how many elements there were and what was counted, or which keys
//! were written and what they met. It knows nothing of what can still be completed; that follows from the rules.

use std::collections::HashMap;

use formwork::grammar::{Case, Counter, Expr, GrammarBuilder, KeyOrder, List, OtherKeys};
use formwork::grammar::{PresenceClause, Property, Record};
use formwork::{ContentConstraint, ContentLanguage, NonterminalId, StringSpec, Terminal, TerminalId};

use super::entries::{self, Entries, Meeting};
use super::expression::{ExprId, Language, RuleId};
use super::json::{char_spellings, quoted};

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
    /// How many of them, the last ones, come in any order; more than there are is all of them.
    pub n_unordered: u32,
    /// The values of keys without a name, by class.
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

/// Classes of other keys: the pattern of their content, and the letter it repeats, or all of the words.
const CLASSES: [(&str, char, &[&str]); 3] = [("^x+$", 'x', &[]), ("^cc?$", ' ', &["c", "cc"]), ("^t+$", 't', &[])];

fn without_goals(ways: &[Way]) -> Vec<Way> {
    ways.iter().map(|way| Way { meets: 0, ..way.clone() }).collect()
}

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
        for (ways, (pattern, _, words)) in self.others.iter().zip(CLASSES) {
            let search = ContentConstraint { language: ContentLanguage::Search(pattern.into()), negated: false };
            let spec = StringSpec { content: vec![search], ..StringSpec::default() };
            let key = builder.terminal(Terminal::String(spec.into()));
            let (n_words, ways) = match words.len() {
                0 => (None, ways.clone()),
                n => (Some(n as u32), without_goals(ways)),
            };
            others.push(OtherKeys { key, cases: cases(&ways, n_bits, values), n_words });
        }
        Expr::Record(Record {
            open: literal(builder, "{"),
            close: literal(builder, "}"),
            separator: literal(builder, ","),
            assign: literal(builder, ":"),
            properties: self.named.iter().map(property).collect(),
            n_unordered: self.n_unordered(),
            others,
            n_goals: self.n_goals,
            presence: self.clauses().into_iter().map(PresenceClause).collect(),
            min: self.min,
            max: self.max,
        })
    }

    fn n_unordered(&self) -> u32 {
        self.n_unordered.min(self.named.len() as u32)
    }

    fn clauses(&self) -> Vec<Vec<(u32, bool)>> {
        let n_named = self.named.len();
        let clauses = self.presence.iter().filter(|_| n_named > 0);
        clauses.map(|clause| clause.iter().map(|(key, there)| ((key % n_named) as u32, *there)).collect()).collect()
    }

    /// As the twin takes it.
    pub fn to_expression(&self, values: &[RuleId], order: KeyOrder, language: &mut Language) -> ExprId {
        let meetings = |ways: &[Way], language: &mut Language| -> Vec<Meeting> {
            let bits = self.n_goals as usize;
            ways.iter().map(|way| (language.rule(values[way.value % values.len()]), meets(way, bits))).collect()
        };
        let mut known = Vec::new();
        for field in &self.named {
            let key = language.literal(format!("\"{}\"", field.name));
            known.push((key, meetings(&field.ways, language), field.required));
        }
        let mut others = Vec::new();
        for (ways, (_, letter, words)) in self.others.iter().zip(CLASSES) {
            let keys = match words {
                [] => {
                    let letter = char_spellings(language, letter);
                    let content = language.repeat(letter, 1, None);
                    entries::OtherKeys::Endless(quoted(language, content))
                }
                _ => entries::OtherKeys::Words(words.iter().map(|word| (*word).to_owned()).collect()),
            };
            let ways = if words.is_empty() { ways.clone() } else { without_goals(ways) };
            others.push((keys, meetings(&ways, language)));
        }
        let clauses = self.clauses().into_iter();
        let clauses = clauses.map(|clause| clause.into_iter().map(|(key, there)| (key as usize, there)).collect());
        let open = language.literal("{");
        let entries = language.entries(Entries {
            known,
            others,
            n_listed: if order == KeyOrder::Any { 0 } else { self.named.len() - self.n_unordered() as usize },
            goals: (1 << self.n_goals) - 1,
            clauses: clauses.collect(),
            min: self.min,
            max: self.max,
        });
        language.sequence([open, entries])
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
