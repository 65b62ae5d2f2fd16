//! Which rows go through a model together? Those with similar numbers of new tokens, so that little of a pass is padding.
//!
//! All rows of a pass are as long as its longest. A prompt beside single tokens would make them all as long as the prompt,
//! so it goes alone; the few tokens of a forced text are not worth a pass of their own.

/// Passes up to this many positions, padding included, are not split.
const SMALL_PASS: usize = 64;

/// Parts of `lengths`, as indices, each of which is one pass: at least half of each row is text, or the pass is small.
pub(crate) fn split_by_length(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| lengths[index]);
    let mut passes: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let longest = lengths[index];
        let fits = |pass: &&mut Vec<usize>| {
            longest <= 2 * lengths[pass[0]] || (pass.len() + 1).saturating_mul(longest) <= SMALL_PASS
        };
        match passes.last_mut().filter(fits) {
            Some(pass) => pass.push(index),
            None => passes.push(vec![index]),
        }
    }
    passes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_goes_alone_and_short_texts_together() {
        assert_eq!(split_by_length(&[1, 1, 500, 1]), [vec![0, 1, 3], vec![2]]);
        assert_eq!(split_by_length(&[1, 9, 1, 2, 1]), [[0, 2, 4, 3, 1]]);
        assert_eq!(split_by_length(&[300, 400, 1, 500]), [vec![2], vec![0, 1, 3]]);
        assert_eq!(split_by_length(&[70, 300]), [[0], [1]]);
        assert_eq!(split_by_length(&[]), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn at_least_half_of_each_row_of_a_large_pass_is_text() {
        let lengths: Vec<usize> = (0..60).map(|i| i * i % 97 * (i % 7)).collect();
        let passes = split_by_length(&lengths);
        let mut all = passes.concat();
        all.sort();
        assert!(all.iter().copied().eq(0..60) && passes.len() > 1);
        for pass in passes {
            let of_pass = || pass.iter().map(|&index| lengths[index]);
            let (shortest, longest) = (of_pass().min().unwrap(), of_pass().max().unwrap());
            assert!(pass.len() * longest <= SMALL_PASS || longest <= 2 * shortest, "{pass:?}");
        }
    }
}
