"""Writes down every HTTP request and what came back, as bytes, below the client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import httpx2

from transcript import Exchange, Transcript


class RecordedTransport(httpx2.AsyncBaseTransport):
    """An HTTP client's connections, recorded.

    `listens` says that the client opens a stream for what a server has to say on its own.
    """

    def __init__(self, transcript: Transcript, *, listens: bool) -> None:
        self._transcript = transcript
        self._listens = listens
        self._inner = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = Exchange(
            method=request.method,
            path=request.url.path,
            request_headers=_headers(request.headers),
            request_body=(await request.aread()).decode(),
        )
        await self._hold_back(exchange)
        self._transcript.exchanges.append(exchange)
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.TransportError as error:
            exchange.end = type(error).__name__
            raise
        except anyio.get_cancelled_exc_class():
            exchange.end = "left"
            raise
        finally:
            self._transcript.wake()
        exchange.status = response.status_code
        exchange.response_headers = _headers(response.headers)
        self._transcript.wake()
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _RecordedBody(response.stream, exchange, self._transcript)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _hold_back(self, exchange: Exchange) -> None:
        """Sends `notifications/initialized` once the client's stream for the server is open.

        The client asks for both at once. Which one the server sees first decides whether what it
        says next has a stream to go to, so that one scenario would have two transcripts.
        """
        if not self._listens or exchange.method != "POST":
            return
        await self._transcript.greeted()
        if '"notifications/initialized"' in exchange.request_body:
            await self._transcript.until(
                lambda it: any(other.method == "GET" and other.status for other in it.exchanges)
            )


def _headers(headers: httpx2.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class _RecordedBody(httpx2.AsyncByteStream):
    def __init__(
        self, stream: httpx2.AsyncByteStream, exchange: Exchange, transcript: Transcript
    ) -> None:
        self._stream = stream
        self._exchange = exchange
        self._transcript = transcript

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                self._exchange.response_body += chunk
                self._transcript.wake()
                yield chunk
        except httpx2.TransportError:
            self._exchange.end = "cut"
            raise
        else:
            self._exchange.end = "whole"
        finally:
            self._transcript.wake()

    async def aclose(self) -> None:
        if self._exchange.end == "open":
            self._exchange.end = "left"
            self._transcript.wake()
        await self._stream.aclose()
