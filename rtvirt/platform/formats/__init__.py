"""Formats of others, one a file, each with `write(board)` and, where it is text, `read(files, hardware)`."""
