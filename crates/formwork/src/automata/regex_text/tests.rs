//! Which texts are expressions? Known ones, and random ones read byte by byte as the standard's grammar says.

use super::*;
use crate::random::Random;

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

/// Expressions, whole or begun, and what may come behind them by chance.
fn for_each_beginning(mut visit: impl FnMut(&str, &RegexState, &mut Random)) {
    let alphabet: Vec<char> = "()[]{}<>?:=!\\^$|*+-,/kubpxcdDdF8019Laz_é\u{10FFFF}".chars().collect();
    let mut random = Random(7);
    let seeds = VALID.iter().chain(INVALID).chain(MORE_SEEDS);
    for seed in seeds.cycle().take(12_000) {
        let mut place = RegexState::start();
        let mut text = String::new();
        let n_kept = random.below(seed.chars().count() + 1);
        let n_more = random.below(12);
        let more: Vec<char> = (0..n_more).map(|_| alphabet[random.below(alphabet.len())]).collect();
        for char in seed.chars().take(n_kept).chain(more) {
            if let Some(next) = place.step(char) {
                place = next;
                text.push(char);
            }
        }
        visit(&text, &place, &mut random);
    }
}

const MORE_SEEDS: &[&str] = &[
    "[\u{E000}-\\u{10FFFF}]",
    "[\u{1F00}-\\uD8",
    "[\u{10FFFF}-\\uDBFF\\uDFFF]",
    "[~-\\xFF]",
    "a{250,19",
    "a{25,0",
    "a{25,2",
    "a{25,3",
    "(?<abc>)(?<ab",
    "\\k<abcdefgh>(?<abcx",
    "\\k<a>\\k<b>\\9(",
    "\\99",
];

/// Every state can be completed, in as many characters as it says and never in fewer.
#[test]
fn every_beginning_can_be_completed() {
    for_each_beginning(|text, start, _| {
        let mut place = start.clone();
        let mut text = text.to_owned();
        while place.distance() > 0 {
            let chars = (0..128u8).map(char::from).chain(['\u{10FFFF}']);
            let ways = chars.filter_map(|char| Some((char, place.step(char)?)));
            let (char, next) = ways.min_by_key(|(_, next)| next.distance()).unwrap_or_else(|| panic!("{text} is dead"));
            assert_eq!(next.distance() + 1, place.distance(), "{text:?}, then {char:?}: {place:?}");
            place = next;
            text.push(char);
        }
        assert!(place.is_accepting(), "{text}");
        assert!(place.step('a').is_some_and(|longer| longer.is_accepting()), "{text}");
        for in_groups in ["", "a", " "] {
            let rest = start.shortest_text(in_groups).unwrap();
            let n_chars = rest.chars().count();
            assert!(n_chars == start.distance() as usize || !in_groups.is_empty(), "{text} {rest}");
            for last in ['a', ' ', '0', 'é', '9'].into_iter().filter(|last| start.may_follow(&rest, *last)) {
                let text = rest.clone() + &String::from_iter([last, last]);
                let mut places = text.chars().scan(start.clone(), |place, char| {
                    *place = place.step(char)?;
                    Some(place.is_accepting())
                });
                assert!(places.by_ref().skip(n_chars).eq([true, true]), "{start:?} {text}");
            }
        }
        let trial = start.trial().unwrap();
        let n_chars = trial.shortest_text("").map(|rest| rest.chars().count());
        assert_eq!(n_chars, Some(start.distance() as usize), "{text} {trial:?}");
    });
}

