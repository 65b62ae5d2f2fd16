//! How are files that the user names read? With a bound, `-` for standard input, and errors that name the file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::failure::Failure;

/// Largest file that is read.
const MAX_BYTES: u64 = 1 << 30;

/// The bytes of a file; `-` is standard input.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    match read {
        Err(error) => Err(Failure::about(format!("cannot read {}", path.display()), error)),
        Ok(n_bytes) if n_bytes as u64 > MAX_BYTES => {
            Err(Failure::about(path.display(), format!("larger than {MAX_BYTES} bytes")))
        }
        Ok(_) => Ok(bytes),
    }
}

/// The text of a file; `-` is standard input.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read_bytes(path)?).map_err(|error| {
        Failure::about(path.display(), format!("no UTF-8 at byte {}", error.utf8_error().valid_up_to()))
    })
}
