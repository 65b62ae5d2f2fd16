//! Is this an ASCII host name? RFC 1123's labels, those with the prefix `xn--` valid ones.
//!
//! A label with the prefix is valid if it encodes an international label, which is no regular matter: a state within one
//! is all that was read of it. Outside there are few states.

use std::sync::LazyLock;

use super::alphabet::AlphabetBuilder;
use super::idna::{MAX_LABEL, a_label, endings, may_go_on};

/// Where in a host name, between two characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostState {
    /// In a label, or before one where `n_chars` is zero.
    Plain {
        n_chars: u8,
        /// While it may become one: characters of `xn--` read.
        n_prefix: u8,
        /// Whether the third character of three is a hyphen.
        third_hyphen: bool,
        last_hyphen: bool,
    },
    /// Behind `xn--`: what followed, in lower case.
    Encoded(Box<[u8]>),
}

impl HostState {
    pub(super) const START: HostState =
        HostState::Plain { n_chars: 0, n_prefix: 0, third_hyphen: false, last_hyphen: false };

    /// One character further; `None` where no host name goes on so.
    pub(super) fn step(&self, char: char) -> Option<HostState> {
        let byte = u8::try_from(char).ok().filter(u8::is_ascii)?.to_ascii_lowercase();
        match byte {
            b'.' => self.is_accepting().then_some(HostState::START),
            b'-' | b'0'..=b'9' | b'a'..=b'z' => self.step_label(byte),
            _ => None,
        }
    }

    fn step_label(&self, byte: u8) -> Option<HostState> {
        let is_hyphen = byte == b'-';
        match self {
            HostState::Encoded(read) => {
                let mut read = read.to_vec();
                read.push(byte);
                may_go_on(&read).then(|| HostState::Encoded(read.into()))
            }
            HostState::Plain { n_chars: 0, .. } if is_hyphen => None,
            HostState::Plain { n_chars: 3, third_hyphen: true, n_prefix, .. } if is_hyphen => {
                // Reserved, but for the one prefix that has a meaning.
                (*n_prefix == 3).then(|| HostState::Encoded(Box::default()))
            }
            HostState::Plain { n_chars, n_prefix, .. } => {
                let n_chars = n_chars + 1;
                let is_prefix = n_prefix + 1 == n_chars && b"xn-".get(usize::from(*n_prefix)) == Some(&byte);
                (usize::from(n_chars) <= MAX_LABEL).then_some(HostState::Plain {
                    n_chars,
                    n_prefix: if is_prefix { n_prefix + 1 } else { 0 },
                    third_hyphen: n_chars == 3 && is_hyphen,
                    last_hyphen: is_hyphen,
                })
            }
        }
    }

    pub(super) fn is_accepting(&self) -> bool {
        match self {
            HostState::Plain { n_chars, last_hyphen, .. } => *n_chars > 0 && !last_hyphen,
            HostState::Encoded(read) => a_label(read).is_some(),
        }
    }

    /// Whether it is one of very many states.
    pub(super) fn is_opaque(&self) -> bool {
        matches!(self, HostState::Encoded(_))
    }

    /// Whether a host name can be completed with so many characters, at least and at most, from within an encoded label.
    pub(super) fn can_end(&self, min: u32, max: u32) -> bool {
        // Every beginning of a label can be completed; and a label be followed by others, with any number of characters from
        // two on.
        if max >= MAX_LABEL as u32 + 2 {
            return min <= max;
        }
        ends_within(self.short_ends(), min, max)
    }

    /// Numbers of characters behind which the label read so far may end, as bits; see [`endings`].
    pub(super) fn short_ends(&self) -> u64 {
        match self {
            HostState::Encoded(read) => endings(read).iter().fold(0, |ends, ending| ends | 1 << ending.len()),
            HostState::Plain { .. } => 0,
        }
    }
}

/// Whether a host name can end within so many characters, at least and at most, if its label can behind those numbers of them.
pub(super) fn ends_within(short_ends: u64, min: u32, max: u32) -> bool {
    // A label may be followed by others, of which the shortest has a point and one character.
    (0..64u32)
        .filter(|n_more| short_ends >> n_more & 1 == 1)
        .any(|n_more| (min..=max).contains(&n_more) || max >= min.max(n_more.saturating_add(2)))
}

/// Tells all characters apart that a host name does: letters in both cases are one.
pub(super) fn add_classes(builder: &mut AlphabetBuilder) {
    static CLASSES: LazyLock<Vec<Vec<(u32, u32)>>> = LazyLock::new(|| {
        let classes = (0..128u8).filter(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte));
        let cases = |byte: u8| match byte.is_ascii_lowercase() {
            true => {
                vec![(byte.to_ascii_uppercase().into(), byte.to_ascii_uppercase().into()), (byte.into(), byte.into())]
            }
            false => vec![(byte.into(), byte.into())],
        };
        classes.filter(|byte| !byte.is_ascii_uppercase()).map(cases).collect()
    });
    CLASSES.iter().for_each(|class| builder.add(class.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_host_name(text: &str) -> bool {
        let end = text.chars().try_fold(HostState::START, |state, char| state.step(char));
        end.is_some_and(|state| state.is_accepting())
    }

    #[test]
    fn labels_are_checked() {
        for valid in ["a", "a-b.c", "1", "a--b", "xn--bcher-kva.example", "XN--BCHER-KVA", "xn-a", "x.xn-"] {
            assert!(is_host_name(valid) != valid.ends_with('-'), "{valid}");
        }
        for invalid in ["", "-a", "a-", "a..b", "ab--c", "xn--", "xn--x", "xn--hello-txk", "xn--a-", "a_b", "é"] {
            assert!(!is_host_name(invalid), "{invalid}");
        }
        assert!(is_host_name(&"a".repeat(63)) && !is_host_name(&"a".repeat(64)));
    }

    #[test]
    fn every_beginning_of_a_valid_label_can_be_completed() {
        for label in ["xn--bcher-kva", "xn--11b2ezcw70k", "xn--ngba5hb2804a", "xn--9t4b11yi5a"] {
            let mut state = HostState::START;
            for char in label.chars() {
                state = state.step(char).unwrap();
                assert!(!state.is_opaque() || state.short_ends() != 0, "{label} {state:?}");
            }
        }
    }
}
