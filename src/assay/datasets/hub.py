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
    path = _find(file, folder)
    _check(path, file)
    return path


def _find(file: HubFile, folder: Path) -> Path:
    import httpx

    try:
        from huggingface_hub import hf_hub_download, try_to_load_from_cache
    except ImportError as error:
        raise MissingExtra(
            f"Loading {file.repository} from the hub", package="huggingface_hub", extra="hub"
        ) from error
    name, path, revision = file.repository, file.path, file.revision
    # hf_hub_download asks the hub a thing or two even for a file that is cached.
    cached = try_to_load_from_cache(name, path, folder, revision, repo_type="dataset")
    if isinstance(cached, str):
        return Path(cached)
    try:
        return Path(hf_hub_download(name, path, repo_type="dataset", revision=revision, cache_dir=folder))
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise DownloadError(
            f"{file} could not be fetched: {str(error).rstrip('. ')}. Check the network (HF_ENDPOINT names "
            "another hub), or give the path of a local copy as the task's source.",
            repository=name,
            revision=revision,
        ) from error


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
