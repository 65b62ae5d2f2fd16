//! How does one grammar become a part of another? Its symbols move in and keep their own whitespace and order of keys.

use super::builder::{Case, Expr, GrammarBuilder, KeyOrder, List, OtherKeys, Property, Record, Whitespace};
use crate::automata::Terminal;
use crate::ids::{NonterminalId, TerminalId};

/// A grammar that was taken in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    whitespace: Option<Whitespace>,
    key_order: KeyOrder,
}

impl GrammarBuilder {
    /// Takes in another grammar, and gives the expression for its texts.
    pub(crate) fn include(&mut self, other: GrammarBuilder, start: NonterminalId) -> Expr {
        let first = self.bodies.len();
        let terminals = other.terminals.into_iter().map(|terminal| self.terminal(terminal)).collect();
        let moved = Moved { terminals, first };
        self.bodies.extend(other.bodies.into_iter().map(|body| body.map(|body| moved.expr(body))));
        self.names.extend(other.names);
        let whitespace = other.whitespace.map(|whitespace| Whitespace { surrounding: false, ..whitespace });
        self.parts.push(Part { whitespace, key_order: other.key_order });
        let own = self.parts.len();
        self.parts.extend(other.parts);
        self.part_of.extend(other.part_of.into_iter().map(|part| own + part));
        let start = Expr::Nonterminal(moved.nonterminal(start));
        match other.whitespace {
            Some(Whitespace { surrounding: true, max }) => {
                let blank = Expr::Terminal(self.terminal(blank(max)));
                Expr::Sequence(vec![blank.clone(), start, blank])
            }
            _ => start,
        }
    }

    fn part(&self, nonterminal: usize) -> Option<&Part> {
        self.part_of[nonterminal].checked_sub(1).map(|part| &self.parts[part])
    }

    /// What may stand between the lexemes of a nonterminal's body.
    pub(super) fn whitespace_of(&self, nonterminal: usize) -> Option<Whitespace> {
        self.part(nonterminal).map_or(self.whitespace, |part| part.whitespace)
    }

    /// In which order the properties of records in a nonterminal's body come.
    pub(super) fn key_order_of(&self, nonterminal: usize) -> KeyOrder {
        self.part(nonterminal).map_or(self.key_order, |part| part.key_order)
    }
}

/// Whitespace around a text, as a lexeme.
fn blank(max: Option<u32>) -> Terminal {
    let count = max.map_or("*".to_owned(), |max| format!("{{0,{max}}}"));
    Terminal::Regex(format!("[ \\t\\n\\r]{count}").into())
}

/// Where the symbols of an included grammar are now.
struct Moved {
    /// By old id.
    terminals: Vec<TerminalId>,
    /// Its first nonterminal.
    first: usize,
}

impl Moved {
    fn terminal(&self, id: TerminalId) -> TerminalId {
        self.terminals[id.index()]
    }

    fn nonterminal(&self, id: NonterminalId) -> NonterminalId {
        NonterminalId::from_index(self.first + id.index()).expect("fewer than 2^32 nonterminals fit in memory")
    }

    fn expr(&self, expr: Expr) -> Expr {
        match expr {
            Expr::Empty | Expr::Never => expr,
            Expr::Terminal(id) => Expr::Terminal(self.terminal(id)),
            Expr::Nonterminal(id) => Expr::Nonterminal(self.nonterminal(id)),
            Expr::Sequence(parts) => Expr::Sequence(parts.into_iter().map(|part| self.expr(part)).collect()),
            Expr::Choice(parts) => Expr::Choice(parts.into_iter().map(|part| self.expr(part)).collect()),
            Expr::Repeat { item, separator, min, max } => {
                let separator = separator.map(|id| self.terminal(id));
                Expr::Repeat { item: Box::new(self.expr(*item)), separator, min, max }
            }
            Expr::List(list) => Expr::List(self.list(list)),
            Expr::Record(record) => Expr::Record(self.record(record)),
        }
    }

    fn cases(&self, cases: Vec<Case>) -> Vec<Case> {
        cases.into_iter().map(|case| Case { value: self.nonterminal(case.value), ..case }).collect()
    }

    fn list(&self, list: List) -> List {
        List {
            open: self.terminal(list.open),
            close: self.terminal(list.close),
            separator: self.terminal(list.separator),
            prefix: list.prefix.into_iter().map(|cases| self.cases(cases)).collect(),
            rest: self.cases(list.rest),
            ..list
        }
    }

    fn record(&self, record: Record) -> Record {
        let property = |property: Property| Property { cases: self.cases(property.cases), ..property };
        let other =
            |other: OtherKeys| OtherKeys { key: self.terminal(other.key), cases: self.cases(other.cases), ..other };
        Record {
            open: self.terminal(record.open),
            close: self.terminal(record.close),
            separator: self.terminal(record.separator),
            assign: self.terminal(record.assign),
            properties: record.properties.into_iter().map(property).collect(),
            others: record.others.into_iter().map(other).collect(),
            ..record
        }
    }
}
