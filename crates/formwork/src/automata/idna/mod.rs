//! Is this a label of an international host name? RFC 5891 with the rules of RFC 5892 and RFC 5893.

mod progress;
mod punycode;
mod table;

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

pub(super) use self::progress::{Directions, Progress};
use self::punycode::Decoder;
pub(super) use self::punycode::Sorted;
use crate::hash::{HashMap, HashSet};

/// Longest label, in its ASCII form.
pub(super) const MAX_LABEL: usize = 63;
/// What an ASCII form begins with.
const PREFIX: &[u8] = b"xn--";

const ZWNJ: u32 = 0x200C;
const ZWJ: u32 = 0x200D;
const MIDDLE_DOT: u32 = 0xB7;
const KERAIA: u32 = 0x375;
const GERESH: u32 = 0x5F3;
const GERSHAYIM: u32 = 0x5F4;
const KATAKANA_DOT: u32 = 0x30FB;
const ARABIC_DIGITS: std::ops::RangeInclusive<u32> = 0x660..=0x669;
const PERSIAN_DIGITS: std::ops::RangeInclusive<u32> = 0x6F0..=0x6F9;
const VIRAMA: u8 = 9;
/// No label holds a code point beyond this.
const LAST: u32 = 0x3FFFF;

/// How code points of a run behave.
#[derive(Clone, Copy, Debug)]
struct Behaviour {
    /// Bidirectional class by its letter in the table.
    bidi: u8,
    joining: u8,
    combining: u8,
}

struct Tables {
    /// First and last code point, in rising order.
    runs: Vec<(u32, u32, Behaviour)>,
    compositions: HashMap<(u32, u32), u32>,
    /// What stands second in one of them.
    seconds: HashSet<u32>,
    /// By composed code point: what it ends in.
    last_parts: HashMap<u32, u32>,
    marks: Vec<(u32, u32)>,
    greek: Vec<(u32, u32)>,
    hebrew: Vec<(u32, u32)>,
    /// Hiragana, Katakana and Han.
    japanese: Vec<(u32, u32)>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);

impl Tables {
    fn read() -> Tables {
        let number = |digits: &str| u32::from_str_radix(digits, 16).unwrap_or(0);
        let mut behaviour = Behaviour { bidi: b'L', joining: b'U', combining: 0 };
        let mut runs: Vec<(u32, u32, Behaviour)> = Vec::new();
        let mut at = 0;
        for entry in table::CODE_POINTS.split(' ') {
            if let Some([bidi, joining, ..]) = entry.strip_prefix('/').map(str::as_bytes) {
                behaviour = Behaviour { bidi: *bidi, joining: *joining, combining: entry[3..].parse().unwrap_or(0) };
                continue;
            }
            let (gap, more) = entry.split_once('.').unwrap_or((entry, "0"));
            let first = at + number(gap);
            at = first + number(more);
            runs.push((first, at, behaviour));
        }
        let mut compositions = HashMap::default();
        let mut first = 0;
        for entry in table::COMPOSITIONS.split(' ') {
            let mut numbers = entry.split('.').map(number);
            first += numbers.next().unwrap_or(0);
            if let (Some(second), Some(composed)) = (numbers.next(), numbers.next()) {
                compositions.insert((first, second), composed);
            }
        }
        Tables {
            runs,
            seconds: compositions.keys().map(|(_, second)| *second).collect(),
            last_parts: compositions.iter().map(|((_, second), composed)| (*composed, *second)).collect(),
            compositions,
            marks: class(r"\p{M}"),
            greek: class(r"\p{sc=Greek}"),
            hebrew: class(r"\p{sc=Hebrew}"),
            japanese: class(r"[\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]"),
        }
    }

    /// How a code point behaves; `None` where it may stand in no label.
    fn behaviour(&self, char: u32) -> Option<Behaviour> {
        let after = self.runs.partition_point(|(first, ..)| *first <= char);
        let (_, last, behaviour) = self.runs[..after].last()?;
        (char <= *last).then_some(*behaviour)
    }

    /// The combining class of the last part that a code point decomposes to.
    fn last_combining(&self, char: u32) -> u8 {
        let mut part = char;
        while let Some(next) = self.last_parts.get(&part) {
            part = *next;
        }
        self.behaviour(part).map_or(0, |behaviour| behaviour.combining)
    }
}

