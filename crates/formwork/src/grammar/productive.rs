//! Which expressions derive some text? What cannot be completed must never be offered.
//!
//! A least fixpoint over the nonterminals: one that needs itself, as through a required property, is not productive.
//! Also answers which nonterminals derive the empty text.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use fixedbitset::FixedBitSet;

use super::builder::{Case, Expr, GrammarBuilder, KeyOrder, List, OtherKeys, Record};
use super::distinct::Enough;
use super::productions::Cases;
use super::record_rules::At;
use super::rules::{Obligations, UsableRecord, list_rules, record_rules};
use super::steps::Steps;
use super::tally::Tally;
use crate::automata::{Automaton, WordCount};
use crate::error::{GrammarError, LimitError};
use crate::hash::HashMap;
use crate::ids::NonterminalId;
use crate::ids::TerminalId;
use crate::limits::Limits;

/// Most keys of a class that a record may hold all of.
const MAX_WRITTEN: u32 = 4_096;

/// What is known of all nonterminals and terminals.
pub(super) struct Analysis<'a> {
    builder: &'a GrammarBuilder,
    automata: &'a [Arc<Automaton>],
    productive: Vec<bool>,
    nullable: Vec<bool>,
    /// How many words terminals have, where that was counted; `None` where it takes too long to tell.
    word_counts: RefCell<HashMap<TerminalId, Option<WordCount>>>,
    /// For all of the grammar.
    steps: Steps,
    /// At least how many numbers terminals have, where that was counted.
    pub(super) number_counts: RefCell<HashMap<TerminalId, WordCount>>,
    /// Steps of counting values that must differ.
    pub(super) difference_steps: Cell<usize>,
}

