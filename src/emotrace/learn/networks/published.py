"""Published weights that a user has, put into the networks here; and freezing of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import scipy.io
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from emotrace.errors import InputError

KINDS = ".mat (MatConvNet), .pth or .pt (a state dict) or .safetensors"


def load(network: nn.Module, path: Path) -> list[str]:
    """Put the weights of a file into the layers of the same name.

    Args:
        network: names of its parameters may carry a prefix ("layers.conv1_1.weight" takes "conv1_1.weight").
        path: .mat (MatConvNet, as VGG-Face is published), .pth, .pt or .safetensors.

    Returns:
        Names of the network's parameters and buffers that the file did not give.

    Raises:
        InputError: the file is missing or of another kind, nothing in it fits, or a layer of the same name has another shape.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected {KINDS}")
    readers: dict[str, Callable[[Path], dict[str, Tensor]]] = {
        ".mat": matconvnet, ".pth": _state_dict, ".pt": _state_dict, ".safetensors": _safetensors,
    }  # fmt: skip
    if path.suffix not in readers:
        raise InputError(f"{path}: cannot read weights of kind {path.suffix!r}; expected {KINDS}")
    given = readers[path.suffix](path)
    own = network.state_dict()
    missing = []
    for name, value in own.items():
        key = next((key for key in (name, name.partition(".")[2]) if key in given), None)
        if key is None:
            missing.append(name)
        elif given[key].shape != value.shape:
            raise InputError(f"{path}: {key} has shape {tuple(given[key].shape)}, the network's {tuple(value.shape)}")
        else:
            value.copy_(given[key])
    if len(missing) == len(own):
        raise InputError(f"{path}: none of its {len(given)} layers fits; it has {', '.join(sorted(given)[:4])}, ...")
    return missing


def _safetensors(path: Path) -> dict[str, Tensor]:
    return dict(load_file(path))


def _state_dict(path: Path) -> dict[str, Tensor]:
    content = torch.load(path, map_location="cpu", weights_only=True)  # tensors only: a pickle could run code
    return dict(content.get("state_dict", content))


def matconvnet(path: Path) -> dict[str, Tensor]:
    """Layers of a MatConvNet file, named as there, with kernels turned to torch's order.

    Raises:
        InputError: the file holds no MatConvNet layers.

    Source: vlfeat.org/matconvnet; kernels are (h, w, in, out), fully connected layers are kernels of the last map's size.
    """
    content = scipy.io.loadmat(path, squeeze_me=True, struct_as_record=False)
    layers = getattr(content.get("net"), "layers", content.get("layers"))
    if layers is None:
        raise InputError(f"{path}: no MatConvNet layers; it has {', '.join(k for k in content if k[0] != '_') or 'nothing'}")
    weights: dict[str, Tensor] = {}
    for layer in np.atleast_1d(layers):
        pair = getattr(layer, "weights", getattr(layer, "filters", None))
        if pair is None or not len(pair):
            continue
        kernel = np.asarray(pair[0], np.float32)
        weights[f"{layer.name}.weight"] = torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
        weights[f"{layer.name}.bias"] = torch.from_numpy(np.asarray(pair[1], np.float32).reshape(-1))
    return weights


def freeze(network: nn.Module, but: tuple[str, ...]) -> None:
    """Let only the named layers learn.

    Args:
        network: changed in place.
        but: parts of parameter names, ("head", "conv5").

    Raises:
        InputError: a name is in no parameter.
    """
    check_names([name for name, _ in network.named_parameters()], but)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(any(part in name for part in but))


def check_names(parameters: Sequence[str], parts: Sequence[str]) -> None:
    """See that parts of names, as `freeze` takes them, are in the names of parameters.

    Raises:
        InputError: one is in none.
    """
    for part in parts:
        if not any(part in name for name in parameters):
            raise InputError(f"no parameter has {part!r} in its name; there are {', '.join(parameters[:4])}, ...")
