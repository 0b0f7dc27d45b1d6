"""What the book draws, operates and measures with; the networks themselves are in `lenet`."""
