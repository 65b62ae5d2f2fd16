//! From expressions to the automata of [`Productions`].
//!
//! Each body is built as a small automaton with empty steps, which are then taken out; what is not productive is left
//! out on the way. Nonterminals are ordered so that each comes before those that its body can begin with, which is
//! impossible exactly for left recursion.

use std::sync::Arc;

use fixedbitset::FixedBitSet;
use smallvec::SmallVec;

use super::builder::{Expr, GrammarBuilder, List, Record};
use super::effect::may_repeat_keys;
use super::productions::{
    Cases, Edge, ListBody, LoopBody, Next, Node, NodeId, Place, Productions, RecordBody, Register, Symbol,
};
use super::productive::Analysis;
use super::rules::{Obligations, list_rules, n_listed, record_rules};
use super::seen::SeenSets;
use super::spacing::SpacingBuilder;
use super::view::Alike;
use crate::automata::{Automaton, Keys};
use crate::error::GrammarError;
use crate::ids::{NonterminalId, TerminalId};
use crate::limits::Limits;

/// Lowers the part of the grammar that `start` reaches.
pub(super) fn lower(
    builder: &GrammarBuilder,
    start: NonterminalId,
    automata: &[Arc<Automaton>],
    limits: &Limits,
) -> Result<Productions, GrammarError> {
    let analysis = Analysis::new(builder, automata, limits)?;
    if !analysis.nonterminal_is_productive(start) {
        return Err(GrammarError::Unsatisfiable);
    }
    let accepts_empty = analysis.nonterminal_is_nullable(start);
    let mut lowering = Lowering {
        builder,
        analysis,
        nodes: Vec::with_capacity(8 * (builder.bodies.len() + 1)),
        loops: Vec::new(),
        lists: Vec::new(),
        records: Vec::new(),
        starts: vec![None; builder.bodies.len()],
        pending: vec![start],
        anonymous: Vec::new(),
        spacing: SpacingBuilder::default(),
        within: start.index(),
        kind: 0,
    };
    lowering.lower_reachable(start)?;
    let nodes = lowering.without_empty_steps();
    let spacing = lowering.spacing.build();
    let starts = lowering.starts.iter().map(|start| start.unwrap_or(0)).collect();
    let mut productions = Productions {
        nodes,
        loops: lowering.loops,
        lists: lowering.lists,
        records: lowering.records.into_iter().map(Arc::new).collect(),
        starts,
        ranks: Vec::new(),
        start,
        accepts_empty,
        spacing,
        remembers: false,
        alike: Alike::default(),
        max_steps: limits.max_completion_steps,
    };
    productions.remembers =
        may_repeat_keys(productions.records.iter().map(|record| &**record)) || productions.has_unique_lists();
    productions.alike = Alike::new(&productions, automata);
    productions.ranks = rank(&productions, builder)?;
    Ok(productions)
}

/// A node under construction.
#[derive(Default)]
struct Draft {
    edges: SmallVec<[Edge; 1]>,
    empty_steps: SmallVec<[NodeId; 2]>,
    end: bool,
    /// Set for nodes that are not plain.
    special: Option<Node>,
}

struct Lowering<'a> {
    builder: &'a GrammarBuilder,
    analysis: Analysis<'a>,
    nodes: Vec<Draft>,
    loops: Vec<LoopBody>,
    lists: Vec<ListBody>,
    records: Vec<RecordBody>,
    starts: Vec<Option<NodeId>>,
    pending: Vec<NonterminalId>,
    /// Repeated items get nonterminals of their own, numbered behind the builder's.
    /// With the nonterminal that each belongs to.
    anonymous: Vec<(&'a Expr, usize)>,
    spacing: SpacingBuilder,
    /// The nonterminal of the builder that is being lowered, and its kind of whitespace.
    within: usize,
    kind: u32,
}

impl<'a> Lowering<'a> {
    fn lower_reachable(&mut self, start: NonterminalId) -> Result<(), GrammarError> {
        self.enter(start.index());
        let first = self.add_plain();
        self.starts[start.index()] = Some(first);
        while let Some(nonterminal) = self.pending.pop() {
            let Some(from) = self.starts[nonterminal.index()] else { continue };
            let n_named = self.builder.bodies.len();
            let (body, within) = match nonterminal.index().checked_sub(n_named) {
                Some(index) => self.anonymous[index],
                None => match &self.builder.bodies[nonterminal.index()] {
                    Some(body) => (body, nonterminal.index()),
                    None => continue,
                },
            };
            self.enter(within);
            let to = self.add_plain();
            self.nodes[to as usize].end = true;
            self.lower_expr(body, from, to)?;
        }
        Ok(())
    }

