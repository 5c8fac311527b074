"""Checkpoints of a fit: safetensors for tensors, json for the rest; no pickles.

    last/     network.safetensors  average.safetensors  optimiser.safetensors  progress.json
    best/     network.safetensors (the averaged weights)  scores.json

A checkpoint is written beside the old one and swapped in, so a run killed at any moment leaves a whole one.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from emotrace.errors import FolderError
from emotrace.learn.plan import Plan
from emotrace.learn.state import Progress, State

Network = TypeVar("Network", bound=nn.Module)


def save_weights(folder: Path, network: nn.Module, scores: dict[str, float]) -> None:
    """Weights and their scores."""
    new = _beside(folder)
    save_file(_plain(network), new / "network.safetensors")
    (new / "scores.json").write_text(json.dumps(scores, indent=1))
    _swap(new, folder)


def load_weights(folder: Path, network: Network, part: str = "") -> Network:
    """The network with the weights of a folder.

    Args:
        folder: as `save_weights` writes it.
        network: of the same layers.
        part: what names begin with where the network was fitted as part of a larger one; it may have been fitted alone, too.

    Raises:
        FolderError: no weights lie there, or they are of another network.
    """
    path = folder / "network.safetensors"
    if not path.is_file():
        raise FolderError(f"{path}: no such file; expected the folder of a trained network")
    try:
        found = load_file(path)
        own = {name.removeprefix(part): tensor for name, tensor in found.items() if name.startswith(part)}
        network.load_state_dict(own or found)
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = str(error).rpartition("\n")[2].strip()
        raise FolderError(f"{path}: not the weights of {type(network).__name__}: {reason}") from error
    return network


def save(folder: Path, state: State, progress: Progress, plan: Plan, learnt: str = "") -> None:
    """All that is needed to go on, and a mark of what was learnt from."""
    new = _beside(folder)
    save_file(_plain(state.network), new / "network.safetensors")
    save_file(_plain(state.average), new / "average.safetensors")
    tensors = {
        f"{index}.{key}": value.contiguous()
        for index, values in state.steps.state_dict()["state"].items()
        for key, value in values.items()
        if isinstance(value, Tensor)
    }
    save_file(tensors, new / "optimiser.safetensors")
    content = {"plan": asdict(plan), "learnt": learnt, "scaler": state.scaler.state_dict(), **asdict(progress)}
    (new / "progress.json").write_text(json.dumps(content, indent=1))
    _swap(new, folder)


def load(folder: Path, state: State, plan: Plan, learnt: str = "") -> Progress:
    """Put the state where the run in `folder` stopped; a fresh start where there is none.

    Raises:
        FolderError: the run there has another plan, has learnt from other examples, or is not whole.
    """
    if not folder.exists() and _old(folder).exists():  # killed between the two renames of a swap
        _old(folder).rename(folder)
    if not (folder / "progress.json").is_file():
        return Progress()
    try:
        return _restored(folder, state, plan, learnt)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, OSError, RuntimeError, SafetensorError, TypeError) as error:
        reason = str(error).rpartition("\n")[2].strip()
        raise FolderError(f"{folder}: not a whole checkpoint ({reason}); train anew into another folder") from error


def _restored(folder: Path, state: State, plan: Plan, learnt: str) -> Progress:
    content = json.loads((folder / "progress.json").read_text())
    _check_plan(folder, content.pop("plan"), json.loads(json.dumps(asdict(plan))))
    if content.pop("learnt", None) != learnt:   # a run of before does not say what it learnt from, so it may be anything
        raise FolderError(f"{folder}: run on other examples or other labels than are given now; use another folder")
    state.network.load_state_dict(load_file(folder / "network.safetensors"))
    state.average.load_state_dict(load_file(folder / "average.safetensors"))
    state.scaler.load_state_dict(content.pop("scaler"))
    saved = state.steps.state_dict()
    for name, value in load_file(folder / "optimiser.safetensors").items():
        index, _, key = name.partition(".")
        saved["state"].setdefault(int(index), {})[key] = value
    state.steps.load_state_dict(saved)
    return Progress(**content)


def _check_plan(folder: Path, before: dict[str, object], now: dict[str, object]) -> None:
    before = {**json.loads(json.dumps(asdict(Plan()))), **before}  # what came later has its default
    if changed := [key for key in now if before[key] != now[key]]:
        key = changed[0]
        raise FolderError(f"{folder}: run with {key} = {before[key]}, but the plan says {now[key]}; use another folder")


def _plain(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.contiguous() for name, value in network.state_dict().items()}


def _beside(folder: Path) -> Path:
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    return new


def _swap(new: Path, folder: Path) -> None:
    old = _old(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _old(folder: Path) -> Path:
    return folder.with_name(folder.name + ".old")
