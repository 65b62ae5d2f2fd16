//! How is left recursion taken out? As systems of left-linear equations are solved.
//!
//! Rules `R_i` that begin with each other say `R_i = b_i | R_1 a_1i | ... | R_k a_ki`, where no `b_i` begins with one of
//! them. Then `R_i = b_1 S_1i | ... | b_k S_ki`, where `S_ji` is what leads from `R_j` to `R_i`: nothing if both are the same,
//! or some `a_jm` and then `S_mi`. (Rosenkrantz, Matrix equations and normal forms for context-free grammars, 1967.) A rule
//! that begins with itself alone is simply repeated: `R = b a*`.

use super::graph::Components;
use super::regular::matches_empty;
use super::rules::{Node, Rule, RuleId};
use crate::error::{GrammarError, LimitError};
use crate::hash::HashMap;
use crate::limits::Limits;

/// Most rules that may begin with each other.
const MAX_MEMBERS: usize = 32;

/// Most parts of a sequence that may be empty before one that begins with the rule itself.
const MAX_EMPTY_PARTS: usize = 64;

/// Nodes that are looked at for each rule that there may be.
const STEPS_PER_RULE: usize = 8;

/// Rules, and which derive the empty text.
pub(super) struct Rewriting {
    pub(super) rules: Vec<Rule>,
    nullable: Vec<bool>,
    /// By rule: the rule for its texts but the empty one.
    without_empty: HashMap<RuleId, RuleId>,
    /// Those whose bodies are still to be made.
    pending: Vec<(RuleId, RuleId)>,
    matches_empty: HashMap<std::sync::Arc<str>, bool>,
    max_rules: usize,
    /// Nodes looked at so far.
    n_steps: usize,
}

/// A body as a sum: what begins with a member of a component, as its number and what comes behind it, and the rest.
type Parts = (Vec<(usize, Node)>, Node);

impl Rewriting {
    pub(super) fn new(rules: Vec<Rule>, limits: &Limits) -> Result<Rewriting, GrammarError> {
        let mut rewriting = Rewriting {
            nullable: vec![false; rules.len()],
            rules,
            without_empty: HashMap::default(),
            pending: Vec::new(),
            matches_empty: HashMap::default(),
            max_rules: limits.max_grammar_nodes,
            n_steps: 0,
        };
        rewriting.find_nullable()?;
        rewriting.solve_components()?;
        rewriting.finish_pending()?;
        Ok(rewriting)
    }

    /// An error where more was looked at than there may be.
    fn check_steps(&self) -> Result<(), GrammarError> {
        match self.n_steps <= self.max_rules.saturating_mul(STEPS_PER_RULE) {
            true => Ok(()),
            false => Err(LimitError { setting: "max_grammar_nodes", limit: self.max_rules }.into()),
        }
    }

    fn find_nullable(&mut self) -> Result<(), GrammarError> {
        let order = Components::new(&self.references()).order;
        loop {
            let mut changed = false;
            for rule in &order {
                if !self.nullable[*rule] {
                    let body = std::mem::replace(&mut self.rules[*rule].body, Node::Never);
                    self.nullable[*rule] = self.is_nullable(&body);
                    self.rules[*rule].body = body;
                    changed |= self.nullable[*rule];
                    self.check_steps()?;
                }
            }
            if !changed {
                return Ok(());
            }
        }
    }

    /// By rule: those that it names.
    pub(super) fn references(&self) -> Vec<Vec<RuleId>> {
        let named = |rule: &Rule| {
            let mut named = Vec::new();
            rule.body.visit_rules(&mut |other| named.push(other));
            named
        };
        self.rules.iter().map(named).collect()
    }

    pub(super) fn is_nullable(&mut self, node: &Node) -> bool {
        self.n_steps += 1;
        match node {
            Node::Never | Node::Special(_) | Node::Schema(_) | Node::Literal(_) => false,
            Node::Regex(regex) => match self.matches_empty.get(regex) {
                Some(known) => *known,
                None => {
                    let matches = matches_empty(regex);
                    self.matches_empty.insert(regex.clone(), matches);
                    matches
                }
            },
            Node::Rule(rule) => self.nullable[*rule],
            Node::Sequence(parts) => parts.iter().all(|part| self.is_nullable(part)),
            Node::Choice(parts) => parts.iter().any(|part| self.is_nullable(part)),
            Node::Repeat { item, min, .. } => *min == 0 || self.is_nullable(item),
        }
    }

    /// Calls `visit` for every rule that a text of the node can begin with.
    fn visit_first(&mut self, node: &Node, visit: &mut impl FnMut(RuleId)) {
        self.n_steps += 1;
        match node {
            Node::Rule(rule) => visit(*rule),
            Node::Choice(parts) => parts.iter().for_each(|part| self.visit_first(part, visit)),
            Node::Sequence(parts) => {
                for part in parts {
                    self.visit_first(part, visit);
                    if !self.is_nullable(part) {
                        return;
                    }
                }
            }
            Node::Repeat { item, .. } => self.visit_first(item, visit),
            _ => {}
        }
    }

