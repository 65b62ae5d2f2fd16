//! Which rows of masks are on the device already? A bounded memory of what was sent there.

use std::sync::Arc;

/// Rows that many masks differ from by little ([`TokenMask::base`](formwork::TokenMask::base)), as a runtime has them on
/// its device: `T` is its handle. Those not used for longest make room.
#[derive(Debug)]
pub struct ResidentRows<T> {
    rows: Vec<ResidentRow<T>>,
    max_rows: usize,
    n_uses: u64,
}

#[derive(Debug)]
struct ResidentRow<T> {
    /// Held, so that no other row can come to lie at its address.
    words: Arc<[u32]>,
    on_device: T,
    last_use: u64,
}

impl<T> ResidentRows<T> {
    /// Room for `max_rows` rows, at least one.
    pub fn new(max_rows: usize) -> ResidentRows<T> {
        ResidentRows { rows: Vec::new(), max_rows: max_rows.max(1), n_uses: 0 }
    }

    /// The row on the device, brought there by `send` when it is not yet, and the number of bytes that were sent.
    /// O(`max_rows`): rows are told apart by their addresses.
    ///
    /// # Errors
    /// What `send` reports; nothing changes then.
    pub fn get<E>(&mut self, words: &Arc<[u32]>, send: impl FnOnce(&[u32]) -> Result<T, E>) -> Result<(&T, usize), E> {
        self.n_uses += 1;
        let known = self.rows.iter().position(|row| Arc::ptr_eq(&row.words, words));
        let (index, n_bytes) = match known {
            Some(index) => (index, 0),
            None => (self.insert(words, send(words)?), size_of_val(&words[..])),
        };
        let row = &mut self.rows[index];
        row.last_use = self.n_uses;
        Ok((&row.on_device, n_bytes))
    }

    /// How many rows are on the device.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row is on the device.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn insert(&mut self, words: &Arc<[u32]>, on_device: T) -> usize {
        let row = ResidentRow { words: Arc::clone(words), on_device, last_use: self.n_uses };
        if self.rows.len() < self.max_rows {
            self.rows.push(row);
            return self.rows.len() - 1;
        }
        let oldest = (0..self.rows.len()).min_by_key(|&index| self.rows[index].last_use).unwrap_or(0);
        self.rows[oldest] = row;
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sent_once_while_there_is_room() {
        let rows: Vec<Arc<[u32]>> = (0..4).map(|i| Arc::from([i, i])).collect();
        let mut resident = ResidentRows::new(2);
        let mut sent = Vec::new();
        for index in [0, 1, 0, 0, 2, 0, 1, 3, 1] {
            let n_before = sent.len();
            let send = |words: &[u32]| {
                sent.push(words[0]);
                Ok::<u32, ()>(words[0])
            };
            let (&on_device, n_bytes) = resident.get(&rows[index], send).unwrap();
            assert_eq!(on_device as usize, index);
            assert_eq!(n_bytes, if sent.len() > n_before { 8 } else { 0 });
        }
        assert_eq!(sent, [0, 1, 2, 1, 3]);
        assert_eq!(resident.len(), 2);
        // Equal words at another address are another row.
        let equal: Arc<[u32]> = Arc::from([1, 1]);
        assert_eq!(resident.get(&equal, |_| Err("no room")), Err("no room"));
        assert_eq!(resident.get(&rows[1], |_| Err("no room")), Ok((&1, 0)));
    }
}
