"""The names of files that diffusers wrote before it renamed its attention layers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

TODAY = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def older_attention(original: Any, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under the older names, which the original has to turn into those of today."""
    older = {_older(name): tensor for name, tensor in tensors.items()}
    again = dict(older)
    original._fix_state_dict_keys_on_load(again)  # what it does with a file of such names
    assert again.keys() == tensors.keys()
    assert older.keys() != tensors.keys()
    return older


def _older(name: str) -> str:
    for today, before in TODAY.items():
        name = re.sub(rf"(attentions\.\d+)\.{re.escape(today)}\.", rf"\1.{before}.", name)
    return name
