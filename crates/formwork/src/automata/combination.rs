//! Which strings are in some of several languages and outside others, in one of several ways? What `oneOf` and `anyOf` ask
//! of patterns.
//!
//! Alternatives that tell the same languages apart, or mostly the same, are one automaton: it has hardly more states than
//! each of them has alone, where automata side by side would each be asked for every mask.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use indexmap::IndexMap;

use super::spec::{ContentConstraint, ContentLanguage, StringSpec};
use crate::error::GrammarError;
use crate::hash::{HashSet, Seeded};

/// The strings whose memberships in some languages are one of several combinations; see [`Combination::new`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Combination {
    languages: Box<[ContentLanguage]>,
    cases: Box<[Case]>,
}

/// Of each language whether strings must be in it; `None` where that does not matter.
pub(super) type Case = Box<[Option<bool>]>;

impl Combination {
    /// Each of the cases says of each language whether a string must be in it, or `None` where it may be or not; a string that
    /// satisfies one of them will do.
    ///
    /// # Errors
    ///
    /// [`GrammarError::Regex`] for a case of another length, and for a language that stands for many others: a
    /// combination, host names and JSON texts.
    pub fn new(
        languages: impl IntoIterator<Item = ContentLanguage>,
        cases: impl IntoIterator<Item = Vec<Option<bool>>>,
    ) -> Result<Combination, GrammarError> {
        let languages: Box<[ContentLanguage]> = languages.into_iter().collect();
        let cases: Vec<Vec<Option<bool>>> = cases.into_iter().collect();
        let refused = |reason: &str| GrammarError::Regex { pattern: "a combination".into(), reason: reason.into() };
        if !languages.iter().all(can_be_combined) {
            return Err(refused("it holds host names, JSON texts or a combination"));
        }
        if cases.iter().any(|case| case.len() != languages.len()) {
            return Err(refused("a case says more or less than one thing of each language"));
        }
        Ok(Combination::of(languages, cases))
    }

    fn of(languages: Box<[ContentLanguage]>, cases: Vec<Vec<Option<bool>>>) -> Combination {
        let mut cases: Vec<Case> = cases.into_iter().map(Vec::into_boxed_slice).collect();
        cases.sort_unstable();
        cases.dedup();
        Combination { languages, cases: cases.into() }
    }

    /// The languages that are told apart.
    pub fn languages(&self) -> &[ContentLanguage] {
        &self.languages
    }

    /// By case and language: whether strings must be in it. In rising order, none twice.
    pub fn cases(&self) -> &[Box<[Option<bool>]>] {
        &self.cases
    }
}

/// So many descriptions that tell mostly the same languages apart become one.
const MIN_ALIKE: usize = 4;
/// More languages than this are not told apart together, but by descriptions that all ask for the same ones.
const MAX_LANGUAGES: usize = 32;

fn can_be_combined(language: &ContentLanguage) -> bool {
    match language {
        ContentLanguage::Search(_)
        | ContentLanguage::Match(_)
        | ContentLanguage::OneOf(_)
        | ContentLanguage::Expression(_) => true,
        ContentLanguage::HostName { .. }
        | ContentLanguage::JsonText
        | ContentLanguage::RegexText
        | ContentLanguage::Combination(_) => false,
    }
}

/// The same strings, with one description where several within the same bounds tell the same languages apart, all of them
/// or mostly. O(n log n) in the constraints.
pub(crate) fn join(specs: Vec<StringSpec>) -> Vec<StringSpec> {
    let is_joinable = |spec: &StringSpec| {
        !spec.content.is_empty() && spec.content.iter().all(|constraint| can_be_combined(&constraint.language))
    };
    let bounds = |spec: &StringSpec| is_joinable(spec).then_some((spec.min_chars, spec.max_chars, spec.escapes));
    let languages = |spec: &StringSpec| {
        let mut hashes: Vec<u64> =
            spec.content.iter().map(|constraint| Seeded.hash_one(&constraint.language)).collect();
        hashes.sort_unstable();
        // Of a single language only two combinations are left, and those together are all strings.
        (hashes.len() > 1).then_some(hashes)
    };
    if specs.len() < 2 {
        return specs;
    }
    let mut joined = Vec::with_capacity(specs.len());
    for group in grouped(specs, bounds) {
        match shares_languages(&group) {
            true => joined.push(together(group)),
            false if group.iter().all(is_joinable) => joined.extend(grouped(group, languages).map(together)),
            false => joined.extend(group),
        }
    }
    joined
}

