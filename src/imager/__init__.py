"""Imager: the image library. `from imager import Library` is the way in; see imager.library."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imager.library import Library

__version__ = "0.1.0"
__all__ = ["Library", "__version__"]


def __getattr__(name: str) -> Any:
    # Imported when asked for: each worker imports this package, and needs no library.
    if name == "Library":
        from imager.library import Library

        return Library
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
