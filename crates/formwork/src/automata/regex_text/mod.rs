//! Is this text a regular expression of ECMA-262? What `format: regex` asks of a string's content.
//!
//! Expressions are read with the flag `u`, as those of JSON Schema are meant to be: the grammar of the standard's section
//! "Patterns" (ES2020), without what its Annex B lets browsers read. It is no regular matter: a state holds the groups that
//! are open, and which names and numbers of groups are still owed. Every state can be completed.
//!
//! Characters are told apart by class, so of the language are left out what would need more: names of groups that are not
//! of ASCII, references to groups beyond the 99th, and ranges between two characters beyond ASCII that [`BLOCKS`] does not
//! tell apart (their escapes do).

mod class;
mod escape;

use std::cmp::Ordering;

use self::class::Class;
use self::escape::{Escape, Escaped};
use super::alphabet::AlphabetBuilder;

/// Greatest number of a group that is referred to.
const MAX_REFERENCE: u8 = 99;

/// More characters than the name of a property of characters has.
const LONGEST_PROPERTY: usize = 100;

/// Stands in the names of a trial for what is in no other name, and for numbers.
const NEW: &str = "?";

/// Stands in a rest for a letter, of those that names are made of, that is not known.
pub(super) const ANY_LETTER: char = '\0';

/// Characters that a name can begin with, and those that it can go on with.
const N_NAME_STARTS: usize = 54;
const N_NAME_PARTS: usize = 64;

/// Bytes that an escape may hold.
const ESCAPE_BYTES: usize = 32;

/// Where the characters beyond ASCII are cut into blocks, each up to the next: at the ends of alphabets, that ranges are
/// given by.
const BLOCKS: [u32; 83] = [
    0x80, 0xA0, 0xA1, 0xC0, 0xC1, 0xD6, 0xD7, 0xD8, 0xD9, 0xF6, 0xF7, 0xF8, 0xF9, 0xFF, 0x100, 0x101, 0x17F, 0x180,
    0x24F, 0x250, 0x391, 0x392, 0x3A9, 0x3AA, 0x3B1, 0x3B2, 0x3C9, 0x3CA, 0x400, 0x401, 0x402, 0x410, 0x411, 0x42F,
    0x430, 0x431, 0x44F, 0x450, 0x451, 0x452, 0x4FF, 0x500, 0x5D0, 0x5D1, 0x5EA, 0x5EB, 0x600, 0x601, 0x621, 0x622,
    0x64A, 0x64B, 0x6FF, 0x700, 0xE01, 0xE02, 0x1E00, 0x1EFF, 0x1F00, 0x3041, 0x3042, 0x3093, 0x3094, 0x30A1, 0x30A2,
    0x30F6, 0x30F7, 0x30FF, 0x3100, 0x4E00, 0x4E01, 0x9FA5, 0x9FA6, 0x9FFF, 0xA000, 0xAC00, 0xAC01, 0xD7A3, 0xD7A4,
    0xFFFF, 0x1_0000, 0x10_FFFF, 0x11_0000,
];

/// Where in an expression, between two characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RegexState {
    place: Place,
    /// By open group, the outermost first: whether it may be repeated.
    open: Vec<bool>,
    /// Groups so far that capture, as far as references reach.
    n_groups: u8,
    /// The greatest number referred to that no group has yet; 0 is none.
    owed: u8,
    /// Names of groups so far, and those that were referred to and are of none yet; sorted.
    names: Vec<Box<str>>,
    owed_names: Vec<Box<str>>,
    /// Whether names that are not known so far, and the first numbers of quantifiers, are not told apart: [`NEW`] stands for
    /// each character of a name, and for a number.
    is_trial: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// Between two terms.
    Term {
        /// Whether the last one may be repeated.
        repeatable: bool,
        /// Whether no digit may come: behind `\0`.
        no_digit: bool,
    },
    /// Behind a quantifier.
    Quantified,
    /// Within braces: the digits of the least number, and behind a comma those of the greatest.
    Braces {
        least: Box<[u8]>,
        greatest: Option<Box<[u8]>>,
    },
    /// Behind `(`, `(?` and `(?<`.
    Group,
    GroupKind,
    GroupAngle,
    /// In a group's name.
    GroupName(Box<str>),
    /// Behind `\k`, and in the name that follows.
    NameReference(Option<Box<str>>),
    /// In the number of a group.
    Reference(u8),
    /// Behind `\`.
    Escape(Escape),
    /// Behind `[`.
    Class(Class),
}

