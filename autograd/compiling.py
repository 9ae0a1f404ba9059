"""Scalar code at the speed of NumPy: `compile` records a function of one example and computes it for whole batches.

    loss = compile(lambda x, y: hinge_loss(model(x), y))
    loss(X, y)                      # the losses of all rows of X, an array
    loss.backward(X, y)             # the mean gradient, in the .grad of the model's parameters
    print(loss.source)              # what it computes, as NumPy that one could have written

The work is done in `compiler/`, which is loaded when it is first needed, since it needs NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .compiler.compiled import Compiled
    from .value import Value


def compile(f: Callable[..., Any], *, dtype: str = "float64", verify: int = 2) -> Compiled:
    """`f`, a function of one example, for batches: it is recorded at the first call, and computed with NumPy from then.

    Give arrays (or lists) whose first axis is the batch; `f` itself is called on one example: on a Value where a row
    is one number, else on a list or array of Values, as the row is one. Leaves that `f` reads beside its arguments
    are its parameters: their numbers are read at each call, so that an optimiser's step counts at once. Every other
    number that it reads, and what it checks of its arguments, stays as at the first call.

    Every example takes the path that the first one takes. A branch on a Value (`if x > 0`, `max(a, b)`) is an error
    that names the line; write `where(x > 0, a, b)`, `maximum` or `relu`. What cannot be seen from outside, such as a
    branch on `x.data`, is found by comparing some rows of the first call with `f` itself.

    Args:
        f: gives a Value; or a list of them, the first of which is differentiated.
        dtype: "float64" or "float32".
        verify: how many rows of the first call are compared; 0 for none.

    Raises:
        TypeError: for branches on data, and for what is no array of real numbers.
        ValueError: for rows of another shape than at the first call, batches of different lengths or of none, and
            where the comparison with `f` fails.
        FloatingPointError: where finite numbers give nan or infinity; it names the row and the operation.

    >>> from autograd import Value, tanh
    >>> w = Value(0.5, "w")
    >>> f = compile(lambda x, y: (tanh(w * x) - y) ** 2)
    >>> f([0.0, 2.0], [1.0, 1.0]).round(6).tolist()
    [1.0, 0.056837]
    >>> round(f.backward([0.0, 2.0], [1.0, 1.0]), 6), round(w.grad, 6)
    (0.528419, -0.200249)
    """
    from .compiler.compiled import Compiled

    return Compiled(f, dtype, verify)


def to_source(root: Value, framework: str = "numpy") -> str:
    """The graph of `root` as a Python file, one line for each node; it runs as it stands, and prints the gradients.

    The leaves are arguments, with their labels as names and their numbers as defaults. "python" (which needs the
    module math alone) and "numpy" (where arrays of one shape are taken elementwise) define `value_and_gradients(...)`,
    with the backward pass written out in stages, as by hand (CS231n): it gives the value and a dictionary of gradients.
    "torch" and "jax" define `value(...)`, of tensors or arrays, which torch.autograd.grad and jax.grad differentiate.

    The derivatives are those of the table of rules, at kinks too: relu'(0) is 0, and a tie of `maximum` splits the
    gradient. PyTorch and JAX have other functions whose derivatives at kinks are others, such as jnp.abs and jnp.clip;
    the code is written with those that agree. What differs is nan, of which a choice such as relu gives the
    gradient 0 or 1 there, and an infinite derivative, such as sqrt'(0), for which plain Python raises
    ZeroDivisionError.

    Primitives of your own are written by their definitions.

    Args:
        framework: "python", "numpy", "torch" or "jax".

    Raises:
        TypeError: if root is no Value.
        ValueError: for another framework, and for a primitive of your own without a definition.

    >>> from autograd import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> c = a * b; c.label = "c"
    >>> e = c * (c + a); e.label = "e"
    >>> program = {}
    >>> exec(to_source(e), program)
    >>> program["value_and_gradients"](a=2.0, b=3.0)
    (48.0, {'a': 48.0, 'b': 28.0})
    """
    from .compiler.straight_line import written

    return written(root, framework)
