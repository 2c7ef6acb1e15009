# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A REST client from the standard library, with a token, over HTTPS, trusting the throw-away CA only."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any


class Refused(RuntimeError):
    """The server answered, with an error of its own (RFC 9457)."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status}: {body[:500]}")
        self.status = status


class Unreachable(RuntimeError):
    """No answer at all; normal while the aggregator is being killed."""


class Rest:
    def __init__(self, port: int, ca_file: Path, token: str) -> None:
        self.base = f"https://127.0.0.1:{port}/api/v1"
        self._token = token
        self._tls = ssl.create_default_context(cafile=str(ca_file))

    def get(self, path: str, **query: str | int) -> Any:
        return self._request("GET", path + (f"?{urllib.parse.urlencode(query)}" if query else ""), None)

    def post(self, path: str, body: Any) -> Any:
        return self._request("POST", path, json.dumps(body).encode())

    def put(self, path: str, body: Any) -> Any:
        return self._request("PUT", path, json.dumps(body).encode())

    def points(self, **query: str) -> dict[str, Any]:
        """By address."""
        return {point["id"]: point for point in self.get("/points", **query)["points"]}

    def alarms(self, state: str = "all") -> list[dict[str, Any]]:
        return list(self.get("/alarms", state=state, limit=1000)["alarms"])

    def agents(self) -> dict[str, Any]:
        return {f"{agent['site']}/{agent['agent']}": agent for agent in self.get("/agents")["agents"]}

    def _request(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._tls) as reply:
                text = reply.read().decode()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")) from None
        except (OSError, EOFError, http.client.HTTPException) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from None
        return json.loads(text) if text else None
