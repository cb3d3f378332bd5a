"""What every value object is made of."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value object: keyword-only, frozen, without unknown keys; its numbers are finite."""

    # Its validator is built with the first value: a process makes few of the kinds that it imports.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
