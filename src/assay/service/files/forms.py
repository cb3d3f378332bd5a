"""The one file in a form."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from assay.exceptions import RequestRefused
from assay.service.errors import brief, fault, invalid, shown
from assay.service.files.keeping import MEDIA_TYPES, Kept
from assay.service.files.unpacking import refusal

FIELD = "file"
"""The field of a form that holds the file."""


class Form:
    """Finds the one file in a form (RFC 7578)."""

    def __init__(self, boundary: bytes, kept: Kept) -> None:
        self._kept = kept
        self._ended = self._taking = False
        self._header, self._value = b"", b""
        self._headers: dict[str, str] = {}
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_header,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._take,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise broken_form(str(error)) from None

    def feed(self, data: bytes) -> None:
        """Read on; raises RequestRefused for a form that is broken, or holds something else."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise broken_form(str(error)) from None

    def finish(self) -> None:
        """Raise RequestRefused with 400 when the form ends too early."""
        if not self._ended:
            raise broken_form("it ends before its last boundary")

    def _begin_part(self) -> None:
        self._headers = {}

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._header = self._value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", ""))
        field, name = (options.get(key, b"").decode("utf-8", "replace") for key in (b"name", b"filename"))
        if field != FIELD:
            raise unknown_field(field)
        if self._kept.format is not None:
            raise invalid([fault(FIELD, "There are two files; send one at a time.", name)])
        encoding = self._headers.get("content-transfer-encoding", "binary").lower()
        if encoding not in ("binary", "8bit", "7bit"):
            raise broken_form(
                f"its file has the Content-Transfer-Encoding {shown(encoding)}; send it as it is"
            )
        media_type, _ = parse_options_header(self._headers.get("content-type", ""))
        # A browser sends a form in which no file was chosen with an empty name.
        self._taking = bool(name or media_type in map(str.encode, MEDIA_TYPES))
        if self._taking:
            self._kept.begin(name, media_type.decode("latin-1"))

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._taking:
            self._kept.way.feed(data[start:end])

    def _end_part(self) -> None:
        if self._taking:
            self._kept.way.finish()

    def _end(self) -> None:
        self._ended = True


def broken_form(why: str) -> RequestRefused:
    """Return the refusal of a form that cannot be read."""
    return refusal(400, "invalid_form", f"The form cannot be read: {why.rstrip('.')}.")


def no_file() -> RequestRefused:
    """Return the refusal of a form without a file."""
    said = f"There is no file in the form. Send it in the field {FIELD!r}, like -F file=@texts.csv."
    return invalid([fault(FIELD, said, None)])


def unknown_field(field: str) -> RequestRefused:
    """Return the refusal of a form with another field."""
    said = f"The only field is {FIELD!r}, for the file; the column is named in the address (?text=COLUMN)."
    return invalid([fault(brief(field), said, field)])
