//! Which characters does a set of expressions never tell apart? Unicode, cut into classes.
//!
//! Every expression of one content automaton treats all characters of a class alike, so the automaton's input is a
//! class, not a byte: `\s` or `\p{L}` cost one class instead of hundreds of UTF-8 sequences.

use std::ops::RangeInclusive;

use crate::hash::HashMap;

/// Halves of UTF-16 pairs: code points that are no characters.
const SURROGATES: RangeInclusive<u32> = 0xD800..=0xDFFF;
const BEHIND_SURROGATES: u32 = 0xE000;

/// A partition of all characters into classes numbered from 0. Each has a character: an automaton's state from which only a
/// class without one leads on would be taken for live. Code points that are none are of the class before them.
#[derive(Clone, Debug)]
pub(crate) struct Alphabet {
    ascii: [u8; 128],
    /// First code point and class of each interval, in rising order; the first begins at 0.
    intervals: Vec<(u32, u8)>,
    n_classes: usize,
}

/// Collects the character sets that an alphabet must tell apart.
#[derive(Debug, Default)]
pub(crate) struct AlphabetBuilder {
    /// Ends of ranges: where a set begins or stops, and which set.
    edges: Vec<(u32, u32)>,
    set_ids: HashMap<Vec<(u32, u32)>, u32>,
}

impl AlphabetBuilder {
    /// Adds a set of characters, as ranges with both ends inside, in rising order.
    pub(crate) fn add(&mut self, ranges: Vec<(u32, u32)>) {
        let next_id = self.set_ids.len() as u32;
        if self.set_ids.contains_key(&ranges) {
            return;
        }
        for edge in ranges.iter().flat_map(|(lo, hi)| [*lo, hi.saturating_add(1)]) {
            if SURROGATES.contains(&edge) {
                self.edges.push((BEHIND_SURROGATES, next_id));
            } else if edge <= u32::from(char::MAX) {
                self.edges.push((edge, next_id));
            }
        }
        self.set_ids.insert(ranges, next_id);
    }

    /// The coarsest partition that tells all sets apart; `None` when it has more than 256
    /// classes: a class is a byte in the compiled automata.
    pub(crate) fn build(mut self) -> Option<Alphabet> {
        self.edges.sort_unstable();
        let mut members: Vec<u32> = Vec::new();
        let mut classes: HashMap<Vec<u32>, u8> = HashMap::default();
        let mut intervals: Vec<(u32, u8)> = Vec::new();
        let mut at = 0;
        let mut edges = self.edges.iter().peekable();
        loop {
            while let Some((_, set)) = edges.next_if(|(edge, _)| *edge == at) {
                match members.binary_search(set) {
                    Ok(found) => drop(members.remove(found)),
                    Err(place) => members.insert(place, *set),
                }
            }
            let n_classes = classes.len();
            let class = match classes.get(&members) {
                Some(class) => *class,
                None => {
                    let class = u8::try_from(n_classes).ok()?;
                    classes.insert(members.clone(), class);
                    class
                }
            };
            if intervals.last().is_none_or(|(_, last)| *last != class) {
                intervals.push((at, class));
            }
            let Some((next, _)) = edges.peek() else { break };
            at = *next;
        }
        let mut ascii = [0; 128];
        for (code_point, class) in ascii.iter_mut().enumerate() {
            *class = class_in(&intervals, code_point as u32);
        }
        Some(Alphabet { ascii, intervals, n_classes: classes.len() })
    }
}

fn class_in(intervals: &[(u32, u8)], code_point: u32) -> u8 {
    intervals[intervals.partition_point(|(start, _)| *start <= code_point) - 1].1
}

impl Alphabet {
    /// Number of classes, at least one.
    pub(crate) fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The class of a code point.
    pub(crate) fn class(&self, code_point: u32) -> usize {
        match self.ascii.get(code_point as usize) {
            Some(class) => usize::from(*class),
            None => usize::from(class_in(&self.intervals, code_point)),
        }
    }

    /// The classes of the characters from `lo` to `hi`, both inside; a class may come more than once.
    pub(crate) fn classes_in(&self, lo: u32, hi: u32) -> impl Iterator<Item = usize> {
        let lo = if SURROGATES.contains(&lo) { BEHIND_SURROGATES } else { lo };
        // Where there are surrogates only, nothing begins before the end.
        let hi = if SURROGATES.contains(&hi) { SURROGATES.start() - 1 } else { hi };
        let first = match lo <= hi {
            true => self.intervals.partition_point(|(start, _)| *start <= lo) - 1,
            false => self.intervals.len(),
        };
        self.intervals[first..].iter().take_while(move |(start, _)| *start <= hi).map(|(_, class)| usize::from(*class))
    }