impl<'a> Analysis<'a> {
    /// Sweeps over all bodies, backward and forward in turn, until nothing changes: two sweeps for most grammars.
    pub(super) fn new(
        builder: &'a GrammarBuilder,
        automata: &'a [Arc<Automaton>],
        limits: &Limits,
    ) -> Result<Analysis<'a>, GrammarError> {
        let n = builder.bodies.len();
        let mut analysis = Analysis {
            builder,
            automata,
            productive: vec![false; n],
            nullable: vec![false; n],
            word_counts: RefCell::default(),
            steps: Steps::for_grammar(limits.max_completion_steps),
            number_counts: RefCell::default(),
            difference_steps: Cell::new(0),
        };
        let mut budget = limits.max_grammar_nodes.saturating_mul(4);
        let mut forward = false;
        loop {
            let mut changed = false;
            for step in 0..n {
                let index = if forward { step } else { n - 1 - step };
                changed |= analysis.update(index)?;
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

    fn update(&mut self, index: usize) -> Result<bool, GrammarError> {
        let builder = self.builder;
        let Some(body) = &builder.bodies[index] else { return Ok(false) };
        let productive = self.productive[index] || self.is_productive(body, builder.key_order_of(index))?;
        let nullable = self.nullable[index] || self.is_nullable(body);
        let changed = productive != self.productive[index] || nullable != self.nullable[index];
        self.productive[index] = productive;
        self.nullable[index] = nullable;
        Ok(changed)
    }

    /// The body of a nonterminal.
    pub(super) fn body(&self, id: NonterminalId) -> Option<&Expr> {
        self.builder.bodies[id.index()].as_ref()
    }

    /// Whether an expression derives some text; `order` is that of the keys of its records.
    pub(super) fn is_productive(&mut self, expr: &Expr, order: KeyOrder) -> Result<bool, GrammarError> {
        Ok(match expr {
            Expr::Empty => true,
            Expr::Never => false,
            Expr::Terminal(id) => !self.automata[id.index()].is_empty(),
            Expr::Nonterminal(id) => self.productive[id.index()],
            Expr::Sequence(parts) => {
                for part in parts {
                    if !self.is_productive(part, order)? {
                        return Ok(false);
                    }
                }
                true
            }
            Expr::Choice(parts) => {
                for part in parts {
                    if self.is_productive(part, order)? {
                        return Ok(true);
                    }
                }
                false
            }
            Expr::Repeat { item, min, max, .. } => {
                max.is_none_or(|max| *min <= max) && (*min == 0 || self.is_productive(item, order)?)
            }
            Expr::List(list) => self.list_is_productive(list)?,
            Expr::Record(record) => self.record_is_productive(record, order)?,
        })
    }

    fn list_is_productive(&mut self, list: &List) -> Result<bool, GrammarError> {
        if list.min > self.most_elements(list) {
            return Ok(false);
        }
        if self.can_differ(list) == Enough::No {
            return Ok(false);
        }
        let (prefix, rest) = self.usable_elements(list);
        let Some(rules) = list_rules(list, &prefix, &rest)? else { return Ok(true) };
        Ok(rules.can_complete(0, Tally::default(), &mut self.steps)?)
    }

    /// The productive cases of a list's elements, as far as it can get.
    pub(super) fn usable_elements(&self, list: &List) -> (Vec<Cases>, Cases) {
        let most = self.most_elements(list) as usize;
        let prefix: Vec<Cases> = list.prefix.iter().take(most).map(|cases| self.usable_cases(cases)).collect();
        let rest = if prefix.len() < most { self.usable_cases(&list.rest) } else { Cases::new() };
        (prefix, rest)
    }

    /// The productive ones among the cases, each once.
    fn usable_cases(&self, cases: &[Case]) -> Cases {
        let mut usable: Cases = cases.iter().filter(|case| self.productive[case.value.index()]).copied().collect();
        usable.sort_unstable();
        usable.dedup();
        usable
    }

    /// Likewise for an entry of a record, where meeting more never harms.
    fn usable_values(&self, cases: &[Case]) -> Cases {
        let mut usable = self.usable_cases(cases);
        if usable.len() < 2 {
            return usable;
        }
        let all = usable.clone();
        let meets_more = |case: &Case, other: &Case| {
            case.value == other.value && case.meets != other.meets && case.meets & other.meets == case.meets
        };
        usable.retain(|case| !all.iter().any(|other| meets_more(case, other)));
        usable
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

    /// What can come in a record.
    pub(super) fn usable_record(&self, record: &Record) -> UsableRecord {
        let n = record.properties.len();
        let mut usable = UsableRecord {
            indices: Vec::with_capacity(n),
            values: Vec::with_capacity(n),
            others: Vec::with_capacity(record.others.len()),
        };
        for (index, property) in record.properties.iter().enumerate() {
            let cases = self.usable_values(&property.cases);
            if !cases.is_empty() {
                usable.indices.push(index);
                usable.values.push(cases);
            }
        }
        for other in &record.others {
            let cases = self.usable_values(&other.cases);
            if !cases.is_empty() && !self.automata[other.key.index()].is_empty() {
                usable.others.push((other.key, cases));
            }
        }
        usable
    }

    fn record_is_productive(&mut self, record: &Record, order: KeyOrder) -> Result<bool, GrammarError> {
        let n_required = record.properties.iter().filter(|property| property.required).count();
        let max = record.max.map_or(usize::MAX, |max| max as usize);
        if n_required > max || record.min as usize > max {
            return Ok(false);
        }
        if record.properties.iter().any(|property| property.required && !self.any_case(&property.cases)) {
            return Ok(false);
        }
        if record.n_goals > 0 || !record.presence.is_empty() {
            self.check_goals_of_others(record)?;
            let usable = self.usable_record(record);
            self.steps.spend(usable.indices.len() + record.presence.len())?;
            match record_rules(record, order, &usable, self.n_words(record))? {
                Obligations::None => {}
                Obligations::Impossible => return Ok(false),
                Obligations::Rules(rules) => {
                    let start =
                        At { position: 0, count: 0, met: 0, written: &FixedBitSet::new(), also: None, other: false };
                    return Ok(rules.can_complete(start, &mut self.steps)?);
                }
            }
        }
        let n_named = record.properties.iter().filter(|property| self.any_case(&property.cases)).count();
        Ok(self.n_words(record).is_none_or(|n_words| record.min as usize <= n_named + n_words as usize))
    }

    /// Keys that meet goals must not run out: it is not known which of them were written.
    fn check_goals_of_others(&self, record: &Record) -> Result<(), GrammarError> {
        let has_goals = |other: &&OtherKeys| other.cases.iter().any(|case| case.meets != 0);
        let mut with_goals = record.others.iter().filter(has_goals);
        let n_words = |other: &OtherKeys| other.n_words.or_else(|| self.count_words(other.key));
        if with_goals.any(|other| n_words(other).is_some_and(|n_words| n_words <= MAX_WRITTEN)) {
            let reason = "keys of a class with few keys cannot meet goals: they can be properties";
            return Err(GrammarError::Invalid(reason.into()));
        }
        Ok(())
    }

    /// How many keys without a name a record can have; `None` for more than anyone will write.
    pub(super) fn n_words(&self, record: &Record) -> Option<u32> {
        let usable = |other: &&OtherKeys| self.any_case(&other.cases) && !self.terminal_is_empty(other.key);
        let mut words =
            record.others.iter().filter(usable).map(|other| other.n_words.or_else(|| self.count_words(other.key)));
        words.try_fold(0u32, |sum, n_words| sum.checked_add(n_words?))
    }

    /// How many words a terminal has; `None` for more than anyone will write.
    fn count_words(&self, terminal: TerminalId) -> Option<u32> {
        match self.word_count(terminal) {
            Some(WordCount::Few(n_words)) => Some(n_words),
            _ => None,
        }
    }

    /// How many words a terminal has; `None` where it takes too long to tell.
    pub(super) fn word_count(&self, terminal: TerminalId) -> Option<WordCount> {
        let automaton = &self.automata[terminal.index()];
        if automaton.never_runs_out() {
            return Some(WordCount::Plenty);
        }
        let mut known = self.word_counts.borrow_mut();
        *known.entry(terminal).or_insert_with(|| automaton.count_words(automaton.start(), 0))
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

    pub(super) fn nonterminal_is_nullable(&self, id: NonterminalId) -> bool {
        self.nullable[id.index()]
    }

    pub(super) fn nonterminal_is_productive(&self, id: NonterminalId) -> bool {
        self.productive[id.index()]
    }

    pub(super) fn automaton(&self, id: crate::ids::TerminalId) -> &Automaton {
        &self.automata[id.index()]
    }

    pub(super) fn terminal_is_empty(&self, id: crate::ids::TerminalId) -> bool {
        self.automata[id.index()].is_empty()
    }
}
