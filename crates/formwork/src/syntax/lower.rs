//! Which expressions is a grammar's text? A nonterminal for each rule that needs a stack, a terminal for all that does not.

use super::graph::Components;
use super::left::Rewriting;
use super::regular::Regularity;
use super::rules::{Node, Rule, RuleId, Rules};
use crate::automata::Terminal;
use crate::error::{CompileError, GrammarError, LimitError};
use crate::grammar::{Expr, GrammarBuilder};
use crate::hash::HashMap;
use crate::ids::{NonterminalId, TerminalId};
use crate::json_schema::{self, Context, LoweredSchema};

/// Parts of a grammar's text that are looked at, for each node that a grammar may have.
const STEPS_PER_NODE: usize = 8;

/// `special` gives the terminal of a control token's name.
pub(super) fn lower(
    rules: Rules,
    special: &dyn Fn(&str) -> Result<Terminal, GrammarError>,
    context: Context<'_>,
) -> Result<LoweredSchema, CompileError> {
    let Rules { mut rules, start, ignored } = rules;
    let ignored = ignored.map(|body| {
        rules.push(Rule { name: "%ignore".to_owned(), body, is_terminal: true });
        Node::Rule(rules.len() - 1)
    });
    let rewriting = Rewriting::new(rules, context.limits)?;
    let components = Components::new(&rewriting.references());
    let Components { order, is_recursive, .. } = &components;
    let max_steps = context.limits.max_grammar_nodes.saturating_mul(STEPS_PER_NODE);
    let regularity = Regularity::new(&rewriting.rules, order, is_recursive, ignored.is_some(), max_steps);
    let mut lowering = Lowering {
        rewriting,
        regularity,
        builder: GrammarBuilder::new(),
        ignored: None,
        exprs: HashMap::default(),
        pending: Vec::new(),
        special,
        context,
    };
    lowering.ignored = ignored.map(|ignored| lowering.ignored(&ignored)).transpose()?;
    let body = lowering.rule(start)?;
    while let Some((rule, nonterminal)) = lowering.pending.pop() {
        lowering.rewriting.finish_pending()?;
        let node = lowering.rewriting.rules[rule].body.clone();
        let body = lowering.expr(node)?;
        lowering.builder.define(nonterminal, body)?;
    }
    let start = lowering.builder.nonterminal("grammar", lowering.ignorable_before(body));
    Ok(LoweredSchema { builder: lowering.builder, start })
}

struct Lowering<'l> {
    rewriting: Rewriting,
    regularity: Regularity,
    builder: GrammarBuilder,
    /// Any number of what may stand between lexemes, as one lexeme.
    ignored: Option<TerminalId>,
    /// What stands for a rule.
    exprs: HashMap<RuleId, Expr>,
    /// Nonterminals whose bodies are still to be made.
    pending: Vec<(RuleId, NonterminalId)>,
    special: &'l dyn Fn(&str) -> Result<Terminal, GrammarError>,
    context: Context<'l>,
}

