"""The confusion matrix, and the pictures behind each of its cells."""
