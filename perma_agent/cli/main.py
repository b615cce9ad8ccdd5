"""`perma-agent VERB …`: finds the verb's file, reads its arguments, turns errors into a sentence and an exit code.

Exit codes: 0 done; 1 done, but the answer is no (`doctor` misses something) or a bug, with its traceback; 2 something a
user, a file or the machine can put right, in one sentence on stderr; 130 interrupted; 141 the reader of stdout left.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence

from perma_agent.cli.arguments import parse
from perma_agent.errors import PermaAgentError
from perma_agent.version import __version__

VERBS: Mapping[str, str] = {
    "demo": "the whole stack once: record, pretrain, go on outdoors, train a policy, write a report",
    "levels": "list the levels that can be made here",
    "collect": "record trajectories of a level into a store",
    "pretrain": "learn a VASE from a store",
    "train": "train a policy on a level, with a VASE as its features",
    "transfer": "evaluate a policy on other levels",
    "imagine": "show what a VASE imagines of a recorded world",
    "inspect": "show what is in a store or a run folder",
    "push": "put a trained agent on the Hugging Face hub",
    "study": "rerun a published experiment",
    "doctor": "check this machine and say what is missing, or what a zip of SB3 would execute",
}
"""Verb and its line in `--help`. Verb `x` is `perma_agent/cli/x.py`: a dataclass `Config` and a `run(config)`, which
returns an exit code or None for 0. A verb is offered as soon as its file is there."""

INTERRUPTED = 130
READER_LEFT = 141
MACHINE_FAULTS = {
    errno.ENOSPC: "free some space or name a folder on another disk",
    errno.EDQUOT: "your quota is used up: free some space or name a folder on another disk",
    errno.EACCES: "name a folder that you may write to",
    errno.EPERM: "name a folder that you may write to",
    errno.EROFS: "name a folder on a disk that can be written to",
}
"""Operating system errors that are no bug of ours, with what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and say how it went.

    Args:
        arguments: what follows `perma-agent`; the process' own where None.

    Returns:
        The exit code, as in the module's docstring.
    """
    try:
        code = _dispatch(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except PermaAgentError as error:
        return _complain(str(error))
    except BrokenPipeError:
        # Python flushes stdout once more on its way out, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT
    except OSError as error:
        if error.errno not in MACHINE_FAULTS:
            raise
        where = f" ({error.filename})" if error.filename else ""
        return _complain(f"{error.strerror}{where}; {MACHINE_FAULTS[error.errno]}")
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    return code


def offered() -> dict[str, str]:
    """Verbs whose file is there, with their line of help."""
    return {verb: line for verb, line in VERBS.items() if importlib.util.find_spec(f"perma_agent.cli.{verb}")}


def _dispatch(arguments: list[str]) -> int:
    """Run the verb that comes first; without one, or with --help or --version, answer that."""
    verb = arguments[0] if arguments else "--help"
    if verb in ("-h", "--help"):
        sys.stdout.write(_overview())
        return 0
    if verb == "--version":
        sys.stdout.write(f"perma-agent {__version__}\n")
        return 0
    if verb not in offered():
        raise PermaAgentError(f"expected one of the verbs {', '.join(offered())}, got {verb!r}; see perma-agent --help")
    module = importlib.import_module(f"perma_agent.cli.{verb}")
    config = parse(module.Config, arguments[1:], program=f"perma-agent {verb}")
    if config is None:
        return 0
    code: int | None = module.run(config)
    return code or 0


def _overview() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {line}" for verb, line in offered().items())
    return (
        "usage: perma-agent VERB [OPTIONS]\n\n"
        "Life-long disentangled representations for agents on 3D levels.\n\n"
        f"{verbs}\n\n"
        "perma-agent VERB --help tells the options of a verb, perma-agent --version the version.\n"
    )


def _complain(message: str) -> int:
    """One line on stderr, whatever the message's own line breaks."""
    sys.stderr.write(f"perma-agent: {' '.join(message.split())}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
