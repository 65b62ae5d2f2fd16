//! Which strings are in some of several languages and outside the others, in one of several ways? What `oneOf` asks of
//! patterns.
//!
//! Every alternative of such a `oneOf` tells the same languages apart. Their union is one automaton with no more states than
//! each of them has alone, where automata side by side would each be asked for every mask.

use std::hash::BuildHasher;
use std::sync::Arc;

use super::spec::{ContentConstraint, ContentLanguage, StringSpec};
use crate::error::GrammarError;
use crate::hash::{HashMap, Seeded};

/// The strings whose memberships in some languages are one of several combinations; see [`Combination::new`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Combination {
    languages: Box<[ContentLanguage]>,
    cases: Box<[Box<[bool]>]>,
}

impl Combination {
    /// Each of the cases says of each language whether a string must be in it; a string that satisfies one of them will do.
    ///
    /// # Errors
    ///
    /// [`GrammarError::Regex`] for a case of another length, and for a language that stands for many others: a
    /// combination, host names and JSON texts.
    pub fn new(
        languages: impl IntoIterator<Item = ContentLanguage>,
        cases: impl IntoIterator<Item = Vec<bool>>,
    ) -> Result<Combination, GrammarError> {
        let languages: Box<[ContentLanguage]> = languages.into_iter().collect();
        let mut cases: Vec<Box<[bool]>> = cases.into_iter().map(Vec::into_boxed_slice).collect();
        let refused = |reason: &str| GrammarError::Regex { pattern: "a combination".into(), reason: reason.into() };
        if !languages.iter().all(can_be_combined) {
            return Err(refused("it holds host names, JSON texts or a combination"));
        }
        if cases.iter().any(|case| case.len() != languages.len()) {
            return Err(refused("a case says more or less than one thing of each language"));
        }
        cases.sort_unstable();
        cases.dedup();
        Ok(Combination { languages, cases: cases.into() })
    }

    /// The languages that are told apart.
    pub fn languages(&self) -> &[ContentLanguage] {
        &self.languages
    }

    /// By case and language: whether strings must be in it. In rising order, none twice.
    pub fn cases(&self) -> &[Box<[bool]>] {
        &self.cases
    }
}

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

/// The same strings, with one description where several tell the same languages apart within the same bounds. O(n log n) in
/// the constraints.
pub(crate) fn join(specs: Vec<StringSpec>) -> Vec<StringSpec> {
    let mut joined: Vec<StringSpec> = Vec::with_capacity(specs.len());
    // Descriptions in `joined`, by what all of a group have in common.
    let mut places: HashMap<_, usize> = HashMap::default();
    let mut groups: Vec<(usize, Vec<StringSpec>)> = Vec::new();
    for spec in specs {
        // Of a single language only two combinations are left, and those together are all strings.
        if spec.content.len() < 2 || !spec.content.iter().all(|constraint| can_be_combined(&constraint.language)) {
            joined.push(spec);
            continue;
        }
        let mut hashes: Vec<u64> =
            spec.content.iter().map(|constraint| Seeded.hash_one(&constraint.language)).collect();
        hashes.sort_unstable();
        let key = (spec.min_chars, spec.max_chars, spec.escapes, hashes);
        match places.get(&key).map(|group| &mut groups[*group].1) {
            Some(group) if case_of(&spec, &group[0].content).is_some() => group.push(spec),
            _ => {
                places.insert(key, groups.len());
                groups.push((joined.len(), vec![spec.clone()]));
                joined.push(spec);
            }
        }
    }
    for (place, group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
        let languages = &group[0].content;
        let cases = group.iter().filter_map(|spec| case_of(spec, languages));
        let combination = Combination::new(languages.iter().map(|constraint| constraint.language.clone()), cases);
        if let Ok(combination) = combination {
            let language = ContentLanguage::Combination(Arc::new(combination));
            joined[place].content = vec![ContentConstraint { language, negated: false }];
        }
    }
    joined
}

