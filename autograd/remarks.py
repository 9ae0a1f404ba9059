"""What stands beside the numbers: results out of date, gradients of other passes.

`notes` is for tables and drawings, which show the stored numbers; `aside` for answers, which have a pass of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .graph import label_of, or_broken, same, stale
from .notation import called
from .steps import adjoints
from .wording import six

if TYPE_CHECKING:
    from .steps import Log
    from .value import Value


def notes(root: Value, name: dict[Value, str], late: list[Value]) -> list[str]:
    """What a reader of the stored numbers should know: results out of date, gradients of other passes.

    Args:
        name: all nodes of `root`, in order, with what to call them.
        late: those of them that are stale.
    """
    order, end = list(name), (label_of(root) and name[root]) or "the result"
    remarks = []
    if late:
        were = "was" if len(late) == 1 else "were"
        since = f"{_listed(late, name)} {were} computed{or_broken(late)}"
        remarks.append(f"stale: data was set since {since}; call forward() of {end}")
    if not root.has_grad:
        if any(node.has_grad for node in order if node.primitive is not None):
            remarks.append(f"the gradients shown are of another root's pass; call backward() of {end}")
        elif not all(node.has_grad for node in order):
            remarks.append(f"gradients not computed; call backward() of {end}")
        return remarks
    own = adjoints(root, root.grad)
    differing = [node for node in order if not (node.has_grad and same(node.grad, own[node]))]
    if others := [node for node in differing if node.primitive is not None]:
        hold = "holds the gradient" if len(others) == 1 else "hold gradients"
        which = "another root's pass, or of half a pass"
        remarks.append(f"{_listed(others, name)} {hold} of {which}; call backward() of {end}")
    if cleared := [node for node in differing if not node.has_grad and node.primitive is None]:
        remarks.append(f"gradients of {_listed(cleared, name)} not computed, or cleared; call backward() of {end}")
    if added := [node for node in differing if node.has_grad and node.primitive is None]:
        hold = "holds" if len(added) == 1 else "hold"
        remarks.append(f"{_listed(added, name)} {hold} more than this pass: leaves add gradients up until zero_grad()")
    if root.primitive is not None and root.grad != 1:
        remarks.append(f"the pass started with a gradient of {root.grad:g} at {end}, not 1")
    return remarks


def aside(log: Log, x: Value | None = None) -> list[str]:
    """What a reader of an answer about `x` should know: that the graph is stale, that x.grad reads something else."""
    remarks = []
    root = log.name[log.root]
    if stale(log.order):
        remarks.append(f"data was set since: this is the recorded pass; {root}.forward() computes the new one")
    if x is not None and x.has_grad and not same(x.grad, log.adjoints.get(x, 0.0)):
        name = log.name.get(x) or called(x)
        remarks.append(f"{name}.grad reads {six(x.grad)}: it was set, or holds other passes or another root's")
    return remarks


def _listed(chosen: list[Value], name: dict[Value, str]) -> str:
    """Up to five names, and how many more there are; nodes without a name are counted."""
    named = [name[node] for node in chosen if name[node]][:5]
    others = len(chosen) - len(named)
    if not named:
        return "1 node" if others == 1 else f"{others} nodes"
    return ", ".join(named) + (f" and {others} more" if others else "")
