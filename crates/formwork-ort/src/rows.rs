//! Where in the cache are the positions of each row? Rows share tensors; what is text there and what padding is kept here.

use std::sync::Arc;

use formwork::TokenId;
use formwork_decode::BackendError;
use ort::value::DynTensor;

use crate::pack::{Lane, Packer};

/// A cache that several rows are lanes of. It never changes: a pass makes another one.
#[derive(Debug)]
pub(crate) struct Group {
    /// Numbered as they are made.
    pub(crate) id: u64,
    /// One for each slot of the signature, of shape (lanes, heads, slots, head size).
    pub(crate) tensors: Vec<DynTensor>,
    pub(crate) n_lanes: usize,
    pub(crate) n_slots: usize,
}

/// A lane of a group.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) group: Arc<Group>,
    pub(crate) lane: usize,
}

/// The cache of one sequence.
#[derive(Debug, Default)]
pub(crate) struct Row {
    cached: Vec<TokenId>,
    /// The slots of the cached tokens, rising; as many as those.
    slots: Vec<usize>,
    /// `None` while nothing is cached.
    place: Option<Place>,
    /// Whether slots of the lane hold positions that were forgotten. They are no padding: what a model makes of padding is
    /// known, of forgotten text not (it may be NaN), so such a lane is packed before the next pass.
    is_cut: bool,
}

impl Row {
    pub(crate) fn cached(&self) -> &[TokenId] {
        &self.cached
    }

    pub(crate) fn slots(&self) -> &[usize] {
        &self.slots
    }

    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(crate) fn truncate(&mut self, n_positions: usize) -> Result<(), BackendError> {
        let n_cached = self.cached.len();
        if n_positions > n_cached {
            return Err(BackendError::Truncate { asked: n_positions, cached: n_cached });
        }
        self.is_cut |= n_positions < n_cached;
        self.cached.truncate(n_positions);
        self.slots.truncate(n_positions);
        if n_positions == 0 {
            self.place = None;
        }
        Ok(())
    }

    /// The row with `tokens` more, as it lies in another group.
    pub(crate) fn move_to(&mut self, place: Place, slots: Vec<usize>, tokens: &[TokenId]) {
        self.cached.extend_from_slice(tokens);
        debug_assert_eq!(self.cached.len(), slots.len());
        self.slots = slots;
        self.place = Some(place);
        self.is_cut = false;
    }
}

/// The rows of a batch.
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Vec<Row>,
    packer: Packer,
    n_groups: u64,
}

/// A cache as it goes into a pass, and the slots of each of its lanes.
#[derive(Debug)]
pub(crate) struct Arrangement {
    pub(crate) group: Arc<Group>,
    pub(crate) slots: Vec<Vec<usize>>,
}

impl Rows {
    pub(crate) fn new(n_rows: usize, packer: Packer) -> Rows {
        Rows { rows: new_rows(n_rows), packer, n_groups: 0 }
    }

    /// Forgets all rows and has `n_rows` new ones.
    pub(crate) fn reset(&mut self, n_rows: usize) {
        self.rows = new_rows(n_rows);
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, row: usize) -> Option<&Row> {
        self.rows.get(row)
    }

    pub(crate) fn get_mut(&mut self, row: usize) -> Option<&mut Row> {
        self.rows.get_mut(row)
    }

    /// What rows are sorted by before they are arranged: those of one group side by side, in the order of its lanes.
    pub(crate) fn order(&self, row: usize) -> (u64, usize) {
        self.rows[row].place().map_or((u64::MAX, row), |place| (place.group.id, place.lane))
    }

    /// A cache whose lanes are these rows, sorted by [`Rows::order`]. It is the group they are in when they are all of its
    /// lanes and few of its slots are gaps; otherwise they are packed into a new one. The rows stay where they are.
    pub(crate) fn arrange(&mut self, rows: &[usize], max_gaps: usize) -> ort::Result<Arrangement> {
        let Some(group) = self.common_group(rows).filter(|group| group.n_slots - self.longest(rows) <= max_gaps) else {
            return self.pack(rows);
        };
        Ok(Arrangement { group, slots: rows.iter().map(|&row| self.rows[row].slots().to_vec()).collect() })
    }

