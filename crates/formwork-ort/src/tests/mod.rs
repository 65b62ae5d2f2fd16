//! What the tests of sessions share: the library, random numbers, toy decoders.

mod batches;
mod decoders;
mod heads;
mod toys;

use ort::environment::Environment;

use crate::library::open_library;

#[path = "../../tests/common/library.rs"]
mod installed;

fn environment() -> Option<Environment> {
    Some(open_library(Some(&installed::library()?)).unwrap())
}

/// Numbers that do not repeat soon.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    /// Few values, so that many are equal; NaN and infinities among them.
    fn logit(&mut self) -> f32 {
        match self.next() >> 8 & 63 {
            0 => f32::NAN,
            1 => f32::NEG_INFINITY,
            2 => f32::INFINITY,
            3..=9 => 30.0,
            small => small as f32 * 0.25 - 8.0,
        }
    }
}
