//! Does a partial view show exactly what is certain, and never take it back? Random documents, cut anywhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ops::Range;

use formwork_decode::{PartialJson, PartialKind, PartialValue};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// A document as it is to be written.
#[derive(Clone, Debug)]
enum Tree {
    Literal(&'static str),
    Number(String),
    Text(Vec<Piece>),
    Array(Vec<Tree>),
    Object(Vec<(Vec<Piece>, Tree)>),
}

/// A character of a string, and how it is spelt.
#[derive(Clone, Debug)]
struct Piece {
    spelling: String,
    character: char,
}

/// A value that was written, and where.
struct Written {
    span: Range<usize>,
    value: WrittenValue,
}

enum WrittenValue {
    Literal(&'static str),
    Number(String),
    /// Each character with the offset behind its spelling.
    Text(Vec<(usize, char)>),
    Array(Vec<Written>),
    Object(Vec<(String, Written)>),
}

/// What a view shows of a value.
#[derive(Clone, Debug, PartialEq)]
struct View {
    is_complete: bool,
    value: ViewValue,
}

#[derive(Clone, Debug, PartialEq)]
enum ViewValue {
    Literal(&'static str),
    Number(String),
    Text(String),
    Array(Vec<View>),
    Object(Vec<(String, View)>),
}

/// Writes trees with the whitespace that it is given, round and round.
struct Writer {
    text: String,
    spaces: Vec<&'static str>,
    n_spaces: usize,
}

impl Writer {
    fn space(&mut self) {
        self.text.push_str(self.spaces[self.n_spaces % self.spaces.len()]);
        self.n_spaces += 1;
    }

    fn pieces(&mut self, pieces: &[Piece]) -> Vec<(usize, char)> {
        self.text.push('"');
        let mut ends = Vec::new();
        for piece in pieces {
            self.text.push_str(&piece.spelling);
            ends.push((self.text.len(), piece.character));
        }
        self.text.push('"');
        ends
    }

    fn write(&mut self, tree: &Tree) -> Written {
        let start = self.text.len();
        let value = match tree {
            Tree::Literal(word) => {
                self.text.push_str(word);
                WrittenValue::Literal(word)
            }
            Tree::Number(number) => {
                self.text.push_str(number);
                WrittenValue::Number(number.clone())
            }
            Tree::Text(pieces) => WrittenValue::Text(self.pieces(pieces)),
            Tree::Array(elements) => {
                self.open('[');
                let written = elements.iter().enumerate().map(|(index, element)| {
                    self.separate(index);
                    let element = self.write(element);
                    self.space();
                    element
                });
                let written = written.collect();
                self.text.push(']');
                WrittenValue::Array(written)
            }
            Tree::Object(members) => {
                self.open('{');
                let written = members.iter().enumerate().map(|(index, (name, value))| {
                    self.separate(index);
                    let name = self.pieces(name).into_iter().map(|(_, character)| character).collect();
                    self.space();
                    self.text.push(':');
                    self.space();
                    let value = self.write(value);
                    self.space();
                    (name, value)
                });
                let written = written.collect();
                self.text.push('}');
                WrittenValue::Object(written)
            }
        };
        Written { span: start..self.text.len(), value }
    }

    fn open(&mut self, bracket: char) {
        self.text.push(bracket);
        self.space();
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
            self.space();
        }
    }
}

impl Written {
    /// What is certain of it when the first `n_bytes` of the text are known; all of it behind the end of the text.
    fn view(&self, n_bytes: usize) -> Option<View> {
        let Range { start, end } = self.span;
        let is_complete = n_bytes >= end;
        let value = match &self.value {
            WrittenValue::Literal(word) => is_complete.then_some(ViewValue::Literal(word)),
            WrittenValue::Number(number) => (n_bytes > end).then(|| ViewValue::Number(number.clone())),
            _ if n_bytes <= start => None,
            WrittenValue::Text(characters) => {
                let known = characters.iter().filter(|(end, _)| *end <= n_bytes);
                Some(ViewValue::Text(known.map(|(_, character)| character).collect()))
            }
            WrittenValue::Array(elements) => {
                Some(ViewValue::Array(elements.iter().filter_map(|element| element.view(n_bytes)).collect()))
            }
            WrittenValue::Object(members) => {
                let shown = members.iter().filter_map(|(name, value)| Some((name.clone(), value.view(n_bytes)?)));
                Some(ViewValue::Object(shown.collect()))
            }
        };
        Some(View { is_complete, value: value? })
    }
}

impl View {
    fn of(value: PartialValue<'_>) -> View {
        let shown = match value.kind() {
            PartialKind::Null => ViewValue::Literal("null"),
            PartialKind::Boolean(truth) => ViewValue::Literal(if truth { "true" } else { "false" }),
            PartialKind::Number => ViewValue::Number(value.json().unwrap().to_owned()),
            PartialKind::String => ViewValue::Text(value.text().unwrap().to_owned()),
            PartialKind::Array => ViewValue::Array(value.elements().map(View::of).collect()),
            PartialKind::Object => {
                ViewValue::Object(value.members().map(|(name, value)| (name.to_owned(), View::of(value))).collect())
            }
        };
        let view = View { is_complete: value.is_complete(), value: shown };
        let read = value.read::<Value>().unwrap();
        assert_eq!(read, view.is_complete.then(|| view.known().unwrap()));
        view
    }

    /// The definition of the module `partial`.
    fn extends(&self, before: &View) -> bool {
        if before.is_complete {
            return self == before;
        }
        match (&before.value, &self.value) {
            (ViewValue::Text(before), ViewValue::Text(now)) => now.starts_with(before.as_str()),
            (ViewValue::Array(before), ViewValue::Array(now)) => {
                before.len() <= now.len() && before.iter().zip(now).all(|(before, now)| now.extends(before))
            }
            (ViewValue::Object(before), ViewValue::Object(now)) => {
                let is_extended = |((name, before), (other, now)): (&(String, View), &(String, View))| {
                    name == other && now.extends(before)
                };
                before.len() <= now.len() && before.iter().zip(now).all(is_extended)
            }
            _ => false,
        }
    }

