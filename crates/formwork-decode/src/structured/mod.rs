//! How is a value of a Rust type written? Its schema constrains the output, and the output is read back into it.

mod error;
mod schema;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

use formwork::json_schema::SchemaOptions;
use formwork::{CompiledGrammar, Compiler, Grammar, TokenId};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::error::StructuredError;
use crate::backend::Backend;
use crate::config::GenerationConfig;
use crate::generate::{Generation, generate, generate_streaming};
use crate::partial::{PartialJson, PartialJsonError};
use crate::sequence::{FinishReason, Sequence};
use crate::tokenizer::TextTokenizer;

/// A type whose values are to be written: its schema, compiled. Made once for many outputs.
///
/// [`Structured::new`] derives the schema of a type in the 2020-12 dialect, as [`schemars`] has it, and narrows it in two
/// ways that the type asks for:
/// - Integers keep to the range of their type.
/// - Objects have only the properties that are listed, unless the type says otherwise, for instance by
///   `#[schemars(extend("additionalProperties" = true))]`. Objects that are put together from several schemas, as by
///   `#[serde(flatten)]`, stay as they are.
///
/// Properties are written in the order of the fields, and those without a default are always written.
///
/// ```
/// use formwork::{Compiler, TokenId, Vocabulary};
/// use formwork_decode::Structured;
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Book {
///     title: String,
///     year: u16,
/// }
///
/// let vocabulary = Vocabulary::from_tokens(["{", "}", "\"", ":", ",", "title", "year", "1", "</s>"], &[TokenId::new(8)])?;
/// let books = Structured::<Book>::new(&Compiler::new(vocabulary))?;
/// assert_eq!(books.schema()["properties"]["year"]["maximum"], 65535);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Structured<T> {
    schema: Value,
    compiled: Arc<CompiledGrammar>,
    value: PhantomData<fn() -> T>,
}

/// A value that was written, and the output that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct StructuredGeneration<T> {
    /// The value.
    pub value: T,
    /// The output: its text is the value's JSON.
    pub generation: Generation,
}

impl<T: DeserializeOwned + JsonSchema> Structured<T> {
    /// Derives the schema of `T` and compiles it, with default options.
    ///
    /// # Errors
    /// [`StructuredError::Schema`] where the schema is refused.
    pub fn new(compiler: &Compiler) -> Result<Structured<T>, StructuredError> {
        Structured::with_options(compiler, SchemaOptions::default())
    }

    /// As [`Structured::new`], with a layout, profile or order of keys.
    ///
    /// # Errors
    /// [`StructuredError::Schema`] where the schema is refused.
    pub fn with_options(compiler: &Compiler, options: SchemaOptions) -> Result<Structured<T>, StructuredError> {
        Structured::with_schema(compiler, schema::schema_of::<T>(), options)
    }
}

impl<T: DeserializeOwned> Structured<T> {
    /// With a schema that the caller gives, and nothing is added to. `T` may be a [`Value`].
    ///
    /// # Errors
    /// [`StructuredError::Schema`] where the schema is refused.
    pub fn with_schema(
        compiler: &Compiler,
        schema: Value,
        options: SchemaOptions,
    ) -> Result<Structured<T>, StructuredError> {
        let grammar = Grammar::json_schema(schema.clone()).with_options(options);
        let compiled = compiler
            .compile(&grammar)
            .map_err(|source| StructuredError::Schema { type_name: std::any::type_name::<T>(), source })?;
        Ok(Structured { schema, compiled, value: PhantomData })
    }

    /// The schema.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The schema's grammar. A caller with a loop of its own makes matchers of it, and then [`Structured::read`]s.
    pub fn grammar(&self) -> &Arc<CompiledGrammar> {
        &self.compiled
    }

    /// Writes a value behind `prompt`.
    ///
    /// # Errors
    /// What the loop reports; else as [`Structured::read`].
    pub fn generate(
        &self,
        backend: &mut dyn Backend,
        tokenizer: &dyn TextTokenizer,
        prompt: &[TokenId],
        config: &GenerationConfig,
    ) -> Result<StructuredGeneration<T>, StructuredError> {
        let sequence = Sequence::constrained(tokenizer, prompt, self.compiled.matcher(), config)?;
        self.read(generate(backend, sequence)?)
    }

