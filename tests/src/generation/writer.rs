//! Which of the allowed tokens is taken? Any at first; after a while those that may end the text; then those that surely do.
//!
//! Most documents end by chance. One that does not is led to its end by the engine's own completion, which is checked by the
//! way: each of its tokens must be in the mask, and the text must be complete behind the last.

use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use formwork::{CompiledGrammar, Compiler, Limits, Matcher, TokenId, TokenKind, Vocabulary};

use super::hints::Hints;
use crate::universe::Dice;

/// Tokens that are taken whatever they lead to: at least as many, and up to so many more.
const FREE_TOKENS: (usize, usize) = (10, 120);

/// Tokens behind them that are chosen to end the text by chance: as many at most.
const MAX_HURRIED: usize = 400;

/// Longer tokens are not looked for where a text is given.
const MAX_TOKEN_BYTES: usize = 12;

/// Bytes that lead out of a value, or into a short one.
const CLOSERS: &[u8] = b"}]:,nft0123456789.\"-[{";

/// How one document ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With a stop token, by chance alone.
    ByChance(String),
    /// With a stop token, at the end of the engine's completion.
    Led(String),
    /// At an empty mask.
    DeadEnd(String),
    /// The engine contradicts itself, or met a limit.
    Fault(String),
}

impl End {
    /// In a word.
    pub fn name(&self) -> &'static str {
        match self {
            End::ByChance(_) => "by chance",
            End::Led(_) => "led",
            End::DeadEnd(_) => "dead end",
            End::Fault(_) => "fault",
        }
    }
}

/// A compiler, and what is needed to choose from its masks.
pub struct Writer {
    compiler: Compiler,
    vocabulary: Arc<Vocabulary>,
    /// The text tokens of up to [`MAX_TOKEN_BYTES`] bytes.
    by_bytes: HashMap<Vec<u8>, TokenId>,
    /// The tokens of one byte.
    bytes: Vec<(u8, TokenId)>,
    stop: TokenId,
}

impl Writer {
    /// For a vocabulary; `None` where it has no stop token.
    pub fn new(vocabulary: impl Into<Arc<Vocabulary>>) -> Option<Writer> {
        Writer::within(vocabulary, Limits::default())
    }

    /// The same with limits.
    pub fn within(vocabulary: impl Into<Arc<Vocabulary>>, limits: Limits) -> Option<Writer> {
        let vocabulary = vocabulary.into();
        let n_ids = u32::try_from(vocabulary.len()).ok()?;
        let ids = || (0..n_ids).map(TokenId::new);
        let stop = ids().find(|id| vocabulary.kind(*id) == TokenKind::Stop)?;
        let one_byte = |id: TokenId| match vocabulary.token_bytes(id) {
            Some([byte]) if vocabulary.kind(id) == TokenKind::Text => Some((*byte, id)),
            _ => None,
        };
        let bytes = ids().filter_map(one_byte).collect();
        let is_text = |id: &TokenId| vocabulary.kind(*id) == TokenKind::Text;
        let texts = ids().filter(is_text).filter_map(|id| Some((vocabulary.token_bytes(id)?.to_vec(), id)));
        let by_bytes = texts.filter(|(bytes, _)| bytes.len() <= MAX_TOKEN_BYTES).collect();
        let compiler = Compiler::builder(Arc::clone(&vocabulary)).limits(limits).cached_grammars(0).build();
        Some(Writer { compiler, vocabulary, by_bytes, bytes, stop })
    }

    /// The compiler.
    pub fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// Writes one document.
    pub fn write(&self, compiled: &Arc<CompiledGrammar>, hints: &Hints, dice: &mut Dice) -> End {
        let mut page = Page {
            writer: self,
            matcher: compiled.matcher(),
            words: vec![0; self.vocabulary.len().div_ceil(32)],
            text: Vec::new(),
            is_in_string: false,
            string_start: 0,
            last_string: 0..0,
            key: String::new(),
            holders: Vec::new(),
            pending: VecDeque::new(),
        };
        let n_free = FREE_TOKENS.0 + dice.below(FREE_TOKENS.1);
        let n_chosen = n_free + dice.below(MAX_HURRIED);
        page.choose_all(n_free, n_chosen, hints, dice).unwrap_or_else(|end| end)
    }
}

