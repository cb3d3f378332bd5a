"""A request's JSON body: uncompressed, measured before anything is built of it, parsed, validated."""

from assay.service.bodies.bodies import read_body
from assay.service.bodies.repeats import refuse_repeats

__all__ = ["read_body", "refuse_repeats"]
