"""Words that all engines share: settings, splits, and the kinds and colours of objects."""

from __future__ import annotations

from typing import Literal

Setting = Literal["indoor", "outdoor"]
Split = Literal["train", "test"]
SETTINGS: tuple[Setting, ...] = ("indoor", "outdoor")
SPLITS: tuple[Split, ...] = ("train", "test")

KINDS = ("none", "ball", "box", "cone", "key", "medkit", "duckie", "picture", "text", "scenery", "other")
"""Kinds of object; their index is the factor `object_kind`, 0 where there is no object."""
COLOURS = ("none", "blue", "green", "grey", "purple", "red", "yellow")
"""Colours of object; their index is the factor `object_colour`, 0 for an object of no single colour."""
