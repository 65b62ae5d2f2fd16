//! Where does a character of the vocabulary lead an automaton of contents? By its number, without decoding.

use super::profile::Profiles;
use crate::automata::{Alphabet, ContentDfa, StringAutomaton};
use crate::vocabulary::letters::{Letters, N_ASCII};

/// By number of a character: the class of an automaton's alphabet that it is in. Where all characters beyond ASCII are of one
/// class, the first stands for all.
#[derive(Debug)]
pub(super) struct LetterClasses(Box<[u8]>);

impl LetterClasses {
    pub(super) fn new(alphabet: &Alphabet, letters: &Letters) -> LetterClasses {
        let mut classes: Vec<u8> = (0..N_ASCII as u32).map(|char| alphabet.class(char) as u8).collect();
        let beyond_ascii = || alphabet.ranges().skip_while(|(_, end, _)| *end < N_ASCII as u32);
        let mut ranges = beyond_ascii().peekable();
        let first = ranges.peek().map(|(.., class)| *class);
        let one_for_all = beyond_ascii().all(|(.., class)| Some(class) == first);
        let wide = letters.wide();
        for char in if one_for_all { &wide[..wide.len().min(1)] } else { wide } {
            while ranges.next_if(|(_, end, _)| end < char).is_some() {}
            classes.push(ranges.peek().map_or(0, |(.., class)| *class as u8));
        }
        LetterClasses(classes.into())
    }

    pub(super) fn n_bytes(&self) -> usize {
        self.0.len()
    }

    fn of(&self, letter: u32) -> usize {
        usize::from(self.0[(letter as usize).min(self.0.len() - 1)])
    }
}

/// Steps by numbers of characters.
#[derive(Clone, Copy)]
pub(super) struct LetterStepper<'a> {
    string: &'a StringAutomaton,
    letters: &'a Letters,
    dfa: Option<(&'a ContentDfa, &'a LetterClasses)>,
}

impl<'a> LetterStepper<'a> {
    pub(super) fn new(string: &'a StringAutomaton, profiles: &'a Profiles, letters: &'a Letters) -> LetterStepper<'a> {
        let classes = |dfa: &'a ContentDfa| (dfa, profiles.letter_classes(dfa.machine().alphabet(), letters));
        LetterStepper { string, letters, dfa: string.dfa().map(classes) }
    }

    /// The content's state behind one more character.
    pub(super) fn step(&self, content: u32, letter: u32) -> Option<u32> {
        match self.dfa {
            Some((dfa, classes)) => dfa.next(content, classes.of(letter)),
            None => self.string.step_char(content, self.letters.char(letter)),
        }
    }
}
