//! Along which axes are engines measured? What grows, what stays, and which engines are comparable there.

use super::{Point, schemas};

/// The engine's defaults, and the peer with its own.
const DEFAULTS: &[&str] = &["formwork-listed", "llguidance"];

/// Something that grows while all else stays.
#[derive(Debug)]
pub struct Axis {
    /// On the command line, and of its files.
    pub name: &'static str,
    /// What the x axis counts.
    pub unit: &'static str,
    /// What is measured, for whoever reads the plot.
    pub caption: &'static str,
    /// Engines whose languages agree here.
    pub engines: &'static [&'static str],
    values: &'static [u32],
    make: fn(u32) -> Point,
}

impl Axis {
    /// The inputs, smallest first; each is made when its turn comes.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.values.iter().map(|value| (self.make)(*value))
    }
}

/// All axes.
pub const AXES: &[Axis] = &[
    Axis {
        name: "vocabulary",
        unit: "tokens in the vocabulary",
        caption: "One order record. 32k: the first 32,000 ranks of o200k; 100k: cl100k; 200k: o200k; \
                  262k: o200k, what cl100k has besides, and merged words.",
        engines: DEFAULTS,
        values: &[32, 100, 200, 262],
        make: schemas::vocabulary,
    },
    Axis {
        name: "schema_size",
        unit: "bytes of the schema",
        caption: "A tree of records, up to 16 properties at each node, no two alike; the document visits 16 of the records.",
        engines: DEFAULTS,
        values: &[3, 12, 48, 200, 800, 3_200, 13_000],
        make: schemas::schema_size,
    },
    Axis {
        name: "nesting",
        unit: "levels of the document",
        caption: "A recursive schema (a node with a name and a child); the document is as deep as the axis says.",
        engines: DEFAULTS,
        values: &[1, 3, 10, 30, 100, 300, 1_000],
        make: schemas::nesting,
    },
    Axis {
        name: "schema_nesting",
        unit: "levels of the schema",
        caption: "Objects written into each other without a reference; the document goes down to the last one. \
                  Formwork's limit (two of 512 for each level here) is a setting.",
        engines: DEFAULTS,
        values: &[1, 3, 10, 30, 100, 250, 500, 1_000],
        make: schemas::schema_nesting,
    },
    Axis {
        name: "max_length",
        unit: "maxLength",
        caption: "A string of words with a greatest length, written out to its last character.",
        engines: DEFAULTS,
        values: &[10, 100, 1_000, 10_000, 100_000, 1_000_000],
        make: schemas::max_length,
    },
    Axis {
        name: "any_of",
        unit: "alternatives",
        caption: "A list of objects of n kinds: an integer that all share, a constant, and a property of its kind. \
                  The document has 8 of them.",
        engines: DEFAULTS,
        values: &[2, 5, 10, 20, 50, 100, 200, 500],
        make: schemas::any_of,
    },
    Axis {
        name: "enum_values",
        unit: "values",
        caption: "A list of strings of an enumeration; the document has 8 of them.",
        engines: DEFAULTS,
        values: &[10, 100, 1_000, 10_000, 100_000],
        make: schemas::enum_values,
    },
    Axis {
        name: "optional_properties",
        unit: "properties, none required",
        caption: "A closed record; the document has 16 of its properties in the schema's order. \
                  formwork-listed and llguidance take that order only, formwork any.",
        engines: &["formwork-listed", "formwork", "llguidance"],
        values: &[10, 30, 100, 300, 1_000, 2_000, 5_000],
        make: schemas::optional_properties,
    },
    Axis {
        name: "any_order",
        unit: "required properties",
        caption: "A closed record, every property of it required. formwork takes them in any order and its document has them \
                  shuffled; formwork-listed and llguidance take the schema's order only.",
        engines: &["formwork", "formwork-listed", "llguidance"],
        values: &[5, 10, 20, 50, 100, 200, 500],
        make: schemas::any_order,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::engine;
    use crate::run::{Drops, Outcome, Runner};
    use crate::scale::measure::case;
    use crate::vocabulary::BenchVocabulary;

    #[test]
    fn the_first_points_of_each_axis_are_accepted() {
        let vocabulary = BenchVocabulary::bytes();
        let mut runner = Runner::new(&vocabulary, Drops::Nothing, Clock::Wall);
        for axis in AXES {
            for name in axis.engines.iter().filter(|name| name.starts_with("formwork")) {
                let mut engine = engine::load(name, &vocabulary).unwrap();
                for point in axis.points().take(2) {
                    let measured = runner.run(engine.as_mut(), &case(&point, name, &vocabulary, 1));
                    assert_eq!(measured.outcome, Outcome::Passing, "{} {name} {:?}", axis.name, measured.note);
                }
            }
        }
    }
}
