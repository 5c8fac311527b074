"""Ranges of constants, as types of the fields of a `Config`: what `--set` asks for, or recipe.json says, lies in them.

Pydantic sees to it there; a dataclass that code makes is not looked at.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Seed = Annotated[int, Field(ge=0, lt=2**32)]                  # what scikit-learn takes, too
Count = Annotated[int, Field(ge=1)]
CountOrNone = Annotated[int, Field(ge=0)]                     # 0 = none
Folds = Annotated[int, Field(ge=2)]
Share = Annotated[float, Field(ge=0, le=1)]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
From0 = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Counts = Annotated[tuple[Count, ...], Field(min_length=1)]
Costs = Annotated[tuple[Above0, ...], Field(min_length=1)]    # values of C that are tried
Names = Annotated[tuple[str, ...], Field(min_length=1)]
