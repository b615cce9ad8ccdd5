"""Report on a pickle: what it would import and call with which arguments, what code it brings, how that is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from perma_agent.sb3.inspection.pickle_names import (
    CODE_MAKERS,
    IMPORTERS,
    NESTED,
    Verdict,
    judge_module,
    judge_name,
    suspicious_words,
    worst,
)
from perma_agent.sb3.inspection.pickle_walk import Call, GlobalName, PickleWalk, Result, walk_pickle

DEPTH = 4
"""Pickles within pickles that are followed, and parentheses within parentheses that are shown."""
SHOWN = 8
"""Arguments, names and constants that are shown; of a text this many times five letters."""
EXAMPLES = 3
"""Uses of one name that are shown."""
TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""What the first of five pickles in torch's old format returns."""
CODE_TYPE = "types.CodeType"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One name, or one function, and what becomes of it."""

    name: str
    """Module and name; of an embedded function `code` and its own name."""
    verdict: Verdict
    reason: str
    """Why, in a few words."""
    uses: Mapping[str, int] = field(default_factory=dict)
    """How often it is called, made an instance of, filled with a state; nothing where it is only imported."""
    examples: tuple[str, ...] = ()
    """Arguments of the first uses; of a function its file, names and constants, as the pickle claims."""


def report_on(content: bytes, *, depth: int = 0) -> list[Finding]:
    """Everything that reading these bytes as a pickle, or as several in a row, would do.

    Args:
        content: of a pickle file.
        depth: pickles round this one.
    """
    stream, findings, count, old_torch = BytesIO(content), list[Finding](), 0, False
    while True:
        walk = walk_pickle(stream)
        findings += _findings(walk, depth=depth)
        count += 1
        old_torch |= count == 1 and walk.value == TORCH_MAGIC
        following = content[stream.tell() : stream.tell() + 1]
        if walk.damage or not (following == b"\x80" or (old_torch and count < 5)):
            return _merged(findings)


def show(value: Any, *, depth: int = 0) -> str:
    """A stand-in as a short text that no terminal takes for a command."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**20:
        return "<large number>"
    if isinstance(value, GlobalName):
        return _plain(str(value))
    if depth >= DEPTH:
        return "..."
    if isinstance(value, Result):
        name = callee_of(value)
        return f"{_plain(str(name)) if name else '<result>'}({_listed(value.arguments, depth=depth)})"
    if isinstance(value, tuple):
        return f"({_listed(value, depth=depth)})"
    return repr(value)


def callee_of(result: Result | Call) -> GlobalName | None:
    """The name behind what is called; cloudpickle asks for `types.CodeType` by way of a function of its own."""
    called = result.callee
    if isinstance(called, GlobalName):
        return called
    if isinstance(called, Result) and isinstance(called.callee, GlobalName) and called.callee.name == "_builtin_type":
        match called.arguments:
            case (str(name),):
                return GlobalName("types", name)
    return None


def _findings(walk: PickleWalk, *, depth: int) -> list[Finding]:
    findings = [_named(name) for name in walk.names]
    for call in walk.calls:
        findings += _done(call, depth=depth)
    if walk.damage:
        reason = f"cannot be followed to its end ({_plain(walk.damage)}); what stands before it is done all the same"
        findings.append(Finding(name="damaged pickle", verdict="suspicious", reason=reason))
    return findings


def _named(name: GlobalName, uses: Mapping[str, int] | None = None, examples: tuple[str, ...] = ()) -> Finding:
    verdict, reason = judge_name(name.module, name.name)
    return Finding(name=_plain(str(name)), verdict=verdict, reason=reason, uses=uses or {}, examples=examples)


def _done(call: Call, *, depth: int) -> list[Finding]:
    """What is to be said of one call."""
    uses: dict[str, int] = {call.deed: 1}
    if call.deed == "filled":
        return _filled(call)
    name = callee_of(call)
    if name is None:
        reason = "calls what another call returned"
        return [Finding(name=show(call.callee), verdict="suspicious", reason=reason, uses=uses)]
    if str(name) == CODE_TYPE:
        return [_code(call.arguments)]
    shown = () if str(name) in CODE_MAKERS else (_listed(call.arguments, depth=0),)  # what is made has its own finding
    found = [_named(name, uses, shown)]
    if str(name) == NESTED:
        found += _nested(call.arguments, depth=depth)
    if str(name) in IMPORTERS:
        found.append(_module(call.arguments))
    return found


