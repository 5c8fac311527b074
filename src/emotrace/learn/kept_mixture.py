"""A mixture of linear machines as a run's folder keeps it, to be asked about clips that are described to each of them.

    mixture.json     the members: whom each listens to, its machine's file, its weight; what else describes and weighs
    machine-0.npz    LinearMachine of the first, ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotrace.learn import arrays, facts
from emotrace.learn.linear_machine import LinearMachine
from emotrace.learn.mixture import Mixture, Posteriors

FILE = "mixture.json"


@dataclass(frozen=True, slots=True)
class Member:
    """A model of the mixture: the network or voice that describes clips to it, the file of its machine, and its weight."""

    name: str
    machine: str
    weight: float


@dataclass(frozen=True, slots=True)
class KeptMixture:
    """What mixture.json says.

    Args:
        members: that learnt something.
        voice: set of voice features.
        prior: counts of the classes; () = none.
    """

    members: tuple[Member, ...]
    voice: str
    prior: tuple[int, ...]

    @property
    def names(self) -> set[str]:
        """Of the members."""
        return {member.name for member in self.members}

    def said(self, described: Callable[[str], Posteriors], clips: int, classes: int, folder: Path) -> Posteriors:
        """What the mixture says of clips, (clips, classes); NaN where no member says anything.

        Args:
            described: gives the features (clips, d) that a member of a name takes.
            clips: how many.
            classes: number of labels.
            folder: that it was written into.

        Raises:
            FolderError: a machine is missing or damaged.
        """
        if not self.members:
            return np.full((clips, classes), np.nan, np.float32)
        machines = {member.name: arrays.loaded(LinearMachine, folder / member.machine) for member in self.members}
        singles = {name: machine.probabilities(described(name), classes) for name, machine in machines.items()}
        return Mixture(tuple(singles), tuple(member.weight for member in self.members), self.prior).of(singles)


def write(folder: Path, mixture: Mixture, machines: Mapping[str, LinearMachine], voice: str) -> None:
    """Keep a mixture, and the machines of those members that have one."""
    weighed = enumerate(zip(mixture.members, mixture.weights, strict=True))
    members = tuple(Member(name, f"machine-{i}.npz", weight) for i, (name, weight) in weighed if name in machines)
    for member in members:
        arrays.keep(folder / member.machine, machines[member.name])
    facts.write(folder / FILE, KeptMixture(members, voice, mixture.prior))


def read(folder: Path) -> KeptMixture:
    """The mixture that a folder keeps.

    Raises:
        FolderError: there is none, or its file is damaged.
    """
    return facts.read(folder / FILE, KeptMixture)
