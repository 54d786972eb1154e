"""The service: `uvicorn web.api:api`. Every call of Caraway is awaited, so that one event loop serves all requests."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from caraway.exceptions import TaskNotFound, TimeoutError
from web.tasks import app, render


@asynccontextmanager
async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
    """Load gRPC before the first request rather than in it, and close the connection after the last."""
    _ = app.gateway
    yield
    app.close()


api = FastAPI(lifespan=lifespan)


@api.post("/reports")
async def order(user_id: int, pages: int = 3) -> dict[str, str]:
    """Order a report; who orders again before it is ready is given the same one."""
    result = await render.adelay(user_id, pages)
    return {"id": result.id}


@api.get("/reports/{task_id}")
async def look(task_id: str) -> dict[str, str]:
    """Say how it stands."""
    try:
        return {"state": await app.AsyncResult(task_id).astate()}
    except TaskNotFound as error:
        raise HTTPException(404, "there is no such report") from error


@api.get("/reports/{task_id}/text")
async def read(task_id: str, patience: float = 30) -> dict[str, Any]:
    """Wait for it; other requests go on meanwhile."""
    try:
        return {"text": await app.AsyncResult(task_id).aget(timeout=patience)}
    except TaskNotFound as error:
        raise HTTPException(404, "there is no such report") from error
    except TimeoutError as error:
        raise HTTPException(504, "not ready yet") from error


@api.get("/reports/{task_id}/events")
async def follow(task_id: str) -> StreamingResponse:
    """Stream its progress as server-sent events, the last of which tells how it ended: for a browser's EventSource."""
    result = app.AsyncResult(task_id)
    await look(task_id)  # who asks for a report that is not there is told by the status, before the stream begins

    async def events() -> AsyncIterator[str]:
        async for update in result.updates():
            yield f"event: {update.state}\ndata: {json.dumps(update.result, default=str)}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})


@api.delete("/reports/{task_id}", status_code=204)
async def cancel(task_id: str) -> None:
    """Stop it, wherever it is."""
    try:
        await app.AsyncResult(task_id).arevoke(terminate=True)
    except TaskNotFound as error:
        raise HTTPException(404, "there is no such report") from error
