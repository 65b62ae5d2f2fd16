//! Which tokens hold these letters in a row? An index of all tokens by up to three bytes that stand together.
//!
//! What ends a match is mostly a word, and few tokens hold even its first three letters: they are all that must be
//! looked at. (The index of n-grams is that of text retrieval; see J. Zobel and A. Moffat, "Inverted Files for Text
//! Search Engines", ACM Computing Surveys 38(2), 2006, section 2.)

/// Most bytes that tokens are looked up by.
pub(crate) const MAX_GRAM: usize = 3;

/// Tokens by the bytes that they hold.
#[derive(Debug, Default)]
pub(crate) struct Grams {
    /// Up to three bytes, the first in the highest place; in rising order.
    keys: Box<[u32]>,
    /// By key: where its tokens begin; and the end of all.
    starts: Box<[u32]>,
    tokens: Box<[u32]>,
}

impl Grams {
    /// O(n log n) in the bytes of all tokens.
    pub(super) fn new<'a>(tokens: impl Iterator<Item = (&'a [u8], u32)>) -> Grams {
        let mut places: Vec<u64> = Vec::new();
        for (bytes, token) in tokens {
            for at in 0..bytes.len() {
                let key = key(&bytes[at..bytes.len().min(at + MAX_GRAM)]);
                places.push(u64::from(key) << 32 | u64::from(token));
            }
        }
        places.sort_unstable();
        places.dedup();
        let (mut keys, mut starts) = (Vec::new(), Vec::new());
        for (at, place) in places.iter().enumerate() {
            let key = (place >> 32) as u32;
            if keys.last() != Some(&key) {
                keys.push(key);
                starts.push(at as u32);
            }
        }
        starts.push(places.len() as u32);
        let tokens = places.into_iter().map(|place| place as u32).collect();
        Grams { keys: keys.into(), starts: starts.into(), tokens }
    }

    /// The tokens that hold `gram`, of one to three bytes; a token may come more than once.
    pub(crate) fn holding(&self, gram: &[u8]) -> &[u32] {
        let first = key(gram);
        let end = first + (1 << (8 * (MAX_GRAM - gram.len())));
        let place = |key: u32| self.starts.get(self.keys.partition_point(|known| *known < key)).copied().unwrap_or(0);
        self.tokens.get(place(first) as usize..place(end) as usize).unwrap_or(&[])
    }
}

fn key(gram: &[u8]) -> u32 {
    (0..MAX_GRAM).fold(0, |key, at| key << 8 | u32::from(gram.get(at).copied().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_by_what_they_hold() {
        let tokens = ["abcab", "xabx", "ab", "b", "cba", "\u{e9}a"];
        let grams = Grams::new(tokens.iter().zip(0..).map(|(token, id)| (token.as_bytes(), id)));
        for gram in ["a", "b", "ab", "abc", "bca", "ba", "cab", "x", "abx", "zz", "\u{e9}", "\u{e9}a"] {
            let mut found = grams.holding(gram.as_bytes()).to_vec();
            found.sort_unstable();
            found.dedup();
            let holding = tokens.iter().zip(0..).filter(|(token, _)| token.contains(gram)).map(|(_, id)| id);
            assert_eq!(found, holding.collect::<Vec<u32>>(), "{gram}");
        }
        assert!(Grams::default().holding(b"a").is_empty());
    }
}
