"""What stands below the application: connections, how long clients may take, who comes in at all."""

from assay.service.connections.entrance import Entrance, Queue
from assay.service.connections.plain import Peer, PlainRequest
from assay.service.connections.protocol import Connection

__all__ = ["Connection", "Entrance", "Peer", "PlainRequest", "Queue"]
