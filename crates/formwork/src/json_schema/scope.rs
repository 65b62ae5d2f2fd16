//! Which resources has evaluation come through? Dynamic scopes, as far as references can tell them apart.
//!
//! `$dynamicRef` means the anchor of the outermost resource that declares it, and `$recursiveRef` likewise. So of all the
//! resources that were entered, a scope keeps for each anchor only the first that declares it: there are few scopes, and
//! recursion comes back to the same ones.

use super::document::{NodeId, ResourceId};
use crate::hash::HashMap;

/// The number of a scope; 0 is the one in which nothing is declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ScopeId(u32);

/// The name under which `$recursiveAnchor` is declared; no anchor has it.
pub(super) const RECURSIVE: &str = "";

/// For each anchor, sorted, what it means.
type Scope<'a> = Vec<(&'a str, NodeId)>;

/// All scopes of one reduction.
#[derive(Debug)]
pub(super) struct Scopes<'a> {
    scopes: Vec<Scope<'a>>,
    ids: HashMap<Scope<'a>, ScopeId>,
    entered: HashMap<(ScopeId, ResourceId), ScopeId>,
}

impl<'a> Scopes<'a> {
    pub(super) fn new() -> Scopes<'a> {
        Scopes {
            scopes: vec![Scope::new()],
            ids: HashMap::from_iter([(Scope::new(), ScopeId::default())]),
            entered: HashMap::default(),
        }
    }

    /// The scope inside a resource that declares these anchors.
    pub(super) fn enter(
        &mut self,
        outer: ScopeId,
        resource: ResourceId,
        declared: impl FnOnce() -> Vec<(&'a str, NodeId)>,
    ) -> ScopeId {
        if let Some(inner) = self.entered.get(&(outer, resource)) {
            return *inner;
        }
        let mut scope = self.scopes[outer.0 as usize].clone();
        for (anchor, node) in declared() {
            if let Err(at) = scope.binary_search_by(|(known, _)| (*known).cmp(anchor)) {
                scope.insert(at, (anchor, node));
            }
        }
        let next = ScopeId(self.scopes.len() as u32);
        let inner = *self.ids.entry(scope).or_insert_with_key(|scope| {
            self.scopes.push(scope.clone());
            next
        });
        self.entered.insert((outer, resource), inner);
        inner
    }

    /// What an anchor means in a scope, if a resource in it declares the anchor.
    pub(super) fn outermost(&self, scope: ScopeId, anchor: &str) -> Option<NodeId> {
        let scope = &self.scopes[scope.0 as usize];
        scope.iter().find(|(known, _)| *known == anchor).map(|(_, node)| *node)
    }
}
