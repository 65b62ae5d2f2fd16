//! Find tokens that complete the text.

use std::sync::Arc;

use super::Matcher;
use crate::error::MatchError;
use crate::ids::TokenId;

impl Matcher {
    /// Tokens that make the text complete if they are accepted one after the other, as few as were found: none where it is
    /// complete. A stop token is not among them.
    ///
    /// The text that the tokens spell is one of least cost by grammar and lexeme, and they are the fewest that spell it; another
    /// text may take fewer tokens. The same position always gives the same answer. The answer is kept with the grammar; found
    /// anew, it takes about as long as reading it, unless keys or elements in it were written before.
    ///
    /// ```
    /// use formwork::{Compiler, Grammar, TokenId, Vocabulary};
    ///
    /// let vocabulary = Vocabulary::from_tokens(["[", "]", ",", "1", "[1", "</s>"], &[TokenId::new(5)])?;
    /// let schema = r#"{"type": "array", "items": {"const": 1}, "minItems": 2}"#;
    /// let mut matcher = Compiler::new(vocabulary).compile(&Grammar::json_schema_text(schema))?.matcher();
    /// let tokens: Vec<u32> = matcher.completion()?.iter().map(|token| token.get()).collect();
    /// assert_eq!(tokens, [4, 2, 3, 1]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A limit: [`Limits::max_completion_bytes`](crate::Limits::max_completion_bytes) where no completion was found.
    pub fn completion(&mut self) -> Result<Arc<[TokenId]>, MatchError> {
        if self.stopped {
            return Ok(Arc::from([]));
        }
        if let Some(known) = self.read().known_completion(self.handle) {
            return Ok(known);
        }
        self.renew()?;
        let completion = self.write().completion(self.handle)?;
        Ok(completion)
    }
}
