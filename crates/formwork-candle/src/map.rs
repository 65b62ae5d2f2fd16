//! How is a big file brought into memory? The crate's only unsafe code.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

/// Files up to this size are read; larger ones are mapped, so that a checkpoint is not in memory twice.
const MAX_READ_BYTES: u64 = 256 << 20;

/// The bytes of one file of weights.
#[derive(Debug)]
pub(crate) enum FileBytes<'a> {
    /// The caller's.
    Borrowed(&'a [u8]),
    Read(Vec<u8>),
    Mapped(Mmap),
}

impl FileBytes<'_> {
    pub(crate) fn open(path: &Path) -> io::Result<FileBytes<'static>> {
        if fs::metadata(path)?.len() <= MAX_READ_BYTES {
            return fs::read(path).map(FileBytes::Read);
        }
        // SAFETY: the map is only read, and only while the model loads. Nothing in this process writes to the file; that
        // another process cuts it short in that time cannot be ruled out, as with every mapped checkpoint.
        unsafe { Mmap::map(&File::open(path)?) }.map(FileBytes::Mapped)
    }
}

impl Deref for FileBytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            FileBytes::Borrowed(bytes) => bytes,
            FileBytes::Read(bytes) => bytes,
            FileBytes::Mapped(map) => map,
        }
    }
}
