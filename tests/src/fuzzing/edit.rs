//! How does one input become another that is nearly like it? Edits of bytes, and of JSON that stays JSON.

use serde_json::{Value, json};

use crate::universe::Dice;

/// Bytes added by one edit at most.
const MAX_INSERTED: usize = 16;

/// `input` with a few bytes changed, left out, repeated or added.
pub fn mutated(input: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(MAX_INSERTED)).min(bytes.len());
        match dice.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let copy: Vec<u8> = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            2 => bytes.insert(at, dice.below(256) as u8),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = dice.below(256) as u8;
                }
            }
        }
    }
    bytes
}

/// The JSON of `text` with a few values changed, left out or exchanged.
///
/// # Panics
/// When `text` is not JSON.
pub(super) fn edited(text: &str, dice: &mut Dice) -> String {
    let mut root: Value = serde_json::from_str(text).expect("what is edited is JSON");
    for _ in 0..1 + dice.below(3) {
        let donor = picked(&mut root, dice).clone();
        edit(picked(&mut root, dice), donor, dice);
    }
    root.to_string()
}

/// A value somewhere in `root`.
fn picked<'v>(root: &'v mut Value, dice: &mut Dice) -> &'v mut Value {
    let n_inner = match root {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    if n_inner == 0 || dice.one_in(6) {
        return root;
    }
    let index = dice.below(n_inner);
    let inner = match root {
        Value::Array(elements) => elements.get_mut(index),
        Value::Object(members) => members.values_mut().nth(index),
        _ => None,
    };
    picked(inner.expect("the index is below the number"), dice)
}

fn edit(value: &mut Value, donor: Value, dice: &mut Dice) {
    match (&mut *value, dice.below(4)) {
        (Value::Array(elements), 0) if !elements.is_empty() => drop(elements.remove(dice.below(elements.len()))),
        (Value::Array(elements), 1) => elements.push(donor),
        (Value::Object(members), 0) if !members.is_empty() => {
            let key = members.keys().nth(dice.below(members.len())).cloned();
            key.and_then(|key| members.shift_remove(&key));
        }
        (Value::Object(members), 1) => {
            let key = donor.as_str().map_or_else(|| dice.pick(&["", "type", "id", "▁"]).to_string(), str::to_owned);
            members.insert(key, donor);
        }
        (_, 2) => *value = donor,
        _ => *value = scalar(dice),
    }
}

fn scalar(dice: &mut Dice) -> Value {
    let scalars = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1),
        json!(255),
        json!(4_294_967_295u64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.5),
        json!(1e300),
        json!(""),
        json!("a"),
        json!("▁a"),
        json!("<0x0A>"),
        json!("<0xZZ>"),
        json!("Ġ"),
        json!("(?<=a)("),
        json!("\u{fffd}"),
        json!([]),
        json!({}),
    ];
    dice.pick(&scalars).clone()
}
