//! stub
use super::builder::*;
use crate::{error::GrammarError, ids::*, limits::Limits};
pub(crate) struct Productions;
pub(crate) fn lower(_b: GrammarBuilder, _s: NonterminalId, _l: &Limits) -> Result<Productions, GrammarError> {
    Ok(Productions)
}
