//! Which grammar describes a structure? Its parts' grammars, taken into one that has the text between them.

use super::{Marker, Structure};
use crate::automata::Terminal;
use crate::compiler::lexicon::check_special;
use crate::compiler::source::Scope;
use crate::error::{CompileError, GrammarError, LimitError};
use crate::grammar::{Expr, GrammarBuilder};
use crate::ids::TokenId;
use crate::json_schema::LoweredSchema;
use crate::vocabulary::{TokenKind, Vocabulary};

/// Makes one grammar of a structure.
pub(in crate::compiler) fn lower(structure: &Structure, scope: Scope<'_>) -> Result<LoweredSchema, CompileError> {
    let mut lowering = Lowering { builder: GrammarBuilder::new(), vocabulary: scope.vocabulary };
    let body = lowering.expr(structure, scope, "")?;
    let mut builder = lowering.builder;
    let start = builder.nonterminal("structure", body);
    Ok(LoweredSchema { builder, start })
}

/// What a marker is in a vocabulary.
enum Found<'a> {
    Text(&'a str),
    Special(TokenId),
}

struct Lowering<'a> {
    builder: GrammarBuilder,
    vocabulary: &'a Vocabulary,
}

impl Lowering<'_> {
    /// `path` tells where the structure stands in the whole; it comes before the pointers of errors.
    fn expr(&mut self, structure: &Structure, scope: Scope<'_>, path: &str) -> Result<Expr, CompileError> {
        let scope = scope.deeper().ok_or_else(|| {
            let setting = "max_schema_depth";
            GrammarError::from(LimitError { setting, limit: scope.limits.max_schema_depth })
        })?;
        let mut exprs = |parts: &[Structure]| -> Result<Vec<Expr>, CompileError> {
            let parts = parts.iter().enumerate();
            parts.map(|(index, part)| self.expr(part, scope, &format!("{path}/{index}"))).collect()
        };
        Ok(match structure {
            Structure::Sequence(parts) => Expr::Sequence(exprs(parts)?),
            Structure::Choice(parts) => Expr::Choice(exprs(parts)?),
            Structure::Marker(marker) => self.marker(marker)?,
            Structure::Grammar(grammar) => {
                let lowered = grammar.lower(scope).map_err(|error| error.within(path))?;
                self.builder.include(lowered.builder, lowered.start)
            }
            Structure::Repeat { part, separator, min, max } => {
                let part = self.expr(part, scope, &format!("{path}/part"))?;
                match separator {
                    None => Expr::Repeat { item: Box::new(part), separator: None, min: *min, max: *max },
                    Some(separator) => {
                        let separator = self.expr(separator, scope, &format!("{path}/separator"))?;
                        self.separated(part, separator, *min, *max)
                    }
                }
            }
            Structure::Free { without } => self.free(without)?,
        })
    }

    fn marker(&mut self, marker: &Marker) -> Result<Expr, GrammarError> {
        let terminal = match find(self.vocabulary, marker)? {
            Found::Text("") => return Ok(Expr::Empty),
            Found::Text(text) => Terminal::literal(text),
            Found::Special(token) => Terminal::Special(token),
        };
        Ok(Expr::Terminal(self.builder.terminal(terminal)))
    }

    fn free(&mut self, without: &[Marker]) -> Result<Expr, GrammarError> {
        let mut texts = Vec::new();
        for marker in without {
            // Text spells no special token.
            if let Found::Text(text) = find(self.vocabulary, marker)? {
                texts.push(text);
            }
        }
        Ok(Expr::Terminal(self.builder.terminal(Terminal::free_text(texts))))
    }

    /// `part (separator part)*`, `min` to `max` parts in all.
    fn separated(&mut self, part: Expr, separator: Expr, min: u32, max: Option<u32>) -> Expr {
        if max.is_some_and(|max| max < min) {
            return Expr::Never;
        }
        let mut choices = Vec::new();
        if min == 0 {
            choices.push(Expr::Empty);
        }
        if max != Some(0) {
            let part = Expr::Nonterminal(self.builder.nonterminal("repeated part", part));
            let item = Box::new(Expr::Sequence(vec![separator, part.clone()]));
            let (min, max) = (min.saturating_sub(1), max.map(|max| max - 1));
            choices.push(Expr::Sequence(vec![part, Expr::Repeat { item, separator: None, min, max }]));
        }
        Expr::Choice(choices)
    }
}

/// The terminal of a control token.
pub(in crate::compiler) fn special(vocabulary: &Vocabulary, name: &str) -> Result<Terminal, GrammarError> {
    match find(vocabulary, &Marker::Special(name.to_owned()))? {
        Found::Special(token) => Ok(Terminal::Special(token)),
        Found::Text(text) => Ok(Terminal::literal(text)),
    }
}

/// Looks a marker up in a vocabulary.
fn find<'a>(vocabulary: &Vocabulary, marker: &'a Marker) -> Result<Found<'a>, GrammarError> {
    let (name, or_text) = match marker {
        Marker::Text(text) => return Ok(Found::Text(text)),
        Marker::Special(name) => (name, false),
        Marker::SpecialOrText(name) => (name, true),
    };
    match vocabulary.special_token(name) {
        Some(token) => {
            check_special(vocabulary, token)?;
            Ok(Found::Special(token))
        }
        None if or_text => Ok(Found::Text(name)),
        None => {
            let is_text = vocabulary.has_text_token(name.as_bytes());
            let kind = if is_text { TokenKind::Text } else { TokenKind::Unused };
            Err(crate::compiler::lexicon::not_special(name.clone(), kind))
        }
    }
}
