"""Where resources, data and runs live: in a checkout, an install or a frozen build."""

import os
import re
from pathlib import Path

import platformdirs

PACKAGE = Path(__file__).resolve().parents[1]  # the folder of the program's code
MODEL_SUFFIXES = (".onnx", ".safetensors", ".pt", ".pth", ".bin")  # of the model files that can be opened


def is_model_file(path: Path) -> bool:
    """Whether the name is that of a model file, not of a run."""
    return path.suffix.lower() in MODEL_SUFFIXES


def resources() -> Path:
    """The folder of icons, presets and studies: inside the package once installed, beside it in a checkout."""
    inside = PACKAGE / "resources"
    return inside if inside.is_dir() else PACKAGE.parent / "resources"


def presets() -> dict[str, Path]:
    """The presets that ship with the program: name to TOML file."""
    return {path.stem: path for path in sorted((resources() / "presets").glob("*.toml"))}


def studies() -> dict[str, Path]:
    """The studies that ship with the program: name to TOML file."""
    return {path.stem: path for path in sorted((resources() / "studies").glob("*.toml"))}


def data_folder() -> Path:
    """Where downloaded data sets are kept."""
    return platformdirs.user_cache_path("sparseviz", appauthor=False) / "data"


def runs_folder() -> Path:
    """Where runs are recorded unless the person names a place."""
    return platformdirs.user_data_path("sparseviz", appauthor=False) / "runs"


def settings_folder() -> Path:
    """How the window was left, and which code is trusted; environment variable SPARSEVIZ_SETTINGS: another folder."""
    named = os.environ.get("SPARSEVIZ_SETTINGS")
    return Path(named) if named else platformdirs.user_config_path("sparseviz", appauthor=False)


def new_run_path(name: str, folder: Path | None = None) -> Path:
    """The next free `name-0001.h5` in `folder`; what is not a letter, digit, dot or dash becomes a dash."""
    folder = folder or runs_folder()
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-") or "run"
    taken = (re.fullmatch(rf"{re.escape(stem)}-(\d+)\.h5.*", path.name) for path in folder.glob(f"{stem}-*.h5*"))
    newest = max((int(match[1]) for match in taken if match), default=0)
    return folder / f"{stem}-{newest + 1:04d}.h5"


def is_python_file(name: str) -> bool:
    """Whether it is written as a file of Python code, not as a module."""
    return name.endswith(".py")


def whole_function(name: str) -> str:
    """`file.py:function` with the file's whole path, so that it means the same in every folder; others as they are."""
    file, colon, function = name.rpartition(":")
    return f"{Path(os.path.expanduser(file)).absolute()}{colon}{function}" if is_python_file(file) else name  # noqa: PTH111  # an unknown ~user stays


def short_function(name: str) -> str:
    """`file.py:function` without its folders; others as they are."""
    file, colon, function = name.rpartition(":")
    return f"{Path(file).name}{colon}{function}" if is_python_file(file) else name
