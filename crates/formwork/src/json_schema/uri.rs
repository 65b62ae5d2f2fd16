//! What does a URI reference mean at a base? RFC 3986, section 5.2, as far as `$id` and `$ref` need it.

/// Splits off the fragment (without its `#`).
pub(super) fn split_fragment(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, ""))
}

/// `reference` (without fragment) resolved against `base`.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    if reference.is_empty() {
        return base.to_owned();
    }
    if scheme_length(reference).is_some() {
        return reference.to_owned();
    }
    let after_scheme = scheme_length(base).map_or(0, |length| length + 1);
    let (scheme, rest) = base.split_at(after_scheme);
    if reference.starts_with("//") {
        return format!("{scheme}{reference}");
    }
    let authority_end = match rest.strip_prefix("//") {
        Some(authority) => 2 + authority.find(['/', '?']).unwrap_or(authority.len()),
        None => 0,
    };
    let (authority, path_and_query) = rest.split_at(authority_end);
    let path = path_and_query.split('?').next().unwrap_or("");
    let (target_path, query) = match reference.find('?') {
        Some(at) => reference.split_at(at),
        None => (reference, ""),
    };
    let merged = if target_path.is_empty() {
        path.to_owned()
    } else if target_path.starts_with('/') {
        remove_dots(target_path)
    } else {
        let folder = path.rfind('/').map_or(if authority.is_empty() { "" } else { "/" }, |at| &path[..=at]);
        remove_dots(&format!("{folder}{target_path}"))
    };
    format!("{scheme}{authority}{merged}{query}")
}

/// Length of the scheme, when the text begins with one.
fn scheme_length(text: &str) -> Option<usize> {
    let length = text.find(':')?;
    let scheme = &text.as_bytes()[..length];
    let valid = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    valid.then_some(length)
}

fn remove_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                if kept.len() > 1 || kept.first().is_some_and(|first| !first.is_empty()) {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    kept.join("/")
}

/// Decodes `%XX`; `None` when the result is not UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
        match tail {
            [high, low, after @ ..] if *first == b'%' => {
                decoded.push(hex(*high)? * 16 + hex(*low)?);
                rest = after;
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_against_the_base() {
        for (base, reference, expected) in [
            ("http://a/b/c.json", "d.json", "http://a/b/d.json"),
            ("http://a/b/c.json", "/d", "http://a/d"),
            ("http://a/b/c.json", "../d", "http://a/d"),
            ("http://a", "d", "http://a/d"),
            ("http://a/b/", "", "http://a/b/"),
            ("", "d.json", "d.json"),
            ("folder/a.json", "b.json", "folder/b.json"),
            ("http://a/b", "urn:x:y", "urn:x:y"),
            ("http://a/b", "//c/d", "http://c/d"),
            ("urn:uuid:1", "", "urn:uuid:1"),
        ] {
            assert_eq!(resolve(base, reference), expected, "{base} {reference}");
        }
    }

    #[test]
    fn percent_escapes_are_decoded() {
        assert_eq!(percent_decode("a%25b%C3%A9").as_deref(), Some("a%bé"));
        assert_eq!(percent_decode("%FF"), None);
    }
}
