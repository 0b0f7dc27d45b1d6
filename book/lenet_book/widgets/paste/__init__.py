"""Pasted code: a network read on the page, never run, with every shape at its line's end."""
