//! Which documents are there at all? Small finite sets of JSON values, each with a schema that describes exactly them.

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// A finite set of values.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// These, by `enum`.
    Values(Vec<Value>),
    /// The integers of a range, by `minimum` and `maximum`.
    Integers(i64, i64),
    /// The strings over an alphabet with up to so many characters, by a pattern.
    Words(Words),
    /// Arrays of up to so many elements.
    Array(Box<Domain>, usize),
    /// Objects that may have each of these members, and up to so many in all.
    Object(Vec<(String, Domain)>, usize),
    /// Objects whose keys are words, with up to so many members.
    Map(Words, Box<Domain>, usize),
    /// Objects that may have each of these members and others whose keys are words, and up to so many in all.
    Mixed(Vec<(String, Domain)>, Words, Box<Domain>, usize),
    /// The union of several, each of other JSON types.
    Either(Vec<Domain>),
}

/// Strings over an alphabet.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// Its characters, none of which means anything in a class of a pattern.
    pub alphabet: String,
    /// The least number of characters.
    pub min: usize,
    /// The largest.
    pub max: usize,
}

impl Words {
    fn pattern(&self) -> String {
        format!("^[{}]{{{},{}}}$", self.alphabet, self.min, self.max)
    }

    fn all(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut longest = vec![String::new()];
        for length in 0..=self.max {
            if length >= self.min {
                words.extend(longest.iter().cloned());
            }
            let longer = |word: &String| -> Vec<String> {
                self.alphabet.chars().map(|letter| format!("{word}{letter}")).collect()
            };
            longest = longest.iter().flat_map(longer).collect();
        }
        words
    }
}

impl Domain {
    /// A random domain with up to `max` documents, and no fewer than 20.
    pub fn draw(dice: &mut Dice, max: usize) -> Domain {
        random(dice, max, Kinds::All)
    }

