//! Which strings have a format? The formats that the drafts define, as regular expressions over the whole string.
//!
//! Each language is what the format's RFC says or, where that would need more than a regular expression, a little
//! less: never a string that a strict validator refuses.

use std::sync::{Arc, LazyLock};

use crate::automata::{ContentConstraint, ContentLanguage, StringSpec};

/// What is known of a format.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Format {
    /// It is enforced.
    Enforced(StringSpec),
    /// A draft defines it, and it is not enforced.
    Unsupported,
    /// No draft defines it: an annotation.
    Unknown,
}

/// The formats that are enforced, by name; built once, as some are long.
static ENFORCED: LazyLock<Vec<(&str, StringSpec)>> = LazyLock::new(|| {
    let build = |name: &'static str| language(name).map(|spec| (name, spec));
    NAMES.iter().copied().filter_map(build).collect()
});

const NAMES: [&str; 14] = [
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
];

/// What `name` means.
pub(super) fn lookup(name: &str) -> Format {
    match name {
        "idn-email" | "idn-hostname" | "iri" | "iri-reference" | "regex" => Format::Unsupported,
        _ => match ENFORCED.iter().find(|(enforced, _)| *enforced == name) {
            Some((_, spec)) => Format::Enforced(spec.clone()),
            None => Format::Unknown,
        },
    }
}

/// The strings that have the format `name`.
fn language(name: &str) -> Option<StringSpec> {
    let regex = match name {
        "date" => format!("(?:{DATE})"),
        "time" => TIME.to_owned(),
        "date-time" => format!("(?:{DATE})[Tt]{TIME}"),
        "duration" => duration(),
        "email" => format!("{ATOM}(?:\\.{ATOM})*@{LABEL}(?:\\.{LABEL})*"),
        "hostname" => format!("{BOUNDED_LABEL}(?:\\.{BOUNDED_LABEL})*"),
        "ipv4" => ipv4(),
        "ipv6" => ipv6(),
        "uuid" => format!("{HEX}{{8}}-(?:{HEX}{{4}}-){{3}}{HEX}{{12}}"),
        "uri" => format!("{SCHEME}:{}{QUERY_AND_FRAGMENT}", hierarchy(true)),
        "uri-reference" => {
            format!("(?:{SCHEME}:{}|{}){QUERY_AND_FRAGMENT}", hierarchy(true), hierarchy(false))
        }
        "uri-template" => uri_template(),
        "json-pointer" => POINTER.to_owned(),
        "relative-json-pointer" => format!("(?:0|[1-9][0-9]*)(?:#|{POINTER})"),
        _ => return None,
    };
    let mut spec =
        StringSpec { content: vec![constraint(ContentLanguage::Match(regex.into()), false)], ..StringSpec::default() };
    match name {
        // A local part has at most 64 characters, a label 63: a short address keeps both without counting either.
        "email" => spec.max_chars = Some(65),
        "hostname" => {
            spec.max_chars = Some(253);
            // Reserved labels: only a valid `xn--` label may have two hyphens there, and that is no regular matter.
            spec.content.push(constraint(ContentLanguage::Search(Arc::from(r"(?:^|\.)[^.][^.]--")), true));
        }
        _ => {}
    }
    Some(spec)
}

/// The language of a format where it is exactly what the format says, so that its complement is exact too.
pub(super) fn exact_language(name: &str) -> Option<ContentLanguage> {
    let exact = matches!(name, "date" | "ipv4" | "ipv6" | "uuid" | "json-pointer" | "relative-json-pointer");
    match lookup(name) {
        Format::Enforced(spec) if exact => spec.content.into_iter().next().map(|constraint| constraint.language),
        _ => None,
    }
}

/// What the report says beside a format that is narrower than its definition.
pub(super) fn note(name: &str) -> Option<&'static str> {
    Some(match name {
        "time" | "date-time" => "at most nine digits of a second; a leap second only as 23:59:60Z",
        "duration" => "numbers of at most ten digits",
        "email" => "dot-atom addresses of at most 65 characters",
        "hostname" => "no label with hyphens in third and fourth place",
        _ => return None,
    })
}

fn constraint(language: ContentLanguage, negated: bool) -> ContentConstraint {
    ContentConstraint { language, negated }
}

const DATE: &str = concat!(
    "[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])",
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)",
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))",
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29"
);
const TIME: &str = concat!(
    "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    "|23:59:60(?:\\.[0-9]{1,9})?[Zz])"
);
const HEX: &str = "[0-9A-Fa-f]";
const ATOM: &str = "[0-9A-Za-z!#$%\\x26'*+/=?\\x5E_`{|}\\x7E\\x2D]+";
const LABEL: &str = "[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*";
const BOUNDED_LABEL: &str = "[0-9A-Za-z](?:[0-9A-Za-z\\x2D]{0,61}[0-9A-Za-z])?";
const OCTET: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const POINTER: &str = "(?:/(?:[^\\x7E/]|~[01])*)*";
const SCHEME: &str = "[A-Za-z][0-9A-Za-z+.\\x2D]*";
/// RFC 3986's `pchar`.
const SEGMENT: &str = "(?:[0-9A-Za-z\\x2D._\\x7E!$\\x26'()*+,;=:@]|%[0-9A-Fa-f]{2})";
/// `pchar` without the colon.
const FIRST_SEGMENT: &str = "(?:[0-9A-Za-z\\x2D._\\x7E!$\\x26'()*+,;=@]|%[0-9A-Fa-f]{2})";
/// `pchar` and the slash.
const PATH: &str = "(?:[0-9A-Za-z\\x2D._\\x7E!$\\x26'()*+,;=:@/]|%[0-9A-Fa-f]{2})";
const USER: &str = "(?:[0-9A-Za-z\\x2D._\\x7E!$\\x26'()*+,;=:]|%[0-9A-Fa-f]{2})";
const REGISTERED_NAME: &str = "(?:[0-9A-Za-z\\x2D._\\x7E!$\\x26'()*+,;=]|%[0-9A-Fa-f]{2})";
const QUERY_AND_FRAGMENT: &str = concat!(
    "(?:\\?(?:[0-9A-Za-z\\x2D._\\x7E!$\\x26'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?",
    "(?:#(?:[0-9A-Za-z\\x2D._\\x7E!$\\x26'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?"
);

