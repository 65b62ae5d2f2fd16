//! What is a cheap text of each part of a grammar? The costs of nonterminals, and the symbols of the rest of a body.
//!
//! The cost of a nonterminal is the least sum of the costs of what it derives, as in D. Knuth (A Generalization of Dijkstra's
//! Algorithm, 1977); like Bellman and Ford it is found by sweeps over all nodes until nothing changes, as most grammars need
//! two or three. Bodies are automata, so it is enough to know for each plain node which edge to take. Loops, lists and
//! records depend on a register and are walked when asked for: what must come comes, and where something is to be chosen
//! (which key helps to meet the goals, which case adds to the counters) the cheapest that helps is taken. Nothing is taken
//! behind which the body could not be completed, so a walk always comes to the end. It is the cheapest where nothing has to be
//! chosen, and cheap elsewhere.

use fixedbitset::FixedBitSet;

use super::builder::Case;
use super::completion::at;
use super::productions::{Cases, ListBody, Node, NodeId, Place, Productions, RecordBody, Register, Symbol};
use super::seen::SeenSets;
use super::steps::Steps;
use crate::error::LimitError;
use crate::ids::{NonterminalId, TerminalId};

/// What a text costs; [`NEVER`] where none was found.
pub(crate) type Cost = u64;

/// No text.
pub(crate) const NEVER: Cost = Cost::MAX;

/// Most symbols of one body.
const MAX_SYMBOLS: usize = 1 << 20;

/// A symbol of a cheap text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Terminal(TerminalId),
    Nonterminal(NonterminalId),
    /// The key of a record by its index.
    Key(u32, u32),
}

/// What lexemes cost.
pub(crate) trait Prices {
    /// A cheap lexeme of a terminal.
    fn terminal(&self, id: TerminalId) -> Cost;
    /// The spelling of a key.
    fn key(&self, spelling: &[u8]) -> Cost;
}

/// Costs of the plain nodes of a grammar; see the [module documentation](self).
#[derive(Debug)]
pub(crate) struct Cheapest {
    /// By node, if it is a plain one: what the rest of the body costs, and which edge to take.
    nodes: Box<[(Cost, u32)]>,
    terminals: Box<[Cost]>,
    /// By record.
    keys: Box<[PricedKeys]>,
}

/// By key of a record: where its name is among the sorted ones, and what it costs.
type PricedKeys = Box<[(u32, Cost)]>;

/// How good a case is: one that meets what is not met comes before one that does not, then the cheaper one.
type Rank = (bool, Cost);

/// A case that is taken, with its rank and the register behind it.
type Choice = (Rank, Case, Register);

/// One entry of a record.
#[derive(Clone, Copy, Debug)]
enum Key {
    Named(u32),
    Other(u32),
}

/// A walk along a body.
struct Walk<'a> {
    productions: &'a Productions,
    cheapest: &'a Cheapest,
    seen: SeenSets,
    steps: Steps,
    n_symbols: usize,
}

impl Cheapest {
    pub(crate) fn new(
        productions: &Productions,
        n_terminals: usize,
        prices: &dyn Prices,
    ) -> Result<Cheapest, LimitError> {
        let terminals = (0..n_terminals).filter_map(TerminalId::from_index).map(|id| prices.terminal(id)).collect();
        let keys_of = |record: &RecordBody| {
            let mut keys = vec![(0, 0); record.n_properties() as usize];
            for (at, (index, spelling)) in record.keys.spellings().enumerate() {
                keys[index as usize] = (at as u32, prices.key(spelling));
            }
            keys.into_boxed_slice()
        };
        let keys = productions.records.iter().map(|record| keys_of(record)).collect();
        let mut cheapest = Cheapest { nodes: vec![(NEVER, 0); productions.nodes.len()].into(), terminals, keys };
        let n = productions.nodes.len();
        let mut forward = false;
        loop {
            let mut changed = false;
            for step in 0..n {
                let index = if forward { step } else { n - 1 - step };
                changed |= cheapest.improve(productions, index as NodeId)?;
            }
            if !changed {
                return Ok(cheapest);
            }
            forward = !forward;
        }
    }