    /// A schema whose instances are these values.
    pub fn schema(&self) -> Value {
        match self {
            Domain::Values(values) => json!({ "enum": values }),
            Domain::Integers(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
            Domain::Words(words) => json!({"type": "string", "pattern": words.pattern()}),
            Domain::Array(element, max) => json!({"type": "array", "items": element.schema(), "maxItems": max}),
            Domain::Object(members, max) => {
                let properties: Map<String, Value> =
                    members.iter().map(|(key, domain)| (key.clone(), domain.schema())).collect();
                let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
                if *max < members.len() {
                    schema["maxProperties"] = json!(max);
                }
                schema
            }
            Domain::Map(keys, value, max) => json!({
                "type": "object",
                "patternProperties": { keys.pattern(): value.schema() },
                "additionalProperties": false,
                "maxProperties": max,
            }),
            Domain::Mixed(members, keys, value, max) => {
                let mut schema = Domain::Object(members.clone(), members.len()).schema();
                schema["patternProperties"] = json!({ keys.pattern(): value.schema() });
                schema["maxProperties"] = json!(max);
                schema
            }
            Domain::Either(parts) => json!({"anyOf": parts.iter().map(Domain::schema).collect::<Vec<Value>>()}),
        }
    }

    /// All values, each once; keys in the order in which the schema lists them. `None` where there are more than `max`.
    pub fn documents(&self, max: usize) -> Option<Vec<Value>> {
        let documents = match self {
            Domain::Values(values) => values.clone(),
            Domain::Integers(least, most) => (*least..=*most).map(Value::from).collect(),
            Domain::Words(words) => words.all().into_iter().map(Value::from).collect(),
            Domain::Array(element, max_items) => {
                let elements = element.documents(max)?;
                let mut arrays = vec![Vec::new()];
                let mut longest = arrays.clone();
                for _ in 0..*max_items {
                    longest = extended(&longest, &elements, max, |array: &mut Vec<Value>, value| array.push(value))?;
                    arrays.extend(longest.iter().cloned());
                }
                arrays.into_iter().map(Value::from).collect()
            }
            Domain::Object(members, max_members) => objects(members, *max_members, max)?,
            Domain::Map(keys, value, max_members) => {
                let members: Vec<(String, Domain)> =
                    keys.all().into_iter().map(|key| (key, (**value).clone())).collect();
                objects(&members, *max_members, max)?
            }
            Domain::Mixed(members, keys, value, max_members) => {
                let others = keys.all().into_iter().map(|key| (key, (**value).clone()));
                objects(&members.iter().cloned().chain(others).collect::<Vec<_>>(), *max_members, max)?
            }
            Domain::Either(parts) => {
                let parts: Option<Vec<Vec<Value>>> = parts.iter().map(|part| part.documents(max)).collect();
                parts?.concat()
            }
        };
        (documents.len() <= max).then_some(documents)
    }

    /// The parts that no `Either` joins.
    pub fn parts(&self) -> Vec<&Domain> {
        match self {
            Domain::Either(parts) => parts.iter().flat_map(Domain::parts).collect(),
            part => vec![part],
        }
    }

    /// Smaller domains that leave something of this one out.
    pub fn reductions(&self) -> Vec<Domain> {
        let within = |inner: &Domain, wrap: &dyn Fn(Domain) -> Domain| -> Vec<Domain> {
            inner.reductions().into_iter().map(wrap).collect()
        };
        match self {
            Domain::Values(values) => without_each(values).into_iter().map(Domain::Values).collect(),
            Domain::Integers(least, most) if least < most => {
                vec![Domain::Integers(*least, most - 1), Domain::Integers(least + 1, *most)]
            }
            Domain::Integers(..) => Vec::new(),
            Domain::Words(words) => shorter(words).into_iter().map(Domain::Words).collect(),
            Domain::Array(element, max) => {
                let mut smaller = within(element, &|element| Domain::Array(Box::new(element), *max));
                smaller.extend((*max > 0).then(|| Domain::Array(element.clone(), max - 1)));
                smaller
            }
            Domain::Object(members, max) => {
                let fewer = without_each(members).into_iter().map(|members| Domain::Object(members, *max));
                let mut smaller: Vec<Domain> = fewer.collect();
                for (index, (_, inner)) in members.iter().enumerate() {
                    smaller.extend(within(inner, &|inner| {
                        let mut members = members.clone();
                        members[index].1 = inner;
                        Domain::Object(members, *max)
                    }));
                }
                smaller
            }
            Domain::Map(keys, value, max) => {
                let mut smaller = within(value, &|value| Domain::Map(keys.clone(), Box::new(value), *max));
                smaller.extend(shorter(keys).into_iter().map(|keys| Domain::Map(keys, value.clone(), *max)));
                smaller.extend((*max > 0).then(|| Domain::Map(keys.clone(), value.clone(), max - 1)));
                smaller
            }
            Domain::Mixed(members, keys, value, max) => {
                let mixed = |members: Vec<(String, Domain)>| Domain::Mixed(members, keys.clone(), value.clone(), *max);
                let mut smaller =
                    vec![Domain::Object(members.clone(), *max), Domain::Map(keys.clone(), value.clone(), *max)];
                smaller.extend(without_each(members).into_iter().map(mixed));
                smaller
                    .extend((*max > 0).then(|| Domain::Mixed(members.clone(), keys.clone(), value.clone(), max - 1)));
                let inner = value.reductions().into_iter();
                smaller.extend(inner.map(|inner| Domain::Mixed(members.clone(), keys.clone(), Box::new(inner), *max)));
                smaller
            }
            Domain::Either(parts) => {
                let mut smaller = parts.clone();
                smaller.extend(without_each(parts).into_iter().map(Domain::Either));
                for (index, part) in parts.iter().enumerate() {
                    smaller.extend(within(part, &|part| {
                        let mut parts = parts.clone();
                        parts[index] = part;
                        Domain::Either(parts)
                    }));
                }
                smaller
            }
        }
    }
}

fn without_each<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.len() <= 1 {
        return Vec::new();
    }
    let without =
        |index: usize| items.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, it)| it.clone()).collect();
    (0..items.len()).map(without).collect()
}

fn shorter(words: &Words) -> Vec<Words> {
    let mut smaller = Vec::new();
    if words.max > words.min {
        smaller.push(Words { max: words.max - 1, ..words.clone() });
    }
    if words.alphabet.chars().count() > 1 {
        smaller.push(Words { alphabet: words.alphabet.chars().skip(1).collect(), ..words.clone() });
    }
    smaller
}

/// Each of `starts` with each of `values` added; `None` where that is too much.
fn extended<T: Clone>(starts: &[T], values: &[Value], max: usize, add: impl Fn(&mut T, Value)) -> Option<Vec<T>> {
    if starts.len().saturating_mul(values.len()) > max {
        return None;
    }
    let mut longer = Vec::new();
    for start in starts {
        for value in values {
            let mut next = start.clone();
            add(&mut next, value.clone());
            longer.push(next);
        }
    }
    Some(longer)
}

fn objects(members: &[(String, Domain)], max_members: usize, max: usize) -> Option<Vec<Value>> {
    let mut objects = vec![Map::new()];
    for (key, domain) in members {
        let open: Vec<Map<String, Value>> = objects.iter().filter(|it| it.len() < max_members).cloned().collect();
        let values = domain.documents(max)?;
        objects.extend(extended(&open, &values, max, |object: &mut Map<String, Value>, value| {
            object.insert(key.clone(), value);
        })?);
        if objects.len() > max {
            return None;
        }
    }
    Some(objects.into_iter().map(Value::from).collect())
}

