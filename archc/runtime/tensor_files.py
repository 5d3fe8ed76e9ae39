"""Files of tensors: what their headers tell, and tensors that are read only when they are copied."""

from __future__ import annotations

import json
import mmap
import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from archc.source.diagnostic import Diagnostic, SpecError

PICKLES = (".pt", ".pth", ".bin", ".ckpt")
_INDEX = ".index.json"
SHARD = re.compile(r"-\d+-of-\d+(?=\.)")
"""What the name of a file tells that is one of several, `model-00001-of-00004.safetensors`."""
_WINDOW = 8 << 20  # bytes that may be read of a file before they are let go
_SHARE = 50  # or this part of the file, whichever is more


class Header(NamedTuple):
    """What is known of a tensor without reading it."""

    shape: tuple[int, ...]
    dtype: torch.dtype


class Tensors:
    """Named tensors, whole in memory. `where` names them in messages.

    Used as a context: within it they can be read."""

    def __init__(self, tensors: Mapping[str, Tensor], where: str = "the mapping") -> None:
        self._tensors = tensors
        self.where = where
        self.window = _WINDOW
        self._spent = 0

    @property
    def headers(self) -> dict[str, Header]:
        return {name: Header(tuple(t.shape), t.dtype) for name, t in self._tensors.items()}

    def __getitem__(self, name: str) -> Tensor:
        """A tensor; of a file it is read as it is used."""
        return self._tensors[name].detach()

    def lent(self, name: str) -> Tensor | None:
        """A tensor whose memory is the file's own pages: read when they are used, copied when they are
        written. It may be kept. None where there is no such memory, or where it is somebody's."""
        return None

    def release(self) -> None:
        """Let go what has been read of a file. Tensors that were taken before must be gone, but for lent
        ones, into which nobody may have written."""

    def spend(self, count: int) -> None:
        """Tell that so many bytes have been read, and that nobody needs them any more."""
        self._spent += count
        if self._spent >= self.window:
            self._spent = 0
            self.release()

    def __enter__(self) -> Tensors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tensors = {}


