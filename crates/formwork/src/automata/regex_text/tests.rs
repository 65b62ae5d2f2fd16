//! Which texts are expressions? Known ones, and random ones read byte by byte as the standard's grammar says.

use super::*;

fn end(text: &str) -> Option<RegexState> {
    text.chars().try_fold(RegexState::start(), |state, char| state.step(char))
}

fn is_regex(text: &str) -> bool {
    end(text).is_some_and(|state| state.is_accepting())
}

const VALID: &[&str] = &[
    "",
    "a",
    "^a|b$",
    "([abc])+\\s+$",
    "(?:a|)*?(?=b)(?!c)(?<=d+)(?<!e)",
    "a{2}b{2,}c{2,10}?d{0007,7}",
    "\\0\\x41\\u0041\\u{1F600}\\u{0000041}\\cA\\t\\/\\.\\$",
    "\\d\\D\\s\\S\\w\\W\\b\\B",
    "\\p{L}\\P{Lu}\\p{Script=Greek}\\p{scx=Grek}\\p{gc=Nd}\\p{Emoji}\\p{General_Category=Letter}",
    "[]",
    "[^]",
    "[a-z0-9_\\-]",
    "[\\b\\d-]",
    "[--a]",
    "[a-b-c]",
    "[]-a",
    "[^^]",
    "[---]",
    "[+--]",
    "[\\uD83D\\uDE00-\\uD83D\\uDE4F]",
    "[\\uD83D-\\uDE00]",
    "[a-\\uD83D\\uDE00-b]",
    "[a-\\uD83D-\\u{1}]",
    "[\\u{1F600}-\\uD83D\\uDE4F]",
    "[\\0-\\x1F]",
    "[^\\]]",
    "[а-яёА-ЯЁ]",
    "[一-龥]",
    "[À-ÖØ-öø-ÿ]",
    "[\\u4e00-龥]",
    "[a-é]",
    "(a)\\1",
    "\\1()",
    "(()\\2)",
    "\\2()(?<b>)",
    "(?<name>x)\\k<name>",
    "\\k<a>(?<a>)",
    "(?<$_9>)",
    "()*",
    "(?:){2}",
    "日本",
    "\n/",
];

const INVALID: &[&str] = &[
    "^(abc]",
    "(",
    ")",
    "*",
    "a**",
    "a*??",
    "(*)",
    "|*",
    "^*",
    "\\b+",
    "(?=a)*",
    "(?<=a)+",
    "{2}",
    "a{",
    "a{}",
    "a{,2}",
    "a{3,2}",
    "a{10,9}",
    "]",
    "}",
    "[",
    "[\\]",
    "\\",
    "\\a",
    "\\-",
    "\\_",
    "\\ ",
    "\\c",
    "\\c1",
    "\\00",
    "\\01",
    "[\\01]",
    "[\\1]",
    "[\\B]",
    "[\\k]",
    "\\x4",
    "\\u004",
    "\\u{}",
    "\\u{110000}",
    "\\p",
    "\\pL",
    "\\p{}",
    "\\p{Greek}",
    "\\p{Script=greek}",
    "\\p{L=L}",
    "[z-a]",
    "[\\d-z]",
    "[a-\\d]",
    "[\\w-\\w]",
    "[b-\\uD83D\\uDE00-a]b]",
    "[\\u{1F600}-\\uD83D]",
    "[\\u{1F600}-\\uD83D\\uDDFF]",
    "[\\u{1F650}-\\uD83D\\uDE4F]",
    "[\\0-\\00]",
    "[я-а]",
    "(?P<name>x)",
    "(?P=name)",
    "(?#comment)a",
    "(?i)abc",
    "(?i:a)",
    "(?)",
    "(?<)",
    "(?<>a)",
    "(?<1>)",
    "(?<a>)(?<a>)",
    "\\k",
    "\\k<>",
    "\\k<a>",
    "\\1",
    "(a)\\2",
    "(?:a)\\1",
    "a{1}{2}",
];

#[test]
fn texts_are_expressions_or_none() {
    for text in VALID {
        assert!(is_regex(text), "{text} must be accepted");
    }
    for text in INVALID {
        assert!(!is_regex(text), "{text} must be refused");
    }
    // Left out.
    for text in ["(?<é>)", "\\100", "[é-ê]"] {
        assert!(!is_regex(text), "{text}");
    }
}

/// Every state can be completed, in as many characters as it says or a few more, and never in fewer.
#[test]
fn every_beginning_can_be_completed() {
    let alphabet: Vec<char> = "()[]{}<>?:=!\\^$|*+-,/kubpxcdDd019Laz_é\u{10FFFF}".chars().collect();
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    for round in 0..4_000 {
        let mut place = RegexState::start();
        let mut text = String::new();
        let seeds: Vec<char> = VALID[round % VALID.len()].chars().collect();
        let n_kept = random() % (seeds.len() + 1);
        for char in
            seeds.into_iter().take(n_kept).chain((0..random() % 12).map(|_| alphabet[random() % alphabet.len()]))
        {
            if let Some(next) = place.step(char) {
                place = next;
                text.push(char);
            }
        }
        let least = place.distance();
        let mut n_more = 0;
        while !place.is_accepting() {
            let ways =
                (0..128u8).map(char::from).chain(['\u{10FFFF}']).filter_map(|char| Some((char, place.step(char)?)));
            let (char, next) = ways.min_by_key(|(_, next)| next.distance()).unwrap_or_else(|| panic!("{text} is dead"));
            assert!(next.distance() + 1 >= place.distance(), "{text:?}, then {char:?}: {place:?}");
            place = next;
            text.push(char);
            n_more += 1;
            assert!(n_more <= least + 40, "{text} {place:?}");
        }
        assert!(n_more >= least, "{text}");
    }
}
