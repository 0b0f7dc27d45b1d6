"""The stage: a forward pass, one operation at a time."""
