"""How a level may look: textures, tints and light, drawn from pools that the held-out split does not share."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from perma_agent.envs.miniworld.surfaces import Colour
from perma_agent.envs.vocabulary import Setting, Split

TEXTURES: dict[Setting, dict[str, dict[Split, tuple[str, ...]]]] = {
    "indoor": {
        "ground": {
            "train": ("wood_1", "concrete_tiles_1", "asphalt_1"),
            "test": ("wood_2", "floor_tiles_white", "marble_1"),
        },
        "wall": {
            "train": ("brick_wall_1", "cinder_blocks_1", "drywall_1"),
            "test": ("stucco_1", "wood_planks_1", "cardboard_4"),
        },
        "above": {"train": ("ceiling_tiles_1",), "test": ("ceiling_tile_noborder_1",)},
        "pillar": {"train": ("cardboard_1", "concrete_3"), "test": ("cardboard_2", "concrete_1")},
        "gate": {"train": ("door_steel_grey",), "test": ("door_garage_white",)},
    },
    "outdoor": {
        "ground": {"train": ("grass_1", "concrete_4"), "test": ("grass_2", "concrete_2")},
        "wall": {"train": ("grass_1",), "test": ("grass_2",)},
        "above": {"train": (), "test": ()},
        "pillar": {"train": ("rock_1",), "test": ("marble_2",)},
        "gate": {"train": ("wood_planks_1",), "test": ("picket_fence_1",)},
    },
}
"""Setting, part of the level and split to MiniWorld's textures; within a setting no texture is in both splits."""

HUES: dict[Setting, dict[str, tuple[float, float]]] = {
    "indoor": {"ground": (0.0, 360.0), "wall": (0.0, 360.0), "sky": (0.0, 360.0)},
    "outdoor": {"ground": (50.0, 130.0), "wall": (70.0, 160.0), "sky": (190.0, 240.0)},
}
"""Degrees of hue each tint is drawn from, cut into `BINS` equal bins: even ones for train, odd ones for test."""
BINS = 12


@dataclass(frozen=True, kw_only=True)
class Skin:
    """Texture and tint of one part of the level."""

    texture: str | None
    """File name of one of MiniWorld's textures without ending, None for plain colour."""
    tint: Colour
    """Multiplied with the texture; red, green, blue in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Everything about a level's appearance that its rules do not depend on."""

    setting: Setting
    """Indoor or outdoor."""
    ground: Skin
    """Floor; grass, sand or earth."""
    wall: Skin
    """Walls; hedges."""
    above: Skin
    """Ceiling; its tint is the colour of the zenith outdoors."""
    horizon: Colour
    """Colour of the sky's rim and of the fog; of the lamps indoors."""
    pillar: Skin
    """Crates and columns; rocks and trunks."""
    gate: Skin
    """Closed gates."""
    seed: int
    """Of the scattered decoration (lamps, trees, hills)."""


@dataclass(frozen=True, kw_only=True)
class View:
    """Light and camera: the same in both settings, and reported as factors."""

    light: float = 0.85
    """Brightness, 0.55 to 1."""
    sun: float = 0.8
    """Bearing the light falls in from, radians."""
    camera_height: float = 1.35
    """Metres above the ground, 1.25 to 1.45."""
    camera_pitch: float = -6.0
    """Degrees, upwards positive, -9 to -3."""
    camera_fov: float = 70.0
    """Vertical angle of view, degrees, 65 to 75."""


def draw_view(rng: np.random.Generator) -> View:
    """Light and camera of one episode, uniform over their ranges."""
    return View(
        light=float(rng.uniform(0.55, 1.0)),
        sun=float(rng.uniform(-np.pi, np.pi)),
        camera_height=float(rng.uniform(1.25, 1.45)),
        camera_pitch=float(rng.uniform(-9.0, -3.0)),
        camera_fov=float(rng.uniform(65.0, 75.0)),
    )


def draw_look(rng: np.random.Generator, *, setting: Setting, split: Split) -> Look:
    """The appearance of one episode, from the pools of one split."""
    textures = {part: _pick(rng, pools[split]) for part, pools in TEXTURES[setting].items()}
    hues = {part: draw_hue(rng, *HUES[setting][part], split=split) for part in ("ground", "wall", "sky")}
    indoor = setting == "indoor"
    plain = not indoor and not str(textures["ground"]).startswith("grass")  # concrete tinted to sand or earth
    ground = tint(30.0 + 0.15 * hues["ground"] if plain else hues["ground"], 0.2 if indoor else 0.3, 1.0)
    return Look(
        setting=setting,
        ground=Skin(texture=textures["ground"], tint=ground),
        wall=Skin(texture=textures["wall"], tint=tint(hues["wall"], 0.3 if indoor else 0.45, 1.0 if indoor else 0.75)),
        above=Skin(texture=textures["above"], tint=tint(hues["sky"], 0.08 if indoor else 0.6, 0.95)),
        horizon=tint(hues["sky"], 0.06 if indoor else 0.18, 1.0 if indoor else 0.95),
        pillar=Skin(texture=textures["pillar"], tint=(1.0, 1.0, 1.0)),
        gate=Skin(texture=textures["gate"], tint=(0.75, 0.6, 0.5) if not indoor else (0.9, 0.95, 1.0)),
        seed=int(rng.integers(2**31)),
    )


def draw_hue(rng: np.random.Generator, low: float, high: float, *, split: Split) -> float:
    """A hue in degrees from the even (train) or odd (test) ones of `BINS` equal bins of [low, high)."""
    width = (high - low) / BINS
    index = 2 * rng.integers(BINS // 2) + (split == "test")
    return float(low + width * (index + rng.uniform()))


def hue_bin(hue: float, low: float, high: float) -> int:
    """Which of the bins a hue lies in."""
    return int((hue - low) / (high - low) * BINS)


def tint(hue: float, saturation: float, value: float) -> Colour:
    """Red, green and blue of a hue in degrees."""
    return colorsys.hsv_to_rgb((hue % 360.0) / 360.0, saturation, value)


def _pick(rng: np.random.Generator, names: tuple[str, ...]) -> str | None:
    return names[rng.integers(len(names))] if names else None