    /// Looks for a cheaper way to the end of the body.
    fn improve(&mut self, productions: &Productions, node: NodeId) -> Result<bool, LimitError> {
        let Node::Plain { edges, end } = &productions.nodes[node as usize] else { return Ok(false) };
        let mut best = self.nodes[node as usize];
        if *end {
            best = (0, 0);
        } else {
            for (index, edge) in (0..).zip(edges) {
                let part = match edge.symbol {
                    Symbol::Terminal(id) => Part::Terminal(id),
                    Symbol::Nonterminal(id) => Part::Nonterminal(id),
                };
                let own = self.cost(productions, part);
                if own < best.0 {
                    let rest = self.rest_cost(productions, edge.target, &SeenSets::default())?;
                    let cost = own.saturating_add(rest);
                    if cost < best.0 {
                        best = (cost, index);
                    }
                }
            }
        }
        let changed = best != self.nodes[node as usize];
        self.nodes[node as usize] = best;
        Ok(changed)
    }

    /// What a symbol costs.
    pub(crate) fn cost(&self, productions: &Productions, part: Part) -> Cost {
        match part {
            Part::Terminal(id) => self.terminals[id.index()],
            Part::Nonterminal(id) => self.nodes[productions.starts[id.index()] as usize].0,
            Part::Key(record, key) => self.keys[record as usize][key as usize].1,
        }
    }

    /// How a key is spelled.
    pub(crate) fn spelling<'p>(&self, productions: &'p Productions, record: u32, key: u32) -> &'p [u8] {
        productions.records[record as usize].keys.spelling(self.keys[record as usize][key as usize].0)
    }

    /// What the symbols from `place` to the end of its body cost.
    pub(crate) fn rest_cost(
        &self,
        productions: &Productions,
        place: Place,
        seen: &SeenSets,
    ) -> Result<Cost, LimitError> {
        let mut cost: Cost = 0;
        let mut walk = Walk::new(productions, self);
        let start = walk.start(place, seen);
        let end = walk.walk_to_plain(start, &mut |part| cost = cost.saturating_add(self.cost(productions, part)))?;
        Ok(end.map_or(NEVER, |node| cost.saturating_add(self.nodes[node as usize].0)))
    }

    /// The symbols from `place` to the end of its body; `None` where no way was found.
    pub(crate) fn rest(
        &self,
        productions: &Productions,
        place: Place,
        seen: &SeenSets,
    ) -> Result<Option<Vec<Part>>, LimitError> {
        let mut parts = Vec::new();
        let mut walk = Walk::new(productions, self);
        let mut place = walk.start(place, seen);
        loop {
            let Some(node) = walk.walk_to_plain(place, &mut |part| parts.push(part))? else { return Ok(None) };
            let Node::Plain { edges, end } = &productions.nodes[node as usize] else { return Ok(None) };
            if *end {
                return Ok(Some(parts));
            }
            let (cost, edge) = self.nodes[node as usize];
            if cost == NEVER || parts.len() > MAX_SYMBOLS {
                return Ok(None);
            }
            let edge = &edges[edge as usize];
            parts.push(match edge.symbol {
                Symbol::Terminal(id) => Part::Terminal(id),
                Symbol::Nonterminal(id) => Part::Nonterminal(id),
            });
            place = edge.target;
        }
    }
}

