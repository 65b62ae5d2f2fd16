//! Which vocabulary serves where no model is at hand? One token for each byte, and one to stop.

use formwork::{TokenId, Vocabulary, VocabularyError};

/// A vocabulary of single bytes: token `b` is byte `b`, token 256 ends the text.
pub(crate) fn byte_vocabulary() -> Result<Vocabulary, VocabularyError> {
    let mut builder = Vocabulary::builder();
    for byte in 0..=u8::MAX {
        builder.text(TokenId::new(byte.into()), [byte]);
    }
    builder.stop(TokenId::new(256), "<stop>");
    builder.build()
}