const TERM: Place = Place::Term { repeatable: false, no_digit: false };
const ATOM: Place = Place::Term { repeatable: true, no_digit: false };

impl RegexState {
    pub(super) fn start() -> RegexState {
        let (names, owed_names) = (Vec::new(), Vec::new());
        RegexState { place: TERM, open: Vec::new(), n_groups: 0, owed: 0, names, owed_names, is_trial: false }
    }

    /// One character further; `None` where no expression goes on so.
    pub(super) fn step(&self, char: char) -> Option<RegexState> {
        let mut next = self.clone();
        let ascii = u8::try_from(char).unwrap_or(0xFF);
        next.place = match &self.place {
            Place::Term { no_digit: true, .. } if ascii.is_ascii_digit() => return None,
            Place::Term { repeatable, .. } => next.step_term(ascii, *repeatable)?,
            Place::Quantified if ascii == b'?' => TERM,
            Place::Quantified => next.step_term(ascii, false)?,
            Place::Braces { least, greatest } => step_braces(least, greatest.as_deref(), ascii, self.is_trial)?,
            Place::Group if ascii == b'?' => Place::GroupKind,
            Place::Group => {
                next.open_capturing();
                next.step_term(ascii, false)?
            }
            Place::GroupKind if ascii == b'<' => Place::GroupAngle,
            Place::GroupKind => {
                matches!(ascii, b':' | b'=' | b'!').then_some(())?;
                next.open.push(ascii == b':');
                TERM
            }
            Place::GroupAngle if matches!(ascii, b'=' | b'!') => {
                next.open.push(false);
                TERM
            }
            Place::GroupAngle => next.group_name(longer_name("", ascii)?),
            Place::GroupName(name) if ascii == b'>' => {
                let at = next.names.binary_search(name).err()?;
                next.names.insert(at, name.clone());
                if let Ok(at) = next.owed_names.binary_search(name) {
                    next.owed_names.remove(at);
                }
                next.open_capturing();
                TERM
            }
            Place::GroupName(name) => next.group_name(longer_name(name, ascii)?),
            Place::NameReference(None) => {
                (ascii == b'<').then_some(())?;
                Place::NameReference(Some("".into()))
            }
            Place::NameReference(Some(name)) if ascii == b'>' && !name.is_empty() => {
                if self.names.binary_search(name).is_err()
                    && let Err(at) = next.owed_names.binary_search(name)
                {
                    next.owed_names.insert(at, name.clone());
                }
                ATOM
            }
            Place::NameReference(Some(name)) => next.reference_to(longer_name(name, ascii)?),
            Place::Reference(number) if ascii.is_ascii_digit() => {
                let number = number.checked_mul(10)?.checked_add(ascii - b'0')?;
                (number <= MAX_REFERENCE).then_some(Place::Reference(number))?
            }
            Place::Reference(number) => {
                next.refer(*number);
                next.step_term(ascii, true)?
            }
            Place::Escape(Escape::Start) if matches!(ascii, b'1'..=b'9') => Place::Reference(ascii - b'0'),
            Place::Escape(Escape::Start) if matches!(ascii, b'b' | b'B') => TERM,
            Place::Escape(Escape::Start) if ascii == b'k' => Place::NameReference(None),
            Place::Escape(escape) => match escape.step(ascii)? {
                Escaped::Within(escape) => Place::Escape(escape),
                Escaped::Char { no_digit, .. } => Place::Term { repeatable: true, no_digit },
                Escaped::Set => ATOM,
            },
            Place::Class(class) => class.step(char)?.map_or(ATOM, Place::Class),
        };
        Some(next)
    }