impl<'a> Walk<'a> {
    fn new(productions: &'a Productions, cheapest: &'a Cheapest) -> Walk<'a> {
        let steps = Steps::new(productions.max_steps);
        Walk { productions, cheapest, seen: SeenSets::default(), steps, n_symbols: 0 }
    }

    /// The place with the keys that were seen in the walk's own numbering.
    fn start(&mut self, place: Place, seen: &SeenSets) -> Place {
        let written = self.seen.intern(seen.get(place.register.seen).clone());
        Place { register: Register { seen: written, ..place.register }, ..place }
    }

    /// Visits the symbols up to the next plain node, and gives that; `None` where no way was found.
    fn walk_to_plain(&mut self, mut place: Place, visit: &mut dyn FnMut(Part)) -> Result<Option<NodeId>, LimitError> {
        let productions = self.productions;
        loop {
            self.n_symbols += 1;
            if self.n_symbols > MAX_SYMBOLS {
                return Ok(None);
            }
            let register = place.register;
            let next = match &productions.nodes[place.node as usize] {
                Node::Plain { .. } => return Ok(Some(place.node)),
                Node::LoopItem(id) => {
                    let body = &productions.loops[*id as usize];
                    visit(Part::Nonterminal(body.item));
                    let count = (register.count + 1).min(body.max.unwrap_or(body.min.max(1)));
                    Some(Place { node: body.after, register: Register { count, ..register } })
                }
                Node::LoopAfter(id) => {
                    let body = &productions.loops[*id as usize];
                    if register.count >= body.min {
                        Some(Place { node: body.exit, register: Register::default() })
                    } else {
                        body.separator.into_iter().for_each(|it| visit(Part::Terminal(it)));
                        Some(Place { node: body.item_node, register })
                    }
                }
                Node::ListFirst(id) | Node::ListAfter(id) if productions.lists[*id as usize].can_close(register) => {
                    let body = &productions.lists[*id as usize];
                    visit(Part::Terminal(body.close));
                    Some(Place { node: body.exit, register: Register::default() })
                }
                Node::ListFirst(id) | Node::ListItem(id) => {
                    self.element(&productions.lists[*id as usize], register, visit)?
                }
                Node::ListAfter(id) => {
                    let body = &productions.lists[*id as usize];
                    visit(Part::Terminal(body.separator));
                    Some(Place { node: body.item, register })
                }
                Node::RecordFirst(id) | Node::RecordAfter(id)
                    if productions.records[*id as usize].can_close(register, &self.seen) =>
                {
                    let body = &productions.records[*id as usize];
                    visit(Part::Terminal(body.close));
                    Some(Place { node: body.exit, register: Register::default() })
                }
                Node::RecordFirst(id) | Node::RecordKey(id) => self.key(*id, register, visit)?,
                Node::RecordAfter(id) => {
                    let body = &productions.records[*id as usize];
                    visit(Part::Terminal(body.separator));
                    Some(Place { node: body.key_node, register })
                }
                Node::RecordAssign(id) => {
                    let body = &productions.records[*id as usize];
                    visit(Part::Terminal(body.assign));
                    Some(Place { node: body.value_node, register })
                }
                Node::OtherAssign(id, class) => {
                    let body = &productions.records[*id as usize];
                    visit(Part::Terminal(body.assign));
                    Some(Place { node: body.first_other + 2 * class + 1, register })
                }
                Node::RecordValue(id) => {
                    let body = &productions.records[*id as usize];
                    self.value(body, Key::Named(register.position), register, visit)?
                }
                Node::OtherValue(id, class) => {
                    let body = &productions.records[*id as usize];
                    self.value(body, Key::Other(*class), register, visit)?
                }
            };
            match next {
                Some(next) => place = next,
                None => return Ok(None),
            }
        }
    }

    /// One more element of a list: one that adds to a counter that needs it, if there is one.
    fn element(
        &mut self,
        body: &ListBody,
        register: Register,
        visit: &mut dyn FnMut(Part),
    ) -> Result<Option<Place>, LimitError> {
        self.steps = Steps::new(self.productions.max_steps);
        let mut best: Option<Choice> = None;
        let unmet = body.unmet(register);
        for case in body.cases(register.count) {
            let cost = self.cheapest.cost(self.productions, Part::Nonterminal(case.value));
            let rank = (unmet != 0 && case.meets & unmet == 0, cost);
            if cost == NEVER || best.as_ref().is_some_and(|(least, ..)| *least <= rank) {
                continue;
            }
            if let Some(after) = body.after_element(register, *case, &mut self.steps)? {
                best = Some((rank, *case, after));
            }
        }
        Ok(best.map(|(_, case, register)| {
            visit(Part::Nonterminal(case.value));
            Place { node: body.after, register }
        }))
    }

    /// The value of an entry: the cheapest that meets what the record still needs, if one does.
    fn value(
        &mut self,
        body: &RecordBody,
        key: Key,
        register: Register,
        visit: &mut dyn FnMut(Part),
    ) -> Result<Option<Place>, LimitError> {
        let Some((_, case, after)) = self.best_value(body, key, register)? else { return Ok(None) };
        visit(Part::Nonterminal(case.value));
        Ok(Some(Place { node: body.after, register: after }))
    }

    fn best_value(&mut self, body: &RecordBody, key: Key, register: Register) -> Result<Option<Choice>, LimitError> {
        let (cases, behind): (&Cases, u32) = match key {
            Key::Named(key) => (&body.values[key as usize], key + 1),
            Key::Other(class) => (&body.others[class as usize].1, body.n_properties()),
        };
        let before = Register { position: behind.min(body.n_listed), ..register };
        let unmet = body.unmet_goals(register);
        let mut best: Option<Choice> = None;
        for case in cases {
            let cost = self.cheapest.cost(self.productions, Part::Nonterminal(case.value));
            let rank = (unmet != 0 && case.meets & unmet == 0, cost);
            if cost == NEVER || best.as_ref().is_some_and(|(least, ..)| *least <= rank) {
                continue;
            }
            if let Some(after) = body.after_entry(before, *case, &self.seen, &mut self.steps)? {
                best = Some((rank, *case, after));
            }
        }
        Ok(best)
    }

    /// The next key, and with it the place behind it.
    fn key(
        &mut self,
        record: u32,
        register: Register,
        visit: &mut dyn FnMut(Part),
    ) -> Result<Option<Place>, LimitError> {
        let body = &*self.productions.records[record as usize];
        // As at every place of a text, the search for what can be completed begins anew.
        self.steps = Steps::new(self.productions.max_steps);
        let Some(key) = self.choose_key(record, body, register)? else { return Ok(None) };
        match key {
            Key::Named(key) => {
                visit(Part::Key(record, key));
                let seen = if body.remembers(key) { self.seen.with(register.seen, key) } else { register.seen };
                Ok(Some(Place { node: body.assign_node, register: Register { position: key, seen, ..register } }))
            }
            Key::Other(class) => {
                visit(Part::Terminal(body.others[class as usize].0));
                Ok(Some(Place { node: body.first_other + 2 * class, register }))
            }
        }
    }

    /// A required key, where one may come; else one that helps with what is not met yet; else the cheapest.
    fn choose_key(&mut self, record: u32, body: &RecordBody, register: Register) -> Result<Option<Key>, LimitError> {
        if body.is_simple_to_complete(register, &self.seen) {
            // Nothing but the required keys is needed.
            let listed = Some(body.next_required[register.position as usize]).filter(|key| *key < body.n_properties());
            let missing = listed.or_else(|| body.unordered_missing(register, &self.seen).next());
            if let Some(key) = missing {
                return Ok(Some(Key::Named(key)));
            }
        }
        let filter = body.keys_to_come(register, &self.seen, &mut self.steps)?;
        let mut best: Option<((u8, bool, Cost), Key)> = None;
        let seen = self.seen.get(register.seen).clone();
        for key in (0..body.n_properties()).filter(|key| filter.as_ref().is_some_and(|it| it.admits(*key))) {
            let kind = match () {
                () if body.required.contains(key as usize) => 0,
                () if body.helps_clauses(key, register, &seen) => 1,
                () => 2,
            };
            let own = self.cheapest.keys[record as usize][key as usize].1;
            self.consider(body, Key::Named(key), kind, own, register, &mut best)?;
        }
        for class in 0..body.others.len() as u32 {
            if body.class_can_come(class as usize, register, &self.seen, &mut self.steps)? {
                let own = self.cheapest.terminals[body.others[class as usize].0.index()];
                self.consider(body, Key::Other(class), 2, own, register, &mut best)?;
            }
        }
        Ok(best.map(|(_, key)| key))
    }

    fn consider(
        &mut self,
        body: &RecordBody,
        key: Key,
        kind: u8,
        own: Cost,
        register: Register,
        best: &mut Option<((u8, bool, Cost), Key)>,
    ) -> Result<(), LimitError> {
        let register = match key {
            Key::Named(key) if body.remembers(key) => Register { seen: self.seen.with(register.seen, key), ..register },
            _ => register,
        };
        let Some(((helps_not, cost), ..)) = self.best_value(body, key, register)? else { return Ok(()) };
        // What meets a goal is as good as what a clause asks for.
        let kind = if body.unmet_goals(register) != 0 && !helps_not { kind.min(1) } else { kind };
        let rank = (kind, helps_not, own.saturating_add(cost));
        if best.as_ref().is_none_or(|(least, _)| rank < *least) {
            *best = Some((rank, key));
        }
        Ok(())
    }
}

impl ListBody {
    /// The counters that need more.
    fn unmet(&self, register: Register) -> u32 {
        self.rules.as_ref().map_or(0, |rules| rules.counters.unmet(register.tally))
    }
}

impl RecordBody {
    /// The goals that are not met.
    fn unmet_goals(&self, register: Register) -> u32 {
        self.rules.as_ref().map_or(0, |rules| rules.goals & !register.tally.goals())
    }

    /// Whether the record is complete with the required keys that are missing.
    fn is_simple_to_complete(&self, register: Register, seen: &SeenSets) -> bool {
        self.rules.is_none() && register.count.saturating_add(self.n_missing(register, seen)) >= self.min
    }

    /// Whether a clause that does not hold holds with this key.
    fn helps_clauses(&self, key: u32, register: Register, seen: &FixedBitSet) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.helps_clauses(key, at(register, seen)))
    }
}
