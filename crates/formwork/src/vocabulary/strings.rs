//! What do tokens do inside a JSON string? Tables that depend on the vocabulary alone.
//!
//! Seen from the body of a string, a token stays inside (whole characters, or *odd*: escapes and parts of characters),
//! leaves it (a prefix, the closing quote, and a rest that the grammar must take), or cannot stand there. The same is
//! tabulated for tokens that begin with the opening quote.

use std::sync::{Arc, OnceLock};

use super::grams::Grams;
use super::letters::{LetterTrie, Letters};
use super::shapes::ShapeTrie;
use super::token_mask::{TokenMask, clear_bit, set_bit};
use super::{TokenTrie, Vocabulary, leading_whitespace};
use crate::automata::decoder::{DecodeState, Escapes};
use crate::hash::HashMap;

/// The tables of one vocabulary.
#[derive(Debug)]
pub(crate) struct StringTables {
    /// What stands behind the closing quote in any of them, numbered: one trie, so that it is walked once for all of them.
    pub(crate) rests: TokenTrie,
    /// All tokens, seen from between two characters of the body.
    pub(crate) body: BodyTable,
    /// Tokens that begin with the opening quote, seen from behind it.
    pub(crate) opened: BodyTable,
    /// Tokens that begin with whitespace and the opening quote, seen from behind it.
    pub(crate) spaced: BodyTable,
}

/// A token that stays inside a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InsideToken {
    /// Characters that it begins.
    pub(crate) n_chars: u16,
    /// Its node in the trie of shapes, if it is of whole plain characters.
    shape: u16,
    pub(crate) token: u32,
}

impl InsideToken {
    /// Stands for none, and for all that a smaller number cannot say.
    const NO_SHAPE: u16 = u16::MAX;

    /// Its node in the trie of shapes, if it is of whole plain characters.
    pub(crate) fn shape(self) -> Option<usize> {
        (self.shape != InsideToken::NO_SHAPE).then_some(usize::from(self.shape))
    }
}

/// Of tokens that do not stay inside, end within a character or begin as many characters.
const UNTOLD: u8 = u8::MAX;

/// What tokens do from the body of a string on.
#[derive(Debug)]
pub(crate) struct BodyTable {
    n_words: usize,
    /// Whether the tokens begin before the opening quote.
    opens: bool,
    /// Characters, by token, or [`UNTOLD`]: a byte for each, as nearly every token that is written in a string is looked up.
    chars: Box<[u8]>,
    /// Tokens that stay inside.
    inside: Arc<[u32]>,
    /// The same, most characters first, and those of one shape together.
    by_chars: Vec<InsideToken>,
    /// By greatest number of characters: tokens that stay inside, made when first asked for.
    limited: Vec<OnceLock<TokenMask>>,
    /// Tokens of whole plain characters that stay inside.
    pub(crate) shapes: ShapeTrie,
    /// The same tokens, by their characters.
    pub(crate) letters: LetterTrie,
    /// All other tokens that stay inside, by their bytes in the body.
    pub(crate) odd: TokenTrie,
    /// The row of the tokens of whole plain characters.
    plain: Box<[u32]>,
    /// By the bytes that they hold: plain tokens.
    pub(crate) grams: Grams,
    /// The longest of `prefixes`, in characters begun.
    pub(crate) max_prefix_chars: u32,
    /// What stands before the closing quote, numbered; with the characters begun.
    pub(crate) prefixes: TokenTrie,
    pub(crate) prefix_chars: Vec<u16>,
    /// Bytes of each prefix.
    prefix_bytes: Vec<u32>,
    /// The prefixes of whole plain characters.
    pub(crate) plain_prefixes: LetterTrie,
    /// Those of the prefixes that hold an escape.
    pub(crate) escaped_prefixes: Vec<(Box<[u8]>, u32)>,
    /// Token and number of its prefix.
    pub(crate) exits: Vec<(u32, u32)>,
    by_prefix: Groups,
    by_rest: Groups,
}

/// Indices of exits by something that each has one of.
#[derive(Debug)]
struct Groups {
    /// Those of group `g` are `members[first[g]..first[g + 1]]`.
    members: Vec<u32>,
    first: Vec<u32>,
}

impl Groups {
    /// By index: the number of its group.
    fn new(groups: &[u32]) -> Groups {
        let mut members: Vec<u32> = (0..groups.len() as u32).collect();
        members.sort_by_key(|index| groups[*index as usize]);
        let n_groups = groups.iter().max().map_or(0, |last| last + 1);
        let first_of = |group: u32| members.partition_point(|index| groups[*index as usize] < group) as u32;
        let first = (0..=n_groups).map(first_of).collect();
        Groups { members, first }
    }

    fn of(&self, group: u32) -> &[u32] {
        match self.first.get(group as usize..group as usize + 2) {
            Some(bounds) => &self.members[bounds[0] as usize..bounds[1] as usize],
            None => &[],
        }
    }
}

