"""The shape calculator: a stack of layers, and what it makes of an input."""