    /// A state from which the same texts are expressions, but those with two more names or both numbers of a quantifier, and
    /// that tells apart no names but those that are known, and no numbers: there are as many as tokens.
    pub(super) fn trial(&self) -> Option<RegexState> {
        let mut trial = RegexState { is_trial: true, ..self.clone() };
        match &self.place {
            Place::GroupName(name) => trial.place = trial.group_name(name.clone()),
            Place::NameReference(Some(name)) => trial.place = trial.reference_to(name.clone()),
            _ => {}
        }
        (!self.is_trial).then_some(trial)
    }

    fn group_name(&self, name: Box<str>) -> Place {
        Place::GroupName(if self.is_new(&name) { NEW.into() } else { name })
    }

    /// The length of a name that is referred to is that of the group which must come.
    fn reference_to(&self, name: Box<str>) -> Place {
        Place::NameReference(Some(if self.is_new(&name) { NEW.repeat(name.len()).into() } else { name }))
    }

    /// Whether no name that is known can become of a beginning, and nobody wants to know more of it.
    fn is_new(&self, name: &str) -> bool {
        self.is_trial && !self.names.iter().chain(&self.owed_names).any(|known| known.starts_with(name))
    }

    /// For each of some characters, the first of them that leads where it does; nothing where few are alike.
    pub(super) fn alike(&self, chars: &[char], alike: &mut Vec<u8>) {
        let in_term = matches!(self.place, Place::Term { .. } | Place::Quantified | Place::Group);
        let least = match &self.place {
            Place::Class(class) => match class.range_from() {
                Some(least) => Some(least),
                None => return,
            },
            _ => None,
        };
        let lead_of = |char: char| match (char, least) {
            ('\\' | ']', _) => char as usize,
            (_, Some(least)) => usize::from(least <= block_of(char).0),
            ('0'..='9', _) if in_term => '0' as usize,
            _ if char.is_ascii_punctuation() || char.is_ascii_alphanumeric() && !in_term => char as usize,
            _ => 0,
        };
        let mut firsts = [None; 0x80];
        let first = |(class, char): (usize, &char)| *firsts[lead_of(*char)].get_or_insert(class as u8);
        alike.extend(chars.iter().enumerate().map(first));
    }

    /// A place that goes where this one does on all characters but one, and that character.
    pub(super) fn model(&self) -> Option<(RegexState, char)> {
        let Place::Class(class) = &self.place else { return None };
        let (class, other) = class.model()?;
        Some((RegexState { place: Place::Class(class), ..self.clone() }, other))
    }

    /// Where the first character of a term leads, or what stands between terms.
    fn step_term(&mut self, ascii: u8, repeatable: bool) -> Option<Place> {
        Some(match ascii {
            b'*' | b'+' | b'?' if repeatable => Place::Quantified,
            b'{' if repeatable => Place::Braces { least: Box::default(), greatest: None },
            b'*' | b'+' | b'?' | b'{' | b'}' | b']' => return None,
            b'^' | b'$' | b'|' => TERM,
            b'(' => Place::Group,
            b')' => Place::Term { repeatable: self.open.pop()?, no_digit: false },
            b'[' => Place::Class(Class::START),
            b'\\' => Place::Escape(Escape::Start),
            _ => ATOM,
        })
    }

    fn open_capturing(&mut self) {
        self.open.push(true);
        self.n_groups = MAX_REFERENCE.min(self.n_groups + 1);
        if self.owed <= self.n_groups {
            self.owed = 0;
        }
    }

