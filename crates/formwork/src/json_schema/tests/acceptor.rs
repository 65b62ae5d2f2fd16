//! A recogniser of expressions that is as plain as can be: the set of places where an expression can end.

use std::collections::{BTreeSet, HashMap};

use crate::automata::decide::{number_matches, string_matches};
use crate::automata::{Decimal, NumberForm, Terminal};
use crate::grammar::{Expr, GrammarBuilder, List, Record};
use crate::ids::{NonterminalId, TerminalId};
use crate::limits::Limits;

type Ends = BTreeSet<usize>;

pub(super) struct Acceptor<'g> {
    builder: &'g GrammarBuilder,
    memo: HashMap<(NonterminalId, usize), Ends>,
    limits: Limits,
}

impl<'g> Acceptor<'g> {
    pub(super) fn new(builder: &'g GrammarBuilder) -> Acceptor<'g> {
        Acceptor { builder, memo: HashMap::new(), limits: Limits::default() }
    }

    pub(super) fn accepts(&mut self, start: NonterminalId, text: &[u8]) -> bool {
        self.nonterminal(start, text, 0).contains(&text.len())
    }

    fn nonterminal(&mut self, id: NonterminalId, text: &[u8], at: usize) -> Ends {
        if let Some(ends) = self.memo.get(&(id, at)) {
            return ends.clone();
        }
        let body = self.builder.body(id).expect("every nonterminal has a body");
        let ends = self.expr(body, text, at);
        self.memo.insert((id, at), ends.clone());
        ends
    }

    fn expr(&mut self, expr: &Expr, text: &[u8], at: usize) -> Ends {
        match expr {
            Expr::Empty => Ends::from([at]),
            Expr::Never => Ends::new(),
            Expr::Terminal(id) => self.terminal(*id, text, at),
            Expr::Nonterminal(id) => self.nonterminal(*id, text, at),
            Expr::Sequence(parts) => parts.iter().fold(Ends::from([at]), |from, part| {
                from.into_iter().flat_map(|at| self.expr(part, text, at)).collect()
            }),
            Expr::Choice(choices) => choices.iter().flat_map(|choice| self.expr(choice, text, at)).collect(),
            Expr::Repeat { item, separator: None, min: 0, max: None } => {
                let (mut ends, mut open) = (Ends::from([at]), vec![at]);
                while let Some(at) = open.pop() {
                    open.extend(self.expr(item, text, at).into_iter().filter(|end| ends.insert(*end)));
                }
                ends
            }
            Expr::Repeat { .. } => unimplemented!("not built by the front end"),
            Expr::List(list) => self.list(list, text, at),
            Expr::Record(record) => self.record(record, text, at),
        }
    }

    fn one(&mut self, id: TerminalId, text: &[u8], at: usize) -> Option<usize> {
        self.terminal(id, text, at).into_iter().next()
    }

    fn list(&mut self, list: &List, text: &[u8], at: usize) -> Ends {
        let Some(start) = self.one(list.open, text, at) else { return Ends::new() };
        let mut ends = Ends::new();
        let mut open = BTreeSet::from([(start, 0u32, vec![0u32; list.counters.len()], BTreeSet::new())]);
        while let Some((at, n, counts, elements)) = open.pop_first() {
            let mut counters = list.counters.iter().zip(&counts);
            let counted = counters.all(|(counter, n)| *n >= counter.min && counter.max.is_none_or(|max| *n <= max));
            if n >= list.min && counted {
                ends.extend(self.one(list.close, text, at));
            }
            if list.max.is_some_and(|max| n >= max) {
                continue;
            }
            let at = if n > 0 { self.one(list.separator, text, at) } else { Some(at) };
            let Some(at) = at else { continue };
            for case in list.prefix.get(n as usize).unwrap_or(&list.rest) {
                let counts: Vec<u32> = (0u32..).zip(&counts).map(|(bit, n)| n + (case.meets >> bit & 1)).collect();
                for end in self.nonterminal(case.value, text, at) {
                    let mut elements = elements.clone();
                    if !list.unique || elements.insert(canonical(&serde_json::from_slice(&text[at..end]).unwrap())) {
                        open.insert((end, n + 1, counts.clone(), elements));
                    }
                }
            }
        }
        ends
    }

    /// Properties in any order, as instances come in any.
    fn record(&mut self, record: &Record, text: &[u8], at: usize) -> Ends {
        let Some(start) = self.one(record.open, text, at) else { return Ends::new() };
        let mut ends = Ends::new();
        let goals = (1 << record.n_goals) - 1;
        let mut open = BTreeSet::from([(start, 0u32, 0u32, BTreeSet::new())]);
        while let Some((at, n, met, seen)) = open.pop_first() {
            let holds = |(key, there): &(u32, bool)| seen.contains(&(*key as usize)) == *there;
            let clauses = record.presence.iter().all(|clause| clause.0.iter().any(holds));
            let complete = record
                .properties
                .iter()
                .enumerate()
                .all(|(index, property)| !property.required || seen.contains(&index));
            if n >= record.min && complete && clauses && met == goals {
                ends.extend(self.one(record.close, text, at));
            }
            if record.max.is_some_and(|max| n >= max) {
                continue;
            }
            let Some(at) = (if n > 0 { self.one(record.separator, text, at) } else { Some(at) }) else { continue };
            for (index, property) in record.properties.iter().enumerate() {
                if text[at..].starts_with(&property.key) && !seen.contains(&index) {
                    let mut seen = seen.clone();
                    seen.insert(index);
                    if let Some(at) = self.one(record.assign, text, at + property.key.len()) {
                        for case in &property.cases {
                            let ends = self.nonterminal(case.value, text, at);
                            open.extend(ends.into_iter().map(|end| (end, n + 1, met | case.meets, seen.clone())));
                        }
                    }
                }
            }
            for other in &record.others {
                for key_end in self.terminal(other.key, text, at) {
                    let named = record.properties.iter().any(|property| property.key == text[at..key_end]);
                    assert!(!named, "a named key is among the others");
                    if let Some(at) = self.one(record.assign, text, key_end) {
                        for case in &other.cases {
                            let ends = self.nonterminal(case.value, text, at);
                            open.extend(ends.into_iter().map(|end| (end, n + 1, met | case.meets, seen.clone())));
                        }
                    }
                }
            }
        }
        ends
    }

    fn terminal(&mut self, id: TerminalId, text: &[u8], at: usize) -> Ends {
        match &self.builder.terminals()[id.index()] {
            Terminal::Literal(bytes) if text[at..].starts_with(bytes) => Ends::from([at + bytes.len()]),
            Terminal::Literal(_) => Ends::new(),
            Terminal::OneOf(alternatives) => {
                let matching = alternatives.iter().filter(|bytes| text[at..].starts_with(bytes));
                matching.map(|bytes| at + bytes.len()).collect()
            }
            Terminal::Number(spec) => {
                let length = text[at..].iter().take_while(|byte| b"+-.0123456789eE".contains(byte)).count();
                let number = std::str::from_utf8(&text[at..at + length]).ok().and_then(Decimal::parse);
                number
                    .filter(|number| {
                        let in_digits = !text[at..at + length].iter().any(|byte| b".eE".contains(byte));
                        let in_form = match spec.form {
                            NumberForm::Free => true,
                            NumberForm::Digits => in_digits,
                            NumberForm::NotDigits => !in_digits,
                        };
                        in_form && number_matches(spec, number)
                    })
                    .map(|_| at + length)
                    .into_iter()
                    .collect()
            }
            Terminal::String(spec) => {
                let mut stream = serde_json::Deserializer::from_slice(&text[at..]).into_iter::<serde_json::Value>();
                match stream.next() {
                    Some(Ok(serde_json::Value::String(content))) => {
                        let end = at + stream.byte_offset();
                        if string_matches(spec, &content, &self.limits).unwrap() {
                            Ends::from([end])
                        } else {
                            Ends::new()
                        }
                    }
                    _ => Ends::new(),
                }
            }
            Terminal::Regex(_) | Terminal::FreeText(_) | Terminal::Special(_) => {
                unimplemented!("not built by the front end")
            }
        }
    }
}

/// Equal texts for equal values.
fn canonical(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Number(number) => format!("{:?}", Decimal::parse(&number.to_string())),
        serde_json::Value::Array(elements) => {
            format!("[{}]", elements.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        serde_json::Value::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(key, value)| format!("{key:?}:{}", canonical(value))).collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}