fn duration() -> String {
    const N: &str = "[0-9]{1,10}";
    let time = format!("T(?:{N}H(?:{N}M(?:{N}S)?)?|{N}M(?:{N}S)?|{N}S)");
    format!("P(?:{N}W|(?:{N}D|{N}M(?:{N}D)?|{N}Y(?:{N}M(?:{N}D)?)?)(?:{time})?|{time})")
}

fn ipv4() -> String {
    format!("{OCTET}(?:\\.{OCTET}){{3}}")
}

/// RFC 4291, section 2.2, as RFC 3986 writes it: at most one `::`, an IPv4 address in place of the last two groups.
fn ipv6() -> String {
    let group = format!("{HEX}{{1,4}}");
    let last = format!("(?:{group}:{group}|{})", ipv4());
    let mut cases = vec![format!("(?:{group}:){{6}}{last}")];
    for n_after in (0..=5usize).rev() {
        // `n_after` groups, and two more as `last`, follow the `::`.
        cases.push(format!("{}::(?:{group}:){{{n_after}}}{last}", up_to(&group, 5 - n_after)));
    }
    cases.push(format!("{}::{group}", up_to(&group, 6)));
    cases.push(format!("{}::", up_to(&group, 7)));
    format!("(?:{})", cases.join("|"))
}

/// Up to `n` groups with colons between them.
fn up_to(group: &str, n: usize) -> String {
    match n {
        0 => String::new(),
        1 => format!("(?:{group})?"),
        _ => format!("(?:(?:{group}:){{0,{}}}{group})?", n - 1),
    }
}

/// RFC 3986's `hier-part` (or `relative-part`, without a scheme).
fn hierarchy(after_scheme: bool) -> String {
    let first = if after_scheme { SEGMENT } else { FIRST_SEGMENT };
    let host = format!("(?:\\[{}\\]|{REGISTERED_NAME}*)", ipv6());
    let authority = format!("(?:{USER}*@)?{host}(?::[0-9]*)?");
    format!("(?://{authority}(?:/{PATH}*)?|/(?:{SEGMENT}{PATH}*)?|{first}+(?:/{PATH}*)?)?")
}

/// RFC 6570, section 2.
fn uri_template() -> String {
    let literal = concat!(
        "[!#$\\x26\\x28-;=?-\\[\\]_a-z\\x7E",
        "\\x{A0}-\\x{D7FF}\\x{E000}-\\x{FDCF}\\x{FDF0}-\\x{FFEF}]|%[0-9A-Fa-f]{2}"
    );
    let name_char = "(?:[0-9A-Za-z_]|%[0-9A-Fa-f]{2})";
    let variable = format!("{name_char}(?:\\.?{name_char})*(?::[1-9][0-9]{{0,3}}|\\*)?");
    format!("(?:{literal}|\\{{[+#./;?\\x26=,!@|]?{variable}(?:,{variable})*\\}})*")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::decide::string_matches;
    use crate::limits::Limits;

    fn has_format(name: &str, text: &str) -> bool {
        let Format::Enforced(spec) = lookup(name) else { panic!("{name} is not enforced") };
        string_matches(&spec, text, &Limits::default()).unwrap()
    }

    #[test]
    fn strings_have_their_formats() {
        for (name, valid, invalid) in [
            ("date", &["2024-02-29", "2000-02-29", "1999-12-31"][..], &["2023-02-29", "1900-02-29", "2024-04-31"][..]),
            ("time", &["12:00:00Z", "23:59:60Z", "01:02:03.5+05:30"], &["12:00:00", "24:00:00Z", "12:00:60Z"]),
            ("date-time", &["2024-02-29T12:00:00Z", "1990-01-01t00:00:00-08:00"], &["2024-02-29 12:00:00Z"]),
            ("duration", &["P1Y2M3DT4H5M6S", "PT36H", "P2W", "P1M"], &["P", "PT", "P1Y1W", "P1D2H", "1Y", "P2D1Y"]),
            ("email", &["a.b+c@example.com", "x@y"], &["a..b@c", "a@", "@b", "a b@c", ".a@b"]),
            ("hostname", &["example.com", "a-b.c", "localhost"], &["-a", "a-", "a..b", "ab--c", "", "a_b"]),
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
            ("uri-template", &["http://a/{b}{?c,d*}", "x", ""], &["{", "{a", "a}", "<a>"]),
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