/// A document that is being written.
struct Page<'a> {
    writer: &'a Writer,
    matcher: Matcher,
    /// The present mask.
    words: Vec<u32>,
    text: Vec<u8>,
    is_in_string: bool,
    /// Where the last string began.
    string_start: usize,
    /// The last whole string, without quotes.
    last_string: Range<usize>,
    /// The key whose value is being written, or was written last.
    key: String,
    /// The keys that hold the open objects.
    holders: Vec<String>,
    /// Bytes of a hint that fits here as a whole.
    pending: VecDeque<u8>,
}

impl Page<'_> {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    fn fault(&self, what: impl Display) -> End {
        End::Fault(format!("{what}: {}", self.text()))
    }

    /// Writes by choice, then along the completion; an error is an end as well.
    fn choose_all(&mut self, n_free: usize, n_chosen: usize, hints: &Hints, dice: &mut Dice) -> Result<End, End> {
        for n_tokens in 0..n_chosen {
            let is_hurried = n_tokens >= n_free;
            self.fill()?;
            if self.allows(self.writer.stop) && (is_hurried || self.matcher.is_finished() || dice.one_in(3)) {
                self.take(self.writer.stop)?;
                return Ok(End::ByChance(self.text()));
            }
            let token = self.choose(is_hurried, hints, dice).map_err(End::Fault)?;
            self.take(token.ok_or_else(|| End::DeadEnd(self.text()))?)?;
        }
        self.follow_completion()
    }

    fn follow_completion(&mut self) -> Result<End, End> {
        let completion = self.matcher.completion().map_err(|error| self.fault(error))?;
        for token in completion.iter().chain([&self.writer.stop]) {
            self.fill()?;
            if !self.allows(*token) {
                return Err(self.fault(format!("token {} of the completion is not in the mask", token.get())));
            }
            self.take(*token)?;
        }
        Ok(End::Led(self.text()))
    }

    fn fill(&mut self) -> Result<(), End> {
        self.matcher.fill_mask(&mut self.words).map_err(|error| self.fault(error))
    }

    fn allows(&self, token: TokenId) -> bool {
        self.words[token.index() / 32] >> (token.index() % 32) & 1 == 1
    }

    fn take(&mut self, token: TokenId) -> Result<(), End> {
        self.matcher.accept_token(token).map_err(|error| self.fault(error))?;
        if token == self.writer.stop {
            return Ok(());
        }
        for byte in self.writer.vocabulary.token_bytes(token).unwrap_or_default() {
            let n_backslashes = self.text.iter().rev().take_while(|byte| **byte == b'\\').count();
            if *byte == b'"' && (!self.is_in_string || n_backslashes.is_multiple_of(2)) {
                self.is_in_string = !self.is_in_string;
                if self.is_in_string {
                    self.string_start = self.text.len() + 1;
                } else {
                    self.last_string = self.string_start..self.text.len();
                }
            } else if !self.is_in_string {
                match byte {
                    b':' => self.key = String::from_utf8_lossy(&self.text[self.last_string.clone()]).into_owned(),
                    b'{' => self.holders.push(self.key.clone()),
                    b'}' => self.key = self.holders.pop().unwrap_or_default(),
                    _ => {}
                }
            }
            self.text.push(*byte);
        }
        Ok(())
    }

    /// A token of the mask; `None` where it is empty.
    fn choose(&mut self, is_hurried: bool, hints: &Hints, dice: &mut Dice) -> Result<Option<TokenId>, String> {
        if is_hurried && self.pending.is_empty() {
            self.pending.extend(self.matcher.fast_forward_bytes().map_err(|error| error.to_string())?);
        }
        if !self.pending.is_empty() {
            return self.pending_token().map(Some);
        }
        let has_just_opened = self.is_in_string && self.text.last() == Some(&b'"');
        if has_just_opened && (is_hurried || dice.one_in(2)) {
            // Strings that patterns want may be keys as well.
            let own = hints.keys_of.get(&self.holders.join("/"));
            let own = own.map_or(&[][..], Vec::as_slice);
            for names in [own, &hints.keys, &hints.names, &hints.values] {
                if self.prepare(names, "\":", dice) {
                    return self.choose(is_hurried, hints, dice);
                }
            }
        }
        let closing_quote = if self.is_in_string { self.byte_token(b'"') } else { None };
        if let Some(quote) = closing_quote
            && (is_hurried || dice.one_in(4))
        {
            return Ok(Some(quote));
        }
        let wants_hint = if is_hurried { self.is_in_string } else { has_just_opened && dice.one_in(2) };
        if wants_hint && self.prepare(&hints.values, "\"", dice) {
            return self.choose(is_hurried, hints, dice);
        }
        if !is_hurried && dice.one_in(2) {
            return Ok(self.any_token(dice));
        }
        if !self.is_in_string && (is_hurried && !dice.one_in(6) || dice.one_in(4)) {
            let closer = CLOSERS.iter().find_map(|byte| self.byte_token(*byte));
            if closer.is_some() {
                return Ok(closer);
            }
        }
        // Printable ones first: few patterns ask for others.
        let allowed = |is_plain: bool| -> Vec<TokenId> {
            let bytes =
                self.writer.bytes.iter().filter(|(byte, _)| !is_plain || byte.is_ascii_graphic() && *byte != b'\\');
            bytes.filter(|(_, token)| self.allows(*token)).map(|(_, token)| *token).collect()
        };
        let plain = allowed(true);
        let bytes = if plain.is_empty() || !is_hurried && dice.one_in(8) { allowed(false) } else { plain };
        Ok(if bytes.is_empty() { self.any_token(dice) } else { Some(*dice.pick(&bytes)) })
    }

    /// The longest token that the pending text begins with.
    fn pending_token(&mut self) -> Result<TokenId, String> {
        let pending: Vec<u8> = self.pending.iter().take(MAX_TOKEN_BYTES).copied().collect();
        for length in (1..=pending.len()).rev() {
            if let Some(token) = self.writer.by_bytes.get(&pending[..length]) {
                self.pending.drain(..length);
                let is_allowed = self.allows(*token);
                let fault = || format!("{:?} fits and is not in the mask: {}", &pending[..length], self.text());
                return is_allowed.then_some(*token).ok_or_else(fault);
            }
        }
        Err(format!("no token for {pending:?}"))
    }

    fn byte_token(&self, byte: u8) -> Option<TokenId> {
        let (_, token) = self.writer.bytes.iter().find(|(it, _)| *it == byte)?;
        self.allows(*token).then_some(*token)
    }

    /// Sees whether a hint can be written here up to what ends it.
    fn prepare(&mut self, hints: &[String], end: &str, dice: &mut Dice) -> bool {
        let first = dice.below(hints.len());
        for hint in hints.iter().cycle().skip(first).take(hints.len()) {
            let text = serde_json::Value::from(hint.as_str()).to_string();
            let rest = [&text.as_bytes()[1..text.len() - 1], end.as_bytes()].concat();
            if self.matcher.fork().accept_bytes(&rest).is_ok() {
                self.pending.extend(rest);
                return true;
            }
        }
        false
    }

    /// Any token of the mask but stop tokens.
    fn any_token(&self, dice: &mut Dice) -> Option<TokenId> {
        let n_ids = self.writer.vocabulary.len();
        let id = |index: usize| TokenId::new(u32::try_from(index).unwrap_or(u32::MAX));
        for _ in 0..16 {
            let token = id(dice.below(n_ids));
            if self.allows(token) && token != self.writer.stop {
                return Some(token);
            }
        }
        let is_text = |token: &TokenId| self.writer.vocabulary.kind(*token) == TokenKind::Text;
        let set = (0..n_ids).filter(|index| self.words[index / 32] != 0).map(id);
        let allowed: Vec<TokenId> = set.filter(|token| self.allows(*token)).filter(is_text).collect();
        if allowed.is_empty() { None } else { Some(*dice.pick(&allowed)) }
    }
}
