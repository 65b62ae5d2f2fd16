//! Which texts are URIs, IRIs and templates of them? RFC 3986, RFC 3987 and RFC 6570.

use super::address::{HEX, ipv6};

const SCHEME: &str = "[A-Za-z][0-9A-Za-z+.\\x2D]*";
const SUB_DELIMS: &str = "!$\\x26'()*+,;=";
const UNRESERVED: &str = "0-9A-Za-z\\x2D._\\x7E";
/// RFC 3987's `ucschar`.
const UCS: &str = concat!(
    "\\x{A0}-\\x{D7FF}\\x{F900}-\\x{FDCF}\\x{FDF0}-\\x{FFEF}",
    "\\x{10000}-\\x{1FFFD}\\x{20000}-\\x{2FFFD}\\x{30000}-\\x{3FFFD}\\x{40000}-\\x{4FFFD}",
    "\\x{50000}-\\x{5FFFD}\\x{60000}-\\x{6FFFD}\\x{70000}-\\x{7FFFD}\\x{80000}-\\x{8FFFD}",
    "\\x{90000}-\\x{9FFFD}\\x{A0000}-\\x{AFFFD}\\x{B0000}-\\x{BFFFD}\\x{C0000}-\\x{CFFFD}",
    "\\x{D0000}-\\x{DFFFD}\\x{E1000}-\\x{EFFFD}"
);
/// RFC 3987's `iprivate`.
const PRIVATE: &str = "\\x{E000}-\\x{F8FF}\\x{F0000}-\\x{FFFFD}\\x{100000}-\\x{10FFFD}";

/// The character sets of URIs, or of IRIs.
struct Syntax {
    /// `ucschar` and `iprivate`, where they are allowed.
    ucs: &'static str,
    private: &'static str,
}

impl Syntax {
    /// One character of `unreserved`, `pct-encoded`, `sub-delims` and these.
    fn char(&self, more: &str) -> String {
        format!("(?:[{UNRESERVED}{SUB_DELIMS}{}{more}]|%{HEX}{{2}})", self.ucs)
    }

    /// `hier-part`, or `relative-part` where no scheme comes before.
    fn hierarchy(&self, after_scheme: bool) -> String {
        let segment = self.char(":@");
        let first = if after_scheme { segment.clone() } else { self.char("@") };
        let path = self.char(":@/");
        let future = format!("[Vv]{HEX}+\\.[{UNRESERVED}{SUB_DELIMS}:]+");
        let host = format!("(?:\\[(?:{}|{future})\\]|{}*)", ipv6(), self.char(""));
        let authority = format!("(?:{}*@)?{host}(?::[0-9]*)?", self.char(":"));
        format!("(?://{authority}(?:/{path}*)?|/(?:{segment}{path}*)?|{first}+(?:/{path}*)?)?")
    }

    fn query_and_fragment(&self) -> String {
        let (query, fragment) = (self.char(&format!(":@/?{}", self.private)), self.char(":@/?"));
        format!("(?:\\?{query}*)?(?:#{fragment}*)?")
    }

    fn absolute(&self) -> String {
        format!("{SCHEME}:{}", self.hierarchy(true))
    }
}

fn syntax(international: bool) -> Syntax {
    if international { Syntax { ucs: UCS, private: PRIVATE } } else { Syntax { ucs: "", private: "" } }
}

/// A URI, or IRI.
pub(super) fn uri(international: bool) -> String {
    let syntax = syntax(international);
    format!("{}{}", syntax.absolute(), syntax.query_and_fragment())
}

/// A URI or IRI, or a relative reference.
pub(super) fn reference(international: bool) -> String {
    let syntax = syntax(international);
    format!("(?:{}|{}){}", syntax.absolute(), syntax.hierarchy(false), syntax.query_and_fragment())
}

/// RFC 6570, section 2, with the apostrophe that erratum 6937 gives back to literals.
pub(super) fn template() -> String {
    let literal = format!("[!#$\\x26'-;=?-\\[\\]_a-z\\x7E{UCS}{PRIVATE}]|%{HEX}{{2}}");
    let name_char = format!("(?:[0-9A-Za-z_]|%{HEX}{{2}})");
    let variable = format!("{name_char}(?:\\.?{name_char})*(?::[1-9][0-9]{{0,3}}|\\*)?");
    format!("(?:{literal}|\\{{[+#./;?\\x26=,!@|]?{variable}(?:,{variable})*\\}})*")
}