    fn solve_components(&mut self) -> Result<(), GrammarError> {
        let mut edges = Vec::with_capacity(self.rules.len());
        for rule in 0..self.rules.len() {
            let body = self.rules[rule].body.clone();
            let mut first = Vec::new();
            self.visit_first(&body, &mut |other| first.push(other));
            edges.push(first);
        }
        for members in Components::new(&edges).recursive() {
            self.solve(&members)?;
        }
        Ok(())
    }

    /// Takes the left recursion out of rules that begin with each other.
    fn solve(&mut self, members: &[RuleId]) -> Result<(), GrammarError> {
        let n = members.len();
        let name = self.rules[members[0]].name.clone();
        if n > MAX_MEMBERS {
            return Err(GrammarError::Invalid(format!("more than {MAX_MEMBERS} rules begin with each other: {name}")));
        }
        let numbers: HashMap<RuleId, usize> =
            members.iter().enumerate().map(|(number, rule)| (*rule, number)).collect();
        // What leads from one member to another, and the pairs between which nothing need stand.
        let mut steps: Vec<Vec<Vec<Node>>> = vec![vec![Vec::new(); n]; n];
        let mut unit = vec![vec![false; n]; n];
        let mut begins = Vec::with_capacity(n);
        for (to, rule) in members.iter().enumerate() {
            let body = self.rules[*rule].body.clone();
            let (heads, rest) = self.decompose(body, &numbers)?;
            for (from, tail) in heads {
                unit[from][to] |= self.is_nullable(&tail);
                let tail = self.without_empty(tail).ok_or_else(|| GrammarError::LeftRecursive(name.clone()))?;
                steps[from][to].push(tail);
            }
            begins.push(rest);
        }
        if let ([rule], [begin]) = (members, begins.as_slice()) {
            let more = match Node::choice(std::mem::take(&mut steps[0][0])) {
                Node::Never => Node::empty(),
                step => Node::repeat(step, 0, None),
            };
            self.rules[*rule].body = Node::sequence([begin.clone(), more]);
            return Ok(());
        }
        // From here on each is written down in many places.
        for step in steps.iter_mut().flatten() {
            let one = self.share(Node::choice(std::mem::take(step)))?;
            step.push(one);
        }
        for middle in 0..n {
            unit[middle][middle] = true;
            for from in 0..n {
                if unit[from][middle] {
                    let reached = unit[middle].clone();
                    unit[from].iter_mut().zip(reached).for_each(|(known, reached)| *known |= reached);
                }
            }
        }
        for begin in &mut begins {
            *begin = self.share(std::mem::replace(begin, Node::Never))?;
        }
        // By where it comes from and where it leads.
        let mut ways = vec![vec![0; n]; n];
        for (from, to) in (0..n).flat_map(|from| (0..n).map(move |to| (from, to))) {
            let name = format!("{} to {}", self.rules[members[from]].name, self.rules[members[to]].name);
            ways[from][to] = self.add_rule(name, Node::Never, unit[from][to])?;
        }
        for (from, to) in (0..n).flat_map(|from| (0..n).map(move |to| (from, to))) {
            let mut cases = Vec::new();
            if unit[from][to] {
                cases.push(Node::empty());
            }
            for (same, middle) in (0..n).flat_map(|same| (0..n).map(move |middle| (same, middle))) {
                if unit[from][same] {
                    let onwards = Node::Rule(ways[middle][to]);
                    cases
                        .extend(steps[same][middle].iter().map(|step| Node::sequence([step.clone(), onwards.clone()])));
                }
            }
            self.rules[ways[from][to]].body = Node::choice(cases);
        }
        for (to, rule) in members.iter().enumerate() {
            let cases = (0..n).map(|from| Node::sequence([begins[from].clone(), Node::Rule(ways[from][to])]));
            self.rules[*rule].body = Node::choice(cases);
        }
        Ok(())
    }

    /// A body as the sum that the [module's documentation](self) speaks of.
    fn decompose(&mut self, node: Node, numbers: &HashMap<RuleId, usize>) -> Result<Parts, GrammarError> {
        self.check_steps()?;
        if !self.begins_with(&node, numbers) {
            return Ok((Vec::new(), node));
        }
        match node {
            Node::Rule(rule) => Ok((vec![(numbers[&rule], Node::empty())], Node::Never)),
            Node::Choice(parts) => {
                let (mut heads, mut rests) = (Vec::new(), Vec::new());
                for part in parts {
                    let (more, rest) = self.decompose(part, numbers)?;
                    heads.extend(more);
                    rests.push(rest);
                }
                Ok((heads, Node::choice(rests)))
            }
            Node::Sequence(parts) => self.decompose_sequence(parts, numbers),
            Node::Repeat { item, min, max } => {
                let may_be_empty = min == 0 || self.is_nullable(&item);
                let item = self.without_empty(*item).ok_or_else(|| may_be_empty_fault("what is repeated"))?;
                let fewer = Node::repeat(item.clone(), min.saturating_sub(1), max.map(|max| max.saturating_sub(1)));
                let fewer = self.share(fewer)?;
                let (heads, rest) = match max {
                    Some(0) => (Vec::new(), Node::Never),
                    _ => self.decompose(Node::sequence([item, fewer]), numbers)?,
                };
                Ok((heads, if may_be_empty { Node::choice([Node::empty(), rest]) } else { rest }))
            }
            node => Ok((Vec::new(), node)),
        }
    }

