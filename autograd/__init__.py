"""Scalar reverse-mode differentiation that one can look into."""
from .value import Value
from .primitives import PRIMITIVES, Primitive, primitive
from .graph import nodes
from .functions import *
from .modes import no_grad
from .rules import *