    fn refer(&mut self, number: u8) {
        if number > self.n_groups {
            self.owed = self.owed.max(number);
        }
    }

    pub(super) fn is_accepting(&self) -> bool {
        let is_whole = match self.place {
            Place::Term { .. } | Place::Quantified => true,
            Place::Reference(number) => number <= self.n_groups,
            _ => false,
        };
        is_whole && self.open.is_empty() && self.owed == 0 && self.owed_names.is_empty()
    }

    /// Characters of the shortest rest with which this is an expression. There is one of each length above.
    pub(super) fn distance(&self) -> u32 {
        let n_names = self.owed_names.len();
        let (all_owed, n_more) = self.all_owed();
        // What a group that is new anyway saves.
        let group = if n_more > 0 { 2 } else { 0 };
        let in_place = match &self.place {
            Place::Term { .. } | Place::Quantified | Place::Reference(_) => all_owed,
            Place::Braces { least, greatest: None } => all_owed + 1 + usize::from(least.is_empty()),
            Place::Braces { least, greatest: Some(greatest) } => all_owed + 1 + digits_missing(least, greatest),
            Place::Group if n_names > 0 => all_owed - 1,
            Place::Group => all_owed + 1 - group,
            Place::GroupKind if n_names > 0 => all_owed - 2,
            Place::GroupKind => all_owed + 2,
            Place::GroupAngle if n_names > 0 => all_owed - 3,
            Place::GroupAngle => all_owed + if n_more > 0 && self.chars_to_new("") == 1 { 1 } else { 2 },
            Place::GroupName(name) if self.owed_names.iter().any(|owed| owed.starts_with(&**name)) => {
                all_owed - name.len() - 3
            }
            Place::GroupName(name) => all_owed + 2 + self.chars_to_new(name) - group,
            Place::NameReference(None) => all_owed + 1 + self.chars_to_name("", group),
            Place::NameReference(Some(name)) => all_owed + self.chars_to_name(name, group),
            Place::Escape(escape) => all_owed + escape.distance(),
            Place::Class(class) => all_owed + class.distance(),
        };
        u32::try_from(self.open.len() + in_place).unwrap_or(u32::MAX)
    }

    /// Whether a character may follow a shortest rest, again and again: a digit might go on with a number.
    pub(super) fn may_follow(&self, rest: &str, char: char) -> bool {
        let takes_digits = matches!(self.place, Place::Term { no_digit: false, .. } | Place::Quantified);
        let is_apart = takes_digits || rest.ends_with([')', ']', '}', 'a', ' ']);
        char.is_alphabetic() || char == ' ' || is_apart && char.is_numeric()
    }

    /// A shortest rest with which this is an expression, but for what is asked for in each group and at the end: nothing, or a
    /// plain letter. Of a name that nobody knows each character is [`ANY_LETTER`].
    pub(super) fn shortest_text(&self, in_groups: &str) -> Option<String> {
        let (mut state, mut rest) = (self.clone(), String::new());
        // A name is long, and the nearest is looked up.
        let behind_name = match &state.place {
            Place::Escape(escape) => escape.behind_name().map(|(name, escape)| (name, Place::Escape(escape))),
            Place::Class(class) => class.behind_name().map(|(name, class)| (name, Place::Class(class))),
            _ => None,
        };
        if let Some((name, place)) = behind_name {
            rest.push_str(name);
            state.place = place;
        }
        while !matches!(state.place, Place::Term { .. } | Place::Quantified | Place::Reference(_)) {
            let distance = state.distance();
            // Mostly it is one of these.
            let chars = ['}', ']', '>', ':'].into_iter().chain(' '..='~');
            let mut ways = chars.filter_map(|char| Some((char, state.step(char)?)));
            let (char, next) = ways.find(|(_, next)| next.distance() < distance)?;
            rest.push(char);
            state = next;
        }
        let (_, n_more) = state.all_owed();
        for name in &state.owed_names {
            rest.push_str("(?<");
            rest.extend(name.chars().map(|char| if NEW.contains(char) { ANY_LETTER } else { char }));
            rest.extend([">", in_groups, ")"]);
        }
        (0..n_more).for_each(|_| rest.extend(["(", in_groups, ")"]));
        state.open.iter().for_each(|_| rest.extend([in_groups, ")"]));
        rest.push_str(in_groups);
        Some(rest)
    }

