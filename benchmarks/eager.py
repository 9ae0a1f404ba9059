"""How fast are recording, backward and drawing, and how large is a graph? `python -m benchmarks.eager` measures.

These are rows of the table that `python -m benchmarks` prints, with the same options.
"""

from __future__ import annotations

import sys

from .side_by_side import launches, worker
from .table import (
    DOT,
    MICROGRAD,
    XAD,
    Row,
    at_most,
    at_most_more,
    duration,
    faster,
    megabytes,
    table_of,
)

ROWS = (
    Row(1, "a node per + and *, N = 50", MICROGRAD, faster(8),
        worker("autograd", 50), worker("micrograd", 50), duration),
    Row(2, "a node per + and *, N = 50", XAD, at_most(1.5, "time"),
        worker("autograd", 50, "--repeats", "21"), worker("xad", 50, "--repeats", "21"), duration),
    Row(2, "a node per + and *, N = 200", XAD, at_most(1.5, "time"),
        worker("autograd", 200), worker("xad", 200), duration),
    Row(2, "the same, Python's garbage collector off", XAD, at_most(1.5, "time"),
        worker("autograd", 200, "--without-collector"), worker("xad", 200, "--without-collector"), duration),
    Row(3, "nn.MLP, a dot node per neuron, N = 200", XAD, faster(2),
        worker("autograd_dot", 200, "--repeats", "21"), worker("xad", 200), duration),
    Row(4, "memory of that graph, N = 200", MICROGRAD, at_most(1 / 3, "memory"),
        worker("autograd_dot", 200, "--memory"), worker("micrograd", 200, "--memory"), megabytes),
    Row(10, "a chain of 1,000,000 nodes: record, backward, free", "a chain of 100,000", at_most(12, "time"),
        worker("autograd_chain", 1_000_000, "--warm-ups", "0", "--repeats", "1"),
        worker("autograd_chain", 100_000, "--warm-ups", "0", "--repeats", "1"), duration),
    # Again and again in one process, Python's collector goes over a live graph of a million nodes seven or eight times
    # a pass, over one of 100,000 once: without it both cost the same per node.
    Row(10, "the same, repeated in one process", "a chain of 100,000", at_most(12, "time"),
        worker("autograd_chain", 1_000_000, "--warm-ups", "1", "--repeats", "3"),
        worker("autograd_chain", 100_000, "--warm-ups", "3", "--repeats", "15"), duration),
    Row(10, "once in a process, Python's garbage collector off", "a chain of 100,000", at_most(12, "time"),
        worker("autograd_chain", 1_000_000, "--warm-ups", "0", "--repeats", "1", "--without-collector"),
        worker("autograd_chain", 100_000, "--warm-ups", "0", "--repeats", "1", "--without-collector"), duration),
    # What Python itself takes for as many objects that hold each other, to see the rows above in its light.
    Row(10, "no engine: a linked list of 1,000,000 objects", "a list of 100,000", at_most(12, "time"),
        worker("linked_list", 1_000_000, "--warm-ups", "0", "--repeats", "1"),
        worker("linked_list", 100_000, "--warm-ups", "0", "--repeats", "1"), duration),
    Row(11, "python -c 'import autograd'", "python -c pass", at_most_more(0.040),
        launches("import autograd"), launches("pass"), duration),
    Row(12, "SVGs of 10 graphs of 100 nodes", DOT, at_most(1, "time"),
        worker("autograd_svg", 10), worker("dot_svg", 10), duration),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(table_of(ROWS, "benchmarks.eager", __doc__))