/// The ranges of a class in the syntax of `regex-syntax`.
fn class(class: &str) -> Vec<(u32, u32)> {
    match regex_syntax::parse(class).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => {
            class.iter().map(|range| (range.start() as u32, range.end() as u32)).collect()
        }
        _ => Vec::new(),
    }
}

fn is_in(ranges: &[(u32, u32)], char: u32) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= char);
    ranges[..after].last().is_some_and(|(_, last)| char <= *last)
}

/// What a valid label means for the domain name that it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// Whether it makes the name a Bidi domain name.
    pub(super) is_rtl: bool,
    /// Whether it keeps the Bidi rule.
    pub(super) keeps_bidi: bool,
    /// Characters of its ASCII form.
    pub(super) n_ascii: usize,
}

/// Whether `text` is a label: of ASCII letters, an A-label or a U-label.
pub(super) fn label(text: &[u32]) -> Option<Label> {
    if text.iter().any(|char| *char >= 128) {
        return u_label(text);
    }
    let ascii: Vec<u8> = text.iter().map(|char| (*char as u8).to_ascii_lowercase()).collect();
    let is_ldh = ascii.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    if ascii.is_empty() || !is_ldh || ascii.len() > MAX_LABEL || ascii[0] == b'-' || ascii[ascii.len() - 1] == b'-' {
        return None;
    }
    if let Some(encoded) = ascii.strip_prefix(PREFIX) {
        return a_label(encoded);
    }
    let reserved = ascii.get(2..4) == Some(b"--");
    let lower: Vec<u32> = ascii.iter().map(|byte| u32::from(*byte)).collect();
    (!reserved).then(|| Label { is_rtl: false, keeps_bidi: keeps_bidi(&lower), n_ascii: ascii.len() })
}

/// Whether what follows `xn--` is the encoding, and the only one, of a U-label.
pub(super) fn a_label(encoded: &[u8]) -> Option<Label> {
    let text = punycode::decode(encoded)?;
    let is_canonical = punycode::encode(&text).as_deref() == Some(encoded);
    if is_canonical && text.iter().any(|char| *char >= 128) { u_label(&text) } else { None }
}

fn u_label(text: &[u32]) -> Option<Label> {
    let tables = &*TABLES;
    let hyphen = u32::from(b'-');
    let (first, last) = (text.first()?, text.last()?);
    if is_in(&tables.marks, *first) || *first == hyphen || *last == hyphen || text.get(2..4) == Some(&[hyphen; 2]) {
        return None;
    }
    let allowed = |at: usize| tables.behaviour(text[at]).is_some() && fits_context(text, at, tables);
    if !(0..text.len()).all(allowed) || !is_composed(text, tables) {
        return None;
    }
    let n_ascii = PREFIX.len() + n_encoded(text)?;
    let is_rtl = text.iter().any(|char| is_right_to_left(*char, tables));
    let keeps_bidi = keeps_bidi(text);
    (n_ascii <= MAX_LABEL && (keeps_bidi || !is_rtl)).then_some(Label { is_rtl, keeps_bidi, n_ascii })
}

fn is_right_to_left(char: u32, tables: &Tables) -> bool {
    tables.behaviour(char).is_some_and(|behaviour| matches!(behaviour.bidi, b'R' | b'A' | b'N'))
}

/// RFC 5892, appendix A.
fn fits_context(text: &[u32], at: usize, tables: &Tables) -> bool {
    let before = at.checked_sub(1).map(|at| text[at]);
    let after = text.get(at + 1).copied();
    let is_l = |char: Option<u32>| char == Some(u32::from(b'l'));
    match text[at] {
        ZWNJ | ZWJ if before.is_some_and(|char| tables.behaviour(char).is_some_and(|it| it.combining == VIRAMA)) => {
            true
        }
        ZWNJ => joins(text, at, tables),
        ZWJ => false,
        MIDDLE_DOT => is_l(before) && is_l(after),
        KERAIA => after.is_some_and(|char| is_in(&tables.greek, char)),
        GERESH | GERSHAYIM => before.is_some_and(|char| is_in(&tables.hebrew, char)),
        KATAKANA_DOT => text.iter().any(|char| *char != KATAKANA_DOT && is_in(&tables.japanese, *char)),
        char if ARABIC_DIGITS.contains(&char) => !text.iter().any(|char| PERSIAN_DIGITS.contains(char)),
        char if PERSIAN_DIGITS.contains(&char) => !text.iter().any(|char| ARABIC_DIGITS.contains(char)),
        _ => true,
    }
}

