//! What does a reference mean at a base? RFC 3986, section 5.2.2, as its pseudo-code has it.

/// The five parts of RFC 3986, appendix B.
#[derive(Clone, Copy, Default)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

fn parts(text: &str) -> Parts<'_> {
    let (text, fragment) = split(text, '#');
    let (text, query) = split(text, '?');
    let (scheme, text) = match text.find([':', '/']) {
        Some(at) if at > 0 && text.as_bytes()[at] == b':' => (Some(&text[..at]), &text[at + 1..]),
        _ => (None, text),
    };
    let (authority, path) = match text.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), path)
        }
        None => (None, text),
    };
    Parts { scheme, authority, path, query, fragment }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The target without its fragment, and the fragment (empty where there is none).
pub(super) fn resolve(base: &str, reference: &str) -> (String, String) {
    let (of_base, of_reference) = (parts(base), parts(reference));
    let dotless = |path: &str| remove_dot_segments(path);
    let (scheme, authority, path, query);
    if of_reference.scheme.is_some() {
        (scheme, authority) = (of_reference.scheme, of_reference.authority);
        (path, query) = (dotless(of_reference.path), of_reference.query);
    } else if of_reference.authority.is_some() {
        (scheme, authority) = (of_base.scheme, of_reference.authority);
        (path, query) = (dotless(of_reference.path), of_reference.query);
    } else {
        (scheme, authority) = (of_base.scheme, of_base.authority);
        if of_reference.path.is_empty() {
            (path, query) = (of_base.path.to_owned(), of_reference.query.or(of_base.query));
        } else if of_reference.path.starts_with('/') {
            (path, query) = (dotless(of_reference.path), of_reference.query);
        } else {
            (path, query) = (dotless(&merge(&of_base, of_reference.path)), of_reference.query);
        }
    }
    let mut target = String::new();
    for (part, before, after) in [(scheme, "", ":"), (authority, "//", ""), (Some(&path), "", ""), (query, "?", "")] {
        if let Some(part) = part {
            target.extend([before, part, after]);
        }
    }
    (target, of_reference.fragment.unwrap_or("").to_owned())
}

/// Section 5.2.3.
fn merge(base: &Parts<'_>, path: &str) -> String {
    match base.path.rfind('/') {
        None if base.authority.is_some() => format!("/{path}"),
        None => path.to_owned(),
        Some(at) => format!("{}{path}", &base.path[..=at]),
    }
}

/// Section 5.2.4.
fn remove_dot_segments(path: &str) -> String {
    let mut output: Vec<&str> = Vec::new();
    let n_segments = path.split('/').count();
    for (index, segment) in path.split('/').enumerate() {
        let is_last = index + 1 == n_segments;
        match segment {
            "." | ".." => {
                if segment == ".." && output.len() > 1 {
                    output.pop();
                }
                if is_last {
                    output.push("");
                }
            }
            other => output.push(other),
        }
    }
    output.join("/")
}

/// A fragment with its `%XX` decoded.
pub(super) fn decode(fragment: &str) -> String {
    let bytes = fragment.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| fragment.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of RFC 3986, section 5.4.
    #[test]
    fn references_resolve_as_in_the_rfc() {
        for (reference, expected) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("", "http://a/b/c/d;p?q"),
            ("..", "http://a/b/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", reference).0, expected, "{reference}");
        }
        assert_eq!(resolve("urn:x:y", "#f"), ("urn:x:y".to_owned(), "f".to_owned()));
    }
}
