"""Names that pickles ask for: which are known to be harmless, and what is to be said of the others.

Known to be harmless is a list of whole names, not of packages: `numpy` has functions that run what they are given. What
stands in the standard library or among Python's builtins and not on the list is suspicious, for that is where the ways
to a shell are; anything else runs code of the package it names, which is as good as that package is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Literal

Verdict = Literal["harmless", "package", "code", "suspicious"]
"""`package` runs code of an installed package, `code` brings code of its own."""
VERDICTS: tuple[Verdict, ...] = ("harmless", "package", "code", "suspicious")
"""From best to worst."""


def _below(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


_NUMPY_CORES = ("numpy.core", "numpy._core")
_BIT_GENERATORS = ("MT19937", "PCG64", "Philox", "SFC64")
_CONTRIB = {
    "ppo_recurrent": "RecurrentActorCriticPolicy RecurrentActorCriticCnnPolicy RecurrentMultiInputActorCriticPolicy "
    "MlpLstmPolicy CnnLstmPolicy MultiInputLstmPolicy",
    "qrdqn": "QRDQNPolicy CnnPolicy MultiInputPolicy",
    "tqc": "TQCPolicy CnnPolicy MultiInputPolicy",
    "crossq": "CrossQPolicy",
    "ars": "ARSPolicy ARSLinearPolicy",
}

HARMLESS: Mapping[str, tuple[str, ...]] = {
    "values of Python": (
        *_below(
            "builtins", "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple"
        ),
        *_below("collections", "OrderedDict deque Counter"),
        *_below("datetime", "date datetime time timedelta timezone"),
        *_below("pathlib", "PurePath PurePosixPath PureWindowsPath Path PosixPath WindowsPath"),
        *_below("pathlib._local", "PurePosixPath PureWindowsPath PosixPath WindowsPath"),
        *_below("copyreg", "_reconstructor __newobj__"),
        *("decimal.Decimal", "fractions.Fraction", "uuid.UUID", "_codecs.encode"),
    ),
    "arrays and random generators of numpy": (
        *_below("numpy", "ndarray dtype bool bool_ str_ bytes_ int8 int16 int32 int64 uint8 uint16 uint32 uint64"),
        *_below("numpy", "float16 float32 float64 complex64 complex128"),
        *(f"{core}.multiarray.{name}" for core in _NUMPY_CORES for name in ("_reconstruct", "scalar")),
        *(f"{core}.numeric._frombuffer" for core in _NUMPY_CORES),
        *_below("numpy.random._pickle", "__generator_ctor __bit_generator_ctor __randomstate_ctor"),
        *(f"numpy.random._{kind.lower()}.{kind}" for kind in _BIT_GENERATORS),
        *_below("numpy.random.bit_generator", "SeedSequence __pyx_unpickle_SeedSequence"),
        *_below("numpy.random._generator", "Generator"),
        *_below("numpy.random.mtrand", "RandomState"),
    ),
    "tensors of torch": (
        *_below("torch", "Size Tensor device dtype FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage"),
        *_below("torch", "IntStorage ShortStorage CharStorage ByteStorage BoolStorage"),
        *_below("torch", "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 bool"),
        *_below("torch._utils", "_rebuild_tensor _rebuild_tensor_v2 _rebuild_parameter _rebuild_parameter_with_state"),
        *_below("torch.nn.parameter", "Parameter"),
        *_below("torch.serialization", "_get_layout"),
        *_below("torch.storage", "UntypedStorage"),
    ),
    "spaces of gymnasium": tuple(
        f"{package}.spaces.{place}"
        for package in ("gymnasium", "gym")
        for place in (
            *("box.Box", "discrete.Discrete", "multi_discrete.MultiDiscrete", "multi_binary.MultiBinary"),
            *("dict.Dict", "tuple.Tuple"),
        )
    ),
    "parts of Stable-Baselines3": (
        *_below("stable_baselines3.common.utils", "ConstantSchedule FloatSchedule LinearSchedule"),
        *_below("stable_baselines3.common.type_aliases", "TrainFreq TrainFrequencyUnit"),
        *_below("stable_baselines3.common.buffers", "RolloutBuffer DictRolloutBuffer ReplayBuffer DictReplayBuffer"),
        *_below("stable_baselines3.common.buffers", "NStepReplayBuffer"),
        *_below("stable_baselines3.her.her_replay_buffer", "HerReplayBuffer"),
        *_below(
            "stable_baselines3.common.noise", "NormalActionNoise OrnsteinUhlenbeckActionNoise VectorizedActionNoise"
        ),
        *_below("stable_baselines3.common.policies", "ActorCriticPolicy ActorCriticCnnPolicy"),
        *_below("stable_baselines3.common.policies", "MultiInputActorCriticPolicy"),
        *_below("stable_baselines3.dqn.policies", "DQNPolicy CnnPolicy MultiInputPolicy"),
        *_below("stable_baselines3.sac.policies", "SACPolicy CnnPolicy MultiInputPolicy"),
        *_below("stable_baselines3.td3.policies", "TD3Policy CnnPolicy MultiInputPolicy"),
        *_below("stable_baselines3.common.torch_layers", "FlattenExtractor NatureCNN CombinedExtractor MlpExtractor"),
        *_below("stable_baselines3.common.running_mean_std", "RunningMeanStd"),
        *_below("stable_baselines3.common.vec_env.vec_normalize", "VecNormalize"),
        *_below("stable_baselines3.common.sb2_compat.rmsprop_tf_like", "RMSpropTFLike"),
        *(name for room, names in _CONTRIB.items() for name in _below(f"sb3_contrib.{room}.policies", names)),
        *_below("sb3_contrib.common.recurrent.policies", _CONTRIB["ppo_recurrent"]),
        *_below("sb3_contrib.common.recurrent.buffers", "RecurrentRolloutBuffer RecurrentDictRolloutBuffer"),
        *_below("sb3_contrib.common.recurrent.type_aliases", "RNNStates"),
        "rl_zoo3.utils.SimpleLinearSchedule",
    ),
    "layers and optimisers of torch": (
        *_below("torch.nn.modules.activation", "ReLU Tanh ELU GELU LeakyReLU SiLU Sigmoid Mish"),
        *_below("torch.optim", "Adam AdamW RMSprop SGD"),
        *(f"torch.optim.{kind.lower()}.{kind}" for kind in ("Adam", "AdamW", "RMSprop", "SGD")),
    ),
    "eyes of perma_agent": ("perma_agent.sb3.seeing.features_extractor.VASEFeaturesExtractor",),
}
"""Documented list of what may be imported and called without harm: purpose → whole names."""

CODE_MAKERS = frozenset(
    (
        *_below(
            "cloudpickle.cloudpickle", "_make_function _function_setstate _builtin_type _make_empty_cell _make_cell"
        ),
        *_below("cloudpickle.cloudpickle", "_make_skeleton_class _class_setstate _make_skeleton_enum _make_typevar"),
        *_below("cloudpickle.cloudpickle", "_empty_cell_value _get_bases _cell_set instance _gen_ellipsis"),
        *_below("cloudpickle.cloudpickle", "_fill_function _make_skel_func _rehydrate_skeleton_class _make_cell_set"),
        *_below("cloudpickle.cloudpickle_fast", "_function_setstate _class_setstate"),
        *_below("types", "CodeType FunctionType MethodType SimpleNamespace"),
    )
)
"""Put functions and classes together that stand in the pickle itself."""
IMPORTERS = frozenset(_below("cloudpickle.cloudpickle", "subimport dynamic_subimport"))
"""Import the module that they are told."""
NESTED = "torch.storage._load_from_bytes"
"""Reads another pickle, out of the bytes that it is given."""
RUNNERS = frozenset(
    (
        *_below("torch", "load hub jit.load serialization.load package utils.collect_env.run"),
        *_below("numpy", "load testing._private.utils.runstring f2py.crackfortran.getlincoef"),
        *_below("cloudpickle", "load loads cloudpickle.load cloudpickle.loads"),
        *_below("joblib", "load numpy_pickle.load"),
        *_below("pandas", "read_pickle eval core.computation.eval.eval"),
    )
)
"""Functions of packages that run what they are given."""
SUSPICIOUS_WORDS = frozenset(
    (
        "os",
        "posix",
        "nt",
        "system",
        "popen",
        "Popen",
        "subprocess",
        "exec",
        "eval",
        "compile",
        "__import__",
        "importlib",
        "import_module",
        "socket",
        "urlopen",
        "urlretrieve",
        "requests",
        "ctypes",
        "pickle",
        "shutil",
        "rmtree",
        "unlink",
        "builtins",
        "__builtins__",
        "__globals__",
        "__subclasses__",
        "pty",
        "spawn",
        "fork",
        "execv",
    )
)
"""In a name or in the code of a function: what only few honest schedules need."""
MODULES = frozenset(("math", "numpy", "torch", "gymnasium", "collections", "typing", "stable_baselines3", "torch.nn"))
"""May be imported without harm."""
_KNOWN = frozenset(name for names in HARMLESS.values() for name in names)


def judge_name(module: str, name: str) -> tuple[Verdict, str]:
    """What to think of an import, and why in a few words.

    Args:
        module: as in the pickle.
        name: within the module, with dots where an attribute of an attribute is asked for.
    """
    whole = f"{module}.{name}"
    top = module.partition(".")[0]
    if whole in _KNOWN:
        return "harmless", "on the list of what is known"
    if whole in CODE_MAKERS:
        return "code", "makes functions or classes out of the pickle itself"
    if whole in IMPORTERS:
        return "code", "imports a module for such a function"
    if whole == NESTED:
        return "harmless", "reads the pickle within, which is judged with this one"
    words = suspicious_words((*module.split("."), *name.split(".")))
    if module == "?":
        return "suspicious", "which name it is only running would tell"
    if top in sys.stdlib_module_names or top == "__builtin__" or whole in RUNNERS or words or " " in name:
        return "suspicious", "no agent needs it, and it may run anything"
    return "package", f"runs code of {top}, which is {'installed here' if _installed(top) else 'not installed here'}"


def judge_module(module: str) -> tuple[Verdict, str]:
    """What to think of a whole module that is imported."""
    if module in MODULES:
        return "harmless", "a module that computes"
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or suspicious_words(module.split(".")):
        return "suspicious", "no schedule needs it, and it may do anything"
    return "package", f"runs code of {top}, which is {'installed here' if _installed(top) else 'not installed here'}"


def suspicious_words(words: Iterable[str]) -> list[str]:
    """Those that are names of ways out, in order and each once."""
    return [word for word in dict.fromkeys(words) if word in SUSPICIOUS_WORDS]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of some; `harmless` of none."""
    return max(verdicts, key=VERDICTS.index, default="harmless")


def _installed(package: str) -> bool:
    """Whether a package could be imported; looking for one at the top imports nothing."""
    try:
        return package.isidentifier() and find_spec(package) is not None
    except (ImportError, ValueError):
        return False