/// Whether a zero width non-joiner breaks a cursive connection: (L|D) T* here T* (R|D).
fn joins(text: &[u32], at: usize, tables: &Tables) -> bool {
    let joining = |char: &u32| tables.behaviour(*char).map_or(b'U', |behaviour| behaviour.joining);
    let before = text[..at].iter().rev().map(joining).find(|joining| *joining != b'T');
    let after = text[at + 1..].iter().map(joining).find(|joining| *joining != b'T');
    matches!(before, Some(b'L' | b'D')) && matches!(after, Some(b'R' | b'D'))
}

/// Whether the text is in Normalization Form C.
fn is_composed(text: &[u32], tables: &Tables) -> bool {
    // The last starter; the classes of what was read behind it, all parts counted, and of marks that stayed apart.
    let (mut starter, mut last, mut apart) = (None, 0, None);
    for char in text {
        let combining = tables.behaviour(*char).map_or(0, |behaviour| behaviour.combining);
        if combining != 0 && combining < last {
            return false;
        }
        let blocked = apart.is_some_and(|apart| apart >= combining);
        if let Some(starter) = starter.filter(|_| !blocked)
            && tables.compositions.contains_key(&(starter, *char))
        {
            return false;
        }
        if combining == 0 {
            (starter, last, apart) = (Some(*char), tables.last_combining(*char), None);
        } else {
            (last, apart) = (combining, Some(combining));
        }
    }
    true
}

/// RFC 5893, section 2.
fn keeps_bidi(text: &[u32]) -> bool {
    let tables = &*TABLES;
    let class = |char: &u32| tables.behaviour(*char).map_or(b'L', |behaviour| behaviour.bidi);
    let Some(first) = text.first().map(class) else { return false };
    let end = text.iter().rev().map(class).find(|class| *class != b'M');
    let only = |classes: &[u8]| text.iter().map(class).all(|class| classes.contains(&class));
    let holds = |wanted: u8| text.iter().any(|char| class(char) == wanted);
    match first {
        b'L' => only(b"LESOBM") && matches!(end, Some(b'L' | b'E')),
        b'R' | b'A' => {
            only(b"RANESOBM") && matches!(end, Some(b'R' | b'A' | b'E' | b'N')) && !(holds(b'E') && holds(b'N'))
        }
        _ => false,
    }
}

/// Whether a code point may stand in some label.
pub(super) fn may_stand(char: u32) -> bool {
    TABLES.behaviour(char).is_some()
}

/// Whether what follows `xn--` may still become an A-label, as far as that is plain: not when it is too long, or encodes a
/// code point that may stand in no label.
pub(super) fn may_go_on(encoded: &[u8]) -> bool {
    if PREFIX.len() + encoded.len() > MAX_LABEL || encoded[0] == b'-' {
        return false;
    }
    // Without a hyphen all may yet turn out to be ASCII in front of one.
    let Some(end) = encoded.iter().rposition(|byte| *byte == b'-') else { return true };
    let mut decoder = Decoder::new(&encoded[..end]);
    let read = encoded[end + 1..].iter().try_for_each(|digit| {
        decoder.push(*digit)?;
        let all_stand = decoder.decoded.iter().all(|char| *char < 128 || may_stand(*char));
        (all_stand && decoder.code_point <= LAST).then_some(())
    });
    // A later hyphen makes ASCII of it all.
    read.is_some() || PREFIX.len() + encoded.len() + 2 <= MAX_LABEL
}

fn n_encoded(text: &[u32]) -> Option<usize> {
    Sorted::of(text)?.n_encoded()
}

/// Characters of the ASCII form of a text, longer than any label where there is none.
pub(super) fn n_ascii(text: Option<&Sorted>) -> usize {
    let n_ascii = text.and_then(|text| {
        let n_encoded = text.n_encoded()?;
        // Without a prefix, and the hyphen behind what is ASCII.
        Some(if text.is_ascii() { n_encoded.saturating_sub(1) } else { PREFIX.len() + n_encoded })
    });
    n_ascii.unwrap_or(usize::MAX / 2)
}

