"""The ground-truth factors of ViZDoom's levels, in metres, under our levels' names wherever they mean the same."""

from __future__ import annotations

import numpy as np

from perma_agent.envs.factors import SLOTS, Factors, FactorSpec
from perma_agent.envs.sight import egocentric
from perma_agent.envs.vizdoom.engine import Scene, Thing
from perma_agent.envs.vocabulary import KINDS

UNITS_PER_METRE = 32.0
"""Map units of Doom's in a metre: its 56 units tall player stands 1.75 m."""
EXTENT = 1024.0
"""No map reaches farther from its origin, metres: coordinates are 16 bits wide."""
FAR = 14.0
"""`distance_ahead` is cut off here, metres: the engine's depth picture saturates soon after."""
UNITS_PER_DEPTH, DEPTH_OFFSET = 7.25, 5.0
"""Map units in one grey value of the depth picture, and at value 0; measured against the maps' own walls."""
FIELD_OF_VIEW = 64.0
"""Of the cut picture, degrees: 90° across the engine's whole picture of 4:3 with pixels 1.2 times as tall."""
CATEGORIES = (
    *("none", "Ammo", "Armor", "Artifact", "Breakable", "Bridge", "Decoration", "Explosive", "Gibs", "Gore", "Hazard"),
    *("Health", "InteractiveObject", "Key", "LightSource", "Monster", "Player", "Power", "Powerup", "PuzzleItem"),
    *("QuestItem", "Vegetation", "Weapon", "other"),
)
"""The engine's categories of objects; their index is the factor `object_category`, 0 where there is no object."""
UNSEEN = frozenset({"Self", "SFX", "Internal", "Token", "MapSpot", "ScriptThing", "DynamicLight"})
"""Categories that are no objects: the player, puffs of smoke, marks of the map's maker."""
_SCENERY = frozenset({"Bridge", "Decoration", "Gibs", "Gore", "LightSource", "Vegetation"})


class Slots:
    """Which object is in which slot: it keeps its slot for as long as it is among the first eight."""

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}

    def assign(self, ranked: list[int]) -> dict[int, int]:
        """Slot of each of the first `SLOTS` numbers, most important first; newcomers take the lowest free slot."""
        first = ranked[:SLOTS]
        kept = {number: slot for number, slot in self._taken.items() if number in first}
        free = (slot for slot in range(SLOTS) if slot not in kept.values())
        for number in first:
            if number not in kept:
                kept[number] = next(free)
        self._taken = kept
        return kept


def vizdoom_factor_specs() -> tuple[FactorSpec, ...]:
    """The factors of every ViZDoom level, in the order of `info["factors"]`.

    Not here, since the engine does not tell them: `light`, `object_colour`, `object_visible`.
    """
    spec, one, each = FactorSpec, (1,), (SLOTS,)
    wide, pi, last = 2 * 2**0.5 * EXTENT, float(np.pi), len(CATEGORIES) - 1
    turn = "Where the agent looks, anticlockwise seen from above, 0 along +x, -π/2 along +z."
    ahead = "From the agent's middle straight ahead to the first wall or object, cut off at the upper end; to 0.25 m."
    place = "Egocentric: metres ahead of the agent, metres to its right."
    pixels = "Of the picture's pixels, those that show the object: 0 where it is not seen."
    return (
        spec(name="x", shape=one, low=-EXTENT, high=EXTENT, unit="m", meaning="Agent's place along x, Doom's x."),
        spec(name="z", shape=one, low=-EXTENT, high=EXTENT, unit="m", meaning="Agent's place along z, Doom's -y."),
        spec(name="heading", shape=one, low=-pi, high=pi, unit="rad", meaning=turn, period=2 * pi),
        spec(name="distance_ahead", shape=one, low=0.0, high=FAR, unit="m", meaning=ahead),
        spec(name="camera_height", shape=one, low=0.0, high=2.0, unit="m", meaning="Of the camera above ground."),
        spec(name="camera_pitch", shape=one, low=-90.0, high=90.0, unit="deg", meaning="Camera's tilt, up positive."),
        spec(name="camera_fov", shape=one, low=30.0, high=120.0, unit="deg", meaning="Vertical angle of view."),
        spec(name="altitude", shape=one, low=-EXTENT, high=EXTENT, unit="m", meaning="Of the agent's feet."),
        spec(name="health", shape=one, low=0.0, high=999.0, unit="points", meaning="Agent's health, 100 when fresh."),
        spec(name="armor", shape=one, low=0.0, high=999.0, unit="points", meaning="Agent's armour."),
        spec(name="ammo", shape=one, low=0.0, high=999.0, unit="count", meaning="Shots left in the agent's hand."),
        spec(name="kills", shape=one, low=0.0, high=9999.0, unit="count", meaning="Monsters killed in this episode."),
        spec(name="objects_seen", shape=one, low=0.0, high=255.0, unit="count", meaning="Objects in the picture."),
        spec(name="object_present", shape=each, low=0, high=1, unit="flag", meaning="Whether the slot is filled."),
        spec(name="object_kind", shape=each, low=0, high=len(KINDS) - 1, unit="index", meaning="Place in KINDS."),
        spec(name="object_category", shape=each, low=0, high=last, unit="index", meaning="Place in CATEGORIES."),
        spec(name="object_position", shape=(SLOTS, 2), low=-wide, high=wide, unit="m", meaning=place),
        spec(name="object_pixels", shape=each, low=0.0, high=1.0, unit="share", meaning=pixels),
    )


