//! Which terminals can come next? Earley's predict step.

use smallvec::SmallVec;

use super::item_set::{Item, Parser, Scan, SetId};
use crate::automata::spend_or_fail;
use crate::error::LimitError;
use crate::grammar::{Effect, Next, Symbol};
use crate::hash::HashMap;

/// Nearly always one.
type Items = SmallVec<[Item; 1]>;

/// More terminals than this are found by a table.
const FEW_TERMINALS: usize = 12;

/// What prediction has found so far.
#[derive(Default)]
struct Prediction {
    scans: Vec<Scan>,
    /// Where each terminal leads, by terminal and what it does.
    targets: Vec<(u32, Effect, Items)>,
    /// Their places among the targets, once there are many.
    by_terminal: HashMap<(u32, Effect), usize>,
    /// Nonterminals to be predicted, by rank: where to go on behind them.
    pending: Vec<(u32, u32, Items)>,
    n_items: usize,
}

/// Steps of a mask that an item to be expanded counts as.
const EXPAND_COST: usize = 24;

impl Parser {
    /// Predicts from `set`: all ways on, through nonterminals down to terminals.
    ///
    /// Nonterminals are taken in the order of their ranks, so that all items to return to are known before the items of
    /// its body are made: one origin for each nonterminal, however many items predict it.
    pub(super) fn predict(&mut self, set: SetId) -> Result<Vec<Scan>, LimitError> {
        let mut prediction = Prediction::default();
        for item in self.items(set).clone().iter() {
            self.expand(*item, &mut prediction)?;
        }
        while let Some(next) = prediction.take_lowest() {
            let (_, nonterminal, returns) = next;
            let origin = self.advance(&returns)?;
            let id = crate::ids::NonterminalId::from_index(nonterminal as usize).expect("it was made from such an id");
            let place = self.productions.start_of(id);
            self.expand(Item { place, origin }, &mut prediction)?;
        }
        let mut scans = prediction.scans;
        for (terminal, effect, targets) in prediction.targets {
            scans.push(Scan::Terminal { terminal, effect, targets });
        }
        Ok(scans)
    }

    fn expand(&mut self, item: Item, prediction: &mut Prediction) -> Result<(), LimitError> {
        prediction.n_items += 1;
        if prediction.n_items > self.limits.max_items {
            return Err(LimitError { setting: "max_items", limit: self.limits.max_items });
        }
        spend_or_fail(EXPAND_COST, &self.limits)?;
        let origin = item.origin;
        let (productions, seen) = (&self.productions, &self.seen);
        let mut fault = Ok(());
        productions.successors(item.place, seen, &mut |next| match next {
            Next::Symbol(Symbol::Terminal(terminal), place) => match productions.effect(item.place, place, seen) {
                Ok(effect) => prediction.add_terminal(terminal.index() as u32, effect, Item { place, origin }),
                Err(error) => fault = Err(error),
            },
            Next::Symbol(Symbol::Nonterminal(nonterminal), place) => {
                let rank = productions.ranks[nonterminal.index()];
                prediction.add_nonterminal(rank, nonterminal.index() as u32, Item { place, origin });
            }
            Next::Key { record, register, filter } => {
                prediction.scans.push(Scan::Key { record, register, filter, origin });
            }
        })?;
        fault
    }
}

impl Prediction {
    fn add_terminal(&mut self, terminal: u32, effect: Effect, target: Item) {
        let index = match self.targets.len() <= FEW_TERMINALS {
            true => self.targets.iter().position(|(other, does, _)| (*other, *does) == (terminal, effect)),
            false => self.by_terminal.get(&(terminal, effect)).copied(),
        };
        let index = index.unwrap_or_else(|| self.new_terminal(terminal, effect));
        self.targets[index].2.push(target);
    }

    fn new_terminal(&mut self, terminal: u32, effect: Effect) -> usize {
        self.targets.push((terminal, effect, Items::new()));
        if self.targets.len() > FEW_TERMINALS {
            let known = self.by_terminal.len();
            let found = self.targets.iter().enumerate().skip(known);
            self.by_terminal.extend(found.map(|(index, (terminal, effect, _))| ((*terminal, *effect), index)));
        }
        self.targets.len() - 1
    }

    fn add_nonterminal(&mut self, rank: u32, nonterminal: u32, target: Item) {
        // Sorted by falling rank, so that the lowest is taken from the end.
        let at = self.pending.partition_point(|(other, ..)| *other > rank);
        match self.pending.get_mut(at) {
            Some((_, other, targets)) if *other == nonterminal => targets.push(target),
            _ => self.pending.insert(at, (rank, nonterminal, Items::from_slice(&[target]))),
        }
    }

    fn take_lowest(&mut self) -> Option<(u32, u32, Items)> {
        self.pending.pop()
    }
}
