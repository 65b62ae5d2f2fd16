//! Which regular expression is a part of a grammar? What needs no stack becomes one terminal.

use std::cell::Cell;
use std::sync::Arc;

use regex_syntax::hir::Hir;

use super::rules::{Node, Rule, RuleId};
use crate::automata::Terminal;

/// Longest expression that rules are written out into.
const MAX_LENGTH: usize = 8_000;

/// Most texts of an alternative that are written out with those of others.
const MAX_TEXTS: usize = 1_000;

/// Most levels of brackets and repetitions that are written out. A regular expression of the grammar itself may have twice as
/// many of its own; the automata refuse a hundred, counted more finely.
const MAX_DEPTH: usize = 16;

/// Repetitions beyond this are counted by the parser instead.
const MAX_COUNT: u32 = 100;

fn parse(pattern: &str) -> Result<Hir, String> {
    let parsed = regex_syntax::ParserBuilder::new().nest_limit(2 * MAX_DEPTH as u32).build().parse(pattern);
    let hir = parsed.map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        error => error.to_string(),
    })?;
    match hir.properties().look_set().is_empty() {
        true => Ok(hir),
        false => Err("anchors and word boundaries are not supported: a regular expression matches as a whole".into()),
    }
}

/// What is wrong with a regular expression.
pub(super) fn check_regex(pattern: &str) -> Result<(), String> {
    parse(pattern).map(drop)
}

/// Whether the empty text matches.
pub(super) fn matches_empty(pattern: &str) -> bool {
    parse(pattern).is_ok_and(|hir| hir.properties().minimum_len() == Some(0))
}

/// The regular expression for a text in either case.
pub(super) fn ignoring_case(text: &str) -> String {
    format!("(?i:{})", regex_syntax::escape(text))
}

/// A character as it may stand in a class of a regular expression.
pub(super) fn code(char: char) -> String {
    format!("\\x{{{:X}}}", char as u32)
}

/// A part of a grammar that needs no stack.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    kind: PieceKind,
    /// Bytes of its regular expression, about.
    n_bytes: usize,
    /// Levels of brackets in it, about.
    depth: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum PieceKind {
    Literal(Arc<str>),
    /// Any one of these; none is empty.
    OneOf(Arc<[Arc<str>]>),
    /// What may stand beside others as it is.
    Regex(Arc<str>),
}

impl Piece {
    pub(super) fn terminal(&self) -> Terminal {
        match &self.kind {
            PieceKind::Literal(text) => Terminal::literal(text.as_bytes()),
            PieceKind::OneOf(texts) => Terminal::one_of(texts.iter().map(|text| text.as_bytes())),
            PieceKind::Regex(regex) => Terminal::Regex(Arc::clone(regex)),
        }
    }

    fn literal(text: &Arc<str>) -> Piece {
        Piece { n_bytes: text.len(), depth: 0, kind: PieceKind::Literal(Arc::clone(text)) }
    }

    fn one_of(texts: Vec<Arc<str>>) -> Piece {
        let n_bytes = texts.iter().map(|text| text.len() + 1).sum();
        Piece { n_bytes, depth: 1, kind: PieceKind::OneOf(texts.into()) }
    }

    /// `None` where it is too long or too deep.
    fn from_regex(regex: String, depth: usize) -> Option<Piece> {
        let n_bytes = regex.len();
        (n_bytes <= MAX_LENGTH && depth <= MAX_DEPTH).then(|| Piece {
            n_bytes,
            depth,
            kind: PieceKind::Regex(regex.into()),
        })
    }

    /// `None` where that would be too long.
    fn regex(&self) -> Option<String> {
        if self.n_bytes > MAX_LENGTH {
            return None;
        }
        Some(match &self.kind {
            PieceKind::Literal(text) => regex_syntax::escape(text),
            PieceKind::OneOf(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| regex_syntax::escape(text)).collect();
                format!("(?:{})", texts.join("|"))
            }
            PieceKind::Regex(regex) => regex.to_string(),
        })
    }

    /// Its texts, where they are few.
    fn texts(&self) -> Option<&[Arc<str>]> {
        match &self.kind {
            PieceKind::Literal(text) => Some(std::slice::from_ref(text)),
            PieceKind::OneOf(texts) if texts.len() <= MAX_TEXTS => Some(texts),
            PieceKind::OneOf(_) | PieceKind::Regex(_) => None,
        }
    }
}

/// Whether several are too long to be one.
fn are_too_long(pieces: &[Piece]) -> bool {
    pieces.iter().fold(0usize, |sum, piece| sum.saturating_add(piece.n_bytes)) > MAX_LENGTH
}

