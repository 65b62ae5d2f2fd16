//! Is this text JSON? What `contentMediaType: application/json` asks of a string's content.
//!
//! No regular matter: a state holds the brackets that are open. Every state can be completed, so that nothing needs to be
//! searched.

use super::alphabet::AlphabetBuilder;
use super::decoder::{DecodeState, Escapes};

/// Where in a JSON text, between two characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct JsonState {
    place: Place,
    /// By open bracket, the outermost first: whether it is an object's.
    open: Vec<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// Before a value; or, behind `[`, before the end.
    Value {
        may_close: bool,
    },
    /// Before a key; or, behind `{`, before the end.
    Key {
        may_close: bool,
    },
    /// Behind a key.
    Colon,
    /// Behind a value.
    After,
    String {
        is_key: bool,
        decode: DecodeState,
    },
    Number(Number),
    /// So many characters into one of the names of constants.
    Name(&'static str, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Number {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl JsonState {
    pub(super) fn start() -> JsonState {
        JsonState { place: Place::Value { may_close: false }, open: Vec::new() }
    }

    /// One character further; `None` where no JSON text goes on so.
    pub(super) fn step(&self, char: char) -> Option<JsonState> {
        let mut next = self.clone();
        let byte = u8::try_from(char).unwrap_or(0xFF);
        match self.place {
            Place::String { is_key, decode } => {
                let mut decode = decode;
                for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                    decode = decode.step(byte, Escapes::Any)?.state;
                }
                next.place = match (decode == DecodeState::CLOSED, is_key) {
                    (false, _) => Place::String { is_key, decode },
                    (true, true) => Place::Colon,
                    (true, false) => Place::After,
                };
            }
            Place::Number(number) => match number.step(byte) {
                Some(number) => next.place = Place::Number(number),
                None if number.is_whole() => return JsonState { place: Place::After, ..next }.step(char),
                None => return None,
            },
            Place::Name(name, n_read) => {
                (name.as_bytes().get(n_read) == Some(&byte)).then_some(())?;
                next.place = if n_read + 1 == name.len() { Place::After } else { Place::Name(name, n_read + 1) };
            }
            _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
            Place::Value { may_close } => next.begin_value(byte, may_close)?,
            Place::Key { may_close: true } if byte == b'}' => next.close(true)?,
            Place::Key { .. } => {
                (byte == b'"').then_some(())?;
                next.place = Place::String { is_key: true, decode: DecodeState::BODY };
            }
            Place::Colon => {
                (byte == b':').then_some(())?;
                next.place = Place::Value { may_close: false };
            }
            Place::After => match byte {
                b',' => {
                    next.place = match next.open.last()? {
                        true => Place::Key { may_close: false },
                        false => Place::Value { may_close: false },
                    };
                }
                b']' => next.close(false)?,
                b'}' => next.close(true)?,
                _ => return None,
            },
        }
        Some(next)
    }

    fn begin_value(&mut self, byte: u8, may_close: bool) -> Option<()> {
        self.place = match byte {
            b'[' => {
                self.open.push(false);
                Place::Value { may_close: true }
            }
            b'{' => {
                self.open.push(true);
                Place::Key { may_close: true }
            }
            b']' if may_close => return self.close(false),
            b'"' => Place::String { is_key: false, decode: DecodeState::BODY },
            b'-' => Place::Number(Number::Minus),
            b'0' => Place::Number(Number::Zero),
            b'1'..=b'9' => Place::Number(Number::Whole),
            b't' => Place::Name("true", 1),
            b'f' => Place::Name("false", 1),
            b'n' => Place::Name("null", 1),
            _ => return None,
        };
        Some(())
    }

    fn close(&mut self, is_object: bool) -> Option<()> {
        self.place = Place::After;
        (self.open.pop()? == is_object).then_some(())
    }

    pub(super) fn is_accepting(&self) -> bool {
        let is_whole = match self.place {
            Place::After => true,
            Place::Number(number) => number.is_whole(),
            _ => false,
        };
        is_whole && self.open.is_empty()
    }

    /// Characters of the shortest rest with which this is a JSON text. There is one of each length above, as whitespace may
    /// follow.
    pub(super) fn distance(&self) -> u32 {
        let in_place = match self.place {
            Place::Value { may_close: true } | Place::Key { may_close: true } | Place::After => 0,
            Place::Value { may_close: false } => 1,
            Place::Key { may_close: false } => "\"\":0".len(),
            Place::Colon => 2,
            Place::String { is_key, decode } => decode.chars_left() + if is_key { 3 } else { 1 },
            Place::Number(number) => usize::from(!number.is_whole()),
            Place::Name(name, n_read) => name.len() - n_read,
        };
        u32::try_from(self.open.len() + in_place).unwrap_or(u32::MAX)
    }

    /// A shortest rest with which this is a JSON text; whitespace may follow it.
    pub(super) fn shortest_text(&self) -> Option<String> {
        let (mut state, mut rest) = (self.clone(), String::new());
        while state.distance() as usize > state.open.len() {
            let distance = state.distance();
            let mut ways = (' '..='~').filter_map(|char| Some((char, state.step(char)?)));
            let (char, next) = ways.find(|(_, next)| next.distance() < distance)?;
            rest.push(char);
            state = next;
        }
        rest.extend(state.open.iter().rev().map(|is_object| if *is_object { '}' } else { ']' }));
        Some(rest)
    }

    /// With `n` more characters, none of them a backslash, there is room for a whole text in so many and two for each of the
    /// `n`, as each may open a bracket.
    pub(super) fn room(&self) -> u32 {
        u32::try_from(self.open.len() + 16).unwrap_or(u32::MAX)
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.open.capacity()
    }
}

