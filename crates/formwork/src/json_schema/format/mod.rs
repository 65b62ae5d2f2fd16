//! What does `format` ask for? The formats that the drafts define, and a few that OpenAPI does.
//!
//! Each language is what the format's RFC says, no more and no less: formats have complements. Most are regular
//! expressions over the whole string, some several at once.

mod address;
mod time;
mod uri;

use std::sync::{Arc, OnceLock};

use crate::automata::{Bound, ContentConstraint, ContentLanguage, Decimal, NumberSpec, StringSpec};

/// What is known of a format.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Format {
    /// It constrains strings, to these.
    Strings(StringSpec),
    /// It constrains numbers, to these.
    Numbers(NumberSpec),
    /// Nobody defines it: an annotation.
    Unknown,
}

/// The formats of strings, by name; each is built when it is first asked for.
const NAMES: [&str; 19] = [
    "date-time",
    "uri",
    "date",
    "email",
    "uuid",
    "uri-reference",
    "time",
    "hostname",
    "ipv4",
    "ipv6",
    "duration",
    "uri-template",
    "json-pointer",
    "relative-json-pointer",
    "iri",
    "iri-reference",
    "idn-email",
    "idn-hostname",
    "regex",
];
static STRINGS: [OnceLock<StringSpec>; NAMES.len()] = [const { OnceLock::new() }; NAMES.len()];

/// What `name` means.
pub(super) fn lookup(name: &str) -> Format {
    if let Some(index) = NAMES.iter().position(|known| *known == name) {
        return Format::Strings(STRINGS[index].get_or_init(|| language(name)).clone());
    }
    numbers(name).map_or(Format::Unknown, Format::Numbers)
}

/// The strings that have the format `name`.
fn language(name: &str) -> StringSpec {
    if let "hostname" | "idn-hostname" = name {
        let content = vec![ContentConstraint {
            language: ContentLanguage::HostName { international: name == "idn-hostname" },
            negated: false,
        }];
        // An international name's characters are no measure of its length; its language has the bound.
        let max_chars = (name == "hostname").then_some(253);
        return StringSpec { content, max_chars, ..StringSpec::default() };
    }
    if name == "regex" {
        let content = vec![ContentConstraint { language: ContentLanguage::RegexText, negated: false }];
        return StringSpec { content, ..StringSpec::default() };
    }
    let one = |regex: String| vec![regex];
    let regexes = match name {
        "date" => one(time::date()),
        "time" => time::time(),
        "date-time" => time::date_time(),
        "duration" => one(time::duration()),
        "email" => one(address::mailbox(false)),
        "idn-email" => one(address::mailbox(true)),
        "ipv4" => one(address::ipv4()),
        "ipv6" => one(address::ipv6()),
        "uuid" => one(format!("{HEX}{{8}}-(?:{HEX}{{4}}-){{3}}{HEX}{{12}}", HEX = address::HEX)),
        "uri" | "iri" => one(uri::uri(name == "iri")),
        "uri-reference" | "iri-reference" => one(uri::reference(name == "iri-reference")),
        "uri-template" => one(uri::template()),
        "json-pointer" => one(POINTER.to_owned()),
        _ => one(format!("(?:0|[1-9][0-9]*)(?:#|{POINTER})")),
    };
    let matched = |regex: String| ContentLanguage::Match(regex.into());
    let constraint = |regex| ContentConstraint { language: matched(regex), negated: false };
    let mut spec = StringSpec { content: regexes.into_iter().map(constraint).collect(), ..StringSpec::default() };
    if name == "email" {
        let language = ContentLanguage::Search(Arc::from(address::LONG_LOCAL_PART));
        spec.content.push(ContentConstraint { language, negated: true });
    }
    spec
}

/// The numbers that have the format `name`.
fn numbers(name: &str) -> Option<NumberSpec> {
    let (minimum, maximum) = match name {
        "int32" => ("-2147483648", "2147483647"),
        "int64" => ("-9223372036854775808", "9223372036854775807"),
        "uint32" => ("0", "4294967295"),
        "uint64" => ("0", "18446744073709551615"),
        _ => return None,
    };
    let bound = |text| Decimal::parse(text).map(|value| Bound { value, exclusive: false });
    Some(NumberSpec { integer: true, minimum: bound(minimum), maximum: bound(maximum), ..NumberSpec::default() })
}

