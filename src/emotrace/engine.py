"""Running networks: ONNX Runtime and LiteRT behind one call, fed as weights.toml says.

The only module that flips colours or axes, and the only one that keeps the native libraries quiet. Everything is run on
one thread: rows come out the same whatever the machine, and the pipeline runs several networks side by side instead.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from emotrace import weights
from emotrace.errors import InputError
from emotrace.weights import NetworkInput

if TYPE_CHECKING:
    import onnxruntime

Device = Literal["auto", "cpu", "cuda"]
SUPPRESSED = 0.3    # intersection over union from which only the best of several detections is kept
MOST_FACES = 5000   # detections that are looked at
_stderr_lock = threading.Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what native libraries write to the terminal's error stream while they load (LiteRT has no other way)."""
    with _stderr_lock:
        try:
            saved = os.dup(2)
        except OSError:  # no error stream at all
            yield
            return
        try:
            with Path(os.devnull).open("wb") as null:
                os.dup2(null.fileno(), 2)
                yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def providers(device: Device) -> list[str]:
    """ONNX Runtime's execution providers for a device.

    Raises:
        InputError: there is no such device, or "cuda" is asked for but this ONNX Runtime has none.
    """
    import onnxruntime

    if device not in get_args(Device):
        raise InputError(f"the device must be {', '.join(get_args(Device))}, got {device!r}")
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise InputError("no CUDA in this ONNX Runtime; install onnxruntime-gpu, or use --device cpu")
    return ["CUDAExecutionProvider", "CPUExecutionProvider"] if has_cuda and device != "cpu" else ["CPUExecutionProvider"]


def prepare(images: NDArray[np.uint8], feed: NetworkInput) -> NDArray[np.float32]:
    """RGB images as a network wants them.

    Args:
        images: (n, h, w, 3) RGB uint8.
        feed: colour, mean, scale and layout.

    Returns:
        (n, c, h, w) or (n, h, w, c) float32, c = 1 for grey (BT.601 luma).

    Raises:
        InputError: images have another shape or dtype.
    """
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise InputError(f"images must be (n, h, w, 3) uint8, got {images.shape} {images.dtype}")
    if feed.size and images.shape[1:3] != (feed.size, feed.size):
        raise InputError(f"images must be {feed.size} x {feed.size}, got {images.shape[2]} x {images.shape[1]}")
    ordered = grey(images)[..., None] if feed.colour == "grey" else images[..., ::-1] if feed.colour == "bgr" else images
    batch = ordered.astype(np.float32)
    if any(feed.mean):
        batch -= _per_channel(feed.mean)
    if any(factor != 1.0 for factor in feed.scale):
        batch *= _per_channel(feed.scale)
    return np.ascontiguousarray(batch.transpose(0, 3, 1, 2)) if feed.layout == "nchw" else batch


def _per_channel(values: tuple[float, ...]) -> NDArray[np.float32]:
    """One number where all channels have the same, which is several times as fast as one for each."""
    return np.asarray(values[0] if len(set(values)) == 1 else values, np.float32)


def grey(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BT.601 luma of RGB images, (..., h, w, 3) -> (..., h, w)."""
    flat = images.reshape(-1, images.shape[-2], 3)
    if flat.size == 0:
        return np.zeros(images.shape[:-1], np.uint8)
    return np.asarray(cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY), np.uint8).reshape(images.shape[:-1])


class OnnxNetwork:
    """An ONNX file of weights.toml in ONNX Runtime; read when it is first run.

    Args:
        name: entry of weights.toml.
        device: where to run.
    """

    def __init__(self, name: str, device: Device = "auto") -> None:
        self.entry = weights.entry(name)
        self.device: Device = device

    @cached_property
    def session(self) -> onnxruntime.InferenceSession:
        """The network, loaded.

        Raises:
            WeightsError: the file cannot be had.
            InputError: "cuda" is not there.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False   # it would keep the largest batch's memory for ever
        with quiet():
            return onnxruntime.InferenceSession(weights.read(self.entry.name), options, providers=providers(self.device))

    def run(self, images: NDArray[np.uint8], output: int = 0) -> NDArray[np.float32]:
        """One output, the first unless told otherwise, for (n, h, w, 3) RGB images, (n, ...) float32."""
        return self.run_prepared(prepare(images, self.entry.input), output)

    def run_prepared(self, batch: NDArray[np.float32], output: int = 0) -> NDArray[np.float32]:
        """The same for a batch already as the network wants it."""
        wanted = self.session.get_outputs()[output]
        if len(batch) == 0:
            return np.zeros((0, *wanted.shape[1:]), np.float32)
        first = self.session.get_inputs()[0]
        parts = [batch[i : i + 1] for i in range(len(batch))] if first.shape[0] == 1 else [batch]
        return np.concatenate([self.session.run([wanted.name], {first.name: part})[0] for part in parts])


class LiteRtNetwork:
    """A TFLite model in LiteRT, one sample at a time. Not for use from two threads at once: make two.

    Args:
        content: the model file.
        keep: what lies between input and outputs can be read after a run, too; see `tensor`.
    """

    def __init__(self, content: bytes, keep: bool = False) -> None:
        with quiet(), warnings.catch_warnings():
            from ai_edge_litert.interpreter import Interpreter

            warnings.simplefilter("ignore", UserWarning)  # that keeping takes memory
            self.interpreter = Interpreter(model_content=content, num_threads=1, experimental_preserve_all_tensors=keep)
            self.interpreter.allocate_tensors()
        self.input_index: int = self.interpreter.get_input_details()[0]["index"]
        self.output_indices: list[int] = [detail["index"] for detail in self.interpreter.get_output_details()]

    def run(self, sample: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """All outputs for one prepared sample (1, ...)."""
        self.interpreter.set_tensor(self.input_index, sample)
        self.interpreter.invoke()
        return [self.interpreter.get_tensor(index) for index in self.output_indices]

    def tensor(self, name: str) -> NDArray[np.float32]:
        """What the last run left in a tensor, of a network made with `keep`.

        Raises:
            InputError: there is no such tensor.
        """
        indices = [detail["index"] for detail in self.interpreter.get_tensor_details() if detail["name"] == name]
        if not indices:
            raise InputError(f"this network has no tensor {name!r}")
        return np.asarray(self.interpreter.get_tensor(indices[0]), np.float32)


class FaceDetectorNetwork:
    """YuNet in OpenCV's own decoder, which accepts any picture size.

    Args:
        score: detections below this are dropped.
    """

    def __init__(self, score: float) -> None:
        cv2.setNumThreads(1)
        content = np.frombuffer(weights.read("yunet"), np.uint8)   # OpenCV opens no path beyond the code page of Windows
        with quiet():
            self.network = cv2.FaceDetectorYN.create(
                "onnx", content, np.empty(0, np.uint8), (320, 320), score, SUPPRESSED, MOST_FACES
            )

    def run(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Faces in one RGB image.

        Returns:
            (n, 15) float32: x, y, width, height, five points (the person's right eye, left eye, nose tip, right and left
            mouth corner) as x, y, and a score 0..1; best first.
        """
        height, width = image.shape[:2]
        self.network.setInputSize((width, height))
        _, faces = self.network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return np.zeros((0, 15), np.float32) if faces is None else np.asarray(faces, np.float32)
