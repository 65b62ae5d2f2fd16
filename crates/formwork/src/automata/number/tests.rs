//! Do both automata take the numbers that arithmetic says they should, and never lead to a dead end?

use super::*;
use crate::automata::lazy_dfa::LazyDfa;

fn bound(text: &str, exclusive: bool) -> Option<Bound> {
    Some(Bound { value: Decimal::parse(text).unwrap(), exclusive })
}

fn automaton(spec: &NumberSpec) -> LazyDfa<NumberMachine> {
    LazyDfa::new(NumberMachine::new(spec, &Limits::default()).unwrap(), 100_000)
}

/// Whether the automaton accepts `text`, every step of it being live.
fn accepts(dfa: &LazyDfa<NumberMachine>, text: &str) -> bool {
    let mut state = Some(0);
    for byte in text.bytes() {
        state = state.and_then(|state| dfa.next(state, number_class(byte)?));
    }
    state.is_some_and(|state| dfa.is_accepting(state))
}

#[test]
fn bounds_agree_with_exact_comparison_on_all_short_spellings() {
    let ends = ["-12.5", "-10", "-3", "-0.05", "0", "0.5", "0.07", "3", "9.99", "10", "123"];
    let mut texts: Vec<String> = Vec::new();
    for whole in ["0", "1", "2", "3", "9", "10", "11", "12", "13", "99", "100", "122", "123", "124", "200"] {
        for fraction in ["", ".0", ".05", ".5", ".06", ".07", ".070", ".071", ".99", ".991", ".49"] {
            texts.push(format!("{whole}{fraction}"));
            texts.push(format!("-{whole}{fraction}"));
        }
    }
    for (lo, low) in ends.iter().enumerate() {
        for high in &ends[lo..] {
            for (open_low, open_high) in [(false, false), (true, false), (false, true), (true, true)] {
                for integer in [false, true] {
                    let spec = NumberSpec {
                        integer,
                        minimum: bound(low, open_low),
                        maximum: bound(high, open_high),
                        ..NumberSpec::default()
                    };
                    let dfa = automaton(&spec);
                    for text in &texts {
                        let expected = number_matches(&spec, &Decimal::parse(text).unwrap())
                            && !(integer && (text.contains('.') || text == "-0"));
                        assert_eq!(accepts(&dfa, text), expected, "{text} in {spec:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn bounds_at_zero_leave_exponents_alone() {
    for (minimum, maximum, yes, no) in [
        (bound("0", false), None, &["1e-06", "0e5", "-0.0E3", "2.5E+9"][..], &["-1e-06", "-0.5e1"][..]),
        (bound("0", true), None, &["1e-06", "0.05e1"], &["0e5", "0.0E2", "-1e1"]),
        (None, bound("0", true), &["-1e9", "-0.5E-1"], &["1e1", "0e0", "-0e0"]),
        (bound("1", false), None, &["1", "10.5"], &["1e1", "10e0"]),
    ] {
        let dfa = automaton(&NumberSpec { minimum, maximum, ..NumberSpec::default() });
        yes.iter().for_each(|text| assert!(accepts(&dfa, text), "{text}"));
        no.iter().for_each(|text| assert!(!accepts(&dfa, text), "{text}"));
    }
}

#[test]
fn multiples_are_exact_and_never_dead_ends() {
    for (divisor, yes, no) in [
        ("0.01", ["1.25", "3", "0.10"], ["1.255", "0.001", "2.999"]),
        ("7", ["14", "-21", "0"], ["1", "15", "-20"]),
        ("2.5", ["2.5", "10", "7.50"], ["1", "2.55", "8"]),
    ] {
        let divisor = Decimal::parse(divisor).unwrap();
        let dfa = automaton(&NumberSpec { multiples: vec![divisor], max_digits: Some(3), ..NumberSpec::default() });
        yes.iter().for_each(|text| assert!(accepts(&dfa, text), "{text}"));
        no.iter().for_each(|text| assert!(!accepts(&dfa, text), "{text}"));
    }
}

#[test]
fn an_empty_range_is_empty() {
    for (low, high, multiple, empty) in
        [("1", "2", None, false), ("2", "1", None, true), ("1", "2", Some("3"), true), ("0.1", "0.2", None, true)]
    {
        let spec = NumberSpec {
            integer: true,
            minimum: bound(low, false),
            maximum: bound(high, false),
            multiples: multiple.iter().map(|text| Decimal::parse(text).unwrap()).collect(),
            ..NumberSpec::default()
        };
        assert_eq!(automaton(&spec).is_empty(), empty, "{spec:?}");
    }
}

#[test]
fn digits_and_exponents_are_bounded() {
    let dfa = automaton(&NumberSpec { max_digits: Some(5), ..NumberSpec::default() });
    for text in ["12345", "12345.12345", "1e99", "1E-308", "-0", "0.1e+5"] {
        assert!(accepts(&dfa, text), "{text}");
    }
    for text in ["123456", "1.123456", "1e100", "01", "1.", ".5", "+1", "1e", "--1"] {
        assert!(!accepts(&dfa, text), "{text}");
    }
}

fn decimals(texts: &[&str]) -> Vec<Decimal> {
    let mut decimals: Vec<Decimal> = texts.iter().map(|text| Decimal::parse(text).unwrap()).collect();
    decimals.sort_unstable();
    decimals
}

fn check(spec: &NumberSpec, yes: &[&str], no: &[&str]) {
    let dfa = automaton(spec);
    yes.iter().for_each(|text| assert!(accepts(&dfa, text), "{text} in {spec:?}"));
    no.iter().for_each(|text| assert!(!accepts(&dfa, text), "{text} not in {spec:?}"));
}

#[test]
fn any_spelling_of_a_value_is_taken() {
    let any = NumberSpec { spelling: Numbers::Any, ..NumberSpec::default() };
    let constant = NumberSpec { values: Some(decimals(&["100", "-2.5"])), ..any.clone() };
    check(
        &constant,
        &["100", "100.000", "1e2", "1E+2", "0.001e5", "10000e-2", "-25e-1", "-0.0025e+0003"],
        &["1e3", "100.1", "-2.50001", "2.5", "-0", "1e", "01e2"],
    );
    let integer = NumberSpec { integer: true, ..any.clone() };
    check(&integer, &["1.0", "1e400", "100e-2", "-0", "0e-7", "12.50e1"], &["1.5", "1e-1", "12.5e0", "100e-3"]);
    let in_digits = NumberSpec { integer: true, form: NumberForm::Digits, ..any.clone() };
    check(&in_digits, &["1", "-0", "1000"], &["1.0", "1e2"]);
    let not_in_digits = NumberSpec { form: NumberForm::NotDigits, ..any.clone() };
    check(&not_in_digits, &["1.0", "1e2", "0.5"], &["1", "-0"]);
    let fine = NumberSpec { multiples: decimals(&["0.0001"]), ..any.clone() };
    check(&fine, &["0.0075", "75e-4", "1e308"], &["0.00751", "75e-5"]);
    let odd = NumberSpec { multiples: decimals(&["0.123456789"]), integer: true, ..any };
    check(&odd, &["123456789", "123456789e3"], &["1e308"]);
}

#[test]
fn what_is_left_out_leaves_no_dead_end() {
    let integer = NumberSpec { integer: true, ..NumberSpec::default() };
    let few = NumberSpec {
        minimum: bound("3", false),
        maximum: bound("7", false),
        not_multiples: decimals(&["2"]),
        excluded: decimals(&["5"]),
        ..integer.clone()
    };
    check(&few, &["3", "7"], &["2", "4", "5", "6", "8", "30", "7.0"]);
    let none = NumberSpec { excluded: decimals(&["3", "5", "7"]), ..few };
    assert!(automaton(&none).is_empty());
    assert_eq!(number_emptiness(&none), Emptiness::Empty);
    let broken = NumberSpec { not_multiples: decimals(&["1"]), max_digits: Some(2), ..NumberSpec::default() };
    check(&broken, &["0.5", "-99.01"], &["1", "1.0", "0.001", "1.00", "-0.0", "5e-1"]);
    let contradiction = NumberSpec { not_multiples: decimals(&["0.5"]), multiples: decimals(&["1.5"]), ..integer };
    assert_eq!(number_emptiness(&contradiction), Emptiness::Empty);
}

#[test]
fn a_number_that_must_be_long_may_be() {
    let far = |value: &str| NumberSpec { minimum: bound(value, false), max_digits: Some(3), ..NumberSpec::default() };
    check(&NumberSpec { integer: true, ..far("12345") }, &["12345", "99999"], &["1234", "12344"]);
    check(&NumberSpec { multiples: decimals(&["10000"]), ..far("1") }, &["10000", "30000"], &["1000"]);
    check(&NumberSpec { maximum: bound("0.00002", false), ..far("0.00001") }, &["0.00001", "0.000015"], &["0.001"]);
}

/// Pseudo-random numbers; the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    fn some(&mut self, most: usize, texts: &[&str]) -> Vec<Decimal> {
        let n = self.below(most + 1);
        let mut picked = decimals(&(0..n).map(|_| self.pick(texts)).collect::<Vec<_>>());
        picked.dedup();
        picked
    }

    fn spec(&mut self) -> NumberSpec {
        let ends = ["-31.5", "-20", "-3", "-0.05", "0", "0.5", "0.07", "3", "9.99", "10", "123", "4000"];
        let divisors = ["1", "2", "3", "7", "10", "0.5", "0.01", "25", "0.3", "60", "0.15", "143"];
        let bound = |random: &mut Random| {
            (random.below(3) > 0)
                .then(|| Bound { value: Decimal::parse(random.pick(&ends)).unwrap(), exclusive: random.below(2) == 0 })
        };
        let mut spec = NumberSpec {
            integer: self.below(3) == 0,
            minimum: bound(self),
            maximum: bound(self),
            multiples: self.some(2, &divisors),
            not_multiples: self.some(3, &divisors),
            excluded: self.some(3, &["0", "5", "-3", "3.5", "12", "0.07", "100"]),
            ..NumberSpec::default()
        };
        match self.below(6) {
            0 => spec.form = NumberForm::NotDigits,
            1 => (spec.form, spec.integer) = (NumberForm::Digits, true),
            _ => {}
        }
        if self.below(5) == 0 {
            spec.values = Some(self.some(4, &["0", "1", "10", "-3", "0.25", "4000", "1e3"]));
        }
        match self.below(3) {
            0 => spec.max_digits = Some(1 + self.below(4) as u32),
            1 => spec.spelling = Numbers::Any,
            _ => {}
        }
        spec
    }
}

/// The number that a text spells, as whole millionths of millionths; exponents beyond 12 make no difference to numbers as
/// short as those in these tests.
fn in_trillionths(text: &str) -> Option<i128> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let is_fine = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            (mantissa, if is_fine { exponent.parse::<i64>().ok()? } else { return None })
        }
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let exponent = exponent.clamp(-12, 12) - fraction.len() as i64;
    // 24 places behind the point are kept, so that no digit is lost.
    Some(sign * digits * 10i128.pow(u32::try_from(24 + exponent).ok()?))
}

fn is_in(spec: &NumberSpec, text: &str) -> bool {
    let Some(value) = in_trillionths(text) else { return false };
    let exact = |decimal: &Decimal| {
        let sign = if decimal.is_negative() { -1 } else { 1 };
        let digits = decimal.digits().iter().fold(0i128, |value, digit| value * 10 + i128::from(*digit));
        sign * digits * 10i128.pow((24 + decimal.exponent()) as u32)
    };
    let in_digits = !text.contains(['.', 'e', 'E']);
    let plain = match (spec.spelling, spec.max_digits) {
        (Numbers::Any, _) => true,
        // Exponents stay where only the side of zero is asked for; that is tested by hand.
        _ if text.contains(['e', 'E']) => false,
        _ if spec.integer && spec.form != NumberForm::NotDigits => in_digits && text != "-0",
        _ => true,
    };
    plain
        && (!spec.integer || value % 10i128.pow(24) == 0)
        && match spec.form {
            NumberForm::Free => true,
            NumberForm::Digits => in_digits,
            NumberForm::NotDigits => !in_digits,
        }
        && spec
            .minimum
            .as_ref()
            .is_none_or(|bound| value > exact(&bound.value) || (!bound.exclusive && value == exact(&bound.value)))
        && spec
            .maximum
            .as_ref()
            .is_none_or(|bound| value < exact(&bound.value) || (!bound.exclusive && value == exact(&bound.value)))
        && spec.multiples.iter().all(|divisor| value % exact(divisor) == 0)
        && spec.not_multiples.iter().all(|divisor| value % exact(divisor) != 0)
        && spec.excluded.iter().all(|excluded| value != exact(excluded))
        && spec.values.as_ref().is_none_or(|values| values.iter().any(|allowed| value == exact(allowed)))
}

/// Walks all texts of up to `n_left` more bytes: acceptance is as arithmetic has it, a dead state leads nowhere, and a live
/// one accepts or goes on. `None` stands for no state at all.
fn walk(machine: &NumberMachine, spec: &NumberSpec, state: &NumberState, text: &mut String, n_left: usize) {
    let accepts = machine.is_accepting(state);
    // Texts with more digits than are allowed have no state; those that have one are short enough.
    assert_eq!(accepts, is_in(spec, text), "{text} in {spec:?}");
    let live = machine.liveness(state).unwrap();
    assert!(live || !accepts, "{text} is dead and accepted in {spec:?}");
    let mut goes_on = false;
    for byte in "0123456789-.e+".chars() {
        let Some(next) = machine.step(state, number_class(byte as u8).unwrap()) else { continue };
        let next_is_live = machine.liveness(&next).unwrap();
        goes_on |= next_is_live;
        text.push(byte);
        assert!(live || !next_is_live, "{text} is live behind a dead state in {spec:?}");
        if n_left > 0 && (next_is_live || text.len() < 3) {
            walk(machine, spec, &next, text, n_left - 1);
        }
        text.pop();
    }
    assert_eq!(live, accepts || goes_on, "{text} in {spec:?}");
}

#[test]
fn every_short_text_is_judged_as_arithmetic_has_it() {
    let mut random = Random(7);
    let mut n_calculated = 0;
    for round in 0..600 {
        let spec = random.spec();
        let spec = NumberSpec { max_digits: spec.max_digits.map(|max| max.max(needed_digits(&spec, max))), ..spec };
        let n_bytes = if round % 10 == 0 { 5 } else { 3 };
        let machine = NumberMachine::Exact(ExactMachine::new(&spec).unwrap());
        walk(&machine, &spec, &machine.start(), &mut String::new(), n_bytes);
        let machine = NumberMachine::new(&spec, &Limits::default()).unwrap();
        if let NumberMachine::Digits(digits) = &machine
            && digits.liveness(&digits.start()).is_some()
        {
            walk(&machine, &spec, &machine.start(), &mut String::new(), n_bytes);
            n_calculated += 1;
        }
    }
    assert!(n_calculated > 50, "{n_calculated}");
}

/// Walks both automata along all texts of up to `n_left` more bytes: they take the same steps and accept the same texts.
fn walk_both(automata: [&NumberAutomaton; 2], states: [u64; 2], spec: &NumberSpec, text: &mut String, n_left: usize) {
    let [left, right] = [0, 1].map(|at| automata[at].is_accepting(states[at]));
    assert_eq!(left, right, "{text} in {spec:?}");
    let [left, right] = [0, 1].map(|at| automata[at].can_go_on(states[at]));
    assert_eq!(left, right, "{text} goes on in {spec:?}");
    for class in (0..N_CLASSES).filter(|_| n_left > 0) {
        text.push(char::from(b"0123456789-.e+"[class]));
        match [0, 1].map(|at| automata[at].next(states[at], class)) {
            [Some(left), Some(right)] => walk_both(automata, [left, right], spec, text, n_left - 1),
            [left, right] => assert_eq!(left.is_some(), right.is_some(), "{text} in {spec:?}"),
        }
        text.pop();
    }
}

#[test]
fn automata_say_the_same_of_divisors_and_of_what_is_left_out() {
    let limits = Limits::default();
    let mut random = Random(23);
    let (mut n_compared, mut n_calculated) = (0, 0);
    while n_compared < 150 {
        let spec = NumberSpec { spelling: Numbers::Plain, values: None, ..random.spec() };
        let spec = NumberSpec { multiples: values::joined(&spec.multiples).unwrap(), ..spec };
        let has_divisors = !spec.not_multiples.is_empty() || !spec.excluded.is_empty() || !spec.multiples.is_empty();
        let spec = NumberSpec { max_digits: spec.max_digits.map(|max| max.max(needed_digits(&spec, max))), ..spec };
        if !has_divisors || !DigitMachine::serves(&spec) {
            continue;
        }
        let exact = NumberMachine::Exact(ExactMachine::new(&spec).unwrap());
        let exact = NumberAutomaton::Listed(Box::new(LazyDfa::new(exact, 100_000)));
        // Liveness that is searched for, and states that are kept or calculated.
        let searched = NumberMachine::Digits(DigitMachine::new(&spec, &limits).unwrap().without_reach());
        let searched = NumberAutomaton::Listed(Box::new(LazyDfa::new(searched, 100_000)));
        let none_kept = NumberAutomaton::new(&spec, &Limits { max_automaton_states: 1, ..limits.clone() }).unwrap();
        let mut compared = vec![NumberAutomaton::new(&spec, &limits).unwrap(), searched];
        if let NumberAutomaton::Calculated(_) = none_kept {
            compared.push(none_kept);
            n_calculated += 1;
        }
        for automaton in compared {
            assert_eq!(automaton.is_empty(), exact.is_empty(), "{spec:?}");
            if !exact.is_empty() {
                walk_both([&automaton, &exact], [0, 0], &spec, &mut String::new(), 4);
            }
        }
        n_compared += 1;
    }
    assert!(n_calculated > 20, "{n_calculated}");
}

#[test]
fn great_divisors_keep_no_states() {
    for (multiples, not_multiples, excluded, maximum) in [
        (&["8", "11", "15"][..], &["9", "7", "0.25e3"][..], &[][..], None),
        (&["0.33", "1.04"], &["0.9", "7"], &["1029.6"], Some("123456789.5")),
        (&["99999999977"], &[], &["99999999977"], None),
        (&[], &["999983", "0.007", "12.5"], &["1", "17.5"], Some("1e6")),
    ] {
        let spec = NumberSpec {
            multiples: decimals(multiples),
            not_multiples: decimals(not_multiples),
            excluded: decimals(excluded),
            minimum: bound("1", false),
            maximum: maximum.and_then(|maximum| bound(maximum, true)),
            max_digits: Some(40),
            ..NumberSpec::default()
        };
        let automaton = NumberAutomaton::new(&spec, &Limits::default()).unwrap();
        assert!(matches!(automaton, NumberAutomaton::Calculated(_)), "{spec:?}");
        let mut random = Random(5);
        for _ in 0..200 {
            let (mut state, mut text) = (0, String::new());
            // At random for a while, then as briefly as can be.
            for _ in 0..random.below(45) {
                let byte = "0123456789.".as_bytes()[random.below(11)];
                if let Some(next) = automaton.next(state, number_class(byte).unwrap()) {
                    (state, _) = (next, text.push(char::from(byte)));
                }
            }
            let mut n_more = 0;
            while !automaton.is_accepting(state) {
                assert!(automaton.can_go_on(state), "{text} in {spec:?}");
                let near = |next: &u64| automaton.machine().bytes_to_end(&automaton.state(*next));
                let next = (0..N_CLASSES).filter_map(|class| automaton.next(state, class)).min_by_key(near).unwrap();
                let is_step = |class: &usize| automaton.next(state, *class) == Some(next);
                let class = (0..N_CLASSES).find(is_step).unwrap();
                text.push(char::from(b"0123456789-.e+"[class]));
                state = next;
                n_more += 1;
                assert!(n_more < 60, "{text} in {spec:?}");
            }
            assert!(number_matches(&spec, &Decimal::parse(&text).unwrap()), "{text} in {spec:?}");
        }
    }
}

#[test]
fn every_live_text_can_be_completed() {
    let mut random = Random(11);
    for _ in 0..400 {
        let spec = random.spec();
        let machine = NumberMachine::new(&spec, &Limits::default()).unwrap();
        let dfa = LazyDfa::new(machine, 100_000);
        assert!(number_emptiness(&spec) != Emptiness::Empty || dfa.is_empty(), "{spec:?}");
        if dfa.is_empty() {
            continue;
        }
        // A walk at random, then a way out.
        let (mut state, mut text) = (0, String::new());
        for _ in 0..6 {
            let byte = "0123456789-.e+".as_bytes()[random.below(14)];
            if let Some(next) = dfa.next(state, number_class(byte).unwrap()) {
                (state, _) = (next, text.push(char::from(byte)));
            }
        }
        let mut states = vec![state];
        let mut rounds = 0;
        while !states.iter().any(|state| dfa.is_accepting(*state)) {
            let next = states.iter().flat_map(|state| (0..N_CLASSES).filter_map(|class| dfa.next(*state, class)));
            let mut next: Vec<_> = next.collect();
            next.sort_unstable();
            next.dedup();
            // Some of them suffice to find a way out, if not the shortest.
            let n_next = next.len();
            states = next.into_iter().step_by(1 + n_next / 2_500).collect();
            rounds += 1;
            assert!(rounds < 40 && !states.is_empty(), "{text} leads nowhere in {spec:?}");
        }
    }
}

#[test]
fn digits_that_divisors_cannot_tell_apart_are_the_same() {
    let spec = NumberSpec { spelling: Numbers::Any, multiples: decimals(&["7"]), ..NumberSpec::default() };
    let dfa = automaton(&spec);
    let mut random = Random(3);
    // Many numbers, of few states: as many as there are remainders by 70 and zeros at the end.
    for _ in 0..2_000 {
        let text: String = (0..30).map(|_| char::from(b'1' + random.below(9) as u8)).collect();
        let n = text.bytes().fold(0, |n, byte| (n * 10 + i32::from(byte - b'0')) % 7);
        assert_eq!(accepts(&dfa, &text), n == 0, "{text}");
    }
    assert!(dfa.n_bytes() < 100_000, "{}", dfa.n_bytes());
}

#[test]
fn plain_numbers_have_as_few_states_as_ever() {
    for (spec, most) in [
        (NumberSpec { max_digits: Some(40), ..NumberSpec::default() }, 182),
        (NumberSpec { integer: true, max_digits: Some(40), ..NumberSpec::default() }, 83),
        (NumberSpec { spelling: Numbers::Any, ..NumberSpec::default() }, 20),
    ] {
        let n_states = automaton(&spec).reachable(0, 1_000, usize::MAX).unwrap().len();
        assert!(n_states <= most, "{n_states} states for {spec:?}");
    }
}
