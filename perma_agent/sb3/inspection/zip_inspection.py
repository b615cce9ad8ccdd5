"""Inspection of a zip that somebody else saved: what SB3 would execute by loading it, without executing it.

| part of the zip       | what is looked at                                                                       |
|-----------------------|-----------------------------------------------------------------------------------------|
| `data`                | JSON; each item with `":serialized:"` is a pickle, read by cloudpickle without any check |
| `*.pth`, `*.pt`       | a zip of torch with a pickle in it, or pickles in torch's old format                    |
| `*.pkl`               | a pickle, e.g. rl-zoo's `vecnormalize.pkl`                                              |
| anything else         | named, since nothing reads it                                                           |

No pickle is read: `pickle_walk` follows its opcodes. What is no zip, damaged or a zip bomb is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from perma_agent.errors import PermaAgentError
from perma_agent.sb3.inspection.pickle_names import Verdict, worst
from perma_agent.sb3.inspection.pickle_report import Finding, report_on

DATA, SERIALIZED = "data", ":serialized:"
TORCH, PICKLES = (".pth", ".pt", ".th", ".bin"), (".pkl", ".pickle")
LARGEST = 2 << 30
"""Bytes of one part that is looked into, at most."""
SWELLING, SMALL = 100, 64 << 20
"""A zip may hold this many times its own size, and in any case `SMALL` bytes; SB3 and torch do not compress at all."""
MOST_PARTS = 20_000
DEEPEST = 2
"""Zips within the zip; torch's own hold none."""
ZIPPED = b"PK\x03\x04"
"""How torch tells its zips from its old format."""
NOT_EXECUTED = "not executed"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One part of the zip."""

    name: str
    """Of the file within; of an item of `data` that and the item's key."""
    verdict: Verdict
    """The worst of its findings."""
    findings: tuple[Finding, ...] = ()
    note: str = ""
    """What it is, where there is no pickle in it."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What loading a zip would execute."""

    path: Path
    items: tuple[Item, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the items'."""
        return worst(item.verdict for item in self.items)


def inspect_zip(path: str | Path) -> Inspection:
    """Look into a zip of SB3, a file of torch, or a bare pickle (known by its ending), without executing any of it.

    Args:
        path: of the file.

    Raises:
        PermaAgentError: there is no such file, or it is none of these, damaged, encrypted, or too large to be true.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(len(ZIPPED)) == ZIPPED
            file.seek(0)
            if path.suffix in PICKLES or (path.suffix in TORCH and not packed):
                return Inspection(path=path, items=(_pickle(path.name, _whole(file, path)),))
            items = tuple(_parts(file, size=path.stat().st_size, where=path))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        got = "something else" if "not a zip" in str(error) else f"a damaged or encrypted one ({error})"
        raise PermaAgentError(f"expected a zip that SB3 saved, got {got} in {path}; get the file again") from error
    except OSError as error:
        raise PermaAgentError(
            f"expected a zip that SB3 saved, got: {error.strerror} ({path}); check the path"
        ) from error
    if all(item.note == NOT_EXECUTED for item in items):
        raise PermaAgentError(
            f"expected a zip that SB3 saved, got one without data or pickles in {path}; check the path"
        )
    return Inspection(path=path, items=items)


def _parts(file: BinaryIO, *, size: int, where: Path, depth: int = 0) -> Iterator[Item]:
    """All parts of a zip, in its order."""
    if depth > DEEPEST:
        raise ValueError("zips within zips")
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        total = sum(part.file_size for part in parts)
        if len(parts) > MOST_PARTS or total > max(SMALL, SWELLING * size):
            raise PermaAgentError(
                f"expected a zip of at most {SWELLING} times its size and {MOST_PARTS} parts, got {len(parts)} "
                f"parts of {total / 1e6:.0f} MB in {size / 1e6:.1f} in {where}: this is a zip bomb, do not load it"
            )
        program = any(part.filename.rpartition("/")[2] == "constants.pkl" for part in parts)
        if program:
            reason = "a program of TorchScript, which torch runs"
            found = Finding(name="code TorchScript", verdict="code", reason=reason)
            yield Item(name=_shown(where.name), verdict="code", findings=(found,))
        for part in parts:
            if not part.is_dir():
                yield from _part(archive, part, where=where, depth=depth)


def _part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, *, where: Path, depth: int) -> Iterator[Item]:
    name = part.filename
    suffix = Path(name).suffix
    if name != DATA and suffix not in TORCH + PICKLES:
        yield Item(name=_shown(name), verdict="harmless", note=NOT_EXECUTED)
        return
    if part.file_size > LARGEST:
        raise PermaAgentError(
            f"expected parts of at most {LARGEST >> 30} GB, got {_shown(name)} with {part.file_size} bytes in {where}; "
            "look at this file by other means"
        )
    content = archive.read(part)
    if name == DATA:
        yield from _data(content, where=where)
    elif suffix in TORCH and content.startswith(ZIPPED):
        inner = tuple(_parts(BytesIO(content), size=len(content), where=where / name, depth=depth + 1))
        yield _summed(_shown(name), inner)
    else:
        yield _pickle(_shown(name), content)


def _data(content: bytes, *, where: Path) -> Iterator[Item]:
    """The items of `data` that hold a pickle; SB3 looks for them at the top, and here at every depth."""
    try:
        plain = json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise PermaAgentError(f"expected JSON in {DATA} of {where}, got something else; get the file again") from error
    pickles = list(_serialized(plain))
    yield Item(name=DATA, verdict="harmless", note=f"JSON; {len(pickles)} of its items are pickles")
    for key, text in pickles:
        try:
            pickled = base64.b64decode(text)  # as SB3 does: letters that are no base64 are passed over
        except (binascii.Error, ValueError, TypeError):
            yield _unclear(f"{DATA}: {key}", "expected base64, got something else")
        else:
            yield _pickle(f"{DATA}: {key}", pickled)


def _serialized(plain: Any) -> Iterator[tuple[str, Any]]:
    """Key and text of each pickle."""
    waiting: list[tuple[str, Any]] = [("", plain)]
    while waiting:
        key, value = waiting.pop(0)
        if isinstance(value, Mapping):
            if SERIALIZED in value:
                yield _shown(key), value[SERIALIZED]
            waiting += [(f"{key}.{name}" if key else str(name), part) for name, part in value.items()]
        elif isinstance(value, list):
            waiting += [(key, part) for part in value]


def _pickle(name: str, content: bytes) -> Item:
    findings = tuple(report_on(content))
    note = "" if findings else "a pickle of plain values"
    return Item(name=name, verdict=worst(one.verdict for one in findings), findings=findings, note=note)


def _summed(name: str, inner: tuple[Item, ...]) -> Item:
    """A zip within the zip, as one item."""
    findings = tuple(found for item in inner for found in item.findings)
    note = "" if findings else "plain values"
    return Item(name=name, verdict=worst(item.verdict for item in inner), findings=findings, note=note)


def _unclear(name: str, reason: str) -> Item:
    found = Finding(name="damaged pickle", verdict="suspicious", reason=reason)
    return Item(name=name, verdict="suspicious", findings=(found,))


def _whole(file: BinaryIO, path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise PermaAgentError(f"expected a pickle of at most {LARGEST >> 30} GB, got a larger one in {path}")
    return file.read()


def _shown(name: str) -> str:
    return ascii(name[:200])[1:-1]
