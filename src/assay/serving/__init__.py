"""The service as it runs: its processes, and what keeps them on the version that is in production."""

from assay.serving.bell import Bell
from assay.serving.encoders import Encoders, encoders_of
from assay.serving.following import Following
from assay.serving.opening import open_folder, open_pinned, open_served, serve_folders
from assay.serving.pace import paced
from assay.serving.process import address_of, bind, first_free_port, log_to_stderr, serve
from assay.serving.runfolder import RunFolder

__all__ = [
    "Bell",
    "Encoders",
    "Following",
    "RunFolder",
    "address_of",
    "bind",
    "encoders_of",
    "first_free_port",
    "log_to_stderr",
    "open_folder",
    "open_pinned",
    "open_served",
    "paced",
    "serve",
    "serve_folders",
]
