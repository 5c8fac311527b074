"""The audio network of EmoNets: a stack of Boltzmann machines turned into a perceptron over the frames of a clip.

    clip (t, d) ─dropout 40 %─▶ 350 ReLU (0..6) ─▶ 350 sigmoid ─▶ 350 sigmoid ─sorted top 2 over time─▶ (350,) ─▶ 7 ─softmax

Each hidden layer begins as one machine of the stack.

Source: Kahou et al. 2016, EmoNets, section 3.2. That the last hidden layer is pooled, ahead of the softmax, is how we read it;
that there is dropout between the hidden layers is published, how much is not: one half here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from emotrace.learn.networks.rbm import HIGHEST, Kind, Rbm
from emotrace.learn.top_pooling import padded, top_pooled


class AudioNetwork(nn.Module):
    """Logits of clips from their rows.

    Args:
        stack: machines from below; not changed.
        classes: of the answer.
        drop_features: share of the features that is dropped in training.
        drop_hidden: share of hidden units that is dropped in training.
        train_weights: of the largest activations over time in training.
        test_weights: of the same in test.
        generator: of the answer's weights.
    """

    def __init__(
        self,
        stack: list[Rbm],
        classes: int,
        *,
        drop_features: float = 0.4,
        drop_hidden: float = 0.5,
        train_weights: tuple[float, ...] = (1.4, 0.6),
        test_weights: tuple[float, ...] = (1.3, 0.7),
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.kinds: tuple[Kind, ...] = tuple(rbm.kind for rbm in stack)
        self.hidden = nn.ModuleList(_linear(rbm.weights.T, rbm.hidden) for rbm in stack)
        width = stack[-1].weights.shape[1]
        self.answer = _linear(0.01 * torch.randn(classes, width, generator=generator), torch.zeros(classes))
        self.features, self.units = nn.Dropout(drop_features), nn.Dropout(drop_hidden)
        self.train_weights, self.test_weights = train_weights, test_weights

    def forward(self, clips: list[Tensor]) -> Tensor:
        """n clips of (t, d) rows, t 1 or more -> (n, classes) logits."""
        values: Tensor = self.features(torch.cat(clips))
        for kind, layer in zip(self.kinds, self.hidden, strict=True):
            given = layer(values)
            values = self.units(given.clamp(0, HIGHEST) if kind == "noisy_relu" else torch.sigmoid(given))
        over_time = padded(list(values.float().split([len(clip) for clip in clips])))   # type: ignore[no-untyped-call]
        logits: Tensor = self.answer(top_pooled(*over_time, self.train_weights if self.training else self.test_weights))
        return logits


def _linear(weights: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weights.shape[1], weights.shape[0], device="meta")   # without the draw of weights that nobody needs
    layer.weight, layer.bias = nn.Parameter(weights.clone()), nn.Parameter(bias.clone())
    return layer
