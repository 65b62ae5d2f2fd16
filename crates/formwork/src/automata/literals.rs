//! Which of a sorted list of byte strings does this text begin? Enumerations and keys without a trie.
//!
//! The strings that agree with the text so far are a contiguous range of the sorted list: a state is the range and
//! the number of bytes they agree on, a step is a binary search.

/// Most strings of one list, and most bytes of one string: what a state's word can hold.
pub(crate) const MAX_STRINGS: usize = 1 << 24;
/// See [`MAX_STRINGS`].
pub(crate) const MAX_BYTES: usize = 1 << 16;

/// A range of a sorted list and the length of what its strings have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) lo: u32,
    pub(crate) hi: u32,
    pub(crate) depth: u32,
}

impl Range {
    /// All of a list.
    pub(crate) fn all(n_strings: usize) -> Range {
        Range { lo: 0, hi: n_strings as u32, depth: 0 }
    }

    pub(crate) const fn to_bits(self) -> u64 {
        (self.lo as u64) << 40 | (self.hi as u64) << 16 | self.depth as u64
    }

    pub(crate) const fn from_bits(bits: u64) -> Range {
        Range { lo: (bits >> 40) as u32, hi: (bits >> 16) as u32 & 0xFF_FFFF, depth: bits as u32 & 0xFFFF }
    }

    /// The strings that go on with `byte`.
    pub(crate) fn step(self, strings: &[Box<[u8]>], byte: u8) -> Option<Range> {
        let (lo, hi, depth) = (self.lo as usize, self.hi as usize, self.depth as usize);
        // Most ranges are a single string.
        if hi - lo == 1 {
            return (strings[lo].get(depth) == Some(&byte)).then_some(Range { depth: self.depth + 1, ..self });
        }
        // A string that ends here comes first and is below every byte.
        let range = &strings[lo..hi];
        let start = range.partition_point(|string| string.get(depth).is_none_or(|other| *other < byte));
        let n = range[start..].partition_point(|string| string[depth] == byte);
        (n > 0).then(|| Range { lo: (lo + start) as u32, hi: (lo + start + n) as u32, depth: self.depth + 1 })
    }

    /// The string that ends here: it is the first of its range.
    pub(crate) fn complete(self, strings: &[Box<[u8]>]) -> Option<usize> {
        let first = self.lo as usize;
        (strings[first].len() == self.depth as usize).then_some(first)
    }

    /// Whether a string of the range is longer than what was read.
    pub(crate) fn can_go_on(self, strings: &[Box<[u8]>]) -> bool {
        strings[self.hi as usize - 1].len() > self.depth as usize
    }
}

/// The strings of a range that are longer than what was read.
pub(crate) fn longer_than(strings: &[Box<[u8]>], state: u64) -> &[Box<[u8]>] {
    let range = Range::from_bits(state);
    // A string that ends here comes first.
    let first = range.lo as usize + usize::from(range.complete(strings).is_some());
    &strings[first..range.hi as usize]
}

/// Calls `visit` with every byte that may come next in a range, once. O(bytes visited × log strings).
pub(crate) fn next_bytes(strings: &[Box<[u8]>], state: u64, visit: &mut dyn FnMut(u8)) {
    let range = Range::from_bits(state);
    let depth = range.depth as usize;
    let mut rest = &strings[range.lo as usize..range.hi as usize];
    // A string that ends here comes first.
    if rest.first().is_some_and(|string| string.len() == depth) {
        rest = &rest[1..];
    }
    while let Some(byte) = rest.first().and_then(|string| string.get(depth)).copied() {
        visit(byte);
        let all_have_it = rest.last().and_then(|string| string.get(depth)) == Some(&byte);
        let n = if all_have_it { rest.len() } else { rest.partition_point(|string| string.get(depth) == Some(&byte)) };
        rest = &rest[n..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_narrow_to_one_string() {
        let mut strings: Vec<Box<[u8]>> = ["a", "ab", "abc", "b", "bcd", "bce"].map(|s| s.as_bytes().into()).to_vec();
        strings.sort();
        let all = Range::all(strings.len());
        let a = all.step(&strings, b'a').unwrap();
        assert_eq!((a.lo, a.hi, a.complete(&strings)), (0, 3, Some(0)));
        assert!(a.can_go_on(&strings));
        let abc = a.step(&strings, b'b').unwrap().step(&strings, b'c').unwrap();
        assert_eq!(abc.complete(&strings), Some(2));
        assert!(!abc.can_go_on(&strings));
        assert_eq!(all.step(&strings, b'c'), None);
        assert_eq!(Range::from_bits(abc.to_bits()), abc);
    }
}
