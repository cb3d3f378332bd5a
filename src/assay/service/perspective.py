"""``POST /v1/comments:analyze``: decisions for clients of the Perspective API."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import Request
from starlette.responses import Response

from assay.estimators import Decision, fault_of
from assay.service.answers import BODY_REFUSALS
from assay.service.bodies import read_body
from assay.service.calls import Calls
from assay.service.deciding import Deciding
from assay.service.errors import brief, fault, invalid
from assay.service.exchange import Exchange, exchange_of
from assay.service.responses import json_response

if TYPE_CHECKING:
    from assay.service.comments import AnalyzeRequest

ANALYZE = "/v1/comments:analyze"


class Attributes:
    """Which task answers for an attribute: what the setting says, else a task's own name in capitals."""

    def __init__(self, deciding: Deciding, named: Mapping[str, str]) -> None:
        self._deciding, self._named = deciding, named

    def served(self) -> dict[str, str]:
        """Return the task of each attribute that is known now."""
        return {**{task.upper(): task for task in self._deciding.models.seats}, **self._named}

    async def analyze(self, request: Request, asked: "AnalyzeRequest") -> dict[str, Any]:
        """Return the answer to a request, each task being asked once.

        Raises RequestRefused: 422 for an unknown attribute or a text that cannot be decided, 503 for a
        task without a model.
        """
        served, text = self.served(), asked.comment.text
        self._deciding.models.check_ready()
        if unknown := [name for name in asked.requested_attributes if name not in served]:
            said = f"There is no such attribute; served are {sorted(served)}."
            raise invalid([fault(brief(f"requestedAttributes.{name}"), said, name) for name in unknown])
        if wrong := fault_of(text):
            raise invalid([fault("comment.text", f"The text {wrong}.", text)])
        tasks = dict.fromkeys(served[name] for name in asked.requested_attributes)
        exchange = exchange_of(request)
        if asked.do_not_store:
            exchange.keeps_content = False
        keeps = not asked.do_not_store
        scores = {task: await self._probability(task, text, exchange, keeps) for task in tasks}
        answer: dict[str, Any] = {
            "attributeScores": {
                name: scores_of(scores[served[name]], len(text))
                for name, wanted in asked.requested_attributes.items()
                if scores[served[name]] >= wanted.score_threshold
            },
            "languages": asked.languages,
        }
        return answer if asked.client_token is None else {**answer, "clientToken": asked.client_token}

    async def _probability(self, task: str, text: str, exchange: Exchange, keeps: bool) -> float:
        positive = self._deciding.models.get(task).task.positive
        [decision] = await self._deciding.decide(
            task, [text], exchange=exchange, keeps_texts=keeps, single=True
        )
        return probability_of(decision, positive)


def probability_of(decision: Decision, positive: str) -> float:
    """Return the probability of a task's positive label.

    Where a rule decided that is what is known of the rule: the lower bound of its precision, or what that
    leaves where its label is another.
    """
    if decision.score is not None:
        return decision.score
    return decision.confidence if decision.label == positive else 1.0 - decision.confidence


def scores_of(value: float, length: int) -> dict[str, Any]:
    """Return a score in the Perspective API's shape: in summary, and for the one span that there is."""
    score = {"value": value, "type": "PROBABILITY"}
    return {"spanScores": [{"begin": 0, "end": length, "score": score}], "summaryScore": score}


def perspective_routes(deciding: Deciding, attributes: Attributes, *, described: bool) -> Calls:
    """Return the call that clients of the Perspective API make."""
    router = Calls(described=described, tags=["decisions"], responses=BODY_REFUSALS)
    schema = router.taking("AnalyzeRequest", deciding.limits)

    @router.post(ANALYZE, openapi_extra=schema, response_model="AnalyzeAnswer")
    async def analyze_comment(request: Request) -> Response:
        """Say how likely attributes are of a text, as the Perspective API does."""
        from assay.service.comments import AnalyzeRequest

        asked = await read_body(request, AnalyzeRequest, deciding.limits)
        return json_response(await attributes.analyze(request, asked))

    return router