    /// The classes of the characters from `lo` to `hi`, both inside, each with how many there are; a class may come more
    /// than once.
    pub(crate) fn sizes_in(&self, lo: u32, hi: u32) -> impl Iterator<Item = (usize, u64)> {
        let first = self.intervals.partition_point(|(start, _)| *start <= lo) - 1;
        let ends = self.intervals[first + 1..].iter().map(|(start, _)| *start - 1).chain([u32::MAX]);
        self.intervals[first..].iter().zip(ends).take_while(move |((start, _), _)| *start <= hi).map(
            move |((start, class), end)| {
                let (lo, hi) = ((*start).max(lo), end.min(hi));
                let n_surrogates = (hi.min(*SURROGATES.end()) + 1).saturating_sub(lo.max(*SURROGATES.start()));
                (usize::from(*class), u64::from(hi + 1 - lo - n_surrogates))
            },
        )
    }

    /// All code points as ranges, both ends inside, each with its class.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u32, u32, usize)> {
        let ends = self.intervals.iter().skip(1).map(|(start, _)| *start - 1).chain([u32::from(char::MAX)]);
        self.intervals.iter().zip(ends).map(|((start, class), end)| (*start, end, usize::from(*class)))
    }

    /// One character of each class, in the order of classes.
    pub(crate) fn representatives(&self) -> Vec<char> {
        let mut found = vec!['\0'; self.n_classes];
        // All intervals begin with characters.
        let begun = |(start, class): &(u32, u8)| Some((char::from_u32(*start)?, usize::from(*class)));
        self.intervals.iter().rev().filter_map(begun).for_each(|(char, class)| found[class] = char);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_told_apart_and_nothing_else() {
        let mut builder = AlphabetBuilder::default();
        builder.add(vec![(0x61, 0x7A)]);
        builder.add(vec![(0x61, 0x66), (0x30, 0x39)]);
        builder.add(vec![(0x4E00, 0x9FFF)]);
        let alphabet = builder.build().unwrap();
        assert_eq!(alphabet.n_classes(), 5);
        let class = |char: char| alphabet.class(char as u32);
        assert_eq!(class('a'), class('f'));
        assert_eq!(class('g'), class('z'));
        assert_eq!(class('0'), class('9'));
        assert_ne!(class('a'), class('g'));
        assert_ne!(class('a'), class('0'));
        assert_eq!(class(' '), class('\u{10FFFF}'));
        assert_eq!(class('中'), class('文'));
        assert_eq!(alphabet.classes_in(0x60, 0x62).collect::<Vec<_>>(), [class(' '), class('a')]);
    }

    #[test]
    fn no_class_is_without_a_character() {
        let all = vec![(0, 0x10FFFF)];
        let scalars = vec![(0, 0xD7FF), (0xE000, 0x10FFFF)];
        let halves = vec![(0xD800, 0xDBFF)];
        for (sets, n_classes) in [
            (vec![all.clone()], 1),
            (vec![scalars.clone()], 1),
            (vec![scalars.clone(), all, halves.clone()], 1),
            (vec![halves, vec![(0xD7FF, 0xDFFF)]], 2),
            (vec![scalars, vec![(0, 9), (11, 0xDA00)]], 2),
        ] {
            let mut builder = AlphabetBuilder::default();
            sets.iter().for_each(|set| builder.add(set.clone()));
            let alphabet = builder.build().unwrap();
            assert_eq!(alphabet.n_classes(), n_classes, "{sets:x?}");
            for (class, char) in alphabet.representatives().into_iter().enumerate() {
                assert_eq!(alphabet.class(char as u32), class, "{sets:x?}");
            }
            assert_eq!(alphabet.classes_in(0xD800, 0xDFFF).count(), 0, "{sets:x?}");
            for char in ['\0', '\n', '\u{D7FF}', '\u{E000}', char::MAX] {
                let class = alphabet.class(char as u32);
                assert!(alphabet.classes_in(char as u32, char as u32).eq([class]), "{char:?} of {sets:x?}");
                for other in ['\0', '\n', '\u{D7FF}', '\u{E000}', char::MAX] {
                    let holds =
                        |set: &Vec<(u32, u32)>, char| set.iter().any(|(lo, hi)| (*lo..=*hi).contains(&(char as u32)));
                    let is_same = sets.iter().all(|set| holds(set, char) == holds(set, other));
                    assert_eq!(alphabet.class(other as u32) == class, is_same, "{char:?} {other:?} of {sets:x?}");
                }
            }
        }
    }

    #[test]
    fn too_many_classes_are_refused() {
        let mut builder = AlphabetBuilder::default();
        for code_point in 0..300 {
            builder.add(vec![(code_point, code_point)]);
        }
        assert!(builder.build().is_none());
    }
}
