//! Do patterns mean what ECMA-262 says?

use super::*;
use crate::automata::decide::string_matches;
use crate::limits::Limits;
use crate::random::Random;

fn read(source: &str) -> Pattern<'_> {
    Pattern::read(source, false, 100_000).unwrap()
}

/// Whether the pattern is found in `text`: by its one language, its complement and its conditions alike.
fn finds(source: &str, text: &str) -> bool {
    let pattern = read(source);
    let matches = |spec: &StringSpec| string_matches(spec, text, &Limits::default()).unwrap();
    let found = matches(&pattern.spec);
    let n_parts = pattern.complements().iter().filter(|part| matches(part)).count();
    assert_eq!(n_parts, usize::from(!found), "{source} {text:?}");
    if let Some(language) = pattern.single {
        for negated in [false, true] {
            let content = vec![ContentConstraint { language: language.clone(), negated }];
            let spec = StringSpec { content, ..StringSpec::default() };
            assert_eq!(matches(&spec), found != negated, "{source} {text:?}");
        }
    }
    found
}

#[test]
fn literals_between_anchors_are_words() {
    let words = |source| read(source).words.map(|words| words.iter().map(|word| word.to_string()).collect::<Vec<_>>());
    assert_eq!(words("^abc$"), Some(vec!["abc".to_owned()]));
    assert_eq!(words(r"^(b\.c|a)$"), Some(vec!["a".to_owned(), "b.c".to_owned()]));
    assert_eq!(words("^(?:a|)$"), Some(vec![String::new(), "a".to_owned()]));
    for source in ["abc", "^a|b$", "^a.c$", "^(a|b)+$", "^a+$", r"^\d$", r"^a\$"] {
        assert_eq!(words(source), None, "{source}");
    }
}

#[test]
fn a_counted_class_is_a_length() {
    let pattern = read("^[a-z]{2,2000}$");
    assert_eq!((pattern.spec.min_chars, pattern.spec.max_chars), (2, Some(2000)));
    assert_eq!(read("^([a-z]{1,1000000})$").spec.max_chars, Some(1_000_000));
    assert_eq!(read(r"^[\s\S]{1,5}$").spec.content, []);
    assert!(read(".*").is_everything());
    assert!(read("").is_everything());
    assert!(!read("^.*$").is_everything());
}

#[test]
fn conditions_at_the_ends_are_constraints_of_their_own() {
    let pattern = read("^(?!foo)(?=.*[0-9])[a-z0-9]+(?<!x)$");
    let negated: Vec<bool> = pattern.spec.content.iter().map(|constraint| constraint.negated).collect();
    assert_eq!(negated, [true, false, true, false]);
    assert_eq!(pattern.spec.min_chars, 1);
    assert!(pattern.single.is_some());
    assert!(read("^(?!foo)").spec.content.len() == 1);
    // Such that are words are said as words.
    let words = |source| match &read(source).spec.content[0] {
        ContentConstraint { language: ContentLanguage::OneOf(words), negated: true } => words.join(" "),
        other => panic!("{other:?}"),
    };
    assert_eq!(words("^(?!(?:in|is|i[bn]?)$)[a-z]+$"), "i ib in is");
    assert_eq!(words("^(?!abc$)[a-z]+$"), "abc");
    for source in ["^(?!abc)[a-z]+$", "^(?!(a|b+)$)[a-z]+$", "^(?!a$|b)[a-z]+$"] {
        let ContentLanguage::Expression(_) = &read(source).spec.content[0].language else { panic!("{source}") };
    }
}

