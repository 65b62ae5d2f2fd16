//! Is a string of a format? Those that the random schemas use; the others are left unjudged.

use super::Unjudged;

pub(super) fn is_of(name: &str, text: &str) -> Result<bool, Unjudged> {
    Ok(match name {
        "ipv4" => is_ipv4(text),
        "date" => is_date(text),
        "uuid" => is_uuid(text),
        "json-pointer" => is_json_pointer(text),
        known if NOT_HERE.contains(&known) => return Err(Unjudged(format!("format {known}"))),
        _ => true,
    })
}

/// Formats that mean something, and not here.
const NOT_HERE: [&str; 15] = [
    "date-time",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uri-template",
    "relative-json-pointer",
    "regex",
];

fn digits(text: &str, n_digits: usize) -> Option<u32> {
    let plain = text.len() == n_digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// RFC 2673, section 3.2: four decimal numbers up to 255, without leading zeros.
fn is_ipv4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_octet = |part: &&str| digits(part, part.len()).is_some_and(|n| n <= 255 && n.to_string() == **part);
    parts.len() == 4 && parts.iter().all(is_octet)
}

/// RFC 3339, section 5.6, `full-date`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let n_days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=n_days).contains(&day)
}

/// RFC 4122, section 3.
fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|character| character == '-' || character.is_ascii_hexdigit())
}

/// RFC 6901, section 3.
fn is_json_pointer(text: &str) -> bool {
    let is_escaped = |part: &str| part.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.is_empty() || text.starts_with('/') && is_escaped(text)
}
