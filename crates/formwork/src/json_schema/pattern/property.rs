//! Which characters have a Unicode property, by ECMA-262's names?

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

use super::PatternFault;
use crate::automata::property_names::{BINARY, CATEGORIES, SCRIPTS, canonical};

/// Reads `{...}` behind `\p`.
pub(super) fn property(rest: &mut std::str::Chars<'_>) -> Result<ClassUnicode, PatternFault> {
    let malformed = PatternFault::Malformed("a property escape has no name in braces");
    let Some(inside) = rest.as_str().strip_prefix('{') else { return Err(malformed) };
    let Some(end) = inside.find('}') else { return Err(malformed) };
    let name = &inside[..end];
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_=".contains(&byte)) {
        return Err(malformed);
    }
    *rest = inside[end + 1..].chars();
    let is_script = |value: &str| canonical(SCRIPTS, value).is_some();
    let known = match name.split_once('=') {
        Some(("General_Category" | "gc", value)) => canonical(CATEGORIES, value).and_then(category),
        Some(("Script" | "sc", value)) if is_script(value) => class(&format!("sc={value}")),
        Some(("Script_Extensions" | "scx", value)) if is_script(value) => class(&format!("scx={value}")),
        Some(_) => None,
        None => match canonical(CATEGORIES, name) {
            Some(short) => category(short),
            None => canonical(BINARY, name).and_then(class),
        },
    };
    known.ok_or(PatternFault::Unsupported("a property name is unknown"))
}

fn category(short: &str) -> Option<ClassUnicode> {
    match short {
        // Surrogates are no characters of a text.
        "Cs" => Some(ClassUnicode::empty()),
        _ => class(&format!("gc={short}")),
    }
}

/// What the tables of `regex-syntax` say; `None` where they know no such property.
fn class(name: &str) -> Option<ClassUnicode> {
    let hir = regex_syntax::parse(&format!(r"\p{{{name}}}")).ok()?;
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        HirKind::Class(Class::Bytes(bytes)) => bytes.to_unicode_class(),
        HirKind::Literal(literal) => {
            let text = String::from_utf8(literal.0.to_vec()).ok()?;
            Some(super::class::set_of(&text.chars().map(|char| (char, char)).collect::<Vec<_>>()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_to_the_tables() {
        for entry in CATEGORIES.split(',') {
            let short = entry.split_whitespace().next().unwrap();
            assert!(category(short).is_some(), "{short}");
        }
        let unknown: Vec<&str> = BINARY
            .split(',')
            .map(|entry| entry.split_whitespace().next().unwrap())
            .filter(|name| class(name).is_none())
            .collect();
        // Left to be refused.
        assert_eq!(unknown, ["Changes_When_NFKC_Casefolded"]);
    }

    #[test]
    fn names_are_ecmas() {
        for (name, is_known) in [
            ("{Letter}", true),
            ("{L}", true),
            ("{gc=Lu}", true),
            ("{General_Category=Uppercase_Letter}", true),
            ("{digit}", true),
            ("{Script=Greek}", true),
            ("{sc=Grek}", true),
            ("{Script_Extensions=Old_Persian}", true),
            ("{letter}", false),
            ("{Greek}", false),
            ("{script=Greek}", false),
            ("{Script=greek}", false),
            ("{Cased=Y}", false),
        ] {
            assert_eq!(property(&mut name.chars()).is_ok(), is_known, "{name}");
        }
    }
}
