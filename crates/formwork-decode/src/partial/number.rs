//! How far is a JSON number, and may it end here?

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberPhase {
    Minus,
    /// A zero that begins the whole part, and is all of it.
    Zero,
    Whole,
    Point,
    Fraction,
    /// Behind `e` or `E`.
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl NumberPhase {
    /// The phase behind a number's first character.
    pub(super) fn first(character: char) -> Option<NumberPhase> {
        match character {
            '-' => Some(NumberPhase::Minus),
            _ => NumberPhase::Minus.next(character),
        }
    }

    /// The phase behind one more character; `None` where it is not part of the number.
    pub(super) fn next(self, character: char) -> Option<NumberPhase> {
        use NumberPhase::*;
        match (self, character) {
            (Minus, '0') => Some(Zero),
            (Minus, '1'..='9') | (Whole, '0'..='9') => Some(Whole),
            (Zero | Whole, '.') => Some(Point),
            (Point | Fraction, '0'..='9') => Some(Fraction),
            (Zero | Whole | Fraction, 'e' | 'E') => Some(Exponent),
            (Exponent, '+' | '-') => Some(ExponentSign),
            (Exponent | ExponentSign | ExponentDigits, '0'..='9') => Some(ExponentDigits),
            _ => None,
        }
    }

    /// Whether the number may end here.
    pub(super) fn is_accepting(self) -> bool {
        use NumberPhase::*;
        matches!(self, Zero | Whole | Fraction | ExponentDigits)
    }
}