/// Whether strings must be in each of these languages, where the description says that of them and of no others.
fn case_of(spec: &StringSpec, languages: &[ContentConstraint]) -> Option<Vec<bool>> {
    if spec.content.len() != languages.len() {
        return None;
    }
    let says = |of: &ContentConstraint| {
        let mut same = spec.content.iter().filter(|constraint| constraint.language == of.language);
        same.next().filter(|_| same.next().is_none()).map(|constraint| !constraint.negated)
    };
    languages.iter().map(says).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::StringAutomaton;
    use crate::automata::decide::string_matches;
    use crate::limits::Limits;

    fn spec(languages: &[&str], case: &[bool], max_chars: Option<u32>) -> StringSpec {
        let constraint = |(pattern, wanted): (&&str, &bool)| ContentConstraint {
            language: ContentLanguage::Search((*pattern).into()),
            negated: !wanted,
        };
        let mut content: Vec<ContentConstraint> = languages.iter().zip(case).map(constraint).collect();
        // In whatever order they stand.
        content.rotate_left(usize::from(case[0]));
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
        for chosen in 1u32..1 << 16 {
            // Some of the sets of cases.
            if chosen.count_ones() > 5 || chosen % 61 != 0 {
                continue;
            }
            let cases = (0..16u32).filter(|case| chosen >> case & 1 == 1);
            let of_case = |case: u32| spec(&languages, &std::array::from_fn::<_, 4, _>(|at| case >> at & 1 == 1), None);
            let specs: Vec<StringSpec> = cases.map(of_case).collect();
            let [joined] = &join(specs.clone())[..] else { panic!("{chosen:b} is one description") };
            assert_eq!(specs.len() > 1, matches!(joined.content[0].language, ContentLanguage::Combination(_)));
            let all_empty = specs.iter().all(|spec| StringAutomaton::new(spec, &limits).unwrap().is_empty());
            assert_eq!(StringAutomaton::new(joined, &limits).unwrap().is_empty(), all_empty, "{chosen:b}");
            for text in texts.iter().step_by(7) {
                let expected = specs.iter().any(|spec| string_matches(spec, text, &limits).unwrap());
                assert_eq!(string_matches(joined, text, &limits).unwrap(), expected, "{chosen:b} {text:?}");
            }
        }
    }

    #[test]
    fn only_what_tells_the_same_apart_is_joined() {
        let [plain, other] = [["a", "b"], ["a", "c"]].map(|languages| spec(&languages, &[true, false], None));
        let swapped = spec(&["a", "b"], &[false, true], None);
        let bounded = spec(&["a", "b"], &[false, true], Some(3));
        let single = StringSpec { content: plain.content[..1].to_vec(), ..StringSpec::default() };
        let specs = vec![plain.clone(), other.clone(), bounded.clone(), single.clone()];
        assert_eq!(join(specs.clone()), specs);
        let joined = join(vec![other.clone(), plain, single.clone(), swapped]);
        assert_eq!(joined.len(), 3);
        assert_eq!((&joined[0], &joined[2]), (&other, &single));
    }

    #[test]
    fn what_cannot_be_combined_is_refused() {
        let search = || ContentLanguage::Search("a".into());
        assert!(Combination::new([search(), ContentLanguage::JsonText], [vec![true, true]]).is_err());
        assert!(Combination::new([search()], [vec![true, true]]).is_err());
        let combination = Combination::new([search(), search()], [vec![true, false], vec![true, false]]).unwrap();
        assert_eq!(combination.cases().len(), 1);
        let negated =
            ContentConstraint { language: ContentLanguage::Combination(Arc::new(combination)), negated: true };
        let spec = StringSpec { content: vec![negated], ..StringSpec::default() };
        assert!(StringAutomaton::new(&spec, &Limits::default()).is_err());
    }
}
