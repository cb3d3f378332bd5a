"""Uploaded files: from the bytes of a request into the spool, scored, and back as they are read."""

from assay.service.files.files import Files
from assay.service.files.routes import file_routes
from assay.service.files.spool import Spool

__all__ = ["Files", "Spool", "file_routes"]
