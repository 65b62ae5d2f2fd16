//! Which rules lead back to themselves? Strongly connected components of what names what.

use super::rules::RuleId;

/// The components of a graph of rules.
pub(super) struct Components {
    /// By rule: the number of its component.
    of_rule: Vec<usize>,
    /// The rules, each behind those that it leads to, unless they lead back to it.
    pub(super) order: Vec<RuleId>,
    /// By rule: whether it leads back to itself.
    pub(super) is_recursive: Vec<bool>,
}

impl Components {
    /// After Tarjan (Depth-first search and linear graph algorithms, 1972), without recursion. `edges` holds for each rule
    /// those that it leads to.
    pub(super) fn new(edges: &[Vec<RuleId>]) -> Components {
        const NONE: usize = usize::MAX;
        let n = edges.len();
        let mut components = Components { of_rule: vec![NONE; n], order: Vec::new(), is_recursive: vec![false; n] };
        let (mut index, mut low) = (vec![NONE; n], vec![0; n]);
        let (mut stack, mut n_indexed, mut n_components) = (Vec::new(), 0, 0);
        for root in 0..n {
            if index[root] != NONE {
                continue;
            }
            // Rules on the way, each with how many of its edges were followed.
            let mut way = vec![(root, 0)];
            while let Some((rule, n_followed)) = way.last_mut() {
                let rule = *rule;
                if *n_followed == 0 && index[rule] == NONE {
                    (index[rule], low[rule]) = (n_indexed, n_indexed);
                    n_indexed += 1;
                    stack.push(rule);
                }
                if let Some(next) = edges[rule].get(*n_followed) {
                    *n_followed += 1;
                    if index[*next] == NONE {
                        way.push((*next, 0));
                    } else if components.of_rule[*next] == NONE {
                        low[rule] = low[rule].min(index[*next]);
                    }
                    continue;
                }
                way.pop();
                if let Some((above, _)) = way.last() {
                    low[*above] = low[*above].min(low[rule]);
                }
                components.order.push(rule);
                if low[rule] == index[rule] {
                    let first = stack.iter().rposition(|member| *member == rule).unwrap_or(0);
                    let is_recursive = stack.len() - first > 1 || edges[rule].contains(&rule);
                    for member in stack.drain(first..) {
                        components.of_rule[member] = n_components;
                        components.is_recursive[member] = is_recursive;
                    }
                    n_components += 1;
                }
            }
        }
        components
    }

    /// The rules that lead to each other, of every component in which some do.
    pub(super) fn recursive(&self) -> Vec<Vec<RuleId>> {
        let mut members: Vec<Vec<RuleId>> = Vec::new();
        for rule in &self.order {
            if self.is_recursive[*rule] {
                let component = self.of_rule[*rule];
                members.resize_with(members.len().max(component + 1), Vec::new);
                members[component].push(*rule);
            }
        }
        members.retain(|members| !members.is_empty());
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_lead_to_each_other_are_together() {
        let edges = [vec![1], vec![2, 3], vec![1], vec![3], vec![0], vec![]].to_vec();
        let components = Components::new(&edges);
        assert_eq!(components.is_recursive, [false, true, true, true, false, false]);
        let mut recursive = components.recursive();
        recursive.iter_mut().for_each(|members| members.sort_unstable());
        recursive.sort();
        assert_eq!(recursive, [vec![1, 2], vec![3]]);
        let place = |rule: usize| components.order.iter().position(|other| *other == rule).unwrap();
        assert!(place(3) < place(1) && place(1) < place(0) && place(0) < place(4));
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let n = 200_000;
        let edges: Vec<Vec<usize>> = (0..n).map(|rule| vec![(rule + 1) % n]).collect();
        assert_eq!(Components::new(&edges).recursive()[0].len(), n);
    }
}
