"""A request's JSON body: uncompressed, measured before anything is built of it, parsed, validated."""

from assay.service.bodies.bodies import read_body

__all__ = ["read_body"]
