//! May a label that begins so still become one? What was read of it, as far as that matters, character by character.
//!
//! The contexts of RFC 5892, the directions of RFC 5893 and Normalization Form C need no more of a label than a few flags.
//! How long its ASCII form is depends on all of it, and is left to whoever has the text.

use std::sync::OnceLock;

use super::{
    ARABIC_DIGITS, GERESH, GERSHAYIM, KATAKANA_DOT, KERAIA, LAST, MAX_LABEL, MIDDLE_DOT, PERSIAN_DIGITS, PREFIX,
    TABLES, VIRAMA, ZWJ, ZWNJ, is_in,
};

const HYPHEN: u32 = b'-' as u32;

/// In so many digits, one more than the place, fits every delta below this, whatever the bias: for the first three digits the
/// greatest is the worst, from then on the least. Punycode, RFC 3492.
const DELTAS: [u64; 7] = [1, 36, 1_261, 28_886, 288_886, 2_888_886, 28_888_886];
/// Digits of any delta of a label: there are no more than 63 characters below the last code point.
const MOST_DIGITS: usize = DELTAS.len();
/// Digits that nearly all deltas of one script fit into.
const FEW_DIGITS: usize = 3;

/// What is known of a character that may stand in a label.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// Bidirectional class by its letter.
    bidi: u8,
    joining: u8,
    combining: u8,
    /// The combining class of the last part that it decomposes to.
    last_combining: u8,
    is_mark: bool,
    is_greek: bool,
    is_hebrew: bool,
    /// Hiragana, Katakana or Han.
    is_japanese: bool,
    /// Whether some character before it makes one of both.
    composes: bool,
}

const PAGE: usize = 256;
type Page = Box<[Option<Known>; PAGE]>;

fn known(char: u32) -> Option<Known> {
    static PAGES: [OnceLock<Page>; LAST as usize / PAGE + 1] = [const { OnceLock::new() }; LAST as usize / PAGE + 1];
    let page = PAGES.get(char as usize / PAGE)?.get_or_init(|| {
        let first = char - char % PAGE as u32;
        Box::new(std::array::from_fn(|at| look_up(first + at as u32)))
    });
    page[char as usize % PAGE]
}

fn look_up(char: u32) -> Option<Known> {
    let tables = &*TABLES;
    let behaviour = tables.behaviour(char)?;
    Some(Known {
        bidi: behaviour.bidi,
        joining: behaviour.joining,
        combining: behaviour.combining,
        last_combining: tables.last_combining(char),
        is_mark: is_in(&tables.marks, char),
        is_greek: is_in(&tables.greek, char),
        is_hebrew: is_in(&tables.hebrew, char),
        is_japanese: is_in(&tables.japanese, char),
        composes: tables.seconds.contains(&char),
    })
}

/// What the labels before ask of the directions of those that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::automata) struct Directions {
    /// Whether each must keep the Bidi rule.
    pub(in crate::automata) must_keep: bool,
    /// Whether none may be from right to left.
    pub(in crate::automata) no_rtl: bool,
}

/// What the next character must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Nothing,
    /// Behind a middle dot: another `l`.
    L,
    /// Behind a keraia.
    Greek,
    /// Behind a non-joiner: what joins to the right, if need be behind what is transparent.
    Joining,
}

/// What was read of a label.
#[derive(Clone, Copy, Debug)]
pub(in crate::automata) struct Progress {
    n_chars: u8,
    /// Of them beyond ASCII.
    n_wide: u8,
    has_upper: bool,
    /// Whether the first two are those of the prefix, the third is a hyphen, and all four are the prefix.
    begins_prefix: bool,
    third_hyphen: bool,
    is_encoded: bool,
    /// Bidirectional classes of the first character, and of the last one that is no mark.
    first: u8,
    end: u8,
    has_european: bool,
    has_arabic: bool,
    wait: Wait,
    /// Whether the last character that is not transparent joins to the left.
    joins: bool,
    has_japanese: bool,
    waits_for_japanese: bool,
    arabic_digits: bool,
    persian_digits: bool,
    last: u32,
    /// Combining class of the last character.
    own_combining: u8,
    /// For the Normalization Form, see [`is_composed`](super::is_composed).
    starter: Option<u32>,
    last_combining: u8,
    apart: Option<u8>,
    /// The least and the greatest character beyond ASCII.
    reach: (u32, u32),
    /// Of some of those, which came first, how many they are and their reach.
    settled: (u8, (u32, u32)),
}