    /// Writes a value behind `prompt` and shows what is known of it after each step that adds text. `on_partial` ends
    /// the run by [`ControlFlow::Break`]. A number that is the whole value is only known at the end, by the result.
    ///
    /// # Errors
    /// As [`Structured::generate`]. What was shown before stays valid.
    pub fn generate_streaming(
        &self,
        backend: &mut dyn Backend,
        tokenizer: &dyn TextTokenizer,
        prompt: &[TokenId],
        config: &GenerationConfig,
        on_partial: &mut dyn FnMut(&PartialJson) -> ControlFlow<()>,
    ) -> Result<StructuredGeneration<T>, StructuredError> {
        let sequence = Sequence::constrained(tokenizer, prompt, self.compiled.matcher(), config)?;
        let mut partial = PartialJson::new();
        let mut fault: Option<PartialJsonError> = None;
        let generation = generate_streaming(backend, sequence, &mut |chunk| {
            if chunk.text.is_empty() {
                return ControlFlow::Continue(());
            }
            match partial.push(chunk.text) {
                Ok(()) => on_partial(&partial),
                Err(error) => {
                    fault = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        match fault {
            Some(source) => Err(StructuredError::Text { source, generation: Box::new(generation) }),
            None => self.read(generation),
        }
    }

    /// Reads the value of a finished output.
    ///
    /// # Errors
    /// [`StructuredError::Incomplete`] where the output was cut, [`StructuredError::Value`] where `T` refuses it. Both hold
    /// the output.
    pub fn read(&self, generation: Generation) -> Result<StructuredGeneration<T>, StructuredError> {
        if generation.finish != FinishReason::Stop {
            return Err(StructuredError::Incomplete { generation: Box::new(generation) });
        }
        match serde_json::from_str(&generation.text) {
            Ok(value) => Ok(StructuredGeneration { value, generation }),
            Err(source) => {
                let type_name = std::any::type_name::<T>();
                Err(StructuredError::Value { type_name, source, generation: Box::new(generation) })
            }
        }
    }
}

impl<T> std::fmt::Debug for Structured<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Structured")
            .field("type", &std::any::type_name::<T>())
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// Writes a value of `T` behind `prompt`. The compiler keeps what it compiles, so that another call costs little more than
/// deriving the schema; [`Structured`] saves that too.
///
/// # Errors
/// As [`Structured::new`] and [`Structured::generate`].
pub fn generate_structured<T: DeserializeOwned + JsonSchema>(
    backend: &mut dyn Backend,
    tokenizer: &dyn TextTokenizer,
    prompt: &[TokenId],
    compiler: &Compiler,
    config: &GenerationConfig,
) -> Result<StructuredGeneration<T>, StructuredError> {
    Structured::new(compiler)?.generate(backend, tokenizer, prompt, config)
}

/// Writes a value of `T` behind `prompt` and shows what is known of it after each step that adds text.
///
/// # Errors
/// As [`Structured::new`] and [`Structured::generate_streaming`].
pub fn generate_structured_streaming<T: DeserializeOwned + JsonSchema>(
    backend: &mut dyn Backend,
    tokenizer: &dyn TextTokenizer,
    prompt: &[TokenId],
    compiler: &Compiler,
    config: &GenerationConfig,
    on_partial: &mut dyn FnMut(&PartialJson) -> ControlFlow<()>,
) -> Result<StructuredGeneration<T>, StructuredError> {
    Structured::new(compiler)?.generate_streaming(backend, tokenizer, prompt, config, on_partial)
}

/// Writes a JSON value that `schema` allows behind `prompt`.
///
/// # Errors
/// As [`Structured::with_schema`] and [`Structured::generate`].
pub fn generate_json(
    backend: &mut dyn Backend,
    tokenizer: &dyn TextTokenizer,
    prompt: &[TokenId],
    compiler: &Compiler,
    schema: Value,
    config: &GenerationConfig,
) -> Result<StructuredGeneration<Value>, StructuredError> {
    Structured::with_schema(compiler, schema, SchemaOptions::default())?.generate(backend, tokenizer, prompt, config)
}
