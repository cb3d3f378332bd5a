"""What waits behind the entrance."""

import anyio
from starlette.testclient import TestClient

from assay.service import Entrance, Exchange, Limits, Models, Versions
from assay.service.connections import Queue
from assay.service.deciding import Deciding
from assay.service.limits import DECIDING_THREADS, INLINE_TEXTS, LOOK_SECONDS
from assay.telemetry import Counters
from tests.telemetry.scraped import value


def exchange() -> Exchange:
    """Return a request that has just come."""
    return Exchange(request_id="1", method="POST", path="/predict")


def test_a_request_without_a_thread_waits_with_its_texts(models: Models) -> None:
    async def scenario() -> None:
        deciding = Deciding(models, Versions(models), Counters(), Limits())
        holders = [object() for _ in range(DECIDING_THREADS)]
        for holder in holders:
            await deciding._threads.acquire_on_behalf_of(holder)
        texts = ["a text"] * (INLINE_TEXTS + 1)
        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(lambda: deciding.decide(None, texts, exchange=exchange()))
            await anyio.wait_all_tasks_blocked()
            assert deciding.queue() == Queue(waiting=2, texts=2 * len(texts))
            for holder in holders:
                deciding._threads.release_on_behalf_of(holder)
        assert deciding.queue() == Queue(waiting=0, texts=0)

    anyio.run(scenario)


def test_the_entrance_tells_what_is_behind_it() -> None:
    async def scenario() -> None:
        counters = Counters()
        entrance = Entrance(Limits(), counters)
        entrance.queue = lambda: Queue(waiting=2, texts=700)
        with entrance.watched(), anyio.fail_after(20):
            while value(counters, "assay_waiting") != 2:
                await anyio.sleep(LOOK_SECONDS / 10)
        assert value(counters, "assay_deciding_texts") == 700

    anyio.run(scenario)


def test_a_text_that_cannot_be_decided_leaves_no_queue(client: TestClient) -> None:
    with client:
        assert client.post("/predict", json={"texts": ["a text"] * 20 + [" "]}).status_code == 422
        assert "assay_deciding_texts 0.0" in client.get("/metrics").text
