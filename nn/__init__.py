"""A thin neural-network library on `autograd`: from one neuron to a trained classifier, by the names that PyTorch uses.

    model = MLP(2, [16, 16, 2], seed=1)                                     # layers.py, activations.py, init.py
    X, y = datasets.moons(200, noise=0.1, seed=1)                           # datasets.py
    history = fit(model, X, y, loss=cross_entropy, optimizer=Adam(model.parameters(), lr=0.01))   # training.py
    plot.decision_boundary(model, X, y)                                     # plot.py

Every part is made of Values: a network can be drawn, stepped through and explained like any other expression.

>>> model = MLP(2, [3, 1], seed=1)
>>> loss = (model([0.5, -1.0]) - 1.0) ** 2
>>> loss.backward()
>>> for parameter in model.parameters():
...     parameter.data -= 0.1 * parameter.grad
"""

from . import datasets, init, plot, schedules
from .activations import PReLU
from .architecture import load, save
from .classifier import Classifier
from .layer_adjoints import adjoints
from .layers import MLP, Layer, Maxout, Neuron
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    l1_loss,
    mse_loss,
    multi_margin_loss,
    multiclass_svm_loss,
    nll_loss,
)
from .module import Module, Parameter
from .optim import SGD, Adam
from .penalties import l1_penalty, l2_penalty
from .training import Checkpoint, History, fit

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "Checkpoint",
    "Classifier",
    "History",
    "Layer",
    "Maxout",
    "Module",
    "Neuron",
    "PReLU",
    "Parameter",
    "adjoints",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "datasets",
    "fit",
    "hinge_loss",
    "init",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "load",
    "mse_loss",
    "multi_margin_loss",
    "multiclass_svm_loss",
    "nll_loss",
    "plot",
    "save",
    "schedules",
]
