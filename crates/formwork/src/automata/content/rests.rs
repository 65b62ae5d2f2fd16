//! Can a state be completed of which one constraint has states without end? Told without a search, which would not come to
//! an end.

use smallvec::SmallVec;

use super::{ContentMachine, ContentState, KnownId, KnownStates, decided, resolved};
use crate::automata::component::{ComponentAutomaton, ComponentState};
use crate::automata::host_name::HostState;
use crate::automata::overflow;
use crate::automata::regex_text::{ANY_LETTER, is_name_part};

/// Steps of a mask that looking for a rest counts as, and each of its characters.
const REST_COST: usize = 60;
const CHAR_COST: usize = 2;
/// And each letter behind it, which is one of many.
const LETTER_COST: usize = 100;
/// Letters behind it that are tried.
const MAX_LETTERS: usize = 64;
/// Places that unknown letters may lead to.
const MAX_PLACES: usize = 16;
/// What is tried within what a rest opens, and at its end.
const BETWEEN: [&str; 3] = ["", "a", " "];

/// Number of each component, but for the one whose states are without end, and of its state.
type Place = SmallVec<[(usize, KnownId); 4]>;

/// Those components on their way along a rest.
struct Others<'a> {
    machine: &'a ContentMachine,
    known: &'a mut [KnownStates],
}

impl Others<'_> {
    /// One character further; `None` where one of them ends the match.
    fn step(&mut self, place: &Place, class: usize) -> Option<Place> {
        let mut next = place.clone();
        for (at, number) in &mut next {
            *number = self.machine.step_known(*at, &mut self.known[*at], *number, class)?;
            (decided(*number) != Some(self.machine.components[*at].negated)).then_some(())?;
        }
        Some(next)
    }

    /// Where they are behind a text, whatever its unknown letters are; `None` where one of them may end the match, or they
    /// may be in many places.
    fn read(&mut self, start: &Place, text: &str) -> Option<Vec<Place>> {
        let class = |char: char| self.machine.alphabet.class(char.into());
        let name_parts: Vec<usize> = (0..0x80).filter(|it| is_name_part(*it)).map(|it| class(it.into())).collect();
        let mut places = vec![start.clone()];
        for char in text.chars() {
            let one = [class(char)];
            let classes = if char == ANY_LETTER { &name_parts[..] } else { &one };
            let ways = places.iter().flat_map(|place| classes.iter().map(move |class| (place, *class)));
            let mut next: Vec<Place> = ways.map(|(place, class)| self.step(place, class)).collect::<Option<_>>()?;
            next.sort_unstable();
            next.dedup();
            if next.len() > MAX_PLACES {
                return None;
            }
            places = next;
        }
        Some(places)
    }

    /// Whether the text may end behind a few of these letters, each of which takes the others nearer to a match; `None` where
    /// no steps are left.
    fn come_to_end(&mut self, mut place: Place, letters: &[usize]) -> Option<bool> {
        let mut missing = self.missing(&place);
        for _ in 0..MAX_LETTERS {
            if !missing.0 {
                return Some(true);
            }
            overflow::spend(LETTER_COST).then_some(())?;
            let ways = letters.iter().filter_map(|class| {
                let next = self.step(&place, *class)?;
                Some((self.missing(&next), next))
            });
            let nearest = ways.min_by_key(|(missing, _)| *missing).filter(|(nearest, _)| *nearest < missing);
            let Some((nearest, next)) = nearest else { return Some(false) };
            (missing, place) = (nearest, next);
        }
        Some(false)
    }

    /// Whether the text may not end there, and how far it seems to be to where it may.
    fn missing(&self, place: &Place) -> (bool, u32) {
        let mut missing = (false, 0u32);
        for (at, number) in place {
            let (component, state) = (&self.machine.components[*at], self.known[*at].get(*number));
            missing.0 |= component.is_accepting(state) == component.negated;
            missing.1 = missing.1.saturating_add(component.distance(state));
        }
        missing
    }
}

impl ContentMachine {
    /// Whether a state can be completed in which all is decided but how long the content may be and one thing more: that it is
    /// a host name, and that is in an encoded label, or that it is an expression or a JSON text. `None` for other states.
    pub(super) fn can_end(&self, state: &ContentState) -> Option<bool> {
        enum Rest<'a> {
            Host(&'a HostState),
            FromDistance(u32),
        }
        let known = self.known();
        let (mut rest, mut missing, mut room) = (None, 0, u32::MAX);
        for (component, state) in self.components.iter().zip(resolved(&known, state)) {
            let found = match (&component.automaton, state) {
                (ComponentAutomaton::Length(min, max), ComponentState::Length(count)) => {
                    (missing, room) = (min.saturating_sub(*count), max.saturating_sub(*count));
                    continue;
                }
                (_, state) if state.decided() == Some(!component.negated) => continue,
                (_, ComponentState::Host(state)) if !component.negated && state.is_opaque() => Rest::Host(state),
                (_, state) if !component.negated => Rest::FromDistance(state.shortest_rest()?.0),
                _ => return None,
            };
            if rest.replace(found).is_some() {
                return None;
            }
        }
        Some(match rest? {
            Rest::Host(host) => host.can_end(missing, room),
            Rest::FromDistance(distance) => distance.max(missing) <= room,
        })
    }

    /// Whether a short rest of the one component whose states are without end, and then letters that take the others nearer to
    /// a match, complete a state. `None` where that does not tell: another rest may.
    pub(super) fn ends_soon(&self, state: &ContentState) -> Option<bool> {
        let ContentState::Many(numbers) = state else { return None };
        if !self.is_endless() {
            return None;
        }
        let known = &mut *self.known();
        let (mut endless, mut place) = (None, Place::new());
        for (at, number) in numbers.iter().enumerate() {
            let state = known[at].get(*number);
            match state {
                ComponentState::Json(_) | ComponentState::Regex(_) => {
                    let is_one_of_several = endless.replace(state.clone()).is_some();
                    (!is_one_of_several && !self.components[at].negated).then_some(())?;
                }
                _ => place.push((at, *number)),
            }
        }
        let endless = endless?;
        let mut others = Others { machine: self, known };
        for between in BETWEEN {
            let rest = endless.shortest_text(between)?;
            overflow::spend(REST_COST + CHAR_COST * rest.len()).then_some(())?;
            let Some(ends) = others.read(&place, &rest) else { continue };
            let letters = self.representatives.iter().enumerate();
            let letters = letters.filter(|(_, char)| endless.may_follow(&rest, **char));
            let letters: Vec<usize> = letters.map(|(class, _)| class).collect();
            let mut all_end = true;
            for end in ends {
                all_end &= others.come_to_end(end, &letters)?;
            }
            if all_end {
                return Some(true);
            }
        }
        None
    }
}
