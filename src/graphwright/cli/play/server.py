"""A small server of one game for browsers on the same machine. It holds no games: a request brings all its moves."""

from __future__ import annotations

import hmac
import json
import secrets
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

from graphwright.cli.play.board import board_document
from graphwright.cli.play.page import PAGE
from graphwright.core import GraphError
from graphwright.training.games.played import PlayedGame

LOOPBACK = "127.0.0.1"
_MOST_BYTES, _MOST_MOVES = 1 << 18, 10_000
_MOST_DIGITS = 20  # of a length; Python refuses to read thousands
_SECONDS = 30.0


class PlayServer(ThreadingHTTPServer):
    """Serves `played` at `address`, whose path is a secret; several browsers at once.

    head: what a saved game says of itself beside its moves (problem, size, seed); one that says otherwise is refused.
    """

    daemon_threads = True

    def __init__(self, played: PlayedGame, head: Mapping[str, Any], port: int = 0) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.played = played
        self.head = dict(head)
        self.token = secrets.token_urlsafe(16)
        self.lock = threading.Lock()  # one thread at a time computes

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of whoever has closed the page amid a request."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def answer(self, what: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The position after the request's `moves` ("position"), or after a reply to them ("reply").

        Raises GraphError, saying in one line what is wrong with the request.
        """
        for name, value in self.head.items():
            if name in request and request[name] != value:
                raise GraphError(f"is a game of {name} {request[name]!r}, and here {name} is {value!r}")
        moves = request.get("moves")
        if not isinstance(moves, list) or len(moves) > _MOST_MOVES or any(type(move) is not int for move in moves):
            raise GraphError(f"moves: give a list of at most {_MOST_MOVES} whole numbers")
        with self.lock:
            position = self.played.position(moves)
            if what == "reply":
                position = self.played.position([*moves, self.played.reply(position)])
            return {**self.head, **board_document(position, opinion=request.get("opinion") is True)}


class _Handler(BaseHTTPRequestHandler):
    """GET of the page, POST of `position` and `reply`; everything below the token, from this machine's own names."""

    server: PlayServer
    server_version = "Graphwright"
    sys_version = ""
    timeout = _SECONDS

    def do_GET(self) -> None:
        """The page."""
        if (what := self._below_token()) is None:
            return
        if what:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing of this name")
            return
        nonce = secrets.token_urlsafe(16)
        page = PAGE.replace("NONCE", nonce).encode()
        policy = f"default-src 'none'; connect-src 'self'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"
        self._send(HTTPStatus.OK, page, "text/html; charset=utf-8", f"{policy}; base-uri 'none'; form-action 'none'")

    def do_POST(self) -> None:
        """A position, as JSON."""
        if (what := self._below_token()) is None:
            return
        if what not in ("position", "reply"):
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing of this name")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > _MOST_DIGITS or int(length) > _MOST_BYTES:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"give a body of at most {_MOST_BYTES:,} bytes")
            return
        body = self.rfile.read(int(length))
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST, "is no JSON")
            return
        try:
            if not isinstance(request, dict):
                raise GraphError("give an object with moves")
            self._json(HTTPStatus.OK, self.server.answer(what, request))
        except ValueError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, " ".join(str(error).split()))

    def _below_token(self) -> str | None:
        """The path below the token; None where the request was refused."""
        port = self.server.server_port
        if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
            self._refuse(HTTPStatus.FORBIDDEN, "this server answers on its own machine only")
            return None
        origin = self.headers.get("Origin")
        if origin is not None and origin not in (f"http://{LOOPBACK}:{port}", f"http://localhost:{port}"):
            self._refuse(HTTPStatus.FORBIDDEN, "this server answers to its own page only")
            return None
        _, token, what = [*self.path.partition("?")[0].split("/", 2), "", ""][:3]
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.FORBIDDEN, "the address lacks the right token; take the one that was printed")
            return None
        return what

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self._json(status, {"error": reason})

    def _json(self, status: HTTPStatus, document: Mapping[str, Any]) -> None:
        self._send(status, json.dumps(document).encode(), "application/json", "default-src 'none'")

    def _send(self, status: HTTPStatus, body: bytes, kind: str, policy: str) -> None:
        try:
            self.send_response(status)
            for name, value in {
                "Content-Type": kind,
                "Content-Length": str(len(body)),
                "Content-Security-Policy": policy,
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # whoever asked has closed the page

    @override
    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: addresses hold the token."""