#[test]
fn ecma_meaning_is_kept() {
    for (source, text, found) in [
        (r"^\d$", "٣", false),
        (r"^\w$", "é", false),
        (r"^\s$", "\u{feff}", true),
        (r"^\s$", "\u{85}", false),
        (r"^.$", "\r", false),
        (r"^a$", "a\n", false),
        (r"^[a&&b]+$", "a&b", true),
        (r"^[a~~b]+$", "a~b", true),
        (r"^[[a]$", "[", true),
        (r"^[^]$", "x", true),
        (r"^[\w-.]+$", "a-.", true),
        (r"^\/\-\#$", "/-#", true),
        (r"^a{,2}$", "a{,2}", true),
        (r"^a{2}$", "aa", true),
        (r"^{$", "{", true),
        (r"^\cJ$", "\n", true),
        (r"^\u0041\x42$", "AB", true),
        (r"^\uD83D\uDE00$", "😀", true),
        (r"^\u{1F600}$", "😀", true),
        (r"^(?<year>\d{4})$", "2024", true),
        (r"^[\S]+$", "ab", true),
        (r"^[^\S]$", " ", true),
        (r"^\p{L}$", "é", true),
        (r"a+?", "caa", true),
        (r"^[\b]$", "\u{8}", true),
        (r"^\0$", "\0", true),
        (r"^a b#c$", "a b#c", true),
        (r"(?i)^ABC$", "abc", true),
        (r"^[+--]$", ",", true),
    ] {
        assert_eq!(finds(source, text), found, "{source} {text:?}");
    }
}

#[test]
fn look_around_and_boundaries_mean_what_they_say() {
    for (source, found, missed) in [
        (r"\bfoo\b", &["foo", "a foo", "foo!", "-foo-"][..], &["food", "xfoo", "foo_", "fo"][..]),
        (r"\Boo", &["foo", "zoom"], &["oo", " oo"]),
        (r"^(?:(?!ab).)*$", &["", "a", "ba", "bba"], &["ab", "xaby"]),
        (r"a(?=b)", &["ab", "xaby"], &["a", "ac", "ba"]),
        (r"a(?!b)", &["a", "ac", "aba"], &["ab", "b"]),
        (r"(?<=a)b", &["ab", "xab"], &["b", "cb"]),
        (r"(?<!a)b", &["b", "cb", "abb"], &["ab", "a"]),
        (r"^(?:a(?=b)|b(?=a|$))+$", &["ab", "abab", "b"], &["aa", "a", "aba", ""]),
        (r"^(?:x(?!y)|(?=xy)..|z)*$", &["xy", "xz", "zxyx"], &["y", "xxyy"]),
        (r"(?<=^|,)a(?=,|$)", &["a", "b,a", "a,b", "b,a,c"], &["ab", "ba", "b,ab"]),
        (r"(?<=\bno)t", &["not", "a not"], &["knot", "nt"]),
        (r"(?<=a(?=bc))b", &["abc"], &["abd", "bc"]),
        (r"(?<!\bx)y", &["y", "axy", "zy"], &["xy", " xy"]),
        (r"^(?=.*\d)(?=.*[a-z])(?!.*\s).{4,6}$", &["abc1", "1bcdef"], &["abcd", "1234", "ab 1", "abcdef1"]),
        (r"^(?!(?:a|b)$)(?=..?$)", &["aa", "c"], &["a", "b", "", "abc"]),
        (r"(?=a)*b", &["b"], &["a"]),
        (r"^(?=(?!b)[ab])(?:a|b|c)", &["a", "ac"], &["b", "c"]),
    ] {
        for text in found {
            assert!(finds(source, text), "{source} {text:?}");
        }
        for text in missed {
            assert!(!finds(source, text), "{source} {text:?}");
        }
    }
}

#[test]
fn what_is_wrong_is_told_from_what_is_not_supported() {
    for source in [
        "(", ")", "[a", "*", "a**", "[b-a]", "a{3,2}", "\\", "(?<a", "a{1}{2}", "(?<=a)*", r"\b+", "^*", "(?<>a)",
        "(?<1>a)", "(?P<a>b)", "(?#a)", r"\u{}", r"\u{+41}", r"\x4",
    ] {
        assert!(matches!(parse::parse(source), Err(PatternFault::Malformed(_))), "{source}");
    }
    for source in [r"(a)\1", r"(?<a>b)\k<a>", r"\ud800", r"\Afoo\z", r"\p{Greek}", "(?i:a)"] {
        assert!(matches!(parse::parse(source), Err(PatternFault::Unsupported(_))), "{source}");
    }
    assert_eq!(Pattern::read("(a{1000}){1000}", false, 100_000).err(), Some(PatternFault::TooLarge));
    assert!(Pattern::read("^[a-z]{1,1000000}$", false, 100_000).is_ok());
}