    /// What is added from now on belongs to this nonterminal of the builder.
    fn enter(&mut self, nonterminal: usize) {
        self.within = nonterminal;
        self.kind = self.spacing.kind(self.builder.whitespace_of(nonterminal));
    }

    fn add(&mut self, draft: Draft) -> NodeId {
        self.spacing.add_node(self.kind);
        self.nodes.push(draft);
        self.nodes.len() as NodeId - 1
    }

    fn add_plain(&mut self) -> NodeId {
        self.add(Draft::default())
    }

    fn add_special(&mut self, node: Node) -> NodeId {
        self.add(Draft { special: Some(node), ..Draft::default() })
    }

    /// Makes sure that the nonterminal will be lowered.
    fn reach(&mut self, nonterminal: NonterminalId) {
        if self.starts[nonterminal.index()].is_none() {
            let start = self.add_plain();
            self.starts[nonterminal.index()] = Some(start);
            self.pending.push(nonterminal);
        }
    }

    fn edge(&mut self, from: NodeId, symbol: Symbol, to: NodeId, count: u32) {
        let target = Place { node: to, register: Register { count, ..Register::default() } };
        self.nodes[from as usize].edges.push(Edge { symbol, target });
    }

    /// Lets `from` go on to `to` over the text of `expr`. Adds nothing when there is no such text.
    fn lower_expr(&mut self, expr: &'a Expr, from: NodeId, to: NodeId) -> Result<(), GrammarError> {
        if !self.analysis.is_productive(expr, self.builder.key_order_of(self.within))? {
            return Ok(());
        }
        match expr {
            Expr::Empty => self.nodes[from as usize].empty_steps.push(to),
            Expr::Never => {}
            Expr::Terminal(id) => {
                let automaton = self.analysis.automaton(*id);
                let (can_start, is_nullable) = (automaton.can_go_on(automaton.start()), automaton.accepts_empty());
                if can_start {
                    self.edge(from, Symbol::Terminal(*id), to, 0);
                }
                if is_nullable {
                    self.nodes[from as usize].empty_steps.push(to);
                }
            }
            Expr::Nonterminal(id) => {
                self.reach(*id);
                self.edge(from, Symbol::Nonterminal(*id), to, 0);
                if self.analysis.nonterminal_is_nullable(*id) {
                    self.nodes[from as usize].empty_steps.push(to);
                }
            }
            Expr::Sequence(parts) => {
                let mut at = from;
                for (index, part) in parts.iter().enumerate() {
                    let next = if index + 1 == parts.len() { to } else { self.add_plain() };
                    self.lower_expr(part, at, next)?;
                    at = next;
                }
                if parts.is_empty() {
                    self.nodes[from as usize].empty_steps.push(to);
                }
            }
            Expr::Choice(parts) => parts.iter().try_for_each(|part| self.lower_expr(part, from, to))?,
            Expr::Repeat { item, separator, min, max } => self.lower_loop(item, *separator, *min, *max, from, to)?,
            Expr::List(list) => self.lower_list(list, from, to)?,
            Expr::Record(record) => self.lower_record(record, from, to)?,
        }
        Ok(())
    }

    fn lower_loop(
        &mut self,
        item: &'a Expr,
        separator: Option<TerminalId>,
        min: u32,
        max: Option<u32>,
        from: NodeId,
        to: NodeId,
    ) -> Result<(), GrammarError> {
        if self.analysis.is_nullable(item) {
            return Err(GrammarError::Invalid("a repeated item must not derive the empty text".into()));
        }
        if min == 0 {
            self.nodes[from as usize].empty_steps.push(to);
        }
        if max == Some(0) || !self.analysis.is_productive(item, self.builder.key_order_of(self.within))? {
            return Ok(());
        }
        let max = if separator.is_some_and(|id| self.analysis.terminal_is_empty(id)) { Some(1) } else { max };
        if max.is_some_and(|max| max < min) {
            return Ok(());
        }
        let item = match item {
            Expr::Nonterminal(id) => {
                self.reach(*id);
                *id
            }
            _ => self.add_anonymous(item)?,
        };
        let id = self.loops.len() as u32;
        let item_node = self.add_special(Node::LoopItem(id));
        let after = self.add_special(Node::LoopAfter(id));
        self.loops.push(LoopBody { item, separator, min, max, item_node, after, exit: to });
        self.edge(from, Symbol::Nonterminal(item), after, 1);
        Ok(())
    }

