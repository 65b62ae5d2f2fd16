//! What can `formwork` do? One file for each subcommand: its options and its work.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod mask;
pub(crate) mod vocab;
