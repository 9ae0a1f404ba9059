"""Questions of notebook 1: what a `Value` keeps, how many nodes an expression records, and which names matter."""

from __future__ import annotations

from ..exercises import Exercise
from ..functions import sum
from ..graph import nodes
from ..value import Value

nodes_of_a_square = Exercise(
    "How many nodes does the graph of (a + b) * (a + b) have, and how many has that of s = a + b; s * s? "
    "Count inputs, sums and products.",
    {"written twice": 5, "named once": 4},
    mistakes={
        "written twice": {
            4: "a + b was typed twice: equal is not the same, and no two nodes are merged",
            3: "a, b and ...? count each operation that Python carries out",
            6: "the inputs a and b are objects: each is in the graph once, however often it is used",
            7: "the inputs a and b are objects: each is in the graph once, however often it is used",
        },
        "named once": {5: "s is computed once, and used twice", 3: "the product is a node too"},
    },
    hints=[
        "Python carries out each operator that you typed, when it comes to it. Each makes one node.",
        "In s = a + b; s * s there is one + and one *.",
    ],
    solution="(a + b) * (a + b): a, b, two sums, one product. s = a + b; s * s: a, b, one sum, one product.",
)

arrows_of_a_square = Exercise(
    "How many arrows does the picture of a * a have?",
    2,
    mistakes={
        1: "there is one leaf, but the product has two operands; each operand is an arrow",
        3: "an arrow leads from an operand to a result; nothing leads into a leaf",
    },
    hints=["A product has two operands. Here both are a.", "Each operand is an arrow of its own."],
    solution="Two: one for each operand, although both come from a.",
)

after_rebinding = Exercise(
    "a = Value(2.0); b = Value(3.0); c = a * b; then a = Value(10.0). What is c.data?",
    6,
    mistakes={
        30: "c was computed from the object that was called a then; the name a is another object's now",
        10: "c still is a product",
    },
    hints=[
        "What does a = ... do in Python: does it change an object, or does it move a name?",
        "c keeps the objects that it was made from, whatever they are called later.",
    ],
    solution="6: the graph holds objects, not names. The node that c was made from is still there, with its 2.",
)

operations_of_a_mean = Exercise(
    "How many nodes that are not leaves does (a + b + c) / 3 record?",
    3,
    mistakes={
        4: "3 is a plain number: a constant is kept inside the node that uses it, and is no node",
        2: "a + b + c is read as (a + b) + c",
        1: "each + is an operation of its own",
    },
    hints=[
        "Put in the brackets that Python sees: ((a + b) + c) / 3.",
        "One node for each operator. Is the plain number 3 a node?",
    ],
    solution="(a + b), that + c, and the division by 3: three. The number 3 is a constant in the last one.",
)

operand_order = Exercise(
    "y = 2 - x at x = 5 is one node. Give its value, and how much it moves if x grows by 1.",
    {"value": -3, "moves": -1},
    mistakes={
        "value": {3: "that is x - 2: which operand comes first?"},
        "moves": {1: "2 - 6 against 2 - 5: in which direction did it go?", 2: "2 is a constant: only x moves"},
    },
    hints=["The first operand is 2, the second is x.", "Compute 2 - 5 and 2 - 6."],
    solution="2 - 5 = -3; 2 - 6 = -4, which is 1 less.",
)

_x, _w, _unused = Value(3.0, "x"), Value(2.0, "w"), Value(1.0, "unused")
_z = _w * _x + 1
_z.label = "z"
_total = sum([_z, _x])
_total.label = "total"

depends_on = Exercise.of_function(
    "Write depends_on(y, x): True if y is computed from x, directly or through other nodes, else False. "
    "A node counts as depending on itself. Use y.operands.",
    lambda y, x: x in nodes(y),
    [(_z, _x), (_total, _x), (_total, _w), (_x, _x), (_z, _unused), (_x, _z)],
    mistakes={
        "only direct operands are looked at: what of those further back?": lambda y, x: x in (y, *y.operands),
        "only direct operands are looked at, and y itself is not": lambda y, x: x in y.operands,
        "a number depends on itself, too": lambda y, x: x in nodes(y)[:-1],
        "which of the two is computed from the other?": lambda y, x: y in nodes(x),
    },
    hints=[
        "y depends on x if y is x, or if one of the operands of y depends on x.",
        "A function may call itself. Among the operands there may be plain floats, which have no operands.",
    ],
    solution=(
        "def depends_on(y, x):\n    return y is x or any(depends_on(z, x) for z in y.operands if isinstance(z, Value))"
    ),
)
