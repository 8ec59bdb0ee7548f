"""Imager: the image library."""

__version__ = "0.1.0"