/// Whether a key is one of the words of [`Domain::Mixed`], which no schema lists.
pub(super) fn is_other(key: &str) -> bool {
    key.starts_with(['x', 'y'])
}

/// Which objects a random domain may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinds {
    /// All members are listed.
    Listed,
    /// Other keys too, none of which a random schema names.
    Mixed,
    /// Other keys too, which random schemas may name.
    All,
}

/// A random domain with up to `max` documents.
pub(super) fn random(dice: &mut Dice, max: usize, kinds: Kinds) -> Domain {
    loop {
        let domain = draw(dice, 2, kinds);
        if domain.documents(max).is_some_and(|documents| documents.len() >= 20) {
            return domain;
        }
    }
}

fn draw(dice: &mut Dice, depth: usize, kinds: Kinds) -> Domain {
    let mut parts = Vec::new();
    if depth == 0 || dice.one_in(2) {
        parts.push(scalars(dice));
    }
    if depth > 0 {
        if dice.one_in(2) {
            parts.push(Domain::Array(Box::new(draw(dice, depth - 1, kinds)), 1 + dice.below(3)));
        }
        if dice.below(3) > 0 {
            parts.push(object(dice, depth, kinds));
        }
    }
    match parts.len() {
        0 => scalars(dice),
        1 => parts.swap_remove(0),
        _ => Domain::Either(parts),
    }
}

fn object(dice: &mut Dice, depth: usize, kinds: Kinds) -> Domain {
    if kinds == Kinds::All && dice.one_in(4) {
        let keys = Words { alphabet: "ab".to_owned(), min: dice.below(2), max: 1 + dice.below(2) };
        return Domain::Map(keys, Box::new(draw(dice, depth - 1, kinds)), 1 + dice.below(3));
    }
    let n_keys = 2 + dice.below(3);
    let keys = ["a", "b", "c", "d"].into_iter().take(n_keys);
    let members: Vec<(String, Domain)> = keys
        .map(|key| (key.to_owned(), if dice.one_in(4) { draw(dice, depth - 1, kinds) } else { scalars(dice) }))
        .collect();
    if kinds != Kinds::Listed && dice.one_in(3) {
        let keys = Words { alphabet: "xy".to_owned(), min: 1, max: 1 + usize::from(dice.one_in(3)) };
        let members = members.into_iter().take(2).collect();
        return Domain::Mixed(members, keys, Box::new(scalars(dice)), 2 + dice.below(2));
    }
    let max = if dice.one_in(2) { members.len() } else { 1 + dice.below(members.len()) };
    Domain::Object(members, max)
}

fn scalars(dice: &mut Dice) -> Domain {
    match dice.below(9) {
        8 => {
            // Characters that JSON escapes, and some of several bytes.
            let alphabet = (*dice.pick(&["a\"", "bé", "b\n", "a😀"])).to_owned();
            Domain::Words(Words { alphabet, min: 0, max: 2 })
        }
        0 => Domain::Values(vec![Value::Null, json!(true), json!(false)]),
        1 => Domain::Values(vec![json!(1), json!("a"), Value::Null]),
        2 => Domain::Values(vec![json!(0), json!(1), json!(0.5), json!(2)]),
        3 => Domain::Integers(0, 1 + dice.below(3) as i64),
        4 => Domain::Words(Words { alphabet: "ab".to_owned(), min: 0, max: 1 + dice.below(2) }),
        5 => Domain::Values(vec![json!("a"), json!("b"), json!("ab")]),
        6 => Domain::Values(vec![json!("1.2.3.4"), json!("2024-02-29"), json!("a"), json!("/a")]),
        _ => Domain::Values(vec![json!(1), json!(2)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_each_document_once() {
        let scalars = Domain::Values(vec![json!(1), json!("a")]);
        let array = Domain::Array(Box::new(scalars.clone()), 2);
        assert_eq!(array.documents(100).unwrap().len(), 1 + 2 + 4);
        let object = Domain::Object(vec![("a".to_owned(), scalars.clone()), ("b".to_owned(), array)], 2);
        assert_eq!(object.documents(100).unwrap().len(), 3 * 8);
        let words = Words { alphabet: "ab".to_owned(), min: 1, max: 2 };
        let map = Domain::Map(words, Box::new(scalars), 2);
        assert_eq!(map.documents(100).unwrap().len(), 1 + 6 * 2 + 15 * 4);
        assert_eq!(map.documents(72), None);
    }
}
