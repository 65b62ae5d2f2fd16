//! Which expressions derive some text? What cannot be completed must never be offered.
//!
//! A least fixpoint over the nonterminals: one that needs itself, as through a required property, is not productive.
//! Also answers which nonterminals derive the empty text.

use std::sync::Arc;

use super::builder::{Case, Expr, GrammarBuilder, List, Record};
use crate::automata::Automaton;
use crate::error::{GrammarError, LimitError};
use crate::limits::Limits;

/// What is known of all nonterminals and terminals.
pub(super) struct Analysis<'a> {
    builder: &'a GrammarBuilder,
    automata: &'a [Arc<Automaton>],
    productive: Vec<bool>,
    nullable: Vec<bool>,
}

impl<'a> Analysis<'a> {
    /// Sweeps over all bodies, backward and forward in turn, until nothing changes: two sweeps for most grammars.
    pub(super) fn new(
        builder: &'a GrammarBuilder,
        automata: &'a [Arc<Automaton>],
        limits: &Limits,
    ) -> Result<Analysis<'a>, GrammarError> {
        let n = builder.bodies.len();
        let mut analysis = Analysis { builder, automata, productive: vec![false; n], nullable: vec![false; n] };
        let mut budget = limits.max_grammar_nodes.saturating_mul(4);
        let mut forward = false;
        loop {
            let mut changed = false;
            for step in 0..n {
                let index = if forward { step } else { n - 1 - step };
                changed |= analysis.update(index);
                budget = budget
                    .checked_sub(1)
                    .ok_or(LimitError { setting: "max_grammar_nodes", limit: limits.max_grammar_nodes })?;
            }
            if !changed {
                return Ok(analysis);
            }
            forward = !forward;
        }
    }

    fn update(&mut self, index: usize) -> bool {
        let Some(body) = &self.builder.bodies[index] else { return false };
        let productive = self.productive[index] || self.is_productive(body);
        let nullable = self.nullable[index] || self.is_nullable(body);
        let changed = productive != self.productive[index] || nullable != self.nullable[index];
        self.productive[index] = productive;
        self.nullable[index] = nullable;
        changed
    }

    pub(super) fn is_productive(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Empty => true,
            Expr::Never => false,
            Expr::Terminal(id) => !self.automata[id.index()].is_empty(),
            Expr::Nonterminal(id) => self.productive[id.index()],
            Expr::Sequence(parts) => parts.iter().all(|part| self.is_productive(part)),
            Expr::Choice(parts) => parts.iter().any(|part| self.is_productive(part)),
            Expr::Repeat { item, min, max, .. } => {
                max.is_none_or(|max| *min <= max) && (*min == 0 || self.is_productive(item))
            }
            Expr::List(list) => list.min <= self.most_elements(list),
            Expr::Record(record) => self.record_is_productive(record),
        }
    }

    /// Most elements that a list can get: it must end before one that cannot be completed.
    pub(super) fn most_elements(&self, list: &List) -> u32 {
        let max = list.max.unwrap_or(u32::MAX);
        let usable = list.prefix.iter().take_while(|cases| self.any_case(cases)).count();
        if usable < list.prefix.len() || !self.any_case(&list.rest) { max.min(usable as u32) } else { max }
    }

    /// Whether any of these cases can be completed.
    pub(super) fn any_case(&self, cases: &[Case]) -> bool {
        cases.iter().any(|case| self.productive[case.value.index()])
    }

    fn record_is_productive(&self, record: &Record) -> bool {
        let n_required = record.properties.iter().filter(|property| property.required).count();
        let max = record.max.map_or(usize::MAX, |max| max as usize);
        if n_required > max || record.min as usize > max {
            return false;
        }
        if record.properties.iter().any(|property| property.required && !self.any_case(&property.cases)) {
            return false;
        }
        record.min as usize <= record.properties.iter().filter(|property| self.any_case(&property.cases)).count()
            || record
                .others
                .iter()
                .any(|other| self.any_case(&other.cases) && !self.automata[other.key.index()].is_empty())
    }

    pub(super) fn is_nullable(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Empty => true,
            Expr::Terminal(id) => self.automata[id.index()].accepts_empty(),
            Expr::Nonterminal(id) => self.nullable[id.index()],
            Expr::Sequence(parts) => parts.iter().all(|part| self.is_nullable(part)),
            Expr::Choice(parts) => parts.iter().any(|part| self.is_nullable(part)),
            Expr::Repeat { min, max, .. } => *min == 0 && max.is_none_or(|max| *min <= max),
            _ => false,
        }
    }

    pub(super) fn nonterminal_is_nullable(&self, id: crate::ids::NonterminalId) -> bool {
        self.nullable[id.index()]
    }

    pub(super) fn nonterminal_is_productive(&self, id: crate::ids::NonterminalId) -> bool {
        self.productive[id.index()]
    }

    pub(super) fn automaton(&self, id: crate::ids::TerminalId) -> &Automaton {
        &self.automata[id.index()]
    }

    pub(super) fn terminal_is_empty(&self, id: crate::ids::TerminalId) -> bool {
        self.automata[id.index()].is_empty()
    }
}
