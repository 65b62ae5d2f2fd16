//! Which characters have a Unicode property, by ECMA-262's names?

use regex_syntax::hir::{Class, ClassUnicode, HirKind};

use super::PatternFault;

/// Values of `General_Category` with all their names.
const CATEGORIES: &str = "\
C Other,Cc Control cntrl,Cf Format,Cn Unassigned,Co Private_Use,Cs Surrogate,L Letter,LC Cased_Letter,\
Ll Lowercase_Letter,Lm Modifier_Letter,Lo Other_Letter,Lt Titlecase_Letter,Lu Uppercase_Letter,\
M Mark Combining_Mark,Mc Spacing_Mark,Me Enclosing_Mark,Mn Nonspacing_Mark,N Number,Nd Decimal_Number digit,\
Nl Letter_Number,No Other_Number,P Punctuation punct,Pc Connector_Punctuation,Pd Dash_Punctuation,\
Pe Close_Punctuation,Pf Final_Punctuation,Pi Initial_Punctuation,Po Other_Punctuation,Ps Open_Punctuation,\
S Symbol,Sc Currency_Symbol,Sk Modifier_Symbol,Sm Math_Symbol,So Other_Symbol,Z Separator,Zl Line_Separator,\
Zp Paragraph_Separator,Zs Space_Separator";

/// Binary properties with all their names.
const BINARY: &str = "\
ASCII,ASCII_Hex_Digit AHex,Alphabetic Alpha,Any,Assigned,Bidi_Control Bidi_C,Bidi_Mirrored Bidi_M,\
Case_Ignorable CI,Cased,Changes_When_Casefolded CWCF,Changes_When_Casemapped CWCM,Changes_When_Lowercased CWL,\
Changes_When_NFKC_Casefolded CWKCF,Changes_When_Titlecased CWT,Changes_When_Uppercased CWU,Dash,\
Default_Ignorable_Code_Point DI,Deprecated Dep,Diacritic Dia,Emoji,Emoji_Component EComp,Emoji_Modifier EMod,\
Emoji_Modifier_Base EBase,Emoji_Presentation EPres,Extended_Pictographic ExtPict,Extender Ext,\
Grapheme_Base Gr_Base,Grapheme_Extend Gr_Ext,Hex_Digit Hex,IDS_Binary_Operator IDSB,IDS_Trinary_Operator IDST,\
ID_Continue IDC,ID_Start IDS,Ideographic Ideo,Join_Control Join_C,Logical_Order_Exception LOE,Lowercase Lower,Math,\
Noncharacter_Code_Point NChar,Pattern_Syntax Pat_Syn,Pattern_White_Space Pat_WS,Quotation_Mark QMark,Radical,\
Regional_Indicator RI,Sentence_Terminal STerm,Soft_Dotted SD,Terminal_Punctuation Term,Unified_Ideograph UIdeo,\
Uppercase Upper,Variation_Selector VS,White_Space space,XID_Continue XIDC,XID_Start XIDS";

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

/// The first name of a property in a list, given one of its names.
fn canonical<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    let mut entries = list.split(',');
    let found = entries.find(|entry| entry.split_whitespace().any(|known| known == name))?;
    found.split_whitespace().next()
}

/// Scripts are spelled with capitals at the beginning of words; the tables below would take any spelling.
fn is_script(value: &str) -> bool {
    value.split('_').all(|word| {
        word.starts_with(|char: char| char.is_ascii_uppercase()) && word.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
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