impl StringTables {
    pub(crate) fn new(vocabulary: &Vocabulary, escapes: Escapes) -> StringTables {
        let n_words = vocabulary.mask_words();
        let n_tokens = vocabulary.len();
        let texts = (0..n_tokens).map(|id| (vocabulary.bytes_at(id), id as u32)).filter(|(bytes, _)| !bytes.is_empty());
        let opened = texts.clone().filter(|(bytes, _)| bytes[0] == b'"').map(|(bytes, id)| (behind_quote(bytes), id));
        let spaced = texts.clone().filter(|(bytes, _)| {
            let n_blank = leading_whitespace(bytes);
            n_blank > 0 && bytes.get(n_blank) == Some(&b'"')
        });
        let spaced = spaced.map(|(bytes, id)| (behind_quote(bytes), id));
        let letters = Arc::new(Letters::new(texts.clone().map(|(bytes, _)| bytes)));
        let size = (n_words, n_tokens);
        let mut rests: HashMap<&[u8], u32> = HashMap::default();
        StringTables {
            body: BodyTable::new(texts, false, escapes, size, &letters, &mut rests),
            opened: BodyTable::new(opened, true, escapes, size, &letters, &mut rests),
            spaced: BodyTable::new(spaced, true, escapes, size, &letters, &mut rests),
            rests: TokenTrie::new(rests.into_iter().collect()),
        }
    }
}

/// Most characters that a token begins in a string, whether it stays inside or closes it, however spelled.
pub(crate) fn reach(vocabulary: &Vocabulary) -> u32 {
    let n_chars = |bytes: &[u8]| match judge(bytes, Escapes::Any) {
        Verdict::Never => 0,
        Verdict::Inside { n_chars, .. } | Verdict::Leaves { n_chars, .. } => n_chars,
    };
    let texts = (0..vocabulary.len()).map(|id| vocabulary.bytes_at(id));
    texts.map(|bytes| n_chars(bytes).max(n_chars(behind_quote(bytes)))).max().unwrap_or(0).into()
}

/// What comes behind the first quote.
fn behind_quote(bytes: &[u8]) -> &[u8] {
    let quote = bytes.iter().position(|byte| *byte == b'"');
    quote.map_or(&[], |quote| &bytes[quote + 1..])
}

enum Verdict {
    Never,
    Inside { n_chars: u16, plain: bool, whole: bool },
    Leaves { at: usize, n_chars: u16 },
}

/// What `bytes` do from the body on, in a string whose content may be anything.
fn judge(bytes: &[u8], escapes: Escapes) -> Verdict {
    let mut state = DecodeState::BODY;
    let mut n_chars = 0u16;
    let mut plain = true;
    for (at, byte) in bytes.iter().enumerate() {
        let Some(decoded) = state.step(*byte, escapes) else { return Verdict::Never };
        if decoded.state == DecodeState::CLOSED {
            return Verdict::Leaves { at, n_chars };
        }
        plain &= *byte != b'\\';
        n_chars = n_chars.saturating_add(u16::from(decoded.started));
        state = decoded.state;
    }
    let whole = state == DecodeState::BODY;
    Verdict::Inside { n_chars, plain: plain && whole, whole }
}