impl Progress {
    pub(in crate::automata) const START: Progress = Progress {
        n_chars: 0,
        n_wide: 0,
        has_upper: false,
        begins_prefix: false,
        third_hyphen: false,
        is_encoded: false,
        first: 0,
        end: 0,
        has_european: false,
        has_arabic: false,
        wait: Wait::Nothing,
        joins: false,
        has_japanese: false,
        waits_for_japanese: false,
        arabic_digits: false,
        persian_digits: false,
        last: 0,
        own_combining: 0,
        starter: None,
        last_combining: 0,
        apart: None,
        reach: (u32::MAX, 0),
        settled: (0, (0, 0)),
    };

    /// One character further; `None` where no label goes on so, however long it might be.
    pub(in crate::automata) fn step(&self, char: u32, directions: Directions) -> Option<Progress> {
        let is_upper = (0x41..=0x5A).contains(&char);
        let known = known(if is_upper { char + 0x20 } else { char })?;
        let mut next = *self;
        next.n_chars += 1;
        next.n_wide += u8::from(char >= 128);
        next.has_upper |= is_upper;
        if usize::from(next.n_chars) > MAX_LABEL || next.n_wide > 0 && (next.has_upper || next.is_encoded) {
            return None;
        }
        if char >= 128 {
            next.reach = (self.reach.0.min(char), self.reach.1.max(char));
        }
        next.read_prefix(char)?;
        next.last = char;
        if next.is_encoded {
            return Some(next);
        }
        next.read_direction(&known, directions)?;
        next.read_context(char, &known, self)?;
        next.read_parts(char, &known)?;
        next.own_combining = known.combining;
        if known.joining != b'T' {
            next.joins = matches!(known.joining, b'L' | b'D');
        }
        Some(next)
    }

    /// Hyphens at the third and fourth place are reserved, but for the one prefix.
    fn read_prefix(&mut self, char: u32) -> Option<()> {
        let letter = PREFIX.get(usize::from(self.n_chars) - 1).map(|byte| u32::from(*byte));
        let lower = if char < 128 { u32::from((char as u8).to_ascii_lowercase()) } else { char };
        match self.n_chars {
            1 if char == HYPHEN => return None,
            1 => self.begins_prefix = letter == Some(lower),
            2 => self.begins_prefix &= letter == Some(lower),
            3 => self.third_hyphen = char == HYPHEN,
            4 if self.third_hyphen && char == HYPHEN => {
                (self.begins_prefix && self.n_wide == 0).then_some(())?;
                self.is_encoded = true;
            }
            _ => {}
        }
        Some(())
    }

    fn is_rtl(&self) -> bool {
        matches!(self.first, b'R' | b'A')
    }

    fn read_direction(&mut self, known: &Known, directions: Directions) -> Option<()> {
        if self.n_chars == 1 {
            self.first = known.bidi;
            if known.is_mark
                || directions.must_keep && !matches!(known.bidi, b'L' | b'R' | b'A')
                || directions.no_rtl && self.is_rtl()
            {
                return None;
            }
        }
        let fits = match known.bidi {
            b'L' => !self.is_rtl(),
            b'R' | b'A' | b'N' => self.is_rtl(),
            _ => true,
        };
        self.has_european |= known.bidi == b'E';
        self.has_arabic |= known.bidi == b'N';
        if known.bidi != b'M' {
            self.end = known.bidi;
        }
        (fits && !(self.is_rtl() && self.has_european && self.has_arabic)).then_some(())
    }

