"""The walk back: gradients, steps of descent, and teaching; it comes when it is first used."""