def vizdoom_factors(scene: Scene, slots: Slots) -> Factors:
    """The factors of a scene: a new dict of new float32 arrays with the names and shapes of the specs.

    Of more than eight objects, those in the picture come first, then the nearest.
    """
    told = scene.variables
    x, z, heading = pose(scene)
    counts = np.bincount(scene.labels.ravel(), minlength=256)
    things = [thing for thing in scene.things if thing.category not in UNSEEN]
    shares = np.array([counts[scene.label_of.get(t.number, 0)] * (t.number in scene.label_of) for t in things])
    shares = shares / scene.labels.size
    ahead = (scene.depth_ahead * UNITS_PER_DEPTH + DEPTH_OFFSET) / UNITS_PER_METRE
    factors = {
        "x": _scalar(x),
        "z": _scalar(z),
        "heading": _scalar(heading),
        "distance_ahead": _scalar(min(ahead, FAR)),
        "camera_height": _scalar(told["VIEW_HEIGHT"] / UNITS_PER_METRE),
        "camera_pitch": _scalar(-told["CAMERA_PITCH"]),
        "camera_fov": _scalar(FIELD_OF_VIEW),
        "altitude": _scalar(told["POSITION_Z"] / UNITS_PER_METRE),
        "health": _scalar(np.clip(told["HEALTH"], 0, 999)),
        "armor": _scalar(np.clip(told["ARMOR"], 0, 999)),
        "ammo": _scalar(np.clip(told["SELECTED_WEAPON_AMMO"], 0, 999)),
        "kills": _scalar(told["KILLCOUNT"]),
        "objects_seen": _scalar(float(np.count_nonzero(shares))),
    }
    return factors | _object_factors(things, shares, slots, pose=(x, z, heading))


def pose(scene: Scene) -> tuple[float, float, float]:
    """Agent's x, z (metres) and heading (radians, -π to π)."""
    told = scene.variables
    heading = (np.deg2rad(told["ANGLE"]) + np.pi) % (2 * np.pi) - np.pi
    return told["POSITION_X"] / UNITS_PER_METRE, -told["POSITION_Y"] / UNITS_PER_METRE, float(heading)


def _object_factors(
    things: list[Thing], shares: np.ndarray, slots: Slots, *, pose: tuple[float, float, float]
) -> Factors:
    names = ("object_present", "object_kind", "object_category", "object_pixels")
    factors = {name: np.zeros(SLOTS, dtype=np.float32) for name in names[:3]}
    factors["object_position"] = np.zeros((SLOTS, 2), dtype=np.float32)
    factors["object_pixels"] = np.zeros(SLOTS, dtype=np.float32)
    if not things:
        slots.assign([])
        return factors
    places = np.array([(t.place[0], -t.place[1]) for t in things]) / UNITS_PER_METRE
    relative = egocentric(places, origin=np.array(pose[:2]), heading=pose[2])
    ranked = np.lexsort((np.hypot(relative[:, 0], relative[:, 1]), shares == 0)).tolist()
    chosen = slots.assign([things[index].number for index in ranked])
    for index in ranked[:SLOTS]:
        slot = chosen[things[index].number]
        factors["object_present"][slot] = 1.0
        factors["object_kind"][slot] = KINDS.index(_kind(things[index]))
        category = things[index].category
        factors["object_category"][slot] = CATEGORIES.index(category if category in CATEGORIES else "other")
        factors["object_position"][slot] = relative[index]
        factors["object_pixels"][slot] = shares[index]
    return factors


def _kind(thing: Thing) -> str:
    if thing.category == "Key":
        return "key"
    if thing.category == "Health" and thing.name.lower().endswith(("medikit", "stimpack")):
        return "medkit"
    return "scenery" if thing.category in _SCENERY else "other"


def _scalar(value: float) -> np.ndarray:
    return np.array([value], dtype=np.float32)
