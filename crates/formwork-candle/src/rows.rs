//! How do the tokens of several sequences go through the decoder? In passes of bounded size, none of them padded.

use std::ops::Range;

use candle_core::{Result, Tensor};
use formwork::TokenId;
use formwork_decode::{BackendError, Logits};

use crate::decoder::{Decoder, KvCache, Segment};
use crate::error::runtime;
use crate::logits::CandleLogits;
use crate::mask::DeviceMasks;

/// Tokens in one pass at most: bounds the memory of activations.
const MAX_PASS: usize = 512;
/// Attention scores of one sequence in one layer at most, unless a single token has more: 256 MiB as `f32`.
const MAX_SCORES: usize = 1 << 26;

/// What all sequences of a model have in common.
pub(crate) struct Shared {
    pub(crate) decoder: Decoder,
    /// What the device knows of masks.
    pub(crate) masks: DeviceMasks,
    /// Logits of a position.
    pub(crate) width: usize,
    pub(crate) context_length: usize,
}

/// A sequence: its tokens, and the cache whose first positions belong to them.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) tokens: Vec<TokenId>,
    cache: KvCache,
}

impl Row {
    pub(crate) fn new(shared: &Shared) -> Row {
        Row::with_room(shared, shared.context_length)
    }

    /// A row whose cache holds this many positions at most.
    pub(crate) fn with_room(shared: &Shared, n_positions: usize) -> Row {
        Row { tokens: Vec::new(), cache: shared.decoder.new_cache(n_positions) }
    }
}

/// Which positions' logits are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those behind the last token of each row.
    Last,
    /// Those behind every token.
    Each,
}

/// Feeds each row its tokens, which are checked and at least one. Gives the logits behind the wanted positions, in the
/// order of rows and tokens. Only when all has succeeded do the rows have the tokens.
pub(crate) fn feed(
    shared: &Shared,
    rows: &mut [(&mut Row, &[TokenId])],
    wanted: Wanted,
) -> std::result::Result<Vec<Box<dyn Logits>>, BackendError> {
    let decoder = &shared.decoder;
    let output = match decoder.device().is_cpu() {
        // candle computes on rayon's threads. From one of them it goes on at once; from another thread, nearly every
        // operation would be handed over and waited for, which is half the time of a small model.
        true => rayon::scope(|_| run_all(decoder, rows, wanted)),
        false => run_all(decoder, rows, wanted),
    };
    let output = output.map_err(runtime)?;
    let n_wanted = output.dim(0).map_err(runtime)?;
    // They share their memory, but no part of it belongs to two.
    let logits = (0..n_wanted).map(|idx| {
        let logits = CandleLogits::new(&output.get(idx).map_err(runtime)?, shared.width, &shared.masks)?;
        Ok(Box::new(logits) as Box<dyn Logits>)
    });
    let logits = logits.collect::<std::result::Result<_, BackendError>>()?;
    for (row, tokens) in rows {
        row.tokens.extend_from_slice(tokens);
    }
    Ok(logits)
}

/// Logits of shape `[n, width]`. The caches are written to behind the rows' tokens, which stay as they are.
fn run_all(decoder: &Decoder, rows: &mut [(&mut Row, &[TokenId])], wanted: Wanted) -> Result<Tensor> {
    let mut hidden = Vec::new();
    let lengths: Vec<_> = rows.iter().map(|(row, tokens)| (row.tokens.len(), tokens.len())).collect();
    for pass in &passes(decoder.n_heads(), &lengths) {
        hidden.extend(run(decoder, rows, pass, wanted)?);
    }
    decoder.logits(&Tensor::cat(&hidden, 0)?)
}

/// A row, and which of its new tokens a pass takes.
type Piece = (usize, Range<usize>);

/// The passes that take all tokens, for how many each row has cached and gets.
fn passes(n_heads: usize, lengths: &[(usize, usize)]) -> Vec<Vec<Piece>> {
    let mut passes = vec![Vec::new()];
    let mut n_in_pass = 0;
    for (row_idx, &(n_cached, n_new)) in lengths.iter().enumerate() {
        let mut start = 0;
        while start < n_new {
            // The second piece of a row needs what the first has written.
            if n_in_pass == MAX_PASS || start > 0 {
                passes.push(Vec::new());
                n_in_pass = 0;
            }
            let n_positions = n_cached + n_new.min(start + MAX_PASS);
            let n_most = (MAX_SCORES / n_heads / n_positions).clamp(1, MAX_PASS - n_in_pass);
            let end = n_new.min(start + n_most);
            if let Some(pass) = passes.last_mut() {
                pass.push((row_idx, start..end));
            }
            n_in_pass += end - start;
            start = end;
        }
    }
    passes
}

/// One pass; the hidden states of those of its positions that are wanted, if any.
fn run(
    decoder: &Decoder,
    rows: &mut [(&mut Row, &[TokenId])],
    pass: &[Piece],
    wanted: Wanted,
) -> Result<Option<Tensor>> {
    let mut tokens: Vec<u32> = Vec::new();
    let mut segments = Vec::with_capacity(pass.len());
    let mut last = Vec::new();
    let mut pieces = pass.iter().peekable();
    for (row_idx, (row, input)) in rows.iter_mut().enumerate() {
        let Some((_, piece)) = pieces.next_if(|(own, _)| *own == row_idx) else { continue };
        tokens.extend(input[piece.clone()].iter().map(|token| token.get()));
        segments.push(Segment { start: row.tokens.len() + piece.start, n_tokens: piece.len(), cache: &mut row.cache });
        if piece.end == input.len() {
            last.push(tokens.len() as u32 - 1);
        }
    }
    let hidden = decoder.hidden(&tokens, &mut segments)?;
    match wanted {
        Wanted::Each => Ok(Some(hidden)),
        Wanted::Last if last.is_empty() => Ok(None),
        Wanted::Last if last.len() == tokens.len() => Ok(Some(hidden)),
        Wanted::Last => hidden.index_select(&Tensor::new(last, decoder.device())?, 0).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_are_bounded_and_each_row_is_in_one_once() {
        let cases: [(usize, &[(usize, usize)]); 4] = [
            (32, &[(0, 1), (70, 1), (9000, 1)]),
            (4, &[(0, 511), (0, 2), (5, 1600), (0, 512), (3, 512)]),
            (64, &[(0, 3), (10_000, 300), (20_000, 1), (0, 700)]),
            (1 << 24, &[(0, 9), (100, 2)]),
        ];
        for (n_heads, lengths) in cases {
            let mut n_fed = vec![0; lengths.len()];
            for pass in passes(n_heads, lengths) {
                assert!(pass.windows(2).all(|pair| pair[0].0 < pair[1].0), "{pass:?}");
                assert!((1..=MAX_PASS).contains(&pass.iter().map(|(_, piece)| piece.len()).sum()), "{pass:?}");
                for (row, piece) in pass {
                    assert_eq!(piece.start, n_fed[row]);
                    n_fed[row] = piece.end;
                    let n_scores = n_heads * piece.len() * (lengths[row].0 + piece.end);
                    assert!(n_scores <= MAX_SCORES || piece.len() == 1, "{piece:?} of {lengths:?}");
                }
            }
            assert!(n_fed.iter().zip(lengths).all(|(n_fed, (_, n_new))| n_fed == n_new), "{n_fed:?}");
        }
        assert_eq!(passes(32, &[(0, 1), (70, 1), (9000, 1)]).len(), 1);
    }
}
