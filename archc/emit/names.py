"""Names of generated code: legal, unique, and none that hides what the code uses."""

from __future__ import annotations

import keyword
from collections.abc import Iterable

from archc.graph.ir import Member

BUILTINS = frozenset(
    """
    abs bool enumerate float getattr int isinstance len list max min range reversed round
    set str sum super tuple zip ValueError NotImplementedError None True False
    """.split()  # noqa: SIM905
)
"""Built-in names that generated code uses."""

RESERVED = BUILTINS | {"self", "torch", "nn", "F", "math", "Tensor", "l", "O", "I"}
"""Names that no variable may have: what generated code uses, and letters that look like digits."""

# What torch.nn.Module has by itself (torch 2.13); a submodule of that name would be hidden by it.
MODULE = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu
    cuda double dump_patches eval extra_repr float forward get_buffer get_extra_state
    get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers
    named_children named_modules named_parameters parameters register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook
    requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train
    training type xpu zero_grad reset_parameters
    """.split()  # noqa: SIM905
)


class Namespace:
    """Gives names that are not taken yet."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def give(self, *wishes: str, separator: str = "_", last: str | None = None) -> str:
        """The first wish that is free, else the last (or `last`) with a number."""
        for wish in wishes:
            if wish not in self._taken and not keyword.iskeyword(wish):
                self._taken.add(wish)
                return wish
        number = 2
        while f"{last or wishes[-1]}{separator}{number}" in self._taken:
            number += 1
        name = f"{last or wishes[-1]}{separator}{number}"
        self._taken.add(name)
        return name


def attribute(member: Member) -> str:
    """The attribute that holds a member: its name. That of a block written in place is ours to
    choose, so it makes way for what every module has."""
    return f"{member.name}_" if member.hidden and member.name in MODULE else member.name


def argument_name(port: str) -> str:
    """An input's name as an argument of forward."""
    return port if port not in RESERVED and not keyword.iskeyword(port) else f"{port}_"


def singular(word: str) -> str:
    """`skip` of `skips`: what one member of a bundle may be called."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def pascal(name: str) -> str:
    """`conv_shortcut` as a part of a class name: `ConvShortcut`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