/// A trial tells what is an expression as well as the state itself.
#[test]
fn a_trial_tells_the_same() {
    let alphabet: Vec<char> = "()<?>=!|*+k\\19La_abcabc{{,}".chars().collect();
    let mut n_names = 0;
    for_each_beginning(|text, start, random| {
        let (mut place, mut trial) = (start.clone(), start.trial().unwrap());
        assert!(trial.trial().is_none());
        let mut has_named = false;
        for _ in 0..12 {
            let char = alphabet[random.below(alphabet.len())];
            let is_name = |place: &RegexState| matches!(place.place, Place::GroupAngle | Place::NameReference(_));
            let (next, next_trial) = (place.step(char), trial.step(char));
            assert_eq!(next.is_some(), next_trial.is_some(), "{text} {place:?} {char}");
            let (Some(next), Some(next_trial)) = (next, next_trial) else { continue };
            let has_numbers =
                |place: &RegexState| matches!(&place.place, Place::Braces { least, .. } if **least == *b"?");
            if has_named && is_name(&next) || has_numbers(&trial) && char == ',' {
                return;
            }
            (place, trial) = (next, next_trial);
            has_named |= char == '>';
            n_names += usize::from(has_named);
            assert_eq!(place.is_accepting(), trial.is_accepting(), "{text} {place:?}");
            assert_eq!(place.distance(), trial.distance(), "{text} {place:?} {trial:?}");
        }
    });
    assert!(n_names > 1_000);
}

/// The numbers of a quantifier stand in their order, zeros before them left aside.
#[test]
fn quantifiers_have_their_numbers_in_order() {
    let numbers = [0, 1, 2, 7, 9, 10, 11, 19, 20, 21, 99, 100, 101, 109, 110, 199, 200, 1000, 1009];
    for least in numbers {
        for greatest in numbers {
            for zeros in ["", "0", "00"] {
                let text = format!("a{{{zeros}{least},{zeros}{greatest}}}");
                assert_eq!(is_regex(&text), least <= greatest, "{text}");
            }
        }
    }
}

/// However many groups have the short names.
#[test]
fn names_that_are_taken_are_no_end() {
    let one: Vec<char> = ('a'..='z').chain('A'..='Z').chain(['$', '_']).collect();
    let text: String = one.iter().map(|char| format!("(?<{char}>)")).collect();
    for (more, n_chars) in [("(?<", 2), ("(?<a", 3), ("\\1(?<", 2), ("\\k<", 2), ("\\99(?<", 2 * 45 + 2)] {
        let place = end(&(text.clone() + more)).unwrap();
        assert_eq!(place.distance(), n_chars, "{more}");
    }
}

/// There is as much room as is said.
#[test]
fn what_is_added_can_be_completed_in_its_room() {
    let alphabet: Vec<char> = "()([{<?:=!^$|*+-,/kubpxcdDF8019Laz_é\\".chars().collect();
    for_each_beginning(|text, start, random| {
        for plain in [true, false] {
            let (mut place, mut n_more) = (start.clone(), 0);
            for _ in 0..24 {
                let char = alphabet[random.below(alphabet.len() - usize::from(plain))];
                if let Some(next) = place.step(char) {
                    place = next;
                    n_more += 1;
                }
                let odd = if plain { 0 } else { super::super::lengths::ODD_ROOM };
                assert!(place.distance() <= start.room() + n_more + odd, "{text} {start:?} {place:?}");
            }
        }
    });
}

/// What is said to be alike leads to the same place, wherever it is said.
#[test]
fn what_is_alike_leads_to_the_same_place() {
    let chars: Vec<char> = (0..0x80).chain(BLOCKS).filter_map(char::from_u32).collect();
    let step = |place: &RegexState, char: &char| place.step(*char);
    let mut n_alike = 0;
    for text in VALID.iter().chain(INVALID).copied().chain(["[a-]", "[\\0-z]", "[\\uD800-\\uDBFF", "[é-ÿ]", "\\0"]) {
        let mut places = vec![RegexState::start()];
        for char in text.chars() {
            places.extend(places.last().and_then(|place| place.step(char)));
        }
        for place in places {
            let mut alike = Vec::new();
            place.alike(&chars, &mut alike);
            for (char, first) in chars.iter().zip(&alike) {
                assert_eq!(step(&place, char), step(&place, &chars[usize::from(*first)]), "{text} {place:?} {char:?}");
            }
            n_alike += alike.iter().enumerate().filter(|(class, first)| *class != usize::from(**first)).count();
            if let Some((model, other)) = place.model() {
                assert!(model.model().is_none());
                let differ = |char: &&char| step(&model, char) != step(&place, char);
                assert!(chars.iter().filter(differ).all(|char| *char == other), "{text} {place:?}");
            }
        }
    }
    assert!(n_alike > 1_000);
}