    /// Characters of the groups that are owed, and how many of them need no name.
    fn all_owed(&self) -> (usize, usize) {
        let owed = match self.place {
            Place::Reference(number) if number > self.n_groups => self.owed.max(number),
            _ => self.owed,
        };
        // `()` for a group, and `(?<a>)` for one with a name.
        let n_more = usize::from(owed).saturating_sub(usize::from(self.n_groups) + self.owed_names.len());
        let named: usize = self.owed_names.iter().map(|name| name.len() + 5).sum();
        (named + 2 * n_more, n_more)
    }

    /// With `n` more characters, none of them a backslash, there is room for a whole expression in so many and two for each
    /// of the `n`: each may open a group, or make a number or a name longer that another must come up to.
    pub(super) fn room(&self) -> u32 {
        let in_place = match &self.place {
            Place::Reference(_) | Place::Escape(Escape::Start) => 2 * usize::from(MAX_REFERENCE) + 4,
            Place::Escape(Escape::Property(_)) => 2 * LONGEST_PROPERTY,
            Place::NameReference(name) => 16 + name.as_ref().map_or(0, |name| name.len()),
            Place::Braces { least, .. } => 4 + least.len(),
            _ => 16,
        };
        u32::try_from(self.open.len() + self.all_owed().0 + in_place).unwrap_or(u32::MAX)
    }

    /// Characters that make of a beginning a name that no group has yet.
    fn chars_to_new(&self, begun: &str) -> usize {
        let n_taken = |n_more: usize| {
            let is_taken = |name: &&str| name.len() == begun.len() + n_more && name.starts_with(begun);
            self.names.iter().map(|name| &**name).filter(is_taken).count()
        };
        let n_next = if begun.is_empty() { N_NAME_STARTS } else { N_NAME_PARTS };
        // To take all with two more, a group would need thousands of others.
        match (n_taken(0), n_taken(1)) {
            (0, _) if !begun.is_empty() => 0,
            (_, n_taken) if n_taken < n_next => 1,
            _ => 2,
        }
    }

    /// Characters to the end of a reference, and of the group with that name where there is none yet.
    fn chars_to_name(&self, begun: &str, group: usize) -> usize {
        let known = self.names.iter().chain(&self.owed_names).filter(|name| name.starts_with(begun));
        let known = known.map(|name| name.len() - begun.len() + 1).min();
        let n_new = usize::from(begun.is_empty());
        let new = n_new + 1 + (begun.len() + n_new + 5) - group;
        known.map_or(new, |known| known.min(new))
    }

    pub(super) fn n_bytes(&self) -> usize {
        let names = self.names.iter().chain(&self.owed_names).map(|name| name.len() + 16).sum::<usize>();
        let in_place = match &self.place {
            Place::Braces { least, greatest } => least.len() + greatest.as_ref().map_or(0, |greatest| greatest.len()),
            Place::GroupName(name) | Place::NameReference(Some(name)) => name.len(),
            Place::Escape(_) | Place::Class(_) => ESCAPE_BYTES,
            _ => 0,
        };
        self.open.capacity() + names + in_place
    }
}

/// Whether names are made of a character.
pub(super) fn is_name_part(ascii: u8) -> bool {
    ascii.is_ascii_alphanumeric() || b"$_".contains(&ascii)
}