const POINTER: &str = "(?:/(?:[^\x7E/]|~[01])*)*";
/// RFC 4648, section 4: groups of four, the last one padded, with nothing left in the bits that padding takes.
pub(super) const BASE64: &str = "(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}[048AEIMQUYcgkosw]=|[0-9A-Za-z+/][AQgw]==)?";
/// RFC 4648, section 5, padded or not.
pub(super) const BASE64URL: &str =
    concat!("(?:[0-9A-Za-z_\x2D]{4})*", "(?:[0-9A-Za-z_\x2D]{2}[048AEIMQUYcgkosw]=?|[0-9A-Za-z_\x2D][AQgw](?:==)?)?");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::StringAutomaton;
    use crate::automata::decide::string_matches;
    use crate::json_schema::reduce::complements;
    use crate::limits::Limits;

    fn has_format(name: &str, text: &str) -> bool {
        let Format::Strings(spec) = lookup(name) else { panic!("{name} is not enforced") };
        let matches = |spec: &StringSpec| string_matches(spec, text, &Limits::default()).unwrap();
        assert_ne!(matches(&spec), complements(&spec).iter().any(matches), "{name} {text:?} and the complement");
        matches(&spec)
    }

    /// A second 60 ends a day of universal time, and no other minute.
    #[test]
    fn leap_seconds_are_where_universal_time_has_midnight() {
        let Format::Strings(spec) = lookup("time") else { panic!("time is not enforced") };
        let automaton = StringAutomaton::new(&spec, &Limits::default()).unwrap();
        let is_time = |text: &str| {
            let end = text.chars().try_fold(0, |state, char| automaton.step_char(state, char as u32));
            end.is_some_and(|state| automaton.accepts_content(state, text.len() as u32))
        };
        let mut n_valid = 0;
        for (hour, offset_hour) in (0..24).flat_map(|hour| [0, hour, 23 - hour, (hour + 1) % 24].map(|o| (hour, o))) {
            for (minute, offset_minute) in (0..60).flat_map(|minute| (0..60).map(move |offset| (minute, offset))) {
                for (sign, direction) in [('+', -1), ('-', 1)] {
                    let universal: i32 = 60 * hour + minute + direction * (60 * offset_hour + offset_minute);
                    let text = format!("{hour:02}:{minute:02}:60{sign}{offset_hour:02}:{offset_minute:02}");
                    let is_midnight = universal.rem_euclid(24 * 60) == 23 * 60 + 59;
                    assert_eq!(is_time(&text), is_midnight, "{text}");
                    n_valid += u32::from(is_midnight);
                }
            }
        }
        assert!(n_valid > 2 * 24 * 59, "{n_valid}");
    }

    #[test]
    fn strings_have_their_formats() {
        for (name, valid, invalid) in [
            ("date", &["2024-02-29", "2000-02-29", "1999-12-31"][..], &["2023-02-29", "1900-02-29", "2024-04-31"][..]),
            (
                "time",
                &[
                    "12:00:00Z",
                    "23:59:60Z",
                    "01:02:03.5+05:30",
                    "01:29:60.25+01:30",
                    "00:59:60+01:00",
                    "00:29:60-23:30",
                ],
                &["12:00:00", "24:00:00Z", "12:00:60Z", "23:59:60+01:00", "00:29:60+01:30", "23:58:60-00:00"],
            ),
            (
                "date-time",
                &["2024-02-29T12:00:00Z", "1990-01-01t00:00:00-08:00", "1998-12-31T15:59:60.123-08:00"],
                &["2024-02-29 12:00:00Z"],
            ),
            ("duration", &["P1Y2M3DT4H5M6S", "PT36H", "P2W", "P1M"], &["P", "PT", "P1Y1W", "P1D2H", "1Y", "P2D1Y"]),
            ("email", &["a.b+c@example.com", "x@y"], &["a..b@c", "a@", "@b", "a b@c", ".a@b", "a@b-", "a@[1.2.3]"]),
            ("email", &["\"a@ \\\" b\"@c", "a@[1.2.3.4]", "a@[IPv6:::1]", "\"\"@a"], &["\"a\"b@c", "\"a@c", "a@[::1]"]),
            (
                "idn-email",
                &["δ@b", "a@실례.테스트", "\"δ \"@c", "a@cafe\u{301}.com"],
                &["δ", "a\u{ff20}b", "a@\u{301}b"],
            ),
            (
                "iri",
                &["http://ƒøø.ßår/?∂=\u{e000}#π", "http://[V1.fe]"],
                &["âππ", "http://ƒ/#\u{e000}", "http://a/\u{fff0}"],
            ),
            ("iri-reference", &["âππ", "#ƒ"], &["\\\\ë", "#ƒ\\"]),
            ("hostname", &["example.com", "a-b.c", "localhost"], &["-a", "a-", "a..b", "", "a_b"]),
            ("ipv4", &["0.0.0.0", "255.249.199.9"], &["256.1.1.1", "01.1.1.1", "1.1.1"]),
            (
                "ipv6",
                &[
                    "::",
                    "::1",
                    "1::",
                    "1:2:3:4:5:6:7:8",
                    "1::3:4:5:6:7:8",
                    "::ffff:1.2.3.4",
                    "1:2:3:4:5:6:1.2.3.4",
                    "1:2:3:4:5:6:7::",
                ],
                &[
                    "1:2:3:4:5:6:7",
                    "1::2::3",
                    ":1",
                    "1:2:3:4:5:6:7:8:9",
                    "12345::",
                    "1:2:3:4:5:6:7:1.2.3.4",
                    "fe80::1%eth0",
                ],
            ),
            ("uuid", &["2EB8AA08-aa98-11ea-b4aa-73b441d16380"], &["2eb8aa08aa9811eab4aa73b441d16380"]),
            (
                "uri",
                &["http://a.b/c?d=e#f", "urn:isbn:1", "ftp://u:p@h:21/", "http://[::1]/", "mailto:a@b", "file:///a"],
                &["/a", "http://a b", "a", "http://[1]/", "://a", "http://a/%zz", "\\\\a\\b"],
            ),
            ("uri-reference", &["", "/a", "a/b", "#f", "//h/p", "http://x"], &["\\a", "a b", "#a\\b"]),
            ("json-pointer", &["", "/a~0~1", "/"], &["a", "/~", "/~2"]),
            ("relative-json-pointer", &["0", "1/a", "0#"], &["/a", "01", "-1"]),
            ("regex", &["^[a-z]+$", "", "(?<n>a)\\k<n>"], &["(", "\\a", "[b-a]", "a{2,1}"]),
            ("uri-template", &["http://a/{b}{?c,d*}", "x", "", "a'b", "a\u{1f600}"], &["{", "{a", "a}", "<a>"]),
        ] {
            for text in valid {
                assert!(has_format(name, text), "{name} {text:?} must be accepted");
            }
            for text in invalid {
                assert!(!has_format(name, text), "{name} {text:?} must be refused");
            }
        }
    }
}