def _filled(call: Call) -> list[Finding]:
    """BUILD: harmless on an instance, whose class is judged anyway; not so on what everybody shares."""
    target = call.callee
    if isinstance(target, Result):
        maker = callee_of(target)
        if maker is not None and str(maker) not in IMPORTERS:
            return [_named(maker, {"filled": 1})]
    reason = "changes a class, function or module for the whole program"
    return [Finding(name=show(target), verdict="suspicious", reason=reason, uses={"filled": 1})]


def _nested(arguments: Any, *, depth: int) -> list[Finding]:
    match arguments:
        case (bytes(content),) if depth < DEPTH:
            return report_on(content, depth=depth + 1)
    reason = "reads a pickle that cannot be followed"
    return [Finding(name=NESTED, verdict="suspicious", reason=reason)]


def _module(arguments: Any) -> Finding:
    match arguments:
        case (str(module), *_):
            verdict, reason = judge_module(module)
            return Finding(name=f"import {_plain(module)}", verdict=verdict, reason=reason)
    return Finding(name="import ?", verdict="suspicious", reason="which module only running would tell")


def _code(arguments: Any) -> Finding:
    """A function's code object; what stands before the bytecode depends on Python's version, what follows does not."""
    parts = arguments if isinstance(arguments, tuple) else ()
    start = next((index for index, part in enumerate(parts) if isinstance(part, bytes)), None)
    if start is None or len(parts) < start + 6:
        return Finding(name="code ?", verdict="suspicious", reason="code of its own that cannot be read")
    bytecode, constants, names, _, file, name = parts[start : start + 6]
    named = [part for part in names if isinstance(part, str)] if isinstance(names, tuple) else []
    words = suspicious_words([*named, *(part for part in _flat(constants) if isinstance(part, str))])
    return Finding(
        name=f"code {show(name).strip(_QUOTES)}",
        verdict="suspicious" if words else "code",
        reason=f"a function of its own that names {', '.join(words)}" if words else "a function of its own",
        examples=(
            f"{len(bytecode)} bytes of code said to be from {_place(file)}; names {show(names)}; "
            f"constants {show(constants)}",
        ),
    )


_QUOTES = "'\""


def _flat(constants: Any) -> list[Any]:
    """Constants, and those within tuples of them, as far as they are shown."""
    flat, waiting = list[Any](), [constants]
    while waiting and len(flat) < 10_000:
        part = waiting.pop()
        if isinstance(part, tuple):
            waiting.extend(part)
        else:
            flat.append(part)
    return flat


def _merged(findings: list[Finding]) -> list[Finding]:
    """One finding a name: uses added up, the worst verdict, the first examples; code stays apart."""
    together: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        apart = "".join(finding.examples) if finding.name.startswith("code ") else ""
        together.setdefault((finding.name, apart), []).append(finding)
    merged = []
    for (name, _), same in together.items():
        verdict = worst(one.verdict for one in same)
        uses = sum((Counter(one.uses) for one in same), Counter[str]())
        examples = tuple(dict.fromkeys(example for one in same for example in one.examples))[:EXAMPLES]
        reason = next(one.reason for one in same if one.verdict == verdict)
        merged.append(Finding(name=name, verdict=verdict, reason=reason, uses=dict(uses), examples=examples))
    return merged


def _listed(values: Any, *, depth: int) -> str:
    if not isinstance(values, tuple):
        return show(values, depth=depth + 1)
    shown = [show(value, depth=depth + 1) for value in values[:SHOWN]]
    return ", ".join([*shown, *(["..."] if len(values) > SHOWN else [])])


def _quoted(text: str) -> str:
    return ascii(text if len(text) <= 5 * SHOWN else text[: 5 * SHOWN] + "...")


def _place(file: Any) -> str:
    """The end of a path, which tells most."""
    return ascii(file if len(file) <= 60 else f"...{file[-60:]}") if isinstance(file, str) else show(file)


def _plain(text: str) -> str:
    """Printable ASCII and nothing else, of a bounded length."""
    return ascii(text[:200])[1:-1]