/// Whether a label that begins so plainly is none, whatever follows.
pub(super) fn is_hopeless(text: &[u32]) -> bool {
    let tables = &*TABLES;
    let hyphen = u32::from(b'-');
    let Some(first) = text.first() else { return false };
    if text.iter().all(|char| *char < 128) {
        let is_encoded = text.get(..2).is_some_and(|start| matches!(start, [0x58 | 0x78, 0x4E | 0x6E]));
        return *first == hyphen || text.get(2..4) == Some(&[hyphen; 2]) && !is_encoded;
    }
    let stands = |at: usize| {
        // What looks ahead is decided once there is something; a letter that all want to see may yet come.
        let waits = match text[at] {
            ZWNJ => text[at + 1..].iter().all(|char| tables.behaviour(*char).is_some_and(|it| it.joining == b'T')),
            MIDDLE_DOT | KERAIA => at + 1 == text.len(),
            KATAKANA_DOT => true,
            _ => false,
        };
        tables.behaviour(text[at]).is_some() && (waits || fits_context(text, at, tables))
    };
    *first == hyphen
        || is_in(&tables.marks, *first)
        || text.get(2..4) == Some(&[hyphen; 2])
        || !(0..text.len()).all(stands)
        || mixes_directions(text, tables)
        || !is_composed(text, tables)
}

/// Whether a label holds what its first character's direction does not allow.
fn mixes_directions(text: &[u32], tables: &Tables) -> bool {
    let class = |char: &u32| tables.behaviour(*char).map_or(b'L', |behaviour| behaviour.bidi);
    match text.first().map(class) {
        Some(b'R' | b'A') => text.iter().any(|char| class(char) == b'L'),
        _ => text.iter().any(|char| is_right_to_left(*char, tables)),
    }
}

/// The code points between two that may stand in some label.
pub(super) fn standing_in(lo: u32, hi: u32) -> impl Iterator<Item = u32> {
    let runs = &TABLES.runs;
    let first = runs.partition_point(|(_, last, _)| *last < lo);
    let met = runs[first..].iter().take_while(move |(first, ..)| *first <= hi);
    met.flat_map(move |(first, last, _)| (*first).max(lo)..=(*last).min(hi))
}

/// Endings that make an A-label of what follows `xn--` so far: all of one character and of two, where none is whole
/// already, and those by which all that was read is ASCII, with one letter more.
pub(super) fn endings(read: &[u8]) -> Vec<Vec<u8>> {
    const DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-";
    let is_label = |ending: &[u8]| a_label(&[read, ending].concat()).is_some();
    if !read.is_empty() && is_label(&[]) {
        return vec![Vec::new()];
    }
    let short = |n_chars: usize| {
        let n_endings = DIGITS.len().pow(n_chars as u32);
        let ending = move |number: usize| -> Vec<u8> {
            (0..n_chars as u32).map(|place| DIGITS[number / DIGITS.len().pow(place) % DIGITS.len()]).collect()
        };
        (0..n_endings).map(ending).filter(|ending| is_label(ending)).collect::<Vec<_>>()
    };
    let mut endings = if read.is_empty() { Vec::new() } else { short(1) };
    if endings.is_empty() && !read.is_empty() {
        endings = short(2);
    }
    endings.extend(endings_of_ascii(read));
    endings
}

/// Endings by which all that was read is ASCII: a letter that costs little, one that costs more, one from right to left.
fn endings_of_ascii(read: &[u8]) -> Vec<Vec<u8>> {
    let ascii: Vec<u32> = read.iter().map(|byte| u32::from(*byte)).collect();
    for letter in [0xDF, 0x4E00, 0x5D0] {
        let encoded = (0..=ascii.len()).filter_map(|place| {
            let mut text = ascii.clone();
            text.insert(place, letter);
            u_label(&text)?;
            punycode::encode(&text)
        });
        let found: Vec<Vec<u8>> = encoded.filter_map(|encoded| Some(encoded.strip_prefix(read)?.to_vec())).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}
