"""The names of nodes as attributes of torch modules."""

from __future__ import annotations

from archc.graph.ir import Copy, Graph, Member, graphs
from archc.ops.base import Op
from archc.source.diagnostic import Diagnostic, Report

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


def attribute(member: Member) -> str:
    """The attribute that holds a member: its name. That of a block written in place is ours to
    choose, so it makes way for what every module has."""
    return f"{member.name}_" if member.hidden and member.name in MODULE else member.name


def check_names(graph: Graph, report: Report) -> None:
    """Tell every node whose submodule would be hidden by what every torch module has."""
    for inside in graphs(graph):
        for member in inside.members.values():
            name = attribute(member)
            if (name in MODULE or name.startswith("_")) and owns_module(member):
                report.add(_hidden(member))


def owns_module(member: Member) -> bool:
    """Is a member an attribute of the module built for its block?"""
    return any(isinstance(c.target, Graph) or module_source(c) is not None for c in member.copies)


def module_source(copy: Copy) -> str | None:
    """The source of an operator's submodule, as the operator writes it; None where it has none."""
    if not isinstance(copy.target, Op):
        return None
    return copy.target.module(*copy.inputs.values())  # type: ignore[arg-type]


def _hidden(member: Member) -> Diagnostic:
    private = member.name.startswith("_")
    return Diagnostic(
        "A601",
        f"a node cannot be named `{member.name}`: "
        + ("names that start with `_` are torch's own" if private else "every torch module has that already"),
        member.spec.name_span if member.spec else member.span,
        f"call it `{member.name.strip('_') or 'node'}`"
        if private
        else f"call it `{member.name}_1` or a better name",
    )
