"""Shows what loading a file would execute, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from perma_agent.cli.output import show_json, show_table
from perma_agent.sb3.inspection.pickle_report import Finding
from perma_agent.sb3.inspection.zip_inspection import Inspection, Item, inspect_zip

WORDS = {
    "harmless": "harmless",
    "package": "runs a package",
    "code": "brings code",
    "suspicious": "SUSPICIOUS",
}
"""Verdict to what the table says."""


def examine_file(path: Path, *, json: bool) -> int:
    """Write to stdout what a file would execute.

    Returns:
        0 if nothing in it goes beyond what is known to be harmless, else 1.

    Raises:
        PermaAgentError: the file is none that can be examined.
    """
    inspection = inspect_zip(path)
    if json:
        show_json(as_json(inspection))
    else:
        show_table(["part", "verdict", "what", "how", "why"], [row for item in inspection.items for row in rows(item)])
    return 0 if inspection.verdict == "harmless" else 1


def as_json(inspection: Inspection) -> dict[str, object]:
    """The whole inspection with its summary in front."""
    return {
        "ok": inspection.verdict == "harmless",
        "verdict": inspection.verdict,
        "path": inspection.path,
        "items": inspection.items,
    }


def rows(item: Item) -> Iterator[tuple[str, str, str, str, str]]:
    """One row for all that is harmless in a part, and one for each of the others."""
    known = [found.name for found in item.findings if found.verdict == "harmless"]
    others = [found for found in item.findings if found.verdict != "harmless"]
    if known or not others:
        yield item.name, WORDS["harmless"], ", ".join(known) or item.note, "", ""
    for found in others:
        yield item.name, WORDS[found.verdict], found.name, _how(found), found.reason


def _how(found: Finding) -> str:
    uses = ", ".join(f"{deed} {count} times" if count > 1 else deed for deed, count in found.uses.items())
    examples = "; ".join(found.examples)
    if not uses:
        return examples or "imported"
    return f"{uses}: {examples}" if examples else uses
