//! How does ECMA-262 name the properties of characters? Lists of names, and what stands in the braces of `\p{...}`.

use std::sync::LazyLock;

/// Values of `General_Category` with all their names.
pub(crate) const CATEGORIES: &str = "\
C Other,Cc Control cntrl,Cf Format,Cn Unassigned,Co Private_Use,Cs Surrogate,L Letter,LC Cased_Letter,\
Ll Lowercase_Letter,Lm Modifier_Letter,Lo Other_Letter,Lt Titlecase_Letter,Lu Uppercase_Letter,\
M Mark Combining_Mark,Mc Spacing_Mark,Me Enclosing_Mark,Mn Nonspacing_Mark,N Number,Nd Decimal_Number digit,\
Nl Letter_Number,No Other_Number,P Punctuation punct,Pc Connector_Punctuation,Pd Dash_Punctuation,\
Pe Close_Punctuation,Pf Final_Punctuation,Pi Initial_Punctuation,Po Other_Punctuation,Ps Open_Punctuation,\
S Symbol,Sc Currency_Symbol,Sk Modifier_Symbol,Sm Math_Symbol,So Other_Symbol,Z Separator,Zl Line_Separator,\
Zp Paragraph_Separator,Zs Space_Separator";

/// Binary properties with all their names.
pub(crate) const BINARY: &str = "\
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

/// Values of `Script` and `Script_Extensions` with all their names, as of Unicode 16.
pub(crate) const SCRIPTS: &str = "\
Adlam Adlm,Ahom,Anatolian_Hieroglyphs Hluw,Arabic Arab,Armenian Armn,Avestan Avst,Balinese Bali,Bamum Bamu,\
Bassa_Vah Bass,Batak Batk,Bengali Beng,Bhaiksuki Bhks,Bopomofo Bopo,Brahmi Brah,Braille Brai,Buginese Bugi,\
Buhid Buhd,Canadian_Aboriginal Cans,Carian Cari,Caucasian_Albanian Aghb,Chakma Cakm,Cham,Cherokee Cher,\
Chorasmian Chrs,Common Zyyy,Coptic Copt Qaac,Cuneiform Xsux,Cypriot Cprt,Cypro_Minoan Cpmn,Cyrillic Cyrl,\
Deseret Dsrt,Devanagari Deva,Dives_Akuru Diak,Dogra Dogr,Duployan Dupl,Egyptian_Hieroglyphs Egyp,Elbasan Elba,\
Elymaic Elym,Ethiopic Ethi,Garay Gara,Georgian Geor,Glagolitic Glag,Gothic Goth,Grantha Gran,Greek Grek,\
Gujarati Gujr,Gunjala_Gondi Gong,Gurmukhi Guru,Gurung_Khema Gukh,Han Hani,Hangul Hang,Hanifi_Rohingya Rohg,\
Hanunoo Hano,Hatran Hatr,Hebrew Hebr,Hiragana Hira,Imperial_Aramaic Armi,Inherited Qaai Zinh,\
Inscriptional_Pahlavi Phli,Inscriptional_Parthian Prti,Javanese Java,Kaithi Kthi,Kannada Knda,Katakana Kana,\
Kawi,Kayah_Li Kali,Kharoshthi Khar,Khitan_Small_Script Kits,Khmer Khmr,Khojki Khoj,Khudawadi Sind,\
Kirat_Rai Krai,Lao Laoo,Latin Latn,Lepcha Lepc,Limbu Limb,Linear_A Lina,Linear_B Linb,Lisu,Lycian Lyci,\
Lydian Lydi,Mahajani Mahj,Makasar Maka,Malayalam Mlym,Mandaic Mand,Manichaean Mani,Marchen Marc,\
Masaram_Gondi Gonm,Medefaidrin Medf,Meetei_Mayek Mtei,Mende_Kikakui Mend,Meroitic_Cursive Merc,\
Meroitic_Hieroglyphs Mero,Miao Plrd,Modi,Mongolian Mong,Mro Mroo,Multani Mult,Myanmar Mymr,Nabataean Nbat,\
Nag_Mundari Nagm,Nandinagari Nand,New_Tai_Lue Talu,Newa,Nko Nkoo,Nushu Nshu,Nyiakeng_Puachue_Hmong Hmnp,\
Ogham Ogam,Ol_Chiki Olck,Ol_Onal Onao,Old_Hungarian Hung,Old_Italic Ital,Old_North_Arabian Narb,Old_Permic Perm,\
Old_Persian Xpeo,Old_Sogdian Sogo,Old_South_Arabian Sarb,Old_Turkic Orkh,Old_Uyghur Ougr,Oriya Orya,Osage Osge,\
Osmanya Osma,Pahawh_Hmong Hmng,Palmyrene Palm,Pau_Cin_Hau Pauc,Phags_Pa Phag,Phoenician Phnx,\
Psalter_Pahlavi Phlp,Rejang Rjng,Runic Runr,Samaritan Samr,Saurashtra Saur,Sharada Shrd,Shavian Shaw,\
Siddham Sidd,SignWriting Sgnw,Sinhala Sinh,Sogdian Sogd,Sora_Sompeng Sora,Soyombo Soyo,Sundanese Sund,\
Sunuwar Sunu,Syloti_Nagri Sylo,Syriac Syrc,Tagalog Tglg,Tagbanwa Tagb,Tai_Le Tale,Tai_Tham Lana,Tai_Viet Tavt,\
Takri Takr,Tamil Taml,Tangsa Tnsa,Tangut Tang,Telugu Telu,Thaana Thaa,Thai,Tibetan Tibt,Tifinagh Tfng,\
Tirhuta Tirh,Todhri Todr,Toto,Tulu_Tigalari Tutg,Ugaritic Ugar,Unknown Zzzz,Vai Vaii,Vithkuqi Vith,Wancho Wcho,\
Warang_Citi Wara,Yezidi Yezi,Yi Yiii,Zanabazar_Square Zanb";