class _Pickle(Tensors):
    """A pickle that holds tensors alone; nothing in it is run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mapped = zipfile.is_zipfile(path)  # what older versions of torch wrote must be read at once
        super().__init__(self._load(), f"`{path.name}`")
        self.window = max(_WINDOW, path.stat().st_size // _SHARE)

    def _load(self) -> Mapping[str, Tensor]:
        if self._mapped:
            with zipfile.ZipFile(self._path) as archive:
                scripted = any(name.endswith("/constants.pkl") for name in archive.namelist())
            if scripted:
                help = 'load it with torch and give its tensors: `torch.jit.load("...").state_dict()`'
                raise _unreadable(f"`{self._path.name}` is a TorchScript archive", help)
        try:
            loaded = torch.load(self._path, map_location="cpu", weights_only=True, mmap=self._mapped)
        except pickle.UnpicklingError as error:
            found = re.search(r"GLOBAL (\S+)", str(error))
            what = f"more than tensors: `{found[1]}`" if found else "no tensors that torch has saved"
            help = "nothing in it was run; a state_dict is what `torch.save(model.state_dict(), path)` saves"
            raise _unreadable(f"`{self._path.name}` holds {what}", help) from error
        except (EOFError, LookupError, ValueError) as error:  # what pickle makes of any other bytes
            raise _unreadable(f"`{self._path.name}` is no file that torch has saved") from error
        return state_dict(loaded)

    def lent(self, name: str) -> Tensor | None:
        tensor = self[name]
        alone = tensor.is_contiguous() and tensor.untyped_storage().nbytes() == tensor.nbytes
        return tensor if self._mapped and alone else None

    def release(self) -> None:
        if self._mapped:
            self._tensors = {}
            self._tensors = self._load()


def _unreadable(message: str, help: str | None = None) -> SpecError:
    return SpecError([Diagnostic("A605", message, None, help)])


class _SafeTensors(Tensors):
    """A file of the safetensors format, mapped into memory."""

    def __init__(self, path: Path) -> None:
        from safetensors import safe_open

        with safe_open(str(path), framework="pt"):
            pass  # it has a right header, and the data that it tells of
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            entries = json.loads(file.read(length))
            self._map: mmap.mmap | None
            self._map, self._lends = _mapped(file.fileno())
        entries.pop("__metadata__", None)
        self._headers = {n: Header(tuple(e["shape"]), _DTYPES[e["dtype"]]) for n, e in entries.items()}
        self._starts = {name: 8 + length + entry["data_offsets"][0] for name, entry in entries.items()}
        super().__init__({}, f"`{path.name}`")
        self.window = max(_WINDOW, path.stat().st_size // _SHARE)

    @property
    def headers(self) -> dict[str, Header]:
        return self._headers

    def __getitem__(self, name: str) -> Tensor:
        (shape, dtype), start = self._headers[name], self._starts[name]
        count = prod(shape)
        if not count:
            return torch.empty(shape, dtype=dtype)
        assert self._map is not None, "the file is open"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nobody may write into it: nobody does
            if start % dtype.itemsize == 0:
                return torch.frombuffer(self._map, dtype=dtype, count=count, offset=start).view(shape)
            raw = torch.frombuffer(self._map, dtype=torch.uint8, count=count * dtype.itemsize, offset=start)
        return raw.clone().view(dtype).view(shape)

    def lent(self, name: str) -> Tensor | None:
        whole = self._starts[name] % self._headers[name].dtype.itemsize == 0
        return self[name] if self._lends and whole else None

    def release(self) -> None:
        if self._map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def __exit__(self, *error: Any) -> None:
        self._map = None  # closed as its last tensor goes


def _mapped(file: int) -> tuple[mmap.mmap, bool]:
    """A file as memory, and whether one may write into it, into copies of its pages. Systems refuse that
    for a file which does not fit their memory."""
    try:
        return mmap.mmap(file, 0, access=mmap.ACCESS_COPY), True
    except OSError:
        return mmap.mmap(file, 0, access=mmap.ACCESS_READ), False


_DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "U16": torch.uint16,
    "U32": torch.uint32,
    "U64": torch.uint64,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "C64": torch.complex64,
}


class _Sharded(Tensors):
    """Files that hold a checkpoint together; an index says which tensor is in which."""

    def __init__(self, path: Path) -> None:
        index = json.loads(path.read_text(encoding="utf-8"))
        names = index.get("weight_map") if isinstance(index, dict) else None
        if not isinstance(names, dict) or not all(isinstance(file, str) for file in names.values()):
            raise ValueError("it has no `weight_map` of names to files")
        self._files: dict[str, Tensors] = {}
        for file in dict.fromkeys(names.values()):
            if Path(file).name != file:
                raise ValueError(f"its file `{file}` is not beside it")
            if not (path.parent / file).is_file():
                raise ValueError(f"its file `{file}` is missing")
            self._files[file] = _single(path.parent / file)
        self._owner = {name: part for part in self._files.values() for name in part.headers}
        for name, file in names.items():
            if name not in self._files[file].headers:
                raise ValueError(f"it tells of `{name}` in `{file}`, which has none")
            self._owner[name] = self._files[file]
        super().__init__({}, f"`{path.name}`")
        self.window = max(_WINDOW, sum((path.parent / file).stat().st_size for file in self._files) // _SHARE)

    @property
    def headers(self) -> dict[str, Header]:
        return {name: part.headers[name] for name, part in self._owner.items()}

    def __getitem__(self, name: str) -> Tensor:
        return self._owner[name][name]

    def lent(self, name: str) -> Tensor | None:
        return self._owner[name].lent(name)

    def release(self) -> None:
        for part in self._files.values():
            part.release()

    def __exit__(self, *error: Any) -> None:
        for part in self._files.values():
            part.__exit__(*error)


def open_tensors(source: str | Path | Mapping[str, Any]) -> Tensors:
    """Tensors by name: a state_dict, a safetensors file, a pickle, the index of a sharded checkpoint, or
    a folder that holds one of these. Raises SpecError where they cannot be read.

        with open_tensors("model.safetensors") as tensors:
            tensors.headers["fc.weight"]   # Header(shape=(64, 32), dtype=torch.float32)
    """
    if not isinstance(source, str | os.PathLike | Mapping):
        help = "give its `state_dict()`" if hasattr(source, "state_dict") else "give a path or a state_dict"
        raise _unreadable(f"`{type(source).__name__}` is no source of weights", help)
    path = None if isinstance(source, Mapping) else Path(source)
    try:
        if path is None:
            return Tensors(state_dict(source))
        if path.is_dir():
            path = _within(path)
        if not path.is_file():
            raise _unreadable(f"there is no file `{path}`")
        return _opened(path)
    except SpecError:
        raise
    except Exception as error:  # whatever a damaged file makes of its reader
        where = "the mapping" if path is None else f"`{path.name}`"
        told = next(iter(str(error).splitlines()), type(error).__name__)
        raise _unreadable(f"{where} cannot be read as tensors: {told}") from error


def _opened(path: Path) -> Tensors:
    return _Sharded(path) if path.name.endswith(_INDEX) else _single(path)


def _single(path: Path) -> Tensors:
    return _Pickle(path) if path.suffix in PICKLES else _SafeTensors(path)


def _within(folder: Path) -> Path:
    """The checkpoint in a folder: the only index, else the only safetensors file, else the only pickle."""
    for pattern in (f"*.safetensors{_INDEX}", "*.safetensors", f"*.bin{_INDEX}", *(f"*{p}" for p in PICKLES)):
        found = sorted(folder.glob(pattern))
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(f"`{path.name}`" for path in found[:4])
            message = f"the folder `{folder}` has several files of weights: {listed}"
            shards = all(SHARD.search(path.name) for path in found)
            lost = f"`{SHARD.sub('', found[0].name)}{_INDEX}` is missing, which says what is in which"
            raise _unreadable(message, lost if shards else "name one of them")
    raise _unreadable(f"the folder `{folder}` has no file of weights")


def state_dict(loaded: Any) -> dict[str, Tensor]:
    """The tensors of what was saved: a state_dict, perhaps inside `state_dict` or `model`."""
    for key in ("state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(key), Mapping):
            loaded = loaded[key]
    if not isinstance(loaded, Mapping):
        raise ValueError("there is no mapping of names to tensors")
    found = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    if loaded and not found:
        raise ValueError(f"there are no tensors, but {', '.join(f'`{key}`' for key in list(loaded)[:5])}")
    return found