    /// RFC 5892, appendix A.
    fn read_context(&mut self, char: u32, known: &Known, before: &Progress) -> Option<()> {
        self.wait = match (before.wait, known.joining) {
            (Wait::L, _) if char != u32::from(b'l') => return None,
            (Wait::Greek, _) if !known.is_greek => return None,
            (Wait::Joining, b'T') => Wait::Joining,
            (Wait::Joining, b'R' | b'D') | (Wait::Nothing | Wait::L | Wait::Greek, _) => Wait::Nothing,
            (Wait::Joining, _) => return None,
        };
        self.has_japanese |= known.is_japanese && char != KATAKANA_DOT;
        let fits = match char {
            ZWNJ | ZWJ if before.own_combining == VIRAMA => true,
            ZWNJ => {
                self.wait = Wait::Joining;
                before.joins
            }
            ZWJ => false,
            MIDDLE_DOT => {
                self.wait = Wait::L;
                before.last == u32::from(b'l')
            }
            KERAIA => {
                self.wait = Wait::Greek;
                !self.is_rtl()
            }
            GERESH | GERSHAYIM => before.n_chars > 0 && self::known(before.last).is_some_and(|last| last.is_hebrew),
            KATAKANA_DOT => {
                self.waits_for_japanese = true;
                self.has_japanese || !self.is_rtl()
            }
            _ if ARABIC_DIGITS.contains(&char) => {
                self.arabic_digits = true;
                !self.persian_digits
            }
            _ if PERSIAN_DIGITS.contains(&char) => {
                self.persian_digits = true;
                !self.arabic_digits
            }
            _ => true,
        };
        self.waits_for_japanese &= !self.has_japanese;
        fits.then_some(())
    }

    /// Normalization Form C.
    fn read_parts(&mut self, char: u32, known: &Known) -> Option<()> {
        let combining = known.combining;
        if combining != 0 && combining < self.last_combining {
            return None;
        }
        let is_blocked = self.apart.is_some_and(|apart| apart >= combining);
        if known.composes
            && !is_blocked
            && let Some(starter) = self.starter
            && TABLES.compositions.contains_key(&(starter, char))
        {
            return None;
        }
        (self.starter, self.last_combining, self.apart) = match combining {
            0 => (Some(char), known.last_combining, None),
            _ => (self.starter, combining, Some(combining)),
        };
        Some(())
    }

    /// Whether characters beyond ASCII may come.
    pub(in crate::automata) fn takes_wide(&self) -> bool {
        !self.has_upper && !self.is_encoded
    }

    /// Whether the prefix of an encoded label was read.
    pub(in crate::automata) fn is_encoded(&self) -> bool {
        self.is_encoded
    }

    /// Whether a label that is not encoded may end here, however long it is.
    pub(in crate::automata) fn may_end(&self, directions: Directions) -> bool {
        let ends_well = match self.is_rtl() {
            true => matches!(self.end, b'R' | b'A' | b'E' | b'N'),
            false => !directions.must_keep || matches!(self.end, b'L' | b'E'),
        };
        self.n_chars > 0 && self.last != HYPHEN && self.wait == Wait::Nothing && !self.waits_for_japanese && ends_well
    }

    /// The same, with what was read counted by its reach: [`most_ascii`](Self::most_ascii) is less for what follows.
    pub(in crate::automata) fn settled(&self) -> Progress {
        Progress { settled: (self.n_wide, self.reach), ..*self }
    }

    /// At most so many characters has the ASCII form with `n_more` characters behind it.
    pub(in crate::automata) fn most_ascii(&self, n_more: usize) -> usize {
        let (n_chars, n_wide) = (usize::from(self.n_chars) + n_more, usize::from(self.n_wide) + n_more);
        if n_wide == 0 {
            return n_chars;
        }
        let (n_settled, (first, last)) = self.settled;
        let n_settled = usize::from(n_settled);
        let basic = PREFIX.len() + 1 + n_chars - n_wide;
        let fresh = MOST_DIGITS * (n_wide - n_settled);
        if n_settled == 0 || basic + fresh + MOST_DIGITS * n_settled <= MAX_LABEL {
            return basic + fresh + MOST_DIGITS * n_settled;
        }
        // A delta is the gap to the code point before, once for each place in the text, and a place. The gaps of what is
        // settled come to its reach at most, so few of them are great.
        let n_places = n_chars as u64 + 1;
        let n_great = |n_digits: usize| {
            let n_most = u64::from(last - first) * n_places / (DELTAS[n_digits - 1] - n_places);
            usize::try_from(n_most).map_or(n_settled, |n_most| n_most.min(n_settled))
        };
        basic
            + fresh
            + MOST_DIGITS
            + FEW_DIGITS * (n_settled - 1)
            + (FEW_DIGITS..MOST_DIGITS).map(n_great).sum::<usize>()
    }
}
