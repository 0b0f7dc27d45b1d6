"""The training loop, broken on purpose."""
