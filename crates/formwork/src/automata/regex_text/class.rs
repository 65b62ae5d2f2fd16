//! What may come next between the brackets of a class? Above all, no range from a character to one before it.

use super::block_of;
use super::escape::{Escape, Escaped};

/// Where within a class.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    place: Place,
    /// Whether no digit may come: behind `\0`.
    no_digit: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// Behind the bracket.
    Start,
    /// Behind a range, or where there is nothing that one could begin with.
    Fresh,
    /// Behind a character that a range may begin with.
    From(First),
    /// Behind such a character and a hyphen.
    To(u32),
    /// Behind the first half of a surrogate pair that ends a range. The other half must come where the range's first
    /// character is given.
    Half {
        lead: u32,
        least: Option<u32>,
    },
    /// Behind a set, and behind one and a hyphen: it begins no range.
    Set,
    SetHyphen,
    /// In an escape.
    Escape(Escape, Before),
}

/// A character that a range may begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct First {
    /// The least character that may end the range, for all that is known.
    least: u32,
    /// Whether it is the first half of a surrogate pair, and the other half may come.
    is_lead: bool,
}

/// What an escape comes behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Before {
    Nothing,
    /// The first half of a surrogate pair.
    Lead(u32),
    /// The hyphen of a range from this character.
    Hyphen(u32),
    /// The first half of a pair that ends a range, see [`Place::Half`].
    Half {
        lead: u32,
        least: Option<u32>,
    },
}

const LEADS: std::ops::RangeInclusive<u32> = 0xD800..=0xDBFF;
const TRAILS: std::ops::RangeInclusive<u32> = 0xDC00..=0xDFFF;

fn joined(lead: u32, trail: u32) -> u32 {
    0x1_0000 + ((lead - LEADS.start()) << 10) + (trail - TRAILS.start())
}

impl Class {
    pub(super) const START: Class = Class::at(Place::Start);

    const fn at(place: Place) -> Class {
        Class { place, no_digit: false }
    }

    /// One character further: `None` where no class goes on so, `Some(None)` where it ends.
    pub(super) fn step(&self, char: char) -> Option<Option<Class>> {
        if self.no_digit && char.is_ascii_digit() {
            return None;
        }
        let first = |before| match char {
            '\\' => Place::Escape(Escape::Start, before),
            _ => Place::From(First { least: block_of(char).1, is_lead: false }),
        };
        let next = match (&self.place, char) {
            (Place::Half { least: Some(_), .. }, char) if char != '\\' => return None,
            (Place::Escape(escape, before), _) => return step_escape(escape, *before, char).map(Some),
            (_, ']') => return Some(None),
            (Place::Start, '^') => Place::Fresh,
            (Place::From(first), '-') => Place::To(first.least),
            (Place::Set, '-') => Place::SetHyphen,
            (Place::SetHyphen, _) => return None,
            (Place::To(least), '\\') => Place::Escape(Escape::Start, Before::Hyphen(*least)),
            (Place::To(least), _) => (*least <= block_of(char).0).then_some(Place::Fresh)?,
            (Place::From(First { least, is_lead: true }), _) => first(Before::Lead(*least)),
            (Place::Half { lead, least }, _) => first(Before::Half { lead: *lead, least: *least }),
            (Place::Start | Place::Fresh | Place::From(_) | Place::Set, _) => first(Before::Nothing),
        };
        Some(Some(Class::at(next)))
    }

    /// Behind the hyphen of a range: the least character that ends it.
    pub(super) fn range_from(&self) -> Option<u32> {
        match self.place {
            Place::To(least) => Some(least),
            _ => None,
        }
    }

    /// A place that goes where this one does on all characters but one, and that character.
    pub(super) fn model(&self) -> Option<(Class, char)> {
        let other = match self.place {
            _ if self.no_digit => return None,
            Place::Start => '^',
            Place::From(First { is_lead: false, .. }) => '-',
            _ => return None,
        };
        Some((Class::at(Place::Fresh), other))
    }

