//! How few entries of a record meet the goals that are open? Dynamic programming over sets of goals.

use super::steps::Steps;
use crate::error::LimitError;

/// Entries that may still come and are alike in what they meet.
#[derive(Clone, Debug)]
pub(super) struct Supply<'a> {
    /// What one of them meets: any one of these sets of goals.
    pub(super) meets: &'a [u32],
    /// How many must come.
    pub(super) required: u32,
    /// How many more may come; `None` is without end.
    pub(super) optional: Option<u32>,
}

/// Whether all required entries and at most `room` optional ones can meet all of `unmet`.
pub(super) fn can_cover(unmet: u32, supplies: &[Supply<'_>], room: u32, steps: &mut Steps) -> Result<bool, LimitError> {
    let n_unmet = unmet.count_ones();
    if n_unmet == 0 {
        return Ok(true);
    }
    let met = supplies.iter().flat_map(|supply| supply.meets).fold(0, |all, meets| all | meets);
    if unmet & !met != 0 {
        return Ok(false);
    }
    // With room for one entry for each goal, and entries that meet all they can at once, any union will do.
    if room >= n_unmet && supplies.iter().all(|supply| supply.meets.len() == 1) {
        return Ok(true);
    }
    Ok(least_cover(unmet, supplies, steps)?.is_some_and(|least| least <= room))
}

/// The least number of optional entries that it takes; `None` where all entries do not suffice.
fn least_cover(unmet: u32, supplies: &[Supply<'_>], steps: &mut Steps) -> Result<Option<u32>, LimitError> {
    let n_unmet = unmet.count_ones();
    // By set of goals, by index among the unmet ones: the least number of optional entries that meet them.
    let mut least: Vec<Option<u32>> = vec![None; 1 << n_unmet];
    least[0] = Some(0);
    for (is_required, supply) in
        [true, false].into_iter().flat_map(|it| supplies.iter().map(move |supply| (it, supply)))
    {
        let meets: Vec<usize> = supply.meets.iter().map(|meets| among(*meets, unmet)).filter(|it| *it != 0).collect();
        // Each entry of use meets one more at least.
        let n_entries = if is_required { supply.required } else { supply.optional.unwrap_or(n_unmet) };
        for _ in 0..n_entries.min(n_unmet) {
            steps.spend(least.len() * meets.len())?;
            let before = least.clone();
            let mut changed = false;
            for (set, n) in before.iter().enumerate() {
                let Some(n) = n.map(|n| n + u32::from(!is_required)) else { continue };
                for meets in &meets {
                    let better = &mut least[set | meets];
                    if better.is_none_or(|known| n < known) {
                        *better = Some(n);
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
    }
    Ok(least.last().copied().flatten())
}

/// The goals of `meets` that are among `unmet`, by index among those.
fn among(meets: u32, unmet: u32) -> usize {
    let unmet = (0..u32::BITS).filter(|goal| unmet >> goal & 1 == 1);
    unmet.enumerate().filter(|(_, goal)| meets >> goal & 1 == 1).fold(0, |set, (index, _)| set | 1 << index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(unmet: u32, supplies: &[(&[u32], u32, Option<u32>)]) -> Option<u32> {
        let supplies: Vec<Supply<'_>> = supplies
            .iter()
            .map(|(meets, required, optional)| Supply { meets, required: *required, optional: *optional })
            .collect();
        let mut steps = Steps::new(100_000);
        let least = least_cover(unmet, &supplies, &mut steps).unwrap();
        for room in 0..5 {
            let fits = can_cover(unmet, &supplies, room, &mut steps).unwrap();
            assert_eq!(fits, least.is_some_and(|least| least <= room), "room {room}");
        }
        least
    }

    #[test]
    fn required_entries_are_free_and_one_entry_takes_one_case() {
        assert_eq!(least(0b11, &[(&[0b01, 0b10], 1, Some(0))]), None);
        assert_eq!(least(0b11, &[(&[0b01, 0b10], 1, Some(1))]), Some(1));
        assert_eq!(least(0b11, &[(&[0b01, 0b10], 2, Some(1))]), Some(0));
        assert_eq!(least(0b110, &[(&[0b100], 0, Some(1)), (&[0b111], 0, Some(1))]), Some(1));
        assert_eq!(least(0b111, &[(&[0b001, 0b010, 0b100], 0, None)]), Some(3));
        assert_eq!(least(0b111, &[(&[0b011], 0, None)]), None);
        assert_eq!(least(0b111, &[(&[0b011], 0, Some(4)), (&[0b110], 1, Some(4))]), Some(1));
    }
}
