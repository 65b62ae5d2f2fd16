//! Which byte does a character of a byte-level vocabulary stand for? The table that GPT-2 introduced.
//!
//! Bytes that Latin-1 prints stand for themselves; the others, in order, are the characters from U+0100 on.

/// The first character of the bytes that have no printable one.
const FIRST_STAND_IN: u32 = 0x100;

/// Bytes by character, U+0000 to U+0143.
pub(super) struct ByteLevelTable {
    bytes: [Option<u8>; 0x144],
}

impl ByteLevelTable {
    pub(super) fn new() -> ByteLevelTable {
        let mut bytes = [None; 0x144];
        let mut n_stand_ins = 0;
        for byte in 0..=u8::MAX {
            let character = if is_printable(byte) {
                u32::from(byte)
            } else {
                n_stand_ins += 1;
                FIRST_STAND_IN + n_stand_ins - 1
            };
            bytes[character as usize] = Some(byte);
        }
        ByteLevelTable { bytes }
    }

    /// The bytes of a token; those of its characters themselves where one of them is not in the table.
    pub(super) fn bytes(&self, content: &str) -> Vec<u8> {
        let mapped: Option<Vec<u8>> = content.chars().map(|character| self.byte(character)).collect();
        mapped.unwrap_or_else(|| content.as_bytes().to_vec())
    }

    fn byte(&self, character: char) -> Option<u8> {
        self.bytes.get(character as usize).copied().flatten()
    }
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        let table = ByteLevelTable::new();
        let mut bytes: Vec<u8> = table.bytes.iter().filter_map(|byte| *byte).collect();
        bytes.sort_unstable();
        assert!(bytes.iter().copied().eq(0..=u8::MAX));
    }

    #[test]
    fn known_tokens() {
        let table = ByteLevelTable::new();
        assert_eq!(table.bytes("ĠGrÃ¼ÃŁe"), " Grüße".as_bytes());
        assert_eq!(table.bytes("Ċĉ"), b"\n\t");
        assert_eq!(table.bytes("two words"), b"two words", "an added token stands for itself");
    }
}