    fn add_anonymous(&mut self, body: &'a Expr) -> Result<NonterminalId, GrammarError> {
        let index = self.builder.bodies.len() + self.anonymous.len();
        let id = NonterminalId::from_index(index)
            .ok_or_else(|| GrammarError::Invalid("more than 2^32 nonterminals".into()))?;
        self.anonymous.push((body, self.within));
        let start = self.add_plain();
        self.starts.push(Some(start));
        self.pending.push(id);
        Ok(id)
    }

    fn check_value(&self, nonterminal: NonterminalId) -> Result<(), GrammarError> {
        if self.analysis.nonterminal_is_nullable(nonterminal) {
            let name = &self.builder.names[nonterminal.index()];
            return Err(GrammarError::Invalid(format!("{name} is an element or a value and derives the empty text")));
        }
        Ok(())
    }

    fn lower_list(&mut self, list: &'a List, from: NodeId, to: NodeId) -> Result<(), GrammarError> {
        self.analysis.check_difference(list)?;
        let most = self.analysis.most_elements(list);
        let max = (most < u32::MAX).then_some(most);
        let (prefix, rest) = self.analysis.usable_elements(list);
        for case in prefix.iter().flatten().chain(&rest) {
            self.check_value(case.value)?;
            self.reach(case.value);
        }
        let rules = list_rules(list, &prefix, &rest)?.map(Box::new);
        let prefix = prefix.into();
        let id = self.lists.len() as u32;
        let first = self.add_special(Node::ListFirst(id));
        let item = self.add_special(Node::ListItem(id));
        let after = self.add_special(Node::ListAfter(id));
        let (close, separator, min) = (list.close, list.separator, list.min);
        let unique = list.unique && max != Some(1);
        self.lists.push(ListBody { close, separator, prefix, rest, rules, min, max, unique, item, after, exit: to });
        self.edge(from, Symbol::Terminal(list.open), first, 0);
        Ok(())
    }

    fn lower_record(&mut self, record: &'a Record, from: NodeId, to: NodeId) -> Result<(), GrammarError> {
        let order = self.builder.key_order_of(self.within);
        let usable = self.analysis.usable_record(record);
        let rules = match record_rules(record, order, &usable, self.analysis.n_words(record))? {
            Obligations::Rules(rules) => Some(rules),
            _ => None,
        };
        let n_words = self.analysis.n_words(record);
        let n_listed = n_listed(record, order, &usable);
        let properties: Vec<_> = usable.indices.iter().map(|index| &record.properties[*index]).collect();
        let values: Box<[Cases]> = usable.values.into();
        let others: Box<[(TerminalId, Cases)]> = usable.others.into();
        for case in values.iter().chain(others.iter().map(|(_, cases)| cases)).flatten() {
            self.check_value(case.value)?;
            self.reach(case.value);
        }
        let single = values.iter().chain(others.iter().map(|(_, cases)| cases)).all(|cases| cases.len() == 1);
        let n = properties.len();
        if n >= crate::automata::MAX_KEYS || properties.iter().any(|property| property.key.len() >= 1 << 16) {
            return Err(GrammarError::Invalid("a record has too many keys or too long ones".into()));
        }
        let mut next_required = vec![n as u32; n + 1].into_boxed_slice();
        let mut n_required = vec![0; n + 1].into_boxed_slice();
        for (index, property) in properties.iter().enumerate().take(n_listed as usize).rev() {
            next_required[index] = if property.required { index as u32 } else { next_required[index + 1] };
            n_required[index] = n_required[index + 1] + u32::from(property.required);
        }
        let id = self.records.len() as u32;
        let first = self.add_special(Node::RecordFirst(id));
        let key_node = self.add_special(Node::RecordKey(id));
        let assign_node = self.add_special(Node::RecordAssign(id));
        let value_node = self.add_special(Node::RecordValue(id));
        let after = self.add_special(Node::RecordAfter(id));
        let first_other = self.nodes.len() as NodeId;
        for class in 0..others.len() as u32 {
            self.add_special(Node::OtherAssign(id, class));
            self.add_special(Node::OtherValue(id, class));
        }
        let required = properties.iter().enumerate().filter(|(_, property)| property.required);
        let mut required: FixedBitSet = required.map(|(index, _)| index).collect();
        required.grow(n);
        self.records.push(RecordBody {
            n_listed,
            rules,
            single,
            required,
            close: record.close,
            separator: record.separator,
            assign: record.assign,
            keys: Keys::new(properties.iter().map(|property| property.key.clone()).collect()),
            values,
            next_required,
            n_required,
            others,
            n_words,
            min: record.min,
            max: record.max,
            key_node,
            assign_node,
            value_node,
            after,
            first_other,
            exit: to,
        });
        self.edge(from, Symbol::Terminal(record.open), first, 0);
        Ok(())
    }

