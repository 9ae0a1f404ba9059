"""Labels that know which module made a node: what drawings fold into one box per neuron or layer.

The label is text like any other; it carries the neuron, the layer and the part it stands for.
"""

from __future__ import annotations


class ModuleLabel(str):
    """A label with the module that it comes from.

    >>> label = ModuleLabel("z1[2]", neuron="layers.0.neurons.1", layer="layers.0", part="z")
    >>> label, label.neuron
    ('z1[2]', 'layers.0.neurons.1')
    """

    __slots__ = ("activation", "layer", "neuron", "part")

    layer: str
    neuron: str
    part: str  # "z", the weighted sum; "a", what the activation makes of it; "w", a parameter
    activation: str  # of "a": which it is

    def __new__(cls, text: str, *, neuron: str, layer: str, part: str, activation: str = "") -> ModuleLabel:
        """The label `text`."""
        label = super().__new__(cls, text)
        label.neuron, label.layer, label.part, label.activation = neuron, layer, part, activation
        return label

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, str]]:
        return (str(self),), {name: getattr(self, name) for name in self.__slots__}
