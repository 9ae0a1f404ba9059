"""A thin neural-network library on `autograd`: neurons, layers, networks.

>>> model = MLP(2, [3, 1], seed=1)
>>> loss = (model([0.5, -1.0]) - 1.0) ** 2
>>> loss.backward()
>>> for parameter in model.parameters():
...     parameter.data -= 0.1 * parameter.grad
"""

from .layers import MLP, Layer, Neuron
from .module import Module

__all__ = ["MLP", "Layer", "Module", "Neuron"]
