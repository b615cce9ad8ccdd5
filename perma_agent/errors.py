"""The errors a caller may want to catch; each message says what was expected, what was found and what to do."""


class PermaAgentError(Exception):
    """Base of all errors that a user, a file or a machine can cause; the command line prints it and exits with 2."""


class StoreError(PermaAgentError):
    """A trajectory store is missing, empty, foreign, damaged or cannot be written."""


class RunFolderError(PermaAgentError):
    """A run folder lacks a file, or one was truncated, altered or made by another version."""


class LevelError(PermaAgentError):
    """A level is unknown, its engine is not installed, or its arguments are not among the valid ones."""


class FrameError(PermaAgentError):
    """Frames have the wrong shape, dtype or range."""


class DataError(PermaAgentError):
    """A data set is unknown, missing, damaged, or cannot be downloaded."""