/// Where a match of `node` that begins at `at` may end: an obvious matcher to compare with.
fn ends(node: &Node, text: &[char], at: usize) -> Vec<usize> {
    let is_word = |at: Option<&char>| at.is_some_and(|char| char.is_ascii_alphanumeric() || *char == '_');
    let here = |holds: bool| if holds { vec![at] } else { Vec::new() };
    let mut found = match node {
        Node::Empty => here(true),
        Node::Class(ranges) => match text.get(at) {
            Some(char) if ranges.iter().any(|(lo, hi)| (*lo..=*hi).contains(&(*char as u32))) => vec![at + 1],
            _ => Vec::new(),
        },
        Node::Concat(parts) => {
            parts.iter().fold(vec![at], |from, part| from.into_iter().flat_map(|at| ends(part, text, at)).collect())
        }
        Node::Alternation(parts) => parts.iter().flat_map(|part| ends(part, text, at)).collect(),
        Node::Repeat { sub, min, max } => {
            let mut all = Vec::new();
            let mut from = vec![at];
            for turn in 0..=max.unwrap_or(min + text.len() as u32 + 1) {
                if turn >= *min {
                    all.extend(&from);
                }
                from = from.into_iter().flat_map(|at| ends(sub, text, at)).collect();
                from.sort_unstable();
                from.dedup();
            }
            all
        }
        Node::Start => here(at == 0),
        Node::End => here(at == text.len()),
        Node::WordBoundary { negated } => {
            let before = is_word(at.checked_sub(1).and_then(|at| text.get(at)));
            here((before != is_word(text.get(at))) != *negated)
        }
        Node::Look { ahead: true, negated, sub } => here(ends(sub, text, at).is_empty() == *negated),
        Node::Look { ahead: false, negated, sub } => {
            let matched = (0..=at).any(|from| ends(sub, text, from).contains(&at));
            here(matched != *negated)
        }
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// A random expression of limited depth over `a`, `b` and a space.
fn random_pattern(random: &mut Random, depth: usize) -> String {
    const LEAVES: [&str; 10] = ["a", "b", "[ab]", ".", " ", "^", "$", r"\b", r"\B", ""];
    if depth == 0 {
        return LEAVES[random.below(LEAVES.len())].to_owned();
    }
    let mut sub = || random_pattern(random, depth - 1);
    let (first, second) = (sub(), sub());
    match random.below(10) {
        0..3 => format!("{first}{second}"),
        3 => format!("(?:{first}|{second})"),
        4 => format!("(?:{first})*{second}"),
        5 => format!("(?:{first}){{1,2}}{second}"),
        6 => format!("(?={first}){second}"),
        7 => format!("(?!{first}){second}"),
        8 => format!("{second}(?<={first})"),
        _ => format!("{second}(?<!{first})"),
    }
}

#[test]
fn random_patterns_agree_with_a_backtracking_matcher() {
    let mut random = Random(7);
    for round in 0..400 {
        let source = random_pattern(&mut random, 1 + round % 4);
        let Ok(node) = parse::parse(&source) else { continue };
        for number in 0..60usize {
            let text: Vec<char> =
                (0..number % 6).map(|at| ['a', 'b', ' '][number * 7 / 3usize.pow(at as u32) % 3]).collect();
            let expected = (0..=text.len()).any(|at| !ends(&node, &text, at).is_empty());
            let text: String = text.iter().collect();
            assert_eq!(finds(&source, &text), expected, "{source} {text:?}");
        }
    }
}

#[test]
fn what_is_owed_within_large_repetitions_is_refused() {
    let bearable = |source| {
        let pattern = read(source);
        let of_one = |constraint: &ContentConstraint| match &constraint.language {
            ContentLanguage::Expression(expression) => {
                look_around_is_bearable(constraint, size(&expression.node), &Limits::default()).unwrap()
            }
            _ => true,
        };
        pattern.spec.content.iter().all(of_one)
    };
    // Where a segment ends is open at every point, so that each place owes something else.
    assert!(!bearable(r"^((.{1,63}\.){1,127}(?![0-9]*$)[a-z0-9-]+)$"));
    assert!(bearable(r"^(([a-z]{1,63}\.){1,127}(?![0-9]*$)[a-z0-9-]+)$"));
    assert!(bearable(r"^(?!.*--)(?=.{1,255}$)(.{1,63}\.){1,127}$"));
    assert!(bearable(r"^(a(?!b)|b){1,200}$"));
}
