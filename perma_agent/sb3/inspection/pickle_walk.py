"""Walk of a pickle: what it would import and call, found by following its opcodes and without doing any of it.

A pickle is a program for a small stack machine. Here the machine runs on stand-ins: a name instead of what would be
imported, a note of the call instead of its result. Texts, numbers and tuples are themselves, so that a name that is put
together on the stack (STACK_GLOBAL) and the arguments of a call can be shown.
"""

from __future__ import annotations

import pickletools
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

MOST_OPCODES = 5_000_000
"""Of one pickle; a large replay buffer has a few hundred."""
Deed = Literal["called", "made", "filled"]
"""REDUCE, INST and OBJ call; NEWOBJ makes an instance; BUILD hands it its state."""


@dataclass(frozen=True)
class GlobalName:
    """What would be imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Result:
    """Stands for what a call would return."""

    callee: Any
    arguments: Any


class _Unknown:
    """Stands for a value that is not followed: a list, a dictionary, a set, a buffer."""

    def __repr__(self) -> str:
        return "..."


UNKNOWN = _Unknown()
_MARK = object()
NAMELESS = GlobalName("?", "?")
"""A name that only running the pickle would tell."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One thing that would be done."""

    deed: Deed
    callee: Any
    """A `GlobalName`, a `Result` of an earlier call, or something else that no honest pickle calls."""
    arguments: Any
    """A tuple as far as it can be followed; of `filled` the state."""


@dataclass(frozen=True, kw_only=True)
class PickleWalk:
    """What one pickle would do, in order."""

    names: tuple[GlobalName, ...]
    """Each import, once."""
    calls: tuple[Call, ...]
    value: Any
    """Stands for what would be returned; a text or number is itself."""
    damage: str = ""
    """What ended the walk too early, if anything did: what stands before it would be done all the same."""


def walk_pickle(stream: BytesIO) -> PickleWalk:
    """Follow one pickle to its end; the stream then stands behind it.

    Args:
        stream: at the first byte of a pickle of any protocol.
    """
    machine, damage, value = _Machine(), "no end", UNKNOWN
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count >= MOST_OPCODES:
                damage = f"more than {MOST_OPCODES} opcodes"
                break
            if opcode.name == "STOP":
                value, damage = machine.pop(), ""
            else:
                machine.step(opcode, argument)
    except (ValueError, IndexError, KeyError, OverflowError, MemoryError, UnicodeError, TypeError) as error:
        damage = " ".join(str(error).split())[:200] or type(error).__name__
    return PickleWalk(names=tuple(machine.names), calls=tuple(machine.calls), value=value, damage=damage)


class _Machine:
    """The stack machine; raises IndexError, KeyError or ValueError where a pickle takes what is not there."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.names: dict[GlobalName, None] = {}
        self.calls: list[Call] = []
        self.protocol = 0
        self._steps: dict[str, Callable[[Any], Any]] = {
            "PROTO": self._proto,
            "MARK": lambda _: self.stack.append(_MARK),
            "POP": lambda _: self.stack.pop(),
            "POP_MARK": lambda _: self._to_mark(),
            "DUP": lambda _: self.stack.append(self.stack[-1]),
            "NONE": lambda _: self.stack.append(None),
            "NEWTRUE": lambda _: self.stack.append(True),
            "NEWFALSE": lambda _: self.stack.append(False),
            "EMPTY_TUPLE": lambda _: self.stack.append(()),
            "TUPLE": lambda _: self.stack.append(tuple(self._to_mark())),
            "TUPLE1": lambda _: self._tuple(1),
            "TUPLE2": lambda _: self._tuple(2),
            "TUPLE3": lambda _: self._tuple(3),
            **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), self._put),
            **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda key: self.stack.append(self.memo[key])),
            "MEMOIZE": lambda _: self._put(len(self.memo)),
            "APPEND": lambda _: self.pop(),
            "SETITEM": lambda _: (self.pop(), self.pop()),
            **dict.fromkeys(("APPENDS", "SETITEMS", "ADDITEMS"), lambda _: self._to_mark()),
            "GLOBAL": lambda pair: self.stack.append(self._named(*_split(pair))),
            "STACK_GLOBAL": self._stack_global,
            **dict.fromkeys(("EXT1", "EXT2", "EXT4"), self._extension),
            "REDUCE": lambda _: self._call("called", arguments=self.pop(), callee=self.pop()),
            "NEWOBJ": lambda _: self._call("made", arguments=self.pop(), callee=self.pop()),
            "NEWOBJ_EX": lambda _: self._call("made", arguments=(self.pop(), self.pop())[::-1], callee=self.pop()),
            "INST": lambda pair: self._call(
                "called", arguments=tuple(self._to_mark()), callee=self._named(*_split(pair))
            ),
            "OBJ": self._obj,
            "BUILD": self._build,
        }

    def step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Do one opcode; those that only put a value there, or take some, as pickletools describes them."""
        step = self._steps.get(opcode.name)
        if step is not None:
            step(argument)
            return
        before = opcode.stack_before
        if pickletools.markobject in before:
            self._to_mark()
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            self.pop()
        constant = argument is not None and not before and isinstance(argument, str | bytes | bytearray | int | float)
        persistent = opcode.name in ("PERSID", "BINPERSID")
        self.stack += [argument if constant and not persistent else UNKNOWN] * len(opcode.stack_after)

    def pop(self) -> Any:
        """Take the topmost value."""
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value should be")
        return value

    def _to_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _tuple(self, size: int) -> None:
        self.stack.append(tuple([self.pop() for _ in range(size)][::-1]))

    def _put(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def _proto(self, protocol: int) -> None:
        self.protocol = protocol

    def _named(self, module: str, name: str) -> GlobalName:
        if self.protocol < 3:  # as the unpickler does, for names of Python 2
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        found = GlobalName(module, name)
        self.names[found] = None
        return found

    def _stack_global(self, _: Any) -> None:
        name, module = self.pop(), self.pop()
        if isinstance(name, str) and isinstance(module, str):
            self.stack.append(self._named(module, name))
            return
        self.names[NAMELESS] = None
        self.stack.append(NAMELESS)

    def _extension(self, code: int) -> None:
        found = GlobalName("copyreg", f"extension {code}")
        self.names[found] = None
        self.stack.append(found)

    def _obj(self, _: Any) -> None:
        callee, *arguments = self._to_mark()
        self._call("called", arguments=tuple(arguments), callee=callee)

    def _call(self, deed: Deed, *, arguments: Any, callee: Any) -> None:
        self.calls.append(Call(deed=deed, callee=callee, arguments=arguments))
        self.stack.append(Result(callee, arguments))

    def _build(self, _: Any) -> None:
        state = self.pop()
        self.calls.append(Call(deed="filled", callee=self.stack[-1], arguments=state))


def _split(pair: str) -> tuple[str, str]:
    module, _, name = pair.partition(" ")
    return module, name