/// The regular expressions of several, and their depth, as far as they are not too long together.
fn regexes(pieces: &[Piece]) -> Option<(Vec<String>, usize)> {
    if are_too_long(pieces) {
        return None;
    }
    let depth = pieces.iter().map(|piece| piece.depth).max().unwrap_or(0);
    Some((pieces.iter().map(Piece::regex).collect::<Option<_>>()?, depth))
}

/// Which rules are regular.
pub(super) struct Regularity {
    /// By rule.
    pieces: Vec<Option<Piece>>,
    /// Whether something may stand between two lexemes, so that they must stay apart.
    is_lexed: bool,
    /// Nodes that may still be looked at.
    n_left: Cell<usize>,
}

impl Regularity {
    /// `order` holds the rules, each behind those that it names; one that leads back to itself behind some of them.
    pub(super) fn new(
        rules: &[Rule],
        order: &[RuleId],
        is_recursive: &[bool],
        is_lexed: bool,
        max_steps: usize,
    ) -> Regularity {
        let mut regularity = Regularity { pieces: vec![None; rules.len()], is_lexed, n_left: Cell::new(max_steps) };
        for rule in order {
            if !is_recursive[*rule] {
                // Nothing is ignored inside a terminal.
                let Rule { body, is_terminal, .. } = &rules[*rule];
                regularity.is_lexed = is_lexed && !is_terminal;
                regularity.pieces[*rule] = regularity.piece(body);
            }
        }
        regularity.is_lexed = is_lexed;
        regularity
    }

    /// Whether there was more to look at than there may be: nothing more is found to be regular then.
    pub(super) fn is_exhausted(&self) -> bool {
        self.n_left.get() == 0
    }

    /// A terminal, any number of times.
    pub(super) fn repeated(&self, node: &Node) -> Option<Piece> {
        let piece = self.piece(node)?;
        Piece::from_regex(format!("(?:{})*", piece.regex()?), piece.depth + 1)
    }

    /// The single terminal that a node is; `None` where it is none, or the empty text.
    pub(super) fn piece(&self, node: &Node) -> Option<Piece> {
        self.n_left.set(self.n_left.get().saturating_sub(1));
        if self.is_exhausted() {
            return None;
        }
        match node {
            Node::Never | Node::Special(_) | Node::Schema(_) => None,
            Node::Literal(text) => Some(Piece::literal(text)),
            // Its own depth was seen to when it was read.
            Node::Regex(regex) => Piece::from_regex(format!("(?:{regex})"), 1),
            Node::Rule(rule) => self.pieces.get(*rule)?.clone(),
            Node::Sequence(parts) => match parts.as_slice() {
                [] => None,
                [part] => self.piece(part),
                _ if self.is_lexed => None,
                parts => self.joined(parts),
            },
            Node::Choice(parts) => self.any(parts),
            Node::Repeat { item, min, max } => {
                if *min > MAX_COUNT || max.is_some_and(|max| max > MAX_COUNT) || self.is_lexed {
                    return None;
                }
                let count = match max {
                    Some(max) => format!("{{{min},{max}}}"),
                    None => format!("{{{min},}}"),
                };
                let piece = self.piece(item)?;
                Piece::from_regex(format!("(?:{}){count}", piece.regex()?), piece.depth + 1)
            }
        }
    }

    fn joined(&self, parts: &[Node]) -> Option<Piece> {
        let pieces = parts.iter().map(|part| self.piece(part)).collect::<Option<Vec<_>>>()?;
        let literal = |piece: &Piece| match &piece.kind {
            PieceKind::Literal(text) => Some(text.to_string()),
            _ => None,
        };
        if are_too_long(&pieces) {
            return None;
        }
        if let Some(texts) = pieces.iter().map(literal).collect::<Option<Vec<_>>>() {
            return Some(Piece::literal(&texts.concat().into()));
        }
        let (regexes, depth) = regexes(&pieces)?;
        Piece::from_regex(regexes.concat(), depth)
    }

    fn any(&self, parts: &[Node]) -> Option<Piece> {
        // The empty text may be one of them.
        let rest: Vec<&Node> = parts.iter().filter(|part| !part.is_empty()).collect();
        let pieces = rest.iter().map(|part| self.piece(part)).collect::<Option<Vec<_>>>()?;
        let has_empty = rest.len() < parts.len();
        if has_empty && self.is_lexed {
            return None;
        }
        let texts = pieces.iter().map(Piece::texts).collect::<Option<Vec<_>>>().filter(|texts| {
            let n_texts: usize = texts.iter().map(|texts| texts.len()).sum();
            !has_empty && n_texts <= pieces.len() + MAX_TEXTS
        });
        if let Some(texts) = texts {
            return Some(Piece::one_of(texts.concat()));
        }
        let (regexes, depth) = regexes(&pieces)?;
        Piece::from_regex(format!("(?:{}){}", regexes.join("|"), if has_empty { "?" } else { "" }), depth + 1)
    }
}