    /// What is complete of it.
    fn known(&self) -> Option<Value> {
        match &self.value {
            ViewValue::Literal(text) => Some(serde_json::from_str(text).unwrap()),
            ViewValue::Number(text) => Some(serde_json::from_str(text).unwrap()),
            ViewValue::Text(text) => self.is_complete.then(|| text.as_str().into()),
            ViewValue::Array(elements) => Some(elements.iter().filter_map(View::known).collect()),
            ViewValue::Object(members) => {
                let known = members.iter().filter_map(|(name, value)| Some((name.clone(), value.known()?)));
                Some(Value::Object(known.collect::<Map<String, Value>>()))
            }
        }
    }
}

fn piece() -> impl Strategy<Value = Piece> {
    let spelt = |spelling: &str, character| Piece { spelling: spelling.to_owned(), character };
    let plain = prop_oneof!["[ -~&&[^\"\\\\]]", "[é日\u{7f}\u{10ffff}😀]"];
    prop_oneof![
        4 => plain.prop_map(|text| Piece { character: text.chars().next().unwrap(), spelling: text }),
        2 => prop::sample::select(vec![
            spelt("\\\"", '"'), spelt("\\\\", '\\'), spelt("\\/", '/'), spelt("\\b", '\x08'), spelt("\\f", '\x0C'),
            spelt("\\n", '\n'), spelt("\\r", '\r'), spelt("\\t", '\t'),
        ]),
        2 => (any::<char>(), any::<bool>()).prop_map(|(character, is_upper)| {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            let spell = |unit: &u16| if is_upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
            Piece { spelling: units.iter().map(spell).collect(), character }
        }),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let text = || prop::collection::vec(piece(), 0..5);
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false"]).prop_map(Tree::Literal),
        "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?".prop_map(Tree::Number),
        text().prop_map(Tree::Text),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        // Few names, so that some come twice.
        let short = "[ab]?".prop_map(|name| {
            name.chars().map(|character| Piece { spelling: character.to_string(), character }).collect::<Vec<Piece>>()
        });
        let name = prop_oneof![short, text()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Tree::Array),
            prop::collection::vec((name, inner), 0..5).prop_map(Tree::Object),
        ]
    })
}

fn spaces() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(vec!["", "", " ", "\n", "\t\r "]), 1..6)
}

/// Texts that are mostly no JSON.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"", "\"", "\"a\"", "\"a\":", "\\", "\\n", "\\u00e9", "\\ud83d", "\\ude00", "u",
        "é", "\n", " ", "0", "1", "-", ".", "1.5", "e1", "E+", "true", "fal", "se", "null", "\u{0}",
    ]);
    prop::collection::vec(scrap, 0..12).prop_map(|scraps| scraps.concat())
}

/// `PROPTEST_CASES=5000 cargo test -p formwork-tests --test partial_json` looks longer.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn views_show_what_is_certain_and_only_grow(
        tree in tree(),
        spaces in spaces(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        is_cut_everywhere in any::<bool>(),
    ) {
        let mut writer = Writer { text: String::new(), spaces, n_spaces: 0 };
        writer.space();
        let written = writer.write(&tree);
        writer.space();
        let text = writer.text;
        let mut cuts: Vec<usize> = match is_cut_everywhere {
            true => (0..=text.len()).collect(),
            false => cuts.iter().map(|cut| cut.index(text.len() + 1)).collect(),
        };
        cuts.push(text.len());
        cuts.retain(|cut| text.is_char_boundary(*cut));
        cuts.sort_unstable();

        let mut partial = PartialJson::new();
        let mut before: Option<View> = None;
        for cut in cuts {
            partial.push(&text[partial.text().len()..cut]).unwrap();
            let view = partial.root().map(View::of);
            prop_assert_eq!(&view, &written.view(cut), "{:?}", &text[..cut]);
            prop_assert!(before.is_none_or(|before| view.as_ref().is_some_and(|view| view.extends(&before))));
            let known = partial.root().map(|root| root.read_known::<Value>().unwrap());
            prop_assert_eq!(known, view.as_ref().map(View::known));
            before = view;
        }
        partial.finish().unwrap();
        let whole = partial.root().map(View::of);
        prop_assert_eq!(&whole, &written.view(text.len() + 1));
        prop_assert!(before.is_none_or(|before| whole.is_some_and(|whole| whole.extends(&before))));
        prop_assert_eq!(partial.read::<Value>("").unwrap().unwrap(), serde_json::from_str::<Value>(&text).unwrap());
    }

    #[test]
    fn texts_are_refused_as_serde_json_refuses_them(text in scraps()) {
        let read = serde_json::from_str::<Value>(&text);
        // The range of numbers is for whoever reads them.
        prop_assume!(!read.as_ref().is_err_and(|error| error.to_string().contains("out of range")));
        let mut whole = PartialJson::new();
        let finished = whole.push(&text).and_then(|()| whole.finish());
        prop_assert_eq!(finished.is_ok(), read.is_ok(), "{:?}: {:?}, {:?}", text, finished, read);

        let mut pieces = PartialJson::new();
        let mut by_character = || {
            text.chars().try_for_each(|character| pieces.push(character.encode_utf8(&mut [0; 4])))?;
            pieces.finish()
        };
        prop_assert_eq!(by_character(), finished);
        prop_assert_eq!(pieces.root().map(View::of), whole.root().map(View::of));
    }
}
