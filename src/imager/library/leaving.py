"""Taking pictures and what was said of them elsewhere, and back in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from imager.library.looking import Looking
from imager.library.opened import PathLike, absolute

if TYPE_CHECKING:
    from imager.export import Exported, Taken
    from imager.export import Failed as NotExported
    from imager.export import Report as ExportReport
    from imager.export.run import Layout
    from imager.query.model import Query


class Leaving(Looking):
    """What writes exports and takes them in: for owners of the library (ForbiddenError), whose disk that is."""

    def export(
        self,
        folder: PathLike,
        query: Query | str = "",
        *,
        album: str | None = None,
        layout: Layout = "folders",
        sidecars: bool = True,
        jsonl: bool = False,
        link: bool = False,
    ) -> Iterator[Exported | NotExported | ExportReport]:
        """Write copies of a query's pictures (by default, all that are seen) into a folder, with XMP sidecars.

        `album`: only those in that album. `layout`: 'folders' as they lie now, or 'dates'. `jsonl`: also everything
        that is known and was said of them, for `take`. `link`: hard links instead of copies. The report comes last.
        What lies in the folder already is kept; UsageError where the library reads that folder itself.
        """
        self._need("manage")
        from imager.export import export

        return export(
            self.catalog,
            self.folder,
            self._chosen(query, album),
            absolute(folder),
            layout=layout,
            sidecars=sidecars,
            jsonl=jsonl,
            link=link,
            asked=query if isinstance(query, str) else "",
        )

    def take(self, path: PathLike) -> Taken:
        """Take in what an export's JSON lines (a file, or its folder) say that people said: values, tags, albums.

        Pictures are added before or afterwards, in any order. ImagerError names the line that is wrong; then nothing
        is taken. Only take what comes from somebody you trust: it speaks in the owner's name.
        """
        self._need("manage")
        from imager.export import take_lines

        return take_lines(self.catalog, Path(os.fsdecode(absolute(path))))
