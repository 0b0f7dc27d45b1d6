"""A training to wind back and forth, epoch by epoch."""
