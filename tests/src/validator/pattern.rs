//! Where does a regular expression of ECMA-262 match? The set of ends for each start, by the definition of each operator.
//!
//! A node's meaning is a function from a start to the set of positions where it may end. That is slow, and obvious: a
//! look-ahead asks whether the set is empty, a look-behind whether some start leads here. Greed and captures do not
//! change whether there is a match; back references are left out.

use std::collections::BTreeSet;

use super::Unjudged;

/// A parsed pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(super) root: Node,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Class(Class),
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
    Repeat { inner: Box<Node>, min: u32, max: Option<u32> },
    Start,
    End,
    Boundary { wanted: bool },
    Look { inner: Box<Node>, ahead: bool, wanted: bool },
}

/// A set of characters.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) is_negated: bool,
    pub(super) members: Vec<Member>,
}

#[derive(Clone, Debug)]
pub(super) enum Member {
    Range(char, char),
    Named(char),
}

impl Pattern {
    /// Parses `pattern`.
    pub(crate) fn parse(pattern: &str) -> Result<Pattern, Unjudged> {
        let characters: Vec<char> = pattern.chars().collect();
        let mut parser = Parser { rest: &characters };
        let root = parser.choice()?;
        match parser.rest {
            [] => Ok(Pattern { root }),
            _ => Err(parser.fault("an unopened parenthesis")),
        }
    }

    /// Whether it matches somewhere in `text`.
    pub(crate) fn is_found(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        (0..=text.len()).any(|start| !self.root.ends(&text, start).is_empty())
    }
}

impl Node {
    fn ends(&self, text: &[char], start: usize) -> BTreeSet<usize> {
        let only_if = |condition: bool| if condition { BTreeSet::from([start]) } else { BTreeSet::new() };
        match self {
            Node::Class(class) => match text.get(start) {
                Some(character) if class.contains(*character) => BTreeSet::from([start + 1]),
                _ => BTreeSet::new(),
            },
            Node::Sequence(parts) => {
                parts.iter().fold(BTreeSet::from([start]), |starts, part| part.all_ends(text, &starts))
            }
            Node::Choice(parts) => parts.iter().flat_map(|part| part.ends(text, start)).collect(),
            Node::Repeat { inner, min, max } => {
                let mut starts = BTreeSet::from([start]);
                for _ in 0..*min {
                    starts = inner.all_ends(text, &starts);
                }
                let mut ends = starts.clone();
                // After as many rounds as there are characters, a further round reaches nothing new.
                for _ in *min..max.unwrap_or(u32::MAX).min(min.saturating_add(text.len() as u32 + 1)) {
                    starts = inner.all_ends(text, &starts);
                    ends.extend(&starts);
                }
                ends
            }
            Node::Start => only_if(start == 0),
            Node::End => only_if(start == text.len()),
            Node::Boundary { wanted } => {
                let is_word =
                    |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|character| is_word(*character));
                only_if((is_word(start.checked_sub(1)) != is_word(Some(start))) == *wanted)
            }
            Node::Look { inner, ahead: true, wanted } => only_if(inner.ends(text, start).is_empty() != *wanted),
            Node::Look { inner, ahead: false, wanted } => {
                only_if((0..=start).any(|before| inner.ends(text, before).contains(&start)) == *wanted)
            }
        }
    }

    fn all_ends(&self, text: &[char], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
        starts.iter().flat_map(|start| self.ends(text, *start)).collect()
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// WhiteSpace and LineTerminator of ECMA-262, sections 12.2 and 12.3.
fn is_space(character: char) -> bool {
    matches!(character, '\t'..='\r' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}')
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}')
}

impl Class {
    pub(super) fn contains(&self, character: char) -> bool {
        let is_member = |member: &Member| match member {
            Member::Range(first, last) => (*first..=*last).contains(&character),
            Member::Named('d') => character.is_ascii_digit(),
            Member::Named('D') => !character.is_ascii_digit(),
            Member::Named('w') => is_word(character),
            Member::Named('W') => !is_word(character),
            Member::Named('s') => is_space(character),
            Member::Named(_) => !is_space(character),
        };
        self.members.iter().any(is_member) != self.is_negated
    }
}

struct Parser<'a> {
    rest: &'a [char],
}

