"""A pooler in transaction mode that is harsher than any: after each transaction the client's next statement goes to another server connection.

It knows of PostgreSQL's protocol what that takes: where a startup message ends, and that ReadyForQuery with status `I` ends a transaction.
"""

from __future__ import annotations

import queue
import selectors
import socket
import struct
import threading
from typing import NamedTuple

_NO_TLS = {80877103, 80877104}
_CONNECTIONS = 3


class _Server(NamedTuple):
    socket: socket.socket
    greeting: bytes


class Pooler:
    """Listens on loopback, on `port`; hands on to the server on `upstream` as the login and database of the first client."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pool: queue.Queue[_Server] = queue.Queue()
        self._guard = threading.Lock()
        self._open: list[socket.socket] = []
        self.transactions = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for one in self._open:
            one.close()

    def idle(self) -> list[_Server]:
        """Every server connection, once no transaction is open."""
        return [self._pool.get(timeout=10) for _ in range(_CONNECTIONS)]

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            startup = _startup(client)
            with self._guard:
                while self._pool.qsize() < _CONNECTIONS and len(self._open) < 2 * _CONNECTIONS and not self.transactions:
                    self._pool.put(self._connected(startup))
            server = self._pool.get(timeout=60)
            self._pool.put(server)
            client.sendall(server.greeting)
            while first := client.recv(1 << 16):
                if first[:1] == b"X":
                    return
                self._one_transaction(client, first)
        except OSError:
            return
        finally:
            client.close()

    def _connected(self, startup: bytes) -> _Server:
        server = socket.create_connection(("127.0.0.1", self._upstream))
        self._open.append(server)
        server.sendall(startup)
        greeting = b""
        while not greeting.endswith(b"Z\0\0\0\5I"):
            greeting += server.recv(1 << 16)
        return _Server(server, greeting)

    def _one_transaction(self, client: socket.socket, first: bytes) -> None:
        server = self._pool.get(timeout=60)
        server.socket.sendall(first)
        said = b""
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ)
            ready.register(server.socket, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is client:
                        server.socket.sendall(client.recv(1 << 16) or b"X\0\0\0\4")
                        continue
                    data = server.socket.recv(1 << 16)
                    said += data
                    ended, said = _ends(said)
                    if ended:
                        self.transactions += 1
                        self._pool.put(server)
                    client.sendall(data)
                    if ended or not data:
                        return


def _startup(client: socket.socket) -> bytes:
    while True:
        length, code = struct.unpack("!II", client.recv(8, socket.MSG_WAITALL))
        if code not in _NO_TLS:
            return struct.pack("!II", length, code) + client.recv(length - 8, socket.MSG_WAITALL)
        client.sendall(b"N")


def _ends(said: bytes) -> tuple[bool, bytes]:
    """Whether the last whole message ends a transaction, and what is left after it."""
    ended = False
    while len(said) >= 5 and len(said) >= 1 + (length := struct.unpack("!I", said[1:5])[0]):
        ended = said[:1] == b"Z" and said[5:6] == b"I"
        said = said[1 + length :]
    return ended, said