impl BodyTable {
    fn new<'a>(
        texts: impl Iterator<Item = (&'a [u8], u32)>,
        opens: bool,
        escapes: Escapes,
        (n_words, n_tokens): (usize, usize),
        letters: &Arc<Letters>,
        rest_ids: &mut HashMap<&'a [u8], u32>,
    ) -> BodyTable {
        let mut chars = vec![UNTOLD; n_tokens];
        let mut inside = vec![0; n_words];
        let mut plain = vec![0; n_words];
        let mut by_chars = Vec::new();
        let mut plain_tokens: Vec<(&str, u32)> = Vec::new();
        let mut odd = Vec::new();
        let mut prefix_ids: HashMap<&[u8], u32> = HashMap::default();
        let mut prefix_chars = Vec::new();
        let mut prefix_bytes = Vec::new();
        let mut rest_of_exit = Vec::new();
        let mut exits = Vec::new();
        for (bytes, token) in texts {
            match judge(bytes, escapes) {
                Verdict::Never => {}
                Verdict::Inside { n_chars, plain: is_plain, whole } => {
                    chars[token as usize] = u8::try_from(n_chars).ok().filter(|_| whole).unwrap_or(UNTOLD);
                    set_bit(&mut inside, token);
                    by_chars.push(InsideToken { n_chars, shape: InsideToken::NO_SHAPE, token });
                    match std::str::from_utf8(bytes) {
                        Ok(text) if is_plain => {
                            set_bit(&mut plain, token);
                            plain_tokens.push((text, token));
                        }
                        _ => odd.push((bytes, token)),
                    }
                }
                Verdict::Leaves { at, n_chars } => {
                    let prefix = *prefix_ids.entry(&bytes[..at]).or_insert_with(|| {
                        prefix_chars.push(n_chars);
                        prefix_bytes.push(at as u32);
                        prefix_chars.len() as u32 - 1
                    });
                    let n_rests = rest_ids.len() as u32;
                    rest_of_exit.push(*rest_ids.entry(&bytes[at + 1..]).or_insert(n_rests));
                    exits.push((token, prefix));
                }
            }
        }
        let escaped = prefix_ids.iter().filter(|(bytes, _)| bytes.contains(&b'\\'));
        let escaped_prefixes = escaped.map(|(bytes, prefix)| ((*bytes).into(), *prefix)).collect();
        let plain_prefixes = prefix_ids.iter().filter(|(bytes, _)| !bytes.contains(&b'\\'));
        let plain_prefixes = plain_prefixes.filter_map(|(bytes, id)| Some((std::str::from_utf8(bytes).ok()?, *id)));
        let plain_prefixes = LetterTrie::new(Arc::clone(letters), plain_prefixes.collect());
        let grams = Grams::new(plain_tokens.iter().map(|(text, token)| (text.as_bytes(), *token)));
        let shapes = ShapeTrie::new(plain_tokens.iter().copied(), n_words);
        let letters = LetterTrie::new(Arc::clone(letters), plain_tokens);
        let mut shape_of = vec![InsideToken::NO_SHAPE; n_tokens];
        for node in 0..shapes.n_nodes().min(usize::from(InsideToken::NO_SHAPE)) {
            shapes.tokens(node).iter().for_each(|token| shape_of[*token as usize] = node as u16);
        }
        by_chars.iter_mut().for_each(|inside| inside.shape = shape_of[inside.token as usize]);
        by_chars.sort_unstable_by(|a, b| b.cmp(a));
        let max_chars = by_chars.first().map_or(0, |inside| usize::from(inside.n_chars));
        let prefix_of_exit: Vec<u32> = exits.iter().map(|(_, prefix)| *prefix).collect();
        BodyTable {
            n_words,
            opens,
            chars: chars.into(),
            inside: inside.into(),
            by_chars,
            limited: std::iter::repeat_with(OnceLock::new).take(max_chars + 1).collect(),
            grams,
            shapes,
            letters,
            odd: TokenTrie::new(odd),
            plain: plain.into(),
            max_prefix_chars: prefix_chars.iter().copied().max().unwrap_or(0).into(),
            plain_prefixes,
            escaped_prefixes,
            prefixes: TokenTrie::new(prefix_ids.into_iter().collect()),
            prefix_chars,
            prefix_bytes,
            exits,
            by_prefix: Groups::new(&prefix_of_exit),
            by_rest: Groups::new(&rest_of_exit),
        }
    }

    /// Indices of the exits with a prefix, in the order of their tokens.
    pub(crate) fn exits_behind(&self, prefix: u32) -> &[u32] {
        self.by_prefix.of(prefix)
    }

    /// Indices of the exits with a rest, in the order of their tokens.
    pub(crate) fn exits_before(&self, rest: u32) -> &[u32] {
        self.by_rest.of(rest)
    }

    /// Characters of a token that stays inside and ends between two characters; `None` also where they are very many.
    pub(crate) fn chars(&self, token: u32) -> Option<u8> {
        self.chars.get(token as usize).copied().filter(|n_chars| *n_chars != UNTOLD)
    }

    /// The row of the tokens of whole plain characters.
    pub(crate) fn plain(&self) -> &[u32] {
        &self.plain
    }

    /// Most characters that a token of the table begins.
    pub(crate) fn max_chars(&self) -> u32 {
        self.limited.len() as u32 - 1
    }

    /// The row of tokens that stay inside.
    pub(crate) fn inside(&self) -> &Arc<[u32]> {
        &self.inside
    }

    /// Tokens that stay inside and begin more than `n_chars` characters.
    pub(crate) fn longer_than(&self, n_chars: u32) -> &[InsideToken] {
        let n = self.by_chars.partition_point(|inside| u32::from(inside.n_chars) > n_chars);
        &self.by_chars[..n]
    }

    /// Tokens that stay inside and begin at most `n_chars` characters.
    pub(crate) fn limited(&self, n_chars: u32) -> &TokenMask {
        let n_chars = n_chars.min(self.max_chars());
        self.limited[n_chars as usize].get_or_init(|| {
            let mut row = self.inside.to_vec();
            self.longer_than(n_chars).iter().for_each(|inside| clear_bit(&mut row, inside.token));
            TokenMask::from_row(&row, Some(&self.inside))
        })
    }

    /// The part of a token of the table that comes behind the opening quote.
    pub(crate) fn body_of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        if self.opens { behind_quote(bytes) } else { bytes }
    }

    /// The part of the token of an exit that comes behind the closing quote.
    pub(crate) fn rest_of<'a>(&self, bytes: &'a [u8], exit: u32) -> &'a [u8] {
        let (_, prefix) = self.exits[exit as usize];
        &self.body_of(bytes)[self.prefix_bytes[prefix as usize] as usize + 1..]
    }

    /// Words of a row.
    pub(crate) fn n_words(&self) -> usize {
        self.n_words
    }
}