    /// See [`Escape::behind_name`].
    pub(super) fn behind_name(&self) -> Option<(&'static str, Class)> {
        let Place::Escape(escape, before) = &self.place else { return None };
        let (rest, escape) = escape.behind_name()?;
        Some((rest, Class { place: Place::Escape(escape, *before), no_digit: self.no_digit }))
    }

    /// Characters to the nearest end of the class.
    pub(super) fn distance(&self) -> usize {
        match &self.place {
            // Four digits are the only way to the other half.
            Place::Escape(Escape::Start, Before::Half { least: Some(_), .. }) => 6,
            Place::Escape(Escape::Unicode, Before::Half { least: Some(_), .. }) => 5,
            Place::Escape(escape, Before::Hyphen(least)) => 1 + escape.chars_to(*least),
            Place::Escape(escape, _) => 1 + escape.distance(),
            Place::Half { least: Some(_), .. } => 7,
            _ => 1,
        }
    }
}

fn step_escape(escape: &Escape, before: Before, char: char) -> Option<Class> {
    let ascii = u8::try_from(char).ok().filter(u8::is_ascii)?;
    let escaped = match (escape, ascii) {
        (Escape::Start, b'b') => Escaped::Char { value: 8, is_unit: false, no_digit: false },
        (Escape::Start, b'-') => Escaped::Char { value: b'-'.into(), is_unit: false, no_digit: false },
        _ => escape.step(ascii)?,
    };
    Some(match escaped {
        Escaped::Within(escape) => can_end(&escape, before).then_some(Class::at(Place::Escape(escape, before)))?,
        Escaped::Char { value, is_unit, no_digit } => Class { place: behind(value, is_unit, before)?, no_digit },
        Escaped::Set => match before {
            // Sets end no range.
            Before::Hyphen(_) | Before::Half { least: Some(_), .. } => return None,
            _ => Class::at(Place::Set),
        },
    })
}

/// Where an escaped character leads.
fn behind(value: u32, is_unit: bool, before: Before) -> Option<Place> {
    let is_lead = is_unit && LEADS.contains(&value);
    let is_trail = is_unit && TRAILS.contains(&value);
    let first = Place::From(First { least: value, is_lead });
    match before {
        Before::Nothing => Some(first),
        Before::Lead(lead) if is_trail => Some(Place::From(First { least: joined(lead, value), is_lead: false })),
        Before::Lead(_) => Some(first),
        Before::Hyphen(least) if is_lead => {
            let fits = least <= joined(value, *TRAILS.end());
            fits.then(|| Place::Half { lead: value, least: Some(least).filter(|least| *least > value) })
        }
        Before::Hyphen(least) => (least <= value).then_some(Place::Fresh),
        Before::Half { lead, least } if is_trail => {
            least.is_none_or(|least| least <= joined(lead, value)).then_some(Place::Fresh)
        }
        Before::Half { least, .. } => least.is_none().then_some(first),
    }
}

/// Whether an escape can become what may stand behind `before`.
fn can_end(escape: &Escape, before: Before) -> bool {
    let (least, greatest) = escape.reach();
    let is_unit = matches!(escape, Escape::Start | Escape::Unicode | Escape::Hex { is_unit: true, .. });
    match before {
        Before::Hyphen(first) => {
            // With another half, the first half of a pair is the greater one.
            let last_lead = greatest.min(*LEADS.end());
            let has_lead = is_unit && last_lead >= least.max(*LEADS.start());
            greatest >= first.max(least) || (has_lead && joined(last_lead, *TRAILS.end()) >= first)
        }
        Before::Half { lead, least: Some(first) } => {
            let last_trail = greatest.min(*TRAILS.end());
            is_unit && last_trail >= least.max(*TRAILS.start()) && joined(lead, last_trail) >= first
        }
        _ => true,
    }
}