impl Number {
    fn step(self, byte: u8) -> Option<Number> {
        Some(match (self, byte) {
            (Number::Minus, b'0') => Number::Zero,
            (Number::Minus, b'1'..=b'9') | (Number::Whole, b'0'..=b'9') => Number::Whole,
            (Number::Zero | Number::Whole, b'.') => Number::Point,
            (Number::Point | Number::Fraction, b'0'..=b'9') => Number::Fraction,
            (Number::Zero | Number::Whole | Number::Fraction, b'e' | b'E') => Number::Exponent,
            (Number::Exponent, b'+' | b'-') => Number::ExponentSign,
            (Number::Exponent | Number::ExponentSign | Number::ExponentDigits, b'0'..=b'9') => Number::ExponentDigits,
            _ => return None,
        })
    }

    fn is_whole(self) -> bool {
        matches!(self, Number::Zero | Number::Whole | Number::Fraction | Number::ExponentDigits)
    }
}

/// Tells all characters of ASCII apart.
pub(super) fn add_classes(builder: &mut AlphabetBuilder) {
    (0..128).for_each(|char| builder.add(vec![(char, char)]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// It can be completed in as many characters as it says, and not in fewer.
    fn check_distance(place: &JsonState) {
        let ways = (0..128u8).map(char::from).filter_map(|char| place.step(char));
        let nearest = ways.map(|next| next.distance()).min();
        match place.distance() {
            0 => assert!(place.is_accepting() && place.step(' ').is_some_and(|longer| longer.is_accepting())),
            distance => assert_eq!(nearest, Some(distance - 1), "{place:?}"),
        }
        let rest = place.shortest_text().unwrap();
        assert_eq!(rest.chars().count(), place.distance() as usize, "{place:?} {rest}");
        let end = rest.chars().chain([' ']).try_fold(place.clone(), |place, char| place.step(char));
        assert!(end.is_some_and(|end| end.is_accepting()), "{place:?} {rest}");
    }

    #[test]
    fn texts_are_json_where_serde_json_reads_them() {
        let alphabet = b"[]{}:,\"\\0-1.e+ tn";
        let mut random = Random(99);
        let texts = [
            r#"{"a": [1, -0.5e+3, true, null, "é\u00e9\uD834\uDD1E"], "b": {}}"#,
            " 0 ",
            "[]",
            "{:}",
            "01",
            "[1,]",
            "",
        ];
        let mut all: Vec<String> = texts.map(str::to_owned).into();
        for _ in 0..20_000 {
            let mut text = texts[random.below(4)].as_bytes().to_vec();
            for _ in 0..random.below(3) {
                let at = random.below(text.len() + 1);
                text.insert(at, alphabet[random.below(alphabet.len())]);
            }
            all.extend(String::from_utf8(text));
        }
        for text in all {
            let mut places = vec![JsonState::start()];
            let end = text.chars().try_fold(JsonState::start(), |state, char| {
                let next = state.step(char)?;
                places.push(next.clone());
                Some(next)
            });
            for (n_read, place) in places.iter().enumerate() {
                check_distance(place);
                for (n_more, longer) in places[n_read..].iter().take(24).enumerate() {
                    assert!(longer.distance() <= place.room() + n_more as u32, "{place:?} {longer:?}");
                }
            }
            let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert_eq!(end.is_some_and(|state| state.is_accepting()), is_json, "{text:?}");
        }
    }
}
