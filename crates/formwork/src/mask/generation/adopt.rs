//! How do positions of an older generation come into a new one? With their item sets, and what they remember.

use std::sync::Arc;

use super::{Generation, Handle};
use crate::error::LimitError;
use crate::hash::HashMap;
use crate::parser::{Adopted, Entry, Item, Lexing, Scan, SetId};

/// What one generation has taken over from an older one.
#[derive(Debug, Default)]
pub(crate) struct Adoption {
    sets: HashMap<SetId, SetId>,
    positions: HashMap<Handle, Handle>,
    written: Adopted,
}

impl Generation {
    /// Takes a position of an older generation over; `adoption` holds what this one has taken over from it before.
    pub(crate) fn adopt(
        &mut self,
        old: &Generation,
        handle: Handle,
        adoption: &mut Adoption,
    ) -> Result<Handle, LimitError> {
        if let Some(new) = adoption.positions.get(&handle) {
            return Ok(*new);
        }
        let n_bytes_before = self.n_bytes();
        let mut entries = old.configuration(handle);
        for entry in &mut entries {
            self.adopt_entry(old, entry, &mut adoption.sets)?;
            entry.past = self.parser.written.adopt(&old.parser.written, entry.past, &mut adoption.written);
        }
        let new = self.intern(entries);
        adoption.positions.insert(handle, new);
        self.n_adopted_bytes += self.n_bytes() - n_bytes_before;
        Ok(new)
    }

    fn adopt_entry(
        &mut self,
        old: &Generation,
        entry: &mut Entry,
        sets: &mut HashMap<SetId, SetId>,
    ) -> Result<(), LimitError> {
        let old_set = entry.set;
        entry.set = self.adopt_set(old, old_set, sets);
        if let Lexing::Inside { scan, .. } = &mut entry.lexing {
            let of_key = match old.parser.scan(old_set, *scan) {
                Scan::Key { origin, register, .. } => {
                    let register = self.parser.adopt_register(&old.parser, *register);
                    Some((self.adopt_set(old, *origin, sets), register))
                }
                Scan::Terminal { .. } => None,
            };
            let scans = self.parser.scans(entry.set)?;
            let same = |new: &&Scan| match (old.parser.scan(old_set, *scan), new) {
                (Scan::Terminal { terminal: a, effect: b, .. }, Scan::Terminal { terminal, effect, .. }) => {
                    (a, b) == (terminal, effect)
                }
                (Scan::Key { record: a, filter: b, .. }, Scan::Key { record, register, filter, origin }) => {
                    (a, b, of_key) == (record, filter, Some((*origin, *register)))
                }
                _ => false,
            };
            let index = scans.iter().position(|new| same(&new)).expect("equal item sets predict equal terminals");
            *scan = index as u32;
        }
        Ok(())
    }

    /// Interns a set of an older generation and all sets that it returns to. An origin's number is below that of every
    /// set that holds it, so rising order meets origins first.
    fn adopt_set(&mut self, old: &Generation, set: SetId, sets: &mut HashMap<SetId, SetId>) -> SetId {
        let mut needed = vec![set];
        let mut seen = crate::hash::HashSet::from_iter([set]);
        let mut index = 0;
        while index < needed.len() {
            if !sets.contains_key(&needed[index]) {
                for item in old.parser.items(needed[index]).iter() {
                    if seen.insert(item.origin) {
                        needed.push(item.origin);
                    }
                }
            }
            index += 1;
        }
        needed.sort_unstable();
        self.parser.reserve(needed.len());
        sets.reserve(needed.len());
        for old_set in needed {
            if sets.contains_key(&old_set) {
                continue;
            }
            let items = Arc::clone(old.parser.items(old_set));
            let mut items: Vec<Item> =
                items.iter().map(|item| self.parser.adopt_item(&old.parser, *item, sets[&item.origin])).collect();
            items.sort_unstable();
            let new = self.parser.intern(&items, old.parser.is_accepting(old_set));
            sets.insert(old_set, new);
        }
        sets[&set]
    }
}
