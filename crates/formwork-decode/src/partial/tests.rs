//! Are faults, bounds, lookups and cursors as they are documented? Random documents are in the tests package.

use serde_json::{Value, json};

use super::*;

fn pushed(text: &str) -> PartialJson {
    let mut partial = PartialJson::new();
    partial.push(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    partial
}

#[test]
fn faults_are_told_where_they_are() {
    let cases = [
        ("x", 0, JsonFault::Unexpected),
        ("[1,]", 3, JsonFault::Unexpected),
        ("{\"a\" 1}", 5, JsonFault::Unexpected),
        ("{a", 1, JsonFault::Unexpected),
        ("{\"a\":1,}", 7, JsonFault::Unexpected),
        ("[1}", 2, JsonFault::Unexpected),
        ("1 2", 2, JsonFault::Unexpected),
        ("01", 1, JsonFault::Unexpected),
        ("-x", 1, JsonFault::Unexpected),
        ("1.]", 2, JsonFault::Unexpected),
        ("1e+ ", 3, JsonFault::Unexpected),
        ("trux", 3, JsonFault::Unexpected),
        ("\u{a0}1", 0, JsonFault::Unexpected),
        ("\"é\n", 3, JsonFault::ControlCharacter),
        ("\"\\x", 2, JsonFault::Escape),
        ("\"\\u00g", 5, JsonFault::Escape),
        ("\"\\udc00", 6, JsonFault::LoneSurrogate),
        ("\"\\ud83dx", 7, JsonFault::LoneSurrogate),
        ("\"\\ud83d\\n", 8, JsonFault::LoneSurrogate),
        ("\"\\ud83d\\ud83d", 12, JsonFault::LoneSurrogate),
    ];
    for (text, offset, fault) in cases {
        let mut partial = PartialJson::new();
        let expected = PartialJsonError { offset, fault };
        assert_eq!(partial.push(text), Err(expected), "{text}");
        assert_eq!((partial.push("1"), partial.finish()), (Err(expected), Err(expected)), "{text}");
        assert_eq!(partial.text(), &text[..offset]);
    }
}

#[test]
fn documents_that_end_early_are_not_finished() {
    for text in ["", " ", "[", "{\"a\":1", "\"a", "nul", "-", "1.", "1e", "[1"] {
        let mut partial = pushed(text);
        let unfinished = PartialJsonError { offset: text.len(), fault: JsonFault::Unfinished };
        assert_eq!(partial.finish(), Err(unfinished), "{text}");
    }
    let mut partial = pushed("[1");
    assert_eq!(partial.finish().map_err(|error| error.fault), Err(JsonFault::Unfinished));
    partial.push("2] ").unwrap();
    assert_eq!((partial.finish(), partial.read::<[u8; 1]>("").unwrap()), (Ok(()), Some([12])));
}

#[test]
fn a_bare_number_ends_with_the_text() {
    let mut partial = pushed("12");
    assert!(partial.root().is_none());
    partial.finish().unwrap();
    assert_eq!(partial.read::<u8>("").unwrap(), Some(12));
    assert_eq!(pushed("12 ").read::<u8>("").unwrap(), Some(12));
}

#[test]
fn nesting_is_bounded_as_in_serde_json() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(pushed(&nested(MAX_DEPTH)).read::<Value>("").unwrap().is_some());
    assert!(serde_json::from_str::<Value>(&nested(MAX_DEPTH + 1)).is_err());
    let error = PartialJson::new().push(&nested(MAX_DEPTH + 1));
    assert_eq!(error, Err(PartialJsonError { offset: MAX_DEPTH, fault: JsonFault::TooDeep }));
    assert!(pushed(&"[".repeat(MAX_DEPTH)).root().unwrap().read_known::<Value>().unwrap().is_some());
}

#[test]
fn pointers_find_what_is_shown() {
    let partial = pushed(r#"{"a/b": [1, {"~": "x"}], "": {"": 5, "0": true}, "later": "#);
    let json = |pointer: &str| partial.at(pointer).and_then(PartialValue::json);
    assert_eq!(json("/a~1b/0"), Some("1"));
    assert_eq!(json("/a~1b/1/~0"), Some("\"x\""));
    assert_eq!((json("//"), json("//0")), (Some("5"), Some("true")));
    for pointer in ["/a~1b/00", "/a~1b/+0", "/a~1b/2", "/a~1b/-", "/a", "/later", "a", "//x/y"] {
        assert!(partial.at(pointer).is_none(), "{pointer}");
    }
    assert!(!partial.at("").unwrap().is_complete());
}

#[test]
fn a_name_that_comes_twice_is_there_twice() {
    let partial = pushed(r#"{"a": 1, "a": 2}"#);
    let names: Vec<&str> = partial.root().unwrap().members().map(|(name, _)| name).collect();
    assert_eq!((names, partial.read::<u8>("/a").unwrap()), (vec!["a", "a"], Some(1)));
    assert_eq!(partial.read::<Value>("").unwrap(), Some(json!({"a": 2})));
}

#[test]
fn what_is_known_leaves_strings_in_the_making_out() {
    let partial = pushed(r#"{"a": "x", "b": [true, {"c": "half"#);
    assert_eq!(partial.root().unwrap().read_known::<Value>().unwrap(), Some(json!({"a": "x", "b": [true, {}]})));
    assert_eq!(partial.at("/b/1/c").unwrap().read_known::<String>().unwrap(), None);
    let partial = pushed(r#"{"a": "half"#);
    assert_eq!(partial.root().unwrap().read_known::<Value>().unwrap(), Some(json!({})));

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Known {
        a: Option<String>,
        #[serde(default)]
        b: Vec<u8>,
    }
    let known = |text: &str| pushed(text).root().unwrap().read_known::<Known>().unwrap();
    assert_eq!(known(r#"{"a": "hal"#), Some(Known { a: None, b: Vec::new() }));
    assert_eq!(known(r#"{"a": "half", "b": [1, 2"#), Some(Known { a: Some("half".to_owned()), b: vec![1] }));
}

#[test]
fn an_element_that_is_refused_is_handed_out_once() {
    let partial = pushed("[1, \"x\", 3, 4");
    let mut cursor = ElementCursor::<u8>::at("");
    let mut next = || cursor.next_in(&partial).map(|element| element.ok());
    assert_eq!([next(), next(), next(), next()], [Some(Some(1)), Some(None), Some(Some(3)), None]);
}
