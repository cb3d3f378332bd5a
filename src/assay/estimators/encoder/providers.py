"""What ONNX Runtime can run networks on."""

from assay.exceptions import MissingExtra


def providers() -> tuple[str, list[str]]:
    """Return the version of ONNX Runtime and the short names of what it runs on, like ``CUDA`` and ``CPU``.

    Raises MissingExtra where it is not installed, or its libraries do not load.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("Answering with an encoder", package="onnxruntime", extra="onnx") from error
    names = onnxruntime.get_available_providers()
    return onnxruntime.__version__, [name.removesuffix("ExecutionProvider") for name in names]