impl Parser<'_> {
    fn fault(&self, reason: &str) -> Unjudged {
        let rest: String = self.rest.iter().collect();
        Unjudged(format!("pattern: {reason} before {rest:?}"))
    }

    fn eat(&mut self, text: &str) -> bool {
        let wanted: Vec<char> = text.chars().collect();
        let is_there = self.rest.starts_with(&wanted);
        if is_there {
            self.rest = &self.rest[wanted.len()..];
        }
        is_there
    }

    fn next(&mut self) -> Result<char, Unjudged> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| self.fault("an early end"))?;
        self.rest = rest;
        Ok(*first)
    }

    fn choice(&mut self) -> Result<Node, Unjudged> {
        let mut parts = vec![self.sequence()?];
        while self.eat("|") {
            parts.push(self.sequence()?);
        }
        Ok(Node::Choice(parts))
    }

    fn sequence(&mut self) -> Result<Node, Unjudged> {
        let mut parts = Vec::new();
        while !matches!(self.rest.first(), None | Some('|' | ')')) {
            let atom = self.atom()?;
            parts.push(self.repeated(atom)?);
        }
        Ok(Node::Sequence(parts))
    }

    fn repeated(&mut self, atom: Node) -> Result<Node, Unjudged> {
        let (min, max) = match self.rest.first() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.next()?;
                let min = self.number()?.ok_or_else(|| self.fault("a brace without a number"))?;
                let max = if self.eat(",") { self.number()? } else { Some(min) };
                if self.rest.first() != Some(&'}') {
                    return Err(self.fault("an unclosed brace"));
                }
                (min, max)
            }
            _ => return Ok(atom),
        };
        self.next()?;
        self.eat("?"); // Laziness does not change whether there is a match.
        Ok(Node::Repeat { inner: Box::new(atom), min, max })
    }

    fn number(&mut self) -> Result<Option<u32>, Unjudged> {
        let n_digits = self.rest.iter().take_while(|character| character.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(n_digits);
        if n_digits == 0 {
            return Ok(None);
        }
        let digits: String = digits.iter().collect();
        let number = digits.parse().map_err(|_| self.fault("a large number"))?;
        self.rest = rest;
        Ok(Some(number))
    }

    fn atom(&mut self) -> Result<Node, Unjudged> {
        for (opening, ahead, wanted) in
            [("(?=", true, true), ("(?!", true, false), ("(?<=", false, true), ("(?<!", false, false)]
        {
            if self.eat(opening) {
                return Ok(Node::Look { inner: Box::new(self.group_end()?), ahead, wanted });
            }
        }
        if self.eat("(?:") {
            return self.group_end();
        }
        if self.eat("(?") {
            return Err(self.fault("a group of an unknown kind"));
        }
        match self.next()? {
            '(' => self.group_end(),
            '^' => Ok(Node::Start),
            '$' => Ok(Node::End),
            '.' => {
                let lines = ['\n', '\r', '\u{2028}', '\u{2029}'];
                let members = lines.into_iter().map(|line| Member::Range(line, line)).collect();
                Ok(Node::Class(Class { is_negated: true, members }))
            }
            '[' => self.class().map(Node::Class),
            '\\' => self.escape(),
            '*' | '+' | '?' | '{' | '}' | ']' => Err(self.fault("nothing to repeat")),
            plain => Ok(single(Member::Range(plain, plain))),
        }
    }

    fn group_end(&mut self) -> Result<Node, Unjudged> {
        let inner = self.choice()?;
        if self.eat(")") { Ok(inner) } else { Err(self.fault("an unclosed group")) }
    }

    fn escape(&mut self) -> Result<Node, Unjudged> {
        if self.eat("b") {
            return Ok(Node::Boundary { wanted: true });
        }
        if self.eat("B") {
            return Ok(Node::Boundary { wanted: false });
        }
        self.class_escape().map(single)
    }

    /// An escape that stands for characters.
    fn class_escape(&mut self) -> Result<Member, Unjudged> {
        let character = match self.next()? {
            name @ ('d' | 'D' | 'w' | 'W' | 's' | 'S') => return Ok(Member::Named(name)),
            't' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            '0' if !self.rest.first().is_some_and(char::is_ascii_digit) => '\0',
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            plain if !plain.is_alphanumeric() => plain,
            _ => return Err(self.fault("an unknown escape")),
        };
        Ok(Member::Range(character, character))
    }

    fn hexadecimal(&mut self, n_digits: usize) -> Result<char, Unjudged> {
        let digits: String = self.rest.iter().take(n_digits).collect();
        let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == n_digits);
        let character = code.and_then(char::from_u32).ok_or_else(|| self.fault("a code of no character"))?;
        self.rest = &self.rest[n_digits..];
        Ok(character)
    }

    fn class(&mut self) -> Result<Class, Unjudged> {
        let is_negated = self.eat("^");
        let mut members = Vec::new();
        while !self.eat("]") {
            let first = self.class_member()?;
            let is_range = self.rest.first() == Some(&'-') && self.rest.get(1) != Some(&']');
            if !is_range {
                members.push(first);
                continue;
            }
            self.next()?;
            match (first, self.class_member()?) {
                (Member::Range(first, _), Member::Range(last, _)) if first <= last => {
                    members.push(Member::Range(first, last));
                }
                _ => return Err(self.fault("a range without order")),
            }
        }
        Ok(Class { is_negated, members })
    }

    fn class_member(&mut self) -> Result<Member, Unjudged> {
        match self.next()? {
            '\\' if self.eat("b") => Ok(Member::Range('\u{8}', '\u{8}')),
            '\\' => self.class_escape(),
            plain => Ok(Member::Range(plain, plain)),
        }
    }
}

fn single(member: Member) -> Node {
    Node::Class(Class { is_negated: false, members: vec![member] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_those_of_ecma_262() {
        for (pattern, found, not_found) in [
            ("", vec!["", "a"], vec![]),
            ("^a|b$", vec!["ax", "xb"], vec!["xax", "bx"]),
            ("^(ab){2,3}$", vec!["abab", "ababab"], vec!["ab", "abababab"]),
            ("^(?!.*bb)[ab]+$", vec!["abab"], vec!["abba", ""]),
            ("(?<=a)b", vec!["ab"], vec!["b", "bb"]),
            ("(?<!a)b", vec!["b", "abb"], vec!["ab"]),
            ("\\ba\\b", vec!["a", "-a-"], vec!["ab"]),
            ("^\\d\\D\\w\\W\\s\\S$", vec!["0aa  a"], vec!["00aa  a", "é"]),
            ("^[^a-c\\-]$", vec!["d"], vec!["a", "b", "-", ""]),
            ("^\\x41\\u0042\\$$", vec!["AB$"], vec!["AB"]),
            ("^.$", vec!["é", "😀"], vec!["\n", "ab"]),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert!(found.iter().all(|text| parsed.is_found(text)), "{pattern} {found:?}");
            assert!(!not_found.iter().any(|text| parsed.is_found(text)), "{pattern} {not_found:?}");
        }
        for pattern in ["(", ")", "[", "a{", "*", "\\1", "\\p{L}", "(?<n>a)"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
