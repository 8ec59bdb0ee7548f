"""Formats: what a file is by its bytes, what its metadata says, and its pixels. It knows no database.

`recognise` tells what it is, `header` how large, `metadata` what it says of itself, `decode` gives pixels at the scale
that is needed; each codec has a module of its own. docs/formats.md says what is read, with the limits.
"""