    /// Gives every plain node the edges of all nodes that it reaches without input.
    fn without_empty_steps(&mut self) -> Vec<Node> {
        let drafts = std::mem::take(&mut self.nodes);
        let close = |index: usize| {
            let draft = &drafts[index];
            if draft.empty_steps.is_empty() {
                return (draft.edges.clone(), draft.end);
            }
            let mut seen = vec![index as NodeId];
            let mut edges: SmallVec<[Edge; 1]> = SmallVec::new();
            let mut end = false;
            let mut at = 0;
            let mut known = crate::hash::HashSet::from_iter([index as NodeId]);
            while at < seen.len() {
                let draft = &drafts[seen[at] as usize];
                edges.extend(draft.edges.iter().copied());
                end |= draft.end;
                seen.extend(draft.empty_steps.iter().filter(|step| known.insert(**step)));
                at += 1;
            }
            let mut distinct = crate::hash::HashSet::default();
            edges.retain(|edge| distinct.insert(*edge));
            (edges, end)
        };
        (0..drafts.len())
            .map(|index| match &drafts[index].special {
                Some(node) => node.clone(),
                None => {
                    let (edges, end) = close(index);
                    Node::Plain { edges: edges.into_boxed_slice(), end }
                }
            })
            .collect()
    }
}

/// Orders the nonterminals so that each comes before those that its body can begin with.
fn rank(productions: &Productions, builder: &GrammarBuilder) -> Result<Vec<u32>, GrammarError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let n = productions.starts.len();
    let nothing_seen = SeenSets::default();
    let add_beginnings = |index: usize, found: &mut Vec<usize>| {
        let place = Place { node: productions.starts[index], register: Register::default() };
        productions.successors(place, &nothing_seen, &mut |next| {
            if let Next::Symbol(Symbol::Nonterminal(id), _) = next {
                found.push(id.index());
            }
        })
    };
    let mut marks = vec![Mark::New; n];
    let mut finished = Vec::with_capacity(n);
    // Depth first with a stack of its own: grammars may be nested deeply. Each on it has its children from some place on.
    let (mut stack, mut children): (Vec<(usize, usize)>, Vec<usize>) = (Vec::new(), Vec::new());
    for root in 0..n {
        if marks[root] != Mark::New {
            continue;
        }
        marks[root] = Mark::Open;
        stack.push((root, 0));
        add_beginnings(root, &mut children)?;
        while let Some((index, from)) = stack.last() {
            if children.len() == *from {
                marks[*index] = Mark::Done;
                finished.push(*index);
                stack.pop();
                continue;
            }
            if let Some(child) = children.pop() {
                match marks[child] {
                    Mark::Done => {}
                    Mark::Open => {
                        let name = builder.names.get(child).cloned().unwrap_or_else(|| "a repeated item".into());
                        return Err(GrammarError::LeftRecursive(name));
                    }
                    Mark::New => {
                        marks[child] = Mark::Open;
                        stack.push((child, children.len()));
                        add_beginnings(child, &mut children)?;
                    }
                }
            }
        }
    }
    let mut ranks = vec![0; n];
    for (order, index) in finished.iter().rev().enumerate() {
        ranks[*index] = order as u32;
    }
    Ok(ranks)
}
