"""The one file that a request brings, on its way into the spool."""

from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from assay.exceptions import RequestRefused
from assay.service.errors import shown
from assay.service.files.spool import Spool
from assay.service.files.unpacking import Target, Unpacked, refusal, too_large

if TYPE_CHECKING:
    from assay.datasets import Format

ENDINGS: "dict[str, Format]" = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
MEDIA_TYPES: "dict[str, Format]" = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}


@dataclass(frozen=True)
class Upload:
    """A file that came whole: its name as the client gave it, its format and its bytes, uncompressed."""

    name: str
    format: "Format"
    stream: BinaryIO
    size: int


class Kept:
    """Writes the one file that a request brings into the spool."""

    def __init__(self, spool: Spool, longest: int, stack: ExitStack) -> None:
        self._spool, self._longest = spool, longest
        self._file = spool.open()
        # What reads the file closes it with itself.
        self._stream = stack.enter_context(BufferedReader(self._file))
        self.name, self.size = "", 0
        self.format: Format | None = None
        self.way: Target = self

    def begin(self, name: str, media_type: str) -> None:
        """Take note of a file's name and type.

        Raises RequestRefused with 415 when neither says a known format.
        """
        self.name = name.replace("\\", "/").rpartition("/")[2]
        path = PurePosixPath(self.name.lower())
        packed = path.suffix == ".gz"
        ending = PurePosixPath(path.stem).suffix if packed else path.suffix
        self.format = ENDINGS.get(ending) or (None if ending else MEDIA_TYPES.get(media_type))
        if self.format is None:
            raise unknown_format(self.name)
        if packed:
            self.way = Unpacked(self, f"The file {shown(self.name)}")

    def feed(self, data: bytes) -> None:
        """Write some bytes."""
        self.size += len(data)
        if self.size > self._longest:
            raise too_large(self._longest)
        self._spool.write(self._file, data)

    def finish(self) -> None:
        """Do nothing: what is written is on its way."""

    def upload(self, format: "Format") -> Upload:
        """Return the file."""
        self._file.seek(0)
        return Upload(self.name, format, self._stream, self.size)


def unknown_format(name: str) -> RequestRefused:
    """Return the refusal of a file that does not say what it is."""
    workbook = " Excel workbooks are not read: save the sheet as CSV UTF-8." if ".xls" in name.lower() else ""
    known = ", ".join(ENDINGS)
    message = f"The name {shown(name)} does not say a known format: {known}, each also with .gz.{workbook}"
    return refusal(415, "unsupported_media_type", message)
