"""Pictures leave the library: copies of the originals, what is known of them beside as XMP, all of it as JSON lines.

`sidecar` writes XMP, `lines` writes and takes in JSON lines, `copies` puts files into place, `run` does it all.
"""

from imager.export.lines import Taken, take_lines
from imager.export.run import Exported, Failed, Report, export

__all__ = ["Exported", "Failed", "Report", "Taken", "export", "take_lines"]
