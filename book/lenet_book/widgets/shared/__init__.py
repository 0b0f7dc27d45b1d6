"""What all widgets share: their base, the arrays they send, their scripts joined, their pages."""
