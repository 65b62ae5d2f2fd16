//! Which text does a JSON string hold so far? Characters and escapes, one at a time.

use super::error::JsonFault;

/// Where in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StringPhase {
    /// Between two characters.
    Plain,
    /// Behind a backslash.
    Escape,
    /// Within `\uXXXX`, behind the high half of a pair where there is one.
    Unicode { high: Option<u16>, n_digits: u8, unit: u16 },
    /// Behind the high half of a pair: a backslash must follow.
    Pair { high: u16 },
    /// Behind the high half of a pair and a backslash: `u` must follow.
    PairEscape { high: u16 },
}

/// What a character of the text does to the string.
pub(super) enum StringStep {
    /// Goes on without a further character.
    Phase(StringPhase),
    /// Adds a character.
    Character(char),
    /// Ends the string.
    End,
}

impl StringPhase {
    pub(super) fn step(self, character: char) -> Result<StringStep, JsonFault> {
        match self {
            StringPhase::Plain => match character {
                '"' => Ok(StringStep::End),
                '\\' => Ok(StringStep::Phase(StringPhase::Escape)),
                '\0'..'\x20' => Err(JsonFault::ControlCharacter),
                _ => Ok(StringStep::Character(character)),
            },
            StringPhase::Escape => escape(character),
            StringPhase::Unicode { high, n_digits, unit } => {
                let digit = character.to_digit(16).and_then(|digit| u16::try_from(digit).ok());
                let unit = unit << 4 | digit.ok_or(JsonFault::Escape)?;
                match n_digits {
                    3 => code_unit(high, unit),
                    _ => Ok(StringStep::Phase(StringPhase::Unicode { high, n_digits: n_digits + 1, unit })),
                }
            }
            StringPhase::Pair { high } => match character {
                '\\' => Ok(StringStep::Phase(StringPhase::PairEscape { high })),
                _ => Err(JsonFault::LoneSurrogate),
            },
            StringPhase::PairEscape { high } => match character {
                'u' => Ok(StringStep::Phase(StringPhase::Unicode { high: Some(high), n_digits: 0, unit: 0 })),
                _ => Err(JsonFault::LoneSurrogate),
            },
        }
    }
}

fn escape(character: char) -> Result<StringStep, JsonFault> {
    let meant = match character {
        '"' | '\\' | '/' => character,
        'b' => '\x08',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return Ok(StringStep::Phase(StringPhase::Unicode { high: None, n_digits: 0, unit: 0 })),
        _ => return Err(JsonFault::Escape),
    };
    Ok(StringStep::Character(meant))
}

/// What a whole `\uXXXX` does.
fn code_unit(high: Option<u16>, unit: u16) -> Result<StringStep, JsonFault> {
    if high.is_none() && (0xD800..0xDC00).contains(&unit) {
        return Ok(StringStep::Phase(StringPhase::Pair { high: unit }));
    }
    let mut decoded = char::decode_utf16(high.into_iter().chain([unit]));
    match decoded.next() {
        Some(Ok(character)) => Ok(StringStep::Character(character)),
        _ => Err(JsonFault::LoneSurrogate),
    }
}