fn longer_name(name: &str, ascii: u8) -> Option<Box<str>> {
    let is_part = is_name_part(ascii) && !(ascii.is_ascii_digit() && name.is_empty());
    is_part.then(|| [name, char::from(ascii).encode_utf8(&mut [0; 4])].concat().into())
}

/// One character further within the braces of a quantifier, whose second number must not be the smaller one.
fn step_braces(least: &[u8], greatest: Option<&[u8]>, ascii: u8, is_trial: bool) -> Option<Place> {
    match (ascii, greatest) {
        (b'0'..=b'9', None) if is_trial => Some(Place::Braces { least: NEW.as_bytes().into(), greatest: None }),
        (b'0'..=b'9', None) => Some(Place::Braces { least: longer_number(least, ascii), greatest: None }),
        (b'0'..=b'9', Some(greatest)) => Some(compared(least, longer_number(greatest, ascii))),
        (b',', None) if !least.is_empty() => {
            Some(Place::Braces { least: least.into(), greatest: Some(Box::default()) })
        }
        (b'}', None) if !least.is_empty() => Some(Place::Quantified),
        (b'}', Some(greatest)) if is_ordered(least, greatest) => Some(Place::Quantified),
        _ => None,
    }
}

/// Two numbers of a quantifier as the first ones of all that go on in the same way: what matters of their digits is how
/// they compare as far as both are known, and what the second one has yet to reach.
fn compared(least: &[u8], greatest: Box<[u8]>) -> Place {
    let pair = |least: &[&[u8]], greatest: &[u8]| (least.concat().into(), greatest.into());
    let (least, greatest) = match least.split_at_checked(greatest.len()) {
        // Zeros are no digits yet.
        _ if *greatest == *b"0" => (least.into(), greatest),
        Some((begun, rest)) => match (greatest[..].cmp(begun), rest.len()) {
            (Ordering::Less, n_left) => pair(&[b"2", &b"0".repeat(n_left)], b"1"),
            (_, 0) => pair(&[b"0"], b"9"),
            (Ordering::Equal, _) => pair(&[b"1", rest], b"1"),
            (Ordering::Greater, n_left) => pair(&[b"1", &b"0".repeat(n_left)], b"2"),
        },
        None => pair(&[b"0"], b"9"),
    };
    Place::Braces { least, greatest: Some(greatest) }
}

/// Digits without which the greatest number, if there is one, is below the least.
fn digits_missing(least: &[u8], greatest: &[u8]) -> usize {
    if is_ordered(least, greatest) {
        return 0;
    }
    let digits = if greatest == b"0" { &[] } else { greatest };
    // With as many as `least` has it is not below that, if it is all nines from here on and was not below so far.
    least.len() - digits.len() + usize::from(digits < &least[..digits.len()])
}

/// Whether the greatest number, if there is one, is not below the least.
fn is_ordered(least: &[u8], greatest: &[u8]) -> bool {
    greatest.is_empty() || (greatest.len(), greatest) >= (least.len(), least)
}

/// A number's digits and one more; zeros before others make no difference.
fn longer_number(digits: &[u8], digit: u8) -> Box<[u8]> {
    let digits = if digits == b"0" { &[] } else { digits };
    [digits, &[digit]].concat().into()
}

/// Tells apart all characters of ASCII, and the blocks beyond.
pub(super) fn add_classes(builder: &mut AlphabetBuilder) {
    (0..0x80).for_each(|char| builder.add(vec![(char, char)]));
    BLOCKS.windows(2).for_each(|block| builder.add(vec![(block[0], block[1] - 1)]));
}

/// The first and the last character that are not told apart from a character.
fn block_of(char: char) -> (u32, u32) {
    let char = u32::from(char);
    match BLOCKS.partition_point(|start| *start <= char) {
        0 => (char, char),
        next => (BLOCKS[next - 1], BLOCKS.get(next).map_or(u32::MAX, |end| *end - 1)),
    }
}

#[cfg(test)]
mod tests;