    fn decompose_sequence(
        &mut self,
        parts: Vec<Node>,
        numbers: &HashMap<RuleId, usize>,
    ) -> Result<Parts, GrammarError> {
        let (mut heads, mut rests) = (Vec::new(), Vec::new());
        for (index, part) in parts.iter().enumerate() {
            if index == MAX_EMPTY_PARTS {
                return Err(may_be_empty_fault("too much before a rule that begins with itself"));
            }
            let behind = Node::sequence(parts[index + 1..].iter().cloned());
            let goes_on = self.begins_with(&behind, numbers);
            let behind = self.share(behind)?;
            let (more, rest) = self.decompose(part.clone(), numbers)?;
            heads.extend(more.into_iter().map(|(from, tail)| (from, Node::sequence([tail, behind.clone()]))));
            if !goes_on || !self.is_nullable(&rest) {
                rests.push(Node::sequence([rest, behind]));
                return Ok((heads, Node::choice(rests)));
            }
            let rest =
                self.without_empty(rest).ok_or_else(|| may_be_empty_fault("what stands before a left recursion"))?;
            rests.push(Node::sequence([rest, behind]));
        }
        rests.push(Node::empty());
        Ok((heads, Node::choice(rests)))
    }

    fn begins_with(&mut self, node: &Node, numbers: &HashMap<RuleId, usize>) -> bool {
        let mut begins = false;
        self.visit_first(node, &mut |rule| begins |= numbers.contains_key(&rule));
        begins
    }

    fn add_rule(&mut self, name: String, body: Node, is_nullable: bool) -> Result<RuleId, GrammarError> {
        if self.rules.len() >= self.max_rules {
            return Err(LimitError { setting: "max_grammar_nodes", limit: self.max_rules }.into());
        }
        self.rules.push(Rule { name, body, is_terminal: false });
        self.nullable.push(is_nullable);
        Ok(self.rules.len() - 1)
    }

    /// The same node, small enough to stand in many places.
    fn share(&mut self, node: Node) -> Result<Node, GrammarError> {
        let is_large = match &node {
            Node::Sequence(parts) => !parts.is_empty(),
            Node::Choice(_) | Node::Repeat { .. } => true,
            _ => false,
        };
        if !is_large {
            return Ok(node);
        }
        let is_nullable = self.is_nullable(&node);
        Ok(Node::Rule(self.add_rule(String::new(), node, is_nullable)?))
    }

    /// The texts of a node but the empty one; `None` where that cannot be said.
    pub(super) fn without_empty(&mut self, node: Node) -> Option<Node> {
        if !self.is_nullable(&node) {
            return Some(node);
        }
        match node {
            Node::Rule(rule) => {
                if let Some(known) = self.without_empty.get(&rule) {
                    return Some(Node::Rule(*known));
                }
                let name = self.rules[rule].name.clone();
                let own = self.add_rule(name, Node::Never, false).ok()?;
                self.without_empty.insert(rule, own);
                self.pending.push((rule, own));
                Some(Node::Rule(own))
            }
            Node::Sequence(parts) if parts.len() > MAX_EMPTY_PARTS => None,
            Node::Sequence(parts) => {
                let mut cases = Vec::new();
                for (index, part) in parts.iter().enumerate() {
                    let first = self.without_empty(part.clone())?;
                    cases.push(Node::sequence(std::iter::once(first).chain(parts[index + 1..].iter().cloned())));
                }
                Some(Node::choice(cases))
            }
            Node::Choice(parts) => {
                let parts = parts.into_iter().map(|part| self.without_empty(part)).collect::<Option<Vec<_>>>()?;
                Some(Node::choice(parts))
            }
            Node::Repeat { max: Some(0), .. } => Some(Node::Never),
            Node::Repeat { item, min, max } => {
                let min = if self.is_nullable(&item) { 1 } else { min.max(1) };
                Some(Node::repeat(self.without_empty(*item)?, min, max))
            }
            // A regular expression has no part that could be left out.
            _ => None,
        }
    }

    /// Gives bodies to the rules that [`without_empty`](Self::without_empty) has made.
    pub(super) fn finish_pending(&mut self) -> Result<(), GrammarError> {
        while let Some((rule, own)) = self.pending.pop() {
            let body = self.rules[rule].body.clone();
            let body = self.without_empty(body);
            let name = &self.rules[rule].name;
            self.rules[own].body =
                body.ok_or_else(|| may_be_empty_fault(&format!("rule {name}, which is repeated,")))?;
        }
        Ok(())
    }
}

fn may_be_empty_fault(what: &str) -> GrammarError {
    GrammarError::Invalid(format!("{what} may match the empty text"))
}