/// What may stand before a value, and the list of values.
const KEYS: [(&str, &str); 6] = [
    ("General_Category=", CATEGORIES),
    ("gc=", CATEGORIES),
    ("Script=", SCRIPTS),
    ("sc=", SCRIPTS),
    ("Script_Extensions=", SCRIPTS),
    ("scx=", SCRIPTS),
];

/// The first name of a property in a list, given one of its names.
pub(crate) fn canonical<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    let mut entries = list.split(',');
    let found = entries.find(|entry| entry.split_whitespace().any(|known| known == name))?;
    found.split_whitespace().next()
}

/// All that may stand in the braces of a property escape, sorted.
static ALL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = |list: &'static str| list.split([',', ' ']);
    let alone = [CATEGORIES, BINARY].into_iter().flat_map(names).map(str::to_owned);
    let with_key = |(key, list): (&'static str, _)| names(list).map(move |name| format!("{key}{name}"));
    let mut all: Vec<String> = alone.chain(KEYS.into_iter().flat_map(with_key)).collect();
    all.sort_unstable();
    all
});

/// The fewest characters with which the text becomes what may stand in the braces of a property escape; `None` where it
/// cannot. O(those that it can become).
pub(crate) fn rest_of_property(text: &str) -> Option<&'static str> {
    let first = ALL.partition_point(|name| &**name < text);
    let rests = ALL[first..].iter().map_while(|name| name.strip_prefix(text));
    rests.min_by_key(|rest| rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_properties() {
        for (text, n_chars) in
            [("", 1), ("L", 0), ("Lo", 0), ("Greek", usize::MAX), ("gc=", 1), ("Script", 3), ("scx=Gre", 1)]
        {
            assert_eq!(
                rest_of_property(text).map(str::len),
                Some(n_chars).filter(|n_chars| *n_chars != usize::MAX),
                "{text}"
            );
        }
    }
}
