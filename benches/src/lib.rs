//! How fast and how exact is the engine, next to its peers, on the same data? The parts of the harness.
//!
//! `data` reads MaskBench cases, `python_json` gives the text of an instance, `vocabulary` the tokens and their encoder,
//! `engine` one small interface over us and the peers, `clock` the time, `exchange` files for peers of other languages, `run` measures one
//! schema with one engine, and `summary` turns measurements into figures; `slowest` names single masks. The binary `maskbench` puts them together,
//! `compare` relates two of its runs; the test package uses `data`, `python_json` and `program`, by which all programs end.
//! `scale` is about how times grow with the input, `memory` about what the engine holds.
//! `decode` is about whole decoders, which the binary `decode` compares; `load` is about a server with many clients, which the
//! binary `load` plays.

pub mod clock;
pub mod compare;
pub mod data;
#[cfg(feature = "decoders")]
pub mod decode;
pub mod engine;
pub mod exchange;
#[cfg(feature = "load")]
pub mod load;
#[cfg(feature = "memory")]
pub mod memory;
pub mod program;
pub mod python_json;
pub mod run;
#[cfg(feature = "scale")]
pub mod scale;
pub mod slowest;
pub mod summary;
pub mod table;
pub mod vocabulary;