/// Groups of equal keys, and each description without one by itself; in the order of their first ones.
fn grouped<K: Hash + Eq>(
    specs: Vec<StringSpec>,
    key: impl Fn(&StringSpec) -> Option<K>,
) -> impl Iterator<Item = Vec<StringSpec>> {
    let mut groups: IndexMap<(Option<K>, usize), Vec<StringSpec>, Seeded> = IndexMap::default();
    for (number, spec) in specs.into_iter().enumerate() {
        let key = key(&spec);
        let number = if key.is_some() { 0 } else { number };
        groups.entry((key, number)).or_default().push(spec);
    }
    groups.into_values()
}

/// Whether descriptions tell so few languages apart that each is met twice, but for one or two.
fn shares_languages(specs: &[StringSpec]) -> bool {
    if specs.len() < MIN_ALIKE {
        return false;
    }
    let languages = || specs.iter().flat_map(|spec| spec.content.iter().map(|constraint| &constraint.language));
    let n_languages = languages().collect::<HashSet<_>>().len();
    n_languages <= MAX_LANGUAGES && languages().count() + 2 >= 2 * n_languages
}

/// The strings of any of some descriptions, of which there is one at least, within the same bounds.
fn together(specs: Vec<StringSpec>) -> StringSpec {
    let first = specs[0].clone();
    if specs.len() == 1 {
        return first;
    }
    let mut languages: IndexMap<&ContentLanguage, usize, Seeded> = IndexMap::default();
    for constraint in specs.iter().flat_map(|spec| &spec.content) {
        let next = languages.len();
        languages.entry(&constraint.language).or_insert(next);
    }
    let case_of = |spec: &StringSpec| {
        let mut case = vec![None; languages.len()];
        for ContentConstraint { language, negated } in &spec.content {
            // No string is in a language and outside it.
            if case[languages[language]].replace(!negated) == Some(*negated) {
                return None;
            }
        }
        Some(case)
    };
    let cases = specs.iter().filter_map(case_of).collect();
    let combination = Combination::of(languages.into_keys().cloned().collect(), cases);
    let language = ContentLanguage::Combination(Arc::new(combination));
    StringSpec { content: vec![ContentConstraint { language, negated: false }], ..first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::StringAutomaton;
    use crate::automata::decide::string_matches;
    use crate::limits::Limits;

    fn spec(languages: &[&str], case: &[Option<bool>], max_chars: Option<u32>) -> StringSpec {
        let constraint = |(pattern, wanted): (&&str, &Option<bool>)| {
            Some(ContentConstraint { language: ContentLanguage::Search((*pattern).into()), negated: !(*wanted)? })
        };
        let mut content: Vec<ContentConstraint> = languages.iter().zip(case).filter_map(constraint).collect();
        // In whatever order they stand.
        let first = content.len().min(usize::from(case[0] == Some(true)));
        content.rotate_left(first);
        StringSpec { content, max_chars, ..StringSpec::default() }
    }

    fn texts(letters: &[char], n_chars: usize) -> Vec<String> {
        let mut texts = vec![String::new()];
        for start in 0.. {
            if start >= texts.len() || texts[start].len() >= n_chars {
                break;
            }
            texts.extend(letters.iter().map(|letter| format!("{}{letter}", texts[start])).collect::<Vec<_>>());
        }
        texts
    }

    #[test]
    fn what_is_joined_are_the_strings_of_all() {
        let languages = ["ab", "^a", "b.?c$", "^(?:..)*$"];
        let texts = texts(&['a', 'b', 'c'], 5);
        let limits = Limits::default();
        let check = |specs: Vec<StringSpec>| {
            let [joined] = &join(specs.clone())[..] else { panic!("{specs:?} is one description") };
            assert_eq!(specs.len() > 1, matches!(joined.content[0].language, ContentLanguage::Combination(_)));
            let all_empty = specs.iter().all(|spec| StringAutomaton::new(spec, &limits).unwrap().is_empty());
            assert_eq!(StringAutomaton::new(joined, &limits).unwrap().is_empty(), all_empty, "{specs:?}");
            for text in texts.iter().step_by(7) {
                let expected = specs.iter().any(|spec| string_matches(spec, text, &limits).unwrap());
                assert_eq!(string_matches(joined, text, &limits).unwrap(), expected, "{specs:?} {text:?}");
            }
        };
        for chosen in 1u32..1 << 16 {
            // Some of the sets of cases.
            if chosen.count_ones() > 5 || chosen % 61 != 0 {
                continue;
            }
            let cases = (0..16u32).filter(|case| chosen >> case & 1 == 1);
            let wanted = |case: u32| std::array::from_fn::<_, 4, _>(|at| Some(case >> at & 1 == 1));
            check(cases.map(|case| spec(&languages, &wanted(case), None)).collect());
        }
        // Some sets of four to seven cases that leave languages out: three digits say what is asked of each.
        let mut random = 1u32;
        let mut next = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            1 + (random >> 8) % 80
        };
        for round in 0..150 {
            let wanted = |case: u32| {
                std::array::from_fn::<_, 4, _>(|at| {
                    [None, Some(true), Some(false)][case as usize / 3usize.pow(at as u32) % 3]
                })
            };
            let max_chars = (round % 2 == 0).then_some(4);
            let specs: Vec<StringSpec> =
                (0..4 + round % 4).map(|_| spec(&languages, &wanted(next()), max_chars)).collect();
            if specs.iter().map(|spec| spec.content.len()).sum::<usize>() >= 6 {
                check(specs);
            }
        }
    }

    #[test]
    fn only_what_tells_the_same_apart_is_joined() {
        let [yes, no] = [Some(true), Some(false)];
        let [plain, other] = [["a", "b"], ["a", "c"]].map(|languages| spec(&languages, &[yes, no], None));
        let swapped = spec(&["a", "b"], &[no, yes], None);
        let bounded = spec(&["a", "b"], &[no, yes], Some(3));
        let single = StringSpec { content: plain.content[..1].to_vec(), ..StringSpec::default() };
        let joined = join(vec![plain.clone(), other.clone(), bounded.clone()]);
        assert_eq!(joined, [plain.clone(), other.clone(), bounded]);
        let joined = join(vec![other.clone(), plain.clone(), swapped.clone()]);
        assert_eq!((joined.len(), &joined[0]), (2, &other));
        assert_eq!(join(vec![single.clone(), other.clone()]), [single.clone(), other.clone()]);
        assert_eq!(join(vec![single, other, plain, swapped]).len(), 1, "four that mostly tell the same apart");
        let unlike = ["b", "c", "d", "e"].map(|pattern| spec(&[pattern], &[yes], None));
        assert_eq!(join(unlike.to_vec()), unlike);
    }

    #[test]
    fn what_cannot_be_combined_is_refused() {
        let search = || ContentLanguage::Search("a".into());
        assert!(Combination::new([search(), ContentLanguage::JsonText], [vec![Some(true), None]]).is_err());
        assert!(Combination::new([search()], [vec![None, Some(true)]]).is_err());
        let combination =
            Combination::new([search(), search()], [vec![Some(true), None], vec![Some(true), None]]).unwrap();
        assert_eq!(combination.cases().len(), 1);
        let negated =
            ContentConstraint { language: ContentLanguage::Combination(Arc::new(combination)), negated: true };
        let spec = StringSpec { content: vec![negated], ..StringSpec::default() };
        assert!(StringAutomaton::new(&spec, &Limits::default()).is_err());
    }
}
