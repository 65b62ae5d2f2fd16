//! What tests of masks share.

#[path = "../../src/random.rs"]
mod random;

pub(crate) use random::Random;
