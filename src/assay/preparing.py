"""What the process of a service does first of all: for a quick start and little memory."""

import gc
import os


def prepare() -> None:
    """Prepare this process to become a service; to be called before numpy and pydantic are imported.

    A service multiplies no matrices, for which OpenBLAS would hold a thread and a buffer a core; whoever
    wants them says so in the environment. So it is with plugins of pydantic, for which it would read what all
    installed packages say of themselves. Looking for garbage between imports walks all that there is, again
    and again, for next to nothing: it is looked for from when the application is built.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