    /// Makes the rows lanes of `group`, with their tokens in these slots; `tokens` are new.
    pub(crate) fn settle(&mut self, rows: &[usize], group: Group, slots: Vec<Vec<usize>>, tokens: &[&[TokenId]]) {
        let group = Arc::new(group);
        for (lane, (&row, slots)) in rows.iter().zip(slots).enumerate() {
            let place = Place { group: Arc::clone(&group), lane };
            self.rows[row].move_to(place, slots, tokens.get(lane).copied().unwrap_or_default());
        }
    }

    /// Packs what is left of groups that rows have gone out of, so that no lane without a row is kept.
    pub(crate) fn drop_empty_lanes(&mut self) {
        for index in 0..self.rows.len() {
            let Some(place) = self.rows[index].place() else { continue };
            let id = place.group.id;
            let is_member = |row: &usize| self.rows[*row].place().is_some_and(|place| place.group.id == id);
            let mut members: Vec<usize> = (0..self.rows.len()).filter(is_member).collect();
            if members.len() == place.group.n_lanes {
                continue;
            }
            members.sort_by_key(|&row| self.order(row));
            // Without success the rows stay as they are, which costs memory alone.
            if let Ok(Arrangement { group, slots }) = self.pack(&members)
                && let Some(group) = Arc::into_inner(group)
            {
                self.settle(&members, group, slots, &[]);
            }
        }
    }

    /// A number for a new group.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.n_groups += 1;
        self.n_groups
    }

    #[cfg(test)]
    pub(crate) fn n_groups(&self) -> u64 {
        self.n_groups
    }

    fn longest(&self, rows: &[usize]) -> usize {
        rows.iter().map(|&row| self.rows[row].slots().len()).max().unwrap_or(0)
    }

    /// The group whose lanes are just these rows.
    fn common_group(&self, rows: &[usize]) -> Option<Arc<Group>> {
        let group = &self.rows[*rows.first()?].place()?.group;
        let is_lane = |row: &usize| {
            let row = &self.rows[*row];
            !row.is_cut() && row.place().is_some_and(|place| place.group.id == group.id)
        };
        (rows.len() == group.n_lanes && rows.iter().all(is_lane)).then(|| Arc::clone(group))
    }

    fn pack(&mut self, rows: &[usize]) -> ort::Result<Arrangement> {
        let n_slots = self.longest(rows);
        let mut tensors = self.packer.empty(if n_slots == 0 { rows.len() } else { 0 }, n_slots)?;
        let group_of = |row: usize| self.rows[row].place().map(|place| place.group.id);
        let parts = rows.chunk_by(|&a, &b| group_of(a) == group_of(b)).filter(|_| n_slots > 0);
        for part in parts {
            let rows = part.iter().map(|&row| &self.rows[row]);
            let lanes = rows.map(|row| Lane { index: row.place().map_or(0, |place| place.lane), slots: row.slots() });
            let lanes: Vec<Lane<'_>> = lanes.collect();
            tensors = match self.rows[part[0]].place() {
                Some(Place { group, .. }) => {
                    self.packer.append(&tensors, n_slots, &group.tensors, group.n_slots, &lanes)?
                }
                None => {
                    let nothing = self.packer.empty(0, 0)?;
                    self.packer.append(&tensors, n_slots, &nothing, 0, &lanes)?
                }
            };
        }
        let slots = rows.iter().map(|&row| (n_slots - self.rows[row].slots().len()..n_slots).collect()).collect();
        let group = Arc::new(Group { id: self.next_id(), tensors, n_lanes: rows.len(), n_slots });
        Ok(Arrangement { group, slots })
    }
}

fn new_rows(n_rows: usize) -> Vec<Row> {
    (0..n_rows).map(|_| Row::default()).collect()
}
