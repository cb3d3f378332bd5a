"""Files of the Hugging Face hub, at pinned revisions."""

from pathlib import Path

from assay.datasets.catalog import HubFile
from assay.datasets.download import sha256_of
from assay.exceptions import DownloadError, MissingExtra


def fetch_hub_file(file: HubFile, folder: Path) -> Path:
    """Return the path of a file of a hub dataset, in a cache below ``folder``.

    A file that is cached is not asked for again. ``HF_ENDPOINT`` and ``HF_TOKEN`` are heeded, and
    the progress bar is the library's own. Raises MissingExtra without huggingface_hub, and
    DownloadError when the file cannot be had or does not hash to what it must.
    """
    import httpx

    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError
    except ImportError as error:
        raise MissingExtra(
            f"Loading {file.repository} from the hub", package="huggingface_hub", extra="transformers"
        ) from error
    try:
        path = Path(
            hf_hub_download(
                file.repository, file.path, repo_type="dataset", revision=file.revision, cache_dir=folder
            )
        )
    except (OSError, ValueError, EntryNotFoundError, httpx.HTTPError) as error:
        raise DownloadError(
            f"{file} could not be fetched: {error}. Check the network (HF_ENDPOINT names another hub), "
            "or give the path of a local copy as the task's source.",
            repository=file.repository,
            revision=file.revision,
        ) from error
    _check(path, file)
    return path


def _check(path: Path, file: HubFile) -> None:
    if file.sha256 is None:
        return
    found = sha256_of(path)
    if found != file.sha256:
        # The cache keeps the bytes beside the revision's folder and links to them.
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise DownloadError(
            f"{file} does not hold what it must: its SHA-256 is {found!r}, and {file.sha256!r} is "
            "expected. It was deleted from the cache; try again.",
            sha256=found,
            expected=file.sha256,
        )
