"""Serve an agent over HTTP: whole replies, and events as they happen (server-sent events).

    python examples/09_fastapi.py
    curl localhost:8000/reply -H 'Content-Type: application/json' -d '{"text": "Do you ship to Canada?"}'
    curl -N localhost:8000/stream -H 'Content-Type: application/json' -d '{"text": "退货要多少运费？"}'

Needs the extra `serve`. A client that goes away stops its reply; what was said
until then is kept. There is no login here: put one before it.
"""

from collections.abc import AsyncIterator

from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from dialog import DialogAgent, DialogError, Reply


class Message(BaseModel):
    text: str = Field(min_length=1, max_length=10_000)
    conversation_id: str = Field(default="web", min_length=1, max_length=200)
    turn_key: str | None = Field(
        default=None, description="the same key is the same turn, also when sent twice"
    )


def app_for(agent: DialogAgent) -> FastAPI:
    """The routes over one agent, which all requests share."""
    app = FastAPI(title="instructrec")

    @app.post("/reply")
    async def reply(message: Message) -> Reply:
        try:
            return await agent.areply(
                message.text, conversation_id=message.conversation_id, turn_key=message.turn_key
            )
        except (DialogError, ValueError) as error:
            raise HTTPException(status_code=422, detail=str(error)) from error

    @app.post("/stream")
    async def stream(message: Message) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            events = agent.astream(
                message.text, conversation_id=message.conversation_id, turn_key=message.turn_key
            )
            async for event in events:
                yield f"event: {event.kind}\ndata: {event.model_dump_json()}\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    return app


if __name__ == "__main__":
    import uvicorn

    with DialogAgent.from_config() as agent:
        uvicorn.run(app_for(agent), port=8000)