impl Lowering<'_> {
    fn ignored(&mut self, ignored: &Node) -> Result<TerminalId, GrammarError> {
        let all = self.regularity.repeated(ignored);
        let all = all.ok_or_else(|| GrammarError::Invalid("what is ignored must be made of terminals".into()))?;
        Ok(self.builder.terminal(all.terminal()))
    }

    fn ignorable_before(&self, body: Expr) -> Expr {
        match self.ignored {
            Some(ignored) => Expr::Sequence(vec![Expr::Terminal(ignored), body]),
            None => body,
        }
    }

    /// A lexeme, with what may be ignored behind it.
    fn lexeme(&mut self, terminal: Terminal) -> Expr {
        let lexeme = Expr::Terminal(self.builder.terminal(terminal));
        match self.ignored {
            Some(ignored) => Expr::Sequence(vec![lexeme, Expr::Terminal(ignored)]),
            None => lexeme,
        }
    }

    fn rule(&mut self, rule: RuleId) -> Result<Expr, CompileError> {
        if let Some(known) = self.exprs.get(&rule) {
            return Ok(known.clone());
        }
        if let Some(piece) = self.regularity.piece(&Node::Rule(rule)) {
            let lexeme = self.lexeme(piece.terminal());
            self.exprs.insert(rule, lexeme.clone());
            return Ok(lexeme);
        }
        let Rule { name, is_terminal, .. } = &self.rewriting.rules[rule];
        if *is_terminal && self.ignored.is_some() {
            let reason = format!("terminal {name} is no regular expression, or too large a one");
            return Err(GrammarError::Invalid(reason).into());
        }
        let nonterminal = self.builder.declare(name.clone());
        self.exprs.insert(rule, Expr::Nonterminal(nonterminal));
        self.pending.push((rule, nonterminal));
        Ok(Expr::Nonterminal(nonterminal))
    }

    fn expr(&mut self, node: Node) -> Result<Expr, CompileError> {
        if let Node::Rule(rule) = node {
            return self.rule(rule);
        }
        if self.regularity.is_exhausted() {
            let limit = self.context.limits.max_grammar_nodes;
            return Err(GrammarError::from(LimitError { setting: "max_grammar_nodes", limit }).into());
        }
        if let Some(piece) = self.regularity.piece(&node) {
            return Ok(self.lexeme(piece.terminal()));
        }
        match node {
            Node::Never | Node::Rule(_) => Ok(Expr::Never),
            Node::Sequence(parts) => {
                let parts = self.in_runs(parts).into_iter().map(|part| self.expr(part));
                Ok(Expr::Sequence(parts.collect::<Result<_, _>>()?))
            }
            Node::Choice(parts) => {
                let (regular, mut others): (Vec<Node>, Vec<Node>) =
                    parts.into_iter().partition(|part| self.regularity.piece(part).is_some());
                let regular = Node::choice(regular);
                match self.regularity.piece(&regular) {
                    Some(_) => others.push(regular),
                    // Too much for one terminal.
                    None => others.extend(if let Node::Choice(parts) = regular { parts } else { Vec::new() }),
                }
                let others = self.with_common_ends(others).into_iter().map(|part| self.expr(part));
                Ok(Expr::Choice(others.collect::<Result<_, _>>()?))
            }
            Node::Repeat { item, min, max } => {
                let min = if self.rewriting.is_nullable(&item) { 0 } else { min };
                let item = self.rewriting.without_empty(*item);
                let item =
                    item.ok_or_else(|| GrammarError::Invalid("what is repeated may match the empty text".into()))?;
                let item = Box::new(self.expr(item)?);
                Ok(Expr::Repeat { item, separator: None, min, max })
            }
            Node::Special(name) => Ok(self.lexeme((self.special)(&name)?)),
            Node::Schema(schema) => {
                let mut lowered = json_schema::lower_schema(&schema, self.context)?;
                lowered.builder.set_key_order(self.context.options.key_order);
                let schema = self.builder.include(lowered.builder, lowered.start);
                Ok(match self.ignored {
                    Some(ignored) => Expr::Sequence(vec![schema, Expr::Terminal(ignored)]),
                    None => schema,
                })
            }
            Node::Literal(text) => Ok(self.lexeme(Terminal::literal(text.as_bytes()))),
            Node::Regex(regex) => Ok(self.lexeme(Terminal::Regex(regex))),
        }
    }

    /// Alternatives, of which those that differ in their first lexeme alone are one: neighbours are compared.
    fn with_common_ends(&self, parts: Vec<Node>) -> Vec<Node> {
        let mut all: Vec<Node> = Vec::with_capacity(parts.len());
        // The last of them as its first lexemes and what follows them.
        let mut last: Option<(Vec<Node>, Vec<Node>)> = None;
        let end = |last: &mut Option<(Vec<Node>, Vec<Node>)>, all: &mut Vec<Node>| {
            all.extend(
                last.take().map(|(firsts, rest)| Node::sequence([Node::choice(firsts)].into_iter().chain(rest))),
            );
        };
        for part in parts {
            let mut rest = match part {
                Node::Sequence(parts) if parts.len() > 1 && self.regularity.piece(&parts[0]).is_some() => parts,
                part => {
                    end(&mut last, &mut all);
                    all.push(part);
                    continue;
                }
            };
            let first = rest.remove(0);
            match &mut last {
                Some((firsts, common)) if *common == rest => firsts.push(first),
                _ => {
                    end(&mut last, &mut all);
                    last = Some((vec![first], rest));
                }
            }
        }
        end(&mut last, &mut all);
        all
    }

    /// Neighbours that are one terminal together, as one; where something may stand between them there are none.
    fn in_runs(&self, parts: Vec<Node>) -> Vec<Node> {
        if self.ignored.is_some() {
            return parts;
        }
        let mut all = Vec::with_capacity(parts.len());
        let mut run = Vec::new();
        let end_run = |run: &mut Vec<Node>, all: &mut Vec<Node>| {
            let together = Node::sequence(run.iter().cloned());
            match run.len() > 1 && self.regularity.piece(&together).is_some() {
                true => all.push(together),
                false => all.append(run),
            }
            run.clear();
        };
        for part in parts {
            if self.regularity.piece(&part).is_some() {
                run.push(part);
            } else {
                end_run(&mut run, &mut all);
                all.push(part);
            }
        }
        end_run(&mut run, &mut all);
        all
    }
}
