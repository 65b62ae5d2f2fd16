//! Which bytes can come next at all? A cheap superset that keeps walks from trying every child of a node.

use super::{Entry, Lexing, Parser, Scan};
use crate::automata::Automaton;
use crate::error::LimitError;

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn remove(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The bytes in rising order.
    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (0..=255).step_by(64).zip(self.0).flat_map(|(first, mut word)| {
            std::iter::from_fn(move || {
                let next = (word != 0).then(|| first + word.trailing_zeros() as u8);
                word &= word.wrapping_sub(1);
                next
            })
        })
    }

    fn insert_all(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.insert(*byte));
    }
}

/// Bytes with which a text of the configuration can go on; may hold more, never fewer.
pub(crate) fn next_bytes(parser: &mut Parser, configuration: &[Entry]) -> Result<ByteSet, LimitError> {
    let mut bytes = ByteSet::default();
    for entry in configuration {
        match entry.lexing {
            Lexing::Inside { scan, state, .. } => {
                add_lexeme(parser, parser.scan(entry.set, scan), state, &mut bytes);
            }
            Lexing::Between { n_blank } => {
                if parser.takes_blank(entry.set, n_blank) {
                    bytes.insert_all(b" \t\n\r");
                }
                for scan in 0..parser.n_scans(entry.set)? {
                    let start = parser.start_state(entry.set, scan);
                    add_lexeme(parser, parser.scan(entry.set, scan), start, &mut bytes);
                }
            }
        }
        if bytes == ByteSet::ALL {
            break;
        }
    }
    Ok(bytes)
}

fn add_lexeme(parser: &Parser, scan: &Scan, state: u64, bytes: &mut ByteSet) {
    match scan {
        Scan::Key { record, .. } => {
            parser.productions().records[*record as usize].keys.next_bytes(state, &mut |byte| bytes.insert(byte));
        }
        Scan::Terminal { terminal, .. } => match &**parser.automaton(*terminal) {
            Automaton::Special(_) => {}
            Automaton::Number(_) => bytes.insert_all(b"0123456789-+.eE"),
            Automaton::Literal(literal) => {
                if let Some(byte) = literal.get(state as usize) {
                    bytes.insert(*byte);
                }
            }
            Automaton::OneOf(strings) => {
                crate::automata::next_bytes(strings, state, &mut |byte| bytes.insert(byte));
            }
            automaton if matches!(automaton, Automaton::String(_)) && state == automaton.start() => bytes.insert(b'"'),
            _ => *bytes = ByteSet::ALL,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_lists_what_it_contains() {
        let mut set = ByteSet::default();
        assert_eq!((set.len(), set.iter().next()), (0, None));
        for byte in [0, 63, 64, 127, 128, 200, 255] {
            set.insert(byte);
        }
        set.remove(200);
        assert!(set.iter().eq([0, 63, 64, 127, 128, 255]));
        assert_eq!(set.len(), 6);
        assert!(ByteSet::ALL.iter().eq(0..=255));
    }
}
