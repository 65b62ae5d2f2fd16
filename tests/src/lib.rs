//! What do the tests share? The naive oracle, readers of the shared data, small vocabularies, and recorded baselines.

pub mod baseline;
#[cfg(feature = "model")]
pub mod budgets;
pub mod counters;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
#[cfg(feature = "judge")]
pub mod generation;
pub mod hostile;
pub mod oracle;
#[cfg(feature = "model")]
pub mod seeds;
pub mod shared;
pub mod stress;
pub mod suite;
pub mod universe;
pub mod validator;
pub mod vocabulary;
pub mod walk;
