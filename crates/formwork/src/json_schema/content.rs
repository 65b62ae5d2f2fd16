//! What do `contentEncoding` and `contentMediaType` ask of a string, where they are asserted?

use super::format::{BASE64, BASE64URL};
use super::keyword::Keyword;
use crate::automata::ContentLanguage;

/// What a keyword asks for.
pub(super) enum Content {
    /// The string's content is in this language.
    Language(ContentLanguage),
    /// It cannot be enforced.
    Unsupported(&'static str),
}

const BASE16: &str = "(?:[0-9A-Fa-f]{2})*";
const BASE32: &str = concat!(
    "(?:[A-Z2-7]{8})*(?:[A-Z2-7][AEIMQUY4]={6}|[A-Z2-7]{3}[AQ]={4}",
    "|[A-Z2-7]{4}[ACEGIKMOQSUWY246]===|[A-Z2-7]{6}[AIQY]=)?"
);

/// What the two keywords ask for; nothing where a value is one that we do not know.
pub(super) fn content(encoding: Option<&str>, media_type: Option<&str>) -> Vec<(Keyword, Content)> {
    let encoding = encoding.map(str::to_ascii_lowercase);
    let regex = match encoding.as_deref() {
        Some("base64") => Some(BASE64),
        Some("base64url") => Some(BASE64URL),
        Some("base16" | "hex") => Some(BASE16),
        Some("base32") => Some(BASE32),
        _ => None,
    };
    let mut asked = Vec::new();
    if let Some(regex) = regex {
        let language = ContentLanguage::Match(regex.into());
        asked.push((Keyword::ContentEncoding, Content::Language(language)));
    }
    let essence = media_type.and_then(|media_type| media_type.split(';').next()).map(str::trim);
    if essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        // These three leave a text as it is.
        let is_plain = matches!(encoding.as_deref(), None | Some("7bit" | "8bit" | "binary"));
        let content = match is_plain {
            true => Content::Language(ContentLanguage::JsonText),
            false => Content::Unsupported("JSON in an encoding cannot be enforced"),
        };
        asked.push((Keyword::ContentMediaType, content));
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automata::decide::string_matches;
    use crate::automata::{ContentConstraint, StringSpec};
    use crate::limits::Limits;

    fn holds(encoding: Option<&str>, media_type: Option<&str>, text: &str) -> bool {
        content(encoding, media_type).into_iter().all(|(_, content)| {
            let Content::Language(language) = content else { panic!("{encoding:?} {media_type:?} is refused") };
            let content = vec![ContentConstraint { language, negated: false }];
            string_matches(&StringSpec { content, ..StringSpec::default() }, text, &Limits::default()).unwrap()
        })
    }

    #[test]
    fn content_is_of_its_encoding_and_type() {
        for (encoding, valid, invalid) in [
            ("base64", &["", "Zg==", "Zm8=", "Zm9v", "+/+/"][..], &["Zg", "Zh==", "Zm9=", "Z", "-_-_", "Zg==Zg=="][..]),
            ("BASE64URL", &["", "Zg==", "Zg", "Zm8", "-_-_"], &["Z", "+/+/", "Zh"]),
            ("base16", &["", "00fF"], &["0", "0g"]),
            (
                "base32",
                &["", "MY======", "MZXQ====", "MZXW6===", "MZXW6YQ=", "MZXW6YTB"],
                &["MY", "MZ======", "M", "my======"],
            ),
            ("7bit", &["", "anything"], &[]),
        ] {
            assert!(valid.iter().all(|text| holds(Some(encoding), None, text)), "{encoding}");
            assert!(!invalid.iter().any(|text| holds(Some(encoding), None, text)), "{encoding}");
        }
        for (text, is_json) in [("{\"a\": [1]}", true), ("{:}", false), ("1", true), ("", false)] {
            assert_eq!(holds(None, Some("application/json; charset=utf-8"), text), is_json, "{text}");
        }
        assert!(holds(None, Some("text/html"), "<p"));
        assert!(matches!(content(Some("base64"), Some("application/json"))[1].1, Content::Unsupported(_)));
    }
}
