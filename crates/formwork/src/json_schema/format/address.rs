//! Which texts name hosts and mailboxes? RFC 1123, RFC 2673, RFC 4291, RFC 5321 and RFC 6531.

pub(super) const HEX: &str = "[0-9A-Fa-f]";
const OCTET: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
pub(super) fn ipv4() -> String {
    format!("{OCTET}(?:\\.{OCTET}){{3}}")
}

/// RFC 4291, section 2.2, as RFC 3986 writes it: at most one `::`, an IPv4 address in place of the last two groups.
pub(super) fn ipv6() -> String {
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

/// RFC 5321's `Mailbox`; `international` as RFC 6531 extends it.
///
/// Of the address literals those that are defined, with the addresses as RFC 4291 writes them.
pub(super) fn mailbox(international: bool) -> String {
    // UTF8-non-ascii stands wherever an `atext` or `qtextSMTP` may, and letters of U-labels in domains.
    let (more, letters) = if international { ("\\x{80}-\\x{10FFFF}", U_LETTERS) } else { ("", "") };
    let atom = format!("[0-9A-Za-z!#$%\\x26'*+/=?\\x5E_`{{|}}\\x7E\\x2D{more}]+");
    let quoted = format!("\"(?:[ !#-\\[\\]-\\x7E{more}]|\\\\[ -\\x7E])*\"");
    let first = format!("[0-9A-Za-z{letters}]");
    let inner = format!("[0-9A-Za-z{letters}{}\\x2D]", if international { "\\p{Mn}\\p{Mc}" } else { "" });
    let last = inner.replace("\\x2D", "");
    let label = format!("{first}(?:{inner}{{0,61}}{last})?");
    let literal = format!("\\[(?:{}|[Ii][Pp][Vv]6:{})\\]", ipv4(), ipv6());
    format!("(?:{atom}(?:\\.{atom})*|{quoted})@(?:{label}(?:\\.{label})*|{literal})")
}

/// Letters and digits beyond ASCII that U-labels are made of (RFC 5892, section 2.1; capitals are unstable).
const U_LETTERS: &str = "\\p{Ll}\\p{Lo}\\p{Lm}\\p{Nd}";

/// A local part of more than 64 octets that is no quoted string (RFC 5321, section 4.5.3.1.1).
pub(super) const LONG_LOCAL_PART: &str = "^[^\"@][^@]{64}";
