//! Which vocabularies are small enough for a slow twin? Single bytes, and random pieces that cross lexemes.

use formwork::{TokenId, Vocabulary};
use formwork_bench::data::split_mix;

/// The bytes of every text token by id; the stop token is the id after the last, special tokens come behind it.
#[derive(Clone, Debug)]
pub struct SmallVocabulary {
    /// Text tokens.
    pub tokens: Vec<Vec<u8>>,
    /// Number of special tokens.
    pub n_special: u32,
}

/// Pieces that random tokens are made of: ends and beginnings of lexemes, escapes, parts of characters.
const PIECES: [&[u8]; 40] = [
    b"\"",
    b"\\",
    b"\\\"",
    b"\\u",
    b"\\u00",
    b"\\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\":",
    b"\",\"",
    b"\"}",
    b"\"]",
    b"}]",
    b"{\"",
    b"[\"",
    b"[[",
    b"]]",
    b"a",
    b"b",
    b"ab",
    b"c",
    b"x",
    b"0",
    b"1",
    b"12",
    b"-",
    b"true",
    b"nul",
    b"l",
    b"false",
    "é".as_bytes(),
    b"\xc3",
    b"\xa9",
    "日".as_bytes(),
    b"\xe6\x97",
    " ".as_bytes(),
];

/// Characters of single-byte tokens: a walk can always go on by them.
const SINGLES: &[u8] = b"\"\\{}[],:abcxuntrlfse0123456789-.+E/ \n\t\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80\x7f\x01";

impl SmallVocabulary {
    /// One token for each byte.
    pub fn bytes() -> SmallVocabulary {
        SmallVocabulary { tokens: (0..=u8::MAX).map(|byte| vec![byte]).collect(), n_special: 0 }
    }

    /// Single bytes and `n_random` tokens of one to four pieces.
    pub fn random(n_random: usize, seed: u64) -> SmallVocabulary {
        SmallVocabulary::of_pieces(SINGLES, &PIECES, n_random, seed)
    }

    /// One token for each byte, and `n_random` tokens of one to four pieces: every text can be written.
    pub fn complete(n_random: usize, seed: u64) -> SmallVocabulary {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        SmallVocabulary::of_pieces(&all, &PIECES, n_random, seed)
    }

    /// Single bytes, `n_random` tokens of one to four pieces, and no special tokens.
    pub fn of_pieces(singles: &[u8], pieces: &[&[u8]], n_random: usize, seed: u64) -> SmallVocabulary {
        let mut tokens: Vec<Vec<u8>> = singles.iter().map(|&byte| vec![byte]).collect();
        for token_idx in 0..n_random as u64 {
            let random = |index: u64| split_mix(seed, token_idx * 8 + index) as usize;
            let n_pieces = 1 + random(0) % 4;
            let token = (1..=n_pieces as u64).flat_map(|index| pieces[random(index) % pieces.len()]);
            tokens.push(token.copied().collect());
        }
        SmallVocabulary { tokens, n_special: 0 }
    }

    /// The same with special tokens.
    pub fn with_special(self, n_special: u32) -> SmallVocabulary {
        SmallVocabulary { n_special, ..self }
    }

    /// The name of special token number `token`.
    pub fn special_name(token: u32) -> String {
        format!("<|{token}|>")
    }

    /// The id of special token number `token`.
    pub fn special_id(&self, token: u32) -> TokenId {
        TokenId::new(self.stop().get() + 1 + token)
    }

    /// Ids, the stop token and special tokens included.
    pub fn n_ids(&self) -> usize {
        self.stop().index() + 1 + self.n_special as usize
    }

    /// The number of the special token with this id.
    pub fn special_at(&self, id: usize) -> Option<u32> {
        let number = u32::try_from(id.checked_sub(self.stop().index() + 1)?).ok()?;
        (number < self.n_special).then_some(number)
    }

    /// The id of the stop token.
    pub fn stop(&self) -> TokenId {
        TokenId::new(u32::try_from(self.tokens.len()).expect("a small vocabulary"))
    }

    /// The same tokens as the engine takes them.
    pub fn to_formwork(&self) -> Vocabulary {
        let mut builder = Vocabulary::builder();
        for (id, token) in (0..).map(TokenId::new).zip(&self.tokens) {
            builder.text(id, token.clone());
        }
        for token in 0..self.n_special {
            builder.special(self.special_id(token), SmallVocabulary::special_name(token));
        }
        builder.stop(self.stop(), "<stop>").build().expect("a small vocabulary holds text and a stop token")
    }
}
