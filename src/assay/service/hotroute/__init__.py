"""The hot route: plain requests for one decision, answered without the application.

It gives only the answers of 200 that the application would give; whatever else a request needs, an error
among them, it leaves to the application, so that there is one implementation of each.
"""

from assay.service.hotroute.hotroute import HotRoute

__all__ = ["HotRoute"]
